/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that a tunnel port has for guests from itself. */

#ifndef DATAPATH_VSUBNET_NOTICES_H
#define DATAPATH_VSUBNET_NOTICES_H 1

/* Notices
 * =======
 *
 * A guest whose packet does not fit, where nothing may travel in fragments, is
 * told so (too-big.h).  The notice goes the way that an answer of the other
 * end would go: it is received by the port, from the node that the packet was
 * for, and the flows bring it to the guest.
 *
 * Any thread may add notices; a receiving one takes them.  A guest can't
 * occupy the port with this: few wait at a time, and there are NOTICES_RATE a
 * second at most.
 *
 * Thread safety: has a lock of its own, which is taken last. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ovs-thread.h"
#include "openvswitch/token-bucket.h"

struct dp_packet;
struct dp_packet_batch;

enum {
    NOTICES_MAX = 32,           /* That wait. */
    NOTICES_RATE = 100,         /* A second. */
};

struct vsubnet_notices {
    struct ovs_mutex mutex;     /* Protects all that follows. */
    struct token_bucket bucket;
    struct dp_packet *packets[NOTICES_MAX];
    size_t n;
};

void vsubnet_notices_init(struct vsubnet_notices *);
void vsubnet_notices_destroy(struct vsubnet_notices *);

/* Tells the sender of the frame of 'n' bytes, which was for node 'number' in
 * 'vni', that frames of 'max_frame' bytes fit.  'self' is this node. */
void vsubnet_notices_too_big(struct vsubnet_notices *, const void *frame,
                             size_t n, size_t max_frame, uint32_t vni,
                             uint32_t number, uint32_t self);

/* Moves to 'batch' what waits and finds room there. */
void vsubnet_notices_take(struct vsubnet_notices *, struct dp_packet_batch *);
bool vsubnet_notices_pending(struct vsubnet_notices *);

#endif /* datapath/vsubnet-notices.h */
