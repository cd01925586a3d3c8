/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP messages that tell a guest how long its packets may be. */

#include <config.h>
#include "datapath/too-big.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "csum.h"
#include "datapath/frame.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

enum {
    ICMP_LEN = 8,               /* Of both versions' header. */
    ANSWER_TTL = 64,
    IPV6_NEXT_OFS = 6,          /* Next header. */
    IPV4_MTU_OFS = 6,           /* RFC 1191: next-hop MTU, 16 bits. */
    IPV6_MTU_OFS = 4,           /* RFC 4443: MTU, 32 bits. */
};

static bool
is_host_ipv4(ovs_be32 address)
{
    /* 0/8, 127/8, and all from 224/4 on are no hosts (RFC 6890). */
    uint8_t first = ntohl(address) >> 24;

    return first && first != 127 && first < 224;
}

static bool
is_host_ipv6(const struct in6_addr *address)
{
    return (ipv6_addr_is_set(address) && !ipv6_addr_is_multicast(address)
            && !IN6_IS_ADDR_LOOPBACK(address));
}

/* ICMPv4 messages that are questions or answers, not errors. */
static bool
is_icmp_query(uint8_t type)
{
    return (type == ICMP_ECHO || type == ICMP_ECHOREPLY
            || type == ICMP_TIMESTAMP || type == ICMP_TIMESTAMPREPLY);
}

static bool
deserves_ipv4(const struct ip_header *ip, size_t n)
{
    size_t header_len = IP_IHL(ip->ip_ihl_ver) * 4;

    if (IP_VER(ip->ip_ihl_ver) != 4 || header_len < IP_HEADER_LEN
        || header_len + ICMP_LEN > n
        || !is_host_ipv4(get_16aligned_be32(&ip->ip_src))
        || !is_host_ipv4(get_16aligned_be32(&ip->ip_dst))
        || !(ip->ip_frag_off & htons(IP_DF))
        || ip->ip_frag_off & htons(IP_FRAG_OFF_MASK)) {
        return false;
    }
    return (ip->ip_proto != IPPROTO_ICMP
            || is_icmp_query(((const uint8_t *) ip)[header_len]));
}

/* Walks the headers of the IPv6 packet of 'n' bytes at 'ip' (RFC 8200, section
 * 4) to the one that is no extension.  Returns false if that is not there or
 * must not be answered. */
static bool
deserves_ipv6_payload(const uint8_t *ip, size_t n)
{
    uint8_t type = ip[IPV6_NEXT_OFS];
    size_t ofs = IPV6_HEADER_LEN;

    while (ofs + ICMP_LEN <= n) {
        const uint8_t *header = ip + ofs;

        switch (type) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
            ofs += 8 + 8 * header[1];
            break;
        case IPPROTO_FRAGMENT:
            if (header[2] || header[3] & ~0x07) {
                return false;
            }
            ofs += 8;
            break;
        case IPPROTO_ICMPV6:
            return header[0] & ICMP6_INFOMSG_MASK;
        default:
            return true;
        }
        type = header[0];
    }
    return false;
}

static bool
deserves_ipv6(const struct ovs_16aligned_ip6_hdr *ip, size_t n)
{
    struct in6_addr src, dst;

    if (n < sizeof *ip + ICMP_LEN) {
        return false;
    }
    memcpy(&src, &ip->ip6_src, sizeof src);
    memcpy(&dst, &ip->ip6_dst, sizeof dst);
    return (((const uint8_t *) ip)[0] >> 4 == 6
            && is_host_ipv6(&src) && is_host_ipv6(&dst)
            && deserves_ipv6_payload((const uint8_t *) ip, n));
}

/* Writes the IPv4 packet that answers the one of 'n' bytes at 'ip', and returns
 * its length. */
