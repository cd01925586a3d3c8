/* SPDX-License-Identifier: Apache-2.0 */
/* How long a datagram may be on the way to each peer. */

#ifndef DATAPATH_VSUBNET_PATH_H
#define DATAPATH_VSUBNET_PATH_H 1

/* Paths as the kernel sees them
 * =============================
 *
 * The longest frame that fits in one datagram is a member of each peer and of
 * each net (the least of its members) of a keyring in use.  A longer frame
 * travels in fragments (fragment.h), and TCP that a guest left to be cut is
 * cut to fit.
 *
 * The kernel knows the devices, the MTUs of routes and what "too big" messages
 * have told it.  Such a message can be forged, so it counts down to PATH_FLOOR
 * only, which any IPv6 path carries; and where the port may ask the peers
 * themselves (vsubnet-peers.h), it only says what to ask.  The kernel also says
 * from which address of this host datagrams to a peer leave.
 *
 * Thread safety: nothing here locks.  vsubnet_path_ask() changes nothing;
 * vsubnet_path_set_nets() changes the keyring. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct keyring;

enum {
    PATH_FLOOR = 1280,
    PATH_DEFAULT = 1500,        /* When the kernel knows nothing. */
};

struct path_facts {
    int mtu;                    /* At least PATH_FLOOR; 0: no route. */
    struct in6_addr local;      /* Of this host; all zeros: no route. */
};

/* Asks the kernel for the path from 'local' (all zeros: any address) to
 * 'remote'. */
struct path_facts vsubnet_path_ask(const struct in6_addr *local,
                                   const struct in6_addr *remote);

/* The longest frame for a path of 'mtu' bytes to 'remote'. */
int vsubnet_path_max_frame(int mtu, const struct in6_addr *remote);

/* Sets each net's 'max_frame' to the least of its members'. */
void vsubnet_path_set_nets(struct keyring *);

/* The longest IP packet that reaches each peer in one datagram, or 0 if there
 * is no peer whose endpoint is known. */
int vsubnet_path_inner_mtu(const struct keyring *);

#endif /* datapath/vsubnet-path.h */
