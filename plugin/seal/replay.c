/* SPDX-License-Identifier: Apache-2.0 */
/* Window of sequence numbers already seen (RFC 6479). */

#include <config.h>
#include "seal/replay.h"

#include <string.h>
#include "util.h"

enum { WORD_BITS = 64 };

static uint64_t
word_of(uint64_t sequence)
{
    return sequence / WORD_BITS;
}

static uint64_t *
slot(struct replay *replay, uint64_t word)
{
    return &replay->ring[word % REPLAY_WORDS];
}

void
replay_init(struct replay *replay)
{
    memset(replay, 0, sizeof *replay);
}

void
replay_set_floor(struct replay *replay, uint64_t sequence)
{
    if (sequence < UINT64_MAX && sequence >= replay->next) {
        /* Whole words are set, and so are bits above 'sequence' in its word;
         * those have to be clear. */
        memset(replay->ring, 0xff, sizeof replay->ring);
        *slot(replay, word_of(sequence)) =
            UINT64_MAX >> (WORD_BITS - 1 - sequence % WORD_BITS);
        replay->next = sequence + 1;
    }
}

enum replay_verdict
replay_check(const struct replay *replay, uint64_t sequence)
{
    if (sequence == UINT64_MAX) {
        return REPLAY_OLD;
    }
    if (sequence >= replay->next) {
        return REPLAY_NEW;
    }
    if (replay->next - sequence > REPLAY_WINDOW) {
        return REPLAY_OLD;
    }

    uint64_t word = replay->ring[word_of(sequence) % REPLAY_WORDS];
    return word >> sequence % WORD_BITS & 1 ? REPLAY_SEEN : REPLAY_NEW;
}

enum replay_verdict
replay_commit(struct replay *replay, uint64_t sequence)
{
    enum replay_verdict verdict = replay_check(replay, sequence);

    if (verdict != REPLAY_NEW) {
        return verdict;
    }
    if (sequence >= replay->next) {
        /* The words that the window moves into hold bits of sequences that
         * are REPLAY_WORDS * WORD_BITS older. */
        uint64_t word = replay->next ? word_of(replay->next - 1) : 0;
        uint64_t n = MIN(word_of(sequence) - word, REPLAY_WORDS);

        for (uint64_t i = 0; i < n; i++) {
            *slot(replay, word_of(sequence) - i) = 0;
        }
        replay->next = sequence + 1;
    }
    *slot(replay, word_of(sequence)) |= UINT64_C(1) << sequence % WORD_BITS;
    return REPLAY_NEW;
}

bool
replay_highest(const struct replay *replay, uint64_t *sequence)
{
    *sequence = replay->next - 1;
    return replay->next > 0;
}
