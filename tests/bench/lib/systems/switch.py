# SPDX-License-Identifier: Apache-2.0
"""One Open vSwitch, from our build tree, in a host of the lab."""

import os

from lab import Failure, wait_for


class Switch:
    """ovsdb-server and ovs-vswitchd with files of their own.  'config' is
    other_config, in force before ovs-vswitchd starts (TSO has to be)."""

    def __init__(self, host, ovs, config=()):
        self.host = host
        self.ovs = ovs
        self.directory = os.path.join(host.directory, "ovs")
        os.mkdir(self.directory)
        self.environment = dict(
            os.environ, OVS_RUNDIR=self.directory, OVS_DBDIR=self.directory,
            OVS_LOGDIR=self.directory, OVS_SYSCONFDIR=self.directory,
            OVS_PKGDATADIR=self.path("source/vswitchd"))
        self.start_database()
        self.vsctl("--no-wait", "init")
        for item in config:
            self.vsctl("--no-wait", "set", "Open_vSwitch", ".",
                       f"other_config:{item}")
        self.vswitchd = self.start_vswitchd()

    def path(self, *names):
        return os.path.join(self.ovs, *names)

    def file(self, name):
        return os.path.join(self.directory, name)

    def start_database(self):
        tool = self.path("build/ovsdb/ovsdb-tool")
        self.host.run(tool, "create", self.file("conf.db"),
                      self.path("source/vswitchd/vswitch.ovsschema"),
                      env=self.environment)
        server = self.host.spawn(
            "ovsdb-server", self.path("build/ovsdb/ovsdb-server"),
            "--no-chdir", f"--remote=punix:{self.file('db.sock')}",
            f"--unixctl={self.file('db.ctl')}", self.file("conf.db"),
            env=self.environment)
        wait_for("ovsdb-server's socket",
                 lambda: os.path.exists(self.file("db.sock")), 10,
                 server.check)

    def start_vswitchd(self):
        vswitchd = self.host.spawn(
            "ovs-vswitchd", self.path("build/vswitchd/ovs-vswitchd"),
            "--no-chdir", "-vconsole:warn",
            f"--unixctl={self.file('vswitchd.ctl')}",
            f"unix:{self.file('db.sock')}", env=self.environment)
        wait_for("ovs-vswitchd's socket",
                 lambda: os.path.exists(self.file("vswitchd.ctl")), 10,
                 vswitchd.check)
        return vswitchd

    def vsctl(self, *argv):
        return self.host.run(
            self.path("build/utilities/ovs-vsctl"), "--timeout=10",
            f"--db=unix:{self.file('db.sock')}", *argv, env=self.environment)

    def appctl(self, *argv):
        return self.host.run(
            self.path("build/utilities/ovs-appctl"), "--timeout=10", "-t",
            self.file("vswitchd.ctl"), *argv, env=self.environment)

    def add_bridge(self, bridge, *ports):
        """A bridge of the userspace datapath.  Each of 'ports' is what
        follows "set interface": its name, then settings."""
        command = ["add-br", bridge, "--", "set", "bridge", bridge,
                   "datapath_type=netdev", "fail_mode=secure"]
        for port in ports:
            command += ["--", "add-port", bridge, port[0], "--", "set",
                        "interface", *port]
        self.vsctl(*command)
        for port in ports:
            error = self.vsctl("get", "interface", port[0], "error").strip()
            if error not in ("[]", '""'):
                raise Failure(f"port {port[0]}: {error}")

    def set_flows(self, bridge, *flows):
        self.host.run(
            self.path("build/utilities/ovs-ofctl"), "--timeout=10", "-O",
            "OpenFlow15", "replace-flows", self.file(f"{bridge}.mgmt"), "-",
            stdin="\n".join(flows) + "\n", env=self.environment)
