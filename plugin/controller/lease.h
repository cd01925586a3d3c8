/* SPDX-License-Identifier: Apache-2.0 */
/* What the service answers to who wants to act under a node ID. */
#ifndef VSUBNET_LEASE_H
#define VSUBNET_LEASE_H 1

/* The lease
 * =========
 *
 * A node ID and its credential are bytes on a disk, and disks are copied: a
 * virtual machine is cloned, a snapshot is restored.  So the service lets one
 * instance (instance.h) at a time act under a node ID, the lease's holder, and
 * each begins with `PUT /v1/self/lease`.  The answer decides:
 *
 *      200                     GRANTED     go on
 *      409 lease-held          HELD        another instance was heard of just
 *                                          now: ask again in 'retry_after' s
 *      409 duplicate-node-id   DUPLICATE   another one is alive: this is the
 *                                          clone, and needs an ID of its own
 *      409 adopted             ADOPTED     an operator gave this node the ID
 *                                          of the one it is a clone of: 'id'
 *      401                     UNKNOWN     another credential may do
 *      403 and other 4xx       REFUSED     it can't be helped from here
 *      anything else           FAILED      ask again
 *
 * A clone registers under its new ID with the credential of its origin; that
 * answer's GRANTED has the number and name that the service gave it.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/uuid.h"

struct node_file;

enum lease_verdict {
    LEASE_NONE,                 /* Nothing was answered yet. */
    LEASE_GRANTED,
    LEASE_HELD,
    LEASE_DUPLICATE,
    LEASE_ADOPTED,
    LEASE_UNKNOWN,
    LEASE_REFUSED,
    LEASE_FAILED,
};

enum { LEASE_RETRY_MAX = 60 };  /* Seconds. */

struct lease_answer {
    enum lease_verdict verdict;
    char *reason;               /* In words, unless granted. */
    int retry_after;            /* HELD: seconds, 1 to LEASE_RETRY_MAX. */
    struct uuid id;             /* ADOPTED. */
    struct uuid origin;         /* GRANTED: of whom it is a clone, or zero. */
    uint32_t number;            /* A registration that was GRANTED. */
    char *name;                 /* Likewise, or NULL. */
};

/* 'status' is 0, and 'error' says why, if there was no answer. */
void lease_answer_parse(struct lease_answer *, bool registration, long status,
                        const char *error, const char *body, size_t n);
void lease_answer_destroy(struct lease_answer *);

/* True if an answer to any other request says that this instance is not, or
 * not any more, the holder, or its credential not the one. */
bool lease_is_lost(long status, const char *body, size_t n);

/* Bodies of requests, which the caller frees: they have no secrets.
 * 'endpoints' is a comma-separated list, or NULL. */
char *lease_body(const char *instance, const char *fingerprint,
                 const char *endpoints);
char *lease_register_body(const struct node_file *, const char *fingerprint,
                          const char *endpoints);

/* True if the credential of 'node' is to be replaced by a new one, at 'now'
 * (seconds of the epoch): it is a day old, or from before this instance, which
 * began at 'instance_made'. */
bool lease_credential_is_due(const struct node_file *node,
                             long long int instance_made, long long int now);

#endif /* lease.h */
