/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have. */
#include <config.h>
#include "controller/flow-desired.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "byte-order.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* What the functions below share: one flow is put together in 'match' and
 * 'acts' and then emitted. */
struct compose {
    const struct flow_input *input;
    struct flow_list *list;
    uint32_t rank;
    struct match match;
    struct ofpbuf acts;
};

static void
compose_init(struct compose *c, const struct flow_input *input,
             struct flow_list *list, uint32_t rank)
{
    c->input = input;
    c->list = list;
    c->rank = rank;
    match_init_catchall(&c->match);
    ofpbuf_init(&c->acts, 1024);
}

static void
emit(struct compose *c, enum flow_table table, enum flow_priority priority,
     uint64_t cookie)
{
    struct flow_list *list = c->list;

    if (list->n >= list->allocated) {
        list->flows = x2nrealloc(list->flows, &list->allocated,
                                 sizeof *list->flows);
    }
    struct flow_entry *flow = flow_entry_create(table, priority, cookie,
                                                &c->match, c->acts.data,
                                                c->acts.size);
    flow->rank = c->rank;
    list->flows[list->n++] = flow;
    match_init_catchall(&c->match);
    ofpbuf_clear(&c->acts);
}

/* Actions. */

static void
act_goto(struct compose *c, enum flow_table table)
{
    ofpact_put_GOTO_TABLE(&c->acts)->table_id = table;
}

static void
act_output(struct compose *c, ofp_port_t port)
{
    struct ofpact_output *output = ofpact_put_OUTPUT(&c->acts);
    output->port = port;
    output->max_len = UINT16_MAX;
}

static void
act_set_be64(struct compose *c, enum mf_field_id field, uint64_t value)
{
    ovs_be64 be64 = htonll(value);
    ofpact_put_set_field(&c->acts, mf_from_id(field), &be64, NULL);
}

static void
act_set_be32(struct compose *c, enum mf_field_id field, ovs_be32 value)
{
    ofpact_put_set_field(&c->acts, mf_from_id(field), &value, NULL);
}

static void
act_set_flag(struct compose *c, uint32_t flag)
{
    ovs_be32 be32 = htonl(flag);
    ofpact_put_set_field(&c->acts, mf_from_id(FR_FLAGS), &be32, &be32);
}

/* A copy for the controller, which learns from it what flows can't see.
 * Limited by a meter and in length. */
static void
act_copy(struct compose *c, enum flow_meter meter)
{
    struct ofpact_controller *copy = ofpact_put_CONTROLLER(&c->acts);
    copy->max_len = FM_COPIES_MAX_LEN;
    copy->controller_id = 0;
    copy->reason = OFPR_ACTION;
    copy->meter_id = meter;
    ofpact_finish_CONTROLLER(&c->acts, &copy);
}

static void
learn_spec(struct compose *c, enum mf_field_id src, enum mf_field_id dst,
           uint16_t dst_type)
{
    struct ofpact_learn_spec *spec = ofpbuf_put_zeros(&c->acts, sizeof *spec);
    const struct mf_field *from = mf_from_id(src), *to = mf_from_id(dst);

    spec->src = (struct mf_subfield) { .field = from, .n_bits = from->n_bits };
    spec->dst = (struct mf_subfield) { .field = to, .n_bits = to->n_bits };
    spec->src_type = NX_LEARN_SRC_FIELD;
    spec->dst_type = dst_type;
    spec->n_bits = from->n_bits;
}

/* Learns the source in table 31: frames to it will get their output port
 * (and, from the tunnel, the node's tunnel address) from there.  The frame
 * goes on to table 11. */
static void
act_learn(struct compose *c, uint32_t vni, uint32_t object)
{
    bool remote = object == COOKIE_FROM_TUNNEL;
    struct ofpact_learn *learn = ofpact_put_LEARN(&c->acts);

    learn->hard_timeout = FL_HARD_TIMEOUT;
    learn->priority = FP_LEARNT;
    learn->table_id = FT_LEARNT;
    learn->cookie = htonll(cookie_make(COOKIE_LEARNT, vni, object));
    learn->limit = remote ? FL_LIMIT_TUNNEL : FL_LIMIT_PORT;
    learn->flags = NX_LEARN_F_WRITE_RESULT;
    learn->result_dst = (struct mf_subfield) {
        .field = mf_from_id(FR_FLAGS), .ofs = FF_LEARNT_OFS, .n_bits = 1 };

    learn_spec(c, MFF_METADATA, MFF_METADATA, NX_LEARN_DST_MATCH);
    learn_spec(c, MFF_ETH_SRC, MFF_ETH_DST, NX_LEARN_DST_MATCH);
    if (remote) {
        learn_spec(c, MFF_TUN_SRC, MFF_TUN_DST, NX_LEARN_DST_LOAD);
    }
    learn_spec(c, MFF_IN_PORT_OXM, FR_OUTPUT, NX_LEARN_DST_LOAD);

    learn = c->acts.header;
    ofpact_finish_LEARN(&c->acts, &learn);
    act_goto(c, FT_LEARN_FULL);
}

