/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the mapping service. */
#include <config.h>
#include "controller/client.h"

#include <stdlib.h>
#include <string.h>

#include "controller/http.h"
#include "controller/sse.h"
#include "host/node-credential.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "model/types.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(client);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 5000,
    SILENCE_MS = 45000,         /* A comment comes every 15 s. */
    STABLE_MS = 10000,          /* A stream this old was a good one. */
};

enum client_state {
    C_STOPPED,
    C_WAITING,
    C_REGISTERING,
    C_LEASING,
    C_CONNECTING,
    C_LIVE,
};

struct client {
    struct client_events events;
    struct http *http;
    enum client_state state;

    /* Configuration. */
    char **urls;
    size_t n_urls, url;         /* 'url' is the current one. */
    char *ca;
    struct uuid node;
    char *instance;
    char *credential, *next_credential, *origin_credential;
    char **old_credentials;
    size_t n_old, next_old;     /* Which of them is to be tried. */

    /* C_REGISTERING, C_LEASING, and C_LIVE while the lease is renewed. */
    struct http_request *asking;
    char *asked_with;           /* Credential, for the lease, */
    bool asked_with_next;       /* the next one, */
    bool asked_with_old;        /* or one of the old ones. */
    bool registration;          /* 'answer' is a registration's. */
    bool answered;              /* 'answer' is not yet looked at here, */
    bool untaken;               /* nor by our owner. */
    struct lease_answer answer;
    enum lease_verdict verdict; /* The service's last word. */
    char *granted;              /* The credential that it took, or NULL. */
    unsigned int granted_seqno; /* Of changes of 'granted'. */
    bool lease_lost;            /* So another request was told. */

    /* C_CONNECTING, C_LIVE. */
    struct http_request *stream;
    struct sse sse;
    bool too_large;             /* The stream sent an endless event. */
    char *nonce;                /* Of a challenge to be answered, or NULL. */
    struct ovs_list requests;   /* Contains "struct client_request"s. */

    long long int heard_at;
    long long int live_since;
    unsigned int connections;
    long long int retry_at;     /* C_WAITING. */
    int backoff;
    char *error;
    char *local_ip;
};

/* A request of our owner's that is under way. */
struct client_request {
    struct ovs_list node;       /* In struct client's 'requests'. */
    struct client *client;
    struct http_request *http;
    unsigned int granted_seqno; /* Of the credential that it has. */
    client_done_func *done;
    void *aux;
};

static void stream_event(const struct sse_event *, void *client);

struct client *
client_create(const struct client_events *events)
{
    struct client *client = xzalloc(sizeof *client);

    client->events = *events;
    client->http = http_create();
    client->backoff = BACKOFF_MIN_MS;
    ovs_list_init(&client->requests);
    sse_init(&client->sse, stream_event, client);
    return client;
}

static void
set_error(struct client *client, const char *error)
{
    if (!nullable_string_is_equal(client->error, error)) {
        free(client->error);
        client->error = nullable_xstrdup(error);
    }
}

/* Ends what is under way but for our owner's requests. */
static void
stop_stream(struct client *client)
{
    if (client->stream) {
        http_cancel(client->http, client->stream);
        client->stream = NULL;
    }
    if (client->asking) {
        http_cancel(client->http, client->asking);
        client->asking = NULL;
    }
    client->answered = client->lease_lost = false;
    free(client->nonce);
    client->nonce = NULL;
}

static void
stop_requests(struct client *client, bool tell)
{
    const struct http_result result = {
        .error = "another service, or another node, from now on", .body = "" };
    struct client_request *request;

    LIST_FOR_EACH_POP (request, node, &client->requests) {
        http_cancel(client->http, request->http);
        if (tell) {
            request->done(&result, request->aux);
        }
        free(request);
    }
}

static void
clear_old(struct client *client)
{
    for (size_t i = 0; i < client->n_old; i++) {
        node_credential_free(client->old_credentials[i]);
    }
    free(client->old_credentials);
    client->old_credentials = NULL;
    client->n_old = client->next_old = 0;
}

