/* SPDX-License-Identifier: Apache-2.0 */
/* Window of sequence numbers already seen (RFC 6479). */

#ifndef SEAL_REPLAY_H
#define SEAL_REPLAY_H 1

/* Replay window
 * =============
 *
 * UDP reorders, so a receiver can't only ask for increasing sequences; it
 * remembers which of the last REPLAY_WINDOW sequences it has accepted and
 * refuses those and everything older.
 *
 * The bitmap is a ring of words indexed by sequence, as in RFC 6479: moving
 * the window forward clears whole words and shifts nothing.  One word more
 * than the window's size keeps the oldest sequences of the window apart from
 * the newest ones, so that the window is never smaller than its name says.
 *
 * Checking is apart from committing because nothing unauthenticated may change
 * any state:
 *
 *     if (replay_check(window, sequence) == REPLAY_NEW
 *         && aead_open(...)) {
 *         replay_commit(window, sequence);
 *     }
 *
 * Thread safety: none; one window belongs to one receiving thread. */

#include <stdbool.h>
#include <stdint.h>

enum {
    REPLAY_WINDOW = 8192,
    REPLAY_WORDS = REPLAY_WINDOW / 64 + 1,
};

struct replay {
    uint64_t next;              /* 1 + highest sequence accepted, or 0. */
    uint64_t ring[REPLAY_WORDS];
};

enum replay_verdict {
    REPLAY_NEW = 0,
    REPLAY_SEEN,                /* Accepted before. */
    REPLAY_OLD,                 /* Behind the window: might be either. */
};

/* An empty window: nothing seen. */
void replay_init(struct replay *);

/* Everything up to and including 'sequence' counts as seen from now on.  A
 * window that is already further ahead stays as it is. */
void replay_set_floor(struct replay *, uint64_t sequence);

/* Tells whether 'sequence' would be accepted, without changing anything.
 * UINT64_MAX is never accepted: no sender gets there. */
enum replay_verdict replay_check(const struct replay *, uint64_t sequence);

/* Marks 'sequence' as seen, if replay_check() says it is new, and returns
 * replay_check()'s verdict. */
enum replay_verdict replay_commit(struct replay *, uint64_t sequence);

/* Stores the highest sequence seen in '*sequence'.  Returns false if nothing
 * was seen yet. */
bool replay_highest(const struct replay *, uint64_t *sequence);

#endif /* seal/replay.h */
