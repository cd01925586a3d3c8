/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, read incrementally. */
#ifndef VSUBNET_SSE_H
#define VSUBNET_SSE_H 1

/* The event stream format of the WHATWG HTML standard, section 9.2: lines end
 * with CR, LF or CR LF; a line "field: value" adds to the event that an empty
 * line completes; one that begins with a colon is a comment.  Bytes come in
 * pieces cut anywhere.
 *
 *      sse_init(&sse, on_event, aux);
 *      if (!sse_feed(&sse, bytes, n)) {
 *          ...an event exceeds SSE_MAX_EVENT: give the stream up...
 *      }
 *      sse_destroy(&sse);
 *
 * "retry" is ignored: the client's own back-off holds.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/dynamic-string.h"

enum { SSE_MAX_EVENT = 256 * 1024 * 1024 };

struct sse_event {
    const char *type;           /* "message" if the server named none. */
    const char *id;             /* Last one seen, "" if none. */
    const char *data;           /* Null-terminated too. */
    size_t data_len;
};

typedef void sse_event_func(const struct sse_event *, void *aux);

struct sse {
    sse_event_func *on_event;
    void *aux;
    struct ds line;             /* Not yet ended. */
    struct ds type;
    struct ds data;
    struct ds id;
    bool after_cr;              /* An LF now ends no line. */
    bool at_start;              /* A byte order mark may come. */
};

void sse_init(struct sse *, sse_event_func *, void *aux);
void sse_destroy(struct sse *);

/* Forgets what came, for a new connection. */
void sse_reset(struct sse *);
bool sse_feed(struct sse *, const void *, size_t n);

#endif /* sse.h */