static void
clear_config(struct client *client)
{
    clear_old(client);
    for (size_t i = 0; i < client->n_urls; i++) {
        free(client->urls[i]);
    }
    free(client->urls);
    free(client->ca);
    free(client->instance);
    node_credential_free(client->credential);
    node_credential_free(client->next_credential);
    node_credential_free(client->origin_credential);
    node_credential_free(client->granted);
    node_credential_free(client->asked_with);
    client->urls = NULL;
    client->n_urls = client->url = 0;
    client->ca = client->instance = NULL;
    client->credential = client->next_credential = NULL;
    client->origin_credential = client->granted = NULL;
    client->asked_with = NULL;
}

void
client_destroy(struct client *client)
{
    if (client) {
        stop_stream(client);
        stop_requests(client, false);
        http_destroy(client->http);
        sse_destroy(&client->sse);
        clear_config(client);
        lease_answer_destroy(&client->answer);
        free(client->error);
        free(client->local_ip);
        free(client);
    }
}

/* Configuration. */

static bool
same_service_and_node(const struct client *client,
                      const struct client_config *config)
{
    if (client->n_urls != config->n_urls
        || !nullable_string_is_equal(client->ca, config->ca)
        || !nullable_string_is_equal(client->instance, config->instance)
        || !nullable_string_is_equal(client->origin_credential,
                                     config->origin_credential)
        || (config->node && !uuid_equals(&client->node, config->node))) {
        return false;
    }
    for (size_t i = 0; i < client->n_urls; i++) {
        if (strcmp(client->urls[i], config->urls[i])) {
            return false;
        }
    }
    return true;
}

static void
replace_credential(char **dst, const char *src)
{
    if (!nullable_string_is_equal(*dst, src)) {
        node_credential_free(*dst);
        *dst = nullable_xstrdup(src);
    }
}

static void
set_old(struct client *client, const struct client_config *config)
{
    bool same = client->n_old == config->n_old;

    for (size_t i = 0; same && i < config->n_old; i++) {
        same = !strcmp(client->old_credentials[i],
                       config->old_credentials[i]);
    }
    if (!same) {
        clear_old(client);
        client->n_old = config->n_old;
        client->old_credentials = xcalloc(config->n_old + 1,
                                          sizeof *client->old_credentials);
        for (size_t i = 0; i < config->n_old; i++) {
            client->old_credentials[i] = xstrdup(config->old_credentials[i]);
        }
    }
}

static void
set_service_and_node(struct client *client, const struct client_config *config)
{
    stop_stream(client);
    stop_requests(client, true);
    clear_config(client);
    set_error(client, NULL);

    client->n_urls = config->n_urls;
    client->urls = xcalloc(config->n_urls ? config->n_urls : 1,
                           sizeof *client->urls);
    for (size_t i = 0; i < config->n_urls; i++) {
        client->urls[i] = xstrdup(config->urls[i]);
    }
    client->ca = nullable_xstrdup(config->ca);
    client->instance = nullable_xstrdup(config->instance);
    client->origin_credential = nullable_xstrdup(config->origin_credential);
    if (config->node) {
        client->node = *config->node;
    }

    client->verdict = LEASE_NONE;
    client->untaken = false;
    client->state = config->n_urls ? C_WAITING : C_STOPPED;
    client->backoff = BACKOFF_MIN_MS;
    client->retry_at = 0;
    poll_immediate_wake();
}

void
client_set_config(struct client *client, const struct client_config *config)
{
    static const struct client_config none = { .urls = NULL };

    config = config ? config : &none;
    if (!same_service_and_node(client, config)) {
        set_service_and_node(client, config);
    }
    replace_credential(&client->credential, config->credential);
    replace_credential(&client->next_credential, config->next_credential);
    set_old(client, config);
}

/* What is common to all states. */

static void
wait_for_retry(struct client *client, const char *error, int delay_ms)
{
    VLOG_INFO_RL(&rl, "%s: %s", client->urls[client->url], error);
    set_error(client, error);
    stop_stream(client);
    client->state = C_WAITING;
    client->retry_at = time_msec() + delay_ms;
    poll_immediate_wake();
}

