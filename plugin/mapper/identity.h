/* SPDX-License-Identifier: Apache-2.0 */
/* A node's credentials: which one is it, and how one follows another. */

#ifndef MAPPER_IDENTITY_H
#define MAPPER_IDENTITY_H 1

/* A node makes its credentials itself; the service knows their hashes:
 *
 *      (PUT credential) --> next --(lease granted with it)--> current
 *                            |                                   |
 *                            +--another takes its place          | the next
 *                               before it was ever used: gone    v one is used
 *                                                           superseded
 *                                                     (at most the last 16)
 *
 * The node has written the next one down before it sends its hash, so a crash
 * between the two leaves it with one that is known here, in any case: the
 * current one counts until the next is used.  One that was superseded is not
 * worthless: that it is known says that its owner has a disk of this node from
 * an earlier day.  It may ask for the lease and register a clone, no more.
 *
 * A node that took over the ID of the one it was cloned from (see api-clone.c)
 * is still known by the ID it had before, "formerly", to whoever has the right
 * secret. */

#include <stdbool.h>
#include <stddef.h>

struct db;
struct mdb_node;
struct txn;

enum identity_credential {
    IDENTITY_NONE,              /* Not this node's. */
    IDENTITY_CURRENT,
    IDENTITY_NEXT,
    IDENTITY_SUPERSEDED,
};

enum { IDENTITY_SUPERSEDED_MAX = 16 };

/* Says which of NODE's credentials has HASH.  Takes as long for each. */
enum identity_credential identity_match(const struct mdb_node *,
                                        const char *hash);

/* Makes HASH, of kind KIND, the current credential; what was current is
 * superseded.  After that a node whose disk was turned back can go on. */
void identity_use(struct txn *, const struct mdb_node *,
                  enum identity_credential, const char *hash);

/* Puts NODE's current credential, and the next one, among the superseded. */
void identity_supersede(struct txn *, const struct mdb_node *);

/* Orders new keys in all vSubnets of NODE.  Returns how many there are. */
size_t identity_rekey(struct txn *, const struct mdb_node *);

#endif /* mapper/identity.h */
