# SPDX-License-Identifier: Apache-2.0
"""What is measured.

A Measurement runs once on a tunnel that is up and yields values for one or
more cases.  A value is a number in the case's unit and, beside it, further
numbers that explain it.

    Case.unit, Case.more_is_better     how to read a value
    Measurement.cases                  the cases that it yields
    Measurement.members                0, or a tunnel with that many members
    Measurement.run(system, seconds)   -> {case: (value, {name: number})}
"""

import json
import time
from collections import namedtuple

from lab import Failure, wait_for
from systems.base import INNER, INNER6, INNER_BROADCAST

Case = namedtuple("Case", "name unit more_is_better title")

FLOODS = (1, 8, 32, 128)

CASES = {case.name: case for case in (
    Case("tcp-1", "Gb/s", True, "TCP, 1 stream"),
    Case("tcp-4", "Gb/s", True, "TCP, 4 streams"),
    Case("tcp-bidir", "Gb/s", True, "TCP, both directions at once, sum"),
    Case("tcp6-1", "Gb/s", True, "TCP over inner IPv6, 1 stream"),
    Case("tcp-1-nogso", "Gb/s", True, "TCP, 1 stream, no UDP GSO/GRO"),
    Case("udp-64", "kpps", True, "UDP, 64-byte packets received"),
    Case("udp-512", "kpps", True, "UDP, 512-byte packets received"),
    Case("udp-1400", "kpps", True, "UDP, 1400-byte packets received"),
    Case("rtt-idle", "us", False, "round-trip time, idle, median"),
    Case("rtt-load", "us", False, "round-trip time beside TCP, median"),
    Case("cpu-s-per-gb", "s/GB", False, "processor seconds per GB of TCP"),
    *(Case(f"flood-{n}", "us/copy", False,
           f"sender's processor time per copy, {n} members")
      for n in FLOODS),
)}

TRAFFIC_PORT = 9000
IPERF_PORT = 5201
GB = 1e9