/* This attempt, or the stream, has ended. */
static void
failed(struct client *client, const char *error)
{
    bool stable = (client->state == C_LIVE
                   && time_msec() - client->live_since >= STABLE_MS);

    if (stable) {
        client->backoff = BACKOFF_MIN_MS;
    }
    wait_for_retry(client, error,
                   client->backoff / 2 + random_range(client->backoff));
    client->backoff = MIN(client->backoff * 2, BACKOFF_MAX_MS);
    client->url = (client->url + 1) % client->n_urls;
}

static struct http_server
current_server(const struct client *client, const char *credential)
{
    return (struct http_server) {
        .url = client->urls[client->url],
        .ca = client->ca,
        .credential = credential,
        .instance = client->instance,
    };
}

static const char *
credential_in_use(const struct client *client)
{
    return client->granted ? client->granted : client->credential;
}

/* Lease and registration. */

static void
asking_done(const struct http_result *result, void *client_)
{
    struct client *client = client_;

    client->asking = NULL;
    lease_answer_destroy(&client->answer);
    lease_answer_parse(&client->answer, client->registration, result->status,
                       result->error, result->body, result->body_len);
    client->answered = true;
    poll_immediate_wake();
}

static void
ask(struct client *client, bool registration, const char *credential)
{
    struct http_server server = current_server(client, credential);
    char *body = (registration
                  ? client->events.register_body(client->events.aux)
                  : client->events.lease_body(client->events.aux));
    const struct http_query query = {
        .method = registration ? "POST" : "PUT",
        .path = registration ? "/v1/register" : "/v1/self/lease",
        .body = body,
        .on_done = asking_done,
        .aux = client,
    };
    char *error;

    client->registration = registration;
    replace_credential(&client->asked_with, credential);
    client->asking = http_send(client->http, &server, &query, &error);
    if (!client->asking) {
        failed(client, error);
        free(error);
    }
    free(body);
}

static void
ask_for_lease(struct client *client, bool with_next)
{
    client->asked_with_next = with_next;
    client->asked_with_old = false;
    ask(client, false, with_next ? client->next_credential
        : client->credential);
}

/* Asks with another credential, the last one being unknown.  Returns false if
 * there is none to be tried now. */
static bool
ask_otherwise(struct client *client)
{
    if (client->asked_with_next) {
        ask_for_lease(client, false);
    } else if (!client->asked_with_old && client->n_old) {
        client->asked_with_old = true;
        ask(client, false,
            client->old_credentials[client->next_old++ % client->n_old]);
    } else {
        return false;
    }
    return true;
}

/* Looks at an answer about the lease.  Returns true if it was granted. */
static bool
take_verdict(struct client *client)
{
    const struct lease_answer *answer = &client->answer;

    client->answered = false;
    client->untaken = answer->verdict != LEASE_FAILED;
    if (answer->verdict != LEASE_FAILED) {
        client->verdict = answer->verdict;
    }
    if (answer->verdict == LEASE_GRANTED) {
        if (!nullable_string_is_equal(client->granted, client->asked_with)) {
            replace_credential(&client->granted, client->asked_with);
            client->granted_seqno++;
        }
    }
    return answer->verdict == LEASE_GRANTED;
}

/* C_WAITING. */
static void
run_waiting(struct client *client)
{
    if (time_msec() >= client->retry_at) {
        if (client->origin_credential) {
            client->state = C_REGISTERING;
            ask(client, true, client->origin_credential);
        } else {
            client->state = C_LEASING;
            ask_for_lease(client, client->next_credential != NULL);
        }
    }
}

/* C_REGISTERING.  After success another configuration is to come, without an
 * origin; if it does not, registering again does no harm. */
static void
run_registering(struct client *client)
{
    if (client->answered) {
        client->answered = false;
        client->untaken = client->answer.verdict != LEASE_FAILED;
        if (client->answer.verdict == LEASE_GRANTED) {
            wait_for_retry(client, "registered", BACKOFF_MAX_MS);
        } else {
            client->verdict = client->answer.verdict;
            failed(client, client->answer.reason);
        }
    }
}

static void
lease_refused(struct client *client)
{
    if (client->answer.verdict == LEASE_HELD) {
        wait_for_retry(client, client->answer.reason,
                       1000 * client->answer.retry_after);
    } else {
        failed(client, client->answer.reason);
    }
}

