/* SPDX-License-Identifier: Apache-2.0 */
/* Table 35: how much of what is flooded goes on; MACs that are held. */
#include <config.h>
#include "controller/flow-parts.h"

#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "controller/mac-damping.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "packets.h"

/* What comes from the tunnel has been through the meter of the port that it
 * began at. */
void
flow_storm_base(struct compose *c)
{
    match_set_reg(&c->match, FR_OUTPUT_IDX, 0);
    act_goto(c, FT_FLOOD);
    emit(c, FT_STORM, FP_BUM, cookie_make(COOKIE_BASE, 0, 0));
}

/* The rate is the vSubnet's (meters.h). */
void
flow_storm_port(struct compose *c, const struct local_port *port)
{
    match_set_in_port(&c->match, port->ofport);
    match_set_reg(&c->match, FR_OUTPUT_IDX, 0);
    act_meter(c, meter_of_bum(port->ofport));
    act_goto(c, FT_FLOOD);
    emit(c, FT_STORM, FP_BUM_PORT, cookie_make(COOKIE_STORM, port->vni,
                                               ofp_to_u16(port->ofport)));
}

/* What comes from the MAC is dropped at each port but its home. */
static void
compose_hold_at_port(struct compose *c, const struct mac_hold *hold,
                     const struct local_port *port)
{
    match_set_in_port(&c->match, port->ofport);
    match_set_dl_src(&c->match, hold->mac);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_HELD,
         cookie_make(COOKIE_STORM, hold->vni, ofp_to_u16(port->ofport)));
}

static void
compose_hold(struct compose *c, const struct mac_hold *hold)
{
    for (size_t i = 0; i < c->input->ports->n; i++) {
        const struct local_port *port = &c->input->ports->ports[i];

        if (port->vni == hold->vni && port->ofport
            && port->ofport != hold->home) {
            compose_hold_at_port(c, hold, port);
        }
    }
    if (hold->home != MAC_ELSEWHERE) {
        match_net(c, hold->vni);
        match_from_tunnel(c, true);
        match_set_dl_src(&c->match, hold->mac);
        act_goto(c, FT_ARP);
        emit(c, FT_LEARN, FP_LEARN_HELD,
             cookie_make(COOKIE_STORM, hold->vni,
                         ofp_to_u16(hold->home)));
    }
}

void
flow_storm_net(struct compose *c, const struct model_net *net)
{
    const struct mac_holds *holds = c->input->holds;

    for (size_t i = 0; holds && i < holds->n; i++) {
        if (holds->holds[i].vni == net->vni) {
            compose_hold(c, &holds->holds[i]);
        }
    }
}
