/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit Congestion Notification through a tunnel: RFC 6040. */

#include <config.h>
#include "datapath/ecn.h"

#include <string.h>

#include "csum.h"
#include "datapath/frame.h"
#include "packets.h"

enum {
    IPV6_ECN_SHIFT = 4,         /* Of the traffic class in the second byte. */
    IPV4_ECN_LEN = 12,          /* What of the header has to be there. */
};

/* Where the IP header is in a frame, and which it is. */
struct ip {
    uint8_t *header;
    int version;                /* 4, 6, or 0 for none. */
};

static struct ip
find_ip(const void *frame, size_t n)
{
    size_t ofs = frame_l2_len(frame, n);
    struct ip ip = { (uint8_t *) frame + ofs, 0 };
    ovs_be16 type;

    if (ofs + IPV4_ECN_LEN > n) {
        return ip;
    }
    memcpy(&type, (const uint8_t *) frame + ofs - sizeof type, sizeof type);
    if (type == htons(ETH_TYPE_IP) && ip.header[0] >> 4 == 4) {
        ip.version = 4;
    } else if (type == htons(ETH_TYPE_IPV6) && ip.header[0] >> 4 == 6) {
        ip.version = 6;
    }
    return ip;
}

static enum ecn
get(const struct ip *ip)
{
    return (ip->version == 4 ? ip->header[1]
            : ip->version == 6 ? ip->header[1] >> IPV6_ECN_SHIFT
            : ECN_NOT_ECT) & ECN_MASK;
}

static void
set_ipv4(uint8_t *header, enum ecn ecn)
{
    const size_t checksum_ofs = offsetof(struct ip_header, ip_csum);
    ovs_be16 old, new, checksum;

    memcpy(&old, header, sizeof old);
    header[1] = (header[1] & ~ECN_MASK) | ecn;
    memcpy(&new, header, sizeof new);
    memcpy(&checksum, header + checksum_ofs, sizeof checksum);
    checksum = recalc_csum16(checksum, old, new);
    memcpy(header + checksum_ofs, &checksum, sizeof checksum);
}

static void
set(const struct ip *ip, enum ecn ecn)
{
    if (ip->version == 4) {
        set_ipv4(ip->header, ecn);
    } else {
        ip->header[1] &= ~(ECN_MASK << IPV6_ECN_SHIFT);
        ip->header[1] |= ecn << IPV6_ECN_SHIFT;
    }
}

enum ecn
ecn_get(const void *frame, size_t n)
{
    struct ip ip = find_ip(frame, n);

    return get(&ip);
}

bool
ecn_is_heeded(const void *frame, size_t n)
{
    struct frame parsed;

    return (ecn_get(frame, n) != ECN_NOT_ECT
            || (!frame_parse(frame, n, &parsed)
                && parsed.protocol == IPPROTO_TCP
                && parsed.payload_ofs < parsed.end));
}

enum ecn_verdict
ecn_decapsulate(void *frame, size_t n, enum ecn outer)
{
    struct ip ip = find_ip(frame, n);
    enum ecn inner = get(&ip);

    if (!ip.version) {
        return ECN_NOT_IP;
    }
    if (inner == ECN_NOT_ECT) {
        return outer == ECN_CE ? ECN_DROP : ECN_PASS;
    }
    if (outer == ECN_CE && inner != ECN_CE) {
        set(&ip, ECN_CE);
        return ECN_MARKED;
    }
    if (outer == ECN_ECT_1 && inner == ECN_ECT_0) {
        set(&ip, ECN_ECT_1);
    }
    return ECN_PASS;
}
