/* SPDX-License-Identifier: Apache-2.0 */
/* Table 35: how much of what is flooded goes on. */
#include <config.h>
#include "controller/flow-parts.h"

#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "openvswitch/match.h"

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
