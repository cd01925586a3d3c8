/* SPDX-License-Identifier: Apache-2.0 */
/* Where the headers of an Ethernet frame are, and its transport checksum. */

#ifndef DATAPATH_FRAME_H
#define DATAPATH_FRAME_H 1

/* Frames with offload marks
 * =========================
 *
 * A guest's network card lets the sender leave work to the device: to compute
 * the TCP or UDP checksum (the field then holds the sum of the pseudo-header,
 * or nothing), and to cut a TCP packet of up to 64 KB into segments ("TSO").
 * OVS carries such a frame with marks (DP_PACKET_OL_TX_*) up to the port that
 * it leaves by.  A tunnel has no such device beneath it, so it does the work
 * itself: here, in segment.h, and the reverse in coalesce.h.
 *
 * What is in a frame was written by a guest.  frame_parse() checks each length
 * before it reads there, and all that work on headers begins with it: a struct
 * frame is the proof that the headers lie within the frame.  OVS's own layer
 * offsets (dp_packet_l4()) are not used because they are not set on every
 * path and don't vouch for the lengths that stand in the headers.
 *
 * Up to two VLAN tags are stepped over.  IPv4 options, IPv6 extension headers
 * and fragments are told apart, and refused: with some of them (source
 * routes) the pseudo-header is not made of the addresses in the header.  No
 * kernel leaves such packets to a device that does not say it can do them.
 *
 * Thread safety: pure functions on the caller's memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_ETH_LEN = 14,
    FRAME_VLAN_LEN = 4,
    FRAME_MAX_VLANS = 2,
    FRAME_IPV4_LEN = 20,
    FRAME_IPV6_LEN = 40,
    FRAME_TCP_LEN = 20,
    FRAME_MAX_TCP_LEN = 60,

    /* The longest headers that frame_parse() accepts. */
    FRAME_MAX_HEADER_LEN = FRAME_ETH_LEN + FRAME_MAX_VLANS * FRAME_VLAN_LEN
                           + FRAME_IPV6_LEN + FRAME_MAX_TCP_LEN,
};

/* Why the headers of a frame can't be worked on. */
enum frame_error {
    FRAME_OK = 0,
    FRAME_TRUNCATED,            /* A header goes beyond the frame. */
    FRAME_NOT_IP,
    FRAME_BAD_IP,               /* Version or lengths that can't be. */
    FRAME_IPV4_OPTIONS,
    FRAME_IPV6_EXTENSION,
    FRAME_FRAGMENT,
    FRAME_NOT_TRANSPORT,        /* Neither TCP nor UDP nor SCTP. */
    FRAME_BAD_TRANSPORT,        /* Lengths that can't be. */
    FRAME_BAD_SEGMENT_SIZE,     /* segment.h: no room, or a flood. */
    FRAME_N_ERRORS,
};

/* Words for counters: "truncated", "not-ip", ... */
const char *frame_error_to_string(enum frame_error);

/* Offsets from the start of the frame, which are even. */
struct frame {
    uint16_t l3_ofs;            /* IP header. */
    uint16_t l4_ofs;            /* TCP, UDP or SCTP header. */
    uint16_t payload_ofs;       /* What follows it. */
    uint32_t end;               /* Of the IP packet; padding follows. */
    bool is_ipv6;
    uint8_t protocol;           /* IPPROTO_TCP, _UDP, _SCTP. */
};

/* How many of the 'n' bytes at 'data', at least FRAME_ETH_LEN, are the Ethernet
 * header and tags; the type of what follows is in the last two of them. */
size_t frame_l2_len(const void *data, size_t n);

/* Checks the 'n' bytes at 'data' and fills in '*frame'.  On an error '*frame'
 * is undefined. */
enum frame_error frame_parse(const void *data, size_t n, struct frame *);

/* Returns the checksum.h sum of the pseudo-header of the frame, for
 * 'transport_len' bytes of transport header and payload. */
uint64_t frame_pseudo_sum(const void *data, const struct frame *,
                          uint32_t transport_len);

/* Computes the TCP, UDP or SCTP checksum and writes it to its field, whatever
 * was there. */
void frame_complete_checksum(void *data, const struct frame *);

/* Returns true if the IPv4 header checksum (if it is IPv4) and the TCP
 * checksum are right. */
bool frame_verify_tcp(const void *data, const struct frame *);

#endif /* datapath/frame.h */
