# SPDX-License-Identifier: Apache-2.0
# Shell functions (bash) for tests/mapper*.at: a mapper of one's own, and curl.
#
# AT_CHECK runs commands in a subshell, so what one learns for the next stands
# in files: m/port, m/operator, token, key.

OVS_RUNDIR=$PWD/m; export OVS_RUNDIR

# mapper_start [OPTION...]: starts a mapper in ./m and learns where it is.
mapper_start () {
    mkdir -p m
    vsubnet-mapper --state-dir="$PWD/m/state" --listen=127.0.0.1:0 \
        -vconsole:off --detach --no-chdir --pidfile="$PWD/m/mapper.pid" \
        --log-file="$PWD/m/mapper.log" --unixctl="$PWD/m/mapper.ctl" \
        -vfile:dbg "$@" || { tail m/mapper.log; return 1; }
    mapper_url
}

# The answers that the mapper gave which openapi.yaml does not have.
undocumented () {
    sed -n 's/.*|api|DBG|answered \([A-Z]* [^ ]* [0-9]*\).*/\1/p' m/*.log \
        | LC_ALL=C sort -u \
        | LC_ALL=C comm -23 - "$VSUBNET_BUILD/tests/api-statuses"
}

mapper_url () {
    mapper_status "d['urls'][0].split(':')[-1]" > m/port
    json "d['token']" < m/state/operator.json > m/operator
}

# json EXPRESSION: evaluates it with d = standard input as JSON.
json () {
    "$PYTHON3" -c '
import json, sys
d = json.load(sys.stdin)
r = eval(sys.argv[1])
print(r if isinstance(r, str) else json.dumps(r, separators=(",", ":")))' "$1"
}

mapper_status () {
    ovs-appctl -t "$PWD/m/mapper.ctl" vsubnet/status | json "$1"
}

# Ends what mapper_start began, and the streams; each by its own PID.
mapper_cleanup () {
    for pidfile in m/mapper.pid m/second.pid m/s[123].pid m/state/db.pid stream-*.pid; do
        if test -s "$pidfile"; then
            kill -9 $(<"$pidfile") 2>/dev/null
            rm -f "$pidfile"
        fi
    done
    :
}

# second_start [OPTION...]: another mapper of the same service, on the first
# one's database, in ./m/second; its port is in m/port2, the first one's in
# m/port1.
second_start () {
    cp m/port m/port1
    vsubnet-mapper --state-dir="$PWD/m/second" --listen=127.0.0.1:0 \
        --db="unix:$PWD/m/state/db.sock" -vconsole:off --detach --no-chdir \
        --pidfile="$PWD/m/second.pid" --unixctl="$PWD/m/second.ctl" \
        --log-file="$PWD/m/second.log" "$@" || return
    ovs-appctl -t "$PWD/m/second.ctl" vsubnet/status |
        json "d['urls'][0].split(':')[-1]" > m/port2
}
second_files () {
    mkdir -p m/second && (cd m/state && cp -p ca.pem ca.key storage.key ../second)
}
second_kill () { kill_file m/second.pid; }
# at N COMMAND...: with mapper N.
at () { at_=$1; shift; (MAPPER_PORT=m/port$at_; "$@"); }

# cluster_make SCHEMA-OR-COPY: three database servers, m/s1 to m/s3.
cluster_make () {
    mkdir -p m
    for s in 1 2 3; do
        if test $s = 1; then
            ovsdb-tool create-cluster m/s1.db "$1" "unix:$PWD/m/s1.raft"
        else
            ovsdb-tool join-cluster m/s$s.db vSubnet "unix:$PWD/m/s$s.raft" \
                "unix:$PWD/m/s1.raft"
        fi && cluster_start $s || return
    done
}
cluster_start () {
    ovsdb-server -vconsole:off --detach --no-chdir m/s$1.db \
        --pidfile="$PWD/m/s$1.pid" --unixctl="$PWD/m/s$1.ctl" \
        --log-file="$PWD/m/s$1.log" --remote="punix:$PWD/m/s$1.sock" &&
    ovsdb-client -vconsole:off -t 20 wait "unix:$PWD/m/s$1.sock" vSubnet connected
}
cluster_remote () { echo "unix:$PWD/m/s1.sock,unix:$PWD/m/s2.sock,unix:$PWD/m/s3.sock"; }
# The number of the one that leads.
cluster_leader () {
    for s in 1 2 3; do
        if ovs-appctl -t "$PWD/m/s$s.ctl" cluster/status vSubnet 2>/dev/null |
                grep -q '^Role: leader'; then
            echo $s; return
        fi
    done
    return 1
}

# mapper_kill: as a crash would, and waits until it is gone.
mapper_kill () { kill_file m/mapper.pid; }
# It holds its lock until it is gone, which with sanitizers takes a while.
mapper_exit () {
    pid=$(<m/mapper.pid)
    ovs-appctl -t "$PWD/m/mapper.ctl" exit
    wait_until test ! -e m/mapper.pid -a ! -e m/state/db.pid
    while kill -0 $pid 2>/dev/null; do sleep .02; done
}
db_kill () { kill_file m/state/db.pid; }
kill_file () {
    pid=$(<"$1")
    kill -9 $pid
    while kill -0 $pid 2>/dev/null; do sleep .02; done
}

# call METHOD PATH CREDENTIAL [CURL-ARG...]: the body goes to ./out, or to $BODY
# for requests beside others; prints
# the status and the code of the problem if it is one.
call () {
    method=$1 path=$2 credential=$3; shift 3
    : > ${BODY-out}
    status=$(curl -s -o ${BODY-out} -w '%{http_code}' -X $method --max-time 60 \
        --cacert m/state/ca.pem \
        --connect-to vsubnet-mapper:443:127.0.0.1:$(<${MAPPER_PORT-m/port}) \
        ${credential:+-H} ${credential:+"Authorization: Bearer $credential"} \
        "$@" \
        "https://vsubnet-mapper$path")
    case $(<${BODY-out}) in
        '{"type":"urn:vsubnet:problem:'*)
            echo $status `problem_code < ${BODY-out}` ;;
        *) echo $status ;;
    esac
}
problem_code () {
    sed -n '/^{"type":"urn:vsubnet:problem:/{
        s/.*"code":"\([a-z-]*\)","field":"\([^"]*\)".*/\1 \2/
        s/.*"code":"\([a-z-]*\)".*/\1/
        p
    }'
}

