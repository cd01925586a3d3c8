/* SPDX-License-Identifier: Apache-2.0 */
/* MACs and IP addresses that local ports were seen to use. */
#ifndef VSUBNET_LEARNT_H
#define VSUBNET_LEARNT_H 1

/* What is seen
 * ============
 *
 * A MAC is present while the switch has a learnt flow for it (table 31), which
 * lasts FL_HARD_TIMEOUT seconds after the MAC last spoke.  IP addresses come
 * from copies of ARP and ND frames.  They stay as long as the MAC, or until
 * another MAC of the vSubnet announces them; a MAC has at most
 * LEARNT_MAX_ADDRESSES, the oldest is forgotten first.
 *
 * Ports whose MAC is known are not learnt, but their addresses are.
 *
 * Of at most LEARNT_MAX MACs, those that were announced but not learnt, and
 * those that have aged, make room for others: a guest that announces MAC after
 * MAC keeps no other port's from being known.
 *
 * After a new connection to the switch nothing is present, and what is will be
 * told anew; 'since' says from when on that can be relied upon.
 *
 * Frames come from guests: anything in them may be a lie, and no more is
 * believed than that this port says so.  Pure: time is an argument. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct local_ports;
struct mapping;

enum {
    LEARNT_MAX_ADDRESSES = 16,
    LEARNT_MAX = 65536,         /* MACs on all ports. */
};

struct learnt_mac {
    struct hmap_node node;      /* In struct learnt's 'macs'. */
    uint32_t vni;
    struct eth_addr mac;
    ofp_port_t port;
    bool present;               /* The switch has a flow for it. */
    bool aged;                  /* The switch had one, and it timed out. */
    bool registered;            /* The service has said that it is here. */
    struct in6_addr addresses[LEARNT_MAX_ADDRESSES];  /* Oldest first. */
    size_t n_addresses;
};

struct learnt {
    struct hmap macs;           /* Contains "struct learnt_mac"s. */
    struct hmap ips;            /* Who has which address; see learnt.c. */
    long long int since;        /* Of the connection to the switch. */
    unsigned int seqno;         /* Changes with the contents. */
};

void learnt_init(struct learnt *);
void learnt_destroy(struct learnt *);

void learnt_reset(struct learnt *, long long int now);

/* The switch learnt the MAC on the port (0: from the tunnel, so it is on none
 * of ours), or has forgotten it. */
void learnt_set_present(struct learnt *, uint32_t vni, ofp_port_t,
                        struct eth_addr, bool present);

/* The switch has been made to forget what it learnt on the port. */
void learnt_age_port(struct learnt *, ofp_port_t);

/* Takes in an ARP or ND frame, perhaps cut off. */
void learnt_announce(struct learnt *, uint32_t vni, ofp_port_t,
                     const void *frame, size_t len);

/* Forgets what was learnt on ports that are not in 'ports' any more, or in
 * another vSubnet. */
void learnt_prune(struct learnt *, const struct local_ports *);

const struct learnt_mac *learnt_find(const struct learnt *, uint32_t vni,
                                     struct eth_addr);

/* Takes note of which MACs the service has at this node.  One that was here
 * and is at another node now has moved: 'moved' is called for it if the switch
 * has a flow for it, which is to be deleted.  If the MAC speaks here again
 * after all, the switch learns it anew and it is registered again; without
 * this, two nodes would go on claiming a MAC that moved until the flow at the
 * old one times out. */
typedef void learnt_moved_func(uint32_t vni, struct eth_addr, void *aux);
void learnt_note_registered(struct learnt *, const struct mapping *,
                            learnt_moved_func *, void *aux);

/* Returns the MAC that announced 'ip' in the vSubnet, or NULL. */
const struct learnt_mac *learnt_find_ip(const struct learnt *, uint32_t vni,
                                        const struct in6_addr *ip);

#endif /* learnt.h */