static size_t
answer_ipv4(const struct ip_header *ip, size_t n, unsigned int mtu, void *to)
{
    struct ip_header *out = to;
    uint8_t *icmp = (uint8_t *) (out + 1);
    size_t quoted = MIN(n, TOO_BIG_MAX_IPV4 - IP_HEADER_LEN - ICMP_LEN);
    ovs_be16 next_mtu = htons(mtu), sum;

    memset(out, 0, sizeof *out);
    out->ip_ihl_ver = IP_IHL_VER(5, 4);
    out->ip_tos = ip->ip_tos & IP_DSCP_MASK;
    out->ip_tot_len = htons(IP_HEADER_LEN + ICMP_LEN + quoted);
    out->ip_frag_off = htons(IP_DF);
    out->ip_ttl = ANSWER_TTL;
    out->ip_proto = IPPROTO_ICMP;
    out->ip_src = ip->ip_dst;
    out->ip_dst = ip->ip_src;
    out->ip_csum = csum(out, sizeof *out);

    memset(icmp, 0, ICMP_LEN);
    icmp[0] = ICMP_DEST_UNREACH;
    icmp[1] = ICMP_FRAG_NEEDED;
    memcpy(icmp + IPV4_MTU_OFS, &next_mtu, sizeof next_mtu);
    memcpy(icmp + ICMP_LEN, ip, quoted);
    sum = csum(icmp, ICMP_LEN + quoted);
    memcpy(icmp + 2, &sum, sizeof sum);
    return IP_HEADER_LEN + ICMP_LEN + quoted;
}

/* The same for IPv6. */
static size_t
answer_ipv6(const struct ovs_16aligned_ip6_hdr *ip, size_t n,
            unsigned int mtu, void *to)
{
    struct ovs_16aligned_ip6_hdr *out = to;
    uint8_t *icmp = (uint8_t *) (out + 1);
    size_t quoted = MIN(n, TOO_BIG_MAX_IPV6 - IPV6_HEADER_LEN - ICMP_LEN);
    ovs_be32 next_mtu = htonl(mtu);
    ovs_be16 sum;

    memset(out, 0, sizeof *out);
    put_16aligned_be32(&out->ip6_ctlun.ip6_un1.ip6_un1_flow, htonl(6 << 28));
    out->ip6_ctlun.ip6_un1.ip6_un1_plen = htons(ICMP_LEN + quoted);
    out->ip6_ctlun.ip6_un1.ip6_un1_nxt = IPPROTO_ICMPV6;
    out->ip6_ctlun.ip6_un1.ip6_un1_hlim = ANSWER_TTL;
    out->ip6_src = ip->ip6_dst;
    out->ip6_dst = ip->ip6_src;

    memset(icmp, 0, ICMP_LEN);
    icmp[0] = ICMP6_PACKET_TOO_BIG;
    memcpy(icmp + IPV6_MTU_OFS, &next_mtu, sizeof next_mtu);
    memcpy(icmp + ICMP_LEN, ip, quoted);
    sum = csum_finish(csum_continue(packet_csum_pseudoheader6(out), icmp,
                                    ICMP_LEN + quoted));
    memcpy(icmp + 2, &sum, sizeof sum);
    return IPV6_HEADER_LEN + ICMP_LEN + quoted;
}

size_t
too_big_answer(const void *frame, size_t n, unsigned int mtu, void *answer)
{
    size_t ofs = frame_l2_len(frame, n);
    const uint8_t *ip = (const uint8_t *) frame + ofs;
    const struct eth_header *eth = frame;
    struct eth_header *out = answer;
    uint8_t *to = (uint8_t *) answer + ofs;
    ovs_be16 type;

    memcpy(&type, ip - sizeof type, sizeof type);
    if (n < ofs + IP_HEADER_LEN || eth_addr_is_multicast(eth->eth_src)
        || eth_addr_is_multicast(eth->eth_dst)) {
        return 0;
    }
    memcpy(answer, frame, ofs);
    out->eth_dst = eth->eth_src;
    out->eth_src = eth->eth_dst;
    n -= ofs;
    if (type == htons(ETH_TYPE_IP)) {
        const struct ip_header *ip4
            = ALIGNED_CAST(const struct ip_header *, ip);

        return (deserves_ipv4(ip4, n)
                ? ofs + answer_ipv4(ip4, n, mtu, to) : 0);
    } else if (type == htons(ETH_TYPE_IPV6)) {
        const struct ovs_16aligned_ip6_hdr *ip6
            = ALIGNED_CAST(const struct ovs_16aligned_ip6_hdr *, ip);

        return (deserves_ipv6(ip6, n)
                ? ofs + answer_ipv6(ip6, n, mtu, to) : 0);
    }
    return 0;
}
