#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends captured vSubnet datagrams again, as a stranger on the path could.

usage: hostile.py CAPTURE INTERFACE DESTINATION HOW

Takes the datagrams to DESTINATION (an underlay address) out of CAPTURE, does
HOW to each, and sends it from INTERFACE.  HOW is one of

    replay      nothing
    tag         turn the last bit over
    session     turn a bit of the session over
    vni=N       write another VNI into the header
    spi=N       write another SPI
    version     write version 1
    truncate    cut at every length from 0 on: many datagrams from one

Prints how many were sent.
"""

import sys

from scapy.all import IP, UDP, Ether, IPv6, Raw, conf, rdpcap


def replaced(payload, offset, data):
    return payload[:offset] + data + payload[offset + len(data):]


def flipped(payload, offset):
    return replaced(payload, offset, bytes([payload[offset] ^ 1]))


def variants(payload, how):
    word, _, number = how.partition("=")
    if word == "replay":
        return [payload]
    if word == "tag":
        return [flipped(payload, len(payload) - 1)]
    if word == "session":
        return [flipped(payload, 15)]
    if word == "vni":
        return [replaced(payload, 1, int(number).to_bytes(3, "big"))]
    if word == "spi":
        return [replaced(payload, 4, int(number).to_bytes(4, "big"))]
    if word == "version":
        return [replaced(payload, 0, bytes([payload[0] | 0x10]))]
    if word == "truncate":
        return [payload[:length] for length in range(len(payload))]
    sys.exit(f"hostile.py: unknown: {how}")


def rebuilt(packet, payload):
    """The captured frame with another UDP payload, its lengths and checksums
    computed anew."""
    packet = packet.copy()
    packet[UDP].remove_payload()
    del packet[UDP].len, packet[UDP].chksum
    if IPv6 in packet:
        del packet[IPv6].plen
    else:
        del packet[IP].len, packet[IP].chksum
    return Ether(bytes(packet / Raw(payload)))


def main():
    capture, interface, destination, how = sys.argv[1:]
    conf.verb = 0
    link = conf.L2socket(iface=interface)
    sent = 0
    for packet in rdpcap(capture):
        outer = packet[IPv6] if IPv6 in packet else packet.getlayer(IP)
        if outer is None or UDP not in packet or outer.dst != destination \
                or packet[UDP].dport != 8002:
            continue
        for payload in variants(bytes(packet[UDP].payload), how):
            link.send(rebuilt(packet, payload))
            sent += 1
    print(f"{how}: sent {sent}")
    return not sent


if __name__ == "__main__":
    sys.exit(main())
