/* SPDX-License-Identifier: Apache-2.0 */
/* What the mapping service says: all objects that one reader may see. */

#ifndef MODEL_MAPPING_H
#define MODEL_MAPPING_H 1

/* A mapping is a set of nodes, vSubnets, members, bindings, keys and rules as
 * of one revision.  It begins with a snapshot and is kept up to date by
 * changes, the two events of the service's stream (DESIGN.md section 4.4):
 *
 *      struct mapping *mapping;
 *      char *error = mapping_from_snapshot(json, &mapping);
 *      ...
 *      error = mapping_apply_change(mapping, json, NULL, NULL);
 *      ...
 *      HMAP_FOR_EACH (binding, in_net, &net->bindings) {
 *          ...
 *      }
 *      mapping_destroy(mapping);
 *
 * Rules:
 *
 *   - A change is read and checked wholly before anything is touched: it
 *     happens or it does not.  Removals come before additions.
 *
 *   - An object's older revision never replaces a newer one; a change older
 *     than the mapping is left out altogether (so an addition that was
 *     overtaken by a removal does not come back).
 *
 *   - What refers to a vSubnet lives in the tables of that vSubnet, and goes
 *     with it.  A member, binding, key or rule of a vSubnet that is not there
 *     is refused.  A node that is not there is allowed: it was removed first.
 *
 *   - Each lookup, insertion and removal is one hash table's operation; a
 *     change costs in proportion to itself, not to the mapping.
 *
 * Objects belong to the mapping: read them, and forget the pointers at the
 * next change.  Not thread-safe. */

#include "model/object.h"
#include "model/rule.h"

struct mapping {
    struct model_revision revision;
    struct model_node *self;    /* In 'nodes', or null: for operators. */
    struct hmap nodes;          /* model_node.by_number. */
    struct hmap node_ids;       /* model_node.by_id. */
    struct hmap nets;           /* model_net.by_name. */
    struct hmap vnis;           /* model_net.by_vni. */
    struct hmap members;        /* model_member.by_key. */
    struct hmap bindings;       /* model_binding.by_key. */
    struct hmap ifaces;         /* model_binding.by_iface. */
    struct hmap places;         /* mapping_place.by_node. */
    struct hmap keys;           /* model_key.by_spi. */
    struct hmap rules;          /* model_rule.by_key. */
};

/* The bindings at one node, which need not be in the mapping itself. */
struct mapping_place {
    struct hmap_node by_node;
    uint32_t node;
    struct ovs_list bindings;   /* model_binding.at_node; never empty. */
};

struct mapping *mapping_create(void);
void mapping_destroy(struct mapping *);

char *mapping_from_snapshot(const struct json_t *, struct mapping **);
struct json_t *mapping_to_snapshot(const struct mapping *, enum model_view);

/* The same as text, of '*n' bytes, one object at a time: without a tree of all
 * in memory.  The caller wipes and frees it. */
char *mapping_to_snapshot_text(const struct mapping *, enum model_view,
                               size_t *n);

/* How many objects of a change were put and removed, and how many were left
 * out because the mapping has newer ones. */
struct mapping_change_stats {
    size_t n_put;
    size_t n_removed;
    size_t n_stale;
};

/* Which vSubnets and bindings changes have put or removed: for who keeps
 * something that is made of each.  A binding that went with its vSubnet is not
 * named.  When there are too many, it is just all of them. */
enum mapping_touch_type {
    MAPPING_TOUCH_BINDING,      /* (VNI, MAC). */
    MAPPING_TOUCH_NET,          /* It is another, with what lives in it. */
    MAPPING_TOUCH_NET_ROW,      /* The vSubnet itself, not what lives in it;
                                 * but perhaps the numbers of labels. */
    MAPPING_TOUCH_RULES,        /* Its rules. */
};

struct mapping_touch {
    enum mapping_touch_type type;
    uint32_t vni;               /* Before or after. */
    struct eth_addr mac;        /* MAPPING_TOUCH_BINDING only. */
};

struct mapping_touches {
    bool all;                   /* Everything, perhaps. */
    bool others;                /* Also what is no binding. */
    struct mapping_touch *touches;
    size_t n, allocated;
};

#define MAPPING_TOUCHES_INITIALIZER { false, false, NULL, 0, 0 }

void mapping_touches_add(struct mapping_touches *, enum mapping_touch_type,
                         uint32_t vni, struct eth_addr mac);
void mapping_touches_add_all(struct mapping_touches *);
void mapping_touches_clear(struct mapping_touches *);
void mapping_touches_destroy(struct mapping_touches *);

/* Applies a change.  Both stats and touches may be null; touches are added to
 * those that are there. */
char *mapping_apply_change(struct mapping *, const struct json_t *,
                           struct mapping_change_stats *,
                           struct mapping_touches *);

/* The change that turns OLD into NEW, or null if they are the same. */
struct json_t *mapping_diff(const struct mapping *old,
                            const struct mapping *new, enum model_view);

/* Lookups; null where there is none. */
struct model_node *mapping_node(const struct mapping *, uint32_t number);
struct model_node *mapping_node_by_id(const struct mapping *,
                                      const struct uuid *);
struct model_net *mapping_net(const struct mapping *, const char *name);
struct model_net *mapping_net_by_vni(const struct mapping *, uint32_t vni);
struct model_member *mapping_member(const struct mapping *, const char *net,
                                    uint32_t node);
struct model_binding *mapping_binding(const struct mapping *, const char *net,
                                      struct eth_addr mac);
struct model_binding *mapping_binding_by_iface(const struct mapping *,
                                               const char *iface_id);
struct model_key *mapping_key(const struct mapping *, uint32_t spi);
struct model_rule *mapping_rule(const struct mapping *, const char *net,
                                const char *name);

/* The hash by which model_rule.in_net has the rule NAME. */
uint32_t mapping_rule_hash(const char *name);

/* The bindings at node NUMBER, in all vSubnets; null if there is none:
 *
 *      MAPPING_FOR_EACH_AT (binding, mapping_place(mapping, number)) {
 *          ...
 *      }
 */
const struct mapping_place *mapping_place(const struct mapping *,
                                          uint32_t node);

#define MAPPING_FOR_EACH_AT(BINDING, PLACE)                             \
    for (const struct mapping_place *place_ = (PLACE); place_;          \
         place_ = NULL)                                                 \
        LIST_FOR_EACH (BINDING, at_node, &place_->bindings)

/* Insertion of an object that did not come by JSON.  Takes it over (the
 * pointer too), replacing the one with the same key whatever its revision.
 * Returns false, and leaves it to the caller, if its vSubnet is not there, or
 * for a vSubnet if its VNI is another's. */
bool mapping_put_node(struct mapping *, struct model_node *);
bool mapping_put_net(struct mapping *, struct model_net *);
bool mapping_put_member(struct mapping *, struct model_member *);
bool mapping_put_binding(struct mapping *, struct model_binding *);
bool mapping_put_key(struct mapping *, struct model_key *);
bool mapping_put_rule(struct mapping *, struct model_rule *);

/* Removal, with what lives in it. */
void mapping_remove_node(struct mapping *, struct model_node *);
void mapping_remove_net(struct mapping *, struct model_net *);
void mapping_remove_member(struct mapping *, struct model_member *);
void mapping_remove_binding(struct mapping *, struct model_binding *);
void mapping_remove_key(struct mapping *, struct model_key *);
void mapping_remove_rule(struct mapping *, struct model_rule *);

#endif /* model/mapping.h */
