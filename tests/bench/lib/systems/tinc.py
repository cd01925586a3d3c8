# SPDX-License-Identifier: Apache-2.0
"""tinc 1.0 in switch mode, with AES-128-CBC."""

import os

from lab import run
from systems.base import System

CONFIG = """
Name = {name}
Mode = switch
DeviceType = tap
Interface = {device}
BindToAddress = {address}
AddressFamily = ipv4
ProcessPriority = normal
{connect}
"""
HOST = """
Address = {address}
Cipher = aes-128-cbc
Digest = sha1
{key}
"""


class Tinc(System):
    name = "tinc"
    title = "tinc 1.0, switch, aes-128-cbc"
    packages = ("tinc", "openssl")
    program = "tincd"
    settle = 5                      # It uses TCP until it knows the path MTU.

    def key_pair(self):
        """One RSA key for all: the handshake is not what is measured."""
        path = self.lab.a.write("rsa.pem", "")
        run("openssl", "genrsa", "-traditional", "-out", path, "2048")
        private = open(path).read()
        return private, run("openssl", "rsa", "-in", path, "-RSAPublicKey_out")

    def spawn(self, host, name, device, address, hosts, connect):
        """'hosts' is what this node knows of others: name -> text."""
        directory = f"net-{name}"
        lines = f"ConnectTo = {connect}" if connect else ""
        host.write(f"{directory}/tinc.conf", CONFIG.format(
            name=name, device=device, address=address, connect=lines))
        host.write(f"{directory}/tinc-up", "#!/bin/sh\n", 0o700)
        host.write(f"{directory}/rsa_key.priv", self.private)
        for other, text in hosts.items():
            host.write(f"{directory}/hosts/{other}", text)
        path = os.path.join(host.directory, directory)
        return host.spawn("tincd", "tincd", "-D", "-c", path,
                          f"--pidfile={path}/pid", "--logfile=/dev/stderr")

    def host_text(self, address):
        return HOST.format(address=address, key=self.public)

    def start(self):
        self.private, self.public = self.key_pair()
        a, b = self.lab.hosts
        hosts = {host.name: self.host_text(host.address)
                 for host in self.lab.hosts}
        self.spawn(a, "a", "tap0", a.address, hosts, None)
        self.spawn(b, "b", "tap0", b.address, hosts, "a")

    def start_members(self):
        self.private, self.public = self.key_pair()
        a, b = self.lab.hosts
        hosts = {f"m{i}": self.host_text(address)
                 for i, address in enumerate(self.lab.member_addresses(), 1)}
        hosts["a"] = self.host_text(a.address)
        self.daemons = [self.spawn(a, "a", "tap0", a.address, hosts, None)]
        for i, address in enumerate(self.lab.member_addresses(), 1):
            known = {name: hosts[name] for name in ("a", f"m{i}")}
            self.spawn(b, f"m{i}", f"tap{i}", address, known, "a")