/* C_LEASING. */
static void
run_leasing(struct client *client)
{
    if (!client->answered) {
        return;
    }
    if (client->answer.verdict == LEASE_UNKNOWN && ask_otherwise(client)) {
        client->answered = false;
    } else if (!take_verdict(client)) {
        lease_refused(client);
    } else {
        VLOG_INFO("%s: the lease is granted", client->urls[client->url]);
        client->state = C_CONNECTING;
        poll_immediate_wake();
    }
}

void
client_renew_lease(struct client *client)
{
    if (client->state == C_LIVE && !client->asking
        && client->next_credential) {
        ask_for_lease(client, true);
    }
}

/* C_LIVE, when the answer to client_renew_lease() is there.  That the next
 * credential is unknown, or that nobody answers, changes nothing. */
static void
run_renewal(struct client *client)
{
    if (client->answer.verdict == LEASE_UNKNOWN
        || client->answer.verdict == LEASE_FAILED) {
        client->answered = false;
        VLOG_INFO_RL(&rl, "renewing the lease: %s", client->answer.reason);
    } else if (!take_verdict(client)) {
        lease_refused(client);
    }
}

bool
client_take_answer(struct client *client, struct lease_answer *answer,
                   bool *registration)
{
    if (!client->untaken) {
        return false;
    }
    client->untaken = false;
    *answer = client->answer;
    *registration = client->registration;
    client->answer = (struct lease_answer) { .verdict = LEASE_NONE };
    return true;
}

const char *
client_granted_credential(const struct client *client)
{
    return client->granted;
}

/* The stream. */

/* Keeps the nonce of a challenge, to be sent back outside of libcurl. */
static void
challenged(struct client *client, const struct sse_event *event)
{
    json_t *json = NULL;

    free(model_json_parse(event->data, event->data_len, SIZE_MAX, &json));
    const char *nonce = json_string_value(json_object_get(json, "nonce"));
    if (nonce) {
        free(client->nonce);
        client->nonce = xstrdup(nonce);
        poll_immediate_wake();
    }
    json_decref(json);
}

static void
stream_event(const struct sse_event *event, void *client_)
{
    struct client *client = client_;

    if (!strcmp(event->type, "challenge")) {
        challenged(client, event);
    } else {
        client->events.event(event, client->events.aux);
    }
}

static bool
stream_data(struct http_request *request OVS_UNUSED, const void *data,
            size_t n, void *client_)
{
    struct client *client = client_;

    client->heard_at = time_msec();
    client->too_large = !sse_feed(&client->sse, data, n);
    return !client->too_large;
}

static void
stream_done(const struct http_result *result, void *client_)
{
    struct client *client = client_;

    client->stream = NULL;
    if (client->too_large) {
        failed(client, "an event is too large");
    } else if (result->error && result->status != 200) {
        failed(client, result->error);
    } else if (result->status == 401 || result->status == 403) {
        failed(client, "the mapping service refuses this node's credential "
               "(removed, revoked, or another service)");
    } else if (result->status != 200) {
        char *error = xasprintf("HTTP status %ld", result->status);
        failed(client, error);
        free(error);
    } else {
        failed(client, "the mapping service closed the event stream");
    }
}

static void
open_stream(struct client *client)
{
    struct http_server server = current_server(client,
                                               credential_in_use(client));
    char *last_event_id = client->events.last_event_id(client->events.aux);
    struct http_query query = {
        .method = "GET",
        .path = "/v1/events",
        .last_event_id = last_event_id,
        .on_data = stream_data,
        .on_done = stream_done,
        .aux = client,
    };
    char *error;

    sse_reset(&client->sse);
    client->too_large = false;
    client->heard_at = time_msec();
    client->stream = http_send(client->http, &server, &query, &error);
    if (!client->stream) {
        failed(client, error);
        free(error);
    }
    free(last_event_id);
}

/* C_CONNECTING. */
static void
run_connecting(struct client *client)
{
    if (!client->stream) {
        open_stream(client);
    } else if (http_request_status(client->stream) == 200) {
        const char *ip = http_request_local_ip(client->stream);

        VLOG_INFO("%s: connected", client->urls[client->url]);
        free(client->local_ip);
        client->local_ip = nullable_xstrdup(ip);
        client->state = C_LIVE;
        client->live_since = time_msec();
        client->connections++;
        set_error(client, NULL);
        poll_immediate_wake();
    }
}

