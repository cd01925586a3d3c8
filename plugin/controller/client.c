/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the mapping service. */
#include <config.h>
#include "controller/client.h"

#include <stdlib.h>
#include <string.h>

#include "controller/http.h"
#include "controller/sse.h"
#include "model/types.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

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
    C_CONNECTING,
    C_LIVE,
};

struct client {
    struct client_events events;
    struct http *http;
    enum client_state state;

    char **urls;
    size_t n_urls, url;         /* 'url' is the current one. */
    char *ca;
    char *credential;

    struct http_request *stream;
    struct sse sse;
    bool too_large;             /* The stream sent an endless event. */
    long long int heard_at;
    long long int live_since;
    long long int retry_at;     /* C_WAITING. */
    int backoff;
    char *error;
    char *local_ip;
};

struct client *
client_create(const struct client_events *events)
{
    struct client *client = xzalloc(sizeof *client);

    client->events = *events;
    client->http = http_create();
    client->backoff = BACKOFF_MIN_MS;
    sse_init(&client->sse, events->event, events->aux);
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

static void
stop_stream(struct client *client)
{
    if (client->stream) {
        http_cancel(client->http, client->stream);
        client->stream = NULL;
    }
}

static void
clear_config(struct client *client)
{
    for (size_t i = 0; i < client->n_urls; i++) {
        free(client->urls[i]);
    }
    free(client->urls);
    free(client->ca);
    if (client->credential) {
        model_wipe(client->credential, strlen(client->credential));
        free(client->credential);
    }
    client->urls = NULL;
    client->n_urls = client->url = 0;
    client->ca = client->credential = NULL;
}

void
client_destroy(struct client *client)
{
    if (client) {
        stop_stream(client);
        http_destroy(client->http);
        sse_destroy(&client->sse);
        clear_config(client);
        free(client->error);
        free(client->local_ip);
        free(client);
    }
}

static bool
same_config(const struct client *client, const struct client_config *config)
{
    if (client->n_urls != config->n_urls
        || !nullable_string_is_equal(client->ca, config->ca)
        || !nullable_string_is_equal(client->credential,
                                     config->credential)) {
        return false;
    }
    for (size_t i = 0; i < client->n_urls; i++) {
        if (strcmp(client->urls[i], config->urls[i])) {
            return false;
        }
    }
    return true;
}

void
client_set_config(struct client *client, const struct client_config *config)
{
    static const struct client_config none = { NULL, 0, NULL, NULL };

    config = config ? config : &none;
    if (same_config(client, config)) {
        return;
    }
    stop_stream(client);
    clear_config(client);
    set_error(client, NULL);

    client->n_urls = config->n_urls;
    client->urls = xcalloc(config->n_urls ? config->n_urls : 1,
                           sizeof *client->urls);
    for (size_t i = 0; i < config->n_urls; i++) {
        client->urls[i] = xstrdup(config->urls[i]);
    }
    client->ca = nullable_xstrdup(config->ca);
    client->credential = nullable_xstrdup(config->credential);

    client->state = config->n_urls ? C_WAITING : C_STOPPED;
    client->backoff = BACKOFF_MIN_MS;
    client->retry_at = 0;
    poll_immediate_wake();
}

/* The stream ended, or never began. */
static void
failed(struct client *client, const char *error)
{
    bool stable = (client->state == C_LIVE
                   && time_msec() - client->live_since >= STABLE_MS);

    VLOG_INFO_RL(&rl, "%s: %s", client->urls[client->url], error);
    set_error(client, error);
    client->stream = NULL;
    client->state = C_WAITING;
    if (stable) {
        client->backoff = BACKOFF_MIN_MS;
    }
    client->retry_at = time_msec() + client->backoff / 2
                       + random_range(client->backoff);
    client->backoff = MIN(client->backoff * 2, BACKOFF_MAX_MS);
    client->url = (client->url + 1) % client->n_urls;
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

static struct http_server
current_server(const struct client *client)
{
    return (struct http_server) {
        .url = client->urls[client->url],
        .ca = client->ca,
        .credential = client->credential,
    };
}

/* C_WAITING. */
static void
run_waiting(struct client *client)
{
    if (time_msec() < client->retry_at) {
        return;
    }

    struct http_server server = current_server(client);
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
    if (client->stream) {
        client->state = C_CONNECTING;
    } else {
        failed(client, error);
        free(error);
    }
    free(last_event_id);
}

/* C_CONNECTING. */
static void
run_connecting(struct client *client)
{
    if (http_request_status(client->stream) == 200) {
        const char *ip = http_request_local_ip(client->stream);

        VLOG_INFO("%s: connected", client->urls[client->url]);
        free(client->local_ip);
        client->local_ip = nullable_xstrdup(ip);
        client->state = C_LIVE;
        client->live_since = time_msec();
        set_error(client, NULL);
        poll_immediate_wake();
    }
}

static void
check_silence(struct client *client)
{
    if (client->stream && time_msec() - client->heard_at > SILENCE_MS) {
        stop_stream(client);
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
    case C_CONNECTING:
        run_connecting(client);
        check_silence(client);
        break;
    case C_LIVE:
        if (time_msec() - client->live_since > STABLE_MS) {
            client->backoff = BACKOFF_MIN_MS;
        }
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
        stop_stream(client);
        failed(client, "beginning the event stream anew");
    }
}

bool
client_is_live(const struct client *client)
{
    return client->state == C_LIVE;
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
    };
}

bool
client_request(struct client *client, const char *method, const char *path,
               const char *body, client_done_func *done, void *aux)
{
    if (!client_is_live(client)) {
        return false;
    }

    struct http_server server = current_server(client);
    struct http_query query = {
        .method = method,
        .path = path,
        .body = body,
        .on_done = done,
        .aux = aux,
    };
    char *error;
    bool sent = http_send(client->http, &server, &query, &error) != NULL;
    free(error);
    return sent;
}
