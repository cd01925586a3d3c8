#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends marked Ethernet frames, and counts them in captures.

    frames.py send INTERFACE MARK COUNT [--source MAC] [--sources N] KIND...
    frames.py count CAPTURE MARK
    frames.py replay INTERFACE CAPTURE [--damage BYTE]

A mark is text; frame number 7 of kind "arp" carries "MARK arp 7;".  The kinds
are arp, broadcast, multicast4, multicast6 and unicast=MAC.  "count" prints
for each kind found how many different frames there were and how often the
one that was seen most.  With --sources, that many source addresses take turns.
"replay" sends the first frame of a capture as it was, or with one byte changed.
"""

import argparse
import collections
import ipaddress
import re
import socket
import struct
import sys

BROADCAST = b"\xff" * 6
TEST_TYPE = 0x88b5              # IEEE 802 local experimental


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def interface_mac(name):
    with open(f"/sys/class/net/{name}/address", encoding="ascii") as address:
        return mac(address.read().strip())


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(destination, source, ethertype, payload):
    return destination + source + struct.pack("!H", ethertype) + payload


def udp4(mark, group="239.7.7.7"):
    source = ipaddress.ip_address("10.77.0.250").packed
    udp = struct.pack("!HHHH", 7777, 7777, 8 + len(mark), 0) + mark
    fields = ["!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 1, 17, 0,
              source, ipaddress.ip_address(group).packed]
    fields[8] = checksum(struct.pack(*fields))
    return struct.pack(*fields) + udp


def udp6(mark, group="ff05::7777"):
    source = ipaddress.ip_address("fd77::250").packed
    udp = struct.pack("!HHHH", 7777, 7777, 8 + len(mark), 0xffff) + mark
    return struct.pack("!IHBB16s16s", 6 << 28, len(udp), 17, 1, source,
                       ipaddress.ip_address(group).packed) + udp


def arp(mark, source):
    sender = ipaddress.ip_address("10.77.0.250").packed
    target = ipaddress.ip_address("10.77.0.251").packed
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, source, sender,
                       bytes(6), target) + mark


def build(kind, mark, source):
    if kind == "arp":
        return ethernet(BROADCAST, source, 0x0806, arp(mark, source))
    if kind == "broadcast":
        return ethernet(BROADCAST, source, TEST_TYPE, mark)
    if kind == "multicast4":
        return ethernet(mac("01005e070707"), source, 0x0800, udp4(mark))
    if kind == "multicast6":
        return ethernet(mac("333300007777"), source, 0x86dd, udp6(mark))
    if kind.startswith("unicast="):
        return ethernet(mac(kind[8:]), source, TEST_TYPE, mark)
    sys.exit(f"unknown kind of frame: {kind}")


def send(args):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((args.interface, 0))
    source = mac(args.source) if args.source else interface_mac(args.interface)
    for kind in args.kind:
        word = kind.split("=")[0]
        for number in range(args.count):
            mark = f"{args.mark} {word} {number};".encode()
            if args.sources:
                source = source[:3] + (number % args.sources).to_bytes(3, "big")
            link.send(build(kind, mark, source).ljust(60, b"\0"))


def captured(path):
    """The frames of a pcap file."""
    with open(path, "rb") as capture:
        data = capture.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") \
        else ">"
    offset = 24
    while offset + 16 <= len(data):
        length, = struct.unpack_from(order + "8xI", data, offset)
        yield data[offset + 16:offset + 16 + length]
        offset += 16 + length


def count(args):
    seen = collections.Counter()
    mark = re.compile(re.escape(args.mark.encode()) + rb" (\w+) (\d+);")
    for frame in captured(args.capture):
        for kind, number in mark.findall(frame):
            seen[kind.decode(), int(number)] += 1
    kinds = sorted({kind for kind, _ in seen})
    if not kinds:
        print("none")
    for kind in kinds:
        times = [n for (k, _), n in seen.items() if k == kind]
        print(f"{kind}: {len(times)} frames, each at most {max(times)} times")


def replay(args):
    frame = bytearray(next(captured(args.capture)))
    if args.damage is not None:
        frame[args.damage] ^= 0x55
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((args.interface, 0))
    link.send(frame)


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    sender = verbs.add_parser("send")
    sender.add_argument("--source")
    sender.add_argument("--sources", type=int)
    sender.add_argument("interface")
    sender.add_argument("mark")
    sender.add_argument("count", type=int)
    sender.add_argument("kind", nargs="+")
    sender.set_defaults(run=send)
    counter = verbs.add_parser("count")
    counter.add_argument("capture")
    counter.add_argument("mark")
    counter.set_defaults(run=count)
    replayer = verbs.add_parser("replay")
    replayer.add_argument("interface")
    replayer.add_argument("capture")
    replayer.add_argument("--damage", type=int)
    replayer.set_defaults(run=replay)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
