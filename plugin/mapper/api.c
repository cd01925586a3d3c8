/* SPDX-License-Identifier: Apache-2.0 */
/* The API: calls, answers, problems. */

#include <config.h>

#include "mapper/api.h"

#include <ctype.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "coverage.h"
#include "mapper/api-route.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/http.h"
#include "mapper/idempotency.h"
#include "mapper/pki.h"
#include "mapper/request-stats.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(api);

COVERAGE_DEFINE(mapper_api_ok);
COVERAGE_DEFINE(mapper_api_problem);
COVERAGE_DEFINE(mapper_api_unauthorized);

static struct vlog_rate_limit change_rl = VLOG_RATE_LIMIT_INIT(120, 600);

/* Answers. */

static struct api_answer *
present_answer(struct api_call *call)
{
    return &call->answers[call->attempt];
}

static void
set_answer(struct api_call *call, int status, json_t *body)
{
    struct api_answer *answer = present_answer(call);

    ovs_assert(!answer->status);
    answer->status = status;
    answer->body = body;
}

void
api_ok(struct api_call *call, int status, json_t *body)
{
    COVERAGE_INC(mapper_api_ok);
    set_answer(call, status, body);
}

void
api_ok_items(struct api_call *call, json_t *array)
{
    json_t *body = json_object();

    json_object_set_new(body, "items", array);
    api_ok(call, MHD_HTTP_OK, body);
}

static json_t *
problem(int status, const char *code, const char *field, const char *detail)
{
    json_t *json = json_object();
    char *type = xasprintf("urn:vsubnet:problem:%s", code);
    char *title = xstrdup(code);

    title[0] = toupper((unsigned char) title[0]);
    for (char *p = title; *p; p++) {
        *p = *p == '-' ? ' ' : *p;
    }
    json_object_set_new(json, "type", json_string(type));
    json_object_set_new(json, "title", json_string(title));
    json_object_set_new(json, "status", json_integer(status));
    /* json_string() refuses what is not UTF-8. */
    json_t *text = json_string(detail);
    json_object_set_new(json, "detail", text ? text : json_string(title));
    json_object_set_new(json, "code", json_string(code));
    if (field) {
        json_object_set_new(json, "field", json_string(field));
    }
    free(title);
    free(type);
    return json;
}

void
api_fail(struct api_call *call, int status, const char *code,
         const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *detail = xvasprintf(format, args);
    va_end(args);

    COVERAGE_INC(mapper_api_problem);
    set_answer(call, status, problem(status, code, field, detail));
    free(detail);
}

void
api_problem_set(struct api_call *call, const char *name, json_t *value)
{
    json_object_set_new(present_answer(call)->body, name, value);
}

/* Says whether the list of entity tags TEXT has "TAG"; W/"TAG" too, as caches
 * may write it, if BEFORE has '/'. */
static bool
has_tag(const char *text, const char *tag, const char *before)
{
    size_t n = strlen(tag);

    for (const char *p = text; (p = strstr(p, tag)) != NULL; p++) {
        if (p > text && p[-1] == '"' && p[n] == '"'
            && (p - 1 == text || strchr(before, p[-2]))) {
            return true;
        }
    }
    return false;
}

static bool
is_any(const char *text)
{
    return !strcmp(text + strspn(text, " \t"), "*");
}

/* Says whether who asks has the answer already, which is of REVISION (RFC
 * 9110 section 13.1.2). */
static bool
is_not_modified(const struct api_call *call, const char *revision)
{
    const char *has = call->if_none_match;

    return (has && call->route->flags & ROUTE_CACHED
            && (is_any(has) || has_tag(has, revision, ", \t/")));
}

bool
api_matches(struct api_call *call, int64_t revision)
{
    const char *want = call->if_match;
    if (!want) {
        return true;
    }
    json_t *json = model_revision_to_json(db_row_revision(call->api->db,
                                                          revision));
    const char *tag = json_string_value(json);
    bool ok = revision && (has_tag(want, tag, ", \t") || is_any(want));
    if (!ok) {
        api_fail(call, MHD_HTTP_PRECONDITION_FAILED, "revision-mismatch",
                 "If-Match", (revision ? "If-Match: the revision is %s now"
                              : "If-Match: there is nothing yet"), tag);
    }
    if (!ok && revision) {
        api_problem_set(call, "revision", json_incref(json));
    }
    json_decref(json);
    return ok;
}

