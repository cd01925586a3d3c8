/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: who hears of which change. */

#include <config.h>

#include "mapper/events.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "mapper/audience.h"
#include "mapper/auth.h"
#include "mapper/confirm.h"
#include "mapper/db.h"
#include "mapper/delta.h"
#include "mapper/events-private.h"
#include "mapper/http.h"
#include "mapper/ipam-hint.h"
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
    ovs_list_init(&events->waiting);
    ovs_list_init(&events->ahead);
    ovs_list_init(&events->beats);
    audiences_init(&events->audiences, db);
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
        audiences_destroy(&events->audiences);
        hmap_destroy(&events->by_node);
        http_blob_unref(events->heartbeat);
        free(events);
    }
}

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

static void
want_no_snapshot(struct stream *stream)
{
    ovs_list_remove(&stream->waiting_node);
    ovs_list_init(&stream->waiting_node);
}

static void
wait_for_snapshot(struct stream *stream)
{
    if (!stream_wants_snapshot(stream)) {
        ovs_list_push_back(&stream->events->waiting, &stream->waiting_node);
    }
}

static void
stop_waiting_ahead(struct stream *stream)
{
    ovs_list_remove(&stream->ahead_node);
    ovs_list_init(&stream->ahead_node);
}

/* True if STREAM gets what is new. */
static bool
follows(const struct stream *stream)
{
    return (!stream_wants_snapshot(stream) && !stream->cut
            && ovs_list_is_empty(&stream->ahead_node));
}

/* What waits to be read is superseded; a reader that has lost the right to it
 * must not get it any more. */
static void
want_snapshot(struct stream *stream)
{
    stop_waiting_ahead(stream);
    wait_for_snapshot(stream);
    http_stream_forget(stream->http);
}

/* Puts STREAM among those who see now what it sees. */
static void
join_audience(struct stream *stream)
{
    struct audiences *audiences = &stream->events->audiences;
    struct audience *old = stream->audience;

    stream->audience = audience_find(audiences, stream->node);
    ovs_list_remove(&stream->reader_node);
    ovs_list_push_back(&stream->audience->readers, &stream->reader_node);
    audience_unref(audiences, old);
}

/* Sends DELTA to one stream, as its own reader and not as one of many. */
static void
send_delta(struct stream *stream, const struct delta *delta, uint8_t *view,
           struct hmap *renderings)
{
    struct delta_reader reader = stream->audience->reader;
    bool empty;

    reader.node = stream->node;
    if (!delta_view(delta, stream->events->db, &reader, view, &empty)) {
        want_snapshot(stream);
    } else if (!empty) {
        COVERAGE_INC(mapper_event_change);
        http_stream_send(stream->http, render(delta, view, renderings),
                         false);
        stream->installed.sent = delta->revision;
    }
}

/* Sends DELTA to those whom it is about. */
static void
send_delta_to_concerned(struct events *events, const struct delta *delta,
                        uint8_t *view, struct hmap *renderings)
{
    for (size_t i = 0; i < delta->n; i++) {
        int64_t number = delta->items[i].node;
        struct stream *stream;

        if (!delta_is_about(&delta->items[i])) {
            continue;
        }
        STREAM_FOR_EACH_OF_NODE (stream, number, events) {
            if (stream->serial != events->serial) {
                stream->serial = events->serial;
                if (follows(stream)) {
                    send_delta(stream, delta, view, renderings);
                }
            }
        }
    }
}

/* Sends DELTA to all others of AUDIENCE. */
static void
send_delta_to_audience(struct events *events, struct audience *audience,
                       const struct delta *delta, uint8_t *view,
                       struct hmap *renderings)
{
    struct stream *stream;
    bool empty;

    if (!delta_view(delta, events->db, &audience->reader, view, &empty)
        || empty) {
        return;
    }
    struct http_blob *blob = render(delta, view, renderings);
    LIST_FOR_EACH (stream, reader_node, &audience->readers) {
        if (stream->serial != events->serial && follows(stream)) {
            COVERAGE_INC(mapper_event_change);
            http_stream_send(stream->http, blob, false);
            stream->installed.sent = delta->revision;
        }
    }
}

static void
send_delta_to_all(struct events *events, const struct delta *delta)
{
    struct hmap renderings = HMAP_INITIALIZER(&renderings);
    uint8_t *view = xmalloc(delta->n);
    struct audience *audience;

    events->serial++;
    send_delta_to_concerned(events, delta, view, &renderings);
    HMAP_FOR_EACH (audience, hmap_node, &events->audiences.all) {
        send_delta_to_audience(events, audience, delta, view, &renderings);
    }
    free(view);
    free_renderings(&renderings);
}

