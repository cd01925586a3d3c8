/* SPDX-License-Identifier: Apache-2.0 */
/* Puts frames together that came in several datagrams. */

#include <config.h>
#include "datapath/fragment.h"

#include <stdlib.h>
#include <string.h>
#include "seal/wire.h"
#include "util.h"

/* A frame of which not all pieces are there; 'n' is 0 if it is none. */
struct partial {
    uint64_t session;
    uint64_t first;             /* Sequence of the first piece. */
    unsigned int total;
    unsigned int n;             /* Pieces that are there. */
    size_t len;                 /* Their bytes. */
    long long int expires;
    enum ecn ecn;
    uint8_t *pieces[FRAGMENT_MAX];
    size_t lens[FRAGMENT_MAX];
};

/* The frames in the order of their first piece: from 'oldest' on, a ring.
 * Some may be done already. */
struct fragment_table {
    struct partial ring[FRAGMENT_FRAMES];
    unsigned int oldest;
    unsigned int n;
    size_t bytes;
    struct partial *complete;   /* Waits for fragment_table_take(). */
};

void
fragment_put_header(void *payload, unsigned int index, unsigned int total)
{
    uint8_t *p = payload;

    p[0] = index;
    p[1] = total;
}

struct fragment_table *
fragment_table_create(void)
{
    return xzalloc(sizeof(struct fragment_table));
}

/* Frees the pieces of 'p' and returns how many there were. */
static unsigned int
forget(struct fragment_table *t, struct partial *p)
{
    unsigned int n = p->n;

    if (n) {
        for (unsigned int i = 0; i < p->total; i++) {
            free(p->pieces[i]);
            p->pieces[i] = NULL;
        }
        t->bytes -= p->len;
        p->n = 0;
    }
    return n;
}

void
fragment_table_destroy(struct fragment_table *t)
{
    if (t) {
        for (unsigned int i = 0; i < FRAGMENT_FRAMES; i++) {
            forget(t, &t->ring[i]);
        }
        free(t);
    }
}

static struct partial *
nth(struct fragment_table *t, unsigned int i)
{
    return &t->ring[(t->oldest + i) % FRAGMENT_FRAMES];
}

static void
drop_oldest(struct fragment_table *t, uint64_t *lost)
{
    *lost += forget(t, nth(t, 0));
    t->oldest = (t->oldest + 1) % FRAGMENT_FRAMES;
    t->n--;
}

/* Youngest first: pieces of one frame mostly follow each other. */
static struct partial *
find(struct fragment_table *t, uint64_t session, uint64_t first,
     long long int now_ms)
{
    for (unsigned int i = t->n; i-- > 0; ) {
        struct partial *p = nth(t, i);

        if (p->n && p->first == first && p->session == session
            && p->expires > now_ms) {
            return p;
        }
    }
    return NULL;
}

static struct partial *
add(struct fragment_table *t, const struct fragment *piece, size_t len,
    uint64_t first, unsigned int total, uint64_t *lost)
{
    struct partial *p;

    while (t->n && (t->n == FRAGMENT_FRAMES || !nth(t, 0)->n
                    || nth(t, 0)->expires <= piece->now_ms
                    || t->bytes + len > FRAGMENT_BYTES)) {
        drop_oldest(t, lost);
    }
    p = nth(t, t->n++);
    *p = (struct partial) {
        .session = piece->session,
        .first = first,
        .total = total,
        .expires = piece->now_ms + FRAGMENT_LIFE_MS,
    };
    return p;
}

/* Makes room for 'len' more bytes of 'p', at the cost of the oldest.  Returns
 * 'p', or NULL if that was one of them. */
static struct partial *
make_room(struct fragment_table *t, struct partial *p, size_t len,
          uint64_t *lost)
{
    while (p && t->bytes + len > FRAGMENT_BYTES) {
        if (nth(t, 0) == p) {
            p = NULL;
        }
        drop_oldest(t, lost);
    }
    return p;
}

enum fragment_verdict
fragment_table_add(struct fragment_table *t, const struct fragment *piece,
                   size_t *len, uint64_t *lost)
{
    const uint8_t *payload = piece->payload;
    unsigned int index, total;
    struct partial *p;
    size_t n;

    ovs_assert(!t->complete);
    if (piece->len <= FRAGMENT_HEADER_LEN) {
        return FRAGMENT_BAD;
    }
    index = payload[0];
    total = payload[1];
    n = piece->len - FRAGMENT_HEADER_LEN;
    if (total < 2 || total > FRAGMENT_MAX || index >= total
        || piece->sequence < index) {
        return FRAGMENT_BAD;
    }

    p = find(t, piece->session, piece->sequence - index, piece->now_ms);
    if (p && (p->total != total || p->pieces[index]
              || p->len + n > WIRE_MAX_FRAME_LEN)) {
        return FRAGMENT_BAD;
    }
    p = make_room(t, p, n, lost);
    if (!p) {
        p = add(t, piece, n, piece->sequence - index, total, lost);
    }
    if (p->ecn != ECN_CE) {
        p->ecn = piece->ecn;
    }
    p->pieces[index] = xmemdup(payload + FRAGMENT_HEADER_LEN, n);
    p->lens[index] = n;
    p->len += n;
    t->bytes += n;
    if (++p->n < total) {
        return FRAGMENT_KEPT;
    }
    t->complete = p;
    *len = p->len;
    return FRAGMENT_COMPLETE;
}

enum ecn
fragment_table_take(struct fragment_table *t, void *frame_)
{
    struct partial *p = t->complete;
    uint8_t *frame = frame_;
    enum ecn ecn = p->ecn;

    for (unsigned int i = 0; i < p->total; i++) {
        memcpy(frame, p->pieces[i], p->lens[i]);
        frame += p->lens[i];
    }
    forget(t, p);
    t->complete = NULL;
    return ecn;
}
