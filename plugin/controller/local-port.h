/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's ports that are in a vSubnet. */
#ifndef VSUBNET_LOCAL_PORT_H
#define VSUBNET_LOCAL_PORT_H 1

/* A plain list, made anew from the database's rows (ovs-config.h) whenever
 * those or the mapping change, and ordered by name so that two lists are
 * equal when they say the same.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include "controller/claim.h"
#include "openvswitch/types.h"

struct local_port {
    char *name;                 /* Of the Interface. */
    char *net;                  /* Name of the vSubnet. */
    char *iface_id;             /* external_ids:iface-id, or NULL. */
    uint32_t vni;
    ofp_port_t ofport;          /* 0 if vswitchd has not given one. */
    bool host_port;             /* One of ours: the host's own. */
    bool has_mac;               /* Otherwise MACs are learnt. */
    char *blocked;              /* Why it is cut off, or NULL: it is not. */
    struct eth_addr mac;
    struct claim claim;         /* On the MAC, if it has one. */
    bool waits;                 /* Takes no MAC from another node until its
                                 * guest speaks: vsubnet-activation. */
};

struct local_ports {
    struct local_port *ports;
    size_t n, allocated;
};

#define LOCAL_PORTS_INITIALIZER { NULL, 0, 0 }

/* Makes 'dst', which is empty, a copy. */
void local_ports_copy(struct local_ports *dst, const struct local_ports *src);
void local_ports_swap(struct local_ports *, struct local_ports *);

/* Adds a port and returns it, with its names filled in. */
struct local_port *local_ports_add(struct local_ports *, const char *name,
                                   const char *net, uint32_t vni);
void local_ports_sort(struct local_ports *);
void local_ports_destroy(struct local_ports *);
bool local_port_equal(const struct local_port *, const struct local_port *);
bool local_ports_equal(const struct local_ports *, const struct local_ports *);
const struct local_port *local_ports_find(const struct local_ports *,
                                          const char *name);
const struct local_port *local_ports_find_ofport(const struct local_ports *,
                                                 ofp_port_t);

#endif /* local-port.h */
