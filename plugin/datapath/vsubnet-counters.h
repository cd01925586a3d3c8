/* SPDX-License-Identifier: Apache-2.0 */
/* What a tunnel port counts. */

#ifndef DATAPATH_VSUBNET_COUNTERS_H
#define DATAPATH_VSUBNET_COUNTERS_H 1

/* Counters
 * ========
 *
 * Each frame or datagram that enters the port leaves it again or is dropped
 * under exactly one of the names below.  The names are the keys in the
 * Interface's `statistics` and in `vsubnet/show`; one table states them, with
 * what each stands for.
 *
 * So what a node has sent can be accounted for.  Between two nodes, if the
 * wire loses nothing,
 *
 *     tx_datagrams of the one = rx_datagrams of the other
 *                               + those dropped at its socket
 *
 * The kernel counts the latter, rx_socket_full, in messages: what it carries
 * as one packet, cut by UDP GSO or joined by UDP GRO on the way or not at all.
 * If neither the wire nor a device cuts or joins any (a veth does not),
 *
 *     tx_messages of the one = rx_messages + rx_socket_full of the other
 *
 * And in each node
 *
 *     rx_datagrams = rx_frames - rx_reassembled + rx_fragments
 *                    + rx_port_messages + what was dropped as received
 *
 * where that is all dropped under rx_... other than rx_socket_full, and
 * rx_lost_fragment and rx_bad_fragment, which are among rx_fragments.
 *
 * Thread safety: any thread may add and read; a reader sees each counter as it
 * was at some time, not all at one time. */

#include <stdint.h>
#include "ovs-atomic.h"

struct ds;
struct netdev_custom_stats;
struct netdev_stats;

/* How a counter enters into the port's standard statistics. */
enum vsubnet_counter_kind {
    VSUBNET_GOOD,               /* Nothing was lost. */
    VSUBNET_DROP,               /* As rx_dropped or tx_dropped. */
    VSUBNET_ERROR,              /* As rx_errors or tx_errors. */
};

