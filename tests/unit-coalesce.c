/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/datapath/coalesce. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "csum.h"
#include "datapath/checksum.h"
#include "datapath/coalesce.h"
#include "datapath/frame.h"
#include "datapath/segment.h"
#include "dp-packet.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "tcp-frame.h"
#include "timeval.h"
#include "util.h"

enum { HEADROOM = 128, MAX_FRAMES = 512 };

static const struct tcp_spec plain = {
    .ttl = 64, .df = true, .id = 0xfffe, .host = 1, .port = 40000,
    .sequence = 0xfffff000, .ack = 7777, .flags = TCP_ACK, .window = 500,
    .n_options = 12,
};

/* Frames in the order in which they were or will be given. */
struct frames {
    uint8_t *data[MAX_FRAMES];
    size_t len[MAX_FRAMES];
    size_t n;
    size_t n_seen;              /* Of these, found in what came out. */
};

static void
frames_add(struct frames *frames, const uint8_t *data, size_t n)
{
    assert(frames->n < MAX_FRAMES);
    frames->data[frames->n] = xmemdup(data, n);
    frames->len[frames->n++] = n;
}

static void
frames_clear(struct frames *frames)
{
    for (size_t i = 0; i < frames->n; i++) {
        free(frames->data[i]);
    }
    frames->n = frames->n_seen = 0;
}

/* Adds the segments of a frame with 'n' random bytes of payload, and moves
 * 'spec' on. */
static void
frames_add_segments(struct frames *frames, struct tcp_spec *spec, size_t n,
                    size_t size)
{
    uint8_t *payload = xmalloc(n + 1);
    uint8_t *buffer = xmalloc(TCP_FRAME_MAX);
    size_t count = n ? DIV_ROUND_UP(n, size) : 1;

    test_random_bytes(payload, n);
    for (size_t i = 0; i < count; i++) {
        frames_add(frames, buffer,
                   tcp_frame_put_segment(buffer, spec, payload, n, size, i));
    }
    spec->sequence += n;
    spec->id += count;
    free(payload);
    free(buffer);
}

/* Gives a frame as one that was decrypted. */
static void
feed(struct coalesce *c, uint64_t tag, const uint8_t *data, size_t n)
{
    memcpy(coalesce_prepare(c, tag, n), data, n);
    coalesce_accept(c);
}

static void
see(struct frames *frames, const void *data, size_t n)
{
    size_t i = frames->n_seen++;

    if (i >= frames->n || frames->len[i] != n
        || memcmp(frames->data[i], data, n)) {
        ovs_fatal(0, "frame %"PRIuSIZE" is not what was given", i);
    }
}

/* Checks that a joined frame is as a guest would have handed it over. */
static void
check_marks(const struct dp_packet *packet, const struct frame *frame)
{
    const uint8_t *data = dp_packet_data(packet);
    uint16_t field, pseudo;

    assert(dp_packet_hwol_is_tso(packet));
    assert(dp_packet_hwol_l4_is_tcp(packet));
    assert(dp_packet_hwol_is_ipv4(packet) == !frame->is_ipv6);
    assert(!frame->is_ipv6
           == !(*dp_packet_ol_flags_ptr(packet) & DP_PACKET_OL_TX_IPV6));
    assert(frame->end == dp_packet_size(packet));
    assert(dp_packet_get_tso_segsz(packet) < frame->end - frame->payload_ofs);

    pseudo = checksum_fold(frame_pseudo_sum(data, frame,
                                            frame->end - frame->l4_ofs));
    memcpy(&field, data + frame->l4_ofs + 16, 2);
    assert(field == pseudo);
    if (!frame->is_ipv6) {
        assert(!csum(data + frame->l3_ofs, 20));
    }
}

/* Takes what came out apart again: that has to be what was given to 'frames',
 * in that order. */
