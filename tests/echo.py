# SPDX-License-Identifier: Apache-2.0
"""Sends data of many lengths to a server that sends it back, over TCP and
UDP, and says whether it came back the same.  "serve", or "call ADDRESS"."""

import hashlib
import random
import socket
import sys
import threading

PORT = 7
TCP_SIZES = [1, 1000, 1400, 65536, 3_000_000]
UDP_SIZES = [1, 17, 512, 1300, 1372, 1400, 1472, 1473, 3000, 9000]


def serve_stream(connection):
    while data := connection.recv(1 << 20):
        connection.sendall(data)
    connection.close()


def serve_datagrams():
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", PORT))
    while True:
        data, who = s.recvfrom(65536)
        s.sendto(data, who)


def serve():
    threading.Thread(target=serve_datagrams, daemon=True).start()
    s = socket.create_server(("::", PORT), family=socket.AF_INET6,
                             dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve_stream, args=s.accept()[:1],
                         daemon=True).start()


def call_stream(address, data):
    digest = hashlib.sha256()
    left = len(data)
    with socket.create_connection((address, PORT), timeout=20) as s:
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        while left and (piece := s.recv(1 << 20)):
            digest.update(piece)
            left -= len(piece)
        sender.join()
    return not left and digest.digest() == hashlib.sha256(data).digest()


def call_datagram(address, data):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(2)
        s.connect((address, PORT))
        for _ in range(5):      # The first may wait for neighbor discovery.
            s.send(data)
            try:
                return s.recv(65536) == data
            except TimeoutError:
                continue
    return False


def call(address):
    source = random.Random(1)
    for how, sizes in ((call_stream, TCP_SIZES), (call_datagram, UDP_SIZES)):
        for size in sizes:
            try:
                same = how(address, source.randbytes(size))
            except OSError as e:
                return f"{address}: {how.__name__} of {size} bytes: {e}"
            if not same:
                return f"{address}: {how.__name__} of {size} bytes: changed"
    return "same"


if sys.argv[1] == "serve":
    serve()
else:
    print(call(sys.argv[2]))
