/* SPDX-License-Identifier: Apache-2.0 */
/* The database's content: lookups, and rows as objects of the model. */

#ifndef MAPPER_DB_H
#define MAPPER_DB_H 1

/* The IDL keeps a copy of the whole database in memory; this module finds
 * rows in it by index and turns them into the JSON of DESIGN.md section 4.2.
 *
 * Tables refer to each other by the same names and numbers that the API uses
 * (vSubnet name, node number, MAC), not by row UUIDs: a row says what it means
 * on its own, even one that is already deleted, and a removal is an event
 * that names its object.  An address has a row of its own because that is how
 * OVSDB can hold (vSubnet, address) unique; a binding's addresses never
 * change without its row's revision.
 *
 * Inside a transaction lookups see what it has changed so far.  Rows are
 * valid until the next ovsdb_idl_run().
 *
 * Single-threaded, as is everything in the mapper. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mapper/mapper-idl.h"
#include "model/object.h"

struct json_t;
struct ipam_hints;
struct keybox;

/* A connection that is silent for twice this long is given up: a database
 * server that hangs must not hold requests for ever. */
enum { DB_PROBE_MS = 8000 };

/* With several servers, of which another one may lead by then, sooner. */
enum { DB_PROBE_CLUSTER_MS = 1500 };

/* The IDL asks the servers of a cluster in turn which one leads, and when none
 * does, waits for up to 8 s before it asks again.  An election takes one or
 * two.  So for the first DB_LOOK_MAX_MS all are asked each DB_LOOK_MS. */
enum { DB_LOOK_MS = 500, DB_LOOK_MAX_MS = 15 * 1000 };

struct db {
    struct ovsdb_idl *idl;
    bool has_other_servers;     /* To turn to, if one does not answer. */
    char *remote;
    long long int lost;         /* The connection; LLONG_MAX: it stands. */
    long long int regained;     /* Perhaps: to a server that does not lead. */
    long long int next_look;    /* For another server, if it is lost. */
    const struct keybox *keybox;
    struct ipam_hints *hints;   /* See ipam-hint.h. */

    struct ovsdb_idl_index *instance_by_id;
    struct ovsdb_idl_index *operator_by_id;
    struct ovsdb_idl_index *operator_by_name;
    struct ovsdb_idl_index *operator_by_certificate;
    struct ovsdb_idl_index *token_by_id;
    struct ovsdb_idl_index *node_by_id;
    struct ovsdb_idl_index *node_by_number;
    struct ovsdb_idl_index *node_by_name;
    struct ovsdb_idl_index *node_by_origin;
    struct ovsdb_idl_index *node_by_formerly;
    struct ovsdb_idl_index *audit_by_sequence;
    struct ovsdb_idl_index *net_by_name;
    struct ovsdb_idl_index *net_by_vni;
    struct ovsdb_idl_index *member_by_key;
    struct ovsdb_idl_index *member_by_net;
    struct ovsdb_idl_index *member_by_node;
    struct ovsdb_idl_index *binding_by_key;
    struct ovsdb_idl_index *binding_by_net;
    struct ovsdb_idl_index *binding_by_node;
    struct ovsdb_idl_index *rule_by_key;
    struct ovsdb_idl_index *rule_by_net;
    struct ovsdb_idl_index *address_by_ip;
    struct ovsdb_idl_index *address_by_mac;
    struct ovsdb_idl_index *key_by_net;
    struct ovsdb_idl_index *key_by_node;
    struct ovsdb_idl_index *key_by_spi;
    struct ovsdb_idl_index *key_by_net_spi;
    struct ovsdb_idl_index *pool_by_key;
    struct ovsdb_idl_index *pool_by_net;
    struct ovsdb_idl_index *reservation_by_ip;
    struct ovsdb_idl_index *reservation_by_net;
    struct ovsdb_idl_index *reservation_by_mac;
    struct ovsdb_idl_index *once_by_key;
    struct ovsdb_idl_index *once_by_time;
};

/* The caller sets 'keybox' before any key is read. */
void db_init(struct db *, const char *remote);
void db_destroy(struct db *);

/* As ovsdb_idl_run() and ovsdb_idl_wait(), and looks for another server. */
void db_run(struct db *);
void db_wait(const struct db *);

/* To be called while the IDL tracks: others may have freed addresses. */
void db_look_for_freed(const struct db *);

/* An address is free now, or it is not reserved any more. */
void db_address_freed(const struct db *, const struct mdb_address *);
void db_reservation_freed(const struct db *, const struct mdb_reservation *);

/* The one row of table Service, or null before the first transaction. */
const struct mdb_service *db_service(const struct db *);
struct model_revision db_revision(const struct db *);
struct model_revision db_row_revision(const struct db *, int64_t number);

/* Lookups; null where there is none. */
const struct mdb_instance *db_instance(const struct db *,
                                       const struct uuid *);
