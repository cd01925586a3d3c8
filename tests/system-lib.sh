# SPDX-License-Identifier: Apache-2.0
# What the system tests share: one sandbox a test, and ways to look into it.
# Sourced by each system test; the sandbox's name is in VSUBNET_SANDBOX.

# A test fails rather than hangs: Open vSwitch's utilities give up.
OVS_CTL_TIMEOUT=30
export OVS_CTL_TIMEOUT

# shellcheck source=/dev/null
. "$VSUBNET_SRC/tutorial/lib/exec.sh"

# sandbox VERB...: the command.  "exec" of a host that there is does here what
# it does there: tests run it so often that reading the script would cost most.
sandbox() {
    if test "$1" = exec && test $# -gt 2 && has_host "$VSUBNET_SANDBOX" "$2"
    then
        shift
        exec_in "$VSUBNET_SANDBOX" "$@"
    else
        "$VSUBNET_SRC/tutorial/sandbox" "$@"
    fi
}

# poll SECONDS COMMAND...: until it succeeds, ten times in the first second,
# then four times a second.
poll() {
    local tries=$(($1 * 4 + 6)) first=$(($1 * 4 - 4))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if test $tries -le 0; then
            echo "in vain: $*" >&2
            return 1
        fi
        if test $tries -gt $first; then sleep 0.1; else sleep 0.25; fi
    done
}

# The run-time directory of HOST: its keyring, its sockets.
host_dir() { echo "/run/vsubnet-sandbox/$VSUBNET_SANDBOX/$1"; }

# in_ns NAME COMMAND...: in namespace NAME of the sandbox ("h1", "h1-g1",
# "net"), without the sandbox's environment; cheaper than "sandbox exec".
in_ns() {
    local ns=$1
    shift
    ip netns exec "$VSUBNET_SANDBOX-$ns" "$@"
}

# Milliseconds since some start.
now_ms() { date +%s%3N; }

# answers GUEST ADDRESS: whether one ping is answered.
answers() { in_ns "$1" ping -n -q -c 1 -W 1 "$2"; }

# ping_all GUEST ADDRESS COUNT [ARGUMENT...]: that many pings, each answered once.
ping_all() { in_ns "$1" pings "$3" "${@:4}" "$2"; }

# start_capture NS INTERFACE FILE [TCPDUMP-ARGUMENT...]: returns once tcpdump
# listens; its process is in FILE.pid.
start_capture() {
    local ns=$1 interface=$2 file=$3
    shift 3
    # Not in_ns: the process must be tcpdump itself, not a shell around it.
    ip netns exec "$VSUBNET_SANDBOX-$ns" \
        tcpdump -n --immediate-mode -U -B 16384 -s 2048 -i "$interface" \
        -w "$file" "$@" 2>"$file.err" </dev/null >/dev/null &
    echo $! >"$file.pid"
    poll 10 grep -q 'listening on' "$file.err"
}

# stop_capture FILE: its frames are written when this returns.
stop_capture() {
    local pid
    pid=$(cat "$1.pid")
    sleep 0.3
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    cat "$1.err"
    grep -q '^0 packets dropped by kernel' "$1.err"
}

# single_datagrams HOST...: from now on a capture shows one datagram at a time,
# not the run of datagrams that a device with segmentation offload is given.
single_datagrams() {
    local host
    for host in "$@"; do
        in_ns "$host" ethtool -K eth0 tx-udp-segmentation off || return
    done
}

# flow_table HOST TABLE: its flows without what changes by itself.
flow_table() {
    sandbox exec "$1" ovs-ofctl -O OpenFlow15 --no-stats --names \
        dump-flows br-int "table=$2" | sort
}

# bindings NET: what the mapping service says, without revisions.
bindings() {
    sandbox exec m1 vsubnetctl --json port ls "$1" \
        | jq -cS 'map(del(.revision)) | sort_by(.mac) | .[]'
}

# counter HOST NAME: that counter of the tunnel port.
counter() {
    sandbox exec "$1" ovs-appctl vsubnet/show \
        | awk -v name="$2" '$1 == name { print $2; found = 1 }
                            END { exit !found }'
}

# host_address HOST: the IPv4 address of its own port in vSubnet demo.
host_address() {
    in_ns "$1" ip -o -4 address show dev vs-demo \
        | sed -nE 's,.* inet ([0-9.]+)/.*,\1,p' | grep .
}

# stream FROM TO ADDRESS FILE COPY: FILE through one TCP connection from one
# namespace into COPY at another.
stream() {
    in_ns "$2" timeout 60 stream.py listen "$3" "$5" &
    in_ns "$1" timeout 60 stream.py send "$3" "$4" && wait $!
}
