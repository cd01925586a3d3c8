/* SPDX-License-Identifier: Apache-2.0 */
/* What is said, and when, of a guest that has come to this host. */
#ifndef VSUBNET_ANNOUNCE_H
#define VSUBNET_ANNOUNCE_H 1

/* Other hosts hear of a move from the service.  What else forwards by MAC
 * address, bridges behind ports of the segment, hears of it only from frames,
 * and a guest that was moved may be silent.  So its new host speaks for it,
 * as from its port: for each address that is bound to the MAC a gratuitous
 * ARP (RFC 5227, section 3) or an unsolicited neighbour advertisement (RFC
 * 4861, section 7.2.6); if there is none, RARP, as hypervisors do.  Three
 * times: at once, then after 200 ms and 1 s, since each may be lost, and the
 * hosts that are told later have nobody to forward the first ones to.
 *
 * A host whose guests all arrive at once says at most ANNOUNCE_FRAMES_MAX
 * frames each ANNOUNCE_PAUSE_MS.
 *
 * Pure: time is an argument, frames go to a callback. */

#include <stddef.h>
#include "openvswitch/shash.h"

struct model_binding;

enum {
    ANNOUNCE_TIMES = 3,
    ANNOUNCE_FRAMES_MAX = 64,
    ANNOUNCE_PAUSE_MS = 20,
};

struct announcements {
    struct shash pending;       /* "struct announcement"s by port's name. */
    long long int next;         /* No frame before. */
};

void announcements_init(struct announcements *);
void announcements_destroy(struct announcements *);

/* Port 'name' has got its MAC at 'now': that will be said. */
void announcements_add(struct announcements *, const char *name,
                       long long int now);

/* Says what is due at 'now'.  'find' returns by what binding port 'name' has
 * its MAC at this moment; NULL: it has not, and says no more. */
struct announce_class {
    const struct model_binding *(*find)(const char *name, void *aux);
    void (*send)(const char *name, const void *frame, size_t len, void *aux);
};
void announcements_run(struct announcements *, long long int now,
                       const struct announce_class *, void *aux);

/* When there is something to be said; LLONG_MAX: nothing. */
long long int announcements_next(const struct announcements *);

#endif /* announce.h */