static void
see_coalesced(struct frames *frames, const struct coalesced *coalesced)
{
    struct dp_packet *packet = coalesced->packet;
    struct segmenter segmenter;
    struct iovec segment;
    struct frame frame;

    assert(dp_packet_headroom(packet) == HEADROOM);
    if (coalesced->n_frames == 1) {
        assert(!(*dp_packet_ol_flags_ptr(packet)
                 & DP_PACKET_OL_SUPPORTED_MASK));
        see(frames, dp_packet_data(packet), dp_packet_size(packet));
        return;
    }
    assert(!frame_parse(dp_packet_data(packet), dp_packet_size(packet),
                        &frame));
    check_marks(packet, &frame);
    assert(!segment_start(&segmenter, dp_packet_data(packet),
                          dp_packet_size(packet), IPPROTO_TCP,
                          dp_packet_get_tso_segsz(packet), 0));
    assert(segmenter.count == coalesced->n_frames);
    while (segment_next(&segmenter, &segment)) {
        see(frames, segment.iov_base, segment.iov_len);
    }
}

/* Ends the batch; 'frames' is null if what came out may be anything.  Returns
 * how many frames became each, as in "1 3 1". */
static char *
finish(struct coalesce *c, struct frames *frames)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n;
    const struct coalesced *out = coalesce_finish(c, &n);

    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s%"PRIu32, i ? " " : "", out[i].n_frames);
        if (frames) {
            see_coalesced(frames, &out[i]);
        }
        dp_packet_delete(out[i].packet);
    }
    assert(!frames || frames->n_seen == frames->n);
    return ds_steal_cstr(&s);
}

static void
check_string(const char *name, char *result, const char *expected)
{
    if (strcmp(result, expected)) {
        ovs_fatal(0, "%s: %s, expected %s", name, result, expected);
    }
    free(result);
}

/* Computes the checksums of a TCP frame that was changed. */
static void
repair(uint8_t *data, const struct tcp_spec *spec, size_t end)
{
    size_t l3_ofs = 14 + 4 * spec->n_vlans;

    if (!spec->is_ipv6) {
        ovs_be16 sum;

        memset(data + l3_ofs + 10, 0, 2);
        sum = csum(data + l3_ofs, 20);
        memcpy(data + l3_ofs + 10, &sum, 2);
    }
    tcp_frame_put_checksum(data, spec->is_ipv6, IPPROTO_TCP,
                           l3_ofs + (spec->is_ipv6 ? 40 : 20), 16, end);
}

/* Of four segments that would join, the second is changed in one byte. */
struct rule {
    const char *name;
    char layer;                 /* Offset from: e(thernet), i(p), t(cp). */
    int ofs;
    uint8_t change;             /* Exclusive or. */
    int family;                 /* 4 or 6 only, 0 both. */
    bool repair;                /* Checksums computed again. */
    const char *expected;
};