void
api_refuse(struct api_call *call, struct change_refusal *refusal)
{
    api_fail(call, (strcmp(refusal->code, "invalid-address")
                    ? MHD_HTTP_CONFLICT : MHD_HTTP_UNPROCESSABLE_CONTENT),
             refusal->code, NULL, "%s", refusal->detail);
    free(refusal->detail);
}

/* The reader's message begins with the field, if there is one: "FIELD: ..." or
 * "FIELD[INDEX]: ...". */
static char *
field_of(const char *message)
{
    size_t n = (islower((unsigned char) message[0])
                ? strspn(message, "abcdefghijklmnopqrstuvwxyz0123456789_.")
                : 0);

    return message[n] == ':' || message[n] == '[' ? xmemdup0(message, n)
                                                  : NULL;
}

bool
api_finish_reader(struct api_call *call, struct model_reader *r)
{
    static const char unknown[] = ": unknown member";
    char *error = model_reader_finish(r, MODEL_REFUSE_UNKNOWN);

    if (!error) {
        return true;
    }
    if (string_ends_with(error, unknown)) {
        char *field = field_of(error);

        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "unknown-field",
                 field, "%s", error);
        free(field);
        free(error);
    } else {
        api_fail_invalid(call, error);
    }
    return false;
}

void
api_fail_invalid(struct api_call *call, char *error)
{
    char *field = field_of(error);

    api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field", field,
             "%s", error);
    free(field);
    free(error);
}

const struct mdb_net *
api_net(struct api_call *call, const char *name)
{
    const struct mdb_net *net = db_net(call->api->db, name);

    if (!net) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-net", NULL,
                 "there is no vSubnet %s", name);
    }
    return net;
}

const struct mdb_node *
api_node(struct api_call *call, const char *text)
{
    const struct mdb_node *node = NULL;
    struct uuid uuid;
    size_t n = 0;

    if (uuid_from_string(&uuid, text)) {
        char id[UUID_LEN + 1];

        snprintf(id, sizeof id, UUID_FMT, UUID_ARGS(&uuid));
        node = db_node_by_id(call->api->db, id);
    } else if (text[strspn(text, "0123456789")] == '\0') {
        node = db_node(call->api->db, strtoll(text, NULL, 10));
    } else {
        struct mdb_node **named = db_nodes_named(call->api->db, text, &n);

        node = n ? named[0] : NULL;
        free(named);
    }
    if (n > 1) {
        api_fail(call, MHD_HTTP_CONFLICT, "ambiguous-name", NULL,
                 "several nodes are called %s: use a number or node ID",
                 text);
        return NULL;
    }
    if (!node) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-node", NULL,
                 "there is no node %s", text);
    }
    return node;
}

const struct mdb_node *
api_self(struct api_call *call)
{
    const struct mdb_node *node = db_node_by_id(call->api->db, call->who.id);

    if (!node) {
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "bad-credential", NULL,
                 "this node is not registered");
    }
    return node;
}

json_t *
api_self_json(struct api_call *call, const struct mdb_node *node)
{
    return db_node_json(call->api->db, node, MODEL_VIEW_SELF, true);
}

/* The life of a call. */

static void
call_count(const struct api_call *call, int status)
{
    const struct api_route *route = call->route;

    request_stats_add(call->api->stats, route ? route->method : NULL,
                      route ? route->pattern : NULL, status,
                      time_usec() - call->started);
}

static void
call_destroy(struct api_call *call)
{
    for (int i = 0; i < TXN_ATTEMPTS_MAX; i++) {
        json_decref(call->answers[i].body);
    }
    json_decref(call->body);
    api_route_free_args(call->args);
    free(call->last_event_id);
    free(call->path);
    free(call->if_match);
    free(call->if_none_match);
    free(call->idempotency_key);
    free(call);
}

/* The tests hold what this says against openapi.yaml. */
static void
call_log(const struct api_call *call, const struct api_answer *answer)
{
    const json_t *code = json_object_get(answer->body, "code");

    if (call->route) {
        VLOG_DBG("answered %s %s %d%s%s", call->route->method,
                 call->route->pattern, answer->status, code ? ": " : "",
                 code ? json_string_value(code) : "");
    }
}

