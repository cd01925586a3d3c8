/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of datapath/ecn.h and datapath/codel.h. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "command-line.h"
#include "csum.h"
#include "datapath/codel.h"
#include "datapath/ecn.h"
#include "datapath/frame.h"
#include "packets.h"
#include "tcp-frame.h"
#include "util.h"

/* What RFC 6040, figure 4, makes of each pair; -1 for a drop. */
static const int outcome[4][4] = {
    /* outer:        Not-ECT,     ECT(1),      ECT(0),      CE */
    [ECN_NOT_ECT] = { ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, -1 },
    [ECN_ECT_1] = { ECN_ECT_1, ECN_ECT_1, ECN_ECT_1, ECN_CE },
    [ECN_ECT_0] = { ECN_ECT_0, ECN_ECT_1, ECN_ECT_0, ECN_CE },
    [ECN_CE] = { ECN_CE, ECN_CE, ECN_CE, ECN_CE },
};

enum { DSCP = 46 << 2, HEADERS = 60, VLANS = 3 };

/* Writes a frame with 'vlans' tags and an IP header whose ECN bits are 'ecn',
 * and returns where that header is. */
static size_t
make_frame(uint8_t *frame, bool ipv6, int vlans, enum ecn ecn)
{
    size_t ofs = 12;

    memset(frame, 0x5a, HEADERS);
    for (int i = 0; i < vlans; i++, ofs += 4) {
        memcpy(frame + ofs, i ? "\x81\x00\x00\x05" : "\x88\xa8\x00\x05", 4);
    }
    memcpy(frame + ofs, ipv6 ? "\x86\xdd" : "\x08\x00", 2);
    ofs += 2;
    if (ipv6) {
        frame[ofs] = 0x60 | DSCP >> 4;
        frame[ofs + 1] = (DSCP & 0xf) << 4 | ecn << 4 | 0xa;
    } else {
        ovs_be16 sum;

        frame[ofs] = 0x45;
        frame[ofs + 1] = DSCP | ecn;
        memset(frame + ofs + 10, 0, 2);
        sum = csum(frame + ofs, IP_HEADER_LEN);
        memcpy(frame + ofs + 10, &sum, 2);
    }
    return ofs;
}

static void
check_pair(bool ipv6, int vlans, enum ecn inner, enum ecn outer)
{
    uint8_t frame[HEADERS + VLANS * 4], before[sizeof frame];
    size_t ip = make_frame(frame, ipv6, vlans, inner);
    int expected = outcome[inner][outer];
    enum ecn_verdict verdict;

    memcpy(before, frame, sizeof frame);
    assert(ecn_get(frame, sizeof frame) == inner);
    verdict = ecn_decapsulate(frame, sizeof frame, outer);
    assert((verdict == ECN_DROP) == (expected < 0));
    assert((verdict == ECN_MARKED) == (expected == ECN_CE && inner != ECN_CE));
    if (expected >= 0) {
        assert(ecn_get(frame, sizeof frame) == expected);
    }
    assert(ipv6 || !csum(frame + ip, IP_HEADER_LEN));

    /* Nothing else has changed. */
    frame[ip + 1] = before[ip + 1];
    if (!ipv6) {
        memcpy(frame + ip + 10, before + ip + 10, 2);
    }
    assert(!memcmp(frame, before, sizeof frame));
}

void
test_ecn(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int i = 0; i < 4 * 4 * 2 * VLANS; i++) {
        check_pair(i & 1, i / 32, i >> 1 & 3, i >> 3 & 3);
    }
}

/* Frames without an IP header, or not all of it. */
void
test_ecn_other(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        uint8_t frame[HEADERS + VLANS * 4];
        size_t ip = make_frame(frame, ipv6, 1, ECN_ECT_0);

        /* Cut off before what is looked at; never beyond the end. */
        for (size_t n = FRAME_ETH_LEN; n < ip + 12; n++) {
            uint8_t *exact = xmemdup(frame, n);

            assert(ecn_get(exact, n) == ECN_NOT_ECT);
            assert(ecn_decapsulate(exact, n, ECN_CE) == ECN_NOT_IP);
            assert(!memcmp(exact, frame, n));
            free(exact);
        }
        assert(ecn_decapsulate(frame, ip + 12, ECN_CE) == ECN_MARKED);

        /* The version of the other protocol; another protocol. */
        frame[ip] ^= 0x20;
        assert(ecn_decapsulate(frame, sizeof frame, ECN_CE) == ECN_NOT_IP);
        frame[ip] ^= 0x20;
        memcpy(frame + ip - 2, "\x08\x06", 2);
        assert(ecn_decapsulate(frame, sizeof frame, ECN_CE) == ECN_NOT_IP);
    }
}

