/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit Congestion Notification through a tunnel: RFC 6040. */

#ifndef DATAPATH_ECN_H
#define DATAPATH_ECN_H 1

/* ECN
 * ===
 *
 * A router that has too much to do marks packets instead of dropping them, if
 * their sender has said that it understands that.  The router sees the outer
 * IP header, the sender's peer the inner one, so both ends of a tunnel have to
 * carry the two bits over:
 *
 *   - Encapsulating (section 4.1, normal mode), the outer header gets the
 *     inner one's bits: ecn_get().
 *   - Decapsulating (section 4.2), the inner header becomes, from what it is
 *     and what the outer one says:
 *
 *         inner    | outer: Not-ECT | ECT(0)  | ECT(1)  | CE
 *         ---------+----------------+---------+---------+-----
 *         Not-ECT  | Not-ECT        | Not-ECT | Not-ECT | drop
 *         ECT(0)   | ECT(0)         | ECT(0)  | ECT(1)  | CE
 *         ECT(1)   | ECT(1)         | ECT(1)  | ECT(1)  | CE
 *         CE       | CE             | CE      | CE      | CE
 *
 * Frames that are not IP have no such bits: they go out as Not-ECT and come
 * in whatever the outer header says.
 *
 * A queue of our own need not signal to whom it is lost on, a drop least of
 * all: ecn_is_heeded() tells. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ecn {
    ECN_NOT_ECT = 0,
    ECN_ECT_1 = 1,
    ECN_ECT_0 = 2,
    ECN_CE = 3,

    ECN_MASK = 3,
};

enum ecn_verdict {
    ECN_PASS,                   /* Unchanged, or with no news. */
    ECN_MARKED,                 /* It has become CE. */
    ECN_DROP,                   /* Only a drop can say what CE says. */
    ECN_NOT_IP,                 /* Unchanged: no IP in this frame. */
};

/* The bits of the IP header in the Ethernet frame of 'n' bytes. */
enum ecn ecn_get(const void *frame, size_t n);

/* Returns true if the sender of the Ethernet frame of 'n' bytes slows down when
 * the frame is marked or lost: it said so by its ECN bits, or it is TCP that
 * carries data. */
bool ecn_is_heeded(const void *frame, size_t n);

/* Sets those bits as they have to be after a tunnel whose outer header said
 * 'outer', and the IPv4 checksum accordingly. */
enum ecn_verdict ecn_decapsulate(void *frame, size_t n, enum ecn outer);

#endif /* datapath/ecn.h */