static const struct rule rules[] = {
    { "nothing", 'e', 0, 0, 0, true, "4" },
    { "destination MAC", 'e', 5, 1, 0, true, "1 1 2" },
    { "source MAC", 'e', 11, 1, 0, true, "1 1 2" },
    { "VLAN", 'e', 15, 1, 0, true, "1 1 2" },
    { "VLAN priority", 'e', 14, 0x20, 0, true, "1 1 2" },
    { "TOS", 'i', 1, 0x10, 4, true, "1 1 2" },
    { "ECN", 'i', 1, 3, 4, true, "1 1 2" },
    { "IPv4 ID", 'i', 5, 0x40, 4, true, "1 1 2" },
    { "DF", 'i', 6, 0x40, 4, true, "1 1 2" },
    { "reserved bit", 'i', 6, 0x80, 4, true, "1 1 2" },
    { "more fragments", 'i', 6, 0x20, 4, true, "1 1 2" },
    { "TTL", 'i', 8, 1, 4, true, "1 1 2" },
    { "IPv4 protocol", 'i', 9, 17, 4, true, "1 1 2" },
    { "IPv4 header checksum", 'i', 10, 1, 4, false, "1 1 2" },
    { "IPv4 source", 'i', 15, 1, 4, true, "1 1 2" },
    { "IPv4 destination", 'i', 19, 1, 4, true, "1 1 2" },
    { "IPv4 options", 'i', 0, 3, 4, true, "1 1 2" },
    { "IPv4 length", 'i', 3, 1, 4, true, "1 1 2" },
    { "traffic class", 'i', 0, 1, 6, true, "1 1 2" },
    { "IPv6 ECN", 'i', 1, 0x10, 6, true, "1 1 2" },
    { "flow label", 'i', 3, 1, 6, true, "1 1 2" },
    { "hop limit", 'i', 7, 1, 6, true, "1 1 2" },
    { "IPv6 next header", 'i', 6, 0x3a, 6, true, "1 1 2" },
    { "IPv6 source", 'i', 23, 1, 6, true, "1 1 2" },
    { "IPv6 destination", 'i', 39, 1, 6, true, "1 1 2" },
    { "source port", 't', 0, 1, 0, true, "1 1 2" },
    { "destination port", 't', 3, 1, 0, true, "1 1 2" },
    { "sequence", 't', 7, 1, 0, true, "1 1 2" },
    { "sequence, far", 't', 4, 0x80, 0, true, "1 1 2" },
    { "acknowledgment", 't', 11, 1, 0, true, "1 1 2" },
    { "header length", 't', 12, 0x10, 0, true, "1 1 2" },
    { "NS", 't', 12, 1, 0, true, "1 1 2" },
    { "FIN", 't', 13, TCP_FIN, 0, true, "2 2" },
    { "PSH", 't', 13, TCP_PSH, 0, true, "2 2" },
    { "SYN", 't', 13, TCP_SYN, 0, true, "1 1 2" },
    { "RST", 't', 13, TCP_RST, 0, true, "1 1 2" },
    { "URG", 't', 13, TCP_URG, 0, true, "1 1 2" },
    { "ECE", 't', 13, TCP_ECE, 0, true, "1 1 2" },
    { "CWR", 't', 13, TCP_CWR, 0, true, "1 3" },
    { "no ACK", 't', 13, TCP_ACK, 0, true, "1 1 2" },
    { "window", 't', 15, 1, 0, true, "1 1 2" },
    { "TCP checksum", 't', 17, 1, 0, false, "1 1 2" },
    { "urgent pointer", 't', 19, 1, 0, true, "1 1 2" },
    { "option", 't', 20, 4, 0, true, "1 1 2" },
    { "timestamp", 't', 31, 4, 0, true, "1 1 2" },
    { "payload", 't', 50, 1, 0, false, "1 1 2" },
    { "last byte of payload", 't', 131, 0x80, 0, false, "1 1 2" },
};

void
test_coalesce_rules(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    test_random_seed(10);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(rules); i++) {
        const struct rule *rule = &rules[i / 2];
        struct frames frames = { .n = 0 };
        struct tcp_spec spec = plain;
        struct coalesce *c;
        uint8_t *data;
        size_t l3_ofs = 18;

        spec.is_ipv6 = i & 1;
        spec.n_vlans = 1;
        spec.vlan = 100;
        if (rule->family && spec.is_ipv6 != (rule->family == 6)) {
            continue;
        }
        frames_add_segments(&frames, &spec, 400, 100);
        data = frames.data[1];
        data[rule->ofs + (rule->layer == 'e' ? 0
                          : rule->layer == 'i' ? l3_ofs
                          : l3_ofs + (spec.is_ipv6 ? 40 : 20))]
            ^= rule->change;
        if (rule->repair) {
            repair(data, &spec, frames.len[1]);
        }

        c = coalesce_create(HEADROOM, true);
        for (size_t j = 0; j < frames.n; j++) {
            feed(c, 1, frames.data[j], frames.len[j]);
        }
        check_string(rule->name, finish(c, &frames), rule->expected);
        assert(coalesce_get_stats(c)->frames == 4);
        assert(!coalesce_get_stats(c)->bad_checksum == rule->repair);
        coalesce_destroy(c);
        frames_clear(&frames);
    }
}

/* Says in letters what is given, one batch; see make_frame(). */
struct order {
    const char *name;
    const char *input;
    const char *expected;
    int moved;                  /* Frames decrypted to the wrong place. */
};

