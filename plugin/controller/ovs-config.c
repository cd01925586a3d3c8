/* SPDX-License-Identifier: Apache-2.0 */
/* The local Open_vSwitch database: settings in, bridge and ports out. */
#include <config.h>
#include "controller/ovs-config.h"

#include "controller/ct-zones.h"
#include "controller/key-rotation.h"
#include "controller/names.h"
#include "controller/ovs-claims.h"
#include "controller/ovs-make.h"
#include "flow.h"
#include "lib/vswitch-idl.h"
#include "model/mapping.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "seal/wire.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ovs_config);

enum {
    /* IPv6 is not spoken on a device of less (RFC 8200, section 5).  If the
     * underlay carries less in one datagram, there are fragments. */
    HOST_MTU_MIN = 1280,
    HOST_MTU_MAX = 65521,       /* That a tap device takes. */
};

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

struct ovs_config {
    struct ovsdb_idl_loop loop;
    struct ovsdb_idl_txn *txn;  /* Between _run() and _commit(), or NULL. */
    unsigned int seqno;
    bool connected;

    struct ovs_settings settings;
    struct ovs_tunnel tunnel;
    struct local_ports ports;
    struct ct_zones zones;
    struct ovs_claims claims;
    bool bridge_usable;
    struct sset problems;
};

static void
monitor_columns(struct ovsdb_idl *idl)
{
    const struct ovsdb_idl_column *const read[] = {
        &ovsrec_open_vswitch_col_external_ids,
        &ovsrec_open_vswitch_col_other_config,
        &ovsrec_bridge_col_name,
        &ovsrec_bridge_col_controller,
        &ovsrec_bridge_col_datapath_type,
        &ovsrec_bridge_col_protocols,
        &ovsrec_port_col_name,
        &ovsrec_port_col_interfaces,
        &ovsrec_interface_col_name,
        &ovsrec_interface_col_type,
        &ovsrec_interface_col_ofport,
        &ovsrec_interface_col_error,
        &ovsrec_interface_col_status,
        &ovsrec_open_vswitch_col_bridges,
        &ovsrec_bridge_col_ports,
        &ovsrec_bridge_col_fail_mode,
        &ovsrec_bridge_col_flow_tables,
        &ovsrec_flow_table_col_name,
        &ovsrec_bridge_col_external_ids,
        &ovsrec_port_col_external_ids,
        &ovsrec_interface_col_external_ids,
        &ovsrec_interface_col_options,
        &ovsrec_interface_col_mac,
        &ovsrec_interface_col_mtu_request,
    };

    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    ovsdb_idl_add_table(idl, &ovsrec_table_controller);
    ovsdb_idl_add_table(idl, &ovsrec_table_flow_table);
    for (size_t i = 0; i < ARRAY_SIZE(read); i++) {
        ovsdb_idl_add_column(idl, read[i]);
    }
}

struct ovs_config *
ovs_config_create(const char *remote)
{
    struct ovs_config *cfg = xzalloc(sizeof *cfg);

    cfg->loop = (struct ovsdb_idl_loop) OVSDB_IDL_LOOP_INITIALIZER(
        ovsdb_idl_create(remote, &ovsrec_idl_class, false, true));
    monitor_columns(cfg->loop.idl);
    ovsdb_idl_set_leader_only(cfg->loop.idl, false);
    cfg->settings.bridge = xstrdup("br-int");
    cfg->settings.port = WIRE_UDP_PORT;
    cfg->settings.rekey_interval = KEY_ROTATION_INTERVAL;
    sset_init(&cfg->problems);
    ct_zones_init(&cfg->zones);
    ovs_claims_init(&cfg->claims);
    return cfg;
}

void
ovs_config_destroy(struct ovs_config *cfg)
{
    if (cfg) {
        ovsdb_idl_loop_destroy(&cfg->loop);
        free(cfg->settings.remote);
        free(cfg->settings.bridge);
        free(cfg->settings.endpoint);
        free(cfg->settings.fingerprint);
        free(cfg->tunnel.error);
        free(cfg->tunnel.keyring_status);
        local_ports_destroy(&cfg->ports);
        ovs_claims_destroy(&cfg->claims);
        sset_destroy(&cfg->problems);
        ct_zones_destroy(&cfg->zones);
        free(cfg);
    }
}

