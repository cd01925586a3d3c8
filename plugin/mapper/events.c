/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: who hears of which change. */

#include <config.h>

#include "mapper/events.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "mapper/auth.h"
#include "mapper/confirm.h"
#include "mapper/db.h"
#include "mapper/delta.h"
#include "mapper/http.h"
#include "mapper/installed.h"
#include "mapper/lease.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(events);

COVERAGE_DEFINE(mapper_event_change);
COVERAGE_DEFINE(mapper_event_rendered);
COVERAGE_DEFINE(mapper_event_snapshot);
COVERAGE_DEFINE(mapper_event_resumed);

static struct vlog_rate_limit stream_rl = VLOG_RATE_LIMIT_INIT(60, 600);

struct events {
    const struct db *db;
    struct lease *lease;
    struct confirm *confirm;
    struct ovs_list streams;
    struct hmap by_node;        /* Those of nodes, by number. */
    unsigned int n_streams;

    struct ovs_list ring;       /* "struct delta"s, oldest first. */
    size_t n_ring;
    size_t ring_bytes;
    struct model_revision base; /* All that is newer is in the ring. */
    struct model_revision revision; /* Handled so far. */

    struct http_blob *heartbeat;
    long long int next_heartbeat;
};

struct stream {
    struct ovs_list list_node;
    struct hmap_node by_node;   /* In 'by_node' if it is a node's. */
    struct events *events;
    struct http_stream *http;
    char id[MODEL_NAME_MAX + 1]; /* Node UUID or user. */
    char instance[UUID_LEN + 1]; /* Of the node, or "". */
    int64_t node;               /* 0: a user. */
    bool wants_snapshot;
    bool is_ahead;              /* Knows more than this mapper: waits, */
    struct model_revision since; /* to resume from here, */
    long long int ahead_until;  /* at most until then. */
    bool cut;                   /* In favour of younger ones. */
    struct installed_stream installed;
};

struct events *
events_create(const struct db *db, struct lease *lease,
              struct confirm *confirm)
{
    static const char heartbeat[] = ": still here\n\n";
    struct events *events = xzalloc(sizeof *events);

    events->db = db;
    events->lease = lease;
    events->confirm = confirm;
    ovs_list_init(&events->streams);
    hmap_init(&events->by_node);
    ovs_list_init(&events->ring);
    events->heartbeat = http_blob_create(xstrdup(heartbeat),
                                         strlen(heartbeat));
    return events;
}

static void
drop_oldest(struct events *events)
{
    struct delta *delta = CONTAINER_OF(ovs_list_pop_front(&events->ring),
                                       struct delta, list_node);

    events->base = delta->revision;
    events->n_ring--;
    events->ring_bytes -= delta->bytes;
    delta_destroy(delta);
}

static void
clear_ring(struct events *events)
{
    while (events->n_ring) {
        drop_oldest(events);
    }
}

/* All streams must be closed. */
void
events_destroy(struct events *events)
{
    if (events) {
        ovs_assert(!events->n_streams);
        clear_ring(events);
        hmap_destroy(&events->by_node);
        http_blob_unref(events->heartbeat);
        free(events);
    }
}

#define STREAM_FOR_EACH_OF_NODE(STREAM, NODE, EVENTS)                   \
    HMAP_FOR_EACH_WITH_HASH (STREAM, by_node, hash_uint64(NODE),        \
                             &(EVENTS)->by_node)                        \
        if ((STREAM)->node == (NODE))

bool
events_is_connected(const struct events *events, int64_t node)
{
    const struct stream *stream;

    STREAM_FOR_EACH_OF_NODE (stream, node, events) {
        if (!stream->cut) {
            return true;
        }
    }
    return false;
}

bool
events_has_stream(const struct events *events, int64_t number,
                  const char *instance)
{
    const struct stream *stream;

    STREAM_FOR_EACH_OF_NODE (stream, number, events) {
        if (!stream->cut && !strcmp(stream->instance, instance)) {
            return true;
        }
    }
    return false;
}

long long int
events_silence(const struct events *events, int64_t number,
               const char *instance)
{
    const struct stream *stream;
    long long int silence = LLONG_MAX;

    STREAM_FOR_EACH_OF_NODE (stream, number, events) {
        if (!strcmp(stream->instance, instance)) {
            silence = MIN(silence, http_stream_silence(stream->http));
        }
    }
    return silence;
}

