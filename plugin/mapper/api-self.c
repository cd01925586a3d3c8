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
#include "mapper/keybox.h"
#include "mapper/node-input.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(api_self);

enum { KEY_EPOCHS_KEPT = 2 };   /* Make before break: new and old. */

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
    node_input_write(call->txn, node, in);
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           api_self_json(call, node));
}

void
api_register(struct api_call *call)
{
    struct node_input in;

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

/* Keys. */

struct key_input {
    const char *net;
    uint32_t epoch;
    enum model_algorithm algorithm;
    struct model_secret secret;
};

static bool
read_key(struct api_call *call, struct key_input *in)
{
    struct model_reader r;

    memset(in, 0, sizeof *in);
    model_reader_init(&r, call->body);
    in->net = model_reader_name(&r, "net", MODEL_REQUIRED);
    in->epoch = model_reader_uint(&r, "epoch", MODEL_REQUIRED, 1, UINT32_MAX);
    model_reader_algorithm(&r, "algorithm", MODEL_REQUIRED, &in->algorithm);
    const char *text = model_reader_string(&r, "key", MODEL_REQUIRED);
    if (text) {
        uint8_t raw[MODEL_KEY_MAX];
        size_t size;

        if (model_base64_decode(text, raw, sizeof raw, &size)
            && size == model_algorithm_key_size(in->algorithm)) {
            model_secret_set(&in->secret, raw, size);
        } else {
            model_reader_fail(&r, "key", xasprintf(
                                  "not %"PRIuSIZE" bytes in base64",
                                  model_algorithm_key_size(in->algorithm)));
        }
        model_wipe(raw, sizeof raw);
    }
    return api_finish_reader(call, &r);
}

/* The vSubnet, if NODE may have a key in it. */
static const struct mdb_net *
key_net(struct api_call *call, const struct mdb_node *node,
        const struct key_input *in)
{
    const struct mdb_net *net = api_net(call, in->net);

    if (!net) {
        return NULL;
    } else if (strcmp(node->state, "approved")) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "node-pending", NULL,
                 "this node is not approved");
    } else if (!db_member(call->api->db, net->name, node->number)) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "not-a-member", "net",
                 "this node is no member of vSubnet %s", net->name);
    } else if (strcmp(net->algorithm, model_algorithm_name(in->algorithm))) {
        api_fail(call, MHD_HTTP_CONFLICT, "wrong-algorithm", "algorithm",
                 "vSubnet %s uses %s", net->name, net->algorithm);
    } else {
        return net;
    }
    return NULL;
}

static int64_t
insert_key(struct txn *txn, const struct mdb_node *node,
           const struct key_input *in)
{
    struct uuid uuid;
    int64_t spi = txn_new_spi(txn);

    /* The row's UUID is part of what is sealed, so it is chosen here. */
    uuid_generate(&uuid);
    char *sealed = keybox_seal(txn->db->keybox, &uuid, spi, &in->secret);
    struct mdb_key *row = mdb_key_insert_persist_uuid(txn->idl_txn, &uuid);
    mdb_key_set_net(row, in->net);
    mdb_key_set_node(row, node->number);
    mdb_key_set_spi(row, spi);
    mdb_key_set_epoch(row, in->epoch);
    mdb_key_set_algorithm(row, model_algorithm_name(in->algorithm));
    mdb_key_set_sealed(row, sealed);
    mdb_key_set_revision(row, txn_touch(txn));
    free(sealed);
    return spi;
}

/* Looks at NODE's keys in the vSubnet: returns the SPI of this very key if it
 * is there, 0 if it may be added, or -1 after answering. */
static int64_t
find_key(struct api_call *call, struct mdb_key **keys, size_t n,
         const struct key_input *in)
{
    int64_t spi = 0;
    int64_t newest = 0;

    for (size_t i = 0; i < n && !spi; i++) {
        struct model_secret old = { .size = 0 };

        if (strcmp(keys[i]->net, in->net)) {
            continue;
        }
        newest = MAX(newest, keys[i]->epoch);
        if (keys[i]->epoch == in->epoch
            && keybox_unseal(call->api->db->keybox, &keys[i]->header_.uuid,
                             keys[i]->spi, keys[i]->sealed, &old)
            && model_secret_equals(&old, &in->secret)) {
            spi = keys[i]->spi;
        }
        model_secret_wipe(&old);
    }
    if (!spi && in->epoch < newest) {
        api_fail(call, MHD_HTTP_CONFLICT, "stale-epoch", "epoch",
                 "the newest epoch of this node's key is %"PRId64, newest);
        return -1;
    }
    return spi;
}

/* Removes what the new epoch replaces: another key of the same epoch, and
 * epochs older than the last one before it. */
static void
retire_keys(struct txn *txn, struct mdb_key **keys, size_t n,
            const struct key_input *in)
{
    int64_t previous = 0;

    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keys[i]->net, in->net) && keys[i]->epoch < in->epoch) {
            previous = MAX(previous, keys[i]->epoch);
        }
    }
    BUILD_ASSERT_DECL(KEY_EPOCHS_KEPT == 2);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keys[i]->net, in->net) && keys[i]->epoch != previous) {
            txn_touch(txn);
            mdb_key_delete(keys[i]);
        }
    }
}

static void
put_key(struct api_call *call, const struct key_input *in)
{
    const struct mdb_node *node = api_self(call);
    size_t n;

    if (!node || !key_net(call, node, in)) {
        return;
    }
    struct mdb_key **keys = db_keys_of_node(call->api->db, node->number, &n);
    int64_t spi = find_key(call, keys, n, in);
    if (!spi) {
        retire_keys(call->txn, keys, n, in);
        spi = insert_key(call->txn, node, in);
    }
    free(keys);
    if (spi > 0) {
        json_t *body = json_object();

        json_object_set_new(body, "spi", json_integer(spi));
        api_ok(call, MHD_HTTP_OK, body);
    }
}

void
api_self_keys(struct api_call *call)
{
    struct key_input in;

    if (read_key(call, &in)) {
        put_key(call, &in);
    }
    model_secret_wipe(&in.secret);
}
