# SPDX-License-Identifier: Apache-2.0
"""What every tunnel has in common.

A system makes a layer-2 tunnel between the two hosts of a Lab and says which
device of each host is its end of it: the tunnel's own device, with no bridge
or further veth behind it, so that each system is measured at its shortest
path.  Inner addresses and MTU are the same for all.

For replication, host a is one member, and host b plays the 'lab.members'
others: either real ones, one process and one device each, or, for a tunnel
without handshakes, sockets that count datagrams (a Sink).
"""

import os
import shutil
import time

from lab import Failure, wait_for

# Fits in a 1500-byte underlay with each system's overhead.
INNER_MTU = 1400
INNER = {"a": "10.77.0.1", "b": "10.77.0.2"}
INNER6 = {"a": "fd77::1", "b": "fd77::2"}
INNER_BROADCAST = "10.77.255.255"


class System:
    name = None
    title = None                    # What exactly is measured, for people.
    packages = ()
    program = None                  # Must be in PATH.
    encrypted = True
    settle = 0                      # Seconds from its first packet until it
                                    # works as it will.

    def __init__(self, lab, tools):
        self.lab = lab
        self.tools = tools          # Built programs: tools.ovs, ...
        self.daemons = []           # Processes of host a, for replication.

    # What a system implements.

    def start(self):
        """Starts both ends.  The devices may take a while to appear."""
        raise NotImplementedError

    def device(self, host):
        return "tap0"

    def start_members(self):
        """Starts host a and all 'lab.members' of host b."""
        raise NotImplementedError

    def member_copies(self):
        """Copies received so far by all members of b."""
        counters = self.lab.b.counters()
        return sum(counters[device] for device in self.member_devices())

    def member_devices(self):
        return [f"tap{i}" for i in range(1, self.lab.members + 1)]

    # What a case calls.

    def up(self):
        self.need_program()
        self.start()
        for host in self.lab.hosts:
            self.configure_device(host)
        self.wait_for_ping("over IPv4", INNER["b"])
        self.wait_for_ping("over IPv6", INNER6["b"])
        time.sleep(self.settle)
        self.wait_for_ping("of full size", INNER["b"], "-M", "do", "-s",
                           INNER_MTU - 28)

    def wait_for_ping(self, what, address, *options):
        wait_for(f"{self.name}: a ping {what} through the tunnel",
                 lambda: self.lab.a.succeeds("ping", "-qc1", "-W1", *options,
                                             address),
                 30, self.lab.check)

    def up_members(self):
        self.need_program()
        self.start_members()
        self.configure_device(self.lab.a)
        devices = self.member_devices()
        wait_for(f"{self.name}: devices of all members",
                 lambda: self.has_devices(devices), 60, self.lab.check)
        self.lab.b.ip_batch(f"link set {device} up" for device in devices)

    def has_devices(self, devices):
        return set(devices) <= set(self.lab.b.counters())

    def need_program(self):
        if self.program and not shutil.which(self.program,
                                             path=search_path()):
            raise Failure(f"{self.program} is not installed")

    def configure_device(self, host):
        device = self.device(host)
        wait_for(f"{self.name}: device {device} in host {host.name}",
                 lambda: host.has_device(device), 20, self.lab.check)
        host.ip("address", "flush", "dev", device)
        host.ip("address", "add", INNER[host.name] + "/16", "broadcast",
                INNER_BROADCAST, "dev", device)
        host.ip("link", "set", device, "mtu", str(INNER_MTU), "up")
        if not self.lab.members:
            host.ip("address", "add", INNER6[host.name] + "/64", "dev",
                    device, "nodad")


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
