/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: what flows are called; traces in words. */
#include <config.h>
#include "unit-controller.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-names.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/own-keys.h"
#include "controller/trace-query.h"
#include "controller/trace-text.h"
#include "controller/trace-words.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "util.h"

/* Each flow that there can be is in a table that has a name, and has a cookie
 * whose object is found. */
static void
check_names_of_desired(const struct mapping *mapping,
                       const struct local_ports *ports)
{
    const struct flow_input input = {
        .ports = ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    const struct flow_entry *flow;
    struct flow_set flows;

    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        struct cookie_name name;

        CHECK(flow_table_name(flow->table), "table %d", flow->table);
        cookie_names(mapping, ports, &flow->cookie, 1, &name);
        CHECK(strcmp(name.kind, "other") && !strstr(name.text, "gone"),
              "%"PRIx64": %s", flow->cookie, name.text);
        cookie_name_destroy(&name);
    }
    flow_set_destroy(&flows);
}

void
test_flow_names(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint64_t cookie;
        const char *kind, *net, *text;
    } tests[] = {
        { UINT64_C(0x0100000000000000), "base", NULL,
          "what all vSubnets share" },
        { UINT64_C(0x0200138900000000), "vsubnet", "demo",
          "the vSubnet itself" },
        { UINT64_C(0x0300138900000002), "port", "demo", "port tap0" },
        { UINT64_C(0x0300138900000063), "port", "demo",
          "port number 99 (gone)" },
        { UINT64_C(0x0400138900000002), "binding", "demo",
          "binding 0a:00:00:00:00:02 (10.77.0.20) at this node" },
        { UINT64_C(0x0400138900000001), "binding", "demo",
          "binding 0a:00:00:00:00:01 at node h9" },
        /* Once more, and of another kind: all are found. */
        { UINT64_C(0x0400138900000001), "binding", "demo",
          "binding 0a:00:00:00:00:01 at node h9" },
        { UINT64_C(0x0800138900000009), "arp", "demo",
          "ARP and ND answers for 06:76:00:00:00:09 (10.77.0.9/24) "
          "at node h9" },
        { UINT64_C(0x0400138900aabbcc), "binding", "demo",
          "binding xx:xx:00:aa:bb:cc (gone)" },
        { UINT64_C(0x0400ffff00000001), "binding", NULL,
          "binding xx:xx:00:00:00:01 (gone)" },
        { UINT64_C(0x05001389ffffffff), "learnt", "demo",
          "learnt from the tunnel" },
        { UINT64_C(0x0500138900000002), "learnt", "demo",
          "learnt from tap0" },
        { UINT64_C(0x0700138900000003), "security", "demo",
          "security of port tap1" },
        { 0, "other", NULL, "not vSubnet's" },
        { UINT64_MAX, "other", NULL, "not vSubnet's" },
    };
    struct cookie_name names[ARRAY_SIZE(tests)];
    uint64_t cookies[ARRAY_SIZE(tests)];
    struct mapping *mapping = test_mapping();
    struct local_ports ports;

    test_ports(&ports);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        cookies[i] = tests[i].cookie;
    }
    cookie_names(mapping, &ports, cookies, ARRAY_SIZE(tests), names);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        const char *net = names[i].net ? names[i].net->name : NULL;

        CHECK(!strcmp(names[i].kind, tests[i].kind), "%s", names[i].kind);
        CHECK(!strcmp(names[i].text, tests[i].text), "%s", names[i].text);
        CHECK(!net == !tests[i].net && (!net || !strcmp(net, tests[i].net)),
              "%"PRIuSIZE, i);
        cookie_name_destroy(&names[i]);
    }

    /* Before there is a mapping. */
    cookie_names(NULL, &ports, cookies, ARRAY_SIZE(tests), names);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        CHECK(!names[i].net, "%"PRIuSIZE, i);
        cookie_name_destroy(&names[i]);
    }

    check_names_of_desired(mapping, &ports);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}

/* Traces.  Those of tests/traces are of ofproto/trace of Open vSwitch 3.1.0,
 * on node 1 of two, whose port 1 is the tunnel, 2 its own and 3 and 4 are
 * guests'. */

enum { TUNNEL = 1 };