static bool
is_connected_cb(const void *events, int64_t node)
{
    return events_is_connected(events, node);
}

unsigned int
events_n_streams(const struct events *events)
{
    return events->n_streams;
}

/* Fan-out. */

/* Rendered forms of one delta, by view. */
struct rendering {
    struct hmap_node hmap_node;
    uint8_t *view;
    struct http_blob *blob;
};

static struct http_blob *
render(const struct delta *delta, const uint8_t *view,
       struct hmap *renderings)
{
    uint32_t hash = hash_bytes(view, delta->n, 0);
    struct rendering *rendering;

    HMAP_FOR_EACH_WITH_HASH (rendering, hmap_node, hash, renderings) {
        if (!memcmp(rendering->view, view, delta->n)) {
            return rendering->blob;
        }
    }

    struct ds s = DS_EMPTY_INITIALIZER;
    delta_render(delta, view, &s);
    COVERAGE_INC(mapper_event_rendered);

    rendering = xmalloc(sizeof *rendering);
    rendering->view = xmemdup(view, delta->n);
    size_t size = s.length;
    rendering->blob = http_blob_create(ds_steal_cstr(&s), size);
    hmap_insert(renderings, &rendering->hmap_node, hash);
    return rendering->blob;
}

static void
free_renderings(struct hmap *renderings)
{
    struct rendering *rendering;

    HMAP_FOR_EACH_POP (rendering, hmap_node, renderings) {
        http_blob_unref(rendering->blob);
        free(rendering->view);
        free(rendering);
    }
    hmap_destroy(renderings);
}

/* What waits to be read is superseded; a reader that has lost the right to it
 * must not get it any more. */
static void
want_snapshot(struct stream *stream)
{
    stream->wants_snapshot = true;
    stream->is_ahead = false;
    http_stream_forget(stream->http);
}

static void
send_delta(struct stream *stream, const struct delta *delta, uint8_t *view,
           struct hmap *renderings)
{
    bool empty;

    if (!delta_view(delta, stream->events->db, stream->node, view, &empty)) {
        want_snapshot(stream);
    } else if (!empty) {
        COVERAGE_INC(mapper_event_change);
        http_stream_send(stream->http, render(delta, view, renderings),
                         false);
        stream->installed.sent = delta->revision;
    }
}

static void
send_delta_to_all(struct events *events, const struct delta *delta)
{
    struct hmap renderings = HMAP_INITIALIZER(&renderings);
    uint8_t *view = xmalloc(delta->n);
    struct stream *stream;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (!stream->wants_snapshot && !stream->is_ahead && !stream->cut) {
            send_delta(stream, delta, view, &renderings);
        }
    }
    free(view);
    free_renderings(&renderings);
}

static struct http_blob *
render_snapshot(const struct events *events, int64_t node)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    delta_render_snapshot(events->db, node, is_connected_cb, events, &s);
    COVERAGE_INC(mapper_event_snapshot);
    size_t size = s.length;
    return http_blob_create(ds_steal_cstr(&s), size);
}

/* Sends a snapshot to all streams of the reader of FIRST that want one. */
static void
send_snapshot(struct events *events, const struct stream *first)
{
    const struct mdb_node *self = NULL;
    struct http_blob *blob = NULL;
    int64_t node = first->node;
    struct stream *stream;

    if (node) {
        self = db_node(events->db, node);
    }
    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (!stream->wants_snapshot || stream->node != node) {
            continue;
        }
        stream->wants_snapshot = false;
        if (node && (!self || strcmp(self->node_id, stream->id))) {
            http_stream_finish(stream->http);
            continue;
        }
        blob = blob ? blob : render_snapshot(events, node);
        http_stream_send(stream->http, blob, true);
        stream->installed.sent = events->revision;
        if (self && !strcmp(self->state, "revoked")) {
            http_stream_finish(stream->http);
        }
    }
    http_blob_unref(blob);
}

/* Sends snapshots for a while, so that a thousand reconnecting nodes do not
 * keep HTTP and the database waiting. */
