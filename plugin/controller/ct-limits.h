/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections may be tracked in each filtered vSubnet. */
#ifndef VSUBNET_CT_LIMITS_H
#define VSUBNET_CT_LIMITS_H 1

/* Whoever can send can begin connections, and each is some 500 bytes of
 * ovs-vswitchd's memory for half a minute and more.  All vSubnets share its
 * table of 3,000,000; so that one does not take it from the others, the zone
 * of each that is filtered is given a limit of CT_LIMIT.  A connection beyond
 * it is not remembered: answers to it are judged as if they began one.
 *
 * OpenFlow has no word for that, so ovs-vswitchd is asked by its control
 * socket (reload.h), again when it is another process, and when other vSubnets
 * are filtered. */

#include <stdbool.h>

struct ct_zones;
struct ds;
struct mapping;
struct reload;

enum { CT_LIMIT = 131072 };

struct ct_limits {
    struct reload *reload;
    char *zones;                /* With limits as asked for, or null. */
};

void ct_limits_init(struct ct_limits *);
void ct_limits_destroy(struct ct_limits *);

/* Another ovs-vswitchd, perhaps. */
void ct_limits_reset(struct ct_limits *);

void ct_limits_update(struct ct_limits *, const struct ct_zones *,
                      const struct mapping *);
void ct_limits_run(struct ct_limits *);
void ct_limits_wait(struct ct_limits *);

#endif /* ct-limits.h */
