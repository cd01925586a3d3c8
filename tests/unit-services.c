/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of services to guests: what they share, and main(). */
#include <config.h>
#include "unit-services.h"

#include <arpa/inet.h>
#include <netinet/ip6.h>
#include <string.h>

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/local-port.h"
#include "controller/services.h"
#include "csum.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "flow.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

#define NET(NAME, VNI, SETTINGS)                                        \
    "{'name':'" NAME "','vni':" #VNI ",'subnets':['10.77.0.0/24',"      \
    "'10.78.0.0/16','fd77::/64','fd78::/64'],'algorithm':'aes128gcm'," \
    "'group':null,'revision':'1.1'," SETTINGS "}"

#define FULL "'dhcp':{'lease':7200,'gateway':'10.77.0.1','dns':["       \
    "'10.77.0.53','fd77::53','192.0.2.53'],'domain':'demo.example',"    \
    "'routes':[{'to':'192.168.0.0/17','via':'10.77.0.2'},"              \
    "{'to':'198.51.100.7/32','via':'10.77.0.3'},"                       \
    "{'to':'203.0.113.0/24','via':'10.78.0.2'}]}"

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG "'dhcp':{'lease':60,'gateway':null,'dns':['10.77.0.53',"   \
    "'10.77.0.54','10.77.0.55','10.77.0.56','10.77.0.57'],"             \
    "'domain':'" A60 "." A60 "." A60 "." A60 "'}"

#define BINDINGS(NET)                                                   \
    "{'net':'" NET "','mac':'0a:00:00:00:00:01','addresses':["          \
    "'10.77.0.20','10.77.0.21','fd77::20','fd77::21'],'node':7,"        \
    "'port':'tap0','iface_id':null,'origin':'static','revision':'1.1'},"\
    "{'net':'" NET "','mac':'0a:00:00:00:00:02','addresses':"           \
    "['10.77.0.1'],'node':7,'port':'tap1','iface_id':null,"             \
    "'origin':'static','revision':'1.1'},"                              \
    "{'net':'" NET "','mac':'0a:00:00:00:00:03','addresses':[],"        \
    "'node':7,'port':'tap2','iface_id':null,'origin':'static',"         \
    "'revision':'1.1'},"                                                \
    "{'net':'" NET "','mac':'0a:00:00:00:00:04','addresses':"           \
    "['10.77.0.40','fd77::40'],'node':7,'port':'tap3',"                 \
    "'iface_id':null,'origin':'dynamic','revision':'1.1'}"

static const char snapshot[] =
    "{'revision':'1.5','self':null,'nodes':[],'nets':["
    NET("full", 1, FULL) ","
    NET("bare", 2, "'dhcp':{'lease':3600,'gateway':null}") ","
    NET("slaac", 3, FULL ",'ipv6':'slaac'") ","
    NET("dhcpv6", 4, FULL ",'ipv6':'dhcpv6'") ","
    NET("own", 5, FULL ",'guest_dhcp':true") ","
    NET("long", 6, LONG ",'ipv6':'dhcpv6'") ","
    NET("alone", 7, "'dhcp':null,'ipv6':'dhcpv6'") ","
    NET("none", 8, "'dhcp':null") ","
    NET("both", 9, FULL ",'ipv6':'dhcpv6','guest_dhcp':true") "],"
    "'members':[],'bindings':["
    BINDINGS("full") "," BINDINGS("bare") "," BINDINGS("slaac") ","
    BINDINGS("dhcpv6") "," BINDINGS("own") "," BINDINGS("long") ","
    BINDINGS("alone") "," BINDINGS("both") "],'keys':[],'rules':[]}";

struct mapping *
services_mapping(void)
{
    struct mapping *mapping;
    char *text = xstrdup(snapshot);

    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_t *json = json_loads(text, 0, NULL);
    CHECK(json, "bad JSON");
    char *error = mapping_from_snapshot(json, &mapping);
    CHECK(!error, "%s", error);
    json_decref(json);
    free(text);
    return mapping;
}

struct service_facts
services_facts(const struct mapping *mapping, const char *net,
               uint8_t mac_low)
{
    struct eth_addr mac = GUEST_MAC(00);

    mac.ea[5] = mac_low;
    struct service_facts facts = {
        .net = mapping_net(mapping, net),
        .binding = mapping_binding(mapping, net, mac),
        .mtu = 1418,
    };
    CHECK(facts.net && facts.binding, "%s", net);
    return facts;
}