static void
send_snapshots(struct events *events)
{
    long long int end = time_msec() + EVENTS_SNAPSHOT_BUDGET_MS;
    struct stream *stream;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (stream->wants_snapshot) {
            send_snapshot(events, stream);
            if (time_msec() >= end) {
                poll_immediate_wake();
                return;
            }
        }
    }
}

/* The database's progress. */

static void
add_to_ring(struct events *events, struct delta *delta)
{
    ovs_list_push_back(&events->ring, &delta->list_node);
    events->n_ring++;
    events->ring_bytes += delta->bytes;
    while (events->n_ring > EVENTS_RING_MAX
           || events->ring_bytes > EVENTS_RING_BYTES) {
        drop_oldest(events);
    }
}

/* Another generation of the database, or the first one seen: nothing that was
 * before says anything about it. */
static void
begin_generation(struct events *events, struct model_revision revision)
{
    struct stream *stream;

    clear_ring(events);
    events->base = events->revision = revision;
    LIST_FOR_EACH (stream, list_node, &events->streams) {
        want_snapshot(stream);
    }
}

/* Only those that come while this mapper watches: after a start all of the
 * database is new to it. */
static void
confirm_new_keys(struct events *events)
{
    const struct mdb_key *key;

    MDB_KEY_FOR_EACH_TRACKED (key, events->db->idl) {
        if (!mdb_key_is_deleted(key) && mdb_key_is_new(key)) {
            confirm_add(events->confirm, key);
        }
    }
    confirm_changed(events->confirm);
}

static void
collect(struct events *events)
{
    struct model_revision revision = db_revision(events->db);

    if (!db_service(events->db)) {
        return;
    }
    if (revision.generation != events->revision.generation
        || revision.number < events->revision.number) {
        begin_generation(events, revision);
    } else if (revision.number != events->revision.number) {
        struct delta *delta = delta_collect(events->db, is_connected_cb,
                                            events);

        events->revision = revision;
        if (delta) {
            send_delta_to_all(events, delta);
            add_to_ring(events, delta);
        }
        confirm_new_keys(events);
    }
}

static void
cut(struct stream *stream)
{
    stream->cut = true;
    stream->wants_snapshot = false;
    http_stream_cut(stream->http);
}

/* Ends the streams of those from whom a lease has gone to another. */
static void
cut_displaced(struct events *events)
{
    const struct mdb_node *node;
    struct stream *stream;

    MDB_NODE_FOR_EACH_TRACKED (node, events->db->idl) {
        bool displaced = false;

        if (mdb_node_is_deleted(node)
            || (!mdb_node_is_updated(node, MDB_NODE_COL_INSTANCE)
                && !mdb_node_is_updated(node, MDB_NODE_COL_FORMERLY))) {
            continue;
        }
        STREAM_FOR_EACH_OF_NODE (stream, node->number, events) {
            if (!stream->cut && strcmp(stream->instance, node->instance)) {
                cut(stream);
                displaced = true;
            }
        }
        if (displaced && !events_is_connected(events, node->number)) {
            confirm_closed(events->confirm, node->number);
        }
    }
}

/* Ends the streams of users that have been removed, or whose time is over. */
static void
cut_users(struct events *events)
{
    struct stream *stream;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (!stream->node && !stream->cut
            && !auth_user_is_good(events->db, stream->id)) {
            cut(stream);
        }
    }
}

static void run_ahead(struct events *);

void
events_run(struct events *events)
{
    long long int now = time_msec();

    cut_displaced(events);
    if (now >= events->next_heartbeat
        || mdb_operator_track_get_first(events->db->idl)) {
        cut_users(events);
    }
    collect(events);
    run_ahead(events);
    ovsdb_idl_track_clear(events->db->idl);
    if (db_service(events->db)) {
        send_snapshots(events);
    }
    if (now >= events->next_heartbeat) {
        struct stream *stream;

        events->next_heartbeat = now + EVENTS_HEARTBEAT_MS;
        LIST_FOR_EACH (stream, list_node, &events->streams) {
            http_stream_send(stream->http, events->heartbeat, false);
        }
    }
}

void
events_wait(struct events *events)
{
    const struct stream *stream;

    if (events->n_streams) {
        poll_timer_wait_until(events->next_heartbeat);
    }
    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (stream->is_ahead) {
            poll_timer_wait_until(MAX(stream->ahead_until,
                                      time_msec() + EVENTS_LAG_MS / 10));
        }
    }
}

