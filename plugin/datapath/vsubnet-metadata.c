/* SPDX-License-Identifier: Apache-2.0 */
/* What flows see of where a frame came from. */

#include <config.h>
#include "datapath/vsubnet-metadata.h"

#include "packets.h"
#include "seal/wire.h"

void
vsubnet_metadata_fill(struct flow_tnl *tnl, uint32_t vni, uint32_t number,
                      uint32_t self, bool oam)
{
    memset(tnl, 0, offsetof(struct flow_tnl, metadata.opts));
    tnl->tun_id = htonll(vni);
    tnl->ip_src = wire_tunnel_address(number);
    tnl->ip_dst = wire_tunnel_address(self);
    tnl->flags = FLOW_TNL_F_KEY | (oam ? FLOW_TNL_F_OAM : 0);
}
