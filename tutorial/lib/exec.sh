# SPDX-License-Identifier: Apache-2.0
# Running things in a host of a sandbox.  Sourced by tutorial/sandbox and by
# the system tests, which run hundreds.
#
# Needs what vsubnet-env.sh sets.

# has_host NAME HOST: whether sandbox NAME has it.
has_host() { [[ -e /run/netns/$1-$2 ]]; }

# exec_in NAME HOST COMMAND...: in its namespace, with its environment.
exec_in() {
    local ns=$1-$2 root=/run/vsubnet-sandbox/$1
    local dir=$root/$2
    shift 2
    OVS_RUNDIR="$dir/run" OVS_DBDIR="$dir/db" OVS_LOGDIR="$dir/log" \
        OVS_SYSCONFDIR="$dir/etc" OVS_PKGDATADIR="$OVS_SRC/vswitchd" \
        VSUBNET_STATEDIR="$dir/state" VSUBNET_RUNDIR="$dir/run" \
        VSUBNET_CONFIG="$root/operator.json" \
        VSUBNET_PKGDATADIR="$VSUBNET_SRC/plugin/mapper" \
        PATH="$VSUBNET_PATH:$PATH" \
        ip netns exec "$ns" "$@"
}
