/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: ARP and ND that the host answers. */
#include <config.h>
#include "unit-controller.h"

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "packets.h"
#include "util.h"

#define PUNT "controller(max_len=128,userdata=03,meter_id=104),"
#define GO_ON "set_field:0->xreg6,set_field:0->reg14,goto_table:18"
#define PAIR(BITS) "move:NXM_OF_ARP_SPA[" BITS "]->NXM_NX_REG14[0..3]," \
    "move:NXM_OF_ARP_TPA[" BITS "]->NXM_NX_REG14[4..7],resubmit(,17),"
#define SAME(BITS) "cookie=0x100000000000000, table=17, priority=100," \
    "reg14=0x100" BITS "/0x100ff actions=drop"

/* Of the fixture, with or without a tunnel. */
const char *const arp_flows[] = {
    /* Whose address it is; who asks for his own is not answered. */
    "cookie=0x800138900000002, table=15, priority=110,arp,"
        "metadata=0x1389,vlan_tci=0x0000/0x0fff,dl_src=0a:00:00:00:00:02,"
        "arp_tpa=10.77.0.20,arp_op=1 "
        "actions=goto_table:18",
    "cookie=0x800138900000007, table=15, priority=110,arp,"
        "metadata=0x1389,vlan_tci=0x0000/0x0fff,dl_src=06:76:00:00:00:07,"
        "arp_tpa=10.77.0.7,arp_op=1 "
        "actions=goto_table:18",
    "cookie=0x800138900000002, table=15, priority=100,arp,reg0=0/0x1,"
        "metadata=0x1389,vlan_tci=0x0000/0x0fff,dl_dst=ff:ff:ff:ff:ff:ff,"
        "arp_tpa=10.77.0.20,arp_op=1 "
        "actions=set_field:0xa0000000002->xreg6,goto_table:16",
    "cookie=0x800138900000007, table=15, priority=100,arp,reg0=0/0x1,"
        "metadata=0x1389,vlan_tci=0x0000/0x0fff,dl_dst=ff:ff:ff:ff:ff:ff,"
        "arp_tpa=10.77.0.7,arp_op=1 "
        "actions=set_field:0x1067600000007->xreg6,goto_table:16",
    "cookie=0x800138900000009, table=15, priority=100,arp,reg0=0/0x1,"
        "metadata=0x1389,vlan_tci=0x0000/0x0fff,dl_dst=ff:ff:ff:ff:ff:ff,"
        "arp_tpa=10.77.0.9,arp_op=1 "
        "actions=set_field:0x1067600000009->xreg6,goto_table:16",

    /* Sorts of questions. */
    "cookie=0x100000000000000, table=16, priority=110,arp,"
        "reg12=0x10000/0x10000,arp_spa=0.0.0.0 "
        "actions=" PUNT "set_field:0x100->reg14,goto_table:17",
    "cookie=0x100000000000000, table=16, priority=110,icmp6,"
        "reg12=0x10000/0x10000,ipv6_src=::,icmp_type=135,icmp_code=0 "
        "actions=controller(max_len=128,userdata=03,meter_id=104)",
    "cookie=0x100000000000000, table=16, priority=100,icmp6,"
        "ipv6_src=::,icmp_type=135,icmp_code=0 "
        "actions=" PUNT GO_ON,
    "cookie=0x100000000000000, table=16, priority=100,arp,"
        "arp_spa=0.0.0.0 "
        "actions=" PUNT GO_ON,
    "cookie=0x100000000000000, table=16, priority=50,arp "
        "actions=set_field:0x10000->reg14,"
        PAIR("0..3") PAIR("4..7") PAIR("8..11") PAIR("12..15")
        PAIR("16..19") PAIR("20..23") PAIR("24..27") PAIR("28..31")
        "set_field:0/0x10000->reg14,goto_table:17",
    "cookie=0x100000000000000, table=16, priority=50,icmp6,"
        "icmp_type=135,icmp_code=0,nd_options_type=1 "
        "actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
        "move:OXM_OF_PKT_REG6[0..47]->NXM_OF_ETH_SRC[],"
        "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[],"
        "move:NXM_NX_ND_TARGET[]->NXM_NX_IPV6_SRC[],"
        "set_field:1610612736->nd_reserved,set_field:2->nd_options_type,"
        "set_field:136->icmpv6_type,set_field:0x100->reg14,goto_table:17",
    "cookie=0x100000000000000, table=16, priority=0 "
        "actions=" GO_ON,

    /* Answers. */
    "cookie=0x100000000000000, table=17, priority=90,"
        "reg14=0x10000/0x10000 "
        "actions=set_field:0x100/0x100->reg14",
    "cookie=0x100000000000000, table=17, priority=80,arp,"
        "reg14=0x100/0x100 "
        "actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
        "move:OXM_OF_PKT_REG6[0..47]->NXM_OF_ETH_SRC[],"
        "set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"
        "move:OXM_OF_PKT_REG6[0..47]->NXM_NX_ARP_SHA[],"
        "push:NXM_OF_ARP_SPA[],move:NXM_OF_ARP_TPA[]->NXM_OF_ARP_SPA[],"
        "pop:NXM_OF_ARP_TPA[],IN_PORT",
    "cookie=0x100000000000000, table=17, priority=80,icmp6,"
        "reg14=0x100/0x100,icmp_type=136,icmp_code=0 "
        "actions=move:OXM_OF_PKT_REG6[0..47]->NXM_NX_ND_TLL[],IN_PORT",
    "cookie=0x100000000000000, table=17, priority=10,arp "
        "actions=" PUNT GO_ON,

    /* Four bits of one address, and the same four of the other. */
    SAME("00"), SAME("11"), SAME("22"), SAME("33"),
    SAME("44"), SAME("55"), SAME("66"), SAME("77"),
    SAME("88"), SAME("99"), SAME("aa"), SAME("bb"),
    SAME("cc"), SAME("dd"), SAME("ee"), SAME("ff"),
};
const size_t n_arp_flows = ARRAY_SIZE(arp_flows);

