/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have. */
#include <config.h>
#include "controller/flow-desired.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "controller/claim.h"
#include "controller/flow-acl.h"
#include "controller/flow-compose.h"
#include "controller/flow-parts.h"
#include "controller/flow-set.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* The base. */

/* What no flow of a port or vSubnet has taken. */
static void
compose_classify(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);
    const struct eth_addr control = ETH_ADDR_C(01,80,c2,00,00,00);
    const struct eth_addr control_mask = ETH_ADDR_C(ff,ff,ff,ff,ff,f0);
    const struct eth_addr multicast = ETH_ADDR_C(01,00,00,00,00,00);
    static const uint16_t vlan_types[] = {
        ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD };

    /* Bridges' own protocols (IEEE 802.1D 7.12.6) end at a bridge, and a
     * source that is a group is nobody's. */
    match_set_dl_dst_masked(&c->match, control, control_mask);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_BAD, cookie);
    match_set_dl_src_masked(&c->match, multicast, multicast);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_BAD, cookie);

    /* Linux takes off any number of VLAN tags with ID 0.  The switch looks
     * behind one, unless other_config:vlan-limit says otherwise; of what is
     * behind more, no table would know what it is to the receiver. */
    for (size_t i = 0; i < ARRAY_SIZE(vlan_types); i++) {
        match_set_dl_tci_masked(&c->match, htons(VLAN_CFI),
                                htons(VLAN_CFI | VLAN_VID_MASK));
        match_set_dl_type(&c->match, htons(vlan_types[i]));
        emit(c, FT_CLASSIFY, FP_CLASSIFY_BAD, cookie);
    }

    emit(c, FT_CLASSIFY, FP_MISS, cookie);

    ofp_port_t tunnel = c->input->tunnel;
    if (tunnel) {
        match_set_in_port(&c->match, tunnel);
        match_set_tun_flags_masked(&c->match, FLOW_TNL_F_OAM, FLOW_TNL_F_OAM);
        emit(c, FT_CLASSIFY, FP_CLASSIFY_OAM, cookie);
    }
}

/* Where a frame goes that a table has nothing to say about. */
static void
compose_misses(struct compose *c)
{
    static const struct {
        enum flow_table from, to;
    } misses[] = {
        { FT_SECURITY, FT_SOURCE },
        { FT_SECURITY_ND, FT_SOURCE },
        { FT_ARP, FT_SERVICES },
        { FT_SERVICES, FT_DESTINATION },
        { FT_DESTINATION_LEARNT, FT_ACL_OUT },
        { FT_ACL_OUT, FT_STORM },
        { FT_STORM, FT_ACL_IN },
        { FT_ACL_IN, FT_OUTPUT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(misses); i++) {
        act_goto(c, misses[i].to);
        emit(c, misses[i].from, FP_MISS, cookie_make(COOKIE_BASE, 0, 0));
    }
}

/* Tables 20 and 21: the output port, if anything knows the destination. */
static void
compose_destination(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    act_resubmit(c, FT_BINDINGS);
    act_goto(c, FT_DESTINATION_LEARNT);
    emit(c, FT_DESTINATION, FP_MISS, cookie);

    match_set_reg(&c->match, FR_OUTPUT_IDX, 0);
    act_resubmit(c, FT_LEARNT);
    act_goto(c, FT_ACL_OUT);
    emit(c, FT_DESTINATION_LEARNT, FP_UNKNOWN, cookie);
}

static void
compose_output(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);
    struct ofpact_output_reg *output = ofpact_put_OUTPUT_REG(&c->acts);
    const struct mf_field *reg = mf_from_id(FR_OUTPUT);

    output->src = (struct mf_subfield) { .field = reg, .n_bits = 32 };
    output->max_len = UINT16_MAX;
    emit(c, FT_OUTPUT, FP_OUTPUT, cookie);

    ofp_port_t tunnel = c->input->tunnel;
    if (tunnel) {
        act_move(c, MFF_METADATA, 0, MFF_TUN_ID, 0, 24);
        act_output(c, tunnel);
        match_set_reg(&c->match, FR_OUTPUT_IDX, ofp_to_u16(tunnel));
        emit(c, FT_OUTPUT, FP_OUTPUT_TUNNEL, cookie);
    }
}

/* Local ports and bindings. */

/* Begins a flow of table 30: what is known of a MAC, by its binding if it has
 * one. */
static void
lookup_begin(struct compose *c, const struct model_net *net,
             struct eth_addr mac, const struct model_binding *binding,
             bool dynamic)
{
    match_net(c, net->vni);
    match_set_dl_dst(&c->match, mac);
    act_set_be32(c, FR_BOUND, htonl(dynamic ? FB_DYNAMIC : FB_STATIC));
    act_set_labels(c, FR_LABELS, compose_labels(net, binding));
}

