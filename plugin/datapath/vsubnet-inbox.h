/* SPDX-License-Identifier: Apache-2.0 */
/* What receiving threads have for the port itself. */

#ifndef DATAPATH_VSUBNET_INBOX_H
#define DATAPATH_VSUBNET_INBOX_H 1

/* Inbox
 * =====
 *
 * A receiving thread must not wait, and changes nothing that others work with;
 * so what concerns the port itself it puts here, and the port takes it in its
 * own time (vsubnet-peers.h).  All of it was authentic.
 *
 * Room is for INBOX_MAX items.  What finds none is lost, as on any network, and
 * asked again; a hint that is there already is not put twice.
 *
 * Thread safety: has a lock of its own, which is taken last. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "datapath/oam.h"
#include "ovs-thread.h"

struct seq;

enum { INBOX_MAX = 256 };

enum inbox_kind {
    INBOX_HINT,                 /* The node's newest datagram came from... */
    INBOX_MESSAGE,              /* The node's port says, from... */
};

struct inbox_item {
    enum inbox_kind kind;
    uint32_t number;            /* The sending node. */
    struct in6_addr address;    /* ...where it came from. */
    uint16_t port;
    uint32_t vni;               /* INBOX_MESSAGE only... */
    struct oam_message message; /* ...as this. */
};

struct vsubnet_inbox {
    struct ovs_mutex mutex;     /* Protects 'items' and 'n'. */
    struct inbox_item items[INBOX_MAX];
    size_t n;
    struct seq *seq;            /* Changes when the inbox is not empty. */
};

void vsubnet_inbox_init(struct vsubnet_inbox *);
void vsubnet_inbox_destroy(struct vsubnet_inbox *);

/* Returns false if there is no room. */
bool vsubnet_inbox_put(struct vsubnet_inbox *, const struct inbox_item *);

/* Moves all items to 'items', which has room for INBOX_MAX, and returns their
 * number. */
size_t vsubnet_inbox_take(struct vsubnet_inbox *, struct inbox_item *items);

/* Makes the poll loop wake up when there is something to take. */
void vsubnet_inbox_wait(struct vsubnet_inbox *);

#endif /* datapath/vsubnet-inbox.h */
