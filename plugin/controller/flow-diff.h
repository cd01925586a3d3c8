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
 * changes keeps in 'installed' a learnt flow for each cookie that is still to
 * be swept; and since ovs-vswitchd may learn once more for a frame that it
 * handled before, for each that turns up later (flow_diff_is_learning()).
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
    const struct flow_entry *flow;  /* Of desired, or (FLOW_DELETE) of
                                     * installed.  NULL for FLOW_SWEEP. */
    uint64_t cookie;                /* FLOW_SWEEP only. */
};

struct flow_diff {
    struct flow_change *changes;
    size_t n, allocated;
};

/* Points into both sets: neither may change while the diff is in use. */
void flow_diff_compute(struct flow_diff *, const struct flow_set *installed,
                       const struct flow_set *desired);
void flow_diff_destroy(struct flow_diff *);

/* The cookies that flows learnt by a set of desired flows have, sorted. */
struct cookie_list {
    uint64_t *cookies;
    size_t n, allocated;
};

void flow_diff_list_learning(struct cookie_list *, const struct flow_set *);
bool flow_diff_is_learning(const struct cookie_list *, uint64_t cookie);
void cookie_list_destroy(struct cookie_list *);

#endif /* flow-diff.h */
