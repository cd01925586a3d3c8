/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-tx.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "coverage.h"
#include "datapath/fragment.h"
#include "datapath/frame.h"
#include "datapath/segment.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-socket.h"
#include "dp-packet.h"
#include "hash.h"
#include "netdev-provider.h"
#include "packets.h"
#include "seal/wire.h"
#include "timeval.h"
#include "util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_tx);
COVERAGE_DEFINE(vsubnet_tx_call);
COVERAGE_DEFINE(vsubnet_tx_drop);
COVERAGE_DEFINE(vsubnet_tx_gso_refused);

/* Debian 12's <netinet/udp.h> has it, older ones don't. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    MAX_MESSAGES = 64,          /* In one system call. */
    MAX_SEGMENTS = 64,          /* In one message: the kernel's limit. */
    MAX_DATAGRAMS = 512,        /* Sealed before they are sent... */
    ARENA_SIZE = 512 * 1024,    /* ...and their bytes. */
};

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* A sealed datagram in the arena. */
struct tx_datagram {
    size_t ofs;
    size_t len;
};

enum tx_kind {
    TX_NODE,                    /* To one node. */
    TX_ALL,                     /* To each member of the VNI. */
    TX_GROUP,                   /* To the VNI's multicast group. */
};

/* Where a frame goes. */
struct tx_target {
    enum tx_kind kind;
    const struct keyring_net *net;
    const struct keyring_peer *peer;    /* TX_NODE only. */
    size_t max_frame;           /* The longest that fits in a datagram. */
};

/* What all datagrams of one packet share. */
struct tx_output {
    struct tx_target target;
    struct wire_header header;  /* Of the next datagram. */
    struct aead *aead;
    uint32_t receiver;          /* 0 for all. */
};

/* The datagrams of a batch that have the same target. */
struct tx_group {
    struct tx_target target;
    int datagrams[MAX_DATAGRAMS];   /* Indexes. */
    int n;
};

/* Datagrams of a group that leave in one message: all of one length, but that
 * the last one may be shorter. */
struct tx_run {
    const int *datagrams;
    int n;
    size_t segment;             /* Length of all but the last. */
    struct iovec *iov;
    int n_iov;
};

/* What goes to the kernel in one sendmmsg(). */
struct tx_messages {
    struct mmsghdr headers[MAX_MESSAGES];
    struct sockaddr_storage addresses[MAX_MESSAGES];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(uint16_t))];
    } control[MAX_MESSAGES];
    const struct tx_run *runs[MAX_MESSAGES];
    int n;
};

/* A session in use, in a slot's 'sessions'. */
struct tx_session {
    struct hmap_node node;      /* By SPI. */
    uint32_t spi;
    struct session_tx *tx;
};

struct vsubnet_tx_slot {
    struct hmap sessions;       /* Contains "struct tx_session"s. */
    bool no_gso;                /* The kernel refuses it on this host. */

    /* The rest is of use only during one vsubnet_tx_send(). */
    uint8_t *arena;
    size_t arena_used;
    struct tx_datagram datagrams[MAX_DATAGRAMS];
    int n_datagrams;
    struct tx_group groups[NETDEV_MAX_BURST];
    int n_groups;
    struct tx_run runs[MAX_DATAGRAMS];
    int n_runs;
    struct iovec iovs[MAX_DATAGRAMS];
    int n_iovs;
    struct tx_messages messages;
};

/* What the steps of one vsubnet_tx_send() share. */
struct tx_context {
    struct vsubnet_tx *tx;
    struct vsubnet_tx_slot *slot;
    struct session_time now;
};

static void
drop(struct vsubnet_tx *tx, enum vsubnet_counter why, uint64_t n)
{
    vsubnet_count(tx->counters, why, n);
    COVERAGE_ADD(vsubnet_tx_drop, n);
    VLOG_INFO_RL(&rl, "dropped when sending: %s (%s)",
                 vsubnet_counter_meaning(why), vsubnet_counter_name(why));
}

/* Step 1: seal. */

