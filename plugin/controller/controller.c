/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller holds, and how it flows from one part to the next. */
#include <config.h>
#include "controller/controller.h"

#include <stdlib.h>
#include <string.h>

#include "controller/client.h"
#include "controller/flow-index.h"
#include "controller/hits.h"
#include "controller/host-addr.h"
#include "controller/key-rotation.h"
#include "controller/key-service.h"
#include "controller/lease.h"
#include "controller/mapping-event.h"
#include "controller/meters.h"
#include "controller/ofctrl.h"
#include "controller/punts.h"
#include "controller/registrar.h"
#include "controller/sse.h"
#include "controller/underlay.h"
#include "coverage.h"
#include "dirs.h"
#include "host/node-file.h"
#include "model/mapping.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "seal/wire.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(controller);

COVERAGE_DEFINE(controller_flows_computed);

enum {
    UPDATE_MS = 5000,           /* Between looks at the database. */
    FIRST_EVENT_MS = 1000,      /* For what was missed to arrive. */
    UNDERLAY_MTU = 1500,        /* What any path can be hoped to carry. */
};

/* What the switch and the service tell. */

static void
switch_reset(void *c_)
{
    struct controller *c = c_;
    learnt_reset(&c->learnt, time_msec());
    guard_reset(c);
    ct_limits_reset(&c->ct_limits);
    c->flows_changed = true;
}

static void
switch_learnt(void *c_, uint32_t vni, ofp_port_t port, struct eth_addr mac,
              bool present)
{
    struct controller *c = c_;

    if (!present || !guard_learnt(c, vni, port, mac)) {
        learnt_set_present(&c->learnt, vni, port, mac, present);
    }
}

static void
switch_punted(void *c_, const struct punt *punt)
{
    struct controller *c = c_;
    punts_receive(c, punt);
}

static void
switch_counted(void *c_, const struct ofputil_flow_stats *fs)
{
    struct controller *c = c_;
    hits_counted(c->hits, c->mapping, fs);
}

static void
stream_event(const struct sse_event *event, void *c_)
{
    struct controller *c = c_;
    struct mapping_event_result result;

    if (!c->standing.trusted || c->restart_stream
        || key_service_event(event, &c->keys)
        || installed_event(c, event) || traces_event(c, event)) {
        return;
    }
    free(c->mapping_error);
    c->mapping_error = mapping_event_apply(event, &c->standing.node,
                                           &c->mapping, &result,
                                           &c->touches);
    if (c->mapping_error) {
        VLOG_WARN("mapping service: %s", c->mapping_error);
        c->restart_stream = true;
        c->no_resume = true;
        return;
    }
    if (result.changed) {
        c->mapping_changed = true;
        c->snapshot |= result.snapshot;
        c->no_resume = false;
    }
    c->from_service = true;
}

static char *
stream_last_event_id(void *c_)
{
    struct controller *c = c_;

    if (!c->mapping || c->no_resume
        || model_revision_is_zero(c->mapping->revision)) {
        return NULL;
    }
    return xasprintf(MODEL_REVISION_FMT,
                     MODEL_REVISION_ARGS(c->mapping->revision));
}

static const char *
endpoints_to_register(const struct controller *c)
{
    return c->endpoints ? c->endpoints : ovs_config_settings(c->ovs)->endpoint;
}

static char *
lease_request_body(void *c_)
{
    struct controller *c = c_;
    return lease_body(c->instance.text, c->standing.fingerprint,
                      endpoints_to_register(c));
}

static char *
register_request_body(void *c_)
{
    struct controller *c = c_;
    return lease_register_body(c->node.identity, c->standing.fingerprint,
                               endpoints_to_register(c));
}

struct controller *
controller_create(const char *state_dir, const char *run_dir, const char *db)
{
    struct controller *c = xzalloc(sizeof *c);
    const struct ofctrl_events switch_events = {
        switch_reset, switch_learnt, switch_punted, switch_counted, c };
    const struct client_events stream_events = {
        stream_event, stream_last_event_id, lease_request_body,
        register_request_body, c };

    c->state_dir = xstrdup(state_dir);
    c->run_dir = xstrdup(run_dir);
    c->paths.keyring = xasprintf("%s/keyring", run_dir);
    c->paths.sessions = xasprintf("%s/sessions", state_dir);
    c->mtu = wire_inner_mtu(UNDERLAY_MTU, AF_INET);
    instance_init(&c->instance, run_dir);
    identity_file_init(&c->node, state_dir);
    cache_init(&c->cache, state_dir);
    own_keys_init(&c->keys, state_dir);
    keyring_out_init(&c->keyring, run_dir);
    learnt_init(&c->learnt);
    acl_log_init(&c->acl_log);
    ovs_list_init(&c->traces.list);
    services_init(&c->services);
    guard_init(&c->guard);
    duplicates_init(&c->duplicates);
    moves_init(&c->moves);
    flow_index_init(&c->flows);
    ct_zones_init(&c->zones);
    ct_limits_init(&c->ct_limits);
    c->flows_forgotten = true;
    c->ovs = ovs_config_create(db);
    c->ofctrl = ofctrl_create(&switch_events);
    c->client = client_create(&stream_events);
    c->registrar = registrar_create(c->client);
    c->key_service = key_service_create(c->client);
    c->hits = hits_create(c->client);
    return c;
}

