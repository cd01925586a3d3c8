/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/datapath's pure modules: checksum, frame, segment. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "crc32c.h"
#include "csum.h"
#include "datapath/checksum.h"
#include "datapath/frame.h"
#include "datapath/segment.h"
#include "packets.h"
#include "tcp-frame.h"
#include "timeval.h"
#include "util.h"

static const struct tcp_spec plain = {
    .ttl = 64, .df = true, .id = 0xfffe, .host = 1, .port = 40000,
    .sequence = 0xfffff000, .ack = 7777, .flags = TCP_ACK, .window = 500,
};

/* Copies to memory of exactly 'n' bytes, where AddressSanitizer sees a read
 * beyond. */
static uint8_t *
exact(const uint8_t *p, size_t n)
{
    return n ? xmemdup(p, n) : xmalloc(0);
}

static void
test_checksum(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* RFC 1071, section 3. */
    static const uint8_t rfc1071[] = { 0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7 };
    uint16_t folded = checksum_fold(checksum_add(0, rfc1071, sizeof rfc1071));
    uint8_t *p = xmalloc(70000);

    assert(!memcmp(&folded, (uint8_t[]) { 0xdd, 0xf2 }, 2));

    test_random_seed(1071);
    for (int fill = 0; fill < 3; fill++) {
        if (fill == 0) {
            memset(p, 0, 70000);
        } else if (fill == 1) {
            memset(p, 0xff, 70000);
        } else {
            test_random_bytes(p, 70000);
        }
        for (size_t n = 0; n < 70000; n += n < 600 ? 1 : 997) {
            for (size_t ofs = 0; ofs < 9 && ofs + n <= 70000; ofs++) {
                uint8_t *q = exact(p + ofs, n);
                uint16_t expected = (OVS_FORCE uint16_t) csum(q, n);
                size_t cut = n ? test_random(n) & ~1 : 0;

                assert(checksum_finish(checksum_add(0, q, n)) == expected);
                assert(checksum_finish(checksum_add(checksum_add(0, q, cut),
                                                    q + cut, n - cut))
                       == expected);
                free(q);
            }
        }
    }
    free(p);

    /* No lane overflows in what is longer than any frame. */
    size_t big = 5 << 20;
    p = xmalloc(big);
    memset(p, 0xff, big);
    assert(checksum_fold(checksum_add(0, p, big)) == 0xffff);
    memset(p, 0, big);
    p[big - 1] = 1;
    folded = checksum_fold(checksum_add(0, p, big));
    assert(!memcmp(&folded, (uint8_t[]) { 0, 1 }, 2));
    free(p);
}

/* What is wrong with a frame is said as: write 'bytes' at 'ofs' from the IP
 * header; the frame keeps 'keep' bytes from there, unless 0. */
struct bad_frame {
    const char *name;
    bool is_ipv6;
    int ofs;
    uint8_t bytes[2];
    int n_bytes;
    int keep;
    enum frame_error error;
};