/* Finds out where 'tnl' points to.  Returns true, or false and why not. */
static bool
find_target(const struct keyring *keyring, const struct flow_tnl *tnl,
            struct tx_target *target, enum vsubnet_counter *why)
{
    struct in6_addr dst = flow_tnl_dst(tnl);
    uint32_t number;
    uint64_t vni;

    if (!flow_tnl_dst_is_set(tnl)) {
        /* Then the rest of it may not even be initialized. */
        *why = VSUBNET_tx_unknown_node;
        return false;
    }
    vni = ntohll(tnl->tun_id);
    target->peer = NULL;
    target->net = (vni <= WIRE_VNI_MAX
                   ? keyring_net_find(keyring, vni) : NULL);
    if (!target->net || !target->net->tx) {
        *why = VSUBNET_tx_no_key;
        return false;
    }
    if (tnl->ip_dst == OVS_BE32_MAX) {
        target->kind = TX_ALL;
        target->max_frame = target->net->max_frame;
        return true;
    }
    if (ipv6_addr_is_set(&target->net->group)
        && ipv6_addr_equals(&dst, &target->net->group)) {
        target->kind = TX_GROUP;
        target->max_frame = target->net->max_frame;
        return true;
    }

    target->kind = TX_NODE;
    number = tnl->ip_dst ? wire_node_number(tnl->ip_dst) : 0;
    target->peer = number ? keyring_peer_find(keyring, number) : NULL;
    if (!target->peer) {
        *why = VSUBNET_tx_unknown_node;
        return false;
    }
    if (!keyring_member_find(target->net, number)) {
        *why = VSUBNET_tx_not_member;
        return false;
    }
    if (!target->peer->port) {
        *why = VSUBNET_tx_no_endpoint;
        return false;
    }
    target->max_frame = target->peer->max_frame;
    return true;
}

/* The slot's session for sending in 'net'. */
static struct session_tx *
find_session(struct tx_context *ctx, const struct keyring_net *net)
{
    uint32_t spi = net->tx->key.spi;
    uint32_t hash = hash_int(spi, 0);
    const struct vsubnet_sender *sender;
    struct tx_session *s;

    HMAP_FOR_EACH_WITH_HASH (s, node, hash, &ctx->slot->sessions) {
        if (s->spi == spi) {
            return s->tx;
        }
    }

    sender = vsubnet_sender_find(ctx->tx->keys, spi);
    ovs_assert(sender);
    s = xzalloc(sizeof *s);
    s->spi = spi;
    s->tx = session_tx_create(sender->sender);
    hmap_insert(&ctx->slot->sessions, &s->node, hash);
    return s->tx;
}

