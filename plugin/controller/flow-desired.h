/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have. */
#ifndef VSUBNET_FLOW_DESIRED_H
#define VSUBNET_FLOW_DESIRED_H 1

/* One pure function from (local ports, mapping, tunnel port) to a set of
 * flows, table by table as flow-tables.h says.  Its cost is in proportion to
 * the bindings: two flows for each at another node, at most. */

#include "openvswitch/types.h"

struct flow_set;
struct local_ports;
struct mapping;

struct flow_input {
    const struct local_ports *ports;    /* Sorted. */
    const struct mapping *mapping;      /* Not NULL. */
    ofp_port_t tunnel;                  /* 0: there is none. */
};

/* Adds to 'flows', which the caller has initialised, what 'input' asks. */
void flow_desired_compute(const struct flow_input *input,
                          struct flow_set *flows);

#endif /* flow-desired.h */
