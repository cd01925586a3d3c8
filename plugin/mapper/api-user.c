/* SPDX-License-Identifier: Apache-2.0 */
/* The API: users, who are people and programs that are no nodes. */

#include <config.h>

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/audit.h"
#include "mapper/db.h"
#include "timeval.h"
#include "util.h"

enum {
    USER_TTL_MAX = 3660 * 86400,
    USER_CERTIFICATE_MAX = 16384,       /* Bytes of PEM. */
    USERS_MAX = 10000,
};

struct user_input {
    const char *name;
    const char *role;
    int64_t expires;            /* 0: never. */
    bool has_expires;           /* In a PATCH: the body says so. */
    char certificate[MODEL_SECRET_HEX + 1];     /* Or "". */
};

static void
read_certificate(struct model_reader *r, struct user_input *in)
{
    const char *pem = model_reader_text(r, "certificate", MODEL_OPTIONAL,
                                        USER_CERTIFICATE_MAX);
    int64_t expires;

    if (pem) {
        char *error = auth_read_certificate(pem, in->certificate, &expires);

        if (error) {
            model_reader_fail(r, "certificate", error);
        } else if (!in->expires || expires < in->expires) {
            in->expires = expires;
        }
    }
}

/* What POST and PATCH have in common. */
static void
read_common(struct model_reader *r, enum model_presence presence,
            struct user_input *in)
{
    memset(in, 0, sizeof *in);
    in->name = model_reader_name(r, "name", presence);
    in->role = model_reader_string(r, "role", presence);
    if (in->role && strcmp(in->role, AUTH_OPERATOR)
        && strcmp(in->role, AUTH_VIEWER)) {
        model_reader_fail(r, "role", xstrdup("must be " AUTH_OPERATOR " or "
                                             AUTH_VIEWER));
    }
    if (model_reader_has(r, "ttl")) {
        in->expires = time_wall() + model_reader_uint(
            r, "ttl", MODEL_REQUIRED, 1, USER_TTL_MAX);
        in->has_expires = true;
    }
}

static bool
read_user(struct api_call *call, struct user_input *in)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    read_common(&r, MODEL_REQUIRED, in);
    read_certificate(&r, in);
    return api_finish_reader(call, &r);
}

/* A time, as "expires" is shown; null is never. */
static void
read_expires(struct model_reader *r, struct user_input *in)
{
    const char *text = model_reader_string(r, "expires", MODEL_OPTIONAL);
    int64_t now = time_wall();

    if (!json_object_get(r->object, "expires")) {
        return;
    }
    if (in->has_expires) {
        model_reader_fail(r, "expires", xstrdup("not together with ttl"));
        return;
    }
    in->has_expires = true;
    if (text) {
        struct tm tm;

        memset(&tm, 0, sizeof tm);
        const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        in->expires = end && !*end ? timegm(&tm) : -1;
        if (in->expires <= now || in->expires > now + USER_TTL_MAX) {
            model_reader_fail(r, "expires", xasprintf(
                "not a time to come, of at most %d days from now, like "
                "2027-01-31T00:00:00Z", USER_TTL_MAX / 86400));
        }
    }
}

/* Finds whom the path names, by name or ID; null, after answering 404. */
static const struct mdb_operator *
find_user(struct api_call *call, const char *text)
{
    const struct mdb_operator *user = db_user_by_name(call->api->db, text);

    user = user ? user : db_user(call->api->db, text);
    if (!user) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-user", NULL,
                 "there is no user %s", text);
    }
    return user;
}

static size_t
count_users(const struct db *db)
{
    const struct mdb_operator *user;
    size_t n = 0;

    MDB_OPERATOR_FOR_EACH (user, db->idl) {
        n++;
    }
    return n;
}

/* Says whether USER, which may be null, may be called NAME. */
static bool
check_name(struct api_call *call, const char *name,
           const struct mdb_operator *user)
{
    const struct mdb_operator *by_name = db_user_by_name(call->api->db, name);
    const struct mdb_operator *by_id = db_user(call->api->db, name);

    if ((by_name && by_name != user) || (by_id && by_id != user)) {
        api_fail(call, MHD_HTTP_CONFLICT, "name-in-use", "name",
                 "there is a user %s already", name);
        return false;
    }
    return true;
}

static bool
check_user(struct api_call *call, const struct user_input *in)
{
    const struct db *db = call->api->db;
    const struct mdb_operator *other
        = (in->certificate[0] ? db_user_by_certificate(db, in->certificate)
           : NULL);

    if (!check_name(call, in->name, NULL)) {
        return false;
    } else if (other) {
        api_fail(call, MHD_HTTP_CONFLICT, "certificate-in-use",
                 "certificate", "this is the certificate of user %s",
                 db_user_name(other));
    } else if (count_users(db) >= USERS_MAX) {
        api_fail(call, MHD_HTTP_CONFLICT, "too-many-users", NULL,
                 "there are %d users already: remove some", USERS_MAX);
    } else {
        return true;
    }
    return false;
}

