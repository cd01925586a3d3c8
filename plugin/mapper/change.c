/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the database that several requests make. */

#include <config.h>

#include "mapper/change.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "mapper/ipam.h"
#include "mapper/ipam-hint.h"
#include "mapper/txn.h"
#include "packets.h"
#include "util.h"

enum { MAC_STRLEN = sizeof "00:00:00:00:00:00" };

static bool OVS_PRINTF_FORMAT(3, 4)
refuse(struct change_refusal *refusal, const char *code, const char *format,
       ...)
{
    va_list args;

    va_start(args, format);
    refusal->code = code;
    refusal->detail = xvasprintf(format, args);
    va_end(args);
    return false;
}

static void
host_mac(const struct mdb_node *node, char mac[MAC_STRLEN])
{
    struct eth_addr ea = model_host_mac(node->number);

    snprintf(mac, MAC_STRLEN, ETH_ADDR_FMT, ETH_ADDR_ARGS(ea));
}

static bool
origin_is_dynamic(const struct mdb_binding *binding)
{
    return !strcmp(binding->origin, "dynamic");
}

/* Addresses. */

static void
address_string(const struct model_address *address,
               char buf[MODEL_ADDRESS_STRLEN])
{
    struct model_address bare = *address;

    bare.plen = -1;
    model_address_string(&bare, buf);
}

struct taken_aux {
    const struct txn *txn;
    const struct mdb_net *net;
    const char *mac;            /* Who asks. */
    struct model_address gateway;   /* That guests are told of, if any. */
    bool has_gateway;
};

/* Returns the reservation of IP for somebody else than MAC, if it has one. */
static const struct mdb_reservation *
reserved_for_another(const struct db *db, const char *net, const char *ip,
                     const char *mac)
{
    const struct mdb_reservation *row = db_reservation(db, net, ip);

    return row && strcmp(row->mac, mac) ? row : NULL;
}

static const struct mdb_address *
find_address(const struct model_address *address, const struct taken_aux *aux)
{
    char ip[MODEL_ADDRESS_STRLEN];

    address_string(address, ip);
    return db_address(aux->txn->db, aux->net->name, ip);
}

static bool
address_is_reserved(const struct model_address *address,
                    const struct taken_aux *aux)
{
    char ip[MODEL_ADDRESS_STRLEN];

    address_string(address, ip);
    return reserved_for_another(aux->txn->db, aux->net->name, ip,
                                aux->mac) != NULL;
}

/* By name anybody may have it; it is nobody's by chance. */
static bool
is_gateway(const struct model_address *address, const struct taken_aux *aux)
{
    return (aux->has_gateway
            && model_address_same_ip(address, &aux->gateway));
}

static bool
address_is_taken(const struct model_address *address, const void *aux)
{
    return (find_address(address, aux) || address_is_reserved(address, aux)
            || is_gateway(address, aux));
}

/* What a node has learnt keeps no address from being assigned: otherwise one
 * node could use up a range. */
static bool
address_is_assigned(const struct model_address *address, const void *aux_)
{
    const struct taken_aux *aux = aux_;
    const struct mdb_address *row = find_address(address, aux);
    const struct mdb_binding *holder
        = row ? db_binding(aux->txn->db, row->net, row->mac) : NULL;

    return ((holder && !origin_is_dynamic(holder))
            || address_is_reserved(address, aux)
            || is_gateway(address, aux));
}

/* Finds the address that MAC has, in NET, of SUBNET. */
static bool
present_address(const struct txn *txn, const char *net, const char *mac,
                const struct model_address *subnet,
                struct model_address *address)
{
    bool found = false;
    size_t n;

    struct mdb_address **rows = db_addresses_of(txn->db, net, mac, &n);
    for (size_t i = 0; i < n && !found; i++) {
        char *error = model_address_parse(rows[i]->ip, address);

        found = !error && ipam_is_assignable(subnet, address);
        free(error);
    }
    free(rows);
    return found;
}

/* Finds the address that is reserved for AUX->mac in SUBNET and that nobody
 * has been assigned. */
static bool
reserved_address(const struct taken_aux *aux,
                 const struct model_address *subnet,
                 struct model_address *address)
{
    bool found = false;
    size_t n;

    struct mdb_reservation **rows = db_reservations_of(
        aux->txn->db, aux->net->name, aux->mac, &n);
    for (size_t i = 0; i < n && !found; i++) {
        char *error = model_address_parse(rows[i]->ip, address);

        found = (!error && ipam_is_assignable(subnet, address)
                 && !address_is_assigned(address, aux));
        free(error);
    }
    free(rows);
    address->plen = found ? subnet->plen : -1;
    return found;
}

