/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a mapping service's event stream, cut anywhere. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "controller/mapping-event.h"
#include "controller/sse.h"
#include "hash.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "util.h"
#include "uuid.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* One controller: controller.c's stream_event(). */
struct reader {
    struct sse sse;
    struct uuid id;
    struct mapping *mapping;
    char *text;                 /* Of 'mapping'. */
    size_t n_events;
    bool restart;               /* Nothing is taken from this stream now. */
};

static char *
mapping_text(const struct mapping *mapping)
{
    json_t *json = mapping_to_snapshot(mapping, MODEL_VIEW_KEYS);
    char *text = json_dumps(json, JSON_SORT_KEYS);

    ovs_assert(text);
    json_decref(json);
    return text;
}

/* What was taken is written and read back the same. */
static void
check_round_trip(const struct mapping *mapping, const char *text)
{
    struct mapping *again;
    json_t *json;

    ovs_assert(!model_json_parse(text, strlen(text), SIZE_MAX, &json));
    ovs_assert(!mapping_from_snapshot(json, &again));
    ovs_assert(!mapping_diff(mapping, again, MODEL_VIEW_KEYS));
    ovs_assert(!mapping_diff(again, mapping, MODEL_VIEW_KEYS));
    ovs_assert(!model_revision_compare(mapping->revision, again->revision));
    mapping_destroy(again);
    json_decref(json);
}

static void
on_event(const struct sse_event *event, void *reader_)
{
    struct reader *reader = reader_;
    struct mapping_event_result result;

    ovs_assert(event->data[event->data_len] == '\0');
    reader->n_events++;
    if (reader->restart) {
        return;
    }

    struct mapping_touches touches = MAPPING_TOUCHES_INITIALIZER;
    char *error = mapping_event_apply(event, &reader->id, &reader->mapping,
                                      &result, &touches);
    mapping_touches_destroy(&touches);
    char *text = reader->mapping ? mapping_text(reader->mapping) : NULL;
    if (error) {
        /* Nothing has changed. */
        ovs_assert(!result.changed);
        ovs_assert(!text == !reader->text
                   && (!text || !strcmp(text, reader->text)));
        reader->restart = true;
        free(error);
    } else if (result.changed) {
        check_round_trip(reader->mapping, text);
    }
    free(reader->text);
    reader->text = text;
}

static void
reader_init(struct reader *reader)
{
    *reader = (struct reader) { .mapping = NULL };
    ovs_assert(uuid_from_string(&reader->id,
                                "6f1c2b3a-0d4e-4f5a-8b6c-7d8e9fa0b1c2"));
    sse_init(&reader->sse, on_event, reader);
}

static void
reader_destroy(struct reader *reader)
{
    sse_destroy(&reader->sse);
    mapping_destroy(reader->mapping);
    free(reader->text);
}

/* How a stream is cut into pieces makes no difference. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct reader whole, pieces;
    uint32_t random = hash_bytes(data, n, 0);

    reader_init(&whole);
    reader_init(&pieces);
    ovs_assert(sse_feed(&whole.sse, data, n));
    for (size_t i = 0; i < n; ) {
        /* Often one byte, sometimes many; each in memory of its own, so that
         * reading on is noticed. */
        random = hash_add(random, i);
        size_t length = MIN(n - i, 1 + (random % 3 ? random % 5
                                        : random % 500));
        uint8_t *piece = xmemdup(data + i, length);

        ovs_assert(sse_feed(&pieces.sse, piece, length));
        free(piece);
        i += length;
    }

    ovs_assert(whole.n_events == pieces.n_events);
    ovs_assert(whole.restart == pieces.restart);
    ovs_assert(!whole.text == !pieces.text);
    ovs_assert(!whole.text || !strcmp(whole.text, pieces.text));
    reader_destroy(&whole);
    reader_destroy(&pieces);
    return 0;
}