# api METHOD PATH CREDENTIAL [JSON]
api () {
    if test $# -gt 3; then
        call "$1" "$2" "$3" -H 'Content-Type: application/json' -d "$4"
    else
        call "$@"
    fi
}
op () { method_=$1 path_=$2; shift 2; api $method_ $path_ $(<m/operator) "$@"; }
get () { op GET $1 > /dev/null; json "$2" < out; }

# token [JSON]: makes a join token, and stores it in ./token.
token () {
    op POST /v1/tokens "${1:-{\}}" > /dev/null
    json "d['token']" < out > token
}

# register NAME [TOKEN]: as a host would; NAME.cred and NAME.body stay, so that
# it can be done again.
register () {
    if test ! -e "$1.cred"; then
        "$PYTHON3" - "$1" <<'EOF'
import hashlib, json, secrets, sys, uuid
name = sys.argv[1]
node_id, secret = str(uuid.uuid4()), secrets.token_hex(32)
open(name + '.id', 'w').write(node_id)
open(name + '.secret', 'w').write(secret)
open(name + '.cred', 'w').write('vsn1.%s.%s' % (node_id, secret))
json.dump({'id': node_id, 'name': name, 'fingerprint': 'fp-' + name,
           'credential_hash': hashlib.sha256(secret.encode()).hexdigest(),
           'endpoints': ['192.0.2.1:8002']}, open(name + '.body', 'w'))
EOF
    fi
    api POST /v1/register "${2-$(<token)}" "$(<$1.body)"
}
cred () { echo "$(<"$1.cred")"; }

# boot BOOT: the instance ID that stands for this boot of some host.
boot () {
    test -e "boot-$1" ||
        "$PYTHON3" -c 'import uuid; print(uuid.uuid4())' > "boot-$1"
    cat "boot-$1"
}

# lease NAME BOOT [MACHINE [CREDENTIAL]]: asks for the lease as a host would.
lease () {
    api PUT /v1/self/lease ${4-`cred $1`} \
        "{\"instance\": \"`boot $2`\", \"fingerprint\": \"${3-fp-$1}\"}"
}
lease_is () {
    want_=$1; shift
    lease "$@" > lease.out
    test "$(<lease.out)" = "$want_"
}

# as NAME BOOT METHOD PATH [JSON]: a request of that instance.
as () {
    name_=$1 boot_=$2 method_=$3 path_=$4; shift 4
    if test $# -gt 0; then
        call $method_ $path_ `cred $name_` \
            -H "VSubnet-Instance: `boot $boot_`" \
            -H 'Content-Type: application/json' -d "$1"
    else
        call $method_ $path_ `cred $name_` \
            -H "VSubnet-Instance: `boot $boot_`"
    fi
}

