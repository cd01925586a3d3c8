#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Authenticates and decrypts captured vSubnet datagrams.

Written from sections 2.1 and 2.3 of plugin/DESIGN.md alone, so that it shows
whether the format is what that page says.  It shares no code with vSubnet.

usage: decode.py [--port PORT] [--find TEXT] CAPTURE KEYRING...

CAPTURE is a pcap file of the underlay, KEYRING the keyring file of a host.
Several keyrings together say more: which node has which address, and so for
which node a datagram was sealed.  Prints a summary; fails if a datagram does
not authenticate, if there is none, or if no frame inside holds TEXT.
"""

import argparse
import collections
import ipaddress
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from scapy.all import IP, UDP, IPv6, PcapReader

HEADER = struct.Struct("!I I Q Q")      # version, type, VNI; SPI; session; seq
TAG_LENGTH = 16
REPLICATED = 0x8                        # bit 8 of the type
FRAME, OAM, FRAGMENT = 0, 1, 2

# Name in the keyring: (byte in the key derivation, key length).
ALGORITHMS = {"aes128gcm": (1, 16), "aes256gcm": (2, 32)}

Key = collections.namedtuple("Key", "vni node algorithm secret")


class Bad(Exception):
    """A datagram that is not what it should be; the text says why."""


class Keyrings:
    """What the keyring files of several hosts say together."""

    def __init__(self, paths):
        self.keys = {}          # SPI -> Key
        self.nodes = {}         # underlay address -> node number
        for path in paths:
            self._read(path)

    def _read(self, path):
        with open(path, encoding="ascii") as lines:
            records = [line.split() for line in lines]
        if records[0] != ["vsubnet-keyring", "1"]:
            sys.exit(f"{path}: no keyring of version 1")
        if records[-1] != ["end", str(len(records) - 1)]:
            sys.exit(f"{path}: cut off")
        for word, *fields in records:
            if word == "peer":
                number, address = fields[:2]
                if address != "-":
                    self.nodes[ipaddress.ip_address(address)] = int(number)
            elif word == "key":
                vni, _, spi, node, algorithm, _, secret = fields
                key = Key(int(vni), int(node), algorithm,
                          bytes.fromhex(secret))
                if self.keys.setdefault(int(spi), key) != key:
                    sys.exit(f"{path}: SPI {spi} has another key elsewhere")


def traffic_key(key, spi, session):
    number, length = ALGORITHMS[key.algorithm]
    info = (b"vsubnet-v0" + bytes([number]) + spi.to_bytes(4, "big")
            + key.vni.to_bytes(3, "big"))
    return HKDF(algorithm=hashes.SHA256(), length=length,
                salt=session.to_bytes(8, "big"), info=info).derive(key.secret)


def decode(payload, destination, keyrings):
    """Returns (type, VNI, sending node, frame), or raises Bad."""
    if len(payload) < HEADER.size + TAG_LENGTH:
        raise Bad("too short")
    header, sealed = payload[:HEADER.size], payload[HEADER.size:]
    first, spi, session, sequence = HEADER.unpack(header)
    version, kind, vni = first >> 28, first >> 24 & 0xf, first & 0xffffff
    if version != 0:
        raise Bad(f"version {version}")
    key = keyrings.keys.get(spi)
    if key is None:
        raise Bad(f"unknown SPI {spi}")
    if key.vni != vni:
        raise Bad(f"SPI {spi} belongs to another VNI")
    associated = header
    if not kind & REPLICATED:
        receiver = keyrings.nodes.get(destination)
        if receiver is None:
            raise Bad(f"no node has the address {destination}")
        associated += receiver.to_bytes(4, "big")
    nonce = bytes(4) + sequence.to_bytes(8, "big")
    try:
        frame = AESGCM(traffic_key(key, spi, session)).decrypt(
            nonce, sealed, associated)
    except InvalidTag:
        raise Bad("not authentic") from None
    return kind, vni, key.node, frame


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--find", default="")
    parser.add_argument("capture")
    parser.add_argument("keyring", nargs="+")
    args = parser.parse_args()

    keyrings = Keyrings(args.keyring)
    pattern = args.find.encode()
    kinds = collections.Counter()
    bad = collections.Counter()
    nonces = collections.Counter()
    with_pattern = 0
    for packet in PcapReader(args.capture):
        if UDP not in packet or packet[UDP].dport != args.port:
            continue
        outer = packet[IPv6] if IPv6 in packet else packet[IP]
        payload = bytes(packet[UDP].payload)
        try:
            kind, vni, node, frame = decode(
                payload, ipaddress.ip_address(outer.dst), keyrings)
        except Bad as reason:
            bad[str(reason)] += 1
            continue
        kinds[kind] += 1
        # One datagram may be captured once for each member it is sent to.
        nonces[payload[4:HEADER.size], payload[HEADER.size:]] += 1
        with_pattern += pattern in frame

    authentic = sum(kinds.values())
    print(f"datagrams: {authentic + sum(bad.values())}, "
          f"authentic: {authentic}, with the text: {with_pattern}, "
          f"replicated: {sum(n for k, n in kinds.items() if k & REPLICATED)}, "
          f"OAM: {sum(n for k, n in kinds.items() if k & ~REPLICATED == OAM)}")
    for reason, count in bad.items():
        print(f"bad: {count}: {reason}")
    # Two different ciphertexts under one SPI, session and sequence.
    reused = len(nonces) - len({head for head, _ in nonces})
    if reused:
        print(f"nonces used twice: {reused}")
    return bool(bad or reused or not authentic
                or (pattern and not with_pattern))


if __name__ == "__main__":
    sys.exit(main())