/* Frames to 'mac' go to the local 'port'. */
static void
compose_local_unicast(struct compose *c, const struct model_net *net,
                      const struct local_port *port, struct eth_addr mac,
                      const struct model_binding *binding, bool dynamic,
                      uint64_t cookie)
{
    lookup_begin(c, net, mac, binding, dynamic);
    act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(port->ofport)));
    emit(c, FT_BINDINGS, FP_BINDING, cookie);
}

static void
compose_port(struct compose *c, const struct model_net *net,
             const struct local_port *port)
{
    const uint64_t cookie = cookie_make(COOKIE_PORT, port->vni,
                                        ofp_to_u16(port->ofport));
    const struct model_binding *binding = compose_port_binding(c, net, port);
    const bool is_static = binding && !binding_is_dynamic(binding);

    match_set_in_port(&c->match, port->ofport);
    act_set_be64(c, MFF_METADATA, port->vni);
    act_goto(c, FT_SECURITY);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PORT, cookie);

    flow_security_port(c, net, port);
    flow_learn_port(c, net, port);
    flow_services_port(c, net, port);
    flow_storm_port(c, port);
    flow_arp_port(c, net, port);
    flow_loop_port(c, port);
    flow_moves_port(c, net, port);

    /* The port's own MAC is here, whether or not the service has said so
     * yet, unless it moved away or an operator put it elsewhere. */
    if (port->has_mac && claim_is_ours(flow_claim_state(c, net, port))) {
        compose_local_unicast(c, net, port, port->mac, binding, !is_static,
                              cookie);
    }
}

/* The local port that 'binding', which is at this node, is at, or NULL. */
static const struct local_port *
binding_port(const struct compose *c, const struct model_net *net,
             const struct model_binding *binding)
{
    const struct local_port *port
        = (binding->port ? local_ports_find(c->input->ports, binding->port)
           : NULL);

    return port && port->ofport && port->vni == net->vni ? port : NULL;
}

static void
compose_binding(struct compose *c, const struct model_net *net,
                const struct model_binding *binding)
{
    const uint32_t mac_low = eth_addr_to_uint64(binding->mac);
    const uint64_t cookie = cookie_make(COOKIE_BINDING, net->vni, mac_low);
    const bool dynamic = binding_is_dynamic(binding);
    const bool here = binding->node == compose_self(c);
    const struct local_port *port = (here ? binding_port(c, net, binding)
                                     : NULL);

    if (eth_addr_is_multicast(binding->mac) || !binding->node) {
        return;
    }
    flow_arp_binding(c, net, binding);
    if (port) {
        compose_local_unicast(c, net, port, binding->mac, binding, dynamic,
                              cookie);
        if (dynamic) {
            flow_learn_binding(c, net, port, binding, cookie);
        }
        return;
    }

    /* Without a place it is still bound: not to be learnt. */
    lookup_begin(c, net, binding->mac, binding, dynamic);
    if (!here && c->input->tunnel) {
        act_set_be32(c, MFF_TUN_DST, model_tunnel_address(binding->node));
        act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(c->input->tunnel)));
    }
    emit(c, FT_BINDINGS, FP_BINDING, cookie);
}

/* VSubnets. */

/* The VNI's part of the tunnel. */
static void
compose_net_tunnel(struct compose *c, const struct model_net *net)
{
    match_set_in_port(&c->match, c->input->tunnel);
    match_set_tun_id(&c->match, htonll(net->vni));
    act_set_be64(c, MFF_METADATA, net->vni);
    act_set_flag(c, FF_FROM_TUNNEL);
    act_goto(c, FT_SOURCE);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PORT,
         cookie_make(COOKIE_NET, net->vni, 0));
    flow_learn_net(c, net);
}

/* Table 40.  All local ports; what began here also goes into the tunnel,
 * once.  The tunnel's copy comes last because it alone wants tunnel fields. */
