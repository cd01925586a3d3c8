/* SPDX-License-Identifier: Apache-2.0 */
/* The tunnel's datagram header, and every number that follows from it. */

#ifndef SEAL_WIRE_H
#define SEAL_WIRE_H 1

/* Wire format
 * ===========
 *
 * A tunnel datagram is a 24-byte header in clear, the encrypted Ethernet
 * frame, and a 16-byte GCM tag (DESIGN.md, section 2.1):
 *
 *      0       4       8                              31
 *     +-------+-------+--------------------------------+
 *     |Version| Type  |               VNI              |   4 bytes
 *     |                      SPI                       |   4
 *     |                    Session                     |   8
 *     |                    Sequence                    |   8
 *     +------------------------------------------------+
 *
 * All integers are big-endian on the wire and in host order in 'struct
 * wire_header'.  The top bit of the type nibble marks a replicated datagram:
 * one that is the same for every member of the vSubnet.
 *
 * This is the one place that knows the sizes.  Code that needs an overhead or
 * an MTU asks here.
 *
 * Receiving is two steps, so that no byte is read before its presence was
 * checked:
 *
 *     enum wire_error error = wire_validate(datagram, len);
 *     if (error) {
 *         ...count under wire_error_to_string(error), drop...
 *     }
 *     wire_parse(datagram, &header);
 *
 * Everything in a parsed header is the claim of an unknown sender until the
 * tag has been verified.
 *
 * Thread safety: pure functions, no state. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

enum {
    WIRE_VERSION = 0,
    WIRE_UDP_PORT = 8002,

    WIRE_HEADER_LEN = 24,
    WIRE_TAG_LEN = 16,
    WIRE_SEAL_LEN = WIRE_HEADER_LEN + WIRE_TAG_LEN,
    WIRE_SESSION_OFS = 8,
    WIRE_SEQUENCE_OFS = 16,

    /* What surrounds the inner IP packet. */
    WIRE_ETHERNET_LEN = 14,
    WIRE_UDP_LEN = 8,
    WIRE_IPV4_LEN = 20,
    WIRE_IPV6_LEN = 40,
    WIRE_OVERHEAD_IPV4 = WIRE_IPV4_LEN + WIRE_UDP_LEN + WIRE_SEAL_LEN
                         + WIRE_ETHERNET_LEN,
    WIRE_OVERHEAD_IPV6 = WIRE_IPV6_LEN + WIRE_UDP_LEN + WIRE_SEAL_LEN
                         + WIRE_ETHERNET_LEN,

    /* The longest UDP payload over IPv4, the smaller of the two families. */
    WIRE_MAX_LEN = 65535 - WIRE_IPV4_LEN - WIRE_UDP_LEN,
    WIRE_MAX_FRAME_LEN = WIRE_MAX_LEN - WIRE_SEAL_LEN,
};

#define WIRE_VNI_MAX UINT32_C(0xffffff)

/* Node numbers are 1 to WIRE_NODE_MAX.  The tunnel address of a node is
 * 240.0.0.0 + its number; 255.255.255.255 stands for all members. */
#define WIRE_NODE_MAX ((UINT32_C(1) << 28) - 2)
#define WIRE_TUNNEL_BASE UINT32_C(0xf0000000)

/* What the datagram carries: the low three bits of the type nibble. */
enum wire_type {
    WIRE_FRAME = 0,             /* An Ethernet frame. */
    WIRE_OAM = 1,               /* Never forwarded as tenant data. */
    WIRE_FRAGMENT = 2,          /* Part of a frame. */
};

enum { WIRE_REPLICATED = 8 };   /* In the type nibble. */

struct wire_header {
    enum wire_type type;
    bool replicated;
    uint32_t vni;               /* 24 bits. */
    uint32_t spi;
    uint64_t session;           /* Time (32 bits), random (32 bits). */
    uint64_t sequence;
};

/* Why a datagram can't be a tunnel datagram. */
enum wire_error {
    WIRE_OK = 0,
    WIRE_TRUNCATED,             /* No room for header and tag. */
    WIRE_TOO_LONG,              /* Longer than WIRE_MAX_LEN. */
    WIRE_BAD_VERSION,
    WIRE_BAD_TYPE,
};

/* Checks that the 'len' bytes at 'datagram' can hold a header and a tag, are no
 * more than WIRE_MAX_LEN (a datagram over IPv6 can have 20 bytes more, but no
 * sender makes one and no buffer has room for it), and that version and type
 * are known.  Returns WIRE_OK or the reason. */
enum wire_error wire_validate(const void *datagram, size_t len);
const char *wire_error_to_string(enum wire_error);

/* Reads the header of a datagram that wire_validate() accepted. */
void wire_parse(const void *datagram, struct wire_header *);

/* Writes 'header' as WIRE_HEADER_LEN bytes to 'datagram'. */
void wire_serialize(const struct wire_header *, void *datagram);

/* Rewrites only the sequence of the serialized header at 'datagram', for a
 * run of segments that share the rest. */
void wire_put_sequence(void *datagram, uint64_t sequence);

/* The largest inner IP packet (the MTU to give to a VM or an internal port)
 * that fits in one datagram on an underlay of 'underlay_mtu' bytes and
 * 'family' AF_INET or AF_INET6.  Returns 0 if the underlay has no room. */
int wire_inner_mtu(int underlay_mtu, sa_family_t family);

/* Tunnel address <-> node number.  wire_node_number() returns 0 for an address
 * that names no node (255.255.255.255 and 240.0.0.0 included). */
ovs_be32 wire_tunnel_address(uint32_t number);
uint32_t wire_node_number(ovs_be32 tunnel_address);

#endif /* seal/wire.h */
