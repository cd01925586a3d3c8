/* SPDX-License-Identifier: Apache-2.0 */
/* Table 18: what guests ask of the network, and who may not answer. */
#include <config.h>
#include "controller/flow-parts.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "model/object.h"
#include "openvswitch/match.h"
#include "packets.h"

/* A vSubnet that has DHCP, or tells of IPv6, is its own server: requests go up
 * (services.h) and no further, so they are flooded to nobody.  Where guests
 * may be servers as well, they go on.
 *
 * What a server or a router says, guests may not, in any vSubnet, unless it is
 * their vSubnet's wish (guest_dhcp).  That holds under any VLAN tag, since a
 * receiver may take one with ID 0 off; a request is only taken without one,
 * because a VLAN is a network of the guests' own.  What is for clients is of
 * a server, whichever port it is from: clients do not look at that.
 *
 * The host's own port is no guest's. */

enum {
    DHCP4_SERVER = 67, DHCP4_CLIENT = 68,
    DHCP6_SERVER = 547, DHCP6_CLIENT = 546,
};

static void
match_udp(struct compose *c, uint16_t eth_type)
{
    match_set_dl_type(&c->match, htons(eth_type));
    match_set_nw_proto(&c->match, IPPROTO_UDP);
}

static void
emit_port(struct compose *c, const struct local_port *port,
          enum flow_priority priority)
{
    match_set_in_port(&c->match, port->ofport);
    emit(c, FT_SERVICES, priority, cookie_make(COOKIE_SERVICE, port->vni,
                                               ofp_to_u16(port->ofport)));
}

static void
compose_request(struct compose *c, const struct model_net *net,
                const struct local_port *port, enum punt_kind kind)
{
    match_set_dl_tci(&c->match, 0);
    act_punt_whole(c, kind, meter_of_punts(port->ofport));
    if (net->guest_dhcp) {
        act_goto(c, FT_DESTINATION);
    }
    emit_port(c, port, FP_SERVICES);
}

static void
compose_requests(struct compose *c, const struct model_net *net,
                 const struct local_port *port)
{
    static const struct in6_addr all_servers = { .s6_addr = {
        0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0, 0x02 } };

    if (net->dhcp) {
        match_udp(c, ETH_TYPE_IP);
        match_set_tp_src(&c->match, htons(DHCP4_CLIENT));
        match_set_tp_dst(&c->match, htons(DHCP4_SERVER));
        compose_request(c, net, port, PUNT_DHCP4);
    }
    if (net->ipv6 != MODEL_IPV6_NONE) {
        match_udp(c, ETH_TYPE_IPV6);
        match_set_ipv6_dst(&c->match, &all_servers);
        match_set_tp_dst(&c->match, htons(DHCP6_SERVER));
        compose_request(c, net, port, PUNT_DHCP6);

        match_nd(c, ND_ROUTER_SOLICIT);
        compose_request(c, net, port, PUNT_ROUTER);
    }
}

static void
compose_rogues(struct compose *c, const struct local_port *port)
{
    match_udp(c, ETH_TYPE_IP);
    match_set_tp_dst(&c->match, htons(DHCP4_CLIENT));
    emit_port(c, port, FP_SERVICES_ROGUE);

    match_udp(c, ETH_TYPE_IPV6);
    match_set_tp_dst(&c->match, htons(DHCP6_CLIENT));
    emit_port(c, port, FP_SERVICES_ROGUE);

    match_nd(c, ND_ROUTER_ADVERT);
    emit_port(c, port, FP_SERVICES_ROGUE);
}

void
flow_services_port(struct compose *c, const struct model_net *net,
                   const struct local_port *port)
{
    if (!port->host_port) {
        compose_requests(c, net, port);
        if (!net->guest_dhcp) {
            compose_rogues(c, port);
        }
    }
}
