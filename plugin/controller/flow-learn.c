/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 10 to 12: who sends, and learning of those whom nobody registered. */
#include <config.h>
#include "controller/flow-parts.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "byte-order.h"
#include "controller/flow-compose.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* The source is looked up as a destination would be: table 30 writes what it
 * knows of a MAC into registers, which are read and emptied. */
static void
compose_source(struct compose *c)
{
    act_stack(c, MFF_ETH_DST, true);
    act_move(c, MFF_ETH_SRC, 0, MFF_ETH_DST, 0, 48);
    act_resubmit(c, FT_BINDINGS);
    act_stack(c, MFF_ETH_DST, false);
    act_move(c, FR_BOUND, 0, FR_FLAGS, FF_SOURCE_OFS, 2);
    act_move(c, FR_LABELS, 0, FR_SOURCE_LABELS, 0, 128);
    act_move(c, FR_OUTPUT, 0, FR_PLACE, 0, 32);

    const ovs_be128 none = { .be64 = { .hi = 0, .lo = 0 } };
    ofpact_put_set_field(&c->acts, mf_from_id(FR_LABELS), &none, NULL);
    act_set_be32(c, FR_BOUND, 0);
    act_set_be32(c, FR_OUTPUT, 0);
    act_set_be32(c, MFF_TUN_DST, 0);
    act_goto(c, FT_LEARN);
    emit(c, FT_SOURCE, FP_MISS, cookie_make(COOKIE_BASE, 0, 0));
}

void
flow_learn_base(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    compose_source(c);

    match_flags(c, FF_SOURCE_STATIC, FF_SOURCE_STATIC);
    act_goto(c, FT_ARP);
    emit(c, FT_LEARN, FP_LEARN_BOUND, cookie);

    match_flags(c, FF_SOURCE_DYNAMIC | FF_FROM_TUNNEL,
                FF_SOURCE_DYNAMIC | FF_FROM_TUNNEL);
    act_goto(c, FT_ARP);
    emit(c, FT_LEARN, FP_LEARN_BOUND, cookie);

    act_goto(c, FT_ARP);
    emit(c, FT_LEARN, FP_MISS, cookie);

    match_flags(c, 0, FF_LEARNT);
    act_punt(c, PUNT_FULL, FM_FULL);
    act_goto(c, FT_ARP);
    emit(c, FT_LEARN_FULL, FP_LEARN_FULL, cookie);

    act_goto(c, FT_ARP);
    emit(c, FT_LEARN_FULL, FP_MISS, cookie);
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
 * goes on to table 12. */
static void
act_learn(struct compose *c, uint32_t vni, uint32_t object, uint32_t limit)
{
    bool remote = object == COOKIE_FROM_TUNNEL;
    struct ofpact_learn *learn = ofpact_put_LEARN(&c->acts);

    learn->hard_timeout = FL_HARD_TIMEOUT;
    learn->priority = FP_LEARNT;
    learn->table_id = FT_LEARNT;
    learn->cookie = htonll(cookie_make(COOKIE_LEARNT, vni, object));
    learn->limit = limit;
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

static void
act_learn_port(struct compose *c, const struct model_net *net,
               const struct local_port *port)
{
    act_learn(c, port->vni, ofp_to_u16(port->ofport), net->max_macs);
}

/* Puts in place how 'port' reads announcements: 'ip' restricts them to those
 * of one address.  A port with a MAC of its own does not learn. */
static void
compose_announcements(struct compose *c, const struct model_net *net,
                      const struct local_port *port,
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
            act_punt(c, PUNT_ANNOUNCEMENT, meter_of_punts(port->ofport));
        }
        if (!port->has_mac) {
            act_learn_port(c, net, port);
        } else {
            act_goto(c, FT_ARP);
        }
        emit(c, FT_LEARN, priority, cookie);
    }
}

void
flow_learn_port(struct compose *c, const struct model_net *net,
                const struct local_port *port)
{
    const uint64_t cookie = cookie_make(COOKIE_PORT, port->vni,
                                        ofp_to_u16(port->ofport));
    const struct model_binding *binding = compose_port_binding(c, net, port);

    if (!port->has_mac) {
        match_set_in_port(&c->match, port->ofport);
        act_learn_port(c, net, port);
        emit(c, FT_LEARN, FP_LEARN_MAC, cookie);
        compose_announcements(c, net, port, FP_LEARN_COPY, NULL, NULL,
                              cookie);

        match_set_in_port(&c->match, port->ofport);
        match_flags(c, 0, FF_LEARNT);
        act_punt(c, PUNT_FULL, meter_of_punts(port->ofport));
        act_goto(c, FT_ARP);
        emit(c, FT_LEARN_FULL, FP_LEARN_FULL_PORT, cookie);
    } else if (!binding || binding_is_dynamic(binding)) {
        compose_announcements(c, net, port, FP_LEARN_COPY, &port->mac, NULL,
                              cookie);
    }
}

void
flow_learn_net(struct compose *c, const struct model_net *net)
{
    match_net(c, net->vni);
    match_from_tunnel(c, true);
    act_learn(c, net->vni, COOKIE_FROM_TUNNEL, FL_LIMIT_TUNNEL);
    emit(c, FT_LEARN, FP_LEARN_MAC, cookie_make(COOKIE_NET, net->vni, 0));
}

void
flow_learn_binding(struct compose *c, const struct model_net *net,
                   const struct local_port *port,
                   const struct model_binding *binding, uint64_t cookie)
{
    for (size_t i = 0; i < binding->n_addresses; i++) {
        compose_announcements(c, net, port, FP_LEARN_KNOWN_IP, &binding->mac,
                              &binding->addresses[i].ip, cookie);
    }
}