/* Sends the answer of ATTEMPT and ends the call. */
static void
call_finish(struct api_call *call, int attempt)
{
    struct api_answer *answer = &call->answers[attempt];
    const char *header = NULL;
    const char *value = NULL;
    char seconds[INT_STRLEN(int) + 1];
    char etag[64];
    char *text = NULL;

    json_t *retry_after = json_object_get(answer->body, "retry_after");
    const char *revision = json_string_value(json_object_get(answer->body,
                                                             "revision"));

    if (answer->status == MHD_HTTP_OK && revision
        && is_not_modified(call, revision)) {
        answer->status = MHD_HTTP_NOT_MODIFIED;
    }
    call_log(call, answer);
    if (answer->status == MHD_HTTP_UNAUTHORIZED) {
        COVERAGE_INC(mapper_api_unauthorized);
        header = MHD_HTTP_HEADER_WWW_AUTHENTICATE;
        value = "Bearer";
    } else if (answer->status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        header = MHD_HTTP_HEADER_RETRY_AFTER;
        value = "1";
    } else if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        header = MHD_HTTP_HEADER_ALLOW;
        value = json_string_value(json_object_get(answer->body, "allow"));
    } else if (answer->status == MHD_HTTP_CONFLICT && retry_after) {
        snprintf(seconds, sizeof seconds, "%d",
                 (int) json_integer_value(retry_after));
        header = MHD_HTTP_HEADER_RETRY_AFTER;
        value = seconds;
    } else if (answer->status < 400 && revision) {
        snprintf(etag, sizeof etag, "\"%s\"", revision);
        header = MHD_HTTP_HEADER_ETAG;
        value = etag;
    }
    if (answer->body && answer->status != MHD_HTTP_NOT_MODIFIED) {
        text = json_dumps(answer->body, JSON_COMPACT);
    }
    call_count(call, answer->status);
    http_respond(call->connection, answer->status,
                 (answer->status < 400 ? "application/json"
                  : "application/problem+json"),
                 text, text ? strlen(text) : 0, header, value);
    call_destroy(call);
}

/* A node's credential may be an old one, or its lease another's. */
static bool
authorize_node(struct api_call *call)
{
    int flags = call->route->flags;

    if (call->who.credential == IDENTITY_SUPERSEDED
        && !(flags & ROUTE_SUPERSEDED)) {
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "bad-credential", NULL,
                 "another credential has taken the place of this one");
        return false;
    }
    if (flags & ROUTE_ANY_INSTANCE) {
        return true;
    }
    const struct mdb_node *node = db_node_by_id(call->api->db, call->who.id);
    if (strcmp(node->instance, call->who.instance)) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-holder", NULL,
                 "the lease of this node ID is not held by this instance");
        return false;
    }
    if (node->instance[0]) {
        lease_heard(call->api->lease, node->number, time_msec());
    }
    return true;
}

static void
refuse_adopted(struct api_call *call)
{
    const struct mdb_node *node = db_node_by_formerly(call->api->db,
                                                      call->who.id);

    api_fail(call, MHD_HTTP_CONFLICT, "adopted", NULL,
             "this node has the node ID %s now", node->node_id);
    api_problem_set(call, "id", json_string(node->node_id));
}

/* Checks the principal against the database as it is now. */
static bool
call_authorize(struct api_call *call)
{
    if (call->route->roles & ROLE_ANYONE) {
        return true;
    }
    switch (auth_check(call->api->db, &call->who)) {
    case AUTH_UNKNOWN:
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "bad-credential", NULL,
                 "the credential is not known here");
        return false;

    case AUTH_EXPIRED:
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "credential-expired", NULL,
                 "the time of this credential is over");
        return false;

    case AUTH_REVOKED:
        api_fail(call, MHD_HTTP_FORBIDDEN, "node-revoked", NULL,
                 "this node has been revoked");
        return false;

    case AUTH_ADOPTED:
        if (call->route->roles & ROLE_NODE) {
            refuse_adopted(call);
            return false;
        }
        break;

    case AUTH_OK:
        break;
    }
    if (call->who.role == ROLE_ANYONE) {
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "no-credential", NULL,
                 "this needs a credential");
        return false;
    }
    if (!(call->route->roles & call->who.role)) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "wrong-role", NULL, "%s",
                 (call->who.role == ROLE_VIEWER
                  ? "viewers may only read"
                  : "this is not for credentials of this kind"));
        return false;
    }
    return call->who.role != ROLE_NODE || authorize_node(call);
}