/* NET's pools, malloc()'d. */
static struct ipam_pool *
pools_of(const struct txn *txn, const struct mdb_net *net, size_t *n)
{
    size_t n_rows;
    struct mdb_pool **rows = db_pools_of_net(txn->db, net->name, &n_rows);
    struct ipam_pool *pools = xcalloc(n_rows + 1, sizeof *pools);

    *n = 0;
    for (size_t i = 0; i < n_rows; i++) {
        char *error = ipam_pool_parse(rows[i]->pool, &pools[*n]);

        *n += !error;
        free(error);
    }
    free(rows);
    return pools;
}

/* Finds the lowest address of SUBNET, or of its pools, that nobody has and
 * that is not reserved for another.  Hints are of ranges without pools. */
static bool
next_free(const struct taken_aux *aux, const struct model_address *subnet,
          const struct ipam_pool *pools, size_t n_pools,
          struct model_address *address)
{
    struct ipam_hints *hints = aux->txn->db->hints;
    const char *net = aux->net->name;

    if (ipam_has_pools(subnet, pools, n_pools)) {
        return ipam_next_in_pools(subnet, pools, n_pools, address_is_taken,
                                  aux, address);
    }

    struct model_address from = ipam_hints_get(hints, net, subnet);
    if (ipam_next_from(subnet, &from, address_is_taken, aux, address)
        || ipam_next(subnet, address_is_taken, aux, address)) {
        ipam_hints_set(hints, net, subnet, address);
        return true;
    }
    return false;
}

/* Draws an address of each of SUBNETS for MAC, keeping those it has, or those
 * that are reserved for it. */
static bool
draw(const struct txn *txn, const struct mdb_net *net, const char *mac,
     const struct model_address *subnets, size_t n,
     struct model_address *addresses, struct change_refusal *refusal)
{
    struct taken_aux aux = { .txn = txn, .net = net, .mac = mac };
    size_t n_pools;
    struct ipam_pool *pools = pools_of(txn, net, &n_pools);
    bool ok = true;

    aux.has_gateway = db_net_gateway(net, &aux.gateway);
    for (size_t i = 0; i < n && ok; i++) {
        if (present_address(txn, net->name, mac, &subnets[i], &addresses[i])
            || reserved_address(&aux, &subnets[i], &addresses[i])) {
            continue;
        }
        if (!next_free(&aux, &subnets[i], pools, n_pools, &addresses[i])
            && !ipam_next_in_pools(&subnets[i], pools, n_pools,
                                   address_is_assigned, &aux,
                                   &addresses[i])) {
            char range[MODEL_ADDRESS_STRLEN];

            model_address_string(&subnets[i], range);
            ok = refuse(refusal, "range-exhausted", "vSubnet %s has no "
                        "free address in %s", net->name, range);
        }
    }
    free(pools);
    return ok;
}

bool
change_draw_addresses(const struct txn *txn, const struct mdb_net *net,
                      const char *mac, struct model_address **addresses,
                      size_t *n, struct change_refusal *refusal)
{
    struct model_address *subnets;

    *n = db_parse_subnets(net->subnets, &subnets);
    *addresses = xcalloc(*n + 1, sizeof **addresses);
    bool ok = draw(txn, net, mac, subnets, *n, *addresses, refusal);
    if (!ok) {
        free(*addresses);
        *addresses = NULL;
        *n = 0;
    }
    free(subnets);
    return ok;
}

bool
change_check_addresses(const struct txn *txn, const char *net,
                       const char *mac,
                       const struct model_address *addresses, size_t n,
                       struct change_refusal *refusal)
{
    for (size_t i = 0; i < n; i++) {
        char ip[MODEL_ADDRESS_STRLEN];

        address_string(&addresses[i], ip);
        if (!ipam_is_unicast(&addresses[i])) {
            return refuse(refusal, "invalid-address",
                          "%s is not the address of a host", ip);
        }
        for (size_t j = 0; j < i; j++) {
            if (model_address_same_ip(&addresses[i], &addresses[j])) {
                return refuse(refusal, "invalid-address",
                              "%s is there twice", ip);
            }
        }

        const struct mdb_reservation *reservation = reserved_for_another(
            txn->db, net, ip, mac);
        if (reservation) {
            return refuse(refusal, "address-reserved",
                          "%s in vSubnet %s is reserved%s%s%s%s%s", ip, net,
                          reservation->mac[0] ? " for " : "",
                          reservation->mac, reservation->note[0] ? " (" : "",
                          reservation->note, reservation->note[0] ? ")" : "");
        }

        const struct mdb_address *row = db_address(txn->db, net, ip);
        if (row && strcmp(row->mac, mac)) {
            const struct mdb_binding *holder = db_binding(txn->db, net,
                                                          row->mac);
            if (holder && !origin_is_dynamic(holder)) {
                const struct mdb_node *node = db_node(txn->db, holder->node);

                return refuse(refusal, "address-in-use",
                              "%s in vSubnet %s belongs to %s%s%s", ip, net,
                              row->mac, node ? " of node " : "",
                              node ? node->name : "");
            }
        }
    }
    return true;
}