void
services_guest_udp(struct ofpbuf *b, const struct services_guest *guest)
{
    struct udp_header udp = {
        .udp_src = htons(guest->src_port),
        .udp_dst = htons(guest->dst_port),
        .udp_len = htons(sizeof udp + b->size),
    };
    struct eth_header eth = { .eth_dst = eth_addr_broadcast,
                              .eth_src = GUEST_MAC(00) };

    eth.eth_src.ea[5] = guest->mac_low;
    ofpbuf_push(b, &udp, sizeof udp);
    if (strchr(guest->dst, ':')) {
        struct ovs_16aligned_ip6_hdr ip;

        memset(&ip, 0, sizeof ip);
        ip.ip6_vfc = 0x60;
        ip.ip6_plen = htons(b->size);
        ip.ip6_nxt = IPPROTO_UDP;
        ip.ip6_hlim = 1;
        inet_pton(AF_INET6, guest->src, &ip.ip6_src);
        inet_pton(AF_INET6, guest->dst, &ip.ip6_dst);
        ofpbuf_push(b, &ip, sizeof ip);
        eth.eth_type = htons(ETH_TYPE_IPV6);
    } else {
        struct ip_header ip = {
            .ip_ihl_ver = IP_IHL_VER(5, 4),
            .ip_tot_len = htons(sizeof ip + b->size),
            .ip_ttl = 16,
            .ip_proto = IPPROTO_UDP,
        };
        inet_pton(AF_INET, guest->src, &ip.ip_src);
        inet_pton(AF_INET, guest->dst, &ip.ip_dst);
        ip.ip_csum = csum(&ip, sizeof ip);
        ofpbuf_push(b, &ip, sizeof ip);
        eth.eth_type = htons(ETH_TYPE_IP);
    }
    ofpbuf_push(b, &eth, sizeof eth);
}

void
services_hex(struct ds *out, const void *data_, size_t n)
{
    const uint8_t *data = data_;

    for (size_t i = 0; i < n; i++) {
        ds_put_format(out, "%02x", data[i]);
    }
}

static void *
pull(struct ofpbuf *b, size_t n)
{
    CHECK(b->size >= n, "short frame");
    return ofpbuf_pull(b, n);
}

static void
strip_ip(struct ofpbuf *b, bool v6, uint8_t protocol, struct ds *out)
{
    uint32_t sum;

    if (v6) {
        struct ovs_16aligned_ip6_hdr *ip = pull(b, sizeof *ip);
        struct in6_addr src, dst;

        memcpy(&src, &ip->ip6_src, sizeof src);
        memcpy(&dst, &ip->ip6_dst, sizeof dst);
        ds_put_char(out, ' ');
        ipv6_format_addr(&src, out);
        ds_put_char(out, '>');
        ipv6_format_addr(&dst, out);
        CHECK(ip->ip6_vfc >> 4 == 6 && ip->ip6_nxt == protocol
              && ip->ip6_hlim == 255 && ntohs(ip->ip6_plen) == b->size,
              "bad IPv6 header");
        sum = packet_csum_pseudoheader6(ip);
    } else {
        struct ip_header *ip = pull(b, sizeof *ip);

        ds_put_format(out, " "IP_FMT">"IP_FMT,
                      IP_ARGS(get_16aligned_be32(&ip->ip_src)),
                      IP_ARGS(get_16aligned_be32(&ip->ip_dst)));
        CHECK(ip->ip_ihl_ver == IP_IHL_VER(5, 4) && ip->ip_proto == protocol
              && !csum(ip, sizeof *ip)
              && ntohs(ip->ip_tot_len) == b->size + sizeof *ip,
              "bad IPv4 header");
        sum = packet_csum_pseudoheader(ip);
    }
    CHECK(!csum_finish(csum_continue(sum, b->data, b->size)),
          "bad checksum");
}

