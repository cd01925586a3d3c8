/* SPDX-License-Identifier: Apache-2.0 */
/* Where the peers of a tunnel port are, and what the way there carries. */

#include <config.h>
#include "datapath/vsubnet-peers.h"

#include <errno.h>

#include "datapath/vsubnet-path.h"
#include "datapath/vsubnet-ping.h"
#include "datapath/vsubnet-tx.h"
#include "datapath/vsubnet-watch.h"
#include "hash.h"
#include "packets.h"
#include "seal/keyring.h"
#include "seal/session.h"
#include "seal/session-state.h"
#include "seal/wire.h"
#include "timeval.h"
#include "util.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_peers);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 20);

enum {
    ASK_INTERVAL_MS = 1000,     /* Between questions to the kernel... */
    ASK_PER_INTERVAL = 64,      /* ...about so many peers... */
    ASK_HURRY_MS = 20,          /* ...or, if something has changed. */
    WATCH_MS = 1,               /* Between looks whether it has; there are many
                                 * passes of the main loop. */
    CHANGE_TOKENS = 1000,       /* For each change, at one a millisecond. */
    CHANGE_BURST = 8,           /* What changes oftener is no concern of a
                                 * tunnel: containers come and go. */
    SENT_PER_RUN = 64,          /* Messages. */
};

/* Life cycle. */

void
vsubnet_peers_init(struct vsubnet_peers *peers, struct vsubnet_tx *tx,
                   const char *port_name)
{
    *peers = (struct vsubnet_peers) {
        .tx = tx,
        .port_name = port_name,
        .probe = true,
    };
    hmap_init(&peers->peers);
    heap_init(&peers->schedule);
    token_bucket_init(&peers->changes, 1, CHANGE_BURST * CHANGE_TOKENS);
    vsubnet_inbox_init(&peers->inbox);
}

static void
peer_destroy(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    hmap_remove(&peers->peers, &peer->hmap_node);
    heap_remove(&peers->schedule, &peer->heap_node);
    free(peer);
}

void
vsubnet_peers_destroy(struct vsubnet_peers *peers)
{
    struct vsubnet_peer *peer;

    HMAP_FOR_EACH_SAFE (peer, hmap_node, &peers->peers) {
        peer_destroy(peers, peer);
    }
    hmap_destroy(&peers->peers);
    heap_destroy(&peers->schedule);
    vsubnet_inbox_destroy(&peers->inbox);
}

static struct vsubnet_peer *
find(const struct vsubnet_peers *peers, uint32_t number)
{
    struct vsubnet_peer *peer;

    HMAP_FOR_EACH_WITH_HASH (peer, hmap_node, hash_int(number, 0),
                             &peers->peers) {
        if (peer->number == number) {
            return peer;
        }
    }
    return NULL;
}

const struct vsubnet_peer *
vsubnet_peer_find(const struct vsubnet_peers *peers, uint32_t number)
{
    return find(peers, number);
}

/* Where the peer is thought to be. */
static const struct path_endpoint *
endpoint(const struct vsubnet_peer *peer)
{
    return peer->learned.port ? &peer->learned : &peer->registered;
}

/* When the peer has something to do next. */
static long long int
next_of(const struct vsubnet_peer *peer)
{
    long long int search = (endpoint(peer)->port
                            ? peer->search.next_ms : LLONG_MAX);
    long long int move = (peer->move.state != PATH_IDLE
                          ? peer->move.next_ms : LLONG_MAX);

    return MIN(search, move);
}

/* Its place in 'schedule', whose greatest is the earliest. */
static uint64_t
priority(const struct vsubnet_peer *peer)
{
    return LLONG_MAX - next_of(peer);
}

/* Takes note of when 'peer' has something to do, which may have changed. */
static void
schedule(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    heap_change(&peers->schedule, &peer->heap_node, priority(peer));
}

/* Whose turn is next, or NULL. */
static struct vsubnet_peer *
next_peer(const struct vsubnet_peers *peers)
{
    return (heap_is_empty(&peers->schedule) ? NULL
            : CONTAINER_OF(heap_max(&peers->schedule), struct vsubnet_peer,
                           heap_node));
}

