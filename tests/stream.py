#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One file through one TCP connection.

    stream.py listen ADDRESS FILE     what arrives goes into FILE
    stream.py send ADDRESS FILE
"""

import socket
import sys
import time

PORT = 7001


def listen(address, path):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, PORT), family=family) as server, \
            server.accept()[0] as connection, open(path, "wb") as out:
        while data := connection.recv(1 << 16):
            out.write(data)
        connection.sendall(b"!")


def send(address, path):
    deadline = time.monotonic() + 10
    while True:
        try:
            connection = socket.create_connection((address, PORT), 5)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with connection, open(path, "rb") as data:
        start = time.monotonic()
        connection.settimeout(60)
        size = connection.sendfile(data)
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) != b"!":
            sys.exit("the other end did not confirm")
        took = time.monotonic() - start
    print(f"measured: {size} bytes in {took:.2f} s, "
          f"{size * 8 / took / 1e6:.0f} Mb/s")


if __name__ == "__main__":
    {"listen": listen, "send": send}[sys.argv[1]](*sys.argv[2:])
