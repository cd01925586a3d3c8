/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have. */
#ifndef VSUBNET_FLOW_DESIRED_H
#define VSUBNET_FLOW_DESIRED_H 1

/* Pure functions from (local ports, mapping, tunnel port) to flows, table by
 * table as flow-tables.h says.  There is one for each binding at another
 * node.
 *
 * The flows come in parts, and what a part depends on is stated here, so that
 * somebody who keeps the flows of each part (flow-index.h) knows which to ask
 * for again:
 *
 *      base        the tunnel port
 *      vSubnet     its row; its local ports; the bindings of their MACs; its
 *                  zone; the MACs that are held in it; the tunnel port; this
 *                  node's number and endpoints
 *      rules       those of a vSubnet; its VNI and labels
 *      binding     itself; its vSubnet's name, VNI, max_macs and
 *                  arp_suppression, and labels if it has any itself; the local
 *                  port that it names, if it is at this node; the tunnel port;
 *                  this node's number
 *
 * Two parts may want different flows for one key (a local port's own MAC, and
 * the binding of it; two ports that both have been given an OpenFlow port
 * number, as Open vSwitch's database may say for a moment; two bindings of one
 * address).  Then the one of the lower rank is wanted: base, vSubnets by VNI,
 * bindings; within a part, the earlier. */

#include <stddef.h>
#include "openvswitch/types.h"

struct ct_zones;
struct flow_entry;
struct flow_set;
struct local_ports;
struct mac_holds;
struct mapping;
struct model_binding;
struct model_net;

struct flow_input {
    const struct local_ports *ports;    /* Sorted. */
    const struct mapping *mapping;      /* Not NULL. */
    ofp_port_t tunnel;                  /* 0: there is none. */
    const struct ct_zones *zones;       /* NULL: there are none. */
    const struct mac_holds *holds;      /* The same. */
};

/* Flows, each with one reference.  A key may appear twice. */
struct flow_list {
    struct flow_entry **flows;
    size_t n, allocated;
};

#define FLOW_LIST_INITIALIZER { NULL, 0, 0 }

void flow_list_clear(struct flow_list *);
void flow_list_destroy(struct flow_list *);

/* The parts: append to the list.  'net' is in the input's mapping, 'binding'
 * in 'net'. */
void flow_desired_base(const struct flow_input *, struct flow_list *);
void flow_desired_net(const struct flow_input *, const struct model_net *net,
                      struct flow_list *);
void flow_desired_rules(const struct flow_input *, const struct model_net *net,
                        struct flow_list *);
void flow_desired_binding(const struct flow_input *,
                          const struct model_net *net,
                          const struct model_binding *binding,
                          struct flow_list *);

/* The whole: adds to 'flows', which the caller has initialised, all that
 * 'input' asks. */
void flow_desired_compute(const struct flow_input *input,
                          struct flow_set *flows);

#endif /* flow-desired.h */
