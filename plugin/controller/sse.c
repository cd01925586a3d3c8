/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, read incrementally. */
#include <config.h>
#include "controller/sse.h"

#include <string.h>

#include "model/types.h"
#include "util.h"

enum { KEEP_MAX = 1024 * 1024 };

void
sse_init(struct sse *sse, sse_event_func *on_event, void *aux)
{
    *sse = (struct sse) { .on_event = on_event, .aux = aux, .at_start = true };
}

void
sse_destroy(struct sse *sse)
{
    ds_destroy(&sse->line);
    ds_destroy(&sse->type);
    ds_destroy(&sse->data);
    ds_destroy(&sse->id);
}

void
sse_reset(struct sse *sse)
{
    ds_clear(&sse->line);
    ds_clear(&sse->type);
    ds_clear(&sse->data);
    ds_clear(&sse->id);
    sse->after_cr = false;
    sse->at_start = true;
}

/* Empties 'ds', and gives back what only a large event (a snapshot) needs. */
static void
empty(struct ds *ds)
{
    if (ds->allocated > KEEP_MAX) {
        model_wipe(ds->string, ds->allocated);
        ds_destroy(ds);
        ds_init(ds);
    } else {
        ds_clear(ds);
    }
}

static void
dispatch(struct sse *sse)
{
    if (sse->data.length) {
        /* The standard: one final line feed is not part of the data. */
        ds_chomp(&sse->data, '\n');

        const struct sse_event event = {
            .type = sse->type.length ? ds_cstr(&sse->type) : "message",
            .id = ds_cstr(&sse->id),
            .data = ds_cstr(&sse->data),
            .data_len = sse->data.length,
        };
        sse->on_event(&event, sse->aux);
    }
    ds_clear(&sse->type);
    empty(&sse->data);
}

static void
set(struct ds *ds, const char *value, size_t n)
{
    ds_clear(ds);
    ds_put_buffer(ds, value, n);
}

static void
field(struct sse *sse, const char *name, size_t name_len, const char *value,
      size_t n)
{
    if (name_len == 4 && !memcmp(name, "data", 4)) {
        ds_put_buffer(&sse->data, value, n);
        ds_put_char(&sse->data, '\n');
    } else if (name_len == 5 && !memcmp(name, "event", 5)) {
        set(&sse->type, value, n);
    } else if (name_len == 2 && !memcmp(name, "id", 2)
               && !memchr(value, '\0', n)) {
        set(&sse->id, value, n);
    }
}

static void
end_line(struct sse *sse)
{
    const char *line = ds_cstr(&sse->line);
    size_t n = sse->line.length;

    if (sse->at_start && n >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
        line += 3;
        n -= 3;
    }
    sse->at_start = false;

    if (!n) {
        dispatch(sse);
    } else if (line[0] != ':') {
        const char *colon = memchr(line, ':', n);

        if (!colon) {
            field(sse, line, n, "", 0);
        } else {
            const char *value = colon + 1;
            size_t left = n - (value - line);

            if (left && *value == ' ') {
                value++;
                left--;
            }
            field(sse, line, colon - line, value, left);
        }
    }
    empty(&sse->line);
}

/* Returns how many of the 'n' bytes at 'p' come before a line's end. */
static size_t
line_length(const char *p, size_t n)
{
    const char *lf = memchr(p, '\n', n);
    size_t length = lf ? lf - p : n;
    const char *cr = memchr(p, '\r', length);

    return cr ? cr - p : length;
}

bool
sse_feed(struct sse *sse, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n) {
        if (sse->after_cr) {
            sse->after_cr = false;
            if (*p == '\n') {
                p++;
                n--;
                continue;
            }
        }

        size_t length = line_length(p, n);
        if (sse->line.length + sse->data.length + length > SSE_MAX_EVENT) {
            return false;
        }
        ds_put_buffer(&sse->line, p, length);
        p += length;
        n -= length;
        if (n) {
            sse->after_cr = *p == '\r';
            p++;
            n--;
            end_line(sse);
        }
    }
    return true;
}