static void
replace_string(char **dst, const char *src)
{
    if (!nullable_string_is_equal(*dst, src)) {
        free(*dst);
        *dst = nullable_xstrdup(src);
    }
}

static void
read_settings(struct ovs_config *cfg, const struct ovsrec_open_vswitch *ovs)
{
    const struct smap *ids = &ovs->external_ids;
    struct ovs_settings *s = &cfg->settings;
    const char *activation = smap_get(ids, NAME_ACTIVATION);
    int port = smap_get_int(ids, "vsubnet-port", WIRE_UDP_PORT);

    replace_string(&s->remote, smap_get(ids, "vsubnet-remote"));
    replace_string(&s->bridge, smap_get_def(ids, "vsubnet-bridge", "br-int"));
    replace_string(&s->endpoint, smap_get(ids, "vsubnet-endpoint"));
    replace_string(&s->fingerprint, smap_get(ids, "vsubnet-fingerprint"));
    s->restore_wait = smap_get_bool(&ovs->other_config, "flow-restore-wait",
                                    false);
    if (port < 1 || port > 65535) {
        sset_add(&cfg->problems, "external_ids:vsubnet-port is not a port "
                 "number: using the default");
        port = WIRE_UDP_PORT;
    }
    s->port = port;
    s->waits = activation && !strcmp(activation, "announce");
    if (activation && !s->waits && strcmp(activation, "attach")) {
        sset_add(&cfg->problems, "external_ids:"NAME_ACTIVATION" is neither "
                 "attach nor announce: using attach");
    }

    int interval = smap_get_int(ids, "vsubnet-rekey-interval",
                                KEY_ROTATION_INTERVAL);
    if (interval && interval < KEY_ROTATION_INTERVAL_MIN) {
        sset_add(&cfg->problems, "external_ids:vsubnet-rekey-interval is "
                 "neither 0 nor 5 or more: using 5");
        interval = KEY_ROTATION_INTERVAL_MIN;
    }
    s->rekey_interval = interval;
}

bool
ovs_config_run(struct ovs_config *cfg)
{
    cfg->txn = ovsdb_idl_loop_run(&cfg->loop);

    unsigned int seqno = ovsdb_idl_get_seqno(cfg->loop.idl);
    bool connected = ovsdb_idl_is_connected(cfg->loop.idl);
    bool changed = seqno != cfg->seqno || connected != cfg->connected;

    cfg->seqno = seqno;
    cfg->connected = connected;
    return changed;
}

static ofp_port_t
interface_ofport(const struct ovsrec_interface *iface)
{
    return (iface->n_ofport && *iface->ofport > 0
            && *iface->ofport < ofp_to_u16(OFPP_MAX)
            ? u16_to_ofp(*iface->ofport) : 0);
}

static void
read_tunnel(struct ovs_config *cfg, const struct ovsrec_bridge *br)
{
    const struct ovsrec_interface *iface
        = br ? ovs_find_interface(br, NAME_TUNNEL_PORT) : NULL;
    bool ours = iface && name_is_tunnel_type(iface->type);
    int mtu = ours ? smap_get_int(&iface->status, "mtu", 0) : 0;

    cfg->tunnel.owned = ours && ovs_is_owned(iface);
    cfg->tunnel.ofport = ours ? interface_ofport(iface) : 0;
    replace_string(&cfg->tunnel.error, ours ? iface->error : NULL);
    replace_string(&cfg->tunnel.keyring_status,
                   ours ? smap_get(&iface->status, "keyring") : NULL);
    cfg->tunnel.mtu = MAX(mtu, 0);
    if (ours && iface->error) {
        sset_add_and_free(&cfg->problems, xasprintf("tunnel port %s: %s",
                                                    iface->name,
                                                    iface->error));
    }
}

/* The MTU for the host's own ports: that of the tunnel port or, as long as
 * that knows of no path, 'guess'. */
