/* SPDX-License-Identifier: Apache-2.0 */
/* Puts frames together that came in several datagrams. */

#ifndef DATAPATH_FRAGMENT_H
#define DATAPATH_FRAGMENT_H 1

/* Fragments
 * =========
 *
 * A frame that fits in no datagram is cut into up to FRAGMENT_MAX pieces, each
 * sealed in a datagram of its own, of type WIRE_FRAGMENT and with consecutive
 * sequences.  What is sealed is:
 *
 *     index (1 byte), number of pieces (1 byte), the piece
 *
 * So a frame is named by the session and by the sequence of its first piece,
 * which follows from that of any piece, and no identifier can be guessed or
 * collide.  Only pieces that were authentic and not replayed come here: an
 * outsider can't put anything in, nor fill the memory.
 *
 * There is one table for each sender (SPI), so that no sender can take memory
 * from another.  It holds FRAGMENT_FRAMES frames and FRAGMENT_BYTES bytes; a
 * new one that has no room takes the place of the oldest.  What is incomplete
 * after a second is given up when its place is wanted or the next frame
 * begins.  Pieces that are given up are counted as lost.
 *
 * Thread safety: a table belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "datapath/ecn.h"

enum {
    FRAGMENT_HEADER_LEN = 2,
    FRAGMENT_MAX = 8,           /* Pieces of a frame: 9,000 bytes of a guest
                                 * over an underlay of 1,280. */
    FRAGMENT_FRAMES = 64,
    FRAGMENT_BYTES = 512 * 1024,
    FRAGMENT_LIFE_MS = 1000,
};

/* Writes the header of piece 'index' of 'total' to 'payload'. */
void fragment_put_header(void *payload, unsigned int index,
                         unsigned int total);

/* A piece that has been opened. */
struct fragment {
    uint64_t session;
    uint64_t sequence;
    const void *payload;        /* With its header. */
    size_t len;
    long long int now_ms;       /* On a clock that never jumps. */
    enum ecn ecn;               /* Of its datagram's outer header. */
};

enum fragment_verdict {
    FRAGMENT_KEPT,              /* Others are missing. */
    FRAGMENT_COMPLETE,          /* It was the last one missing. */
    FRAGMENT_BAD,               /* No sender of ours makes such a piece. */
};

struct fragment_table *fragment_table_create(void);
void fragment_table_destroy(struct fragment_table *);   /* NULL is fine. */

/* Takes a copy of 'piece'.  Adds to '*lost' how many pieces were given up.  If
 * it completes a frame stores its length in '*len'; fragment_table_take() is
 * then called before anything else. */
enum fragment_verdict fragment_table_add(struct fragment_table *,
                                         const struct fragment *piece,
                                         size_t *len, uint64_t *lost);

/* Writes the complete frame to 'frame' and forgets it.  Returns the ECN bits of
 * the last piece, or CE if one piece had that (RFC 3168, section 5.3). */
enum ecn fragment_table_take(struct fragment_table *, void *frame);

#endif /* datapath/fragment.h */
