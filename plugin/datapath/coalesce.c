/* SPDX-License-Identifier: Apache-2.0 */
/* Joins received TCP segments into frames marked for segmentation. */

#include <config.h>
#include "datapath/coalesce.h"

#include <netinet/in.h>
#include <string.h>
#include "datapath/checksum.h"
#include "datapath/frame.h"
#include "datapath/segment.h"
#include "dp-packet.h"
#include "packets.h"
#include "util.h"

/* Offsets of fields from the start of the IP header and the TCP header. */
enum {
    IPV4_TOTAL_LEN = 2,
    IPV4_ID = 4,
    IPV4_FRAG = 6,
    IPV4_TTL = 8,
    IPV4_CHECKSUM = 10,
    IPV4_ADDRESSES = 12,
    IPV6_PAYLOAD_LEN = 4,
    IPV6_NEXT_HEADER = 6,
    IPV6_ADDRESSES = 8,
    TCP_SEQUENCE = 4,
    TCP_ACKNOWLEDGMENT = 8,
    TCP_DATA_OFS = 12,
    TCP_FLAG_BYTE = 13,
    TCP_WINDOW = 14,
    TCP_CHECKSUM = 16,
    TCP_URGENT = 18,
};

enum {
    MAX_SPARES = 8,

    /* A segment with one of these begins no run. */
    NO_BEGIN_FLAGS = TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_URG,
    /* The flags in which a segment may differ from those before it. */
    FREE_FLAGS = TCP_FIN | TCP_PSH,
};

/* A frame of this batch, and what may join it. */
struct run {
    struct dp_packet *packet;
    uint64_t tag;
    uint32_t n;                 /* Segments in it. */
    bool open;                  /* Another one may join. */

    /* The rest only if 'open' or 'n' > 1. */
    struct frame frame;         /* Of the first segment. */
    uint32_t size;              /* Payload bytes of the first segment. */
    uint32_t next_sequence;
    uint16_t ip_id;             /* IPv4 ID of the first segment. */
    bool fixed_id;              /* ...which all others have too. */
    bool checked;               /* Checksums of the first are right. */
};

/* The frame between coalesce_prepare() and _accept() or _cancel(). */
struct incoming {
    uint8_t *data;              /* NULL if there is none. */
    size_t n;
    uint64_t tag;
    struct dp_packet *packet;   /* NULL if the frame is at a run's tail. */
    size_t n_saved;
    uint8_t saved[FRAME_MAX_HEADER_LEN];    /* What it covers there. */
};

struct coalesce {
    size_t headroom;
    bool join;
    struct run runs[COALESCE_BATCH];
    size_t n_runs;
    struct run *current;        /* The run last joined; it has a large buffer,
                                 * and is open.  Or NULL. */
    struct incoming incoming;
    struct dp_packet *spares[MAX_SPARES];
    size_t n_spares;
    struct coalesced out[COALESCE_BATCH];
    struct coalesce_stats stats;
};

static uint16_t
get_u16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static uint32_t
get_u32(const uint8_t *p)
{
    return (uint32_t) get_u16(p) << 16 | get_u16(p + 2);
}

static void
put_u16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

/* Buffers. */

/* Returns an empty packet with room for 'n' bytes. */
static struct dp_packet *
get_packet(struct coalesce *c, size_t n)
{
    struct dp_packet *packet;

    if (!c->n_spares) {
        return dp_packet_new_with_headroom(n, c->headroom);
    }
    packet = c->spares[--c->n_spares];
    if (dp_packet_get_allocated(packet) < c->headroom + n) {
        dp_packet_delete(packet);
        return dp_packet_new_with_headroom(n, c->headroom);
    }
    return packet;
}

/* Takes back a packet that has been copied elsewhere. */
static void
put_packet(struct coalesce *c, struct dp_packet *packet)
{
    if (c->n_spares >= MAX_SPARES) {
        dp_packet_delete(packet);
        return;
    }
    dp_packet_clear(packet);
    dp_packet_reserve(packet, c->headroom);
    c->spares[c->n_spares++] = packet;
}

struct coalesce *
coalesce_create(size_t headroom, bool join)
{
    struct coalesce *c = xzalloc(sizeof *c);

    ovs_assert(headroom < COALESCE_MAX_BUFFER / 2);
    c->headroom = headroom;
    c->join = join;
    return c;
}

void
coalesce_destroy(struct coalesce *c)
{
    if (!c) {
        return;
    }
    if (c->incoming.data) {
        coalesce_cancel(c);
    }
    for (size_t i = 0; i < c->n_runs; i++) {
        dp_packet_delete(c->runs[i].packet);
    }
    for (size_t i = 0; i < c->n_spares; i++) {
        dp_packet_delete(c->spares[i]);
    }
    free(c);
}

