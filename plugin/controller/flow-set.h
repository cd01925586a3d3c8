/* SPDX-License-Identifier: Apache-2.0 */
/* A set of OpenFlow flows in canonical form. */
#ifndef VSUBNET_FLOW_SET_H
#define VSUBNET_FLOW_SET_H 1

/* Flows that are compared
 * =======================
 *
 * A flow is named by (table, priority, match), as OpenFlow does, and has a
 * cookie and actions.  Desired flows are compared with flows read back from
 * the switch, so both must be written alike: flow_entry_create() therefore
 * passes match and actions once through OpenFlow's own form and back, as the
 * switch's copy goes.  That leaves no difference such as an implied
 * prerequisite, or which of several encodings an action came from.  (Otherwise
 * the diff would add a flow and then delete it under its other spelling.)
 * Actions are compared in OpenFlow's form, because ofpacts have padding of any
 * content.
 *
 * A flow does not change once it is made, and is counted by reference: a
 * desired flow that was installed is one and the same in both sets, which
 * with 100,000 bindings is half the memory.
 *
 * Of learnt flows (table FT_LEARNT, kind COOKIE_LEARNT) a set keeps only their
 * cookies: nobody asks for more, and there are many.
 *
 * Not thread-safe. */

#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/types.h"

struct ds;
struct ofpact;

struct flow_entry {
    struct minimatch match;
    struct ofpact *ofpacts;
    size_t ofpacts_len;
    void *wire;                 /* The actions as OpenFlow instructions. */
    size_t wire_len;
    uint64_t cookie;
    uint64_t rank;              /* For flow-index.h: of two with one key, the
                                 * lower is wanted. */
    unsigned int ref_cnt;
    uint32_t hash;              /* Of the key. */
    uint16_t priority;
    uint8_t table;
};

/* A flow of one's own making, with one reference: 'ofpacts' are made
 * canonical. */
struct flow_entry *flow_entry_create(uint8_t table, uint16_t priority,
                                     uint64_t cookie, const struct match *,
                                     const struct ofpact *,
                                     size_t ofpacts_len);

/* The same for what the switch sent: taken as it is. */
struct flow_entry *flow_entry_create_canonical(uint8_t table,
                                               uint16_t priority,
                                               uint64_t cookie,
                                               const struct match *,
                                               const struct ofpact *,
                                               size_t ofpacts_len);

struct flow_entry *flow_entry_ref(const struct flow_entry *);
void flow_entry_unref(struct flow_entry *);

bool flow_entry_same_key(const struct flow_entry *, const struct flow_entry *);
bool flow_entry_same_actions(const struct flow_entry *,
                             const struct flow_entry *);
void flow_entry_format(const struct flow_entry *, struct ds *);

struct flow_set {
    struct hmap flows;          /* Contains "struct flow_slot"s. */
    struct hmap cookies;        /* Contains "struct learn_cookie"s. */
};

struct flow_slot {
    struct hmap_node node;      /* In a flow_set's 'flows', by its key. */
    struct flow_entry *flow;
};

/* A cookie that learnt flows have or may get. */
struct learn_cookie {
    struct hmap_node node;      /* In a flow_set's 'cookies'. */
    uint64_t cookie;
    size_t n_learning;          /* Flows that learn under it. */
    bool learnt;                /* Learnt flows that have it. */
};

#define FLOW_SET_FOR_EACH(FLOW, SET)                                    \
    for (const struct flow_slot *slot_ = flow_slot_first(SET);          \
         slot_ && ((FLOW) = slot_->flow, true);                         \
         slot_ = flow_slot_next(SET, slot_))

void flow_set_init(struct flow_set *);
void flow_set_destroy(struct flow_set *);
void flow_set_clear(struct flow_set *);

/* Without learnt flows. */
size_t flow_set_count(const struct flow_set *);

/* Adds a flow and takes over the reference to it.  A flow with the same key
 * that is already there stays and the new one is not added: returns false
 * then. */
bool flow_set_add(struct flow_set *, struct flow_entry *);

/* The same, but the new flow takes the place of one with the same key. */
void flow_set_replace(struct flow_set *, struct flow_entry *);

/* The flow with the key of 'key', or NULL. */
struct flow_entry *flow_set_find(const struct flow_set *,
                                 const struct flow_entry *key);

/* Removes the flow with the key of 'key', if there is one. */
void flow_set_remove(struct flow_set *, const struct flow_entry *key);

/* True if a flow of the set learns under 'cookie'. */
bool flow_set_is_learning(const struct flow_set *, uint64_t cookie);

/* Takes down that there are learnt flows with 'cookie', or none any more. */
void flow_set_set_learnt(struct flow_set *, uint64_t cookie, bool learnt);

static inline const struct flow_slot *
flow_slot_first(const struct flow_set *set)
{
    const struct hmap_node *node = hmap_first(&set->flows);
    return node ? CONTAINER_OF(node, struct flow_slot, node) : NULL;
}

static inline const struct flow_slot *
flow_slot_next(const struct flow_set *set, const struct flow_slot *slot)
{
    const struct hmap_node *node = hmap_next(&set->flows, &slot->node);
    return node ? CONTAINER_OF(node, struct flow_slot, node) : NULL;
}

#endif /* flow-set.h */
