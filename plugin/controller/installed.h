/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service when what it sent is in force, if it asks. */
#ifndef VSUBNET_INSTALLED_H
#define VSUBNET_INSTALLED_H 1

/* When an operator waits for a change (vsubnetctl --wait=nodes) the service
 * sends an event "confirm" with a revision, after all that it wants to know
 * of.  It is answered by POST /v1/self/installed with the same revision once
 * flows, keys and the host's own ports are as the mapping wants them:
 *
 *      (nothing) --confirm--> WANTED --all is in force--> (told)
 *
 * While the service is away WANTED goes on; what it says is true of a later
 * stream too.  A request that fails is not repeated: the service asks again.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include "model/types.h"

struct controller;
struct sse_event;

struct installed {
    struct model_revision wanted;   /* Zero: nobody waits. */
    bool telling;
};

/* Takes in 'event' if it is a "confirm"; returns true if it is. */
bool installed_event(struct controller *, const struct sse_event *event);

/* Tells.  To be run when all else has. */
void installed_run(struct controller *);

#endif /* installed.h */
