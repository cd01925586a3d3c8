/* SPDX-License-Identifier: Apache-2.0 */
/* A DHCPv4 server that only says what the mapping says. */
#include <config.h>
#include "controller/dhcp4.h"

#include <string.h>

#include "controller/dhcp4-options.h"
#include "dhcp.h"
#include "model/object.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

enum message {
    DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM
};

static const char *const names[] = {
    [DISCOVER] = "DHCPDISCOVER", [OFFER] = "DHCPOFFER",
    [REQUEST] = "DHCPREQUEST", [DECLINE] = "DHCPDECLINE",
    [ACK] = "DHCPACK", [NAK] = "DHCPNAK", [RELEASE] = "DHCPRELEASE",
    [INFORM] = "DHCPINFORM",
};

enum {
    FLAG_BROADCAST = 0x8000,
    COOKIE_LEN = 4,
    CLIENT_ID_MAX = 255,
    HEADERS = IP_HEADER_LEN + UDP_HEADER_LEN + DHCP_HEADER_LEN + COOKIE_LEN,
    BOOTP_MIN = 300,            /* RFC 1542 section 2.1. */
    MESSAGE_ALL = 576,          /* What every client takes, with headers. */
    MESSAGE_MAX = 1500,
};

/* Who answers where there is no gateway. */
#define NO_GATEWAY htonl(0xa9fe0001)    /* 169.254.0.1 */

/* What a client says.  Addresses are 0 where it says nothing. */
struct request {
    struct dhcp_header header;
    ovs_be32 src;
    enum message type;
    ovs_be32 server_id, requested;
    size_t max_size;
    uint8_t parameters[256];    /* That it wants to be told. */
    size_t n_parameters;        /* 0: does not say. */
    uint8_t client_id[CLIENT_ID_MAX];
    size_t client_id_len;       /* 0: has none. */
};

/* What it gets: an address in a range, or just the range. */
struct lease {
    ovs_be32 ip;
    const struct model_address *range;  /* Or NULL: it is in none. */
};

/* The request. */

/* Reads an option of 'n' bytes.  False if it has another length. */
static bool
get_exact(const struct dhcp4_options *options, enum dhcp4_option code,
          void *data, size_t n)
{
    uint8_t buf[4] = { 0 };
    size_t len = dhcp4_options_get(options, code, buf, n);

    if (len && len != n) {
        return false;
    }
    memcpy(data, buf, n);
    return true;
}

static bool
read_options(const struct dhcp4_options *options, struct request *r)
{
    uint8_t type;
    ovs_be16 max_size;

    if (!get_exact(options, DHCP4_TYPE, &type, sizeof type)
        || type < DISCOVER || type > INFORM
        || !get_exact(options, DHCP4_SERVER_ID, &r->server_id, 4)
        || !get_exact(options, DHCP4_REQUESTED, &r->requested, 4)
        || !get_exact(options, DHCP4_MAX_SIZE, &max_size, 2)) {
        return false;
    }
    r->type = type;
    r->max_size = ntohs(max_size);
    r->n_parameters = dhcp4_options_get(options, DHCP4_PARAMETERS,
                                        r->parameters, sizeof r->parameters);
    r->client_id_len = dhcp4_options_get(options, DHCP4_CLIENT_ID,
                                         r->client_id, sizeof r->client_id);
    return (r->n_parameters <= sizeof r->parameters
            && r->client_id_len <= sizeof r->client_id);
}

/* Relayed requests are refused: a relay agent would be between us and a guest
 * of another network. */
static bool
parse(const void *frame, size_t len, struct request *r)
{
    struct dhcp4_options options;
    struct service_message udp;
    ovs_be32 cookie;

    memset(r, 0, sizeof *r);
    if (!service_udp4_parse(frame, len, DHCP_CLIENT_PORT, DHCP_SERVER_PORT,
                            &udp)
        || udp.len < sizeof r->header + sizeof cookie) {
        return false;
    }
    memcpy(&r->header, udp.data, sizeof r->header);
    memcpy(&cookie, udp.data + sizeof r->header, sizeof cookie);
    r->src = in6_addr_get_mapped_ipv4(&udp.src);
    return (cookie == htonl(DHCP_MAGIC_COOKIE)
            && r->header.op == DHCP_OP_REQUEST
            && r->header.htype == ARP_HRD_ETHERNET
            && r->header.hlen == ETH_ADDR_LEN
            && !r->header.giaddr
            && !memcmp(r->header.chaddr, &udp.mac, sizeof udp.mac)
            && dhcp4_options_parse(&options, &r->header,
                                   udp.data + sizeof r->header
                                   + sizeof cookie,
                                   udp.len - sizeof r->header
                                   - sizeof cookie)
            && read_options(&options, r));
}

