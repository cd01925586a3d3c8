# SPDX-License-Identifier: Apache-2.0
"""n2n 1.3: edges that find each other through a supernode.

Broadcast goes to the supernode, which sends the copies; both run on host a, so
both count as the sender there."""

import os

from lab import wait_for
from systems.base import INNER, INNER_MTU, System

SUPERNODE_PORT = 7654


class N2n(System):
    name = "n2n"
    title = "n2n 1.3 (Twofish)"
    packages = ("n2n",)
    program = "edge"
    settle = 2                      # Until then the supernode relays.

    def supernode(self):
        return self.lab.a.spawn("supernode", "supernode", "-l",
                                SUPERNODE_PORT)

    def edge(self, host, device, inner, port, mac):
        environment = dict(os.environ, N2N_KEY="benchmark")
        return host.spawn(
            "edge", "edge", "-d", device, "-a", inner, "-s", "255.255.0.0",
            "-c", "bench", "-p", port, "-m", mac, "-M", INNER_MTU,
            "-l", f"{self.lab.a.address}:{SUPERNODE_PORT}", env=environment)

    def start(self):
        self.supernode()
        for i, host in enumerate(self.lab.hosts, 1):
            self.edge(host, "tap0", INNER[host.name], 5000 + i,
                      f"02:76:00:00:00:{i:02x}")

    def start_members(self):
        a, b = self.lab.hosts
        self.daemons = [self.supernode(),
                        self.edge(a, "tap0", INNER["a"], 5000,
                                  "02:76:00:00:ff:ff")]
        for i in range(1, self.lab.members + 1):
            self.edge(b, f"tap{i}", f"10.78.0.{i}", 5000 + i,
                      f"02:76:00:00:00:{i:02x}")

    def configure_device(self, host):
        """edge sets the address by itself, and must have done so before."""
        if host is self.lab.a or not self.lab.members:
            wait_for("n2n: its address", lambda: INNER[host.name] in
                     host.run("ip", "address"), 10, self.lab.check)
        super().configure_device(host)
