/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel port, apart from what makes it a netdev. */

#ifndef DATAPATH_VSUBNET_PORT_H
#define DATAPATH_VSUBNET_PORT_H 1

/* Port
 * ====
 *
 * A port is a socket, keys, a sending and a receiving side, counters and the
 * session state on disk; or several sockets, each with a receiving side of its
 * own, of which the first also sends.  This module puts them together and changes them;
 * netdev-vsubnet.c shows them to Open vSwitch as a netdev.
 *
 * Two things can be wrong with a port, and they are not alike:
 *
 *   - Its configuration, or that it can't have its UDP port.  Configuring
 *     fails, and Open vSwitch removes the port and says why.
 *   - Its keyring.  The port stays, and drops and counts what it has no keys
 *     for, because the keyring is the controller's business and may be right
 *     in a moment.  A keyring that can't be used never replaces one that could.
 *
 * Locks
 * -----
 *
 * 'mutex' protects the port's own members and is taken first.  Packets take
 * only the lock of the side that they are on (vsubnet-tx.h, vsubnet-rx.h).
 * What both sides work with, the socket and the keys, is changed while all of
 * these are held; what is slow (reading files, making sessions, opening the
 * socket) is done before or after. */

#include <stdbool.h>
#include <stdint.h>
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-notices.h"
#include "datapath/vsubnet-peers.h"
#include "datapath/vsubnet-rx.h"
#include "datapath/vsubnet-tx.h"
#include "ovs-thread.h"

struct session_state;
struct vsubnet_keys;
struct vsubnet_socket;

enum { VSUBNET_RXQ_MAX = 16 };

struct vsubnet_config {
    struct in6_addr local;      /* All zeros: any. */
    uint16_t port;
    bool fragment;              /* Whether frames may travel in pieces. */
    bool probe;                 /* Whether peers are asked where they are and
                                 * what the way there carries. */
    bool shared;                /* There may be several sockets... */
    int n_rxq;                  /* ...this many, 1 to VSUBNET_RXQ_MAX. */
    char *keyring;              /* File name, or NULL. */
    char *state;                /* File name, or NULL. */
};

void vsubnet_config_destroy(struct vsubnet_config *);

struct vsubnet_port {
    char *name;
    struct vsubnet_tx tx;
    struct vsubnet_rx rxqs[VSUBNET_RXQ_MAX];
    struct vsubnet_counters counters;
    struct vsubnet_notices notices;

    struct ovs_mutex mutex;     /* Protects all that follows. */
    struct vsubnet_config config;
    struct vsubnet_socket *sockets[VSUBNET_RXQ_MAX];    /* NULL: none. */
    struct vsubnet_keys *keys;          /* NULL: none loaded yet. */
    char *keyring_error;                /* NULL: the keyring is in force. */

    struct session_state *state;
    char *state_error;          /* Why it could not be read at start. */
    char *state_text;           /* As last given to the saver. */
    size_t state_text_len;
    uint64_t saved_frames;      /* Frames and messages until then... */
    bool saved_twice;           /* ...and there were no more since. */
    long long int next_run;     /* time_msec() value. */
    struct vsubnet_peers peers; /* But for its inbox. */
};

void vsubnet_port_init(struct vsubnet_port *, const char *name);
void vsubnet_port_destroy(struct vsubnet_port *);

/* Puts 'config', which becomes the port's, into force.  Returns NULL, or an
 * error string that the caller frees.  Sets '*changed' if there is something
 * new to see. */
char *vsubnet_port_configure(struct vsubnet_port *, struct vsubnet_config *,
                             bool *changed);

/* Reads the keyring again.  Returns NULL, or an error string that the caller
 * frees; what was in force before still is then.  Sets '*changed' if the
 * keyring's status is another than before. */
char *vsubnet_port_reload(struct vsubnet_port *, bool *changed);

/* Saves the session state and gives the UDP port and the state file away, to
 * whoever comes next: for a port that has been removed but lives on in
 * somebody's cache, and for the end of the process. */
void vsubnet_port_release(struct vsubnet_port *);

/* Keep out all threads that receive. */
void vsubnet_port_lock_rx(struct vsubnet_port *);
void vsubnet_port_unlock_rx(struct vsubnet_port *);

/* Has the session state saved, each second, and lets peers be looked after.
 * Returns true if there is something new to see. */
bool vsubnet_port_run(struct vsubnet_port *);
void vsubnet_port_wait(struct vsubnet_port *);

#endif /* datapath/vsubnet-port.h */
