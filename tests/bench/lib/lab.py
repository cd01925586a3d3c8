# SPDX-License-Identifier: Apache-2.0
"""Two hosts joined by a wire, in network namespaces of their own.

A Lab is a context manager.  Whatever happens, leaving it ends every process
that was started in it, deletes its namespaces, and removes its files.

    with Lab(tool) as lab:
        lab.a.run("ping", "-c1", lab.b.address)
        daemon = lab.a.spawn("fastd", "fastd", "-c", path)
"""

import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
serial = itertools.count(1)


class Failure(Exception):
    """Something of the benchmark, or of a tunnel, that did not work."""


def die_with_parent():
    """In a child: end with this program even if that is killed by SIGKILL.
    In a process group of its own, so that Ctrl-C reaches this program only,
    which then ends the children in order."""
    os.setpgid(0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*argv, timeout=60, env=None, stdin=None):
    """Runs a command to its end and returns its output."""
    argv = [str(arg) for arg in argv]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              timeout=timeout, env=env, input=stdin,
                              preexec_fn=die_with_parent)
    except subprocess.TimeoutExpired:
        raise Failure(f"no end after {timeout} s: {' '.join(argv)}") from None
    except OSError as error:
        raise Failure(f"{argv[0]}: {error.strerror}") from None
    if done.returncode:
        raise Failure(f"{' '.join(argv)}: exit status {done.returncode}: "
                      f"{done.stdout.strip()[-600:]}")
    return done.stdout


def wait_for(what, condition, seconds=20, check=lambda: None):
    """Calls 'condition' until it is true.  'check' may raise meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        check()
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


class Process:
    """A program that runs in a host until it is stopped."""

    def __init__(self, name, argv, directory, env=None):
        self.name = name
        base = os.path.join(directory, f"{name}-{next(serial)}")
        self.log_path, self.out_path = base + ".log", base + ".out"
        with open(self.log_path, "wb") as log, \
             open(self.out_path, "wb") as out:
            self.popen = subprocess.Popen(
                [str(arg) for arg in argv], stdin=subprocess.DEVNULL,
                stdout=out, stderr=log, env=env, preexec_fn=die_with_parent)
        self.pid = self.popen.pid
        self.stopped = False

    def alive(self):
        return self.popen.poll() is None

    def output(self):
        with open(self.out_path, errors="replace") as out:
            return out.read()

    def log_tail(self):
        with open(self.log_path, errors="replace") as log:
            text = (self.output() + log.read()).strip()
        return "\n".join(text.splitlines()[-8:])

    def check(self):
        if not self.stopped and not self.alive():
            raise Failure(f"{self.name} ended with status "
                          f"{self.popen.returncode}: {self.log_tail()}")

    def cpu_seconds(self):
        """Processor time of all threads, to the nanosecond."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as stat:
                    total += int(stat.read().split()[0])
            except FileNotFoundError:
                continue
        return total / 1e9

    def signal_stop(self):
        if self.alive():
            self.popen.terminate()

    def stop(self, seconds=3):
        """Ends the program and returns its output."""
        self.stopped = True
        self.signal_stop()
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        return self.output()

    def stop_json(self):
        text = self.stop()
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(f"{self.name}: no result: "
                          f"{self.log_tail()}") from None


class Host:
    """One namespace: eth0 on the wire, and what runs in it."""

    def __init__(self, lab, name, address):
        self.lab = lab
        self.name = name
        self.namespace = f"vsb-{os.getpid()}-{lab.number}-{name}"
        self.address = address
        self.directory = os.path.join(lab.directory, name)
        self.processes = []
        os.mkdir(self.directory)

    def command(self, *argv):
        return ["ip", "netns", "exec", self.namespace, *map(str, argv)]

    def run(self, *argv, **options):
        return run(*self.command(*argv), **options)

    def succeeds(self, *argv):
        try:
            self.run(*argv)
            return True
        except Failure:
            return False

    def ip(self, *argv):
        return run("ip", "-n", self.namespace, *argv)

    def ip_batch(self, lines):
        """Many 'ip' commands at once."""
        return run("ip", "-n", self.namespace, "-batch", "-",
                   stdin="\n".join(lines) + "\n")

    def sysctl(self, **settings):
        self.run("sysctl", "-qw", *(f"{key.replace('__', '.')}={value}"
                                    for key, value in settings.items()))

    def spawn(self, name, *argv, env=None):
        process = Process(name, self.command(*argv), self.directory, env)
        self.processes.append(process)
        return process

    def traffic(self, *argv):
        """Starts the traffic tool; its result is stop_json()'s."""
        return self.spawn("traffic", self.lab.tool, *argv)

    def traffic_run(self, *argv, timeout=60):
        return json.loads(self.run(self.lab.tool, *argv, timeout=timeout))

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
        return path

    def has_device(self, device):
        return device in self.counters()

    def counters(self, column=1):
        """A column of /proc/net/dev for each device; 1 is received packets."""
        lines = self.run("cat", "/proc/net/dev").splitlines()[2:]
        rows = (line.split(":", 1) for line in lines)
        return {name.strip(): int(numbers.split()[column])
                for name, numbers in rows}

    def check(self):
        """Raises Failure if a program ended that nobody stopped."""
        for process in self.processes:
            process.check()

    def close(self):
        for process in self.processes:
            process.signal_stop()
        for process in self.processes:
            process.stop()
        subprocess.run(["ip", "netns", "delete", self.namespace],
                       stderr=subprocess.DEVNULL, check=False)


class Lab:
    """Hosts a and b.  'members' further addresses on b are for replication,
    where b plays all receivers."""

    # What a driver may do with large UDP packets, and the kernel for it.
    UDP_OFFLOADS = ("gso", "tso", "gro", "tx-udp-segmentation",
                    "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation",
                    "rx-udp-gro-forwarding")

    def __init__(self, tool, members=0):
        self.tool = tool
        self.members = members
        self.number = next(serial)
        self.hosts = []

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="vsubnet-bench-")
        try:
            self.a = self.add_host("a", "10.199.0.1")
            self.b = self.add_host("b", "10.199.0.2")
            self.wire()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def add_host(self, name, address):
        host = Host(self, name, address)
        self.hosts.append(host)
        run("ip", "netns", "add", host.namespace)
        # Frames nobody asked for would be counted as copies.
        quiet = {"net__ipv6__conf__default__disable_ipv6": 1} \
            if self.members else {}
        host.sysctl(net__ipv6__conf__default__accept_dad=0, **quiet)
        host.ip("link", "set", "lo", "up")
        return host

    def wire(self):
        run("ip", "link", "add", "eth0", "netns", self.a.namespace, "type",
            "veth", "peer", "eth0", "netns", self.b.namespace)
        for host in self.hosts:
            host.ip("link", "set", "eth0", "up")
            host.ip("address", "add", host.address + "/16", "dev", "eth0")
        if self.members:
            self.b.ip_batch(f"address add {address}/16 dev eth0"
                            for address in self.member_addresses())

    def member_addresses(self):
        return [f"10.199.1.{i}" for i in range(1, self.members + 1)]

    def disable_udp_offloads(self):
        for host in self.hosts:
            words = [word for name in self.UDP_OFFLOADS
                     for word in (name, "off")]
            host.run("ethtool", "-K", "eth0", *words)

    def check(self):
        for host in self.hosts:
            host.check()

    def close(self):
        """Not to be interrupted: what would be left behind then, nobody
        would know of any more."""
        signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            for host in self.hosts:
                host.close()
            shutil.rmtree(self.directory, ignore_errors=True)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