void
services_strip(struct ofpbuf *b, uint8_t protocol, struct ds *out)
{
    const struct eth_header *eth = pull(b, sizeof *eth);
    const bool v6 = eth->eth_type == htons(ETH_TYPE_IPV6);

    CHECK(eth_addr_equals(eth->eth_src, (struct eth_addr) SERVICE_MAC),
          "source");
    CHECK(v6 || eth->eth_type == htons(ETH_TYPE_IP), "type");
    ds_put_format(out, ETH_ADDR_FMT, ETH_ADDR_ARGS(eth->eth_dst));
    strip_ip(b, v6, protocol, out);
    if (protocol == IPPROTO_UDP) {
        const struct udp_header *udp = pull(b, sizeof *udp);

        CHECK(udp->udp_csum && ntohs(udp->udp_len) == b->size + sizeof *udp,
              "bad UDP header");
        CHECK(udp->udp_src == htons(v6 ? 547 : 67)
              && udp->udp_dst == htons(v6 ? 546 : 68), "ports");
    }
}

const char *
services_verdict(enum service_verdict verdict)
{
    static const char *const names[] = {
        [SERVICE_ANSWERED] = "answered", [SERVICE_NOTED] = "noted",
        [SERVICE_NO_ADDRESS] = "no address", [SERVICE_OTHERS] = "others",
        [SERVICE_BAD] = "bad",
    };
    return names[verdict];
}

/* Flows: tap0 (1) in each vSubnet, and the host's own port (2). */

#define UP(KIND) "controller(max_len=1518,userdata=" KIND ",meter_id=131073)"
#define COOKIE(VNI) "cookie=0x90000" VNI "00000001, table=18, priority="
#define REQUEST(VNI, PROTOCOL, MATCH, KIND, THEN)                       \
    COOKIE(VNI) "100," PROTOCOL ",in_port=1,vlan_tci=0x0000/0x1fff,"    \
    MATCH " actions=" UP(KIND) THEN "\n"
#define DHCP4(VNI, THEN)                                                \
    REQUEST(VNI, "udp", "tp_src=68,tp_dst=67", "04", THEN)
#define DHCP6(VNI)                                                      \
    REQUEST(VNI, "udp6", "ipv6_dst=ff02::1:2,tp_dst=547", "05", "")
#define ROUTER(VNI)                                                     \
    REQUEST(VNI, "icmp6", "icmp_type=133,icmp_code=0", "06", "")
#define ROGUES(VNI)                                                     \
    COOKIE(VNI) "110,icmp6,in_port=1,icmp_type=134,icmp_code=0 "        \
    "actions=drop\n"                                                    \
    COOKIE(VNI) "110,udp,in_port=1,tp_dst=68 actions=drop\n"  \
    COOKIE(VNI) "110,udp6,in_port=1,tp_dst=546 actions=drop\n"

static const struct { const char *net, *flows; } flows[] = {
    { "full", DHCP4("01", "") ROGUES("01") },
    { "slaac", ROUTER("03") DHCP4("03", "") DHCP6("03") ROGUES("03") },
    { "dhcpv6", ROUTER("04") DHCP4("04", "") DHCP6("04") ROGUES("04") },
    { "own", DHCP4("05", ",goto_table:20") },
    { "alone", ROUTER("07") DHCP6("07") ROGUES("07") },
    { "none", ROGUES("08") },
};

static void
test_flows(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = services_mapping();

    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        const struct model_net *net = mapping_net(mapping, flows[i].net);
        struct local_ports ports = LOCAL_PORTS_INITIALIZER;
        const struct flow_input input = {
            .ports = &ports, .mapping = mapping };
        struct flow_list list = FLOW_LIST_INITIALIZER;
        struct svec lines = SVEC_EMPTY_INITIALIZER;
        struct local_port *port;

        port = local_ports_add(&ports, "tap0", flows[i].net, net->vni);
        port->ofport = u16_to_ofp(1);
        port = local_ports_add(&ports, "vs-x", flows[i].net, net->vni);
        port->ofport = u16_to_ofp(2);
        port->host_port = true;
        flow_desired_net(&input, net, &list);
        for (size_t j = 0; j < list.n; j++) {
            struct ds s = DS_EMPTY_INITIALIZER;

            flow_entry_format(list.flows[j], &s);
            if (strstr(ds_cstr(&s), "table=18,")) {
                ds_put_char(&s, '\n');
                svec_add(&lines, ds_cstr(&s));
            }
            ds_destroy(&s);
        }
        svec_sort(&lines);
        char *all = svec_join(&lines, "", "");
        CHECK(!strcmp(all, flows[i].flows), "%s:\n%snot\n%s", flows[i].net,
              all, flows[i].flows);
        free(all);
        svec_destroy(&lines);
        flow_list_destroy(&list);
        local_ports_destroy(&ports);
    }
    mapping_destroy(mapping);
}

