/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that happen once, however often they are sent. */

#include <config.h>

#include "mapper/idempotency.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/db.h"
#include "mapper/keybox.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

#define KEY_HEADER "Idempotency-Key"

static bool
key_is_good(const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i < n; i++) {
        if (key[i] < 0x20 || key[i] > 0x7e) {
            return false;
        }
    }
    return n && n <= IDEMPOTENCY_KEY_MAX;
}

static void
hash_key(const struct api_call *call, char hash[MODEL_SECRET_HEX + 1])
{
    char *text = xasprintf("%s\n%s\n%s", call->who.id, call->path,
                           call->idempotency_key);

    auth_hash(text, hash);
    free(text);
}

/* The same members make the same hash, in whichever order. */
static void
hash_request(const struct api_call *call, char hash[MODEL_SECRET_HEX + 1])
{
    char *text = json_dumps(call->body, JSON_COMPACT | JSON_SORT_KEYS);

    auth_hash(text, hash);
    free(text);
}

static bool
is_old(const struct mdb_once *row)
{
    return row->time + IDEMPOTENCY_TTL <= time_wall();
}

static void
answer_again(struct api_call *call, const struct mdb_once *row)
{
    char *text = keybox_unseal_text(call->api->db->keybox,
                                    &row->header_.uuid, row->sealed);
    json_t *body = NULL;

    if (text) {
        free(model_json_parse(text, strlen(text), SIZE_MAX, &body));
        model_wipe(text, strlen(text));
        free(text);
    }
    if (body) {
        api_ok(call, row->status, body);
    } else {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT,
                 "idempotency-key-reused", KEY_HEADER,
                 "this was done, but its answer can't be read any more: was "
                 "storage.key replaced?");
    }
}

bool
idempotency_replay(struct api_call *call)
{
    char hash[MODEL_SECRET_HEX + 1];

    if (!key_is_good(call->idempotency_key)) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 KEY_HEADER, KEY_HEADER ": not 1 to %d printable characters",
                 IDEMPOTENCY_KEY_MAX);
        return true;
    }
    hash_key(call, hash);
    const struct mdb_once *row = db_once(call->api->db, hash);
    if (!row || is_old(row)) {
        return false;
    }
    hash_request(call, hash);
    if (strcmp(hash, row->request_hash)) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT,
                 "idempotency-key-reused", KEY_HEADER,
                 KEY_HEADER ": it was used for another request");
    } else {
        answer_again(call, row);
    }
    return true;
}

/* Removes what is too old, and as much more as makes room for one. */
static void
make_room(const struct db *db)
{
    const struct mdb_once *row;
    size_t n = 0, n_removed = 0;
    struct mdb_once **rows;

    MDB_ONCE_FOR_EACH (row, db->idl) {
        n++;
    }
    rows = xmalloc((n + 1) * sizeof *rows);
    struct mdb_once *each;
    MDB_ONCE_FOR_EACH_BYINDEX (each, db->once_by_time) {
        if (!is_old(each) && n - n_removed < IDEMPOTENCY_MAX) {
            break;
        }
        rows[n_removed++] = each;
    }
    for (size_t i = 0; i < n_removed; i++) {
        mdb_once_delete(rows[i]);
    }
    free(rows);
}

void
idempotency_remember(struct api_call *call)
{
    const struct db *db = call->api->db;
    const json_t *body = call->answers[call->attempt].body;
    char hash[MODEL_SECRET_HEX + 1];
    struct uuid uuid;

    make_room(db);

    txn_touch(call->txn);
    uuid_generate(&uuid);
    struct mdb_once *row = mdb_once_insert_persist_uuid(call->txn->idl_txn,
                                                        &uuid);
    hash_key(call, hash);
    mdb_once_set_key_hash(row, hash);
    hash_request(call, hash);
    mdb_once_set_request_hash(row, hash);
    mdb_once_set_status(row, call->answers[call->attempt].status);
    mdb_once_set_time(row, time_wall());

    char *text = json_dumps(body, JSON_COMPACT);
    char *sealed = keybox_seal_text(db->keybox, &uuid, text);
    mdb_once_set_sealed(row, sealed);
    model_wipe(text, strlen(text));
    free(text);
    free(sealed);
}
