/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that a tunnel port has for guests from itself. */

#include <config.h>
#include "datapath/vsubnet-notices.h"

#include "datapath/frame.h"
#include "datapath/too-big.h"
#include "datapath/vsubnet-metadata.h"
#include "dp-packet.h"
#include "util.h"

enum {
    HEADROOM = 64,              /* As for any frame out of the tunnel. */
    TOKENS = 1000,              /* That a notice takes: a bucket's rate is per
                                 * millisecond. */
};

void
vsubnet_notices_init(struct vsubnet_notices *notices)
{
    ovs_mutex_init(&notices->mutex);
    token_bucket_init(&notices->bucket, NOTICES_RATE, NOTICES_RATE * TOKENS);
    notices->n = 0;
}

void
vsubnet_notices_destroy(struct vsubnet_notices *notices)
{
    for (size_t i = 0; i < notices->n; i++) {
        dp_packet_delete(notices->packets[i]);
    }
    ovs_mutex_destroy(&notices->mutex);
}

static bool
is_allowed(struct vsubnet_notices *notices)
{
    bool allowed;

    ovs_mutex_lock(&notices->mutex);
    allowed = (notices->n < NOTICES_MAX
               && token_bucket_withdraw(&notices->bucket, TOKENS));
    ovs_mutex_unlock(&notices->mutex);
    return allowed;
}

static void
add(struct vsubnet_notices *notices, struct dp_packet *packet)
{
    ovs_mutex_lock(&notices->mutex);
    if (notices->n < NOTICES_MAX) {
        notices->packets[notices->n++] = packet;
        packet = NULL;
    }
    ovs_mutex_unlock(&notices->mutex);
    dp_packet_delete(packet);
}

void
vsubnet_notices_too_big(struct vsubnet_notices *notices, const void *frame,
                        size_t n, size_t max_frame, uint32_t vni,
                        uint32_t number, uint32_t self)
{
    unsigned int mtu = max_frame - frame_l2_len(frame, n);
    uint8_t answer[TOO_BIG_MAX_FRAME];
    struct dp_packet *packet;
    size_t len;

    len = too_big_answer(frame, n, mtu, answer);
    if (len && is_allowed(notices)) {
        packet = dp_packet_clone_data_with_headroom(answer, len, HEADROOM);
        vsubnet_metadata_fill(&packet->md.tunnel, vni, number, self, false);
        add(notices, packet);
    }
}

void
vsubnet_notices_take(struct vsubnet_notices *notices,
                     struct dp_packet_batch *batch)
{
    size_t i, n;

    ovs_mutex_lock(&notices->mutex);
    n = MIN(notices->n, NETDEV_MAX_BURST - dp_packet_batch_size(batch));
    for (i = 0; i < n; i++) {
        dp_packet_batch_add(batch, notices->packets[i]);
    }
    notices->n -= n;
    memmove(notices->packets, notices->packets + n,
            notices->n * sizeof *notices->packets);
    ovs_mutex_unlock(&notices->mutex);
}

bool
vsubnet_notices_pending(struct vsubnet_notices *notices)
{
    bool pending;

    ovs_mutex_lock(&notices->mutex);
    pending = notices->n > 0;
    ovs_mutex_unlock(&notices->mutex);
    return pending;
}
