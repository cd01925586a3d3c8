/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that may hold keys, as text and back to nothing. */
#include <config.h>
#include "controller/json-text.h"

#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/types.h"
#include "util.h"

void
json_text_wipe(struct json_t *json)
{
    const char *name;
    json_t *value;
    size_t i;

    if (json_is_array(json)) {
        json_array_foreach (json, i, value) {
            json_text_wipe(value);
        }
    } else if (json_is_object(json)) {
        json_object_foreach (json, name, value) {
            if (!strcmp(name, "key") && json_is_string(value)) {
                model_wipe(CONST_CAST(char *, json_string_value(value)),
                           json_string_length(value));
            } else {
                json_text_wipe(value);
            }
        }
    }
}

char *
json_text_dump(const struct json_t *json, size_t *n)
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;

    /* In two passes, so that no smaller buffer is left behind in the heap. */
    *n = json_dumpb(json, NULL, 0, flags);
    char *text = xmalloc(*n + 1);
    json_dumpb(json, text, *n, flags);
    text[*n] = '\0';
    return text;
}

void
json_text_free(char *text, size_t n)
{
    if (text) {
        model_wipe(text, n);
        free(text);
    }
}