/* Streams. */

static void
stream_closed(void *stream_)
{
    struct stream *stream = stream_;

    VLOG_INFO_RL(&stream_rl, "event stream of %s closed", stream->id);
    if (stream->node) {
        const struct mdb_node *node = db_node(stream->events->db,
                                              stream->node);
        long long int silence = http_stream_silence(stream->http);

        /* What a displaced one says is no sign of life of the holder. */
        if (node && !strcmp(node->instance, stream->instance)
            && silence < LLONG_MAX) {
            lease_heard(stream->events->lease, stream->node,
                        time_msec() - silence);
        }
        hmap_remove(&stream->events->by_node, &stream->by_node);
        if (!events_is_connected(stream->events, stream->node)) {
            confirm_closed(stream->events->confirm, stream->node);
        }
    }
    ovs_list_remove(&stream->list_node);
    stream->events->n_streams--;
    free(stream);
}

/* True if what STREAM's reader may see at all is the same after DELTA. */
static bool
may_follow(const struct stream *stream, const struct delta *delta)
{
    uint8_t *view = xmalloc(delta->n);
    bool empty;
    bool ok = delta_view(delta, stream->events->db, stream->node, view,
                         &empty);

    free(view);
    return ok;
}

/* Sends what is newer than SINCE.  Returns false if that can't be known. */
static bool
resume(struct stream *stream, struct model_revision since)
{
    struct events *events = stream->events;
    struct delta *delta;

    if (since.generation != events->revision.generation
        || since.number < events->base.number
        || since.number > events->revision.number) {
        return false;
    }
    /* All are looked at before any is sent: what was before this reader
     * became a member, keys above all, is not for it. */
    LIST_FOR_EACH (delta, list_node, &events->ring) {
        if (delta->revision.number > since.number
            && !may_follow(stream, delta)) {
            return false;
        }
    }
    stream->installed.sent = since;
    LIST_FOR_EACH (delta, list_node, &events->ring) {
        if (delta->revision.number > since.number) {
            /* Forms of this delta only: the view says nothing of which. */
            struct hmap renderings = HMAP_INITIALIZER(&renderings);
            uint8_t *view = xmalloc(delta->n);

            send_delta(stream, delta, view, &renderings);
            free(view);
            free_renderings(&renderings);
        }
    }
    return true;
}

static void
resume_or_begin(struct stream *stream, struct model_revision since)
{
    if (resume(stream, since)) {
        COVERAGE_INC(mapper_event_resumed);
    } else {
        stream->wants_snapshot = true;
    }
}

/* The first thing that STREAM gets: what is newer than LAST_EVENT_ID, if there
 * is one, or all. */
static void
begin(struct stream *stream, const char *last_event_id)
{
    struct events *events = stream->events;
    struct model_revision since;

    char *error = (last_event_id ? model_revision_parse(last_event_id, &since)
                   : xstrdup("none"));
    if (error) {
        free(error);
        stream->wants_snapshot = true;
    } else if (since.generation == events->revision.generation
               && since.number > events->revision.number) {
        stream->is_ahead = true;
        stream->since = since;
        stream->ahead_until = time_msec() + EVENTS_LAG_MS;
    } else {
        resume_or_begin(stream, since);
    }
}

/* Streams whose readers knew more than this mapper. */
static void
run_ahead(struct events *events)
{
    bool connected = ovsdb_idl_is_connected(events->db->idl);
    struct stream *stream;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (stream->is_ahead && !stream->cut
            && (stream->since.number <= events->revision.number
                || (connected && time_msec() >= stream->ahead_until))) {
            stream->is_ahead = false;
            resume_or_begin(stream, stream->since);
        }
    }
}

/* Cuts the oldest stream of the reader ID if it has as many as it may. */
static void
make_room(struct events *events, const char *id, int max)
{
    struct stream *oldest = NULL;
    struct stream *stream;
    int n = 0;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (!stream->cut && !strcmp(stream->id, id)) {
            oldest = oldest ? oldest : stream;
            n++;
        }
    }
    if (n >= max) {
        cut(oldest);
    }
}

