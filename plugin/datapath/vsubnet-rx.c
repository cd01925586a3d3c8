/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving side of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-rx.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "coverage.h"
#include "datapath/coalesce.h"
#include "datapath/codel.h"
#include "datapath/ecn.h"
#include "datapath/fragment.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-metadata.h"
#include "datapath/vsubnet-notices.h"
#include "datapath/vsubnet-socket.h"
#include "dp-packet.h"
#include "netdev-provider.h"
#include "packets.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "socket-util.h"
#include "timeval.h"
#include "userspace-tso.h"
#include "util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_rx);
COVERAGE_DEFINE(vsubnet_rx_call);
COVERAGE_DEFINE(vsubnet_rx_drop);

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    HEADROOM = 64,              /* Before a frame: for VLAN tags, and the vnet
                                 * header that a guest's port puts there.  With
                                 * too little each frame would be copied. */
    MAX_MESSAGES = 32,          /* In one system call. */
    MESSAGE_SIZE = 65536,       /* No UDP datagram, coalesced or not, has
                                 * more. */
    FEW_MESSAGES = 4,           /* ...when they are long: 32 of them would
                                 * keep all else waiting for milliseconds, and
                                 * not fit in a core's cache. */
    LONG_MESSAGE = 16 * 1024,
    MAX_CALLS = 2,              /* In one go.  What is dropped or joined fills
                                 * no batch, so a flood would keep this
                                 * thread. */
    MAX_DRAIN_CALLS = 256,
    MAX_WAIT_US = 1000000,      /* Nothing waits that long in the socket. */
};

/* In the low bits of a coalescing tag, which is a pointer. */
enum { TAG_OAM = 1, TAG_BITS = 1 };

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

struct vsubnet_rx_buffers {
    struct mmsghdr headers[MAX_MESSAGES];
    struct iovec iovs[MAX_MESSAGES];
    struct sockaddr_storage sources[MAX_MESSAGES];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint32_t))
                   + CMSG_SPACE(sizeof(struct timespec))
                   + CMSG_SPACE(sizeof(int))];
    } control[MAX_MESSAGES];
    uint8_t (*data)[MESSAGE_SIZE];
    uint8_t *fragment;          /* One that has been opened. */

    bool more;                  /* The socket may have more of them. */
    int n;                      /* Messages received... */
    int current;                /* ...the first that is not yet done... */
    size_t ofs;                 /* ...and how far that one is. */
    size_t segment;             /* Length of its datagrams. */
    long long int mono_us;      /* When they were received, on a clock that
                                 * never jumps... */
    int64_t wall_us;            /* ...and on the one of SO_TIMESTAMPNS. */
    enum ecn ecn;               /* Of the outer header of the current one. */
    bool signal;                /* The next frame whose sender heeds it is to
                                 * signal congestion. */
    struct codel codel;
    struct coalesce *coalesce;  /* The batch that is being made. */
    struct vsubnet_receiver *opening;   /* Whose datagrams are being opened,
                                         * and whose lock is held, or NULL. */
    uint32_t kernel_drops;      /* The socket's count, as last seen. */
};

