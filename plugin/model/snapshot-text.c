/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots as text, without a tree of JSON in between. */

#include <config.h>
#include "model/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/kind.h"
#include "model/reader.h"
#include "util.h"

/* A growing text that may hold keys: what it outgrows is wiped. */
struct text {
    char *data;
    size_t n, allocated;
};

static char *
reserve(struct text *text, size_t n)
{
    if (text->allocated - text->n < n) {
        size_t allocated = MAX(text->n + n, 2 * text->allocated);
        char *data = xmalloc(allocated);

        if (text->n) {
            memcpy(data, text->data, text->n);
            model_wipe(text->data, text->n);
        }
        free(text->data);
        text->data = data;
        text->allocated = allocated;
    }
    return text->data + text->n;
}

static void
put(struct text *text, const char *s)
{
    size_t n = strlen(s);

    memcpy(reserve(text, n), s, n);
    text->n += n;
}

/* Appends JSON, and gives it back. */
static void
put_json(struct text *text, json_t *json)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t n = json_dumpb(json, NULL, 0, flags);

    json_dumpb(json, reserve(text, n), n, flags);
    text->n += n;
    json_decref(json);
}

char *
mapping_to_snapshot_text(const struct mapping *m, enum model_view view,
                         size_t *n)
{
    struct text text = { NULL, 0, 0 };

    put(&text, "{\"revision\":");
    put_json(&text, model_revision_to_json(m->revision));
    put(&text, ",\"self\":");
    put_json(&text, m->self ? model_node_to_json(m->self, view)
             : json_null());
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];
        const char *separator = "";

        put(&text, ",\"");
        put(&text, kind->plural);
        put(&text, "\":[");
        KIND_FOR_EACH (node, kind, m) {
            put(&text, separator);
            put_json(&text, kind->to_json(kind_object(kind, node), view));
            separator = ",";
        }
        put(&text, "]");
    }
    put(&text, "}");
    *n = text.n;
    *reserve(&text, 1) = '\0';
    return text.data;
}
