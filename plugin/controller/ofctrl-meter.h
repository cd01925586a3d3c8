/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the bridge's meters equal to the desired ones. */
#ifndef VSUBNET_OFCTRL_METER_H
#define VSUBNET_OFCTRL_METER_H 1

/* Part of ofctrl.c, which has the connection and knows when.  Meters are no
 * part of a bundle (the switch refuses them there), so there is an order to be
 * kept:
 *
 *   1. after connecting, meters are read back (ofctrl_meters_read()), before
 *      flows are;
 *   2. before flows are changed, what is missing or has another rate is made
 *      (ofctrl_meters_make()): a flow whose meter is not there is refused, or,
 *      if it sends to the controller, has no meter for as long as it lives;
 *   3. when all flows are as desired, what none of them uses any more is
 *      deleted (ofctrl_meters_drop()): a flow goes with its meter.
 *
 * Whoever restores flows after a restart of ovs-vswitchd does not restore
 * meters (ovs-save(8)), so a flow read back may be such a one without meter:
 * ofctrl_meters_lack() tells, and ofctrl.c adds it again.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include "controller/meters.h"
#include "openvswitch/types.h"

struct ofpact;
struct ofpbuf;
struct rconn;

struct ofctrl_meters {
    struct meters installed;    /* As far as known. */
    struct meters desired;
    struct meters lacking;      /* Desired, but not there when meters were
                                 * read back; until all flows are. */
    bool known;                 /* 'installed' was read on this connection. */
    bool changed;               /* Since they were made. */
    bool stale;                 /* There may be some to delete. */
    ovs_be32 xid;               /* Of the request for what there is. */

    struct meter_drops *drops;  /* As the switch last said, sorted by ID. */
    size_t n_drops, allocated_drops;
    struct meter_drops *coming; /* Parts of an answer that is not whole. */
    size_t n_coming, allocated_coming;
    ovs_be32 stats_xid;
    long long int next_stats;   /* When it is asked again. */
};

/* What a meter has dropped since it was made. */
struct meter_drops {
    uint32_t id;
    uint64_t frames;
};

void ofctrl_meters_init(struct ofctrl_meters *);
void ofctrl_meters_destroy(struct ofctrl_meters *);

void ofctrl_meters_set_desired(struct ofctrl_meters *, const struct meters *);

/* Asks the switch what it has; each part of the answer is for
 * ofctrl_meters_receive(), which returns 0, or what is wrong with it.
 * ofctrl_meters_known(): there were no others. */
void ofctrl_meters_read(struct ofctrl_meters *, struct rconn *);
int ofctrl_meters_receive(struct ofctrl_meters *, struct ofpbuf *reply);
void ofctrl_meters_known(struct ofctrl_meters *);

/* True if the flow with these actions was installed without a meter that it
 * should have. */
bool ofctrl_meters_lack(const struct ofctrl_meters *, const struct ofpact *,
                        size_t ofpacts_len);

void ofctrl_meters_make(struct ofctrl_meters *, struct rconn *);
void ofctrl_meters_drop(struct ofctrl_meters *, struct rconn *);

/* Asks each OFCTRL_METERS_STATS_MS what meters have dropped; each part of the
 * answer is for ofctrl_meters_receive_stats(). */
enum { OFCTRL_METERS_STATS_MS = 10000 };
void ofctrl_meters_poll(struct ofctrl_meters *, struct rconn *,
                        long long int now);
void ofctrl_meters_receive_stats(struct ofctrl_meters *, struct ofpbuf *);
uint64_t ofctrl_meters_dropped(const struct ofctrl_meters *, uint32_t id);

#endif /* ofctrl-meter.h */
