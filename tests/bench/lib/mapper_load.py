# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/mapper measures: runs the mapper and bench-mapper."""

import http.client
import json
import os
import platform
import resource
import signal
import ssl
import statistics
import subprocess
import sys
import time

SYSTEM = "vsubnet-mapper"
NET = "fleet"
AT_ONCE = 100                       # Registrations, first connections.


class Failure(Exception):
    """What was to be measured did not work."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rounded(value):
    return value if isinstance(value, int) else float(f"{value:.4g}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited too long for {what}")
        time.sleep(.01)


class Mapper:
    """A mapper of our own in 'directory'."""

    def __init__(self, build, directory, options):
        self.build = build
        self.directory = directory
        self.options = options
        self.state = os.path.join(directory, "state")
        self.pidfile = os.path.join(directory, "mapper.pid")
        self.port = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        environment = dict(
            os.environ, OVS_RUNDIR=self.directory,
            VSUBNET_MAPPER_SCHEMA=os.path.join(
                HERE_TOP, "plugin/mapper/vsubnet-mapper.ovsschema"),
            PATH=os.pathsep.join([*ovs_dirs(self.build),
                                  os.environ["PATH"]]))
        done = subprocess.run(
            [os.path.join(self.build, "plugin/mapper/vsubnet-mapper"),
             f"--state-dir={self.state}",
             f"--listen=127.0.0.1:{self.port}", "-vconsole:off",
             "--detach", "--no-chdir", f"--pidfile={self.pidfile}",
             f"--log-file={self.path('mapper.log')}",
             f"--unixctl={self.path('mapper.ctl')}", *self.options],
            env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise Failure(f"the mapper does not start; see "
                          f"{self.path('mapper.log')}")
        if not self.port:
            with open(os.path.join(self.state, "operator.json"),
                      encoding="utf-8") as file:
                operator = json.load(file)
            self.token = operator["token"]
            self.port = int(operator["urls"][0].rsplit(":", 1)[1])

    def pid(self, pidfile=None):
        try:
            with open(pidfile or self.pidfile, encoding="utf-8") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def database_pid(self):
        return self.pid(os.path.join(self.state, "db.pid"))

    def signal(self, number, pid):
        """Sends a signal and waits until the process is gone."""
        os.kill(pid, number)
        wait_for(lambda: not alive(pid), 20, f"the end of process {pid}")

    def kill(self):
        pid = self.pid()
        self.signal(signal.SIGKILL, pid)

    def end(self):
        pid = self.pid()
        self.signal(signal.SIGTERM, pid)
        wait_for(lambda: not self.database_pid()
                 or not alive(self.database_pid()), 20,
                 "the end of the database server")

    def stop(self):
        for pid in (self.pid(), self.database_pid()):
            if pid and alive(pid):
                self.signal(signal.SIGKILL, pid)

    def memory(self, name="VmRSS"):
        """MB of the mapper."""
        with open(f"/proc/{self.pid()}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
        raise Failure("no memory figure")

    def cpu_seconds(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, path, body):
        context = ssl.create_default_context(
            cafile=os.path.join(self.state, "ca.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port,
                                                 context=context)
        connection.request("POST", path, json.dumps(body), {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json"})
        answer = connection.getresponse()
        result = json.load(answer)
        connection.close()
        if answer.status >= 300:
            raise Failure(f"POST {path}: {result}")
        return result


HERE_TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.realpath(__file__)))))


def ovs_dirs(build):
    """Where the build has Open vSwitch's programs."""
    with open(os.path.join(build, "Makefile"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("OVS_DIR ="):
                top = line.split("=", 1)[1].strip()
                return [os.path.join(top, "build", "ovsdb")]
    return []


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Nodes:
    """The simulated nodes: bench-mapper."""

    def __init__(self, build, mapper, token, n):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard < 2 * n + 100:
            raise Failure(f"{n} nodes need {2 * n + 100} file descriptors, "
                          f"and the limit (ulimit -Hn) is {hard}")
        self.process = subprocess.Popen(
            [os.path.join(build, "tests/bench/bench-mapper"), "127.0.0.1",
             str(mapper.port), os.path.join(mapper.state, "ca.pem"), NET,
             str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.send(token)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure("bench-mapper ended")
        return json.loads(line)

    def ask(self, line):
        self.send(line)
        return self.read()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.results = []
        self.failures = []
        self.mapper = self.nodes = None

    def run(self):
        o = self.options
        self.mapper = Mapper(o.build_dir, self.directory,
                             ["--connections-per-address="
                              f"{2 * o.nodes + 100}",
                              f"--connections={2 * o.nodes + 1000}"])
        self.mapper.start()
        self.mapper.post("/v1/nets", {"name": NET,
                                      "subnets": ["10.64.0.0/12"]})
        token = self.mapper.post("/v1/tokens", {
            "uses": o.nodes, "approve": True, "nets": [NET], "ttl": 86400})
        self.nodes = Nodes(o.build_dir, self.mapper, token["token"], o.nodes)
        self.registrations()
        self.streams(o.few)
        self.latency()
        self.throughput()
        if o.nodes > o.few:
            self.streams(o.nodes - o.few)
            self.latency()
            self.throughput()
        self.memory()
        self.restart("restart-killed", self.mapper.kill)
        self.restart("restart-orderly", self.mapper.end)

    def stop(self):
        for each in (self.nodes, self.mapper):
            if each:
                each.stop()

    # What is measured.

    def registrations(self):
        n = self.options.nodes
        say(f"registering {n} nodes")
        cpu = self.busy()
        got = self.check("registrations",
                         self.nodes.ask(f"register {n} {AT_ONCE}"), n=n)
        busy = [after - before for before, after in zip(cpu, self.busy())]
        self.add("registrations", n / got["seconds"], "1/s",
                 mapper_cpu_ms=1000 * busy[0] / n,
                 database_cpu_ms=1000 * busy[1] / n)

    def streams(self, n):
        say(f"opening {n} event streams")
        before = self.mapper.memory()
        got = self.check("streams", self.nodes.ask(f"connect {n} {AT_ONCE}"),
                         n=n)
        self.add(f"streams-{got['live']}", n / got["seconds"], "1/s",
                 stream_mb=got["stream_bytes"] / 1e6)
        after = self.mapper.memory()
        self.add(f"memory-per-node-{got['live']}", 1024 * (after - before) / n,
                 "KB")

    def latency(self):
        samples = []
        say("one binding after another")
        for _ in range(self.options.samples):
            got = self.nodes.ask("bind")
            self.check("binding-to-last", got, seen=got["live"])
            samples.append(got)
        live = samples[0]["live"]
        last = [1000 * each["last"] for each in samples]
        self.add(f"binding-to-last-{live}", statistics.median(last), "ms",
                 runs=last, p99=percentile(last, .99),
                 answer=statistics.median(1000 * each["answer"]
                                          for each in samples),
                 half=statistics.median(1000 * each["median"]
                                        for each in samples))

    def throughput(self):
        n = self.options.bindings
        say(f"{n} bindings at once")
        got = self.check("bindings", self.nodes.ask(f"bindings {n} 64"), n=n)
        self.add(f"bindings-{got['live']}", n / got["seen_by_all"], "1/s",
                 answered=n / got["seconds"])

    def memory(self):
        live = self.nodes.ask("idle 16")["live"]
        self.add(f"memory-{live}", self.mapper.memory(), "MB",
                 peak=self.mapper.memory("VmHWM"))

    def restart(self, case, stop):
        n = self.options.nodes
        say(f"{case} with {n} nodes")
        self.nodes.send("back 120")
        start = time.monotonic()
        stop()
        down = time.monotonic()
        self.mapper.start()
        got = self.check(case, self.nodes.read(), live=n)
        probe = self.nodes.ask("bind")
        self.check(case, probe, seen=n)
        self.add(case, got["back_at"] - start, "s",
                 binding_after_ms=1000 * probe["last"],
                 down=down - start, refused_or_cut=got["absent"],
                 handshakes_resumed=got["handshakes_resumed"],
                 peak_mb=self.mapper.memory("VmHWM"))

    # How it is kept.

    def busy(self):
        return [self.mapper.cpu_seconds(pid)
                for pid in (self.mapper.pid(), self.mapper.database_pid())]

    def check(self, case, got, **expected):
        for name, value in expected.items():
            if got[name] != value:
                self.fail(case, f"{name} is {got[name]}, not {value}")
        for text, count in got["errors"].items():
            self.fail(case, f"{count} times: {text}")
        return got

    def fail(self, case, error):
        self.failures.append({"system": SYSTEM, "cases": [case],
                              "error": error})
        say(f"FAILED: {case}: {error}")

    def add(self, case, value, unit, runs=None, **details):
        self.results.append({
            "system": SYSTEM, "case": case, "value": rounded(value),
            "unit": unit, "runs": [rounded(each) for each in runs or [value]],
            **{name: rounded(each) for name, each in details.items()}})
        say(f"  {case}: {value:.4g} {unit}")

    def result(self):
        return {"results": self.results, "failures": self.failures,
                "machine": {"cpus": os.cpu_count(),
                            "kernel": platform.release(),
                            "nodes": self.options.nodes}}

    def table(self):
        hidden = ("system", "case", "value", "unit", "runs")
        rows = [["case", "value", "unit", "beside"]]
        for each in self.results:
            beside = ", ".join(f"{name} {value:.10g}" for name, value
                               in each.items() if name not in hidden)
            rows.append([each["case"], f"{each['value']:.10g}", each["unit"],
                         beside])
        widths = [max(map(len, column)) for column in zip(*rows)]
        rows.insert(1, ["-" * width for width in widths])
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width
                                   in zip(row, widths)) + " |"
                 for row in rows]
        lines += [f"FAILED: {', '.join(each['cases'])}: {each['error']}"
                  for each in self.failures]
        return "\n".join(lines)