static bool
asks_for(const struct request *r, enum dhcp4_option code)
{
    return r->n_parameters && memchr(r->parameters, code, r->n_parameters);
}

/* What the mapping says. */

static ovs_be32
ip4(const struct model_address *address)
{
    return in6_addr_get_mapped_ipv4(&address->ip);
}

static const struct model_address *
range_of(const struct model_net *net, ovs_be32 ip)
{
    struct model_address address = { .plen = -1 };

    in6_addr_set_mapped_ipv4(&address.ip, ip);
    return model_net_subnet_of(net, &address);
}

/* Finds the address that this guest is given: 'wanted' if it is its own.
 * What a guest was only seen to use is not the mapping's to give. */
static bool
find_lease(const struct service_facts *facts, ovs_be32 wanted,
           struct lease *lease)
{
    const struct model_binding *binding = facts->binding;
    bool found = false;

    if (binding->origin == MODEL_ORIGIN_DYNAMIC) {
        return false;
    }
    for (size_t i = 0; i < binding->n_addresses; i++) {
        const struct model_address *address = &binding->addresses[i];

        if (!model_address_is_ipv4(address)
            || !range_of(facts->net, ip4(address))
            || (found && ip4(address) != wanted)) {
            continue;
        }
        lease->ip = ip4(address);
        lease->range = range_of(facts->net, lease->ip);
        found = true;
    }
    return found;
}

/* The gateway, if guests of that range can reach it; not for itself. */
static ovs_be32
gateway_of(const struct service_facts *facts, const struct lease *lease)
{
    const struct model_dhcp *dhcp = facts->net->dhcp;

    return (dhcp->has_gateway && lease->range
            && model_subnet_contains(lease->range, &dhcp->gateway)
            && ip4(&dhcp->gateway) != lease->ip
            ? ip4(&dhcp->gateway) : 0);
}

static ovs_be32
server_id(const struct service_facts *facts, const struct lease *lease)
{
    ovs_be32 gateway = gateway_of(facts, lease);

    return gateway ? gateway : NO_GATEWAY;
}

/* Whether 'id' is, or was before the gateway was set, an identifier of
 * ours. */
static bool
is_server_id(const struct service_facts *facts, ovs_be32 id)
{
    const struct model_dhcp *dhcp = facts->net->dhcp;

    return (id == NO_GATEWAY
            || (dhcp->has_gateway && id == ip4(&dhcp->gateway)));
}

/* The answer. */

struct answer {
    const struct service_facts *facts;
    const struct request *request;
    const struct lease *lease;
    enum message type;
    struct dhcp_header header;
    uint8_t options[MESSAGE_MAX];
    struct dhcp4_writer writer;
};

static void
put_be32(struct answer *a, enum dhcp4_option code, ovs_be32 value)
{
    dhcp4_writer_put(&a->writer, code, &value, sizeof value);
}

/* Appends one route as RFC 3442 writes it: of the destination, only the bytes
 * that have something in them. */
static size_t
write_route(uint8_t *out, ovs_be32 to, int plen, ovs_be32 via)
{
    const size_t n = DIV_ROUND_UP(plen, 8);

    out[0] = plen;
    memcpy(out + 1, &to, n);
    memcpy(out + 1 + n, &via, sizeof via);
    return 1 + n + sizeof via;
}

/* Returns the length of the routes that this guest can use, 0 if there are
 * none.  A client that takes them takes no router (RFC 3442 p. 5), so the
 * default route is among them. */
static size_t
write_routes(const struct answer *a, uint8_t *out)
{
    const struct model_dhcp *dhcp = a->facts->net->dhcp;
    ovs_be32 gateway = gateway_of(a->facts, a->lease);
    size_t n = 0;

    for (size_t i = 0; i < dhcp->n_routes; i++) {
        const struct model_route *route = &dhcp->routes[i];

        if (a->lease->range
            && model_subnet_contains(a->lease->range, &route->via)
            && ip4(&route->via) != a->lease->ip) {
            n += write_route(out + n, ip4(&route->to), route->to.plen,
                             ip4(&route->via));
        }
    }
    if (n && gateway) {
        n += write_route(out + n, 0, 0, gateway);
    }
    return n;
}

/* Routes only go to who asks for them (or does not say what it wants), and
 * then the router does not (RFC 3442 p. 5). */