static void
heartbeat_done(const struct http_result *result, void *client OVS_UNUSED)
{
    if (result->status != 204) {
        VLOG_WARN_RL(&rl, "the service did not take a heartbeat: %s",
                     result->error ? result->error : result->body);
    }
}

static void
answer_challenge(struct client *client)
{
    json_t *body = json_pack("{s:s}", "nonce", client->nonce);
    char *text = json_dumps(body, JSON_COMPACT);

    VLOG_INFO("another machine asks for this node's lease: still here");
    client_request(client, "POST", "/v1/self/heartbeat", text,
                   heartbeat_done, client);
    free(text);
    json_decref(body);
    free(client->nonce);
    client->nonce = NULL;
}

/* C_LIVE. */
static void
run_live(struct client *client)
{
    if (time_msec() - client->live_since > STABLE_MS) {
        client->backoff = BACKOFF_MIN_MS;
    }
    if (client->nonce) {
        answer_challenge(client);
    }
    if (client->lease_lost) {
        stop_stream(client);
        VLOG_INFO_RL(&rl, "the lease is lost: asking for it again");
        client->state = C_LEASING;
        ask_for_lease(client, client->next_credential != NULL);
    } else if (client->answered) {
        run_renewal(client);
    }
}

static void
check_silence(struct client *client)
{
    if (client->stream && time_msec() - client->heard_at > SILENCE_MS) {
        failed(client, "the mapping service is silent");
    }
}

void
client_run(struct client *client)
{
    http_run(client->http);
    switch (client->state) {
    case C_STOPPED:
        break;
    case C_WAITING:
        run_waiting(client);
        break;
    case C_REGISTERING:
        run_registering(client);
        break;
    case C_LEASING:
        run_leasing(client);
        break;
    case C_CONNECTING:
        run_connecting(client);
        check_silence(client);
        break;
    case C_LIVE:
        run_live(client);
        check_silence(client);
        break;
    }
}

void
client_wait(struct client *client)
{
    http_wait(client->http);
    if (client->state == C_WAITING) {
        poll_timer_wait_until(client->retry_at);
    } else if (client->stream) {
        poll_timer_wait_until(client->heard_at + SILENCE_MS + 1);
    }
}

void
client_restart(struct client *client)
{
    if (client->stream) {
        failed(client, "beginning the event stream anew");
    }
}

bool
client_is_live(const struct client *client)
{
    return client->state == C_LIVE;
}

unsigned int
client_connections(const struct client *client)
{
    return client->connections;
}

void
client_get_status(const struct client *client, struct client_status *status)
{
    *status = (struct client_status) {
        .live = client_is_live(client),
        .url = client->n_urls ? client->urls[client->url] : NULL,
        .error = client->error,
        .local_ip = client->local_ip,
        .last_heard = client->heard_at,
        .lease = client->verdict,
    };
}

/* Requests. */

static void
request_done(const struct http_result *result, void *request_)
{
    struct client_request *request = request_;
    struct client *client = request->client;

    /* That a credential is refused which was replaced meanwhile, is right. */
    if (client->state == C_LIVE
        && request->granted_seqno == client->granted_seqno
        && lease_is_lost(result->status, result->body, result->body_len)) {
        client->lease_lost = true;
    }
    request->done(result, request->aux);
    ovs_list_remove(&request->node);
    free(request);
}

bool
client_request(struct client *client, const char *method, const char *path,
               const char *body, client_done_func *done, void *aux)
{
    if (!client_is_live(client)) {
        return false;
    }

    struct http_server server = current_server(client,
                                               credential_in_use(client));
    struct client_request *request = xzalloc(sizeof *request);
    struct http_query query = {
        .method = method,
        .path = path,
        .body = body,
        .on_done = request_done,
        .aux = request,
    };
    char *error;

    request->client = client;
    request->granted_seqno = client->granted_seqno;
    request->done = done;
    request->aux = aux;
    request->http = http_send(client->http, &server, &query, &error);
    if (!request->http) {
        free(error);
        free(request);
        return false;
    }
    ovs_list_push_back(&client->requests, &request->node);
    return true;
}