/* Matches. */

static void
match_net(struct compose *c, uint32_t vni)
{
    match_set_metadata(&c->match, htonll(vni));
}

static void
match_from_tunnel(struct compose *c, bool from_tunnel)
{
    match_set_reg_masked(&c->match, FR_FLAGS_IDX,
                         from_tunnel ? FF_FROM_TUNNEL : 0, FF_FROM_TUNNEL);
}

/* The three kinds of frames that tell a sender's IP address. */
enum announcement { ANNOUNCE_ARP, ANNOUNCE_NS, ANNOUNCE_NA, N_ANNOUNCE };

/* Matches announcements of 'kind', those of 'ip' only if it is nonnull.
 * Returns false if 'kind' can't announce such an address. */
static bool
match_announcement(struct compose *c, enum announcement kind,
                   const struct in6_addr *ip)
{
    bool ipv4 = ip && IN6_IS_ADDR_V4MAPPED(ip);

    if (kind == ANNOUNCE_ARP) {
        if (ip && !ipv4) {
            return false;
        }
        match_set_dl_type(&c->match, htons(ETH_TYPE_ARP));
        if (ip) {
            match_set_nw_src(&c->match, in6_addr_get_mapped_ipv4(ip));
        }
        return true;
    }
    if (ipv4) {
        return false;
    }
    match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
    match_set_nw_proto(&c->match, IPPROTO_ICMPV6);
    match_set_icmp_type(&c->match, (kind == ANNOUNCE_NS
                                    ? ND_NEIGHBOR_SOLICIT
                                    : ND_NEIGHBOR_ADVERT));
    match_set_icmp_code(&c->match, 0);
    if (ip && kind == ANNOUNCE_NS) {
        match_set_ipv6_src(&c->match, ip);
    } else if (ip) {
        match_set_nd_target(&c->match, ip);
    }
    return true;
}

/* Tables 0 to 50, what does not depend on any vSubnet. */
static void
compose_base(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);
    const struct eth_addr control = ETH_ADDR_C(01,80,c2,00,00,00);
    const struct eth_addr control_mask = ETH_ADDR_C(ff,ff,ff,ff,ff,f0);
    const struct eth_addr multicast = ETH_ADDR_C(01,00,00,00,00,00);

    /* Bridges' own protocols (IEEE 802.1D 7.12.6) end at a bridge, and a
     * source that is a group is nobody's. */
    match_set_dl_dst_masked(&c->match, control, control_mask);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_BAD, cookie);
    match_set_dl_src_masked(&c->match, multicast, multicast);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_BAD, cookie);

    /* What no flow of a port or vSubnet has taken. */
    emit(c, FT_CLASSIFY, FP_MISS, cookie);

    act_goto(c, FT_UNICAST);
    emit(c, FT_LEARN, FP_MISS, cookie);

    match_set_reg_masked(&c->match, FR_FLAGS_IDX, 0, FF_LEARNT);
    act_copy(c, FM_FULL);
    act_goto(c, FT_UNICAST);
    emit(c, FT_LEARN_FULL, FP_LEARN_FULL, cookie);

    act_goto(c, FT_UNICAST);
    emit(c, FT_LEARN_FULL, FP_MISS, cookie);

    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(&c->acts);
    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = FT_LEARNT;
    act_goto(c, FT_FLOOD);
    emit(c, FT_UNICAST, FP_MISS, cookie);

    act_goto(c, FT_OUTPUT);
    emit(c, FT_FLOOD, FP_MISS, cookie);

    struct ofpact_output_reg *output = ofpact_put_OUTPUT_REG(&c->acts);
    const struct mf_field *reg = mf_from_id(FR_OUTPUT);
    output->src = (struct mf_subfield) { .field = reg, .n_bits = 32 };
    output->max_len = UINT16_MAX;
    emit(c, FT_OUTPUT, FP_OUTPUT, cookie);

    ofp_port_t tunnel = c->input->tunnel;
    if (tunnel) {
        match_set_in_port(&c->match, tunnel);
        match_set_tun_flags_masked(&c->match, FLOW_TNL_F_OAM, FLOW_TNL_F_OAM);
        emit(c, FT_CLASSIFY, FP_CLASSIFY_OAM, cookie);

        struct ofpact_reg_move *move = ofpact_put_REG_MOVE(&c->acts);
        move->src = (struct mf_subfield) {
            .field = mf_from_id(MFF_METADATA), .n_bits = 24 };
        move->dst = (struct mf_subfield) {
            .field = mf_from_id(MFF_TUN_ID), .n_bits = 24 };
        act_output(c, tunnel);
        match_set_reg(&c->match, FR_OUTPUT_IDX, ofp_to_u16(tunnel));
        emit(c, FT_OUTPUT, FP_OUTPUT_TUNNEL, cookie);
    }
}

