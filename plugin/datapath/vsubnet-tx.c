/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-tx.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "datapath/ecn.h"
#include "datapath/fragment.h"
#include "datapath/frame.h"
#include "datapath/segment.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-notices.h"
#include "datapath/vsubnet-outbox.h"
#include "datapath/vsubnet-socket.h"
#include "dp-packet.h"
#include "hash.h"
#include "netdev-provider.h"
#include "packets.h"
#include "seal/wire.h"
#include "timeval.h"
#include "util.h"

/* What all datagrams of one packet share. */
struct tx_output {
    struct outbox_target target;
    size_t max_frame;           /* The longest that fits in a datagram. */
    struct wire_header header;  /* Of the next datagram. */
    struct aead *aead;
    uint32_t receiver;          /* 0 for all. */
};

/* A session in use, in a slot's 'sessions'. */
struct tx_session {
    struct hmap_node node;      /* By SPI. */
    uint32_t spi;
    struct session_tx *tx;
};

struct vsubnet_tx_slot {
    struct hmap sessions;       /* Contains "struct tx_session"s. */
    struct outbox *outbox;
};

/* What the steps of one vsubnet_tx_send() share. */
struct tx_context {
    struct vsubnet_tx *tx;
    struct vsubnet_tx_slot *slot;
    struct session_time now;
};

/* Sealing. */

/* Finds the node that 'tnl' points to.  Returns true, or false and why not. */
static bool
find_node(const struct keyring *keyring, const struct flow_tnl *tnl,
          struct tx_output *out, enum vsubnet_counter *why)
{
    uint32_t number = tnl->ip_dst ? wire_node_number(tnl->ip_dst) : 0;
    const struct keyring_peer *peer
        = number ? keyring_peer_find(keyring, number) : NULL;

    if (!peer) {
        *why = VSUBNET_tx_unknown_node;
        return false;
    }
    if (!keyring_member_find(out->target.net, number)) {
        *why = VSUBNET_tx_not_member;
        return false;
    }
    if (!peer->port) {
        *why = VSUBNET_tx_no_endpoint;
        return false;
    }
    out->target.kind = OUTBOX_NODE;
    out->target.peer = peer;
    out->max_frame = peer->max_frame;
    out->receiver = number;
    return true;
}

