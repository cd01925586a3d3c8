/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of services to guests: what they share, and main(). */
#include <config.h>
#include "unit-services.h"

#include <arpa/inet.h>
#include <netinet/ip6.h>
#include <string.h>

#include "command-line.h"
#include "csum.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
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
    NET("alone", 7, "'dhcp':null,'ipv6':'dhcpv6'") "],"
    "'members':[],'bindings':["
    BINDINGS("full") "," BINDINGS("bare") "," BINDINGS("slaac") ","
    BINDINGS("dhcpv6") "," BINDINGS("own") "," BINDINGS("long") ","
    BINDINGS("alone") "],'keys':[],'rules':[]}";

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

static const struct ovs_cmdl_command commands[] = {
    { "dhcp4", NULL, 0, 0, test_dhcp4, OVS_RO },
    { "dhcp4-bad", NULL, 0, 0, test_dhcp4_bad, OVS_RO },
    { "dhcp4-options", NULL, 0, 0, test_dhcp4_options, OVS_RO },
    { "dhcp4-long", NULL, 0, 0, test_dhcp4_long, OVS_RO },
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
