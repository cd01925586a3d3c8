/* SPDX-License-Identifier: Apache-2.0 */
/* Which local ports are cut off because a loop goes through them. */
#include <config.h>
#include "controller/loop-guard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/local-port.h"
#include "coverage.h"
#include "flow.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(loop_guard);

COVERAGE_DEFINE(loop_blocked);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 30);

void
loop_guard_init(struct loop_guard *guard)
{
    hmap_init(&guard->ports);
    guard->changed = false;
}

static void
remove_port(struct loop_guard *guard, struct loop_port *port)
{
    hmap_remove(&guard->ports, &port->node);
    free(port->name);
    free(port->reason);
    free(port);
}

void
loop_guard_destroy(struct loop_guard *guard)
{
    struct loop_port *port;

    HMAP_FOR_EACH_SAFE (port, node, &guard->ports) {
        remove_port(guard, port);
    }
    hmap_destroy(&guard->ports);
}

static struct loop_port *
find(const struct loop_guard *guard, const char *name)
{
    struct loop_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(name, 0),
                             &guard->ports) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

static struct loop_port *
find_ofport(const struct loop_guard *guard, ofp_port_t ofport)
{
    struct loop_port *port;

    HMAP_FOR_EACH (port, node, &guard->ports) {
        if (port->ofport == ofport) {
            return port;
        }
    }
    return NULL;
}

/* States. */

/* Something speaks against the port. */
static void
block(struct loop_guard *guard, struct loop_port *port, const char *reason,
      long long int now)
{
    port->seen_at = now;
    if (port->reason) {
        return;
    }
    bool again = port->opened_at && now < port->opened_at + LOOP_MEMORY;
    port->hold = again ? MIN(2 * port->hold, LOOP_HOLD_MAX) : LOOP_HOLD;
    port->reason = xstrdup(reason);
    port->forget_at = now + LOOP_SETTLE;
    guard->changed = true;
    COVERAGE_INC(loop_blocked);
    VLOG_WARN_RL(&rl, "port %s is blocked: %s", port->name, reason);
}

static void
open_port(struct loop_guard *guard, struct loop_port *port, const char *why,
          long long int now)
{
    VLOG_INFO_RL(&rl, "port %s is open again: %s", port->name, why);
    free(port->reason);
    port->reason = NULL;
    port->opened_at = now;
    port->later_since = port->later_at = port->cut_at = 0;
    port->probe_at = now;
    guard->changed = true;
}

/* Ports that come and go. */

static void
add_port(struct loop_guard *guard, const struct local_port *from,
         long long int now)
{
    struct loop_port *port = xzalloc(sizeof *port);

    port->name = xstrdup(from->name);
    port->ofport = from->ofport;
    port->vni = from->vni;
    port->probe_at = now;
    port->hold = LOOP_HOLD;
    if (from->blocked) {
        port->reason = xstrdup(from->blocked);
        port->seen_at = now;
    }
    hmap_insert(&guard->ports, &port->node, hash_string(port->name, 0));
}

/* In another vSubnet, or plugged in anew, it is another port. */
static void
change_port(struct loop_guard *guard, struct loop_port *port,
            const struct local_port *from, long long int now)
{
    if (port->vni != from->vni || (port->ofport && !from->ofport)) {
        if (port->reason) {
            open_port(guard, port, "it has changed", now);
        }
        port->opened_at = port->later_since = port->later_at = 0;
    }
    if (port->ofport != from->ofport || port->vni != from->vni) {
        port->probe_at = now;
    }
    port->ofport = from->ofport;
    port->vni = from->vni;
}

void
loop_guard_sync(struct loop_guard *guard, struct local_ports *ports,
                long long int now)
{
    struct loop_port *port;

    HMAP_FOR_EACH_SAFE (port, node, &guard->ports) {
        if (!local_ports_find(ports, port->name)) {
            remove_port(guard, port);
        }
    }
    for (size_t i = 0; i < ports->n; i++) {
        struct local_port *p = &ports->ports[i];

        port = find(guard, p->name);
        if (port) {
            change_port(guard, port, p, now);
        } else {
            add_port(guard, p, now);
            port = find(guard, p->name);
        }
        free(p->blocked);
        p->blocked = nullable_xstrdup(port->reason);
    }
}

/* Time. */

static long long int
opens_at(const struct loop_port *port)
{
    return port->seen_at + port->hold;
}

