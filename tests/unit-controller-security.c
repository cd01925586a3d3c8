/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: what a port may send. */
#include <config.h>
#include "unit-controller.h"

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* Gives port tap1 (3, 0a:..:03) a binding of 10.77.0.30 and fd77::30. */
static struct model_binding *
bind_tap1(struct mapping *mapping)
{
    struct model_binding *binding = xmalloc(sizeof *binding);

    model_binding_init(binding);
    binding->net = xstrdup("demo");
    binding->mac = (struct eth_addr) ETH_ADDR_C(0a,00,00,00,00,03);
    binding->node = 7;
    binding->port = xstrdup("tap1");
    binding->iface_id = xstrdup("iface-1");
    binding->origin = MODEL_ORIGIN_STATIC;
    binding->n_addresses = 2;
    binding->addresses = xcalloc(2, sizeof *binding->addresses);
    in6_addr_set_mapped_ipv4(&binding->addresses[0].ip, htonl(0x0a4d001e));
    ipv6_parse("fd77::30", &binding->addresses[1].ip);
    CHECK(mapping_put_binding(mapping, binding), "binding");
    return binding;
}

/* Returns the flows of port security. */
static void
security_flows(const struct mapping *mapping, struct sset *security)
{
    const struct flow_entry *flow;
    struct local_ports ports;
    struct flow_set flows;

    sset_init(security);
    test_ports(&ports);
    const struct flow_input input = {
        .ports = &ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        if (cookie_kind(flow->cookie) == COOKIE_SECURITY) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            CHECK(flow->cookie == cookie_make(COOKIE_SECURITY, 5001, 3),
                  "cookie");
            flow_entry_format(flow, &ds);
            sset_add(security, strstr(ds_cstr(&ds), "table="));
            ds_destroy(&ds);
        }
    }
    flow_set_destroy(&flows);
    local_ports_destroy(&ports);
}

#define MAC "0a:00:00:00:00:03"
#define NONE "00:00:00:00:00:00"
#define SENDER "in_port=3,dl_src=" MAC
#define PASS " actions=goto_table:10"
#define LOOK " actions=goto_table:6"
#define DROP " actions=drop"
#define TOLD " actions=controller(max_len=128,userdata=03,meter_id=131075)"

/* 24 flows, two for each IPv4 address and three for each IPv6 address. */
static const char *const expected[] = {
    "table=5, priority=100,arp," SENDER
        ",arp_spa=0.0.0.0,arp_op=1,arp_sha=" MAC PASS,
    "table=5, priority=100,arp," SENDER
        ",arp_spa=10.77.0.30,arp_sha=" MAC PASS,
    "table=5, priority=100,icmp6," SENDER
        ",ipv6_src=::,icmp_type=131,icmp_code=0" LOOK,
    "table=5, priority=100,icmp6," SENDER
        ",ipv6_src=::,icmp_type=132,icmp_code=0" LOOK,
    "table=5, priority=100,icmp6," SENDER
        ",ipv6_src=::,icmp_type=133,icmp_code=0" LOOK,
    "table=5, priority=100,icmp6," SENDER
        ",ipv6_src=::,icmp_type=135,icmp_code=0" LOOK,
    "table=5, priority=100,icmp6," SENDER
        ",ipv6_src=::,icmp_type=143,icmp_code=0" LOOK,
    "table=5, priority=100,ip," SENDER ",nw_src=10.77.0.30" PASS,
    "table=5, priority=100,ipv6," SENDER ",ipv6_src=fd77::30" LOOK,
    "table=5, priority=100,ipv6," SENDER ",ipv6_src=fe80::800:ff:fe00:3" LOOK,
    "table=5, priority=100,udp," SENDER
        ",nw_src=0.0.0.0,nw_dst=255.255.255.255,tp_src=68,tp_dst=67" PASS,
    "table=5, priority=60,arp," SENDER TOLD,
    "table=5, priority=60,icmp6," SENDER ",icmp_type=135" TOLD,
    "table=5, priority=60,icmp6," SENDER ",icmp_type=136" TOLD,
    "table=5, priority=50,ip," SENDER DROP,
    "table=5, priority=50,ipv6," SENDER DROP,
    "table=5, priority=50," SENDER ",dl_type=0x8100" DROP,
    "table=5, priority=50," SENDER ",dl_type=0x88a8" DROP,
    "table=5, priority=40," SENDER PASS,
    "table=5, priority=30,in_port=3" DROP,
    "table=6, priority=110,"
        "icmp6,in_port=3,icmp_type=135,icmp_code=0,nd_target=::" DROP,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=135,icmp_code=0,nd_sll=" NONE PASS,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=135,icmp_code=0,nd_sll=" MAC PASS,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=136,icmp_code=0,nd_target=fd77::30,"
        "nd_tll=" NONE PASS,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=136,icmp_code=0,nd_target=fd77::30,"
        "nd_tll=" MAC PASS,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=136,icmp_code=0,"
        "nd_target=fe80::800:ff:fe00:3,nd_tll=" NONE PASS,
    "table=6, priority=100,"
        "icmp6,in_port=3,icmp_type=136,icmp_code=0,"
        "nd_target=fe80::800:ff:fe00:3,nd_tll=" MAC PASS,
    "table=6, priority=60,icmp6,in_port=3,icmp_type=135" TOLD,
    "table=6, priority=60,icmp6,in_port=3,icmp_type=136" TOLD,
};

