/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of event streams who see the same. */

#include <config.h>

#include "mapper/audience.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "mapper/db.h"
#include "mapper/http.h"
#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(mapper_snapshot_rendered);

struct old_snapshot {
    struct ovs_list list_node;
    struct http_blob *blob;
};

void
audiences_init(struct audiences *audiences, const struct db *db)
{
    *audiences = (struct audiences) { .db = db };
    hmap_init(&audiences->all);
    ovs_list_init(&audiences->old);
}

static void
free_old(struct audiences *audiences, struct old_snapshot *old)
{
    ovs_list_remove(&old->list_node);
    audiences->old_bytes -= old->blob->size;
    http_blob_unref(old->blob);
    free(old);
}

/* All audiences must be gone. */
void
audiences_destroy(struct audiences *audiences)
{
    struct old_snapshot *old;

    LIST_FOR_EACH_SAFE (old, list_node, &audiences->old) {
        free_old(audiences, old);
    }
    hmap_destroy(&audiences->all);
}

static int
compare_strings(const void *a_, const void *b_)
{
    char *const *a = a_, *const *b = b_;

    return strcmp(*a, *b);
}

/* Fills 'nets', sorted, so that equal sets are equal lists. */
static void
reader_init(struct delta_reader *reader, const struct db *db, int64_t number)
{
    *reader = (struct delta_reader) { .is_operator = !number };
    if (!number || !db_node_is_approved(db_node(db, number))) {
        return;
    }
    struct mdb_member **members = db_members_of_node(db, number,
                                                     &reader->n_nets);
    reader->nets = xcalloc(reader->n_nets + 1, sizeof *reader->nets);
    for (size_t i = 0; i < reader->n_nets; i++) {
        reader->nets[i] = xstrdup(members[i]->net);
    }
    free(members);
    qsort(reader->nets, reader->n_nets, sizeof *reader->nets,
          compare_strings);
}

static void
reader_uninit(struct delta_reader *reader)
{
    for (size_t i = 0; i < reader->n_nets; i++) {
        free(reader->nets[i]);
    }
    free(reader->nets);
}

static uint32_t
reader_hash(const struct delta_reader *reader)
{
    uint32_t hash = reader->is_operator;

    for (size_t i = 0; i < reader->n_nets; i++) {
        hash = hash_string(reader->nets[i], hash);
    }
    return hash;
}

static bool
reader_equals(const struct delta_reader *a, const struct delta_reader *b)
{
    if (a->is_operator != b->is_operator || a->n_nets != b->n_nets) {
        return false;
    }
    for (size_t i = 0; i < a->n_nets; i++) {
        if (strcmp(a->nets[i], b->nets[i])) {
            return false;
        }
    }
    return true;
}

struct audience *
audience_find(struct audiences *audiences, int64_t number)
{
    struct audience *audience;
    struct delta_reader reader;

    reader_init(&reader, audiences->db, number);
    uint32_t hash = reader_hash(&reader);
    HMAP_FOR_EACH_WITH_HASH (audience, hmap_node, hash, &audiences->all) {
        if (reader_equals(&audience->reader, &reader)) {
            reader_uninit(&reader);
            audience->n_refs++;
            return audience;
        }
    }

    audience = xzalloc(sizeof *audience);
    audience->n_refs = 1;
    audience->reader = reader;
    ovs_list_init(&audience->readers);
    hmap_insert(&audiences->all, &audience->hmap_node, hash);
    return audience;
}

void
audience_forget(struct audiences *audiences, struct audience *audience)
{
    if (audience->snapshot) {
        struct old_snapshot *old = xmalloc(sizeof *old);

        old->blob = audience->snapshot;
        audience->snapshot = NULL;
        audiences->old_bytes += old->blob->size;
        ovs_list_push_back(&audiences->old, &old->list_node);
    }
}

void
audience_unref(struct audiences *audiences, struct audience *audience)
{
    if (audience && !--audience->n_refs) {
        audience_forget(audiences, audience);
        hmap_remove(&audiences->all, &audience->hmap_node);
        reader_uninit(&audience->reader);
        free(audience);
    }
}

/* Frees old snapshots that have been sent. */
static void
free_unused(struct audiences *audiences)
{
    struct old_snapshot *old;

    LIST_FOR_EACH_SAFE (old, list_node, &audiences->old) {
        if (old->blob->n_refs == 1) {
            free_old(audiences, old);
        }
    }
}

void
audiences_run(struct audiences *audiences)
{
    long long int now = time_msec();
    struct audience *audience;

    HMAP_FOR_EACH (audience, hmap_node, &audiences->all) {
        if (now >= audience->used + AUDIENCE_KEEP_MS) {
            audience_forget(audiences, audience);
        }
    }
    free_unused(audiences);
}

static struct http_blob *
render(const struct audiences *audiences, const struct delta_reader *reader,
       delta_connected_func *connected, const void *aux)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    COVERAGE_INC(mapper_snapshot_rendered);
    delta_render_snapshot_rest(audiences->db, reader, connected, aux, &s);
    size_t size = s.length;
    return http_blob_create(ds_steal_cstr(&s), size);
}

struct http_blob *
audience_snapshot(struct audiences *audiences, struct audience *audience,
                  int64_t number, delta_connected_func *connected,
                  const void *aux, long long int *later)
{
    const struct model_revision now = db_revision(audiences->db);
    long long int start = time_msec();

    if (!audience->reader.is_operator && !audience->reader.n_nets) {
        /* It sees itself, and nobody else sees the same. */
        const struct delta_reader alone = { .node = number };

        return render(audiences, &alone, connected, aux);
    }
    if (audience->snapshot
        && !model_revision_compare(audience->revision, now)) {
        audience->used = start;
        return http_blob_ref(audience->snapshot);
    }
    *later = audience->next_render;
    if (start < audience->next_render) {
        return NULL;
    }
    *later = LLONG_MAX;
    free_unused(audiences);
    if (audiences->old_bytes > AUDIENCE_SNAPSHOT_BYTES) {
        return NULL;
    }

    audience_forget(audiences, audience);
    audience->snapshot = render(audiences, &audience->reader, connected, aux);
    audience->revision = now;
    long long int end = time_msec();
    audience->used = end;
    audience->next_render = end + AUDIENCE_PAUSE * (end - start);
    return http_blob_ref(audience->snapshot);
}
