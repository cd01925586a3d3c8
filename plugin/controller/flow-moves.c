/* SPDX-License-Identifier: Apache-2.0 */
/* Table 11: guests from which the controller waits to hear (claim.h). */
#include <config.h>
#include "controller/flow-parts.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "controller/claim.h"
#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "packets.h"

enum claim_state
flow_claim_state(const struct compose *c, const struct model_net *net,
                 const struct local_port *port)
{
    return claim_judge(port, compose_port_binding(c, net, port),
                       compose_self(c));
}

static void
punt(struct compose *c, const struct local_port *port)
{
    match_set_in_port(&c->match, port->ofport);
    match_set_dl_src(&c->match, port->mac);
    act_punt(c, PUNT_MOVE, meter_of_punts(port->ofport));
    act_goto(c, FT_ARP);
    emit(c, FT_LEARN, FP_LEARN_MOVE,
         cookie_make(COOKIE_PORT, port->vni, ofp_to_u16(port->ofport)));
}

void
flow_moves_port(struct compose *c, const struct model_net *net,
                const struct local_port *port)
{
    if (!port->has_mac) {
        return;
    }
    switch (flow_claim_state(c, net, port)) {
    case CLAIM_WAITS:
        punt(c, port);
        break;
    case CLAIM_LOST:
        match_set_dl_type(&c->match, htons(ETH_TYPE_RARP));
        punt(c, port);
        match_set_dl_type(&c->match, htons(ETH_TYPE_ARP));
        punt(c, port);
        match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
        match_set_nw_proto(&c->match, IPPROTO_ICMPV6);
        match_set_icmp_type(&c->match, ND_NEIGHBOR_ADVERT);
        match_set_icmp_code(&c->match, 0);
        punt(c, port);
        break;
    case CLAIM_OTHERS:
    case CLAIM_HERE:
    case CLAIM_WANTED:
        break;
    }
}
