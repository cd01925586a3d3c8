/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of datapath/fragment.h. */

#include <config.h>
#include <string.h>

#include "command-line.h"
#include "datapath/fragment.h"
#include "random.h"
#include "tcp-frame.h"
#include "util.h"

enum { PIECE = 200 };

/* Adds piece 'index' of 'total' of the frame whose first sequence is 'first',
 * made of bytes that tell its place. */
static enum fragment_verdict
add_piece(struct fragment_table *t, uint64_t first, unsigned int index,
          unsigned int total, long long int now_ms, uint64_t *lost)
{
    uint8_t payload[FRAGMENT_HEADER_LEN + PIECE];
    struct fragment piece = {
        .session = 1, .sequence = first + index, .payload = payload,
        .len = sizeof payload, .now_ms = now_ms,
    };
    size_t len = 0;

    fragment_put_header(payload, index, total);
    memset(payload + FRAGMENT_HEADER_LEN, first * 16 + index, PIECE);

    enum fragment_verdict verdict = fragment_table_add(t, &piece, &len, lost);
    if (verdict == FRAGMENT_COMPLETE) {
        uint8_t frame[FRAGMENT_MAX * PIECE];

        ovs_assert(len == total * PIECE);
        fragment_table_take(t, frame);
        for (unsigned int i = 0; i < len; i++) {
            ovs_assert(frame[i] == (uint8_t) (first * 16 + i / PIECE));
        }
    }
    return verdict;
}

/* Some frames at once, all pieces in random order. */
void
test_fragments(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { FRAMES = 5 };

    random_set_seed(1);
    for (int round = 0; round < 200; round++) {
        struct fragment_table *t = fragment_table_create();
        unsigned int total = 2 + round % (FRAGMENT_MAX - 1);
        unsigned int order[FRAMES * FRAGMENT_MAX];
        unsigned int n = FRAMES * total;
        unsigned int complete = 0;
        uint64_t lost = 0;

        for (unsigned int i = 0; i < n; i++) {
            unsigned int j = random_range(i + 1);

            order[i] = order[j];
            order[j] = i;
        }
        for (unsigned int i = 0; i < n; i++) {
            unsigned int frame = order[i] / total;
            enum fragment_verdict verdict;

            verdict = add_piece(t, 100 + frame * total, order[i] % total,
                                total, 0, &lost);
            ovs_assert(verdict != FRAGMENT_BAD);
            complete += verdict == FRAGMENT_COMPLETE;
        }
        ovs_assert(complete == FRAMES && !lost);
        fragment_table_destroy(t);
    }
}

void
test_fragments_bad(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *name;
        uint64_t sequence;
        uint8_t payload[4];
        size_t len;
    } cases[] = {
        { "no header", 10, { 0 }, 0 },
        { "half a header", 10, { 0 }, 1 },
        { "no piece", 10, { 0, 2 }, 2 },
        { "of no pieces", 10, { 0, 0, 1 }, 3 },
        { "of one piece", 10, { 0, 1, 1 }, 3 },
        { "of too many", 10, { 0, FRAGMENT_MAX + 1, 1 }, 3 },
        { "beyond the last", 10, { 2, 2, 1 }, 3 },
        { "before the first sequence", 0, { 1, 2, 1 }, 3 },
        { "another number of pieces", 101, { 1, 3, 1 }, 3 },
        { "twice", 100, { 0, 2, 1 }, 3 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fragment_table *t = fragment_table_create();
        struct fragment piece = {
            .session = 1, .sequence = cases[i].sequence,
            .payload = cases[i].payload, .len = cases[i].len,
        };
        uint64_t lost = 0;
        size_t len;

        ovs_assert(add_piece(t, 100, 0, 2, 0, &lost) == FRAGMENT_KEPT);
        if (fragment_table_add(t, &piece, &len, &lost) != FRAGMENT_BAD) {
            ovs_fatal(0, "%s: taken", cases[i].name);
        }
        /* And the frame it meddled with is as it was. */
        ovs_assert(add_piece(t, 100, 1, 2, 0, &lost) == FRAGMENT_COMPLETE);
        ovs_assert(!lost);
        fragment_table_destroy(t);
    }
}

void
test_fragments_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct fragment_table *t = fragment_table_create();
    uint64_t lost = 0;

    /* Another session's pieces are another frame's. */
    struct fragment other = {
        .session = 2, .sequence = 1, .payload = "\1\2x", .len = 3,
    };
    size_t len;
    ovs_assert(add_piece(t, 0, 0, 2, 0, &lost) == FRAGMENT_KEPT);
    ovs_assert(fragment_table_add(t, &other, &len, &lost) == FRAGMENT_KEPT);

    /* The oldest gives way, the others stay. */
    for (unsigned int i = 1; i < FRAGMENT_FRAMES; i++) {
        ovs_assert(add_piece(t, i * 2, 0, 2, 500, &lost) == FRAGMENT_KEPT);
        ovs_assert(lost == (i == FRAGMENT_FRAMES - 1));
    }
    ovs_assert(add_piece(t, 2, 1, 2, 500, &lost) == FRAGMENT_COMPLETE);
    ovs_assert(lost == 1);

    /* After a second it is too late. */
    ovs_assert(add_piece(t, 4, 1, 2, 499 + FRAGMENT_LIFE_MS, &lost)
               == FRAGMENT_COMPLETE);
    ovs_assert(add_piece(t, 6, 1, 2, 500 + FRAGMENT_LIFE_MS, &lost)
               == FRAGMENT_KEPT);
    ovs_assert(lost == 1 + 1 + FRAGMENT_FRAMES - 3);

    /* Bytes are bounded too. */
    static uint8_t large[FRAGMENT_HEADER_LEN + 60000];
    lost = 0;
    for (unsigned int i = 0; i < 20; i++) {
        struct fragment piece = {
            .session = 3, .sequence = i * 2, .payload = large,
            .len = sizeof large, .now_ms = 5000,
        };

        fragment_put_header(large, 0, 2);
        ovs_assert(fragment_table_add(t, &piece, &len, &lost)
                   == FRAGMENT_KEPT);
    }
    ovs_assert(lost == 1 + 20 - FRAGMENT_BYTES / 60000);
    fragment_table_destroy(t);
}

/* A frame that begins with a byte and goes on with many takes the place of the
 * oldest likewise: of what is given, no more than FRAGMENT_BYTES are kept. */
void
test_fragments_grow(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { FRAMES = 20, LARGE = 60000 };
    static uint8_t payload[FRAGMENT_HEADER_LEN + LARGE];
    struct fragment_table *t = fragment_table_create();
    uint64_t lost = 0, given = 0;
    size_t len;

    for (unsigned int index = 0; index < 2; index++) {
        for (unsigned int i = 0; i < FRAMES; i++) {
            struct fragment piece = {
                .session = 1, .sequence = i * 3 + index, .payload = payload,
                .len = FRAGMENT_HEADER_LEN + (index ? LARGE : 1),
            };

            fragment_put_header(payload, index, 3);
            ovs_assert(fragment_table_add(t, &piece, &len, &lost)
                       == FRAGMENT_KEPT);
            given++;
        }
    }
    /* All first pieces that were in the way, and large ones. */
    ovs_assert(given - lost <= 2 * (FRAGMENT_BYTES / LARGE));
    ovs_assert(given - lost >= FRAGMENT_BYTES / LARGE);
    fragment_table_destroy(t);
}
