/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: desired flows, differences, cookies. */
#include <config.h>
#include "unit-controller.h"

#include <malloc.h>
#include <string.h>

#include "byte-order.h"
#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-diff.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/ofctrl-msg.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

void
test_cookie(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        enum cookie_kind kind;
        uint32_t vni, object;
        uint64_t cookie;
    } tests[] = {
        { COOKIE_BASE, 0, 0, UINT64_C(0x0100000000000000) },
        { COOKIE_NET, 5001, 0, UINT64_C(0x0200138900000000) },
        { COOKIE_PORT, 0xffffff, 65279, UINT64_C(0x03ffffff0000feff) },
        { COOKIE_BINDING, 1, 0x89abcdef, UINT64_C(0x0400000189abcdef) },
        { COOKIE_LEARNT, 5001, COOKIE_FROM_TUNNEL,
          UINT64_C(0x05001389ffffffff) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        uint64_t cookie = cookie_make(tests[i].kind, tests[i].vni,
                                      tests[i].object);

        CHECK(cookie == tests[i].cookie, "%"PRIx64, cookie);
        CHECK(cookie_kind(cookie) == tests[i].kind, "kind");
        CHECK(cookie_vni(cookie) == tests[i].vni, "VNI");
        CHECK(cookie_object(cookie) == tests[i].object, "object");
    }
}

/* Computes the flows of the fixture.  'tunnel' 0: without tunnel port. */
static void
compute(struct flow_set *flows, const struct mapping *mapping,
        uint16_t tunnel)
{
    struct local_ports ports;
    test_ports(&ports);
    const struct flow_input input = {
        .ports = &ports,
        .mapping = mapping,
        .tunnel = u16_to_ofp(tunnel),
    };

    flow_set_init(flows);
    flow_desired_compute(&input, flows);
    local_ports_destroy(&ports);
}

#define LEARN_PORT2 "learn(table=31,hard_timeout=300,priority=50," \
    "cookie=0x500138900000002,limit=1024,result_dst=NXM_NX_REG0[1]," \
    "OXM_OF_METADATA[]," \
    "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]," \
    "load:OXM_OF_IN_PORT[]->NXM_NX_REG15[]),goto_table:12"
#define LEARN_TUNNEL(VNI) "learn(table=31,hard_timeout=300,priority=50," \
    "cookie=0x500" VNI "ffffffff,limit=16384,result_dst=NXM_NX_REG0[1]," \
    "OXM_OF_METADATA[]," \
    "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]," \
    "load:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[]," \
    "load:OXM_OF_IN_PORT[]->NXM_NX_REG15[]),goto_table:12"
/* The meter of what port P sends up is 0x20000 + P. */
#define COPY2 "controller(max_len=128,userdata=01,meter_id=131074),"
#define COPY3 "controller(max_len=128,userdata=01,meter_id=131075),"
#define NET "set_field:0x1389->metadata"
#define STATIC "set_field:0x1->reg14"
#define DYNAMIC "set_field:0x2->reg14"

