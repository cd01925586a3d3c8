/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch would do with a frame, by flows in a set. */
#ifndef FLOW_SIM_H
#define FLOW_SIM_H 1

/* As much of Open vSwitch's pipeline as desired flows use.  Connection
 * tracking is the caller's: who says what ct() finds out about the packet.
 * Nothing is learnt, and meters let everything pass. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flow.h"

struct flow_set;

enum { FLOW_SIM_MAX = 32 };

struct flow_sim {
    /* In.  'flow' changes. */
    struct flow flow;
    struct flow tracked;        /* Its ct_* fields after ct(). */

    /* Out. */
    uint16_t outputs[FLOW_SIM_MAX];     /* OpenFlow ports, in order. */
    size_t n_outputs;
    bool tracks;                /* ct() was asked. */
    uint16_t zone;
    bool commits, blocks, unblocks;
    uint64_t hits[FLOW_SIM_MAX];        /* Cookies of rules, in order. */
    size_t n_hits;
    size_t n_logged;
};

/* The tables that flows are in, made once. */
struct flow_sim_tables *flow_sim_tables_create(const struct flow_set *);
void flow_sim_tables_destroy(struct flow_sim_tables *);

void flow_sim_run(struct flow_sim *, const struct flow_sim_tables *);

#endif /* flow-sim.h */
