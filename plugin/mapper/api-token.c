/* SPDX-License-Identifier: Apache-2.0 */
/* The API: join tokens. */

#include <config.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/audit.h"
#include "mapper/db.h"
#include "mapper/pki.h"
#include "timeval.h"
#include "util.h"

enum {
    TOKEN_TTL_DEFAULT = 3600,
    TOKEN_TTL_MAX = 366 * 86400,
    TOKEN_USES_MAX = 1000000,
    TOKEN_NETS_MAX = 64,
    TOKEN_KEEP = 86400,         /* Seconds that an expired one is listed. */
};

struct token_input {
    int64_t ttl;
    int64_t uses;
    bool approve;
    const char *nets[TOKEN_NETS_MAX];
    size_t n_nets;
};

static bool
read_token(struct api_call *call, struct token_input *in)
{
    struct model_reader r;

    memset(in, 0, sizeof *in);
    in->ttl = TOKEN_TTL_DEFAULT;
    in->uses = 1;

    model_reader_init(&r, call->body);
    if (model_reader_has(&r, "ttl")) {
        in->ttl = model_reader_uint(&r, "ttl", MODEL_REQUIRED, 1,
                                    TOKEN_TTL_MAX);
    }
    if (model_reader_has(&r, "uses")) {
        in->uses = model_reader_uint(&r, "uses", MODEL_REQUIRED, 1,
                                     TOKEN_USES_MAX);
    }
    in->approve = model_reader_bool(&r, "approve", MODEL_OPTIONAL);
    const json_t *nets = model_reader_array(&r, "nets", MODEL_OPTIONAL,
                                            TOKEN_NETS_MAX);
    for (size_t i = 0; nets && i < json_array_size(nets); i++) {
        const char *name = json_string_value(json_array_get(nets, i));

        if (!name) {
            model_reader_fail(&r, "nets", xstrdup("not names of vSubnets"));
            break;
        }
        in->nets[in->n_nets++] = name;
    }
    if (!api_finish_reader(call, &r)) {
        return false;
    }

    for (size_t i = 0; i < in->n_nets; i++) {
        if (!db_net(call->api->db, in->nets[i])) {
            api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "no-such-net",
                     "nets", "there is no vSubnet %s", in->nets[i]);
            return false;
        }
    }
    return true;
}

static void
remove_old_tokens(struct txn *txn)
{
    const struct mdb_token *token, *next;

    MDB_TOKEN_FOR_EACH_SAFE (token, next, txn->db->idl) {
        if (token->expires + TOKEN_KEEP < time_wall()) {
            txn_touch(txn);
            mdb_token_delete(token);
        }
    }
}

void
api_tokens_post(struct api_call *call)
{
    struct token_input in;
    char id[MODEL_NAME_MAX + 1];
    char hash[MODEL_SECRET_HEX + 1];

    if (!read_token(call, &in)) {
        return;
    }
    remove_old_tokens(call->txn);

    char *text = auth_new_token(call->api->pki->fingerprint, id, hash);
    struct mdb_token *row = mdb_token_insert(call->txn->idl_txn);
    mdb_token_set_token_id(row, id);
    mdb_token_set_secret_hash(row, hash);
    mdb_token_set_created(row, time_wall());
    mdb_token_set_expires(row, time_wall() + in.ttl);
    mdb_token_set_uses(row, in.uses);
    mdb_token_set_uses_left(row, in.uses);
    mdb_token_set_approve(row, in.approve);
    mdb_token_set_nets(row, CONST_CAST(const char **, in.nets), in.n_nets);
    mdb_token_set_revision(row, txn_touch(call->txn));
    audit(call, "token-created", id, "for %"PRId64" nodes in %"PRId64" s%s",
          in.uses, in.ttl, in.approve ? ", approved" : "");

    json_t *body = db_token_json(call->api->db, row);
    json_object_set_new(body, "token", json_string(text));
    model_wipe(text, strlen(text));
    free(text);
    api_ok(call, MHD_HTTP_CREATED, body);
}

void
api_tokens_get(struct api_call *call)
{
    static const char *const filters[] = { "approve", "nets", NULL };
    const struct db *db = call->api->db;
    const struct mdb_token *token;
    struct api_list list;

    if (!api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_token *from = mdb_token_index_init_row(db->token_by_id);
    mdb_token_index_set_token_id(from, list.after);
    MDB_TOKEN_FOR_EACH_RANGE (token, from, NULL, db->token_by_id) {
        if (!strcmp(token->token_id, list.after)) {
            continue;
        }
        if (!api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_token_json(db, token), "%s", token->token_id);
    }
    mdb_token_index_destroy_row(from);
    api_list_end(&list);
}

void
api_token_delete(struct api_call *call)
{
    const struct mdb_token *token = db_token(call->api->db, call->args[0]);

    if (!token) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-token", NULL,
                 "there is no token %s", call->args[0]);
        return;
    }
    if (!api_matches(call, token->revision)) {
        return;
    }
    audit(call, "token-removed", token->token_id, "%"PRId64" uses were left",
          token->uses_left);
    mdb_token_delete(token);
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}