/* Finds out where 'tnl' points to.  Returns true, or false and why not. */
static bool
find_target(const struct keyring *keyring, const struct flow_tnl *tnl,
            struct tx_output *out, enum vsubnet_counter *why)
{
    struct in6_addr dst = flow_tnl_dst(tnl);
    struct outbox_target *target = &out->target;
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
    out->max_frame = target->net->max_frame;
    out->receiver = 0;
    if (tnl->ip_dst == OVS_BE32_MAX) {
        target->kind = OUTBOX_ALL;
        return true;
    }
    if (ipv6_addr_is_set(&target->net->group)
        && ipv6_addr_equals(&dst, &target->net->group)) {
        target->kind = OUTBOX_GROUP;
        return true;
    }
    return find_node(keyring, tnl, out, why);
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

/* Returns where to seal a datagram that carries 'n' bytes. */
static uint8_t *
make_room(struct tx_context *ctx, size_t n)
{
    return outbox_room(ctx->slot->outbox, n + WIRE_SEAL_LEN);
}

/* Seals 'n' bytes at 'data' as the next of the datagrams that 'out' has
 * sequences for.  'datagram' is what make_room() returned. */
static bool
seal_datagram(struct tx_context *ctx, struct tx_output *out,
              uint8_t *datagram, const void *data, size_t n)
{
    wire_serialize(&out->header, datagram);
    if (!aead_seal(out->aead, datagram, data, n, out->receiver)) {
        return false;
    }
    out->header.sequence++;
    outbox_add(ctx->slot->outbox, &out->target, WIRE_SEAL_LEN + n);
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

/* Tells the sender of a frame that is too long for its path. */
static void
tell_too_big(struct tx_context *ctx, const struct tx_output *out,
             const void *frame, size_t n)
{
    if (out->target.kind == OUTBOX_NODE && out->header.type == WIRE_FRAME) {
        vsubnet_notices_too_big(ctx->tx->notices, frame, n, out->max_frame,
                                out->target.net->vni, out->receiver,
                                ctx->tx->keys->keyring->self);
    }
}

/* Seals a frame that is too long for one datagram. */
static bool
seal_fragments(struct tx_context *ctx, struct tx_output *out,
               const uint8_t *frame, size_t n, enum vsubnet_counter *why)
{
    size_t most = out->max_frame - FRAGMENT_HEADER_LEN;
    size_t total = DIV_ROUND_UP(n, most);
    size_t size = DIV_ROUND_UP(n, total);

    if (!ctx->tx->fragment || total > FRAGMENT_MAX
        || out->header.type != WIRE_FRAME) {
        tell_too_big(ctx, out, frame, n);
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
    if (n > out->max_frame) {
        return seal_fragments(ctx, out, frame, n, why);
    }
    if (!reserve(ctx, out, 1)
        || !seal_datagram(ctx, out, make_room(ctx, n), frame, n)) {
        *why = VSUBNET_tx_crypto_failed;
        return false;
    }
    return true;
}

/* Seals segments of UDP that are too long for one datagram, because nobody may
 * make them smaller. */
static void
seal_long_segments(struct tx_context *ctx, struct tx_output *out,
                   struct segmenter *segmenter)
{
    enum wire_type type = out->header.type;
    struct iovec segment;

    while (segment_next(segmenter, &segment)) {
        enum vsubnet_counter why;

        out->header.type = type;
        if (!seal_frame(ctx, out, segment.iov_base, segment.iov_len, &why)) {
            vsubnet_count_tx_drop(ctx->tx->counters, why, 1);
        }
    }
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
                          out->max_frame
                          - frame_l2_len(dp_packet_data(packet),
                                         dp_packet_size(packet)));
    if (error) {
        *why = offload_error(error);
        return false;
    }
    vsubnet_count(ctx->tx->counters, VSUBNET_tx_segmented, 1);
    if (segment_frame_len(&segmenter) > out->max_frame) {
        seal_long_segments(ctx, out, &segmenter);
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
        || !find_target(ctx->tx->keys->keyring, tnl, &out, why)) {
        return false;
    }
    out.header.type = tnl->flags & FLOW_TNL_F_OAM ? WIRE_OAM : WIRE_FRAME;
    out.header.replicated = out.target.kind != OUTBOX_NODE;
    out.target.tos = ((tnl->ip_tos & IP_DSCP_MASK)
                      | ecn_get(dp_packet_data(packet),
                                dp_packet_size(packet)));
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
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        enum vsubnet_counter why;

        if (i + 1 < dp_packet_batch_size(batch)) {
            OVS_PREFETCH(dp_packet_data(batch->packets[i + 1]));
        }

        if (!seal(ctx, packet, &why)) {
            vsubnet_count_tx_drop(ctx->tx->counters, why, 1);
        }
    }
}

/* Slots. */

static struct vsubnet_tx_slot *
slot_create(void)
{
    struct vsubnet_tx_slot *slot = xzalloc(sizeof *slot);

    hmap_init(&slot->sessions);
    slot->outbox = outbox_create();
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
        outbox_destroy(slot->outbox);
        free(slot);
    }
}

