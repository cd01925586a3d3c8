# SPDX-License-Identifier: Apache-2.0
"""The kernel's VXLAN device, in clear: what the same work costs unencrypted
and without leaving the kernel."""

from systems.base import System
from systems.sink import Sink

PORT = 4789


class KernelVxlan(Sink, System):
    name = "kernel-vxlan"
    title = "kernel VXLAN, in clear"
    encrypted = False
    sink_port = PORT

    def device(self, host):
        return "vxlan0"

    def make(self, host, *remote):
        host.ip("link", "add", "vxlan0", "type", "vxlan", "id", "5001",
                "local", host.address, *remote, "dstport", str(PORT))

    def start(self):
        self.make(self.lab.a, "remote", self.lab.b.address)
        self.make(self.lab.b, "remote", self.lab.a.address)

    def start_sender(self):
        self.make(self.lab.a)
        for address in self.lab.member_addresses():
            self.lab.a.run("bridge", "fdb", "append", "00:00:00:00:00:00",
                           "dev", "vxlan0", "dst", address)
