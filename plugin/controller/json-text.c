/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that may hold keys, as text. */
#include <config.h>
#include "controller/json-text.h"

#include <stdlib.h>

#include "model/jansson.h"
#include "model/types.h"
#include "util.h"

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
