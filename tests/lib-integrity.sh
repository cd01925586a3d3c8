# SPDX-License-Identifier: Apache-2.0
# Two hosts whose guests send each other data of all sizes, over a wire that
# may lose, double and reorder; for tests/integrity.at, which sources this.
#
#   guest ga          guest gb
#   eth0 eth1         eth0 eth1
#     |    |            |    |      VLAN 5 on the way from eth1 to eth1
#     p1   p2           p1   p2     internal ports at ga, veths at gb
#   +-+----+-+        +-+----+-+
#   |  br0   | host a | br0    | host b
#   +--+-----+        +--+-----+
#      +--- bridge or ---+
#            tests/wire
#
# Guests keep their cards' offloads, but that gb is given what came apart, with
# checksums, so that a capture shows it.

. "$VSUBNET_SRC/tests/lib-datapath.sh"

# Megabytes that go each way between each two addresses.
integrity_mb=${VSUBNET_INTEGRITY_MB:-10}
integrity_addresses="10.77.0.2 fd77::2 10.78.0.2 fd78::2"

integrity_enable_tso() {
    on "$1" ovs-vsctl set open . other_config:userspace-tso-enable=true \
        && dp_stop_vswitchd "$1" && dp_start_vswitchd "$1"
}

# eth0 and eth1 of ga.
integrity_add_internal() {
    on a ovs-vsctl add-port br0 p1 \
        -- set interface p1 type=internal ofport_request=11 \
        -- add-port br0 p2 \
        -- set interface p2 type=internal ofport_request=12 || return 1
    for dp_i in 0 1; do
        in_ns a ip link set "p$((dp_i + 1))" netns "$(dp_ns ga)" \
            name "eth$dp_i" || return 1
    done
}

# The same of gb, which leaves segments and checksums to its card, but is not
# left any.
integrity_add_veth() {
    for dp_i in 0 1; do
        dp_port_=p$((dp_i + 1))
        in_ns b ip link add "$dp_port_" mtu "$1" type veth peer name \
            "eth$dp_i" netns "$(dp_ns gb)" || return 1
        in_ns b ethtool -K "$dp_port_" tx off tso off gso off || return 1
        in_ns b ip link set "$dp_port_" up
        on b ovs-vsctl add-port br0 "$dp_port_" -- set interface \
            "$dp_port_" "ofport_request=$((dp_i + 11))" || return 1
    done
}

# integrity_configure GUEST NUMBER MTU: its addresses.  TCP over IPv4 and eth1
# asks for ECN.  IP fragments whose others were lost do not take the room of
# those that come: by default they wait for 30 seconds in 4 MB.
integrity_configure() {
    in_ns "$1" sh -e -c "
        for i in ipv4/ipfrag ipv6/ip6frag; do
            echo 268435456 > /proc/sys/net/\${i}_high_thresh
            echo 3 > /proc/sys/net/\${i}_time
        done
        for i in 0 1; do
            echo 0 > /proc/sys/net/ipv6/conf/eth\$i/accept_dad
            ip link set eth\$i address 06:00:00:00:0\$i:0$2 mtu $3 up
            ip addr add 10.7\$((7 + i)).0.$2/24 dev eth\$i
            ip addr add fd7\$((7 + i))::$2/64 dev eth\$i nodad
        done
        ip route replace 10.78.0.0/24 dev eth1 features ecn"
}

integrity_flows() {
    on "$1" ovs-ofctl -O OpenFlow15 add-flows br0 - <<EOF
in_port=11,actions=set_field:5001->tun_id,set_field:$2->tun_dst,output:1
in_port=12,actions=push_vlan:0x8100,set_field:4101->vlan_vid,\
set_field:5001->tun_id,set_field:$2->tun_dst,output:1
in_port=1,tun_id=5001,vlan_tci=0,actions=output:11
in_port=1,tun_id=5001,dl_vlan=5,actions=pop_vlan,output:12
EOF
}

