/* SPDX-License-Identifier: Apache-2.0 */
/* What operators do with tokens, nodes, vSubnets, members and bindings. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "model/jansson.h"
#include "model/object.h"
#include "packets.h"
#include "util.h"

void
ctl_show_list(struct ctl *ctl, json_t *array,
              const struct output_column *columns)
{
    if (ctl_has(ctl, OPT_JSON)) {
        output_json(array);
    } else {
        output_table(array, columns);
    }
    json_decref(array);
}

void
ctl_show_record(struct ctl *ctl, const json_t *object,
                const struct output_column *columns)
{
    if (ctl_has(ctl, OPT_JSON)) {
        output_json(object);
    } else {
        output_record(object, columns);
    }
}

/* Adds to each object of ARRAY, as "node_name", the name of the node whose
 * number is its "node": for tables. */
static void
add_node_names(struct ctl *ctl, json_t *array)
{
    if (ctl_has(ctl, OPT_JSON) || !json_array_size(array)) {
        return;
    }
    json_t *nodes = ctl_list(ctl, ctl_path("nodes", NULL));
    json_t *names = json_object();

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        char *number = output_value(json_object_get(node, "number"));

        json_object_set(names, number, json_object_get(node, "name"));
        free(number);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *object = json_array_get(array, i);
        char *number = output_value(json_object_get(object, "node"));

        json_object_set(object, "node_name", json_object_get(names, number));
        free(number);
    }
    json_decref(nodes);
    json_decref(names);
}

/* Tokens. */


json_int_t
ctl_parse_time(const char *name, const char *s)
{
    static const char units[] = "smhd";
    static const unsigned int seconds[] = { 1, 60, 3600, 86400 };
    size_t n = strspn(s, "0123456789");
    const char *unit = s[n] ? strchr(units, s[n]) : units;
    json_int_t ttl = n && n < 10 && unit ? strtoll(s, NULL, 10) : 0;

    if (!ttl || (s[n] && s[n + 1])) {
        ctl_usage("--%s %s: must be a time like 90s, 30m, 1h or 7d", name, s);
    }
    return ttl * seconds[unit - units];
}

void
ctl_token_create(struct ctl *ctl)
{
    const char *ttl = ctl_option(ctl, OPT_TTL);
    json_t *body = json_pack(
        "{s:I, s:I, s:b, s:o}",
        "ttl", ctl_parse_time("ttl", ttl ? ttl : "1h"),
        "uses", (json_int_t) ctl_uint_option(ctl, OPT_USES, 1, 1000000, 1),
        "approve", (int) ctl_has(ctl, OPT_APPROVE),
        "nets", ctl_strings_option(ctl, OPT_NET));
    json_t *token = ctl_request(ctl, "POST", ctl_path("tokens", NULL), body);

    if (ctl_has(ctl, OPT_JSON)) {
        output_json(token);
    } else {
        char *s = output_value(json_object_get(token, "token"));
        puts(s);
        free(s);
    }
    json_decref(token);
}

void
ctl_token_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "ID", "id" }, { "Expires", "expires" }, { "Uses", "uses" },
        { "Left", "uses_left" }, { "Approve", "approve" }, { "Nets", "nets" },
        { NULL, NULL },
    };

    ctl_show_list(ctl, ctl_list_filtered(ctl, ctl_path("tokens", NULL), 0),
                  columns);
}

void
ctl_token_rm(struct ctl *ctl)
{
    const char *id = ctl_arg(ctl, 0);
    json_t *answer = ctl_request(ctl, "DELETE", ctl_path("tokens", id, NULL),
                                 NULL);

    output_done(ctl, answer, "token %s removed", id);
    json_decref(answer);
}

/* Nodes. */

static const struct output_column node_columns[] = {
    { "Number", "number" }, { "Name", "name" }, { "State", "state" },
    { "Connected", "connected" }, { "Clone of", "origin_name" },
    { "Endpoints", "endpoints" }, { NULL, NULL },
};

/* Adds to NODE, if it is a clone, the name of the one of NODES that it is a
 * clone of, as "origin_name": for people.  One that is gone has its UUID. */
static void
add_origin_name(json_t *node, const json_t *nodes)
{
    json_t *origin = json_object_get(node, "origin");
    json_t *name = origin;

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *other = json_array_get(nodes, i);

        if (json_is_string(origin)
            && json_equal(json_object_get(other, "id"), origin)) {
            name = json_object_get(other, "name");
        }
    }
    if (name) {
        json_object_set(node, "origin_name", name);
    }
}

void
ctl_node_ls(struct ctl *ctl)
{
    json_t *nodes = ctl_list_nodes(ctl);

    for (size_t i = 0; i < json_array_size(nodes)
         && !ctl_has(ctl, OPT_JSON); i++) {
        add_origin_name(json_array_get(nodes, i), nodes);
    }
    ctl_show_list(ctl, nodes, node_columns);
}

