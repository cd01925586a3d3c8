/* SPDX-License-Identifier: Apache-2.0 */
/* Reports to the mapping service what flows of rules have counted. */
#ifndef VSUBNET_HITS_H
#define VSUBNET_HITS_H 1

/* Each HITS_MS the switch is asked for the counters of the flows whose cookies
 * are rules' (rule-cookie.h).  What each flow has counted since the last time
 * is added to its rule, and what rules have got, if anything, is reported by
 * POST /v1/self/hits:
 *
 *      IDLE --(time is over)--> COUNTING --(last flow)--> REPORTING --.
 *       ^  (cut off: later)         |                         |       |
 *       |<--------------------------'      (nothing is left)  |       | (one
 *       '-----------------------------------------------------'<------'  after
 *                                                                   another)
 *
 * It is asked for in parts, by table and by bits of the cookies, of some
 * HITS_PART rules each: the switch forwards nothing while it answers.
 *
 * Counters of a flow belong to its table, priority and match.  One that has
 * counted less than before was made anew.  The first time after a start is
 * when the switch is connected, before this controller has changed a flow: all
 * that is counted by then was an earlier one's to report.
 *
 * While the service is away sums grow, one for each rule.  A report whose
 * answer is lost is not repeated: then what it was for may have arrived, and
 * rather a packet is missing than there twice.
 *
 * Nothing is asked for while there are no rules.  Not thread-safe. */

#include <stdbool.h>

enum {
    HITS_MS = 30 * 1000,
    HITS_ITEMS_MAX = 500,       /* In one request. */
    HITS_PART = 256,
};

struct client;
struct mapping;
struct ofctrl;
struct ofputil_flow_stats;

struct hits *hits_create(struct client *);
void hits_destroy(struct hits *);

/* Asks and reports.  'mapping' may be null. */
void hits_run(struct hits *, struct ofctrl *, const struct mapping *);
void hits_wait(const struct hits *);

/* Does now what would be done in a while. */
void hits_hurry(struct hits *);

/* For ofctrl_events.counted: a flow, or null after the last one. */
void hits_counted(struct hits *, const struct mapping *,
                  const struct ofputil_flow_stats *);

/* Returns the body of the next request and forgets what is in it; null if
 * there is nothing to report.  The caller frees it. */
char *hits_take_report(struct hits *, const struct mapping *);

#endif /* hits.h */
