/* SPDX-License-Identifier: Apache-2.0 */
/* Validates the headers of a frame and completes transport checksums. */

#include <config.h>
#include "datapath/frame.h"

#include <netinet/in.h>
#include <string.h>
#include "crc32c.h"
#include "datapath/checksum.h"
#include "packets.h"
#include "unaligned.h"

enum { SCTP_CHECKSUM_OFS = 8 };

const char *
frame_error_to_string(enum frame_error error)
{
    static const char *const names[FRAME_N_ERRORS] = {
        [FRAME_OK] = "ok",
        [FRAME_TRUNCATED] = "truncated",
        [FRAME_NOT_IP] = "not-ip",
        [FRAME_BAD_IP] = "bad-ip",
        [FRAME_IPV4_OPTIONS] = "ipv4-options",
        [FRAME_IPV6_EXTENSION] = "ipv6-extension",
        [FRAME_FRAGMENT] = "fragment",
        [FRAME_NOT_TRANSPORT] = "not-transport",
        [FRAME_BAD_TRANSPORT] = "bad-transport",
        [FRAME_BAD_SEGMENT_SIZE] = "bad-segment-size",
    };

    return error < FRAME_N_ERRORS ? names[error] : "unknown";
}

static uint16_t
get_u16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

size_t
frame_l2_len(const void *data, size_t n)
{
    size_t len = FRAME_ETH_LEN;

    for (int i = 0; i < FRAME_MAX_VLANS; i++) {
        uint16_t type = get_u16((const uint8_t *) data + len - 2);

        if (!eth_type_vlan(htons(type)) || len + FRAME_VLAN_LEN > n) {
            break;
        }
        len += FRAME_VLAN_LEN;
    }
    return len;
}

static enum frame_error
parse_ipv4(const uint8_t *data, size_t n, struct frame *frame)
{
    const uint8_t *ip = data + frame->l3_ofs;
    size_t room = n - frame->l3_ofs;
    size_t header_len, total_len;

    if (room < FRAME_IPV4_LEN) {
        return FRAME_TRUNCATED;
    }
    header_len = (ip[0] & 0xf) * 4;
    total_len = get_u16(ip + 2);
    if (ip[0] >> 4 != 4 || header_len < FRAME_IPV4_LEN
        || total_len < header_len) {
        return FRAME_BAD_IP;
    }
    if (total_len > room) {
        return FRAME_TRUNCATED;
    }
    if (header_len > FRAME_IPV4_LEN) {
        return FRAME_IPV4_OPTIONS;
    }
    if (get_u16(ip + 6) & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)) {
        return FRAME_FRAGMENT;
    }
    frame->is_ipv6 = false;
    frame->protocol = ip[9];
    frame->l4_ofs = frame->l3_ofs + FRAME_IPV4_LEN;
    frame->end = frame->l3_ofs + total_len;
    return FRAME_OK;
}

static enum frame_error
parse_ipv6(const uint8_t *data, size_t n, struct frame *frame)
{
    const uint8_t *ip = data + frame->l3_ofs;
    size_t room = n - frame->l3_ofs;
    size_t payload_len;

    if (room < FRAME_IPV6_LEN) {
        return FRAME_TRUNCATED;
    }
    payload_len = get_u16(ip + 4);
    if (ip[0] >> 4 != 6) {
        return FRAME_BAD_IP;
    }
    if (payload_len > room - FRAME_IPV6_LEN) {
        return FRAME_TRUNCATED;
    }
    frame->is_ipv6 = true;
    frame->protocol = ip[6];
    frame->l4_ofs = frame->l3_ofs + FRAME_IPV6_LEN;
    frame->end = frame->l4_ofs + payload_len;

    switch (frame->protocol) {
    case IPPROTO_FRAGMENT:
        return FRAME_FRAGMENT;
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_AH:
    case IPPROTO_MH:
        return FRAME_IPV6_EXTENSION;
    default:
        return FRAME_OK;
    }
}

