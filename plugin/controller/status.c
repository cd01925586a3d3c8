/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller says about itself: vsubnet/status. */
#include <config.h>
#include "controller/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/hits.h"
#include "controller/key-service.h"
#include "controller/names.h"
#include "controller/ofctrl.h"
#include "controller/registrar.h"
#include "controller/reload.h"
#include "flow.h"
#include "host/node-file.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "seal/wire.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "uuid.h"

static json_t *
node_to_json(const struct controller *c)
{
    const struct node_file *identity = c->node.identity;
    const struct model_node *self = c->mapping ? c->mapping->self : NULL;

    if (!identity) {
        return json_null();
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o}",
        "id", json_sprintf(UUID_FMT, UUID_ARGS(&identity->id)),
        "number", self ? json_integer(self->number) : json_null(),
        "name", model_string_or_null(self ? self->name : identity->name),
        "state", (self ? json_string(model_node_state_name(self->state))
                  : json_null()));
}

static json_t *
service_to_json(const struct controller *c)
{
    struct client_status status;

    client_get_status(c->client, &status);
    return json_pack(
        "{s:o, s:b, s:s, s:o, s:o}",
        "url", model_string_or_null(status.url),
        "connected", status.live,
        "lease", standing_lease_name(c),
        "error", model_string_or_null(status.error),
        "heard_ms_ago", (status.live
                         ? json_integer(time_msec() - status.last_heard)
                         : json_null()));
}

static json_t *
mapping_to_json(const struct controller *c)
{
    if (!c->mapping || !c->node.identity) {
        return json_null();
    }
    return json_pack("{s:o, s:s, s:o}", "revision",
                     model_revision_to_json(c->mapping->revision),
                     "from", c->from_service ? "service" : "cache",
                     "age", (c->current_at
                             ? json_integer(MAX(0, time_wall()
                                                - c->current_at))
                             : json_null()));
}

static json_t *
openflow_to_json(const struct controller *c)
{
    struct ofctrl_status status;

    ofctrl_get_status(c->ofctrl, &status);
    return json_pack(
        "{s:s, s:b, s:b, s:s, s:I, s:I}",
        "bridge", ovs_config_settings(c->ovs)->bridge,
        "connected", status.connected,
        "in_sync", ofctrl_is_in_sync(c->ofctrl),
        "state", status.state,
        "flows", (json_int_t) status.n_installed,
        "changes", (json_int_t) status.n_changes);
}

static json_t *
tunnel_to_json(const struct controller *c)
{
    const struct ovs_tunnel *tunnel = ovs_config_tunnel(c->ovs);

    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "port", NAME_TUNNEL_PORT,
                     "ofport", (tunnel->ofport
                                ? json_integer(ofp_to_u16(tunnel->ofport))
                                : json_null()),
                     "keyring", model_string_or_null(tunnel->keyring_status),
                     "mtu", (tunnel->mtu ? json_integer(tunnel->mtu)
                             : json_null()),
                     "error", model_string_or_null(tunnel->error));
}

static void
append_binding(json_t *array, const struct local_port *port,
               const struct model_binding *binding)
{
    json_array_append_new(array, json_pack(
        "{s:s, s:o, s:o, s:b}", "name", port->name,
        "mac", json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac)),
        "addresses", model_addresses_to_json(binding->addresses,
                                             binding->n_addresses),
        "registered", true));
}

/* Adds one element for each MAC that 'port' has; one without MAC if it has
 * none. */
static void
append_port(const struct controller *c, json_t *array,
            const struct model_net *net, const struct local_port *port)
{
    const struct model_binding *binding = NULL;
    size_t before = json_array_size(array);
    uint32_t self = c->mapping->self ? c->mapping->self->number : 0;

    if (port->has_mac) {
        binding = mapping_binding(c->mapping, net->name, port->mac);
        if (binding && binding->node == self) {
            append_binding(array, port, binding);
        }
    } else {
        MAPPING_FOR_EACH_AT (binding, mapping_place(c->mapping, self)) {
            if (!strcmp(binding->net, net->name) && binding->port
                && !strcmp(binding->port, port->name)) {
                append_binding(array, port, binding);
            }
        }
    }
    if (json_array_size(array) == before) {
        json_t *json = json_pack(
            "{s:s, s:o, s:[], s:b}", "name", port->name,
            "mac", (port->has_mac
                    ? json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(port->mac))
                    : json_null()),
            "addresses", "registered", false);

        if (port->has_mac && binding && binding->node) {
            json_object_set_new(json, "node", json_integer(binding->node));
        }
        json_array_append_new(array, json);
    }
    for (size_t i = before; port->blocked && i < json_array_size(array); i++) {
        json_object_set_new(json_array_get(array, i), "blocked",
                            json_string(port->blocked));
    }
}

