# SPDX-License-Identifier: Apache-2.0
"""This project's tunnel port, with a keyring and flows written by hand in
place of the controller's."""

import os
import secrets

from systems.base import INNER_MTU, System
from systems.sink import Sink
from systems.switch import Switch

VNI = 5001
PORT = 8002
NUMBER = {"a": 1, "b": 2}
FIRST_MEMBER = 1001                 # Node number of the first of them.
EVERYONE = "255.255.255.255"


def tunnel_address(number):
    return f"240.0.{number >> 8}.{number & 255}"


class Vsubnet(Sink, System):
    name = "vsubnet"
    title = "vSubnet, AES-128-GCM"
    sink_port = PORT

    def device(self, host):
        return "port0"

    def write_keyring(self, host, peers, keys):
        """'peers' is number -> address, 'keys' number -> hexadecimal."""
        own = NUMBER[host.name]
        lines = ["vsubnet-keyring 1", f"self {own}"]
        lines += [f"peer {number} {address} {PORT} 1.1"
                  for number, address in sorted(peers.items())]
        lines.append(f"net {VNI} -")
        lines += [f"member {VNI} {number}" for number in sorted(peers)]
        lines += [f"key {VNI} {'tx' if number == own else 'rx'} "
                  f"{100 + number} {number} aes128gcm 1 {key}"
                  for number, key in sorted(keys.items())]
        lines.append(f"end {len(lines)}")
        return host.write("keyring", "\n".join(lines) + "\n")

    def start_switch(self, host, peers, keys, destination):
        keyring = self.write_keyring(host, peers, keys)
        switch = Switch(host, self.tools.ovs, ["userspace-tso-enable=true"])
        state = os.path.join(host.directory, "sessions")
        switch.add_bridge(
            "br-int", ("port0", "type=internal", f"mtu_request={INNER_MTU}"),
            ("vs0", "type=vsubnet", "options:remote_ip=flow",
             "options:key=flow", f"options:dst_port={PORT}",
             f"options:keyring={keyring}", f"options:state={state}"))
        switch.set_flows(
            "br-int",
            f"in_port=port0,actions=set_field:{VNI}->tun_id,"
            f"set_field:{destination}->tun_dst,output:vs0",
            f"in_port=vs0,tun_id={VNI},actions=output:port0")
        return switch

    def start(self):
        a, b = self.lab.hosts
        keys = {number: secrets.token_hex(16) for number in NUMBER.values()}
        for host, other in ((a, b), (b, a)):
            number = NUMBER[other.name]
            self.start_switch(host, {number: other.address}, keys,
                              tunnel_address(number))

    def start_sender(self):
        peers = dict(enumerate(self.lab.member_addresses(), FIRST_MEMBER))
        keys = {NUMBER["a"]: secrets.token_hex(16)}
        switch = self.start_switch(self.lab.a, peers, keys, EVERYONE)
        self.daemons = [switch.vswitchd]