/* Where the next frame goes. */

/* Returns true if the payload of a frame of 'n' bytes may be put at the tail
 * of the current run, judging from what is known before it is decrypted.  The
 * run's headers are needed to judge it afterwards, so its payload has to be
 * long enough to be covered in their place. */
static bool
suits_tail(const struct coalesce *c, uint64_t tag, size_t n)
{
    const struct run *run = c->current;

    return (run && run->tag == tag
            && dp_packet_size(run->packet) >= 2 * run->frame.payload_ofs
            && n > run->frame.payload_ofs
            && n - run->frame.payload_ofs <= run->size
            && n - run->frame.payload_ofs <= dp_packet_tailroom(run->packet));
}

void *
coalesce_prepare(struct coalesce *c, uint64_t tag, size_t n)
{
    struct incoming *in = &c->incoming;

    ovs_assert(!in->data && !coalesce_is_full(c)
               && n <= COALESCE_MAX_BUFFER - c->headroom);
    in->n = n;
    in->tag = tag;
    if (suits_tail(c, tag, n)) {
        in->packet = NULL;
        in->n_saved = c->current->frame.payload_ofs;
        in->data = (uint8_t *) dp_packet_tail(c->current->packet)
                   - in->n_saved;
        memcpy(in->saved, in->data, in->n_saved);
    } else {
        in->packet = get_packet(c, n);
        in->data = dp_packet_data(in->packet);
    }
    return in->data;
}

/* Puts back what the headers of a frame at the tail of a run covered. */
static void
restore_tail(struct incoming *in)
{
    memcpy(in->data, in->saved, in->n_saved);
}

void
coalesce_cancel(struct coalesce *c)
{
    struct incoming *in = &c->incoming;

    if (in->packet) {
        put_packet(c, in->packet);
    } else {
        restore_tail(in);
    }
    in->data = NULL;
}

/* Judging. */

/* Returns true if 'data' and 'frame' are of the run's connection. */
static bool
is_same_flow(const struct run *run, const uint8_t *data,
             const struct frame *frame)
{
    const uint8_t *first = dp_packet_data(run->packet);
    size_t ofs = frame->is_ipv6 ? IPV6_ADDRESSES : IPV4_ADDRESSES;
    size_t n = frame->is_ipv6 ? 32 : 8;

    return (frame->is_ipv6 == run->frame.is_ipv6
            && !memcmp(first + run->frame.l4_ofs, data + frame->l4_ofs, 4)
            && !memcmp(first + run->frame.l3_ofs + ofs,
                       data + frame->l3_ofs + ofs, n));
}

static struct run *
find_run(struct coalesce *c, const uint8_t *data, const struct frame *frame)
{
    uint64_t tag = c->incoming.tag;

    if (c->current && c->current->tag == tag
        && is_same_flow(c->current, data, frame)) {
        return c->current;
    }
    for (size_t i = c->n_runs; i-- > 0; ) {
        struct run *run = &c->runs[i];

        if (run->open && run->tag == tag && is_same_flow(run, data, frame)) {
            return run;
        }
    }
    return NULL;
}

/* The IPv4 ID has to say what segmenting makes it say again: one more for each
 * segment, or the same in all where DF makes it meaningless (RFC 6864). */
static bool
ip_id_continues(const struct run *run, const uint8_t *ip)
{
    uint16_t distance = get_u16(ip + IPV4_ID) - run->ip_id;
    bool df = get_u16(ip + IPV4_FRAG) & IP_DONT_FRAGMENT;

    if (run->fixed_id || (run->n == 1 && df && !distance)) {
        return !distance;
    }
    return distance == (uint16_t) run->n;
}

/* 'first' and 'ip' are IP headers of one connection. */
static bool
ip_continues(const struct run *run, const uint8_t *first, const uint8_t *ip)
{
    if (run->frame.is_ipv6) {
        /* Version, traffic class, flow label; next header, hop limit. */
        return (!memcmp(first, ip, 4)
                && !memcmp(first + IPV6_NEXT_HEADER, ip + IPV6_NEXT_HEADER,
                           2));
    }
    return (!memcmp(first, ip, 2)
            && !memcmp(first + IPV4_FRAG, ip + IPV4_FRAG, 2)
            && !memcmp(first + IPV4_TTL, ip + IPV4_TTL, 2)
            && ip_id_continues(run, ip));
}

/* 'first' and 'tcp' are TCP headers of the same length, 'payload_len' is for
 * the latter. */