static const char trace_snapshot[] =
    "{\"revision\":\"1.5\","
    "\"self\":{\"id\":\"11111111-2222-4333-8444-555555555501\",\"number\":1,"
    "\"name\":\"h1\",\"state\":\"approved\",\"endpoints\":[],"
    "\"revision\":\"1.5\"},"
    "\"nodes\":["
    "{\"id\":\"11111111-2222-4333-8444-555555555501\",\"number\":1,"
    "\"name\":\"h1\",\"state\":\"approved\",\"endpoints\":[],"
    "\"revision\":\"1.5\"},"
    "{\"id\":\"11111111-2222-4333-8444-555555555502\",\"number\":2,"
    "\"name\":\"h2\",\"state\":\"approved\",\"endpoints\":[],"
    "\"revision\":\"1.5\"}],"
    "\"nets\":[{\"name\":\"demo\",\"vni\":6179136,\"subnets\":"
    "[\"10.77.0.0/24\",\"fd77::/64\"],\"algorithm\":\"aes128gcm\","
    "\"group\":null,\"revision\":\"1.1\"}],"
    "\"members\":[],\"keys\":[],"
    "\"bindings\":["
    "{\"net\":\"demo\",\"mac\":\"06:76:00:00:00:01\",\"addresses\":"
    "[\"10.77.0.1\",\"fd77::1\"],\"node\":1,\"port\":null,"
    "\"iface_id\":null,\"origin\":\"host\",\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"06:76:00:00:00:02\",\"addresses\":"
    "[\"10.77.0.2\",\"fd77::2\"],\"node\":2,\"port\":null,"
    "\"iface_id\":null,\"origin\":\"host\",\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"02:77:00:00:01:02\",\"addresses\":"
    "[\"10.77.0.12\"],\"node\":1,\"port\":\"g2\",\"iface_id\":\"if-g2\","
    "\"origin\":\"static\",\"revision\":\"1.1\"}]}";

static const char trace_peers[] =
    "[{\"name\":\"vs0\",\"peers\":[{\"node\":3,\"mtu\":1},"
    "{\"node\":2,\"endpoint\":\"10.0.0.2:8002\",\"mtu\":1418,"
    "\"mtu_source\":\"verified\"}]}]";

static struct mapping *
trace_mapping(struct local_ports *ports)
{
    struct mapping *mapping;
    json_t *json = json_loads(trace_snapshot, 0, NULL);
    char *error = mapping_from_snapshot(json, &mapping);
    struct local_port *port;

    CHECK(json && !error, "%s", error ? error : "bad JSON");
    json_decref(json);
    *ports = (struct local_ports) LOCAL_PORTS_INITIALIZER;
    port = local_ports_add(ports, "vs-demo", "demo", 6179136);
    port->ofport = u16_to_ofp(2);
    port->has_mac = port->host_port = true;
    port->mac = (struct eth_addr) ETH_ADDR_C(06,76,00,00,00,01);
    local_ports_add(ports, "g1", "demo", 6179136)->ofport = u16_to_ofp(3);
    local_ports_add(ports, "g2", "demo", 6179136)->ofport = u16_to_ofp(4);
    local_ports_sort(ports);
    return mapping;
}

#define FROM_VS_DEMO "in_port=2,dl_src=06:76:00:00:00:01,"
#define TO_H2 "dl_dst=06:76:00:00:00:02,dl_type=0x0800,nw_src=10.77.0.1," \
    "nw_dst=10.77.0.2,"
#define CT(PROTOCOL, SRC, DST) ",ct_state=trk|new,ct_nw_proto=" PROTOCOL \
    ",ct_nw_src=10.77.0.1,ct_nw_dst=10.77.0.2,ct_tp_src=" SRC \
    ",ct_tp_dst=" DST

