/* SPDX-License-Identifier: Apache-2.0 */
/* Guards the segment against what is done to it: loops, and itself. */
#ifndef VSUBNET_GUARD_H
#define VSUBNET_GUARD_H 1

/* Sends probes for loops, judges those that come back, and looks whether the
 * overlay is carried over itself: whether the device that has this node's
 * endpoint is a port of a vSubnet, or is bridged with one, so that datagrams
 * of the tunnel come in there.  loop-guard.h says what becomes of such a port.
 *
 * `ovs-appctl -t vsubnet-controller vsubnet/unblock PORT` opens a port. */

#include "controller/loop-guard.h"

struct controller;
struct local_ports;
struct punt;

struct guard {
    struct loop_guard loops;
};

void guard_init(struct guard *);
void guard_destroy(struct guard *);

/* These are the local ports; says in them which are blocked. */
void guard_sync_ports(struct controller *, struct local_ports *);

/* A frame of kind PUNT_LOOP. */
void guard_receive(struct controller *, const struct punt *);

void guard_run(struct controller *);
void guard_wait(struct controller *);

/* Registers the command. */
void guard_init_commands(struct controller *);

#endif /* guard.h */
