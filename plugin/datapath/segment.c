/* SPDX-License-Identifier: Apache-2.0 */
/* Segmentation in place. */

#include <config.h>
#include "datapath/segment.h"

#include <netinet/in.h>
#include <string.h>
#include "datapath/checksum.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

/* Where the fields are that differ from segment to segment: from the start of
 * the IP header, and from that of the transport header. */
enum {
    IPV4_TOTAL_LEN = 2,
    IPV4_ID = 4,
    IPV4_CHECKSUM = 10,
    IPV6_PAYLOAD_LEN = 4,
    TCP_SEQUENCE = 4,
    TCP_CONTROL = 12,
    TCP_CHECKSUM = 16,
    UDP_LENGTH = 4,
    UDP_CHECKSUM = 6,
};

/* Host byte order. */
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

/* Network byte order: stores 'value' at 'p' and returns it, to be added to a
 * sum. */
static uint16_t
put_be16(uint8_t *p, uint16_t value)
{
    uint16_t be = (OVS_FORCE uint16_t) htons(value);

    memcpy(p, &be, sizeof be);
    return be;
}

static uint32_t
put_be32(uint8_t *p, uint32_t value)
{
    uint32_t be = (OVS_FORCE uint32_t) htonl(value);

    memcpy(p, &be, sizeof be);
    return be;
}

static void
put_checksum(uint8_t *p, uint64_t sum)
{
    uint16_t checksum = checksum_finish(sum);

    memcpy(p, &checksum, sizeof checksum);
}

/* Says how many payload bytes go in a TCP segment; 0 if there is no way. */
static uint32_t
choose_tcp_size(const struct frame *frame, uint32_t segment_size, uint32_t mtu)
{
    uint32_t header_len = frame->payload_ofs - frame->l3_ofs;
    uint32_t payload_len = frame->end - frame->payload_ofs;
    uint32_t size = segment_size ? segment_size : UINT32_MAX;

    if (!segment_size && !mtu) {
        return 0;
    }
    if (mtu) {
        size = MIN(size, mtu > header_len ? mtu - header_len : 0);
    }
    if (size < SEGMENT_MIN_SIZE && size < payload_len) {
        return 0;
    }
    return size;
}

static uint32_t
choose_udp_size(const struct frame *frame, uint32_t segment_size)
{
    uint32_t payload_len = frame->end - frame->payload_ofs;

    return ((uint64_t) segment_size * SEGMENT_MAX_DATAGRAMS >= payload_len
            ? segment_size : 0);
}

/* Takes the fields that differ out of the headers, and sums the rest. */
static void
prepare_headers(struct segmenter *s)
{
    const struct frame *frame = &s->frame;
    uint8_t *ip = s->header + frame->l3_ofs;
    uint8_t *l4 = s->header + frame->l4_ofs;

    memcpy(s->header, s->data, frame->payload_ofs);

    s->ip_id = s->tcp_control = 0;
    s->sequence = 0;
    s->ip_sum = 0;
    if (!frame->is_ipv6) {
        s->ip_id = get_u16(ip + IPV4_ID);
        memset(ip + IPV4_TOTAL_LEN, 0, 4);
        memset(ip + IPV4_CHECKSUM, 0, 2);
        s->ip_sum = checksum_add(0, ip, FRAME_IPV4_LEN);
    }

    if (frame->protocol == IPPROTO_TCP) {
        s->sequence = get_u32(l4 + TCP_SEQUENCE);
        s->tcp_control = get_u16(l4 + TCP_CONTROL);
        memset(l4 + TCP_SEQUENCE, 0, 4);
        memset(l4 + TCP_CONTROL, 0, 2);
        memset(l4 + TCP_CHECKSUM, 0, 2);
    } else {
        memset(l4 + UDP_LENGTH, 0, 2);
        memset(l4 + UDP_CHECKSUM, 0, 2);
    }
    s->transport_sum = checksum_add(frame_pseudo_sum(s->header, frame, 0), l4,
                                    frame->payload_ofs - frame->l4_ofs);
}

