# SPDX-License-Identifier: Apache-2.0
# Hosts of a sandbox: namespaces, the underlay between them, the programs of
# each.  Sourced by tutorial/sandbox, after common.sh.
#
# A sandbox NAME has one directory, $root, and these namespaces:
#
#     NAME-net            the underlay: one bridge, a port for each host
#     NAME-m1             the mapping service
#     NAME-h1, NAME-h2    hosts
#     NAME-h1-g1          a guest of host h1
#
# All links are made inside the namespaces, so two sandboxes differ in nothing
# but the name and use the same addresses.

# Directories of one host; Unix socket paths must stay short.
host_dir() { printf '%s' "$root/$1"; }
namespace() { printf '%s' "$name-$1"; }
has_namespace() { [[ -e /run/netns/$name-$1 ]]; }
is_mapper() { [[ $1 == m1 ]]; }

hosts() {
    local number
    for ((number = 1; number <= host_count; number++)); do
        has_namespace "h$number" && echo "h$number"
    done
}

# guests HOST: each guest as HOST-GUEST.
guests() {
    local path
    for path in /run/netns/"$name-$1"-*; do
        [[ -e $path ]] && echo "${path#"/run/netns/$name-"}"
    done
}

need_host() {
    has_namespace "$1" \
        || die "sandbox $name has no host $1 (see $program status)"
}

# --- Addresses -----------------------------------------------------------

# The underlay address of HOST: h7 is number 7, the mapper 254.
address() {
    local number=${1#h}
    is_mapper "$1" && number=254
    case $family in
        4) printf '10.199.0.%d' "$number" ;;
        6) printf 'fd00:199::%x' "$number" ;;
    esac
}

mapper_url() {
    case $family in
        4) printf 'https://%s:8443' "$(address m1)" ;;
        6) printf 'https://[%s]:8443' "$(address m1)" ;;
    esac
}

mapper_listen() { local url; url=$(mapper_url); printf '%s' "${url#https://}"; }

# The largest packet of a guest that the underlay carries in one datagram:
# 1500 less 20 + 8 + 24 + 16 + 14 over IPv4, 20 more over IPv6.
guest_mtu() {
    case $family in
        4) echo 1418 ;;
        6) echo 1398 ;;
    esac
}

# --- Namespaces and links ------------------------------------------------

make_namespace() {
    local ns=$1
    [[ -e /run/netns/$ns ]] && return
    ip netns add "$ns" \
        && ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
               net.ipv6.conf.default.accept_dad=0 \
        && ip -n "$ns" link set lo up
}

make_underlay() {
    local ns=$name-net
    [[ -e /run/netns/$ns ]] && return
    make_namespace "$ns" \
        && ip -n "$ns" link add br0 type bridge mcast_snooping 0 \
        && ip -n "$ns" link set br0 up
}

# plug_host HOST: its namespace, with eth0 on the underlay.
plug_host() {
    local host=$1 ns
    ns=$(namespace "$host")
    [[ -e /run/netns/$ns ]] && return
    make_namespace "$ns" \
        && ip link add eth0 netns "$ns" type veth peer "$host" \
              netns "$name-net" \
        && ip -n "$name-net" link set "$host" master br0 up \
        && ip -n "$ns" link set eth0 up || return
    case $family in
        4) ip -n "$ns" address add "$(address "$host")/24" dev eth0 ;;
        6) ip -n "$ns" address add "$(address "$host")/64" dev eth0 nodad ;;
    esac
}

# --- Running things in a host --------------------------------------------

# in_host HOST COMMAND...: in its namespace, with its environment.
in_host() {
    local host=$1 dir
    shift
    dir=$(host_dir "$host")
    ip netns exec "$(namespace "$host")" env \
        OVS_RUNDIR="$dir/run" OVS_DBDIR="$dir/db" OVS_LOGDIR="$dir/log" \
        OVS_SYSCONFDIR="$dir/etc" OVS_PKGDATADIR="$ovs_source/vswitchd" \
        VSUBNET_STATEDIR="$dir/state" VSUBNET_RUNDIR="$dir/run" \
        VSUBNET_CONFIG="$root/m1/state/operator.json" \
        VSUBNET_PKGDATADIR="$top/plugin/mapper" \
        PATH="$program_path:$PATH" "$@"
}

