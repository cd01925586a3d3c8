/* SPDX-License-Identifier: Apache-2.0 */
/* What the service answers to who wants to act under a node ID. */
#include <config.h>
#include "controller/lease.h"

#include <stdlib.h>
#include <string.h>

#include "host/node-credential.h"
#include "host/node-file.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "model/types.h"
#include "util.h"
#include "uuid.h"

enum { CREDENTIAL_AGE_MAX = 24 * 60 * 60 };

static json_t *
parse(const char *body, size_t n)
{
    json_t *json = NULL;

    free(model_json_parse(body, n, SIZE_MAX, &json));
    return json;
}

static const char *
code_of(const json_t *problem)
{
    const char *code = json_string_value(json_object_get(problem, "code"));
    return code ? code : "";
}

/* The node that was registered. */
static void
read_node(struct lease_answer *answer, const json_t *node)
{
    struct model_reader r;

    model_reader_init(&r, node);
    answer->number = model_reader_uint(&r, "number", MODEL_REQUIRED,
                                       1, MODEL_NODE_MAX);
    answer->name = nullable_xstrdup(model_reader_name(&r, "name",
                                                      MODEL_REQUIRED));
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        answer->verdict = LEASE_FAILED;
        answer->reason = xasprintf("registered, but the answer's %s", error);
        free(error);
    }
}

static void
read_origin(struct lease_answer *answer, const json_t *node)
{
    const char *id = json_string_value(json_object_get(node, "origin"));

    if (!id || !uuid_from_string(&answer->origin, id)) {
        uuid_zero(&answer->origin);
    }
}

static void
read_adopted(struct lease_answer *answer, const json_t *problem)
{
    const char *id = json_string_value(json_object_get(problem, "id"));

    if (id && uuid_from_string(&answer->id, id)
        && !uuid_is_zero(&answer->id)) {
        answer->verdict = LEASE_ADOPTED;
        answer->reason = xasprintf("this node is %s now", id);
    }
}

static void
read_held(struct lease_answer *answer, const json_t *problem)
{
    json_int_t seconds = json_integer_value(json_object_get(problem,
                                                            "retry_after"));

    answer->verdict = LEASE_HELD;
    answer->retry_after = MIN(MAX(seconds, 1), LEASE_RETRY_MAX);
    answer->reason = xstrdup("another machine was using this node ID a short "
                             "while ago");
}

static void
read_problem(struct lease_answer *answer, long status, const json_t *problem)
{
    const char *code = code_of(problem);
    const char *detail = json_string_value(json_object_get(problem,
                                                           "detail"));

    if (status == 401) {
        answer->verdict = LEASE_UNKNOWN;
        answer->reason = xstrdup("the mapping service refuses this node's "
                                 "credential (removed, revoked, or another "
                                 "service)");
    } else if (!strcmp(code, "lease-held")) {
        read_held(answer, problem);
    } else if (!strcmp(code, "duplicate-node-id")) {
        answer->verdict = LEASE_DUPLICATE;
        answer->reason = xstrdup("another machine is using this node ID");
    } else if (!strcmp(code, "adopted")) {
        read_adopted(answer, problem);
    } else if (status >= 400 && status < 500 && *code) {
        answer->verdict = LEASE_REFUSED;
        answer->reason = xasprintf("%s: %s", code, detail ? detail
                                   : "the mapping service refuses this node");
    }
    if (!answer->reason) {
        answer->reason = xasprintf("HTTP status %ld", status);
    }
}

void
lease_answer_parse(struct lease_answer *answer, bool registration,
                   long status, const char *error, const char *body, size_t n)
{
    *answer = (struct lease_answer) { .verdict = LEASE_FAILED };
    if (error || !status) {
        answer->reason = xstrdup(error ? error : "no answer");
        return;
    }

    json_t *json = parse(body, n);
    if (status == 200 || status == 201) {
        answer->verdict = LEASE_GRANTED;
        if (registration) {
            read_node(answer, json);
        } else {
            read_origin(answer, json_object_get(json, "node"));
        }
    } else {
        read_problem(answer, status, json);
    }
    json_decref(json);
}

void
lease_answer_destroy(struct lease_answer *answer)
{
    free(answer->reason);
    free(answer->name);
    *answer = (struct lease_answer) { .verdict = LEASE_NONE };
}

bool
lease_is_lost(long status, const char *body, size_t n)
{
    bool lost = status == 401;

    if (status == 409) {
        json_t *json = parse(body, n);
        const char *code = code_of(json);

        lost = !strcmp(code, "not-holder") || !strcmp(code, "adopted");
        json_decref(json);
    }
    return lost;
}

/* Bodies. */

static void
add_endpoints(json_t *body, const char *list)
{
    struct model_endpoint *endpoints = NULL;
    size_t n = 0;

    if (list) {
        free(model_endpoints_parse(list, &endpoints, &n));
    }
    if (n) {
        json_object_set_new(body, "endpoints",
                            model_endpoints_to_json(endpoints, n));
    }
    free(endpoints);
}

static char *
body_text(json_t *body, const char *endpoints)
{
    add_endpoints(body, endpoints);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

char *
lease_body(const char *instance, const char *fingerprint,
           const char *endpoints)
{
    return body_text(json_pack("{s:s, s:s}", "instance", instance,
                               "fingerprint", fingerprint), endpoints);
}

char *
lease_register_body(const struct node_file *node, const char *fingerprint,
                    const char *endpoints)
{
    char *hash = node_credential_hash(node->credential);
    json_t *body = json_pack(
        "{s:o, s:s, s:s, s:s}",
        "id", json_sprintf(UUID_FMT, UUID_ARGS(&node->id)),
        "name", node->name, "credential_hash", hash,
        "fingerprint", fingerprint);

    free(hash);
    return body_text(body, endpoints);
}

bool
lease_credential_is_due(const struct node_file *node,
                        long long int instance_made, long long int now)
{
    /* One from the future tells that a clock was wrong, not how old it is.
     * Neither does an instance from the future: none would ever be made after
     * it. */
    return ((node->credential_made < instance_made && instance_made <= now)
            || node->credential_made > now
            || now - node->credential_made >= CREDENTIAL_AGE_MAX);
}
