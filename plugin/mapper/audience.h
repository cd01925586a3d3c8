/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of event streams who see the same. */

#ifndef MAPPER_AUDIENCE_H
#define MAPPER_AUDIENCE_H 1

/* Nodes that are active members of the same vSubnets see the same mapping,
 * except for what is said of themselves.  Together they are an audience, for
 * which a change is looked at and rendered once, and a snapshot once for each
 * revision, however many they are.  Operators are an audience too.
 *
 * A snapshot can be large, and each revision has another.  So the next one is
 * rendered for an audience only after a pause that is a multiple of what the
 * last one took (those who come meanwhile get the same bytes), and while more
 * than AUDIENCE_SNAPSHOT_BYTES of older ones still wait to be sent none is
 * rendered at all. */

#include <stdbool.h>
#include <stdint.h>

#include "mapper/delta.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

struct db;
struct http_blob;

enum {
    AUDIENCE_SNAPSHOT_BYTES = 64 * 1024 * 1024,
    AUDIENCE_PAUSE = 3,         /* Times what rendering took. */
    AUDIENCE_KEEP_MS = 10000,   /* Keep one that nobody asks for. */
};

struct audience {
    struct hmap_node hmap_node; /* In audiences->all. */
    struct ovs_list readers;    /* The owner's. */
    unsigned int n_refs;
    struct delta_reader reader; /* With 'node' 0. */

    struct http_blob *snapshot; /* Rest of the last one, or null. */
    struct model_revision revision;     /* It is of. */
    long long int next_render;
    long long int used;         /* When somebody asked for 'snapshot'. */
};

struct audiences {
    const struct db *db;
    struct hmap all;
    struct ovs_list old;        /* Snapshots that may still be in use. */
    size_t old_bytes;
};

void audiences_init(struct audiences *, const struct db *);
void audiences_destroy(struct audiences *);

/* Returns the audience that node NUMBER (0: an operator) belongs to now, with
 * a reference. */
struct audience *audience_find(struct audiences *, int64_t number);
void audience_unref(struct audiences *, struct audience *);

/* Returns what a snapshot for node NUMBER, of AUDIENCE, has after its head
 * (see delta.h), with a reference; null if that must wait until *LATER, or for
 * older ones to be sent (then *LATER is LLONG_MAX). */
struct http_blob *audience_snapshot(struct audiences *, struct audience *,
                                    int64_t number, delta_connected_func *,
                                    const void *aux, long long int *later);

/* To be called now and then: forgets snapshots that nobody asks for. */
void audiences_run(struct audiences *);

/* Who is connected changes without a new revision: forgets what operators
 * would be told. */
void audience_forget(struct audiences *, struct audience *);

#endif /* mapper/audience.h */
