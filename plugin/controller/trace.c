/* SPDX-License-Identifier: Apache-2.0 */
/* Traces that are under way. */
#include <config.h>
#include "controller/trace.h"

#include <stdlib.h>
#include <string.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/http.h"
#include "controller/names.h"
#include "controller/own-keys.h"
#include "controller/sse.h"
#include "controller/trace-query.h"
#include "controller/trace-text.h"
#include "controller/trace-words.h"
#include "controller/vswitchd-ask.h"
#include "coverage.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(trace);

COVERAGE_DEFINE(controller_trace);
COVERAGE_DEFINE(controller_trace_refused);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum { QUESTION_MAX = 4096 };

struct trace {
    struct ovs_list node;
    struct unixctl_conn *conn;  /* Who asked here, */
    char *id;                   /* or at the service. */
    char *question;             /* Not begun with, or NULL. */
    struct trace_query query;
    struct vswitchd_ask *ask;
    char *text;                 /* What ofproto/trace said, once it has. */
};

/* Answers. */

static void
told(const struct http_result *result, void *aux OVS_UNUSED)
{
    if (result->status != 204) {
        VLOG_INFO_RL(&rl, "answering a trace: %s",
                     result->error ? result->error : result->body);
    }
}

/* Tells the service 'answer', which is taken over, or 'error'. */
static void
answer_service(struct controller *c, const char *id, json_t *answer,
               const char *error)
{
    json_t *body = json_pack("{s:s}", "id", id);

    if (answer) {
        json_object_set_new(body, "answer", answer);
    } else {
        json_object_set_new(body, "error", json_string(error));
    }
    char *text = json_dumps(body, JSON_COMPACT);
    if (strlen(text) > TRACE_ANSWER_MAX) {
        /* The steps can be many; what comes of them is short. */
        json_object_del(json_object_get(body, "answer"), "steps");
        free(text);
        text = json_dumps(body, JSON_COMPACT);
    }
    client_request(c->client, "POST", "/v1/self/answer", text, told, NULL);
    free(text);
    json_decref(body);
}

/* Answers whoever asked: 'answer' is taken over; or NULL, and 'error'. */
static void
reply(struct controller *c, struct unixctl_conn *conn, const char *id,
      json_t *answer, const char *error)
{
    if (!conn) {
        answer_service(c, id, answer, error);
    } else if (answer) {
        char *text = json_dumps(answer, JSON_INDENT(2));

        unixctl_command_reply(conn, text);
        free(text);
        json_decref(answer);
    } else {
        unixctl_command_reply_error(conn, error);
    }
}

static void
trace_destroy(struct trace *trace)
{
    ovs_list_remove(&trace->node);
    trace_query_destroy(&trace->query);
    free(trace->question);
    vswitchd_ask_destroy(trace->ask);
    free(trace->text);
    free(trace->id);
    free(trace);
}

/* Questions. */

static json_t *
elsewhere(const struct mapping *mapping, uint32_t number)
{
    const struct model_node *node = mapping_node(mapping, number);

    return json_pack("{s:{s:I, s:o}}", "elsewhere",
                     "number", (json_int_t) number,
                     "name", model_string_or_null(node ? node->name : NULL));
}

/* Takes 'question' (which is taken over) in; it is begun with by traces_run(),
 * because the client can't be used while it hands out an event.  Exactly one
 * of 'conn' and 'id' is not NULL.  Returns false if there are too many. */
static bool
add(struct controller *c, char *question, struct unixctl_conn *conn,
    const char *id)
{
    COVERAGE_INC(controller_trace);
    if (ovs_list_size(&c->traces.list) >= TRACES_MAX) {
        COVERAGE_INC(controller_trace_refused);
        free(question);
        return false;
    }
    struct trace *trace = xzalloc(sizeof *trace);
    trace->conn = conn;
    trace->id = nullable_xstrdup(id);
    trace->question = question;
    ovs_list_push_back(&c->traces.list, &trace->node);
    poll_immediate_wake();
    return true;
}

bool
traces_event(struct controller *c, const struct sse_event *event)
{
    json_t *json = NULL;

    if (strcmp(event->type, "ask")) {
        return false;
    }
    free(model_json_parse(event->data, event->data_len, SSE_MAX_EVENT,
                          &json));
    const char *id = json_string_value(json_object_get(json, "id"));
    char *question = json_dumps(json_object_get(json, "question"),
                                JSON_COMPACT);
    if (!id || !question || strlen(question) > QUESTION_MAX) {
        free(question);
    } else if (!add(c, question, NULL, id)) {
        VLOG_INFO_RL(&rl, "%d traces are under way: one more is left out",
                     TRACES_MAX);
    }
    json_decref(json);
    return true;
}

