/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a queue's delay short: CoDel, RFC 8289. */

#include <config.h>
#include "datapath/codel.h"

#include <math.h>


/* When the signal after the one at 'from' is due: the more there were, the
 * sooner (RFC 8289, section 3.3). */
static int64_t
next_signal(const struct codel *c, int64_t from)
{
    return from + (int64_t) (CODEL_INTERVAL_US / sqrt(c->count));
}

/* Whether packets have been waiting for too long, for long enough. */
static bool
is_congested(struct codel *c, int64_t now_us, int64_t waited_us,
             size_t queued)
{
    if (waited_us < CODEL_TARGET_US || queued <= CODEL_SHORT_BYTES) {
        c->above_until = 0;
        return false;
    }
    if (!c->above_until) {
        c->above_until = now_us + CODEL_INTERVAL_US;
        return false;
    }
    return now_us >= c->above_until;
}

/* Begins to signal: where it left off, if that was not long ago. */
static void
begin(struct codel *c, int64_t now_us)
{
    uint32_t grown = c->count - c->last_count;
    bool recent = now_us - c->next < 16 * CODEL_INTERVAL_US;

    c->signalling = true;
    c->count = grown > 1 && recent ? grown : 1;
    c->last_count = c->count;
    c->next = next_signal(c, now_us);
}

bool
codel_dequeue(struct codel *c, int64_t now_us, int64_t waited_us,
              size_t queued)
{
    bool congested = is_congested(c, now_us, waited_us, queued);

    if (!congested) {
        c->signalling = false;
        return false;
    }
    if (!c->signalling) {
        begin(c, now_us);
        return true;
    }
    if (now_us < c->next) {
        return false;
    }
    c->count++;
    c->next = next_signal(c, c->next);
    return true;
}
