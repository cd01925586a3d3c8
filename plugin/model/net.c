/* SPDX-License-Identifier: Apache-2.0 */
/* vSubnet: its struct and settings, and JSON both ways. */

#include <config.h>
#include "model/object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "packets.h"
#include "util.h"

void
model_net_init(struct model_net *net)
{
    *net = (struct model_net) {
        .algorithm = MODEL_AES128GCM,
        .policy = MODEL_POLICY_OPEN,
        .port_security = true,
        .arp_suppression = true,
        .ipv6 = MODEL_IPV6_NONE,
        .max_macs = MODEL_MACS_DEFAULT,
        .bum_rate = MODEL_BUM_RATE_DEFAULT,
    };
    hmap_init(&net->members);
    hmap_init(&net->bindings);
    hmap_init(&net->keys);
    hmap_init(&net->rules);
}

static void
dhcp_destroy(struct model_dhcp *dhcp)
{
    if (dhcp) {
        free(dhcp->dns);
        free(dhcp->domain);
        free(dhcp->routes);
        free(dhcp);
    }
}

/* NET's tables must be empty. */
void
model_net_destroy(struct model_net *net)
{
    hmap_destroy(&net->members);
    hmap_destroy(&net->bindings);
    hmap_destroy(&net->keys);
    hmap_destroy(&net->rules);
    free(net->name);
    free(net->subnets);
    dhcp_destroy(net->dhcp);
    model_labels_free(net->labels, net->n_labels);
}

/* Words. */

static const char *const policy_names[] = {
    [MODEL_POLICY_OPEN] = "open",
    [MODEL_POLICY_CLOSED] = "closed",
};

static const char *const ipv6_mode_names[] = {
    [MODEL_IPV6_NONE] = "none",
    [MODEL_IPV6_SLAAC] = "slaac",
    [MODEL_IPV6_DHCPV6] = "dhcpv6",
};

const char *
model_policy_name(enum model_policy policy)
{
    return policy_names[policy];
}

char *
model_policy_parse(const char *s, enum model_policy *policy)
{
    for (size_t i = 0; i < ARRAY_SIZE(policy_names); i++) {
        if (!strcmp(s, policy_names[i])) {
            *policy = i;
            return NULL;
        }
    }
    return xasprintf("%.60s: not a policy (open or closed)", s);
}

const char *
model_ipv6_mode_name(enum model_ipv6_mode mode)
{
    return ipv6_mode_names[mode];
}

char *
model_ipv6_mode_parse(const char *s, enum model_ipv6_mode *mode)
{
    for (size_t i = 0; i < ARRAY_SIZE(ipv6_mode_names); i++) {
        if (!strcmp(s, ipv6_mode_names[i])) {
            *mode = i;
            return NULL;
        }
    }
    return xasprintf("%.60s: not a way to IPv6 addresses (none, slaac or "
                     "dhcpv6)", s);
}

/* Writing. */

json_t *
model_dhcp_to_json(const struct model_dhcp *dhcp)
{
    char gateway[MODEL_ADDRESS_STRLEN];
    json_t *routes = json_array();

    if (!dhcp) {
        json_decref(routes);
        return json_null();
    }
    for (size_t i = 0; i < dhcp->n_routes; i++) {
        char to[MODEL_ADDRESS_STRLEN], via[MODEL_ADDRESS_STRLEN];

        json_array_append_new(routes, json_pack(
            "{s:s, s:s}",
            "to", model_address_string(&dhcp->routes[i].to, to),
            "via", model_address_string(&dhcp->routes[i].via, via)));
    }
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o}",
        "lease", (json_int_t) dhcp->lease,
        "gateway", model_string_or_null(
            dhcp->has_gateway
            ? model_address_string(&dhcp->gateway, gateway) : NULL),
        "dns", model_addresses_to_json(dhcp->dns, dhcp->n_dns),
        "domain", model_string_or_null(dhcp->domain),
        "routes", routes);
}

json_t *
model_net_settings_to_json(const struct model_net *net)
{
    return json_pack(
        "{s:s, s:b, s:b, s:o, s:s, s:b, s:I, s:I}",
        "policy", model_policy_name(net->policy),
        "port_security", (int) net->port_security,
        "arp_suppression", (int) net->arp_suppression,
        "dhcp", model_dhcp_to_json(net->dhcp),
        "ipv6", model_ipv6_mode_name(net->ipv6),
        "guest_dhcp", (int) net->guest_dhcp,
        "max_macs", (json_int_t) net->max_macs,
        "bum_rate", (json_int_t) net->bum_rate);
}