# new_credential NAME: makes another one, in NAME.next; its hash in NAME.hash.
new_credential () {
    "$PYTHON3" - "$1" <<'EOF'
import hashlib, secrets, sys
name, secret = sys.argv[1], secrets.token_hex(32)
node_id = open(name + '.id').read()
open(name + '.next', 'w').write('vsn1.%s.%s' % (node_id, secret))
open(name + '.hash', 'w').write(hashlib.sha256(secret.encode()).hexdigest())
EOF
}
put_credential () {
    as $1 $2 PUT /v1/self/credential "{\"credential_hash\": \"$(<$1.hash)\"}"
}

# answer_challenges NAME BOOT: as the controller behind stream-NAME does.
# Runs until NAME.answers goes away.
answer_challenges () {
    : > $1.answers
    (   answered=0
        while test -e $1.answers; do
            n=`grep -c '^event: challenge' stream-$1`
            if test $n -gt $answered; then
                answered=$n
                nonce=`grep -A1 '^event: challenge' stream-$1 | tail -1`
                curl -s -o heartbeat.out --max-time 60 \
                    --cacert m/state/ca.pem --connect-to \
                    vsubnet-mapper:443:127.0.0.1:$(<${MAPPER_PORT-m/port}) \
                    -H "Authorization: Bearer `cred $1`" \
                    -H "VSubnet-Instance: `boot $2`" \
                    -H 'Content-Type: application/json' -d "${nonce#data: }" \
                    https://vsubnet-mapper/v1/self/heartbeat
            fi
            sleep .02
        done ) &
}
# clone NAME OF BOOT: what a copy of host OF does when it is told that it is
# one: a new ID and credential, registered with OF's credential.
clone () {
    test -e "$1.cred" || register "$1" none > /dev/null
    call POST /v1/register `cred $2` -H "VSubnet-Instance: `boot $3`" \
        -H 'Content-Type: application/json' -d "$(<$1.body)"
}
rekey_of () { get /v1/nets/$1 "d['rekey']"; }

# Keys that others have in force: what NAME says, and what it was told.
loaded () { api POST /v1/self/loaded `cred $1` "{\"revision\": \"$2\"}"; }
revision () { mapper_status "d['revision']"; }
told () { grep -A1 '^event: loaded' stream-$1 | sed -n 's/^data: //p'; }
was_told () { told $1 | grep -q "[^0-9]$2[^0-9]"; }

# audited: what is told of nodes and their keys, newest first.
audited () {
    get /v1/audit "[a['action'] + ' ' + a['object'] for a in d['items']
        if a['action'].split('-')[0] in ('node', 'clone', 'duplicate')
        or a['action'] in ('net-rekeyed', 'member-removed')]"
}

# put_key NODE-NAME NET EPOCH: a new key, in base64 in ./key; the answer, with
# the SPI, is in out.
put_key () {
    head -c 16 /dev/urandom | base64 > key
    put_same_key "$@"
}
put_same_key () {
    api PUT /v1/self/keys `cred $1` "{\"net\": \"$2\", \"epoch\": $3,
        \"algorithm\": \"aes128gcm\", \"key\": \"$(<key)\"}"
}

# stream NAME CREDENTIAL [LAST-EVENT-ID [BOOT]]: follows the events in stream-NAME.
stream () {
    # An older stream's events are not this one's.
    rm -f stream-$1
    curl -sN -o stream-$1 --cacert m/state/ca.pem \
        --connect-to vsubnet-mapper:443:127.0.0.1:$(<${MAPPER_PORT-m/port}) \
        -H "Authorization: Bearer $2" ${3:+-H} ${3:+"Last-Event-ID: $3"} \
        ${4:+-H} ${4:+"VSubnet-Instance: `boot $4`"} \
        https://vsubnet-mapper/v1/events &
    echo $! > stream-$1.pid
    wait_until grep -qs 'still here' stream-$1
}
stream_end () { kill $(<stream-$1.pid); rm -f stream-$1.pid; }
events () { "$PYTHON3" "$VSUBNET_SRC/tests/mapper-events" stream-$1; }

# wait_events NAME N: waits for N events of the mapping and prints them.
wait_events () {
    wait_until has_events $1 $2
    events $1
}
has_events () { test `grep -c '^data: {"revision"' stream-$1` -ge $2; }

# wait_until COMMAND...: for thirty seconds at most.
wait_until () {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        if test $tries -gt 170; then
            echo "waited too long for: $*"
            return 1
        fi
        if test $tries -lt 20; then sleep .05; else sleep .2; fi
    done
}

not_running () { ! kill -0 "$1" 2>/dev/null; }
has_streams () { test `mapper_status "d['streams']"` = $1; }
no_streams () { has_streams 0; }
healthy () { test `call GET /readyz "" | cut -c 1-3` = 200; }
