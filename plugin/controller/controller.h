/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller holds, and how it flows from one part to the next. */
#ifndef VSUBNET_CONTROLLER_H
#define VSUBNET_CONTROLLER_H 1

/* Each round of the main loop goes from the inputs to the outputs:
 *
 *      node.json     (standing.h)  --.
 *      cache.json    (cache.h)     --+--> mapping --.
 *      event stream  (client.h)    --'              |
 *      Open_vSwitch  (ovs-config.h) -> local ports -+-> keyring-out.h
 *      MACs, ARP, ND (learnt.h)    -----------------+-> flow-index.h ->
 *                                                   |       ofctrl.h
 *                                                   +-> registrar.h, ->
 *                                                   |   key-service.h  service
 *                                                   +-> cache.h
 *
 * The keyring is written before flows, so that what flows send can be sealed.
 * Outputs are computed again only when an input changed, and flows and keys
 * only of what has changed: one binding more costs the same among 100,000 as
 * among ten.
 *
 * While there is no mapping (not joined, or joined and never yet connected,
 * or on a machine that is not known to be the node's: standing.h) no flow and
 * no keyring is touched.  When node.json goes away while the
 * controller runs (`vsubnetctl leave`), an empty mapping takes the place of
 * the old one, and keys and cache are deleted.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include "controller/acl-log.h"
#include "controller/cache.h"
#include "controller/credential-rotation.h"
#include "controller/ct-limits.h"
#include "controller/ct-zones.h"
#include "controller/duplicates.h"
#include "controller/flow-index.h"
#include "controller/guard.h"
#include "controller/identity.h"
#include "controller/installed.h"
#include "controller/instance.h"
#include "controller/keyring-out.h"
#include "controller/learnt.h"
#include "controller/local-port.h"
#include "controller/moves.h"
#include "controller/ovs-config.h"
#include "controller/own-keys.h"
#include "controller/services.h"
#include "controller/standing.h"
#include "controller/trace.h"
#include "controller/underlay.h"
#include "model/mapping.h"

struct controller {
    char *state_dir, *run_dir;

    struct instance instance;
    struct identity_file node;          /* node.json */
    struct standing standing;
    struct credential_rotation rotation;
    struct cache cache;                 /* cache.json */
    struct own_keys keys;               /* keys.json */
    struct keyring_out keyring;
    struct ovs_config *ovs;
    struct ovs_config_paths paths;
    struct ofctrl *ofctrl;
    struct client *client;
    struct registrar *registrar;
    struct key_service *key_service;
    struct hits *hits;
    struct learnt learnt;
    struct acl_log acl_log;
    struct services services;
    struct guard guard;
    struct duplicates duplicates;
    struct moves moves;
    struct underlay underlay;

    struct mapping *mapping;            /* NULL: none known. */
    bool from_service;                  /* Else from the cache. */
    long long int live_at;              /* time_msec() when the client became
                                         * live; 0: it is not. */
    long long int current_at;           /* When the service last stood by it,
                                         * seconds of the epoch; 0: never. */
    char *mapping_error;                /* The last event was refused. */
    struct installed installed;         /* What the service waits for. */
    struct traces traces;

    /* What has changed. */
    bool mapping_changed;
    struct mapping_touches touches; /* Of what flows come from. */
    bool snapshot;                      /* It is all that the service has. */
    bool restart_stream;                /* What came could not be used. */
    bool no_resume;                     /* And a snapshot is needed. */
    bool keyring_changed;
    bool flows_changed;
    bool flows_forgotten;               /* 'ofctrl' does not know 'flows'. */
    bool bindings_changed;
    unsigned int learnt_seqno;          /* Of 'learnt', as last looked at. */
    bool reread_flows;                  /* Others may have written flows. */
    long long int next_update;          /* Of the database. */
    long long int next_flows;           /* Not before. */
    long long int keys_run;             /* When own keys were looked at. */

    struct flow_index flows;            /* Desired. */
    struct local_ports ports;           /* Those that flows are for, */
    struct ct_zones zones;              /* and what they use. */
    bool zones_known;
    struct ct_limits ct_limits;
    ofp_port_t tunnel;
    char *endpoints;                    /* Own, or NULL: not known. */
    int mtu;                            /* A guess; see ovs-config.h. */
};

struct controller *controller_create(const char *state_dir,
                                     const char *run_dir, const char *db);
void controller_destroy(struct controller *);
void controller_run(struct controller *);
void controller_wait(struct controller *);

/* Saves now what would be saved soon, because the program ends. */
void controller_save(struct controller *);

/* For standing.h: 'mapping', which is taken over, takes the place of what is
 * there.  NULL: none is known, nothing is touched. */
void controller_set_mapping(struct controller *, struct mapping *mapping);

#endif /* controller.h */