/* Whose request is answered at which port.  This node is 7. */
static void
test_binding(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint32_t node;
        const char *port, *iface_id;
        enum model_origin origin;
        const char *its_iface_id;       /* The port's, whose name is tap0. */
        bool its_mac;
        bool at_port;
    } tests[] = {
        { 7, "tap0", NULL, MODEL_ORIGIN_STATIC, NULL, false, true },
        { 7, "tap1", NULL, MODEL_ORIGIN_STATIC, NULL, false, false },
        { 7, "tap1", NULL, MODEL_ORIGIN_STATIC, NULL, true, false },
        { 9, "tap0", NULL, MODEL_ORIGIN_STATIC, NULL, false, false },
        { 9, "tap0", NULL, MODEL_ORIGIN_STATIC, NULL, true, false },
        { 9, "tap0", NULL, MODEL_ORIGIN_DYNAMIC, NULL, true, true },
        { 9, "tap0", NULL, MODEL_ORIGIN_DYNAMIC, NULL, false, false },
        { 7, NULL, NULL, MODEL_ORIGIN_STATIC, NULL, false, false },
        { 0, NULL, NULL, MODEL_ORIGIN_STATIC, NULL, false, false },
        { 0, NULL, NULL, MODEL_ORIGIN_STATIC, NULL, true, true },
        { 0, NULL, "if1", MODEL_ORIGIN_STATIC, "if1", false, true },
        { 9, "tap0", "if1", MODEL_ORIGIN_STATIC, "if1", false, true },
        { 7, "tap0", "if1", MODEL_ORIGIN_STATIC, "if2", true, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct mapping *mapping = services_mapping();
        struct model_node *node = xzalloc(sizeof *node);
        struct model_binding *binding = xzalloc(sizeof *binding);
        struct local_port port = {
            .name = CONST_CAST(char *, "tap0"),
            .iface_id = CONST_CAST(char *, tests[i].its_iface_id),
            .has_mac = tests[i].its_mac,
            .mac = GUEST_MAC(09),
        };

        node->number = 7;
        node->name = xstrdup("h7");
        CHECK(mapping_put_node(mapping, node), "node");
        mapping->self = node;
        model_binding_init(binding);
        binding->net = xstrdup("full");
        binding->mac = GUEST_MAC(09);
        binding->node = tests[i].node;
        binding->port = nullable_xstrdup(tests[i].port);
        binding->iface_id = nullable_xstrdup(tests[i].iface_id);
        binding->origin = tests[i].origin;
        CHECK(mapping_put_binding(mapping, binding), "binding");

        const struct model_binding *found = services_binding(
            mapping, mapping_net(mapping, "full"), &port, binding->mac);
        CHECK(found == (tests[i].at_port ? binding : NULL), "%"PRIuSIZE, i);
        CHECK(!services_binding(mapping, mapping_net(mapping, "bare"), &port,
                                binding->mac), "another vSubnet");
        CHECK(!services_binding(mapping, mapping_net(mapping, "full"), &port,
                                GUEST_MAC(08)), "another MAC");
        mapping_destroy(mapping);
    }
}

static const struct ovs_cmdl_command commands[] = {
    { "flows", NULL, 0, 0, test_flows, OVS_RO },
    { "binding", NULL, 0, 0, test_binding, OVS_RO },
    { "dhcp4", NULL, 0, 0, test_dhcp4, OVS_RO },
    { "dhcp4-bad", NULL, 0, 0, test_dhcp4_bad, OVS_RO },
    { "dhcp4-options", NULL, 0, 0, test_dhcp4_options, OVS_RO },
    { "dhcp4-long", NULL, 0, 0, test_dhcp4_long, OVS_RO },
    { "dhcp6", NULL, 0, 0, test_dhcp6, OVS_RO },
    { "dhcp6-long", NULL, 0, 0, test_dhcp6_long, OVS_RO },
    { "ra", NULL, 0, 0, test_ra, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    model_json_init();
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
