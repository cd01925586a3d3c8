/* SPDX-License-Identifier: Apache-2.0 */
/* Table 0: probes for loops, and ports that are blocked for one. */
#include <config.h>
#include "controller/flow-parts.h"

#include <netinet/in.h>

#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "controller/loop-probe.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"

static void
match_probe(struct compose *c)
{
    const struct eth_addr mac = LOOP_PROBE_MAC;

    match_set_dl_type(&c->match, htons(LOOP_PROBE_TYPE));
    match_set_dl_dst(&c->match, mac);
}

/* No probe goes through the segment: what comes in by the tunnel, or by a port
 * in no vSubnet, tells nothing. */
void
flow_loop_base(struct compose *c)
{
    match_probe(c);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PROBE, cookie_make(COOKIE_BASE, 0, 0));
}

/* Datagrams of the tunnel to this node that come in by a local port: is the
 * underlay behind it?  The controller is shown them, and looks whether it
 * knows the SPI. */
static void
compose_underlay(struct compose *c, const struct local_port *port,
                 const struct model_endpoint *endpoint, uint64_t cookie)
{
    match_set_in_port(&c->match, port->ofport);
    if (model_endpoint_is_ipv4(endpoint)) {
        match_set_dl_type(&c->match, htons(ETH_TYPE_IP));
        match_set_nw_dst(&c->match, in6_addr_get_mapped_ipv4(&endpoint->ip));
    } else {
        match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
        match_set_ipv6_dst(&c->match, &endpoint->ip);
    }
    match_set_nw_proto(&c->match, IPPROTO_UDP);
    match_set_tp_dst(&c->match, htons(endpoint->port));
    act_set_be64(c, MFF_METADATA, port->vni);
    act_punt(c, PUNT_LOOP, FM_LOOP_PROBES);
    if (!port->blocked) {
        act_goto(c, FT_SECURITY);
    }
    emit(c, FT_CLASSIFY, FP_CLASSIFY_UNDERLAY, cookie);
}

void
flow_loop_port(struct compose *c, const struct local_port *port)
{
    const struct model_node *self = c->input->mapping->self;
    const uint64_t cookie = cookie_make(COOKIE_LOOP, port->vni,
                                        ofp_to_u16(port->ofport));

    match_probe(c);
    match_set_in_port(&c->match, port->ofport);
    act_set_be64(c, MFF_METADATA, port->vni);
    act_punt(c, PUNT_LOOP, meter_of_probes(port->ofport));
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PROBE_PORT, cookie);

    for (size_t i = 0; self && i < self->n_endpoints; i++) {
        compose_underlay(c, port, &self->endpoints[i], cookie);
    }

    if (port->blocked) {
        match_set_in_port(&c->match, port->ofport);
        emit(c, FT_CLASSIFY, FP_CLASSIFY_BLOCKED, cookie);

        match_set_reg(&c->match, FR_OUTPUT_IDX, ofp_to_u16(port->ofport));
        emit(c, FT_OUTPUT, FP_OUTPUT_BLOCKED, cookie);
    }
}
