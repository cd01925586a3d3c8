#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Connections for tests of filtering.

probe tcp|udp ADDRESS PORT        says what comes back within a second:
                                  "refused" (a RST, an ICMP error), "accepted"
                                  or "silence"
tell tcp|udp PORT                 whoever speaks to it is told something 50
                                  times a second, without an end
listen tcp|udp ADDRESS PORT FILE  speaks once, and then adds to FILE what it is
                                  told
shout ADDRESS PORT                sends a datagram to a broadcast address
"""

import socket
import sys
import threading
import time

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def connect(protocol, address, port, timeout):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, KINDS[protocol])
    s.settimeout(timeout)
    s.connect((address, int(port)))
    s.send(b"?")
    return s


def probe(protocol, address, port):
    try:
        connect(protocol, address, port, 1).recv(100)
        return "accepted"
    except ConnectionError:
        return "refused"
    except TimeoutError:
        return "silence"


def tell_one(send):
    try:
        while True:
            send(b"!")
            time.sleep(0.02)
    except OSError:
        pass


def tell(protocol, port):
    s = socket.socket(socket.AF_INET6, KINDS[protocol])
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", int(port)))
    if protocol == "tcp":
        s.listen()
    while True:
        if protocol == "tcp":
            send = s.accept()[0].send
        else:
            who = s.recvfrom(100)[1]

            def send(data, who=who):
                s.sendto(data, who)
        threading.Thread(target=tell_one, args=(send,), daemon=True).start()


def listen(protocol, address, port, path):
    s = connect(protocol, address, port, None)
    with open(path, "ab", buffering=0) as f:
        while data := s.recv(65536):
            f.write(data)


def shout(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(b"!", (address, int(port)))


if __name__ == "__main__":
    result = {"probe": probe, "tell": tell, "listen": listen,
              "shout": shout}[sys.argv[1]](*sys.argv[2:])
    if result:
        print(result)
