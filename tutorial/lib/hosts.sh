# SPDX-License-Identifier: Apache-2.0
# Hosts of a sandbox: namespaces, the underlay between them, the programs of
# each.  Sourced by tutorial/sandbox, after common.sh and exec.sh.
#
# A sandbox NAME has one directory, $root, and these namespaces:
#
#     NAME-net            the underlay: one bridge, a port for each host
#     NAME-m1, NAME-m2    mappers, of one mapping service
#     NAME-s1, NAME-s2    servers of its database, if there are several
#     NAME-h1, NAME-h2    hosts
#     NAME-h1-g1          a guest of host h1
#
# All links are made inside the namespaces, so two sandboxes differ in nothing
# but the name and use the same addresses.

# A host's files are in $root/HOST; Unix socket paths must stay short.
#
# A process costs milliseconds on some machines, and much here is done many
# times: what the shell can do itself, it does.
has_namespace() { has_host "$name" "$1"; }
is_mapper() { [[ $1 == m* ]]; }
is_db_server() { [[ $1 == s* ]]; }

# numbered PREFIX COUNT: those that there are of PREFIX1, PREFIX2, ...
numbered() {
    local number
    for ((number = 1; number <= $2; number++)); do
        has_namespace "$1$number" && echo "$1$number"
    done
}
mappers() { numbered m "$mapper_count"; }
db_servers() { ((db_server_count == 1)) || numbered s "$db_server_count"; }

hosts() { numbered h "$host_count"; }

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

# need_node HOST: the same, and it is not of the mapping service.
need_node() {
    need_host "$1"
    [[ $1 == h* ]] || die "$1 is the mapping service, not a node"
}

# --- Addresses -----------------------------------------------------------

# The underlay can have both families.  A mapper has an address of each and
# listens on both; a host has one address at a time.  All that it has had are
# in its file "addresses", the present one last.

# numbered_address NUMBER FAMILY
numbered_address() {
    case $2 in
        4) printf '10.199.0.%d' "$1" ;;
        6) printf 'fd00:199::%x' "$1" ;;
    esac
}

family_of() { if [[ $1 == *:* ]]; then echo 6; else echo 4; fi; }

# The last numbers of the underlay are those of mappers, from 254 down, and
# database servers, from 231 up.
service_number() {
    if is_mapper "$1"; then echo $((255 - ${1#m})); else echo $((230 + ${1#s})); fi
}

# The underlay address of HOST, of a mapper that of the sandbox's family.
address() {
    if [[ $1 != h* ]]; then
        numbered_address "$(service_number "$1")" "$family"
    else
        tail -n 1 "$root/$1/addresses"
    fi
}

is_in_use() {
    local host
    for host in $(hosts); do
        [[ $(address "$host") != "$1" ]] || return 0
    done
    return 1
}

# free_address NUMBER FAMILY: the first one from NUMBER on that no host has had
# yet, so that nobody takes it for that host's.
free_address() {
    local number address
    for ((number = $1; number <= 230; number++)); do
        address=$(numbered_address "$number" "$2")
        if ! grep -qxFs "$address" "$root"/h*/addresses; then
            printf '%s' "$address"
            return 0
        fi
    done
    say "no address of the underlay is free" >&2
    return 1
}

# give_address HOST ADDRESS: to its eth0.
give_address() {
    local host=$1 address=$2 options=("$2/24")
    [[ $(family_of "$address") == 4 ]] || options=("$address/64" nodad)
    ip -n "$name-$host" address add "${options[@]}" dev eth0 \
        && echo "$address" >>"$root/$host/addresses"
}

# mapper_listen MAPPER FAMILY
mapper_listen() {
    local address
    address=$(numbered_address "$(service_number "$1")" "$2")
    case $2 in
        4) printf '%s:8443' "$address" ;;
        6) printf '[%s]:8443' "$address" ;;
    esac
}

mapper_url() { printf 'https://%s' "$(mapper_listen "$1" "$family")"; }

# Hosts know all, the sandbox's family first: they may move to the other.
mapper_urls() {
    local mapper each urls=''
    for each in "$family" $((10 - family)); do
        for mapper in $(mappers); do
            urls+=,https://$(mapper_listen "$mapper" "$each")
        done
    done
    printf '%s' "${urls#,}"
}

# The largest packet of a guest that the sandbox's family carries in one
# datagram: 1500 less 20 + 8 + 24 + 16 + 14 over IPv4, 20 more over IPv6.
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
    local host=$1 ns address
    ns=$name-$host
    [[ -e /run/netns/$ns ]] && return
    make_namespace "$ns" \
        && ip link add eth0 netns "$ns" type veth peer "$host" \
              netns "$name-net" \
        && ip -n "$name-net" link set "$host" master br0 up \
        && ip -n "$ns" link set eth0 up || return
    if [[ $host != h* ]]; then
        address=$(service_number "$host")
        give_address "$host" "$(numbered_address "$address" 4)" \
            && give_address "$host" "$(numbered_address "$address" 6)"
    else
        address=$(free_address "${host#h}" "$family") \
            && give_address "$host" "$address"
    fi
}

