/* SPDX-License-Identifier: Apache-2.0 */
/* The meters that the bridge should have. */
#include <config.h>
#include "controller/meters.h"

#include <stdlib.h>

#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "model/mapping.h"
#include "util.h"

void
meters_destroy(struct meters *meters)
{
    free(meters->meters);
    *meters = (struct meters) METERS_INITIALIZER;
}

void
meters_clear(struct meters *meters)
{
    meters->n = 0;
}

void
meters_add(struct meters *meters, const struct meter *meter)
{
    if (meters->n >= meters->allocated) {
        meters->meters = x2nrealloc(meters->meters, &meters->allocated,
                                    sizeof *meters->meters);
    }
    meters->meters[meters->n++] = *meter;
}

static int
compare_ids(const void *a_, const void *b_)
{
    const struct meter *a = a_, *b = b_;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int
compare_meters(const void *a_, const void *b_)
{
    const struct meter *a = a_, *b = b_;
    int order = compare_ids(a, b);

    return order ? order : a->rate < b->rate ? -1 : a->rate > b->rate;
}

void
meters_sort(struct meters *meters)
{
    struct meter *m = meters->meters;
    size_t n = 0;

    if (meters->n) {
        qsort(m, meters->n, sizeof *m, compare_meters);
    }
    for (size_t i = 0; i < meters->n; i++) {
        if (!n || m[i].id != m[n - 1].id) {
            m[n++] = m[i];
        }
    }
    meters->n = n;
}

bool
meters_contain(const struct meters *meters, uint32_t id)
{
    const struct meter key = { .id = id };

    return meters->n && bsearch(&key, meters->meters, meters->n,
                                sizeof *meters->meters, compare_ids);
}

static bool
meter_equal(const struct meter *a, const struct meter *b)
{
    return a->id == b->id && a->rate == b->rate && a->burst == b->burst;
}

bool
meters_equal(const struct meters *a, const struct meters *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!meter_equal(&a->meters[i], &b->meters[i])) {
            return false;
        }
    }
    return true;
}

void
meters_copy(struct meters *dst, const struct meters *src)
{
    meters_clear(dst);
    for (size_t i = 0; i < src->n; i++) {
        meters_add(dst, &src->meters[i]);
    }
}

/* Those that there should be. */

static void
want(struct meters *meters, uint32_t id, uint32_t rate)
{
    meters_add(meters, &(struct meter) { id, rate, 2 * rate });
}

void
meters_compute(struct meters *meters, const struct local_ports *ports,
               const struct mapping *mapping)
{
    meters_clear(meters);
    want(meters, FM_COPIES, FM_COPIES_RATE);
    want(meters, FM_FULL, FM_FULL_RATE);
    want(meters, FM_SERVICES, FM_SERVICES_RATE);
    want(meters, FM_ACL_LOG, FM_ACL_LOG_RATE);
    want(meters, FM_DUPLICATES, FM_DUPLICATES_RATE);
    want(meters, FM_LOOP_PROBES, FM_LOOP_PROBES_RATE);

    for (size_t i = 0; i < ports->n; i++) {
        const struct local_port *port = &ports->ports[i];
        const struct model_net *net = mapping_net_by_vni(mapping, port->vni);

        if (port->ofport && net) {
            want(meters, meter_of_bum(port->ofport), net->bum_rate);
            want(meters, meter_of_punts(port->ofport), FM_PUNTS_RATE);
            want(meters, meter_of_probes(port->ofport), FM_PROBES_RATE);
        }
    }
    meters_sort(meters);
}

bool
meter_is_ours(uint32_t id)
{
    return ((id >= FM_COPIES && id <= FM_LOOP_PROBES)
            || (id >= FM_BUM && id < FM_PROBES + FM_PORTS));
}

/* Differences. */

static void
change(struct meter_changes *changes, enum meter_change_type type,
       const struct meter *meter)
{
    if (changes->n >= changes->allocated) {
        changes->changes = x2nrealloc(changes->changes, &changes->allocated,
                                      sizeof *changes->changes);
    }
    changes->changes[changes->n++] = (struct meter_change) { type, *meter };
}

void
meters_diff(const struct meters *installed, const struct meters *desired,
            struct meter_changes *changes)
{
    size_t i = 0, j = 0;

    while (i < installed->n || j < desired->n) {
        const struct meter *old
            = i < installed->n ? &installed->meters[i] : NULL;
        const struct meter *new = j < desired->n ? &desired->meters[j] : NULL;
        int order = !old ? 1 : !new ? -1 : compare_ids(old, new);

        i += order <= 0;
        j += order >= 0;
        if (order > 0) {
            change(changes, METER_ADD, new);
        } else if (order < 0 && meter_is_ours(old->id)) {
            change(changes, METER_DELETE, old);
        } else if (!order && !meter_equal(old, new)) {
            change(changes, METER_MODIFY, new);
        }
    }
}

void
meter_changes_destroy(struct meter_changes *changes)
{
    free(changes->changes);
    *changes = (struct meter_changes) METER_CHANGES_INITIALIZER;
}
