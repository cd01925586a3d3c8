# SPDX-License-Identifier: Apache-2.0
"""What a guest was given, by a capture of its card.

    segments.py FILE MAC

looks at the packets to MAC in FILE: whether each IPv4, TCP and UDP checksum is
right, and whether each TCP segment is one that the guest asked for by the MSS
in its SYNs: data and TCP options together are no longer than that (RFC 9293,
3.7.1).  Prints a name and a number a line.
"""

import array
import struct
import sys

VLAN, IPV4, IPV6 = 0x8100, 0x0800, 0x86dd
TCP, UDP, FRAGMENT6 = 6, 17, 44
SYN = 2


def folded_sum(data):
    """The ones' complement sum of RFC 1071: 0xffff if the checksum in it is
    right.  The order of bytes does not matter for that."""
    total = sum(array.array("H", data + b"\0" * (len(data) & 1)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def frames(path):
    with open(path, "rb") as file:
        magic, = struct.unpack("<I", file.read(24)[:4])
        if magic not in (0xa1b2c3d4, 0xa1b23c4d):
            raise ValueError(f"{path}: not a capture")
        while len(header := file.read(16)) == 16:
            captured, length = struct.unpack("<II", header[8:])
            frame = file.read(captured)
            if captured != length:
                raise ValueError(f"{path}: a frame is cut off")
            if len(frame) == captured:
                yield frame


class Capture:
    def __init__(self, mac):
        self.mac = mac
        self.mss = {}               # Of connections, by (address, port) * 2.
        self.counts = dict.fromkeys(
            ("tcp", "udp", "fragments", "ipv6", "vlan", "other",
             "bad-ip-checksum", "bad-checksum", "over-mss", "no-mss"), 0)

    def count(self, name):
        self.counts[name] += 1

    def frame(self, frame):
        own, vlan, offset = frame[:6] == self.mac, False, 14
        kind, = struct.unpack_from("!H", frame, 12)
        if kind == VLAN:
            vlan, offset = True, 18
            kind, = struct.unpack_from("!H", frame, 16)
        if kind not in (IPV4, IPV6):
            return
        protocol, addresses, payload = self.ip(kind, frame[offset:], own)
        if own:
            self.counts["vlan"] += vlan
            self.counts["ipv6"] += kind == IPV6
        if payload is None:
            self.counts["fragments"] += own
        elif protocol == TCP:
            self.tcp(addresses, payload, own)
        elif own:
            self.count("udp" if protocol == UDP else "other")
        if own and payload is not None and protocol in (TCP, UDP) \
           and folded_sum(addresses + struct.pack("!HH", protocol,
                                                  len(payload))
                          + payload) != 0xffff:
            self.count("bad-checksum")

    def ip(self, kind, packet, own):
        """Returns protocol, both addresses, and the payload, None if it is a
        part of one."""
        if kind == IPV6:
            length, protocol = struct.unpack_from("!HB", packet, 4)
            whole = protocol != FRAGMENT6
            return (protocol, packet[8:40],
                    packet[40:40 + length] if whole else None)
        header = (packet[0] & 15) * 4
        length, _, fragment = struct.unpack_from("!HHH", packet, 2)
        if own and folded_sum(packet[:header]) != 0xffff:
            self.count("bad-ip-checksum")
        return (packet[9], packet[12:20],
                None if fragment & 0x3fff else packet[header:length])

    def tcp(self, addresses, segment, own):
        source, destination, flags = segment[:2], segment[2:4], segment[13]
        half = len(addresses) // 2
        here, there = addresses[half:] + destination, addresses[:half] + source
        if not own:
            if flags & SYN:
                self.mss[there, here] = self.mss_option(segment)
            return
        self.count("tcp")
        mss = self.mss.get((here, there))
        if flags & SYN:
            return
        if mss is None:
            # What ends a connection of before the capture has no payload.
            self.counts["no-mss"] += len(segment) > (segment[12] >> 4) * 4
        elif len(segment) - 20 > mss:
            self.count("over-mss")

    @staticmethod
    def mss_option(segment):
        options = segment[20:(segment[12] >> 4) * 4]
        while options and options[0]:
            if options[0] == 2:
                return struct.unpack_from("!H", options, 2)[0]
            options = options[1 if options[0] == 1 else options[1]:]
        return 536


def main():
    capture = Capture(bytes.fromhex(sys.argv[2].replace(":", "")))
    for frame in frames(sys.argv[1]):
        capture.frame(frame)
    for name, value in capture.counts.items():
        print(name, value)


if __name__ == "__main__":
    main()
