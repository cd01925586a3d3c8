# SPDX-License-Identifier: Apache-2.0
"""The tunnels that are compared, in the order of the table."""

from systems.fastd import Fastd
from systems.kernel_vxlan import KernelVxlan
from systems.n2n import N2n
from systems.openvpn import OpenVpn
from systems.ovs_vxlan import OvsVxlan
from systems.tinc import Tinc
from systems.vsubnet import Vsubnet

SYSTEMS = {each.name: each for each in (Vsubnet, KernelVxlan, OvsVxlan, Fastd,
                                        OpenVpn, Tinc, N2n)}
OURS = "vsubnet"
BASELINE = "kernel-vxlan"
# Encrypted layer-2 tunnels of others: what the best of is our measure.
PEERS = [each.name for each in SYSTEMS.values()
         if each.encrypted and each.name != OURS]