void
test_trace_query(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *src, *dst, *l4;
        uint32_t from;
        const char *flow;       /* Or how the error begins. */
        uint32_t elsewhere;
    } tests[] = {
        { "vs-demo", "10.77.0.2", NULL, 0,
          FROM_VS_DEMO TO_H2 "nw_proto=1,nw_ttl=64,icmp_type=8,icmp_code=0"
          CT("1", "8", "0"), 0 },
        { "10.77.0.1", "06:76:00:00:00:02", "tcp:80", 0,
          FROM_VS_DEMO TO_H2 "nw_proto=6,nw_ttl=64,tcp_src=40000,tcp_dst=80"
          CT("6", "40000", "80"), 0 },
        { "06:76:00:00:00:01", "10.77.0.2", "udp:1:2", 0,
          FROM_VS_DEMO TO_H2 "nw_proto=17,nw_ttl=64,udp_src=1,udp_dst=2"
          CT("17", "1", "2"), 0 },
        /* IPv6 at one end makes it so at the other. */
        { "vs-demo", "fd77::2", "icmp", 0,
          FROM_VS_DEMO "dl_dst=06:76:00:00:00:02,dl_type=0x86dd,"
          "ipv6_src=fd77::1,ipv6_dst=fd77::2,nw_proto=58,nw_ttl=64,"
          "icmpv6_type=128,icmpv6_code=0,ct_state=trk|new,ct_nw_proto=58,"
          "ct_ipv6_src=fd77::1,ct_ipv6_dst=fd77::2,ct_tp_src=128,"
          "ct_tp_dst=0", 0 },
        /* By the binding's port or iface-id. */
        { "g2", "ff:ff:ff:ff:ff:ff", NULL, 0,
          "in_port=4,dl_src=02:77:00:00:01:02,dl_dst=ff:ff:ff:ff:ff:ff", 0 },
        { "if-g2", "ff:ff:ff:ff:ff:ff", NULL, 0,
          "in_port=4,dl_src=02:77:00:00:01:02,dl_dst=ff:ff:ff:ff:ff:ff", 0 },
        { "02:77:00:00:01:02,10.77.0.9", "02:77:00:00:01:09,10.77.0.8",
          "sctp:7", 0,
          "in_port=4,dl_src=02:77:00:00:01:02,dl_dst=02:77:00:00:01:09,"
          "dl_type=0x0800,nw_src=10.77.0.9,nw_dst=10.77.0.8,nw_proto=132,"
          "nw_ttl=64,sctp_src=40000,sctp_dst=7,ct_state=trk|new,"
          "ct_nw_proto=132,ct_nw_src=10.77.0.9,ct_nw_dst=10.77.0.8,"
          "ct_tp_src=40000,ct_tp_dst=7", 0 },
        /* Through the tunnel. */
        { "06:76:00:00:00:02", "ff:ff:ff:ff:ff:ff", NULL, 2,
          "in_port=1,tun_id=6179136,tun_src=240.0.0.2,tun_dst=240.0.0.1,"
          "dl_src=06:76:00:00:00:02,dl_dst=ff:ff:ff:ff:ff:ff", 0 },
        { "10.77.0.2", "10.77.0.1", NULL, 0, NULL, 2 },
        { "10.77.0.3", "10.77.0.1", NULL, 0, "src: vSubnet demo has no", 0 },
        { "vs-demo", "nobody", NULL, 0, "dst: vSubnet demo has no", 0 },
        { "vs-demo", "10.77.0.2", "tcp:70000", 0, "l4: must be", 0 },
        { "vs-demo", "10.77.0.2", "tcp:1:2:3", 0, "l4: must be", 0 },
        { "vs-demo", "10.77.0.2", "icmp:256", 0, "l4: must be", 0 },
        { "vs-demo", "10.77.0.2", "gre", 0, "l4: must be", 0 },
        { "vs-demo", "10.77.0.2", "tcp:80,in_port=9", 0, "l4: must be", 0 },
        { "vs-demo", "ff:ff:ff:ff:ff:ff", "tcp:80", 0, "l4: no IP", 0 },
    };
    struct local_ports ports;
    struct mapping *mapping = trace_mapping(&ports);

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        json_t *json = json_pack("{s:s, s:s, s:s, s:s*}", "net", "demo",
                                 "src", tests[i].src, "dst", tests[i].dst,
                                 "l4", tests[i].l4);
        struct trace_query q;

        if (tests[i].from) {
            json_object_set_new(json, "from", json_integer(tests[i].from));
        }
        char *error = trace_query_parse(json, mapping, &ports, TUNNEL, &q);
        json_decref(json);
        if (error) {
            CHECK(tests[i].flow && !strncmp(error, tests[i].flow,
                                            strlen(tests[i].flow)),
                  "%"PRIuSIZE": %s", i, error);
            free(error);
            continue;
        }
        CHECK(!q.flow == !tests[i].flow
              && (!q.flow || !strcmp(q.flow, tests[i].flow)), "%"PRIuSIZE
              ": %s", i, q.flow ? q.flow : "no flow");
        CHECK(q.flow || q.src.node == tests[i].elsewhere, "%"PRIuSIZE, i);
        trace_query_destroy(&q);
    }
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}

static char *
read_trace(const char *dir, const char *name)
{
    char *file = xasprintf("%s/%s", dir, name);
    FILE *stream = fopen(file, "r");
    char *text = xzalloc(65536);

    CHECK(stream && fread(text, 1, 65535, stream) > 0, "%s", file);
    fclose(stream);
    free(file);
    return text;
}

/* The words of all steps, a line each. */
static char *
all_words(const json_t *json)
{
    const json_t *steps = json_object_get(json, "steps");
    char *all = xstrdup("");

    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        const char *words = json_string_value(json_object_get(step, "words"));

        if (words) {
            char *more = xasprintf("%s%s\n", all, words);

            free(all);
            all = more;
        }
    }
    return all;
}