static const struct bad_frame bad_frames[] = {
    { "good, IPv4", false, 0, { 0x45 }, 1, 0, FRAME_OK },
    { "good, IPv6", true, 0, { 0x60 }, 1, 0, FRAME_OK },
    { "ARP", false, -2, { 8, 6 }, 2, 0, FRAME_NOT_IP },
    { "VLAN tag cut off", false, -2, { 0x81, 0 }, 2, 2, FRAME_TRUNCATED },
    { "three VLAN tags", false, -2, { 0x81, 0 }, 2, 0, FRAME_NOT_IP },
    { "IPv6 type, IPv4 header", false, -2, { 0x86, 0xdd }, 2, 0,
      FRAME_BAD_IP },
    { "IPv4 version 5", false, 0, { 0x55 }, 1, 0, FRAME_BAD_IP },
    { "IPv4 header of 16", false, 0, { 0x44 }, 1, 0, FRAME_BAD_IP },
    { "IPv4 options", false, 0, { 0x46 }, 1, 0, FRAME_IPV4_OPTIONS },
    { "IPv4 header cut off", false, 0, { 0x45 }, 1, 19, FRAME_TRUNCATED },
    { "IPv4 length below header", false, 2, { 0, 19 }, 2, 0, FRAME_BAD_IP },
    { "IPv4 length beyond frame", false, 2, { 1, 0 }, 2, 0, FRAME_TRUNCATED },
    { "IPv4 length 65535", false, 2, { 255, 255 }, 2, 0, FRAME_TRUNCATED },
    { "IPv4 more fragments", false, 6, { 0x20, 0 }, 2, 0, FRAME_FRAGMENT },
    { "IPv4 last fragment", false, 6, { 0, 1 }, 2, 0, FRAME_FRAGMENT },
    { "IPv4 TCP header beyond packet", false, 2, { 0, 39 }, 2, 0,
      FRAME_TRUNCATED },
    { "IPv4 ICMP", false, 9, { 1 }, 1, 0, FRAME_NOT_TRANSPORT },
    { "IPv4 UDP of 60000", false, 9, { IPPROTO_UDP }, 1, 0,
      FRAME_BAD_TRANSPORT },
    { "TCP header of 16", false, 32, { 0x40 }, 1, 0, FRAME_BAD_TRANSPORT },
    { "TCP header of 60", false, 32, { 0xf0 }, 1, 0, FRAME_OK },
    { "TCP header of 60 in 59", false, 2, { 0, 79 }, 2, 0, FRAME_OK },
    { "IPv6 version 4", true, 0, { 0x45 }, 1, 0, FRAME_BAD_IP },
    { "IPv6 header cut off", true, 0, { 0x60 }, 1, 39, FRAME_TRUNCATED },
    { "IPv6 length beyond frame", true, 4, { 1, 0 }, 2, 0, FRAME_TRUNCATED },
    { "IPv6 jumbogram", true, 4, { 0, 0 }, 2, 0, FRAME_TRUNCATED },
    { "IPv6 hop-by-hop", true, 6, { 0 }, 1, 0, FRAME_IPV6_EXTENSION },
    { "IPv6 routing", true, 6, { 43 }, 1, 0, FRAME_IPV6_EXTENSION },
    { "IPv6 destination", true, 6, { 60 }, 1, 0, FRAME_IPV6_EXTENSION },
    { "IPv6 authentication", true, 6, { 51 }, 1, 0, FRAME_IPV6_EXTENSION },
    { "IPv6 fragment", true, 6, { 44 }, 1, 0, FRAME_FRAGMENT },
    { "IPv6 ICMP", true, 6, { 58 }, 1, 0, FRAME_NOT_TRANSPORT },
    { "IPv6 TCP header of 0", true, 52, { 0 }, 1, 0, FRAME_BAD_TRANSPORT },
};

static void
test_frame(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t payload[80] = { 0 };
    uint8_t frame[TCP_FRAME_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(bad_frames); i++) {
        const struct bad_frame *t = &bad_frames[i];

        for (int n_vlans = 0; n_vlans <= 2; n_vlans++) {
            struct tcp_spec spec = plain;
            struct frame parsed;
            enum frame_error error, expected = t->error;
            uint8_t *copy;
            size_t l3_ofs = 14 + 4 * n_vlans;
            size_t n;

            spec.is_ipv6 = t->is_ipv6;
            spec.n_vlans = n_vlans;
            n = tcp_frame_put(frame, &spec, payload, sizeof payload);
            memcpy(frame + l3_ofs + t->ofs, t->bytes, t->n_bytes);
            n = t->keep ? l3_ofs + t->keep : n;
            if (n_vlans == 2 && t->ofs == -2 && t->bytes[0] == 0x81) {
                expected = FRAME_NOT_IP;    /* The third tag is not read. */
            } else if (n_vlans < 2 && !strcmp(t->name, "three VLAN tags")) {
                continue;
            }
            copy = exact(frame, n);
            error = frame_parse(copy, n, &parsed);
            if (error != expected) {
                ovs_fatal(0, "%s, %d tags: %s, not %s", t->name, n_vlans,
                          frame_error_to_string(error),
                          frame_error_to_string(expected));
            }
            if (!error) {
                assert(parsed.l3_ofs == l3_ofs);
                assert(parsed.l4_ofs == l3_ofs + (t->is_ipv6 ? 40 : 20));
                assert(parsed.protocol == IPPROTO_TCP);
                assert(parsed.payload_ofs <= parsed.end && parsed.end <= n);
            }
            free(copy);
        }
    }
    for (int i = 0; i < FRAME_N_ERRORS; i++) {
        assert(strcmp(frame_error_to_string(i), "unknown"));
    }
}