static bool
list_has(const struct model_address *addresses, size_t n, const char *ip)
{
    struct model_address address;
    char *error = model_address_parse(ip, &address);

    if (error) {
        free(error);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (model_address_same_ip(&addresses[i], &address)) {
            return true;
        }
    }
    return false;
}

void
change_set_addresses(struct txn *txn, const char *net, const char *mac,
                     const struct model_address *addresses, size_t n)
{
    int64_t revision = txn_touch(txn);
    size_t n_rows;

    struct mdb_address **rows = db_addresses_of(txn->db, net, mac, &n_rows);
    for (size_t i = 0; i < n_rows; i++) {
        if (!list_has(addresses, n, rows[i]->ip)) {
            db_address_freed(txn->db, rows[i]);
            mdb_address_delete(rows[i]);
        }
    }
    free(rows);

    for (size_t i = 0; i < n; i++) {
        char ip[MODEL_ADDRESS_STRLEN];

        address_string(&addresses[i], ip);
        const struct mdb_address *row = db_address(txn->db, net, ip);
        if (row && !strcmp(row->mac, mac)) {
            continue;
        } else if (row) {
            /* Taken over from a dynamic binding, which changes too. */
            const struct mdb_binding *loser = db_binding(txn->db, net,
                                                         row->mac);
            if (loser) {
                mdb_binding_set_revision(loser, revision);
            }
        } else {
            row = mdb_address_insert(txn->idl_txn);
            mdb_address_set_net(row, net);
            mdb_address_set_ip(row, ip);
        }
        mdb_address_set_mac(row, mac);
        mdb_address_set_revision(row, revision);
    }
}

/* Bindings. */

struct mdb_binding *
change_new_binding(struct txn *txn, const char *net, const char *mac,
                   const char *origin)
{
    struct mdb_binding *row = mdb_binding_insert(txn->idl_txn);

    if (!strcmp(origin, "dynamic")) {
        /* More than one of this MAC that is gone can have had: what a host has
         * kept of that is old. */
        mdb_binding_set_sequence(row, txn_touch(txn));
    }

    mdb_binding_set_net(row, net);
    mdb_binding_set_mac(row, mac);
    mdb_binding_set_origin(row, origin);
    mdb_binding_set_revision(row, txn_touch(txn));
    return row;
}

void
change_place_binding(struct txn *txn, const struct mdb_binding *row,
                     int64_t number)
{
    if (number && row->node != number) {
        mdb_binding_set_sequence(row, row->sequence + 1);
    }
    mdb_binding_set_node(row, number);
    mdb_binding_set_revision(row, txn_touch(txn));
}

static void
remove_binding_row(struct txn *txn, const struct mdb_binding *binding)
{
    change_set_addresses(txn, binding->net, binding->mac, NULL, 0);
    mdb_binding_delete(binding);
}

void
change_remove_binding(struct txn *txn, const struct mdb_binding *binding)
{
    change_drop_labels(txn, binding->net, &binding->header_.uuid,
                       binding->labels, binding->n_labels);
    remove_binding_row(txn, binding);
}

/* Members. */

bool
change_check_member(const struct txn *txn, const struct mdb_net *net,
                    const struct mdb_node *node, bool host_port,
                    struct change_refusal *refusal)
{
    struct model_address *subnets;
    char mac[MAC_STRLEN];

    if (!host_port) {
        return true;
    }
    host_mac(node, mac);
    const struct mdb_binding *binding = db_binding(txn->db, net->name, mac);
    if (binding && !strcmp(binding->origin, "static")) {
        return refuse(refusal, "mac-in-use", "vSubnet %s has a static "
                      "binding of %s, the MAC address of this node's own "
                      "port", net->name, mac);
    }

    size_t n = db_parse_subnets(net->subnets, &subnets);
    struct model_address *addresses = xcalloc(n + 1, sizeof *addresses);
    bool ok = draw(txn, net, mac, subnets, n, addresses, refusal);
    free(addresses);
    free(subnets);
    return ok;
}

