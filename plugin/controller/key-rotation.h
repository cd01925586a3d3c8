/* SPDX-License-Identifier: Apache-2.0 */
/* When a sender key takes another's place. */
#ifndef VSUBNET_KEY_ROTATION_H
#define VSUBNET_KEY_ROTATION_H 1

/* A key is replaced when it has become old, and when the service demands it:
 * a member has left the vSubnet, or a disk with its keys was copied.  The
 * service then raises the vSubnet's "rekey"; keys made by who knew less are
 * stale.  (A key of another algorithm is replaced by own_keys_sync().)
 *
 *                (interval over, or "rekey" raised)
 *      ALONE ------------------------------------------> FOLLOWED
 *        ^       its successor is made (own-keys.h)      |  |  ^
 *        |                                               |  |  | "rekey"
 *        |                                               |  |  | raised:
 *        |      (all others have it, or the time is up)  |  '--' drawn anew
 *        '-----------------------------------------------'
 *               SWITCH: the successor is in force
 *
 *      and KEY_ROTATION_RETIRE_MS after the switch the service is told to
 *      forget older epochs: that is when the receivers drop them.
 *
 * The time for others to load it is KEY_ROTATION_LOAD_MS, or
 * KEY_ROTATION_URGENT_MS if it was demanded.  It runs only while the service
 * is connected, since others hear of the key from it; without the service
 * nothing is replaced.
 *
 * Of a node's keys the service keeps two epochs.  So nothing is replaced, or
 * retired, while this host's own ovs-vswitchd may still send with the epoch
 * before.
 *
 * Pure: the time is an argument. */

#include <stdbool.h>
#include <stdint.h>

struct mapping;
struct own_keys;

enum {
    KEY_ROTATION_INTERVAL = 24 * 60 * 60,   /* Seconds, by default. */
    KEY_ROTATION_INTERVAL_MIN = 5,
    KEY_ROTATION_JITTER = 100,  /* Thousandths of the interval, either way. */

    KEY_ROTATION_DEMAND_MS = 200,   /* Demands are met at random before. */
    KEY_ROTATION_LOAD_MS = 30000,
    KEY_ROTATION_URGENT_MS = 3000,
    KEY_ROTATION_RETIRE_MS = 10000,
    /* Between a switch and the next successor. */
    KEY_ROTATION_SETTLE_MS = 500,
};

struct key_rotation_facts {
    const struct mapping *mapping;
    int interval;               /* Seconds; 0: not by time. */
    bool live;                  /* The service is connected, and has approved
                                 * this node. */
    bool settled;               /* ovs-vswitchd has loaded what it was told. */
    long long int now;          /* time_msec(). */
    long long int wall;         /* time_wall(). */
    uint16_t random;
};

/* Makes successors, and switches.  Returns true if that changes the
 * keyring. */
bool key_rotation_run(struct own_keys *, const struct key_rotation_facts *);

/* When that should be done again, if it was done at 'now': in time_msec(), or
 * LLONG_MAX if there is no hurry.  (What waits for something else than time is
 * not counted.) */
long long int key_rotation_next(const struct own_keys *, long long int now);

/* Returns the SPI of a key of this node that is to be retired now, or 0. */
uint32_t key_rotation_retired(const struct own_keys *,
                              const struct key_rotation_facts *);

#endif /* key-rotation.h */
