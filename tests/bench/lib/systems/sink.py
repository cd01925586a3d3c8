# SPDX-License-Identifier: Apache-2.0
"""Replication to members that are only sockets: for tunnels that send to an
address without asking whether anyone is there."""


class Sink:
    """Mixed into a System; that one has 'sink_port' and start_sender()."""

    sink_port = None

    def up_members(self):
        self.sink = self.lab.b.traffic("sink", self.sink_port)
        self.start_sender()
        self.configure_device(self.lab.a)

    def member_copies(self):
        """UDP datagrams that arrived, whether the sink has read them or
        not."""
        lines = self.lab.b.run("cat", "/proc/net/snmp").splitlines()
        names, values = (line.split()[1:] for line in lines
                         if line.startswith("Udp:"))
        row = dict(zip(names, map(int, values)))
        return row["InDatagrams"] + row["RcvbufErrors"]
