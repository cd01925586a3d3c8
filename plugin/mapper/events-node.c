/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: what is for one node only, and what it has installed. */

#include <config.h>

#include "mapper/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "mapper/events-private.h"
#include "mapper/http.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

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
            cb(stream->node, &stream->installed,
               stream_wants_snapshot(stream), aux);
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
events_send_ask(struct events *events, int64_t number, const char *id,
                const char *question)
{
    const struct mdb_node *node = db_node(events->db, number);
    char *data = xasprintf("{\"id\":\"%s\",\"question\":%s}", id, question);

    if (node) {
        send_to_node(events, number, node->instance, "ask", data);
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
