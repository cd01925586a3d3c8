/* SPDX-License-Identifier: Apache-2.0 */
/* Messages out of a tunnel port's socket, and the datagrams in them. */

#ifndef DATAPATH_VSUBNET_MESSAGES_H
#define DATAPATH_VSUBNET_MESSAGES_H 1

/* Messages
 * ========
 *
 * A message of the kernel may hold several datagrams of one sender (UDP GRO),
 * so one system call may bring more than is wanted at once.  What is left over
 * waits for the next call:
 *
 *     struct message_datagram d;
 *
 *     while (... && messages_next(messages, &d)) {
 *         ...take 'd'...
 *     }
 *     error = messages_receive(messages, fd);    (only when there are none left)
 *
 * With each message the kernel says when it came, with which ECN bits, and how
 * many it had no room for.  How long messages wait in the socket decides
 * whether congestion is to be signalled (codel.h).
 *
 * Thread safety: belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "datapath/ecn.h"

struct messages;
struct sockaddr_storage;
struct vsubnet_counters;

struct message_datagram {
    const void *data;
    size_t len;
    const struct sockaddr_storage *source;
    enum ecn ecn;               /* Of the outer header. */
};

struct messages *messages_create(struct vsubnet_counters *);
void messages_destroy(struct messages *);   /* NULL is fine. */

/* Reads from 'fd' what is there, at most one call's worth.  All datagrams of
 * the call before have been taken.  Returns 0 or a positive errno. */
int messages_receive(struct messages *, int fd);

/* How many messages the last call brought. */
int messages_count(const struct messages *);

/* True if the last call brought as many as it could take, so that there may be
 * more. */
bool messages_may_have_more(const struct messages *);

/* Takes the next datagram.  It stays until messages_receive(). */
bool messages_next(struct messages *, struct message_datagram *);
bool messages_pending(const struct messages *);

/* When the messages at hand were received, on a clock that never jumps. */
long long int messages_received_ms(const struct messages *);

/* Whether the next frame whose sender heeds it is to signal congestion, and
 * that one has. */
bool messages_want_signal(const struct messages *);
void messages_signalled(struct messages *);

/* Throws away what is at hand: the socket is another from now on. */
void messages_reset(struct messages *);

#endif /* datapath/vsubnet-messages.h */