static void
call_apply(struct txn_request *request, struct txn *txn)
{
    struct api_call *call = CONTAINER_OF(request, struct api_call,
                                         txn_request);
    struct api_answer *answer = &call->answers[txn->attempt];
    bool once = call->idempotency_key && call->route->flags & ROUTE_ONCE;

    json_decref(answer->body);
    answer->body = NULL;
    answer->status = 0;

    call->attempt = txn->attempt;
    call->txn = txn;
    if (call_authorize(call) && !(once && idempotency_replay(call))) {
        call->route->handler(call);
        if (once && answer->status < 300) {
            idempotency_remember(call);
        }
    }
    call->txn = NULL;
    ovs_assert(answer->status);
}

static void
call_done(struct txn_request *request, enum txn_outcome outcome, int attempt)
{
    struct api_call *call = CONTAINER_OF(request, struct api_call,
                                         txn_request);

    if (outcome != TXN_DONE) {
        struct api_answer *answer = &call->answers[0];

        attempt = call->attempt = 0;
        json_decref(answer->body);
        answer->body = NULL;
        answer->status = 0;
        if (outcome == TXN_REFUSED) {
            api_fail(call, MHD_HTTP_INTERNAL_SERVER_ERROR,
                     "refused-by-database", NULL,
                     "the database refused the change");
        } else {
            api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "outcome-unknown", NULL,
                     "the database does not answer: whether the change "
                     "happened is not known");
        }
    }
    VLOG_INFO_RL(&change_rl, "%s %s%s%s%s%s by %s: %d", call->route->method,
                 call->route->pattern,
                 call->args[0] ? ", " : "", call->args[0] ? call->args[0] : "",
                 call->args[1] ? ", " : "", call->args[1] ? call->args[1] : "",
                 call->who.id, call->answers[attempt].status);
    call_finish(call, attempt);
}

static int
route_body_max(const struct api_route *route)
{
    return (route->flags & ROUTE_LARGE ? HTTP_LARGE_BODY_MAX
            : HTTP_BODY_MAX);
}

/* Checks and parses the body, as far as the route wants one. */
static bool
call_parse_body(struct api_call *call, const struct http_request *request)
{
    int flags = call->route->flags;

    if (request->too_large) {
        api_fail(call, MHD_HTTP_CONTENT_TOO_LARGE, "too-large", NULL,
                 "a body may have %d bytes", route_body_max(call->route));
        return false;
    }
    if (!(flags & (ROUTE_BODY | ROUTE_BODY_MAY))) {
        return true;
    }
    if (!request->body_size && flags & ROUTE_BODY_MAY) {
        call->body = json_object();
        return true;
    }

    static const char json_type[] = "application/json";
    const char *type = request->content_type ? request->content_type : "";
    size_t n = strlen(json_type);
    if (strncasecmp(type, json_type, n)
        || (type[n] && !strchr("; \t", type[n]))) {
        api_fail(call, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "not-json", NULL,
                 "the Content-Type must be application/json");
        return false;
    }

    char *error = model_json_parse(request->body, request->body_size,
                                   route_body_max(call->route),
                                   &call->body);
    if (error) {
        api_fail(call, MHD_HTTP_BAD_REQUEST, "malformed-json", NULL, "%s",
                 error);
        free(error);
        return false;
    }
    if (!json_is_object(call->body)) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field", NULL,
                 "the body is not a JSON object");
        return false;
    }
    return true;
}

/* Reads the header that says which boot of its host a node is. */
static bool
call_parse_instance(struct api_call *call, const char *text)
{
    struct uuid uuid;

    if (text && (call->who.role & call->route->roles
                 & (ROLE_NODE | ROLE_TOKEN))) {
        if (!uuid_from_string(&uuid, text)) {
            api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                     "VSubnet-Instance", "VSubnet-Instance: not a UUID");
            return false;
        }
        snprintf(call->who.instance, sizeof call->who.instance, UUID_FMT,
                 UUID_ARGS(&uuid));
    }
    return true;
}

