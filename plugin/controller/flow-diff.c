/* SPDX-License-Identifier: Apache-2.0 */
/* What changes installed flows into desired ones, and in which order. */
#include <config.h>
#include "controller/flow-diff.h"

#include <stdbool.h>
#include <stdlib.h>

#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "byte-order.h"
#include "openvswitch/ofp-actions.h"
#include "util.h"

/* Cookie lists are short: one per learning port and vSubnet. */

static void
cookie_list_add(struct cookie_list *list, uint64_t cookie)
{
    if (list->n >= list->allocated) {
        list->cookies = x2nrealloc(list->cookies, &list->allocated,
                                   sizeof *list->cookies);
    }
    list->cookies[list->n++] = cookie;
}

static int
compare_cookies(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

static void
cookie_list_sort(struct cookie_list *list)
{
    size_t n = 0;

    if (list->n) {
        qsort(list->cookies, list->n, sizeof *list->cookies, compare_cookies);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!i || list->cookies[i] != list->cookies[n - 1]) {
            list->cookies[n++] = list->cookies[i];
        }
    }
    list->n = n;
}

bool
flow_diff_is_learning(const struct cookie_list *list, uint64_t cookie)
{
    return list->n && bsearch(&cookie, list->cookies, list->n,
                              sizeof *list->cookies, compare_cookies);
}

/* Lists in 'list' the cookies that the learn actions in 'set' give and, when
 * 'learnt' is true, those of the learnt flows in it. */
static void
collect_cookies(const struct flow_set *set, bool learnt,
                struct cookie_list *list)
{
    const struct flow_entry *flow;

    FLOW_SET_FOR_EACH (flow, set) {
        const struct ofpact *a;

        if (flow->table == FT_LEARNT) {
            if (learnt && cookie_kind(flow->cookie) == COOKIE_LEARNT) {
                cookie_list_add(list, flow->cookie);
            }
        } else if (flow->table == FT_LEARN) {
            OFPACT_FOR_EACH (a, flow->ofpacts, flow->ofpacts_len) {
                if (a->type == OFPACT_LEARN) {
                    cookie_list_add(list,
                                    ntohll(ofpact_get_LEARN(a)->cookie));
                }
            }
        }
    }
    cookie_list_sort(list);
}

void
flow_diff_list_learning(struct cookie_list *list, const struct flow_set *set)
{
    *list = (struct cookie_list) { NULL, 0, 0 };
    collect_cookies(set, false, list);
}

void
cookie_list_destroy(struct cookie_list *list)
{
    free(list->cookies);
    *list = (struct cookie_list) { NULL, 0, 0 };
}

static void
append(struct flow_diff *diff, enum flow_change_type type,
       const struct flow_entry *flow, uint64_t cookie)
{
    if (diff->n >= diff->allocated) {
        diff->changes = x2nrealloc(diff->changes, &diff->allocated,
                                   sizeof *diff->changes);
    }
    diff->changes[diff->n++] = (struct flow_change) {
        .type = type, .flow = flow, .cookie = cookie,
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

static bool
is_learnt(const struct flow_entry *flow)
{
    return flow->table == FT_LEARNT
           && cookie_kind(flow->cookie) == COOKIE_LEARNT;
}

void
flow_diff_compute(struct flow_diff *diff, const struct flow_set *installed,
                  const struct flow_set *desired)
{
    struct cookie_list valid, present = { NULL, 0, 0 };
    const struct flow_entry *flow;

    *diff = (struct flow_diff) { NULL, 0, 0 };
    FLOW_SET_FOR_EACH (flow, desired) {
        const struct flow_entry *old = flow_set_find(installed, flow);

        if (!old || old->cookie != flow->cookie) {
            append(diff, FLOW_ADD, flow, 0);
        } else if (!flow_entry_same_actions(old, flow)) {
            append(diff, FLOW_MODIFY, flow, 0);
        }
    }
    FLOW_SET_FOR_EACH (flow, installed) {
        if (!is_learnt(flow) && !flow_set_find(desired, flow)) {
            append(diff, FLOW_DELETE, flow, 0);
        }
    }

    flow_diff_list_learning(&valid, desired);
    collect_cookies(installed, true, &present);
    for (size_t i = 0; i < present.n; i++) {
        if (!flow_diff_is_learning(&valid, present.cookies[i])) {
            append(diff, FLOW_SWEEP, NULL, present.cookies[i]);
        }
    }
    cookie_list_destroy(&valid);
    cookie_list_destroy(&present);

    if (diff->n) {
        qsort(diff->changes, diff->n, sizeof *diff->changes, compare_changes);
    }
}

void
flow_diff_destroy(struct flow_diff *diff)
{
    free(diff->changes);
    *diff = (struct flow_diff) { NULL, 0, 0 };
}
