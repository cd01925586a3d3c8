/* SPDX-License-Identifier: Apache-2.0 */
/* The API: what a node does for itself. */

#include <config.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/audit.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/identity.h"
#include "mapper/node-input.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(api_self);

/* Registration. */

static bool
read_registration(struct api_call *call, struct node_input *in)
{
    struct model_reader r;

    memset(in, 0, sizeof *in);
    model_reader_init(&r, call->body);
    node_input_read_new(&r, in);
    return api_finish_reader(call, &r);
}

static bool
token_is_usable(struct api_call *call, const struct mdb_token *token)
{
    if (token->expires <= time_wall()) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "token-expired", NULL,
                 "this join token has expired");
        return false;
    } else if (token->uses_left <= 0) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "token-used-up", NULL,
                 "this join token has been used as often as it may");
        return false;
    }
    return true;
}

static const struct mdb_node *
insert_node(struct txn *txn, const struct node_input *in)
{
    struct mdb_node *node = mdb_node_insert(txn->idl_txn);

    mdb_node_set_node_id(node, in->id);
    mdb_node_set_number(node, txn_new_node_number(txn));
    mdb_node_set_name(node, in->name);
    mdb_node_set_state(node, "pending");
    mdb_node_set_credential_hash(node, in->credential_hash);
    mdb_node_set_created(node, time_wall());
    mdb_node_set_revision(node, txn_touch(txn));
    node_input_write(txn, node, in);
    return node;
}

/* Spends a use of TOKEN on NODE. */
static void
use_token(struct txn *txn, const struct mdb_token *token,
          const struct mdb_node *node)
{
    int64_t revision = txn_touch(txn);

    mdb_token_set_uses_left(token, token->uses_left - 1);
    mdb_token_set_revision(token, revision);
    mdb_node_set_token_id(node, token->token_id);
    if (token->approve) {
        mdb_node_set_state(node, "approved");
    }
    mdb_node_set_revision(node, revision);
    for (size_t i = 0; i < token->n_nets; i++) {
        const struct mdb_net *net = db_net(txn->db, token->nets[i]);

        /* A vSubnet may have gone since the token was made. */
        if (net && !db_member(txn->db, net->name, node->number)) {
            change_put_member(txn, net, node, true);
        }
    }
}

/* True if each of the token's vSubnets has addresses for one more node.  The
 * node need not be there yet, but its number must be known. */
static bool
check_token_nets(struct api_call *call, const struct mdb_token *token,
                 const struct mdb_node *node)
{
    const struct mdb_node unborn = {
        .number = db_service(call->api->db)->next_node,
    };

    for (size_t i = 0; i < token->n_nets; i++) {
        const struct mdb_net *net = db_net(call->api->db, token->nets[i]);
        struct change_refusal refusal;

        if (net && !change_check_member(call->txn, net,
                                        node ? node : &unborn, true,
                                        &refusal)) {
            api_refuse(call, &refusal);
            return false;
        }
    }
    return true;
}

static void
register_node(struct api_call *call, const struct node_input *in)
{
    const struct db *db = call->api->db;
    const struct mdb_token *token = db_token(db, call->who.id);
    const struct mdb_node *node = db_node_by_id(db, in->id);
    bool is_new = !node;

    enum identity_credential match = (
        node ? identity_match(node, in->credential_hash) : IDENTITY_NONE);
    if (node && match != IDENTITY_CURRENT && match != IDENTITY_NEXT) {
        VLOG_WARN("node ID %s registers with another credential", in->id);
        api_fail(call, MHD_HTTP_CONFLICT, "duplicate-node-id", "id",
                 "another node has this ID");
        return;
    }
    if (node && !strcmp(node->state, "revoked")) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "node-revoked", NULL,
                 "this node has been revoked");
        return;
    }

    /* The same token, ID and credential again: its answer was lost. */
    if (!node || strcmp(node->token_id, token->token_id)) {
        if (!token_is_usable(call, token)
            || !check_token_nets(call, token, node)) {
            return;
        }
        if (!node) {
            node = insert_node(call->txn, in);
            audit(call, "node-joined", node->name, "node ID %s%s",
                  node->node_id, (token->approve ? ", approved by its token"
                                  : ""));
        }
        use_token(call->txn, token, node);
    }
    /* A copy of a disk joins too, and has its credential: where the node is,
     * and on which machine, its holder says. */
    if (!node->instance[0] || !strcmp(node->instance, call->who.instance)) {
        node_input_write(call->txn, node, in);
    }
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           api_self_json(call, node));
}

void
api_register(struct api_call *call)
{
    struct node_input in;

    if (call->who.role == ROLE_NODE) {
        api_register_clone(call);
        return;
    }
    if (read_registration(call, &in)) {
        register_node(call, &in);
    }
    free(in.endpoints);
}

/* The node itself. */

void
api_self_get(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);

    if (node) {
        api_ok(call, MHD_HTTP_OK, api_self_json(call, node));
    }
}

void
api_self_patch(struct api_call *call)
{
    struct node_input in = { .name = NULL };
    struct model_reader r;

    model_reader_init(&r, call->body);
    node_input_read(&r, &in, MODEL_OPTIONAL);
    if (api_finish_reader(call, &r)) {
        const struct mdb_node *node = api_self(call);

        if (node) {
            node_input_write(call->txn, node, &in);
            api_ok(call, MHD_HTTP_OK, api_self_json(call, node));
        }
    }
    free(in.endpoints);
}