/* A frame cut anywhere is truncated; random bytes in the headers never make
 * what is found lie outside. */
static void
test_frame_bounds(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t payload[40];
    uint8_t frame[TCP_FRAME_MAX];
    struct frame parsed;

    test_random_seed(2);
    test_random_bytes(payload, sizeof payload);
    for (int v = 0; v < 6; v++) {
        struct tcp_spec spec = plain;
        size_t n;

        spec.is_ipv6 = v & 1;
        spec.n_vlans = v / 2;
        spec.n_options = 12;
        n = tcp_frame_put(frame, &spec, payload, sizeof payload);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *copy = exact(frame, cut);

            assert(frame_parse(copy, cut, &parsed) == FRAME_TRUNCATED);
            free(copy);
        }
        for (int round = 0; round < 20000; round++) {
            size_t len = test_random(n + 1);
            uint8_t *copy = exact(frame, len);

            for (int i = test_random(4); i > 0 && len; i--) {
                copy[12 + test_random(60) < len
                     ? 12 + test_random(len - 12) : 0] = test_random(256);
            }
            if (!frame_parse(copy, len, &parsed)) {
                assert(parsed.l3_ofs < parsed.l4_ofs
                       && parsed.l4_ofs < parsed.payload_ofs
                       && parsed.payload_ofs <= parsed.end
                       && parsed.end <= len
                       && parsed.payload_ofs <= FRAME_MAX_HEADER_LEN);
                frame_complete_checksum(copy, &parsed);
                if (parsed.protocol == IPPROTO_TCP) {
                    frame_verify_tcp(copy, &parsed);
                }
            }
            free(copy);
        }
    }
}

/* What may stand in the checksum field of a packet whose checksum was left to
 * the device: nothing, the pseudo-header's sum, or anything. */
static void
test_complete(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint8_t protocol;
        size_t header_len;
        size_t field;
    } protocols[] = {
        { IPPROTO_TCP, 20, 16 }, { IPPROTO_UDP, 8, 6 }, { IPPROTO_SCTP, 12, 8 }
    };
    uint8_t right[2048], frame[2048], payload[1500];

    test_random_seed(3);
    for (int i = 0; i < 3000; i++) {
        const uint8_t protocol = protocols[i % 3].protocol;
        struct tcp_spec spec = plain;
        struct frame parsed;
        size_t n = test_random(1400) + (i % 3 == 0 ? 0 : 20);
        size_t l4_ofs, end, pad = test_random(3) ? 0 : test_random(20);

        spec.is_ipv6 = i / 3 & 1;
        spec.n_vlans = i / 6 % 3;
        test_random_bytes(payload, sizeof payload);
        end = tcp_frame_put(right, &spec, payload, n);
        test_random_bytes(right + end, pad);
        l4_ofs = tcp_frame_header_len(&spec) - 20;
        right[l4_ofs - (spec.is_ipv6 ? 34 : 11)] = protocol;
        if (protocol == IPPROTO_UDP) {
            right[l4_ofs + 4] = (end - l4_ofs) >> 8;
            right[l4_ofs + 5] = end - l4_ofs;
        }
        memcpy(frame, right, end + pad);

        if (protocol == IPPROTO_SCTP) {
            ovs_be32 crc;

            memset(right + l4_ofs + 8, 0, 4);
            crc = crc32c(right + l4_ofs, end - l4_ofs);
            memcpy(right + l4_ofs + 8, &crc, 4);
        } else {
            tcp_frame_put_checksum(right, spec.is_ipv6, protocol, l4_ofs,
                                   protocols[i % 3].field, end);
        }
        if (protocol == IPPROTO_UDP && !right[l4_ofs + 6]
            && !right[l4_ofs + 7]) {
            memset(right + l4_ofs + 6, 0xff, 2);
        }
        if (i % 2) {
            memset(frame + l4_ofs + protocols[i % 3].field, 0, 2);
        }

        assert(!frame_parse(frame, end + pad, &parsed));
        assert(parsed.end == end
               && parsed.payload_ofs == l4_ofs + protocols[i % 3].header_len);
        frame_complete_checksum(frame, &parsed);
        assert(!memcmp(frame, right, end + pad));
    }
}