static void
put_routes(struct answer *a)
{
    enum { ROUTE_MAX = 1 + 4 + 4 };
    uint8_t routes[(MODEL_ROUTES_MAX + 1) * ROUTE_MAX];
    const size_t n = write_routes(a, routes);
    const bool wanted = (!a->request->n_parameters
                         || asks_for(a->request, DHCP4_ROUTES));
    const ovs_be32 gateway = gateway_of(a->facts, a->lease);

    if (gateway && !(n && asks_for(a->request, DHCP4_ROUTES))) {
        put_be32(a, DHCP4_ROUTER, gateway);
    }
    if (n && wanted) {
        dhcp4_writer_put(&a->writer, DHCP4_ROUTES, routes, n);
    }
    if (n && asks_for(a->request, DHCP4_ROUTES_MS)) {
        dhcp4_writer_put(&a->writer, DHCP4_ROUTES_MS, routes, n);
    }
}

/* What every guest of the vSubnet is told, whether it asks or not: RFC 2131
 * section 4.3.1 has the server do so with what it was configured to say, and a
 * guest that does not hear of the MTU sends frames that do not fit.  The
 * longest come first, since the rest fits into any field. */
static void
put_settings(struct answer *a)
{
    const struct model_dhcp *dhcp = a->facts->net->dhcp;
    ovs_be32 dns[MODEL_DNS_MAX];
    size_t n = 0;

    if (a->lease->range) {
        int plen = a->lease->range->plen;
        put_be32(a, DHCP4_MASK, be32_prefix_mask(plen));
        put_routes(a);
    }
    if (dhcp->domain) {
        dhcp4_writer_put(&a->writer, DHCP4_DOMAIN, dhcp->domain,
                         strlen(dhcp->domain));
    }
    if (a->facts->mtu > 0) {
        ovs_be16 mtu = htons(MIN(a->facts->mtu, UINT16_MAX));
        dhcp4_writer_put(&a->writer, DHCP4_MTU, &mtu, sizeof mtu);
    }
    for (size_t i = 0; i < dhcp->n_dns && n < MODEL_DNS_MAX; i++) {
        if (model_address_is_ipv4(&dhcp->dns[i])) {
            dns[n++] = ip4(&dhcp->dns[i]);
        }
    }
    if (n) {
        dhcp4_writer_put(&a->writer, DHCP4_DNS, dns, n * sizeof *dns);
    }
}

static void
put_lease_times(struct answer *a)
{
    const uint32_t lease = a->facts->net->dhcp->lease;

    put_be32(a, DHCP4_LEASE, htonl(lease));
    put_be32(a, DHCP4_T1, htonl(lease / 2));
    put_be32(a, DHCP4_T2, htonl((uint64_t) lease * 7 / 8));
}

/* How many bytes of options the client takes. */
static size_t
options_max(const struct answer *a)
{
    size_t size = MAX(a->request->max_size, MESSAGE_ALL);

    if (a->facts->mtu >= MESSAGE_ALL) {
        size = MIN(size, a->facts->mtu);
    }
    return MIN(size, MESSAGE_MAX) - HEADERS;
}

static size_t
write_options(struct answer *a)
{
    const struct request *r = a->request;
    const uint8_t type = a->type;

    dhcp4_writer_init(&a->writer, &a->header, a->options, options_max(a));
    dhcp4_writer_put(&a->writer, DHCP4_TYPE, &type, sizeof type);
    put_be32(a, DHCP4_SERVER_ID, server_id(a->facts, a->lease));
    if (r->client_id_len) {
        dhcp4_writer_put(&a->writer, DHCP4_CLIENT_ID, r->client_id,
                         r->client_id_len);
    }
    if (type == NAK) {
        static const char why[] = "not bound to this port";
        dhcp4_writer_put(&a->writer, DHCP4_MESSAGE, why, strlen(why));
    } else {
        if (r->type != INFORM) {
            put_lease_times(a);
        }
        put_settings(a);
    }
    return dhcp4_writer_end(&a->writer);
}

/* To where the client can hear it (RFC 2131 section 4.1). */
static void
address_answer(const struct answer *a, struct service_to *to)
{
    const struct request *r = a->request;
    ovs_be32 dst = INADDR_BROADCAST;

    if (a->type != NAK) {
        if (r->header.ciaddr) {
            dst = r->header.ciaddr;
        } else if (r->type == INFORM) {
            dst = r->src;
        } else if (!(r->header.flags & htons(FLAG_BROADCAST))) {
            dst = a->header.yiaddr;
        }
    }
    *to = (struct service_to) {
        .mac = eth_addr_broadcast,
        .src_port = DHCP_SERVER_PORT,
        .dst_port = DHCP_CLIENT_PORT,
    };
    if (dst != INADDR_BROADCAST) {
        memcpy(&to->mac, r->header.chaddr, sizeof to->mac);
    }
    in6_addr_set_mapped_ipv4(&to->src, server_id(a->facts, a->lease));
    in6_addr_set_mapped_ipv4(&to->dst, dst);
}

