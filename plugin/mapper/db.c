/* SPDX-License-Identifier: Apache-2.0 */
/* The database's content: lookups by index. */

#include <config.h>

#include "mapper/db.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/ipam-hint.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

static void
set_probe_interval(struct db *db)
{
    ovsdb_idl_set_probe_interval(db->idl, (db->has_other_servers
                                           ? DB_PROBE_CLUSTER_MS
                                           : DB_PROBE_MS));
}

void
db_init(struct db *db, const char *remote)
{
    struct ovsdb_idl *idl = ovsdb_idl_create(remote, &mdb_idl_class, true,
                                             true);

    memset(db, 0, sizeof *db);
    db->idl = idl;
    db->hints = ipam_hints_create();
    ovsdb_idl_set_leader_only(idl, true);
    db->remote = xstrdup(remote);
    db->lost = db->regained = LLONG_MAX;
    db->has_other_servers = strchr(remote, ',') != NULL;
    set_probe_interval(db);
    ovsdb_idl_track_add_all(idl);

#define INDEX1(FIELD, COLUMN) \
    db->FIELD = ovsdb_idl_index_create1(idl, &mdb_##COLUMN)
#define INDEX2(FIELD, COLUMN1, COLUMN2) \
    db->FIELD = ovsdb_idl_index_create2(idl, &mdb_##COLUMN1, &mdb_##COLUMN2)

    INDEX1(instance_by_id, instance_col_instance);
    INDEX1(operator_by_id, operator_col_operator_id);
    INDEX1(operator_by_name, operator_col_name);
    INDEX1(operator_by_certificate, operator_col_certificate);
    INDEX1(token_by_id, token_col_token_id);
    INDEX1(node_by_id, node_col_node_id);
    INDEX1(node_by_number, node_col_number);
    INDEX1(node_by_name, node_col_name);
    INDEX1(node_by_origin, node_col_origin);
    INDEX1(node_by_formerly, node_col_formerly);
    INDEX1(audit_by_sequence, audit_col_sequence);
    INDEX1(net_by_name, net_col_name);
    INDEX1(net_by_vni, net_col_vni);
    INDEX2(member_by_key, member_col_net, member_col_node);
    INDEX1(member_by_net, member_col_net);
    INDEX1(member_by_node, member_col_node);
    INDEX2(binding_by_key, binding_col_net, binding_col_mac);
    INDEX1(binding_by_net, binding_col_net);
    INDEX1(binding_by_node, binding_col_node);
    INDEX2(rule_by_key, rule_col_net, rule_col_name);
    INDEX1(rule_by_net, rule_col_net);
    INDEX2(address_by_ip, address_col_net, address_col_ip);
    INDEX2(address_by_mac, address_col_net, address_col_mac);
    INDEX1(key_by_net, key_col_net);
    INDEX1(key_by_node, key_col_node);
    INDEX1(key_by_spi, key_col_spi);
    INDEX2(key_by_net_spi, key_col_net, key_col_spi);
    INDEX2(pool_by_key, pool_col_net, pool_col_pool);
    INDEX1(pool_by_net, pool_col_net);
    INDEX2(reservation_by_ip, reservation_col_net, reservation_col_ip);
    INDEX1(reservation_by_net, reservation_col_net);
    INDEX2(reservation_by_mac, reservation_col_net, reservation_col_mac);
    INDEX1(once_by_key, once_col_key_hash);
    INDEX1(once_by_time, once_col_time);

#undef INDEX1
#undef INDEX2
}

void
db_destroy(struct db *db)
{
    ovsdb_idl_destroy(db->idl);
    db->idl = NULL;
    free(db->remote);
    db->remote = NULL;
    ipam_hints_destroy(db->hints);
    db->hints = NULL;
}

static void
freed(const struct db *db, const char *net, const char *ip)
{
    struct model_address address;
    char *error = model_address_parse(ip, &address);

    if (!error) {
        ipam_hints_freed(db->hints, net, &address);
    }
    free(error);
}

void
db_address_freed(const struct db *db, const struct mdb_address *row)
{
    freed(db, row->net, row->ip);
}

void
db_reservation_freed(const struct db *db, const struct mdb_reservation *row)
{
    freed(db, row->net, row->ip);
}

void
db_look_for_freed(const struct db *db)
{
    const struct mdb_reservation *reservation;
    const struct mdb_address *address;

    MDB_ADDRESS_FOR_EACH_TRACKED (address, db->idl) {
        if (mdb_address_is_deleted(address)) {
            db_address_freed(db, address);
        }
    }
    MDB_RESERVATION_FOR_EACH_TRACKED (reservation, db->idl) {
        if (mdb_reservation_is_deleted(reservation)) {
            db_reservation_freed(db, reservation);
        }
    }
}

/* The same servers in another order: the IDL then asks all of them at once. */
static void
look_for_other_server(struct db *db)
{
    char *comma = strchr(db->remote, ',');
    char *rotated = xasprintf("%s,%.*s", comma + 1,
                              (int) (comma - db->remote), db->remote);

    free(db->remote);
    db->remote = rotated;
    ovsdb_idl_set_remote(db->idl, rotated, true);
    set_probe_interval(db);
}

void
db_run(struct db *db)
{
    long long int now = time_msec();

    ovsdb_idl_run(db->idl);
    if (!db->has_other_servers || ovsdb_idl_is_connected(db->idl)) {
        db->regained = MIN(db->regained, now);
        db->next_look = now + DB_LOOK_MS;
        if (now - db->regained >= DB_LOOK_MS) {
            db->lost = LLONG_MAX;
        }
        return;
    }
    db->regained = LLONG_MAX;
    if (db->lost == LLONG_MAX) {
        db->lost = now;
        db->next_look = now + DB_LOOK_MS;
    } else if (now >= db->next_look && now - db->lost < DB_LOOK_MAX_MS) {
        db->next_look = now + DB_LOOK_MS;
        look_for_other_server(db);
    }
}

void
db_wait(const struct db *db)
{
    ovsdb_idl_wait(db->idl);
    if (db->lost != LLONG_MAX
        && time_msec() - db->lost < DB_LOOK_MAX_MS) {
        poll_timer_wait_until(db->next_look);
    }
}

const struct mdb_service *
db_service(const struct db *db)
{
    return mdb_service_first(db->idl);
}

struct model_revision
db_row_revision(const struct db *db, int64_t number)
{
    const struct mdb_service *service = db_service(db);

    return (struct model_revision) {
        .generation = service ? service->generation : 0,
        .number = number,
    };
}

struct model_revision
db_revision(const struct db *db)
{
    const struct mdb_service *service = db_service(db);

    return db_row_revision(db, service ? service->number : 0);
}

/* Defines a function body that finds the row of TABLE in INDEX for which the
 * setters in ... hold. */
#define FIND(TABLE, INDEX, ...)                                             \
    do {                                                                    \
        struct mdb_##TABLE *key = mdb_##TABLE##_index_init_row(db->INDEX);  \
        __VA_ARGS__;                                                        \
        struct mdb_##TABLE *found = mdb_##TABLE##_index_find(db->INDEX,     \
                                                             key);          \
        mdb_##TABLE##_index_destroy_row(key);                               \
        return found;                                                       \
    } while (0)

const struct mdb_instance *
db_instance(const struct db *db, const struct uuid *id)
{
    FIND(instance, instance_by_id,
         mdb_instance_index_set_instance(key, *id));
}

const struct mdb_operator *
db_user(const struct db *db, const char *id)
{
    FIND(operator, operator_by_id,
         mdb_operator_index_set_operator_id(key, id));
}

const struct mdb_operator *
db_user_by_name(const struct db *db, const char *name)
{
    FIND(operator, operator_by_name,
         mdb_operator_index_set_name(key, name));
}

const struct mdb_operator *
db_user_by_certificate(const struct db *db, const char *fingerprint)
{
    FIND(operator, operator_by_certificate,
         mdb_operator_index_set_certificate(key, fingerprint));
}

const char *
db_user_name(const struct mdb_operator *user)
{
    return user->name[0] ? user->name : user->operator_id;
}

const char *
db_user_role(const struct mdb_operator *user)
{
    return user->role[0] ? user->role : "operator";
}

const struct mdb_token *
db_token(const struct db *db, const char *id)
{
    FIND(token, token_by_id, mdb_token_index_set_token_id(key, id));
}

const struct mdb_node *
db_node(const struct db *db, int64_t number)
{
    FIND(node, node_by_number, mdb_node_index_set_number(key, number));
}

const struct mdb_node *
db_node_by_id(const struct db *db, const char *uuid)
{
    FIND(node, node_by_id, mdb_node_index_set_node_id(key, uuid));
}

const struct mdb_node *
db_node_by_formerly(const struct db *db, const char *uuid)
{
    FIND(node, node_by_formerly, mdb_node_index_set_formerly(key, uuid));
}

const struct mdb_audit *
db_audit(const struct db *db, int64_t sequence)
{
    FIND(audit, audit_by_sequence,
         mdb_audit_index_set_sequence(key, sequence));
}

const struct mdb_net *
db_net(const struct db *db, const char *name)
{
    FIND(net, net_by_name, mdb_net_index_set_name(key, name));
}

const struct mdb_net *
db_net_by_vni(const struct db *db, int64_t vni)
{
    FIND(net, net_by_vni, mdb_net_index_set_vni(key, vni));
}

const struct mdb_member *
db_member(const struct db *db, const char *net, int64_t node)
{
    FIND(member, member_by_key,
         mdb_member_index_set_net(key, net);
         mdb_member_index_set_node(key, node));
}

const struct mdb_binding *
db_binding(const struct db *db, const char *net, const char *mac)
{
    FIND(binding, binding_by_key,
         mdb_binding_index_set_net(key, net);
         mdb_binding_index_set_mac(key, mac));
}

const struct mdb_rule *
db_rule(const struct db *db, const char *net, const char *name)
{
    FIND(rule, rule_by_key,
         mdb_rule_index_set_net(key, net);
         mdb_rule_index_set_name(key, name));
}

const struct mdb_address *
db_address(const struct db *db, const char *net, const char *ip)
{
    FIND(address, address_by_ip,
         mdb_address_index_set_net(key, net);
         mdb_address_index_set_ip(key, ip));
}

const struct mdb_key *
db_key(const struct db *db, int64_t spi)
{
    FIND(key, key_by_spi, mdb_key_index_set_spi(key, spi));
}

const struct mdb_pool *
db_pool(const struct db *db, const char *net, const char *pool)
{
    FIND(pool, pool_by_key,
         mdb_pool_index_set_net(key, net);
         mdb_pool_index_set_pool(key, pool));
}

const struct mdb_reservation *
db_reservation(const struct db *db, const char *net, const char *ip)
{
    FIND(reservation, reservation_by_ip,
         mdb_reservation_index_set_net(key, net);
         mdb_reservation_index_set_ip(key, ip));
}

const struct mdb_once *
db_once(const struct db *db, const char *key_hash)
{
    FIND(once, once_by_key, mdb_once_index_set_key_hash(key, key_hash));
}

bool
db_node_is_approved(const struct mdb_node *node)
{
    return node && !strcmp(node->state, "approved");
}

bool
db_member_is_active(const struct db *db, const char *net, int64_t node)
{
    return (db_member(db, net, node)
            && db_node_is_approved(db_node(db, node)));
}

/* Defines a function body that gathers all rows of TABLE in INDEX for which
 * the setters in ... hold. */
#define GATHER(TABLE, INDEX, ...)                                           \
    do {                                                                    \
        struct mdb_##TABLE *key = mdb_##TABLE##_index_init_row(db->INDEX);  \
        struct mdb_##TABLE **rows = NULL;                                   \
        struct mdb_##TABLE *row;                                            \
        size_t allocated = 0;                                               \
                                                                            \
        *n = 0;                                                             \
        __VA_ARGS__;                                                        \
        MDB_FOR_EACH_EQUAL (TABLE, row, key, db->INDEX) {                   \
            if (*n >= allocated) {                                          \
                rows = x2nrealloc(rows, &allocated, sizeof *rows);          \
            }                                                               \
            rows[(*n)++] = row;                                             \
        }                                                                   \
        mdb_##TABLE##_index_destroy_row(key);                               \
        return rows;                                                        \
    } while (0)

/* As the generated MDB_*_FOR_EACH_EQUAL, with the table as an argument. */
#define MDB_FOR_EACH_EQUAL(TABLE, ROW, KEY, INDEX)                          \
    for (struct ovsdb_idl_cursor cursor_                                    \
             = mdb_##TABLE##_cursor_first_eq(INDEX, KEY);                   \
         (ROW = mdb_##TABLE##_cursor_data(&cursor_)) != NULL;               \
         ovsdb_idl_cursor_next_eq(&cursor_))

struct mdb_node **
db_nodes_named(const struct db *db, const char *name, size_t *n)
{
    GATHER(node, node_by_name, mdb_node_index_set_name(key, name));
}

struct mdb_node **
db_clones_of(const struct db *db, const char *uuid, size_t *n)
{
    GATHER(node, node_by_origin, mdb_node_index_set_origin(key, uuid));
}

struct mdb_member **
db_members_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(member, member_by_net, mdb_member_index_set_net(key, net));
}

struct mdb_member **
db_members_of_node(const struct db *db, int64_t node, size_t *n)
{
    GATHER(member, member_by_node, mdb_member_index_set_node(key, node));
}

struct mdb_binding **
db_bindings_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(binding, binding_by_net, mdb_binding_index_set_net(key, net));
}

