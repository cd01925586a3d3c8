# SPDX-License-Identifier: Apache-2.0
"""Sends data of all sizes between two guests, over TCP and UDP and in both
directions, and says whether it is what arrived.

    transfer.py serve
    transfer.py call tcp|udp MEGABYTES ADDRESS...

"call" has one flow to and one flow from each address, all at the same time,
of MEGABYTES each, and prints what became of them, a name and a number a line.

TCP is written in pieces of 1 to 9000 bytes; what arrived has to have the same
SHA-256.  Each datagram carries its number, its length, and a hash of itself;
those too short for that have a content that follows from their length.  Some
are handed over for segmentation.

Datagrams are sent no faster than they arrive: the receiver says how far it
is.  So no buffer overflows, and as they are ECN-capable nobody drops them to
slow them down: with a wire that loses nothing none may be missing.  If nothing
is heard for a while the sender goes on.
"""

import hashlib
import json
import multiprocessing
import os
import random
import select
import signal
import socket
import struct
import sys
import time

PORT = 7100
MAX_SIZE = 9000
BLOCK = 1 << 20
PATIENCE = 60               # Seconds: more is a flow that stands still.
QUIET = 2                   # ...until what has not come won't.

HEADER = struct.Struct("!QH16s")
WINDOW = 24000              # Of the costs of datagrams under way.
ACK_EVERY = WINDOW // 3
ACK_WAIT = 0.2
UDP_SEGMENT = 103
ECT = 2                     # ECN-capable transport, RFC 3168.
MAX_SEGMENT = 1200          # Of datagrams handed over for segmentation.

socket.setdefaulttimeout(PATIENCE)


class Source:
    """Bytes to send, in pieces whose sizes and contents follow from a seed."""

    def __init__(self, seed, total):
        self.random = random.Random(seed)
        self.block = self.random.randbytes(BLOCK + MAX_SIZE)
        self.left = total

    def size(self):
        """Mostly any; often around that of a packet, often very small."""
        kind = self.random.random()
        low, high = ((1, 9000) if kind < .4 else (1, 1500) if kind < .7
                     else (1300, 1500) if kind < .85 else (1, 64))
        return self.random.randint(low, high)

    def piece(self, size):
        self.left -= size
        start = self.random.randrange(BLOCK)
        return self.block[start:start + size]


def send_stream(data, source):
    digest, sent = hashlib.sha256(), 0
    while source.left > 0:
        piece = source.piece(min(source.left, source.size()))
        data.sendall(piece)
        digest.update(piece)
        sent += len(piece)
    data.shutdown(socket.SHUT_WR)
    return {"bytes": sent, "sha256": digest.hexdigest()}


def receive_stream(data):
    digest, received = hashlib.sha256(), 0
    while piece := data.recv(1 << 20):
        digest.update(piece)
        received += len(piece)
    return {"bytes": received, "sha256": digest.hexdigest()}


def tiny(size):
    return hashlib.sha256(b"%d" % size).digest()[:size]


def datagram_socket(family, own):
    data = socket.socket(family, socket.SOCK_DGRAM)
    data.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, ECT)
    if family == socket.AF_INET6:
        data.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, ECT)
    data.bind((own, 0))
    return data


def datagram(source, number, size):
    if size < HEADER.size:
        source.left -= size
        return tiny(size)
    body = source.piece(size - HEADER.size)
    source.left -= HEADER.size
    return HEADER.pack(number, size, checksum(number, size, body)) + body


def checksum(number, size, body):
    return hashlib.sha256(struct.pack("!QH", number, size)
                          + body).digest()[:16]


def cost(size):
    return size + 600


class DatagramSender:
    def __init__(self, data, source):
        self.data = data
        self.source = source
        self.sent = 0
        self.under_way = []         # (number, cost), oldest first.
        self.waited = 0

    def cost(self):
        return sum(cost for _, cost in self.under_way)

    def wait(self):
        """For an acknowledgement."""
        if not select.select([self.data], [], [], ACK_WAIT)[0]:
            self.under_way = []
            self.waited += 1
            return
        try:
            number, = struct.unpack("!Q", self.data.recv(64))
        except ConnectionRefusedError:
            return
        self.under_way = [each for each in self.under_way if each[0] > number]

    def send(self, size, n):
        """'n' datagrams of 'size' bytes, at once if there are several."""
        while self.under_way and self.cost() + n * cost(size) > WINDOW:
            self.wait()
        payload = b"".join(datagram(self.source, self.sent + i, size)
                           for i in range(n))
        ancillary = [(socket.IPPROTO_UDP, UDP_SEGMENT,
                      struct.pack("=H", size))] if n > 1 else []
        self.data.sendmsg([payload], ancillary)
        self.under_way.append((self.sent + n - 1, n * cost(size)))
        self.sent += n

    def run(self):
        while self.source.left > 0:
            size, n = self.source.size(), 1
            if HEADER.size <= size <= MAX_SEGMENT \
               and self.source.random.random() < .3:
                n = self.source.random.randint(2, 8)
            self.send(size, n)
        return {"sent": self.sent, "waited": self.waited}