/* Gives NODE its own binding in NET, with an address of each of SUBNETS. */
static void
put_host_binding(struct txn *txn, const struct mdb_net *net,
                 const struct mdb_node *node,
                 const struct model_address *subnets, size_t n)
{
    struct change_refusal refusal = { NULL, NULL };
    char mac[MAC_STRLEN];

    host_mac(node, mac);
    const struct mdb_binding *row = db_binding(txn->db, net->name, mac);
    if (!row) {
        row = change_new_binding(txn, net->name, mac, "host");
    }
    if (strcmp(row->origin, "host")) {
        mdb_binding_set_origin(row, "host");
        mdb_binding_set_port(row, "");
        mdb_binding_set_iface_id(row, "");
    }
    change_place_binding(txn, row, node->number);

    struct model_address *addresses = xcalloc(n + 1, sizeof *addresses);
    if (draw(txn, net, mac, subnets, n, addresses, &refusal)) {
        change_set_addresses(txn, net->name, mac, addresses, n);
    }
    free(refusal.detail);
    free(addresses);
}

void
change_put_member(struct txn *txn, const struct mdb_net *net,
                  const struct mdb_node *node, bool host_port)
{
    const struct mdb_member *row = db_member(txn->db, net->name,
                                             node->number);
    char mac[MAC_STRLEN];

    if (row && row->host_port == host_port) {
        return;
    }
    if (!row) {
        row = mdb_member_insert(txn->idl_txn);
        mdb_member_set_net(row, net->name);
        mdb_member_set_node(row, node->number);
    }
    mdb_member_set_host_port(row, host_port);
    mdb_member_set_revision(row, txn_touch(txn));

    if (host_port) {
        struct model_address *subnets;
        size_t n = db_parse_subnets(net->subnets, &subnets);

        put_host_binding(txn, net, node, subnets, n);
        free(subnets);
    } else {
        host_mac(node, mac);
        const struct mdb_binding *binding = db_binding(txn->db, net->name,
                                                       mac);
        if (binding && !strcmp(binding->origin, "host")) {
            change_remove_binding(txn, binding);
        }
    }
}

/* Takes from NODE what it has in vSubnet NET: a static binding stays and waits
 * for another node to claim it. */
static void
strip(struct txn *txn, const char *net, int64_t node)
{
    size_t n;

    txn_touch(txn);
    struct mdb_binding **bindings = db_bindings_of_node(txn->db, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(bindings[i]->net, net)) {
            continue;
        } else if (!strcmp(bindings[i]->origin, "static")) {
            change_place_binding(txn, bindings[i], 0);
            mdb_binding_set_port(bindings[i], "");
        } else {
            change_remove_binding(txn, bindings[i]);
        }
    }
    free(bindings);

    struct mdb_key **keys = db_keys_of_node(txn->db, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keys[i]->net, net)) {
            mdb_key_delete(keys[i]);
        }
    }
    free(keys);
}

void
change_rekey(struct txn *txn, const struct mdb_net *net)
{
    int64_t revision = txn_touch(txn);

    mdb_net_set_rekey(net, revision);
    mdb_net_set_revision(net, revision);
}

void
change_remove_member(struct txn *txn, const struct mdb_member *member)
{
    const struct mdb_net *net = db_net(txn->db, member->net);
    size_t n;

    free(db_members_of_net(txn->db, member->net, &n));
    if (net && n > 1) {
        change_rekey(txn, net); /* The leaver knows the others' keys. */
    }
    strip(txn, member->net, member->node);
    mdb_member_delete(member);
}

void
change_strip_node(struct txn *txn, const struct mdb_node *node)
{
    size_t n;

    txn_touch(txn);
    struct mdb_member **members = db_members_of_node(txn->db, node->number,
                                                     &n);
    for (size_t i = 0; i < n; i++) {
        change_remove_member(txn, members[i]);
    }
    free(members);
}

/* vSubnets. */

void
change_remove_net(struct txn *txn, const struct mdb_net *net)
{
    size_t n;

    txn_touch(txn);
    struct mdb_binding **bindings = db_bindings_of_net(txn->db, net->name,
                                                       &n);
    for (size_t i = 0; i < n; i++) {
        remove_binding_row(txn, bindings[i]);
    }
    free(bindings);

    struct mdb_key **keys = db_keys_of_net(txn->db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        mdb_key_delete(keys[i]);
    }
    free(keys);

    struct mdb_member **members = db_members_of_net(txn->db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        mdb_member_delete(members[i]);
    }
    free(members);

    struct mdb_rule **rules = db_rules_of_net(txn->db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        mdb_rule_delete(rules[i]);
    }
    free(rules);

    struct mdb_pool **pools = db_pools_of_net(txn->db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        mdb_pool_delete(pools[i]);
    }
    free(pools);

    struct mdb_reservation **reservations = db_reservations_of_net(
        txn->db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        db_reservation_freed(txn->db, reservations[i]);
        mdb_reservation_delete(reservations[i]);
    }
    free(reservations);
    mdb_net_delete(net);
}

