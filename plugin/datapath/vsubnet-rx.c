/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving side of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-rx.h"

#include <errno.h>
#include <sys/socket.h>

#include "coverage.h"
#include "datapath/coalesce.h"
#include "datapath/ecn.h"
#include "datapath/fragment.h"
#include "datapath/oam.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-inbox.h"
#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-messages.h"
#include "datapath/vsubnet-metadata.h"
#include "datapath/vsubnet-notices.h"
#include "datapath/vsubnet-socket.h"
#include "dp-packet.h"
#include "netdev-provider.h"
#include "packets.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "socket-util.h"
#include "userspace-tso.h"
#include "util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_rx);
COVERAGE_DEFINE(vsubnet_rx_drop);

enum {
    HEADROOM = 64,              /* Before a frame: for VLAN tags, and the vnet
                                 * header that a guest's port puts there.  With
                                 * too little each frame would be copied. */
    MAX_CALLS = 2,              /* In one go.  What is dropped or joined fills
                                 * no batch, so a flood would keep this
                                 * thread. */
    MAX_DRAIN_CALLS = 256,
    HINT_INTERVAL_MS = 100,     /* Between hints that one SPI gives. */
};

/* In the low bits of a coalescing tag, which is a pointer. */
enum { TAG_OAM = 1, TAG_BITS = 1 };

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

struct vsubnet_rx_buffers {
    struct messages *messages;
    struct coalesce *coalesce;  /* The batch that is being made. */
    uint8_t *fragment;          /* One that has been opened. */
    struct vsubnet_receiver *opening;   /* Whose datagrams are being opened,
                                         * and whose lock is held, or NULL. */
};

/* A datagram, what its header claims, and where it came from. */
struct rx_datagram {
    struct session_arrival arrival;
    const struct sockaddr_storage *source;
    enum ecn ecn;               /* Of the outer header. */
};

static void
drop(struct vsubnet_rx *rx, enum vsubnet_counter why,
     const struct sockaddr_storage *source)
{
    vsubnet_count(rx->counters, why, 1);
    COVERAGE_INC(vsubnet_rx_drop);
    if (!VLOG_DROP_INFO(&rl)) {
        struct ds address = DS_EMPTY_INITIALIZER;

        ss_format_address(source, &address);
        VLOG_INFO("dropped from %s port %"PRIu16": %s (%s)",
                  ds_cstr(&address), ss_get_port(source),
                  vsubnet_counter_meaning(why), vsubnet_counter_name(why));
        ds_destroy(&address);
    }
}

/* Buffers. */

static struct vsubnet_rx_buffers *
buffers_create(struct vsubnet_counters *counters)
{
    struct vsubnet_rx_buffers *b = xzalloc(sizeof *b);

    b->coalesce = coalesce_create(HEADROOM, userspace_tso_enabled());
    b->messages = messages_create(counters);
    b->fragment = xmalloc(WIRE_MAX_LEN);
    return b;
}

static void
buffers_destroy(struct vsubnet_rx_buffers *b)
{
    if (b) {
        messages_destroy(b->messages);
        free(b->fragment);
        coalesce_destroy(b->coalesce);
        free(b);
    }
}

/* Reads messages from the socket.  Returns 0 or a positive errno. */
static int
receive_messages(struct vsubnet_rx *rx)
{
    int error = messages_receive(rx->buffers->messages, rx->socket->fd);

    rx->n_messages += messages_count(rx->buffers->messages);
    return error;
}

/* Datagrams. */

static enum vsubnet_counter
wire_error_to_counter(enum wire_error error)
{
    switch (error) {
    case WIRE_TOO_LONG: return VSUBNET_rx_too_long;
    case WIRE_BAD_VERSION: return VSUBNET_rx_bad_version;
    case WIRE_BAD_TYPE: return VSUBNET_rx_bad_type;
    case WIRE_TRUNCATED:
    case WIRE_OK:
    default:
        return VSUBNET_rx_truncated;
    }
}

