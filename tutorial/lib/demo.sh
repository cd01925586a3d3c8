# SPDX-License-Identifier: Apache-2.0
# The vSubnet "demo" of a sandbox, and the show that is given of it.  Sourced
# by tutorial/sandbox, after hosts.sh.

demo_address() { printf '10.77.0.%d' $((100 + ${1#h})); }
demo_address6() { printf 'fd77::%d' $((100 + ${1#h})); }

control() { in_host m1 vsubnetctl "$@"; }

net_exists() { control net show "$1" >/dev/null 2>&1; }

# is_member NET HOST
is_member() {
    [[ $(control member ls "$1") =~ $'\n'[0-9]+\ +"$2"\  ]]
}

# demo_up: vSubnet "demo" with every host as a member, and a guest on each.
demo_up() {
    net_exists demo \
        || control net add demo --subnet 10.77.0.0/24 --subnet fd77::/64 \
               >/dev/null || return
    local host
    for host in $(hosts); do
        demo_member "$host" && demo_guest "$host" || return
    done
}

demo_member() {
    is_member demo "$1" \
        || control member add demo "$1" --host-port >/dev/null
}

demo_guest() {
    attach "$1" demo g1 --address "$(demo_address "$1")/24" \
        --address "$(demo_address6 "$1")/64"
}

# ping_once FROM-HOST ADDRESS: whether its guest gets an answer.
ping_once() { in_guest "$1-g1" ping -q -c 1 -W 1 "$2"; }

# Each guest to each other one, over IPv4 and IPv6.
demo_pings() {
    local from to target
    for from in $(hosts); do
        for to in $(hosts); do
            [[ $from != "$to" ]] || continue
            for target in "$(demo_address "$to")" "$(demo_address6 "$to")"; do
                wait_for 20 "ping from $from's guest to $target" \
                    ping_once "$from" "$target" || return
                printf '%s g1 -> %s g1  %-12s %s\n' "$from" "$to" \
                    "$target" "$(in_guest "$from-g1" \
                        ping -q -c 3 -i 0.05 -W 1 "$target" \
                        | sed -n 's/^rtt/rtt (ms)/p')"
            done
        done
    done
}

# One datagram as it passes between h1 and h2, while their guests ping.
demo_datagram() {
    local pinging status
    in_guest h1-g1 ping -q -i 0.2 -c 50 -p 765375626e6574 \
        "$(demo_address h2)" >/dev/null 2>&1 &
    pinging=$!
    ip netns exec "$name-net" timeout 10 \
        tcpdump -nn -l -q -x -c 1 -i h1 udp port 8002 2>/dev/null
    status=$?
    kill "$pinging" 2>/dev/null
    wait "$pinging" 2>/dev/null
    return $status
}

demo_datagram_explained() {
    case $family in
        4) say "After the IP and UDP headers, at 0x1c:" ;;
        6) say "After the IP and UDP headers, at 0x30:" ;;
    esac
    say "version and type (1 byte), VNI (3), SPI (4), session (8), sequence (8),"
    say "ciphertext of the whole frame, tag (16)."
}

demo_show() {
    heading "pings among the guests, through the vSubnet"
    step "pings among the guests" demo_pings

    heading "vsubnetctl status, on h1"
    step "vsubnetctl status" in_host h1 vsubnetctl status

    heading "flows of br-int, on h1 (ovs-ofctl dump-flows)"
    step "dump-flows" in_host h1 ovs-ofctl -O OpenFlow15 --names --no-stats \
        dump-flows br-int

    if ((host_count > 1)); then
        heading "one datagram between h1 and h2: a ping whose data is 'vSubnet'"
        step "capture of a datagram" demo_datagram
        demo_datagram_explained
    fi
}

demo_what_next() {
    heading "what to try next"
    cat <<EOT
$0 status
$0 guest h1 ping $(demo_address h2)
$0 guest h1 ping $(demo_address6 h2)
$0 exec h1 ovs-vsctl show
$0 exec h1 ovs-appctl vsubnet/show
$0 exec h1 ovs-ofctl -O OpenFlow15 dump-flows br-int
$0 exec m1 vsubnetctl node ls
$0 exec m1 vsubnetctl port ls demo
$0 add-host --approve --net demo
                     a further host, h4, joins while the others run
$0 attach h4 demo g1 --address 10.77.0.104/24
                     and its guest
$0 kill m1 vsubnet-mapper
                     the guests go on pinging; "start m1" brings it back
$0 down
                     ends the sandbox; nothing stays
EOT
}
