/* SPDX-License-Identifier: Apache-2.0 */
/* A DHCPv6 server that only says what the mapping says. */
#include <config.h>
#include "controller/dhcp6.h"

#include <string.h>

#include "controller/dhcp6-request.h"
#include "model/object.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

static const char *const names[] = {
    [DHCP6_SOLICIT] = "SOLICIT",
    [DHCP6_ADVERTISE] = "ADVERTISE",
    [DHCP6_REQUEST] = "REQUEST",
    [DHCP6_CONFIRM] = "CONFIRM",
    [DHCP6_RENEW] = "RENEW",
    [DHCP6_REBIND] = "REBIND",
    [DHCP6_REPLY] = "REPLY",
    [DHCP6_RELEASE] = "RELEASE",
    [DHCP6_DECLINE] = "DECLINE",
    [DHCP6_INFORMATION_REQUEST] = "INFORMATION-REQUEST",
};

enum status {
    SUCCESS = 0, NO_ADDRS_AVAIL = 2, NOT_ON_LINK = 4, NO_PREFIX_AVAIL = 6
};

enum {
    REFRESH_MIN = 600,          /* RFC 8415 section 21.23. */
    PREFERENCE = 255,           /* Take this one, at once. */

    ADDRESSES_MAX = 16,         /* Of one guest. */
    ENDED_MAX = 16,             /* Addresses of one IA that are not bound. */
    IAS_MAX = 8,                /* That are answered. */
    PAYLOAD_MAX = 1500 - IPV6_HEADER_LEN - UDP_HEADER_LEN,
};

/* A DUID-LL (section 11.4) of SERVICE_MAC. */
static const uint8_t server_duid[] = {
    0, 3, 0, 1, 0x06, 0x76, 0xff, 0xff, 0xff, 0xfe };

/* What the mapping says. */

struct addresses {
    struct in6_addr ip[ADDRESSES_MAX];
    size_t n;
};

/* What a guest was only seen to use is not the mapping's to give. */
static void
find_addresses(const struct service_facts *facts, struct addresses *list)
{
    const struct model_binding *binding = facts->binding;

    list->n = 0;
    if (binding->origin == MODEL_ORIGIN_DYNAMIC) {
        return;
    }
    for (size_t i = 0; i < binding->n_addresses; i++) {
        const struct model_address *address = &binding->addresses[i];

        if (list->n < ADDRESSES_MAX && !model_address_is_ipv4(address)
            && model_net_subnet_of(facts->net, address)) {
            list->ip[list->n++] = address->ip;
        }
    }
}

static bool
contain(const struct addresses *list, const struct in6_addr *ip)
{
    for (size_t i = 0; i < list->n; i++) {
        if (ipv6_addr_equals(&list->ip[i], ip)) {
            return true;
        }
    }
    return false;
}

static uint32_t
lease_of(const struct service_facts *facts)
{
    return (facts->net->dhcp ? facts->net->dhcp->lease
            : MODEL_DHCP_LEASE_DEFAULT);
}

/* Counts the addresses that the client has in its IAs, and those of them that
 * are bound to it. */
static void
count_addresses(const struct dhcp6_request *r, const struct addresses *bound,
                size_t *n, size_t *n_bound)
{
    struct dhcp6_bytes rest = r->options;
    struct dhcp6_option option;

    *n = *n_bound = 0;
    while (dhcp6_next_option(&rest, &option)) {
        if (option.code == DHCP6_IA_NA || option.code == DHCP6_IA_TA) {
            struct dhcp6_bytes options = dhcp6_ia_options(&option);
            struct in6_addr ip;

            while (dhcp6_next_address(&options, &ip)) {
                (*n)++;
                *n_bound += contain(bound, &ip);
            }
        }
    }
}

/* The answer. */

struct answer {
    const struct service_facts *facts;
    const struct dhcp6_request *request;
    const struct addresses *bound;
    struct ofpbuf *b;
    size_t max;                 /* Bytes of payload. */
};

static void
put_be32(struct ofpbuf *b, uint32_t value)
{
    ovs_be32 be32 = htonl(value);
    ofpbuf_put(b, &be32, sizeof be32);
}

/* An option is begun, filled and ended.  One that turns out to be longer than
 * what a frame still holds is left out. */
static size_t
begin_option(struct ofpbuf *b, enum dhcp6_option_code code)
{
    const size_t ofs = b->size;
    const ovs_be16 header[2] = { htons(code), 0 };

    ofpbuf_put(b, header, sizeof header);
    return ofs;
}

static void
end_option(struct answer *a, size_t ofs)
{
    ovs_be16 len = htons(a->b->size - ofs - DHCP6_HEADER_LEN);

    memcpy((uint8_t *) a->b->data + ofs + 2, &len, sizeof len);
    if (a->b->size > a->max) {
        a->b->size = ofs;
    }
}

