/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that tunnel ports send each other. */

#include <config.h>
#include "datapath/oam.h"

#include "byte-order.h"
#include "openvswitch/types.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

enum {
    ETHERTYPE = 0x88b5,
    MESSAGE_VERSION = 0,
    VERSION_OFS = ETH_HEADER_LEN,
    KIND_OFS = VERSION_OFS + 1,
    LENGTH_OFS = KIND_OFS + 1,
    NONCE_OFS = LENGTH_OFS + 2,
};
BUILD_ASSERT_DECL(NONCE_OFS + 8 == OAM_MESSAGE_LEN);

void
oam_write(const struct oam_message *message, void *frame_, size_t len)
{
    uint8_t *frame = frame_;

    ovs_assert(len >= OAM_MESSAGE_LEN);
    memset(frame, 0, len);
    put_unaligned_be16(ALIGNED_CAST(ovs_be16 *, &frame[2 * ETH_ADDR_LEN]),
                       htons(ETHERTYPE));
    frame[KIND_OFS] = message->kind;
    put_unaligned_be16(ALIGNED_CAST(ovs_be16 *, &frame[LENGTH_OFS]),
                       htons(message->request_len));
    put_unaligned_be64(ALIGNED_CAST(ovs_be64 *, &frame[NONCE_OFS]),
                       htonll(message->nonce));
}

bool
oam_is_message(const void *frame_, size_t len)
{
    static const uint8_t none[2 * ETH_ADDR_LEN];
    const uint8_t *frame = frame_;

    return (len >= ETH_HEADER_LEN
            && !memcmp(frame, none, sizeof none)
            && frame[2 * ETH_ADDR_LEN] == ETHERTYPE >> 8
            && frame[2 * ETH_ADDR_LEN + 1] == (ETHERTYPE & 0xff));
}

bool
oam_parse(const void *frame_, size_t len, struct oam_message *message)
{
    const uint8_t *frame = frame_;

    if (len < OAM_MESSAGE_LEN || len > UINT16_MAX
        || frame[VERSION_OFS] != MESSAGE_VERSION) {
        return false;
    }
    *message = (struct oam_message) {
        .kind = frame[KIND_OFS],
        .request_len = ntohs(get_unaligned_be16(
            ALIGNED_CAST(const ovs_be16 *, &frame[LENGTH_OFS]))),
        .nonce = ntohll(get_unaligned_be64(
            ALIGNED_CAST(const ovs_be64 *, &frame[NONCE_OFS]))),
    };
    switch (message->kind) {
    case OAM_ECHO_REQUEST:
        message->request_len = len;
        return true;
    case OAM_ECHO_REPLY:
        return true;
    }
    return false;
}
