/* SPDX-License-Identifier: Apache-2.0 */
/* What changes installed flows into desired ones, and in which order. */
#ifndef VSUBNET_FLOW_DIFF_H
#define VSUBNET_FLOW_DIFF_H 1

/* Make before break
 * =================
 *
 * A difference is a list of changes.  First come new and changed flows, from
 * the last table to the first, so that a frame which a new flow passes on
 * always finds its continuation; then deletions, from the first table to the
 * last, for the same reason.  The list may be cut anywhere into bundles.
 *
 * Learnt flows (cookie kind COOKIE_LEARNT) belong to the switch and never
 * differ, except that those of a port or vSubnet that is gone are swept out,
 * all of one cookie at a time.  Flows of no cookie of ours are deleted: the
 * bridge is ours.
 *
 * Whether learnt flows are to be swept is seen from the flow that learnt them
 * and from those in 'installed'.  So somebody who has made only a part of the
 * changes takes down in 'installed' each cookie that is still to be swept;
 * and since ovs-vswitchd may learn once more for a frame that it handled
 * before, also each that turns up later (flow_set_set_learnt()).
 *
 * All of two sets is compared when what is installed has just been read; after
 * that only the keys in which 'desired' has changed, however many there are of
 * the others.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow_entry;
struct flow_set;

enum flow_change_type {
    FLOW_ADD,                   /* Adds, or replaces one with other cookie. */
    FLOW_MODIFY,                /* Other actions; counters are kept. */
    FLOW_DELETE,
    FLOW_SWEEP,                 /* All learnt flows of 'cookie'. */
};

struct flow_change {
    enum flow_change_type type;
    struct flow_entry *flow;    /* Of desired, or (FLOW_DELETE) of installed.
                                 * NULL for FLOW_SWEEP. */
    uint64_t cookie;            /* FLOW_SWEEP only. */
};

/* Has references to its flows, so both sets may change meanwhile. */
struct flow_diff {
    struct flow_change *changes;
    size_t n, allocated;
};

void flow_diff_compute(struct flow_diff *, const struct flow_set *installed,
                       const struct flow_set *desired);

/* The same when the sets differ in no other keys than those in 'touched'. */
void flow_diff_compute_touched(struct flow_diff *,
                               const struct flow_set *installed,
                               const struct flow_set *desired,
                               const struct flow_set *touched);
void flow_diff_destroy(struct flow_diff *);

/* True if 'change', computed before, still does what 'desired' says now.  If
 * not, the key has been touched since. */
bool flow_change_is_valid(const struct flow_change *,
                          const struct flow_set *desired);

#endif /* flow-diff.h */