/* Those of the fixture that need no tunnel. */
static const char *const local_flows[] = {
    /* Classification. */
    "cookie=0x100000000000000, table=0, priority=200,"
        "dl_dst=01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0 actions=drop",
    "cookie=0x100000000000000, table=0, priority=200,"
        "dl_src=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop",
    "cookie=0x100000000000000, table=0, priority=200,"
        "dl_vlan=0,dl_type=0x8100 actions=drop",
    "cookie=0x100000000000000, table=0, priority=200,"
        "dl_vlan=0,dl_type=0x88a8 actions=drop",
    "cookie=0x100000000000000, table=0, priority=0 actions=drop",
    "cookie=0x300138900000001, table=0, priority=100,in_port=1 "
        "actions=set_field:0x1389->metadata,goto_table:5",
    "cookie=0x300138900000002, table=0, priority=100,in_port=2 "
        "actions=set_field:0x1389->metadata,goto_table:5",
    "cookie=0x300138900000003, table=0, priority=100,in_port=3 "
        "actions=set_field:0x1389->metadata,goto_table:5",

    /* Probes for loops, which go no further, and the tunnel's datagrams from
     * where none may come. */
    "cookie=0x100000000000000, table=0, priority=195,"
        "dl_dst=07:76:ff:ff:ff:fd,dl_type=0x88b5 actions=drop",
    "cookie=0xb00138900000001, table=0, priority=196,in_port=1,"
        "dl_dst=07:76:ff:ff:ff:fd,dl_type=0x88b5 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=196609)",
    "cookie=0xb00138900000001, table=0, priority=160,udp,in_port=1,"
        "nw_dst=192.0.2.7,tp_dst=8002 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=105),goto_table:5",
    "cookie=0xb00138900000002, table=0, priority=196,in_port=2,"
        "dl_dst=07:76:ff:ff:ff:fd,dl_type=0x88b5 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=196610)",
    "cookie=0xb00138900000002, table=0, priority=160,udp,in_port=2,"
        "nw_dst=192.0.2.7,tp_dst=8002 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=105),goto_table:5",
    "cookie=0xb00138900000003, table=0, priority=196,in_port=3,"
        "dl_dst=07:76:ff:ff:ff:fd,dl_type=0x88b5 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=196611)",
    "cookie=0xb00138900000003, table=0, priority=160,udp,in_port=3,"
        "nw_dst=192.0.2.7,tp_dst=8002 actions=" NET ","
        "controller(max_len=128,userdata=08,meter_id=105),goto_table:5",

    /* Where a frame goes that nothing stops. */
    "cookie=0x100000000000000, table=5, priority=0 actions=goto_table:10",
    "cookie=0x100000000000000, table=6, priority=0 actions=goto_table:10",
    "cookie=0x100000000000000, table=15, priority=0 actions=goto_table:18",
    "cookie=0x100000000000000, table=18, priority=0 actions=goto_table:20",
    "cookie=0x100000000000000, table=20, priority=0 "
        "actions=resubmit(,30),goto_table:21",
    "cookie=0x100000000000000, table=21, priority=0 actions=goto_table:22",
    "cookie=0x100000000000000, table=21, priority=100,reg15=0 "
        "actions=resubmit(,31),goto_table:22",
    "cookie=0x100000000000000, table=22, priority=0 actions=goto_table:35",
    "cookie=0x100000000000000, table=35, priority=0 actions=goto_table:45",
    "cookie=0x100000000000000, table=35, priority=10,reg15=0 "
        "actions=goto_table:40",
    "cookie=0xa00138900000001, table=35, priority=20,reg15=0,in_port=1 "
        "actions=meter:65537,goto_table:40",
    "cookie=0xa00138900000002, table=35, priority=20,reg15=0,in_port=2 "
        "actions=meter:65538,goto_table:40",
    "cookie=0xa00138900000003, table=35, priority=20,reg15=0,in_port=3 "
        "actions=meter:65539,goto_table:40",
    "cookie=0x100000000000000, table=45, priority=0 actions=goto_table:50",

    /* The source is looked up in table 30. */
    "cookie=0x100000000000000, table=10, priority=0 "
        "actions=push:NXM_OF_ETH_DST[],"
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],resubmit(,30),"
        "pop:NXM_OF_ETH_DST[],move:NXM_NX_REG14[0..1]->NXM_NX_REG0[2..3],"
        "move:NXM_NX_XXREG1[]->NXM_NX_XXREG2[],"
        "move:NXM_NX_REG15[]->NXM_NX_REG2[],set_field:0->xxreg1,"
        "set_field:0->reg14,set_field:0->reg15,set_field:0.0.0.0->tun_dst,"
        "goto_table:11",

    /* Learning: nothing for a bound MAC, except that a dynamic one is from
     * local ports. */
    "cookie=0x100000000000000, table=11, priority=0 actions=goto_table:15",
    "cookie=0x100000000000000, table=11, priority=110,reg0=0x4/0x4 "
        "actions=goto_table:15",
    "cookie=0x100000000000000, table=11, priority=110,reg0=0x9/0x9 "
        "actions=goto_table:15",

    /* Port 2 learns, and its ARP and ND frames are copied, but not those of
     * a known address. */
    "cookie=0x300138900000002, table=11, priority=50,in_port=2 "
        "actions=" LEARN_PORT2,
    "cookie=0x300138900000002, table=11, priority=60,arp,in_port=2 "
        "actions=" COPY2 LEARN_PORT2,
    "cookie=0x300138900000002, table=11, priority=60,icmp6,in_port=2,"
        "icmp_type=135,icmp_code=0 actions=" COPY2 LEARN_PORT2,
    "cookie=0x300138900000002, table=11, priority=60,icmp6,in_port=2,"
        "icmp_type=136,icmp_code=0 actions=" COPY2 LEARN_PORT2,
    "cookie=0x400138900000002, table=11, priority=140,arp,in_port=2,"
        "dl_src=0a:00:00:00:00:02,arp_spa=10.77.0.20 actions=" LEARN_PORT2,

    /* A MAC that found no room is told to the controller. */
    "cookie=0x100000000000000, table=12, priority=100,reg0=0/0x2 "
        "actions=controller(max_len=128,userdata=02,meter_id=101),goto_table:15",
    "cookie=0x300138900000002, table=12, priority=110,reg0=0/0x2,in_port=2 "
        "actions=controller(max_len=128,userdata=02,meter_id=131074),"
        "goto_table:15",
    "cookie=0x100000000000000, table=12, priority=0 actions=goto_table:15",

    /* Port 3 has one MAC: no learning. */
    "cookie=0x300138900000003, table=11, priority=60,arp,in_port=3,"
        "dl_src=0a:00:00:00:00:03 actions=" COPY3 "goto_table:15",
    "cookie=0x300138900000003, table=11, priority=60,icmp6,in_port=3,"
        "dl_src=0a:00:00:00:00:03,icmp_type=135,icmp_code=0 "
        "actions=" COPY3 "goto_table:15",
    "cookie=0x300138900000003, table=11, priority=60,icmp6,in_port=3,"
        "dl_src=0a:00:00:00:00:03,icmp_type=136,icmp_code=0 "
        "actions=" COPY3 "goto_table:15",

    /* Guests are no servers. */