/* What is known of a path. */

static struct path_facts
ask_kernel(const struct vsubnet_peers *peers, const struct vsubnet_peer *peer)
{
    return vsubnet_path_ask(&peers->bound, &endpoint(peer)->address);
}

/* The peer is elsewhere than before: all about the path is to be found out. */
static void
begin_path(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    const struct in6_addr *address = &endpoint(peer)->address;
    struct path_facts facts = ask_kernel(peers, peer);
    int floor = vsubnet_path_max_frame(PATH_FLOOR, address);
    int mtu = facts.mtu ? facts.mtu : PATH_DEFAULT;

    path_search_begin(&peer->search, floor,
                      vsubnet_path_max_frame(mtu, address), time_msec());
    peer->local = facts.local;
    schedule(peers, peer);
}

/* What is in force for the path may be another than 'before'. */
static void
note_path(struct vsubnet_peers *peers, const struct vsubnet_peer *peer,
          int before)
{
    if (peer->search.in_force != before) {
        peers->dirty = true;
        VLOG_INFO_RL(&rl, "%s: node %"PRIu32" takes IP packets of %d bytes in "
                     "one datagram", peers->port_name, peer->number,
                     peer->search.in_force - WIRE_ETHERNET_LEN);
    }
}

/* Takes what the kernel says about a peer's path. */
static void
check_path(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    struct path_search *search = &peer->search;
    struct path_facts facts;
    int max_frame, before;

    if (!endpoint(peer)->port) {
        return;
    }
    facts = ask_kernel(peers, peer);
    if (!facts.mtu) {
        /* When there is a way again, it may be another. */
        peer->local = facts.local;
        return;
    }
    max_frame = vsubnet_path_max_frame(facts.mtu, &endpoint(peer)->address);
    before = search->in_force;
    if (!peers->probe) {
        search->in_force = max_frame;
        note_path(peers, peer, before);
        return;
    }
    path_search_believe(search, max_frame, time_msec());
    note_path(peers, peer, before);
    if (!ipv6_addr_equals(&facts.local, &peer->local)) {
        peer->local = facts.local;
        if (ipv6_addr_is_set(&facts.local)) {
            /* The requests tell the peer where this node is now. */
            if (peers->renew) {
                vsubnet_tx_renew(peers->tx);
                peers->renew = false;
            }
            path_search_restart(search, time_msec());
        }
    }
    schedule(peers, peer);
}

/* Takes note of changes of this host's addresses or routes. */
static void
check_watch(struct vsubnet_peers *peers, long long int now)
{
    if (now >= peers->next_watch) {
        uint64_t watch = vsubnet_watch_run();

        /* One change seldom comes alone. */
        peers->watch_rests = watch != peers->watch;
        peers->next_watch = now + (peers->watch_rests
                                   ? ASK_HURRY_MS : WATCH_MS);
        peers->changed |= peers->watch_rests;
        peers->watch = watch;
    }
    if (peers->changed
        && token_bucket_withdraw(&peers->changes, CHANGE_TOKENS)) {
        peers->changed = false;
        peers->n_to_ask = hmap_count(&peers->peers);
        peers->renew = true;
        peers->next_ask = now;
    }
}

/* Asks the kernel about the peers whose turn it is. */
static void
check_paths(struct vsubnet_peers *peers)
{
    long long int now = time_msec();

    check_watch(peers, now);
    if (now < peers->next_ask) {
        return;
    }
    for (int i = 0; i < ASK_PER_INTERVAL; i++) {
        struct hmap_node *node = hmap_at_position(&peers->peers,
                                                  &peers->position);

        if (!node) {
            break;
        }
        check_path(peers, CONTAINER_OF(node, struct vsubnet_peer, hmap_node));
        peers->n_to_ask -= peers->n_to_ask > 0;
    }
    peers->next_ask = now + (peers->n_to_ask ? ASK_HURRY_MS : ASK_INTERVAL_MS);
}

/* Messages out. */

