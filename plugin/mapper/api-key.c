/* SPDX-License-Identifier: Apache-2.0 */
/* The API: a node's own sender keys. */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/confirm.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/keybox.h"
#include "util.h"

enum { KEY_EPOCHS_KEPT = 2 };   /* Make before break: new and old. */

struct key_input {
    const char *net;
    uint32_t epoch;
    enum model_algorithm algorithm;
    uint64_t rekey;             /* The vSubnet's, as the node knew it. */
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
    in->rekey = model_reader_uint(&r, "rekey", MODEL_OPTIONAL, 0, INT64_MAX);
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
    mdb_key_set_rekey(row, in->rekey);
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

/* Retiring. */

/* The SPI that the path names, or 0. */
static int64_t
parse_spi(const char *s)
{
    long long int spi;

    return (str_to_llong(s, 10, &spi) && spi > 0 && spi <= UINT32_MAX
            ? spi : 0);
}

static bool
is_newest(const struct db *db, const struct mdb_key *key)
{
    bool newest = true;
    size_t n;

    struct mdb_key **keys = db_keys_of_node(db, key->node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keys[i]->net, key->net) && keys[i]->epoch > key->epoch) {
            newest = false;
        }
    }
    free(keys);
    return newest;
}

void
api_self_key_delete(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);

    if (!node) {
        return;
    }
    const struct mdb_key *key = db_key(call->api->db,
                                       parse_spi(call->args[0]));
    if (!key || key->node != node->number) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-key", NULL,
                 "this node has no key with that SPI");
    } else if (is_newest(call->api->db, key)) {
        api_fail(call, MHD_HTTP_CONFLICT, "key-in-force", NULL,
                 "this is the node's newest key in vSubnet %s", key->net);
    } else {
        txn_touch(call->txn);
        mdb_key_delete(key);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}

/* Others' keys that this node has in force. */

void
api_self_loaded(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);
    struct model_revision revision;
    struct model_reader r;

    if (!node) {
        return;
    }
    model_reader_init(&r, call->body);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &revision);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    /* Who has no stream is to tell it again with the next one. */
    if (events_is_connected(call->api->events, node->number)) {
        confirm_loaded(call->api->confirm, node->number, revision);
    }
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}
