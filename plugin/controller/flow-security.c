/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 5 and 6: what a local port may send. */
#include <config.h>
#include "controller/flow-parts.h"

/* A port whose MAC an operator has bound with addresses sends from that MAC
 * and from those addresses only, in IP as in what ARP and ND say of it:
 *
 *   - IPv4 from a bound address, or DHCP from 0.0.0.0;
 *   - ARP of its MAC, for a bound address or a probe (RFC 5227);
 *   - IPv6 from a bound address, from the link-local address that is made of
 *     its MAC (RFC 4291), or from none while it looks for routers, reports
 *     groups, and asks whether an address is free (RFC 4861, 3810, 4862).
 *     Where guests make addresses themselves (RFC 4862), those of the
 *     vSubnet's ranges are good, too: what they are, nobody knows before;
 *   - neighbour solicitations and advertisements (table 6) with no other MAC
 *     in their options, and advertisements of such addresses only;
 *   - anything else from its MAC, but not what has a VLAN tag behind a VLAN
 *     tag: the switch looks behind one only, and where both are of VLAN 0 the
 *     receiver takes for its own what is behind them.
 *
 * What is not so is dropped: each port's flows count it.  The controller is
 * told of ARP and ND, in case the address is another's (duplicates.h).
 *
 * Ports whose MAC is learnt, or merely registered, have nobody's word to go
 * by; and the host's own port is not a guest's.  A binding or a vSubnet can do
 * without (port_security), for who forwards what others sent. */

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "packets.h"
#include "util.h"

struct security {
    struct compose *c;
    const struct model_net *net;
    const struct model_binding *binding;
    const struct local_port *port;
    uint64_t cookie;
};

enum {
    DHCP_SERVER = 67,
    DHCP_CLIENT = 68,
    MLDV2_LISTENER_REPORT = 143,        /* RFC 3810. */
};

/* The frame is from the port, and from its MAC. */
static void
match_sender(const struct security *s)
{
    match_set_in_port(&s->c->match, s->port->ofport);
    match_set_dl_src(&s->c->match, s->binding->mac);
}

static void
match_ethertype(const struct security *s, uint16_t type)
{
    match_set_dl_type(&s->c->match, htons(type));
}

static void
match_icmp6(const struct security *s, uint8_t type)
{
    match_ethertype(s, ETH_TYPE_IPV6);
    match_set_nw_proto(&s->c->match, IPPROTO_ICMPV6);
    match_set_icmp_type(&s->c->match, type);
    match_set_icmp_code(&s->c->match, 0);
}

/* The flow that has been begun is of what may go on, to 'next'. */
static void
allow(const struct security *s, enum flow_table table, enum flow_table next)
{
    act_goto(s->c, next);
    emit(s->c, table, FP_SECURITY_ALLOW, s->cookie);
}

static void
tell(const struct security *s)
{
    act_punt(s->c, PUNT_DUPLICATE, meter_of_punts(s->port->ofport));
}

static void
permit_ipv4(const struct security *s, ovs_be32 ip)
{
    match_sender(s);
    match_ethertype(s, ETH_TYPE_IP);
    match_set_nw_src(&s->c->match, ip);
    allow(s, FT_SECURITY, FT_SOURCE);

    match_sender(s);
    match_ethertype(s, ETH_TYPE_ARP);
    match_set_arp_sha(&s->c->match, s->binding->mac);
    match_set_nw_src(&s->c->match, ip);
    allow(s, FT_SECURITY, FT_SOURCE);
}

/* Before there is an address. */
static void
permit_ipv4_none(const struct security *s)
{
    match_sender(s);
    match_ethertype(s, ETH_TYPE_IP);
    match_set_nw_src(&s->c->match, htonl(INADDR_ANY));
    match_set_nw_dst(&s->c->match, htonl(INADDR_BROADCAST));
    match_set_nw_proto(&s->c->match, IPPROTO_UDP);
    match_set_tp_src(&s->c->match, htons(DHCP_CLIENT));
    match_set_tp_dst(&s->c->match, htons(DHCP_SERVER));
    allow(s, FT_SECURITY, FT_SOURCE);

    match_sender(s);
    match_ethertype(s, ETH_TYPE_ARP);
    match_set_nw_proto(&s->c->match, ARP_OP_REQUEST);
    match_set_arp_sha(&s->c->match, s->binding->mac);
    match_set_nw_src(&s->c->match, htonl(INADDR_ANY));
    allow(s, FT_SECURITY, FT_SOURCE);
}

/* 'prefix' is the port's: as source, and to be advertised. */
static void
permit_ipv6(const struct security *s, const struct in6_addr *prefix, int plen)
{
    const struct in6_addr mask = ipv6_create_mask(plen);
    const struct eth_addr macs[] = { s->binding->mac, eth_addr_zero };

    match_sender(s);
    match_ethertype(s, ETH_TYPE_IPV6);
    match_set_ipv6_src_masked(&s->c->match, prefix, &mask);
    allow(s, FT_SECURITY, FT_SECURITY_ND);

    /* With its MAC in the option for that, or without the option. */
    for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
        match_set_in_port(&s->c->match, s->port->ofport);
        match_icmp6(s, ND_NEIGHBOR_ADVERT);
        match_set_nd_target_masked(&s->c->match, prefix, &mask);
        match_set_arp_tha(&s->c->match, macs[i]);
        allow(s, FT_SECURITY_ND, FT_SOURCE);
    }
}

