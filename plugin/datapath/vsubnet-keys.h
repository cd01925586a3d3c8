/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring in use: its sessions, and their state on disk. */

#ifndef DATAPATH_VSUBNET_KEYS_H
#define DATAPATH_VSUBNET_KEYS_H 1

/* Keys in use
 * ===========
 *
 * A keyring (seal/keyring.h) says what may be sent and received; this adds
 * what happens with it: a session_sender for each key to send with, a
 * session_rx for each key to receive with.
 *
 *       keyring file          state file
 *            |                     |
 *      keyring_load()     session_state_load()
 *            |                     |
 *            v                     v
 *      vsubnet_keys_create(keyring, old, state)     (slow, holds no lock)
 *            |
 *      vsubnet_keys_adopt(new, old)                 (fast, under all locks)
 *            |
 *            v
 *      packets ... vsubnet_keys_export(keys, state), once a second
 *
 * A reload makes a new 'struct vsubnet_keys' beside the one in use.  A key that
 * is the same in both, SPI and bytes, keeps its sessions: adopting moves them
 * over.  The others begin with what the state says about their SPI.
 *
 * Thread safety: nothing here locks.  Threads share the struct for reading (a
 * session_sender is safe to share); who opens datagrams holds the lock of their
 * receiver meanwhile; a change, and an export, need all packets kept out. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/token-bucket.h"
#include "ovs-thread.h"
#include "seal/keyring.h"
#include "seal/session.h"

struct fragment_table;
struct session_state;

/* A key to send with, in 'senders', by SPI. */
struct vsubnet_sender {
    struct hmap_node node;
    uint32_t spi;
    struct session_sender *sender;
};

/* Of one sender in one vSubnet come at most so many messages of its port, which
 * asks no more often: one for each so many milliseconds, but for a burst.  Then
 * it can neither fill the inbox, which all share, nor keep the main thread busy
 * with answers. */
enum { VSUBNET_MESSAGE_TOKENS = 20 };

/* A key to receive with, in 'receivers', by SPI. */
struct vsubnet_receiver {
    struct hmap_node node;
    struct ovs_mutex mutex;     /* Protects 'rx', 'fragments', 'messages' and
                                 * 'next_hint' from other receiving threads. */
    uint32_t spi;
    uint32_t vni;
    uint32_t number;            /* The sending node. */
    bool member;                /* ...is a member of the VNI. */
    const struct keyring_peer *peer;
    struct session_rx *rx;      /* NULL: to be adopted. */
    struct fragment_table *fragments;   /* NULL: none came yet. */
    struct token_bucket messages;       /* Of ports, that may come. */
    long long int next_hint;    /* When another hint may be given of where the
                                 * sender is. */
};

struct vsubnet_keys {
    struct keyring *keyring;
    struct hmap senders;        /* Contains "struct vsubnet_sender"s. */
    struct hmap receivers;      /* Contains "struct vsubnet_receiver"s. */
};

/* Makes the keys of 'keyring', which becomes theirs.  What 'old' (may be NULL)
 * has for the same key is left for vsubnet_keys_adopt(); all other sessions
 * begin with what 'state' says. */
struct vsubnet_keys *vsubnet_keys_create(struct keyring *keyring,
                                         const struct vsubnet_keys *old,
                                         const struct session_state *state);
void vsubnet_keys_adopt(struct vsubnet_keys *, struct vsubnet_keys *old);

/* Wipes and frees.  NULL is fine. */
void vsubnet_keys_destroy(struct vsubnet_keys *);

struct vsubnet_sender *vsubnet_sender_find(const struct vsubnet_keys *,
                                           uint32_t spi);
struct vsubnet_receiver *vsubnet_receiver_find(const struct vsubnet_keys *,
                                               uint32_t spi);

/* Copies what must survive a restart to 'state'. */
void vsubnet_keys_export(const struct vsubnet_keys *, struct session_state *);

/* Compacts in 'state' what belongs to no SPI of these keys
 * (session_state_retain()). */
void vsubnet_keys_retain(const struct vsubnet_keys *, struct session_state *);

#endif /* datapath/vsubnet-keys.h */
