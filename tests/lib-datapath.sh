# SPDX-License-Identifier: Apache-2.0
# Two or more hosts with the tunnel port, each with its own Open vSwitch, made
# of network namespaces; for tests/datapath.at, which sources this.
#
#   guest a1              guest b1
#      |                     |
#   +--+---+             +---+--+
#   |  br0 | host a      | br0  | host b     ... all hosts on one bridge
#   |  vs0 |             | vs0  |            in the namespace "wire"
#   +--+---+             +---+--+
#      |      10.0.0.N       |
#      +------- wire --------+
#              fd00::N
#
# Keyrings are written by hand: what is tested is the port, not who feeds it.
# Everything is named after the test and the test suite's process ($$ is that
# one's in each of its subshells), and removed at the test's exit.

dp_prefix=dp$$_${at_group:-0}
dp_dir=$PWD
dp_hosts=

# Adds a command for the end.
dp_on_exit() {
    echo "$*" >> "$dp_dir/cleanup"
}

dp_cleanup() {
    [ -f "$dp_dir/cleanup" ] || return 0
    tac "$dp_dir/cleanup" > "$dp_dir/cleanup.sh"
    rm "$dp_dir/cleanup"
    sh "$dp_dir/cleanup.sh" > "$dp_dir/cleanup.log" 2>&1
}
trap dp_cleanup EXIT

dp_ns() {
    echo "$dp_prefix-$1"
}

# Runs a command in a namespace: a host, a guest or "wire".
in_ns() {
    dp_ns_=$(dp_ns "$1")
    shift
    ip netns exec "$dp_ns_" "$@"
}

# Starts a program in a namespace, to be killed at the end.
dp_background() {
    dp_ns_=$(dp_ns "$1")
    shift
    # "ip netns exec" becomes the program: what is killed is that.
    ip netns exec "$dp_ns_" "$@" < /dev/null > /dev/null 2>&1 5>&- &
    dp_on_exit "kill $!"
}

dp_add_ns() {
    ip netns add "$(dp_ns "$1")" || return 1
    dp_on_exit "ip netns del $(dp_ns "$1")"
    in_ns "$1" ip link set lo up
}

# Runs an Open vSwitch command on a host.
on() {
    dp_host_=$1
    shift
    OVS_RUNDIR=$dp_dir/$dp_host_ OVS_DBDIR=$dp_dir/$dp_host_ \
        ip netns exec "$(dp_ns "$dp_host_")" "$@"
}

# The wire that all hosts are on.
dp_start() {
    dp_add_ns wire || return 1
    in_ns wire ip link add br0 type bridge mcast_snooping 0 \
        && in_ns wire ip link set br0 up mtu "${1:-1500}"
}

# Starts or restarts ovs-vswitchd on a host.
dp_start_vswitchd() {
    on "$1" ovs-vswitchd --detach --no-chdir --pidfile \
        --log-file="$dp_dir/$1/ovs-vswitchd.log" -vconsole:off -vsyslog:off \
        -vvsubnet_rx:dbg -vvsubnet_outbox:dbg -vvsubnet_counters:dbg \
        "unix:$dp_dir/$1/db.sock" || return 1
}

# Ends a host's ovs-vswitchd: with its own good-bye, or by a signal.
dp_stop_vswitchd() {
    dp_pid_=$(cat "$dp_dir/$1/ovs-vswitchd.pid")
    if [ -n "$2" ]; then
        kill "$2" "$dp_pid_"
    else
        on "$1" ovs-appctl -t ovs-vswitchd exit
    fi
    while kill -0 "$dp_pid_" 2>/dev/null; do sleep 0.1; done
}

# dp_add_host NAME NUMBER: host NAME has the addresses 10.0.0.NUMBER and
# fd00::NUMBER, and the node number NUMBER.
dp_add_host() {
    dp_add_ns "$1" || return 1
    in_ns wire ip link add "u$1" mtu 1500 type veth peer name u0 \
        netns "$(dp_ns "$1")" || return 1
    in_ns wire ip link set "u$1" master br0 up
    in_ns "$1" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/u0/accept_dad'
    in_ns "$1" ip addr add "10.0.0.$2/24" dev u0
    in_ns "$1" ip addr add "fd00::$2/64" dev u0 nodad
    in_ns "$1" ip link set u0 up

    mkdir "$dp_dir/$1"
    on "$1" ovsdb-tool create "$dp_dir/$1/conf.db" \
        "$OVS_SRC/vswitchd/vswitch.ovsschema" || return 1
    on "$1" ovsdb-server --detach --no-chdir --pidfile \
        --log-file="$dp_dir/$1/ovsdb-server.log" -vconsole:off -vsyslog:off \
        "--remote=punix:$dp_dir/$1/db.sock" "$dp_dir/$1/conf.db" || return 1
    dp_on_exit "kill \$(cat $dp_dir/$1/ovsdb-server.pid)"
    on "$1" ovs-vsctl --no-wait init
    dp_on_exit "kill \$(cat $dp_dir/$1/ovs-vswitchd.pid)"
    dp_start_vswitchd "$1" || return 1
    on "$1" ovs-vsctl add-br br0 -- set bridge br0 datapath_type=netdev \
        fail_mode=secure protocols=OpenFlow10,OpenFlow15
    dp_hosts="$dp_hosts $1"
}

