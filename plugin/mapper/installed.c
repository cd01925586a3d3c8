/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes have installed a change already? */

#include <config.h>

#include "mapper/installed.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/http.h"
#include "model/reader.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* A request that waits. */
struct wait {
    struct ovs_list list_node;
    struct http_connection *connection;
    struct model_revision revision;
    long long int deadline;
};

struct installed {
    const struct db *db;
    struct ovs_list waits;
    size_t n_waits;
    bool changed;
    long long int next_look;
};

struct installed *
installed_create(const struct db *db)
{
    struct installed *installed = xzalloc(sizeof *installed);

    installed->db = db;
    ovs_list_init(&installed->waits);
    return installed;
}

void
installed_destroy(struct installed *installed)
{
    free(installed);
}

bool
installed_add(struct installed *installed, struct http_connection *connection,
              struct model_revision revision, unsigned int seconds)
{
    if (installed->n_waits >= INSTALLED_WAITS_MAX) {
        return false;
    }
    struct wait *wait = xzalloc(sizeof *wait);
    wait->connection = connection;
    wait->revision = revision;
    wait->deadline = time_msec() + 1000LL * seconds;
    ovs_list_push_back(&installed->waits, &wait->list_node);
    installed->n_waits++;
    installed->changed = true;
    return true;
}

void
installed_changed(struct installed *installed)
{
    installed->changed = true;
}

/* Who is waited for. */

struct look {
    const struct db *db;
    struct events *events;
    struct model_revision revision;
    int64_t *left;              /* Nodes; one may be there twice. */
    size_t n, allocated;
};

static void
look_at_stream(int64_t number, struct installed_stream *stream,
               bool wants_snapshot, void *look_)
{
    struct look *look = look_;
    const struct mdb_node *node = db_node(look->db, number);
    struct model_revision need = look->revision;

    if (!node || !db_node_is_approved(node)) {
        return;
    }
    if (model_revision_compare(stream->sent, need) < 0) {
        need = stream->sent;
    }
    if (!wants_snapshot && model_revision_compare(stream->told, need) >= 0) {
        return;
    }
    if (look->n >= look->allocated) {
        look->left = x2nrealloc(look->left, &look->allocated,
                                sizeof *look->left);
    }
    look->left[look->n++] = number;
    if (!wants_snapshot
        && (model_revision_compare(stream->asked, need) < 0
            || time_msec() >= stream->asked_at + INSTALLED_ASK_MS)) {
        stream->asked = stream->sent;
        stream->asked_at = time_msec();
        events_send_confirm(look->events, number, stream->sent);
    }
}

static int
compare_numbers(const void *a_, const void *b_)
{
    const int64_t *a = a_;
    const int64_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
append_node(json_t *array, const struct mdb_node *node)
{
    json_array_append_new(array, json_pack("{s:I, s:s}",
                                           "number", (json_int_t) node->number,
                                           "name", node->name));
}

static json_t *
left_to_json(const struct look *look)
{
    json_t *array = json_array();

    for (size_t i = 0; i < look->n; i++) {
        if (!i || look->left[i] != look->left[i - 1]) {
            append_node(array, db_node(look->db, look->left[i]));
        }
    }
    return array;
}

/* Approved members of some vSubnet that have no stream here. */
static json_t *
away_to_json(const struct look *look)
{
    const struct mdb_node *node;
    json_t *array = json_array();

    MDB_NODE_FOR_EACH (node, look->db->idl) {
        if (db_node_is_approved(node)
            && !events_is_connected(look->events, node->number)) {
            size_t n;

            free(db_members_of_node(look->db, node->number, &n));
            if (n) {
                append_node(array, node);
            }
        }
    }
    return array;
}

static void
answer(struct installed *installed, struct wait *wait,
       const struct look *look, bool complete)
{
    json_t *body = json_pack(
        "{s:o, s:b, s:o, s:o}",
        "revision", model_revision_to_json(wait->revision),
        "complete", (int) complete,
        "waiting", left_to_json(look),
        "away", away_to_json(look));
    char *text = json_dumps(body, JSON_COMPACT);

    http_respond(wait->connection, MHD_HTTP_OK, "application/json", text,
                 strlen(text), NULL, NULL);
    json_decref(body);
    ovs_list_remove(&wait->list_node);
    installed->n_waits--;
    free(wait);
}

/* Looks at WAIT.  It may end with that. */
static void
run_wait(struct installed *installed, struct events *events,
         struct wait *wait, bool end)
{
    struct look look = {
        .db = installed->db, .events = events, .revision = wait->revision,
    };
    /* Another mapper may have changed what this one has not seen yet. */
    bool seen = model_revision_compare(events_revision(events),
                                       wait->revision) >= 0;

    events_for_each_stream(events, look_at_stream, &look);
    if (look.n) {
        qsort(look.left, look.n, sizeof *look.left, compare_numbers);
    }
    if ((seen && !look.n) || end || time_msec() >= wait->deadline) {
        answer(installed, wait, &look, seen && !look.n);
    }
    free(look.left);
}

void
installed_run(struct installed *installed, struct events *events)
{
    struct wait *wait;

    if (!installed->changed && time_msec() < installed->next_look) {
        return;
    }
    installed->changed = false;
    installed->next_look = LLONG_MAX;
    LIST_FOR_EACH_SAFE (wait, list_node, &installed->waits) {
        run_wait(installed, events, wait, false);
    }
    LIST_FOR_EACH (wait, list_node, &installed->waits) {
        /* Streams come, go, and get their snapshots meanwhile. */
        installed->next_look = MIN(wait->deadline, time_msec() + 100);
    }
}

void
installed_wait(const struct installed *installed)
{
    if (installed->changed) {
        poll_immediate_wake();
    } else if (installed->n_waits) {
        poll_timer_wait_until(installed->next_look);
    }
}

void
installed_stop(struct installed *installed, struct events *events)
{
    struct wait *wait;

    LIST_FOR_EACH_SAFE (wait, list_node, &installed->waits) {
        run_wait(installed, events, wait, true);
    }
}

/* Handlers. */

void
api_wait(struct api_call *call)
{
    struct model_revision revision = db_revision(call->api->db);
    struct model_revision asked;
    struct model_reader r;

    model_reader_init(&r, call->body);
    if (model_reader_revision(&r, "revision", MODEL_OPTIONAL, &asked)) {
        revision = asked;
    }
    unsigned int seconds = model_reader_uint(&r, "timeout", MODEL_OPTIONAL,
                                             0, INSTALLED_WAIT_MAX_S);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    if (!installed_add(call->api->installed, call->connection, revision,
                       seconds)) {
        api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", NULL,
                 "too many requests are waiting");
    }
}

void
api_self_installed(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);
    struct model_revision revision;
    struct model_reader r;

    if (!node) {
        return;
    }
    model_reader_init(&r, call->body);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &revision);
    if (api_finish_reader(call, &r)) {
        events_told_installed(call->api->events, node->number,
                              call->who.instance, revision);
        installed_changed(call->api->installed);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}