#define ROGUES(P)                                                       \
    "cookie=0x90013890000000" P ", table=18, priority=110,udp,in_port=" P \
        ",tp_dst=68 actions=drop",                            \
    "cookie=0x90013890000000" P ", table=18, priority=110,udp6,in_port=" P \
        ",tp_dst=546 actions=drop",                          \
    "cookie=0x90013890000000" P ", table=18, priority=110,icmp6,in_port=" P \
        ",icmp_type=134,icmp_code=0 actions=drop"
    ROGUES("2"),
    ROGUES("3"),

    /* Unicast. */
    "cookie=0x300138900000001, table=30, priority=100,metadata=0x1389,"
        "dl_dst=06:76:00:00:00:07 actions=" STATIC ",set_field:0x1->reg15",
    "cookie=0x400138900000002, table=30, priority=100,metadata=0x1389,"
        "dl_dst=0a:00:00:00:00:02 actions=" DYNAMIC ",set_field:0x2->reg15",
    "cookie=0x300138900000003, table=30, priority=100,metadata=0x1389,"
        "dl_dst=0a:00:00:00:00:03 actions=" DYNAMIC ",set_field:0x3->reg15",

    "cookie=0x100000000000000, table=50, priority=50 "
        "actions=output:NXM_NX_REG15[]",
};

#define POLICY "move:NXM_NX_REG1[17]->NXM_NX_REG0[6],"
#define EXCHANGE "push:NXM_NX_XXREG1[],push:NXM_NX_XXREG2[]," \
    "pop:NXM_NX_XXREG1[],pop:NXM_NX_XXREG2[],"