# dp_add_port HOST [OPTION=VALUE]...: the tunnel port, OpenFlow port 1; of type
# $DP_TYPE if that is set.
dp_add_port() {
    dp_port_host_=$1
    shift
    on "$dp_port_host_" ovs-vsctl add-port br0 vs0 -- set interface vs0 \
        "type=${DP_TYPE:-vsubnet}" ofport_request=1 options:remote_ip=flow options:key=flow \
        "options:keyring=$dp_dir/$dp_port_host_/keyring" \
        "options:state=$dp_dir/$dp_port_host_/sessions" "options:probe=${DP_PROBE:-false}" \
        $(for o; do echo "options:$o"; done)
}

# dp_add_guest HOST GUEST PORT ADDRESS...: a namespace with eth0 on OpenFlow
# port PORT of the host's br0.
dp_add_guest() {
    dp_host=$1 dp_guest=$2 dp_port=$3
    shift 3
    dp_add_ns "$dp_guest" || return 1
    in_ns "$dp_host" ip link add "$dp_guest" type veth peer name eth0 \
        netns "$(dp_ns "$dp_guest")" || return 1
    # Without vnet headers the datapath never learns of an unfinished checksum.
    in_ns "$dp_guest" ethtool -K eth0 tx off > /dev/null 2>&1
    in_ns "$dp_guest" ip link set eth0 mtu 1398 \
        address "06:00:00:00:00:$(printf %02x "$dp_port")"
    in_ns "$dp_guest" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad'
    for a; do in_ns "$dp_guest" ip addr add "$a" dev eth0; done
    in_ns "$dp_guest" ip link set eth0 up
    in_ns "$dp_host" ip link set "$dp_guest" up
    on "$dp_host" ovs-vsctl add-port br0 "$dp_guest" -- \
        set interface "$dp_guest" "ofport_request=$dp_port"
}

# Replaces a host's keyring by standard input, with its last line added.
dp_keyring() {
    (umask 077
     cat > "$dp_dir/$1/keyring.tmp"
     echo "end $(wc -l < "$dp_dir/$1/keyring.tmp")" >> "$dp_dir/$1/keyring.tmp"
     mv "$dp_dir/$1/keyring.tmp" "$dp_dir/$1/keyring")
}

dp_reload() {
    on "$1" ovs-appctl -t ovs-vswitchd vsubnet/reload-keyring
}

# The value of a counter of a host's tunnel port.
dp_counter() {
    on "$1" ovs-appctl -t ovs-vswitchd vsubnet/show vs0 \
        | awk -v name="$2" '$1 == name { print $2 }'
}

# The key of a node in a vSubnet, for tests.
dp_key() {
    printf '%04x%012x%016x\n' "$1" "$2" 81985529216486895
}

