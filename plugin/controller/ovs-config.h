/* SPDX-License-Identifier: Apache-2.0 */
/* The local Open_vSwitch database: settings in, bridge and ports out. */
#ifndef VSUBNET_OVS_CONFIG_H
#define VSUBNET_OVS_CONFIG_H 1

/* Reads the settings (external_ids:vsubnet-*), makes what the controller
 * needs, and tells which ports are in which vSubnet:
 *
 *   - the integration bridge, in the userspace datapath and with fail_mode
 *     secure (otherwise a restarted ovs-vswitchd would bridge all vSubnets
 *     together).  One that somebody else controls is refused;
 *
 *   - the tunnel port vs0;
 *
 *   - for each vSubnet in which this host has an address, the internal port
 *     vs-NAME with its MAC, MTU and addresses.  The MTU is what the tunnel
 *     port says that it carries in one datagram (status:mtu), as it is now.
 *
 *   - for each vSubnet a zone (ct-zones.h), in the bridge's
 *     external_ids:vsubnet-ct-zones.
 *
 * What it makes has external_ids:vsubnet-owned=true, and it deletes nothing
 * else.  Transactions are remade from what the database says until the
 * database is as wanted, so a lost one does no harm.
 *
 *      ovs_config_run()            the database's changes come in
 *      ovs_config_update()         makes what is missing; local ports
 *      ovs_config_wait()
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include "controller/local-port.h"
#include "openvswitch/types.h"
#include "sset.h"

struct ct_zones;
struct duplicates;
struct mapping;
struct ovsdb_idl;

/* external_ids of the Open_vSwitch table, as they are. */
struct ovs_settings {
    char *remote;               /* vsubnet-remote, or NULL. */
    char *bridge;
    char *endpoint;             /* vsubnet-endpoint, or NULL. */
    char *fingerprint;          /* vsubnet-fingerprint, or NULL. */
    int port;
    int rekey_interval;         /* Seconds; 0: never. */
    bool waits;                 /* vsubnet-activation=announce. */
    bool restore_wait;          /* other_config:flow-restore-wait. */
};

struct ovs_config_paths {
    char *keyring;
    char *sessions;
};

/* What ovs_config_update() makes. */
struct ovs_want {
    const struct ovs_config_paths *paths;
    const struct mapping *mapping;  /* NULL: not known, touch no port. */
    const struct local_ports *ports;    /* Why ports are blocked. */
    const struct duplicates *duplicates;    /* What is noted of ports. */
    bool joined;                    /* Otherwise nothing is made. */
    const struct sset *spoke;       /* Ports whose guests spoke: claim.h. */
    int mtu;                        /* Of the host's own ports, as long as the
                                     * tunnel port does not tell. */
};

/* The tunnel port as vswitchd sees it. */
struct ovs_tunnel {
    bool owned;                 /* Made by us, now or in an earlier run. */
    ofp_port_t ofport;          /* 0: there is none. */
    char *error;                /* Interface's error column, or NULL. */
    char *keyring_status;       /* status:keyring, or NULL. */
    int mtu;                    /* status:mtu, or 0 if it does not tell. */
};

struct ovs_config *ovs_config_create(const char *remote);
void ovs_config_destroy(struct ovs_config *);

/* Returns true if the database's contents (or the connection to it) changed
 * since the last call. */
bool ovs_config_run(struct ovs_config *);
void ovs_config_update(struct ovs_config *, const struct ovs_want *);
/* Commits what ovs_config_update() wanted.  Once for each ovs_config_run(). */
void ovs_config_commit(struct ovs_config *);
void ovs_config_wait(struct ovs_config *);

/* True once the database's contents have arrived. */
bool ovs_config_is_ready(const struct ovs_config *);
bool ovs_config_is_connected(const struct ovs_config *);

const struct ovs_settings *ovs_config_settings(const struct ovs_config *);
const struct ovs_tunnel *ovs_config_tunnel(const struct ovs_config *);
const struct local_ports *ovs_config_ports(const struct ovs_config *);

/* The zones that the database has (ct-zones.h). */
const struct ct_zones *ovs_config_zones(const struct ovs_config *);

/* The bridge is there and ours to use. */
bool ovs_config_bridge_is_usable(const struct ovs_config *);

/* The MTU of the vSubnets on this host, as it is now.  'guess' is that of
 * struct ovs_want. */
int ovs_config_mtu(const struct ovs_config *, int guess);

/* For those who look at other columns; see monitor.h. */
struct ovsdb_idl *ovs_config_idl(const struct ovs_config *);

/* What is wrong, in words. */
const struct sset *ovs_config_problems(const struct ovs_config *);

#endif /* ovs-config.h */