/* VSUBNET_COUNTER(NAME, KIND, MEANING) */
#define VSUBNET_COUNTERS                                                      \
    VSUBNET_COUNTER(rx_messages, GOOD, "messages read from the socket")       \
    VSUBNET_COUNTER(rx_datagrams, GOOD, "datagrams in them")                  \
    VSUBNET_COUNTER(rx_frames, GOOD, "frames received")                       \
    VSUBNET_COUNTER(rx_bytes, GOOD, "bytes in them")                          \
    VSUBNET_COUNTER(rx_oam, GOOD, "...which carry OAM")                       \
    VSUBNET_COUNTER(rx_port_messages, GOOD, "messages of other ports")        \
    VSUBNET_COUNTER(rx_coalesced, GOOD, "datagrams the kernel coalesced")     \
    VSUBNET_COUNTER(rx_joined, GOOD, "TCP segments joined to one before")     \
    VSUBNET_COUNTER(rx_no_keyring, DROP, "no keyring is loaded")              \
    VSUBNET_COUNTER(rx_truncated, ERROR, "too short, or cut off")             \
    VSUBNET_COUNTER(rx_too_long, ERROR, "longer than any sender makes it")    \
    VSUBNET_COUNTER(rx_bad_version, ERROR, "unknown version")                 \
    VSUBNET_COUNTER(rx_bad_type, ERROR, "unknown type")                       \
    VSUBNET_COUNTER(rx_fragments, GOOD, "fragments of frames received")       \
    VSUBNET_COUNTER(rx_reassembled, GOOD, "frames put together from them")    \
    VSUBNET_COUNTER(rx_bad_fragment, ERROR, "fragment of no possible frame")  \
    VSUBNET_COUNTER(rx_lost_fragment, DROP, "fragment whose others are lost") \
    VSUBNET_COUNTER(rx_own_spi, DROP, "sent by this node")                    \
    VSUBNET_COUNTER(rx_unknown_spi, DROP, "SPI is not in the keyring")        \
    VSUBNET_COUNTER(rx_vni_mismatch, DROP, "SPI belongs to another VNI")      \
    VSUBNET_COUNTER(rx_not_member, DROP, "sender is no member of the VNI")    \
    VSUBNET_COUNTER(rx_replayed, DROP, "sequence was seen before")            \
    VSUBNET_COUNTER(rx_too_old, DROP, "sequence is behind the window")        \
    VSUBNET_COUNTER(rx_below_floor, DROP, "session is not above the floor")   \
    VSUBNET_COUNTER(rx_over_budget, DROP, "too many unknown sessions")        \
    VSUBNET_COUNTER(rx_forged, ERROR, "tag does not verify")                  \
    VSUBNET_COUNTER(rx_congestion, DROP, "waited too long, to slow TCP down") \
    VSUBNET_COUNTER(rx_congestion_marked, GOOD, "...marked instead (ECN)")    \
    VSUBNET_COUNTER(rx_short_frame, ERROR, "no room for Ethernet header")     \
    VSUBNET_COUNTER(rx_bad_message, ERROR, "unknown, or replicated, message") \
    VSUBNET_COUNTER(rx_message_flood, DROP, "message too soon after others")  \
    VSUBNET_COUNTER(rx_inbox_full, DROP, "more messages than are looked at")  \
    VSUBNET_COUNTER(rx_crypto_failed, ERROR, "crypto library failed")         \
    VSUBNET_COUNTER(rx_socket_full, DROP, "kernel had no room for messages")  \
    VSUBNET_COUNTER(rx_socket_errors, ERROR, "receive calls that failed")     \
    VSUBNET_COUNTER(tx_frames, GOOD, "frames given for sending")              \
    VSUBNET_COUNTER(tx_bytes, GOOD, "bytes in them")                          \
    VSUBNET_COUNTER(tx_messages, GOOD, "messages given to the kernel")        \
    VSUBNET_COUNTER(tx_datagrams, GOOD, "datagrams in them")                  \
    VSUBNET_COUNTER(tx_replicated, GOOD, "frames for all members")            \
    VSUBNET_COUNTER(tx_segmented, GOOD, "frames cut into segments")           \
    VSUBNET_COUNTER(tx_fragmented, GOOD, "frames sent as fragments")          \
    VSUBNET_COUNTER(tx_port_messages, GOOD, "messages to other ports")        \
    VSUBNET_COUNTER(tx_no_keyring, DROP, "no keyring is loaded")              \
    VSUBNET_COUNTER(tx_no_key, DROP, "no key to send in this VNI")            \
    VSUBNET_COUNTER(tx_unknown_node, DROP, "tun_dst is no known node")        \
    VSUBNET_COUNTER(tx_not_member, DROP, "node is no member of the VNI")      \
    VSUBNET_COUNTER(tx_no_endpoint, DROP, "endpoint of node unknown")         \
    VSUBNET_COUNTER(tx_too_long, DROP, "longer than the path takes")          \
    VSUBNET_COUNTER(tx_bad_frame, ERROR, "no room for Ethernet header")       \
    VSUBNET_COUNTER(tx_offload_truncated, ERROR,                              \
                    "marked for offload, cut off")                            \
    VSUBNET_COUNTER(tx_offload_not_ip, ERROR,                                 \
                    "marked for offload, not IP")                             \
    VSUBNET_COUNTER(tx_offload_bad_ip, ERROR,                                 \
                    "marked for offload, bad IP header")                      \
    VSUBNET_COUNTER(tx_offload_options, ERROR,                                \
                    "marked for offload, IPv4 options")                       \
    VSUBNET_COUNTER(tx_offload_extension, ERROR,                              \
                    "marked for offload, IPv6 extension")                     \
    VSUBNET_COUNTER(tx_offload_fragment, ERROR,                               \
                    "marked for offload, IP fragment")                        \
    VSUBNET_COUNTER(tx_offload_protocol, ERROR,                               \
                    "marked for offload, no TCP or UDP")                      \
    VSUBNET_COUNTER(tx_offload_bad_transport, ERROR,                          \
                    "marked for offload, bad length")                         \
    VSUBNET_COUNTER(tx_offload_segment_size, ERROR,                           \
                    "marked for offload, bad segments")                       \
    VSUBNET_COUNTER(tx_socket_full, DROP, "kernel had no buffer")             \
    VSUBNET_COUNTER(tx_send_errors, ERROR, "kernel refused for another reason")\
    VSUBNET_COUNTER(tx_crypto_failed, ERROR, "crypto library failed")

enum vsubnet_counter {
#define VSUBNET_COUNTER(NAME, KIND, MEANING) VSUBNET_##NAME,
    VSUBNET_COUNTERS
#undef VSUBNET_COUNTER
    VSUBNET_N_COUNTERS
};

struct vsubnet_counters {
    atomic_uint64_t value[VSUBNET_N_COUNTERS];
};

void vsubnet_counters_init(struct vsubnet_counters *);

static inline void
vsubnet_count(struct vsubnet_counters *counters, enum vsubnet_counter which,
              uint64_t n)
{
    uint64_t orig;

    atomic_add_relaxed(&counters->value[which], n, &orig);
}

/* Counts 'n' frames or datagrams that are not sent, and logs it now and
 * then. */
void vsubnet_count_tx_drop(struct vsubnet_counters *, enum vsubnet_counter,
                           uint64_t n);

uint64_t vsubnet_counter_get(const struct vsubnet_counters *,
                             enum vsubnet_counter);
const char *vsubnet_counter_name(enum vsubnet_counter);
const char *vsubnet_counter_meaning(enum vsubnet_counter);

/* Standard and custom statistics as netdev-provider.h wants them. */
void vsubnet_counters_to_stats(const struct vsubnet_counters *,
                               struct netdev_stats *);
void vsubnet_counters_to_custom(const struct vsubnet_counters *,
                                struct netdev_custom_stats *);

#endif /* datapath/vsubnet-counters.h */
