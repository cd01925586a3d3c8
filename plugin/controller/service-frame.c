/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's services to guests have in common: UDP in and out. */
#include <config.h>
#include "controller/service-frame.h"

#include <netinet/ip6.h>
#include <string.h>

#include "csum.h"
#include "model/object.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* fe80::476:ffff:feff:fffe */
const struct in6_addr service_link_local = { .s6_addr = {
    0xfe, 0x80, 0, 0, 0, 0, 0, 0,
    0x04, 0x76, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xfe } };

enum { HOP_LIMIT = 255 };

/* Taking apart.  Each header is copied before it is looked at, since nothing
 * in a frame need be aligned. */

struct rest {
    const uint8_t *data;
    size_t len;
};

static bool
pull(struct rest *rest, void *header, size_t n)
{
    if (rest->len < n) {
        return false;
    }
    memcpy(header, rest->data, n);
    rest->data += n;
    rest->len -= n;
    return true;
}

/* Cuts 'rest' to 'n' bytes; what is behind them is padding. */
static bool
cut(struct rest *rest, size_t n)
{
    if (rest->len < n) {
        return false;
    }
    rest->len = n;
    return true;
}

static bool
pull_eth(struct rest *rest, uint16_t type, struct service_message *udp)
{
    struct eth_header eth;

    if (!pull(rest, &eth, sizeof eth) || eth.eth_type != htons(type)) {
        return false;
    }
    udp->mac = eth.eth_src;
    return true;
}

static bool
pull_ip4(struct rest *rest, struct service_message *udp)
{
    const size_t available = rest->len;
    struct ip_header ip;

    if (!pull(rest, &ip, sizeof ip) || IP_VER(ip.ip_ihl_ver) != 4
        || ip.ip_proto != IPPROTO_UDP || IP_IS_FRAGMENT(ip.ip_frag_off)) {
        return false;
    }

    const size_t header = IP_IHL(ip.ip_ihl_ver) * 4;
    const size_t total = ntohs(ip.ip_tot_len);
    if (header < sizeof ip || total < header || total > available) {
        return false;
    }
    rest->data += header - sizeof ip;
    rest->len = total - header;
    in6_addr_set_mapped_ipv4(&udp->src, get_16aligned_be32(&ip.ip_src));
    return true;
}

/* A header with extensions is no client's. */
static bool
pull_ip6(struct rest *rest, uint8_t protocol, uint8_t min_hop_limit,
         struct service_message *message)
{
    struct ovs_16aligned_ip6_hdr ip;

    if (!pull(rest, &ip, sizeof ip) || ip.ip6_vfc >> 4 != 6
        || ip.ip6_nxt != protocol || ip.ip6_hlim < min_hop_limit
        || !cut(rest, ntohs(ip.ip6_plen))) {
        return false;
    }
    memcpy(&message->src, &ip.ip6_src, sizeof message->src);
    return true;
}

static bool
pull_udp(struct rest *rest, uint16_t src_port, uint16_t dst_port,
         struct service_message *udp)
{
    struct udp_header header;

    if (!pull(rest, &header, sizeof header)
        || (src_port && header.udp_src != htons(src_port))
        || header.udp_dst != htons(dst_port)
        || ntohs(header.udp_len) < sizeof header
        || !cut(rest, ntohs(header.udp_len) - sizeof header)) {
        return false;
    }
    udp->data = rest->data;
    udp->len = rest->len;
    return true;
}

bool
service_udp4_parse(const void *frame, size_t len, uint16_t src_port,
                   uint16_t dst_port, struct service_message *udp)
{
    struct rest rest = { frame, len };

    return (pull_eth(&rest, ETH_TYPE_IP, udp) && pull_ip4(&rest, udp)
            && pull_udp(&rest, src_port, dst_port, udp));
}

bool
service_udp6_parse(const void *frame, size_t len, uint16_t src_port,
                   uint16_t dst_port, struct service_message *udp)
{
    struct rest rest = { frame, len };

    return (pull_eth(&rest, ETH_TYPE_IPV6, udp) && pull_ip6(&rest, IPPROTO_UDP, 0, udp)
            && pull_udp(&rest, src_port, dst_port, udp));
}

bool
service_nd_parse(const void *frame, size_t len, uint8_t type,
                 struct service_message *message)
{
    struct rest rest = { frame, len };
    struct icmp6_header icmp6;