/* RFC 768: a UDP checksum that comes out as zero is sent as all ones. */
static void
test_complete_udp_zero(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t frame[] = {
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
        0x45, 0, 0, 30, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0,
        10, 0, 0, 1, 10, 0, 0, 2,
        0, 1, 0, 2, 0, 10, 0, 0, 0, 0,
    };
    struct frame parsed;
    uint16_t sum;

    assert(!frame_parse(frame, sizeof frame, &parsed));
    frame_complete_checksum(frame, &parsed);
    memcpy(&sum, frame + 40, 2);
    assert(sum && sum != 0xffff);

    /* With its own checksum as payload the packet sums to nothing. */
    memcpy(frame + 42, &sum, 2);
    frame_complete_checksum(frame, &parsed);
    assert(frame[40] == 0xff && frame[41] == 0xff);
}

/* How one frame is segmented. */
struct segment_test {
    const char *name;
    int n_options;
    uint16_t flags;
    size_t payload;
    uint32_t size, mtu;
    size_t expected_size;       /* 0: refused. */
};

static const struct segment_test segment_tests[] = {
    { "one full", 12, TCP_ACK, 1448, 1448, 0, 1448 },
    { "one short", 12, TCP_ACK | TCP_PSH, 100, 1448, 0, 1448 },
    { "no payload", 12, TCP_ACK | TCP_FIN, 0, 1448, 0, 1448 },
    { "two", 12, TCP_ACK | TCP_PSH, 1449, 1448, 0, 1448 },
    { "exact multiple", 0, TCP_ACK | TCP_PSH, 14600, 1460, 0, 1460 },
    { "FIN", 12, TCP_ACK | TCP_FIN | TCP_PSH, 5000, 1448, 0, 1448 },
    { "ECN", 12, TCP_ACK | TCP_CWR | TCP_ECE, 5000, 1448, 0, 1448 },
    { "NS bit", 12, TCP_ACK | TCP_NS, 5000, 1448, 0, 1448 },
    { "64 KB", 12, TCP_ACK | TCP_PSH, 65000, 1448, 0, 1448 },
    { "MSS 1000", 12, TCP_ACK, 65000, 988, 1500, 988 },
    { "odd size", 0, TCP_ACK, 10000, 777, 0, 777 },
    { "all options", 40, TCP_ACK | TCP_PSH, 20000, 1400, 0, 1400 },
    { "smaller than headers", 12, TCP_ACK | TCP_PSH, 1000, 13, 0, 13 },
    { "least size", 40, TCP_ACK | TCP_PSH, 1000, 8, 0, 8 },
    { "jumbo", 12, TCP_ACK, 60000, 8948, 9000, 8928 },
    { "cut to the MTU", 12, TCP_ACK, 60000, 1448, 1418, 1346 },
    { "no size known", 0, TCP_ACK, 60000, 0, 1500, 1440 },
    { "size without end", 0, TCP_ACK, 60000, UINT32_MAX, 0, 60000 },
    { "size 7", 0, TCP_ACK, 60000, 7, 1500, 0 },
    { "size 7, but fits", 0, TCP_ACK, 7, 7, 1500, 7 },
    { "MTU without room", 0, TCP_ACK, 60000, 1448, 47, 0 },
    { "neither size nor MTU", 0, TCP_ACK, 60000, 0, 0, 0 },
};

static void
check_segments(const struct segment_test *t, const struct tcp_spec *spec,
               size_t size, size_t pad)
{
    uint8_t *payload = xmalloc(t->payload);
    uint8_t *whole = xmalloc(TCP_FRAME_MAX);
    uint8_t *expected = xmalloc(TCP_FRAME_MAX);
    size_t n, index = 0;
    struct segmenter segmenter;
    struct iovec segment;
    enum frame_error error;
    uint8_t *copy;

    test_random_bytes(payload, t->payload);
    n = tcp_frame_put(whole, spec, payload, t->payload);
    /* Whatever stands in the checksum fields. */
    test_random_bytes(whole + tcp_frame_header_len(spec) - t->n_options - 4,
                      2);
    if (!spec->is_ipv6) {
        test_random_bytes(whole + 14 + 4 * spec->n_vlans + 10, 2);
    }
    test_random_bytes(whole + n, pad);
    copy = exact(whole, n + pad);

    error = segment_start(&segmenter, copy, n + pad, IPPROTO_TCP, t->size,
                          t->mtu);
    if (error != (size ? FRAME_OK : FRAME_BAD_SEGMENT_SIZE)) {
        ovs_fatal(0, "%s: %s", t->name, frame_error_to_string(error));
    }
    while (size && segment_next(&segmenter, &segment)) {
        size_t len = tcp_frame_put_segment(expected, spec, payload, t->payload,
                                           size, index++);

        if (len != segment.iov_len
            || memcmp(expected, segment.iov_base, len)) {
            ovs_fatal(0, "%s: segment %"PRIuSIZE" differs", t->name, index);
        }
        assert(len <= segment_frame_len(&segmenter));
        assert(index > 1 || len == segment_frame_len(&segmenter));
    }
    if (size) {
        assert(index == segmenter.count
               && index == MAX(1, DIV_ROUND_UP(t->payload, size)));
        assert(!segment_next(&segmenter, &segment));
    }
    free(copy);
    free(payload);
    free(whole);
    free(expected);
}

