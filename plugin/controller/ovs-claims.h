/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of the bridge's ports, kept on their Interfaces. */
#ifndef VSUBNET_OVS_CLAIMS_H
#define VSUBNET_OVS_CLAIMS_H 1

/* Part of ovs-config.c.  A claim (claim.h) is known here from when its
 * Interface is first seen; external_ids:vsubnet-claim is what is left of it
 * for the next run.  So what is decided here holds at once, and the database
 * may be slow. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/shash.h"

struct local_port;
struct mapping;
struct ovsdb_idl_txn;
struct ovsrec_interface;
struct sset;

struct ovs_claims {
    struct shash ports;         /* "struct ovs_claim"s by name. */
};

void ovs_claims_init(struct ovs_claims *);
void ovs_claims_destroy(struct ovs_claims *);

/* Gives 'port', which is 'iface', its claim by what 'mapping' says of its MAC.
 * It is written to 'iface' unless 'txn' is NULL.  'spoke' are the names of
 * ports whose guests spoke, or NULL. */
void ovs_claims_update(struct ovs_claims *, const struct ovsrec_interface *,
                       struct ovsdb_idl_txn *txn, const struct mapping *,
                       const struct sset *spoke, struct local_port *port);

/* Forgets those that were not updated since this was last called. */
void ovs_claims_prune(struct ovs_claims *);

#endif /* ovs-claims.h */