/* Why a frame with offload marks can't be worked on. */
static enum vsubnet_counter
offload_error(enum frame_error error)
{
    switch (error) {
    case FRAME_TRUNCATED: return VSUBNET_tx_offload_truncated;
    case FRAME_NOT_IP: return VSUBNET_tx_offload_not_ip;
    case FRAME_BAD_IP: return VSUBNET_tx_offload_bad_ip;
    case FRAME_IPV4_OPTIONS: return VSUBNET_tx_offload_options;
    case FRAME_IPV6_EXTENSION: return VSUBNET_tx_offload_extension;
    case FRAME_FRAGMENT: return VSUBNET_tx_offload_fragment;
    case FRAME_NOT_TRANSPORT: return VSUBNET_tx_offload_protocol;
    case FRAME_BAD_TRANSPORT: return VSUBNET_tx_offload_bad_transport;
    case FRAME_BAD_SEGMENT_SIZE: return VSUBNET_tx_offload_segment_size;
    case FRAME_OK:
    case FRAME_N_ERRORS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Whether 'packet' is to be cut, TCP or UDP. */
static bool
is_super_packet(const struct dp_packet *packet)
{
    return (dp_packet_hwol_is_tso(packet)
            || dp_packet_hwol_is_udp_seg(packet));
}

/* Whether 'packet' is a frame that can be sealed. */
static bool
check_frame(const struct dp_packet *packet, enum vsubnet_counter *why)
{
    if (dp_packet_size(packet) < ETH_HEADER_LEN) {
        *why = VSUBNET_tx_bad_frame;
    } else if (!is_super_packet(packet)
               && dp_packet_size(packet) > WIRE_MAX_FRAME_LEN) {
        *why = VSUBNET_tx_too_long;
    } else {
        return true;
    }
    return false;
}

/* Adds datagram number 'i' to the group of 'target'. */
static void
add_to_group(struct vsubnet_tx_slot *slot, const struct tx_target *target,
             int i)
{
    struct tx_group *g;

    for (g = slot->groups; g < &slot->groups[slot->n_groups]; g++) {
        if (g->target.kind == target->kind && g->target.net == target->net
            && g->target.peer == target->peer) {
            break;
        }
    }
    if (g == &slot->groups[slot->n_groups]) {
        g->target = *target;
        g->n = 0;
        slot->n_groups++;
    }
    g->datagrams[g->n++] = i;
}

static void send_groups(struct tx_context *);

/* Makes room in the arena for a datagram that carries 'n' bytes, and returns
 * where it begins. */
static uint8_t *
make_room(struct tx_context *ctx, size_t n)
{
    struct vsubnet_tx_slot *slot = ctx->slot;

    if (slot->n_datagrams >= MAX_DATAGRAMS
        || slot->arena_used + n + WIRE_SEAL_LEN > ARENA_SIZE) {
        send_groups(ctx);
    }
    return &slot->arena[slot->arena_used];
}

/* Seals 'n' bytes at 'data' as the next of the datagrams that 'out' has
 * sequences for.  'datagram' is what make_room() returned. */
static bool
seal_datagram(struct tx_context *ctx, struct tx_output *out,
              uint8_t *datagram, const void *data, size_t n)
{
    struct vsubnet_tx_slot *slot = ctx->slot;
    struct tx_datagram *d;

    wire_serialize(&out->header, datagram);
    if (!aead_seal(out->aead, datagram, data, n, out->receiver)) {
        return false;
    }
    out->header.sequence++;
    d = &slot->datagrams[slot->n_datagrams];
    d->ofs = slot->arena_used;
    d->len = WIRE_SEAL_LEN + n;
    slot->arena_used += d->len;
    add_to_group(slot, &out->target, slot->n_datagrams++);
    return true;
}

/* Gets 'n' sequences.  Returns false if that can't be. */
static bool
reserve(struct tx_context *ctx, struct tx_output *out, uint64_t n)
{
    out->aead = session_tx_reserve(find_session(ctx, out->target.net),
                                   &ctx->now, n, &out->header);
    return out->aead != NULL;
}

/* Seals a frame that is too long for one datagram. */
static bool
seal_fragments(struct tx_context *ctx, struct tx_output *out,
               const uint8_t *frame, size_t n, enum vsubnet_counter *why)
{
    size_t most = out->target.max_frame - FRAGMENT_HEADER_LEN;
    size_t total = DIV_ROUND_UP(n, most);
    size_t size = DIV_ROUND_UP(n, total);

    if (total > FRAGMENT_MAX || out->header.type != WIRE_FRAME) {
        *why = VSUBNET_tx_too_long;
        return false;
    }
    out->header.type = WIRE_FRAGMENT;
    *why = VSUBNET_tx_crypto_failed;
    if (!reserve(ctx, out, total)) {
        return false;
    }
    for (size_t i = 0; i < total; i++) {
        size_t len = MIN(n - i * size, size);
        uint8_t *datagram = make_room(ctx, FRAGMENT_HEADER_LEN + len);
        uint8_t *payload = datagram + WIRE_HEADER_LEN;

        fragment_put_header(payload, i, total);
        memcpy(payload + FRAGMENT_HEADER_LEN, frame + i * size, len);
        if (!seal_datagram(ctx, out, datagram, payload,
                           FRAGMENT_HEADER_LEN + len)) {
            return false;
        }
    }
    vsubnet_count(ctx->tx->counters, VSUBNET_tx_fragmented, 1);
    return true;
}

/* Seals a frame as it is, in one datagram if it fits. */
static bool
seal_frame(struct tx_context *ctx, struct tx_output *out, const void *frame,
           size_t n, enum vsubnet_counter *why)
{
    if (n > out->target.max_frame) {
        return seal_fragments(ctx, out, frame, n, why);
    }
    if (!reserve(ctx, out, 1)
        || !seal_datagram(ctx, out, make_room(ctx, n), frame, n)) {
        *why = VSUBNET_tx_crypto_failed;
        return false;
    }
    return true;
}

/* How many bytes are before the IP header of 'packet', if it has one. */
static size_t
l2_len(const struct dp_packet *packet)
{
    const struct eth_header *eth = dp_packet_data(packet);
    ovs_be16 type = eth->eth_type;
    size_t n = ETH_HEADER_LEN;

    while (eth_type_vlan(type) && n + VLAN_HEADER_LEN < dp_packet_size(packet)
           && n < ETH_HEADER_LEN + FRAME_MAX_VLANS * VLAN_HEADER_LEN) {
        const uint8_t *next = dp_packet_data(packet);

        memcpy(&type, next + n + 2, sizeof type);
        n += VLAN_HEADER_LEN;
    }
    return n;
}

/* Cuts a packet that its sender left to be cut, and seals the segments. */
static bool
seal_segments(struct tx_context *ctx, struct tx_output *out,
              struct dp_packet *packet, enum vsubnet_counter *why)
{
    bool is_tcp = dp_packet_hwol_is_tso(packet);
    struct segmenter segmenter;
    struct iovec segment;
    enum frame_error error;

    error = segment_start(&segmenter, dp_packet_data(packet),
                          dp_packet_size(packet),
                          is_tcp ? IPPROTO_TCP : IPPROTO_UDP,
                          dp_packet_get_tso_segsz(packet),
                          out->target.max_frame - l2_len(packet));
    if (error) {
        *why = offload_error(error);
        return false;
    }
    vsubnet_count(ctx->tx->counters, VSUBNET_tx_segmented, 1);
    if (segment_frame_len(&segmenter) > out->target.max_frame) {
        /* UDP: nobody may make these datagrams smaller. */
        while (segment_next(&segmenter, &segment)) {
            out->header.type = WIRE_FRAME;
            if (!seal_frame(ctx, out, segment.iov_base, segment.iov_len,
                            why)) {
                return false;
            }
        }
        return true;
    }

    *why = VSUBNET_tx_crypto_failed;
    if (!reserve(ctx, out, segmenter.count)) {
        return false;
    }
    while (segment_next(&segmenter, &segment)) {
        if (!seal_datagram(ctx, out, make_room(ctx, segment.iov_len),
                           segment.iov_base, segment.iov_len)) {
            return false;
        }
    }
    return true;
}

/* Does what the sender of 'packet' left to a network card. */
static bool
complete_checksum(struct dp_packet *packet, enum vsubnet_counter *why)
{
    struct frame frame;
    enum frame_error error;

    if (!dp_packet_hwol_l4_mask(packet)) {
        return true;
    }
    error = frame_parse(dp_packet_data(packet), dp_packet_size(packet),
                        &frame);
    if (error) {
        *why = offload_error(error);
        return false;
    }
    frame_complete_checksum(dp_packet_data(packet), &frame);
    return true;
}

static bool
seal(struct tx_context *ctx, struct dp_packet *packet,
     enum vsubnet_counter *why)
{
    const struct flow_tnl *tnl = &packet->md.tunnel;
    struct tx_output out;

    if (!check_frame(packet, why)
        || !find_target(ctx->tx->keys->keyring, tnl, &out.target, why)) {
        return false;
    }
    out.header.type = tnl->flags & FLOW_TNL_F_OAM ? WIRE_OAM : WIRE_FRAME;
    out.header.replicated = out.target.kind != TX_NODE;
    out.receiver = out.target.peer ? out.target.peer->number : 0;
    if (out.header.replicated) {
        vsubnet_count(ctx->tx->counters, VSUBNET_tx_replicated, 1);
    }
    if (is_super_packet(packet)) {
        return seal_segments(ctx, &out, packet, why);
    }
    return (complete_checksum(packet, why)
            && seal_frame(ctx, &out, dp_packet_data(packet),
                          dp_packet_size(packet), why));
}

static void
seal_batch(struct tx_context *ctx, struct dp_packet_batch *batch)
{
    struct vsubnet_tx_slot *slot = ctx->slot;
    struct dp_packet *packet;

    if (!slot->arena) {
        slot->arena = xmalloc(ARENA_SIZE);
    }

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        enum vsubnet_counter why;

        if (i + 1 < dp_packet_batch_size(batch)) {
            OVS_PREFETCH(dp_packet_data(batch->packets[i + 1]));
        }

        if (!seal(ctx, packet, &why)) {
            drop(ctx->tx, why, 1);
        }
    }
}

/* Step 2: runs. */

/* Cuts the first run off the 'n' datagrams whose indexes are at 'datagrams'.
 * At least one, as many as can leave in one message otherwise. */
static void
cut_run(struct vsubnet_tx_slot *slot, const int *datagrams, int n,
        struct tx_run *run)
{
    size_t total = 0;

    run->datagrams = datagrams;
    run->n = 0;
    run->segment = slot->datagrams[datagrams[0]].len;
    run->iov = &slot->iovs[slot->n_iovs];
    run->n_iov = 0;

    while (run->n < n && run->n < MAX_SEGMENTS) {
        const struct tx_datagram *d = &slot->datagrams[datagrams[run->n]];
        uint8_t *data = &slot->arena[d->ofs];
        struct iovec *last = &run->iov[run->n_iov - 1];

        if (run->n && (d->len > run->segment || slot->no_gso
                       || total + d->len > WIRE_MAX_LEN)) {
            break;
        }
        if (run->n && (uint8_t *) last->iov_base + last->iov_len == data) {
            last->iov_len += d->len;
        } else {
            run->iov[run->n_iov].iov_base = data;
            run->iov[run->n_iov].iov_len = d->len;
            run->n_iov++;
        }
        total += d->len;
        run->n++;
        if (d->len < run->segment) {
            break;
        }
    }
    slot->n_iovs += run->n_iov;
}

/* Step 3: messages. */

static void
count_refused(struct vsubnet_tx *tx, int error)
{
    switch (error) {
    case EMSGSIZE:
        drop(tx, VSUBNET_tx_too_long, 1);
        break;
    case EAGAIN:
    case ENOBUFS:
        drop(tx, VSUBNET_tx_socket_full, 1);
        break;
    default:
        drop(tx, VSUBNET_tx_send_errors, 1);
        VLOG_WARN_RL(&rl, "could not send: %s", ovs_strerror(error));
        break;
    }
}

/* Sends the datagrams of message 'i', which the kernel has refused with
 * 'error', one by one if that may help. */
static void
send_singly(struct tx_context *ctx, int i, int error)
{
    struct vsubnet_tx_slot *slot = ctx->slot;
    const struct tx_run *run = slot->messages.runs[i];
    struct msghdr header = slot->messages.headers[i].msg_hdr;

    if (run->n > 1) {
        COVERAGE_INC(vsubnet_tx_gso_refused);
        slot->no_gso |= (error == EIO || error == EOPNOTSUPP
                         || error == ENOPROTOOPT);
    }
    if (run->n == 1 || error == EAGAIN) {
        for (int j = 0; j < run->n; j++) {
            count_refused(ctx->tx, error);
        }
        return;
    }

    header.msg_iovlen = 1;
    header.msg_control = NULL;
    header.msg_controllen = 0;
    for (int j = 0; j < run->n; j++) {
        const struct tx_datagram *d = &slot->datagrams[run->datagrams[j]];
        struct iovec iov = { &slot->arena[d->ofs], d->len };

        header.msg_iov = &iov;
        if (sendmsg(ctx->tx->socket->fd, &header, 0) < 0) {
            count_refused(ctx->tx, errno);
        } else {
            vsubnet_count(ctx->tx->counters, VSUBNET_tx_datagrams, 1);
        }
    }
}

static void
flush(struct tx_context *ctx)
{
    struct tx_messages *m = &ctx->slot->messages;
    int done = 0;

    while (done < m->n) {
        int n = sendmmsg(ctx->tx->socket->fd, &m->headers[done],
                         m->n - done, 0);

        COVERAGE_INC(vsubnet_tx_call);
        if (n > 0) {
            int datagrams = 0;

            for (int i = 0; i < n; i++) {
                datagrams += m->runs[done + i]->n;
            }
            vsubnet_count(ctx->tx->counters, VSUBNET_tx_datagrams, datagrams);
            done += n;
        } else if (errno != EINTR) {
            send_singly(ctx, done, errno);
            done++;
        }
    }
    m->n = 0;
}

static void
queue_message(struct tx_context *ctx, const struct in6_addr *address,
              uint16_t port, const struct tx_run *run)
{
    struct tx_messages *m = &ctx->slot->messages;
    socklen_t len = vsubnet_socket_address(ctx->tx->socket, address, port,
                                           &m->addresses[m->n]);
    struct msghdr *header = &m->headers[m->n].msg_hdr;

    if (!len) {
        drop(ctx->tx, VSUBNET_tx_no_endpoint, run->n);
        return;
    }
    memset(header, 0, sizeof *header);
    header->msg_name = &m->addresses[m->n];
    header->msg_namelen = len;
    header->msg_iov = run->iov;
    header->msg_iovlen = run->n_iov;
    if (run->n > 1) {
        uint16_t segment = run->segment;
        struct cmsghdr *cmsg;

        header->msg_control = &m->control[m->n];
        header->msg_controllen = sizeof m->control[m->n].space;
        cmsg = CMSG_FIRSTHDR(header);
        cmsg->cmsg_level = IPPROTO_UDP;
        cmsg->cmsg_type = UDP_SEGMENT;
        cmsg->cmsg_len = CMSG_LEN(sizeof segment);
        memcpy(CMSG_DATA(cmsg), &segment, sizeof segment);
    }
    m->runs[m->n] = run;
    if (++m->n == MAX_MESSAGES) {
        flush(ctx);
    }
}

static void
queue_replicated(struct tx_context *ctx, const struct keyring_net *net,
                 const struct tx_run *runs, int n_runs)
{
    const struct keyring_member *member;

    HMAP_FOR_EACH (member, hmap_node, &net->members) {
        const struct keyring_peer *peer = member->peer;

        for (int i = 0; i < n_runs; i++) {
            if (peer->port) {
                queue_message(ctx, &peer->address, peer->port, &runs[i]);
            } else {
                drop(ctx->tx, VSUBNET_tx_no_endpoint, runs[i].n);
            }
        }
    }
}

static void
queue_group(struct tx_context *ctx, const struct tx_group *g)
{
    struct vsubnet_tx_slot *slot = ctx->slot;
    const struct tx_run *runs = &slot->runs[slot->n_runs];
    int n_runs = 0;

    for (int i = 0; i < g->n; i += runs[n_runs++].n) {
        cut_run(slot, &g->datagrams[i], g->n - i,
                &slot->runs[slot->n_runs + n_runs]);
    }
    slot->n_runs += n_runs;

    if (g->target.kind == TX_ALL) {
        queue_replicated(ctx, g->target.net, runs, n_runs);
        return;
    }
    for (int i = 0; i < n_runs; i++) {
        if (g->target.kind == TX_GROUP) {
            queue_message(ctx, &g->target.net->group, ctx->tx->socket->port,
                          &runs[i]);
        } else {
            queue_message(ctx, &g->target.peer->address, g->target.peer->port,
                          &runs[i]);
        }
    }
}

/* Sends what has been sealed so far. */
static void
send_groups(struct tx_context *ctx)
{
    struct vsubnet_tx_slot *slot = ctx->slot;

    for (int i = 0; i < slot->n_groups; i++) {
        queue_group(ctx, &slot->groups[i]);
    }
    /* Only now: the messages refer to all of this. */
    flush(ctx);
    slot->arena_used = 0;
    slot->n_datagrams = slot->n_groups = slot->n_iovs = slot->n_runs = 0;
}

/* Slots. */

static struct vsubnet_tx_slot *
slot_create(void)
{
    struct vsubnet_tx_slot *slot = xzalloc(sizeof *slot);

    hmap_init(&slot->sessions);
    return slot;
}

/* Ends the sessions of 'slot' whose key is not in 'keys'. */
static void
slot_sweep(struct vsubnet_tx_slot *slot, const struct vsubnet_keys *keys)
{
    struct tx_session *s;

    HMAP_FOR_EACH_SAFE (s, node, &slot->sessions) {
        const struct vsubnet_sender *sender
            = keys ? vsubnet_sender_find(keys, s->spi) : NULL;

        if (!sender || sender->sender != session_tx_sender(s->tx)) {
            hmap_remove(&slot->sessions, &s->node);
            session_tx_destroy(s->tx);
            free(s);
        }
    }
}

static void
slot_destroy(struct vsubnet_tx_slot *slot)
{
    if (slot) {
        slot_sweep(slot, NULL);
        hmap_destroy(&slot->sessions);
        free(slot->arena);
        free(slot);
    }
}

void
vsubnet_tx_init(struct vsubnet_tx *tx, struct vsubnet_counters *counters)
{
    memset(tx, 0, sizeof *tx);
    tx->counters = counters;
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        ovs_mutex_init(&tx->locks[i]);
    }
}