static int
host_mtu(const struct ovs_tunnel *tunnel, int guess)
{
    int mtu = tunnel->mtu ? tunnel->mtu : guess;

    return MIN(MAX(mtu, HOST_MTU_MIN), HOST_MTU_MAX);
}

int
ovs_config_mtu(const struct ovs_config *cfg, int guess)
{
    return host_mtu(&cfg->tunnel, guess);
}

/* Says which vSubnet 'iface' is in, or NULL.  '*binding' is the registered
 * binding that says so, if it is one that does. */
static const struct model_net *
interface_net(struct ovs_config *cfg, const struct mapping *mapping,
              const struct ovsrec_interface *iface,
              const struct model_binding **binding)
{
    const char *name = smap_get(&iface->external_ids, NAME_NET);
    const char *iface_id = smap_get(&iface->external_ids, "iface-id");

    *binding = (iface_id ? mapping_binding_by_iface(mapping, iface_id)
                : NULL);
    if (name) {
        const struct model_net *net = mapping_net(mapping, name);
        if (!net) {
            sset_add_and_free(&cfg->problems, xasprintf(
                "port %s: this node is not a member of vSubnet %s",
                iface->name, name));
        }
        if (*binding && strcmp((*binding)->net, name)) {
            *binding = NULL;
        }
        return net;
    }
    return *binding ? mapping_net(mapping, (*binding)->net) : NULL;
}

static void
read_port_mac(struct ovs_config *cfg, const struct ovsrec_interface *iface,
              const struct model_binding *binding, struct local_port *port)
{
    const char *mac = smap_get(&iface->external_ids, "attached-mac");

    if (port->host_port) {
        mac = iface->mac;
    }
    if (!mac) {
        port->has_mac = binding != NULL;
        port->mac = binding ? binding->mac : eth_addr_zero;
    } else if (eth_addr_from_string(mac, &port->mac)
               && !eth_addr_is_multicast(port->mac)
               && !eth_addr_is_zero(port->mac)) {
        port->has_mac = true;
    } else {
        sset_add_and_free(&cfg->problems, xasprintf(
            "port %s: external_ids:attached-mac is not a unicast MAC address",
            iface->name));
    }
}

/* When 'port' claims its MAC: what its Interface says, or else the host. */
static void
read_activation(struct ovs_config *cfg, const struct ovsrec_interface *iface,
                struct local_port *port)
{
    const char *s = smap_get(&iface->external_ids, NAME_ACTIVATION);

    port->waits = s ? !strcmp(s, "announce") : cfg->settings.waits;
    if (s && strcmp(s, "announce") && strcmp(s, "attach")) {
        sset_add_and_free(&cfg->problems, xasprintf(
            "port %s: external_ids:"NAME_ACTIVATION" is neither attach nor "
            "announce: using attach", iface->name));
    }
}

static void
read_port(struct ovs_config *cfg, const struct ovs_want *want,
          const struct ovsrec_interface *iface)
{
    const struct mapping *mapping = want->mapping;
    const struct model_binding *binding;
    const struct model_net *net;

    if (name_is_tunnel_type(iface->type)) {
        return;
    }
    net = interface_net(cfg, mapping, iface, &binding);
    if (!net) {
        return;
    }

    struct local_port *port = local_ports_add(&cfg->ports, iface->name,
                                              net->name, net->vni);
    port->iface_id = nullable_xstrdup(smap_get(&iface->external_ids,
                                               "iface-id"));
    port->ofport = interface_ofport(iface);
    port->host_port = ovs_is_host_port(iface);
    port->blocked = nullable_xstrdup(smap_get(&iface->external_ids,
                                              NAME_BLOCKED));
    read_port_mac(cfg, iface, binding, port);
    read_activation(cfg, iface, port);
    ovs_claims_update(&cfg->claims, iface, cfg->txn, mapping, want->spoke,
                      port);
    if (iface->error) {
        sset_add_and_free(&cfg->problems, xasprintf("port %s: %s",
                                                    iface->name,
                                                    iface->error));
    }
}