void
api_users_post(struct api_call *call)
{
    char id[MODEL_NAME_MAX + 1];
    char hash[MODEL_SECRET_HEX + 1];
    struct user_input in;

    if (!read_user(call, &in) || !check_user(call, &in)) {
        return;
    }

    char *text = auth_new_operator(id, hash);
    struct mdb_operator *row = mdb_operator_insert(call->txn->idl_txn);
    mdb_operator_set_operator_id(row, id);
    mdb_operator_set_secret_hash(row, in.certificate[0] ? "" : hash);
    mdb_operator_set_name(row, in.name);
    mdb_operator_set_role(row, in.role);
    mdb_operator_set_certificate(row, in.certificate);
    mdb_operator_set_created(row, time_wall());
    mdb_operator_set_expires(row, in.expires);
    mdb_operator_set_revision(row, txn_touch(call->txn));
    audit(call, "user-added", in.name, "%s, %s %s", in.role,
          in.certificate[0] ? "certificate" : "token", id);

    json_t *body = db_user_json(call->api->db, row);
    if (!in.certificate[0]) {
        json_object_set_new(body, "token", json_string(text));
    }
    model_wipe(text, strlen(text));
    free(text);
    api_ok(call, MHD_HTTP_CREATED, body);
}

void
api_users_get(struct api_call *call)
{
    static const char *const filters[] = { "name", "role", NULL };
    const struct db *db = call->api->db;
    const struct mdb_operator *user;
    struct api_list list;

    if (!api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_operator *from
        = mdb_operator_index_init_row(db->operator_by_id);
    mdb_operator_index_set_operator_id(from, list.after);
    MDB_OPERATOR_FOR_EACH_RANGE (user, from, NULL, db->operator_by_id) {
        if (!strcmp(user->operator_id, list.after)) {
            continue;
        }
        if (!api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_user_json(db, user), "%s", user->operator_id);
    }
    mdb_operator_index_destroy_row(from);
    api_list_end(&list);
}

void
api_user_get(struct api_call *call)
{
    const struct mdb_operator *user = find_user(call, call->args[0]);

    if (user) {
        api_ok(call, MHD_HTTP_OK, db_user_json(call->api->db, user));
    }
}

/* True if nobody but USER may change things for good. */
static bool
is_last_operator(const struct db *db, const struct mdb_operator *user)
{
    const struct mdb_operator *other;

    MDB_OPERATOR_FOR_EACH (other, db->idl) {
        if (other != user && !other->expires
            && !strcmp(db_user_role(other), AUTH_OPERATOR)) {
            return false;
        }
    }
    return !user->expires && !strcmp(db_user_role(user), AUTH_OPERATOR);
}

static void
refuse_last_operator(struct api_call *call, const struct mdb_operator *user)
{
    api_fail(call, MHD_HTTP_CONFLICT, "last-operator", NULL,
             "%s is the last operator without a time limit: add another "
             "one first", db_user_name(user));
}

/* Says whether USER may become what IN says; else answers. */
static bool
check_patch(struct api_call *call, const struct mdb_operator *user,
            const struct user_input *in)
{
    bool stays = ((!in->role || !strcmp(in->role, AUTH_OPERATOR))
                  && (!in->has_expires || !in->expires));

    if (in->name && !check_name(call, in->name, user)) {
        return false;
    }
    /* Nothing but this time says when the certificate ends. */
    if (user->certificate[0] && in->has_expires
        && (!in->expires || in->expires > user->expires)) {
        api_fail(call, MHD_HTTP_CONFLICT, "certificate-expires", "expires",
                 "the certificate of %s is good for as long as it is now, or "
                 "less", db_user_name(user));
        return false;
    }
    if (!stays && is_last_operator(call->api->db, user)) {
        refuse_last_operator(call, user);
        return false;
    }
    return true;
}

static void
patch_user(struct api_call *call, const struct mdb_operator *user,
           const struct user_input *in)
{
    char *old_name = xstrdup(db_user_name(user));
    char *old_role = xstrdup(db_user_role(user));
    bool renamed = in->name && strcmp(in->name, old_name);
    bool changed_role = in->role && strcmp(in->role, old_role);
    bool changed_end = in->has_expires && in->expires != user->expires;

    if (renamed) {
        mdb_operator_set_name(user, in->name);
    }
    if (changed_role) {
        mdb_operator_set_role(user, in->role);
    }
    if (changed_end) {
        mdb_operator_set_expires(user, in->expires);
    }
    if (renamed || changed_role || changed_end) {
        char *expires = user->expires ? db_format_time(user->expires) : NULL;

        mdb_operator_set_revision(user, txn_touch(call->txn));
        audit(call, "user-changed", old_name, "%s%s%s%s%s%s",
              db_user_role(user), renamed ? ", now " : "",
              renamed ? in->name : "", changed_end ? ", until " : "",
              changed_end && expires ? expires : "",
              changed_end && !expires ? "removed" : "");
        free(expires);
    }
    free(old_role);
    free(old_name);
    api_ok(call, MHD_HTTP_OK, db_user_json(call->api->db, user));
}

void
api_user_patch(struct api_call *call)
{
    struct model_reader r;
    struct user_input in;

    model_reader_init(&r, call->body);
    read_common(&r, MODEL_OPTIONAL, &in);
    read_expires(&r, &in);
    if (api_finish_reader(call, &r)) {
        const struct mdb_operator *user = find_user(call, call->args[0]);

        if (user && api_matches(call, user->revision)
            && check_patch(call, user, &in)) {
            patch_user(call, user, &in);
        }
    }
}

void
api_user_delete(struct api_call *call)
{
    const struct mdb_operator *user = find_user(call, call->args[0]);

    if (!user) {
        return;
    }
    if (!api_matches(call, user->revision)) {
        return;
    }
    if (is_last_operator(call->api->db, user)) {
        refuse_last_operator(call, user);
        return;
    }
    txn_touch(call->txn);
    audit(call, "user-removed", db_user_name(user), "%s, %s %s",
          db_user_role(user), user->certificate[0] ? "certificate" : "token",
          user->operator_id);
    mdb_operator_delete(user);
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}
