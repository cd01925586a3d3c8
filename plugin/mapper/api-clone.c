/* SPDX-License-Identifier: Apache-2.0 */
/* The API: clones of a node, and clones that take its place. */

#include <config.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/audit.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/identity.h"
#include "mapper/node-input.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(api_clone);

/* Pending clones of one node.  An operator who clones more has to decide on
 * some first; a thief of a credential can't fill the table of nodes. */
enum { CLONES_MAX = 16 };

/* Makes a name for a clone of NODE that no other node has: "NAME-clone",
 * "NAME-clone-2" and so on, with as much of NAME as there is room for. */
static char *
clone_name(const struct db *db, const char *name)
{
    for (unsigned int i = 1;; i++) {
        char *suffix = i == 1 ? xstrdup("-clone") : xasprintf("-clone-%u", i);
        int room = MODEL_NAME_MAX - strlen(suffix);
        char *full = xasprintf("%.*s%s", room, name, suffix);
        size_t n;

        free(db_nodes_named(db, full, &n));
        free(suffix);
        if (!n) {
            return full;
        }
        free(full);
    }
}

static size_t
count_pending(const struct db *db, const struct mdb_node *origin)
{
    size_t n, n_pending = 0;

    struct mdb_node **clones = db_clones_of(db, origin->node_id, &n);
    for (size_t i = 0; i < n; i++) {
        n_pending += !strcmp(clones[i]->state, "pending");
    }
    free(clones);
    return n_pending;
}

static const struct mdb_node *
insert_clone(struct api_call *call, const struct mdb_node *origin,
             struct node_input *in)
{
    struct txn *txn = call->txn;
    char *name = clone_name(txn->db, origin->name);
    struct mdb_node *node = mdb_node_insert(txn->idl_txn);

    in->name = name;
    mdb_node_set_node_id(node, in->id);
    mdb_node_set_number(node, txn_new_node_number(txn));
    mdb_node_set_name(node, name);
    mdb_node_set_state(node, "pending");
    mdb_node_set_credential_hash(node, in->credential_hash);
    mdb_node_set_origin(node, origin->node_id);
    mdb_node_set_created(node, time_wall());
    mdb_node_set_revision(node, txn_touch(txn));

    /* Its disk holds the keys of all members of those vSubnets. */
    size_t n_nets = identity_rekey(txn, origin);
    audit(call, "clone-registered", name, "of %s; new keys in %"PRIuSIZE
          " vSubnets", origin->name, n_nets);
    VLOG_INFO("node %s has a clone, %s", origin->node_id, in->id);
    in->name = NULL;
    free(name);
    return node;
}

/* A clone that is known already asks again: its answer was lost. */
static bool
check_known(struct api_call *call, const struct mdb_node *node,
            const struct mdb_node *origin, const struct node_input *in)
{
    enum identity_credential match = identity_match(node,
                                                    in->credential_hash);

    if (strcmp(node->origin, origin->node_id)
        || (match != IDENTITY_CURRENT && match != IDENTITY_NEXT)) {
        api_fail(call, MHD_HTTP_CONFLICT, "duplicate-node-id", "id",
                 "another node has this ID");
        return false;
    }
    if (!strcmp(node->state, "revoked")) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "node-revoked", NULL,
                 "this node has been revoked");
        return false;
    }
    return true;
}

static void
register_clone(struct api_call *call, struct node_input *in)
{
    const struct db *db = call->api->db;
    const struct mdb_node *origin = api_self(call);
    const struct mdb_node *node = db_node_by_id(db, in->id);
    bool is_new = !node;

    if (!origin) {
        return;
    }
    /* Without another holder this one would get the node ID itself. */
    if (!origin->instance[0] || !call->who.instance[0]
        || !strcmp(origin->instance, call->who.instance)) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-a-clone", NULL,
                 "no other instance holds the lease of this node ID");
        return;
    }
    if (node && !check_known(call, node, origin, in)) {
        return;
    }
    if (!node && count_pending(db, origin) >= CLONES_MAX) {
        api_fail(call, MHD_HTTP_CONFLICT, "too-many-clones", NULL,
                 "%d clones of this node wait to be approved already",
                 CLONES_MAX);
        return;
    }
    if (!node) {
        node = insert_clone(call, origin, in);
    }
    in->name = NULL;            /* The disk says the origin's. */
    node_input_write(call->txn, node, in);
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           api_self_json(call, node));
}

void
api_register_clone(struct api_call *call)
{
    struct model_reader r;
    struct node_input in;

    memset(&in, 0, sizeof in);
    model_reader_init(&r, call->body);
    node_input_read_new(&r, &in);
    if (api_finish_reader(call, &r)) {
        register_clone(call, &in);
    }
    free(in.endpoints);
}

/* Adoption: the clone is the one that is to go on, say after a move that
 * looked like a copy. */

static const struct mdb_node *
check_adoption(struct api_call *call, const struct mdb_node *clone)
{
    const struct mdb_node *origin = NULL;

    if (clone->origin[0]) {
        origin = db_node_by_id(call->api->db, clone->origin);
    }
    if (!origin) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-a-clone", NULL,
                 "node %s is no clone of a node that is here", clone->name);
    } else if (!strcmp(origin->state, "revoked")
               || !strcmp(clone->state, "revoked")) {
        api_fail(call, MHD_HTTP_CONFLICT, "node-revoked", NULL,
                 "%s has been revoked",
                 (strcmp(clone->state, "revoked") ? origin : clone)->name);
        origin = NULL;
    }
    return origin;
}

/* Keys of the one that goes: as with a member that leaves, the others drop
 * them now.  The one that stays has none yet, and begins with any epoch. */
static void
remove_keys(struct txn *txn, const struct mdb_node *node)
{
    size_t n;

    struct mdb_key **keys = db_keys_of_node(txn->db, node->number, &n);
    for (size_t i = 0; i < n; i++) {
        mdb_key_delete(keys[i]);
    }
    free(keys);
}

static void
adopt(struct api_call *call, const struct mdb_node *clone,
      const struct mdb_node *origin)
{
    struct txn *txn = call->txn;
    int64_t revision = txn_touch(txn);

    identity_supersede(txn, origin);
    mdb_node_set_credential_hash(origin, clone->credential_hash);
    mdb_node_set_credential_next(origin, clone->credential_next);
    mdb_node_set_fingerprint(origin, clone->fingerprint);
    mdb_node_set_endpoints(origin, clone->endpoints);
    mdb_node_set_instance(origin, clone->instance);
    mdb_node_set_formerly(origin, clone->node_id);
    mdb_node_set_revision(origin, revision);
    remove_keys(txn, origin);

    size_t n_nets = identity_rekey(txn, origin);
    audit(call, "node-adopted", origin->name, "was %s, node %"PRId64
          "; new keys in %"PRIuSIZE" vSubnets", clone->name, clone->number,
          n_nets);
    change_strip_node(txn, clone);
    mdb_node_delete(clone);
}

void
api_node_adopt(struct api_call *call)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_node *clone = api_node(call, call->args[0]);
    const struct mdb_node *origin = clone ? check_adoption(call, clone) : NULL;
    if (origin) {
        adopt(call, clone, origin);
        api_ok(call, MHD_HTTP_OK,
               db_node_json(call->api->db, origin, MODEL_VIEW_OPERATOR,
                            false));
    }
}