static void
test_segment(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    test_random_seed(4);
    for (size_t i = 0; i < ARRAY_SIZE(segment_tests); i++) {
        const struct segment_test *t = &segment_tests[i];

        for (int v = 0; v < 6; v++) {
            struct tcp_spec spec = plain;
            size_t size = t->expected_size;

            spec.is_ipv6 = v & 1;
            spec.n_vlans = v / 2;
            spec.n_options = t->n_options;
            spec.flags = t->flags;
            /* The table's sizes by MTU are for IPv6. */
            if (size && size != t->size && !spec.is_ipv6) {
                size = MIN(size + 20, t->size ? t->size : UINT32_MAX);
            }
            check_segments(t, &spec, size, 0);
            check_segments(t, &spec, size, 9);
        }
    }
}

static void
test_segment_random(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    test_random_seed(5);
    for (int i = 0; i < 500; i++) {
        uint32_t size = 8 + test_random(test_random(2) ? 100 : 9000);
        struct segment_test t = {
            .name = "random", .n_options = 4 * test_random(11),
            .payload = test_random(test_random(2) ? 3000 : 65000),
            .size = size,
        };
        struct tcp_spec spec = plain;

        spec.is_ipv6 = test_random(2);
        spec.n_vlans = test_random(3);
        spec.id = test_random(65536);
        spec.sequence = test_random(UINT32_MAX);
        spec.flags = test_random(512);
        spec.urgent = test_random(65536);
        spec.n_options = t.n_options;
        check_segments(&t, &spec, size, test_random(2));
    }
}

static void
test_segment_refused(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        int ofs;
        uint8_t byte;
        enum frame_error error;
    } tests[] = {
        { 14, 0x46, FRAME_IPV4_OPTIONS },
        { 14, 0x35, FRAME_BAD_IP },
        { 20, 0x20, FRAME_FRAGMENT },
        { 23, IPPROTO_SCTP, FRAME_NOT_TRANSPORT },
        { 23, 4, FRAME_NOT_TRANSPORT },
        { 46, 0x40, FRAME_BAD_TRANSPORT },
        { 16, 0xff, FRAME_TRUNCATED },
        { 13, 0x06, FRAME_NOT_IP },
    };
    uint8_t payload[3000] = { 0 };
    uint8_t frame[4000];

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        size_t n = tcp_frame_put(frame, &plain, payload, sizeof payload);
        struct segmenter segmenter;
        enum frame_error error;

        frame[tests[i].ofs] = tests[i].byte;
        error = segment_start(&segmenter, frame, n, IPPROTO_TCP, 1000, 1500);
        if (error != tests[i].error) {
            ovs_fatal(0, "%"PRIuSIZE": %s, not %s", i,
                      frame_error_to_string(error),
                      frame_error_to_string(tests[i].error));
        }
    }
}

