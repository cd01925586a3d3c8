/* SPDX-License-Identifier: Apache-2.0 */
/* Pinging a peer through the tunnel. */

#ifndef DATAPATH_VSUBNET_PING_H
#define DATAPATH_VSUBNET_PING_H 1

/* Ping
 * ====
 *
 * ovs-appctl vsubnet/ping [--json] [-c COUNT] [-s SIZE] TUNNEL-ADDRESS
 *
 * asks another node's port, by messages as in oam.h, COUNT times (5; at most
 * PATH_PING_MAX) to answer requests as long as a datagram with an IP packet of
 * SIZE bytes (64), and replies when all is over (path-ping.h): how many were
 * answered, the round-trip times, and what is known of the path's MTU.
 *
 * So it tells whether the nodes reach each other, have each other's keys and
 * carry packets of that size, whatever their guests and flows do.  The answer
 * is short, so a SIZE is tried one way.  The times include what the main loops
 * of both ovs-vswitchd take to come round.
 *
 * Requests are not repeated and are nothing that path-search.h looks at.  At
 * most PINGS_MAX pings run at once.
 *
 * Thread safety: for the main thread, as are netdev classes' "run" and
 * "wait". */

#include <stdint.h>

enum { PINGS_MAX = 4 };

/* Registers the command. */
void vsubnet_ping_init(void);

/* Node 'number' has answered a request with 'nonce', which was not asked for
 * by anybody else. */
void vsubnet_ping_answered(uint32_t number, uint64_t nonce);

/* Sends what is due, replies to what is over.  No port's mutex is held. */
void vsubnet_ping_run(void);
void vsubnet_ping_wait(void);

#endif /* datapath/vsubnet-ping.h */