/* A datagram, what its header claims, and where it came from. */
struct rx_datagram {
    struct session_arrival arrival;
    const struct sockaddr_storage *source;
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

static void
buffers_init_header(struct vsubnet_rx_buffers *b, int i)
{
    struct msghdr *header = &b->headers[i].msg_hdr;

    header->msg_name = &b->sources[i];
    header->msg_namelen = sizeof b->sources[i];
    header->msg_iov = &b->iovs[i];
    header->msg_iovlen = 1;
    header->msg_control = &b->control[i];
    header->msg_controllen = sizeof b->control[i].space;
    header->msg_flags = 0;
}

static struct vsubnet_rx_buffers *
buffers_create(void)
{
    struct vsubnet_rx_buffers *b = xzalloc(sizeof *b);

    b->coalesce = coalesce_create(HEADROOM, userspace_tso_enabled());
    b->data = xmalloc_pagealign(MAX_MESSAGES * sizeof *b->data);
    b->fragment = xmalloc(MESSAGE_SIZE);
    for (int i = 0; i < MAX_MESSAGES; i++) {
        b->iovs[i].iov_base = b->data[i];
        b->iovs[i].iov_len = sizeof b->data[i];
        buffers_init_header(b, i);
    }
    return b;
}

static void
buffers_destroy(struct vsubnet_rx_buffers *b)
{
    if (b) {
        free_pagealign(b->data);
        free(b->fragment);
        coalesce_destroy(b->coalesce);
        free(b);
    }
}

/* Messages. */

/* Takes note of how long the current message has waited in the socket, since
 * 'arrived'. */
static void
note_delay(struct vsubnet_rx_buffers *b, const struct timespec *arrived)
{
    int64_t waited_us = b->wall_us - (arrived->tv_sec * INT64_C(1000000)
                                      + arrived->tv_nsec / 1000);

    /* Otherwise somebody has set the clock. */
    if (waited_us >= 0 && waited_us < MAX_WAIT_US) {
        b->signal |= codel_dequeue(&b->codel, b->mono_us, waited_us);
        b->signal &= b->codel.signalling;
    }
}

/* Takes note of the total of datagrams that the kernel had to drop. */
static void
note_drops(struct vsubnet_rx *rx, uint32_t drops)
{
    vsubnet_count(rx->counters, VSUBNET_rx_socket_full,
                  (uint32_t) (drops - rx->buffers->kernel_drops));
    rx->buffers->kernel_drops = drops;
}

/* Takes note of the size of the datagrams in the current message. */
static void
note_segment(struct vsubnet_rx *rx, int segment)
{
    struct vsubnet_rx_buffers *b = rx->buffers;
    size_t len = b->headers[b->current].msg_len;

    if (segment > 0 && segment < len) {
        b->segment = segment;
        vsubnet_count(rx->counters, VSUBNET_rx_coalesced,
                      DIV_ROUND_UP(len, segment));
    }
}

static void
parse_cmsg(struct vsubnet_rx *rx, struct cmsghdr *cmsg)
{
    union {
        int integer;
        uint32_t u32;
        uint8_t byte;
        struct timespec time;
    } value;

    memset(&value, 0, sizeof value);
    memcpy(&value, CMSG_DATA(cmsg),
           MIN(sizeof value, cmsg->cmsg_len - CMSG_LEN(0)));
    if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO) {
        note_segment(rx, value.integer);
    } else if (cmsg->cmsg_level == SOL_SOCKET
               && cmsg->cmsg_type == SO_RXQ_OVFL) {
        note_drops(rx, value.u32);
    } else if (cmsg->cmsg_level == SOL_SOCKET
               && cmsg->cmsg_type == SCM_TIMESTAMPNS) {
        note_delay(rx->buffers, &value.time);
    } else if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TOS) {
        rx->buffers->ecn = value.byte & ECN_MASK;
    } else if (cmsg->cmsg_level == IPPROTO_IPV6
               && cmsg->cmsg_type == IPV6_TCLASS) {
        rx->buffers->ecn = value.integer & ECN_MASK;
    }
}

/* Takes what the kernel says about the current message. */
static void
parse_control(struct vsubnet_rx *rx)
{
    struct vsubnet_rx_buffers *b = rx->buffers;
    struct msghdr *header = &b->headers[b->current].msg_hdr;
    struct cmsghdr *cmsg;

    b->ofs = 0;
    b->segment = b->headers[b->current].msg_len;
    b->ecn = ECN_NOT_ECT;
    for (cmsg = CMSG_FIRSTHDR(header); cmsg;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        parse_cmsg(rx, cmsg);
    }
}

/* Makes message 'i' the current one. */
static void
begin_message(struct vsubnet_rx *rx, int i)
{
    struct vsubnet_rx_buffers *b = rx->buffers;

    b->current = i;
    if (i < b->n) {
        parse_control(rx);
        if (b->headers[i].msg_hdr.msg_flags & MSG_TRUNC) {
            /* Longer than any buffer of ours: cut off. */
            b->segment = b->headers[i].msg_len = 0;
        }
        vsubnet_count(rx->counters, VSUBNET_rx_messages, 1);
        vsubnet_count(rx->counters, VSUBNET_rx_datagrams,
                      MAX(1, DIV_ROUND_UP(b->headers[i].msg_len,
                                          MAX(1, b->segment))));
    }
}