/* Makes a UDP frame out of what tcp_frame_put() writes. */
static size_t
put_udp(uint8_t *out, const struct tcp_spec *tcp, const uint8_t *payload,
        size_t n)
{
    struct tcp_spec spec = *tcp;
    size_t l4_ofs = tcp_frame_header_len(&spec) - 20;
    size_t len = 8 + n;
    size_t end;

    /* A TCP header is 12 bytes longer: take them from the payload. */
    end = tcp_frame_put(out, &spec, payload, n) - 12;
    if (spec.is_ipv6) {
        out[l4_ofs - 36] = len >> 8;
        out[l4_ofs - 35] = len;
        out[l4_ofs - 34] = IPPROTO_UDP;
    } else {
        ovs_be16 sum;

        out[l4_ofs - 18] = (20 + len) >> 8;
        out[l4_ofs - 17] = 20 + len;
        out[l4_ofs - 11] = IPPROTO_UDP;
        memset(out + l4_ofs - 10, 0, 2);
        sum = csum(out + l4_ofs - 20, 20);
        memcpy(out + l4_ofs - 10, &sum, 2);
    }
    out[l4_ofs + 4] = len >> 8;
    out[l4_ofs + 5] = len;
    memcpy(out + l4_ofs + 8, payload, n);
    tcp_frame_put_checksum(out, spec.is_ipv6, IPPROTO_UDP, l4_ofs, 6, end);
    if (!out[l4_ofs + 6] && !out[l4_ofs + 7]) {
        memset(out + l4_ofs + 6, 0xff, 2);
    }
    return end;
}

static void
test_segment_udp(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        size_t payload, size;
        bool good;
    } tests[] = {
        { 10000, 1000, true }, { 10001, 1000, true }, { 9999, 1000, true },
        { 1000, 1000, true }, { 1, 1000, true }, { 0, 1000, true },
        { 128, 1, true }, { 129, 1, false }, { 65000, 508, true },
        { 65000, 507, false }, { 100, 0, false }, { 60000, 20000, true },
        { 4000, 3, false }, { 300, 3, true },
    };
    uint8_t *payload = xmalloc(65536), *whole = xmalloc(TCP_FRAME_MAX);
    uint8_t *expected = xmalloc(TCP_FRAME_MAX);

    test_random_seed(6);
    for (size_t i = 0; i < 6 * ARRAY_SIZE(tests); i++) {
        size_t n = tests[i / 6].payload, size = tests[i / 6].size;
        struct tcp_spec spec = plain;
        struct segmenter segmenter;
        struct iovec segment;
        size_t index = 0, len;

        spec.is_ipv6 = i & 1;
        spec.n_vlans = i % 6 / 2;
        test_random_bytes(payload, n);
        len = put_udp(whole, &spec, payload, n);
        memset(whole + tcp_frame_header_len(&spec) - 20 + 6, i, 2);
        assert(segment_start(&segmenter, whole, len, IPPROTO_TCP, size, 1500)
               == FRAME_NOT_TRANSPORT);
        assert(segment_start(&segmenter, whole, len, IPPROTO_UDP, size, 1500)
               == (tests[i / 6].good ? FRAME_OK : FRAME_BAD_SEGMENT_SIZE));
        while (tests[i / 6].good && segment_next(&segmenter, &segment)) {
            size_t ofs = index * size;

            len = put_udp(expected, &spec, payload + ofs, MIN(size, n - ofs));
            assert(len == segment.iov_len
                   && !memcmp(expected, segment.iov_base, len));
            spec.id++;
            index++;
        }
        assert(!tests[i / 6].good || index == segmenter.count);
    }
    free(payload);
    free(whole);
    free(expected);
}

/* Nanoseconds per segment of 1,448 bytes; not a test. */
static void
bench_segment(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { ROUNDS = 20000, PAYLOAD = 44 * 1448 };
    uint8_t *payload = xzalloc(PAYLOAD);
    uint8_t *whole = xmalloc(TCP_FRAME_MAX);
    struct tcp_spec spec = plain;
    uint64_t n_segments = 0;
    long long start;
    uint64_t sink = 0;
    size_t n;

    spec.n_options = 12;
    n = tcp_frame_put(whole, &spec, payload, PAYLOAD);
    start = time_usec();
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t header[66];
        struct segmenter segmenter;
        struct iovec segment;

        memcpy(header, whole, sizeof header);
        assert(!segment_start(&segmenter, whole, n, IPPROTO_TCP, 1448, 0));
        while (segment_next(&segmenter, &segment)) {
            n_segments++;
        }
        memcpy(whole, header, sizeof header);
    }
    printf("segment: %.1f ns\n",
           (time_usec() - start) * 1000.0 / n_segments);

    start = time_usec();
    for (int i = 0; i < ROUNDS * 44; i++) {
        sink += checksum_add(0, whole + i % 44 * 1448, 1448);
    }
    printf("checksum_add of 1448: %.1f ns\n",
           (time_usec() - start) * 1000.0 / (ROUNDS * 44));
    start = time_usec();
    for (int i = 0; i < ROUNDS * 4; i++) {
        sink += csum_continue(0, whole + i % 44 * 1448, 1448);
    }
    printf("csum_continue of 1448: %.1f ns\n",
           (time_usec() - start) * 1000.0 / (ROUNDS * 4));
    assert(sink);
    free(payload);
    free(whole);
}

