/* SPDX-License-Identifier: Apache-2.0 */
/* Bridge and ports that the controller makes in the database. */
#include <config.h>
#include "controller/ovs-make.h"

#include <string.h>

#include "controller/ct-zones.h"
#include "controller/duplicates.h"
#include "controller/flow-names.h"
#include "controller/host-addr.h"
#include "controller/names.h"
#include "controller/ovs-config.h"
#include "lib/vswitch-idl.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ovs_make);

static void OVS_PRINTF_FORMAT(2, 3)
problem(const struct ovs_make *make, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    sset_add_and_free(make->problems, xvasprintf(format, args));
    va_end(args);
}

const struct ovsrec_interface *
ovs_find_interface(const struct ovsrec_bridge *br, const char *name)
{
    for (size_t i = 0; i < br->n_ports; i++) {
        const struct ovsrec_port *port = br->ports[i];
        if (port->n_interfaces == 1 && !strcmp(port->name, name)) {
            return port->interfaces[0];
        }
    }
    return NULL;
}

/* True if there is a port or interface 'name' in whichever bridge.  Another
 * one would make the database refuse the whole transaction, again and again,
 * and so nothing at all would be made. */
static bool
name_is_taken(const struct ovs_make *make, const char *name)
{
    const struct ovsrec_interface *iface;
    const struct ovsrec_port *port;

    OVSREC_INTERFACE_FOR_EACH (iface, make->idl) {
        if (!strcmp(iface->name, name)) {
            return true;
        }
    }
    OVSREC_PORT_FOR_EACH (port, make->idl) {
        if (!strcmp(port->name, name)) {
            return true;
        }
    }
    return false;
}

bool
ovs_is_owned(const struct ovsrec_interface *iface)
{
    return smap_get_bool(&iface->external_ids, NAME_OWNED, false);
}

bool
ovs_is_host_port(const struct ovsrec_interface *iface)
{
    return ovs_is_owned(iface) && !strcmp(iface->type, "internal")
           && smap_get(&iface->external_ids, NAME_NET);
}

/* The bridge. */

static const struct ovsrec_bridge *
find_bridge(const struct ovs_make *make)
{
    const struct ovsrec_bridge *br;

    OVSREC_BRIDGE_FOR_EACH (br, make->idl) {
        if (!strcmp(br->name, make->settings->bridge)) {
            return br;
        }
    }
    return NULL;
}

/* Adds a port with one interface to 'br'. */
static struct ovsrec_interface *
insert_port(const struct ovs_make *make, const struct ovsrec_bridge *br,
            const char *name, const char *type)
{
    struct ovsrec_interface *iface = ovsrec_interface_insert(make->txn);
    struct ovsrec_port *port = ovsrec_port_insert(make->txn);

    ovsrec_interface_set_name(iface, name);
    ovsrec_interface_set_type(iface, type);
    ovsrec_port_set_name(port, name);
    ovsrec_port_set_interfaces(port, &iface, 1);
    ovsrec_port_update_external_ids_setkey(port, NAME_OWNED, "true");
    ovsrec_interface_update_external_ids_setkey(iface, NAME_OWNED, "true");
    ovsrec_bridge_update_ports_addvalue(br, port);
    return iface;
}

static void
create_bridge(const struct ovs_make *make)
{
    const char *name = make->settings->bridge;
    struct ovsrec_bridge *br = ovsrec_bridge_insert(make->txn);

    VLOG_INFO("making bridge %s", name);
    ovsrec_bridge_set_name(br, name);
    ovsrec_bridge_set_datapath_type(br, "netdev");
    ovsrec_bridge_set_fail_mode(br, "secure");
    ovsrec_bridge_update_external_ids_setkey(br, NAME_OWNED, "true");
    insert_port(make, br, name, "internal");
    ovsrec_open_vswitch_update_bridges_addvalue(make->ovs, br);
}

/* Who else uses 'br', or NULL. */
static const char *
bridge_owner(const struct ovs_make *make, const struct ovsrec_bridge *br)
{
    const struct smap *ids = &make->ovs->external_ids;
    const struct smap_node *node;

    if (br->n_controller) {
        return "an OpenFlow controller";
    }
    if (smap_get(ids, "ovn-remote")
        && !strcmp(smap_get_def(ids, "ovn-bridge", "br-int"), br->name)) {
        return "OVN";
    }
    SMAP_FOR_EACH (node, &br->external_ids) {
        if (!strncmp(node->key, "ovn-", 4)
            || !strncmp(node->key, "ct-zone-", 8)) {
            return "OVN";
        }
        if (!strncmp(node->key, "neutron", 7)) {
            return "Neutron";
        }
    }
    return NULL;
}