static const struct order orders[] = {
    { "one", "a", "1", 0 },
    { "two", "aa", "2", 0 },
    { "three", "aaa", "3", 0 },
    { "last is short", "aaas", "4", 0 },
    { "what follows a short one", "aasaa", "3 2", 0 },
    { "what follows a longer one", "aalaa", "2 2 1", 0 },
    { "pure ACK", "aakaa", "2 1 2", 0 },
    { "two connections", "ababab", "3 3", 3 },
    { "two connections, one after another", "aaabbb", "3 3", 2 },
    { "one between", "aaabaa", "5 1", 1 },
    { "UDP between", "aauaa", "4 1", 1 },
    { "ARP between", "aaraa", "4 1", 1 },
    { "a fragment between", "aafaa", "2 1 2", 1 },
    { "another sender's fragment", "aaFaa", "4 1", 0 },
    { "another sender's segment", "aaAaa", "2 1 2", 1 },
    { "forged in between", "aaxaa", "4", 0 },
    { "forged at the start", "xaa", "2", 0 },
    { "forged at the end", "aax", "2", 0 },
    { "lost one", "aa.aa", "2 2", 1 },
    { "lost the second", "a.aa", "1 2", 0 },
    { "padding", "aapaa", "2 1 2", 0 },
    { "nothing", "", "", 0 },
};

/* a, b: a segment of connection A or B; s: a short one; l: a longer one; k: an
 * ACK; p: with padding; A: under another tag.  u: UDP, r: ARP, f: a fragment,
 * F: under another tag.  Returns the length. */
static size_t
make_frame(char type, struct tcp_spec *a, struct tcp_spec *b, uint8_t *frame)
{
    static const uint8_t payload[200];
    struct tcp_spec *spec = type == 'b' ? b : a;
    size_t len = (type == 's' ? 60 : type == 'l' ? 120
                  : strchr("k", type) ? 0 : 100);
    struct tcp_spec other = plain;
    size_t n;

    if (strchr("urfF", type)) {
        other.host = 9;
        other.n_options = 0;
        n = tcp_frame_put(frame, &other, payload, 100);
        if (type == 'u') {
            frame[23] = IPPROTO_UDP;
            frame[38] = 0;
            frame[39] = n - 34;
        } else if (type == 'r') {
            frame[13] = 6;
        } else {
            frame[20] = 0x20;
        }
        return n;
    }
    n = tcp_frame_put(frame, spec, payload, len);
    spec->sequence += len;
    spec->id++;
    if (type == 'p') {
        frame[n++] = 0;
    }
    return n;
}

void
test_coalesce_order(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);

    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        const struct order *t = &orders[i];
        struct tcp_spec a = plain, b = plain;
        uint64_t moved = coalesce_get_stats(c)->moved;
        uint8_t frame[400];

        b.host = 2;
        b.is_ipv6 = i & 1;
        a.is_ipv6 = i & 1;
        for (const char *p = t->input; *p; p++) {
            if (*p == 'x') {
                memset(coalesce_prepare(c, 1, 166 + 20 * a.is_ipv6), 0,
                       166 + 20 * a.is_ipv6);
                coalesce_cancel(c);
            } else {
                size_t n = make_frame(*p, &a, &b, frame);

                if (*p != '.') {
                    feed(c, strchr("AF", *p) ? 2 : 1, frame, n);
                }
            }
        }
        check_string(t->name, finish(c, NULL), t->expected);
        if (coalesce_get_stats(c)->moved - moved != t->moved) {
            ovs_fatal(0, "%s: %"PRIu64" moved", t->name,
                      coalesce_get_stats(c)->moved - moved);
        }
    }
    coalesce_destroy(c);
}

