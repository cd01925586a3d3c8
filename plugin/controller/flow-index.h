/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have, kept up to date. */
#ifndef VSUBNET_FLOW_INDEX_H
#define VSUBNET_FLOW_INDEX_H 1

/* flow_desired_compute() takes most of a second for 100,000 bindings.  So this
 * keeps what it would say, by the parts that the flows come from
 * (flow-desired.h), and composes again only the parts that a change touches:
 *
 *      struct flow_index index;
 *      flow_index_init(&index);
 *      ...
 *      mapping_apply_change(mapping, json, NULL, &touches);
 *      flow_index_touch_ports(&touches, mapping, &old_ports, &ports);
 *      ...
 *      flow_index_update(&index, &input, &touches);
 *      mapping_touches_clear(&touches);
 *      ...                 // index.touched: flow_diff_compute_touched()
 *      flow_index_settle(&index);
 *
 * The result is always that of flow_desired_compute(): the same code composes
 * each part, and `unit-controller flow-index` compares the two.
 *
 * Pure. */

#include <stdbool.h>
#include "controller/flow-desired.h"
#include "controller/flow-set.h"

struct mapping_touches;

/* The flows of one part, with a reference to each. */
struct flow_part {
    struct flow_entry **flows;
    size_t n;
};

struct flow_index {
    struct flow_set flows;      /* What the bridge should have. */

    /* Where 'flows' may differ from what it was at flow_index_settle(). */
    bool all_touched;
    struct flow_set touched;    /* Keys, if not 'all_touched'. */

    /* The rest is private. */
    bool valid;
    ofp_port_t tunnel;          /* What all parts were composed with. */
    uint32_t self;
    uint32_t endpoints;         /* A hash. */
    struct flow_part base;
    struct hmap nets;           /* Contains "struct flow_net"s. */
    struct hmap shadowed;       /* "struct flow_slot"s: flows of parts, not in
                                 * 'flows' because of one of a lower rank. */
};

void flow_index_init(struct flow_index *);
void flow_index_destroy(struct flow_index *);

/* Makes 'index' what 'input' asks, where no others than 'touches' have changed
 * since the last time.  A different tunnel port or number of this node is
 * noticed here, and so are other endpoints of it. */
void flow_index_update(struct flow_index *, const struct flow_input *,
                       const struct mapping_touches *);

/* Who follows 'flows' knows it as it is now. */
void flow_index_settle(struct flow_index *);

/* Adds what the difference between two sorted lists of local ports touches. */
void flow_index_touch_ports(struct mapping_touches *, const struct mapping *,
                            const struct local_ports *old,
                            const struct local_ports *new);

#endif /* flow-index.h */
