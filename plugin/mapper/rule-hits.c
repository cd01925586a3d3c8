/* SPDX-License-Identifier: Apache-2.0 */
/* How much each rule has decided. */

#include <config.h>

#include "mapper/rule-hits.h"

#include <stdlib.h>

#include "mapper/db.h"
#include "openvswitch/hmap.h"
#include "util.h"
#include "uuid.h"

enum { SWEEP_MIN = 1024 };

struct rule_hits {
    const struct db *db;
    struct uuid id;
    struct hmap sums;           /* struct entry. */
    size_t sweep_at;            /* So many sums. */
};

struct entry {
    struct hmap_node hmap_node; /* By row. */
    struct uuid row;
    struct rule_hits_sum sum;
};

struct rule_hits *
rule_hits_create(const struct db *db)
{
    struct rule_hits *hits = xmalloc(sizeof *hits);

    *hits = (struct rule_hits) { .db = db, .sweep_at = SWEEP_MIN };
    uuid_generate(&hits->id);
    hmap_init(&hits->sums);
    return hits;
}

const struct uuid *
rule_hits_id(const struct rule_hits *hits)
{
    return &hits->id;
}

void
rule_hits_destroy(struct rule_hits *hits)
{
    struct entry *entry;

    if (hits) {
        HMAP_FOR_EACH_POP (entry, hmap_node, &hits->sums) {
            free(entry);
        }
        hmap_destroy(&hits->sums);
        free(hits);
    }
}

static struct entry *
find(const struct rule_hits *hits, const struct uuid *row)
{
    struct entry *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, hmap_node, uuid_hash(row), &hits->sums) {
        if (uuid_equals(&entry->row, row)) {
            return entry;
        }
    }
    return NULL;
}

static void
sweep(struct rule_hits *hits)
{
    struct entry *entry;

    HMAP_FOR_EACH_SAFE (entry, hmap_node, &hits->sums) {
        if (!mdb_rule_get_for_uuid(hits->db->idl, &entry->row)) {
            hmap_remove(&hits->sums, &entry->hmap_node);
            free(entry);
        }
    }
    hits->sweep_at = MAX(2 * hmap_count(&hits->sums), SWEEP_MIN);
}

static void
add_up(uint64_t *sum, uint64_t n)
{
    *sum = n < INT64_MAX - *sum ? *sum + n : INT64_MAX;
}

void
rule_hits_add(struct rule_hits *hits, const struct uuid *row,
              const struct rule_hits_sum *more)
{
    struct entry *entry = find(hits, row);

    if (!entry) {
        if (hmap_count(&hits->sums) >= hits->sweep_at) {
            sweep(hits);
        }
        entry = xzalloc(sizeof *entry);
        entry->row = *row;
        hmap_insert(&hits->sums, &entry->hmap_node, uuid_hash(row));
    }
    add_up(&entry->sum.packets, more->packets);
    add_up(&entry->sum.bytes, more->bytes);
}

struct rule_hits_sum
rule_hits_get(const struct rule_hits *hits, const struct uuid *row)
{
    const struct entry *entry = find(hits, row);

    return entry ? entry->sum : (struct rule_hits_sum) { 0, 0 };
}
