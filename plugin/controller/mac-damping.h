/* SPDX-License-Identifier: Apache-2.0 */
/* MACs that move too often are held where they were. */
#ifndef VSUBNET_MAC_DAMPING_H
#define VSUBNET_MAC_DAMPING_H 1

/* A learnt MAC moves when it speaks at another local port than before, or when
 * the mapping service says that it is at another host.  A machine that moves
 * does so once or twice; when it goes on, two machines have one MAC, one of
 * them pretends to be the other, or there is a loop.  Then traffic goes now
 * here, now there, and each move costs the mapping service and all hosts a
 * change.  So moves are damped, as changes of routes are (RFC 2439):
 *
 *   - each move adds MAC_DAMPING_MOVE to the MAC's penalty, which halves each
 *     MAC_DAMPING_HALF_LIFE;
 *   - above MAC_DAMPING_LIMIT (five moves in a row) the MAC is held at its
 *     home: the place at which it was before the first of these moves.  What
 *     comes from it elsewhere is dropped at local ports, and not learnt from
 *     the tunnel (flow-storm.c);
 *   - after MAC_DAMPING_HOLD it may move again, with no penalty.  Each time
 *     that it is held again within MAC_DAMPING_MEMORY, that is twice as long,
 *     at most MAC_DAMPING_HOLD_MAX.
 *
 * All hosts that see a MAC go to and fro see the same moves, so they hold it
 * at the same home.  Who was there first stays: a guest that takes another's
 * MAC loses the use of it at its own port.
 *
 * A place is a local port, or elsewhere: another host, whichever.  What is
 * remembered is bounded, and so is what is held, since each MAC held costs a
 * flow for each port of its vSubnet.
 *
 * Pure: time is an argument. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

enum {
    MAC_DAMPING_MOVE = 1000,
    MAC_DAMPING_LIMIT = 4000,
    MAC_DAMPING_QUIET = 100,        /* As good as nothing. */

    /* Milliseconds. */
    MAC_DAMPING_HALF_LIFE = 10000,
    MAC_DAMPING_HOLD = 10000,
    MAC_DAMPING_HOLD_MAX = 320000,
    MAC_DAMPING_MEMORY = 600000,

    MAC_DAMPING_MAX = 4096,         /* MACs remembered, */
    MAC_DAMPING_HELD_MAX = 64,      /* and held. */
};

/* The place that is none of this host's ports. */
#define MAC_ELSEWHERE ((OVS_FORCE ofp_port_t) 0)

struct mac_hold {
    uint32_t vni;
    struct eth_addr mac;
    ofp_port_t home;            /* Or MAC_ELSEWHERE. */
};

/* What flows are made of: sorted by VNI and MAC. */
struct mac_holds {
    struct mac_hold *holds;
    size_t n;
};

struct damped_mac {
    struct hmap_node node;      /* In struct mac_damping's 'macs'. */
    struct mac_hold at;         /* Which MAC; its home. */
    ofp_port_t place;           /* Where it was last. */
    double penalty;             /* At 'since'. */
    long long int since;
    long long int held_until;   /* 0: it is not held. */
    long long int released;     /* When it was held last; 0: never. */
    long long int hold;         /* How long then. */
};

struct mac_damping {
    struct hmap macs;           /* Contains "struct damped_mac"s. */
    size_t n_held;
};

void mac_damping_init(struct mac_damping *);
void mac_damping_destroy(struct mac_damping *);

/* The MAC, which was at 'from', is at 'to'.  Returns true if it is held since
 * now.  One that is held already does not move. */
bool mac_damping_move(struct mac_damping *, uint32_t vni, struct eth_addr,
                      ofp_port_t from, ofp_port_t to, long long int now);

/* The MAC as far as it is remembered, or NULL. */
const struct damped_mac *mac_damping_find(const struct mac_damping *,
                                          uint32_t vni, struct eth_addr);

/* The port, that is, whatever there was, is gone: nothing is held there. */
typedef bool mac_port_exists_func(uint32_t vni, ofp_port_t, void *aux);

/* Releases and forgets.  'released', which may be NULL, is called for each MAC
 * that is held no more. */
typedef void mac_released_func(const struct mac_hold *, void *aux);
void mac_damping_run(struct mac_damping *, long long int now,
                     mac_port_exists_func *, mac_released_func *, void *aux);
long long int mac_damping_next(const struct mac_damping *);

/* Makes the list of what is held; free() 'holds'. */
void mac_damping_holds(const struct mac_damping *, struct mac_holds *);

#endif /* mac-damping.h */
