/* SPDX-License-Identifier: Apache-2.0 */
/* What changes installed flows into desired ones, and in which order. */
#include <config.h>
#include "controller/flow-diff.h"

#include <stdlib.h>

#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "util.h"

static void
append(struct flow_diff *diff, enum flow_change_type type,
       const struct flow_entry *flow, uint64_t cookie)
{
    if (diff->n >= diff->allocated) {
        diff->changes = x2nrealloc(diff->changes, &diff->allocated,
                                   sizeof *diff->changes);
    }
    diff->changes[diff->n++] = (struct flow_change) {
        .type = type,
        .flow = flow ? flow_entry_ref(flow) : NULL,
        .cookie = cookie,
    };
}

/* The order in which 'change' is made; see flow-diff.h. */
static int
change_rank(const struct flow_change *change)
{
    switch (change->type) {
    case FLOW_ADD:
    case FLOW_MODIFY:
        return UINT8_MAX - change->flow->table;
    case FLOW_DELETE:
        return 256 + change->flow->table;
    case FLOW_SWEEP:
    default:
        return 256 + FT_LEARNT;
    }
}

static int
compare_changes(const void *a_, const void *b_)
{
    const struct flow_change *a = a_, *b = b_;
    return change_rank(a) - change_rank(b);
}

/* Appends what makes 'old' (NULL: there is none) into 'flow'. */
static void
compare_wanted(struct flow_diff *diff, const struct flow_entry *old,
               const struct flow_entry *flow)
{
    if (old == flow) {
        return;
    }
    if (!old || old->cookie != flow->cookie) {
        append(diff, FLOW_ADD, flow, 0);
    } else if (!flow_entry_same_actions(old, flow)) {
        append(diff, FLOW_MODIFY, flow, 0);
    }
}

/* Appends the sweeps and puts all in order. */
static void
finish(struct flow_diff *diff, const struct flow_set *installed,
       const struct flow_set *desired)
{
    const struct learn_cookie *c;

    HMAP_FOR_EACH (c, node, &installed->cookies) {
        if (!flow_set_is_learning(desired, c->cookie)) {
            append(diff, FLOW_SWEEP, NULL, c->cookie);
        }
    }
    if (diff->n) {
        qsort(diff->changes, diff->n, sizeof *diff->changes, compare_changes);
    }
}

void
flow_diff_compute(struct flow_diff *diff, const struct flow_set *installed,
                  const struct flow_set *desired)
{
    const struct flow_entry *flow;

    *diff = (struct flow_diff) { NULL, 0, 0 };
    FLOW_SET_FOR_EACH (flow, desired) {
        compare_wanted(diff, flow_set_find(installed, flow), flow);
    }
    FLOW_SET_FOR_EACH (flow, installed) {
        if (!flow_set_find(desired, flow)) {
            append(diff, FLOW_DELETE, flow, 0);
        }
    }
    finish(diff, installed, desired);
}

void
flow_diff_compute_touched(struct flow_diff *diff,
                          const struct flow_set *installed,
                          const struct flow_set *desired,
                          const struct flow_set *touched)
{
    const struct flow_entry *key;

    *diff = (struct flow_diff) { NULL, 0, 0 };
    FLOW_SET_FOR_EACH (key, touched) {
        const struct flow_entry *flow = flow_set_find(desired, key);
        const struct flow_entry *old = flow_set_find(installed, key);

        if (flow) {
            compare_wanted(diff, old, flow);
        } else if (old) {
            append(diff, FLOW_DELETE, old, 0);
        }
    }
    finish(diff, installed, desired);
}

void
flow_diff_destroy(struct flow_diff *diff)
{
    for (size_t i = 0; i < diff->n; i++) {
        flow_entry_unref(diff->changes[i].flow);
    }
    free(diff->changes);
    *diff = (struct flow_diff) { NULL, 0, 0 };
}

bool
flow_change_is_valid(const struct flow_change *change,
                     const struct flow_set *desired)
{
    switch (change->type) {
    case FLOW_ADD:
    case FLOW_MODIFY:
        return flow_set_find(desired, change->flow) == change->flow;
    case FLOW_DELETE:
        return !flow_set_find(desired, change->flow);
    case FLOW_SWEEP:
    default:
        return !flow_set_is_learning(desired, change->cookie);
    }
}
