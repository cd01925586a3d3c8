/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the things that the controller makes in the database. */
#ifndef VSUBNET_NAMES_H
#define VSUBNET_NAMES_H 1

/* external_ids keys, and the names of ports.  Pure. */

#include <net/if.h>
#include <stdbool.h>

/* On everything that the controller made, and so may delete. */
#define NAME_OWNED "vsubnet-owned"
/* On an Interface: the vSubnet that it is in. */
#define NAME_NET "vsubnet"
#define NAME_CT_ZONES "vsubnet-ct-zones"
/* On an Interface we own: addresses that we gave its device. */
#define NAME_ADDRESSES "vsubnet-addresses"

/* On an Interface: why its port is cut off (loop-guard.h). */
#define NAME_BLOCKED "vsubnet-blocked"
/* On an Interface: addresses of others that it uses (duplicates.h). */
#define NAME_DUPLICATE "vsubnet-duplicate"
/* On an Interface: what it knows of whose its MAC is (claim.h). */
#define NAME_CLAIM "vsubnet-claim"
/* On an Interface, or in Open_vSwitch for all: when it claims its MAC. */
#define NAME_ACTIVATION "vsubnet-activation"

#define NAME_TUNNEL_PORT "vs0"

/* True if 'type' is one of the tunnel port's: "vsubnet", which is what the
 * controller makes, or "vsubnet-pmd", which an operator may prefer. */
bool name_is_tunnel_type(const char *type);

/* Writes to 'name' the name of the host's own port in vSubnet 'net': vs-NET
 * or, when that is longer than a device's name may be (15 characters), its
 * beginning and a hash. */
void name_host_port(const char *net, char name[IFNAMSIZ]);

#endif /* names.h */