static enum vsubnet_counter
verdict_to_counter(enum session_verdict verdict)
{
    switch (verdict) {
    case SESSION_REPLAYED: return VSUBNET_rx_replayed;
    case SESSION_TOO_OLD: return VSUBNET_rx_too_old;
    case SESSION_BELOW_FLOOR: return VSUBNET_rx_below_floor;
    case SESSION_OVER_BUDGET: return VSUBNET_rx_over_budget;
    case SESSION_FORGED: return VSUBNET_rx_forged;
    case SESSION_WRONG_VNI:
    case SESSION_FAILED:
    case SESSION_OK:
    default:
        return VSUBNET_rx_crypto_failed;
    }
}

/* Finds the key that the datagram claims to be sealed with.  Returns NULL, and
 * why in '*why', if it can't be. */
static struct vsubnet_receiver *
find_receiver(const struct vsubnet_rx *rx, const struct wire_header *header,
              enum vsubnet_counter *why)
{
    struct vsubnet_receiver *r = vsubnet_receiver_find(rx->keys, header->spi);

    if (!r) {
        *why = (vsubnet_sender_find(rx->keys, header->spi)
                ? VSUBNET_rx_own_spi : VSUBNET_rx_unknown_spi);
    } else if (r->vni != header->vni) {
        *why = VSUBNET_rx_vni_mismatch;
    } else if (!r->member) {
        *why = VSUBNET_rx_not_member;
    } else {
        return r;
    }
    return NULL;
}

/* Parses and checks what can be checked without a key. */
static bool
parse_datagram(struct vsubnet_rx *rx, struct rx_datagram *d,
               enum vsubnet_counter *why)
{
    struct session_arrival *a = &d->arrival;
    enum wire_error error = wire_validate(a->datagram, a->len);

    if (error) {
        *why = wire_error_to_counter(error);
        return false;
    }
    wire_parse(a->datagram, &a->header);
    if (!rx->keys) {
        *why = VSUBNET_rx_no_keyring;
        return false;
    }
    return true;
}

static bool
is_from_endpoint(const struct vsubnet_receiver *r,
                 const struct sockaddr_storage *source)
{
    struct in6_addr address;
    uint16_t port;

    vsubnet_socket_peer(source, &address, &port);
    return (r->peer && r->peer->port == port
            && ipv6_addr_equals(&r->peer->address, &address));
}

/* Opens 'd', which is of 'r', to 'to'. */
static bool
open_datagram(struct rx_datagram *d, struct vsubnet_receiver *r, void *to,
              enum vsubnet_counter *why)
{
    enum session_verdict verdict = session_rx_open(r->rx, &d->arrival, to);

    if (verdict != SESSION_OK) {
        *why = verdict_to_counter(verdict);
        return false;
    }
    return true;
}

/* Makes 'r' (NULL: none) the receiver whose datagrams are being opened. */
static void
open_for(struct vsubnet_rx *rx, struct vsubnet_receiver *r)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    struct vsubnet_rx_buffers *b = rx->buffers;

    if (b->opening != r) {
        if (b->opening) {
            ovs_mutex_unlock(&b->opening->mutex);
        }
        if (r) {
            ovs_mutex_lock(&r->mutex);
        }
        b->opening = r;
    }
}

/* What frames must have in common to be joined. */
static uint64_t
coalesce_tag(const struct vsubnet_receiver *r, const struct rx_datagram *d)
{
    return (uintptr_t) r | (d->arrival.header.type == WIRE_OAM ? TAG_OAM : 0);
}

/* Carries congestion, which the outer header or our own queue signals, over to
 * the frame of 'n' bytes that came out of the tunnel.  Returns false if that
 * means to drop it. */
static bool
carry_congestion(struct vsubnet_rx *rx, void *frame, size_t n, enum ecn outer)
{
    struct messages *messages = rx->buffers->messages;
    enum ecn_verdict verdict;

    if (messages_want_signal(messages) && ecn_is_heeded(frame, n)) {
        messages_signalled(messages);
        outer = ECN_CE;
    }
    verdict = ecn_decapsulate(frame, n, outer);
    if (verdict == ECN_MARKED) {
        vsubnet_count(rx->counters, VSUBNET_rx_congestion_marked, 1);
    }
    return verdict != ECN_DROP;
}

