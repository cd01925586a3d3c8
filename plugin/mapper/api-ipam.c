/* SPDX-License-Identifier: Apache-2.0 */
/* The API: addresses, pools, reservations. */

#include <config.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/audit.h"
#include "mapper/db.h"
#include "mapper/ipam.h"
#include "packets.h"
#include "util.h"

enum {
    POOLS_MAX = 64,             /* In a vSubnet. */
    MAC_STRLEN = sizeof "00:00:00:00:00:00",
};

/* Addresses. */

void
api_addresses_get(struct api_call *call)
{
    static const char *const filters[] = {
        "address", "mac", "node", "origin", "reserved", NULL
    };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_address *row;
    struct api_list list;

    if (!net || !api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_address *from = mdb_address_index_init_row(db->address_by_ip);
    mdb_address_index_set_net(from, net->name);
    mdb_address_index_set_ip(from, list.after);
    MDB_ADDRESS_FOR_EACH_RANGE (row, from, NULL, db->address_by_ip) {
        if (!strcmp(row->ip, list.after)) {
            continue;
        }
        if (strcmp(row->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_address_json(db, row), "%s", row->ip);
    }
    mdb_address_index_destroy_row(from);
    api_list_end(&list);
}

/* Finds the range of NET in which both FIRST and LAST are addresses of hosts.
 * A vSubnet without a range of their family takes any: then *HAS_RANGE is
 * false. */
static bool
find_range(const struct mdb_net *net, const struct model_address *first,
           const struct model_address *last, bool *has_range)
{
    struct model_address *subnets;
    size_t n = db_parse_subnets(net->subnets, &subnets);
    bool found = false;

    *has_range = false;
    for (size_t i = 0; i < n; i++) {
        if (model_address_is_ipv4(&subnets[i])
            == model_address_is_ipv4(first)) {
            *has_range = true;
            found = found || (ipam_is_assignable(&subnets[i], first)
                              && ipam_is_assignable(&subnets[i], last));
        }
    }
    free(subnets);
    return found;
}

/* Pools. */

void
api_pools_get(struct api_call *call)
{
    static const char *const filters[] = { NULL };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_pool *row;
    struct api_list list;

    if (!net || !api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_pool *from = mdb_pool_index_init_row(db->pool_by_key);
    mdb_pool_index_set_net(from, net->name);
    mdb_pool_index_set_pool(from, list.after);
    MDB_POOL_FOR_EACH_RANGE (row, from, NULL, db->pool_by_key) {
        if (!strcmp(row->pool, list.after)) {
            continue;
        }
        if (strcmp(row->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_pool_json(db, row), "%s", row->pool);
    }
    mdb_pool_index_destroy_row(from);
    api_list_end(&list);
}

/* Reads the pool that the path names; false after answering 422. */
static bool
read_pool(struct api_call *call, struct ipam_pool *pool,
          char text[IPAM_POOL_STRLEN])
{
    char *error = ipam_pool_parse(call->args[1], pool);

    if (error) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 "pool", "pool: %s", error);
        free(error);
        return false;
    }
    ipam_pool_string(pool, text);
    return true;
}

/* Says, by answering, why NET can't have POOL. */
static bool
check_pool(struct api_call *call, const struct mdb_net *net,
           const struct ipam_pool *pool, const char *text)
{
    bool has_range;
    bool ok = false;
    size_t n;

    struct mdb_pool **rows = db_pools_of_net(call->api->db, net->name, &n);
    if (!find_range(net, &pool->first, &pool->last, &has_range)) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-address",
                 "pool", "%s is not of hosts' addresses in one range of "
                 "vSubnet %s", text, net->name);
    } else if (n >= POOLS_MAX) {
        api_fail(call, MHD_HTTP_CONFLICT, "too-many-pools", NULL,
                 "vSubnet %s has %d pools already", net->name, POOLS_MAX);
    } else {
        ok = true;
    }
    for (size_t i = 0; i < n && ok; i++) {
        struct ipam_pool other;
        char *error = ipam_pool_parse(rows[i]->pool, &other);

        if (!error && ipam_pools_overlap(&other, pool)) {
            api_fail(call, MHD_HTTP_CONFLICT, "pool-overlaps", "pool",
                     "%s overlaps with the pool %s", text, rows[i]->pool);
            ok = false;
        }
        free(error);
    }
    free(rows);
    return ok;
}

void
api_pool_put(struct api_call *call)
{
    const struct db *db = call->api->db;
    char text[IPAM_POOL_STRLEN];
    struct ipam_pool pool;
    struct model_reader r;

    model_reader_init(&r, call->body);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_net *net = api_net(call, call->args[0]);
    if (!net || !read_pool(call, &pool, text)) {
        return;
    }
    const struct mdb_pool *row = db_pool(db, net->name, text);
    if (!api_matches(call, row ? row->revision : 0)) {
        return;
    }
    if (row) {
        api_ok(call, MHD_HTTP_OK, db_pool_json(db, row));
    } else if (check_pool(call, net, &pool, text)) {
        struct mdb_pool *new = mdb_pool_insert(call->txn->idl_txn);

        mdb_pool_set_net(new, net->name);
        mdb_pool_set_pool(new, text);
        mdb_pool_set_revision(new, txn_touch(call->txn));
        audit(call, "pool-added", net->name, "%s", text);
        api_ok(call, MHD_HTTP_CREATED, db_pool_json(db, new));
    }
}

void
api_pool_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    char text[IPAM_POOL_STRLEN];
    struct ipam_pool pool;

    if (!net || !read_pool(call, &pool, text)) {
        return;
    }
    const struct mdb_pool *row = db_pool(call->api->db, net->name, text);
    if (!row) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-pool", NULL,
                 "vSubnet %s has no pool %s", net->name, text);
    } else if (api_matches(call, row->revision)) {
        audit(call, "pool-removed", net->name, "%s", text);
        mdb_pool_delete(row);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}