static void
permit_ipv6_none(const struct security *s)
{
    static const uint8_t types[] = {
        ND_ROUTER_SOLICIT, ND_NEIGHBOR_SOLICIT, MLD_LISTENER_REPORT,
        MLD_LISTENER_REDUCTION, MLDV2_LISTENER_REPORT };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        match_sender(s);
        match_icmp6(s, types[i]);
        match_set_ipv6_src(&s->c->match, &in6addr_any);
        allow(s, FT_SECURITY, FT_SECURITY_ND);
    }
}

/* Solicitations.  One whose options contradict each other has no target for
 * the switch, but may have one for a guest. */
static void
permit_solicitations(const struct security *s)
{
    const struct eth_addr macs[] = { s->binding->mac, eth_addr_zero };

    for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
        match_set_in_port(&s->c->match, s->port->ofport);
        match_icmp6(s, ND_NEIGHBOR_SOLICIT);
        match_set_arp_sha(&s->c->match, macs[i]);
        allow(s, FT_SECURITY_ND, FT_SOURCE);
    }
    match_set_in_port(&s->c->match, s->port->ofport);
    match_icmp6(s, ND_NEIGHBOR_SOLICIT);
    match_set_nd_target(&s->c->match, &in6addr_any);
    emit(s->c, FT_SECURITY_ND, FP_SECURITY_BAD, s->cookie);
}

/* ND of any code: one that is not 0 is no ND for the switch. */
static void
match_nd_any_code(const struct security *s, uint8_t type)
{
    match_ethertype(s, ETH_TYPE_IPV6);
    match_set_nw_proto(&s->c->match, IPPROTO_ICMPV6);
    match_set_icmp_type(&s->c->match, type);
}

/* What the flows above say nothing of. */
static void
compose_denials(const struct security *s)
{
    static const uint8_t nd_types[] = { ND_NEIGHBOR_SOLICIT,
                                        ND_NEIGHBOR_ADVERT };
    static const uint16_t ethertypes[] = {
        ETH_TYPE_IP, ETH_TYPE_IPV6, ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD };

    match_sender(s);
    match_ethertype(s, ETH_TYPE_ARP);
    tell(s);
    emit(s->c, FT_SECURITY, FP_SECURITY_DENY_TOLD, s->cookie);

    for (size_t i = 0; i < ARRAY_SIZE(nd_types); i++) {
        match_sender(s);
        match_nd_any_code(s, nd_types[i]);
        tell(s);
        emit(s->c, FT_SECURITY, FP_SECURITY_DENY_TOLD, s->cookie);

        match_set_in_port(&s->c->match, s->port->ofport);
        match_nd_any_code(s, nd_types[i]);
        tell(s);
        emit(s->c, FT_SECURITY_ND, FP_SECURITY_DENY_TOLD, s->cookie);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ethertypes); i++) {
        match_sender(s);
        match_ethertype(s, ethertypes[i]);
        emit(s->c, FT_SECURITY, FP_SECURITY_DENY, s->cookie);
    }
}

static void
permit_addresses(const struct security *s)
{
    const struct model_binding *binding = s->binding;
    struct in6_addr link_local;

    for (size_t i = 0; i < binding->n_addresses; i++) {
        const struct in6_addr *ip = &binding->addresses[i].ip;

        if (IN6_IS_ADDR_V4MAPPED(ip)) {
            permit_ipv4(s, in6_addr_get_mapped_ipv4(ip));
        } else {
            permit_ipv6(s, ip, 128);
        }
    }
    in6_generate_lla(binding->mac, &link_local);
    permit_ipv6(s, &link_local, 128);

    for (size_t i = 0; s->net->ipv6 == MODEL_IPV6_SLAAC
                       && i < s->net->n_subnets; i++) {
        const struct model_address *range = &s->net->subnets[i];

        if (!model_address_is_ipv4(range)) {
            permit_ipv6(s, &range->ip, range->plen);
        }
    }
}

void
flow_security_port(struct compose *c, const struct model_net *net,
                   const struct local_port *port)
{
    const struct model_binding *binding = compose_port_binding(c, net, port);

    if (port->host_port || !net->port_security || !binding
        || binding_is_dynamic(binding) || !binding->port_security
        || !binding->n_addresses) {
        return;
    }
    const struct security s = {
        .c = c, .net = net, .binding = binding, .port = port,
        .cookie = cookie_make(COOKIE_SECURITY, net->vni,
                              ofp_to_u16(port->ofport)),
    };

    permit_addresses(&s);
    permit_ipv4_none(&s);
    permit_ipv6_none(&s);
    permit_solicitations(&s);
    compose_denials(&s);

    match_sender(&s);
    act_goto(c, FT_SOURCE);
    emit(c, FT_SECURITY, FP_SECURITY_OTHERS, s.cookie);

    match_set_in_port(&c->match, port->ofport);
    emit(c, FT_SECURITY, FP_SECURITY_SPOOFED, s.cookie);
}
