/* SPDX-License-Identifier: Apache-2.0 */
/* What receiving threads have for the port itself. */

#include <config.h>
#include "datapath/vsubnet-inbox.h"

#include <string.h>

#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

void
vsubnet_inbox_init(struct vsubnet_inbox *inbox)
{
    ovs_mutex_init(&inbox->mutex);
    inbox->n = 0;
    inbox->seq = seq_create();
}

void
vsubnet_inbox_destroy(struct vsubnet_inbox *inbox)
{
    seq_destroy(inbox->seq);
    ovs_mutex_destroy(&inbox->mutex);
}

static bool
has_hint(const struct vsubnet_inbox *inbox, const struct inbox_item *hint)
{
    for (size_t i = 0; i < inbox->n; i++) {
        const struct inbox_item *item = &inbox->items[i];

        if (item->kind == INBOX_HINT && item->number == hint->number
            && item->port == hint->port
            && ipv6_addr_equals(&item->address, &hint->address)) {
            return true;
        }
    }
    return false;
}

bool
vsubnet_inbox_put(struct vsubnet_inbox *inbox, const struct inbox_item *item)
{
    bool first = false;
    bool ok = true;

    ovs_mutex_lock(&inbox->mutex);
    if (item->kind != INBOX_HINT || !has_hint(inbox, item)) {
        ok = inbox->n < INBOX_MAX;
        if (ok) {
            first = !inbox->n;
            inbox->items[inbox->n++] = *item;
        }
    }
    ovs_mutex_unlock(&inbox->mutex);
    if (first) {
        seq_change(inbox->seq);
    }
    return ok;
}

size_t
vsubnet_inbox_take(struct vsubnet_inbox *inbox, struct inbox_item *items)
{
    size_t n;

    ovs_mutex_lock(&inbox->mutex);
    n = inbox->n;
    memcpy(items, inbox->items, n * sizeof *items);
    inbox->n = 0;
    ovs_mutex_unlock(&inbox->mutex);
    return n;
}

void
vsubnet_inbox_wait(struct vsubnet_inbox *inbox)
{
    uint64_t seq = seq_read(inbox->seq);
    bool pending;

    ovs_mutex_lock(&inbox->mutex);
    pending = inbox->n > 0;
    ovs_mutex_unlock(&inbox->mutex);
    if (pending) {
        poll_immediate_wake();
    } else {
        seq_wait(inbox->seq, seq);
    }
}