static json_t *
net_to_json(const struct controller *c, const struct model_net *net)
{
    json_t *ports = json_array();

    for (size_t i = 0; i < c->ports.n; i++) {
        if (c->ports.ports[i].vni == net->vni) {
            append_port(c, ports, net, &c->ports.ports[i]);
        }
    }
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "name", net->name,
                     "vni", (json_int_t) net->vni,
                     "members", (json_int_t) hmap_count(&net->members),
                     "bindings", (json_int_t) hmap_count(&net->bindings),
                     "keys", (json_int_t) hmap_count(&net->keys),
                     "ports", ports);
}

static int
compare_nets(const void *a_, const void *b_)
{
    const struct model_net *const *a = a_;
    const struct model_net *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

static json_t *
nets_to_json(const struct controller *c)
{
    json_t *array = json_array();

    if (c->mapping) {
        size_t n = hmap_count(&c->mapping->nets), i = 0;
        const struct model_net **nets = xcalloc(n ? n : 1, sizeof *nets);
        const struct model_net *net;

        HMAP_FOR_EACH (net, by_name, &c->mapping->nets) {
            nets[i++] = net;
        }
        qsort(nets, n, sizeof *nets, compare_nets);
        for (i = 0; i < n; i++) {
            json_array_append_new(array, net_to_json(c, nets[i]));
        }
        free(nets);
    }
    return array;
}

/* Problems. */

static void
add(json_t *problems, const char *problem)
{
    if (problem) {
        json_array_append_new(problems, json_string(problem));
    }
}

static void
add_pending(const struct controller *c, json_t *problems)
{
    const struct uuid *origin = &c->standing.origin;
    uint32_t number = c->mapping->self->number;

    if (uuid_is_zero(origin)) {
        add(problems, "this node waits for an operator's approval");
    } else {
        json_array_append_new(problems, json_sprintf(
            "another machine has the node ID "UUID_FMT" that this one had: "
            "this is a new node, which waits for an operator's approval "
            "(vsubnetctl node approve %"PRIu32", or node adopt %"PRIu32
            " if it is to be that node)", UUID_ARGS(origin), number, number));
    }
}

static void
add_identity_problems(const struct controller *c, json_t *problems)
{
    const struct model_node *self = c->mapping ? c->mapping->self : NULL;

    add(problems, c->node.error);
    add(problems, c->node.write_error);
    add(problems, c->instance.error);
    if (c->standing.stranger) {
        add(problems, "this machine is not the one that joined: waiting for "
            "the mapping service to say who may use this node ID");
    }
    if (!c->node.identity) {
        if (!c->node.error) {
            add(problems, "not joined: run vsubnetctl join URL TOKEN");
        }
    } else if (self && self->state == MODEL_NODE_PENDING) {
        add_pending(c, problems);
    } else if (self && self->state == MODEL_NODE_REVOKED) {
        add(problems, "an operator has revoked this node");
    }
}

/* What there is to go by without the service. */
static const char *
fallback(const struct controller *c)
{
    return (!c->mapping ? "there is nothing to go by"
            : c->from_service ? "going on with the last mapping"
            : "going by the cache");
}

static void
add_service_problems(const struct controller *c, json_t *problems)
{
    struct client_status status;

    client_get_status(c->client, &status);
    if (c->node.identity && !status.live && status.url) {
        const char *reason = status.error ? status.error : "connecting";

        json_array_append_new(problems, (
            status.lease == LEASE_HELD
            ? json_sprintf("waiting for this node's lease at %s: %s; %s",
                           status.url, reason, fallback(c))
            : json_sprintf("no connection to the mapping service at %s: %s; "
                           "%s", status.url, reason, fallback(c))));
    }
    add(problems, c->mapping_error);
    add(problems, registrar_error(c->registrar));
    add(problems, key_service_error(c->key_service));
}

static void
add_output_problems(const struct controller *c, json_t *problems)
{
    const char *reload = reload_error(c->keyring.reload);
    struct ofctrl_status status;
    const char *problem;

    add(problems, c->cache.error);
    add(problems, c->keys.error);
    add(problems, c->keyring.error);
    if (reload) {
        json_array_append_new(problems, json_sprintf(
            "ovs-vswitchd did not reload the keyring: %s", reload));
    }
    if (!ovs_config_is_connected(c->ovs)) {
        add(problems, "no connection to the Open_vSwitch database");
    }
    SSET_FOR_EACH (problem, ovs_config_problems(c->ovs)) {
        add(problems, problem);
    }
    ofctrl_get_status(c->ofctrl, &status);
    add(problems, status.error);
    if (c->mapping && ovs_config_bridge_is_usable(c->ovs)
        && !status.connected) {
        json_array_append_new(problems, json_sprintf(
            "no OpenFlow connection to bridge %s: is ovs-vswitchd running?",
            ovs_config_settings(c->ovs)->bridge));
    }
    if (ovs_config_settings(c->ovs)->restore_wait) {
        add(problems, "other_config:flow-restore-wait is set: "
            "leaving flows alone");
    }
}

static void
add_duplicates(const struct controller *c, json_t *problems,
               const struct local_port *port)
{
    size_t n;
    const struct duplicate **list = duplicates_of_port(&c->duplicates, port,
                                                       &n);

    for (size_t i = 0; i < n; i++) {
        struct ds ip = DS_EMPTY_INITIALIZER;

        ipv6_format_mapped(&list[i]->ip, &ip);
        json_array_append_new(problems, json_sprintf(
            "port %s: "ETH_ADDR_FMT" claims %s, which is bound to "
            ETH_ADDR_FMT, port->name, ETH_ADDR_ARGS(list[i]->mac),
            ds_cstr(&ip), ETH_ADDR_ARGS(list[i]->owner)));
        ds_destroy(&ip);
    }
    free(list);
}

static void
add_port_problems(const struct controller *c, json_t *problems)
{
    for (size_t i = 0; i < c->ports.n; i++) {
        const struct local_port *port = &c->ports.ports[i];
        const char *refusal = registrar_refusal(c->registrar, port);

        if (port->blocked) {
            json_array_append_new(problems, json_sprintf(
                "port %s is blocked: %s", port->name, port->blocked));
        }
        add_duplicates(c, problems, port);
        if (refusal) {
            json_array_append_new(problems, json_sprintf(
                "port %s: the mapping service does not register "
                ETH_ADDR_FMT": %s", port->name, ETH_ADDR_ARGS(port->mac),
                refusal));
        }
    }
}

static json_t *
problems_to_json(const struct controller *c)
{
    json_t *problems = json_array();

    add_identity_problems(c, problems);
    add_service_problems(c, problems);
    add_output_problems(c, problems);
    add_port_problems(c, problems);
    guard_add_problems(c, problems);
    return problems;
}

size_t
status_n_problems(const struct controller *c)
{
    json_t *problems = problems_to_json(c);
    size_t n = json_array_size(problems);

    json_decref(problems);
    return n;
}

static void
status_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED, void *c_)
{
    const struct controller *c = c_;
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                             "node", node_to_json(c),
                             "service", service_to_json(c),
                             "mapping", mapping_to_json(c),
                             "openflow", openflow_to_json(c),
                             "tunnel", tunnel_to_json(c),
                             "nets", nets_to_json(c),
                             "problems", problems_to_json(c));
    char *text = json_dumps(json, JSON_INDENT(2));

    unixctl_command_reply(conn, text);
    free(text);
    json_decref(json);
}