static void
read_clocks(struct vsubnet_rx_buffers *b)
{
    struct timespec wall;

    xclock_gettime(CLOCK_REALTIME, &wall);
    b->wall_us = wall.tv_sec * INT64_C(1000000) + wall.tv_nsec / 1000;
    b->mono_us = time_usec();
}

/* Reads messages from the socket.  Returns 0 or a positive errno. */
static int
receive_messages(struct vsubnet_rx *rx)
{
    struct vsubnet_rx_buffers *b = rx->buffers;
    size_t bytes = 0;
    int wanted, n;

    for (int i = 0; i < b->n; i++) {
        bytes += b->headers[i].msg_len;
        buffers_init_header(b, i);
    }
    wanted = b->n && bytes / b->n > LONG_MESSAGE ? FEW_MESSAGES : MAX_MESSAGES;
    b->n = b->current = 0;
    do {
        COVERAGE_INC(vsubnet_rx_call);
        n = recvmmsg(rx->socket->fd, b->headers, wanted, MSG_DONTWAIT,
                     NULL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno != EAGAIN) {
            vsubnet_count(rx->counters, VSUBNET_rx_socket_errors, 1);
        }
        return errno;
    }
    b->n = n;
    b->more = n == wanted;
    rx->n_messages += n;
    read_clocks(b);
    begin_message(rx, 0);
    return 0;
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
    struct vsubnet_rx_buffers *b = rx->buffers;
    enum ecn_verdict verdict;

    if (b->signal && ecn_is_heeded(frame, n)) {
        b->signal = false;
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
    if (d->arrival.header.type == WIRE_OAM) {
        vsubnet_count(rx->counters, VSUBNET_rx_oam, 1);
    }
    return admit(rx, frame, n, rx->buffers->ecn, why);
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
        .ecn = rx->buffers->ecn,
    };
    enum fragment_verdict verdict;
    uint64_t lost = 0;
    size_t n;

    if (!open_datagram(d, r, rx->buffers->fragment, why)) {
        return false;
    }
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

/* Takes the 'len' bytes at 'datagram', which came from 'source', and adds the
 * frame in it to the batch or drops it. */
static void
receive_datagram(struct vsubnet_rx *rx, const void *datagram, size_t len,
                 const struct sockaddr_storage *source)
{
    struct rx_datagram d = {
        .arrival = {
            .datagram = datagram,
            .len = len,
            .mono_ms = rx->buffers->mono_us / 1000,
        },
        .source = source,
    };
    enum vsubnet_counter why;

    if (!receive(rx, &d, &why)) {
        drop(rx, why, source);
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

    while (b->current < b->n && !coalesce_is_full(b->coalesce)) {
        size_t left = b->headers[b->current].msg_len - b->ofs;
        size_t n = MIN(left, b->segment);

        receive_datagram(rx, &b->data[b->current][b->ofs], n,
                         &b->sources[b->current]);
        b->ofs += n;
        if (n == left) {
            begin_message(rx, b->current + 1);
        }
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
        rx->buffers = buffers_create();
    }

    receive_datagrams(rx);
    for (int i = 0; (i < MAX_CALLS
                     && !coalesce_is_full(rx->buffers->coalesce)); i++) {
        error = receive_messages(rx);
        if (error) {
            break;
        }
        receive_datagrams(rx);
        if (!rx->buffers->more) {
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
    if ((rx->buffers && rx->buffers->current < rx->buffers->n)
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
                struct vsubnet_notices *notices)
{
    memset(rx, 0, sizeof *rx);
    atomic_count_init(&rx->wanted, 0);
    ovs_mutex_init(&rx->mutex);
    rx->counters = counters;
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
        for (int i = 0; i < rx->buffers->n; i++) {
            buffers_init_header(rx->buffers, i);
        }
        rx->buffers->n = rx->buffers->current = 0;
        rx->buffers->kernel_drops = 0;
    }
}