/* Judges the frame of 'n' bytes at 'frame', where coalesce_prepare() said, and
 * adds it to the batch if it is good. */
static bool
admit(struct vsubnet_rx *rx, void *frame, size_t n, enum ecn outer,
      enum vsubnet_counter *why)
{
    struct coalesce *coalesce = rx->buffers->coalesce;

    if (n < ETH_HEADER_LEN) {
        *why = VSUBNET_rx_short_frame;
    } else if (!carry_congestion(rx, frame, n, outer)) {
        *why = VSUBNET_rx_congestion;
    } else {
        coalesce_accept(coalesce);
        vsubnet_count(rx->counters, VSUBNET_rx_frames, 1);
        vsubnet_count(rx->counters, VSUBNET_rx_bytes, n);
        return true;
    }
    coalesce_cancel(coalesce);
    return false;
}

/* Authentic datagrams tell where their sender is.  Says so to the port if that
 * is not where it is thought to be: by the newest that its newest session has
 * sent, so that what somebody has held back moves nobody. */
static void
give_hint(struct vsubnet_rx *rx, const struct rx_datagram *d,
          struct vsubnet_receiver *r)
{
    const struct session_arrival *a = &d->arrival;

    if (!a->from_endpoint && !a->header.replicated
        && a->mono_ms >= r->next_hint
        && session_rx_is_newest(r->rx, a->header.session,
                                a->header.sequence)) {
        struct inbox_item item = { .kind = INBOX_HINT, .number = r->number };

        r->next_hint = a->mono_ms + HINT_INTERVAL_MS;
        vsubnet_socket_peer(d->source, &item.address, &item.port);
        vsubnet_inbox_put(rx->inbox, &item);
    }
}

/* Takes 'frame', which came as OAM, if it is a message for this port.  What is
 * replicated is never answered. */
static bool
receive_message(struct vsubnet_rx *rx, const struct rx_datagram *d,
                struct vsubnet_receiver *r, const void *frame, size_t n,
                enum vsubnet_counter *why)
{
    struct inbox_item item = {
        .kind = INBOX_MESSAGE,
        .number = r->number,
        .vni = r->vni,
    };

    if (d->arrival.header.replicated
        || !oam_parse(frame, n, &item.message)) {
        *why = VSUBNET_rx_bad_message;
        return false;
    }
    if (!token_bucket_withdraw(&r->messages, VSUBNET_MESSAGE_TOKENS)) {
        *why = VSUBNET_rx_message_flood;
        return false;
    }
    vsubnet_socket_peer(d->source, &item.address, &item.port);
    if (!vsubnet_inbox_put(rx->inbox, &item)) {
        *why = VSUBNET_rx_inbox_full;
        return false;
    }
    vsubnet_count(rx->counters, VSUBNET_rx_port_messages, 1);
    return true;
}

/* Opens 'd', a frame, into the batch. */
static bool
receive_frame(struct vsubnet_rx *rx, struct rx_datagram *d,
              struct vsubnet_receiver *r, enum vsubnet_counter *why)
{
    struct coalesce *coalesce = rx->buffers->coalesce;
    size_t n = d->arrival.len - WIRE_SEAL_LEN;
    void *frame = coalesce_prepare(coalesce, coalesce_tag(r, d), n);

    if (!open_datagram(d, r, frame, why)) {
        coalesce_cancel(coalesce);
        return false;
    }
    give_hint(rx, d, r);
    if (d->arrival.header.type == WIRE_OAM) {
        if (oam_is_message(frame, n)) {
            coalesce_cancel(coalesce);
            return receive_message(rx, d, r, frame, n, why);
        }
        vsubnet_count(rx->counters, VSUBNET_rx_oam, 1);
    }
    return admit(rx, frame, n, d->ecn, why);
}

