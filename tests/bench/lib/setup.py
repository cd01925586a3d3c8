# SPDX-License-Identifier: Apache-2.0
"""What has to be there before anything is measured: packages, programs."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cases import machine_cpu_seconds
from lab import Failure, run
from report import BUSY
from systems import SYSTEMS

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
DEFAULT_BUILD = os.path.join(TOP, "_build")
COMMON_PACKAGES = ("gcc", "libc6-dev", "iperf3", "iproute2", "ethtool",
                   "iputils-ping", "procps")
NEED_OVS = ("vsubnet", "ovs-vxlan")


def say(text):
    print(text, file=sys.stderr, flush=True)


def installed(package):
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", package],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        check=False)
    return "ok installed" in done.stdout


def install(packages):
    missing = [each for each in packages if not installed(each)]
    if not missing:
        return
    say(f"installing packages: {' '.join(missing)}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends",
               *missing]
    try:
        run(*command, timeout=600, env=environment)
    except Failure:
        run("apt-get", "-qq", "update", timeout=600)
        run(*command, timeout=600, env=environment)


def background_load():
    """Processors' worth of work that others do now."""
    before = machine_cpu_seconds()
    time.sleep(1)
    load = machine_cpu_seconds() - before
    if load > BUSY:
        say(f"WARNING: {load:.1f} of {os.cpu_count()} processors are busy "
            "with other things: figures will be wrong")
    return load


class Tools:
    """Programs of our own: 'traffic', and 'ovs', a directory as
    ovs-patches/build makes it."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="vsubnet-bench-")
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self.directory, ignore_errors=True)

    def prepare(self, options):
        packages = list(COMMON_PACKAGES)
        for name in options.only:
            packages += SYSTEMS[name].packages
        install(packages)
        self.traffic = os.path.join(self.directory, "traffic")
        run("gcc", "-O2", "-Wall", "-Wextra", "-o", self.traffic,
            os.path.join(HERE, "traffic.c"))
        self.ovs = None
        if set(NEED_OVS) & set(options.only):
            self.ovs = self.find_ovs(options.build_dir)

    @staticmethod
    def find_ovs(build):
        """Builds what is not built, and returns where Open vSwitch is."""
        done = subprocess.run([os.path.join(HERE, "build"), build],
                              stdout=sys.stderr, check=False)
        if done.returncode:
            raise Failure("the build failed")
        with open(os.path.join(build, "vsubnet-env.sh")) as text:
            return re.search("^OVS_DIR='(.*)'", text.read(), re.M).group(1)