void
controller_save(struct controller *c)
{
    if (c->node.identity && c->mapping) {
        cache_run(&c->cache, &c->standing.node, c->mapping, true);
        if (client_is_live(c->client)) {
            cache_touch(&c->cache, time_msec(), true);
        }
    }
}

void
controller_destroy(struct controller *c)
{
    if (c) {
        controller_save(c);
        traces_destroy(c);
        key_service_destroy(c->key_service);
        registrar_destroy(c->registrar);
        client_destroy(c->client);
        hits_destroy(c->hits);
        ofctrl_destroy(c->ofctrl);
        flow_index_destroy(&c->flows);
        mapping_touches_destroy(&c->touches);
        ovs_config_destroy(c->ovs);
        learnt_destroy(&c->learnt);
        acl_log_destroy(&c->acl_log);
        services_destroy(&c->services);
        guard_destroy(&c->guard);
        duplicates_destroy(&c->duplicates);
        moves_destroy(&c->moves);
        keyring_out_destroy(&c->keyring);
        own_keys_destroy(&c->keys);
        cache_destroy(&c->cache);
        identity_file_destroy(&c->node);
        standing_destroy(&c->standing);
        instance_destroy(&c->instance);
        local_ports_destroy(&c->ports);
        ct_zones_destroy(&c->zones);
        ct_limits_destroy(&c->ct_limits);
        mapping_destroy(c->mapping);
        free(c->mapping_error);
        free(c->endpoints);
        free(c->paths.keyring);
        free(c->paths.sessions);
        free(c->state_dir);
        free(c->run_dir);
        free(c);
    }
}

void
controller_set_mapping(struct controller *c, struct mapping *mapping)
{
    mapping_destroy(c->mapping);
    c->mapping = mapping;
    mapping_touches_add_all(&c->touches);
    c->from_service = false;
    c->current_at = mapping ? c->cache.current_at : 0;
    c->keyring_changed = c->flows_changed = true;
    c->next_update = 0;
}

/* The connection to the service. */

static void
configure_client(struct controller *c)
{
    const struct node_file *identity = c->node.identity;
    const char *remote = ovs_config_settings(c->ovs)->remote;
    enum { URLS_MAX = 16 };
    const char *urls[URLS_MAX];
    size_t n = 0, n_old = 0;

    if (!identity || !c->standing.fingerprint) {
        client_set_config(c->client, NULL);
        return;
    }

    char *copy = xstrdup(remote ? remote : ""), *save_ptr = NULL;
    for (char *url = strtok_r(copy, ", ", &save_ptr); url && n < URLS_MAX;
         url = strtok_r(NULL, ", ", &save_ptr)) {
        urls[n++] = url;
    }
    for (size_t i = 0; !*copy && i < identity->urls.n && n < URLS_MAX; i++) {
        urls[n++] = identity->urls.names[i];
    }
    while (n_old < NODE_OLD_MAX && identity->old_credentials[n_old]) {
        n_old++;
    }
    const struct client_config config = {
        .urls = urls,
        .n_urls = n,
        .ca = identity->ca,
        .instance = c->instance.text,
        .node = &identity->id,
        .credential = identity->credential,
        .next_credential = identity->next_credential,
        .origin_credential = identity->origin_credential,
        .old_credentials = identity->old_credentials,
        .n_old = n_old,
    };
    client_set_config(c->client, &config);
    free(copy);
}

/* The service has changed the mapping. */
static void
take_mapping(struct controller *c)
{
    /* Keys do not depend on bindings, of which most changes are. */
    if (c->touches.others) {
        own_keys_sync(&c->keys, c->mapping, c->snapshot);
        c->keyring_changed = true;
    } else if (!c->keyring_changed) {
        keyring_out_advance(&c->keyring, c->mapping);
    }
    if (c->snapshot) {
        keyring_out_mark(&c->keyring);
    }
    cache_mark(&c->cache);
    c->snapshot = c->mapping_changed = false;
    c->flows_changed = c->bindings_changed = true;
    c->next_update = 0;
}

