/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes have installed a change already? */

#ifndef MAPPER_INSTALLED_H
#define MAPPER_INSTALLED_H 1

/* An operator's request may wait until a change works everywhere (POST
 * /v1/wait).  A node is concerned if something went down its event stream
 * that it has not said to have installed; it is asked by an event "confirm"
 * with a revision, and says so by POST /v1/self/installed with that revision,
 * once all that came before the event is in force there.
 *
 *      waiting --all concerned have told--> answered, "complete"
 *         |                                    ^
 *         +--its time is over------------------+ not complete: these are left
 *
 * Nobody is asked, and nothing is told, unless an operator waits: a change
 * costs no more messages than before.  Who has no stream is not waited for,
 * but named; who is slow is asked again each INSTALLED_ASK_MS, since what
 * waits for a reader is dropped when it is to have a snapshot.
 *
 * What is known of a stream ends with it, so a host that rebooted has told
 * nothing yet.  All of it is in memory, and each mapper's own: of nodes whose
 * streams are at another mapper, that one is asked. */

#include <stdbool.h>
#include <stdint.h>

#include "model/types.h"

struct db;
struct events;
struct http_connection;
struct installed;

enum {
    INSTALLED_WAITS_MAX = 64,
    INSTALLED_WAIT_MAX_S = 60,
    INSTALLED_ASK_MS = 2000,
};

/* What is known of a stream; zero in the beginning.  In events.c. */
struct installed_stream {
    struct model_revision sent;     /* Of the last event that went down it. */
    struct model_revision told;     /* That its reader has installed. */
    struct model_revision asked;    /* That it was asked for, */
    long long int asked_at;         /* and when. */
};

struct installed *installed_create(const struct db *);
void installed_destroy(struct installed *);

/* Puts the request on CONNECTION aside: it is answered when all that this
 * mapper knows of REVISION and before is installed, after SECONDS at the
 * latest.  Returns false if too many wait. */
bool installed_add(struct installed *, struct http_connection *,
                   struct model_revision, unsigned int seconds);

/* Something may have changed: a node has told, for instance. */
void installed_changed(struct installed *);

/* Asks through EVENTS, and answers. */
void installed_run(struct installed *, struct events *);
void installed_wait(const struct installed *);

/* Answers all that wait, as if their time were over. */
void installed_stop(struct installed *, struct events *);

#endif /* mapper/installed.h */