/* Filtering, what all vSubnets share of it. */
static const char *const acl_flows[] = {
    "cookie=0x100000000000000, table=45, priority=105,reg0=0x120/0x120 "
        "actions=" EXCHANGE POLICY "resubmit(,46),goto_table:48",
    "cookie=0x100000000000000, table=49, priority=105,ct_state=+new+trk,tcp,"
        "reg0=0x60/0x160,tcp_flags=-syn+ack "
        "actions=set_field:0x100/0x100->reg0,resubmit(,45)",
    "cookie=0x100000000000000, table=49, priority=105,ct_state=+new+trk,tcp6,"
        "reg0=0x60/0x160,tcp_flags=-syn+ack "
        "actions=set_field:0x100/0x100->reg0,resubmit(,45)",
    "cookie=0x100000000000000, table=49, priority=58,reg0=0x100/0x100 "
        "actions=goto_table:50",
    "cookie=0x100000000000000, table=23, priority=120,arp "
        "actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=1,"
        "icmp_type=130 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=1,"
        "icmp_type=131 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=1,"
        "icmp_type=132 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=1,"
        "icmp_type=143 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=255,"
        "icmp_type=133 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=255,"
        "icmp_type=134 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=255,"
        "icmp_type=135 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,icmp6,nw_ttl=255,"
        "icmp_type=136 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,ip,nw_proto=2,nw_ttl=1 "
        "actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=120,rarp "
        "actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=110,udp,"
        "reg1=0x10000/0x10000,tp_src=67,tp_dst=68 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=110,udp,"
        "reg1=0x10000/0x10000,tp_src=68,tp_dst=67 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=110,udp6,"
        "reg1=0x10000/0x10000,tp_src=546,tp_dst=547 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=110,udp6,"
        "reg1=0x10000/0x10000,tp_src=547,tp_dst=546 actions=goto_table:35",
    "cookie=0x100000000000000, table=23, priority=100,ip "
        "actions=set_field:0x20/0x20->reg0,ct(table=24,"
        "zone=NXM_NX_REG1[0..15])",
    "cookie=0x100000000000000, table=23, priority=100,ipv6 "
        "actions=set_field:0x20/0x20->reg0,ct(table=24,"
        "zone=NXM_NX_REG1[0..15])",
    "cookie=0x100000000000000, table=23, priority=0 "
        "actions=set_field:0x20/0x20->reg0,goto_table:35",
    "cookie=0x100000000000000, table=24, priority=100,ct_state=+inv+trk "
        "actions=drop",
    "cookie=0x100000000000000, table=24, priority=50,ip,nw_frag=later "
        "actions=set_field:0x80/0x80->reg0,goto_table:35",
    "cookie=0x100000000000000, table=24, priority=50,ipv6,nw_frag=later "
        "actions=set_field:0x80/0x80->reg0,goto_table:35",
    "cookie=0x100000000000000, table=24, priority=0 actions=goto_table:35",
    "cookie=0x100000000000000, table=45, priority=120,ct_state=+rel+trk,"
        "ct_mark=0/0x1,reg0=0x20/0x20 actions=goto_table:50",
    "cookie=0x100000000000000, table=45, priority=120,ct_state=+rel+trk,"
        "ct_mark=0x1/0x1,reg0=0x20/0x20 actions=drop",
    "cookie=0x100000000000000, table=45, priority=100,ct_state=+rpl,"
        "reg0=0x20/0x20 "
        "actions=" EXCHANGE POLICY "resubmit(,46),goto_table:48",
    "cookie=0x100000000000000, table=45, priority=100,ct_state=-rpl,"
        "reg0=0x20/0x20 actions=" POLICY "resubmit(,46),goto_table:48",
    "cookie=0x100000000000000, table=48, priority=100,reg0=0x60/0x60 "
        "actions=goto_table:49",
    "cookie=0x100000000000000, table=48, priority=0 "
        "actions=" POLICY "resubmit(,47),goto_table:49",
    "cookie=0x100000000000000, table=49, priority=110,ct_state=+est+trk,"
        "ct_mark=0/0x1,ip,reg0=0x60/0x60 "
        "actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0x1/0x1->ct_mark))",
    "cookie=0x100000000000000, table=49, priority=110,ct_state=+est+trk,"
        "ct_mark=0/0x1,ipv6,reg0=0x60/0x60 "
        "actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0x1/0x1->ct_mark))",
    "cookie=0x100000000000000, table=49, priority=100,reg0=0x60/0x60 "
        "actions=drop",
    "cookie=0x100000000000000, table=49, priority=60,ct_state=+est+trk,"
        "ct_mark=0x1/0x1,ip actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0/0x1->ct_mark)),goto_table:50",
    "cookie=0x100000000000000, table=49, priority=60,ct_state=+est+trk,"
        "ct_mark=0x1/0x1,ipv6 actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0/0x1->ct_mark)),goto_table:50",
    "cookie=0x100000000000000, table=49, priority=55,ct_state=+new+trk,"
        "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=goto_table:50",
    "cookie=0x100000000000000, table=49, priority=50,ct_state=+new+trk,ip "
        "actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0/0x1->ct_mark)),goto_table:50",
    "cookie=0x100000000000000, table=49, priority=50,ct_state=+new+trk,ipv6 "
        "actions=ct(commit,zone=NXM_NX_REG1[0..15],"
        "exec(set_field:0/0x1->ct_mark)),goto_table:50",
    "cookie=0x100000000000000, table=49, priority=0 actions=goto_table:50",
};