void
events_subscribe(struct events *events, struct http_connection *connection,
                 const struct principal *who, const char *last_event_id)
{
    struct stream *stream = xzalloc(sizeof *stream);

    stream->events = events;
    ovs_strlcpy(stream->id, who->id, sizeof stream->id);
    if (who->role == ROLE_NODE) {
        stream->node = db_node_by_id(events->db, who->id)->number;
        ovs_strlcpy(stream->instance, who->instance,
                    sizeof stream->instance);
        hmap_insert(&events->by_node, &stream->by_node,
                    hash_uint64(stream->node));
        confirm_opened(events->confirm, stream->node);
    }
    make_room(events, stream->id, (stream->node ? EVENTS_STREAMS_PER_NODE
                                   : EVENTS_STREAMS_PER_OPERATOR));
    stream->http = http_stream_open(connection, stream_closed, stream);
    ovs_list_push_back(&events->streams, &stream->list_node);
    events->n_streams++;

    /* So that the client soon sees that it is heard. */
    http_stream_send(stream->http, events->heartbeat, false);
    begin(stream, last_event_id);
    VLOG_INFO_RL(&stream_rl, "event stream of %s opened%s", stream->id,
                 stream->wants_snapshot ? "" : ", resumed");
    poll_immediate_wake();
}

void
events_cut_nodes(struct events *events)
{
    struct stream *stream;

    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (stream->node && !stream->cut) {
            cut(stream);
            confirm_closed(events->confirm, stream->node);
        }
    }
}

/* Events for one node only. */

/* Sends EVENT, with DATA, to all streams of node NUMBER that belong to
 * INSTANCE. */
static void
send_to_node(struct events *events, int64_t number, const char *instance,
             const char *event, const char *data)
{
    char *text = xasprintf("event: %s\ndata: %s\n\n", event, data);
    struct http_blob *blob = http_blob_create(text, strlen(text));
    struct stream *stream;

    STREAM_FOR_EACH_OF_NODE (stream, number, events) {
        if (!stream->cut && !strcmp(stream->instance, instance)) {
            http_stream_send(stream->http, blob, false);
        }
    }
    http_blob_unref(blob);
}

void
events_send_challenge(struct events *events, int64_t number,
                      const char *instance, const char *nonce)
{
    char *data = xasprintf("{\"nonce\":\"%s\"}", nonce);

    send_to_node(events, number, instance, "challenge", data);
    free(data);
}

void
events_send_loaded(struct events *events, int64_t number,
                   const int64_t *spis, size_t n)
{
    const struct mdb_node *node = db_node(events->db, number);
    struct ds data = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&data, "{\"keys\":[");
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&data, "%s%"PRId64, i ? "," : "", spis[i]);
    }
    ds_put_cstr(&data, "]}");
    if (node) {
        send_to_node(events, number, node->instance, "loaded",
                     ds_cstr(&data));
    }
    ds_destroy(&data);
}

/* What was installed. */

void
events_for_each_stream(struct events *events,
                       void (*cb)(int64_t node, struct installed_stream *,
                                  bool wants_snapshot, void *aux), void *aux)
{
    struct stream *stream;

    HMAP_FOR_EACH (stream, by_node, &events->by_node) {
        if (!stream->cut) {
            cb(stream->node, &stream->installed, stream->wants_snapshot, aux);
        }
    }
}

struct model_revision
events_revision(const struct events *events)
{
    return events->revision;
}

void
events_send_confirm(struct events *events, int64_t number,
                    struct model_revision revision)
{
    const struct mdb_node *node = db_node(events->db, number);
    char *data = xasprintf("{\"revision\":\""MODEL_REVISION_FMT"\"}",
                           MODEL_REVISION_ARGS(revision));

    if (node) {
        send_to_node(events, number, node->instance, "confirm", data);
    }
    free(data);
}

void
events_told_installed(struct events *events, int64_t number,
                      const char *instance, struct model_revision revision)
{
    struct stream *stream;

    STREAM_FOR_EACH_OF_NODE (stream, number, events) {
        struct model_revision *told = &stream->installed.told;
        struct model_revision sent = stream->installed.sent;

        if (!strcmp(stream->instance, instance)
            && model_revision_compare(revision, *told) > 0) {
            *told = (model_revision_compare(revision, sent) < 0
                     ? revision : sent);
        }
    }
}
