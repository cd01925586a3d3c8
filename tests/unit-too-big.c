/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of datapath/too-big.h. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "command-line.h"
#include "csum.h"
#include "datapath/frame.h"
#include "datapath/too-big.h"
#include "packets.h"
#include "tcp-frame.h"
#include "util.h"

enum { LEN = 1500, MTU = 1418 };

/* What is written over a good packet, at 'ofs' from the IP header (negative:
 * before it), and whether there must be an answer then. */
struct change {
    const char *name;
    bool is_ipv6;
    int ofs;
    const char *bytes;
    int n_bytes;
    bool answered;
};

/* Of two hosts, in the middle of an IPv6 header. */
#define SOME_ADDRESSES \
    "\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"

static const struct change changes[] = {
    { "IPv4", false, 0, "\x45", 1, true },
    { "IPv4, no DF", false, 6, "\x00", 1, false },
    { "IPv4, first fragment", false, 6, "\x60\x00", 2, true },
    { "IPv4, other fragment", false, 6, "\x40\x01", 2, false },
    { "IPv4, echo request", false, 9, "\x01", 1, true },
    { "IPv4 from 0.0.0.0", false, 12, "\x00\x00\x00\x00", 4, false },
    { "IPv4 from multicast", false, 12, "\xe0\x00\x00\x01", 4, false },
    { "IPv4 from loopback", false, 12, "\x7f\x00\x00\x01", 4, false },
    { "IPv4 to broadcast", false, 16, "\xff\xff\xff\xff", 4, false },
    { "IPv4 to multicast", false, 16, "\xef\x01\x01\x01", 4, false },
    { "IPv4, header of 16", false, 0, "\x44", 1, false },
    { "IPv4, version 5", false, 0, "\x55", 1, false },
    { "ARP", false, -2, "\x08\x06", 2, false },
    { "Ethernet to multicast", false, -18, "\x01", 1, false },
    { "Ethernet from multicast", false, -12, "\x01", 1, false },
    { "IPv6", true, 0, "\x60", 1, true },
    { "IPv6 from ::", true, 8, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, false },
    { "IPv6 from multicast", true, 8, "\xff\x02", 2, false },
    { "IPv6 to multicast", true, 24, "\xff\x02", 2, false },
    { "IPv6, version 4", true, 0, "\x40", 1, false },
    { "IPv6, ICMPv6 error", true, 6, "\x3a", 1, false },
    { "IPv6, hop-by-hop options, TCP", true, 6,
      "\x00\x40" SOME_ADDRESSES "\x06\x00", 36, true },
    { "IPv6, options, ICMPv6 error", true, 6,
      "\x3c\x40" SOME_ADDRESSES "\x3a\x00\0\0\0\0\0\0\x01", 43, false },
    { "IPv6, options, ICMPv6 echo request", true, 6,
      "\x3c\x40" SOME_ADDRESSES "\x3a\x00\0\0\0\0\0\0\x80", 43, true },
    { "IPv6, first fragment", true, 6,
      "\x2c\x40" SOME_ADDRESSES "\x06\x00\x00\x01", 38, true },
    { "IPv6, other fragment", true, 6,
      "\x2c\x40" SOME_ADDRESSES "\x06\x00\x00\x09", 38, false },
    { "IPv6, options beyond the end", true, 6,
      "\x3c\x40" SOME_ADDRESSES "\x06\xff", 36, false },
};

/* Makes a packet with one VLAN tag, and returns where its IP header is.  What
 * follows that is 8, which is the type of an IPv4 echo request and an
 * ICMPv6 error, and then 0. */
static size_t
make_packet(uint8_t *frame, bool is_ipv6)
{
    static uint8_t payload[LEN];
    const struct tcp_spec spec = {
        .is_ipv6 = is_ipv6, .n_vlans = 1, .vlan = 5, .df = true, .ttl = 64,
        .host = 1, .port = 1, .flags = TCP_ACK,
    };
    size_t ofs = FRAME_ETH_LEN + FRAME_VLAN_LEN;

    tcp_frame_put(frame, &spec, payload, LEN - 20 - (is_ipv6 ? 40 : 20));
    memcpy(frame + ofs + (is_ipv6 ? 40 : 20), "\x08\x00", 2);
    return ofs;
}

static void
check_ipv4(const uint8_t *ip, const uint8_t *answer, size_t n)
{
    assert(n == TOO_BIG_MAX_IPV4 && !csum(answer, 20));
    assert(!memcmp(answer + 12, ip + 16, 4) && !memcmp(answer + 16, ip + 12, 4));
    assert(answer[9] == IPPROTO_ICMP && !csum(answer + 20, n - 20));
    assert(!memcmp(answer + 20, "\x03\x04", 2));
    assert((answer[26] << 8 | answer[27]) == MTU);
    assert(!memcmp(answer + 28, ip, n - 28));
}

static void
check_ipv6(const uint8_t *ip, const uint8_t *answer, size_t n)
{
    struct ovs_16aligned_ip6_hdr header;

    memcpy(&header, answer, sizeof header);
    assert(n == TOO_BIG_MAX_IPV6 && answer[6] == IPPROTO_ICMPV6);
    assert(!memcmp(answer + 8, ip + 24, 16) && !memcmp(answer + 24, ip + 8, 16));
    assert(!csum_finish(csum_continue(packet_csum_pseudoheader6(&header),
                                      answer + 40, n - 40)));
    assert(!memcmp(answer + 40, "\x02\x00", 2));
    assert((answer[46] << 8 | answer[47]) == MTU);
    assert(!memcmp(answer + 48, ip, n - 48));
}

void
test_too_big(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        const struct change *c = &changes[i];
        uint8_t frame[TCP_FRAME_MAX];
        uint8_t answer[TOO_BIG_MAX_FRAME + 1];
        size_t ofs = make_packet(frame, c->is_ipv6), n;

        memcpy(frame + ofs + c->ofs, c->bytes, c->n_bytes);
        memset(answer, 0x5a, sizeof answer);
        n = too_big_answer(frame, ofs + LEN, MTU, answer);
        if (!n != !c->answered) {
            ovs_fatal(0, "%s: %"PRIuSIZE" bytes", c->name, n);
        }
        if (!n) {
            continue;
        }
        assert(n < sizeof answer && answer[sizeof answer - 1] == 0x5a);
        assert(!memcmp(answer, frame + 6, 6) && !memcmp(answer + 6, frame, 6));
        assert(!memcmp(answer + 12, frame + 12, 6));
        (c->is_ipv6 ? check_ipv6 : check_ipv4)(frame + ofs, answer + ofs,
                                               n - ofs);
    }
}

/* Packets that are cut off: nothing is read beyond their end. */
void
test_too_big_bounds(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
        uint8_t frame[TCP_FRAME_MAX];
        uint8_t answer[TOO_BIG_MAX_FRAME];
        size_t ofs = make_packet(frame, is_ipv6);

        for (size_t n = FRAME_ETH_LEN; n < ofs + 60; n++) {
            uint8_t *exact = xmemdup(frame, n);
            size_t least = ofs + (is_ipv6 ? 48 : 28);

            assert(!too_big_answer(exact, n, MTU, answer) == (n < least));
            free(exact);
        }
    }
}