class DatagramReceiver:
    def __init__(self, data):
        self.data = data
        self.seen = bytearray()
        self.highest = -1
        self.not_acknowledged = 0
        self.result = dict.fromkeys(
            ("received", "bytes", "corrupt", "twice", "late"), 0)

    def acknowledge(self, size):
        self.not_acknowledged += cost(size)
        if self.not_acknowledged >= ACK_EVERY:
            self.not_acknowledged = 0
            self.data.send(struct.pack("!Q", max(self.highest, 0)))

    def number(self, message):
        """Of a datagram that is as it was sent; None of one too small for
        that, -1 of one that is not."""
        if len(message) < HEADER.size:
            return None if message == tiny(len(message)) else -1
        number, size, digest = HEADER.unpack_from(message)
        good = size == len(message) and digest == checksum(
            number, size, message[HEADER.size:])
        return number if good else -1

    def take(self, message):
        number = self.number(message)
        if number == -1:
            self.result["corrupt"] += 1
            return
        if number is not None:
            if number >= len(self.seen):
                self.seen.extend(bytes(number + 1 - len(self.seen)))
            if self.seen[number]:
                self.result["twice"] += 1
                return
            self.seen[number] = 1
            self.result["late"] += number < self.highest
            self.highest = max(self.highest, number)
        self.result["received"] += 1
        self.result["bytes"] += len(message)
        self.acknowledge(len(message))

    def run(self, control):
        """Until the sender, by 'control', has said how many it sent, and all
        are here or nothing comes any more."""
        sent = None
        while sent is None or self.result["received"] < sent:
            wanted = [self.data] if sent is not None else [self.data, control]
            ready = select.select(wanted, [], [],
                                  QUIET if sent is not None else PATIENCE)[0]
            if self.data in ready:
                self.take(self.data.recv(65536))
            elif control in ready:
                sent = control.receive()["sent"]
            elif sent is not None:
                break
            else:
                raise TimeoutError("a flow stands still")
        return self.result


class Control:
    """What the two ends of a flow have to say to each other, as JSON."""

    def __init__(self, connection):
        self.socket = connection
        self.lines = connection.makefile("r")

    def fileno(self):
        return self.socket.fileno()

    def send(self, message):
        self.socket.sendall((json.dumps(message) + "\n").encode())

    def receive(self):
        return json.loads(self.lines.readline())


def run_sender(flow, data, control):
    source = Source(flow["seed"], flow["bytes"])
    if flow["kind"] == "tcp":
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY,
                        flow["seed"] & 1)
        return send_stream(data, source)
    result = DatagramSender(data, source).run()
    control.send(result)
    return result


def run_receiver(flow, data, control):
    if flow["kind"] == "tcp":
        return receive_stream(data)
    return DatagramReceiver(data).run(control)


def serve_flow(connection):
    control = Control(connection)
    flow = control.receive()
    own, peer = connection.getsockname()[0], connection.getpeername()[0]
    if flow["kind"] == "tcp":
        with socket.create_server((own, 0), family=connection.family,
                                  dualstack_ipv6=":" in own) as s:
            control.send({"port": s.getsockname()[1]})
            data = s.accept()[0]
    else:
        data = datagram_socket(connection.family, own)
        data.connect((peer, flow["port"]))
        control.send({"port": data.getsockname()[1]})
    run = run_receiver if flow["up"] else run_sender
    control.send({"result": run(flow, data, control)})
    # A socket that is closed would refuse the last acknowledgements.
    control.socket.recv(1)


def serve():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(("::", PORT), family=socket.AF_INET6,
                              dualstack_ipv6=True, backlog=64) as server:
        server.settimeout(None)
        while True:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                serve_flow(connection)
                os._exit(0)
            connection.close()


def connect(address):
    """A server that has just been started may not listen yet."""
    for _ in range(100):
        try:
            return socket.create_connection((address, PORT))
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise ConnectionRefusedError(f"nothing listens at {address} port {PORT}")


def call_flow(flow):
    with connect(flow["address"]) as connection:
        control = Control(connection)
        if flow["kind"] == "udp":
            data = datagram_socket(connection.family,
                                   connection.getsockname()[0])
            flow["port"] = data.getsockname()[1]
        control.send(flow)
        there = flow["address"], control.receive()["port"]
        if flow["kind"] == "udp":
            data.connect(there)
        else:
            data = socket.create_connection(there)
        run = run_sender if flow["up"] else run_receiver
        own = run(flow, data, control)
        other = control.receive()
        while "result" not in other:
            other = control.receive()
        other = other["result"]
        return compare(flow, *((own, other) if flow["up"] else (other, own)))


def compare(flow, sent, received):
    """What became of a flow: numbers that can be added up."""
    if flow["kind"] == "tcp":
        return {"flows": 1, "bytes": received["bytes"],
                "unequal": int(sent != received)}
    return {"flows": 1, "sent": sent["sent"],
            "missing": sent["sent"] - received["received"], **received}


def call(kind, megabytes, addresses):
    flows = [{"kind": kind, "address": address, "up": up, "seed": 2 * i + up,
              "bytes": int(float(megabytes) * 1e6)}
             for i, address in enumerate(addresses) for up in (True, False)]
    total = {}
    with multiprocessing.Pool(len(flows)) as pool:
        for result in pool.imap(call_flow, flows):
            for name, value in result.items():
                total[name] = total.get(name, 0) + value
    for name, value in total.items():
        print(name, value)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        call(sys.argv[2], sys.argv[3], sys.argv[4:])
