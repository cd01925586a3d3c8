/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: labels, zones, the log of rules. */
#include <config.h>
#include "unit-controller.h"

#include <netinet/in.h>
#include <string.h>

#include "byte-order.h"
#include "command-line.h"
#include "controller/acl-log.h"
#include "controller/ct-zones.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "controller/rule-cookie.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Zones. */

void
test_ct_zones(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* What the database says, and what stays of it when vSubnets are those of
     * the fixture, with VNIs 5001 and 5002; 0: another zone is given. */
    static const struct { const char *old; int zones[2]; } tests[] = {
        { "", { 0, 0 } },
        { "5001=1,5002=2", { 1, 2 } },
        { "5002=65535,5001=7", { 7, 65535 } },
        { "5002=1", { 0, 1 } },
        { "7=1,5002=2", { 0, 2 } },
        { "5001=3,5002=3", { 3, 0 } },
        { "5001=0,5002=65536,x,=,5001=,5002=1x", { 0, 0 } },
        { "5001=2,5001=3,16777216=4", { 2, 0 } },
    };
    struct mapping *mapping = test_mapping();

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ct_zones zones, again;

        ct_zones_init(&zones);
        ct_zones_parse(&zones, tests[i].old);
        ct_zones_sync(&zones, mapping);
        ct_zones_format(&zones, &s);

        int a = ct_zones_find(&zones, 5001), b = ct_zones_find(&zones, 5002);
        CHECK(a && b && a != b && hmap_count(&zones.zones) == 2, "%s: %s",
              tests[i].old, ds_cstr(&s));
        CHECK(!tests[i].zones[0] || a == tests[i].zones[0], "%d", a);
        CHECK(!tests[i].zones[1] || b == tests[i].zones[1], "%d", b);

        ct_zones_init(&again);
        ct_zones_parse(&again, ds_cstr(&s));
        CHECK(!ct_zones_sync(&again, mapping), "%s: twice", tests[i].old);
        ct_zones_destroy(&again);
        ct_zones_destroy(&zones);
        ds_destroy(&s);
    }
    mapping_destroy(mapping);
}

/* Labels. */

/* The flow of table 30 for 'mac' in demo. */
static void
lookup_flow(const struct mapping *mapping, uint64_t mac, struct ds *s)
{
    struct local_ports ports;
    struct flow_set flows;
    const struct flow_entry *flow;

    test_ports(&ports);
    const struct flow_input input = {
        .ports = &ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        struct match match;

        minimatch_expand(&flow->match, &match);
        if (flow->table == FT_BINDINGS
            && eth_addr_to_uint64(match.flow.dl_dst) == mac) {
            flow_entry_format(flow, s);
        }
    }
    flow_set_destroy(&flows);
    local_ports_destroy(&ports);
}

/* Whoever has labels, here or elsewhere, his lookup tells them. */
void
test_labels(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint64_t mac;
        const char *labels[3], *bits;
    } tests[] = {
        { UINT64_C(0x0a0000000001), { "web", "db" },
          "set_field:0x8000000000000003->xxreg1" },
        { UINT64_C(0x067600000007), { "far" },
          "set_field:0x80000000000000000000000000000000->xxreg1" },
        { UINT64_C(0x0a0000000002), { "web", "none" },
          "set_field:0x1->xxreg1" },
        { UINT64_C(0x067600000009), { "none" }, NULL },
    };
    struct mapping *mapping = test_mapping();
    struct model_net *net = mapping_net(mapping, "demo");

    net->n_labels = MODEL_LABELS_MAX;
    net->labels = xcalloc(net->n_labels, sizeof *net->labels);
    for (size_t i = 0; i < net->n_labels; i++) {
        net->labels[i] = xstrdup(i == 0 ? "web" : i == 1 ? "db"
                                 : i == 63 ? "db2" : i == 127 ? "far" : "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct eth_addr mac;

        eth_addr_from_uint64(tests[i].mac, &mac);
        struct model_binding *binding = mapping_binding(mapping, "demo", mac);
        binding->labels = xcalloc(4, sizeof *binding->labels);
        for (size_t j = 0; tests[i].labels[j]; j++) {
            binding->labels[binding->n_labels++]
                = xstrdup(tests[i].labels[j]);
        }
        if (!i) {
            binding->labels[binding->n_labels++] = xstrdup("db2");
        }
        lookup_flow(mapping, tests[i].mac, &s);
        CHECK(tests[i].bits ? strstr(ds_cstr(&s), tests[i].bits) != NULL
              : !strstr(ds_cstr(&s), "xxreg"), "%s", ds_cstr(&s));
        ds_destroy(&s);
    }
    mapping_destroy(mapping);
}