# programs HOST: the programs of a host in the order in which they start.
programs() {
    if is_mapper "$1"; then
        echo vsubnet-mapper
    else
        echo ovsdb-server ovs-vswitchd vsubnet-controller
    fi
}

# all_programs HOST: those, and the database server that the mapper starts.
all_programs() {
    ! is_mapper "$1" || echo ovsdb-server
    programs "$1"
}

pidfile() {
    case $1-$2 in
        m1-ovsdb-server) printf '%s' "$(host_dir m1)/state/db.pid" ;;
        *) printf '%s' "$(host_dir "$1")/run/$2.pid" ;;
    esac
}

# runs_in PID HOST: whether process PID runs in HOST's namespace.  A pid alone
# proves nothing: it may have been given to another process since.
runs_in() {
    local inode
    inode=$(stat -Lc %i "/proc/$1/ns/net" 2>/dev/null) \
        && [[ $(stat -Lc %i "/run/netns/$name-$2" 2>/dev/null) == "$inode" ]]
}

# pid_of HOST PROGRAM: its process, if it runs.
pid_of() {
    local pid
    pid=$(cat "$(pidfile "$1" "$2")" 2>/dev/null) || return
    [[ -n $pid ]] && runs_in "$pid" "$1" || return
    printf '%s\n' "$pid"
}

# A zombie has ended too, but kill -0 would still find it.
is_gone() { ! readlink "/proc/$1/exe" >/dev/null 2>&1; }

# start_program HOST PROGRAM: unless it runs.
start_program() {
    local host=$1 what=$2 dir options
    pid_of "$host" "$what" >/dev/null && return
    dir=$(host_dir "$host")
    options=(-vconsole:off -vsyslog:off "-vfile:$log_level"
             --pidfile --detach --no-chdir --log-file)
    case $what in
        ovsdb-server)
            [[ -e $dir/db/conf.db ]] \
                || in_host "$host" ovsdb-tool create "$dir/db/conf.db" \
                       "$ovs_source/vswitchd/vswitch.ovsschema" || return
            in_host "$host" ovsdb-server "$dir/db/conf.db" "${options[@]}" \
                --remote="punix:$dir/run/db.sock"
            ;;
        ovs-vswitchd)
            # Userspace TSO has to be on before ovs-vswitchd starts.
            in_host "$host" ovs-vsctl --no-wait init \
                && in_host "$host" ovs-vsctl --no-wait set Open_vSwitch . \
                       other_config:userspace-tso-enable=true \
                && in_host "$host" ovs-vswitchd "unix:$dir/run/db.sock" \
                       "${options[@]}"
            ;;
        vsubnet-controller)
            in_host "$host" vsubnet-controller "${options[@]}"
            ;;
        vsubnet-mapper)
            in_host "$host" vsubnet-mapper --listen "$(mapper_listen)" \
                --state-dir "$dir/state" "${options[@]}"
            ;;
        *)
            die "no program $what on $host (there are: $(programs "$host"))"
            ;;
    esac
}

# stop_pid PID...: asks, waits up to 5 s, and then insists.
stop_pid() {
    local pid tries
    kill -TERM "$@" 2>/dev/null
    kill -CONT "$@" 2>/dev/null
    for pid in "$@"; do
        for ((tries = 50; tries > 0; tries--)); do
            is_gone "$pid" && break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null
    done
    return 0
}

# stop_host HOST [PROGRAM [hard]]: ends PROGRAM or, with "", all programs,
# the last started first.
stop_host() {
    local host=$1 what=${2:-} hard=${3:-} pid each
    for each in $(all_programs "$host" | tr ' ' '\n' | tac); do
        [[ -z $what || $what == "$each" ]] || continue
        pid=$(pid_of "$host" "$each") || continue
        if [[ -n $hard ]]; then
            kill -KILL "$pid"
            while ! is_gone "$pid"; do sleep 0.02; done
        else
            stop_pid "$pid"
        fi
    done
}

# --- One host from nothing -----------------------------------------------

make_directories() {
    local dir
    dir=$(host_dir "$1")
    mkdir -p "$dir"/{state,run,db,log,etc} && chmod 700 "$dir"/{state,run,db}
}

answers() { in_host m1 curl -sfk "$(mapper_url)/healthz"; }