/* True if 'br' can be made to speak OpenFlow 1.5, or does. */
static bool
speaks_openflow15(const struct ovsrec_bridge *br)
{
    for (size_t i = 0; i < br->n_protocols; i++) {
        if (!strcmp(br->protocols[i], "OpenFlow15")) {
            return true;
        }
    }
    return !br->n_protocols;
}

static bool
has_table(const struct ovsrec_bridge *br, int64_t table)
{
    for (size_t i = 0; i < br->n_flow_tables; i++) {
        if (br->key_flow_tables[i] == table) {
            return true;
        }
    }
    return false;
}

/* Gives the bridge's tables the names that the design gives them, so that
 * "ovs-ofctl --names" shows those.  What an operator configured stays. */
static void
name_tables(const struct ovs_make *make, const struct ovsrec_bridge *br)
{
    for (int table = 0; table <= UINT8_MAX; table++) {
        const char *name = flow_table_name(table);

        if (name && !has_table(br, table)) {
            struct ovsrec_flow_table *row
                = ovsrec_flow_table_insert(make->txn);

            ovsrec_flow_table_set_name(row, name);
            ovsrec_bridge_update_flow_tables_setkey(br, table, row);
        }
    }
}

const struct ovsrec_bridge *
ovs_make_bridge(const struct ovs_make *make)
{
    const struct ovsrec_bridge *br = find_bridge(make);

    if (!br) {
        if (make->txn && make->want->joined && !make->settings->restore_wait) {
            if (name_is_taken(make, make->settings->bridge)) {
                problem(make, "a port has the name of bridge %s",
                        make->settings->bridge);
            } else {
                create_bridge(make);
            }
        }
        return NULL;
    }

    const char *owner = bridge_owner(make, br);
    if (owner) {
        problem(make, "bridge %s is used by %s: choose another with "
                "external_ids:vsubnet-bridge", br->name, owner);
        return NULL;
    }
    if (strcmp(br->datapath_type, "netdev")) {
        problem(make, "bridge %s has datapath_type \"%s\" and needs "
                "\"netdev\": ovs-vsctl set bridge %s datapath_type=netdev",
                br->name, br->datapath_type, br->name);
        return NULL;
    }
    if (!speaks_openflow15(br)) {
        problem(make, "bridge %s does not speak OpenFlow15: "
                "ovs-vsctl add bridge %s protocols OpenFlow15",
                br->name, br->name);
        return NULL;
    }
    if (make->txn && make->want->joined && !make->settings->restore_wait) {
        if (!br->fail_mode || strcmp(br->fail_mode, "secure")) {
            ovsrec_bridge_set_fail_mode(br, "secure");
        }
        name_tables(make, br);
    }
    return br;
}

/* The tunnel port. */

/* Makes 'key' in 'options' be 'value'; returns true if it was not. */
static bool
set_option(struct smap *options, const char *key, const char *value)
{
    const char *old = smap_get(options, key);

    if (old && !strcmp(old, value)) {
        return false;
    }
    smap_replace(options, key, value);
    return true;
}

static void
set_tunnel_options(const struct ovs_make *make,
                   const struct ovsrec_interface *iface,
                   const struct smap *current)
{
    struct smap options = SMAP_INITIALIZER(&options);
    char port[8];

    smap_clone(&options, current);
    snprintf(port, sizeof port, "%d", make->settings->port);
    bool changed = set_option(&options, "remote_ip", "flow");
    changed |= set_option(&options, "key", "flow");
    changed |= set_option(&options, "dst_port", port);
    changed |= set_option(&options, "keyring", make->want->paths->keyring);
    changed |= set_option(&options, "state", make->want->paths->sessions);
    if (changed) {
        ovsrec_interface_set_options(iface, &options);
    }
    smap_destroy(&options);
}

void
ovs_make_tunnel(const struct ovs_make *make, const struct ovsrec_bridge *br)
{
    const struct ovsrec_interface *iface
        = ovs_find_interface(br, NAME_TUNNEL_PORT);

    if (iface && !name_is_tunnel_type(iface->type)) {
        problem(make, "port %s of bridge %s has type \"%s\", not \"vsubnet\"",
                iface->name, br->name, iface->type);
        return;
    }
    if (!make->txn || !make->want->joined || make->settings->restore_wait) {
        return;
    }
    if (!iface) {
        const struct smap none = SMAP_INITIALIZER(&none);

        if (name_is_taken(make, NAME_TUNNEL_PORT)) {
            problem(make, "port %s is in another bridge", NAME_TUNNEL_PORT);
            return;
        }
        VLOG_INFO("making tunnel port %s", NAME_TUNNEL_PORT);
        set_tunnel_options(make, insert_port(make, br, NAME_TUNNEL_PORT,
                                             "vsubnet"), &none);
    } else if (ovs_is_owned(iface)) {
        set_tunnel_options(make, iface, &iface->options);
    }
}