void
ctl_node_show(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Number", "number" }, { "Name", "name" }, { "ID", "id" },
        { "State", "state" }, { "Connected", "connected" },
        { "Clone of", "origin_name" }, { "Endpoints", "endpoints" },
        { "Tunnel address", "tunnel_address" },
        { "Created", "created" }, { "Fingerprint", "fingerprint" },
        { "Revision", "revision" }, { NULL, NULL },
    };
    json_t *node = ctl_request(ctl, "GET",
                               ctl_path("nodes", ctl_arg(ctl, 0), NULL),
                               NULL);
    json_t *one = json_pack("[O]", node);

    ctl_merge_connected(ctl, one);
    json_decref(one);
    if (json_is_string(json_object_get(node, "origin"))
        && !ctl_has(ctl, OPT_JSON)) {
        json_t *nodes = ctl_list(ctl, ctl_path("nodes", NULL));

        add_origin_name(node, nodes);
        json_decref(nodes);
    }
    ctl_show_record(ctl, node, columns);
    json_decref(node);
}

static void
patch_node(struct ctl *ctl, const char *member, const char *value,
           const char *what)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *node = ctl_request(ctl, "PATCH", ctl_path("nodes", name, NULL),
                               json_pack("{s:s}", member, value));

    output_done(ctl, node, "node %s %s", name, what);
    json_decref(node);
}

void
ctl_node_approve(struct ctl *ctl)
{
    patch_node(ctl, "state", "approved", "approved");
}

void
ctl_node_revoke(struct ctl *ctl)
{
    patch_node(ctl, "state", "revoked", "revoked");
}

void
ctl_node_rename(struct ctl *ctl)
{
    ctl_check("", model_check_node_name(ctl_arg(ctl, 1)));
    patch_node(ctl, "name", ctl_arg(ctl, 1), "renamed");
}

void
ctl_node_adopt(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *node = ctl_request(ctl, "POST",
                               ctl_path("nodes", name, "adopt", NULL), NULL);
    char *number = output_value(json_object_get(node, "number"));
    char *new_name = output_value(json_object_get(node, "name"));

    output_done(ctl, node, "node %s is node %s, %s, now", name, number,
                new_name);
    free(new_name);
    free(number);
    json_decref(node);
}

void
ctl_node_rm(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *answer = ctl_request(ctl, "DELETE",
                                 ctl_path("nodes", name, NULL), NULL);

    output_done(ctl, answer, "node %s removed", name);
    json_decref(answer);
}

/* vSubnets. */

static const struct output_column net_columns[] = {
    { "Name", "name" }, { "VNI", "vni" }, { "Subnets", "subnets" },
    { "Algorithm", "algorithm" }, { "Group", "group" }, { NULL, NULL },
};

void
ctl_net_add(struct ctl *ctl)
{
    json_t *body = json_pack("{s:s}", "name", ctl_arg(ctl, 0));

    ctl_check("", model_check_name(ctl_arg(ctl, 0)));
    if (ctl_has(ctl, OPT_VNI)) {
        unsigned int vni = ctl_uint_option(ctl, OPT_VNI, 1, MODEL_VNI_MAX, 0);
        json_object_set_new(body, "vni", json_integer(vni));
    }
    ctl_net_options(ctl, NULL, body);
    json_t *net = ctl_request(ctl, "POST", ctl_path("nets", NULL), body);
    char *vni = output_value(json_object_get(net, "vni"));
    output_done(ctl, net, "vSubnet %s made, VNI %s", ctl_arg(ctl, 0), vni);
    free(vni);
    json_decref(net);
}

void
ctl_net_ls(struct ctl *ctl)
{
    ctl_show_list(ctl, ctl_list_filtered(ctl, ctl_path("nets", NULL), 0),
                  net_columns);
}

static const struct output_column member_columns[] = {
    { "Node", "node" }, { "Name", "node_name" }, { "Host port", "host_port" },
    { NULL, NULL },
};

void
ctl_net_show(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *net = ctl_request(ctl, "GET", ctl_path("nets", name, NULL), NULL);

    ctl_show_record(ctl, net, net_columns);
    if (!ctl_has(ctl, OPT_JSON)) {
        ctl_show_settings(net);
        json_t *members = ctl_list(ctl, ctl_path("nets", name, "members",
                                                 NULL));

        printf("\n%"PRIuSIZE" member%s\n", json_array_size(members),
               json_array_size(members) == 1 ? "" : "s");
        if (json_array_size(members)) {
            add_node_names(ctl, members);
            output_table(members, member_columns);
        }
        json_decref(members);
    }
    json_decref(net);
}

