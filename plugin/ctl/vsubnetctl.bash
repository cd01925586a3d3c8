# SPDX-License-Identifier: Apache-2.0
# Completion for vsubnetctl in bash.  The commands and their options come from
# the program itself; names come from the service, if it can be asked.

_vsubnetctl_names() {
    local noun=$1 field=$2
    shift 2
    vsubnetctl "$noun" ls "$@" --json --timeout 2 2>/dev/null \
        | sed -n "s/^ *\"$field\": \"\([^\"]*\)\".*/\1/p"
}

# The words that can follow those given.
_vsubnetctl_candidates() {
    local -a words=("$@")
    local lines
    lines=$(vsubnetctl --commands 2>/dev/null)
    case "${#words[@]} ${words[*]}" in
    "0 ")
        cut -d' ' -f1 <<<"$lines" | sort -u ;;
    "1 ping")
        _vsubnetctl_names node name ;;
    "1 flows" | "1 trace")
        _vsubnetctl_names net name ;;
    "1 token" | "1 node" | "1 net" | "1 member" | "1 port" | "1 user" \
        | "1 audit" | "1 address" | "1 pool" | "1 reservation" | "1 acl")
        sed -n "s/^${words[0]} \([a-z]*\) .*/\1/p" <<<"$lines" ;;
    "2 node "[!l]*)
        _vsubnetctl_names node name ;;
    "2 acl apply")
        compgen -f ;;
    "3 port set "* | "3 port rm "*)
        _vsubnetctl_names port mac "${words[2]}" ;;
    "3 acl rm "*)
        _vsubnetctl_names acl name "${words[2]}" ;;
    "2 token rm")
        _vsubnetctl_names token id ;;
    "2 user set" | "2 user show" | "2 user rm")
        _vsubnetctl_names user name ;;
    "2 net set" | "2 net show" | "2 net rekey" | "2 net rm" | "2 member "* | "2 port "* \
        | "2 address "* | "2 pool "* | "2 acl "* | "2 reservation "*)
        _vsubnetctl_names net name ;;
    "3 member add "* | "3 member rm "*)
        _vsubnetctl_names node name ;;
    esac
}

# The values that an option has, if they are few.
_vsubnetctl_values() {
    case $1 in
    --policy) echo open closed ;;
    --port-security | --arp-suppression | --guest-dhcp | --dhcp) echo on off ;;
    --ipv6) echo none slaac dhcpv6 ;;
    --algorithm) echo aes128gcm aes256gcm ;;
    --role) echo viewer operator ;;
    esac
}

_vsubnetctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} word i
    local values=$(_vsubnetctl_values "${COMP_WORDS[COMP_CWORD - 1]}")
    local -a given=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word == -* ]] || given+=("$word")
    done
    if [[ $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
    elif [[ $cur == -* ]]; then
        local command="${given[*]:0:2}"
        case ${given[0]-} in
        join | leave | status | flows | ping | trace | bugreport | events)
            command=${given[0]} ;;
        esac
        COMPREPLY=($(compgen -W "$(vsubnetctl --commands 2>/dev/null \
            | sed -n "s/^$command --/--/p")" -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$(_vsubnetctl_candidates "${given[@]}")" \
            -- "$cur"))
    fi
}
complete -F _vsubnetctl vsubnetctl
