/* SPDX-License-Identifier: Apache-2.0 */
/* Who has a new key in force already? */

#include <config.h>

#include "mapper/confirm.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/peers.h"
#include "mapper/txn.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

COVERAGE_DEFINE(mapper_key_confirmed);
COVERAGE_DEFINE(mapper_key_forgotten);

/* Another mapper that has to say that it waits for nobody. */
struct mapper {
    struct uuid id;
    int64_t starts;
};

/* One key that is waited for. */
struct key {
    struct ovs_list list_node;
    struct hmap_node by_owner;
    struct model_revision revision;
    long long int deadline;
    int64_t owner;
    int64_t spi;
    bool told;
    struct mapper *mappers;     /* That were there when it came. */
    size_t n_mappers;
    size_t i, n;                /* Waits for members[i]; for none if i == n. */
    uint32_t members[];
};

/* What is known of a node that has a stream, or had one a while ago. */
struct reader {
    struct hmap_node hmap_node;
    struct ovs_list gone_node;  /* In 'gone', or empty: it has a stream. */
    int64_t number;
    struct model_revision revision; /* That it has in force; zero: none. */
    long long int away_at;      /* If it is gone. */
};

struct confirm {
    const struct db *db;
    struct uuid self;
    struct ovs_list keys;       /* Oldest first. */
    struct hmap by_owner;
    size_t n_members;           /* Of all keys. */
    struct hmap readers;
    struct ovs_list gone;       /* "struct reader"s, by 'away_at'. */
    long long int away_at;      /* Of all who have not been seen so far; 0: in
                                 * the past. */
    bool changed;               /* Something may be confirmed now. */
    bool waits_for_mappers;
    bool is_to_write;           /* See confirm_write(). */
};

struct confirm *
confirm_create(const struct db *db, const struct uuid *self)
{
    struct confirm *confirm = xzalloc(sizeof *confirm);

    confirm->db = db;
    confirm->self = *self;
    ovs_list_init(&confirm->keys);
    hmap_init(&confirm->by_owner);
    hmap_init(&confirm->readers);
    ovs_list_init(&confirm->gone);
    confirm->away_at = time_msec() + CONFIRM_AWAY_MS;
    return confirm;
}

static struct key *
oldest(const struct confirm *confirm)
{
    return (ovs_list_is_empty(&confirm->keys) ? NULL
            : CONTAINER_OF(ovs_list_front(&confirm->keys), struct key,
                           list_node));
}

static void
forget(struct confirm *confirm, struct key *key)
{
    if (!key->told) {
        COVERAGE_INC(mapper_key_forgotten);
    }
    ovs_list_remove(&key->list_node);
    hmap_remove(&confirm->by_owner, &key->by_owner);
    confirm->n_members -= key->n;
    free(key->mappers);
    free(key);
}

static void
forget_reader(struct confirm *confirm, struct reader *reader)
{
    hmap_remove(&confirm->readers, &reader->hmap_node);
    ovs_list_remove(&reader->gone_node);
    free(reader);
}

void
confirm_destroy(struct confirm *confirm)
{
    struct reader *reader;
    struct key *key;

    if (!confirm) {
        return;
    }
    while ((key = oldest(confirm)) != NULL) {
        forget(confirm, key);
    }
    HMAP_FOR_EACH_SAFE (reader, hmap_node, &confirm->readers) {
        forget_reader(confirm, reader);
    }
    hmap_destroy(&confirm->readers);
    hmap_destroy(&confirm->by_owner);
    free(confirm);
}

static void
add_mappers(const struct confirm *confirm, struct key *key)
{
    const struct mdb_instance *row;
    size_t allocated = 0;

    MDB_INSTANCE_FOR_EACH (row, confirm->db->idl) {
        if (peers_is_other(row, &confirm->self)) {
            if (key->n_mappers >= allocated) {
                key->mappers = x2nrealloc(key->mappers, &allocated,
                                          sizeof *key->mappers);
            }
            key->mappers[key->n_mappers++] = (struct mapper) {
                .id = row->instance,
                .starts = row->starts,
            };
        }
    }
}

