/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of vSubnets and ports. */

#include <config.h>

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

/* Each option becomes a member of a request's body.  What it says is checked
 * by the service; here only what can't be put into JSON, and words whose
 * meaning is the command line's. */

static bool
parse_switch(const char *name, const char *value)
{
    if (strcmp(value, "on") && strcmp(value, "off")) {
        ctl_usage("--%s %s: must be on or off", name, value);
    }
    return !strcmp(value, "on");
}

static void
set_switch(const struct ctl *ctl, enum ctl_option option, const char *name,
           json_t *body, const char *member)
{
    const char *value = ctl_option(ctl, option);

    if (value) {
        json_object_set_new(body, member,
                            json_boolean(parse_switch(name, value)));
    }
}

/* An empty value takes away what is there. */
static void
set_text(const struct ctl *ctl, enum ctl_option option, const char *name,
         json_t *body, const char *member)
{
    const char *value = ctl_option(ctl, option);

    if (value && json_object_set_new(body, member,
                                     value[0] ? json_string(value)
                                     : json_null())) {
        ctl_usage("--%s: not UTF-8", name);
    }
}

static void
set_number(const struct ctl *ctl, enum ctl_option option, unsigned int max,
           json_t *body, const char *member)
{
    if (ctl_has(ctl, option)) {
        json_object_set_new(body, member, json_integer(
            ctl_uint_option(ctl, option, 1, max, 0)));
    }
}

/* Elements: an option each, or one that is empty for none. */
static void
set_list(const struct ctl *ctl, enum ctl_option option, json_t *body,
         const char *member)
{
    if (ctl_has(ctl, option)) {
        bool none = (ctl->options[option].n == 1
                     && !ctl_option(ctl, option)[0]);

        json_object_set_new(body, member,
                            none ? json_array()
                            : ctl_strings_option(ctl, option));
    }
}

static void
set_routes(const struct ctl *ctl, json_t *dhcp)
{
    const struct svec *values = &ctl->options[OPT_ROUTE];
    json_t *routes = json_array();
    const char *value;
    size_t i;

    SVEC_FOR_EACH (i, value, values) {
        size_t n = strcspn(value, "=");

        if (!value[0] && values->n == 1) {
            break;
        }
        json_t *route = value[n] ? json_pack("{s:s%, s:s}", "to", value, n,
                                             "via", value + n + 1) : NULL;
        if (!route) {
            ctl_usage("--route %s: must be CIDR=ADDR", value);
        }
        json_array_append_new(routes, route);
    }
    if (values->n) {
        json_object_set(dhcp, "routes", routes);
    }
    json_decref(routes);
}

static bool
has_dhcp_options(const struct ctl *ctl)
{
    return (ctl_has(ctl, OPT_LEASE) || ctl_has(ctl, OPT_GATEWAY)
            || ctl_has(ctl, OPT_DNS) || ctl_has(ctl, OPT_DOMAIN)
            || ctl_has(ctl, OPT_ROUTE));
}

/* What DHCP tells is one member: the options change what it is now, which is
 * NOW's (null: a new vSubnet's). */
static void
set_dhcp(const struct ctl *ctl, const json_t *now, json_t *body)
{
    const char *value = ctl_option(ctl, OPT_DHCP);
    bool on = value ? parse_switch("dhcp", value) : has_dhcp_options(ctl);

    if (!on && has_dhcp_options(ctl)) {
        ctl_usage("--dhcp off goes with no other option of DHCP");
    }
    if (!on) {
        if (value) {
            json_object_set_new(body, "dhcp", json_null());
        }
        return;
    }
    json_t *is = json_object_get(now, "dhcp");
    json_t *dhcp = json_is_object(is) ? json_deep_copy(is) : json_object();
    if (ctl_has(ctl, OPT_LEASE)) {
        json_object_set_new(dhcp, "lease", json_integer(
            ctl_parse_time("lease", ctl_option(ctl, OPT_LEASE))));
    }
    set_text(ctl, OPT_GATEWAY, "gateway", dhcp, "gateway");
    set_list(ctl, OPT_DNS, dhcp, "dns");
    set_text(ctl, OPT_DOMAIN, "domain", dhcp, "domain");
    set_routes(ctl, dhcp);
    json_object_set_new(body, "dhcp", dhcp);
}

void
ctl_net_options(const struct ctl *ctl, const json_t *now, json_t *body)
{
    set_list(ctl, OPT_SUBNET, body, "subnets");
    set_text(ctl, OPT_ALGORITHM, "algorithm", body, "algorithm");
    set_text(ctl, OPT_GROUP, "group", body, "group");
    set_text(ctl, OPT_POLICY, "policy", body, "policy");
    set_switch(ctl, OPT_PORT_SECURITY, "port-security", body,
               "port_security");
    set_switch(ctl, OPT_ARP_SUPPRESSION, "arp-suppression", body,
               "arp_suppression");
    set_text(ctl, OPT_IPV6, "ipv6", body, "ipv6");
    set_switch(ctl, OPT_GUEST_DHCP, "guest-dhcp", body, "guest_dhcp");
    set_number(ctl, OPT_MAX_MACS, MODEL_MACS_MAX, body, "max_macs");
    set_number(ctl, OPT_BUM_RATE, MODEL_BUM_RATE_MAX, body, "bum_rate");
    set_dhcp(ctl, now, body);
}

/* Returns the --address options as the API wants them: "auto" alone, an
 * array, or null where there are none. */
