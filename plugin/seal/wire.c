/* SPDX-License-Identifier: Apache-2.0 */
/* The tunnel's datagram header, and every number that follows from it. */

#include <config.h>
#include "seal/wire.h"

#include "unaligned.h"
#include "util.h"

/* Offsets that wire.h does not publish. */
enum {
    TYPE_OFS = 0,
    VNI_OFS = 0,                /* Low 24 bits of the first word. */
    SPI_OFS = 4,
};

enum { REPLICATED_BIT = WIRE_REPLICATED, TYPE_MASK = 7 };

BUILD_ASSERT_DECL(WIRE_SEQUENCE_OFS + sizeof(uint64_t) == WIRE_HEADER_LEN);
BUILD_ASSERT_DECL(WIRE_OVERHEAD_IPV4 == 82);
BUILD_ASSERT_DECL(WIRE_OVERHEAD_IPV6 == 102);

enum wire_error
wire_validate(const void *datagram, size_t len)
{
    const uint8_t *bytes = datagram;

    if (len < WIRE_SEAL_LEN) {
        return WIRE_TRUNCATED;
    }
    if (len > WIRE_MAX_LEN) {
        return WIRE_TOO_LONG;
    }
    if (bytes[TYPE_OFS] >> 4 != WIRE_VERSION) {
        return WIRE_BAD_VERSION;
    }
    if ((bytes[TYPE_OFS] & TYPE_MASK) > WIRE_FRAGMENT) {
        return WIRE_BAD_TYPE;
    }
    return WIRE_OK;
}

const char *
wire_error_to_string(enum wire_error error)
{
    switch (error) {
    case WIRE_OK:
        return "ok";
    case WIRE_TRUNCATED:
        return "truncated";
    case WIRE_TOO_LONG:
        return "too-long";
    case WIRE_BAD_VERSION:
        return "bad-version";
    case WIRE_BAD_TYPE:
        return "bad-type";
    }
    OVS_NOT_REACHED();
}

/* Datagrams stand at any address, so every access goes through these. */
static uint32_t
get_32(const void *datagram, size_t ofs)
{
    const uint8_t *bytes = datagram;

    return ntohl(get_unaligned_be32(ALIGNED_CAST(const ovs_be32 *,
                                                 bytes + ofs)));
}

static uint64_t
get_64(const void *datagram, size_t ofs)
{
    return (uint64_t) get_32(datagram, ofs) << 32 | get_32(datagram, ofs + 4);
}

static void
put_32(void *datagram, size_t ofs, uint32_t value)
{
    uint8_t *bytes = datagram;

    put_unaligned_be32(ALIGNED_CAST(ovs_be32 *, bytes + ofs), htonl(value));
}

static void
put_64(void *datagram, size_t ofs, uint64_t value)
{
    put_32(datagram, ofs, value >> 32);
    put_32(datagram, ofs + 4, value);
}

void
wire_parse(const void *datagram, struct wire_header *header)
{
    const uint8_t *bytes = datagram;

    header->type = bytes[TYPE_OFS] & TYPE_MASK;
    header->replicated = (bytes[TYPE_OFS] & REPLICATED_BIT) != 0;
    header->vni = get_32(datagram, VNI_OFS) & WIRE_VNI_MAX;
    header->spi = get_32(datagram, SPI_OFS);
    header->session = get_64(datagram, WIRE_SESSION_OFS);
    header->sequence = get_64(datagram, WIRE_SEQUENCE_OFS);
}

void
wire_serialize(const struct wire_header *header, void *datagram)
{
    uint32_t nibbles = (WIRE_VERSION << 4 | header->type
                        | (header->replicated ? REPLICATED_BIT : 0));

    put_32(datagram, VNI_OFS, nibbles << 24 | (header->vni & WIRE_VNI_MAX));
    put_32(datagram, SPI_OFS, header->spi);
    put_64(datagram, WIRE_SESSION_OFS, header->session);
    wire_put_sequence(datagram, header->sequence);
}

void
wire_put_sequence(void *datagram, uint64_t sequence)
{
    put_64(datagram, WIRE_SEQUENCE_OFS, sequence);
}

int
wire_inner_mtu(int underlay_mtu, sa_family_t family)
{
    int overhead = (family == AF_INET6
                    ? WIRE_OVERHEAD_IPV6 : WIRE_OVERHEAD_IPV4);

    return MAX(0, underlay_mtu - overhead);
}

ovs_be32
wire_tunnel_address(uint32_t number)
{
    return htonl(WIRE_TUNNEL_BASE | number);
}

uint32_t
wire_node_number(ovs_be32 tunnel_address)
{
    uint32_t address = ntohl(tunnel_address);
    uint32_t number = address & ~WIRE_TUNNEL_BASE;

    return (address >= WIRE_TUNNEL_BASE && number <= WIRE_NODE_MAX
            ? number : 0);
}