static bool
tcp_continues(const struct run *run, const uint8_t *first, const uint8_t *tcp,
              uint32_t payload_len)
{
    size_t header_len = run->frame.payload_ofs - run->frame.l4_ofs;
    uint8_t changed = first[TCP_FLAG_BYTE] ^ tcp[TCP_FLAG_BYTE];

    /* CWR on the first segment is right: it is where segmenting puts it. */
    return (payload_len && payload_len <= run->size
            && get_u32(tcp + TCP_SEQUENCE) == run->next_sequence
            && !(tcp[TCP_FLAG_BYTE] & TCP_CWR)
            && !(changed & ~(FREE_FLAGS | TCP_CWR))
            && first[TCP_DATA_OFS] == tcp[TCP_DATA_OFS]
            && !memcmp(first + TCP_ACKNOWLEDGMENT, tcp + TCP_ACKNOWLEDGMENT, 4)
            && !memcmp(first + TCP_WINDOW, tcp + TCP_WINDOW, 2)
            && !memcmp(first + TCP_URGENT, tcp + TCP_URGENT,
                       header_len - TCP_URGENT));
}

static bool
can_join(struct coalesce *c, struct run *run, const uint8_t *data,
         const struct frame *frame)
{
    const uint8_t *first = dp_packet_data(run->packet);
    uint32_t payload_len = frame->end - frame->payload_ofs;
    size_t room = COALESCE_MAX_BUFFER - c->headroom;

    if (frame->end != c->incoming.n
        || frame->l3_ofs != run->frame.l3_ofs
        || frame->payload_ofs != run->frame.payload_ofs
        || dp_packet_size(run->packet) + payload_len > room
        || memcmp(first, data, frame->l3_ofs)
        || !ip_continues(run, first + frame->l3_ofs, data + frame->l3_ofs)
        || !tcp_continues(run, first + frame->l4_ofs, data + frame->l4_ofs,
                          payload_len)) {
        return false;
    }

    /* Last, because it reads everything. */
    if (!run->checked) {
        run->checked = frame_verify_tcp(first, &run->frame);
    }
    if (!run->checked || !frame_verify_tcp(data, frame)) {
        c->stats.bad_checksum++;
        return false;
    }
    return true;
}

static bool
can_begin(const uint8_t *data, const struct frame *frame, size_t n)
{
    return (frame->end == n
            && frame->end >= frame->payload_ofs + SEGMENT_MIN_SIZE
            && !(data[frame->l4_ofs + TCP_FLAG_BYTE] & NO_BEGIN_FLAGS)
            && (frame->is_ipv6
                || !(get_u16(data + frame->l3_ofs + IPV4_FRAG)
                     & ~IP_DONT_FRAGMENT)));
}

/* Doing. */

static void
close_run(struct coalesce *c, struct run *run)
{
    run->open = false;
    if (c->current == run) {
        c->current = NULL;
    }
}

static void
close_tag(struct coalesce *c, uint64_t tag)
{
    for (size_t i = 0; i < c->n_runs; i++) {
        if (c->runs[i].tag == tag) {
            close_run(c, &c->runs[i]);
        }
    }
}

/* Gives the run a buffer that the largest frame fits in. */
static void
enlarge(struct coalesce *c, struct run *run)
{
    struct dp_packet *small = run->packet;

    run->packet = dp_packet_new_with_headroom(
        COALESCE_MAX_BUFFER - c->headroom, c->headroom);
    dp_packet_put(run->packet, dp_packet_data(small), dp_packet_size(small));
    put_packet(c, small);
}

/* Adds the incoming frame to 'run'. */
static void
add_to_run(struct coalesce *c, struct run *run, const struct frame *frame)
{
    struct incoming *in = &c->incoming;
    uint32_t payload_len = frame->end - frame->payload_ofs;
    uint8_t flags = in->data[frame->l4_ofs + TCP_FLAG_BYTE] & FREE_FLAGS;
    uint8_t *first;

    if (run->n == 1) {
        enlarge(c, run);
        run->fixed_id = (!frame->is_ipv6
                         && get_u16(in->data + frame->l3_ofs + IPV4_ID)
                            == run->ip_id);
    }
    if (in->packet) {
        dp_packet_put(run->packet, in->data + frame->payload_ofs, payload_len);
        put_packet(c, in->packet);
    } else if (run == c->current) {
        restore_tail(in);
        dp_packet_set_size(run->packet,
                           dp_packet_size(run->packet) + payload_len);
    } else {
        /* At the tail of one run, but of another connection. */
        dp_packet_put(run->packet, in->data + frame->payload_ofs, payload_len);
        restore_tail(in);
        c->stats.moved++;
    }

    first = dp_packet_data(run->packet);
    first[frame->l4_ofs + TCP_FLAG_BYTE] |= flags;
    run->n++;
    run->next_sequence += payload_len;
    c->stats.joined++;
    if (flags || payload_len < run->size) {
        close_run(c, run);
    } else {
        c->current = run;
    }
}

