#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""too-big.py TO ROUTER PEER MTU: tells host TO, in the name of ROUTER, that
what it sends from UDP port 8002 to PEER has no way for more than MTU bytes."""

import sys

from scapy.all import ICMP, IP, UDP, Raw, send

to, router, peer, mtu = sys.argv[1:]
lost = IP(src=to, dst=peer, flags='DF', len=1500) \
    / UDP(sport=8002, dport=8002, len=1480) / Raw(b'\0' * 32)
send(IP(src=router, dst=to)
     / ICMP(type=3, code=4, nexthopmtu=int(mtu)) / lost, verbose=False)
