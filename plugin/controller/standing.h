/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine may do under its node ID. */
#ifndef VSUBNET_STANDING_H
#define VSUBNET_STANDING_H 1

/* node.json says who this node is; but it may be a copy, on another machine,
 * and the controller must not speak with another node's keys.  How far it
 * goes:
 *
 *                        node.json
 *      ABSENT ------------------------------> CONSIDERED
 *        ^ ^                                   |      |
 *        | |                    (fingerprint   |      | (another machine)
 *        | |                     is the same)  v      v
 *        | '---(node.json goes)----------- TRUSTED <- STRANGER
 *        |                                     ^  granted |
 *        |                          written,   |          |
 *        |                          registered |          | duplicate:
 *        '---(node.json goes)------------- NEWCOMER <-----' also of TRUSTED
 *
 *   - STRANGER: this machine's fingerprint is not the one in node.json.  Keys
 *     and cache are not even read, so there is no mapping: neither keyring nor
 *     flows are touched until the service has granted the lease.
 *   - TRUSTED: keys and cache are in use, also while the service is away.
 *     When the lease is granted, node.json gets this machine's fingerprint.
 *   - NEWCOMER: the service says that another instance is the node, and alive.
 *     Keys, cache, keyring and flows are forgotten; then a new ID is made and
 *     written down, with the old one as its origin; then it is registered.
 *     An operator decides what becomes of it.  An operator may also say that
 *     it was the right one all along ("adopted"): it then gets its old ID
 *     back, and begins with nothing in the same way.  That may have happened
 *     to its origin, which was a copy too, before it was registered.
 *
 * Whatever is to be written down is, before it is told; while node.json can't
 * be written, the writing is tried again and the rest waits.
 *
 * These are the controller's functions for it; not thread-safe. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/uuid.h"

struct controller;

enum standing_duty {
    DUTY_NONE,
    DUTY_NEW_ID,                /* This is a clone. */
    DUTY_ADOPTED,               /* It has the ID 'id' now, */
    DUTY_ORIGIN_ADOPTED,        /* or its origin has. */
    DUTY_REGISTERED,            /* The service has given number and name. */
};

struct standing {
    struct uuid node;           /* Who this node is; zero: ABSENT. */
    bool trusted;               /* Else STRANGER, or not yet CONSIDERED. */
    bool stranger;
    struct uuid origin;         /* Of whom the service says that it is a
                                 * clone; zero: of none, or not known. */

    enum standing_duty duty;    /* What is to be written down. */
    struct uuid id;
    uint32_t number;
    char *name;

    char *fingerprint;          /* This machine's; NULL: not yet looked at. */
};

void standing_destroy(struct standing *);

/* node.json, as it is now. */
void standing_run_identity(struct controller *);

/* What the service says.  To be run after the client. */
void standing_run_lease(struct controller *);

/* For vsubnet/status: "none", "waiting", "held" or "refused". */
const char *standing_lease_name(const struct controller *);

#endif /* standing.h */