/* Whom a signal is lost on. */
void
test_ecn_heeded(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint8_t payload[] = "data";
    static uint8_t frame[TCP_FRAME_MAX];

    for (int i = 0; i < 2 * VLANS; i++) {
        struct tcp_spec spec = {
            .is_ipv6 = i & 1, .n_vlans = i / 2, .vlan = 5, .ttl = 64,
        };
        size_t n = tcp_frame_put(frame, &spec, payload, sizeof payload);
        size_t protocol = FRAME_ETH_LEN + spec.n_vlans * FRAME_VLAN_LEN
                          + (spec.is_ipv6 ? 6 : 9);

        assert(ecn_is_heeded(frame, n));
        assert(!ecn_is_heeded(frame, n - 1));
        frame[protocol] = IPPROTO_UDP;
        assert(!ecn_is_heeded(frame, n));

        /* An acknowledgment alone: losing it slows nobody down. */
        n = tcp_frame_put(frame, &spec, payload, 0);
        assert(!ecn_is_heeded(frame, n));

        for (spec.tos = ECN_ECT_1; spec.tos <= ECN_CE; spec.tos++) {
            n = tcp_frame_put(frame, &spec, payload, 0);
            frame[protocol] = IPPROTO_ICMP;
            assert(ecn_is_heeded(frame, n));
        }
    }
}

/* Feeds packets that come every 'step_us' and have waited for 'waited_us' in a
 * queue of 'queued' bytes, until 'end_us', and returns how many were to
 * signal. */
static int
feed_queue(struct codel *c, int64_t *now_us, int64_t end_us, int step_us,
           int64_t waited_us, size_t queued)
{
    int n = 0;

    for (; *now_us < end_us; *now_us += step_us) {
        n += codel_dequeue(c, *now_us, waited_us, queued);
    }
    return n;
}

/* The same in a long queue. */
static int
feed(struct codel *c, int64_t *now_us, int64_t end_us, int step_us,
     int64_t waited_us)
{
    return feed_queue(c, now_us, end_us, step_us, waited_us, SIZE_MAX);
}

void
test_codel(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { SHORT = CODEL_TARGET_US - 1, LONG = CODEL_TARGET_US };
    struct codel c;
    int64_t now = 1;
    int first, second;

    memset(&c, 0, sizeof c);
    /* Short delays never signal. */
    assert(!feed(&c, &now, 100 * CODEL_INTERVAL_US, 10, SHORT));

    /* Nor do long ones of a queue that is short: a thread that is never in
     * time. */
    assert(!feed_queue(&c, &now, now + 100 * CODEL_INTERVAL_US, 10,
                       10 * LONG, CODEL_SHORT_BYTES));

    /* Nor does a burst that is gone within an interval. */
    for (int i = 1; i < 10; i++) {
        assert(!feed(&c, &now, now + CODEL_INTERVAL_US - 10, 10, LONG));
        assert(!feed(&c, &now, now + 10, 10, SHORT));
    }

    /* One that stays does, once an interval has passed, and then more and
     * more often. */
    assert(!feed(&c, &now, now + CODEL_INTERVAL_US - 10, 10, LONG));
    assert(feed(&c, &now, now + 20, 10, LONG) == 1);
    first = feed(&c, &now, now + 10 * CODEL_INTERVAL_US, 10, LONG);
    second = feed(&c, &now, now + 10 * CODEL_INTERVAL_US, 10, LONG);
    assert(first > 10 && second > first && second < 10 * first);

    /* It ends with the first packet of a short queue... */
    assert(!feed_queue(&c, &now, now + CODEL_INTERVAL_US / 2, 10, LONG, 1));
    assert(!feed(&c, &now, now + CODEL_INTERVAL_US - 10, 10, LONG));
    assert(feed(&c, &now, now + CODEL_INTERVAL_US, 10, LONG) > 3);
    /* ...and with the first one that has not waited... */
    assert(!feed(&c, &now, now + CODEL_INTERVAL_US / 2, 10, SHORT));
    assert(!feed(&c, &now, now + CODEL_INTERVAL_US - 10, 10, LONG));
    /* ...and soon after begins where it was, but later anew. */
    assert(feed(&c, &now, now + CODEL_INTERVAL_US, 10, LONG) > 3);
    assert(!feed(&c, &now, now + 100 * CODEL_INTERVAL_US, 10, SHORT));
    assert(!feed(&c, &now, now + CODEL_INTERVAL_US - 10, 10, LONG));
    assert(feed(&c, &now, now + CODEL_INTERVAL_US, 10, LONG) <= 3);
}