static json_t *
addresses_option(const struct ctl *ctl)
{
    const struct svec *values = &ctl->options[OPT_ADDRESS];
    const char *value;
    size_t i;

    SVEC_FOR_EACH (i, value, values) {
        struct model_address address;

        if (!value[0] && values->n == 1) {
            return json_array();
        } else if (strcmp(value, "auto")) {
            ctl_check("--address", model_address_parse(value, &address));
        } else if (values->n > 1) {
            ctl_usage("--address auto goes with no other --address");
        } else {
            return json_string("auto");
        }
    }
    return values->n ? ctl_strings_option(ctl, OPT_ADDRESS) : NULL;
}

/* The service wants a node's number. */
static void
set_node(struct ctl *ctl, json_t *body)
{
    const char *node = ctl_option(ctl, OPT_NODE);

    if (node && node[0]) {
        json_t *json = ctl_request(ctl, "GET",
                                   ctl_path("nodes", node, NULL), NULL);

        json_object_set(body, "node", json_object_get(json, "number"));
        json_decref(json);
    } else if (node) {
        json_object_set_new(body, "node", json_null());
    }
}

void
ctl_port_options(struct ctl *ctl, json_t *body)
{
    json_t *addresses = addresses_option(ctl);

    if (addresses) {
        json_object_set_new(body, "addresses", addresses);
    }
    set_text(ctl, OPT_IFACE_ID, "iface-id", body, "iface_id");
    set_node(ctl, body);
    set_switch(ctl, OPT_PORT_SECURITY, "port-security", body,
               "port_security");
    set_list(ctl, OPT_LABEL, body, "labels");
}

/* Ends the process if BODY is empty: the command named nothing. */
static void
check_any(const struct ctl *ctl, const json_t *body)
{
    if (!json_object_size(body)) {
        ctl_usage("nothing to set (see vsubnetctl %s --help)",
                  ctl->command->name);
    }
}

void
ctl_net_set(struct ctl *ctl)
{
    const char *name = ctl_arg(ctl, 0);
    json_t *body = json_object();
    json_t *now = NULL;

    if (has_dhcp_options(ctl) || ctl_has(ctl, OPT_DHCP)) {
        /* What it tells is replaced whole: nobody may change it meanwhile. */
        now = ctl_request(ctl, "GET", ctl_path("nets", name, NULL), NULL);
        char *revision = output_value(json_object_get(now, "revision"));
        char *tag = xasprintf("\"%s\"", revision);

        client_set_if_match(ctl_client(ctl), tag);
        free(tag);
        free(revision);
    }
    ctl_net_options(ctl, now, body);
    check_any(ctl, body);
    json_t *net = ctl_request(ctl, "PATCH", ctl_path("nets", name, NULL),
                              body);
    output_done(ctl, net, "vSubnet %s changed", name);
    json_decref(net);
    json_decref(now);
}

void
ctl_port_set(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *mac = ctl_arg(ctl, 1);
    json_t *body = json_object();
    struct eth_addr ea;

    ctl_check("", model_mac_parse(mac, &ea));
    ctl_port_options(ctl, body);
    check_any(ctl, body);
    json_t *binding = ctl_request(
        ctl, "PATCH", ctl_path("nets", net, "bindings", mac, NULL), body);
    output_done(ctl, binding, "%s in vSubnet %s changed", mac, net);
    json_decref(binding);
}

/* For people: routes as the command line has them, and labels without the
 * bits that are free. */
void
ctl_show_settings(const json_t *net)
{
    static const struct output_column columns[] = {
        { "Policy", "policy" }, { "Port security", "port_security" },
        { "ARP suppression", "arp_suppression" }, { "IPv6", "ipv6" },
        { "Guests' DHCP", "guest_dhcp" }, { "MACs of a port", "max_macs" },
        { "BUM a second", "bum_rate" }, { "Labels", "labels" },
        { "DHCP", "on" }, { NULL, NULL },
    };
    static const struct output_column dhcp_columns[] = {
        { "DHCP lease", "lease" }, { "DHCP gateway", "gateway" },
        { "DHCP DNS", "dns" }, { "DHCP domain", "domain" },
        { "DHCP routes", "routes" }, { NULL, NULL },
    };
    json_t *shown = json_copy(CONST_CAST(json_t *, net));
    json_t *dhcp = json_object_get(net, "dhcp");
    json_t *all = json_object_get(net, "labels");
    json_t *labels = json_array();

    for (size_t i = 0; i < json_array_size(all); i++) {
        const char *label = json_string_value(json_array_get(all, i));

        if (label && label[0]) {
            json_array_append(labels, json_array_get(all, i));
        }
    }
    json_object_set_new(shown, "labels", labels);
    json_object_set_new(shown, "on", json_boolean(json_is_object(dhcp)));
    putchar('\n');
    output_record(shown, columns);
    json_decref(shown);

    if (json_is_object(dhcp)) {
        json_t *routes = json_object_get(dhcp, "routes");
        json_t *texts = json_array();

        shown = json_copy(dhcp);
        for (size_t i = 0; i < json_array_size(routes); i++) {
            const json_t *route = json_array_get(routes, i);
            char *to = output_value(json_object_get(route, "to"));
            char *via = output_value(json_object_get(route, "via"));

            json_array_append_new(texts, json_sprintf("%s=%s", to, via));
            free(via);
            free(to);
        }
        json_object_set_new(shown, "routes", texts);
        putchar('\n');
        output_record(shown, dhcp_columns);
        json_decref(shown);
    }
}
