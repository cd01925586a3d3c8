/* SPDX-License-Identifier: Apache-2.0 */
/* A set of OpenFlow flows in canonical form. */
#ifndef VSUBNET_FLOW_SET_H
#define VSUBNET_FLOW_SET_H 1

/* Flows that are compared
 * =======================
 *
 * A flow is named by (table, priority, match), as OpenFlow does, and has a
 * cookie and actions.  Desired flows are compared with flows read back from
 * the switch, so both must be written alike: flow_set_add() therefore passes
 * match and actions once through OpenFlow's own form and back, as the switch's
 * copy goes.  That leaves no difference such as an implied prerequisite, or
 * which of several encodings an action came from.  (Otherwise the diff would
 * add a flow and then delete it under its other spelling.)  Actions are
 * compared in OpenFlow's form, because ofpacts have padding of any content.
 *
 * Two flow sets may share nothing: each owns its flows.  Not thread-safe. */

#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/types.h"

struct ds;
struct ofpact;

struct flow_entry {
    struct hmap_node node;      /* In a flow_set's 'flows', by its key. */
    struct minimatch match;
    struct ofpact *ofpacts;
    size_t ofpacts_len;
    void *wire;                 /* The actions as OpenFlow instructions. */
    size_t wire_len;
    uint64_t cookie;
    uint16_t priority;
    uint8_t table;
};

struct flow_set {
    struct hmap flows;          /* Contains "struct flow_entry"s. */
};

#define FLOW_SET_FOR_EACH(FLOW, SET) HMAP_FOR_EACH (FLOW, node, &(SET)->flows)

void flow_set_init(struct flow_set *);
void flow_set_destroy(struct flow_set *);
void flow_set_clear(struct flow_set *);
size_t flow_set_count(const struct flow_set *);

/* Adds a flow of one's own making: 'ofpacts' are made canonical.  A flow with
 * the same key that is already there stays and the new one is not added:
 * returns false then. */
bool flow_set_add(struct flow_set *, uint8_t table, uint16_t priority,
                  uint64_t cookie, const struct match *,
                  const struct ofpact *, size_t ofpacts_len);

/* The same for what the switch sent: taken as it is. */
bool flow_set_add_canonical(struct flow_set *, uint8_t table,
                            uint16_t priority, uint64_t cookie,
                            const struct match *, const struct ofpact *,
                            size_t ofpacts_len);

struct flow_entry *flow_set_find(const struct flow_set *,
                                 const struct flow_entry *key);

/* Puts a copy of 'flow' in the set, in place of one with the same key. */
void flow_set_replace(struct flow_set *, const struct flow_entry *flow);
void flow_set_remove(struct flow_set *, struct flow_entry *);

struct flow_entry *flow_entry_clone(const struct flow_entry *);
void flow_entry_free(struct flow_entry *);
bool flow_entry_same_actions(const struct flow_entry *,
                             const struct flow_entry *);
void flow_entry_format(const struct flow_entry *, struct ds *);

#endif /* flow-set.h */