static enum frame_error
parse_transport(const uint8_t *data, struct frame *frame)
{
    const uint8_t *l4 = data + frame->l4_ofs;
    size_t room = frame->end - frame->l4_ofs;
    size_t header_len;

    switch (frame->protocol) {
    case IPPROTO_TCP:
        if (room < FRAME_TCP_LEN) {
            return FRAME_TRUNCATED;
        }
        header_len = (l4[12] >> 4) * 4;
        if (header_len < FRAME_TCP_LEN) {
            return FRAME_BAD_TRANSPORT;
        }
        break;

    case IPPROTO_UDP:
        if (room < UDP_HEADER_LEN) {
            return FRAME_TRUNCATED;
        }
        header_len = UDP_HEADER_LEN;
        if (get_u16(l4 + 4) < UDP_HEADER_LEN || get_u16(l4 + 4) > room) {
            return FRAME_BAD_TRANSPORT;
        }
        break;

    case IPPROTO_SCTP:
        header_len = SCTP_HEADER_LEN;
        break;

    default:
        return FRAME_NOT_TRANSPORT;
    }
    if (header_len > room) {
        return FRAME_TRUNCATED;
    }
    frame->payload_ofs = frame->l4_ofs + header_len;
    return FRAME_OK;
}

enum frame_error
frame_parse(const void *data_, size_t n, struct frame *frame)
{
    const uint8_t *data = data_;
    enum frame_error error;
    size_t ofs = FRAME_ETH_LEN;
    uint16_t type;

    if (n < FRAME_ETH_LEN) {
        return FRAME_TRUNCATED;
    }
    type = get_u16(data + ofs - 2);
    for (int i = 0; i < FRAME_MAX_VLANS
         && (type == ETH_TYPE_VLAN_8021Q || type == ETH_TYPE_VLAN_8021AD);
         i++) {
        ofs += FRAME_VLAN_LEN;
        if (n < ofs) {
            return FRAME_TRUNCATED;
        }
        type = get_u16(data + ofs - 2);
    }

    frame->l3_ofs = ofs;
    if (type == ETH_TYPE_IP) {
        error = parse_ipv4(data, n, frame);
    } else if (type == ETH_TYPE_IPV6) {
        error = parse_ipv6(data, n, frame);
    } else {
        error = FRAME_NOT_IP;
    }
    return error ? error : parse_transport(data, frame);
}

uint64_t
frame_pseudo_sum(const void *data_, const struct frame *frame,
                 uint32_t transport_len)
{
    const uint8_t *ip = (const uint8_t *) data_ + frame->l3_ofs;
    uint64_t sum = (OVS_FORCE uint32_t) htonl(transport_len);

    sum += (OVS_FORCE uint16_t) htons(frame->protocol);
    return (frame->is_ipv6
            ? checksum_add(sum, ip + 8, 32)
            : checksum_add(sum, ip + 12, 8));
}

/* Sums 'n' bytes of the transport packet at 'l4' but for the checksum field at
 * 'ofs' in it, with the pseudo-header, and writes the checksum. */
static void
complete_sum(uint8_t *data, const struct frame *frame, size_t ofs, size_t n)
{
    uint8_t *l4 = data + frame->l4_ofs;
    uint16_t checksum;

    memset(l4 + ofs, 0, 2);
    checksum = checksum_finish(
        checksum_add(frame_pseudo_sum(data, frame, n), l4, n));
    if (!checksum && frame->protocol == IPPROTO_UDP) {
        checksum = 0xffff;      /* Zero says "no checksum" (RFC 768). */
    }
    memcpy(l4 + ofs, &checksum, 2);
}

void
frame_complete_checksum(void *data_, const struct frame *frame)
{
    uint8_t *data = data_;
    uint8_t *l4 = data + frame->l4_ofs;
    size_t n = frame->end - frame->l4_ofs;
    ovs_be32 crc;

    switch (frame->protocol) {
    case IPPROTO_TCP:
        complete_sum(data, frame, offsetof(struct tcp_header, tcp_csum), n);
        break;

    case IPPROTO_UDP:
        complete_sum(data, frame, offsetof(struct udp_header, udp_csum),
                     get_u16(l4 + 4));
        break;

    case IPPROTO_SCTP:
        memset(l4 + SCTP_CHECKSUM_OFS, 0, 4);
        crc = crc32c(l4, n);
        memcpy(l4 + SCTP_CHECKSUM_OFS, &crc, 4);
        break;

    default:
        OVS_NOT_REACHED();
    }
}

bool
frame_verify_tcp(const void *data_, const struct frame *frame)
{
    const uint8_t *data = data_;
    size_t n = frame->end - frame->l4_ofs;

    if (!frame->is_ipv6
        && checksum_fold(checksum_add(0, data + frame->l3_ofs,
                                      FRAME_IPV4_LEN)) != 0xffff) {
        return false;
    }
    return checksum_fold(checksum_add(frame_pseudo_sum(data, frame, n),
                                      data + frame->l4_ofs, n)) == 0xffff;
}
