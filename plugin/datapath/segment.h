/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a TCP or UDP frame marked for segmentation into the frames that it
 * stands for. */

#ifndef DATAPATH_SEGMENT_H
#define DATAPATH_SEGMENT_H 1

/* Segmentation
 * ============
 *
 * A guest hands over up to 64 KB of one TCP connection as a single frame, and
 * says of what size the segments shall be (the vnet header's gso_size, in OVS
 * dp_packet_get_tso_segsz()).  The segments are what RFC 9293 would have the
 * guest send itself, made as Linux makes them:
 *
 *      field                   first      between    last
 *      ----------------------  ---------  ---------  ---------
 *      IPv4 identification     id         id + i     id + i
 *      IP length, checksums    computed for each
 *      TCP sequence            seq        seq + i * segment size
 *      CWR                     as given   0          0
 *      FIN, PSH                0          0          as given
 *      all else                as given
 *
 * UDP datagrams of one sender and receiver are handed over likewise ("UDP
 * GSO", which QUIC uses).  There the cuts are the borders of datagrams, and
 * nobody may move them, whereas TCP can be cut smaller to fit.
 *
 * Segments are made one at a time, each where its payload already is:
 *
 *                  |<- headers ->|<- payload ------------------------->|
 *      frame       [eth|ip|tcp   |aaaaaaaaaaaa|bbbbbbbbbbbb|cccccc]
 *      segment 0   [eth|ip|tcp   |aaaaaaaaaaaa]
 *      segment 1           [eth|ip|tcp   |bbbbbbbbbbbb]
 *      segment 2                      [eth|ip|tcp   |cccccc]
 *
 * So no payload is copied, and each segment is contiguous: it is sealed in one
 * go (AES-GCM is slower on pieces whose lengths aren't multiples of 16).  The
 * price is that the headers of a segment overwrite the end of the segment
 * before, which the caller therefore has to be done with, and that the frame
 * is used up in the end.  netdev_send() owns its packets, so this is fine.
 *
 *     struct segmenter segmenter;
 *     struct iovec segment;
 *
 *     error = segment_start(&segmenter, frame, frame_len, IPPROTO_TCP,
 *                           segsz, inner_mtu);
 *     ...on error count and drop...
 *     while (segment_next(&segmenter, &segment)) {
 *         ...seal 'segment' into the next datagram...
 *     }
 *
 * All segments but the last have the same length, which suits UDP GSO.
 *
 * Per segment this costs one pass over the payload for the checksum (it is
 * read into the cache for the cipher by that); of the headers only what
 * changes is summed again.
 *
 * Thread safety: a struct segmenter belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "datapath/frame.h"

enum {
    /* A guest that asks for less would turn one frame into thousands.  What
     * Linux takes as the least: TCP_MIN_SND_MSS without the room for options
     * (48 - 40). */
    SEGMENT_MIN_SIZE = 8,
    /* Likewise for UDP, where datagrams of 1 byte are in order.  Linux has 64,
     * since 6.9 128 (UDP_MAX_SEGMENTS). */
    SEGMENT_MAX_DATAGRAMS = 128,
};

/* Read-only for callers. */
struct segmenter {
    uint8_t *data;              /* The frame. */
    struct frame frame;
    uint32_t size;              /* Payload bytes of each segment but the
                                 * last. */
    uint32_t count;             /* How many segments there are. */
    uint32_t index;             /* Of the segment that comes next. */

    /* First values, in host byte order. */
    uint32_t sequence;
    uint16_t ip_id;
    uint16_t tcp_control;       /* Header length and flags. */

    /* checksum.h sums of what is the same in all segments. */
    uint64_t ip_sum;
    uint64_t transport_sum;

    /* The headers with zeros where segments differ. */
    uint8_t header[FRAME_MAX_HEADER_LEN];
};

/* Prepares to cut the frame of 'n' bytes at 'data' into segments with
 * 'segment_size' bytes of payload.  'protocol' says what it is marked as,
 * IPPROTO_TCP or IPPROTO_UDP.
 *
 * TCP segments have as much payload as fits in IP packets of 'mtu' bytes if
 * that is less, or if 'segment_size' is 0 (not known); with 'mtu' 0 only
 * 'segment_size' counts.  For UDP 'mtu' is not looked at: the datagrams are of
 * 'segment_size' bytes, be they too long.
 *
 * The checksums in the frame are not looked at.  A frame whose payload fits in
 * one segment gives that segment, with checksums completed.
 *
 * Returns FRAME_OK, or why the frame can't be segmented: it is not of
 * 'protocol' (FRAME_NOT_TRANSPORT: a tunnel of the guest's own, for instance,
 * whose inner packet was meant), its headers are not what they should be, or
 * there would be too many segments (FRAME_BAD_SEGMENT_SIZE). */
enum frame_error segment_start(struct segmenter *, void *data, size_t n,
                               uint8_t protocol,
                               uint32_t segment_size, uint32_t mtu);

/* Makes the next segment, an Ethernet frame with all checksums completed, and
 * stores where it is in '*segment'; it stays until the next call.  Returns
 * false after the last one. */
bool segment_next(struct segmenter *, struct iovec *segment);

/* The length of the longest segment, as a frame. */
size_t segment_frame_len(const struct segmenter *);

#endif /* datapath/segment.h */