/* Sends a request, of 'len' bytes, to 'to'.  Returns 0 or a positive errno. */
static int
send_request(struct vsubnet_peers *peers, const struct vsubnet_peer *peer,
             const struct path_endpoint *to, uint64_t nonce, size_t len)
{
    const struct vsubnet_tx_message message = {
        .content = { .kind = OAM_ECHO_REQUEST, .nonce = nonce },
        .len = len,
        .number = peer->number,
        .vni = peer->vni,
        .address = to->address,
        .port = to->port,
    };

    return vsubnet_tx_message(peers->tx, &message);
}

static void
send_reply(struct vsubnet_peers *peers, const struct inbox_item *request)
{
    const struct vsubnet_tx_message message = {
        .content = {
            .kind = OAM_ECHO_REPLY,
            .request_len = request->message.request_len,
            .nonce = request->message.nonce,
        },
        .len = OAM_MESSAGE_LEN,
        .number = request->number,
        .vni = request->vni,
        .address = request->address,
        .port = request->port,
    };

    vsubnet_tx_message(peers->tx, &message);
}

/* Returns true and 'n' unpredictable numbers, or false. */
static bool
draw_nonces(uint64_t *nonces, size_t n)
{
    return session_random_default(nonces, n * sizeof *nonces, NULL);
}

/* Nobody answers where the peer was found.  Perhaps it has gone back to where
 * it is registered, while this host could not hear of it. */
static void
look_where_registered(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    uint64_t nonces[2];

    if (peer->learned.port && peer->registered.port
        && draw_nonces(nonces, ARRAY_SIZE(nonces))
        && path_move_hint(&peer->move, &peer->learned, &peer->registered,
                          nonces, time_msec())) {
        VLOG_INFO_RL(&rl, "%s: node %"PRIu32" does not answer where it was "
                     "found: looking where it is registered",
                     peers->port_name, peer->number);
    }
}

/* Does what is due in the search for a peer's path MTU.  Returns how many
 * messages were sent. */
static int
run_search(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    struct path_search *search = &peer->search;
    bool was_reachable = search->state != PATH_UNREACHABLE;
    int before = search->in_force;
    struct path_search_request request;

    if (!endpoint(peer)->port
        || !path_search_run(search, time_msec(), &request)) {
        note_path(peers, peer, before);
        if (was_reachable && search->state == PATH_UNREACHABLE) {
            look_where_registered(peers, peer);
        }
        return 0;
    }
    if (search->tries == 1 && !draw_nonces(&peer->nonce, 1)) {
        return 0;
    }
    if (send_request(peers, peer, endpoint(peer), peer->nonce,
                     request.size) == EMSGSIZE) {
        path_search_refused(search, request.size, time_msec());
    }
    if (request.with_short) {
        send_request(peers, peer, endpoint(peer), peer->nonce,
                     search->floor);
    }
    note_path(peers, peer, before);
    return 1 + request.with_short;
}

static void
moved(struct vsubnet_peers *peers, struct vsubnet_peer *peer,
      const struct path_endpoint *to)
{
    char text[INET6_ADDRSTRLEN];

    keyring_address_format(&to->address, text);
    VLOG_INFO_RL(&rl, "%s: node %"PRIu32" has moved to %s port %"PRIu16,
                 peers->port_name, peer->number, text, to->port);
    peer->learned = *to;
    if (path_endpoint_equals(to, &peer->registered)) {
        peer->learned.port = 0;
    }
    begin_path(peers, peer);
    peers->dirty = true;
}

/* The same for the question where it is. */
static int
run_move(struct vsubnet_peers *peers, struct vsubnet_peer *peer)
{
    struct path_move *move = &peer->move;
    int n = 0;

    switch (path_move_run(move, time_msec())) {
    case PATH_NOTHING:
        break;
    case PATH_ASK:
        if (move->from.port) {
            send_request(peers, peer, &move->from, move->nonces[0],
                         OAM_MESSAGE_LEN);
            n++;
        }
        send_request(peers, peer, &move->to, move->nonces[1],
                     OAM_MESSAGE_LEN);
        n++;
        break;
    case PATH_MOVED:
        moved(peers, peer, &move->to);
        break;
    }
    return n;
}