/* Reservations. */

struct reservation_input {
    char ip[MODEL_ADDRESS_STRLEN];
    struct model_address address;
    char mac[MAC_STRLEN];       /* Or "". */
    const char *note;           /* Or null. */
};

void
api_reservations_get(struct api_call *call)
{
    static const char *const filters[] = { "address", "mac", "note", NULL };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_reservation *row;
    struct api_list list;

    if (!net || !api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_reservation *from
        = mdb_reservation_index_init_row(db->reservation_by_ip);
    mdb_reservation_index_set_net(from, net->name);
    mdb_reservation_index_set_ip(from, list.after);
    MDB_RESERVATION_FOR_EACH_RANGE (row, from, NULL, db->reservation_by_ip) {
        if (!strcmp(row->ip, list.after)) {
            continue;
        }
        if (strcmp(row->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_reservation_json(db, row), "%s", row->ip);
    }
    mdb_reservation_index_destroy_row(from);
    api_list_end(&list);
}

/* Reads the address that the path names; false after answering 422. */
static bool
read_address(struct api_call *call, struct reservation_input *in)
{
    char *error = model_address_parse(call->args[1], &in->address);

    if (!error && (in->address.plen >= 0
                   || !ipam_is_unicast(&in->address))) {
        error = xstrdup("not the address of a host");
    }
    if (error) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 "address", "address: %s", error);
        free(error);
        return false;
    }
    model_address_string(&in->address, in->ip);
    return true;
}

static bool
read_reservation(struct api_call *call, struct reservation_input *in)
{
    struct model_reader r;
    struct eth_addr mac;

    memset(in, 0, sizeof *in);
    model_reader_init(&r, call->body);
    if (model_reader_mac(&r, "mac", MODEL_OPTIONAL, &mac)) {
        if (eth_addr_is_multicast(mac) || eth_addr_is_zero(mac)) {
            model_reader_fail(&r, "mac", xstrdup("not the address of a "
                                                 "host"));
        }
        snprintf(in->mac, sizeof in->mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
    }
    in->note = model_reader_string(&r, "note", MODEL_OPTIONAL);
    return api_finish_reader(call, &r);
}

/* Says, by answering, why IN can't be reserved in NET.  Stores who has it by
 * its own discovery and must give way, or null. */
static bool
check_reservation(struct api_call *call, const struct mdb_net *net,
                  const struct reservation_input *in,
                  const struct mdb_address **loser)
{
    const struct db *db = call->api->db;
    const struct mdb_address *row = db_address(db, net->name, in->ip);
    const struct mdb_binding *holder
        = row ? db_binding(db, net->name, row->mac) : NULL;
    bool has_range;

    *loser = NULL;
    if (!find_range(net, &in->address, &in->address, &has_range)
        && has_range) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-address",
                 "address", "%s is no host's address in the range of vSubnet "
                 "%s", in->ip, net->name);
        return false;
    }
    if (row && strcmp(row->mac, in->mac)) {
        if (holder && strcmp(holder->origin, "dynamic")) {
            const struct mdb_node *node = db_node(db, holder->node);

            api_fail(call, MHD_HTTP_CONFLICT, "address-in-use", "address",
                     "%s in vSubnet %s belongs to %s%s%s", in->ip, net->name,
                     row->mac, node ? " of node " : "",
                     node ? node->name : "");
            return false;
        }
        *loser = row;
    }
    return true;
}

static void
take_away(struct txn *txn, const struct mdb_address *row)
{
    const struct mdb_binding *loser = db_binding(txn->db, row->net, row->mac);

    if (loser) {
        mdb_binding_set_revision(loser, txn_touch(txn));
    }
    mdb_address_delete(row);
}

void
api_reservation_put(struct api_call *call)
{
    const struct db *db = call->api->db;
    const struct mdb_address *loser;
    struct reservation_input in;

    if (!read_reservation(call, &in)) {
        return;
    }
    const struct mdb_net *net = api_net(call, call->args[0]);
    if (!net || !read_address(call, &in)) {
        return;
    }
    const struct mdb_reservation *row = db_reservation(db, net->name, in.ip);
    if (!api_matches(call, row ? row->revision : 0)
        || !check_reservation(call, net, &in, &loser)) {
        return;
    }

    bool is_new = !row;
    if (loser) {
        take_away(call->txn, loser);
    }
    if (is_new) {
        row = mdb_reservation_insert(call->txn->idl_txn);
        mdb_reservation_set_net(row, net->name);
        mdb_reservation_set_ip(row, in.ip);
    }
    mdb_reservation_set_mac(row, in.mac);
    mdb_reservation_set_note(row, in.note ? in.note : "");
    mdb_reservation_set_revision(row, txn_touch(call->txn));
    audit(call, is_new ? "reservation-added" : "reservation-changed",
          net->name, "%s%s%s", in.ip, in.mac[0] ? " for " : "", in.mac);
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           db_reservation_json(db, row));
}

void
api_reservation_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    struct reservation_input in;

    if (!net || !read_address(call, &in)) {
        return;
    }
    const struct mdb_reservation *row = db_reservation(call->api->db,
                                                       net->name, in.ip);
    if (!row) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-reservation", NULL,
                 "%s is not reserved in vSubnet %s", in.ip, net->name);
    } else if (api_matches(call, row->revision)) {
        audit(call, "reservation-removed", net->name, "%s", in.ip);
        db_reservation_freed(call->api->db, row);
        mdb_reservation_delete(row);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}