void
test_coalesce_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *name;
        bool is_ipv6;
        size_t n, size;
        const char *expected;
    } tests[] = {
        { "64 KB", false, 60 * 1448, 1448, "45 15" },
        { "64 KB, IPv6", true, 60 * 1428, 1428, "45 15" },
        { "jumbo frames", false, 20 * 8948, 8948, "7 7 6" },
        { "largest frames", false, 2 * 60000, 60000, "1 1" },
        { "half of all that fits", false, 2 * 32670, 32670, "2" },
        { "one byte more", false, 2 * 32671, 32671, "1 1" },
        { "8 bytes each", false, 400 * 8, 8, "400" },
        { "7 bytes each", false, 5 * 7, 7, "1 1 1 1 1" },
    };
    struct coalesce *c = coalesce_create(HEADROOM, true);
    struct frames frames = { .n = 0 };

    test_random_seed(11);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct tcp_spec spec = plain;

        spec.is_ipv6 = tests[i].is_ipv6;
        frames_add_segments(&frames, &spec, tests[i].n, tests[i].size);
        for (size_t j = 0; j < frames.n; j++) {
            feed(c, 1, frames.data[j], frames.len[j]);
        }
        check_string(tests[i].name, finish(c, &frames), tests[i].expected);
        frames_clear(&frames);
    }
    coalesce_destroy(c);
}

/* The same ID in all, as of a sender that knows DF makes it meaningless;
 * without DF it is no run. */
void
test_coalesce_ids(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);
    struct frames frames = { .n = 0 };

    for (int df = 0; df < 2; df++) {
        struct tcp_spec spec = plain;

        spec.df = df;
        for (int j = 0; j < 4; j++) {
            spec.id = 0;
            frames_add_segments(&frames, &spec, 100, 100);
            feed(c, 1, frames.data[j], frames.len[j]);
        }
        check_string("same ID", finish(c, NULL), df ? "4" : "1 1 1 1");
        frames_clear(&frames);
    }

    coalesce_destroy(c);
}

void
test_coalesce_off(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, false);
    struct frames frames = { .n = 0 };
    struct tcp_spec spec = plain;

    frames_add_segments(&frames, &spec, 400, 100);
    for (int j = 0; j < 4; j++) {
        feed(c, 1, frames.data[j], frames.len[j]);
    }
    check_string("not to join", finish(c, &frames), "1 1 1 1");
    coalesce_destroy(c);
    frames_clear(&frames);
}

/* A batch of frames that don't join; the end in the middle of one. */
void
test_coalesce_batch(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);
    struct frames frames = { .n = 0 };

    for (int j = 0; j < COALESCE_BATCH; j++) {
        struct tcp_spec spec = plain;

        assert(!coalesce_is_full(c));
        spec.port += j;
        frames_add_segments(&frames, &spec, 100, 100);
        feed(c, 1, frames.data[j], frames.len[j]);
    }
    assert(coalesce_is_full(c));
    free(finish(c, &frames));
    assert(!coalesce_is_full(c));

    feed(c, 1, frames.data[0], frames.len[0]);
    feed(c, 1, frames.data[1], frames.len[1]);
    coalesce_prepare(c, 1, 100);
    coalesce_destroy(c);
    frames_clear(&frames);
}

enum { MAX_STREAMS = 6, FIRST_PORT = 40000 };

/* Some connections whose segments arrive mixed. */
static void
make_streams(struct frames streams[], size_t n_streams)
{
    for (size_t i = 0; i < n_streams; i++) {
        size_t size = 1 + test_random(test_random(4) ? 1448 : 8900);
        struct tcp_spec spec = {
            .is_ipv6 = test_random(2), .n_vlans = test_random(3),
            .vlan = test_random(4095), .tos = test_random(256),
            .ttl = test_random(256), .id = test_random(65536),
            .df = test_random(2), .flow_label = test_random(1 << 20),
            .host = test_random(2), .port = FIRST_PORT + i,
            .sequence = test_random(UINT32_MAX),
            .ack = test_random(UINT32_MAX), .window = test_random(65536),
            .n_options = 4 * test_random(11),
        };

        while (streams[i].n < 20) {
            static const uint16_t flags[] = {
                0, 0, TCP_PSH, TCP_PSH, TCP_FIN, TCP_CWR, TCP_ECE,
                TCP_CWR | TCP_PSH, TCP_URG, TCP_SYN
            };

            spec.flags = TCP_ACK | flags[test_random(ARRAY_SIZE(flags))];
            spec.ack += test_random(3) ? 0 : 1000;
            frames_add_segments(&streams[i], &spec,
                                test_random(MIN(65000, 20 * size)), size);
        }
    }
}