/* The host's own ports. */

static const struct model_binding *
find_host_binding(const struct ovs_make *make, const struct model_net *net)
{
    const struct model_binding *binding;
    uint32_t self = make->want->mapping->self->number;

    /* The service says which MAC a host has; this is the usual one. */
    binding = mapping_binding(make->want->mapping, net->name,
                              model_host_mac(self));
    if (binding && binding->origin == MODEL_ORIGIN_HOST) {
        return binding;
    }
    MAPPING_FOR_EACH_AT (binding, mapping_place(make->want->mapping, self)) {
        if (binding->origin == MODEL_ORIGIN_HOST
            && !strcmp(binding->net, net->name)) {
            return binding;
        }
    }
    return NULL;
}

/* The addresses of a host's own port, with the prefix lengths of the ranges
 * that they are from. */
struct host_addresses {
    struct model_address addresses[MODEL_ADDRESSES_MAX];
    size_t n;
};

static void
get_host_addresses(const struct model_net *net,
                   const struct model_binding *binding,
                   struct host_addresses *host)
{
    host->n = MIN(binding->n_addresses, MODEL_ADDRESSES_MAX);
    for (size_t i = 0; i < host->n; i++) {
        struct model_address *address = &host->addresses[i];
        const struct model_address *range;

        *address = binding->addresses[i];
        range = address->plen < 0 ? model_net_subnet_of(net, address) : NULL;
        if (range) {
            address->plen = range->plen;
        }
    }
}

static bool
addresses_contain(const struct host_addresses *host,
                  const struct model_address *address)
{
    for (size_t i = 0; i < host->n; i++) {
        if (model_address_equals(&host->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* Takes from the device those of the addresses in 'old' (as in
 * external_ids:vsubnet-addresses) that are not in 'host'. */
static void
remove_addresses(const char *device, const char *old,
                 const struct host_addresses *host)
{
    char *copy = xstrdup(old), *save_ptr = NULL;

    for (char *s = strtok_r(copy, " ", &save_ptr); s;
         s = strtok_r(NULL, " ", &save_ptr)) {
        struct model_address address;
        char *error = model_address_parse(s, &address);

        if (!error && !addresses_contain(host, &address)) {
            host_addr_remove(device, &address);
        }
        free(error);
    }
    free(copy);
}

static void
update_addresses(const struct ovs_make *make,
                 const struct ovsrec_interface *iface,
                 const struct host_addresses *host)
{
    struct ds now = DS_EMPTY_INITIALIZER;
    const char *old = smap_get_def(&iface->external_ids, NAME_ADDRESSES, "");

    for (size_t i = 0; i < host->n; i++) {
        if (i) {
            ds_put_char(&now, ' ');
        }
        model_address_format(&host->addresses[i], &now);
    }
    if (strcmp(old, ds_cstr(&now))) {
        remove_addresses(iface->name, old, host);
        ovsrec_interface_update_external_ids_setkey(iface, NAME_ADDRESSES,
                                                    ds_cstr(&now));
    }
    ds_destroy(&now);

    if (iface->n_ofport && *iface->ofport > 0) {
        int error = host_addr_set(iface->name, host->addresses, host->n);
        if (error) {
            problem(make, "%s: cannot set addresses: %s", iface->name,
                    ovs_strerror(error));
        }
    }
}

static void
update_host_port(const struct ovs_make *make,
                 const struct ovsrec_interface *iface,
                 const struct model_net *net,
                 const struct model_binding *binding)
{
    struct host_addresses host;
    char mac[ETH_ADDR_STRLEN + 1];
    int64_t mtu = make->mtu;

    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac));
    if (!iface->mac || strcmp(iface->mac, mac)) {
        ovsrec_interface_set_mac(iface, mac);
    }
    if (!iface->n_mtu_request || *iface->mtu_request != mtu) {
        ovsrec_interface_set_mtu_request(iface, &mtu, 1);
    }
    get_host_addresses(net, binding, &host);
    update_addresses(make, iface, &host);
}

static void
make_host_port(const struct ovs_make *make, const struct ovsrec_bridge *br,
               const struct model_net *net, const char *name)
{
    const struct model_binding *binding = find_host_binding(make, net);
    const struct ovsrec_interface *iface = ovs_find_interface(br, name);

    if (!binding) {
        return;
    }
    if (!iface && name_is_taken(make, name)) {
        problem(make, "port %s, which vSubnet %s needs, is in another bridge",
                name, net->name);
    } else if (!iface) {
        struct ovsrec_interface *new = insert_port(make, br, name,
                                                   "internal");
        int64_t mtu = make->mtu;
        char mac[ETH_ADDR_STRLEN + 1];

        VLOG_INFO("making port %s for vSubnet %s", name, net->name);
        snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac));
        ovsrec_interface_set_mac(new, mac);
        ovsrec_interface_set_mtu_request(new, &mtu, 1);
        ovsrec_interface_update_external_ids_setkey(new, NAME_NET, net->name);
    } else if (!ovs_is_host_port(iface)
               || strcmp(smap_get(&iface->external_ids, NAME_NET),
                         net->name)) {
        problem(make, "port %s, which vSubnet %s needs, is somebody else's",
                name, net->name);
    } else {
        update_host_port(make, iface, net, binding);
    }
}

