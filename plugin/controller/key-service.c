/* SPDX-License-Identifier: Apache-2.0 */
/* What this node and the mapping service tell each other about keys. */
#include <config.h>
#include "controller/key-service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/client.h"
#include "controller/http.h"
#include "controller/key-rotation.h"
#include "controller/keyring-out.h"
#include "controller/own-keys.h"
#include "controller/sse.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(key_service);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    ERROR_HOLD_MS = 2000,       /* After a request that failed. */
    RETIRE_MS = 1000,           /* Between looks for what is to be retired. */
};

struct key_service {
    struct client *client;
    char *error;

    /* The upload under way, and what came of it. */
    bool uploading;
    long long int upload_at;    /* Not before; likewise below. */
    char *net;
    unsigned int draw;
    bool answered, stale;
    uint32_t spi;

    bool retiring;
    long long int retire_at;

    /* What was last told to be loaded. */
    bool reporting;
    long long int report_at;
    unsigned int told_changes, told_connection;
    unsigned int sent_changes, sent_connection;     /* Under way. */
};

struct key_service *
key_service_create(struct client *client)
{
    struct key_service *service = xzalloc(sizeof *service);

    service->client = client;
    return service;
}

void
key_service_destroy(struct key_service *service)
{
    if (service) {
        free(service->error);
        free(service->net);
        free(service);
    }
}

const char *
key_service_error(const struct key_service *service)
{
    return service->error;
}

/* Keeps why a request failed.  Returns true if it did not. */
static bool
check_result(struct key_service *service, const char *what,
             const struct http_result *result)
{
    free(service->error);
    service->error = NULL;
    if (!result->error && result->status >= 200 && result->status < 300) {
        return true;
    }
    service->error = (result->error
                      ? xasprintf("%s: %s", what, result->error)
                      : xasprintf("%s: HTTP status %ld", what,
                                  result->status));
    VLOG_INFO_RL(&rl, "%s", service->error);
    return false;
}

/* Uploads. */

static void
upload_done(const struct http_result *result, void *service_)
{
    struct key_service *service = service_;
    json_t *answer = NULL;

    service->uploading = false;
    free(model_json_parse(result->body, result->body_len, SIZE_MAX, &answer));
    const char *code = json_string_value(json_object_get(answer, "code"));
    json_int_t spi = json_integer_value(json_object_get(answer, "spi"));

    if (check_result(service, "uploading a key", result)
        && spi > 0 && spi <= UINT32_MAX) {
        service->answered = true;
        service->spi = spi;
    } else {
        service->stale = code && !strcmp(code, "stale-epoch");
        service->upload_at = time_msec() + ERROR_HOLD_MS;
    }
    json_decref(answer);
    poll_immediate_wake();
}

/* Takes in what upload_done() noted.  Returns true if keys changed. */
static bool
take_answer(struct key_service *service, struct own_keys *keys)
{
    bool changed = false;

    if (service->answered) {
        changed = own_keys_set_spi(keys, service->net, service->draw,
                                   service->spi);
    } else if (service->stale) {
        own_keys_renew(keys, service->net, service->draw);
    }
    service->answered = service->stale = false;
    return changed;
}

static void
run_upload(struct key_service *service, struct own_keys *keys)
{
    if (service->uploading || time_msec() < service->upload_at
        || !own_keys_save(keys, time_msec())) {
        return;
    }

    const struct own_key *key = own_keys_next_upload(keys);
    if (key) {
        char *body = own_key_body(key);

        free(service->net);
        service->net = xstrdup(key->net);
        service->draw = key->draw;
        service->uploading = client_request(service->client, "PUT",
                                            "/v1/self/keys", body,
                                            upload_done, service);
        own_key_body_free(body);
    }
}

/* Retiring. */

static void
retire_done(const struct http_result *result, void *service_)
{
    struct key_service *service = service_;

    service->retiring = false;
    /* One that is gone already is what was wanted; the mapping will say. */
    if (result->status == 404
        || check_result(service, "retiring a key", result)) {
        service->retire_at = time_msec() + RETIRE_MS;
    } else {
        service->retire_at = time_msec() + ERROR_HOLD_MS;
    }
}

static void
run_retire(struct key_service *service, const struct own_keys *keys,
           const struct key_rotation_facts *facts)
{
    if (service->retiring || time_msec() < service->retire_at) {
        return;
    }
    service->retire_at = time_msec() + RETIRE_MS;

    uint32_t spi = key_rotation_retired(keys, facts);
    if (spi) {
        char *path = xasprintf("/v1/self/keys/%"PRIu32, spi);

        service->retiring = client_request(service->client, "DELETE", path,
                                           NULL, retire_done, service);
        free(path);
    }
}

/* What is loaded. */

static void
report_done(const struct http_result *result, void *service_)
{
    struct key_service *service = service_;

    service->reporting = false;
    if (check_result(service, "telling which keys are loaded", result)) {
        service->told_changes = service->sent_changes;
        service->told_connection = service->sent_connection;
    } else {
        service->report_at = time_msec() + ERROR_HOLD_MS;
    }
    poll_immediate_wake();
}

static void
run_report(struct key_service *service, const struct keyring_out *keyring)
{
    unsigned int connection = client_connections(service->client);

    if (service->reporting || time_msec() < service->report_at
        || model_revision_is_zero(keyring->loaded)
        || (service->told_changes == keyring->loaded_changes
            && service->told_connection == connection)) {
        return;
    }

    json_t *body = json_pack("{s:o}", "revision",
                             model_revision_to_json(keyring->loaded));
    char *text = json_dumps(body, JSON_COMPACT);

    service->sent_changes = keyring->loaded_changes;
    service->sent_connection = connection;
    service->reporting = client_request(service->client, "POST",
                                        "/v1/self/loaded", text,
                                        report_done, service);
    free(text);
    json_decref(body);
}

bool
key_service_run(struct key_service *service, struct own_keys *keys,
                const struct keyring_out *keyring,
                const struct key_rotation_facts *facts)
{
    bool changed = take_answer(service, keys);

    if (facts->live) {
        run_upload(service, keys);
        run_retire(service, keys, facts);
        run_report(service, keyring);
    }
    return changed;
}

void
key_service_wait(const struct key_service *service)
{
    if (client_is_live(service->client)) {
        poll_timer_wait(RETIRE_MS);
    }
}

bool
key_service_event(const struct sse_event *event, struct own_keys *keys)
{
    json_t *json = NULL, *spi;
    size_t i;

    if (strcmp(event->type, "loaded")) {
        return false;
    }
    free(model_json_parse(event->data, event->data_len, SSE_MAX_EVENT,
                          &json));
    json_array_foreach (json_object_get(json, "keys"), i, spi) {
        json_int_t value = json_integer_value(spi);

        if (value > 0 && value <= UINT32_MAX) {
            own_keys_loaded(keys, value);
        }
    }
    json_decref(json);
    return true;
}