void
vsubnet_tx_destroy(struct vsubnet_tx *tx)
{
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        slot_destroy(tx->slots[i]);
        ovs_mutex_destroy(&tx->locks[i]);
    }
}

static void
send_batch(struct tx_context *ctx, struct dp_packet_batch *batch)
{
    struct vsubnet_tx *tx = ctx->tx;

    if (!tx->keys) {
        drop(tx, VSUBNET_tx_no_keyring, dp_packet_batch_size(batch));
        return;
    }
    if (!tx->socket) {
        drop(tx, VSUBNET_tx_send_errors, dp_packet_batch_size(batch));
        return;
    }
    seal_batch(ctx, batch);
    send_groups(ctx);
}

void
vsubnet_tx_send(struct vsubnet_tx *tx, struct dp_packet_batch *batch)
{
    unsigned int i = ovsthread_id_self() % VSUBNET_TX_SLOTS;
    struct dp_packet *packet;
    uint64_t bytes = 0;

    DP_PACKET_BATCH_FOR_EACH (j, packet, batch) {
        bytes += dp_packet_size(packet);
    }
    vsubnet_count(tx->counters, VSUBNET_tx_frames,
                  dp_packet_batch_size(batch));
    vsubnet_count(tx->counters, VSUBNET_tx_bytes, bytes);

    ovs_mutex_lock(&tx->locks[i]);
    if (!tx->slots[i]) {
        tx->slots[i] = slot_create();
    }
    struct tx_context ctx = {
        .tx = tx,
        .slot = tx->slots[i],
        .now = { .wall_s = time_wall(), .mono_ms = time_msec() },
    };
    send_batch(&ctx, batch);
    ovs_mutex_unlock(&tx->locks[i]);

    dp_packet_delete_batch(batch, true);
}

void
vsubnet_tx_lock_all(struct vsubnet_tx *tx)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        ovs_mutex_lock(&tx->locks[i]);
    }
}

void
vsubnet_tx_unlock_all(struct vsubnet_tx *tx)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        ovs_mutex_unlock(&tx->locks[i]);
    }
}

void
vsubnet_tx_set_keys(struct vsubnet_tx *tx, const struct vsubnet_keys *keys)
{
    tx->keys = keys;
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        if (tx->slots[i]) {
            slot_sweep(tx->slots[i], keys);
        }
    }
}

void
vsubnet_tx_set_socket(struct vsubnet_tx *tx,
                      const struct vsubnet_socket *socket)
{
    tx->socket = socket;
}
