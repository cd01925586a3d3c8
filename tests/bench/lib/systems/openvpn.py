# SPDX-License-Identifier: Apache-2.0
"""OpenVPN with a tap device: TLS, then AES-128-GCM in user space."""

from lab import run
from systems.base import INNER_MTU, System

COMMON = """
dev {device}
dev-type tap
proto udp4
lport 1194
local {address}
data-ciphers AES-128-GCM
tun-mtu {mtu}
mssfix 0
fast-io
ca {directory}/ca.pem
cert {directory}/cert.pem
key {directory}/key.pem
ping 10
persist-key
script-security 0
verb 2
"""
SERVER = """
mode server
tls-server
dh none
duplicate-cn
max-clients 1000
"""
CLIENT = """
tls-client
pull
remote {remote} 1194
"""


class OpenVpn(System):
    name = "openvpn"
    title = "OpenVPN tap, AES-128-GCM"
    packages = ("openvpn", "openssl")
    program = "openvpn"

    def make_certificate(self, host):
        """One self-signed certificate for all, which is also the CA."""
        key = host.write("key.pem", "")
        cert = host.write("cert.pem", "")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=bench", "-keyout", key, "-out", cert)
        text = {"key.pem": open(key).read(), "cert.pem": open(cert).read()}
        for each in self.lab.hosts:
            for name in text:
                each.write(name, text[name])
            each.write("ca.pem", text["cert.pem"])

    def spawn(self, host, device, address, role):
        path = host.write(f"{device}.conf", (COMMON + role).format(
            device=device, address=address, mtu=INNER_MTU,
            directory=host.directory, remote=self.lab.a.address))
        return host.spawn("openvpn", "openvpn", "--config", path)

    def start(self):
        self.make_certificate(self.lab.a)
        self.daemons = [self.spawn(self.lab.a, "tap0", self.lab.a.address,
                                   SERVER)]
        self.spawn(self.lab.b, "tap0", self.lab.b.address, CLIENT)

    def start_members(self):
        self.make_certificate(self.lab.a)
        self.daemons = [self.spawn(self.lab.a, "tap0", self.lab.a.address,
                                   SERVER)]
        for i, address in enumerate(self.lab.member_addresses(), 1):
            self.spawn(self.lab.b, f"tap{i}", address, CLIENT)