/* Lets peers do what is due, those first that have waited for longest. */
static void
run_peers(struct vsubnet_peers *peers)
{
    struct vsubnet_peer *peer;

    for (int sent = 0; (sent < SENT_PER_RUN && (peer = next_peer(peers))
                        && next_of(peer) <= time_msec()); sent++) {
        sent += run_move(peers, peer);
        sent += run_search(peers, peer);
        schedule(peers, peer);
    }
}

/* Messages in. */

static void
take_hint(struct vsubnet_peers *peers, struct vsubnet_peer *peer,
          const struct inbox_item *item)
{
    const struct path_endpoint to = { item->address, item->port };
    uint64_t nonces[2];

    if (draw_nonces(nonces, ARRAY_SIZE(nonces))
        && path_move_hint(&peer->move, endpoint(peer), &to, nonces,
                          time_msec())) {
        schedule(peers, peer);
    }
}

static void
take_reply(struct vsubnet_peers *peers, struct vsubnet_peer *peer,
           const struct oam_message *reply)
{
    int before = peer->search.in_force;

    if (endpoint(peer)->port && reply->nonce == peer->nonce) {
        path_search_answered(&peer->search, reply->request_len, time_msec());
        note_path(peers, peer, before);
        schedule(peers, peer);
        return;
    }
    if (peer->move.state != PATH_IDLE) {
        path_move_answered(&peer->move, reply->nonce, time_msec());
        schedule(peers, peer);
    }
    vsubnet_ping_answered(peer->number, reply->nonce);
}

static void
take_item(struct vsubnet_peers *peers, const struct inbox_item *item)
{
    struct vsubnet_peer *peer = find(peers, item->number);

    if (!peer) {
        return;                 /* It has left since. */
    }
    if (item->kind == INBOX_HINT) {
        take_hint(peers, peer, item);
    } else if (item->message.kind == OAM_ECHO_REQUEST) {
        send_reply(peers, item);
    } else {
        take_reply(peers, peer, &item->message);
    }
}

static void
run_inbox(struct vsubnet_peers *peers)
{
    struct inbox_item items[INBOX_MAX];
    size_t n = vsubnet_inbox_take(&peers->inbox, items);

    for (size_t i = 0; peers->probe && i < n; i++) {
        take_item(peers, &items[i]);
    }
}

bool
vsubnet_peers_run(struct vsubnet_peers *peers)
{
    run_inbox(peers);
    check_paths(peers);
    if (peers->probe) {
        run_peers(peers);
    }
    return peers->dirty;
}

void
vsubnet_peers_wait(struct vsubnet_peers *peers)
{
    const struct vsubnet_peer *peer = next_peer(peers);

    vsubnet_inbox_wait(&peers->inbox);
    poll_timer_wait_until(peers->next_ask);
    if (peers->watch_rests) {
        poll_timer_wait_until(peers->next_watch);
    } else {
        vsubnet_watch_wait();
    }
    if (peers->changed) {
        token_bucket_wait(&peers->changes, CHANGE_TOKENS);
    }
    if (peers->probe && peer && next_of(peer) != LLONG_MAX) {
        poll_timer_wait_until(next_of(peer));
    }
}

/* Configuration, keyring, state. */

void
vsubnet_peers_configure(struct vsubnet_peers *peers, bool probe,
                        const struct in6_addr *bound)
{
    struct vsubnet_peer *peer;

    peers->bound = *bound;
    if (probe == peers->probe) {
        return;
    }
    peers->probe = probe;
    peers->dirty = true;
    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        /* What was asked before is of no use later, and what was learned is
         * not to hold without being asked for. */
        peer->move.state = PATH_IDLE;
        if (!probe) {
            peer->learned.port = 0;
        }
        begin_path(peers, peer);
    }
}

/* Has 'a' been registered after 'b'? */
static bool
is_newer(uint64_t generation, uint64_t revision, uint64_t than_generation,
         uint64_t than_revision)
{
    return (generation != than_generation ? generation > than_generation
            : revision > than_revision);
}