static void
run_client(struct controller *c)
{
    configure_client(c);
    client_run(c->client);
    if (!client_is_live(c->client)) {
        c->live_at = 0;
    } else if (!c->live_at) {
        c->live_at = time_msec();
    }
    standing_run_lease(c);
    credential_rotation_run(c);
    if (c->restart_stream) {
        client_restart(c->client);
        c->restart_stream = false;
    }
    if (c->mapping_changed) {
        take_mapping(c);
    }
    own_keys_save(&c->keys, time_msec());
}

/* Endpoints and MTU. */

static char *
own_endpoints(const struct controller *c)
{
    const struct ovs_settings *settings = ovs_config_settings(c->ovs);
    struct client_status status;

    if (settings->endpoint) {
        return xstrdup(settings->endpoint);
    }
    client_get_status(c->client, &status);
    if (!status.local_ip) {
        return NULL;
    }
    return underlay_endpoints(status.local_ip, settings->port);
}

/* True if a datagram between this node and any that it knows is IPv6 unless
 * there is no other way. */
static bool
underlay_is_ipv6(const struct controller *c)
{
    const struct model_node *node;

    HMAP_FOR_EACH (node, by_number, &c->mapping->nodes) {
        if (node->n_endpoints
            && !model_endpoint_is_ipv4(&node->endpoints[0])) {
            return true;
        }
    }
    return false;
}

/* The MTU that can be expected to fit in one datagram on the underlay, for as
 * long as the tunnel port knows of no path: on the device of this node's first
 * endpoint, but no more than what other nodes can be expected to have. */
static void
update_mtu(struct controller *c)
{
    const struct model_node *self = c->mapping->self;
    int underlay = UNDERLAY_MTU;

    if (self && self->n_endpoints) {
        int mtu = host_addr_mtu_of(&self->endpoints[0].ip);
        underlay = mtu ? MIN(underlay, mtu) : underlay;
    }
    int mtu = wire_inner_mtu(underlay,
                             underlay_is_ipv6(c) ? AF_INET6 : AF_INET);
    if (mtu) {
        c->mtu = mtu;
    }
}

/* The database. */

/* The local ports, as the database and the mapping have them now, take the
 * place of the old ones. */
static void
adopt_ports(struct controller *c)
{
    struct local_ports ports = LOCAL_PORTS_INITIALIZER;
    ofp_port_t tunnel = ovs_config_tunnel(c->ovs)->ofport;

    local_ports_copy(&ports, ovs_config_ports(c->ovs));
    guard_sync_ports(c, &ports);
    if (!local_ports_equal(&c->ports, &ports)) {
        if (c->mapping) {
            flow_index_touch_ports(&c->touches, c->mapping, &c->ports,
                                   &ports);
        }
        moves_ports_changed(c, &ports);
        local_ports_swap(&c->ports, &ports);
        learnt_prune(&c->learnt, &c->ports);
        c->flows_changed = c->bindings_changed = true;
        c->next_update = 0;     /* The database says why one is blocked. */
    }
    local_ports_destroy(&ports);
    if (tunnel != c->tunnel) {
        if (tunnel) {
            keyring_out_reload(&c->keyring);
        }
        c->tunnel = tunnel;
        c->flows_changed = true;
    }
}

/* Those of 'a' that 'b' does not have are touched. */
static void
touch_zones(struct controller *c, const struct ct_zones *a,
            const struct ct_zones *b, bool flush)
{
    const struct ct_zone *z;

    HMAP_FOR_EACH (z, node, &a->zones) {
        if (ct_zones_find(b, z->vni) != z->zone) {
            mapping_touches_add(&c->touches, MAPPING_TOUCH_NET_ROW, z->vni,
                                eth_addr_zero);
            c->flows_changed = true;
            if (flush) {
                ofctrl_flush_zone(c->ofctrl, z->zone);
            }
        }
    }
}

/* The zones, as the database has them now.  One that was given to another
 * vSubnet remembers nothing; those that an earlier run has used are as they
 * should be. */
static void
adopt_zones(struct controller *c)
{
    const struct ct_zones *zones = ovs_config_zones(c->ovs);
    const struct ct_zone *z;

    touch_zones(c, &c->zones, zones, false);
    touch_zones(c, zones, &c->zones, c->zones_known);
    ct_zones_destroy(&c->zones);
    ct_zones_init(&c->zones);
    HMAP_FOR_EACH (z, node, &zones->zones) {
        ct_zones_add(&c->zones, z->vni, z->zone);
    }
    c->zones_known |= ovs_config_bridge_is_usable(c->ovs);
}

