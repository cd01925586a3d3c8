/* SPDX-License-Identifier: Apache-2.0 */
/* The meters that the bridge should have. */
#ifndef VSUBNET_METERS_H
#define VSUBNET_METERS_H 1

/* A meter bounds what a guest can cause: how much is sent to the controller,
 * and how much broadcast, unknown and multicast (BUM) goes on from one port.
 * All of them are stated here, those that are always there and those of each
 * local port, with the rate of its vSubnet:
 *
 *      struct meters desired = METERS_INITIALIZER;
 *      meters_compute(&desired, &ports, mapping);
 *      ...
 *      struct meter_changes changes = METER_CHANGES_INITIALIZER;
 *      meters_diff(&installed, &desired, &changes);
 *
 * A rate is in packets a second, and a meter lets twice that pass at once
 * after it has been idle.  What goes beyond is dropped and counted by the
 * switch (`ovs-ofctl -O OpenFlow15 meter-stats br-int`).
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct local_ports;
struct mapping;

struct meter {
    uint32_t id;                /* enum flow_meter, or of a port. */
    uint32_t rate;              /* Packets a second. */
    uint32_t burst;             /* Packets. */
};

/* Sorted by ID, each ID once. */
struct meters {
    struct meter *meters;
    size_t n, allocated;
};

#define METERS_INITIALIZER { NULL, 0, 0 }

void meters_destroy(struct meters *);
void meters_clear(struct meters *);

/* Adds a meter after the others.  meters_sort() then puts them in order; of
 * two with one ID that of the lower rate stays. */
void meters_add(struct meters *, const struct meter *);
void meters_sort(struct meters *);

bool meters_contain(const struct meters *, uint32_t id);
bool meters_equal(const struct meters *, const struct meters *);
void meters_copy(struct meters *dst, const struct meters *src);

/* Makes 'meters' those that these ports need. */
void meters_compute(struct meters *, const struct local_ports *,
                    const struct mapping *);

/* True for an ID that such a meter may have: others are left alone. */
bool meter_is_ours(uint32_t id);

enum meter_change_type { METER_ADD, METER_MODIFY, METER_DELETE };

struct meter_change {
    enum meter_change_type type;
    struct meter meter;
};

struct meter_changes {
    struct meter_change *changes;
    size_t n, allocated;
};

#define METER_CHANGES_INITIALIZER { NULL, 0, 0 }

/* Adds to 'changes', in order of IDs, what makes 'installed' 'desired'. */
void meters_diff(const struct meters *installed, const struct meters *desired,
                 struct meter_changes *changes);
void meter_changes_destroy(struct meter_changes *);

#endif /* meters.h */
