/* SPDX-License-Identifier: Apache-2.0 */
/* How long a datagram may be on the way to each peer. */

#ifndef DATAPATH_VSUBNET_PATH_H
#define DATAPATH_VSUBNET_PATH_H 1

/* Path MTU
 * ========
 *
 * The longest frame that fits in one datagram is a member of each peer and of
 * each net (the least of its members) of a keyring in use.  A longer frame
 * travels in fragments (fragment.h), and TCP that a guest left to be cut is
 * cut to fit.
 *
 * The kernel is asked for it: it knows the devices, the MTUs of routes and
 * what "too big" messages have told it.  Such a message can be forged, so what
 * it says counts down to PATH_FLOOR only, which any IPv6 path carries: all
 * that a forger gains is that frames travel in fragments.
 *
 * When a keyring is loaded, endpoints that were not there before are asked
 * for; afterwards some in each second, in turn.
 *
 * Thread safety: nothing here locks.  vsubnet_path_probe() changes nothing;
 * the others change the keyring. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct keyring;
struct keyring_peer;

enum {
    PATH_FLOOR = 1280,
    PATH_DEFAULT = 1500,        /* When the kernel knows nothing. */
};

/* The MTU from 'local' (all zeros: any address) to 'remote'. */
int vsubnet_path_mtu(const struct in6_addr *local,
                     const struct in6_addr *remote);

/* The longest frame for a path of 'mtu' bytes to 'remote'. */
int vsubnet_path_max_frame(int mtu, const struct in6_addr *remote);

/* Fills in 'keyring': what 'old' (may be NULL) knows is taken from there. */
void vsubnet_path_init(struct keyring *, const struct keyring *old,
                       const struct in6_addr *local);

/* Sets a peer's to 'max_frame', and its nets'. */
void vsubnet_path_set(struct keyring *, uint32_t number, int max_frame);

#endif /* datapath/vsubnet-path.h */