/* What there is besides without a tunnel. */
static const char *const alone_flows[] = {
    "cookie=0x400138900000009, table=30, priority=100,metadata=0x1389,"
        "dl_dst=06:76:00:00:00:09 actions=" STATIC,
    "cookie=0x400138900000001, table=30, priority=100,metadata=0x1389,"
        "dl_dst=0a:00:00:00:00:01 actions=" DYNAMIC,
    "cookie=0x200138900000000, table=40, priority=100,reg0=0/0x1,"
        "metadata=0x1389 actions=output:2,output:3,output:1",
    "cookie=0x200138a00000000, table=40, priority=100,reg0=0/0x1,"
        "metadata=0x138a actions=drop",
};

/* And with tunnel port 9. */
static const char *const tunnel_flows[] = {
    "cookie=0x100000000000000, table=45, priority=115,reg0=0x120/0x120,"
        "reg15=0x9 "
        "actions=" EXCHANGE POLICY "resubmit(,47),goto_table:49",
    "cookie=0x100000000000000, table=45, priority=115,reg0=0x121/0x121 "
        "actions=" EXCHANGE POLICY "resubmit(,46),goto_table:49",
    "cookie=0x100000000000000, table=45, priority=130,reg0=0x20/0x20,"
        "reg15=0x9,in_port=9 actions=drop",
    "cookie=0x100000000000000, table=45, priority=110,ct_state=-rpl,"
        "reg0=0x20/0x20,reg15=0x9 "
        "actions=" POLICY "resubmit(,46),goto_table:49",
    "cookie=0x100000000000000, table=45, priority=110,ct_state=+rpl,"
        "reg0=0x20/0x20,reg15=0x9 "
        "actions=" EXCHANGE POLICY "resubmit(,47),goto_table:49",
    "cookie=0x100000000000000, table=45, priority=110,ct_state=+rpl,"
        "reg0=0x21/0x21 "
        "actions=" EXCHANGE POLICY "resubmit(,46),goto_table:49",
    "cookie=0x100000000000000, table=45, priority=110,ct_state=-rpl,"
        "reg0=0x21/0x21 actions=" POLICY "resubmit(,47),goto_table:49",

    "cookie=0x100000000000000, table=0, priority=190,tun_flags=+oam,"
        "in_port=9 actions=drop",
    "cookie=0x200138900000000, table=0, priority=100,tun_id=0x1389,in_port=9 "
        "actions=set_field:0x1389->metadata,set_field:0x1/0x1->reg0,"
        "goto_table:10",
    "cookie=0x200138a00000000, table=0, priority=100,tun_id=0x138a,in_port=9 "
        "actions=set_field:0x138a->metadata,set_field:0x1/0x1->reg0,"
        "goto_table:10",
    "cookie=0x200138900000000, table=11, priority=50,reg0=0x1/0x1,"
        "metadata=0x1389 actions=" LEARN_TUNNEL("1389"),
    "cookie=0x200138a00000000, table=11, priority=50,reg0=0x1/0x1,"
        "metadata=0x138a actions=" LEARN_TUNNEL("138a"),
    "cookie=0x400138900000009, table=30, priority=100,metadata=0x1389,"
        "dl_dst=06:76:00:00:00:09 actions=" STATIC ","
        "set_field:240.0.0.9->tun_dst,set_field:0x9->reg15",
    "cookie=0x400138900000001, table=30, priority=100,metadata=0x1389,"
        "dl_dst=0a:00:00:00:00:01 actions=" DYNAMIC ","
        "set_field:240.0.0.9->tun_dst,set_field:0x9->reg15",

    /* Flood: the tunnel last, and only for what began here. */
    "cookie=0x200138900000000, table=40, priority=100,reg0=0/0x1,"
        "metadata=0x1389 actions=output:2,output:3,output:1,"
        "set_field:0x1389->tun_id,set_field:255.255.255.255->tun_dst,"
        "output:9",
    "cookie=0x200138900000000, table=40, priority=100,reg0=0x1/0x1,"
        "metadata=0x1389 actions=output:2,output:3,output:1",
    "cookie=0x200138a00000000, table=40, priority=100,reg0=0/0x1,"
        "metadata=0x138a actions=set_field:0x138a->tun_id,"
        "set_field:239.1.1.1->tun_dst,output:9",
    "cookie=0x200138a00000000, table=40, priority=100,reg0=0x1/0x1,"
        "metadata=0x138a actions=drop",
    "cookie=0x100000000000000, table=50, priority=100,reg15=0x9 "
        "actions=move:OXM_OF_METADATA[0..23]->NXM_NX_TUN_ID[0..23],"
        "output:9",
};