json_t *
model_net_to_json(const struct model_net *net)
{
    char group[MODEL_ADDRESS_STRLEN];
    json_t *settings = model_net_settings_to_json(net);
    json_t *json = json_pack(
        "{s:o, s:s, s:I, s:o, s:s, s:o, s:I}",
        "revision", model_revision_to_json(net->revision),
        "name", net->name,
        "vni", (json_int_t) net->vni,
        "subnets", model_addresses_to_json(net->subnets, net->n_subnets),
        "algorithm", model_algorithm_name(net->algorithm),
        "group", model_string_or_null(
            net->has_group ? model_address_string(&net->group, group)
            : NULL),
        "rekey", (json_int_t) net->rekey);

    json_object_update(json, settings);
    json_decref(settings);
    json_object_set_new(json, "labels",
                        model_labels_to_json(net->labels, net->n_labels));
    return json;
}

/* Checking. */

static bool
is_in_ranges(const struct model_net *net, const struct model_address *address)
{
    return model_net_subnet_of(net, address) != NULL;
}

/* Whether IP is the first or the last address of SUBNET, neither of which is
 * anybody's (RFC 1122 section 3.2.1.3). */
static bool
is_edge(const struct model_address *subnet, const struct model_address *ip)
{
    uint32_t mask = UINT32_MAX << (32 - subnet->plen);
    uint32_t host = ntohl(in6_addr_get_mapped_ipv4(&ip->ip)) & ~mask;

    return !host || host == ~mask;
}

/* Checks that guests can reach what they are told of. */
static char *
check_dhcp(const struct model_net *net)
{
    const struct model_dhcp *dhcp = net->dhcp;
    const struct model_address *gateway = &dhcp->gateway;
    char buf[MODEL_ADDRESS_STRLEN];

    if (dhcp->has_gateway && !is_in_ranges(net, gateway)) {
        return xasprintf("dhcp.gateway: %s is in none of the vSubnet's "
                         "ranges", model_address_string(gateway, buf));
    }
    if (dhcp->has_gateway
        && is_edge(model_net_subnet_of(net, gateway), gateway)) {
        return xasprintf("dhcp.gateway: %s is the first or last address of "
                         "its range", model_address_string(gateway, buf));
    }
    for (size_t i = 0; i < dhcp->n_routes; i++) {
        const struct model_address *via = &dhcp->routes[i].via;

        if (!is_in_ranges(net, via)) {
            return xasprintf("dhcp.routes[%"PRIuSIZE"].via: %s is in none "
                             "of the vSubnet's ranges", i,
                             model_address_string(via, buf));
        }
    }
    return NULL;
}

static char *
check_ipv6(const struct model_net *net)
{
    bool any = false, slaac = false;

    for (size_t i = 0; i < net->n_subnets; i++) {
        if (!model_address_is_ipv4(&net->subnets[i])) {
            any = true;
            slaac |= net->subnets[i].plen == 64;
        }
    }
    if (net->ipv6 == MODEL_IPV6_SLAAC && !slaac) {
        /* RFC 4862 section 5.5.3 (d), RFC 2464 section 4. */
        return xstrdup("ipv6: slaac needs an IPv6 range with prefix length "
                       "64");
    }
    if (net->ipv6 == MODEL_IPV6_DHCPV6 && !any) {
        return xstrdup("ipv6: dhcpv6 needs an IPv6 range");
    }
    return NULL;
}

static char *
check_ranges(const struct model_net *net)
{
    char buf[MODEL_ADDRESS_STRLEN];

    for (size_t i = 1; i < net->n_subnets; i++) {
        for (size_t j = 0; j < i; j++) {
            if (model_subnets_overlap(&net->subnets[i], &net->subnets[j])) {
                return xasprintf("subnets[%"PRIuSIZE"]: overlaps %s", i,
                                 model_address_string(&net->subnets[j], buf));
            }
        }
    }
    return NULL;
}

/* Checks that the group is one address that a tunnel can send to. */
static char *
check_group(const struct model_net *net)
{
    const struct model_address *group = &net->group;
    char buf[MODEL_ADDRESS_STRLEN];

    bool multicast = (model_address_is_ipv4(group)
                      ? ip_is_multicast(in6_addr_get_mapped_ipv4(&group->ip))
                      : ipv6_addr_is_multicast(&group->ip));
    if (!multicast || group->plen >= 0) {
        return xasprintf("group: %s is not a multicast address",
                         model_address_string(group, buf));
    }
    return NULL;
}

char *
model_net_check(const struct model_net *net)
{
    char *error = check_ranges(net);

    error = error || !net->has_group ? error : check_group(net);
    error = error || !net->dhcp ? error : check_dhcp(net);
    return error ? error : check_ipv6(net);
}

