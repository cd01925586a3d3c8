/* SPDX-License-Identifier: Apache-2.0 */
/* Traces that are under way. */
#ifndef VSUBNET_TRACE_H
#define VSUBNET_TRACE_H 1

/* `ovs-appctl -t vsubnet-controller vsubnet/trace QUESTION` (trace-query.h)
 * asks this host's own switch where a frame would go, and says it in words
 * (trace-words.h).  No frame is sent.
 *
 *      question --> ofproto/trace --(to one node's tunnel port)--.
 *                        |                                       v
 *                        |                                 vsubnet/show
 *                        v                                       |
 *                      answer <----------------------------------'
 *
 * The same question may come from the mapping service, in an event "ask"
 * {"id","question"}, for an operator who traces from elsewhere; it is answered
 * by POST /v1/self/answer {"id","answer"} or {"id","error"}.
 *
 * If "src" is at another node the answer is {"elsewhere":{"number","name"}}.
 *
 * ovs-vswitchd has TRACE_MS for each step, and TRACES_MAX may be under way;
 * more are refused, or left out if they come from the service.  Not thread-safe. */

#include <stdbool.h>
#include "openvswitch/list.h"

struct controller;
struct sse_event;

enum {
    TRACES_MAX = 8,
    TRACE_MS = 5000,
    TRACE_ANSWER_MAX = 60 * 1024,       /* Of an answer to the service. */
};

struct traces {
    struct ovs_list list;       /* Contains "struct trace"s. */
};

/* Registers the command; 'c' must outlive the unixctl server. */
void traces_init(struct controller *c);

/* Takes in 'event' if it is an "ask"; returns true if it is. */
bool traces_event(struct controller *, const struct sse_event *);

void traces_run(struct controller *);
void traces_wait(const struct controller *);
void traces_destroy(struct controller *);

#endif /* trace.h */
