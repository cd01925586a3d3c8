/* SPDX-License-Identifier: Apache-2.0 */
/* A node's credentials: which one is it, and how one follows another. */

#include <config.h>

#include "mapper/identity.h"

#include <stdlib.h>
#include <string.h>

#include "mapper/auth.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/txn.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { HASH_SIZE = MODEL_SECRET_HEX };

/* Stores the Ith hash of LIST, "HASH,HASH,..."; false after the last. */
static bool
list_get(const char *list, size_t i, char hash[HASH_SIZE + 1])
{
    size_t at = i * (HASH_SIZE + 1);

    if (strlen(list) < at + HASH_SIZE) {
        return false;
    }
    ovs_strlcpy(hash, list + at, HASH_SIZE + 1);
    return true;
}

enum identity_credential
identity_match(const struct mdb_node *node, const char *hash)
{
    enum identity_credential match = IDENTITY_NONE;
    char old[HASH_SIZE + 1];

    for (size_t i = 0; list_get(node->superseded, i, old); i++) {
        if (auth_hash_equals(old, hash)) {
            match = IDENTITY_SUPERSEDED;
        }
    }
    if (auth_hash_equals(node->credential_next, hash)) {
        match = IDENTITY_NEXT;
    }
    if (auth_hash_equals(node->credential_hash, hash)) {
        match = IDENTITY_CURRENT;
    }
    return match;
}

/* Stores NODE's superseded hashes anew: FIRST and SECOND (may be empty), and
 * then those that were there, but not EXCEPT. */
static void
set_superseded(const struct mdb_node *node, const char *first,
               const char *second, const char *except)
{
    struct ds list = DS_EMPTY_INITIALIZER;
    char hash[HASH_SIZE + 1];
    size_t n = 0;

    if (first[0]) {
        ds_put_format(&list, "%s", first);
        n++;
    }
    if (second[0]) {
        ds_put_format(&list, "%s%s", n ? "," : "", second);
        n++;
    }
    for (size_t i = 0; (n < IDENTITY_SUPERSEDED_MAX
                        && list_get(node->superseded, i, hash)); i++) {
        if (!auth_hash_equals(hash, except)) {
            ds_put_format(&list, "%s%s", n ? "," : "", hash);
            n++;
        }
    }
    mdb_node_set_superseded(node, ds_cstr(&list));
    ds_destroy(&list);
}

void
identity_use(struct txn *txn, const struct mdb_node *node,
             enum identity_credential kind, const char *hash)
{
    if (kind == IDENTITY_CURRENT || kind == IDENTITY_NONE) {
        return;
    }
    txn_touch(txn);
    /* Whose disk was turned back does not know the next one.  Who knows it
     * has a later disk, and that is not the one that goes on. */
    set_superseded(node,
                   kind == IDENTITY_NEXT ? "" : node->credential_next,
                   node->credential_hash, hash);
    mdb_node_set_credential_hash(node, hash);
    mdb_node_set_credential_next(node, "");
}

void
identity_supersede(struct txn *txn, const struct mdb_node *node)
{
    txn_touch(txn);
    set_superseded(node, node->credential_next, node->credential_hash, "");
}

size_t
identity_rekey(struct txn *txn, const struct mdb_node *node)
{
    size_t n;

    struct mdb_member **members = db_members_of_node(txn->db, node->number,
                                                     &n);
    for (size_t i = 0; i < n; i++) {
        const struct mdb_net *net = db_net(txn->db, members[i]->net);

        if (net) {
            change_rekey(txn, net);
        }
    }
    free(members);
    return n;
}