/* Reading. */

static bool
read_group(struct model_reader *r, struct model_address *group)
{
    const char *s = model_reader_string(r, "group", MODEL_OPTIONAL);
    char *error = s ? model_address_parse(s, group) : NULL;

    if (error) {
        model_reader_fail(r, "group", error);
    }
    return s && !error;
}

/* Puts "FIELD." in front of ERROR. */
static void
fail_inside(struct model_reader *r, const char *field, char *error)
{
    model_reader_fail(r, NULL, xasprintf("%s.%s", field, error));
    free(error);
}

/* An IPv4 address of a host, without a prefix length. */
static bool
read_host(struct model_reader *r, const char *field,
          enum model_presence presence, struct model_address *address)
{
    const char *s = model_reader_string(r, field, presence);
    struct model_address a;
    char *error = s ? model_address_parse(s, &a) : NULL;

    if (s && !error && (!model_address_is_ipv4(&a) || a.plen >= 0)) {
        error = xasprintf("%s: not an IPv4 address without a prefix length",
                          s);
    }
    if (error) {
        model_reader_fail(r, field, error);
    } else if (s) {
        *address = a;
    }
    return s && !error;
}

/* Where a route goes: also to everywhere, 0.0.0.0/0.  DHCPv6 has no routes. */
static void
read_route_to(struct model_reader *r, struct model_address *to)
{
    const char *s = model_reader_string(r, "to", MODEL_REQUIRED);
    char *error = s ? model_address_parse(s, to) : NULL;

    if (s && !error) {
        uint32_t ip = ntohl(in6_addr_get_mapped_ipv4(&to->ip));

        if (!model_address_is_ipv4(to) || to->plen < 0) {
            error = xasprintf("%s: not an IPv4 range (ADDRESS/LENGTH)", s);
        } else if (to->plen < 32 && ip & (UINT32_MAX >> to->plen)) {
            error = xasprintf("host bits set in %s", s);
        }
    }
    if (error) {
        model_reader_fail(r, "to", error);
    }
}

static void
read_routes(struct model_reader *r, enum model_unknown unknown,
            struct model_dhcp *dhcp)
{
    const json_t *array = model_reader_array(r, "routes", MODEL_OPTIONAL,
                                             MODEL_ROUTES_MAX);
    size_t n = json_array_size(array);

    dhcp->routes = n ? xcalloc(n, sizeof *dhcp->routes) : NULL;
    dhcp->n_routes = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *json = json_array_get(array, i);
        struct model_reader route;
        char *error;

        if (!json_is_object(json)) {
            model_reader_fail(r, NULL, xasprintf("routes[%"PRIuSIZE"]: not "
                                                 "an object", i));
            return;
        }
        model_reader_init(&route, json);
        read_route_to(&route, &dhcp->routes[i].to);
        read_host(&route, "via", MODEL_REQUIRED, &dhcp->routes[i].via);
        error = model_reader_finish(&route, unknown);
        if (error) {
            char *field = xasprintf("routes[%"PRIuSIZE"]", i);
            fail_inside(r, field, error);
            free(field);
            return;
        }
    }
}

static void
read_dns(struct model_reader *r, struct model_dhcp *dhcp)
{
    dhcp->n_dns = model_reader_addresses(r, "dns", MODEL_OPTIONAL,
                                         &dhcp->dns);
    if (dhcp->n_dns > MODEL_DNS_MAX) {
        model_reader_fail(r, "dns", xasprintf("has more than %d elements",
                                              MODEL_DNS_MAX));
        return;
    }
    for (size_t i = 0; i < dhcp->n_dns; i++) {
        const struct model_address *dns = &dhcp->dns[i];

        if (dns->plen >= 0 || !model_address_is_unicast(dns)) {
            char buf[MODEL_ADDRESS_STRLEN];

            model_reader_fail(r, NULL, xasprintf(
                "dns[%"PRIuSIZE"]: %s: not a unicast address without a "
                "prefix length", i, model_address_string(dns, buf)));
            return;
        }
    }
}

static void
read_domain(struct model_reader *r, struct model_dhcp *dhcp)
{
    const char *s = model_reader_string(r, "domain", MODEL_OPTIONAL);
    char *error = s ? model_check_domain(s) : NULL;

    if (error) {
        model_reader_fail(r, "domain", error);
    }
    dhcp->domain = nullable_xstrdup(s);
}

