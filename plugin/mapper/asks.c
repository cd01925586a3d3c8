/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of operators to nodes. */

#include <config.h>

#include "mapper/asks.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/http.h"
#include "model/jansson.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

/* A question whose answer is waited for. */
struct ask {
    struct ovs_list list_node;  /* In asks->list, oldest first. */
    struct http_connection *connection;
    char id[UUID_LEN + 1];
    int64_t node;
    long long int deadline;
};

struct asks {
    struct ovs_list list;
    size_t n;
};

struct asks *
asks_create(void)
{
    struct asks *asks = xzalloc(sizeof *asks);

    ovs_list_init(&asks->list);
    return asks;
}

void
asks_destroy(struct asks *asks)
{
    free(asks);
}

/* Ends ASK with ANSWER or, if that is null, with ERROR; LATE means that the
 * node has said nothing. */
static void
end(struct asks *asks, struct ask *ask, const json_t *answer,
    const char *error, bool late)
{
    json_t *body = json_pack("{s:O?, s:o, s:b}", "answer", answer,
                             "error", (error ? json_string(error)
                                       : json_null()),
                             "late", (int) late);
    char *text = json_dumps(body, JSON_COMPACT);

    http_respond(ask->connection, MHD_HTTP_OK, "application/json", text,
                 strlen(text), NULL, NULL);
    json_decref(body);
    ovs_list_remove(&ask->list_node);
    asks->n--;
    free(ask);
}

static void
end_late(struct asks *asks, struct ask *ask)
{
    end(asks, ask, NULL, "the node has not answered in time", true);
}

void
asks_run(struct asks *asks, const struct events *events)
{
    struct ask *ask;

    LIST_FOR_EACH_SAFE (ask, list_node, &asks->list) {
        if (time_msec() >= ask->deadline
            || !events_is_connected(events, ask->node)) {
            end_late(asks, ask);
        }
    }
}

void
asks_wait(const struct asks *asks)
{
    if (!ovs_list_is_empty(&asks->list)) {
        const struct ask *oldest
            = CONTAINER_OF(ovs_list_front(&asks->list), struct ask,
                           list_node);

        poll_timer_wait_until(oldest->deadline);
    }
}

void
asks_stop(struct asks *asks)
{
    struct ask *ask;

    LIST_FOR_EACH_SAFE (ask, list_node, &asks->list) {
        end_late(asks, ask);
    }
}

/* Handlers. */

/* The node that is to be asked, is in NET and has a stream here; null, after
 * answering, if there is none. */
static const struct mdb_node *
asked_node(struct api_call *call, const struct mdb_net *net, uint32_t number)
{
    const struct mdb_node *node = db_node(call->api->db, number);

    if (!node) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-node", "node",
                 "there is no such node");
    } else if (!db_member_is_active(call->api->db, net->name, number)) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-a-member", "node",
                 "node %s is not in vSubnet %s", node->name, net->name);
        node = NULL;
    } else if (!events_is_connected(call->api->events, number)) {
        api_fail(call, MHD_HTTP_CONFLICT, "node-not-connected", "node",
                 "node %s has no event stream at this mapper", node->name);
        node = NULL;
    }
    return node;
}

void
api_net_trace(struct api_call *call)
{
    struct asks *asks = call->api->asks;
    const struct mdb_net *net = api_net(call, call->args[0]);
    struct model_reader r;

    if (!net) {
        return;
    }
    model_reader_init(&r, call->body);
    uint32_t number = model_reader_uint(&r, "node", MODEL_REQUIRED, 1,
                                        UINT32_MAX);
    const json_t *question = model_reader_object(&r, "question",
                                                 MODEL_REQUIRED);
    json_t *copy = question ? json_deep_copy(question) : json_object();
    json_object_set_new(copy, "net", json_string(net->name));
    char *text = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    if (strlen(text) > ASKS_QUESTION_MAX) {
        model_reader_fail(&r, "question", xstrdup("too long"));
    }
    if (!api_finish_reader(call, &r) || !asked_node(call, net, number)) {
        free(text);
        return;
    }
    if (asks->n >= ASKS_MAX) {
        api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", NULL,
                 "too many requests are waiting");
        free(text);
        return;
    }

    struct ask *ask = xzalloc(sizeof *ask);
    struct uuid id;
    uuid_generate(&id);
    snprintf(ask->id, sizeof ask->id, UUID_FMT, UUID_ARGS(&id));
    ask->connection = call->connection;
    ask->node = number;
    ask->deadline = time_msec() + ASKS_MS;
    ovs_list_push_back(&asks->list, &ask->list_node);
    asks->n++;
    events_send_ask(call->api->events, number, ask->id, text);
    free(text);
}

void
api_self_answer(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);
    struct asks *asks = call->api->asks;
    struct model_reader r;
    struct ask *ask;

    if (!node) {
        return;
    }
    model_reader_init(&r, call->body);
    const char *id = model_reader_string(&r, "id", MODEL_REQUIRED);
    const json_t *answer = model_reader_object(&r, "answer", MODEL_OPTIONAL);
    const char *error = model_reader_string(&r, "error", MODEL_OPTIONAL);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    LIST_FOR_EACH_SAFE (ask, list_node, &asks->list) {
        if (ask->node == node->number && !strcmp(ask->id, id)) {
            end(asks, ask, answer,
                answer ? NULL : error ? error : "the node says nothing",
                false);
        }
    }
    /* Else it came too late, and nobody waits for it. */
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}
