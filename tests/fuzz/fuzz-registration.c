/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what a node, or somebody who says so, tells the mapper. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "mapper/api.h"
#include "mapper/db.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The mapper's own handlers read the body, each of them every body.  What they
 * would then ask and tell is replaced here: the linker takes the first
 * definition of several (-z muldefs).  There is no database. */
static const struct reading {
    const char *path;
    api_handler *handler;
    bool goes_on;               /* Reads on after api_finish_reader(). */
} readings[] = {
    { "/v1/register", api_register, false },
    { "/v1/self", api_self_patch, false },
    { "/v1/self/lease", api_self_lease, false },
    { "/v1/self/heartbeat", api_self_heartbeat, false },
    { "/v1/self/credential", api_self_credential, false },
    { "/v1/self/keys", api_self_keys, false },
    { "/v1/self/loaded", api_self_loaded, false },
    { "/v1/self/bindings", api_self_bindings, true },
};

enum { BODY_MAX = 1024 * 1024 };

static const struct reading *reading;
static const char *secret;      /* That of the body, or null. */
static int n_answers;

/* Messages go to logs and to others; they do not repeat a key. */
static void
check_message(const char *s)
{
    ovs_assert(strlen(s) < 1024);
    ovs_assert(!secret || !strstr(s, secret));
}

/* Returns member "key" of BODY, or null if it is not there or is something
 * that might stand in a message for another reason. */
static const char *
find_secret(const json_t *body)
{
    const char *key = json_string_value(json_object_get(body, "key"));

    if (!key || strlen(key) < 16 || strpbrk(key, " \"\\")) {
        return NULL;
    }

    char *text = json_dumps(body, JSON_COMPACT);
    const char *first = strstr(text, key);
    bool once = first && !strstr(first + 1, key);

    free(text);
    return once ? key : NULL;
}

bool
api_finish_reader(struct api_call *call OVS_UNUSED, struct model_reader *r)
{
    char *error = model_reader_finish(r, MODEL_REFUSE_UNKNOWN);

    if (error) {
        check_message(error);
        free(error);
    } else if (reading->goes_on) {
        return true;
    }
    n_answers++;
    return false;
}

void
api_fail(struct api_call *call OVS_UNUSED, int status OVS_UNUSED,
         const char *code OVS_UNUSED, const char *field OVS_UNUSED,
         const char *format OVS_UNUSED, ...)
{
    n_answers++;
}

/* The answer has one result for each item. */
void
api_ok(struct api_call *call, int status OVS_UNUSED, json_t *body)
{
    size_t n = (json_array_size(json_object_get(call->body, "put"))
                + json_array_size(json_object_get(call->body, "remove")));
    size_t i;
    json_t *result;

    ovs_assert(json_array_size(json_object_get(body, "results")) == n);
    json_array_foreach (json_object_get(body, "results"), i, result) {
        const json_t *detail = json_object_get(result, "detail");

        if (detail) {
            check_message(json_string_value(detail));
        }
    }
    json_decref(body);
    n_answers++;
}

const struct mdb_node *
api_self(struct api_call *call OVS_UNUSED)
{
    static char approved[] = "approved";
    static const struct mdb_node node = { .number = 1, .state = approved };

    return &node;
}

const struct mdb_net *
db_net(const struct db *db OVS_UNUSED, const char *name)
{
    ovs_assert(name);
    return NULL;
}

const struct mdb_binding *
db_binding(const struct db *db OVS_UNUSED, const char *net, const char *mac)
{
    ovs_assert(net && mac && *mac);
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    json_t *body;
    char *error = model_json_parse((const char *) data, n, BODY_MAX, &body);

    secret = NULL;
    if (error) {
        check_message(error);
        free(error);
        return 0;
    }
    /* The mapper has refused the rest before. */
    if (json_is_object(body)) {
        secret = find_secret(body);
        for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
            struct txn txn = { .db = NULL };
            struct api_call call = { .body = body, .txn = &txn };

            reading = &readings[i];
            n_answers = 0;
            reading->handler(&call);
            ovs_assert(n_answers == 1);
        }
    }
    json_decref(body);
    return 0;
}
