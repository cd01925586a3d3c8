/* SPDX-License-Identifier: Apache-2.0 */
/* The queue through which every change of the database passes. */

#ifndef MAPPER_TXN_H
#define MAPPER_TXN_H 1

/* Requests that change something are applied to the IDL in groups: one OVSDB
 * transaction holds up to TXN_GROUP_MAX of them, and one transaction is on its
 * way at a time.  Each commit costs an fsync at the server; grouping shares
 * it among those who wait.
 *
 *      queued --apply--> committing --reply--> syncing --IDL has it--> done
 *                ^            |
 *                +--retrying--+  (lost connection, or another mapper
 *                                 changed something in between)
 *
 * Applying a request means: check everything against the database as it is
 * now (with what earlier requests of the group have changed), only then
 * write, and prepare the answer.  A request that fails its checks has changed
 * nothing and does not disturb its group.  It may be applied several times,
 * once an attempt, and must not remember anything but its answer.
 *
 * Each group increments Service.number, which its rows carry as their
 * revision, and verifies that no one else did.  When the connection is lost
 * nobody knows whether the commit happened: each attempt writes an ID of its
 * own into this mapper's row of table Instance, so after the reconnection
 * the database tells which attempt, if any, it was, and the answer prepared
 * for that very attempt is given.  So nothing acknowledged is lost and
 * nothing happens twice.
 *
 * Who waits longer than TXN_PATIENCE_MS because there is no database is
 * answered that it is unavailable. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/list.h"
#include "uuid.h"

struct db;
struct txn_queue;
struct txn_request;

enum {
    TXN_GROUP_MAX = 64,         /* Requests in one transaction. */
    TXN_QUEUE_MAX = 8192,       /* Requests waiting. */
    TXN_ATTEMPTS_MAX = 4,       /* With an unknown outcome. */
    TXN_STUCK_MS = 5000,
    TXN_OTHER_SERVER_MS = 2500, /* Then another one is to commit it. */
    TXN_PATIENCE_MS = 20000,    /* Wait for a database to be there. */
};

/* What a request sees while it is applied. */
struct txn {
    const struct db *db;
    struct ovsdb_idl_txn *idl_txn;
    int attempt;                /* 0 to TXN_ATTEMPTS_MAX - 1. */
    int64_t number;             /* Revision of what this transaction makes. */
    bool changed;
    bool noted;
};

/* Says that the request now changes something.  Returns the revision number
 * that changed rows get. */
int64_t txn_touch(struct txn *);

/* Says that the request changes what only mappers see, and no revision: it
 * must not matter if that is done twice, or beside the same of another
 * mapper. */
void txn_note(struct txn *);

/* Draw numbers that are never used again. */
int64_t txn_new_node_number(struct txn *);
int64_t txn_new_spi(struct txn *);

enum txn_outcome {
    TXN_DONE,                   /* As the answer of 'attempt' says. */
    TXN_REFUSED,                /* The database refused; nothing changed. */
    TXN_UNAVAILABLE,            /* No database, or the outcome is unknown. */
};

struct txn_request {
    struct ovs_list list_node;
    long long int deadline;
    bool alone;                 /* Not to be grouped: a group was refused. */

    void (*apply)(struct txn_request *, struct txn *);
    void (*done)(struct txn_request *, enum txn_outcome, int attempt);
};

struct txn_queue *txn_queue_create(const struct db *,
                                   const struct uuid *instance);
void txn_queue_destroy(struct txn_queue *);
void txn_queue_run(struct txn_queue *);
void txn_queue_wait(struct txn_queue *);

/* Returns false if the queue is full. */
bool txn_queue_add(struct txn_queue *, struct txn_request *);

/* True once the database can be read and written. */
bool txn_queue_is_ready(const struct txn_queue *);

/* True if what was sent to the database is not answered for long. */
bool txn_queue_is_stuck(const struct txn_queue *);

#endif /* mapper/txn.h */