static const struct model_binding *
port_binding(const struct compose *c, const struct model_net *net,
             const struct local_port *port)
{
    return (port->has_mac
            ? mapping_binding(c->input->mapping, net->name, port->mac)
            : NULL);
}

static bool
is_dynamic(const struct model_binding *binding)
{
    return binding && binding->origin == MODEL_ORIGIN_DYNAMIC;
}

static uint32_t
self_number(const struct compose *c)
{
    const struct model_node *self = c->input->mapping->self;
    return self ? self->number : 0;
}

/* Puts in place how 'port' reads announcements: 'ip' restricts them to those
 * of one address.  A port with a MAC of its own does not learn. */
static void
compose_announcements(struct compose *c, const struct local_port *port,
                      enum flow_priority priority, const struct eth_addr *mac,
                      const struct in6_addr *ip, uint64_t cookie)
{
    for (enum announcement kind = 0; kind < N_ANNOUNCE; kind++) {
        if (!match_announcement(c, kind, ip)) {
            continue;
        }
        match_set_in_port(&c->match, port->ofport);
        if (mac) {
            match_set_dl_src(&c->match, *mac);
        }
        if (!ip) {
            act_copy(c, FM_COPIES);
        }
        if (!port->has_mac) {
            act_learn(c, port->vni, ofp_to_u16(port->ofport));
        } else {
            act_goto(c, FT_UNICAST);
        }
        emit(c, FT_LEARN, priority, cookie);
    }
}

/* Frames to 'mac' go to the local 'port'. */
static void
compose_local_unicast(struct compose *c, const struct local_port *port,
                      struct eth_addr mac, uint64_t cookie)
{
    match_net(c, port->vni);
    match_set_dl_dst(&c->match, mac);
    act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(port->ofport)));
    act_goto(c, FT_OUTPUT);
    emit(c, FT_UNICAST, FP_UNICAST_BOUND, cookie);
}

/* Tables 0, 10 and 30 for one local port of 'net'. */
static void
compose_port(struct compose *c, const struct model_net *net,
             const struct local_port *port)
{
    const uint64_t cookie = cookie_make(COOKIE_PORT, port->vni,
                                        ofp_to_u16(port->ofport));
    const struct model_binding *binding = port_binding(c, net, port);

    match_set_in_port(&c->match, port->ofport);
    act_set_be64(c, MFF_METADATA, port->vni);
    act_goto(c, FT_LEARN);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PORT, cookie);

    if (!port->has_mac) {
        match_set_in_port(&c->match, port->ofport);
        act_learn(c, port->vni, ofp_to_u16(port->ofport));
        emit(c, FT_LEARN, FP_LEARN_MAC, cookie);
        compose_announcements(c, port, FP_LEARN_COPY, NULL, NULL, cookie);
        return;
    }

    if (!binding || is_dynamic(binding)) {
        compose_announcements(c, port, FP_LEARN_COPY, &port->mac, NULL,
                              cookie);
    }

    /* The port's own MAC is here, whether or not the service has said so
     * yet, unless an operator put that MAC at another node. */
    if (!binding || is_dynamic(binding) || !binding->node
        || binding->node == self_number(c)) {
        compose_local_unicast(c, port, port->mac, cookie);
    }
}