static void
sset_add_all(struct sset *set, const char *const *strings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(sset_add(set, strings[i]), "twice: %s", strings[i]);
    }
}

static void
expect_flows(const struct flow_set *flows, struct sset *expected)
{
    const struct flow_entry *flow;
    const char *s;
    bool ok = true;

    FLOW_SET_FOR_EACH (flow, flows) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        flow_entry_format(flow, &ds);
        if (!sset_find_and_delete(expected, ds_cstr(&ds))) {
            fprintf(stderr, "unexpected: %s\n", ds_cstr(&ds));
            ok = false;
        }
        ds_destroy(&ds);
    }
    SSET_FOR_EACH (s, expected) {
        fprintf(stderr, "missing: %s\n", s);
        ok = false;
    }
    CHECK(ok, "flows differ");
}

void
test_desired(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    struct flow_set flows;

    for (int tunnel = 0; tunnel <= 9; tunnel += 9) {
        struct sset expected = SSET_INITIALIZER(&expected);

        sset_add_all(&expected, local_flows, ARRAY_SIZE(local_flows));
        sset_add_all(&expected, acl_flows, ARRAY_SIZE(acl_flows));
        sset_add_all(&expected, arp_flows, n_arp_flows);
        if (tunnel) {
            sset_add_all(&expected, tunnel_flows, ARRAY_SIZE(tunnel_flows));
        } else {
            sset_add_all(&expected, alone_flows, ARRAY_SIZE(alone_flows));
        }
        compute(&flows, mapping, tunnel);
        expect_flows(&flows, &expected);
        flow_set_destroy(&flows);
        sset_destroy(&expected);
    }
    mapping_destroy(mapping);
}

