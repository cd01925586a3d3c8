/* SPDX-License-Identifier: Apache-2.0 */
/* Guards the segment against what is done to it: loops, and itself. */
#ifndef VSUBNET_GUARD_H
#define VSUBNET_GUARD_H 1

/* Sends probes for loops, judges those that come back, and looks whether the
 * overlay is carried over itself: whether the device that has this node's
 * endpoint is a port of a vSubnet, or is bridged with one, so that datagrams
 * of the tunnel come in there.  loop-guard.h says what becomes of such a port.
 *
 * Counts how often MACs move (mac-damping.h), and has those held that do too
 * often.
 *
 * `ovs-appctl -t vsubnet-controller vsubnet/unblock PORT` opens a port. */

#include "controller/loop-guard.h"
#include "controller/mac-damping.h"

struct controller;
struct json_t;
struct local_ports;
struct punt;

struct guard {
    struct loop_guard loops;
    struct mac_damping macs;
    struct mac_holds holds;     /* Of 'macs', as flows have it. */
};

void guard_init(struct guard *);
void guard_destroy(struct guard *);

/* These are the local ports; says in them which are blocked. */
void guard_sync_ports(struct controller *, struct local_ports *);

/* A frame of kind PUNT_LOOP. */
void guard_receive(struct controller *, const struct punt *);

/* The switch has learnt the MAC on the port (MAC_ELSEWHERE: from the tunnel).
 * Returns true if it is held at another place: then it was not. */
bool guard_learnt(struct controller *, uint32_t vni, ofp_port_t,
                  struct eth_addr);

/* The mapping service says that the MAC, which was at a local port, is at
 * another host. */
void guard_moved_away(struct controller *, uint32_t vni, struct eth_addr);

/* Adds to 'problems' a sentence for each MAC that is held. */
void guard_add_problems(const struct controller *, struct json_t *problems);

/* There is a new connection to the switch. */
void guard_reset(struct controller *);

void guard_run(struct controller *);
void guard_wait(struct controller *);

/* Registers the command. */
void guard_init_commands(struct controller *);

#endif /* guard.h */
