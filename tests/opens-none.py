#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""opens-none.py CAPTURE KEYRING...: tries every key of the keyrings, whatever
its SPI, on every captured datagram, for every node that it could be for.

Fails if one opens, or if there is no datagram or no key.  Like decode.py,
whose formats it uses, it is written from plugin/DESIGN.md alone."""

import itertools
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scapy.all import UDP, PcapReader

import decode

NODES = range(1, 17)


def opens(payload, key):
    """Whether the datagram was sealed with the key."""
    header, sealed = payload[:decode.HEADER.size], payload[decode.HEADER.size:]
    first, spi, session, sequence = decode.HEADER.unpack(header)
    aead = AESGCM(decode.traffic_key(key, spi, session))
    nonce = bytes(4) + sequence.to_bytes(8, "big")
    suffixes = ([b""] if first >> 24 & decode.REPLICATED
                else [node.to_bytes(4, "big") for node in NODES])
    for suffix in suffixes:
        try:
            aead.decrypt(nonce, sealed, header + suffix)
            return True
        except InvalidTag:
            pass
    return False


def main():
    capture, *paths = sys.argv[1:]
    keys = set()
    for path in paths:
        keys.update(decode.Keyrings([path]).keys.values())
    datagrams = [bytes(packet[UDP].payload) for packet in PcapReader(capture)
                 if UDP in packet and packet[UDP].dport == 8002]
    opened = sum(opens(datagram, key)
                 for datagram, key in itertools.product(datagrams, keys))
    print(f"{len(datagrams)} datagrams, {len(keys)} keys, {opened} opened")
    return bool(opened or not datagrams or not keys)


if __name__ == "__main__":
    sys.exit(main())
