/* SPDX-License-Identifier: Apache-2.0 */
/* The sending side of a tunnel port. */

#ifndef DATAPATH_VSUBNET_TX_H
#define DATAPATH_VSUBNET_TX_H 1

/* Transmit
 * ========
 *
 * A batch of frames, each with its VNI and destination in 'md.tunnel', is
 * sealed frame by frame into the outbox (vsubnet-outbox.h), which then sends
 * it all.  What a guest left to its card is done here: segments, checksums.
 * What is too long for one datagram is sealed as fragments.  A replicated frame
 * is sealed once, for all members.
 *
 * Threads
 * -------
 *
 * Any thread may send.  Sequence counters must not be shared without a lock,
 * and peers keep a bounded number of sessions of one node, so there is a fixed
 * number of slots, each with its own lock, sessions and buffers; a thread
 * takes the one that its number falls on.  Two threads on one slot are slower,
 * not wrong.
 *
 * The lock is taken once a batch, and nobody else wants it but a thread that
 * changes what slots work with, each second at most.  Without it that thread
 * would have to wait until all others had quiesced, in the middle of a change.
 *
 * What a slot works with (socket, keys, 'fragment') may only be changed while all slots
 * are locked: vsubnet_tx_lock_all(). */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "datapath/oam.h"
#include "ovs-thread.h"

struct dp_packet_batch;
struct vsubnet_counters;
struct vsubnet_keys;
struct vsubnet_notices;
struct vsubnet_socket;
struct vsubnet_tx_slot;

/* Half of the sessions that a receiver keeps, so that the old and the new ones
 * of a node that was restarted both have room. */
enum { VSUBNET_TX_SLOTS = 32 };

struct vsubnet_tx {
    struct ovs_mutex locks[VSUBNET_TX_SLOTS];
    struct vsubnet_tx_slot *slots[VSUBNET_TX_SLOTS]; /* Made at first use. */
    const struct vsubnet_socket *socket;    /* NULL: none. */
    const struct vsubnet_keys *keys;        /* NULL: none. */
    bool fragment;                  /* Whether frames may travel in pieces. */
    struct vsubnet_counters *counters;
    struct vsubnet_notices *notices;        /* For guests. */
};

void vsubnet_tx_init(struct vsubnet_tx *, struct vsubnet_counters *,
                     struct vsubnet_notices *);
void vsubnet_tx_destroy(struct vsubnet_tx *);

/* Sends the packets of the batch and deletes them. */
void vsubnet_tx_send(struct vsubnet_tx *, struct dp_packet_batch *);

/* A message of this port to another node's (oam.h). */
struct vsubnet_tx_message {
    struct oam_message content;
    size_t len;                 /* Of its frame, at least OAM_MESSAGE_LEN. */
    uint32_t number;            /* The node... */
    uint32_t vni;               /* ...and a vSubnet that both are in. */
    struct in6_addr address;    /* Where to. */
    uint16_t port;
};

/* Sends 'message', whatever the path is thought to carry.  Returns 0, or a
 * positive errno: EMSGSIZE if no device takes it; ENOKEY if there is none. */
int vsubnet_tx_message(struct vsubnet_tx *, const struct vsubnet_tx_message *);

/* What is sent next is in new sessions, the youngest ones.  This is so for all
 * threads: receivers forget the oldest sessions first, and what one thread
 * renews again and again must not push out what another sends with. */
void vsubnet_tx_renew(struct vsubnet_tx *);

void vsubnet_tx_lock_all(struct vsubnet_tx *);
void vsubnet_tx_unlock_all(struct vsubnet_tx *);

/* With all slots locked: what the slots work with from now on.  Sessions of
 * keys that are not among 'keys' end, and their traffic keys are wiped. */
void vsubnet_tx_set_keys(struct vsubnet_tx *, const struct vsubnet_keys *);
void vsubnet_tx_set_socket(struct vsubnet_tx *, const struct vsubnet_socket *);

#endif /* datapath/vsubnet-tx.h */