/* Checks what came out of a batch, per connection. */
static void
see_streams(struct coalesce *c, struct frames streams[], struct frames *others)
{
    size_t n;
    const struct coalesced *out = coalesce_finish(c, &n);

    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = out[i].packet;
        const uint8_t *data = dp_packet_data(packet);
        struct frame frame;

        if (frame_parse(data, dp_packet_size(packet), &frame)) {
            see_coalesced(others, &out[i]);
        } else {
            int port = data[frame.l4_ofs] << 8 | data[frame.l4_ofs + 1];

            see_coalesced(&streams[port - FIRST_PORT], &out[i]);
        }
        dp_packet_delete(packet);
    }
}

/* Whatever comes in whatever mixture: each connection's segments are there
 * afterwards, in order, byte by byte. */
void
test_coalesce_streams(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);

    test_random_seed(12);
    for (int round = 0; round < 300; round++) {
        struct frames streams[MAX_STREAMS] = { { .n = 0 } };
        struct frames others = { .n = 0 };
        size_t given[MAX_STREAMS] = { 0 };
        size_t n_streams = 1 + test_random(MAX_STREAMS);
        size_t left = 0;

        make_streams(streams, n_streams);
        for (size_t i = 0; i < n_streams; i++) {
            left += streams[i].n;
        }
        while (left) {
            size_t i = test_random(n_streams);

            for (int k = test_random(20); k >= 0; k--) {
                size_t j = given[i];

                if (coalesce_is_full(c) || !test_random(50)) {
                    see_streams(c, streams, &others);
                }
                if (!test_random(20)) {
                    size_t n = 1 + test_random(1500);

                    test_random_bytes(coalesce_prepare(c, 1, n), n);
                    coalesce_cancel(c);
                }
                if (!test_random(20) && others.n < MAX_FRAMES) {
                    uint8_t arp[60] = { [12] = 8, [13] = 6 };

                    test_random_bytes(arp + 14, 40);
                    frames_add(&others, arp, sizeof arp);
                    feed(c, 1, arp, sizeof arp);
                } else if (j < streams[i].n) {
                    feed(c, 1, streams[i].data[j], streams[i].len[j]);
                    given[i]++;
                    left--;
                }
            }
        }
        see_streams(c, streams, &others);
        for (size_t i = 0; i < n_streams; i++) {
            assert(streams[i].n_seen == streams[i].n);
            frames_clear(&streams[i]);
        }
        assert(others.n_seen == others.n);
        frames_clear(&others);
    }

    const struct coalesce_stats *stats = coalesce_get_stats(c);
    assert(stats->joined > stats->frames / 3);
    assert(stats->moved > 0 && !stats->bad_checksum);
    coalesce_destroy(c);
}

/* A frame with a byte changed on its way never joins, and comes out as it
 * came. */
void
test_coalesce_corrupt(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);

    test_random_seed(13);
    for (int round = 0; round < 5000; round++) {
        struct frames frames = { .n = 0 };
        struct tcp_spec spec = plain;
        size_t victim, ofs, n, at = 0;
        const struct coalesced *out;
        bool alone = false;

        spec.is_ipv6 = round & 1;
        spec.n_vlans = test_random(3);
        spec.n_options = 4 * test_random(4);
        frames_add_segments(&frames, &spec, 700 + test_random(100), 100);
        victim = test_random(frames.n);
        /* In each header about as often as in the payload. */
        ofs = test_random(test_random(2) ? frames.len[victim] : 70);
        ofs = MIN(ofs, frames.len[victim] - 1);
        frames.data[victim][ofs] ^= 1 + test_random(255);

        for (size_t i = 0; i < frames.n; i++) {
            feed(c, 1, frames.data[i], frames.len[i]);
        }
        out = coalesce_finish(c, &n);
        for (size_t i = 0; i < n; i++) {
            alone |= at == victim && out[i].n_frames == 1;
            at += out[i].n_frames;
            see_coalesced(&frames, &out[i]);
            dp_packet_delete(out[i].packet);
        }
        if (!alone) {
            ovs_fatal(0, "round %d: byte %"PRIuSIZE" of frame %"PRIuSIZE
                      " changed, and joined", round, ofs, victim);
        }
        frames_clear(&frames);
    }
    assert(coalesce_get_stats(c)->bad_checksum > 1000);
    coalesce_destroy(c);
}

