/* SPDX-License-Identifier: Apache-2.0 */
/* Makes TCP frames for tests, from scratch. */

#ifndef TCP_FRAME_H
#define TCP_FRAME_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ovs_cmdl_context;

/* What a frame says of itself.  The checksums are computed with OVS's csum(),
 * apart from the code under test. */
struct tcp_spec {
    bool is_ipv6;
    int n_vlans;
    uint16_t vlan;
    uint8_t tos;                /* Or traffic class. */
    uint8_t ttl;
    uint16_t id;
    bool df;
    uint32_t flow_label;
    uint8_t host;               /* Last byte of the source address. */
    uint16_t port;              /* Of the source. */
    uint32_t sequence;
    uint32_t ack;
    uint16_t flags;
    uint16_t window;
    uint16_t urgent;
    const uint8_t *options;     /* NULL: all of them 1 ("no operation"). */
    int n_options;              /* Bytes, a multiple of 4. */
};

enum { TCP_FRAME_MAX = 65536 + 256 };

/* Writes the frame with the 'n' bytes at 'payload' to 'out'.  Returns its
 * length. */
size_t tcp_frame_put(uint8_t *out, const struct tcp_spec *,
                     const uint8_t *payload, size_t n);
size_t tcp_frame_header_len(const struct tcp_spec *);

/* Puts the checksum that is to be at offset 'field' from 'l4_ofs', with the
 * pseudo-header. */
void tcp_frame_put_checksum(uint8_t *frame, bool is_ipv6, uint8_t protocol,
                            size_t l4_ofs, size_t field, size_t end);

/* The segments that the frame above stands for. */
size_t tcp_frame_put_segment(uint8_t *out, const struct tcp_spec *,
                             const uint8_t *payload, size_t n,
                             size_t segment_size, size_t index);

/* A sequence of random numbers that is the same in each run. */
void test_random_seed(uint32_t seed);
uint32_t test_random(uint32_t limit);   /* 0 to limit - 1. */
void test_random_bytes(uint8_t *, size_t);

/* Tests in files of their own. */
void test_ecn(struct ovs_cmdl_context *);
void test_ecn_other(struct ovs_cmdl_context *);
void test_ecn_heeded(struct ovs_cmdl_context *);
void test_too_big(struct ovs_cmdl_context *);
void test_too_big_bounds(struct ovs_cmdl_context *);
void test_codel(struct ovs_cmdl_context *);
void test_fragments(struct ovs_cmdl_context *);
void test_fragments_bad(struct ovs_cmdl_context *);
void test_fragments_limits(struct ovs_cmdl_context *);
void test_fragments_grow(struct ovs_cmdl_context *);
void test_path_search(struct ovs_cmdl_context *);
void test_path_search_changes(struct ovs_cmdl_context *);
void test_path_search_device(struct ovs_cmdl_context *);
void test_path_search_silence(struct ovs_cmdl_context *);
void test_path_search_loss(struct ovs_cmdl_context *);
void test_path_search_slow(struct ovs_cmdl_context *);
void test_path_search_lies(struct ovs_cmdl_context *);
void test_path_search_forger(struct ovs_cmdl_context *);
void test_path_search_forger_loss(struct ovs_cmdl_context *);
void test_path_move_stall(struct ovs_cmdl_context *);
void test_path_move(struct ovs_cmdl_context *);
void test_path_move_hold(struct ovs_cmdl_context *);
void test_path_ping(struct ovs_cmdl_context *);
void test_tx_renew(struct ovs_cmdl_context *);
void test_oam(struct ovs_cmdl_context *);
void test_coalesce_rules(struct ovs_cmdl_context *);
void test_coalesce_order(struct ovs_cmdl_context *);
void test_coalesce_limits(struct ovs_cmdl_context *);
void test_coalesce_ids(struct ovs_cmdl_context *);
void test_coalesce_off(struct ovs_cmdl_context *);
void test_coalesce_batch(struct ovs_cmdl_context *);
void test_coalesce_streams(struct ovs_cmdl_context *);
void test_coalesce_corrupt(struct ovs_cmdl_context *);
void test_coalesce_fuzz(struct ovs_cmdl_context *);
void bench_coalesce(struct ovs_cmdl_context *);

#endif /* tcp-frame.h */