static const char *
member(const json_t *json, const char *name)
{
    const char *s = json_string_value(json_object_get(json, name));

    return s ? s : "-";
}

void
test_trace_words(struct ovs_cmdl_context *ctx)
{
    static const struct {
        const char *file;
        const char *src;
        const char *outcome, *summary;
        const char *words;      /* Some of them. */
        const char *tunnel;     /* Compact, or NULL. */
    } tests[] = {
        { "tunnel", "vs-demo", "tunnel",
          "sent through the tunnel to node h2",
          "port vs-demo is in vSubnet demo\n"
          "the source is known: port vs-demo\n"
          "the destination is known: binding 06:76:00:00:00:02 "
          "(10.77.0.2, fd77::2) at node h2\n"
          "goes to the tunnel\n",
          "{\"endpoint\":\"10.0.0.2:8002\",\"epoch\":4,\"fits\":false,"
          "\"mtu\":1418,\"mtu_source\":\"verified\","
          "\"node\":{\"name\":\"h2\",\"number\":2},\"spi\":256,"
          "\"tunnel_address\":\"240.0.0.2\"}" },
        /* Beyond connection tracking; ofproto/trace believes that it does
         * not go to the tunnel then. */
        { "rules-tunnel", "vs-demo", "tunnel",
          "sent through the tunnel to node h2",
          "the vSubnet is closed or has rules\n"
          "a rule for the sender that is gone decides\n"
          "goes to the tunnel\n", NULL },
        { "denied", "vs-demo", "dropped", "dropped by rule ",
          "a rule for the receiver that is gone decides\n", NULL },
        { "no-rule", "vs-demo", "dropped",
          "dropped by policy closed: no rule for the sender allows it",
          "no rule for the sender names it\n", NULL },
        { "flood", "vs-demo", "flooded",
          "flooded to 1 local port and all other members",
          "the destination is not registered\n"
          "the destination is not learnt\n"
          "not to one known port: metered by the port's limit\n"
          "flooded to g1, the tunnel\n",
          "{\"epoch\":4,\"node\":null,\"spi\":256,"
          "\"tunnel_address\":\"255.255.255.255\"}" },
        { "spoofed", "g2", "dropped", "dropped by security of port g2",
          "port security drops it\n", NULL },
        { "arp-answered", "vs-demo", "answered", "answered by this host", "",
          NULL },
        { "no-vsubnet", "vs-demo", "dropped",
          "dropped by what it came from is in no vSubnet", "", NULL },
    };
    struct local_ports ports;
    struct mapping *mapping = trace_mapping(&ports);
    const struct own_key key = { .spi = 256, .epoch = 4 };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        char *s = read_trace(ctx->argv[1], tests[i].file);
        json_t *json = json_pack("{s:s, s:s, s:s, s:i}", "net", "demo", "src",
                                 tests[i].src, "dst", "10.77.0.2", "size",
                                 1500);
        struct trace_query q;
        struct trace_text text;

        char *error = trace_query_parse(json, mapping, &ports, TUNNEL, &q);
        CHECK(!error, "%s", error);
        json_decref(json);
        trace_text_parse(&text, s);
        const struct trace_facts facts = {
            &q, &text, mapping, &ports, TUNNEL, &key, trace_peers };
        json = trace_words(&facts);
        char *words = all_words(json);
        char *tunnel = json_dumps(json_object_get(json, "tunnel"),
                                  JSON_COMPACT | JSON_SORT_KEYS
                                  | JSON_ENCODE_ANY);
        CHECK(!strcmp(member(json, "outcome"), tests[i].outcome), "%s: %s",
              tests[i].file, member(json, "outcome"));
        CHECK(!strncmp(member(json, "summary"), tests[i].summary,
                       strlen(tests[i].summary)), "%s: %s", tests[i].file,
              member(json, "summary"));
        CHECK(strstr(words, tests[i].words), "%s: %s", tests[i].file, words);
        CHECK(!tests[i].tunnel || !strcmp(tunnel, tests[i].tunnel), "%s: %s",
              tests[i].file, tunnel);
        free(tunnel);
        free(words);
        json_decref(json);
        trace_text_destroy(&text);

        /* Cut off anywhere, it is read. */
        for (size_t n = strlen(s); n > 0; n -= MIN(n, 7)) {
            s[n] = '\0';
            trace_text_parse(&text, s);
            json_decref(trace_words(&facts));
            trace_text_destroy(&text);
        }
        trace_query_destroy(&q);
        free(s);
    }
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}
