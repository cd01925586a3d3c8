/* SPDX-License-Identifier: Apache-2.0 */
/* The service's events, applied to the mapping. */
#include <config.h>
#include "controller/mapping-event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sse.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "util.h"
#include "uuid.h"

/* Says what is wrong with replacing 'old' by 'new'. */
static char *
check_snapshot(const struct mapping *old, const struct mapping *new,
               const struct uuid *id)
{
    if (new->self && !uuid_equals(&new->self->id, id)) {
        return xstrdup("sent another node's mapping");
    }
    if (old && old->revision.generation == new->revision.generation
        && model_revision_compare(new->revision, old->revision) < 0) {
        return xasprintf("sent revision "MODEL_REVISION_FMT", older than "
                         MODEL_REVISION_FMT" which is known already",
                         MODEL_REVISION_ARGS(new->revision),
                         MODEL_REVISION_ARGS(old->revision));
    }
    return NULL;
}

static char *
apply_snapshot(const json_t *json, const struct uuid *id,
               struct mapping **mapping)
{
    struct mapping *new;
    char *error = mapping_from_snapshot(json, &new);

    if (error) {
        return error;
    }
    error = check_snapshot(*mapping, new, id);
    if (error) {
        mapping_destroy(new);
    } else {
        mapping_destroy(*mapping);
        *mapping = new;
    }
    return error;
}

char *
mapping_event_apply(const struct sse_event *event, const struct uuid *id,
                    struct mapping **mapping,
                    struct mapping_event_result *result,
                    struct mapping_touches *touches)
{
    bool snapshot = !strcmp(event->type, "snapshot");
    json_t *json;

    *result = (struct mapping_event_result) { false, false };
    if (!snapshot && strcmp(event->type, "change")) {
        return NULL;
    }

    char *error = model_json_parse(event->data, event->data_len,
                                   SSE_MAX_EVENT, &json);
    if (error) {
        return error;
    }
    if (snapshot) {
        error = apply_snapshot(json, id, mapping);
        if (!error && touches) {
            mapping_touches_add_all(touches);
        }
    } else if (*mapping) {
        error = mapping_apply_change(*mapping, json, NULL, touches);
    } else {
        error = xstrdup("sent a change before a snapshot");
    }
    json_decref(json);
    if (!error) {
        *result = (struct mapping_event_result) { true, snapshot };
    }
    return error;
}
