/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that a local port uses, but that are bound to another MAC. */
#ifndef VSUBNET_DUPLICATES_H
#define VSUBNET_DUPLICATES_H 1

/* Evidence is a frame by which a guest says that an address is its own, or
 * asks whether it is free: ARP and its probes (RFC 5227), neighbour
 * solicitations and advertisements, duplicate address detection (RFC 4862).
 * If the address is bound to another MAC, that is a duplicate.
 *
 *   - If an operator gave the address to the other, it is reported at once,
 *     until the mapping says otherwise.
 *   - Addresses that were merely learnt may pass from one MAC to another (a
 *     standby router takes over), and the mapping follows.  It is reported if
 *     the same MAC claims the address once more after that: then there are two
 *     who use it.
 *
 * Either way it is forgotten DUPLICATES_HOLD after the last such frame, or
 * with its port.  There are at most DUPLICATES_MAX of a port; the one that was
 * seen longest ago gives way.
 *
 * Whose an address is, flows mostly say with the frame (FR_OWNER).  For the
 * others the bindings of a vSubnet are looked through, so many of them a second
 * at most (DUPLICATES_LOOKS), since guests say how often.
 *
 * Who asks by duplicate address detection whether an IPv6 address is free is
 * told by the host that it is not, if an operator gave it to another; of IPv4
 * flows tell (flow-arp.c).
 *
 * Pure: time is an argument.  Not thread-safe. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct dp_packet;
struct ds;
struct local_port;
struct local_ports;
struct mapping;
struct punt;

enum {
    DUPLICATES_MAX = 16,        /* Of one port. */
    DUPLICATES_TOLD = 4,        /* That its Interface tells of. */
    DUPLICATES_HOLD = 300,      /* Seconds. */
    DUPLICATES_LOOKS = 200000,  /* Bindings a second, and at once. */
};

struct duplicate {
    struct hmap_node node;      /* In struct duplicates. */
    uint32_t vni;
    ofp_port_t port;
    struct eth_addr mac;        /* Who uses it, or would. */
    struct in6_addr ip;
    struct eth_addr owner;      /* To whom it is bound... */
    bool assigned;              /* ...by an operator. */
    bool settled;               /* The mapping has it elsewhere now. */
    unsigned int n_claims;      /* How often it was not settled. */
    unsigned long long int n_frames;
    long long int last;         /* When the last one came. */
};

struct duplicates {
    struct hmap all;            /* Contains "struct duplicate"s. */
    bool changed;               /* What is reported, since the last run. */
    long long int looks;        /* Bindings that may be looked at, as of */
    long long int looks_at;     /* this time. */
    long long int next_run;
};

void duplicates_init(struct duplicates *);
void duplicates_destroy(struct duplicates *);

/* Takes in a frame of one of these ports.  Returns true if it is to be answered, and
 * sets 'answer', which is initialised and empty, to a frame for the port. */
bool duplicates_receive(struct duplicates *, const struct mapping *,
                        const struct local_ports *, const struct punt *,
                        long long int now, struct dp_packet *answer);

/* Forgets what is over, once a second.  Returns true if what is reported has
 * changed. */
bool duplicates_run(struct duplicates *, const struct mapping *,
                    const struct local_ports *, long long int now);
long long int duplicates_next(const struct duplicates *);

/* What is reported of 'port', sorted by address, in an array for the caller to
 * free; NULL: nothing. */
const struct duplicate **duplicates_of_port(const struct duplicates *,
                                            const struct local_port *,
                                            size_t *n);

/* The same in words for the port's Interface, "ADDRESS MAC, ...", where MAC is
 * the owner's; NULL: nothing. */
char *duplicates_note(const struct duplicates *, const struct local_port *);
size_t duplicates_count(const struct duplicates *);

#endif /* duplicates.h */