void
loop_guard_run(struct loop_guard *guard, long long int now, uint32_t random,
               const struct loop_actions *actions)
{
    struct loop_port *port;

    HMAP_FOR_EACH (port, node, &guard->ports) {
        if (port->reason && now >= opens_at(port)) {
            open_port(guard, port, "nothing speaks against it any more", now);
        }
        if (port->forget_at && now >= port->forget_at) {
            actions->forget(port, actions->aux);
            port->forget_at = 0;
        }
        if (port->ofport && now >= port->probe_at) {
            const int fifth = LOOP_INTERVAL / 5;
            uint32_t jitter = hash_string(port->name, random)
                              % (2 * fifth + 1);

            actions->probe(port, actions->aux);
            port->probe_at = now + LOOP_INTERVAL - fifth + jitter;
        }
    }
}

long long int
loop_guard_next(const struct loop_guard *guard)
{
    long long int next = LLONG_MAX;
    const struct loop_port *port;

    HMAP_FOR_EACH (port, node, &guard->ports) {
        if (port->ofport) {
            next = MIN(next, port->probe_at);
        }
        if (port->reason) {
            next = MIN(next, opens_at(port));
        }
        if (port->forget_at) {
            next = MIN(next, port->forget_at);
        }
    }
    return next;
}

void
loop_guard_reset(struct loop_guard *guard, long long int now)
{
    struct loop_port *port;

    HMAP_FOR_EACH (port, node, &guard->ports) {
        port->probe_at = now;
        if (port->reason) {
            port->seen_at = now;
        }
    }
}

/* What comes in. */

/* Returns less than 0 if 'a' is the earlier of the two. */
static int
compare_ends(const struct loop_end *a, const struct loop_end *b)
{
    uint16_t a_port = ofp_to_u16(a->ofport), b_port = ofp_to_u16(b->ofport);

    return (a->node != b->node ? (a->node < b->node ? -1 : 1)
            : a_port < b_port ? -1 : a_port > b_port);
}

/* The loop through 'port' is cut at a later port. */
static void
note_cut(struct loop_port *port, long long int now)
{
    if (!port->cut_at || now >= port->cut_at + LOOP_PATIENCE) {
        port->forget_at = now + LOOP_SETTLE;
    }
    port->cut_at = now;
}

/* A later port's probe speaks against 'port' only if they go on. */
static bool
has_patience(struct loop_port *port, long long int now)
{
    if (!port->later_at || now >= port->later_at + LOOP_PATIENCE) {
        port->later_since = now;
    }
    port->later_at = now;
    port->cut_at = 0;
    return now < port->later_since + LOOP_PATIENCE;
}

void
loop_guard_probed(struct loop_guard *guard, const struct loop_end *from,
                  bool blocked, const struct loop_end *at, long long int now)
{
    struct loop_port *port = find_ofport(guard, at->ofport);
    int order = compare_ends(from, at);

    if (port && blocked && order > 0) {
        note_cut(port, now);
    }
    if (!port || (blocked && order)
        || (order > 0 && has_patience(port, now))) {
        return;
    }

    const struct loop_port *other
        = from->node == at->node ? find_ofport(guard, from->ofport) : NULL;
    char *reason = (!order
                    ? xstrdup("loop: what is sent out of it comes back")
                    : other
                    ? xasprintf("loop: what is sent out of port %s comes in "
                                "here", other->name)
                    : xasprintf("loop: what node %"PRIu32" sends out of a "
                                "port comes in here", from->node));
    block(guard, port, reason, now);
    free(reason);
}

void
loop_guard_underlay(struct loop_guard *guard, ofp_port_t ofport,
                    const char *reason, long long int now)
{
    struct loop_port *port = find_ofport(guard, ofport);

    if (port) {
        block(guard, port, reason, now);
    }
}

bool
loop_guard_open(struct loop_guard *guard, const char *name,
                long long int now)
{
    struct loop_port *port = find(guard, name);

    if (!port || !port->reason) {
        return false;
    }
    open_port(guard, port, "an operator says so", now);
    return true;
}

size_t
loop_guard_n_blocked(const struct loop_guard *guard)
{
    const struct loop_port *port;
    size_t n = 0;

    HMAP_FOR_EACH (port, node, &guard->ports) {
        n += port->reason != NULL;
    }
    return n;
}