void
test_security(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    struct sset security;
    const char *flow;
    bool ok = true;

    bind_tap1(mapping);
    security_flows(mapping, &security);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        if (!sset_find_and_delete(&security, expected[i])) {
            fprintf(stderr, "missing: %s\n", expected[i]);
            ok = false;
        }
    }
    SSET_FOR_EACH (flow, &security) {
        fprintf(stderr, "unexpected: %s\n", flow);
        ok = false;
    }
    CHECK(ok, "flows differ");
    sset_destroy(&security);
    mapping_destroy(mapping);
}

static size_t
n_security_flows(const struct mapping *mapping)
{
    struct sset security;

    security_flows(mapping, &security);
    size_t n = sset_count(&security);
    sset_destroy(&security);
    return n;
}

/* None without an operator's word for it, and none where it is off. */
void
test_security_none(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();

    CHECK(!n_security_flows(mapping), "a host's port, and those that learn");

    struct model_binding *binding = bind_tap1(mapping);
    struct model_net *net = mapping_net(mapping, "demo");
    const size_t n = n_security_flows(mapping);
    CHECK(n == ARRAY_SIZE(expected), "%"PRIuSIZE, n);

    binding->port_security = false;
    CHECK(!n_security_flows(mapping), "off for the binding");
    binding->port_security = true;
    net->port_security = false;
    CHECK(!n_security_flows(mapping), "off for the vSubnet");
    net->port_security = true;
    binding->origin = MODEL_ORIGIN_DYNAMIC;
    CHECK(!n_security_flows(mapping), "just registered");
    binding->origin = MODEL_ORIGIN_STATIC;

    /* Each range adds one source, and one sort of advertisement with and
     * without option. */
    net->subnets = xrealloc(net->subnets,
                            (net->n_subnets + 1) * sizeof *net->subnets);
    struct model_address *range = &net->subnets[net->n_subnets++];
    ipv6_parse("fd77::", &range->ip);
    range->plen = 64;
    CHECK(n_security_flows(mapping) == n, "a range");
    net->ipv6 = MODEL_IPV6_SLAAC;
    CHECK(n_security_flows(mapping) == n + 3, "SLAAC");

    binding->n_addresses = 0;
    CHECK(!n_security_flows(mapping), "without addresses");
    binding->n_addresses = 2;
    CHECK(n_security_flows(mapping) == n + 3, "with them again");
    mapping_destroy(mapping);
}