static struct http_blob *
render_snapshot_head(const struct stream *stream)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    delta_render_snapshot_head(stream->events->db, stream->node, &s);
    size_t size = s.length;
    return http_blob_create(ds_steal_cstr(&s), size);
}

/* Sends the snapshot that STREAM wants, or says when it is to be tried
 * again. */
static void
send_snapshot(struct stream *stream, long long int *later)
{
    struct events *events = stream->events;
    const struct mdb_node *self = NULL;

    if (stream->node) {
        self = db_node(events->db, stream->node);
        if (!self || strcmp(self->node_id, stream->id)) {
            want_no_snapshot(stream);
            http_stream_finish(stream->http);
            return;
        }
    }
    join_audience(stream);
    struct http_blob *rest = audience_snapshot(
        &events->audiences, stream->audience, stream->node, is_connected_cb,
        events, later);
    if (!rest) {
        return;
    }
    COVERAGE_INC(mapper_event_snapshot);
    want_no_snapshot(stream);
    struct http_blob *head = render_snapshot_head(stream);
    http_stream_send_halves(stream->http, head, rest);
    http_blob_unref(head);
    http_blob_unref(rest);
    stream->installed.sent = events->revision;
    stream->snapshot_at = time_msec();
    if (self && !strcmp(self->state, "revoked")) {
        http_stream_finish(stream->http);
    }
}

static void
cut(struct stream *stream)
{
    stream->cut = true;
    want_no_snapshot(stream);
    stop_waiting_ahead(stream);
    http_stream_cut(stream->http);
}

/* Old snapshots take too much memory: who has not read one for long has to
 * begin anew. */
static void
cut_slow_readers(struct events *events)
{
    long long int now = time_msec();
    struct stream *stream;

    if (now < events->next_cut) {
        return;
    }
    events->next_cut = now + 1000;
    LIST_FOR_EACH (stream, list_node, &events->streams) {
        if (!stream->cut && http_stream_has_free(stream->http)
            && now >= stream->snapshot_at + EVENTS_SNAPSHOT_PATIENCE_MS) {
            cut(stream);
        }
    }
}

/* Sends snapshots for a while, so that a thousand reconnecting nodes do not
 * keep HTTP and the database waiting. */
static void
send_snapshots(struct events *events)
{
    long long int end = time_msec() + EVENTS_SNAPSHOT_BUDGET_MS;
    struct stream *stream;
    bool is_short = false;      /* Of memory. */

    if (ovs_list_is_empty(&events->waiting)
        || time_msec() < events->next_snapshot) {
        return;
    }
    events->next_snapshot = LLONG_MAX;
    LIST_FOR_EACH_SAFE (stream, waiting_node, &events->waiting) {
        long long int later = LLONG_MAX;

        send_snapshot(stream, &later);
        if (stream_wants_snapshot(stream)) {
            if (later == LLONG_MAX) {
                is_short = true;
                later = time_msec() + 100;
            }
            events->next_snapshot = MIN(events->next_snapshot, later);
        }
        if (time_msec() >= end) {
            events->next_snapshot = 0;
            break;
        }
    }
    if (is_short) {
        cut_slow_readers(events);
    }
    if (ovs_list_is_empty(&events->waiting)) {
        events->next_snapshot = 0;
    }

    struct audience *operators = audience_find(&events->audiences, 0);
    audience_forget(&events->audiences, operators);
    audience_unref(&events->audiences, operators);
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
    ipam_hints_forget(events->db->hints);
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
    struct audience *users = audience_find(&events->audiences, 0);
    struct stream *stream;

    LIST_FOR_EACH (stream, reader_node, &users->readers) {
        if (!stream->cut && !auth_user_is_good(events->db, stream->id)) {
            cut(stream);
        }
    }
    audience_unref(&events->audiences, users);
}

static void run_ahead(struct events *);

/* Each stream has its own time, so that not all are sent at once; they are
 * looked at a few times a second. */