mapper_up() {
    make_directories m1 && plug_host m1 || return
    start_program m1 vsubnet-mapper \
        && wait_for 20 "operator.json of the mapping service" \
               test -s "$root/m1/state/operator.json" \
        && wait_for 20 "an answer of the mapping service" answers
}

# join_host HOST [TOKEN-OPTION...]: with a token of its own, which goes
# through a pipe: arguments are seen by everybody.
join_host() {
    local host=$1 token
    # The number is the service's answer: a join cut short has none.
    jq -e .number "$(host_dir "$host")/state/node.json" >/dev/null 2>&1 \
        && return
    token=$(in_host m1 vsubnetctl token create --json "${@:2}" \
            | jq -er .token) || return
    in_host "$host" vsubnetctl join --name "$host" "$(mapper_url)" - \
        <<<"$token" >/dev/null
}

# host_up HOST [TOKEN-OPTION...]: a joined host with all its programs.
host_up() {
    local host=$1
    make_directories "$host" \
        && plug_host "$host" \
        && start_program "$host" ovsdb-server \
        && in_host "$host" ovs-vsctl --no-wait init -- set open . \
               "external_ids:vsubnet-fingerprint=sandbox-$name-$host" \
        && start_program "$host" ovs-vswitchd \
        && join_host "$@" \
        && start_program "$host" vsubnet-controller
}

# --- Guests --------------------------------------------------------------

in_guest() {
    local guest=$1
    shift
    ip netns exec "$name-$guest" "$@"
}

bridge_exists() { in_host "$1" ovs-vsctl --timeout=2 br-exists br-int; }

# attach HOST NET GUEST [--mac MAC] [--learn] [--address CIDR]...: a namespace
# whose eth0 is port GUEST of the host's bridge, in vSubnet NET.  With --learn
# the port does not tell its MAC, and it is learnt from what the guest sends.
attach() {
    local host=$1 net=$2 guest=$3 addresses=() mac learn='' ns ids
    shift 3
    mac=$(printf '02:77:00:00:%02x:%02x' "${host#h}" "${guest##*[!0-9]}")
    while (($#)); do
        case $1 in
            --mac) mac=$2; shift ;;
            --address) addresses+=("$2"); shift ;;
            --learn) learn=yes ;;
            *) die "attach: unknown option $1" ;;
        esac
        shift
    done
    ns=$name-$host-$guest
    [[ -e /run/netns/$ns ]] \
        || make_guest "$ns" "$host" "$guest" "$mac" "${addresses[@]}" || return
    ids=("external_ids:vsubnet=$net")
    [[ -n $learn ]] || ids+=("external_ids:attached-mac=\"$mac\"")
    wait_for 20 "bridge br-int of $host" bridge_exists "$host" \
        && in_host "$host" ovs-vsctl --timeout=10 --may-exist \
               add-port br-int "$guest" \
               -- set interface "$guest" "${ids[@]}"
}

# make_guest NAMESPACE HOST GUEST MAC [ADDRESS...]
make_guest() {
    local ns=$1 host=$2 guest=$3 mac=$4 address
    make_namespace "$ns" \
        && ip link add eth0 netns "$ns" address "$mac" mtu "$(guest_mtu)" \
              type veth peer "$guest" netns "$(namespace "$host")" \
        && ip -n "$(namespace "$host")" link set "$guest" up \
              mtu "$(guest_mtu)" || return
    ip -n "$ns" link set eth0 up || return
    for address in "${@:5}"; do
        # shellcheck disable=SC2046
        ip -n "$ns" address add "$address" dev eth0 \
            $([[ $address != *:* ]] || echo nodad) || return
    done
}

# --- The end -------------------------------------------------------------

# all_down: ends what runs in the sandbox's namespaces, all of which are ours,
# and removes them.
all_down() {
    local path pids=()
    for path in /run/netns/"$name"-{m1,h*,net}; do
        [[ -e $path ]] || continue
        mapfile -t -O "${#pids[@]}" pids < <(ip netns pids "${path##*/}")
    done
    ((${#pids[@]} == 0)) || stop_pid "${pids[@]}"
    for path in /run/netns/"$name"-{m1,h*,net}; do
        [[ ! -e $path ]] || ip netns delete "${path##*/}"
    done
    rm -rf "$root"
}
