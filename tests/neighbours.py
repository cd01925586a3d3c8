#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks for neighbours, and says what is not true, as a guest would not.

    neighbours.py bind OPERATOR-JSON NET NODE FIRST COUNT
    neighbours.py ask INTERFACE IP FIRST COUNT
    neighbours.py forge INTERFACE IP IP6 OTHER-IP OTHER-IP6

"bind" has the mapping service bind COUNT addresses from FIRST on in vSubnet
NET, eight to a MAC (mac_of()), at node NODE.  "ask" sends an ARP request to
all for each of these and prints how many were answered with the right and
with a wrong MAC; a question is asked once, the next when the one before was
answered, or after a while.  "forge" sends frames that say "good" and that a
guest with these two addresses may send, and frames that say "forged" and that
it may not; it prints how many of each.
"""

import argparse
import http.client
import ipaddress
import json
import select
import socket
import ssl
import struct
import time

BROADCAST = b"\xff" * 6
ADDRESSES_PER_MAC = 8
ASKED = b"vsubnet-asked."       # Behind a request: no other is so long.
UNANSWERED = 0.005              # Seconds until the next question.


def mac_of(address):
    number = int(ipaddress.ip_address(address))
    return bytes([2, 0x88]) + struct.pack("!I", number // ADDRESSES_PER_MAC)


def mac_text(mac):
    return mac.hex(":")


def addresses(first, count):
    first = ipaddress.ip_address(first)
    return [str(first + i) for i in range(count)]


def bind(arguments):
    with open(arguments.operator, encoding="utf-8") as file:
        operator = json.load(file)
    context = ssl.create_default_context(cadata=operator["ca"])
    context.check_hostname = False
    url = operator["urls"][0].removeprefix("https://")
    connection = http.client.HTTPSConnection(url, context=context)
    bindings = {}
    for address in addresses(arguments.first, arguments.count):
        bindings.setdefault(mac_of(address), []).append(address)
    for mac, bound in bindings.items():
        connection.request(
            "POST", f"/v1/nets/{arguments.net}/bindings",
            json.dumps({"mac": mac_text(mac), "addresses": bound,
                        "node": int(arguments.node)}),
            {"Authorization": "Bearer " + operator["token"],
             "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise SystemExit(f"{mac_text(mac)}: {answer.status} {text}")


def open_interface(name):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((name, 0))
    with open(f"/sys/class/net/{name}/address", encoding="ascii") as file:
        return raw, bytes.fromhex(file.read().strip().replace(":", ""))


def ether(src, dst, ethertype):
    return dst + src + struct.pack("!H", ethertype)


def tagged(frame, vlan):
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def arp(src, sha, spa, tpa, op=1, tha=b"\0" * 6):
    return (ether(src, BROADCAST, 0x0806)
            + struct.pack("!HHBBH", 1, 0x0800, 6, 4, op)
            + sha + socket.inet_aton(spa) + tha + socket.inet_aton(tpa))


def receive_answer(raw, address, until):
    """Returns who has the address, or None."""
    wanted = socket.inet_aton(address)
    while True:
        left = until - time.monotonic()
        if not select.select([raw], [], [], max(left, 0))[0]:
            return None
        frame = raw.recv(2048)
        if (frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2"
                and frame[28:32] == wanted and frame[6:12] == frame[22:28]):
            return frame[22:28]


def ask(arguments):
    raw, mac = open_interface(arguments.interface)
    right = wrong = 0
    # Answers are waited for as long as they come.
    patience = 30
    for address in addresses(arguments.first, arguments.count):
        raw.send(arp(mac, mac, arguments.ip, address) + ASKED)
        answer = receive_answer(raw, address, time.monotonic() + patience)
        if answer is None:
            patience = UNANSWERED
        elif answer == mac_of(address):
            right += 1
        else:
            wrong += 1
    print(f"{right} answered, {wrong} with a wrong MAC")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)


def udp4(src, ip_src, text):
    payload = text.encode()
    udp = struct.pack("!HHHH", 9, 9, 8 + len(payload), 0) + payload
    head = (struct.pack("!BBHHHBB", 0x45, 0, 20 + len(udp), 0, 0, 64, 17)
            + b"\0\0" + socket.inet_aton(ip_src) + b"\xff" * 4)
    head = head[:10] + checksum(head) + head[12:]
    return ether(src, BROADCAST, 0x0800) + head + udp


def icmp6(src, ip_src, body):
    dst = socket.inet_pton(socket.AF_INET6, "ff02::1")
    source = socket.inet_pton(socket.AF_INET6, ip_src)
    pseudo = source + dst + struct.pack("!II", len(body), 58)
    body = body[:2] + checksum(pseudo + body) + body[4:]
    return (ether(src, bytes.fromhex("333300000001"), 0x86dd)
            + struct.pack("!IHBB", 6 << 28, len(body), 58, 255)
            + source + dst + body)


def advert(src, ip_src, target, tll):
    return icmp6(src, ip_src, struct.pack("!BBHI", 136, 0, 0, 0x20000000)
                 + socket.inet_pton(socket.AF_INET6, target)
                 + b"\2\1" + tll)


def solicit(src, ip_src, target, sll):
    return icmp6(src, ip_src, struct.pack("!BBHI", 135, 0, 0, 0)
                 + socket.inet_pton(socket.AF_INET6, target)
                 + b"\1\1" + sll)


def with_code_1(frame):
    """The same with ICMPv6 code 1, whose checksum is of no interest."""
    return frame[:55] + b"\1" + frame[56:]


def echo(src, ip_src, text):
    return icmp6(src, ip_src, struct.pack("!BBHI", 128, 0, 0, 0)
                 + text.encode())


def forge(a):
    raw, mac = open_interface(a.interface)
    other = bytes.fromhex("0288aabbccdd")
    stranger = "fd88::ffff"
    good = [
        udp4(mac, a.ip, "good"),
        arp(mac, mac, a.ip, "10.88.255.254"),
        arp(mac, mac, a.ip, a.ip),
        arp(mac, mac, "0.0.0.0", a.ip),
        echo(mac, a.ip6, "good"),
        advert(mac, a.ip6, a.ip6, mac),
        solicit(mac, a.ip6, stranger, mac),
        ether(mac, BROADCAST, 0x88b6),
    ]
    forged = [
        udp4(other, a.ip, "forged"),
        udp4(mac, a.other_ip, "forged"),
        udp4(mac, "10.88.255.1", "forged"),
        arp(mac, mac, a.other_ip, a.other_ip),
        arp(mac, mac, a.other_ip, "10.88.255.254", op=2),
        arp(mac, other, a.ip, "10.88.255.254", op=2),
        arp(other, other, a.other_ip, a.other_ip),
        echo(mac, a.other_ip6, "forged"),
        echo(mac, "fe80::1", "forged"),
        advert(mac, a.ip6, a.other_ip6, mac),
        advert(mac, a.ip6, a.ip6, other),
        advert(mac, a.other_ip6, a.other_ip6, other),
        solicit(mac, a.other_ip6, stranger, mac),
        solicit(mac, a.ip6, stranger, other),
        ether(other, BROADCAST, 0x88b6),
        # Of VLAN 0, which is as good as untagged.
        tagged(udp4(mac, a.other_ip, "forged"), 0),
        with_code_1(advert(mac, a.ip6, a.other_ip6, mac)),
    ]
    for text, frames in (("forged", forged), ("good", good)):
        for frame in frames:
            raw.send(frame + b"vsubnet-" + text.encode() + b".")
    print(f"{len(good)} good, {len(forged)} forged")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    for function, names in (
            (bind, ("operator", "net", "node", "first", "count")),
            (ask, ("interface", "ip", "first", "count")),
            (forge, ("interface", "ip", "ip6", "other_ip", "other_ip6"))):
        verb = verbs.add_parser(function.__name__)
        verb.set_defaults(function=function)
        for name in names:
            verb.add_argument(name, type=int if name == "count" else str)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