static struct model_dhcp *
read_dhcp(struct model_reader *outer, enum model_unknown unknown)
{
    const json_t *json = model_reader_object(outer, "dhcp", MODEL_OPTIONAL);
    struct model_reader r;

    if (!json) {
        return NULL;
    }
    struct model_dhcp *dhcp = xzalloc(sizeof *dhcp);
    model_reader_init(&r, json);
    dhcp->lease = model_reader_uint_or(&r, "lease", MODEL_DHCP_LEASE_MIN,
                                       MODEL_DHCP_LEASE_MAX,
                                       MODEL_DHCP_LEASE_DEFAULT);
    dhcp->has_gateway = read_host(&r, "gateway", MODEL_OPTIONAL,
                                  &dhcp->gateway);
    read_dns(&r, dhcp);
    read_domain(&r, dhcp);
    read_routes(&r, unknown, dhcp);

    char *error = model_reader_finish(&r, unknown);
    if (error) {
        fail_inside(outer, "dhcp", error);
    }
    return dhcp;
}

static void
read_words(struct model_reader *r, struct model_net *net)
{
    const char *policy = model_reader_string(r, "policy", MODEL_OPTIONAL);
    char *error = policy ? model_policy_parse(policy, &net->policy) : NULL;

    if (error) {
        model_reader_fail(r, "policy", error);
    }
    const char *ipv6 = model_reader_string(r, "ipv6", MODEL_OPTIONAL);
    error = ipv6 ? model_ipv6_mode_parse(ipv6, &net->ipv6) : NULL;
    if (error) {
        model_reader_fail(r, "ipv6", error);
    }
}

void
model_net_read_settings(struct model_reader *r, enum model_unknown unknown,
                        struct model_net *net)
{
    read_words(r, net);
    net->port_security = model_reader_bool_or(r, "port_security", true);
    net->arp_suppression = model_reader_bool_or(r, "arp_suppression", true);
    net->dhcp = read_dhcp(r, unknown);
    net->guest_dhcp = model_reader_bool(r, "guest_dhcp", MODEL_OPTIONAL);
    net->max_macs = model_reader_uint_or(r, "max_macs", 1, MODEL_MACS_MAX,
                                         MODEL_MACS_DEFAULT);
    net->bum_rate = model_reader_uint_or(r, "bum_rate", 1,
                                         MODEL_BUM_RATE_MAX,
                                         MODEL_BUM_RATE_DEFAULT);
}

char *
model_net_from_json(const json_t *json, struct model_net *netp)
{
    struct model_net net;
    struct model_reader r;

    model_net_init(&net);
    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &net.revision);
    const char *name = model_reader_name(&r, "name", MODEL_REQUIRED);
    net.vni = model_reader_uint(&r, "vni", MODEL_REQUIRED, 1, MODEL_VNI_MAX);
    net.n_subnets = model_reader_subnets(&r, "subnets", MODEL_OPTIONAL,
                                         &net.subnets);
    model_reader_algorithm(&r, "algorithm", MODEL_REQUIRED, &net.algorithm);
    net.has_group = read_group(&r, &net.group);
    net.rekey = model_reader_uint(&r, "rekey", MODEL_OPTIONAL, 0, INT64_MAX);
    model_net_read_settings(&r, MODEL_IGNORE_UNKNOWN, &net);
    net.n_labels = model_reader_labels(&r, "labels", MODEL_LABEL_GAPS,
                                       MODEL_LABELS_MAX, &net.labels);

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    error = error ? error : model_net_check(&net);
    if (error) {
        model_net_destroy(&net);
        return error;
    }
    net.name = xstrdup(name);
    *netp = net;
    hmap_init(&netp->members);
    hmap_init(&netp->bindings);
    hmap_init(&netp->keys);
    hmap_init(&netp->rules);
    return NULL;
}

/* Looking things up. */

const struct model_address *
model_net_subnet_of(const struct model_net *net,
                    const struct model_address *address)
{
    for (size_t i = 0; i < net->n_subnets; i++) {
        if (model_subnet_contains(&net->subnets[i], address)) {
            return &net->subnets[i];
        }
    }
    return NULL;
}

int
model_net_label(const struct model_net *net, const char *name)
{
    for (size_t i = 0; i < net->n_labels; i++) {
        if (*name && !strcmp(net->labels[i], name)) {
            return i;
        }
    }
    return -1;
}

ovs_u128
model_net_label_bits(const struct model_net *net, char *const *names,
                     size_t n)
{
    ovs_u128 bits = OVS_U128_ZERO;

    for (size_t i = 0; i < n; i++) {
        int label = model_net_label(net, names[i]);

        if (label >= 64) {
            bits.u64.hi |= UINT64_C(1) << (label - 64);
        } else if (label >= 0) {
            bits.u64.lo |= UINT64_C(1) << label;
        }
    }
    return bits;
}
