/* SPDX-License-Identifier: Apache-2.0 */
/* The service's events, applied to the mapping. */
#ifndef VSUBNET_MAPPING_EVENT_H
#define VSUBNET_MAPPING_EVENT_H 1

/* A "snapshot" replaces the mapping, a "change" modifies it; other events are
 * for later versions and are left out.  What can't be applied leaves the
 * mapping as it was.  Pure. */

#include <stdbool.h>

struct mapping;
struct mapping_touches;
struct sse_event;
struct uuid;

struct mapping_event_result {
    bool changed;
    bool snapshot;
};

/* Applies 'event', meant for node 'id', to '*mapping' (NULL: none yet).
 * Returns NULL or an error string, which the caller frees.  Adds to 'touches'
 * (NULL: nobody asks) what it has changed. */
char *mapping_event_apply(const struct sse_event *event,
                          const struct uuid *id, struct mapping **mapping,
                          struct mapping_event_result *,
                          struct mapping_touches *touches);

#endif /* mapping-event.h */