/* Opens 'd', a fragment, and adds its frame to the batch if that is complete
 * now. */
static bool
receive_fragment(struct vsubnet_rx *rx, struct rx_datagram *d,
                 struct vsubnet_receiver *r, enum vsubnet_counter *why)
{
    struct coalesce *coalesce = rx->buffers->coalesce;
    struct fragment piece = {
        .session = d->arrival.header.session,
        .sequence = d->arrival.header.sequence,
        .payload = rx->buffers->fragment,
        .len = d->arrival.len - WIRE_SEAL_LEN,
        .now_ms = d->arrival.mono_ms,
        .ecn = d->ecn,
    };
    enum fragment_verdict verdict;
    uint64_t lost = 0;
    size_t n;

    if (!open_datagram(d, r, rx->buffers->fragment, why)) {
        return false;
    }
    give_hint(rx, d, r);
    vsubnet_count(rx->counters, VSUBNET_rx_fragments, 1);
    if (!r->fragments) {
        r->fragments = fragment_table_create();
    }
    verdict = fragment_table_add(r->fragments, &piece, &n, &lost);
    vsubnet_count(rx->counters, VSUBNET_rx_lost_fragment, lost);
    if (verdict == FRAGMENT_COMPLETE) {
        void *frame = coalesce_prepare(coalesce, coalesce_tag(r, d), n);
        enum ecn ecn = fragment_table_take(r->fragments, frame);

        vsubnet_count(rx->counters, VSUBNET_rx_reassembled, 1);
        return admit(rx, frame, n, ecn, why);
    }
    *why = VSUBNET_rx_bad_fragment;
    return verdict != FRAGMENT_BAD;
}

static bool
receive(struct vsubnet_rx *rx, struct rx_datagram *d,
        enum vsubnet_counter *why)
{
    struct session_arrival *a = &d->arrival;
    struct vsubnet_receiver *r;

    if (!parse_datagram(rx, d, why)) {
        return false;
    }
    r = find_receiver(rx, &a->header, why);
    if (!r) {
        return false;
    }
    open_for(rx, r);
    a->self = rx->keys->keyring->self;
    a->from_endpoint = is_from_endpoint(r, d->source);
    return (a->header.type == WIRE_FRAGMENT
            ? receive_fragment(rx, d, r, why)
            : receive_frame(rx, d, r, why));
}

/* Takes a datagram, and adds the frame in it to the batch or drops it. */
static void
receive_datagram(struct vsubnet_rx *rx, const struct message_datagram *from)
{
    struct rx_datagram d = {
        .arrival = {
            .datagram = from->data,
            .len = from->len,
            .mono_ms = messages_received_ms(rx->buffers->messages),
        },
        .source = from->source,
        .ecn = from->ecn,
    };
    enum vsubnet_counter why;

    if (!receive(rx, &d, &why)) {
        drop(rx, why, from->source);
    }
}

/* Gives out what has become of the batch. */
static void
finish_batch(struct vsubnet_rx *rx, struct dp_packet_batch *batch)
{
    size_t n;
    const struct coalesced *out = coalesce_finish(rx->buffers->coalesce, &n);

    for (size_t i = 0; i < n; i++) {
        const struct vsubnet_receiver *r
            = (const void *) (uintptr_t) (out[i].tag & ~(uint64_t) TAG_BITS);

        vsubnet_metadata_fill(&out[i].packet->md.tunnel, r->vni, r->number,
                              rx->keys->keyring->self, out[i].tag & TAG_OAM);
        dp_packet_batch_add(batch, out[i].packet);
        if (out[i].n_frames > 1) {
            vsubnet_count(rx->counters, VSUBNET_rx_joined,
                          out[i].n_frames - 1);
        }
    }
}

/* Takes datagrams out of the messages at hand until the batch is full or there
 * are no more. */
