/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements. */
#include <config.h>
#include "controller/ra.h"

#include <netinet/icmp6.h>
#include <string.h>

#include "model/object.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

enum {
    OPT_SOURCE = 1, OPT_PREFIX = 3, OPT_MTU = 5, OPT_RDNSS = 25,
    OPT_DNSSL = 31,
    OPT_UNIT = 8,               /* Bytes that an option's length counts. */

    PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40,
    SLAAC_PLEN = 64,            /* RFC 2464 section 4. */
    HOP_LIMIT = 64,
    MTU_MIN = 1280,             /* RFC 8200 section 5. */

    /* Seconds.  Guests keep what they have for a day while this host's
     * controller is away.  A range that the vSubnet has no more is not used
     * for what is new after a few hours. */
    VALID = 86400,
    PREFERRED = 14400,
    DNS_LIFETIME = 86400,
};

static const struct in6_addr all_nodes = { .s6_addr = {
    0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01 } };

static void
put_be32(struct ofpbuf *b, uint32_t value)
{
    ovs_be32 be32 = htonl(value);
    ofpbuf_put(b, &be32, sizeof be32);
}

static void
put_option(struct ofpbuf *b, uint8_t type, size_t size)
{
    ofpbuf_put(b, (uint8_t[]) { type, size / OPT_UNIT }, 2);
}

static void
put_source(struct ofpbuf *b)
{
    const struct eth_addr mac = SERVICE_MAC;

    put_option(b, OPT_SOURCE, OPT_UNIT);
    ofpbuf_put(b, &mac, sizeof mac);
}

static void
put_mtu(struct ofpbuf *b, int mtu)
{
    put_option(b, OPT_MTU, OPT_UNIT);
    ofpbuf_put_zeros(b, 2);
    put_be32(b, mtu);
}

static void
put_prefix(struct ofpbuf *b, const struct model_address *range,
           enum model_ipv6_mode mode)
{
    const struct in6_addr mask = ipv6_create_mask(range->plen);
    const struct in6_addr prefix = ipv6_addr_bitand(&range->ip, &mask);
    const bool slaac = (mode == MODEL_IPV6_SLAAC
                        && range->plen == SLAAC_PLEN);

    put_option(b, OPT_PREFIX, 4 * OPT_UNIT);
    ofpbuf_put(b, (uint8_t[]) {
        range->plen, PREFIX_ON_LINK | (slaac ? PREFIX_AUTONOMOUS : 0) }, 2);
    put_be32(b, VALID);
    put_be32(b, PREFERRED);
    put_be32(b, 0);
    ofpbuf_put(b, &prefix, sizeof prefix);
}

/* Name servers and domain (RFC 8106 section 5). */
static void
put_dns(struct ofpbuf *b, const struct model_dhcp *dhcp)
{
    struct in6_addr servers[MODEL_DNS_MAX];
    const size_t n = service_dns6(dhcp, servers);

    if (n) {
        put_option(b, OPT_RDNSS, OPT_UNIT + n * sizeof *servers);
        ofpbuf_put_zeros(b, 2);
        put_be32(b, DNS_LIFETIME);
        ofpbuf_put(b, servers, n * sizeof *servers);
    }
    if (dhcp && dhcp->domain) {
        uint8_t name[SERVICE_DOMAIN_MAX];
        const size_t len = service_domain(dhcp->domain, name);
        const size_t size = ROUND_UP(len, OPT_UNIT);

        put_option(b, OPT_DNSSL, OPT_UNIT + size);
        ofpbuf_put_zeros(b, 2);
        put_be32(b, DNS_LIFETIME);
        ofpbuf_put(b, name, len);
        ofpbuf_put_zeros(b, size - len);
    }
}

static void
compose(const struct service_facts *facts, struct ofpbuf *b,
        const struct service_to *to)
{
    const struct model_net *net = facts->net;
    const bool managed = net->ipv6 == MODEL_IPV6_DHCPV6;
    const bool other = net->dhcp && (net->dhcp->n_dns || net->dhcp->domain);
    const struct ovs_ra_msg ra = {
        .icmph.icmp6_type = ND_ROUTER_ADVERT,
        .cur_hop_limit = HOP_LIMIT,
        .mo_flags = ((managed ? ND_RA_MANAGED_ADDRESS : 0)
                     | (other ? ND_RA_OTHER_CONFIG : 0)),
    };

    ofpbuf_put(b, &ra, sizeof ra);
    put_source(b);
    if (facts->mtu >= MTU_MIN) {
        put_mtu(b, facts->mtu);
    }
    for (size_t i = 0; i < net->n_subnets; i++) {
        if (!model_address_is_ipv4(&net->subnets[i])) {
            put_prefix(b, &net->subnets[i], net->ipv6);
        }
    }
    put_dns(b, net->dhcp);
    service_ip6_push(b, to, IPPROTO_ICMPV6,
                     offsetof(struct icmp6_header, icmp6_cksum));
}

static void
to_all(struct service_to *to)
{
    *to = (struct service_to) { .src = service_link_local,
                                .dst = all_nodes };
    ipv6_multicast_to_ethernet(&to->mac, &to->dst);
}

void
ra_compose(const struct service_facts *facts, struct ofpbuf *frame)
{
    struct service_to to;

    to_all(&to);
    compose(facts, frame, &to);
}

/* The options of a solicitation (RFC 4861 section 6.1.1). */
static bool
options_are_valid(const struct service_message *rs)
{
    const uint8_t *p = rs->data + 4;
    size_t left = rs->len - 4;
    const bool unspecified = !ipv6_addr_is_set(&rs->src);

    while (left) {
        if (left < OPT_UNIT || !p[1] || p[1] * OPT_UNIT > left
            || (unspecified && p[0] == OPT_SOURCE)) {
            return false;
        }
        left -= p[1] * OPT_UNIT;
        p += p[1] * OPT_UNIT;
    }
    return true;
}

enum service_verdict
ra_answer(const void *frame, size_t len, const struct service_facts *facts,
          struct ofpbuf *reply, struct service_note *note)
{
    struct service_message rs;
    struct service_to to;

    *note = (struct service_note) { .address = in6addr_any };
    if (!service_nd_parse(frame, len, ND_ROUTER_SOLICIT, &rs) || rs.len < 4
        || ipv6_addr_is_multicast(&rs.src) || !options_are_valid(&rs)) {
        return SERVICE_BAD;
    }
    *note = (struct service_note) {
        .request = "router solicitation", .answer = "router advertisement",
        .address = rs.src };
    to_all(&to);
    if (ipv6_addr_is_set(&rs.src)) {
        to.dst = rs.src;
        to.mac = rs.mac;
    }
    compose(facts, reply, &to);
    return SERVICE_ANSWERED;
}