    if (!pull_eth(&rest, ETH_TYPE_IPV6, message)
        || !pull_ip6(&rest, IPPROTO_ICMPV6, HOP_LIMIT, message)
        || !pull(&rest, &icmp6, sizeof icmp6)
        || icmp6.icmp6_type != type || icmp6.icmp6_code) {
        return false;
    }
    message->data = rest.data;
    message->len = rest.len;
    return true;
}

size_t
service_dns6(const struct model_dhcp *dhcp, struct in6_addr *servers)
{
    size_t n = 0;

    for (size_t i = 0; dhcp && i < dhcp->n_dns && n < MODEL_DNS_MAX; i++) {
        if (!model_address_is_ipv4(&dhcp->dns[i])) {
            servers[n++] = dhcp->dns[i].ip;
        }
    }
    return n;
}

/* The model has seen to the lengths (model_check_domain()). */
size_t
service_domain(const char *domain, uint8_t out[SERVICE_DOMAIN_MAX])
{
    size_t n = 0;

    for (const char *p = domain; *p;) {
        const size_t label = strcspn(p, ".");

        if (n + 1 + label + 1 > SERVICE_DOMAIN_MAX) {
            break;
        }
        out[n++] = label;
        memcpy(out + n, p, label);
        n += label;
        p += label + (p[label] == '.');
    }
    out[n++] = 0;
    return n;
}

/* Putting together, from the inside out. */

static void
push_ethernet(struct ofpbuf *b, struct eth_addr dst, uint16_t type)
{
    const struct eth_header eth = {
        .eth_dst = dst,
        .eth_src = SERVICE_MAC,
        .eth_type = htons(type),
    };
    ofpbuf_push(b, &eth, sizeof eth);
}

static void
push_udp(struct ofpbuf *b, const struct service_to *to)
{
    const struct udp_header udp = {
        .udp_src = htons(to->src_port),
        .udp_dst = htons(to->dst_port),
        .udp_len = htons(b->size + sizeof udp),
    };
    ofpbuf_push(b, &udp, sizeof udp);
}

/* Writes the checksum of what is in 'b' and of 'pseudo', the sum of its
 * pseudo-header.  0 would say that there is none (RFC 768). */
static void
put_csum(struct ofpbuf *b, uint32_t pseudo, size_t ofs)
{
    ovs_be16 sum = csum_finish(csum_continue(pseudo, b->data, b->size));

    sum = sum ? sum : htons(0xffff);
    memcpy((uint8_t *) b->data + ofs, &sum, sizeof sum);
}

void
service_udp4_push(struct ofpbuf *b, const struct service_to *to)
{
    push_udp(b, to);

    struct ip_header ip = {
        .ip_ihl_ver = IP_IHL_VER(5, 4),
        .ip_tot_len = htons(b->size + sizeof ip),
        .ip_frag_off = htons(IP_DONT_FRAGMENT),
        .ip_ttl = 64,
        .ip_proto = IPPROTO_UDP,
    };
    put_16aligned_be32(&ip.ip_src, in6_addr_get_mapped_ipv4(&to->src));
    put_16aligned_be32(&ip.ip_dst, in6_addr_get_mapped_ipv4(&to->dst));
    put_csum(b, packet_csum_pseudoheader(&ip),
             offsetof(struct udp_header, udp_csum));
    ip.ip_csum = csum(&ip, sizeof ip);
    ofpbuf_push(b, &ip, sizeof ip);
    push_ethernet(b, to->mac, ETH_TYPE_IP);
}

void
service_ip6_push(struct ofpbuf *b, const struct service_to *to,
                 uint8_t protocol, size_t csum_ofs)
{
    struct ovs_16aligned_ip6_hdr ip;

    memset(&ip, 0, sizeof ip);
    ip.ip6_vfc = 6 << 4;
    ip.ip6_plen = htons(b->size);
    ip.ip6_nxt = protocol;
    ip.ip6_hlim = HOP_LIMIT;
    memcpy(&ip.ip6_src, &to->src, sizeof ip.ip6_src);
    memcpy(&ip.ip6_dst, &to->dst, sizeof ip.ip6_dst);
    put_csum(b, packet_csum_pseudoheader6(&ip), csum_ofs);
    ofpbuf_push(b, &ip, sizeof ip);
    push_ethernet(b, to->mac, ETH_TYPE_IPV6);
}

void
service_udp6_push(struct ofpbuf *b, const struct service_to *to)
{
    push_udp(b, to);
    service_ip6_push(b, to, IPPROTO_UDP,
                     offsetof(struct udp_header, udp_csum));
}