/* A stream whose address here has gone from the host would be silent for a
 * while before it is given up. */
static void
check_local_address(struct controller *c)
{
    struct client_status status;
    struct model_address local;

    client_get_status(c->client, &status);
    if (status.live && status.local_ip) {
        char *error = model_address_parse(status.local_ip, &local);

        if (!error && !host_addr_mtu_of(&local.ip)) {
            client_restart(c->client);
        }
        free(error);
    }
}

static void
run_database(struct controller *c)
{
    if (underlay_run(&c->underlay)) {
        c->keyring_changed = true;
        c->next_update = 0;
    }
    if (c->mapping && duplicates_run(&c->duplicates, c->mapping, &c->ports,
                                     time_msec())) {
        c->next_update = 0;
    }
    if (ovs_config_run(c->ovs) || time_msec() >= c->next_update) {
        if (c->mapping) {
            update_mtu(c);
        }

        const struct ovs_want want = {
            .paths = &c->paths,
            .mapping = c->mapping,
            .ports = &c->ports,
            .duplicates = &c->duplicates,
            .joined = c->node.identity != NULL,
            .mtu = c->mtu,
            .spoke = &c->moves.spoke,
        };
        ovs_config_update(c->ovs, &want);
        sset_clear(&c->moves.spoke);
        c->next_update = time_msec() + UPDATE_MS;
        adopt_ports(c);
        adopt_zones(c);
        check_local_address(c);
        services_run(c);
    }
    ovs_config_commit(c->ovs);
}

/* Keyring and flows. */

/* The cache is written less often than the keyring, so after a restart the one
 * that an earlier run has left may have keys that the cache has not, and that
 * others send with already.  It stays until the service has said more, or,
 * being connected, has nothing to say. */
static bool
keyring_is_ahead(struct controller *c)
{
    return (!c->from_service && c->mapping->self
            && (!c->live_at || time_msec() < c->live_at + FIRST_EVENT_MS)
            && keyring_out_is_left(&c->keyring, c->mapping->self->number));
}

static void
run_keyring(struct controller *c)
{
    if (c->keyring.dirty && time_msec() >= c->keyring.retry_at) {
        c->keyring_changed = true;
    }
    if (c->mapping && c->keyring_changed && !keyring_is_ahead(c)) {
        keyring_out_update(&c->keyring, c->mapping, &c->keys,
                           underlay_reaches);
        c->keyring_changed = false;
    }
    c->keyring.cached = c->cache.saved;
    keyring_out_run(&c->keyring);
}

/* A MAC that was registered here is at another node now. */
static void
mac_moved(uint32_t vni, struct eth_addr mac, void *c_)
{
    struct controller *c = c_;

    guard_moved_away(c, vni, mac);
    ofctrl_unlearn(c->ofctrl, vni, mac);
}

static void
update_meters(struct controller *c)
{
    struct meters meters = METERS_INITIALIZER;

    meters_compute(&meters, &c->ports, c->mapping);
    ofctrl_set_meters(c->ofctrl, &meters);
    meters_destroy(&meters);
}

static void
update_flows(struct controller *c)
{
    const struct flow_input input = {
        .ports = &c->ports,
        .mapping = c->mapping,
        .tunnel = c->tunnel,
        .zones = &c->zones,
        .holds = &c->guard.holds,
    };
    struct flow_index *flows = &c->flows;

    update_meters(c);
    flow_index_update(flows, &input, &c->touches);
    moves_unlearn(c);
    mapping_touches_clear(&c->touches);
    ofctrl_set_desired(c->ofctrl, &flows->flows,
                       (flows->all_touched || c->flows_forgotten
                        ? NULL : &flows->touched));
    flow_index_settle(flows);
    c->flows_forgotten = false;
    ct_limits_update(&c->ct_limits, &c->zones, c->mapping);
    learnt_note_registered(&c->learnt, c->mapping, mac_moved, c);
    COVERAGE_INC(controller_flows_computed);
}

