# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to a built tree: packages, configure, make.  Sourced
# by tutorial/sandbox and tests/run, after common.sh; uses $top, the checkout.

# What building (Open vSwitch and our programs) and running them needs.
build_packages=(
    autoconf automake libtool make gcc pkg-config python3 patch
    openvswitch-source
    libssl-dev libipsec-mb-dev libcap-ng-dev libnuma-dev libunbound-dev
    libxdp-dev libbpf-dev
    libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev libgnutls28-dev
    uuid-runtime openssl
)
run_packages=(
    iproute2 iputils-ping ethtool nftables tcpdump jq procps curl
)

# install_packages PACKAGE...: installs those that are missing, if any are.
install_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null \
            | grep -q 'ok installed' || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing packages: ${missing[*]}"
    apt-get -qq update \
        && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
           --no-install-recommends "${missing[@]}" >/dev/null
}

# build_tree DIR [CONFIGURE-OPTION...]: configures and builds the checkout in
# DIR.  make does nothing for what has not changed, Open vSwitch included.
build_tree() {
    local dir=$1 options="${*:2}"
    mkdir -p "$dir" || return
    if [[ ! -x $top/configure || $top/configure.ac -nt $top/configure ]]; then
        say "autoreconf"
        (cd "$top" && autoreconf -fi >"$dir/autoreconf.log" 2>&1) || {
            tail -n 30 "$dir/autoreconf.log" >&2
            return 1
        }
    fi
    if [[ ! -e $dir/Makefile || ! -e $dir/options
          || $(<"$dir/options") != "$options" ]]; then
        say "configure $options"
        (cd "$dir" && "$top/configure" -q "${@:2}") || return
        printf '%s' "$options" >"$dir/options"
    fi
    say "make (the first time Open vSwitch is built too: several minutes)"
    make -s -C "$dir" -j"$(nproc)"
}
