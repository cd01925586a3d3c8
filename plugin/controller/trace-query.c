/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be traced: from whom, to whom, by what. */
#include <config.h>
#include "controller/trace-query.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "controller/local-port.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

enum {
    SIZE_MAX_ = 65535,
    TRACE_SRC_PORT = 40000,     /* Where none is given. */
};

/* Who. */

static bool
has_address(const struct model_binding *binding,
            const struct model_address *address)
{
    for (size_t i = 0; i < binding->n_addresses; i++) {
        if (ipv6_addr_equals(&binding->addresses[i].ip, &address->ip)) {
            return true;
        }
    }
    return false;
}

/* True if 'binding' is who is called 'name', or has 'address' (if not
 * NULL). */
static bool
is_meant(const struct model_binding *binding, const char *name,
         const struct model_address *address)
{
    return (address ? has_address(binding, address)
            : (binding->port && !strcmp(binding->port, name))
              || (binding->iface_id && !strcmp(binding->iface_id, name)));
}

static char *
find_binding(const struct model_net *net, const char *field, const char *name,
             const struct model_address *address,
             const struct model_binding **found)
{
    const struct model_binding *binding;

    *found = NULL;
    HMAP_FOR_EACH (binding, in_net, &net->bindings) {
        if (is_meant(binding, name, address)) {
            if (*found) {
                return xasprintf("%s: %s is the name of several in vSubnet "
                                 "%s: give its MAC", field, name, net->name);
            }
            *found = binding;
        }
    }
    return (*found ? NULL
            : xasprintf("%s: vSubnet %s has no binding or port of this node "
                        "called %s: give its MAC", field, net->name, name));
}

/* The local port in 'net' that 'name' is, or NULL. */
static const struct local_port *
find_port(const struct local_ports *ports, const struct model_net *net,
          const char *name)
{
    const struct local_port *port = local_ports_find(ports, name);

    return port && port->vni == net->vni ? port : NULL;
}

/* The local port where 'mac' is, with 'binding' if it has one; or NULL. */
static const struct local_port *
port_of(const struct mapping *mapping, const struct local_ports *ports,
        const struct model_net *net, struct eth_addr mac,
        const struct model_binding *binding)
{
    for (size_t i = 0; i < ports->n; i++) {
        const struct local_port *port = &ports->ports[i];

        if (port->vni == net->vni && port->has_mac
            && eth_addr_equals(port->mac, mac)) {
            return port;
        }
    }
    return (binding && binding->port && mapping->self
            && binding->node == mapping->self->number
            ? find_port(ports, net, binding->port) : NULL);
}

static void
take_binding(struct trace_end *end, const struct model_binding *binding,
             const struct model_address *address)
{
    end->mac = binding->mac;
    end->node = binding->node;
    if (address || binding->n_addresses) {
        end->ip = address ? *address : binding->addresses[0];
        end->has_ip = true;
    }
}

/* Reads "MAC" or "MAC,ADDRESS"; false if it is neither. */
static bool
parse_mac(const char *name, struct trace_end *end)
{
    char mac[sizeof "xx:xx:xx:xx:xx:xx"];
    const char *comma = strchr(name, ',');

    ovs_strlcpy(mac, name, MIN(sizeof mac, (comma ? comma - name
                                            : strlen(name)) + 1));
    if (!eth_addr_from_string(mac, &end->mac)) {
        return false;
    }
    if (comma) {
        char *error = model_address_parse(comma + 1, &end->ip);

        end->has_ip = !error;
        free(error);
        return end->has_ip;
    }
    return strlen(name) == strlen(mac);
}

static char *
find_end(const struct mapping *mapping, const struct local_ports *ports,
         const struct model_net *net, const char *field, const char *name,
         struct trace_end *end)
{
    const struct model_binding *binding = NULL;
    const struct local_port *port = find_port(ports, net, name);
    struct model_address address;
    char *error = NULL;

    *end = (struct trace_end) { .node = 0 };
    if (parse_mac(name, end)) {
        binding = mapping_binding(mapping, net->name, end->mac);
    } else if (port && port->has_mac) {
        end->mac = port->mac;
        binding = mapping_binding(mapping, net->name, port->mac);
    } else {
        error = model_address_parse(name, &address);
        bool is_address = !error;
        free(error);
        error = find_binding(net, field, name, is_address ? &address : NULL,
                             &binding);
        if (error) {
            return error;
        }
        if (is_address) {
            take_binding(end, binding, &address);
        }
    }
    if (binding && !end->has_ip) {
        take_binding(end, binding, NULL);
    } else if (binding) {
        end->node = binding->node;
    }
    if (!port) {
        port = port_of(mapping, ports, net, end->mac, binding);
    }
    end->ofport = port ? ofp_to_u16(port->ofport) : 0;
    return NULL;
}