/* Makes the incoming frame a run of its own; one that nothing joins, if
 * 'frame' is NULL. */
static void
begin(struct coalesce *c, const struct frame *frame)
{
    struct incoming *in = &c->incoming;
    struct run *run = &c->runs[c->n_runs++];
    uint8_t *data = in->data;

    if (!in->packet) {
        in->packet = get_packet(c, in->n);
        memcpy(dp_packet_data(in->packet), data, in->n);
        restore_tail(in);
        data = dp_packet_data(in->packet);
        c->stats.moved++;
    }
    dp_packet_set_size(in->packet, in->n);

    *run = (struct run) { .packet = in->packet, .tag = in->tag, .n = 1 };
    if (frame) {
        run->open = true;
        run->frame = *frame;
        run->size = frame->end - frame->payload_ofs;
        run->next_sequence = get_u32(data + frame->l4_ofs + TCP_SEQUENCE)
                             + run->size;
        run->ip_id = get_u16(data + frame->l3_ofs + IPV4_ID);
    }
}

/* Says whether a frame with such headers may belong to any connection. */
static bool
hides_connection(enum frame_error error)
{
    return error && error != FRAME_NOT_IP && error != FRAME_NOT_TRANSPORT;
}

/* Judges the incoming frame, which is of TCP. */
static void
accept_tcp(struct coalesce *c, const struct frame *frame)
{
    const uint8_t *data = c->incoming.data;
    struct run *run = find_run(c, data, frame);

    if (run && can_join(c, run, data, frame)) {
        add_to_run(c, run, frame);
        return;
    }
    if (run) {
        close_run(c, run);
    }
    begin(c, can_begin(data, frame, c->incoming.n) ? frame : NULL);
}

void
coalesce_accept(struct coalesce *c)
{
    struct incoming *in = &c->incoming;
    struct frame frame;
    enum frame_error error;

    c->stats.frames++;
    error = c->join ? frame_parse(in->data, in->n, &frame) : FRAME_NOT_IP;
    if (hides_connection(error)) {
        close_tag(c, in->tag);
    }
    if (!error && frame.protocol == IPPROTO_TCP) {
        accept_tcp(c, &frame);
    } else {
        begin(c, NULL);
    }
    in->data = NULL;
}

bool
coalesce_is_full(const struct coalesce *c)
{
    return c->n_runs >= COALESCE_BATCH;
}

/* Makes the headers of a frame that others have joined say so. */
static void
complete(struct run *run)
{
    struct dp_packet *packet = run->packet;
    const struct frame *frame = &run->frame;
    uint8_t *data = dp_packet_data(packet);
    uint8_t *ip = data + frame->l3_ofs;
    size_t n = dp_packet_size(packet);
    uint16_t sum;

    if (frame->is_ipv6) {
        put_u16(ip + IPV6_PAYLOAD_LEN, n - frame->l4_ofs);
        dp_packet_hwol_set_tx_ipv6(packet);
    } else {
        put_u16(ip + IPV4_TOTAL_LEN, n - frame->l3_ofs);
        memset(ip + IPV4_CHECKSUM, 0, 2);
        sum = checksum_finish(checksum_add(0, ip, FRAME_IPV4_LEN));
        memcpy(ip + IPV4_CHECKSUM, &sum, 2);
        dp_packet_hwol_set_tx_ipv4(packet);
    }
    sum = checksum_fold(frame_pseudo_sum(data, frame, n - frame->l4_ofs));
    memcpy(data + frame->l4_ofs + TCP_CHECKSUM, &sum, 2);

    dp_packet_hwol_set_csum_tcp(packet);
    dp_packet_hwol_set_tcp_seg(packet);
    dp_packet_set_tso_segsz(packet, run->size);
}

const struct coalesced *
coalesce_finish(struct coalesce *c, size_t *n)
{
    ovs_assert(!c->incoming.data);
    for (size_t i = 0; i < c->n_runs; i++) {
        struct run *run = &c->runs[i];

        if (run->n > 1) {
            complete(run);
        }
        c->out[i] = (struct coalesced) {
            .packet = run->packet,
            .tag = run->tag,
            .n_frames = run->n,
        };
    }
    *n = c->n_runs;
    c->n_runs = 0;
    c->current = NULL;
    return c->out;
}

const struct coalesce_stats *
coalesce_get_stats(const struct coalesce *c)
{
    return &c->stats;
}