static void
receive_datagrams(struct vsubnet_rx *rx)
{
    struct vsubnet_rx_buffers *b = rx->buffers;
    struct message_datagram d;

    while (!coalesce_is_full(b->coalesce) && messages_next(b->messages, &d)) {
        receive_datagram(rx, &d);
    }
    open_for(rx, NULL);
}

static int
recv_locked(struct vsubnet_rx *rx, struct dp_packet_batch *batch)
{
    int error = 0;

    if (!rx->socket) {
        return EAGAIN;
    }
    if (!rx->buffers) {
        rx->buffers = buffers_create(rx->counters);
    }

    receive_datagrams(rx);
    for (int i = 0; (i < MAX_CALLS
                     && !coalesce_is_full(rx->buffers->coalesce)); i++) {
        error = receive_messages(rx);
        if (error) {
            break;
        }
        receive_datagrams(rx);
        if (!messages_may_have_more(rx->buffers->messages)) {
            /* There was no more: don't ask in vain. */
            break;
        }
    }
    finish_batch(rx, batch);
    if (rx->notices) {
        vsubnet_notices_take(rx->notices, batch);
    }
    return (!dp_packet_batch_is_empty(batch) ? 0
            : error ? error
            : EAGAIN);
}

int
vsubnet_rx_recv(struct vsubnet_rx *rx, struct dp_packet_batch *batch)
{
    int error;

    if (atomic_count_get(&rx->wanted)) {
        return EAGAIN;
    }
    ovs_mutex_lock(&rx->mutex);
    error = recv_locked(rx, batch);
    ovs_mutex_unlock(&rx->mutex);
    return error;
}

void
vsubnet_rx_wait(struct vsubnet_rx *rx)
{
    ovs_mutex_lock(&rx->mutex);
    if ((rx->buffers && messages_pending(rx->buffers->messages))
        || (rx->notices && vsubnet_notices_pending(rx->notices))) {
        poll_immediate_wake();
    } else if (rx->socket) {
        poll_fd_wait(rx->socket->fd, POLLIN);
    }
    ovs_mutex_unlock(&rx->mutex);
}

int
vsubnet_rx_get_fd(struct vsubnet_rx *rx)
{
    int fd;

    ovs_mutex_lock(&rx->mutex);
    fd = rx->socket ? rx->socket->fd : -1;
    ovs_mutex_unlock(&rx->mutex);
    return fd;
}

void
vsubnet_rx_drain(struct vsubnet_rx *rx)
{
    ovs_mutex_lock(&rx->mutex);
    if (rx->socket && rx->buffers) {
        for (int i = 0; i < MAX_DRAIN_CALLS && !receive_messages(rx); i++) {
            continue;
        }
    }
    ovs_mutex_unlock(&rx->mutex);
}

void
vsubnet_rx_lock(struct vsubnet_rx *rx)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    atomic_count_inc(&rx->wanted);
    ovs_mutex_lock(&rx->mutex);
    atomic_count_dec(&rx->wanted);
}

void
vsubnet_rx_unlock(struct vsubnet_rx *rx)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    ovs_mutex_unlock(&rx->mutex);
}

void
vsubnet_rx_init(struct vsubnet_rx *rx, struct vsubnet_counters *counters,
                struct vsubnet_inbox *inbox, struct vsubnet_notices *notices)
{
    memset(rx, 0, sizeof *rx);
    atomic_count_init(&rx->wanted, 0);
    ovs_mutex_init(&rx->mutex);
    rx->counters = counters;
    rx->inbox = inbox;
    rx->notices = notices;
}

void
vsubnet_rx_destroy(struct vsubnet_rx *rx)
{
    buffers_destroy(rx->buffers);
    ovs_mutex_destroy(&rx->mutex);
}

void
vsubnet_rx_set_keys(struct vsubnet_rx *rx, struct vsubnet_keys *keys)
{
    rx->keys = keys;
}

void
vsubnet_rx_set_socket(struct vsubnet_rx *rx,
                      const struct vsubnet_socket *socket)
{
    rx->socket = socket;
    if (rx->buffers) {
        messages_reset(rx->buffers->messages);
    }
}
