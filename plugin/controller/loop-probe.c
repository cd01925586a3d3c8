/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that loops are found by. */
#include <config.h>
#include "controller/loop-probe.h"

#include <openssl/crypto.h>
#include <string.h>

#include "byte-order.h"
#include "flow.h"
#include "packets.h"
#include "seal/aead.h"
#include "unaligned.h"
#include "util.h"

enum { PROBE_VERSION = 1, FLAG_BLOCKED = 1 };

/* What follows the Ethernet header; all of it is aligned to 2 bytes. */
enum {
    OFS_VERSION = ETH_HEADER_LEN,
    OFS_FLAGS = OFS_VERSION + 1,
    OFS_PORT = OFS_VERSION + 2,
    OFS_VNI = OFS_VERSION + 4,
    OFS_NODE = OFS_VERSION + 8,
    OFS_SPI = OFS_VERSION + 12,
    OFS_TIME = OFS_VERSION + 16,
    OFS_TAG = OFS_VERSION + 20,
    TAG_LEN = 16,
    OFS_END = OFS_TAG + TAG_LEN,
};
BUILD_ASSERT_DECL((int) OFS_END <= (int) LOOP_PROBE_LEN);

static void
put_be32(uint8_t *at, uint32_t value)
{
    put_unaligned_be32((ovs_be32 *) at, htonl(value));
}

static uint32_t
get_be32(const uint8_t *at)
{
    return ntohl(get_unaligned_be32((const ovs_be32 *) at));
}

static bool
make_tag(const uint8_t *frame, const struct loop_key *key,
         uint8_t tag[TAG_LEN])
{
    static const char label[] = "vsubnet loop probe";
    const struct aead_hkdf hkdf = {
        .ikm = key->bytes,
        .ikm_len = key->n,
        .salt = label,
        .salt_len = strlen(label),
        .info = frame + OFS_VERSION,
        .info_len = OFS_TAG - OFS_VERSION,
    };
    return key->n && aead_hkdf_sha256(&hkdf, tag, TAG_LEN);
}

/* A source of its own for each port: the bridges behind two ports in different
 * vSubnets see no MAC that moves. */
static struct eth_addr
source_mac(const struct loop_probe *probe)
{
    struct eth_addr mac;

    eth_addr_from_uint64(UINT64_C(0x067d) << 32
                         | (uint64_t) (probe->node & 0xffff) << 16
                         | ofp_to_u16(probe->port), &mac);
    return mac;
}

bool
loop_probe_write(const struct loop_probe *probe, const struct loop_key *key,
                 uint8_t frame[LOOP_PROBE_LEN])
{
    struct eth_header eth = {
        .eth_dst = LOOP_PROBE_MAC,
        .eth_src = source_mac(probe),
        .eth_type = htons(LOOP_PROBE_TYPE),
    };
    uint16_t port = ofp_to_u16(probe->port);

    memset(frame, 0, LOOP_PROBE_LEN);
    memcpy(frame, &eth, ETH_HEADER_LEN);
    frame[OFS_VERSION] = PROBE_VERSION;
    frame[OFS_FLAGS] = probe->blocked ? FLAG_BLOCKED : 0;
    frame[OFS_PORT] = port >> 8;
    frame[OFS_PORT + 1] = port & 0xff;
    put_be32(frame + OFS_VNI, probe->vni);
    put_be32(frame + OFS_NODE, probe->node);
    put_be32(frame + OFS_SPI, probe->spi);
    put_be32(frame + OFS_TIME, probe->time);
    return make_tag(frame, key, frame + OFS_TAG);
}

bool
loop_probe_read(const void *frame_, size_t len, struct loop_probe *probe)
{
    const uint8_t *frame = frame_;

    if (len < (size_t) OFS_END || frame[OFS_VERSION] != PROBE_VERSION
        || frame[ETH_ADDR_LEN * 2] != LOOP_PROBE_TYPE >> 8
        || frame[ETH_ADDR_LEN * 2 + 1] != (LOOP_PROBE_TYPE & 0xff)) {
        return false;
    }
    *probe = (struct loop_probe) {
        .vni = get_be32(frame + OFS_VNI),
        .node = get_be32(frame + OFS_NODE),
        .port = u16_to_ofp(frame[OFS_PORT] << 8 | frame[OFS_PORT + 1]),
        .blocked = frame[OFS_FLAGS] & FLAG_BLOCKED,
        .spi = get_be32(frame + OFS_SPI),
        .time = get_be32(frame + OFS_TIME),
    };
    return true;
}

bool
loop_probe_verify(const void *frame_, const struct loop_key *key)
{
    const uint8_t *frame = frame_;
    uint8_t tag[TAG_LEN];

    return (make_tag(frame, key, tag)
            && !CRYPTO_memcmp(tag, frame + OFS_TAG, TAG_LEN));
}