/* A new peer, with what was learned of it before a restart. */
static struct vsubnet_peer *
add_peer(struct vsubnet_peers *peers, uint32_t number,
         const struct session_state *state)
{
    const struct session_endpoint *e
        = session_state_get_endpoint(state, number);
    struct vsubnet_peer *peer = xzalloc(sizeof *peer);

    peer->number = number;
    if (e) {
        peer->learned.address = e->address;
        peer->learned.port = e->port;
        peer->registered.address = e->registered;
        peer->registered.port = e->registered_port;
        peer->generation = e->generation;
        peer->revision = e->revision;
    }
    hmap_insert(&peers->peers, &peer->hmap_node, hash_int(number, 0));
    heap_insert(&peers->schedule, &peer->heap_node, priority(peer));
    return peer;
}

static void
load_peer(struct vsubnet_peers *peers, struct keyring_peer *kp,
          const struct session_state *state)
{
    const struct path_endpoint registered = { kp->address, kp->port };
    struct vsubnet_peer *peer = find(peers, kp->number);
    bool is_new = !peer;
    struct path_endpoint before;

    if (is_new) {
        peer = add_peer(peers, kp->number, state);
    }
    before = *endpoint(peer);
    if (!peers->probe
        || !path_endpoint_equals(&registered, &peer->registered)
        || is_newer(kp->generation, kp->revision,
                    peer->generation, peer->revision)) {
        peer->learned.port = 0;
    }
    peer->registered = registered;
    peer->generation = kp->generation;
    peer->revision = kp->revision;
    if (is_new || !path_endpoint_equals(&before, endpoint(peer))) {
        peer->move.state = PATH_IDLE;
        begin_path(peers, peer);
    }
    peer->wanted = true;
    peer->vni = 0;
}

/* Finds for each peer the vSubnet with the lowest VNI that this node can send
 * to it in. */
static void
find_shared_nets(struct vsubnet_peers *peers, const struct keyring *keyring)
{
    const struct keyring_member *member;
    const struct keyring_net *net;

    HMAP_FOR_EACH (net, hmap_node, &keyring->nets) {
        if (!net->tx) {
            continue;
        }
        HMAP_FOR_EACH (member, hmap_node, &net->members) {
            struct vsubnet_peer *peer = find(peers, member->peer->number);

            if (peer && (!peer->vni || net->vni < peer->vni)) {
                peer->vni = net->vni;
            }
        }
    }
}

void
vsubnet_peers_load(struct vsubnet_peers *peers, struct keyring *keyring,
                   const struct session_state *state)
{
    struct vsubnet_peer *peer;
    struct keyring_peer *kp;

    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        peer->wanted = false;
    }
    HMAP_FOR_EACH (kp, hmap_node, &keyring->peers) {
        load_peer(peers, kp, state);
    }
    HMAP_FOR_EACH_SAFE (peer, hmap_node, &peers->peers) {
        if (!peer->wanted) {
            peer_destroy(peers, peer);
        }
    }
    find_shared_nets(peers, keyring);
    vsubnet_peers_apply(peers, keyring);
}

void
vsubnet_peers_apply(struct vsubnet_peers *peers, struct keyring *keyring)
{
    struct keyring_peer *kp;

    HMAP_FOR_EACH (kp, hmap_node, &keyring->peers) {
        const struct vsubnet_peer *peer = find(peers, kp->number);

        if (peer) {
            kp->address = endpoint(peer)->address;
            kp->port = endpoint(peer)->port;
            kp->max_frame = peer->search.in_force;
        }
    }
    vsubnet_path_set_nets(keyring);
    peers->dirty = false;
}

void
vsubnet_peers_export(const struct vsubnet_peers *peers,
                     struct session_state *state)
{
    const struct vsubnet_peer *peer;

    session_state_clear_endpoints(state);
    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        if (peer->learned.port) {
            const struct session_endpoint e = {
                .number = peer->number,
                .address = peer->learned.address,
                .port = peer->learned.port,
                .registered = peer->registered.address,
                .registered_port = peer->registered.port,
                .generation = peer->generation,
                .revision = peer->revision,
            };

            session_state_set_endpoint(state, &e);
        }
    }
}