static void
put_option(struct answer *a, enum dhcp6_option_code code, const void *data,
           size_t n)
{
    const size_t ofs = begin_option(a->b, code);

    ofpbuf_put(a->b, data, n);
    end_option(a, ofs);
}

static void
put_status(struct answer *a, enum status status)
{
    const ovs_be16 be16 = htons(status);
    put_option(a, DHCP6_STATUS, &be16, sizeof be16);
}

static void
put_address(struct answer *a, const struct in6_addr *ip, uint32_t lifetime)
{
    const size_t ofs = begin_option(a->b, DHCP6_ADDRESS);

    ofpbuf_put(a->b, ip, sizeof *ip);
    put_be32(a->b, lifetime);   /* Preferred, */
    put_be32(a->b, lifetime);   /* valid. */
    end_option(a, ofs);
}

/* Ends what the client has in 'ia' and is not its own. */
static size_t
put_ended(struct answer *a, const struct dhcp6_option *ia,
          const struct addresses *given)
{
    struct dhcp6_bytes options = dhcp6_ia_options(ia);
    struct in6_addr ip;
    size_t n = 0;

    while (n < ENDED_MAX && dhcp6_next_address(&options, &ip)) {
        if (!contain(given, &ip)) {
            put_address(a, &ip, 0);
            n++;
        }
    }
    return n;
}

static void
put_ia_na(struct answer *a, const struct dhcp6_option *ia,
          const struct addresses *given)
{
    const uint32_t lease = given->n ? lease_of(a->facts) : 0;
    const bool has_old = (a->request->type == DHCP6_RENEW
                          || a->request->type == DHCP6_REBIND);
    const size_t ofs = begin_option(a->b, DHCP6_IA_NA);

    ofpbuf_put(a->b, ia->value.data, DHCP6_IAID_LEN);
    put_be32(a->b, lease / 2);
    put_be32(a->b, (uint64_t) lease * 4 / 5);
    for (size_t i = 0; i < given->n; i++) {
        put_address(a, &given->ip[i], lease);
    }
    if (!(has_old && put_ended(a, ia, given)) && !given->n) {
        put_status(a, NO_ADDRS_AVAIL);
    }
    end_option(a, ofs);
}

/* An IA of a kind that there is nothing for. */
static void
put_ia_refused(struct answer *a, const struct dhcp6_option *ia)
{
    const size_t ofs = begin_option(a->b, ia->code);

    ofpbuf_put(a->b, ia->value.data, DHCP6_IAID_LEN);
    if (ia->code == DHCP6_IA_PD) {
        put_be32(a->b, 0);
        put_be32(a->b, 0);
    }
    put_status(a, (ia->code == DHCP6_IA_PD ? NO_PREFIX_AVAIL
                   : NO_ADDRS_AVAIL));
    end_option(a, ofs);
}

/* The first IA_NA has all addresses. */
static void
put_ias(struct answer *a)
{
    static const struct addresses none = { .n = 0 };
    struct dhcp6_bytes rest = a->request->options;
    const struct addresses *given = a->bound;
    struct dhcp6_option option;

    for (size_t n = 0; n < IAS_MAX && dhcp6_next_option(&rest, &option);) {
        if (!dhcp6_is_ia(&option)) {
            continue;
        }
        if (option.code == DHCP6_IA_NA) {
            put_ia_na(a, &option, given);
            given = &none;
        } else {
            put_ia_refused(a, &option);
        }
        n++;
    }
}

static void
put_settings(struct answer *a)
{
    const struct model_dhcp *dhcp = a->facts->net->dhcp;
    struct in6_addr servers[MODEL_DNS_MAX];
    const size_t n = service_dns6(dhcp, servers);

    if (n && dhcp6_request_asks_for(a->request, DHCP6_DNS)) {
        put_option(a, DHCP6_DNS, servers, n * sizeof *servers);
    }
    if (dhcp && dhcp->domain
        && dhcp6_request_asks_for(a->request, DHCP6_DOMAINS)) {
        uint8_t name[SERVICE_DOMAIN_MAX];
        put_option(a, DHCP6_DOMAINS, name, service_domain(dhcp->domain, name));
    }
    if (a->request->type == DHCP6_INFORMATION_REQUEST
        && dhcp6_request_asks_for(a->request, DHCP6_REFRESH_TIME)) {
        ovs_be32 time = htonl(MAX(lease_of(a->facts), REFRESH_MIN));
        put_option(a, DHCP6_REFRESH_TIME, &time, sizeof time);
    }
}

static void
begin(struct answer *a, enum dhcp6_message type)
{
    const struct dhcp6_request *r = a->request;

    ofpbuf_put(a->b, (uint8_t[]) { type }, 1);
    ofpbuf_put(a->b, r->header + 1, DHCP6_HEADER_LEN - 1);
    put_option(a, DHCP6_SERVER_ID, server_duid, sizeof server_duid);
    if (r->client_id.data) {
        put_option(a, DHCP6_CLIENT_ID, r->client_id.data, r->client_id.len);
    }
}