enum frame_error
segment_start(struct segmenter *s, void *data, size_t n, uint8_t protocol,
              uint32_t segment_size, uint32_t mtu)
{
    enum frame_error error = frame_parse(data, n, &s->frame);
    uint32_t payload_len;

    if (error) {
        return error;
    }
    if (s->frame.protocol != protocol) {
        return FRAME_NOT_TRANSPORT;
    }
    payload_len = s->frame.end - s->frame.payload_ofs;
    s->size = (protocol == IPPROTO_TCP
               ? choose_tcp_size(&s->frame, segment_size, mtu)
               : choose_udp_size(&s->frame, segment_size));
    if (!s->size) {
        return FRAME_BAD_SEGMENT_SIZE;
    }
    s->size = MIN(s->size, MAX(payload_len, 1));
    s->count = payload_len ? DIV_ROUND_UP(payload_len, s->size) : 1;
    s->index = 0;
    s->data = data;
    prepare_headers(s);
    return FRAME_OK;
}

/* Writes the IP header's lengths, ID and checksum, for 'transport_len' bytes
 * after it. */
static void
fill_ip(const struct segmenter *s, uint8_t *ip, uint32_t transport_len)
{
    uint64_t sum = s->ip_sum;

    if (s->frame.is_ipv6) {
        put_be16(ip + IPV6_PAYLOAD_LEN, transport_len);
    } else {
        sum += put_be16(ip + IPV4_TOTAL_LEN, FRAME_IPV4_LEN + transport_len);
        sum += put_be16(ip + IPV4_ID, s->ip_id + s->index);
        put_checksum(ip + IPV4_CHECKSUM, sum);
    }
}

/* Writes the TCP header's sequence, flags and checksum. */
static void
fill_tcp(const struct segmenter *s, uint8_t *tcp, uint32_t transport_len)
{
    size_t header_len = s->frame.payload_ofs - s->frame.l4_ofs;
    uint16_t control = s->tcp_control;
    uint64_t sum = s->transport_sum;

    if (s->index) {
        control &= ~TCP_CWR;
    }
    if (s->index < s->count - 1) {
        control &= ~(TCP_FIN | TCP_PSH);
    }
    sum += put_be32(tcp + TCP_SEQUENCE, s->sequence + s->index * s->size);
    sum += put_be16(tcp + TCP_CONTROL, control);
    sum += (OVS_FORCE uint32_t) htonl(transport_len);
    sum = checksum_add(sum, tcp + header_len, transport_len - header_len);
    put_checksum(tcp + TCP_CHECKSUM, sum);
}

/* Writes the UDP header's length and checksum. */
static void
fill_udp(const struct segmenter *s, uint8_t *udp, uint32_t transport_len)
{
    uint64_t sum = s->transport_sum;
    uint16_t checksum;

    /* Once in the header, once in the pseudo-header. */
    sum += 2 * (uint64_t) put_be16(udp + UDP_LENGTH, transport_len);
    sum = checksum_add(sum, udp + UDP_HEADER_LEN,
                       transport_len - UDP_HEADER_LEN);
    checksum = checksum_finish(sum);
    if (!checksum) {
        checksum = 0xffff;      /* Zero says "no checksum" (RFC 768). */
    }
    memcpy(udp + UDP_CHECKSUM, &checksum, sizeof checksum);
}

bool
segment_next(struct segmenter *s, struct iovec *segment)
{
    const struct frame *frame = &s->frame;

    if (s->index >= s->count) {
        return false;
    }

    uint32_t ofs = s->index * s->size;
    uint32_t left = frame->end - frame->payload_ofs - ofs;
    uint32_t payload_len = MIN(left, s->size);
    uint32_t transport_len = frame->payload_ofs - frame->l4_ofs + payload_len;
    uint8_t *header = s->data + ofs;

    memcpy(header, s->header, frame->payload_ofs);
    fill_ip(s, header + frame->l3_ofs, transport_len);
    if (frame->protocol == IPPROTO_TCP) {
        fill_tcp(s, header + frame->l4_ofs, transport_len);
    } else {
        fill_udp(s, header + frame->l4_ofs, transport_len);
    }

    segment->iov_base = header;
    segment->iov_len = frame->payload_ofs + payload_len;
    s->index++;
    return true;
}

size_t
segment_frame_len(const struct segmenter *s)
{
    uint32_t payload_len = s->frame.end - s->frame.payload_ofs;

    return s->frame.payload_ofs + MIN(payload_len, s->size);
}
