/* SPDX-License-Identifier: Apache-2.0 */
/* What a service has from its first start on. */

#include <config.h>

#include "mapper/bootstrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/auth.h"
#include "mapper/db.h"
#include "mapper/file.h"
#include "mapper/pki.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bootstrap);

#define OPERATOR_FILE "operator.json"
#define INSTANCE_FILE "instance"
#define FIRST_OPERATOR "admin"

enum {
    DATABASE_PATIENCE_MS = 30000,
    FIRST_NODE = 1,
    FIRST_SPI = 256,            /* RFC 4303 reserves what is below. */
};

/* operator.json. */

static char *
save_operator(const char *dir, const struct pki *pki, const struct svec *urls,
              const char *token)
{
    json_t *json = json_object();
    json_t *list = json_array();
    const char *url;
    size_t i;

    SVEC_FOR_EACH (i, url, urls) {
        json_array_append_new(list, json_string(url));
    }
    json_object_set_new(json, "urls", list);
    json_object_set_new(json, "ca", json_string(pki->ca_pem));
    json_object_set_new(json, "token", json_string(token));
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);

    int error = file_write(dir, OPERATOR_FILE, text, strlen(text), 0600);
    model_wipe(text, strlen(text));
    free(text);
    return (error
            ? xasprintf("%s/" OPERATOR_FILE ": %s", dir, ovs_strerror(error))
            : NULL);
}

/* Reads operator.json.  Stores null if there is none. */
static char *
load_operator(const char *dir, json_t **json)
{
    size_t size;
    char *data;
    int retval = file_read(dir, OPERATOR_FILE, &data, &size);

    *json = NULL;
    if (retval == ENOENT) {
        return NULL;
    } else if (retval) {
        return xasprintf("%s/" OPERATOR_FILE ": %s", dir,
                         ovs_strerror(retval));
    }

    char *error = model_json_parse(data, size, FILE_SIZE_MAX, json);
    model_wipe(data, size);
    free(data);
    if (error) {
        char *message = xasprintf("%s/" OPERATOR_FILE ": %s", dir, error);

        free(error);
        return message;
    }
    return NULL;
}

static bool
has_some_url(const json_t *json, const struct svec *urls)
{
    const json_t *list = json_object_get(json, "urls");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *url = json_string_value(json_array_get(list, i));

        if (url && svec_contains_unsorted(urls, url)) {
            return true;
        }
    }
    return false;
}

/* Stores the token in JSON, or a new one that it also saves, as what the
 * database is to know of it. */
static char *
first_operator(const char *dir, const struct pki *pki,
               const struct svec *urls, const json_t *json,
               struct principal *who)
{
    const char *token = json_string_value(json_object_get(json, "token"));

    if (token) {
        char *header = xasprintf("Bearer %s", token);
        bool ok = auth_parse(header, who) && who->role == ROLE_OPERATOR;

        model_wipe(header, strlen(header));
        free(header);
        return (ok ? NULL
                : xasprintf("%s/" OPERATOR_FILE " holds no operator token; "
                            "remove it to have one made", dir));
    }

    memset(who, 0, sizeof *who);
    char *text = auth_new_operator(who->id, who->hash);
    char *error = save_operator(dir, pki, urls, text);
    model_wipe(text, strlen(text));
    free(text);
    if (!error) {
        VLOG_INFO("made %s/" OPERATOR_FILE, dir);
    }
    return error;
}

/* The database. */

char *
bootstrap_wait(const struct db *db)
{
    long long int deadline = time_msec() + DATABASE_PATIENCE_MS;

    for (;;) {
        ovsdb_idl_run(db->idl);
        if (ovsdb_idl_has_ever_connected(db->idl)
            && ovsdb_idl_is_connected(db->idl)) {
            return NULL;
        }
        if (!ovsdb_idl_is_alive(db->idl) || time_msec() >= deadline) {
            return xstrdup("the database does not answer");
        }
        ovsdb_idl_wait(db->idl);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static char *
commit_first_rows(const struct db *db, const struct principal *who)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(db->idl);

    if (!db_service(db)) {
        struct mdb_service *service = mdb_service_insert(txn);

        mdb_service_set_generation(service, time_wall());
        mdb_service_set_number(service, 1);
        mdb_service_set_next_node(service, FIRST_NODE);
        mdb_service_set_next_spi(service, FIRST_SPI);
    }
    if (who) {
        struct mdb_operator *operator = mdb_operator_insert(txn);

        mdb_operator_set_operator_id(operator, who->id);
        mdb_operator_set_secret_hash(operator, who->hash);
        mdb_operator_set_name(operator, FIRST_OPERATOR);
        mdb_operator_set_role(operator, AUTH_OPERATOR);
        mdb_operator_set_created(operator, time_wall());
        mdb_operator_set_revision(operator, 1);
    }
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit_block(txn);
    char *error = NULL;
    if (status != TXN_SUCCESS && status != TXN_UNCHANGED
        && status != TXN_TRY_AGAIN) {
        error = xasprintf("the database refused the first rows: %s",
                          ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    return error;
}

char *
bootstrap(const struct db *db, const char *dir, const struct pki *pki,
          const struct svec *urls)
{
    json_t *json;
    char *error = load_operator(dir, &json);

    if (!error) {
        error = bootstrap_wait(db);
    }

    /* Until the database shows it: a commit may have to be tried again. */
    while (!error && (!db_service(db) || !mdb_operator_first(db->idl))) {
        struct principal who;
        bool need_operator = !mdb_operator_first(db->idl);

        if (need_operator) {
            error = first_operator(dir, pki, urls, json, &who);
            if (!error && !json) {
                error = load_operator(dir, &json);
            }
        }
        if (!error) {
            error = commit_first_rows(db, need_operator ? &who : NULL);
        }
        if (!error) {
            error = bootstrap_wait(db);
        }
    }

    const char *token = json_string_value(json_object_get(json, "token"));
    if (!error && token && !has_some_url(json, urls)) {
        error = save_operator(dir, pki, urls, token);
    }
    json_decref(json);
    return error;
}

char *
bootstrap_instance(const char *dir, struct uuid *instance)
{
    char text[UUID_LEN + 1];
    size_t size;
    char *data;
    int error = file_read(dir, INSTANCE_FILE, &data, &size);

    if (!error) {
        data[strcspn(data, "\n")] = '\0';
        bool ok = uuid_from_string(instance, data);
        free(data);
        if (ok) {
            return NULL;
        }
    } else if (error != ENOENT) {
        return xasprintf("%s/" INSTANCE_FILE ": %s", dir,
                         ovs_strerror(error));
    }
    uuid_generate(instance);
    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(instance));
    error = file_write(dir, INSTANCE_FILE, text, strlen(text), 0644);
    return (error
            ? xasprintf("%s/" INSTANCE_FILE ": %s", dir, ovs_strerror(error))
            : NULL);
}