static enum service_verdict
answer(const struct service_facts *facts, const struct request *r,
       enum message type, const struct lease *lease, struct ofpbuf *reply)
{
    const ovs_be32 cookie = htonl(DHCP_MAGIC_COOKIE);
    struct answer a = {
        .facts = facts, .request = r, .lease = lease, .type = type,
        .header = {
            .op = DHCP_OP_REPLY,
            .htype = ARP_HRD_ETHERNET,
            .hlen = ETH_ADDR_LEN,
            .xid = r->header.xid,
            .flags = r->header.flags,
            .ciaddr = type == ACK ? r->header.ciaddr : 0,
            .yiaddr = type == NAK || r->type == INFORM ? 0 : lease->ip,
        },
    };
    struct service_to to;

    memcpy(a.header.chaddr, r->header.chaddr, sizeof a.header.chaddr);
    const size_t n = write_options(&a);
    ofpbuf_put(reply, &a.header, sizeof a.header);
    ofpbuf_put(reply, &cookie, sizeof cookie);
    ofpbuf_put(reply, a.options, n);
    if (reply->size < BOOTP_MIN) {
        ofpbuf_put_zeros(reply, BOOTP_MIN - reply->size);
    }
    address_answer(&a, &to);
    service_udp4_push(reply, &to);
    return SERVICE_ANSWERED;
}

static enum service_verdict
answer_request(const struct service_facts *facts, const struct request *r,
               const struct lease *lease, struct ofpbuf *reply)
{
    const ovs_be32 wanted = r->requested ? r->requested : r->header.ciaddr;

    if (r->server_id && !is_server_id(facts, r->server_id)) {
        return SERVICE_OTHERS;
    }
    if (!wanted) {
        return SERVICE_BAD;
    }
    if (wanted == lease->ip) {
        return answer(facts, r, ACK, lease, reply);
    }
    return (facts->net->guest_dhcp && !r->server_id ? SERVICE_OTHERS
            : answer(facts, r, NAK, lease, reply));
}

/* The client has an address and wants the rest.  It is not asked whose
 * address that is (RFC 2131 section 4.3.5). */
static enum service_verdict
answer_inform(const struct service_facts *facts, const struct request *r,
              struct ofpbuf *reply)
{
    const ovs_be32 ip = r->header.ciaddr ? r->header.ciaddr : r->src;
    const struct lease lease = { ip, range_of(facts->net, ip) };

    return ip ? answer(facts, r, ACK, &lease, reply) : SERVICE_BAD;
}

enum service_verdict
dhcp4_answer(const void *frame, size_t len, const struct service_facts *facts,
             struct ofpbuf *reply, struct service_note *note)
{
    struct lease lease = { 0, NULL };
    enum service_verdict verdict;
    struct request r;

    *note = (struct service_note) { .address = in6addr_any };
    if (!parse(frame, len, &r)) {
        return SERVICE_BAD;
    }
    note->request = names[r.type];

    const ovs_be32 asked = r.requested ? r.requested : r.header.ciaddr;
    const bool has_lease = find_lease(facts, asked, &lease);
    if (has_lease || asked) {
        in6_addr_set_mapped_ipv4(&note->address,
                                 has_lease ? lease.ip : asked);
    }
    switch (r.type) {
    case DISCOVER:
        note->answer = names[OFFER];
        return (has_lease ? answer(facts, &r, OFFER, &lease, reply)
                : SERVICE_NO_ADDRESS);
    case REQUEST:
        verdict = (has_lease ? answer_request(facts, &r, &lease, reply)
                   : SERVICE_NO_ADDRESS);
        note->answer = names[lease.ip == asked ? ACK : NAK];
        return verdict;
    case INFORM:
        note->answer = names[ACK];
        return answer_inform(facts, &r, reply);
    case DECLINE:
    case RELEASE:
        in6_addr_set_mapped_ipv4(&note->address, asked);
        note->declined = r.type == DECLINE;
        return SERVICE_NOTED;
    case OFFER:
    case ACK:
    case NAK:
    default:
        return SERVICE_OTHERS;
    }
}