# --- Running things in a host --------------------------------------------

in_host() { exec_in "$name" "$@"; }

# programs HOST: the programs of a host in the order in which they start.
programs() {
    if is_mapper "$1"; then
        echo vsubnet-mapper
    elif is_db_server "$1"; then
        echo ovsdb-server
    else
        echo ovsdb-server ovs-vswitchd vsubnet-controller
    fi
}

# all_programs HOST: those, and the database server that a mapper starts.
all_programs() {
    [[ $1 != m1 ]] || ((db_server_count > 1)) || echo ovsdb-server
    programs "$1"
}

# runs_in PID HOST: whether process PID runs in HOST's namespace.  A pid alone
# proves nothing: it may have been given to another process since.
runs_in() { [[ /proc/$1/ns/net -ef /run/netns/$name-$2 ]]; }

# pid_of HOST PROGRAM: its process, if it runs.
pid_of() {
    local pid='' file=$root/$1/run/$2.pid
    [[ $1-$2 != m1-ovsdb-server ]] || file=$root/m1/state/db.pid
    { read -r pid <"$file"; } 2>/dev/null
    [[ -n $pid ]] && runs_in "$pid" "$1" || return
    printf '%s\n' "$pid"
}

# is_gone PID: whether it has ended, with all its threads, and so has closed
# its files and left its namespace.  A zombie has, but kill -0 would find it.
is_gone() {
    local stat threads
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    [[ ${stat##*) } == [ZX]* ]] || return 1
    threads=("/proc/$1/task"/*)
    ((${#threads[@]} <= 1))
}

# start_program HOST PROGRAM: unless it runs.
start_program() {
    local host=$1 what=$2 dir options
    pid_of "$host" "$what" >/dev/null && return
    dir=$root/$host
    options=(-vconsole:off -vsyslog:off "-vfile:$log_level"
             --pidfile --detach --no-chdir --log-file)
    case $what in
        ovsdb-server)
            ! is_db_server "$host" \
                || { start_db_server "$host" "${options[@]}"; return; }
            [[ -e $dir/db/conf.db ]] \
                || in_host "$host" ovsdb-tool create "$dir/db/conf.db" \
                       "$OVS_SRC/vswitchd/vswitch.ovsschema" || return
            in_host "$host" ovsdb-server "$dir/db/conf.db" "${options[@]}" \
                --remote="punix:$dir/run/db.sock"
            ;;
        ovs-vswitchd)
            # Userspace TSO has to be on before ovs-vswitchd starts.
            in_host "$host" ovs-vsctl --no-wait init \
                -- set open . other_config:userspace-tso-enable=true \
                && in_host "$host" ovs-vswitchd "unix:$dir/run/db.sock" \
                       "${options[@]}"
            ;;
        vsubnet-controller)
            in_host "$host" vsubnet-controller "${options[@]}"
            ;;
        vsubnet-mapper)
            mapfile -t -O "${#options[@]}" options < <(db_options "$host")
            in_host "$host" vsubnet-mapper \
                --listen "$(mapper_listen "$host" 4)" \
                --listen "$(mapper_listen "$host" 6)" \
                --state-dir "$dir/state" --lease-time "$lease_time" \
                "${options[@]}"
            ;;
        *)
            die "no program $what on $host (there are: $(programs "$host"))"
            ;;
    esac
}

# start_host HOST: what does not run of its programs.
start_host() {
    local each
    for each in $(programs "$1"); do
        start_program "$1" "$each" || return
    done
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
    local dir=$root/$1
    mkdir -p "$dir"/{state,run,db,log,etc} && chmod 700 "$dir"/{state,run,db}
}

# --- The mapping service -------------------------------------------------

# Database servers of a cluster, and mappers, know each other by one key, of
# which each has a copy: who has it is of the cluster.
make_cluster_key() {
    [[ -e $root/cluster.pem ]] && return
    (umask 077 && openssl req -x509 -newkey ec \
         -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
         -subj "/CN=vsubnet-cluster" -keyout "$root/cluster.key" \
         -out "$root/cluster.new" 2>/dev/null) \
        && mv "$root/cluster.new" "$root/cluster.pem"
}

ssl_options() {
    printf '%s\n' "--private-key=$root/cluster.key" \
        "--certificate=$root/cluster.pem" "--ca-cert=$root/cluster.pem"
}

# server_address SERVER PORT, for ovsdb-server's addresses.
server_address() {
    printf '%s:%s' "$(numbered_address "$(service_number "$1")" 4)" "$2"
}

# start_db_server SERVER OPTION...: port 6643 for clients, 6644 for the others.
start_db_server() {
    local host=$1 db
    db=$root/$host/db/vsubnet.db
    if [[ ! -e $db && $host == s1 ]]; then
        ovsdb_tool create-cluster "$db" \
            "$top/plugin/mapper/vsubnet-mapper.ovsschema" \
            "ssl:$(server_address "$host" 6644)" || return
    elif [[ ! -e $db ]]; then
        ovsdb_tool join-cluster "$db" vSubnet \
            "ssl:$(server_address "$host" 6644)" \
            "ssl:$(server_address s1 6644)" || return
    fi
    # shellcheck disable=SC2046
    in_host "$host" ovsdb-server "$db" "${@:2}" $(ssl_options) \
        --remote="pssl:6643:$(numbered_address "$(service_number "$host")" 4)" \
        --remote="punix:$root/$host/run/db.sock" || return
    wait_for 20 "$host to be of the cluster" in_host "$host" \
        ovsdb-client --timeout=5 wait "unix:$root/$host/run/db.sock" vSubnet \
        connected
}
ovsdb_tool() { env PATH="$VSUBNET_PATH:$PATH" ovsdb-tool "$@"; }

# db_options MAPPER: which database it uses.
db_options() {
    local server remote=''
    if ((db_server_count > 1)); then
        for server in $(db_servers); do
            remote+=,ssl:$(server_address "$server" 6643)
        done
        echo "--db=${remote#,}"
        ssl_options
    elif [[ $1 != m1 ]]; then
        echo "--db=unix:$root/m1/state/db.sock"
    fi
}

# share_secrets MAPPER: what all mappers of a service have in common.
share_secrets() {
    [[ $1 == m1 || -e $root/$1/state/storage.key ]] \
        || cp -p "$root"/m1/state/{ca.pem,ca.key,storage.key} \
              "$root/$1/state/"
}

answers() { in_host "$1" curl -sfk "$(mapper_url "$1")/readyz"; }

# operator.json as the first mapper made it, with the URLs of all.
share_operator() {
    (umask 077 && jq --arg urls "$(mapper_urls)" '.urls = ($urls / ",")' \
         "$root/m1/state/operator.json" >"$root/operator.new") \
        && mv "$root/operator.new" "$root/operator.json"
}

service_up() {
    local number
    if ((db_server_count > 1)); then
        make_cluster_key || return
        for ((number = 1; number <= db_server_count; number++)); do
            make_directories "s$number" && plug_host "s$number" \
                && start_program "s$number" ovsdb-server || return
        done
    fi
    for ((number = 1; number <= mapper_count; number++)); do
        make_directories "m$number" && plug_host "m$number" \
            && share_secrets "m$number" \
            && start_program "m$number" vsubnet-mapper \
            && wait_for 20 "an answer of m$number" answers "m$number" \
            || return
    done
    share_operator
}

# join_host HOST [TOKEN-OPTION...]: with a token of its own, which goes
# through a pipe: arguments are seen by everybody.
join_host() {
    local host=$1 token
    # A clone registers itself.
    [[ ! -e $root/$host/clone-of ]] || return 0
    # The number is the service's answer: a join cut short has none.
    [[ -e $root/$host/state/node.json ]] \
        && jq -e .number "$root/$host/state/node.json" >/dev/null 2>&1 \
        && return
    token=$(in_host m1 vsubnetctl token create "${@:2}") || return
    in_host "$host" vsubnetctl join --name "$host" "$(mapper_urls)" - \
        <<<"$token" >/dev/null
}

# Who a host's machine is.  Without it the machine below would be asked, which
# is the same for all.
set_fingerprint() {
    in_host "$1" ovs-vsctl --no-wait init -- set open . \
        "external_ids:vsubnet-fingerprint=sandbox-$name-$1"
}

has_fingerprint() {
    in_host "$1" ovs-vsctl --no-wait get open . \
        external_ids:vsubnet-fingerprint >/dev/null 2>&1
}

# host_up HOST [TOKEN-OPTION...]: a joined host with all its programs.
host_up() {
    local host=$1
    make_directories "$host" \
        && plug_host "$host" \
        && start_program "$host" ovsdb-server \
        && { has_fingerprint "$host" || set_fingerprint "$host"; } \
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
              type veth peer "$guest" netns "$name-$host" \
        && ip -n "$name-$host" link set "$guest" up \
              mtu "$(guest_mtu)" || return
    {
        echo "link set eth0 up"
        for address in "${@:5}"; do
            [[ $address != *:* ]] || address+=" nodad"
            echo "address add $address dev eth0"
        done
    } | ip -n "$ns" -batch -
}

# --- The end -------------------------------------------------------------

# all_down: ends what runs in the sandbox's namespaces, all of which are ours,
# and removes them.
all_down() {
    local path pids=()
    for path in /run/netns/"$name"-{m*,s*,h*,net}; do
        [[ -e $path ]] || continue
        mapfile -t -O "${#pids[@]}" pids < <(ip netns pids "${path##*/}")
    done
    ((${#pids[@]} == 0)) || stop_pid "${pids[@]}"
    for path in /run/netns/"$name"-{m*,s*,h*,net}; do
        [[ ! -e $path ]] || ip netns delete "${path##*/}"
    done
    rm -rf "$root"
}