void
vsubnet_tx_init(struct vsubnet_tx *tx, struct vsubnet_counters *counters,
                struct vsubnet_notices *notices)
{
    memset(tx, 0, sizeof *tx);
    tx->counters = counters;
    tx->notices = notices;
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

/* This thread's slot, to be locked. */
static unsigned int
own_slot(void)
{
    return ovsthread_id_self() % VSUBNET_TX_SLOTS;
}

/* Begins to send from slot 'i', which is locked. */
static struct tx_context
begin(struct vsubnet_tx *tx, unsigned int i)
{
    if (!tx->slots[i]) {
        tx->slots[i] = slot_create();
    }
    return (struct tx_context) {
        .tx = tx,
        .slot = tx->slots[i],
        .now = { .wall_s = time_wall(), .mono_ms = time_msec() },
    };
}

static void
send_batch(struct tx_context *ctx, struct dp_packet_batch *batch)
{
    struct vsubnet_tx *tx = ctx->tx;

    if (!tx->keys) {
        vsubnet_count_tx_drop(tx->counters, VSUBNET_tx_no_keyring, dp_packet_batch_size(batch));
        return;
    }
    if (!tx->socket) {
        vsubnet_count_tx_drop(tx->counters, VSUBNET_tx_send_errors, dp_packet_batch_size(batch));
        return;
    }
    outbox_begin(ctx->slot->outbox, tx->socket, tx->counters);
    seal_batch(ctx, batch);
    outbox_send(ctx->slot->outbox);
}

void
vsubnet_tx_send(struct vsubnet_tx *tx, struct dp_packet_batch *batch)
{
    unsigned int i = own_slot();
    struct dp_packet *packet;
    uint64_t bytes = 0;

    DP_PACKET_BATCH_FOR_EACH (j, packet, batch) {
        bytes += dp_packet_size(packet);
    }
    vsubnet_count(tx->counters, VSUBNET_tx_frames,
                  dp_packet_batch_size(batch));
    vsubnet_count(tx->counters, VSUBNET_tx_bytes, bytes);

    ovs_mutex_lock(&tx->locks[i]);
    struct tx_context ctx = begin(tx, i);
    send_batch(&ctx, batch);
    ovs_mutex_unlock(&tx->locks[i]);

    dp_packet_delete_batch(batch, true);
}

/* Messages. */

/* Seals 'message' at 'datagram' and sends it. */
static int
send_message(struct tx_context *ctx, const struct vsubnet_tx_message *message,
             const struct keyring_net *net)
{
    struct vsubnet_tx *tx = ctx->tx;
    struct tx_output out = { .target.net = net, .header.type = WIRE_OAM };
    uint8_t *datagram = make_room(ctx, message->len);
    uint8_t *frame = datagram + WIRE_HEADER_LEN;
    struct sockaddr_storage ss;
    socklen_t ss_len = vsubnet_socket_address(tx->socket, &message->address,
                                              message->port, &ss);

    if (!ss_len) {
        return EAFNOSUPPORT;
    }
    if (!reserve(ctx, &out, 1)) {
        return EIO;
    }
    oam_write(&message->content, frame, message->len);
    wire_serialize(&out.header, datagram);
    if (!aead_seal(out.aead, datagram, frame, message->len,
                   message->number)) {
        return EIO;
    }
    if (sendto(tx->socket->fd, datagram, WIRE_SEAL_LEN + message->len, 0,
               (struct sockaddr *) &ss, ss_len) < 0) {
        return errno;
    }
    vsubnet_count(tx->counters, VSUBNET_tx_port_messages, 1);
    vsubnet_count(tx->counters, VSUBNET_tx_messages, 1);
    vsubnet_count(tx->counters, VSUBNET_tx_datagrams, 1);
    return 0;
}

int
vsubnet_tx_message(struct vsubnet_tx *tx,
                   const struct vsubnet_tx_message *message)
{
    unsigned int i = own_slot();
    struct keyring_net *net;
    int error = ENOKEY;

    ovs_assert(message->len >= OAM_MESSAGE_LEN
               && message->len <= WIRE_MAX_FRAME_LEN);
    ovs_mutex_lock(&tx->locks[i]);
    if (tx->keys && tx->socket) {
        struct tx_context ctx = begin(tx, i);

        net = keyring_net_find(tx->keys->keyring, message->vni);
        if (net && net->tx) {
            outbox_begin(ctx.slot->outbox, tx->socket, tx->counters);
            error = send_message(&ctx, message, net);
        }
    }
    ovs_mutex_unlock(&tx->locks[i]);
    return error;
}

void
vsubnet_tx_renew(struct vsubnet_tx *tx)
{
    for (int i = 0; i < VSUBNET_TX_SLOTS; i++) {
        struct tx_session *s;

        ovs_mutex_lock(&tx->locks[i]);
        if (tx->slots[i]) {
            HMAP_FOR_EACH (s, node, &tx->slots[i]->sessions) {
                session_tx_renew(s->tx);
            }
        }
        ovs_mutex_unlock(&tx->locks[i]);
    }
}

/* Changes. */

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
