/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a queue's delay short: CoDel, RFC 8289. */

#ifndef DATAPATH_CODEL_H
#define DATAPATH_CODEL_H 1

/* CoDel
 * =====
 *
 * The slowest part of an encrypted tunnel is the receiving thread, so what
 * TCP has in flight waits in its socket: all that the buffer takes.  A small
 * buffer loses runs of segments whenever a burst comes; a large one is delay
 * for everybody.  CoDel lets bursts in, and tells the senders to slow down
 * (one packet marked or dropped at a time) only when packets have waited for
 * longer than the target for a whole interval.
 *
 * A thread that is not woken up in time makes packets wait as well, which is
 * no fault of their senders: to slow them down would not help, and a segment
 * that is sent again alone would be late, and dropped, each time.  So a queue
 * with no more in it than one large packet has is short, whatever the delay.
 *
 * The caller asks once for each packet that it takes from the queue, with how
 * long that packet was in it.  A signal need not be given to that packet: one
 * that is behind it, and whose sender heeds it, does as well, as long as
 * 'signalling' is set.
 *
 * Thread safety: a struct codel belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What RFC 8289 recommends, 5 and 100 ms, is for access links.  A core
 * decrypts what arrives in a fraction of a millisecond or is overloaded. */
enum {
    CODEL_TARGET_US = 200,
    CODEL_INTERVAL_US = 1000,

    CODEL_SHORT_BYTES = 65536,  /* RFC 8289 says one MTU: that of TSO. */
};

struct codel {
    int64_t above_until;        /* Packets waited too long ever since one
                                 * interval before; 0: the last one didn't. */
    int64_t next;               /* When to signal again, if 'signalling'. */
    uint32_t count;             /* Signals since that began. */
    uint32_t last_count;        /* 'count' when it began. */
    bool signalling;
};

/* Returns true if the packet that is taken from the queue at 'now_us', after
 * it has waited for 'waited_us', should signal congestion to its sender.
 * 'queued' is how many bytes were in the queue then, its own included. */
bool codel_dequeue(struct codel *, int64_t now_us, int64_t waited_us,
                   size_t queued);

#endif /* datapath/codel.h */