static void
trace_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[], void *c)
{
    if (!add(c, xstrdup(argv[1]), conn, NULL)) {
        unixctl_command_reply_error(conn, "too many traces are under way: "
                                    "try again later");
    }
}

/* Reads the question and asks ovs-vswitchd.  Returns false if it is answered
 * already. */
static bool
begin(struct controller *c, struct trace *trace)
{
    json_t *json = NULL;
    char *error = NULL;

    if (!c->mapping || !c->mapping->self) {
        error = xstrdup("this node has no mapping yet (vsubnetctl status)");
    } else {
        error = model_json_parse(trace->question, strlen(trace->question),
                                 QUESTION_MAX, &json);
        if (!error) {
            error = trace_query_parse(json, c->mapping, &c->ports,
                                      ofp_to_u16(c->tunnel), &trace->query);
        }
    }
    json_decref(json);
    free(trace->question);
    trace->question = NULL;
    if (error) {
        reply(c, trace->conn, trace->id, NULL, error);
        free(error);
        return false;
    }
    if (!trace->query.flow) {
        uint32_t node = trace->query.src.node;
        bool other = node && node != c->mapping->self->number;

        reply(c, trace->conn, trace->id,
              other ? elsewhere(c->mapping, node) : NULL,
              "src: at no port of this node, and at no other that is known");
        return false;
    }
    const char *args[] = {
        ovs_config_settings(c->ovs)->bridge, trace->query.flow, NULL,
    };
    trace->ask = vswitchd_ask_start("ofproto/trace", args, TRACE_MS);
    return true;
}

/* Under way. */

/* ovs-vswitchd has said all that is to be known; 'peers' may be NULL. */
static void
finish(struct controller *c, struct trace *trace, const char *peers)
{
    struct trace_text text;

    if (!c->mapping) {
        reply(c, trace->conn, trace->id, NULL, "the mapping has gone");
        return;
    }
    trace_text_parse(&text, trace->text);
    const struct trace_facts facts = {
        .query = &trace->query,
        .text = &text,
        .mapping = c->mapping,
        .ports = &c->ports,
        .tunnel = ofp_to_u16(c->tunnel),
        .key = own_keys_in_force(&c->keys, trace->query.net),
        .peers = peers,
    };
    reply(c, trace->conn, trace->id, trace_words(&facts), NULL);
    trace_text_destroy(&text);
}

/* Takes in what ovs-vswitchd has answered.  Returns true if that was all. */
static bool
take_answer(struct controller *c, struct trace *trace)
{
    const char *result = vswitchd_ask_result(trace->ask);
    struct trace_text text;

    if (trace->text) {
        finish(c, trace, result);
        return true;
    }
    if (!result) {
        reply(c, trace->conn, trace->id, NULL,
              vswitchd_ask_error(trace->ask));
        return true;
    }
    trace->text = xstrdup(result);
    trace_text_parse(&text, result);
    uint32_t peer = trace_words_peer(&text, ofp_to_u16(c->tunnel));
    trace_text_destroy(&text);
    if (!peer) {
        finish(c, trace, NULL);
        return true;
    }
    const char *args[] = { "--json", NAME_TUNNEL_PORT, NULL };
    vswitchd_ask_destroy(trace->ask);
    trace->ask = vswitchd_ask_start("vsubnet/show", args, TRACE_MS);
    return false;
}

void
traces_run(struct controller *c)
{
    struct trace *trace;

    LIST_FOR_EACH_SAFE (trace, node, &c->traces.list) {
        if ((trace->question && !begin(c, trace))
            || (vswitchd_ask_run(trace->ask) && take_answer(c, trace))) {
            trace_destroy(trace);
        }
    }
}

void
traces_wait(const struct controller *c)
{
    const struct trace *trace;

    LIST_FOR_EACH (trace, node, &c->traces.list) {
        if (trace->ask) {
            vswitchd_ask_wait(trace->ask);
        } else {
            poll_immediate_wake();
        }
    }
}

void
traces_destroy(struct controller *c)
{
    struct trace *trace;

    LIST_FOR_EACH_SAFE (trace, node, &c->traces.list) {
        trace_destroy(trace);
    }
}

void
traces_init(struct controller *c)
{
    unixctl_command_register("vsubnet/trace", "QUESTION", 1, 1,
                             trace_command, c);
}
