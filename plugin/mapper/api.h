/* SPDX-License-Identifier: Apache-2.0 */
/* The API: calls, answers, problems. */

#ifndef MAPPER_API_H
#define MAPPER_API_H 1

/* A request becomes a call: the route that matches it, the principal who
 * makes it, the variable parts of the path, and the body as JSON.  Before the
 * route's handler runs everything that does not depend on the database's
 * content has been checked: path, method, credential, role, size, media type
 * and syntax.
 *
 * A handler that only reads runs at once.  One that writes runs within a
 * transaction (see txn.h) and its answer goes out after the commit.  A
 * handler reads the body, checks everything, and only then changes anything;
 * it ends with api_ok() or api_fail().
 *
 * Problems are those of RFC 9457, with a "code" for programs; the codes are
 * listed in openapi.yaml. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "mapper/auth.h"
#include "mapper/lease.h"
#include "mapper/txn.h"
#include "model/jansson.h"
#include "model/reader.h"

struct asks;
struct change_refusal;
struct confirm;
struct db;
struct events;
struct http_connection;
struct http_request;
struct http_server;
struct installed;
struct mdb_node;
struct monitor;
struct peers;
struct pki;
struct request_stats;
struct rule_hits;

enum { API_ARGS_MAX = 2 };

struct api {
    struct db *db;
    struct txn_queue *txns;
    struct events *events;
    struct lease *lease;
    struct confirm *confirm;
    struct peers *peers;
    struct installed *installed;
    struct asks *asks;
    struct rule_hits *rule_hits;
    const struct pki *pki;
    const struct http_server *http;
    struct monitor *monitor;
    struct request_stats *stats;
};

struct api_answer {
    int status;                 /* 0: none yet. */
    json_t *body;               /* Null for none. */
};

struct api_call {
    struct txn_request txn_request;
    struct api *api;
    struct http_connection *connection;
    const struct api_route *route;
    struct principal who;
    char *args[API_ARGS_MAX];
    json_t *body;               /* Always an object where there is one. */
    char *last_event_id;
    char *path;                 /* Of the request, undecoded. */
    char *if_match;             /* Headers, or null. */
    char *if_none_match;
    char *idempotency_key;
    char source[INET6_ADDRSTRLEN]; /* Address of who calls. */
    struct lease_waiter waiter; /* While a holder is asked (api-lease.c). */

    struct txn *txn;            /* Null while only reading. */
    struct api_answer answers[TXN_ATTEMPTS_MAX];
    int attempt;
    long long int started;      /* time_usec(). */
};

/* For http_server_create(); AUX is the struct api. */
void api_handle(struct http_connection *, const struct http_request *,
                void *aux);

/* How long the body of a request may be, of which there is the head. */
size_t api_body_max(struct http_connection *, const struct http_request *,
                    void *aux);

/* Answers.  BODY is taken over. */
void api_ok(struct api_call *, int status, json_t *body);
void api_ok_items(struct api_call *, json_t *array);
void api_fail(struct api_call *, int status, const char *code,
              const char *field, const char *format, ...)
    OVS_PRINTF_FORMAT(5, 6);

/* True if the request may change an object that has REVISION: its If-Match,
 * if it has one, names this revision or any.  Else false, after answering
 * 412.  REVISION is 0 if there is no such object yet. */
bool api_matches(struct api_call *, int64_t revision);

/* Returns text S with its percent-escapes replaced, malloc()'d; null if that
 * makes no text. */
char *api_decode(const char *s);

/* Adds a member to the problem that was just answered. */
void api_problem_set(struct api_call *, const char *name, json_t *value);

/* Lets a call that was put aside go on to its transaction. */
void api_continue(struct api_call *);

/* A registration whose credential is that of the node it was cloned from. */
void api_register_clone(struct api_call *);

/* Puts CALL, for a lease, aside if the holder must be asked first. */
bool api_lease_park(struct api_call *);

/* Frees what is in the refusal. */
void api_refuse(struct api_call *, struct change_refusal *);

/* Answers 422 with what the model says against a body, taken over. */
void api_fail_invalid(struct api_call *, char *error);

/* Ends the reading of a body: false, after answering 422, if it was bad. */
bool api_finish_reader(struct api_call *, struct model_reader *);

/* What the path names; null, after answering 404 or 409. */
const struct mdb_net *api_net(struct api_call *, const char *name);
const struct mdb_node *api_node(struct api_call *, const char *text);

/* The node that calls; null, after answering, if it is gone. */
const struct mdb_node *api_self(struct api_call *);

/* NODE as it may see itself. */
json_t *api_self_json(struct api_call *, const struct mdb_node *);

/* Handlers, named after what they do. */
typedef void api_handler(struct api_call *);
api_handler api_healthz, api_readyz, api_metrics, api_ca, api_events;
api_handler api_register, api_self_get, api_self_patch, api_self_bindings,
    api_self_keys;
api_handler api_self_lease, api_self_heartbeat, api_self_credential,
    api_self_key_delete, api_self_loaded, api_self_installed;
api_handler api_tokens_get, api_tokens_post, api_token_delete;
api_handler api_nodes_get, api_node_get, api_node_patch, api_node_delete,
    api_node_adopt;
api_handler api_nets_get, api_nets_post, api_net_get, api_net_patch,
    api_net_delete, api_net_rekey;
api_handler api_members_get, api_member_put, api_member_delete;
api_handler api_bindings_get, api_bindings_post, api_binding_get, api_binding_put,
    api_binding_patch, api_binding_delete, api_keys_get;
api_handler api_addresses_get, api_pools_get, api_pool_put, api_pool_delete,
    api_reservations_get, api_reservation_put, api_reservation_delete;
api_handler api_rules_get, api_rules_post, api_rules_put, api_rule_get,
    api_rule_put, api_rule_patch, api_rule_delete, api_self_hits;
api_handler api_users_get, api_users_post, api_user_get, api_user_patch,
    api_user_delete;
api_handler api_audit_get, api_wait;
api_handler api_net_trace, api_self_answer;

#endif /* mapper/api.h */
