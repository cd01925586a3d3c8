/* SPDX-License-Identifier: Apache-2.0 */
/* MACs that move too often are held where they were. */
#include <config.h>
#include "controller/mac-damping.h"

#include <math.h>
#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(mac_moved);
COVERAGE_DEFINE(mac_held);
COVERAGE_DEFINE(mac_damping_full);

void
mac_damping_init(struct mac_damping *d)
{
    hmap_init(&d->macs);
    d->n_held = 0;
}

static void
forget(struct mac_damping *d, struct damped_mac *mac)
{
    d->n_held -= mac->held_until != 0;
    hmap_remove(&d->macs, &mac->node);
    free(mac);
}

void
mac_damping_destroy(struct mac_damping *d)
{
    struct damped_mac *mac;

    HMAP_FOR_EACH_SAFE (mac, node, &d->macs) {
        forget(d, mac);
    }
    hmap_destroy(&d->macs);
}

static struct damped_mac *
find(const struct mac_damping *d, uint32_t vni, struct eth_addr addr)
{
    struct damped_mac *mac;

    HMAP_FOR_EACH_WITH_HASH (mac, node, hash_mac(addr, 0, vni), &d->macs) {
        if (mac->at.vni == vni && eth_addr_equals(mac->at.mac, addr)) {
            return mac;
        }
    }
    return NULL;
}

const struct damped_mac *
mac_damping_find(const struct mac_damping *d, uint32_t vni,
                 struct eth_addr mac)
{
    return find(d, vni, mac);
}

static double
penalty(const struct damped_mac *mac, long long int now)
{
    return mac->penalty * exp2((mac->since - now)
                               / (double) MAC_DAMPING_HALF_LIFE);
}

/* Nothing is lost if it is forgotten. */
static bool
is_quiet(const struct damped_mac *mac, long long int now)
{
    return (!mac->held_until && penalty(mac, now) < MAC_DAMPING_QUIET
            && (!mac->released
                || now >= mac->released + MAC_DAMPING_MEMORY));
}

static void
forget_quiet(struct mac_damping *d, long long int now)
{
    struct damped_mac *mac;

    HMAP_FOR_EACH_SAFE (mac, node, &d->macs) {
        if (is_quiet(mac, now)) {
            forget(d, mac);
        }
    }
}

/* Finds or adds; NULL if there are too many.  Who is not there yet has its
 * home at 'from'. */
static struct damped_mac *
obtain(struct mac_damping *d, uint32_t vni, struct eth_addr addr,
       ofp_port_t from, long long int now)
{
    struct damped_mac *mac = find(d, vni, addr);

    if (mac) {
        return mac;
    }
    if (hmap_count(&d->macs) >= MAC_DAMPING_MAX) {
        COVERAGE_INC(mac_damping_full);
        return NULL;
    }
    mac = xzalloc(sizeof *mac);
    mac->at = (struct mac_hold) { vni, addr, from };
    mac->place = from;
    mac->since = now;
    hmap_insert(&d->macs, &mac->node, hash_mac(addr, 0, vni));
    return mac;
}

static void
hold(struct mac_damping *d, struct damped_mac *mac, long long int now)
{
    bool again = (mac->released
                  && now < mac->released + MAC_DAMPING_MEMORY);

    mac->hold = (again ? MIN(2 * mac->hold, MAC_DAMPING_HOLD_MAX)
                 : MAC_DAMPING_HOLD);
    mac->held_until = now + mac->hold;
    mac->place = mac->at.home;
    d->n_held++;
    COVERAGE_INC(mac_held);
}

bool
mac_damping_move(struct mac_damping *d, uint32_t vni, struct eth_addr addr,
                 ofp_port_t from, ofp_port_t to, long long int now)
{
    struct damped_mac *mac = obtain(d, vni, addr, from, now);

    if (!mac || mac->held_until || from == to) {
        return false;
    }
    COVERAGE_INC(mac_moved);

    double old = penalty(mac, now);
    if (old < MAC_DAMPING_QUIET) {
        mac->at.home = from;
    }
    mac->penalty = old + MAC_DAMPING_MOVE;
    mac->since = now;
    mac->place = to;
    if (mac->penalty <= MAC_DAMPING_LIMIT) {
        return false;
    }
    if (d->n_held >= MAC_DAMPING_HELD_MAX) {
        COVERAGE_INC(mac_damping_full);
        return false;
    }
    hold(d, mac, now);
    return true;
}

void
mac_damping_run(struct mac_damping *d, long long int now,
                mac_port_exists_func *exists, mac_released_func *released,
                void *aux)
{
    struct damped_mac *mac;

    HMAP_FOR_EACH (mac, node, &d->macs) {
        const struct mac_hold *at = &mac->at;

        if (mac->held_until
            && (now >= mac->held_until
                || (at->home != MAC_ELSEWHERE
                    && !exists(at->vni, at->home, aux)))) {
            mac->held_until = 0;
            mac->released = now;
            mac->penalty = 0;
            d->n_held--;
            if (released) {
                released(at, aux);
            }
        }
    }
    if (hmap_count(&d->macs) >= MAC_DAMPING_MAX / 2) {
        forget_quiet(d, now);
    }
}

long long int
mac_damping_next(const struct mac_damping *d)
{
    long long int next = LLONG_MAX;
    const struct damped_mac *mac;

    if (d->n_held) {
        HMAP_FOR_EACH (mac, node, &d->macs) {
            if (mac->held_until) {
                next = MIN(next, mac->held_until);
            }
        }
    }
    return next;
}

static int
compare_holds(const void *a_, const void *b_)
{
    const struct mac_hold *a = a_, *b = b_;

    return (a->vni != b->vni ? (a->vni < b->vni ? -1 : 1)
            : eth_addr_compare_3way(a->mac, b->mac));
}

void
mac_damping_holds(const struct mac_damping *d, struct mac_holds *list)
{
    const struct damped_mac *mac;

    list->holds = xcalloc(MAX(d->n_held, 1), sizeof *list->holds);
    list->n = 0;
    HMAP_FOR_EACH (mac, node, &d->macs) {
        if (mac->held_until) {
            list->holds[list->n++] = mac->at;
        }
    }
    qsort(list->holds, list->n, sizeof *list->holds, compare_holds);
}