static void
compose_flood(struct compose *c, const struct model_net *net,
              bool from_tunnel)
{
    match_net(c, net->vni);
    match_from_tunnel(c, from_tunnel);
    if (from_tunnel && flow_acl_is_filtered(net)) {
        flow_acl_flood_here(c);
    }

    for (size_t i = 0; i < c->input->ports->n; i++) {
        const struct local_port *port = &c->input->ports->ports[i];
        if (port->vni == net->vni && port->ofport && !port->blocked) {
            if (flow_acl_is_filtered(net)) {
                flow_acl_flood(c, net, port);
            } else {
                act_output(c, port->ofport);
            }
        }
    }
    if (!from_tunnel && c->input->tunnel) {
        act_set_be64(c, MFF_TUN_ID, net->vni);
        if (!net->has_group) {
            act_set_be32(c, MFF_TUN_DST, htonl(INADDR_BROADCAST));
        } else if (model_address_is_ipv4(&net->group)) {
            act_set_be32(c, MFF_TUN_DST,
                         in6_addr_get_mapped_ipv4(&net->group.ip));
        } else {
            ofpact_put_set_field(&c->acts, mf_from_id(MFF_TUN_IPV6_DST),
                                 &net->group.ip, NULL);
        }
        if (flow_acl_is_filtered(net)) {
            act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(c->input->tunnel)));
            act_resubmit(c, FT_ACL_IN);
        } else {
            act_output(c, c->input->tunnel);
        }
    }
    emit(c, FT_FLOOD, FP_FLOOD, cookie_make(COOKIE_NET, net->vni, 0));
}

/* The parts. */

/* The ranks of their flows.  A VNI has 24 bits, a MAC 48. */
#define RANK_BASE UINT64_C(0)
#define RANK_NETS (UINT64_C(1) << 48)
#define RANK_BINDINGS (UINT64_C(2) << 48)

/* Flows of two bindings that have one key are of one vSubnet (and of one
 * address) or of one MAC; both ranks are different then. */
static uint64_t
binding_rank(const struct model_net *net, const struct model_binding *binding)
{
    return RANK_BINDINGS + (eth_addr_to_uint64(binding->mac)
                            ^ (uint64_t) net->vni << 24);
}

void
flow_desired_base(const struct flow_input *input, struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, RANK_BASE);
    compose_classify(&c);
    compose_misses(&c);
    flow_loop_base(&c);
    flow_learn_base(&c);
    flow_arp_base(&c);
    compose_destination(&c);
    flow_storm_base(&c);
    flow_acl_base(&c);
    compose_output(&c);
    compose_uninit(&c);
}

void
flow_desired_net(const struct flow_input *input, const struct model_net *net,
                 struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, RANK_NETS + net->vni);
    for (size_t i = 0; i < input->ports->n; i++) {
        const struct local_port *port = &input->ports->ports[i];
        if (port->ofport && port->vni == net->vni) {
            compose_port(&c, net, port);
        }
    }
    flow_acl_net(&c, net);
    flow_storm_net(&c, net);
    compose_flood(&c, net, false);
    if (input->tunnel) {
        compose_net_tunnel(&c, net);
        compose_flood(&c, net, true);
    }
    compose_uninit(&c);
}

/* The ranks are the vSubnet's: they have tables of their own. */
void
flow_desired_rules(const struct flow_input *input,
                   const struct model_net *net, struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, RANK_NETS + net->vni);
    flow_rules_net(&c, net);
    compose_uninit(&c);
}

void
flow_desired_binding(const struct flow_input *input,
                     const struct model_net *net,
                     const struct model_binding *binding,
                     struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, binding_rank(net, binding));
    compose_binding(&c, net, binding);
    compose_uninit(&c);
}

void
flow_list_clear(struct flow_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        flow_entry_unref(list->flows[i]);
    }
    list->n = 0;
}

void
flow_list_destroy(struct flow_list *list)
{
    flow_list_clear(list);
    free(list->flows);
    *list = (struct flow_list) FLOW_LIST_INITIALIZER;
}

/* The whole. */

static void
take(struct flow_list *list, struct flow_set *flows)
{
    for (size_t i = 0; i < list->n; i++) {
        struct flow_entry *flow = list->flows[i];
        const struct flow_entry *other = flow_set_find(flows, flow);

        if (!other || other->rank > flow->rank) {
            flow_set_replace(flows, flow);
        } else {
            flow_entry_unref(flow);
        }
    }
    list->n = 0;
}

void
flow_desired_compute(const struct flow_input *input, struct flow_set *flows)
{
    struct flow_list list = FLOW_LIST_INITIALIZER;
    const struct model_net *net;

    flow_desired_base(input, &list);
    take(&list, flows);
    HMAP_FOR_EACH (net, by_name, &input->mapping->nets) {
        const struct model_binding *binding;

        flow_desired_net(input, net, &list);
        take(&list, flows);
        flow_desired_rules(input, net, &list);
        take(&list, flows);
        HMAP_FOR_EACH (binding, in_net, &net->bindings) {
            flow_desired_binding(input, net, binding, &list);
            take(&list, flows);
        }
    }
    flow_list_destroy(&list);
}