/* What a request says of who sends it: a header, or the certificate of its
 * connection. */
static bool
call_parse_credential(struct api_call *call,
                      const struct http_request *request)
{
    char certificate[MODEL_SECRET_HEX + 1];

    if (call->route->roles & ROLE_ANYONE) {
        return true;
    }
    if (!auth_parse(request->authorization, &call->who)) {
        api_fail(call, MHD_HTTP_UNAUTHORIZED, "bad-credential", NULL,
                 "the Authorization header holds no credential of ours");
        return false;
    }
    if (!request->authorization
        && http_connection_certificate(call->connection, certificate)) {
        auth_by_certificate(certificate, &call->who);
    }
    return true;
}

/* Finds the route, and checks everything before the body.  Returns false with
 * an answer if that is the end. */
static bool
call_prepare_head(struct api_call *call, const struct http_request *request)
{
    struct ds allowed = DS_EMPTY_INITIALIZER;

    call->route = api_route_find(request->method, request->path, call->args,
                                 &allowed);
    if (!call->route) {
        if (allowed.length) {
            api_fail(call, MHD_HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
                     NULL, "this path has %s only", ds_cstr(&allowed));
            json_object_set_new(present_answer(call)->body, "allow",
                                json_string(ds_cstr(&allowed)));
        } else {
            api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-route", NULL,
                     "there is no such path");
        }
        ds_destroy(&allowed);
        return false;
    }
    ds_destroy(&allowed);

    if (!(call->route->flags & ROUTE_NO_DB) && !db_service(call->api->db)) {
        api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "database-unavailable",
                 NULL, "the database is not there yet");
        return false;
    }
    if (!call_parse_credential(call, request)
        || !call_parse_instance(call, request->instance)
        || !call_authorize(call)) {
        return false;
    }
    if (call->who.role != ROLE_ANYONE
        && !(call->route->roles & ROLE_ANYONE)) {
        http_connection_trust(call->connection);
    }
    return true;
}

size_t
api_body_max(struct http_connection *connection,
             const struct http_request *head, void *api)
{
    struct api_call *call = xzalloc(sizeof *call);

    call->api = api;
    call->connection = connection;
    size_t max = (call_prepare_head(call, head) ? route_body_max(call->route)
                  : HTTP_BODY_MAX);
    call_destroy(call);
    return max;
}

void
api_continue(struct api_call *call)
{
    if (!txn_queue_add(call->api->txns, &call->txn_request)) {
        api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", NULL,
                 "too many requests are waiting");
        call_finish(call, 0);
    }
}

void
api_handle(struct http_connection *connection,
           const struct http_request *request, void *api)
{
    struct api_call *call = xzalloc(sizeof *call);

    call->api = api;
    call->connection = connection;
    call->started = time_usec();
    call->last_event_id = nullable_xstrdup(request->last_event_id);
    call->path = xstrdup(request->path);
    call->if_match = nullable_xstrdup(request->if_match);
    call->if_none_match = nullable_xstrdup(request->if_none_match);
    call->idempotency_key = nullable_xstrdup(request->idempotency_key);
    http_connection_peer(connection, call->source);
    call->txn_request.apply = call_apply;
    call->txn_request.done = call_done;

    if (!call_prepare_head(call, request)
        || !call_parse_body(call, request)) {
        call_finish(call, 0);
    } else if (call->route->flags & ROUTE_WRITES) {
        if (!(call->route->flags & ROUTE_MAY_PARK) || !api_lease_park(call)) {
            api_continue(call);
        }
    } else {
        call->route->handler(call);
        if (call->answers[0].status) {
            call_finish(call, 0);
        } else {
            /* It has become something else: a stream or a file, or it
             * waits (installed.h). */
            call_log(call, &(struct api_answer) { .status = MHD_HTTP_OK });
            call_count(call, MHD_HTTP_OK);
            call_destroy(call);
        }
    }
}

/* The handlers that belong to no table. */

void
api_ca(struct api_call *call)
{
    const char *pem = call->api->pki->ca_pem;

    http_respond(call->connection, MHD_HTTP_OK, "application/x-pem-file",
                 xstrdup(pem), strlen(pem), NULL, NULL);
}

void
api_events(struct api_call *call)
{
    events_subscribe(call->api->events, call->connection, &call->who,
                     call->last_event_id);
}