void
confirm_add(struct confirm *confirm, const struct mdb_key *row)
{
    size_t n_members;
    struct key *key;

    struct mdb_member **members = db_members_of_net(confirm->db, row->net,
                                                    &n_members);
    key = xzalloc(sizeof *key + n_members * sizeof *key->members);
    key->revision = db_row_revision(confirm->db, row->revision);
    key->deadline = time_msec() + CONFIRM_MS;
    key->owner = row->node;
    key->spi = row->spi;
    for (size_t i = 0; i < n_members; i++) {
        if (members[i]->node != row->node) {
            key->members[key->n++] = members[i]->node;
        }
    }
    free(members);
    add_mappers(confirm, key);

    ovs_list_push_back(&confirm->keys, &key->list_node);
    hmap_insert(&confirm->by_owner, &key->by_owner, hash_uint64(key->owner));
    confirm->n_members += key->n;
    confirm->changed = true;
    while (hmap_count(&confirm->by_owner) > CONFIRM_KEYS_MAX
           || confirm->n_members > CONFIRM_MEMBERS_MAX) {
        forget(confirm, oldest(confirm));
    }
}

/* What the nodes say. */

static struct reader *
find_reader(const struct confirm *confirm, int64_t number)
{
    struct reader *reader;

    HMAP_FOR_EACH_WITH_HASH (reader, hmap_node, hash_uint64(number),
                             &confirm->readers) {
        if (reader->number == number) {
            return reader;
        }
    }
    return NULL;
}

static struct reader *
get_reader(struct confirm *confirm, int64_t number)
{
    struct reader *reader = find_reader(confirm, number);

    if (!reader) {
        reader = xzalloc(sizeof *reader);
        reader->number = number;
        ovs_list_init(&reader->gone_node);
        hmap_insert(&confirm->readers, &reader->hmap_node,
                    hash_uint64(number));
    }
    return reader;
}

void
confirm_loaded(struct confirm *confirm, int64_t number,
               struct model_revision revision)
{
    struct reader *reader = get_reader(confirm, number);

    if (model_revision_compare(revision, reader->revision) > 0) {
        reader->revision = revision;
        confirm->changed = true;
    }
}

void
confirm_opened(struct confirm *confirm, int64_t number)
{
    struct reader *reader = get_reader(confirm, number);
    struct key *key;

    ovs_list_remove(&reader->gone_node);
    ovs_list_init(&reader->gone_node);
    HMAP_FOR_EACH_WITH_HASH (key, by_owner, hash_uint64(number),
                             &confirm->by_owner) {
        if (key->owner == number) {
            key->told = false;
            confirm->changed = true;
        }
    }
}

void
confirm_closed(struct confirm *confirm, int64_t number)
{
    struct reader *reader = get_reader(confirm, number);

    reader->revision = (struct model_revision) { 0, 0 };
    reader->away_at = time_msec() + CONFIRM_AWAY_MS;
    ovs_list_remove(&reader->gone_node);
    ovs_list_push_back(&confirm->gone, &reader->gone_node);
    confirm->changed = true;
}

void
confirm_changed(struct confirm *confirm)
{
    confirm->changed = true;
}

void
confirm_mapper_gone(struct confirm *confirm)
{
    struct key *key;

    confirm->away_at = time_msec() + CONFIRM_AWAY_MS;
    LIST_FOR_EACH (key, list_node, &confirm->keys) {
        if (!key->told) {
            key->i = 0;
        }
    }
    confirm->changed = true;
}

/* The verdict. */

static bool
must_wait_for(const struct confirm *confirm, const struct key *key,
              const struct mdb_key *row, int64_t member)
{
    const struct reader *reader = find_reader(confirm, member);

    if (reader
        && model_revision_compare(reader->revision, key->revision) >= 0) {
        return false;
    }
    return ((reader || confirm->away_at)
            && db_member_is_active(confirm->db, row->net, member));
}

static bool
is_confirmed(const struct confirm *confirm, struct key *key,
             const struct mdb_key *row)
{
    while (key->i < key->n
           && !must_wait_for(confirm, key, row, key->members[key->i])) {
        key->i++;
    }
    return key->i == key->n;
}

static bool
has_said(const struct mdb_key *row, const struct uuid *mapper)
{
    for (size_t i = 0; i < row->n_loaded_at; i++) {
        if (uuid_equals(&row->loaded_at[i], mapper)) {
            return true;
        }
    }
    return false;
}

static bool
is_confirmed_elsewhere(const struct confirm *confirm, const struct key *key,
                       const struct mdb_key *row)
{
    for (size_t i = 0; i < key->n_mappers; i++) {
        const struct mapper *mapper = &key->mappers[i];
        const struct mdb_instance *instance = db_instance(confirm->db,
                                                          &mapper->id);

        if (instance && !instance->away
            && instance->starts == mapper->starts
            && !has_said(row, &mapper->id)) {
            return false;
        }
    }
    return true;
}