/* Deletes the ports of ours that are not in 'wanted'. */
static void
delete_unwanted(const struct ovsrec_bridge *br, const struct sset *wanted)
{
    for (size_t i = 0; i < br->n_ports; i++) {
        struct ovsrec_port *port = br->ports[i];

        if (port->n_interfaces == 1
            && smap_get_bool(&port->external_ids, NAME_OWNED, false)
            && ovs_is_host_port(port->interfaces[0])
            && !sset_contains(wanted, port->name)) {
            VLOG_INFO("deleting port %s", port->name);
            ovsrec_bridge_update_ports_delvalue(br, port);
        }
    }
}

void
ovs_make_host_ports(const struct ovs_make *make,
                    const struct ovsrec_bridge *br)
{
    const struct mapping *mapping = make->want->mapping;
    struct sset wanted = SSET_INITIALIZER(&wanted);
    const struct model_net *net;

    if (!make->txn || !mapping || make->settings->restore_wait) {
        sset_destroy(&wanted);
        return;
    }
    HMAP_FOR_EACH (net, by_name, &mapping->nets) {
        const struct model_member *member
            = (mapping->self
               ? mapping_member(mapping, net->name, mapping->self->number)
               : NULL);
        char name[IFNAMSIZ];

        if (member && member->host_port) {
            name_host_port(net->name, name);
            sset_add(&wanted, name);
            make_host_port(make, br, net, name);
        }
    }
    delete_unwanted(br, &wanted);
    sset_destroy(&wanted);
}

/* Zones. */

void
ovs_make_zones(const struct ovs_make *make, const struct ovsrec_bridge *br,
               const struct ct_zones *zones)
{
    struct ds old = DS_EMPTY_INITIALIZER, new = DS_EMPTY_INITIALIZER;
    struct ct_zones wanted;

    if (!make->txn || !make->want->mapping) {
        return;
    }
    ct_zones_format(zones, &old);
    ct_zones_init(&wanted);
    ct_zones_parse(&wanted, ds_cstr(&old));
    if (ct_zones_sync(&wanted, make->want->mapping)) {
        ct_zones_format(&wanted, &new);
        ovsrec_bridge_update_external_ids_setkey(br, NAME_CT_ZONES,
                                                 ds_cstr(&new));
    }
    ct_zones_destroy(&wanted);
    ds_destroy(&old);
    ds_destroy(&new);
}

/* Notes. */

static void
make_note(const struct ovsrec_interface *iface, const char *key,
          const char *new)
{
    const char *old = smap_get(&iface->external_ids, key);

    if (nullable_string_is_equal(old, new)) {
        return;
    }
    if (new) {
        ovsrec_interface_update_external_ids_setkey(iface, key, new);
    } else {
        ovsrec_interface_update_external_ids_delkey(iface, key);
    }
}

/* The first look at a port reads from its interface why it was blocked, so
 * what is said there is not touched before the port is in want->ports. */
static void
make_port_notes(const struct ovs_make *make,
                const struct ovsrec_interface *iface,
                const struct local_ports *now)
{
    const struct local_port *port = local_ports_find(make->want->ports,
                                                     iface->name);

    if (!port && local_ports_find(now, iface->name)) {
        return;
    }
    char *duplicate = (port ? duplicates_note(make->want->duplicates, port)
                       : NULL);
    make_note(iface, NAME_BLOCKED, port ? port->blocked : NULL);
    make_note(iface, NAME_DUPLICATE, duplicate);
    free(duplicate);
}

void
ovs_make_notes(const struct ovs_make *make, const struct ovsrec_bridge *br,
               const struct local_ports *now)
{
    for (size_t i = 0; make->txn && i < br->n_ports; i++) {
        if (br->ports[i]->n_interfaces == 1) {
            make_port_notes(make, br->ports[i]->interfaces[0], now);
        }
    }
}
