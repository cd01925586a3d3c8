# SPDX-License-Identifier: Apache-2.0
"""fastd: a layer-2 tunnel in user space, with its fastest AES method."""

from lab import run, wait_for
from systems.base import INNER_MTU, System

CONFIG = """
log level warn;
mode tap;
interface "{device}";
method "aes128-gcm";
mtu {mtu};
bind {address}:10000;
secret "{secret}";
"""
PEER = """
peer "{name}" {{
    key "{key}";
    {remote}
}}
"""


class Fastd(System):
    name = "fastd"
    title = "fastd, aes128-gcm"
    packages = ("fastd",)
    program = "fastd"

    def key_pair(self):
        text = run("fastd", "--generate-key", "--machine-readable")
        secret = text.strip()
        probe = self.lab.a.write("probe.conf", f'secret "{secret}";\n')
        public = run("fastd", "-c", probe, "--show-key",
                     "--machine-readable").strip()
        return secret, public

    def spawn(self, host, device, address, secret, peers):
        text = CONFIG.format(device=device, mtu=INNER_MTU, address=address,
                             secret=secret) + "".join(peers)
        path = host.write(f"{device}.conf", text)
        return host.spawn("fastd", "fastd", "-c", path)

    def peer(self, name, key, address=None):
        remote = f"remote {address}:10000;" if address else ""
        return PEER.format(name=name, key=key, remote=remote)

    def start_a(self, peers):
        """Peers call a, which only listens: a first call that finds nobody
        is repeated after 20 seconds."""
        a = self.lab.a
        daemon = self.spawn(a, "tap0", a.address, self.secret, peers)
        wait_for("fastd: its device", lambda: a.has_device("tap0"), 10,
                 daemon.check)
        return daemon

    def start(self):
        self.secret, public = self.key_pair()
        secret, b_public = self.key_pair()
        a, b = self.lab.hosts
        self.start_a([self.peer("b", b_public)])
        self.spawn(b, "tap0", b.address, secret,
                   [self.peer("a", public, a.address)])

    def start_members(self):
        self.secret, public = self.key_pair()
        addresses = self.lab.member_addresses()
        pairs = [self.key_pair() for _ in addresses]
        self.daemons = [self.start_a([self.peer(f"m{i}", key)
                                      for i, (_, key) in enumerate(pairs, 1)])]
        to_a = [self.peer("a", public, self.lab.a.address)]
        for i, address in enumerate(addresses, 1):
            self.spawn(self.lab.b, f"tap{i}", address, pairs[i - 1][0], to_a)