/* What this mapper knows of KEY is to be in its row: its owner is elsewhere,
 * or nowhere. */
static bool
is_to_write(const struct confirm *confirm, const struct events *events,
            const struct key *key, const struct mdb_key *row)
{
    return (key->i == key->n
            && !has_said(row, &confirm->self)
            && !events_is_connected(events, key->owner));
}

bool
confirm_write(const struct confirm *confirm, const struct events *events,
              struct txn *txn)
{
    const struct key *key;

    if (!confirm->is_to_write || !txn) {
        return confirm->is_to_write;
    }
    LIST_FOR_EACH (key, list_node, &confirm->keys) {
        const struct mdb_key *row = db_key(confirm->db, key->spi);

        if (row && is_to_write(confirm, events, key, row)) {
            mdb_key_update_loaded_at_addvalue(row, confirm->self);
            txn_note(txn);
        }
    }
    return true;
}

bool
confirm_waits_for_mappers(const struct confirm *confirm)
{
    return confirm->waits_for_mappers;
}

/* Tells OWNER of all its keys that are confirmed. */
static void
tell(struct confirm *confirm, struct events *events, int64_t owner)
{
    int64_t *spis = NULL;
    size_t n = 0, allocated = 0;
    struct key *key;

    HMAP_FOR_EACH_WITH_HASH (key, by_owner, hash_uint64(owner),
                             &confirm->by_owner) {
        const struct mdb_key *row = db_key(confirm->db, key->spi);

        if (key->owner == owner && !key->told && key->i == key->n
            && row && is_confirmed_elsewhere(confirm, key, row)) {
            if (n >= allocated) {
                spis = x2nrealloc(spis, &allocated, sizeof *spis);
            }
            spis[n++] = key->spi;
            key->told = true;
        }
    }
    COVERAGE_ADD(mapper_key_confirmed, n);
    events_send_loaded(events, owner, spis, n);
    free(spis);
}

static struct reader *
first_gone(const struct confirm *confirm)
{
    return (ovs_list_is_empty(&confirm->gone) ? NULL
            : CONTAINER_OF(ovs_list_front(&confirm->gone), struct reader,
                           gone_node));
}

/* Those who have been gone for long are away. */
static void
run_gone(struct confirm *confirm)
{
    long long int now = time_msec();
    struct reader *reader;

    while ((reader = first_gone(confirm)) != NULL && now >= reader->away_at) {
        forget_reader(confirm, reader);
        confirm->changed = true;
    }
    if (confirm->away_at && now >= confirm->away_at) {
        confirm->away_at = 0;
        confirm->changed = true;
    }
}

static void
run_key(struct confirm *confirm, struct events *events, struct key *key,
        const struct mdb_key *row)
{
    if (!is_confirmed(confirm, key, row)) {
        return;
    }
    if (!events_is_connected(events, key->owner)) {
        confirm->is_to_write |= is_to_write(confirm, events, key, row);
    } else if (!key->told) {
        if (is_confirmed_elsewhere(confirm, key, row)) {
            tell(confirm, events, key->owner);
        } else {
            confirm->waits_for_mappers = true;
        }
    }
}

void
confirm_run(struct confirm *confirm, struct events *events)
{
    struct key *key;

    run_gone(confirm);
    while ((key = oldest(confirm)) != NULL && time_msec() >= key->deadline) {
        forget(confirm, key);
    }
    if (!confirm->changed) {
        return;
    }
    confirm->changed = false;
    confirm->waits_for_mappers = confirm->is_to_write = false;

    LIST_FOR_EACH_SAFE (key, list_node, &confirm->keys) {
        const struct mdb_key *row = db_key(confirm->db, key->spi);

        if (row) {
            run_key(confirm, events, key, row);
        } else {
            forget(confirm, key);
        }
    }
}

void
confirm_wait(const struct confirm *confirm)
{
    const struct reader *reader = first_gone(confirm);
    const struct key *key = oldest(confirm);

    if (confirm->changed) {
        poll_immediate_wake();
    }
    if (key) {
        poll_timer_wait_until(key->deadline);
    }
    if (reader) {
        poll_timer_wait_until(reader->away_at);
    }
    if (confirm->away_at) {
        poll_timer_wait_until(confirm->away_at);
    }
}
