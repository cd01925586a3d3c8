/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow connection to the integration bridge. */
#ifndef VSUBNET_OFCTRL_H
#define VSUBNET_OFCTRL_H 1

/* What it does
 * ============
 *
 * Keeps the bridge's flows equal to the desired ones, and passes on what the
 * bridge tells about local MACs that it learns.  One connection, to the
 * bridge's management socket:
 *
 *                 .--------------------------------------------------.
 *                 v                                                  |
 *           DISCONNECTED                                             |
 *                 | connected: meters and flows asked for            |
 *                 v                                                  |
 *     .----> READING_BACK                                            |
 *     |           | last reply: flow monitor request                 |
 *     |           v                                                  |
 *     |         IDLE <-----------------.             connection lost,|
 *     |           | installed differs  | committed   in any state    |
 *     |           v                    |                             |
 *     |       COMMITTING --------------'                             |
 *     |           | refused                                          |
 *     |           v                                                  |
 *     '------- REFUSED                                               |
 *      after 5 s  '--------------------------------------------------'
 *
 * Nothing is written before flows have been read back and desired flows are
 * known, and then only differences: a restart of the controller changes
 * nothing in a bridge that is as it should be.  At most OFCTRL_BUNDLE_MAX
 * changes go in one bundle, and one bundle is under way at a time, because
 * ovs-vswitchd's main thread forwards nothing while it commits.  While what
 * differs is sent, desired flows may change: what is no longer desired then is
 * left out, and the keys in which they changed come after the rest.
 *
 * Meters are made before flows change, and deleted when all is in sync
 * (ofctrl-meter.h).  They are made also while flows are to be left alone: who
 * restores flows needs them.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/flow-tables.h"
#include "openvswitch/types.h"

struct flow;
struct flow_set;
struct in6_addr;
struct meters;
struct ofputil_flow_stats;

enum { OFCTRL_BUNDLE_MAX = 500 };

/* A frame that a flow sent to the controller.  Guests wrote it. */
struct punt {
    enum punt_kind kind;
    uint32_t vni;
    ofp_port_t port;            /* That it came from. */
    uint64_t cookie;            /* Of the flow. */
    const void *frame;          /* Ethernet, perhaps cut off. */
    size_t len;
    const struct flow *metadata;    /* Registers, tunnel. */
};

/* What the switch tells.  Called from ofctrl_run(). */
struct ofctrl_events {
    /* All of what was told before is void: a new connection. */
    void (*reset)(void *aux);
    /* 'mac' was learnt on the local port, or has aged out.  Port 0: it was
     * learnt from the tunnel. */
    void (*learnt)(void *aux, uint32_t vni, ofp_port_t, struct eth_addr mac,
                   bool present);
    /* A flow sent this frame up. */
    void (*punted)(void *aux, const struct punt *);
    /* A flow that was asked for by ofctrl_count(); null after the last. */
    void (*counted)(void *aux, const struct ofputil_flow_stats *);
    void *aux;
};

struct ofctrl_status {
    bool connected;
    const char *state;          /* Constant string. */
    const char *error;          /* Why flows were refused, or NULL. */
    size_t n_installed;         /* Without learnt ones. */
    uint64_t n_changes;         /* Flow changes sent so far. */
};

struct ofctrl *ofctrl_create(const struct ofctrl_events *);
void ofctrl_destroy(struct ofctrl *);

/* 'target' is the management socket, "unix:.../br-int.mgmt", or NULL. */
void ofctrl_set_target(struct ofctrl *, const char *target);

/* The bridge should have these meters; to be told before the flows that use
 * them. */
void ofctrl_set_meters(struct ofctrl *, const struct meters *);

/* The bridge should have the flows in 'desired', which stays the caller's and
 * has to be there until ofctrl_forget_desired() or ofctrl_destroy().
 * 'touched' has the keys in which it differs from what it was when this was
 * last called; NULL: perhaps in all. */
void ofctrl_set_desired(struct ofctrl *, const struct flow_set *desired,
                        const struct flow_set *touched);

/* Makes the module touch nothing until ofctrl_set_desired(). */
void ofctrl_forget_desired(struct ofctrl *);

/* Reads all flows back, because somebody else may have changed them. */
void ofctrl_reread(struct ofctrl *);

/* Deletes the flow learnt for 'mac', now. */
void ofctrl_unlearn(struct ofctrl *, uint32_t vni, struct eth_addr mac);

/* The same if it was learnt from the tunnel. */
void ofctrl_unlearn_remote(struct ofctrl *, uint32_t vni, struct eth_addr mac);

/* Forgets the connections that are tracked in 'zone', now; lost if there is no
 * connection. */
void ofctrl_flush_zone(struct ofctrl *, uint16_t zone);

/* Deletes all that was learnt on the port. */
void ofctrl_unlearn_port(struct ofctrl *, uint32_t vni, ofp_port_t port);

/* Sends an Ethernet frame out of 'port', as it is; lost if there is no
 * connection. */
void ofctrl_send_frame(struct ofctrl *, ofp_port_t port, const void *frame,
                       size_t len);

/* The same through the tables, as if it came from 'port'. */
void ofctrl_inject_frame(struct ofctrl *, ofp_port_t port, const void *frame,
                         size_t len);

/* Asks for the counters of the flows in 'table' whose cookies are 'cookie' in
 * the bits of 'mask'.  ovs-vswitchd's main thread forwards nothing while it
 * answers, so it is better to ask for less and oftener.  Answers come
 * from ofctrl_run(), until ofctrl_is_counting() is false.  Returns false if
 * there is no connection, or one is asking already. */
bool ofctrl_count(struct ofctrl *, enum flow_table table, uint64_t cookie,
                  uint64_t mask);
bool ofctrl_is_counting(const struct ofctrl *);

void ofctrl_run(struct ofctrl *);
void ofctrl_wait(struct ofctrl *);

/* How many frames the meter has dropped, as of some seconds ago. */
uint64_t ofctrl_meter_dropped(const struct ofctrl *, uint32_t meter);

/* True when the switch has all desired flows. */
bool ofctrl_is_in_sync(const struct ofctrl *);
void ofctrl_get_status(const struct ofctrl *, struct ofctrl_status *);

#endif /* ofctrl.h */