static bool
in_some_range(const struct model_address *address,
              const struct model_address *subnets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ipam_is_assignable(&subnets[i], address)) {
            return true;
        }
    }
    return false;
}

/* What is reserved, and pools, must not be left outside of all ranges. */
static bool
check_plans(const struct txn *txn, const struct mdb_net *net,
            const struct model_address *subnets, size_t n,
            const struct ipam_pool *pools, size_t n_pools,
            size_t *n_reservations, struct change_refusal *refusal)
{
    char text[IPAM_POOL_STRLEN];
    bool ok = true;

    for (size_t i = 0; i < n_pools && ok; i++) {
        if (!in_some_range(&pools[i].first, subnets, n)
            || !in_some_range(&pools[i].last, subnets, n)) {
            ok = refuse(refusal, "range-in-use",
                        "the pool %s would be in no range",
                        ipam_pool_string(&pools[i], text));
        }
    }
    struct mdb_reservation **rows = db_reservations_of_net(
        txn->db, net->name, n_reservations);
    for (size_t i = 0; i < *n_reservations && ok; i++) {
        struct model_address address;
        char *error = model_address_parse(rows[i]->ip, &address);

        if (!error && !in_some_range(&address, subnets, n)) {
            ok = refuse(refusal, "range-in-use", "%s, which is reserved, "
                        "would be in no range", rows[i]->ip);
        }
        free(error);
    }
    free(rows);
    return ok;
}

/* A host's or static address must not be left outside of all ranges, and
 * each range must have room for every member, however the present addresses
 * lie (so this may refuse a range that would just suffice). */
bool
change_check_subnets(const struct txn *txn, const struct mdb_net *net,
                     const struct model_address *subnets, size_t n,
                     struct change_refusal *refusal)
{
    size_t n_bindings, n_members, n_pools, n_addresses = 0;
    struct ipam_pool *pools = pools_of(txn, net, &n_pools);
    size_t n_reservations;
    bool ok = check_plans(txn, net, subnets, n, pools, n_pools,
                          &n_reservations, refusal);

    struct mdb_binding **bindings = db_bindings_of_net(txn->db, net->name,
                                                       &n_bindings);
    for (size_t i = 0; i < n_bindings && ok; i++) {
        size_t n_rows;
        struct mdb_address **rows = db_addresses_of(
            txn->db, net->name, bindings[i]->mac, &n_rows);

        n_addresses += origin_is_dynamic(bindings[i]) ? 0 : n_rows;
        for (size_t j = 0; j < n_rows && ok; j++) {
            struct model_address address;
            char *error = model_address_parse(rows[j]->ip, &address);

            if (!error && !origin_is_dynamic(bindings[i])
                && !in_some_range(&address, subnets, n)) {
                ok = refuse(refusal, "range-in-use", "%s has the address "
                            "%s, which would be in no range",
                            bindings[i]->mac, rows[j]->ip);
            }
            free(error);
        }
        free(rows);
    }
    free(bindings);

    free(db_members_of_net(txn->db, net->name, &n_members));
    for (size_t i = 0; i < n && ok; i++) {
        if (ipam_room(&subnets[i], pools, n_pools)
            < n_members + n_addresses + n_reservations) {
            ok = refuse(refusal, "range-exhausted",
                        "the range is too small for %"PRIuSIZE" members",
                        n_members);
        }
    }
    free(pools);
    return ok;
}

void
change_set_subnets(struct txn *txn, const struct mdb_net *net,
                   const struct model_address *subnets, size_t n)
{
    char *list = db_format_addresses(subnets, n);
    size_t n_members;

    mdb_net_set_subnets(net, list);
    mdb_net_set_revision(net, txn_touch(txn));
    free(list);

    struct mdb_member **members = db_members_of_net(txn->db, net->name,
                                                    &n_members);
    for (size_t i = 0; i < n_members; i++) {
        const struct mdb_node *node = db_node(txn->db, members[i]->node);

        if (node && members[i]->host_port) {
            put_host_binding(txn, net, node, subnets, n);
        }
    }
    free(members);
}