static enum service_verdict
end(struct answer *a)
{
    const struct dhcp6_request *r = a->request;
    const struct service_to to = {
        .mac = r->mac,
        .src = service_link_local, .dst = r->src,
        .src_port = DHCP6_SERVER_PORT, .dst_port = DHCP6_CLIENT_PORT,
    };

    service_udp6_push(a->b, &to);
    return SERVICE_ANSWERED;
}

static enum service_verdict
answer_solicit(struct answer *a, struct service_note *note)
{
    const bool rapid = dhcp6_find(a->request->options,
                                  DHCP6_RAPID_COMMIT).data != NULL;
    const uint8_t preference = PREFERENCE;

    if (!a->bound->n) {
        return SERVICE_NO_ADDRESS;
    }
    note->answer = names[rapid ? DHCP6_REPLY : DHCP6_ADVERTISE];
    begin(a, rapid ? DHCP6_REPLY : DHCP6_ADVERTISE);
    if (rapid) {
        put_option(a, DHCP6_RAPID_COMMIT, "", 0);
    } else {
        put_option(a, DHCP6_PREFERENCE, &preference, sizeof preference);
    }
    put_ias(a);
    put_settings(a);
    return end(a);
}

static enum service_verdict
answer_with_ias(struct answer *a)
{
    begin(a, DHCP6_REPLY);
    put_ias(a);
    put_settings(a);
    return end(a);
}

static enum service_verdict
answer_with_status(struct answer *a, enum status status)
{
    begin(a, DHCP6_REPLY);
    put_status(a, status);
    return end(a);
}

/* The client asks whether it is still where its addresses are good.  Since
 * the mapping knows, it is told that of each, not only of their prefixes. */
static enum service_verdict
answer_confirm(struct answer *a)
{
    size_t n, n_bound;

    count_addresses(a->request, a->bound, &n, &n_bound);
    if (!n) {
        return SERVICE_BAD;     /* Section 18.3.3. */
    }
    return (n == n_bound ? answer_with_status(a, SUCCESS)
            : a->facts->net->guest_dhcp ? SERVICE_OTHERS
            : answer_with_status(a, NOT_ON_LINK));
}

static enum service_verdict
answer_rebind(struct answer *a)
{
    size_t n, n_bound;

    count_addresses(a->request, a->bound, &n, &n_bound);
    return (a->facts->net->guest_dhcp && !n_bound ? SERVICE_OTHERS
            : answer_with_ias(a));
}

static enum service_verdict
answer_any(struct answer *a, struct service_note *note)
{
    switch (a->request->type) {
    case DHCP6_SOLICIT:
        return answer_solicit(a, note);
    case DHCP6_REQUEST:
    case DHCP6_RENEW:
        return answer_with_ias(a);
    case DHCP6_REBIND:
        return answer_rebind(a);
    case DHCP6_CONFIRM:
        return answer_confirm(a);
    case DHCP6_RELEASE:
    case DHCP6_DECLINE:
        return answer_with_status(a, SUCCESS);
    case DHCP6_INFORMATION_REQUEST:
        begin(a, DHCP6_REPLY);
        put_settings(a);
        return end(a);
    case DHCP6_ADVERTISE:
    case DHCP6_REPLY:
    default:
        return SERVICE_BAD;
    }
}

enum service_verdict
dhcp6_answer(const void *frame, size_t len, const struct service_facts *facts,
             struct ofpbuf *reply, struct service_note *note)
{
    struct addresses bound;
    struct dhcp6_request r;
    struct answer a = {
        .facts = facts, .request = &r, .bound = &bound, .b = reply,
        .max = PAYLOAD_MAX,
    };

    *note = (struct service_note) { .address = in6addr_any };
    if (!dhcp6_request_parse(&r, frame, len)) {
        return SERVICE_BAD;
    }
    note->request = names[r.type];
    note->answer = names[DHCP6_REPLY];
    note->declined = r.type == DHCP6_DECLINE;
    if ((r.server_id.data
         && (r.server_id.len != sizeof server_duid
             || memcmp(r.server_id.data, server_duid, sizeof server_duid)))
        || (facts->net->ipv6 != MODEL_IPV6_DHCPV6
            && r.type != DHCP6_INFORMATION_REQUEST)) {
        return SERVICE_OTHERS;
    }
    if (facts->mtu > 0) {
        a.max = MIN(a.max, facts->mtu - IPV6_HEADER_LEN - UDP_HEADER_LEN);
    }
    find_addresses(facts, &bound);
    if (bound.n) {
        note->address = bound.ip[0];
    }
    return answer_any(&a, note);
}