const struct mdb_operator *db_user(const struct db *, const char *id);
const struct mdb_operator *db_user_by_name(const struct db *, const char *);
const struct mdb_operator *db_user_by_certificate(const struct db *,
                                                  const char *fingerprint);
const struct mdb_token *db_token(const struct db *, const char *id);
const struct mdb_node *db_node(const struct db *, int64_t number);
const struct mdb_node *db_node_by_id(const struct db *, const char *uuid);
const struct mdb_node *db_node_by_formerly(const struct db *,
                                           const char *uuid);
const struct mdb_audit *db_audit(const struct db *, int64_t sequence);
const struct mdb_net *db_net(const struct db *, const char *name);
const struct mdb_net *db_net_by_vni(const struct db *, int64_t vni);
const struct mdb_member *db_member(const struct db *, const char *net,
                                   int64_t node);
const struct mdb_binding *db_binding(const struct db *, const char *net,
                                     const char *mac);
const struct mdb_rule *db_rule(const struct db *, const char *net,
                               const char *name);
const struct mdb_address *db_address(const struct db *, const char *net,
                                     const char *ip);
const struct mdb_key *db_key(const struct db *, int64_t spi);
const struct mdb_pool *db_pool(const struct db *, const char *net,
                               const char *pool);
const struct mdb_reservation *db_reservation(const struct db *,
                                             const char *net, const char *ip);
const struct mdb_once *db_once(const struct db *, const char *key_hash);

/* A user of schema 1.1.0 has no name (its ID does), and is an operator. */
const char *db_user_name(const struct mdb_operator *);
const char *db_user_role(const struct mdb_operator *);

/* True for a member whose node is approved: only such a one counts for other
 * members. */
bool db_member_is_active(const struct db *, const char *net, int64_t node);
bool db_node_is_approved(const struct mdb_node *);

/* All rows with one value.  The array is malloc()'d, so the caller may delete
 * rows as it goes. */
struct mdb_node **db_nodes_named(const struct db *, const char *, size_t *n);
struct mdb_node **db_clones_of(const struct db *, const char *uuid,
                               size_t *n);
struct mdb_member **db_members_of_net(const struct db *, const char *,
                                      size_t *n);
struct mdb_member **db_members_of_node(const struct db *, int64_t,
                                       size_t *n);
struct mdb_binding **db_bindings_of_net(const struct db *, const char *,
                                        size_t *n);
struct mdb_binding **db_bindings_of_node(const struct db *, int64_t,
                                         size_t *n);
struct mdb_rule **db_rules_of_net(const struct db *, const char *, size_t *n);
struct mdb_key **db_keys_of_net(const struct db *, const char *, size_t *n);
struct mdb_key **db_keys_of_node(const struct db *, int64_t, size_t *n);
struct mdb_pool **db_pools_of_net(const struct db *, const char *, size_t *n);
struct mdb_reservation **db_reservations_of_net(const struct db *,
                                                const char *, size_t *n);
struct mdb_reservation **db_reservations_of(const struct db *,
                                            const char *net, const char *mac,
                                            size_t *n);
struct mdb_address **db_addresses_of(const struct db *, const char *net,
                                     const char *mac, size_t *n);

/* Rows as JSON; the caller owns the reference.  A key whose column does not
 * open (another storage.key) comes without its bytes, and is logged. */
struct json_t *db_node_json(const struct db *, const struct mdb_node *,
                            enum model_view, bool connected);
struct json_t *db_net_json(const struct db *, const struct mdb_net *);
struct json_t *db_member_json(const struct db *, const struct mdb_member *);
struct json_t *db_binding_json(const struct db *, const struct mdb_binding *);
struct json_t *db_rule_json(const struct db *, const struct mdb_rule *);
struct json_t *db_key_json(const struct db *, const struct mdb_key *,
                           enum model_view);
struct json_t *db_token_json(const struct db *, const struct mdb_token *);
struct json_t *db_pool_json(const struct db *, const struct mdb_pool *);
struct json_t *db_reservation_json(const struct db *,
                                   const struct mdb_reservation *);
struct json_t *db_address_json(const struct db *, const struct mdb_address *);
struct json_t *db_user_json(const struct db *, const struct mdb_operator *);

/* The settings of a vSubnet, into one by model_net_init(), and as they stand
 * in its row: empty if nothing is but as by default. */
void db_net_settings(const struct mdb_net *, struct model_net *);
char *db_format_settings(const struct model_net *);

/* The gateway that its guests are told of. */
bool db_net_gateway(const struct mdb_net *, struct model_address *);

/* Lists in one column: "a,b,c". */
size_t db_parse_subnets(const char *, struct model_address **);
char *db_format_addresses(const struct model_address *, size_t n);
char *db_format_endpoints(const struct model_endpoint *, size_t n);

/* RFC 3339 form of a time in seconds, malloc()'d. */
char *db_format_time(int64_t);

#endif /* mapper/db.h */