static void
run_flows(struct controller *c)
{
    const struct ovs_settings *settings = ovs_config_settings(c->ovs);
    bool usable = c->mapping && ovs_config_bridge_is_usable(c->ovs);

    char *target = (usable
                    ? xasprintf("unix:%s/%s.mgmt", ovs_rundir(),
                                settings->bridge)
                    : NULL);
    ofctrl_set_target(c->ofctrl, target);
    free(target);

    if (usable && settings->restore_wait) {
        update_meters(c);       /* The flows that are restored need them. */
    }
    if (!usable || settings->restore_wait) {
        ofctrl_forget_desired(c->ofctrl);
        c->flows_changed = c->flows_forgotten = true;
        c->reread_flows |= settings->restore_wait;
        ofctrl_run(c->ofctrl);
        return;
    }
    if (c->reread_flows) {
        ofctrl_reread(c->ofctrl);
        c->reread_flows = false;
    }
    if (c->flows_changed && time_msec() >= c->next_flows) {
        long long int start = time_msec();

        update_flows(c);

        /* Should that have taken long, changes that come in a row are taken
         * together. */
        long long int end = time_msec();
        c->next_flows = end + 3 * (end - start);
        c->flows_changed = false;
    }
    ofctrl_run(c->ofctrl);
    ct_limits_run(&c->ct_limits);
}

/* The mapping is this node's, and what it has to say goes under its ID. */
static bool
is_known_node(const struct controller *c)
{
    return (c->mapping && c->mapping->self && c->node.identity
            && c->standing.duty == DUTY_NONE);
}

static void
run_registrar(struct controller *c)
{
    if (!is_known_node(c)) {
        return;
    }

    char *endpoints = own_endpoints(c);
    if (endpoints) {
        free(c->endpoints);
        c->endpoints = endpoints;
    }
    const struct registrar_input input = {
        .mapping = c->mapping,
        .ports = &c->ports,
        .learnt = &c->learnt,
        .endpoints = c->endpoints,
        .changed = c->bindings_changed || c->learnt.seqno != c->learnt_seqno,
    };
    c->bindings_changed = false;
    c->learnt_seqno = c->learnt.seqno;
    registrar_run(c->registrar, &input);
}

/* This node's own keys: made, told, put in force, retired. */
static void
run_keys(struct controller *c)
{
    if (!is_known_node(c)) {
        return;
    }

    const struct key_rotation_facts facts = {
        .mapping = c->mapping,
        .interval = ovs_config_settings(c->ovs)->rekey_interval,
        .live = (client_is_live(c->client)
                 && c->mapping->self->state == MODEL_NODE_APPROVED),
        .settled = (!c->keyring_changed
                    && keyring_out_is_loaded(&c->keyring)),
        .now = time_msec(),
        .wall = time_wall(),
        .random = random_uint16(),
    };
    bool changed = key_rotation_run(&c->keys, &facts);
    c->keys_run = facts.now;

    changed |= key_service_run(c->key_service, &c->keys, &c->keyring, &facts);
    own_keys_save(&c->keys, time_msec());
    if (changed) {
        c->keyring_changed = true;
        poll_immediate_wake();
    }
}

void
controller_run(struct controller *c)
{
    standing_run_identity(c);
    run_client(c);
    run_database(c);
    run_registrar(c);
    run_keys(c);
    run_keyring(c);
    run_flows(c);
    hits_run(c->hits, c->ofctrl, c->mapping);
    guard_run(c);
    moves_run(c);
    if (c->mapping && c->node.identity) {
        if (cache_run(&c->cache, &c->standing.node, c->mapping, false)) {
            poll_immediate_wake();      /* Others may wait for that. */
        }
        if (client_is_live(c->client)) {
            c->current_at = time_wall();
            cache_touch(&c->cache, time_msec(), false);
        }
    }
    installed_run(c);
    traces_run(c);
}

void
controller_wait(struct controller *c)
{
    traces_wait(c);
    identity_file_wait(&c->node);
    credential_rotation_wait(c);
    client_wait(c->client);
    ovs_config_wait(c->ovs);
    underlay_wait(&c->underlay);
    poll_timer_wait_until(c->next_update);
    keyring_out_wait(&c->keyring);
    ofctrl_wait(c->ofctrl);
    ct_limits_wait(&c->ct_limits);
    guard_wait(c);
    moves_wait(c);
    if (is_known_node(c)) {
        registrar_wait(c->registrar);
        key_service_wait(c->key_service);
        poll_timer_wait_until(key_rotation_next(&c->keys, c->keys_run));
        if (c->learnt.seqno != c->learnt_seqno) {
            poll_immediate_wake();
        }
    }
    if (c->mapping) {
        poll_timer_wait_until(duplicates_next(&c->duplicates));
        cache_wait(&c->cache);
        hits_wait(c->hits);
        if (c->flows_changed && ovs_config_bridge_is_usable(c->ovs)
            && !ovs_config_settings(c->ovs)->restore_wait) {
            poll_timer_wait_until(c->next_flows);
        }
    }
}