static size_t
count_flows(const struct mapping *mapping)
{
    struct local_ports ports;
    struct flow_set flows;

    test_ports(&ports);
    const struct flow_input input = {
        .ports = &ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);

    size_t n = flow_set_count(&flows);
    flow_set_destroy(&flows);
    local_ports_destroy(&ports);
    return n;
}

/* Adds 'n' bindings with an IPv4 and an IPv6 address to demo. */
static void
add_bindings(struct mapping *mapping, uint32_t node, int n)
{
    for (int i = 0; i < n; i++) {
        struct model_binding *binding = xmalloc(sizeof *binding);

        model_binding_init(binding);
        binding->net = xstrdup("demo");
        eth_addr_from_uint64(UINT64_C(0x0e0000000000) + (node << 24) + i,
                             &binding->mac);
        binding->node = node;
        binding->origin = MODEL_ORIGIN_STATIC;
        binding->n_addresses = 2;
        binding->addresses = xcalloc(2, sizeof *binding->addresses);
        in6_addr_set_mapped_ipv4(&binding->addresses[0].ip,
                                 htonl(0x0a800000 + (node << 16) + i));
        binding->addresses[1].ip = (struct in6_addr) {
            .s6_addr = { 0xfd, [13] = node, [14] = i >> 8, [15] = i } };
        CHECK(mapping_put_binding(mapping, binding), "binding");
    }
}

/* For a binding elsewhere there is its own flow and one for each address; for
 * one that is here, another one for each address.  None for addresses where
 * the vSubnet does without. */
void
test_arp_sizes(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 1000 };
    static const struct { uint32_t node; bool on; int per_binding; } tests[]
        = { { 9, true, 3 }, { 7, true, 5 }, { 9, false, 1 },
            { 7, false, 1 } };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct mapping *mapping = test_mapping();

        mapping_net(mapping, "demo")->arp_suppression = tests[i].on;
        size_t before = count_flows(mapping);
        add_bindings(mapping, tests[i].node, N);
        size_t n = count_flows(mapping) - before;
        CHECK(n == N * tests[i].per_binding, "%"PRIuSIZE": %"PRIuSIZE, i, n);
        mapping_destroy(mapping);
    }
}
