/* SPDX-License-Identifier: Apache-2.0 */
/* What flows see of where a frame came from. */

#ifndef DATAPATH_VSUBNET_METADATA_H
#define DATAPATH_VSUBNET_METADATA_H 1

/* Tunnel metadata of received frames
 * ==================================
 *
 * Flags in 'md.tunnel' are part of the datapath's flow key, so each frame gets
 * the same: the key flag and, for OAM, the OAM flag.  The source is the tunnel
 * address of the node that the SPI belongs to.  The destination is this node's
 * tunnel address: it has to be an IPv4 address other than zero, and one that
 * depended on the underlay would split one flow into several. */

#include <stdbool.h>
#include <stdint.h>

struct flow_tnl;

/* Fills in the metadata of a frame from node 'number' in 'vni' to node
 * 'self'. */
void vsubnet_metadata_fill(struct flow_tnl *, uint32_t vni, uint32_t number,
                           uint32_t self, bool oam);

#endif /* datapath/vsubnet-metadata.h */
