# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's own VXLAN in its userspace datapath, in clear.

It works on whole underlay frames: br-phy takes eth0 and its address.  Without
userspace TSO, because native tunnels drop what TSO hands them."""

from systems.base import INNER_MTU, System
from systems.sink import Sink
from systems.switch import Switch

VNI = 5001


class OvsVxlan(Sink, System):
    name = "ovs-vxlan"
    title = "OVS userspace VXLAN, in clear"
    encrypted = False
    sink_port = 4789

    def device(self, host):
        return "port0"

    def start_switch(self, host):
        switch = Switch(host, self.tools.ovs)
        host.ip("address", "flush", "dev", "eth0")
        switch.add_bridge("br-phy", ("eth0", "type=system"))
        switch.set_flows("br-phy", "actions=NORMAL")
        host.ip("address", "add", host.address + "/16", "dev", "br-phy")
        host.ip("link", "set", "br-phy", "up")
        switch.add_bridge(
            "br-int", ("port0", "type=internal", f"mtu_request={INNER_MTU}"),
            ("vxlan0", "type=vxlan", "options:remote_ip=flow",
             "options:key=flow"))
        return switch

    def flows(self, remotes):
        """Replication is a list of outputs: this port type has no other."""
        send = "".join(f",set_field:{remote}->tun_dst,output:vxlan0"
                       for remote in remotes)
        return (f"in_port=port0,actions=set_field:{VNI}->tun_id{send}",
                f"in_port=vxlan0,tun_id={VNI},actions=output:port0")

    def start(self):
        a, b = self.lab.hosts
        for host, other in ((a, b), (b, a)):
            switch = self.start_switch(host)
            switch.set_flows("br-int", *self.flows([other.address]))

    def start_sender(self):
        switch = self.start_switch(self.lab.a)
        switch.set_flows("br-int", *self.flows(self.lab.member_addresses()))
        self.daemons = [switch.vswitchd]
