# SPDX-License-Identifier: Apache-2.0
# What befalls hosts: another underlay address, a reboot, a disk that is set
# back or wakes up in another machine.  Sourced by tutorial/sandbox, after
# hosts.sh.
#
# A host's disk is its directories "state" and "db"; "run" is what a boot finds
# empty, as a tmpfs.  Its interfaces and its guests are not on it.

# --- Another address -----------------------------------------------------

# readdress HOST ADDRESS [down]: ADDRESS instead of what eth0 has, which with
# "down" goes down in between.
readdress() {
    local host=$1 address=$2 down=${3:-} ns
    ns=$name-$host
    [[ -z $down ]] || ip -n "$ns" link set eth0 down || return
    # First the old one: the kernel would take a second one of the same prefix
    # away together with it.
    ip -n "$ns" address flush dev eth0 scope global \
        && ip -n "$ns" link set eth0 up \
        && give_address "$host" "$address"
}

# check_address ADDRESS: ends the program unless a host may have it.  One way
# to write each, so that they can be compared as text.
check_address() {
    [[ $1 =~ ^10\.199\.0\.([1-9][0-9]{0,2})$ && ${BASH_REMATCH[1]} -le 230
       || $1 =~ ^fd00:199::[1-9a-f][0-9a-f]{0,3}$
          && ! $1 =~ ::(e[7-9a-f]|f[0-9a-e])$ ]] \
        || die "$1 is no address of the underlay: 10.199.0.N (N at most 230)" \
               "or fd00:199::X (X not from e7 to fe)"
    ! is_in_use "$1" || die "a host has $1 already"
}

# --- Reboot --------------------------------------------------------------

empty_run() { find "$root/$1/run" -mindepth 1 -delete; }

# reboot HOST [hard]: with "hard" it does not shut down first.
reboot() {
    stop_host "$1" '' "${2:-}"
    empty_run "$1" && start_host "$1"
}

# --- Disks ---------------------------------------------------------------

is_stopped() { [[ $(ps -o stat= -p "$1") == T* ]]; }

# copy_disk HOST DIRECTORY: its disk of one moment.  Its programs stand still
# meanwhile: a snapshot has no file of before and another of after.
copy_disk() {
    local host=$1 to=$2 dir each pid pids=() status
    dir=$root/$host
    for each in $(all_programs "$host"); do
        pid=$(pid_of "$host" "$each") && pids+=("$pid")
    done
    # An interrupt now would leave them so.
    trap '' INT TERM HUP
    for pid in "${pids[@]}"; do
        kill -STOP "$pid" && wait_for 5 "$pid to stand still" is_stopped "$pid"
    done
    cp -a "$dir/state" "$dir/db" "$to/"
    status=$?
    ((${#pids[@]} == 0)) || kill -CONT "${pids[@]}"
    trap - INT TERM HUP
    return $status
}

snapshot_dir() { printf '%s' "$root/snapshots/$1"; }

# snapshot HOST: kept until the next one.
snapshot() {
    local to
    to=$(snapshot_dir "$1")
    rm -rf "$to"
    mkdir -p "$to" && chmod 700 "$to" && copy_disk "$1" "$to"
}

# restore HOST: its disk as snapshot() found it, and a boot from that.
restore() {
    local host=$1 from dir
    from=$(snapshot_dir "$host")
    dir=$root/$host
    stop_host "$host"
    rm -rf "$dir/state" "$dir/db" \
        && cp -a "$from/state" "$from/db" "$dir/" \
        && empty_run "$host" && start_host "$host"
}

# clone HOST NEW [same]: NEW boots from a copy of HOST's disk; with "same" it
# has the fingerprint of HOST's machine too.  The copied database has ports
# for HOST's guests, as a real one would; there are no such devices, so Open
# vSwitch gives them no number and nothing goes there.
clone() {
    local host=$1 new=$2 same=${3:-}
    make_directories "$new" \
        && echo "$host" >"$root/$new/clone-of" \
        && copy_disk "$host" "$root/$new" \
        && plug_host "$new" \
        && start_program "$new" ovsdb-server || return
    # Before the controller starts: it looks once.
    [[ -n $same ]] || set_fingerprint "$new" || return
    own_paths "$new" && start_host "$new"
}

# own_paths HOST: the tunnel port's files are HOST's.  On real machines the
# paths are the same; here those in a copied database are the original's, and
# ovs-vswitchd would take its keys and write its state.
own_paths() {
    local port dir
    dir=$root/$1
    for port in $(in_host "$1" ovs-vsctl --bare --columns=name \
                      find interface 'options:keyring!=""'); do
        in_host "$1" ovs-vsctl --no-wait set interface "$port" \
            "options:keyring=$dir/run/keyring" \
            "options:state=$dir/state/sessions" || return
    done
}