static void
send_heartbeats(struct events *events, long long int now)
{
    events->next_heartbeat = now + EVENTS_HEARTBEAT_TICK_MS;
    audiences_run(&events->audiences);
    while (!ovs_list_is_empty(&events->beats)) {
        struct stream *stream = CONTAINER_OF(
            ovs_list_front(&events->beats), struct stream, beat_node);

        if (now < stream->next_heartbeat) {
            break;
        }
        ovs_list_remove(&stream->beat_node);
        ovs_list_push_back(&events->beats, &stream->beat_node);
        stream->next_heartbeat = now + EVENTS_HEARTBEAT_MS;
        http_stream_send(stream->http, events->heartbeat, false);
    }
}

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
    db_look_for_freed(events->db);
    ovsdb_idl_track_clear(events->db->idl);
    if (db_service(events->db)) {
        send_snapshots(events);
    }
    if (now >= events->next_heartbeat) {
        send_heartbeats(events, now);
    }
}

void
events_wait(struct events *events)
{
    const struct stream *stream;

    if (events->n_streams) {
        poll_timer_wait_until(events->next_heartbeat);
    }
    LIST_FOR_EACH (stream, ahead_node, &events->ahead) {
        poll_timer_wait_until(MAX(stream->ahead_until,
                                  time_msec() + EVENTS_LAG_MS / 10));
    }
    if (!ovs_list_is_empty(&events->waiting) && db_service(events->db)) {
        poll_timer_wait_until(events->next_snapshot);
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
    ovs_list_remove(&stream->waiting_node);
    ovs_list_remove(&stream->ahead_node);
    ovs_list_remove(&stream->beat_node);
    ovs_list_remove(&stream->reader_node);
    audience_unref(&stream->events->audiences, stream->audience);
    stream->events->n_streams--;
    free(stream);
}

/* True if what STREAM's reader may see at all is the same after DELTA. */
static bool
may_follow(const struct stream *stream, const struct delta *delta)
{
    struct delta_reader reader = stream->audience->reader;
    uint8_t *view = xmalloc(delta->n);
    bool empty;

    reader.node = stream->node;
    bool ok = delta_view(delta, stream->events->db, &reader, view, &empty);

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
        wait_for_snapshot(stream);
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
        wait_for_snapshot(stream);
    } else if (since.generation == events->revision.generation
               && since.number > events->revision.number) {
        stream->since = since;
        stream->ahead_until = time_msec() + EVENTS_LAG_MS;
        ovs_list_push_back(&events->ahead, &stream->ahead_node);
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

    LIST_FOR_EACH_SAFE (stream, ahead_node, &events->ahead) {
        if (stream->since.number <= events->revision.number
            || (connected && time_msec() >= stream->ahead_until)) {
            stop_waiting_ahead(stream);
            /* No delta was looked at meanwhile. */
            join_audience(stream);
            resume_or_begin(stream, stream->since);
        }
    }
}

/* Counts STREAM if it is of the same reader as NEW. */
static void
count_stream(struct stream *stream, const struct stream *new,
             struct stream **oldest, int *n)
{
    if (stream != new && !stream->cut && !strcmp(stream->id, new->id)) {
        if (!*oldest || stream->opened < (*oldest)->opened) {
            *oldest = stream;
        }
        ++*n;
    }
}

/* Cuts the oldest stream of the reader of NEW if it has as many as it may. */
static void
make_room(const struct stream *new)
{
    int max = (new->node ? EVENTS_STREAMS_PER_NODE
               : EVENTS_STREAMS_PER_OPERATOR);
    struct stream *oldest = NULL;
    struct stream *stream;
    int n = 0;

    if (new->node) {
        STREAM_FOR_EACH_OF_NODE (stream, new->node, new->events) {
            count_stream(stream, new, &oldest, &n);
        }
    } else {
        LIST_FOR_EACH (stream, reader_node, &new->audience->readers) {
            count_stream(stream, new, &oldest, &n);
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
    ovs_list_init(&stream->waiting_node);
    ovs_list_init(&stream->ahead_node);
    ovs_list_init(&stream->reader_node);
    join_audience(stream);
    make_room(stream);
    stream->http = http_stream_open(connection, stream_closed, stream);
    ovs_list_push_back(&events->streams, &stream->list_node);
    ovs_list_push_back(&events->beats, &stream->beat_node);
    events->n_streams++;
    stream->opened = events->n_opened++;

    /* So that the client soon sees that it is heard. */
    http_stream_send(stream->http, events->heartbeat, false);
    stream->next_heartbeat = time_msec() + EVENTS_HEARTBEAT_MS;
    begin(stream, last_event_id);
    VLOG_INFO_RL(&stream_rl, "event stream of %s opened%s", stream->id,
                 stream_wants_snapshot(stream) ? "" : ", resumed");
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