# dp_mesh VNI FAMILY HOST=NUMBER...: keyrings by which all of these hosts are
# members of one vSubnet.  SPIs are VNI * 100 + node number.
dp_mesh() {
    dp_vni=$1 dp_family=$2
    shift 2
    for dp_self in "$@"; do
        {
            echo "vsubnet-keyring 1"
            echo "self ${dp_self#*=}"
            for h; do
                [ "$h" = "$dp_self" ] || echo "peer ${h#*=} \
$(dp_address "$dp_family" "${h#*=}") 8002 1.1"
            done
            echo "net $dp_vni ${DP_GROUP:--}"
            for h; do
                [ "$h" = "$dp_self" ] || echo "member $dp_vni ${h#*=}"
            done
            for h; do
                if [ "$h" = "$dp_self" ]; then d=tx; else d=rx; fi
                echo "key $dp_vni $d $((dp_vni * 100 + ${h#*=})) ${h#*=} \
aes128gcm 1 $(dp_key "$dp_vni" "${h#*=}")"
            done
        } | dp_keyring "${dp_self%%=*}"
    done
}

dp_address() {
    if [ "$1" = 6 ]; then echo "fd00::$2"; else echo "10.0.0.$2"; fi
}

# Flows by which a host's guest ports are in one vSubnet and everything that
# they send goes to all of its members.
dp_flood_flows() {
    dp_flow_host=$1 dp_flow_vni=$2
    shift 2
    {
        for p; do
            echo "table=0,in_port=$p,actions=set_field:$dp_flow_vni->tun_id,\
set_field:255.255.255.255->tun_dst,output:1"
        done
        echo "table=0,in_port=1,tun_id=$dp_flow_vni,actions=$(for p; do
            printf 'output:%s,' "$p"; done)"
    } | on "$dp_flow_host" ovs-ofctl -O OpenFlow15 add-flows br0 -
}

# dp_inject FROM TO-ADDRESS VNI SENDER RECEIVER [OPTION]...: sends a datagram
# of the node SENDER, made by dp-datagram, from host FROM.
dp_inject() {
    dp_from=$1 dp_to=$2 dp_vni=$3 dp_sender=$4 dp_receiver=$5
    shift 5
    in_ns "$dp_from" "$PYTHON3" "$VSUBNET_SRC/tests/dp-datagram" "$dp_to" \
        --vni "$dp_vni" --spi "$((dp_vni * 100 + dp_sender))" \
        --key "$(dp_key "$dp_vni" "$dp_sender")" \
        --receiver "$dp_receiver" "$@"
}

# Waits until a counter of a host has the value.
dp_wait_counter() {
    for dp_i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ "$(dp_counter "$1" "$2")" = "$3" ] && return 0
        sleep 0.1
    done
    echo "$2 of $1 is $(dp_counter "$1" "$2"), not $3"
    return 1
}

# The counters of a host that are not zero, without those that vary and
# rx_datagrams, which is the sum of others.
dp_counters() {
    on "$1" ovs-appctl -t ovs-vswitchd vsubnet/show vs0 \
        | sed '1,/^  counters:/d' \
        | awk '$2 != 0 && $1 !~ /^(rx_coalesced|rx_datagrams|[rt]x_(bytes|messages))$/ \
               { print $1, $2 }'
}

# One column of a host's tunnel port.
dp_interface() {
    on "$1" ovs-vsctl get interface vs0 "$2"
}

# How many UDP datagrams a host has sent, over either family.
dp_udp_sent() {
    in_ns "$1" cat /proc/net/snmp /proc/net/snmp6 \
        | awk '$1 == "Udp:" && $5 ~ /^[0-9]/ { n += $5 }
               $1 == "Udp6OutDatagrams" { n += $2 } END { print n }'
}

# dp_capture NAMESPACE INTERFACE FILE FILTER...: returns once tcpdump listens.
dp_capture() {
    dp_file=$dp_dir/$3
    dp_ns_=$(dp_ns "$1") dp_if_=$2
    shift 3
    rm -f "$dp_file" "$dp_file.err"
    ip netns exec "$dp_ns_" tcpdump -n --immediate-mode -U -i "$dp_if_" \
        -w "$dp_file" "$@" 2> "$dp_file.err" < /dev/null > /dev/null 5>&- &
    echo $! > "$dp_file.pid"
    dp_on_exit "kill $!"
    until grep -qs 'listening on' "$dp_file.err"; do
        kill -0 "$(cat "$dp_file.pid")" || return 1
        sleep 0.05
    done
}

# dp_captured FILE: ends the capture and prints what it has, decoded.
dp_captured() {
    sleep 0.3
    kill "$(cat "$dp_dir/$1.pid")"
    while kill -0 "$(cat "$dp_dir/$1.pid")" 2>/dev/null; do sleep 0.05; done
    tcpdump -nvr "$dp_dir/$1" 2> /dev/null
}

# dp_wire_tos [PING-OPTION...]: what types of service the datagrams of three
# pings from a1 to b1 have on the wire, and how many have each.  (A datagram or
# two are of what guests say by themselves.)
dp_wire_tos() {
    dp_capture b u0 tos.pcap udp dst port 8002 and src host 10.0.0.7 || return 1
    in_ns a1 ping -q -c 3 -i 0.1 -W 2 "$@" 10.77.0.2 > /dev/null
    dp_captured tos.pcap | sed -n 's/.*(tos \(0x[0-9a-f]*\).*/\1/p' \
        | sort | uniq -c | awk '$1 >= 3 { print $1, $2 }'
}
