/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what `ofproto/trace` prints. */
#ifndef VSUBNET_TRACE_TEXT_H
#define VSUBNET_TRACE_TEXT_H 1

/* The text goes from flow to flow, visits indented under the flow that made
 * them, and goes on after connection tracking under a new heading:
 *
 *      bridge("br-int")
 *      ----------------
 *       0. in_port=3, priority 100, cookie 0x300138900000003
 *          set_field:0x1389->metadata
 *          goto_table:5
 *      ...
 *      20. priority 0, cookie 0x100000000000000
 *          resubmit(,30)
 *          30. metadata=0x1389,dl_dst=..., priority 100, cookie 0x4...
 *                  set_field:0x1->reg14
 *      ...
 *      Final flow: ...
 *      Datapath actions: 5
 *
 * Out of it comes a list of steps, in that order, each with its actions and
 * the ports it sent the frame to.  What is not understood is left out: the
 * text is for people, and may change.  Sizes are bounded: of a text of any
 * length TRACE_STEPS_MAX steps and TRACE_ACTIONS_MAX actions of each are kept.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "svec.h"

enum {
    TRACE_STEPS_MAX = 128,
    TRACE_ACTIONS_MAX = 64,
    TRACE_OUTPUTS_MAX = 1024,   /* In all. */
};

struct trace_step {
    int depth;                  /* 0: on the way; more: only visited. */
    uint8_t table;
    bool miss;                  /* No flow matched. */
    int priority;
    uint64_t cookie;            /* 0: none. */
    char *match;
    struct svec actions;        /* Without what was said of them. */
    uint16_t *outputs;          /* OpenFlow ports. */
    size_t n_outputs;
};

struct trace_text {
    struct trace_step *steps;
    size_t n;
    size_t n_outputs;
    bool cut;                   /* There was more than is kept. */
    bool tracked;               /* It went through connection tracking. */
    uint32_t tun_dst;           /* At the end; host byte order, 0: none. */
    char *error;                /* Why translation ended early, or NULL. */
    char *datapath_actions;     /* The last ones, or NULL. */
};

void trace_text_parse(struct trace_text *, const char *text);
void trace_text_destroy(struct trace_text *);

#endif /* trace-text.h */