/* Tables 10 and 30 for one binding. */
static void
compose_binding(struct compose *c, const struct model_net *net,
                const struct model_binding *binding)
{
    const uint32_t mac_low = eth_addr_to_uint64(binding->mac);
    const uint64_t cookie = cookie_make(COOKIE_BINDING, net->vni, mac_low);
    const bool dynamic = is_dynamic(binding);

    if (eth_addr_is_multicast(binding->mac) || !binding->node) {
        return;
    }

    match_net(c, net->vni);
    match_set_dl_src(&c->match, binding->mac);
    if (dynamic) {
        match_from_tunnel(c, true);
    }
    act_goto(c, FT_UNICAST);
    emit(c, FT_LEARN, FP_LEARN_BOUND, cookie);

    if (binding->node == self_number(c)) {
        const struct local_port *port
            = (binding->port
               ? local_ports_find(c->input->ports, binding->port)
               : NULL);
        if (!port || !port->ofport || port->vni != net->vni) {
            return;
        }
        compose_local_unicast(c, port, binding->mac, cookie);
        if (dynamic) {
            for (size_t i = 0; i < binding->n_addresses; i++) {
                compose_announcements(c, port, FP_LEARN_KNOWN_IP,
                                      &binding->mac,
                                      &binding->addresses[i].ip, cookie);
            }
        }
    } else if (c->input->tunnel) {
        match_net(c, net->vni);
        match_set_dl_dst(&c->match, binding->mac);
        act_set_be32(c, MFF_TUN_DST, model_tunnel_address(binding->node));
        act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(c->input->tunnel)));
        act_goto(c, FT_OUTPUT);
        emit(c, FT_UNICAST, FP_UNICAST_BOUND, cookie);
    }
}

/* The VNI's part of the tunnel: tables 0 and 10. */
static void
compose_net_tunnel(struct compose *c, const struct model_net *net)
{
    const uint64_t cookie = cookie_make(COOKIE_NET, net->vni, 0);

    match_set_in_port(&c->match, c->input->tunnel);
    match_set_tun_id(&c->match, htonll(net->vni));
    act_set_be64(c, MFF_METADATA, net->vni);
    act_set_flag(c, FF_FROM_TUNNEL);
    act_goto(c, FT_LEARN);
    emit(c, FT_CLASSIFY, FP_CLASSIFY_PORT, cookie);

    match_net(c, net->vni);
    match_from_tunnel(c, true);
    act_learn(c, net->vni, COOKIE_FROM_TUNNEL);
    emit(c, FT_LEARN, FP_LEARN_MAC, cookie);
}

/* Table 40.  All local ports; what began here also goes into the tunnel,
 * once.  The tunnel's copy comes last because it alone wants tunnel fields. */
static void
compose_flood(struct compose *c, const struct model_net *net,
              bool from_tunnel)
{
    match_net(c, net->vni);
    match_from_tunnel(c, from_tunnel);
    match_set_reg(&c->match, FR_OUTPUT_IDX, 0);

    for (size_t i = 0; i < c->input->ports->n; i++) {
        const struct local_port *port = &c->input->ports->ports[i];
        if (port->vni == net->vni && port->ofport) {
            act_output(c, port->ofport);
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
        act_output(c, c->input->tunnel);
    }
    emit(c, FT_FLOOD, FP_FLOOD, cookie_make(COOKIE_NET, net->vni, 0));
}

/* The parts. */

/* The ranks of their flows; a VNI has 24 bits. */
enum { RANK_BASE = 0, RANK_NETS = 1 << 24, RANK_BINDINGS = 2 << 24 };

void
flow_desired_base(const struct flow_input *input, struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, RANK_BASE);
    compose_base(&c);
    ofpbuf_uninit(&c.acts);
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
    compose_flood(&c, net, false);
    if (input->tunnel) {
        compose_net_tunnel(&c, net);
        compose_flood(&c, net, true);
    }
    ofpbuf_uninit(&c.acts);
}

void
flow_desired_binding(const struct flow_input *input,
                     const struct model_net *net,
                     const struct model_binding *binding,
                     struct flow_list *list)
{
    struct compose c;

    compose_init(&c, input, list, RANK_BINDINGS + net->vni);
    compose_binding(&c, net, binding);
    ofpbuf_uninit(&c.acts);
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
        HMAP_FOR_EACH (binding, in_net, &net->bindings) {
            flow_desired_binding(input, net, binding, &list);
            take(&list, flows);
        }
    }
    flow_list_destroy(&list);
}
