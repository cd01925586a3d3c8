/* SPDX-License-Identifier: Apache-2.0 */
/* Completing checksums that the sender has left to the network card. */

#include <config.h>
#include "datapath/vsubnet-checksum.h"

#include "crc32c.h"
#include "csum.h"
#include "dp-packet.h"
#include "packets.h"

/* The checksum of a TCP or UDP packet whose checksum field is zero. */
static ovs_be16
pseudo_header_checksum(struct dp_packet *packet, uint8_t protocol)
{
    const uint8_t *l3 = dp_packet_l3(packet);
    const void *l4 = dp_packet_l4(packet);
    size_t l4_size = dp_packet_l4_size(packet);

    if (IP_VER(*l3) == 6) {
        return packet_csum_upperlayer6((const void *) l3, l4, protocol,
                                       l4_size);
    }
    return csum_finish(csum_continue(
        packet_csum_pseudoheader((const void *) l3), l4, l4_size));
}

void
vsubnet_checksum_complete(struct dp_packet *packet)
{
    uint64_t what = *dp_packet_ol_flags_ptr(packet) & DP_PACKET_OL_TX_L4_MASK;
    void *l4 = dp_packet_l4(packet);

    if (!what || !l4 || !dp_packet_l3(packet)) {
        return;
    }
    if (what & DP_PACKET_OL_TX_TCP_CKSUM
        && dp_packet_l4_size(packet) >= TCP_HEADER_LEN) {
        struct tcp_header *tcp = l4;

        tcp->tcp_csum = 0;
        tcp->tcp_csum = pseudo_header_checksum(packet, IPPROTO_TCP);
    } else if (what & DP_PACKET_OL_TX_UDP_CKSUM
               && dp_packet_l4_size(packet) >= UDP_HEADER_LEN) {
        struct udp_header *udp = l4;

        udp->udp_csum = 0;
        udp->udp_csum = pseudo_header_checksum(packet, IPPROTO_UDP);
        if (!udp->udp_csum) {
            udp->udp_csum = htons(0xffff);
        }
    } else if (what & DP_PACKET_OL_TX_SCTP_CKSUM
               && dp_packet_l4_size(packet) >= SCTP_HEADER_LEN) {
        struct sctp_header *sctp = l4;

        put_16aligned_be32(&sctp->sctp_csum, 0);
        put_16aligned_be32(&sctp->sctp_csum,
                           crc32c(l4, dp_packet_l4_size(packet)));
    }
    *dp_packet_ol_flags_ptr(packet) &= ~DP_PACKET_OL_TX_L4_MASK;
}
