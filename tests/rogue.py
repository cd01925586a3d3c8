#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A guest that says what only servers and routers say, and one that listens.

usage: rogue.py send IFACE
       rogue.py hear IFACE MAC READY

"send" sends each of its frames without a VLAN tag, with one of ID 0 and with
two, and last a mark.  "hear" makes the file READY when it listens, and prints
what it hears of MAC until the mark.
"""
import logging
import socket
import sys

logging.getLogger('scapy').setLevel(logging.ERROR)
# pylint: disable=wrong-import-position,import-error
from scapy.all import (BOOTP, DHCP, Dot1Q, Ether, ICMPv6ND_RA,  # noqa: E402
                       ICMPv6NDOptPrefixInfo, IP, IPv6, Raw, UDP,
                       get_if_hwaddr)
from scapy.layers.dhcp6 import DHCP6_Advertise                  # noqa: E402

ETH_P_ALL = 3
ETH_P_8021Q = 0x8100
MARK = b'the last of them'


def frames(mac):
    """The frames, by name."""
    everybody = Ether(src=mac, dst='ff:ff:ff:ff:ff:ff')
    six = Ether(src=mac, dst='33:33:00:00:00:01')
    ip6 = IPv6(src='fe80::bad', dst='ff02::1')
    plain = {
        'offer': everybody / IP(src='10.77.0.66', dst='255.255.255.255')
        / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr='10.77.0.67')
        / DHCP(options=[('message-type', 'offer'), 'end']),
        'advertisement': six / IPv6(src='fe80::bad', dst='ff02::1', hlim=255)
        / ICMPv6ND_RA() / ICMPv6NDOptPrefixInfo(prefix='fd0b:ad::'),
        'dhcp6': six / ip6 / UDP(sport=547, dport=546)
        / DHCP6_Advertise(trid=1),
    }
    tagged = {}
    for name, frame in plain.items():
        payload = frame.payload.copy()
        tag = Dot1Q(vlan=0, type=frame.type)
        outer = Dot1Q(vlan=0, type=ETH_P_8021Q)
        head = Ether(src=mac, dst=frame.dst)
        tagged[name + ' tagged'] = head / tag / payload
        tagged[name + ' tagged twice'] = head / outer / tag / payload
    mark = everybody / IP(src='10.77.0.66', dst='255.255.255.255') \
        / UDP(sport=9, dport=9) / Raw(MARK)
    return {**plain, **tagged, 'mark': mark}


def name_of(data):
    """What the frame 'data' is, or None."""
    if MARK in data:
        return 'mark'
    frame = Ether(data)
    # The kernel takes tag 0 off what it hands to a packet socket.
    name = None
    if frame.haslayer(ICMPv6ND_RA):
        name = 'advertisement'
    elif frame.haslayer(UDP):
        ports = (frame[UDP].sport, frame[UDP].dport)
        name = {(67, 68): 'offer', (547, 546): 'dhcp6'}.get(ports)
    return name


def main():
    """Does one of the two."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(ETH_P_ALL))
    sock.bind((sys.argv[2], 0))
    if sys.argv[1] == 'send':
        for frame in frames(get_if_hwaddr(sys.argv[2])).values():
            sock.send(bytes(frame))
        return
    mac = bytes.fromhex(sys.argv[3].replace(':', ''))
    sock.settimeout(30)
    with open(sys.argv[4], 'w', encoding='ascii'):
        pass
    name = None
    while name != 'mark':
        data = sock.recv(2048)
        name = name_of(data) if data[6:12] == mac else None
        if name:
            print(name)


main()
