/* SPDX-License-Identifier: Apache-2.0 */
/* Where the peers of a tunnel port are, and what the way there carries. */

#ifndef DATAPATH_VSUBNET_PEERS_H
#define DATAPATH_VSUBNET_PEERS_H 1

/* Peers
 * =====
 *
 * The keyring says where each peer was registered.  The port knows better, in
 * two ways: a peer that has moved is followed (path-move.h), and how long a
 * datagram may be is found out (path-search.h).  Both by messages that the
 * ports send each other (oam.h):
 *
 *     receiving threads --inbox--> vsubnet_peers_run() --> vsubnet-tx.h
 *                                       |
 *                            vsubnet_peers_apply(), with all packets kept out
 *                                       |
 *                                       v
 *                       address, port, max_frame of the keyring in force
 *
 * A learned endpoint holds against the keyring's until the keyring has another
 * endpoint or a newer revision of it: the service may know late, but not for
 * ever; or until the peer answers where it is registered, and not there.  Learned endpoints stand in the state file.
 *
 * A host whose own address has changed tells its peers by asking them: any
 * authentic request from the new address is a hint to them.  It is sent in a
 * new session, because only the newest session gives hints.
 *
 * Messages are sealed with the key of a vSubnet that both nodes share.  So all
 * its members could answer for the peer; DESIGN.md, section 2.5, has what that
 * means.
 *
 * With 'probe' off nothing is sent, asked or answered: the kernel's word is
 * taken for the path's MTU, and the keyring's for the endpoint.
 *
 * Thread safety: belongs to who holds the port's mutex, but for the inbox. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "datapath/path-move.h"
#include "datapath/path-search.h"
#include "datapath/vsubnet-inbox.h"
#include "heap.h"
#include "openvswitch/hmap.h"
#include "openvswitch/token-bucket.h"

struct keyring;
struct session_state;
struct vsubnet_tx;

struct vsubnet_peer {
    struct hmap_node hmap_node; /* In 'peers', by number. */
    struct heap_node heap_node; /* In 'schedule'. */
    uint32_t number;
    uint32_t vni;               /* Of a vSubnet to send to it in; 0: none. */
    struct path_endpoint registered;    /* By the keyring, in... */
    uint64_t generation, revision;      /* ...this revision. */
    struct path_endpoint learned;       /* Port 0: it is where it is
                                         * registered. */
    struct in6_addr local;      /* This host's address towards it. */
    struct path_move move;
    struct path_search search;
    uint64_t nonce;             /* Of the search's requests. */
    bool wanted;                /* In the keyring being loaded. */
};

struct vsubnet_peers {
    struct hmap peers;          /* Contains "struct vsubnet_peer"s. */
    struct heap schedule;       /* The same, by when they have something to
                                 * do. */
    struct vsubnet_inbox inbox;
    struct vsubnet_tx *tx;
    const char *port_name;      /* For the log. */
    bool probe;
    struct in6_addr bound;      /* The socket's own address; or all zeros. */
    uint64_t watch;             /* As vsubnet_watch_run() last said... */
    long long int next_watch;   /* ...and when it is to be asked again... */
    bool watch_rests;           /* It had something to say, and is not waited
                                 * for until then. */
    bool changed;               /* All peers are to be asked about. */
    struct token_bucket changes;        /* How often, in a storm. */
    bool renew;                 /* No new session was begun since. */
    struct hmap_position position;      /* Of the peer to ask the kernel for
                                         * next. */
    size_t n_to_ask;            /* At once, because something has changed... */
    long long int next_ask;     /* ...or then. */
    bool dirty;                 /* Something is to be applied. */
};

void vsubnet_peers_init(struct vsubnet_peers *, struct vsubnet_tx *,
                        const char *port_name);
void vsubnet_peers_destroy(struct vsubnet_peers *);

/* From now on: whether to ask peers, and the socket's address. */
void vsubnet_peers_configure(struct vsubnet_peers *, bool probe,
                             const struct in6_addr *bound);

/* Takes over the peers of 'keyring', which is about to come into force, and
 * fills in what is known of them.  'state' has what was learned before a
 * restart. */
void vsubnet_peers_load(struct vsubnet_peers *, struct keyring *keyring,
                        const struct session_state *state);

/* Does what is due.  Returns true if vsubnet_peers_apply() is to be called. */
bool vsubnet_peers_run(struct vsubnet_peers *);
void vsubnet_peers_wait(struct vsubnet_peers *);

/* Brings 'keyring', which no packet is working with now, up to date. */
void vsubnet_peers_apply(struct vsubnet_peers *, struct keyring *keyring);

const struct vsubnet_peer *vsubnet_peer_find(const struct vsubnet_peers *,
                                             uint32_t number);

/* Writes the learned endpoints to 'state', in place of those there. */
void vsubnet_peers_export(const struct vsubnet_peers *,
                          struct session_state *state);

#endif /* datapath/vsubnet-peers.h */