static void
read_ports(struct ovs_config *cfg, const struct ovsrec_bridge *br,
           const struct ovs_want *want)
{
    local_ports_destroy(&cfg->ports);
    if (!br || !want->mapping) {
        return;
    }
    for (size_t i = 0; i < br->n_ports; i++) {
        if (br->ports[i]->n_interfaces == 1) {
            read_port(cfg, want, br->ports[i]->interfaces[0]);
        }
    }
    ovs_claims_prune(&cfg->claims);
    local_ports_sort(&cfg->ports);
}

/* Before anything is written in this transaction, which may fail. */
static void
read_zones(struct ovs_config *cfg, const struct ovsrec_bridge *br)
{
    ct_zones_destroy(&cfg->zones);
    ct_zones_init(&cfg->zones);
    ct_zones_parse(&cfg->zones, smap_get(&br->external_ids, NAME_CT_ZONES));
}

/* Logs what is in 'new' but not in 'old'. */
static void
log_problems(const struct sset *new, const struct sset *old)
{
    const char *problem;

    SSET_FOR_EACH (problem, new) {
        if (!sset_contains(old, problem)) {
            VLOG_WARN_RL(&rl, "%s", problem);
        }
    }
}

void
ovs_config_update(struct ovs_config *cfg, const struct ovs_want *want)
{
    const struct ovsrec_open_vswitch *ovs
        = ovsrec_open_vswitch_first(cfg->loop.idl);

    if (!ovs || !ovs_config_is_ready(cfg)) {
        return;
    }
    struct sset old_problems;
    sset_init(&old_problems);
    sset_swap(&cfg->problems, &old_problems);
    read_settings(cfg, ovs);

    struct ovs_make make = {
        .idl = cfg->loop.idl,
        .txn = cfg->txn,
        .ovs = ovs,
        .settings = &cfg->settings,
        .want = want,
        .problems = &cfg->problems,
    };
    const struct ovsrec_bridge *br = ovs_make_bridge(&make);
    cfg->bridge_usable = br != NULL;
    if (br) {
        read_zones(cfg, br);
        ovs_make_zones(&make, br, &cfg->zones);
        ovs_make_tunnel(&make, br);
    }
    read_tunnel(cfg, br);
    make.mtu = host_mtu(&cfg->tunnel, want->mtu);
    if (br) {
        ovs_make_host_ports(&make, br);
    }
    read_ports(cfg, br, want);
    if (br && want->mapping) {
        ovs_make_notes(&make, br, &cfg->ports);
    }
    log_problems(&cfg->problems, &old_problems);
    sset_destroy(&old_problems);
}

void
ovs_config_commit(struct ovs_config *cfg)
{
    if (!ovsdb_idl_loop_commit_and_wait(&cfg->loop) && cfg->connected) {
        VLOG_INFO_RL(&rl, "database transaction failed, trying again");
    }
    cfg->txn = NULL;
}

void
ovs_config_wait(struct ovs_config *cfg)
{
    ovsdb_idl_wait(cfg->loop.idl);
}

bool
ovs_config_is_ready(const struct ovs_config *cfg)
{
    return ovsdb_idl_has_ever_connected(cfg->loop.idl)
           && ovsrec_open_vswitch_first(cfg->loop.idl);
}

bool
ovs_config_is_connected(const struct ovs_config *cfg)
{
    return cfg->connected;
}

const struct ovs_settings *
ovs_config_settings(const struct ovs_config *cfg)
{
    return &cfg->settings;
}

const struct ovs_tunnel *
ovs_config_tunnel(const struct ovs_config *cfg)
{
    return &cfg->tunnel;
}

const struct local_ports *
ovs_config_ports(const struct ovs_config *cfg)
{
    return &cfg->ports;
}

const struct ct_zones *
ovs_config_zones(const struct ovs_config *cfg)
{
    return &cfg->zones;
}

bool
ovs_config_bridge_is_usable(const struct ovs_config *cfg)
{
    return cfg->bridge_usable;
}

const struct sset *
ovs_config_problems(const struct ovs_config *cfg)
{
    return &cfg->problems;
}

struct ovsdb_idl *
ovs_config_idl(const struct ovs_config *cfg)
{
    return cfg->loop.idl;
}
