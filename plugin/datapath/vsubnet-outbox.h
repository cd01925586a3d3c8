/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed datagrams on their way to the kernel. */

#ifndef DATAPATH_VSUBNET_OUTBOX_H
#define DATAPATH_VSUBNET_OUTBOX_H 1

/* Outbox
 * ======
 *
 * Datagrams are sealed one after another into the outbox's arena, each with
 * its target.  Sending them then takes two steps:
 *
 *     groups, by target --> 1. cut into runs of equal length
 *                       --> 2. one message per (destination, run), one system
 *                              call for up to 64 messages
 *
 * A run of several datagrams leaves in one message that the kernel (or the
 * network card) cuts again: UDP GSO.  A kernel that refuses gets them singly.
 * A group for all members is sent to each of them, the same runs.
 *
 *     outbox_begin(outbox, socket, counters);
 *     ...for each datagram...
 *         seal(outbox_room(outbox, n), ...);
 *         outbox_add(outbox, &target, n);
 *     outbox_send(outbox);
 *
 * Thread safety: an outbox belongs to one thread at a time. */

#include <stddef.h>
#include <stdint.h>

struct keyring_net;
struct keyring_peer;
struct outbox;
struct vsubnet_counters;
struct vsubnet_socket;

enum outbox_kind {
    OUTBOX_NODE,                /* To one node. */
    OUTBOX_ALL,                 /* To each member of the VNI. */
    OUTBOX_GROUP,               /* To the VNI's multicast group. */
};

/* Where a datagram goes, and with what in its IP header. */
struct outbox_target {
    enum outbox_kind kind;
    const struct keyring_net *net;
    const struct keyring_peer *peer;    /* OUTBOX_NODE only. */
    uint8_t tos;                /* Type of service, or traffic class. */
};

struct outbox *outbox_create(void);
void outbox_destroy(struct outbox *);   /* NULL is fine. */

/* Prepares the outbox, which is empty, for what is to be sent by 'socket'. */
void outbox_begin(struct outbox *, const struct vsubnet_socket *socket,
                  struct vsubnet_counters *);

/* Returns where to seal a datagram of 'n' bytes.  This may send what is
 * there, to make room. */
uint8_t *outbox_room(struct outbox *, size_t n);

/* Adds the datagram of 'n' bytes that is where outbox_room() said.  What
 * 'target' points to must stay until it is sent. */
void outbox_add(struct outbox *, const struct outbox_target *target, size_t n);

/* Sends all there is.  What can't be sent is dropped and counted. */
void outbox_send(struct outbox *);

#endif /* datapath/vsubnet-outbox.h */