/* One flow for each binding at another node. */
void
test_desired_sizes(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 100000 };
    struct mapping *mapping = test_mapping();
    struct flow_set before, after;

    compute(&before, mapping, 9);
    for (int i = 0; i < N; i++) {
        struct model_binding *binding = xzalloc(sizeof *binding);

        binding->net = xstrdup("demo");
        eth_addr_from_uint64(UINT64_C(0x0e0000000000) + i, &binding->mac);
        binding->node = 9;
        binding->origin = i % 2 ? MODEL_ORIGIN_DYNAMIC : MODEL_ORIGIN_STATIC;
        CHECK(mapping_put_binding(mapping, binding), "binding");
    }

    long long int start = time_msec();
    compute(&after, mapping, 9);
    printf("%"PRIuSIZE" flows computed in %lld ms\n",
           flow_set_count(&after), time_msec() - start);
    CHECK(flow_set_count(&after) == flow_set_count(&before) + N,
          "%"PRIuSIZE" flows", flow_set_count(&after));

    struct flow_diff diff;
    start = time_msec();
    flow_diff_compute(&diff, &before, &after);
    printf("compared in %lld ms\n", time_msec() - start);
    CHECK(diff.n == N, "%"PRIuSIZE" changes", diff.n);
    flow_diff_destroy(&diff);

    start = time_msec();
    flow_diff_compute(&diff, &after, &after);
    printf("compared with itself in %lld ms\n", time_msec() - start);
    CHECK(!diff.n, "%"PRIuSIZE" changes", diff.n);
    flow_diff_destroy(&diff);

    flow_set_destroy(&before);
    flow_set_destroy(&after);
    mapping_destroy(mapping);
}

/* What the switch says of a flow that it was sent is equal to the flow: each
 * goes through a flow_mod and back. */
void
test_canonical(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    struct flow_set desired, installed;
    const struct flow_entry *flow;
    struct flow_diff diff;

    /* Fill uninitialised memory, to see whether it is looked at. */
    mallopt(M_PERTURB, 0x55);
    compute(&desired, mapping, 9);
    mallopt(M_PERTURB, 0xaa);

    flow_set_init(&installed);
    FLOW_SET_FOR_EACH (flow, &desired) {
        const struct flow_change change = {
            .type = FLOW_ADD, .flow = CONST_CAST(struct flow_entry *, flow) };
        struct ofpbuf *msg = ofctrl_msg_flow_mod(&change);
        struct ofputil_flow_mod fm;
        struct ofpbuf ofpacts;
        struct match match;

        ofpbuf_init(&ofpacts, 0);
        enum ofperr error = ofputil_decode_flow_mod(
            &fm, msg->data, OFPUTIL_P_OF15_OXM, NULL, NULL, &ofpacts,
            OFPP_MAX, 255);
        CHECK(!error, "%s", ofperr_get_name(error));
        minimatch_expand(&fm.match, &match);
        CHECK(flow_set_add(&installed, flow_entry_create_canonical(
            fm.table_id, fm.priority, ntohll(fm.new_cookie), &match,
            fm.ofpacts, fm.ofpacts_len)), "twice");
        minimatch_destroy(&fm.match);
        ofpbuf_uninit(&ofpacts);
        ofpbuf_delete(msg);
    }
    flow_diff_compute(&diff, &installed, &desired);
    for (size_t i = 0; i < diff.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        flow_entry_format(diff.changes[i].flow, &s);
        fprintf(stderr, "%d %s\n", diff.changes[i].type, ds_cstr(&s));
        ds_destroy(&s);
    }
    CHECK(!diff.n, "%"PRIuSIZE" differ", diff.n);
    flow_diff_destroy(&diff);
    flow_set_destroy(&installed);
    flow_set_destroy(&desired);
    mapping_destroy(mapping);
}

/* A flow for the tests of differences. */
struct simple_flow {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    uint16_t port;              /* That it sends to. */
    uint64_t learn;             /* Cookie that it learns under, or 0. */
};

static void
add_simple(struct flow_set *set, const struct simple_flow *simple)
{
    struct ofpbuf acts;
    struct match match;

    ofpbuf_init(&acts, 0);
    if (simple->learn) {
        struct ofpact_learn *learn = ofpact_put_LEARN(&acts);
        learn->table_id = FT_LEARNT;
        learn->cookie = htonll(simple->learn);
        ofpact_finish_LEARN(&acts, &learn);
    }
    ofpact_put_OUTPUT(&acts)->port = u16_to_ofp(simple->port);
    match_init_catchall(&match);
    match_set_metadata(&match, htonll(simple->priority));
    flow_set_add(set, flow_entry_create(simple->table, simple->priority,
                                        simple->cookie, &match, acts.data,
                                        acts.size));
    ofpbuf_uninit(&acts);
}