/* Gives 'end' an address of the family of 'like', if its binding has one. */
static void
match_family(const struct mapping *mapping, const struct model_net *net,
             struct trace_end *end, const struct model_address *like)
{
    const struct model_binding *binding = mapping_binding(mapping, net->name,
                                                          end->mac);

    for (size_t i = 0; binding && i < binding->n_addresses; i++) {
        if (model_address_is_ipv4(&binding->addresses[i])
            == model_address_is_ipv4(like)) {
            end->ip = binding->addresses[i];
            end->has_ip = true;
            return;
        }
    }
}

/* By what. */

struct l4 {
    int protocol;               /* -1: none. */
    unsigned int a, b;          /* Ports; type and code. */
};

static char *
parse_l4(const char *s, bool ipv6, struct l4 *l4)
{
    static const struct { const char *name; int protocol; } protocols[] = {
        { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },
        { "sctp", IPPROTO_SCTP }, { "icmp", IPPROTO_ICMP },
        { "icmp6", IPPROTO_ICMPV6 },
    };
    size_t len = strcspn(s, ":");
    unsigned int values[2], n = 0;

    l4->protocol = -1;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (strlen(protocols[i].name) == len
            && !strncmp(s, protocols[i].name, len)) {
            l4->protocol = protocols[i].protocol;
        }
    }
    bool icmp = l4->protocol == IPPROTO_ICMP || l4->protocol == IPPROTO_ICMPV6;
    for (s += len; *s == ':' && n < 2; n++) {
        char *tail;
        unsigned long int value = strtoul(s + 1, &tail, 10);

        if (tail == s + 1 || s[1] == '-' || s[1] == '+'
            || value > (icmp ? UINT8_MAX : UINT16_MAX)) {
            break;
        }
        values[n] = value;
        s = tail;
    }
    if (l4->protocol < 0 || *s) {
        return xstrdup("l4: must be tcp, udp or sctp, perhaps with :PORT or "
                       ":SOURCE-PORT:PORT, or icmp, perhaps with :TYPE or "
                       ":TYPE:CODE");
    }
    if (icmp) {
        l4->protocol = ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
        l4->a = n ? values[0] : ipv6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST;
        l4->b = n > 1 ? values[1] : 0;
    } else {
        l4->a = n > 1 ? values[0] : TRACE_SRC_PORT;
        l4->b = n ? values[n - 1] : 0;
    }
    return NULL;
}

/* Appends what is said of IP and above. */
static void
put_l4(struct ds *ds, const struct trace_query *q, const struct l4 *l4)
{
    bool ipv4 = model_address_is_ipv4(&q->src.ip);
    const char *prefix = ipv4 ? "nw" : "ipv6";
    bool icmp = l4->protocol == IPPROTO_ICMP || l4->protocol == IPPROTO_ICMPV6;
    struct ds src = DS_EMPTY_INITIALIZER, dst = DS_EMPTY_INITIALIZER;

    ipv6_format_mapped(&q->src.ip.ip, &src);
    ipv6_format_mapped(&q->dst.ip.ip, &dst);
    ds_put_format(ds, ",dl_type=0x%04x,%s_src=%s,%s_dst=%s,nw_proto=%d,"
                  "nw_ttl=64", ipv4 ? ETH_TYPE_IP : ETH_TYPE_IPV6, prefix,
                  ds_cstr(&src), prefix, ds_cstr(&dst), l4->protocol);
    ds_put_format(ds, icmp && ipv4 ? ",icmp_type=%u,icmp_code=%u"
                  : icmp ? ",icmpv6_type=%u,icmpv6_code=%u"
                  : l4->protocol == IPPROTO_TCP ? ",tcp_src=%u,tcp_dst=%u"
                  : l4->protocol == IPPROTO_UDP ? ",udp_src=%u,udp_dst=%u"
                  : ",sctp_src=%u,sctp_dst=%u", l4->a, l4->b);
    ds_put_format(ds, ",ct_state=trk|new,ct_nw_proto=%d,ct_%s_src=%s,"
                  "ct_%s_dst=%s,ct_tp_src=%u,ct_tp_dst=%u", l4->protocol,
                  prefix, ds_cstr(&src), prefix, ds_cstr(&dst), l4->a, l4->b);
    ds_destroy(&src);
    ds_destroy(&dst);
}

