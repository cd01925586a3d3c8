/* SPDX-License-Identifier: Apache-2.0 */
/* Bridge and ports that the controller makes in the database. */
#ifndef VSUBNET_OVS_MAKE_H
#define VSUBNET_OVS_MAKE_H 1

/* Part of ovs-config.c; see there for what is made.  Every function compares
 * what is wanted with the rows and writes the difference in the open
 * transaction, or, when there is none (another is under way), only looks. */

#include <stdbool.h>

struct ct_zones;
struct local_ports;
struct ovs_settings;
struct ovs_want;
struct ovsdb_idl;
struct ovsdb_idl_txn;
struct ovsrec_bridge;
struct ovsrec_interface;
struct ovsrec_open_vswitch;
struct sset;

struct ovs_make {
    struct ovsdb_idl *idl;
    struct ovsdb_idl_txn *txn;              /* NULL: look, don't touch. */
    const struct ovsrec_open_vswitch *ovs;
    const struct ovs_settings *settings;
    const struct ovs_want *want;
    int mtu;                                /* Of the host's own ports. */
    struct sset *problems;
};

/* Returns the bridge, made or adopted, or NULL if there is none that may be
 * used. */
const struct ovsrec_bridge *ovs_make_bridge(const struct ovs_make *);

/* Makes the tunnel port. */
void ovs_make_tunnel(const struct ovs_make *, const struct ovsrec_bridge *);

/* Makes the host's own ports and deletes those not wanted any more. */
void ovs_make_host_ports(const struct ovs_make *,
                         const struct ovsrec_bridge *);

/* Gives each vSubnet a zone (ct-zones.h).  'zones' are those that the database
 * has, as they were read before this. */
void ovs_make_zones(const struct ovs_make *, const struct ovsrec_bridge *,
                    const struct ct_zones *zones);

/* Says at each interface of the bridge why it is blocked.  'now' are the local
 * ports: one of them that is not in 'want' is left as it is. */
void ovs_make_notes(const struct ovs_make *, const struct ovsrec_bridge *,
                    const struct local_ports *now);

/* Returns the bridge's single-interface port 'name', or NULL. */
const struct ovsrec_interface *ovs_find_interface(
    const struct ovsrec_bridge *, const char *name);

/* True for what this program made. */
bool ovs_is_owned(const struct ovsrec_interface *);

/* True for one of the host's own ports. */
bool ovs_is_host_port(const struct ovsrec_interface *);

#endif /* ovs-make.h */
