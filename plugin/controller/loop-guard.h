/* SPDX-License-Identifier: Apache-2.0 */
/* Which local ports are cut off because a loop goes through them. */
#ifndef VSUBNET_LOOP_GUARD_H
#define VSUBNET_LOOP_GUARD_H 1

/* The life of a port
 * ==================
 *
 *                 .---------------------------------------------.
 *                 v                                             |
 *              OPEN, a probe each LOOP_INTERVAL                 |
 *                 | a probe that speaks against it comes in,    |
 *                 | or the tunnel's own datagrams do            |
 *                 v                                             |
 *              BLOCKED, still probed ---------------------------'
 *                                   nothing of that for 'hold'; or the port
 *                                   changes; or an operator says so
 *
 * A blocked port gets and gives no frame but probes, so the loop is seen as
 * long as it is there, and opening again is no experiment.  'hold' is
 * LOOP_HOLD, and doubles, up to LOOP_HOLD_MAX, for a port that is blocked
 * again within LOOP_MEMORY.
 *
 * Of the ports of a loop one stays open, or what is behind it would be cut off
 * for good: the first in the order of (node, OpenFlow port).  So a probe
 * speaks against the port that it comes in by if it was sent by an earlier
 * one, or by that port itself.  One from a later port does when it has gone on
 * for LOOP_PATIENCE, because then the later one has not blocked itself: it
 * does not get the probes of the earlier.  Probes of a port that is blocked
 * say so, and speak against nobody but itself.
 *
 * While a loop was there, MACs of anywhere were learnt at both ends of it, and
 * bound there.  So what was learnt at a port is to be forgotten LOOP_SETTLE
 * after it was blocked, and after a probe of a later port says that that one
 * is.
 *
 * A probe never speaks against another port than the one by which it came in:
 * whoever sends it (see loop-probe.h) cuts off himself.
 *
 * What is blocked outlives this program: the reason is in the Interface
 * (external_ids:vsubnet-blocked), and read from there.
 *
 * Pure: time and randomness are arguments, and what it does are functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct local_ports;

/* Milliseconds. */
enum {
    LOOP_INTERVAL = 3000,       /* Give or take a fifth. */
    LOOP_PATIENCE = 4 * LOOP_INTERVAL,
    LOOP_HOLD = 10000,
    LOOP_HOLD_MAX = 320000,
    LOOP_MEMORY = 600000,
    LOOP_SETTLE = 1000,
};

struct loop_port {
    struct hmap_node node;      /* In struct loop_guard's 'ports'. */
    char *name;
    ofp_port_t ofport;
    uint32_t vni;
    long long int probe_at;     /* When it is probed next. */

    char *reason;               /* NULL: it is open. */
    long long int seen_at;      /* When something last spoke against it. */
    long long int opened_at;    /* After it was blocked; 0: never was. */
    long long int hold;
    long long int later_since;  /* Probes of a later port come in since then, */
    long long int later_at;     /* and last did then; 0: none. */
    long long int cut_at;       /* The same of ports that are blocked. */
    long long int forget_at;    /* 0: nothing is to be forgotten. */
};

struct loop_guard {
    struct hmap ports;          /* Contains "struct loop_port"s by name. */
    bool changed;               /* What is blocked; the owner clears it. */
};

void loop_guard_init(struct loop_guard *);
void loop_guard_destroy(struct loop_guard *);

/* These are the local ports now: their 'blocked', which is read for ports that
 * are new, becomes what this module says. */
void loop_guard_sync(struct loop_guard *, struct local_ports *,
                     long long int now);

/* Probes what is to be probed, opens what may be, and has MACs forgotten.  'random' is any
 * number. */
struct loop_actions {
    void (*probe)(const struct loop_port *, void *aux);
    void (*forget)(const struct loop_port *, void *aux);    /* MACs. */
    void *aux;
};
void loop_guard_run(struct loop_guard *, long long int now, uint32_t random,
                    const struct loop_actions *);
long long int loop_guard_next(const struct loop_guard *);

/* A port as loops order them. */
struct loop_end {
    uint32_t node;
    ofp_port_t ofport;
};

/* There was no connection to the switch: nothing could speak against a port. */
void loop_guard_reset(struct loop_guard *, long long int now);

/* A probe that 'from' sent, blocked or not, came in at 'at'. */
void loop_guard_probed(struct loop_guard *, const struct loop_end *from,
                       bool blocked, const struct loop_end *at,
                       long long int now);

/* The underlay is reached through the port, as 'reason' says. */
void loop_guard_underlay(struct loop_guard *, ofp_port_t, const char *reason,
                         long long int now);

/* Opens the port; false if it is not blocked. */
bool loop_guard_open(struct loop_guard *, const char *name,
                     long long int now);

size_t loop_guard_n_blocked(const struct loop_guard *);

#endif /* loop-guard.h */
