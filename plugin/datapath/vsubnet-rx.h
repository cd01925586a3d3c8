/* SPDX-License-Identifier: Apache-2.0 */
/* The receiving side of a tunnel port. */

#ifndef DATAPATH_VSUBNET_RX_H
#define DATAPATH_VSUBNET_RX_H 1

/* Receive
 * =======
 *
 *     socket --recvmmsg--> messages --UDP GRO undone--> datagrams
 *            --checks, session, tag--> frames, vsubnet-metadata.h filled in
 *
 * Messages are vsubnet-messages.h's matter.
 *
 * The checks, in this order, each with a counter of its own: length, version
 * and type (seal/wire.h); SPI known, and not our own; VNI as the key says;
 * sender a member of the VNI; session and sequence; tag (seal/session.h).
 * Nothing is changed by a datagram before its tag is verified.
 *
 * A datagram that comes from elsewhere than its sender is thought to be, and
 * messages of the other port (oam.h), go to the inbox (vsubnet-inbox.h), from
 * which the port takes them; nothing is changed for them here.
 *
 * Then congestion is carried over (ecn.h): what the outer header says, and what
 * the socket's own queue says (codel.h), because the slowest part of a tunnel
 * is this one.  It marks frames, or drops those that can't be marked.
 *
 * Queues
 * ------
 *
 * A port may have several of these, each with a socket of its own among which
 * the kernel divides senders (SO_REUSEPORT).  What a sender says comes by one
 * of them, in order; but not all who hold a key are honest, so the queues share
 * a receiver's sessions and fragments, and lock it while they open a run of
 * its datagrams.
 *
 * Thread safety: one thread at a time receives from a queue; it has a lock for
 * that, which also keeps reception out while socket or keys are changed.
 * Threads that poll take that lock again as soon as they have given it back,
 * so who wants to keep them out says so: vsubnet_rx_lock(). */

#include <stdbool.h>
#include <stdint.h>
#include "ovs-atomic.h"
#include "ovs-thread.h"

struct dp_packet_batch;
struct vsubnet_counters;
struct vsubnet_inbox;
struct vsubnet_keys;
struct vsubnet_notices;
struct vsubnet_rx_buffers;
struct vsubnet_socket;

struct vsubnet_rx {
    atomic_count wanted;        /* By threads that do not receive. */
    struct ovs_mutex mutex;     /* Protects all that follows. */
    const struct vsubnet_socket *socket;    /* NULL: none. */
    struct vsubnet_keys *keys;              /* NULL: none. */
    struct vsubnet_counters *counters;
    struct vsubnet_inbox *inbox;            /* Of what is for the port. */
    struct vsubnet_notices *notices;        /* Are received, too; NULL:
                                             * by another queue. */
    struct vsubnet_rx_buffers *buffers;     /* Made at first use. */
    uint64_t n_messages;                    /* Read from the socket. */
};

void vsubnet_rx_init(struct vsubnet_rx *, struct vsubnet_counters *,
                     struct vsubnet_inbox *, struct vsubnet_notices *);
void vsubnet_rx_destroy(struct vsubnet_rx *);

/* Fills the empty 'batch'.  Returns 0 if there is something in it, EAGAIN if
 * nothing was there or nothing of it was good, or another positive errno. */
int vsubnet_rx_recv(struct vsubnet_rx *, struct dp_packet_batch *);

/* Makes the poll loop wake up when there is something to receive. */
void vsubnet_rx_wait(struct vsubnet_rx *);

/* The socket's file descriptor, or -1 if there is none. */
int vsubnet_rx_get_fd(struct vsubnet_rx *);

/* Throws away what has been received. */
void vsubnet_rx_drain(struct vsubnet_rx *);

/* Keep receiving threads out. */
void vsubnet_rx_lock(struct vsubnet_rx *);
void vsubnet_rx_unlock(struct vsubnet_rx *);

/* Locked: what to receive with from now on. */
void vsubnet_rx_set_keys(struct vsubnet_rx *, struct vsubnet_keys *);
void vsubnet_rx_set_socket(struct vsubnet_rx *, const struct vsubnet_socket *);

#endif /* datapath/vsubnet-rx.h */
