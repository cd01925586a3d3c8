/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a new key in force already? */

#ifndef MAPPER_CONFIRM_H
#define MAPPER_CONFIRM_H 1

/* Make before break: a node sends with a new key only when the others can
 * open what it seals.  Each of them tells, after its ovs-vswitchd has read a
 * keyring, of which revision of the mapping that was (POST /v1/self/loaded).
 *
 * For each key that is uploaded the members of its vSubnet are written down.
 * The list is gone through once, from its beginning.  A member is passed over
 * that has told of the key's revision or a later one, that is away, that is
 * revoked, or that is no member any more; it is not gone back to.
 *
 *      waiting for members[i] --passed--> ... --the last one--> confirmed
 *          |                                                       |
 *          |                       owner's stream opens: tell again-+
 *          +----------------CONFIRM_MS--------------------> (forgotten)
 *
 * A member's program may be started anew, or its connection, or this mapper
 * itself: meanwhile its ovs-vswitchd goes on with the keys that it had, and
 * can't open what is sealed with another.  So a member is away only when it
 * has been without a stream for CONFIRM_AWAY_MS, and nobody is before that
 * time since the mapper's start:
 *
 *      (mapper starts) --> gone --stream opens--> there
 *                           ^ |                     |
 *                           | +--CONFIRM_AWAY_MS--> away
 *                           +------last one ends----+
 *
 * Who comes back after that begins with what it missed, which has the key.
 *
 * With several mappers each waits for those that have their streams there.
 * One that waits for nobody any more says so in Key.loaded_at, and the one
 * that has the owner's stream tells the owner when all have said so that were
 * there when the key came, and still are.  When one of them goes, or starts
 * again, its nodes are on their way to another: then the list is gone through
 * once more, as after a start (peers.h).
 *
 * The owner is told by an event "loaded" with the SPIs.  It does not depend on
 * it: after a while it switches anyway.  So all this is kept in memory only,
 * and the oldest gives way to what is new beyond CONFIRM_KEYS_MAX and
 * CONFIRM_MEMBERS_MAX. */

#include <stdbool.h>
#include <stdint.h>

#include "model/types.h"

struct confirm;
struct db;
struct events;
struct mdb_key;
struct txn;
struct uuid;

enum {
    CONFIRM_MS = 60 * 1000,
    CONFIRM_AWAY_MS = 10 * 1000,
    CONFIRM_KEYS_MAX = 65536,
    CONFIRM_MEMBERS_MAX = 4 * 1024 * 1024, /* Of all keys, in numbers. */
};

/* SELF is this mapper, as table Instance has it. */
struct confirm *confirm_create(const struct db *, const struct uuid *self);
void confirm_destroy(struct confirm *);

/* KEY is new. */
void confirm_add(struct confirm *, const struct mdb_key *);

/* Node NUMBER has the keys of REVISION in force. */
void confirm_loaded(struct confirm *, int64_t number, struct model_revision);

/* Node NUMBER's streams: one has opened; all have ended, or those of another
 * boot of it. */
void confirm_opened(struct confirm *, int64_t number);
void confirm_closed(struct confirm *, int64_t number);

/* Something changed in the database: members may have gone. */
void confirm_changed(struct confirm *);

/* Another mapper has gone, with all that it knew. */
void confirm_mapper_gone(struct confirm *);

/* Writes, for keys whose owners are at other mappers, that nobody is waited
 * for here.  With a null TXN, returns true if there is something to write. */
bool confirm_write(const struct confirm *, const struct events *,
                   struct txn *);

/* True if an owner here waits for other mappers. */
bool confirm_waits_for_mappers(const struct confirm *);

/* Tells owners through EVENTS. */
void confirm_run(struct confirm *, struct events *);
void confirm_wait(const struct confirm *);

#endif /* mapper/confirm.h */