# integrity_up FAMILY MTU [OPTION...]: all of it, on an underlay of IPv4 or
# IPv6; on a bridge, or on tests/wire with these options.
integrity_up() {
    dp_family_=$1 dp_mtu_=$2
    shift 2
    dp_start && dp_add_host a 7 && dp_add_host b 9 \
        && integrity_enable_tso a && integrity_enable_tso b || return 1
    if [ $# -gt 0 ]; then integrity_wire "$@" || return 1; fi
    dp_mesh 5001 "$dp_family_" a=7 b=9 && dp_add_port a && dp_add_port b \
        && dp_add_ns ga && dp_add_ns gb \
        && integrity_add_internal \
        && integrity_add_veth "$dp_mtu_" \
        && integrity_configure ga 1 "$dp_mtu_" \
        && integrity_configure gb 2 "$dp_mtu_" \
        && integrity_flows a 240.0.0.9 && integrity_flows b 240.0.0.7 \
        && dp_background gb "$PYTHON3" "$VSUBNET_SRC/tests/transfer.py" serve \
        || return 1
    for dp_i in $integrity_addresses; do
        integrity_wait_ping "$dp_i" || return 1
    done
}

integrity_wait_ping() {
    for dp_j in 1 2 3 4 5 6 7 8 9 10; do
        in_ns ga ping -q -c 1 -W 1 "$1" && return 0
    done
    return 1
}

# integrity_wire OPTION...: puts tests/wire in place of the bridge.
integrity_wire() {
    for dp_i in a b; do
        in_ns "$dp_i" ethtool -K u0 tx off tso off gso off gro off || return 1
        in_ns wire ip link set "u$dp_i" nomaster || return 1
    done
    ip netns exec "$(dp_ns wire)" "$VSUBNET_BUILD/tests/wire" "$@" ua ub \
        < /dev/null > "$dp_dir/wire.out" 2> "$dp_dir/wire.err" 5>&- &
    echo $! > "$dp_dir/wire.pid"
    dp_on_exit "kill $!"
    for dp_i in 1 2 3 4 5 6 7 8 9 10; do
        grep -q ready "$dp_dir/wire.out" && return 0
        sleep 0.1
    done
    return 1
}

# Makes the guests silent, after everything has come.  What was dropped at a
# socket is known to its reader with what comes after.
integrity_silence() {
    sleep 0.3
    in_ns ga ping -q -c 5 -i 0.1 -W 1 10.77.0.2
    for dp_i in 0 1; do
        in_ns ga ip link set "eth$dp_i" down
        in_ns gb ip link set "eth$dp_i" down
    done
    sleep 0.3
}

# Ends the wire.
integrity_end_wire() {
    integrity_silence
    dp_pid_=$(cat "$dp_dir/wire.pid")
    kill "$dp_pid_" || return 1
    while kill -0 "$dp_pid_" 2>/dev/null; do sleep 0.1; done
    cat "$dp_dir/wire.out" "$dp_dir/wire.err"
}

integrity_wired() {
    awk -v device="u$1" -v name="$2" \
        '$1 == device && $2 == name { print $3 }' "$dp_dir/wire.out"
}

# The sum of a host's counters whose names match.
integrity_sum() {
    on "$1" ovs-appctl -t ovs-vswitchd vsubnet/show vs0 \
        | awk -v names="^($2)\$" '$1 ~ names { n += $2 } END { print n + 0 }'
}

# integrity_overrun NAMESPACE DEVICE...: what these devices received and the
# kernel had no room for, before anybody saw it.
integrity_overrun() {
    dp_host_=$1
    shift
    for dp_i; do
        in_ns "$dp_host_" cat "/sys/class/net/$dp_i/statistics/rx_dropped"
    done | awk '{ n += $1 } END { print n + 0 }'
}

# What the guests' kernels had no room for.
integrity_guests_overran() {
    for dp_j in ga gb; do
        integrity_overrun "$dp_j" eth0 eth1
        in_ns "$dp_j" awk '$1 == "Udp:" && $6 ~ /^[0-9]/ { print $6 }
                           $1 == "Udp6RcvbufErrors" { print $2 }' \
            /proc/net/snmp /proc/net/snmp6
    done | awk '{ n += $1 } END { print n + 0 }'
}

# integrity_equal WHAT VALUE WHAT VALUE
integrity_equal() {
    test "$2" -eq "$4" && return
    echo "$1 ($2) is not $3 ($4)"
    return 1
}

# integrity_account FROM TO: all datagrams that went from one host to the other
# came there, but for those that are counted as dropped.  The wire joined none,
# so the kernel's count of drops is one of datagrams.
integrity_account() {
    integrity_equal \
        "tx_datagrams of $1" "$(integrity_sum "$1" tx_datagrams)" \
        "those on the wire" "$(($(integrity_wired "$1" received) \
                                + $(integrity_wired "$1" overrun) \
                                + $(integrity_overrun wire "u$1")))" \
    && integrity_equal \
        "datagrams that left the wire" "$(integrity_wired "$1" sent)" \
        "rx_datagrams and rx_socket_full of $2" \
        "$(($(integrity_sum "$2" 'rx_(datagrams|socket_full)') \
            + $(integrity_overrun "$2" u0)))" \
    && integrity_equal \
        "rx_datagrams of $2" "$(integrity_sum "$2" rx_datagrams)" \
        "what became of them" \
        "$(($(integrity_sum "$2" 'rx_(frames|fragments|replayed|congestion)') \
            - $(integrity_sum "$2" rx_reassembled)))"
}

# integrity_account_messages FROM TO: the same of messages, on the bridge.
integrity_account_messages() {
    integrity_equal \
        "tx_messages of $1" "$(integrity_sum "$1" tx_messages)" \
        "rx_messages and rx_socket_full of $2" \
        "$(($(integrity_sum "$2" 'rx_(messages|socket_full)') \
            + $(integrity_overrun wire "u$1") \
            + $(integrity_overrun "$2" u0)))"
}

# integrity_capture DEVICE FILE PACKETS: of what gb sees; ends by itself.
integrity_capture() {
    ip netns exec "$(dp_ns gb)" tcpdump -i "$1" -s 0 -B 32768 -c "$3" \
        -w "$2" 2> "$2.err" 5>&- &
    dp_on_exit "kill $!"
    for dp_i in 1 2 3 4 5 6 7 8 9 10; do
        grep -q listening "$2.err" && return 0
        sleep 0.1
    done
    return 1
}

integrity_transfer() {
    in_ns ga "$PYTHON3" "$VSUBNET_SRC/tests/transfer.py" call "$@" \
        $integrity_addresses
}
