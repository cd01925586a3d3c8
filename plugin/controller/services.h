/* SPDX-License-Identifier: Apache-2.0 */
/* What the host answers to guests, from punt to frame. */
#ifndef VSUBNET_SERVICES_H
#define VSUBNET_SERVICES_H 1

/* A flow of table 18 sends a guest's request up (PUNT_DHCP4, ...).  Who asks
 * is the port and the source MAC; what it is told is in the mapping:
 *
 *      vSubnet of the port --> settings  \
 *                                         dhcp4.h, ... --> out of that port
 *      binding of the MAC at the port -->/
 *
 * A MAC that is not bound at that port gets no answer, so nobody can ask for
 * what is another's.  A binding is at a port if it names it, or the port's
 * iface-id, or if its MAC is the port's own and no operator put it elsewhere.
 *
 * The mapping is the one that the controller has, so the service goes on while
 * the mapping service is away.  Each port has a rate of its own (beside the
 * meters, which bound what comes up), each outcome a counter.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct controller;
struct ds;
struct local_port;
struct mapping;
struct model_binding;
struct model_net;
struct punt;

enum service_kind { SERVICE_DHCP4, SERVICE_DHCP6, SERVICE_RA, N_SERVICES };

enum service_outcome {
    OUTCOME_ANSWERED,
    OUTCOME_NOTED,
    OUTCOME_NO_ADDRESS,
    OUTCOME_OTHERS,
    OUTCOME_BAD,
    OUTCOME_NO_BINDING,
    OUTCOME_TOO_MANY,
    N_OUTCOMES
};

struct services {
    struct hmap ports;          /* Contains "struct service_port"s. */
    uint64_t counts[N_SERVICES][N_OUTCOMES];
    uint64_t n_advertised;      /* Router advertisements that nobody asked. */
};

void services_init(struct services *);
void services_destroy(struct services *);

/* Sends router advertisements to bound ports: at once where what they say has
 * changed, and each RA_INTERVAL. */
void services_run(struct controller *);

void services_receive(struct controller *, const struct punt *);

/* Appends the counters (model/metrics.h). */
void services_metrics(const struct services *, struct ds *);

/* The binding of 'mac' in 'net' if it is at the port, or NULL. */
const struct model_binding *services_binding(const struct mapping *,
                                             const struct model_net *,
                                             const struct local_port *,
                                             struct eth_addr mac);

#endif /* services.h */
