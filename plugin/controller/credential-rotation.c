/* SPDX-License-Identifier: Apache-2.0 */
/* A new credential now and then. */
#include <config.h>
#include "controller/credential-rotation.h"

#include <stdlib.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/http.h"
#include "controller/lease.h"
#include "host/node-credential.h"
#include "host/node-file.h"
#include "model/jansson.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(credential_rotation);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

enum { RETRY_MS = 5000 };

/* IDLE. */
static void
run_idle(struct controller *c)
{
    const struct node_file *now = c->node.identity;
    struct node_file node;

    if (lease_credential_is_due(now, c->instance.made, time_wall())
        && identity_file_edit(&c->node, &node)) {
        node.next_credential = node_credential_make(&node.id);
        if (identity_file_update(&c->node, &node)) {
            poll_immediate_wake();
        }
    }
}

static void
told(const struct http_result *result, void *rotation_)
{
    struct credential_rotation *rotation = rotation_;

    rotation->in_flight = false;
    rotation->told = result->status == 204;
    if (rotation->told) {
        rotation->retry_at = 0;
    } else {
        VLOG_INFO_RL(&rl, "the service did not take a new credential: %s",
                     result->error ? result->error : result->body);
    }
    poll_immediate_wake();
}

/* SAVED. */
static void
run_saved(struct controller *c)
{
    char *hash = node_credential_hash(c->node.identity->next_credential);
    json_t *body = json_pack("{s:s}", "credential_hash", hash);
    char *text = json_dumps(body, JSON_COMPACT);

    c->rotation.in_flight = client_request(
        c->client, "PUT", "/v1/self/credential", text, told, &c->rotation);
    free(text);
    json_decref(body);
    free(hash);
}

/* TOLD. */
static void
run_told(struct controller *c)
{
    client_renew_lease(c->client);
}

void
credential_rotation_run(struct controller *c)
{
    struct credential_rotation *rotation = &c->rotation;

    if (!c->node.identity || !client_is_live(c->client)
        || rotation->in_flight) {
        return;
    }
    if (!c->node.identity->next_credential) {
        rotation->told = false;
        rotation->retry_at = 0;
        run_idle(c);
        return;
    }
    if (rotation->connection != client_connections(c->client)) {
        /* Of what was sent before, nobody knows what came of it. */
        rotation->connection = client_connections(c->client);
        rotation->told = false;
        rotation->retry_at = 0;
    }
    if (time_msec() >= rotation->retry_at) {
        rotation->retry_at = time_msec() + RETRY_MS;
        if (rotation->told) {
            run_told(c);
        } else {
            run_saved(c);
        }
    }
}

void
credential_rotation_wait(const struct controller *c)
{
    if (c->node.identity && c->node.identity->next_credential
        && client_is_live(c->client)) {
        poll_timer_wait_until(c->rotation.retry_at);
    }
}
