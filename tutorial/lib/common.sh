# SPDX-License-Identifier: Apache-2.0
# Small things that the sandbox and the test runner both use: messages, steps,
# waiting.  Sourced by bash, not run.

program=${0##*/}

say() {
    printf '%s\n' "$*"
}

heading() {
    printf '\n== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "$program" "$*" >&2
    exit 1
}

# step WHAT COMMAND...: runs COMMAND; where it fails, says which step it was
# and ends the program.
step() {
    local what=$1
    shift
    "$@" || die "failed: $what"
}

# wait_for SECONDS WHAT COMMAND...: runs COMMAND ten times a second, quietly,
# until it succeeds.  Returns 1, having said what was waited for, if it never
# does.
wait_for() {
    local seconds=$1 what=$2 tries
    shift 2
    for ((tries = seconds * 10; tries > 0; tries--)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    printf '%s: waited %s s in vain: %s\n' "$program" "$seconds" "$what" >&2
    return 1
}

need_root() {
    ((EUID == 0)) || die "must run as root (it makes network namespaces)"
}