def machine_cpu_seconds():
    """Time that the processors were busy with anything, interrupts too."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq = map(
            int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / 100


def wait_for_socket(system, option, port, process):
    wait_for(f"{process.name} to listen",
             lambda: f":{port} " in system.lab.b.run("ss", option), 5,
             process.check)


def iperf(system, seconds, *options, address=INNER["b"], beside=None):
    """Runs iperf3 from a to b and returns its report's "end".  'beside' is
    called while it runs, and what it returns is stored under "beside"."""
    server = system.lab.b.spawn("iperf3", "iperf3", "-s", "-1")
    wait_for_socket(system, "-Hltn", IPERF_PORT, server)
    client = system.lab.a.spawn(
        "iperf3", "iperf3", "-J", "-c", address, "-t", seconds,
        "-C", "cubic", "--connect-timeout", 3000, *options)
    result = beside() if beside else None
    try:
        client.popen.wait(seconds + 20)
    except Exception:
        raise Failure(f"{system.name}: iperf3 did not end") from None
    finally:
        text = client.stop()
        server.stop()
    try:
        report = json.loads(text)
    except ValueError:
        raise Failure(f"{system.name}: iperf3: {client.log_tail()}") from None
    if "error" in report:
        raise Failure(f"{system.name}: iperf3: {report['error']}")
    report["end"]["beside"] = result
    return report["end"]


class Tcp:
    """Throughput of TCP as the receiver sees it."""

    members = 0

    def __init__(self, case, *options, address=INNER["b"]):
        self.cases = (case,)
        self.options = options
        self.address = address

    def run(self, system, seconds):
        end = iperf(system, seconds, *self.options, address=self.address)
        bits = sum(end[key]["bits_per_second"] for key in end
                   if key.startswith("sum_received"))
        resent = sum(end[key].get("retransmits", 0) for key in end
                     if key.startswith("sum_sent"))
        return {self.cases[0]: (bits / 1e9, {"retransmits": resent})}


class TcpAndCpu(Tcp):
    """One stream, and what the whole machine spent on it: a kernel tunnel
    works in no process that could be asked."""

    cases = ("tcp-1", "cpu-s-per-gb")

    def __init__(self):
        self.options = ()
        self.address = INNER["b"]

    def run(self, system, seconds):
        before = machine_cpu_seconds()
        end = iperf(system, seconds)
        spent = machine_cpu_seconds() - before
        received = end["sum_received"]
        return {"tcp-1": (received["bits_per_second"] / 1e9,
                          {"retransmits": end["sum_sent"]["retransmits"]}),
                "cpu-s-per-gb": (spent / (received["bytes"] / GB), {})}


class TcpNoOffload(Tcp):
    """The same where underlay devices can't segment UDP, nor the kernel for
    them.  Runs last on a tunnel, since it leaves the underlay that way."""

    def __init__(self):
        super().__init__("tcp-1-nogso")

    def run(self, system, seconds):
        system.lab.disable_udp_offloads()
        return super().run(system, seconds)


class Udp:
    """Packets per second that arrive, at the offered load at which most do.

    The first load is as much as the sender can, and then multiples of what
    arrived of it.  Under the first alone a figure would say more about how
    the scheduler shares the processors between a sender without measure and
    the tunnel than about the tunnel."""

    members = 0
    LOADS = (1.1, 1.4, 2.0)

    def __init__(self, size):
        self.size = size
        self.cases = (f"udp-{size}",)

    def offer(self, system, seconds, load):
        """Returns packets per second received at 'load' (0: all that go) and
        the part of the sent that did not arrive."""
        receiver = system.lab.b.traffic("receive", TRAFFIC_PORT)
        wait_for_socket(system, "-Hlun", TRAFFIC_PORT, receiver)
        sent = system.lab.a.traffic_run("send", INNER["b"], TRAFFIC_PORT,
                                        self.size, seconds, load)
        time.sleep(0.3)
        got = receiver.stop_json()
        if not got["rate"]:
            raise Failure(f"{system.name}: no UDP packet arrived")
        return got["rate"], 1 - got["received"] / max(1, sent["sent"])

    def run(self, system, seconds):
        seconds = max(0.75, seconds / (1 + len(self.LOADS)))
        unlimited = self.offer(system, seconds, 0)
        tried = [self.offer(system, seconds, round(unlimited[0] * factor))
                 for factor in self.LOADS]
        rate, lost = max([unlimited, *tried])
        return {self.cases[0]: (rate / 1e3, {
            "lost": lost, "unlimited": unlimited[0] / 1e3})}


class Rtt:
    """Round-trip time of a small UDP packet, idle or beside one TCP
    stream."""

    members = 0
    INTERVAL_US = {"rtt-idle": 2000, "rtt-load": 5000}

    def __init__(self, case):
        self.cases = (case,)

    def run(self, system, seconds):
        case = self.cases[0]
        interval = self.INTERVAL_US[case]
        count = int(seconds * 1e6 / interval)
        echo = system.lab.b.traffic("echo", TRAFFIC_PORT)
        wait_for_socket(system, "-Hlun", TRAFFIC_PORT, echo)

        def ping():
            return system.lab.a.traffic_run(
                "ping", INNER["b"], TRAFFIC_PORT, count, interval,
                timeout=seconds + 30)

        def ping_later():
            time.sleep(0.5)
            return ping()

        if case == "rtt-idle":
            result = ping()
        else:
            result = iperf(system, seconds + 2, beside=ping_later)["beside"]
        echo.stop()
        return {case: (result["median"], {"p99": result["p99"],
                                          "lost": result["lost"]})}


class Flood:
    """One broadcast frame becomes a copy for each member.  The cost is the
    processor time of the sending program and of the tunnel's processes on
    its host; frames are paced so that nobody is overrun."""

    COPIES_PER_SECOND = 8000
    PACKET = 256

    def __init__(self, members):
        self.members = members
        self.cases = (f"flood-{members}",)

    def send(self, system, seconds, rate):
        return system.lab.a.traffic_run(
            "send", INNER_BROADCAST, TRAFFIC_PORT, self.PACKET, seconds, rate)

    def one_reaches_all(self, system):
        before = system.member_copies()
        sent = self.send(system, 0.001, 1)["sent"]
        time.sleep(0.3)
        return system.member_copies() - before >= sent * self.members

    def run(self, system, seconds):
        wait_for(f"{system.name}: a broadcast at all {self.members} members",
                 lambda: self.one_reaches_all(system), 90, system.lab.check)
        rate = self.COPIES_PER_SECOND / self.members
        copies = system.member_copies()
        spent = sum(each.cpu_seconds() for each in system.daemons)
        sent = self.send(system, seconds, rate)
        time.sleep(0.5)
        spent = (sum(each.cpu_seconds() for each in system.daemons) - spent
                 + sent["cpu"])
        copies = system.member_copies() - copies
        if not copies:
            raise Failure(f"{system.name}: no copy arrived")
        return {self.cases[0]: (spent / copies * 1e6, {
            "frames": sent["sent"], "copies": copies,
            "copies_per_frame": copies / sent["sent"]})}


# In the order in which they run on one tunnel.
MEASUREMENTS = (
    TcpAndCpu(),
    Tcp("tcp-4", "-P", "4"),
    Tcp("tcp-bidir", "--bidir"),
    Tcp("tcp6-1", address=INNER6["b"]),
    Udp(64),
    Udp(512),
    Udp(1400),
    Rtt("rtt-idle"),
    Rtt("rtt-load"),
    TcpNoOffload(),
    *(Flood(n) for n in FLOODS),
)