void
ctl_net_rekey(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *net = ctl_request(ctl, "POST",
                              ctl_path("nets", name, "rekey", NULL), NULL);

    output_done(ctl, net, "all members of vSubnet %s replace their keys",
                name);
    json_decref(net);
}

void
ctl_net_rm(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *answer = ctl_request(ctl, "DELETE", ctl_path("nets", name, NULL),
                                 NULL);

    output_done(ctl, answer, "vSubnet %s removed", name);
    json_decref(answer);
}

/* Members. */

void
ctl_member_add(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *node = ctl_arg(ctl, 1);

    if (ctl_has(ctl, OPT_HOST_PORT) && ctl_has(ctl, OPT_NO_HOST_PORT)) {
        ctl_usage("--host-port and --no-host-port exclude each other");
    }
    json_t *member = ctl_request(
        ctl, "PUT", ctl_path("nets", net, "members", node, NULL),
        json_pack("{s:b}", "host_port", !ctl_has(ctl, OPT_NO_HOST_PORT)));
    output_done(ctl, member, "node %s is a member of vSubnet %s", node, net);
    json_decref(member);
}

void
ctl_member_ls(struct ctl *ctl)
{
    json_t *members = ctl_list_filtered(
        ctl, ctl_path("nets", ctl_arg(ctl, 0), "members", NULL), 0);

    add_node_names(ctl, members);
    ctl_show_list(ctl, members, member_columns);
}

void
ctl_member_rm(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *node = ctl_arg(ctl, 1);
    json_t *answer = ctl_request(
        ctl, "DELETE", ctl_path("nets", net, "members", node, NULL), NULL);

    output_done(ctl, answer, "node %s is no member of vSubnet %s any more",
                node, net);
    json_decref(answer);
}

/* Bindings, which the command line calls ports. */

void
ctl_port_add(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *mac = ctl_option(ctl, OPT_MAC);
    struct eth_addr ea;

    if (mac) {
        ctl_check("--mac", model_mac_parse(mac, &ea));
    }
    json_t *body = json_pack("{s:o}", "mac",
                             mac ? json_string(mac) : json_null());
    ctl_port_options(ctl, body);
    json_t *binding = ctl_request(
        ctl, "POST", ctl_path("nets", net, "bindings", NULL), body);
    char *mac_s = output_value(json_object_get(binding, "mac"));
    char *addresses_s = output_value(json_object_get(binding, "addresses"));
    output_done(ctl, binding, "%s (%s) bound in vSubnet %s",
                mac_s, addresses_s, net);
    free(mac_s);
    free(addresses_s);
    json_decref(binding);
}

void
ctl_port_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Net", "net" }, { "MAC", "mac" }, { "Addresses", "addresses" },
        { "Node", "node" }, { "Name", "node_name" }, { "Port", "port" },
        { "Iface ID", "iface_id" }, { "Origin", "origin" },
        { "Labels", "labels" }, { NULL, NULL },
    };
    json_t *bindings = json_array();
    json_t *nets;

    if (ctl_arg(ctl, 0)) {
        nets = json_pack("[{s:s}]", "name", ctl_arg(ctl, 0));
    } else {
        nets = ctl_list(ctl, ctl_path("nets", NULL));
    }
    for (size_t i = 0; i < json_array_size(nets); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(nets, i), "name"));
        json_t *items = ctl_list_filtered(
            ctl, ctl_path("nets", name ? name : "", "bindings", NULL), 0);
        json_array_extend(bindings, items);
        json_decref(items);
    }
    json_decref(nets);
    add_node_names(ctl, bindings);
    ctl_show_list(ctl, bindings, columns);
}

void
ctl_port_rm(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *mac = ctl_arg(ctl, 1);
    struct eth_addr ea;

    ctl_check("", model_mac_parse(mac, &ea));
    json_t *answer = ctl_request(
        ctl, "DELETE", ctl_path("nets", net, "bindings", mac, NULL), NULL);
    output_done(ctl, answer, "%s is not bound in vSubnet %s any more",
                mac, net);
    json_decref(answer);
}

/* The audit log. */

void
ctl_audit_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Time", "time" }, { "Actor", "actor" }, { "Action", "action" },
        { "Object", "object" }, { "Detail", "detail" },
        { "From", "source" }, { NULL, NULL },
    };
    json_t *items = ctl_list_filtered(
        ctl, ctl_path("audit", NULL),
        ctl_uint_option(ctl, OPT_LIMIT, 1, 10000, 100));

    if (ctl_has(ctl, OPT_JSON)) {
        output_json(items);
    } else {
        /* As a log: the newest line is the last one. */
        json_t *reversed = json_array();

        for (size_t i = json_array_size(items); i > 0; i--) {
            json_array_append(reversed, json_array_get(items, i - 1));
        }
        output_table_in_order(reversed, columns);
        json_decref(reversed);
    }
    json_decref(items);
}