/* Frames of any content and length; what joined can be taken apart. */
void
test_coalesce_fuzz(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct coalesce *c = coalesce_create(HEADROOM, true);

    test_random_seed(14);
    for (int round = 0; round < 3000; round++) {
        struct frames frames = { .n = 0 };
        struct tcp_spec spec = plain;
        size_t n, n_given = 0, n_out = 0;
        const struct coalesced *out;

        spec.is_ipv6 = test_random(2);
        spec.n_vlans = test_random(3);
        frames_add_segments(&frames, &spec, test_random(3000), 100);
        for (size_t i = 0; i < frames.n && !coalesce_is_full(c); i++) {
            size_t len = (test_random(4) ? frames.len[i]
                          : test_random(frames.len[i] + 1));

            for (int k = test_random(8) ? 0 : test_random(4); k > 0; k--) {
                frames.data[i][test_random(frames.len[i])] = test_random(256);
            }
            if (test_random(2) && len == frames.len[i] && len > 80) {
                repair(frames.data[i], &spec, len);
            }
            feed(c, test_random(10) == 0, frames.data[i], len);
            n_given++;
        }
        out = coalesce_finish(c, &n);
        for (size_t i = 0; i < n; i++) {
            struct dp_packet *packet = out[i].packet;
            struct segmenter segmenter;

            n_out += out[i].n_frames;
            if (out[i].n_frames > 1) {
                assert(!segment_start(&segmenter, dp_packet_data(packet),
                                      dp_packet_size(packet), IPPROTO_TCP,
                                      dp_packet_get_tso_segsz(packet), 0));
                assert(segmenter.count == out[i].n_frames);
            }
            dp_packet_delete(packet);
        }
        assert(n_out == n_given);
        frames_clear(&frames);
    }
    coalesce_destroy(c);
}

/* Nanoseconds per frame, the copy that stands for decryption included; not a
 * test. */
void
bench_coalesce(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { ROUNDS = 20000 };
    struct coalesce *c = coalesce_create(HEADROOM, true);

    for (int kind = 0; kind < 3; kind++) {
        struct frames frames = { .n = 0 };
        struct tcp_spec spec = plain;
        long long start;
        size_t n, total = 0;

        frames_add_segments(&frames, &spec, 32 * 1448, 1448);
        start = time_usec();
        for (int i = 0; i < ROUNDS; i++) {
            const struct coalesced *out;

            for (size_t j = 0; j < frames.n; j++) {
                if (kind == 0) {
                    struct dp_packet *p = dp_packet_new_with_headroom(
                        frames.len[j], HEADROOM);

                    dp_packet_put(p, frames.data[j], frames.len[j]);
                    dp_packet_delete(p);
                } else {
                    /* Tags that differ: nothing joins. */
                    feed(c, kind == 1 ? 0 : j, frames.data[j], frames.len[j]);
                }
                total++;
            }
            out = coalesce_finish(c, &n);
            for (size_t j = 0; j < n; j++) {
                dp_packet_delete(out[j].packet);
            }
        }
        printf("%s: %.1f ns a frame\n",
               (kind == 0 ? "copied only"
                : kind == 1 ? "all join"
                : "none join"),
               (time_usec() - start) * 1000.0 / total);
        frames_clear(&frames);
    }
    coalesce_destroy(c);
}
