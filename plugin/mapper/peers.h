/* SPDX-License-Identifier: Apache-2.0 */
/* The other mappers of this service. */

#ifndef MAPPER_PEERS_H
#define MAPPER_PEERS_H 1

/* Several mappers may serve one database.  What they have in it is common to
 * all; what each keeps in its memory (event streams, signs of life, who has
 * loaded which key) the others sometimes have to know.  They tell each other
 * through the database, in rows that are written only when somebody has to
 * know, never because time goes by:
 *
 * - Table Instance has a row for each mapper.  Nobody says regularly that it
 *   is there.  Who needs another mapper calls it, and takes it for gone if it
 *   does not answer; it is back as soon as it says so:
 *
 *          here --called := true, by who waits for it--> called
 *           ^ ^                                          |    |
 *           | '--------called := false, by itself--------'    |
 *           |                                         PEERS_PATIENCE_MS
 *           '--away := false, by itself-- away <--------------'
 *
 *   What a mapper that goes away, or starts again, had heard is lost: leases
 *   begin anew, and keys wait for those who may come from there.
 *
 * - Table Challenge has a row while a mapper wants to know whether the holder
 *   of a lease is alive (lease.h), and calls all the others with it.  Each
 *   asks the holder, if it has its stream; then the row says that the holder
 *   has answered, or for how long it was silent there.  Who asked deletes the
 *   row.
 *
 * - Key.loaded_at names the mappers at which nobody is left that the key's
 *   owner would have to wait for (confirm.h).
 *
 * A mapper that has had no database for PEERS_ALONE_MS ends the streams of
 * its nodes, so that they go to one that has: it could neither tell them of
 * changes nor answer for them.
 *
 * All writing is one transaction of the queue (txn.h) at a time, made from
 * what is to be written at that moment.  It changes no revision: nobody but
 * mappers sees it. */

#include <stdbool.h>
#include <stdint.h>

struct confirm;
struct db;
struct events;
struct lease;
struct mdb_instance;
struct peers;
struct txn_queue;
struct uuid;

enum {
    PEERS_PATIENCE_MS = 2000,   /* For an answer to a call. */
    PEERS_ALONE_MS = 15 * 1000, /* Without a database. */
    PEERS_JOBS_MAX = 1024,      /* Challenges of others under way. */
};

struct peers *peers_create(const struct db *, struct txn_queue *,
                           struct events *, struct lease *, struct confirm *,
                           const struct uuid *self);
/* After txn_queue_destroy() and lease_stop(). */
void peers_destroy(struct peers *);
/* After events_run() and before confirm_run(): a key must not be taken for
 * confirmed because a mapper went that had to confirm it. */
void peers_run(struct peers *);
void peers_wait(const struct peers *);

/* True if there are others, as far as is known. */
bool peers_are_there(const struct peers *);

/* Asks all others for the holder of node NUMBER, for the challenge with NONCE
 * that lease_wait_answer() has begun. */
void peers_ask(struct peers *, int64_t number, const char *holder,
               const char *nonce);

/* True if ROW is of another mapper than SELF, and not away. */
bool peers_is_other(const struct mdb_instance *row, const struct uuid *self);

#endif /* mapper/peers.h */
