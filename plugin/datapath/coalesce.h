/* SPDX-License-Identifier: Apache-2.0 */
/* Joins received TCP segments into frames marked for segmentation. */

#ifndef DATAPATH_COALESCE_H
#define DATAPATH_COALESCE_H 1

/* Coalescing received segments
 * ============================
 *
 * A frame costs about the same on its way through the switch and into the
 * guest whether it carries 1,400 bytes or 64 KB.  So in-order segments of one
 * TCP connection that come out of the tunnel in one batch are joined into one
 * frame, marked for segmentation (TSO) with the segments' size: what the
 * sending guest handed over before segment.h cut it up.  Whoever has to can
 * cut it again into exactly the segments that came.
 *
 * The rules are those of Linux's GRO (tcp_gro_receive(), inet_gro_receive(),
 * ipv6_gro_receive()).  A segment joins the frame before it of its connection
 * if
 *
 *   - both have the caller's same tag, and the same Ethernet header and tags,
 *     TTL, TOS or traffic class (and so ECN), DF and flow label, ACK number,
 *     window and TCP options (and so timestamps);
 *   - its sequence number continues that frame; its IPv4 ID does, or is the
 *     same with DF;
 *   - it has payload, not more than the first segment had;
 *   - the flags are the same but for FIN and PSH, and it has no CWR;
 *   - the IPv4 header's and the TCP checksum of both are right: a wrong one
 *     must not become right by being joined;
 *   - the whole stays below 64 KB.
 *
 * A segment that is shorter than the first, or has FIN or PSH, is the last to
 * join.  Nothing joins a SYN, RST, URG or a segment with less payload
 * than segment.h would give one.
 *
 * Everything else passes as it came.  Order: the frames of one connection
 * stay in order; a joined frame is where its first segment was.  After any
 * frame that could not join, its connection begins anew.  Frames of IP whose
 * connection can't be told (fragments, options) end all that is open under
 * their tag.
 *
 * Buffers
 * -------
 *
 * A frame is not written here, but where it was decrypted:
 *
 *     void *where = coalesce_prepare(coalesce, tag, frame_len);
 *     if (aead_open(..., where)) {
 *         coalesce_accept(coalesce);
 *     } else {
 *         coalesce_cancel(coalesce);
 *     }
 *
 * The first two segments of a run go to buffers of their own size.  When the
 * second is known to join, a 64 KB buffer is taken and both are copied to it.
 * From then on the next frame is put so that, should it join, its payload is
 * in place:
 *
 *       |headers|payload 1|payload 2|payload 3|
 *                                |headers|payload 4|
 *                                ^ returned by coalesce_prepare()
 *
 * The bytes that its headers cover are saved before and put back after.  If it
 * turns out not to join, it is copied out.  So a run of N segments costs 2
 * copies of a segment, and a frame that is no TCP data, at most one.  Taking
 * the large buffer before knowing, or for each frame, was measured to cost
 * small UDP a third of its rate.
 *
 * Life cycle: one coalescer for each receiving thread.  For each batch, up to
 * COALESCE_BATCH frames (coalesce_is_full()) go in, coalesce_finish() gives
 * out what became of them; nothing is held between batches.
 *
 * Thread safety: a struct coalesce belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;

enum {
    COALESCE_BATCH = 32,        /* NETDEV_MAX_BURST. */
    COALESCE_MAX_BUFFER = UINT16_MAX,   /* All that a dp_packet can say. */
};

/* What comes out. */
struct coalesced {
    struct dp_packet *packet;   /* The caller's from now on. */
    uint64_t tag;
    uint32_t n_frames;          /* Frames that became this one. */
};

/* Counters; they only grow. */
struct coalesce_stats {
    uint64_t frames;            /* Accepted. */
    uint64_t joined;            /* Of these, joined to one before. */
    uint64_t moved;             /* Decrypted in place, but had to move. */
    uint64_t bad_checksum;      /* Would have joined, but for that. */
};

/* Packets are made with 'headroom' bytes before the frame.  Without 'join' no
 * frame joins another, for a switch whose ports don't take marked frames
 * (userspace_tso_enabled()). */
struct coalesce *coalesce_create(size_t headroom, bool join);
void coalesce_destroy(struct coalesce *);

/* Returns where to write the next frame, of exactly 'n' bytes, which is then
 * accepted or cancelled before anything else.  'n' is at most
 * COALESCE_MAX_BUFFER less the headroom.  Frames that differ in what the
 * caller knows about them (vSubnet, sender, outer header) have different tags
 * and are never joined.
 *
 * There must be room (coalesce_is_full()). */
void *coalesce_prepare(struct coalesce *, uint64_t tag, size_t n);
void coalesce_accept(struct coalesce *);
void coalesce_cancel(struct coalesce *);

/* Returns true if another frame may find no room before coalesce_finish(). */
bool coalesce_is_full(const struct coalesce *);

/* Ends the batch.  Returns what came out of it, in order, and stores how many
 * in '*n'; the array is valid until the next coalesce_prepare(), the packets
 * are the caller's.  Joined frames have DP_PACKET_OL_TX_TCP_SEG,
 * _TX_TCP_CKSUM and _TX_IPV4 or _TX_IPV6, the size of segments, and the sum of
 * the pseudo-header in the checksum field.  Other frames have no marks.
 * Layer offsets and metadata are the caller's to set. */
const struct coalesced *coalesce_finish(struct coalesce *, size_t *n);

const struct coalesce_stats *coalesce_get_stats(const struct coalesce *);

#endif /* datapath/coalesce.h */
