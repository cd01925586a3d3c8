/* SPDX-License-Identifier: Apache-2.0 */
/* Which bindings this node should register and remove. */
#ifndef VSUBNET_BINDINGS_H
#define VSUBNET_BINDINGS_H 1

/* The pure part of registrar.h: (ports, learnt, mapping, time) -> lists. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/types.h"
#include "model/types.h"

struct learnt;
struct local_port;
struct local_ports;
struct mapping;
struct model_binding;
struct model_net;

/* A binding that this node has.  The strings are the port's. */
struct binding_put {
    const struct local_port *port;
    struct eth_addr mac;
    struct model_address addresses[MODEL_ADDRESSES_MAX];
    size_t n_addresses;
    uint64_t sequence;          /* The binding's, of which this node knows;
                                 * 0: there is none. */
};

struct binding_remove {
    const char *net;            /* The mapping's. */
    struct eth_addr mac;
};

struct binding_changes {
    struct binding_put *puts;
    size_t n_puts, allocated_puts;
    struct binding_remove *removes;
    size_t n_removes, allocated_removes;
};

/* Lists what differs from 'mapping'. */
void binding_changes_compute(struct binding_changes *,
                             const struct mapping *,
                             const struct local_ports *,
                             const struct learnt *, long long int now);
void binding_changes_destroy(struct binding_changes *);

#endif /* bindings.h */