static const struct ovs_cmdl_command commands[] = {
    { "checksum", NULL, 0, 0, test_checksum, OVS_RO },
    { "frame", NULL, 0, 0, test_frame, OVS_RO },
    { "frame-bounds", NULL, 0, 0, test_frame_bounds, OVS_RO },
    { "complete", NULL, 0, 0, test_complete, OVS_RO },
    { "complete-udp-zero", NULL, 0, 0, test_complete_udp_zero, OVS_RO },
    { "segment", NULL, 0, 0, test_segment, OVS_RO },
    { "segment-random", NULL, 0, 0, test_segment_random, OVS_RO },
    { "segment-udp", NULL, 0, 0, test_segment_udp, OVS_RO },
    { "segment-refused", NULL, 0, 0, test_segment_refused, OVS_RO },
    { "ecn", NULL, 0, 0, test_ecn, OVS_RO },
    { "ecn-other", NULL, 0, 0, test_ecn_other, OVS_RO },
    { "ecn-heeded", NULL, 0, 0, test_ecn_heeded, OVS_RO },
    { "too-big", NULL, 0, 0, test_too_big, OVS_RO },
    { "too-big-bounds", NULL, 0, 0, test_too_big_bounds, OVS_RO },
    { "codel", NULL, 0, 0, test_codel, OVS_RO },
    { "fragments", NULL, 0, 0, test_fragments, OVS_RO },
    { "fragments-bad", NULL, 0, 0, test_fragments_bad, OVS_RO },
    { "fragments-limits", NULL, 0, 0, test_fragments_limits, OVS_RO },
    { "fragments-grow", NULL, 0, 0, test_fragments_grow, OVS_RO },
    { "path-search", NULL, 0, 0, test_path_search, OVS_RO },
    { "path-search-changes", NULL, 0, 0, test_path_search_changes, OVS_RO },
    { "path-search-device", NULL, 0, 0, test_path_search_device, OVS_RO },
    { "path-search-silence", NULL, 0, 0, test_path_search_silence, OVS_RO },
    { "path-search-loss", NULL, 0, 0, test_path_search_loss, OVS_RO },
    { "path-search-slow", NULL, 0, 0, test_path_search_slow, OVS_RO },
    { "path-search-lies", NULL, 0, 0, test_path_search_lies, OVS_RO },
    { "path-search-forger", NULL, 0, 0, test_path_search_forger, OVS_RO },
    { "path-search-forger-loss", NULL, 0, 0, test_path_search_forger_loss,
      OVS_RO },
    { "path-move-stall", NULL, 0, 0, test_path_move_stall, OVS_RO },
    { "path-move", NULL, 0, 0, test_path_move, OVS_RO },
    { "path-move-hold", NULL, 0, 0, test_path_move_hold, OVS_RO },
    { "path-ping", NULL, 0, 0, test_path_ping, OVS_RO },
    { "tx-renew", NULL, 0, 0, test_tx_renew, OVS_RO },
    { "oam", NULL, 0, 0, test_oam, OVS_RO },
    { "coalesce-rules", NULL, 0, 0, test_coalesce_rules, OVS_RO },
    { "coalesce-order", NULL, 0, 0, test_coalesce_order, OVS_RO },
    { "coalesce-limits", NULL, 0, 0, test_coalesce_limits, OVS_RO },
    { "coalesce-ids", NULL, 0, 0, test_coalesce_ids, OVS_RO },
    { "coalesce-off", NULL, 0, 0, test_coalesce_off, OVS_RO },
    { "coalesce-batch", NULL, 0, 0, test_coalesce_batch, OVS_RO },
    { "coalesce-streams", NULL, 0, 0, test_coalesce_streams, OVS_RO },
    { "coalesce-corrupt", NULL, 0, 0, test_coalesce_corrupt, OVS_RO },
    { "coalesce-fuzz", NULL, 0, 0, test_coalesce_fuzz, OVS_RO },
    { "bench-segment", NULL, 0, 0, bench_segment, OVS_RO },
    { "bench-coalesce", NULL, 0, 0, bench_coalesce, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