static void
put_frame(struct ds *ds, const struct mapping *mapping,
          const struct trace_query *q, uint16_t tunnel)
{
    if (q->from) {
        ovs_be32 self = model_tunnel_address(mapping->self
                                             ? mapping->self->number : 0);

        ds_put_format(ds, "in_port=%"PRIu16",tun_id=%"PRIu32",tun_src="IP_FMT
                      ",tun_dst="IP_FMT, tunnel, q->vni,
                      IP_ARGS(model_tunnel_address(q->from)), IP_ARGS(self));
    } else {
        ds_put_format(ds, "in_port=%"PRIu16, q->src.ofport);
    }
    ds_put_format(ds, ",dl_src="ETH_ADDR_FMT",dl_dst="ETH_ADDR_FMT,
                  ETH_ADDR_ARGS(q->src.mac), ETH_ADDR_ARGS(q->dst.mac));
}

static char *
compose(struct trace_query *q, const struct mapping *mapping,
        const struct model_net *net, const char *text, uint16_t tunnel)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct l4 l4 = { .protocol = -1 };

    if (q->src.has_ip && q->dst.has_ip
        && (model_address_is_ipv4(&q->src.ip)
            != model_address_is_ipv4(&q->dst.ip))) {
        match_family(mapping, net, &q->src, &q->dst.ip);
        match_family(mapping, net, &q->dst, &q->src.ip);
    }
    bool has_ip = (q->src.has_ip && q->dst.has_ip
                   && (model_address_is_ipv4(&q->src.ip)
                       == model_address_is_ipv4(&q->dst.ip)));
    if (text && !has_ip) {
        return xasprintf("l4: no IP addresses of one family are known of "
                         "both ends: name them by their addresses");
    }
    if (has_ip) {
        char *error = parse_l4(text ? text : "icmp",
                               !model_address_is_ipv4(&q->src.ip), &l4);
        if (error) {
            return error;
        }
    }
    put_frame(&ds, mapping, q, tunnel);
    if (has_ip) {
        put_l4(&ds, q, &l4);
    }
    q->flow = ds_steal_cstr(&ds);
    return NULL;
}

static char *
resolve(struct trace_query *q, const struct mapping *mapping,
        const struct local_ports *ports, uint16_t tunnel, const char *src,
        const char *dst, const char *l4)
{
    const struct model_net *net = mapping_net(mapping, q->net);
    char *error;

    if (!net) {
        return xasprintf("net: this node is in no vSubnet %s", q->net);
    }
    q->vni = net->vni;
    error = find_end(mapping, ports, net, "src", src, &q->src);
    if (!error) {
        error = find_end(mapping, ports, net, "dst", dst, &q->dst);
    }
    if (error || (!q->from && !q->src.ofport)) {
        return error;
    }
    if (q->from && !tunnel) {
        return xstrdup("from: there is no tunnel port here");
    }
    return compose(q, mapping, net, l4, tunnel);
}

char *
trace_query_parse(const json_t *json, const struct mapping *mapping,
                  const struct local_ports *ports, uint16_t tunnel,
                  struct trace_query *q)
{
    struct model_reader r;

    model_reader_init(&r, json);
    const char *net = model_reader_string(&r, "net", MODEL_REQUIRED);
    const char *src = model_reader_string(&r, "src", MODEL_REQUIRED);
    const char *dst = model_reader_string(&r, "dst", MODEL_REQUIRED);
    const char *l4 = model_reader_string(&r, "l4", MODEL_OPTIONAL);
    unsigned int size = model_reader_uint(&r, "size", MODEL_OPTIONAL, 1,
                                          SIZE_MAX_);
    uint32_t from = model_reader_uint(&r, "from", MODEL_OPTIONAL, 1,
                                      UINT32_MAX);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);

    *q = (struct trace_query) { .net = NULL };
    if (error) {
        return error;
    }
    *q = (struct trace_query) {
        .net = xstrdup(net), .from = from, .size = size,
    };
    error = resolve(q, mapping, ports, tunnel, src, dst, l4);
    if (error) {
        trace_query_destroy(q);
        *q = (struct trace_query) { .net = NULL };
    }
    return error;
}

void
trace_query_destroy(struct trace_query *q)
{
    free(q->net);
    free(q->flow);
}