#define L1 cookie_make(COOKIE_LEARNT, 1, 1)
#define L2 cookie_make(COOKIE_LEARNT, 1, 2)

void
test_diff(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *const letters = "+~-*";      /* By type. */
    const struct {
        struct simple_flow installed[4], desired[4];
        const char *changes;    /* Letter and table, in order. */
    } tests[] = {
        { { { .priority = 0 } }, { { .priority = 0 } }, "" },
        { { { 0, 1, 1, 1, 0 } }, { { 0, 1, 1, 1, 0 } }, "" },
        /* Add from the end of the pipeline, delete from its beginning. */
        { { { .priority = 0 } },
          { { 0, 1, 1, 1, 0 }, { 30, 1, 1, 1, 0 }, { 10, 1, 1, 1, 0 } },
          "+30 +10 +0 " },
        { { { 50, 1, 1, 1, 0 }, { 30, 1, 1, 1, 0 }, { 0, 1, 1, 1, 0 } },
          { { .priority = 0 } }, "-0 -30 -50 " },
        /* Make before break. */
        { { { 50, 1, 1, 1, 0 } }, { { 0, 1, 1, 1, 0 } }, "+0 -50 " },
        /* Other actions; other cookie; other priority. */
        { { { 30, 1, 1, 1, 0 } }, { { 30, 1, 1, 2, 0 } }, "~30 " },
        { { { 30, 1, 1, 1, 0 } }, { { 30, 1, 2, 1, 0 } }, "+30 " },
        { { { 30, 1, 1, 1, 0 } }, { { 30, 2, 1, 1, 0 } }, "+30 -30 " },
        /* A foreign flow is deleted, in table 31 too. */
        { { { 77, 1, 99, 1, 0 }, { 31, 1, 0, 1, 0 } }, { { .priority = 0 } },
          "-31 -77 " },
        /* Learnt flows stay as long as somebody learns under their cookie. */
        { { { 31, 1, L1, 1, 0 }, { 31, 2, L2, 1, 0 }, { 11, 1, 1, 1, L1 },
            { 11, 2, 1, 1, L2 } },
          { { 11, 1, 1, 1, L1 }, { 11, 2, 1, 1, L2 } }, "" },
        { { { 31, 1, L1, 1, 0 }, { 31, 2, L2, 1, 0 } },
          { { 11, 1, 1, 1, L1 }, { 11, 2, 1, 1, L2 } }, "+11 +11 " },
        { { { 31, 1, L1, 1, 0 }, { 31, 2, L2, 1, 0 }, { 11, 1, 1, 1, L1 },
            { 11, 2, 1, 1, L2 } },
          { { 11, 1, 1, 1, L1 } }, "-11 *31 " },
        /* Also when what was learnt since is not known to be there. */
        { { { 11, 1, 1, 1, L1 }, { 11, 2, 1, 1, L2 } },
          { { 11, 1, 1, 1, L1 } }, "-11 *31 " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct ds changes = DS_EMPTY_INITIALIZER;
        struct flow_set installed, desired;
        struct flow_diff diff;

        flow_set_init(&installed);
        flow_set_init(&desired);
        for (size_t j = 0; j < ARRAY_SIZE(tests[i].installed); j++) {
            if (tests[i].installed[j].priority) {
                add_simple(&installed, &tests[i].installed[j]);
            }
            if (tests[i].desired[j].priority) {
                add_simple(&desired, &tests[i].desired[j]);
            }
        }
        flow_diff_compute(&diff, &installed, &desired);
        for (size_t j = 0; j < diff.n; j++) {
            const struct flow_change *change = &diff.changes[j];
            ds_put_format(&changes, "%c%d ", letters[change->type],
                          change->flow ? change->flow->table : FT_LEARNT);
        }
        CHECK(!strcmp(ds_cstr(&changes), tests[i].changes),
              "%"PRIuSIZE": %s", i, ds_cstr(&changes));
        flow_diff_destroy(&diff);
        flow_set_destroy(&installed);
        flow_set_destroy(&desired);
        ds_destroy(&changes);
    }
}
