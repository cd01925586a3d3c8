/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that come to this host from another. */
#ifndef VSUBNET_MOVES_H
#define VSUBNET_MOVES_H 1

/* What claim.h and announce.h say, done: hears guests that were waited for,
 * and announces those that have arrived.  All else that happens at a move is
 * done by who does it at any change of a binding.
 *
 * Not thread-safe. */

#include "controller/announce.h"
#include "sset.h"

struct controller;
struct local_ports;
struct punt;

struct moves {
    struct sset spoke;          /* Names of ports, for ovs-config.h. */
    struct shash paces;         /* "struct claim_pace"s by such a name. */
    struct announcements announcements;
};

void moves_init(struct moves *);
void moves_destroy(struct moves *);

/* A frame of a port that waits, or has lost its MAC. */
void moves_receive(struct controller *, const struct punt *);

/* Of the bindings that the controller's touches name, those that are no more
 * may have been learnt before they were registered, and where that was nobody
 * may be now. */
void moves_unlearn(struct controller *);

/* 'new' is about to take the place of the controller's ports: those that have
 * got their MAC will be announced. */
void moves_ports_changed(struct controller *, const struct local_ports *new);

/* Sends announcements that are due. */
void moves_run(struct controller *);
void moves_wait(const struct controller *);

#endif /* moves.h */