struct mdb_binding **
db_bindings_of_node(const struct db *db, int64_t node, size_t *n)
{
    GATHER(binding, binding_by_node, mdb_binding_index_set_node(key, node));
}

struct mdb_rule **
db_rules_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(rule, rule_by_net, mdb_rule_index_set_net(key, net));
}

struct mdb_key **
db_keys_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(key, key_by_net, mdb_key_index_set_net(key, net));
}

struct mdb_key **
db_keys_of_node(const struct db *db, int64_t node, size_t *n)
{
    GATHER(key, key_by_node, mdb_key_index_set_node(key, node));
}

struct mdb_pool **
db_pools_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(pool, pool_by_net, mdb_pool_index_set_net(key, net));
}

struct mdb_reservation **
db_reservations_of_net(const struct db *db, const char *net, size_t *n)
{
    GATHER(reservation, reservation_by_net,
           mdb_reservation_index_set_net(key, net));
}

struct mdb_reservation **
db_reservations_of(const struct db *db, const char *net, const char *mac,
                   size_t *n)
{
    GATHER(reservation, reservation_by_mac,
           mdb_reservation_index_set_net(key, net);
           mdb_reservation_index_set_mac(key, mac));
}

struct mdb_address **
db_addresses_of(const struct db *db, const char *net, const char *mac,
                size_t *n)
{
    GATHER(address, address_by_mac,
           mdb_address_index_set_net(key, net);
           mdb_address_index_set_mac(key, mac));
}