/* The log of rules. */

static void
expect_line(struct acl_log *log, const struct mapping *mapping,
            const struct punt *punt, long long int now, const char *expected)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    struct local_ports ports;

    test_ports(&ports);
    bool logged = acl_log_line(log, mapping, &ports, punt, now, &line);
    CHECK(logged == !!expected
          && (!expected || !strcmp(ds_cstr(&line), expected)), "%s",
          ds_cstr(&line));
    local_ports_destroy(&ports);
    ds_destroy(&line);
}

#define MACS "0a:00:00:00:00:03 > 0a:00:00:00:00:01"

void
test_acl_log(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint8_t frame[] = {
        0x0a, 0, 0, 0, 0, 1, 0x0a, 0, 0, 0, 0, 3, 0x12, 0x34 };
    struct mapping *mapping = test_mapping();
    struct model_rule *rule = xzalloc(sizeof *rule);
    struct acl_log log;
    struct flow md;

    rule->net = xstrdup("demo");
    rule->name = xstrdup("no-ssh");
    rule->action = MODEL_DENY;
    CHECK(mapping_put_rule(mapping, rule), "rule");
    struct punt punt = {
        .kind = PUNT_ACL_LOG, .vni = 5001, .port = u16_to_ofp(3),
        .cookie = rule_cookie(mapping_net(mapping, "demo"), rule),
        .frame = frame, .len = sizeof frame, .metadata = &md };

    acl_log_init(&log);
    memset(&md, 0, sizeof md);
    expect_line(&log, mapping, &punt, 0, "vSubnet demo: rule no-ssh denies "
                "a frame of type 0x1234, " MACS ", from port tap1");

    md.dl_type = htons(ETH_TYPE_IP);
    md.ct_state = CS_TRACKED | CS_NEW;
    md.ct_nw_proto = IPPROTO_TCP;
    md.ct_nw_src = htonl(0x0a4d0005);
    md.ct_nw_dst = htonl(0x0a4d0007);
    md.ct_tp_src = htons(40112);
    md.ct_tp_dst = htons(22);
    expect_line(&log, mapping, &punt, 0, "vSubnet demo: rule no-ssh denies "
                "tcp 10.77.0.5:40112 > 10.77.0.7:22, " MACS
                ", from port tap1");

    punt.port = u16_to_ofp(9);
    md.tunnel.ip_src = htonl(0xf0000009);
    md.dl_type = htons(ETH_TYPE_IPV6);
    md.ct_state = CS_TRACKED | CS_ESTABLISHED | CS_REPLY_DIR;
    md.ct_nw_proto = IPPROTO_ICMPV6;
    md.ct_tp_src = htons(128);
    md.ct_tp_dst = 0;
    ipv6_parse("fd77::5", &md.ct_ipv6_src);
    ipv6_parse("fd77::7", &md.ct_ipv6_dst);
    rule->action = MODEL_ALLOW;
    expect_line(&log, mapping, &punt, 0, "vSubnet demo: rule no-ssh allows "
                "answer to icmp6 fd77::5 > fd77::7 type 128 code 0, " MACS
                ", from node h9");

    /* Two more in that second. */
    md.ct_nw_proto = IPPROTO_UDP;
    for (int i = 0; i < 12; i++) {
        expect_line(&log, mapping, &punt, 999, (i >= 2 ? NULL
                    : "vSubnet demo: rule no-ssh allows answer to udp "
                      "[fd77::5]:128 > [fd77::7]:0, " MACS
                      ", from node h9"));
    }
    expect_line(&log, mapping, &punt, 1000, "vSubnet demo: rule no-ssh "
                "allows answer to udp [fd77::5]:128 > [fd77::7]:0, " MACS
                ", from node h9 (10 more left out)");

    /* Cut off; of no rule. */
    punt.len = 13;
    expect_line(&log, mapping, &punt, 5000, NULL);
    punt.len = sizeof frame;
    punt.cookie++;
    expect_line(&log, mapping, &punt, 5000, NULL);

    acl_log_destroy(&log);
    mapping_destroy(mapping);
}