/* Returns the node that 'name' means: a number, a tunnel address, or the name
 * of one node only. */
static const struct model_node *
find_node(const struct mapping *mapping, const char *name)
{
    const struct model_node *found = NULL;
    const struct model_node *node;
    unsigned int number;
    ovs_be32 address;

    if (ip_parse(name, &address)) {
        return mapping_node(mapping, wire_node_number(address));
    }
    if (str_to_uint(name, 10, &number)) {
        return mapping_node(mapping, number);
    }
    HMAP_FOR_EACH (node, by_number, &mapping->nodes) {
        if (!strcmp(node->name, name)) {
            if (found) {
                return NULL;
            }
            found = node;
        }
    }
    return found;
}

static void
node_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[], void *c_)
{
    const struct controller *c = c_;
    const struct model_node *node = (c->mapping
                                     ? find_node(c->mapping, argv[1]) : NULL);

    if (!node) {
        char *error = xasprintf("no node, or several, are called %s among "
                                "those with which this node shares a vSubnet",
                                argv[1]);
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    json_t *json = json_pack(
        "{s:I, s:s, s:o}", "number", (json_int_t) node->number,
        "name", node->name, "tunnel_address",
        json_sprintf(IP_FMT, IP_ARGS(model_tunnel_address(node->number))));
    char *text = json_dumps(json, JSON_COMPACT);

    unixctl_command_reply(conn, text);
    free(text);
    json_decref(json);
}

static void
resync_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED, void *c_)
{
    struct controller *c = c_;

    c->reread_flows = true;
    poll_immediate_wake();
    unixctl_command_reply(conn, NULL);
}

static void
report_hits_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                    const char *argv[] OVS_UNUSED, void *c_)
{
    struct controller *c = c_;

    hits_hurry(c->hits);
    unixctl_command_reply(conn, NULL);
}

void
status_init(struct controller *c)
{
    unixctl_command_register("vsubnet/report-hits", "", 0, 0,
                             report_hits_command, c);
    unixctl_command_register("vsubnet/resync", "", 0, 0, resync_command, c);
    unixctl_command_register("vsubnet/node", "NODE", 1, 1, node_command, c);
    unixctl_command_register("vsubnet/status", "", 0, 0, status_command, c);
}
