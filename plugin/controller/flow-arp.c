/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 15 to 17: ARP and ND that the host answers. */
#include <config.h>
#include "controller/flow-parts.h"

/* What local ports ask all for (broadcast ARP requests, multicast neighbour
 * solicitations: RFC 826, RFC 4861) the host answers itself if the address is
 * bound, and sends no further (RFC 9161):
 *
 *   - A question to one host, by which a neighbour finds out whether another
 *     is still there, is for that one.
 *   - A gratuitous ARP (both addresses the same), and whatever asks for its
 *     sender's own address, tells the others something: it goes on.
 *   - Who asks whether an address is free before he uses it (RFC 5227, RFC
 *     4862: ARP probes, duplicate address detection) is told that it is not if
 *     an operator gave it to another.  What was merely learnt may be somebody
 *     who is gone: the question goes on.  The controller hears of both.  For
 *     ND it gives the answer (duplicates.h), since a solicitation of this sort
 *     has no option for the MAC, and flows can add none.
 *   - A solicitation without its sender's MAC goes on, for the same reason,
 *     and so does one for a link-local address: whether that is a router's,
 *     which the answer would say, only its owner knows.  One that has another
 *     option before that MAC gets an answer of no use, since the switch writes
 *     to the first one: these are SEND's (RFC 3971), which nobody but the
 *     owner could answer.
 *
 * There is one flow for each address in table 15, which just says whose it
 * is.  The answer is put together out of that and the question by a few flows
 * for all.  Switches can't compare two fields, so the two addresses of an ARP
 * request are compared four bits at a time: each pair is moved into a register
 * and looked up among 16 flows. */

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

enum {
    PAIR_BITS = 4,              /* Bits that are compared at a time. */
    MAC_BITS = 48,
    ND_NA_FLAGS = 0x60000000,   /* Solicited, override; no router. */
};

/* Questions. */

static void
match_arp(struct compose *c)
{
    match_set_dl_type(&c->match, htons(ETH_TYPE_ARP));
}

/* Matches a question for 'ip' that is in no VLAN.  A tag of ID 0 is
 * none to who receives it. */
static void
match_question(struct compose *c, const struct in6_addr *ip)
{
    match_set_dl_tci_masked(&c->match, htons(0), htons(VLAN_VID_MASK));
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        match_arp(c);
        match_set_nw_proto(&c->match, ARP_OP_REQUEST);
        match_set_nw_dst(&c->match, in6_addr_get_mapped_ipv4(ip));
    } else {
        match_nd(c, ND_NEIGHBOR_SOLICIT);
        match_set_nd_target(&c->match, ip);
    }
}

/* It is for all, not for one. */
static void
match_for_all(struct compose *c, const struct in6_addr *ip)
{
    const struct eth_addr ipv6_group = ETH_ADDR_C(33,33,00,00,00,00);
    const struct eth_addr ipv6_mask = ETH_ADDR_C(ff,ff,00,00,00,00);

    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        match_set_dl_dst(&c->match, eth_addr_broadcast);
    } else {
        match_set_dl_dst_masked(&c->match, ipv6_group, ipv6_mask);
    }
}

static bool
is_answered_for(const struct in6_addr *ip)
{
    return !IN6_IS_ADDR_LINKLOCAL(ip);
}

static uint64_t
arp_cookie(const struct model_net *net, const struct model_binding *binding)
{
    return cookie_make(COOKIE_ARP, net->vni,
                       eth_addr_to_uint64(binding->mac));
}

/* 'binding' may be at this node: what it asks about itself goes on. */
static void
compose_own(struct compose *c, const struct model_net *net,
            const struct model_binding *binding)
{
    for (size_t i = 0; i < binding->n_addresses; i++) {
        const struct in6_addr *ip = &binding->addresses[i].ip;

        if (is_answered_for(ip)) {
            match_net(c, net->vni);
            match_set_dl_src(&c->match, binding->mac);
            match_question(c, ip);
            act_goto(c, FT_SERVICES);
            emit(c, FT_ARP, FP_ARP_OWN, arp_cookie(net, binding));
        }
    }
}

void
flow_arp_port(struct compose *c, const struct model_net *net,
              const struct local_port *port)
{
    const struct model_binding *binding = compose_port_binding(c, net, port);

    if (net->arp_suppression && binding) {
        compose_own(c, net, binding);
    }
}

void
flow_arp_binding(struct compose *c, const struct model_net *net,
                 const struct model_binding *binding)
{
    const uint64_t owner = (eth_addr_to_uint64(binding->mac)
                            | (binding_is_dynamic(binding) ? 0 : FA_ASSIGNED));

    if (!net->arp_suppression) {
        return;
    }
    if (binding->node == compose_self(c)) {
        compose_own(c, net, binding);
    }
    for (size_t i = 0; i < binding->n_addresses; i++) {
        const struct in6_addr *ip = &binding->addresses[i].ip;

        if (is_answered_for(ip)) {
            match_net(c, net->vni);
            match_from_tunnel(c, false);
            match_question(c, ip);
            match_for_all(c, ip);
            act_set_be64(c, FR_OWNER, owner);
            act_goto(c, FT_ARP_ASKED);
            emit(c, FT_ARP, FP_ARP_BOUND, arp_cookie(net, binding));
        }
    }
}

/* Answers. */

/* The question goes on as if nothing had been looked up. */
static void
act_go_on(struct compose *c)
{
    act_set_be64(c, FR_OWNER, 0);
    act_set_be32(c, FR_ARP, 0);
    act_goto(c, FT_SERVICES);
}

static void
act_answer(struct compose *c)
{
    act_set_be32(c, FR_ARP, htonl(FA_ANSWER));
    act_goto(c, FT_ARP_ANSWER);
}

/* Table 16, ARP. */
static void
compose_arp_asked(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    match_arp(c);
    match_set_nw_src(&c->match, 0);
    match_set_reg_masked(&c->match, FR_OWNER_HI_IDX, FA_ASSIGNED >> 32,
                         FA_ASSIGNED >> 32);
    act_punt(c, PUNT_DUPLICATE, FM_DUPLICATES);
    act_answer(c);
    emit(c, FT_ARP_ASKED, FP_ASKED_PROBE, cookie);

    match_arp(c);
    match_set_nw_src(&c->match, 0);
    act_punt(c, PUNT_DUPLICATE, FM_DUPLICATES);
    act_go_on(c);
    emit(c, FT_ARP_ASKED, FP_ASKED_PROBE_LEARNT, cookie);

    match_arp(c);
    act_set_be32(c, FR_ARP, htonl(FA_COMPARING));
    for (int i = 0; i < 32; i += PAIR_BITS) {
        act_move(c, MFF_ARP_SPA, i, FR_ARP, 0, PAIR_BITS);
        act_move(c, MFF_ARP_TPA, i, FR_ARP, PAIR_BITS, PAIR_BITS);
        act_resubmit(c, FT_ARP_ANSWER);
    }
    const ovs_be32 none = 0, comparing = htonl(FA_COMPARING);
    ofpact_put_set_field(&c->acts, mf_from_id(FR_ARP), &none, &comparing);
    act_goto(c, FT_ARP_ANSWER);
    emit(c, FT_ARP_ASKED, FP_ASKED, cookie);
}

/* Table 17: compares four bits with four bits. */
static void
compose_compare(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    for (uint32_t bits = 0; bits < 1 << PAIR_BITS; bits++) {
        match_set_reg_masked(&c->match, FR_ARP_IDX,
                             FA_COMPARING | bits << PAIR_BITS | bits,
                             FA_COMPARING | FA_COMPARED);
        emit(c, FT_ARP_ANSWER, FP_ANSWER_SAME, cookie);
    }
    match_set_reg_masked(&c->match, FR_ARP_IDX, FA_COMPARING, FA_COMPARING);
    const ovs_be32 answer = htonl(FA_ANSWER);
    ofpact_put_set_field(&c->acts, mf_from_id(FR_ARP), &answer, &answer);
    emit(c, FT_ARP_ANSWER, FP_ANSWER_DIFFERS, cookie);
}

/* Turns the frame round: it comes from who is asked for. */
static void
act_turn_round(struct compose *c)
{
    act_move(c, MFF_ETH_SRC, 0, MFF_ETH_DST, 0, MAC_BITS);
    act_move(c, FR_OWNER, 0, MFF_ETH_SRC, 0, MAC_BITS);
}

/* Table 17, ARP. */
static void
compose_arp_answer(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    match_arp(c);
    match_set_reg_masked(&c->match, FR_ARP_IDX, FA_ANSWER, FA_ANSWER);
    act_turn_round(c);
    act_set_be16(c, MFF_ARP_OP, htons(ARP_OP_REPLY));
    act_move(c, MFF_ARP_SHA, 0, MFF_ARP_THA, 0, MAC_BITS);
    act_move(c, FR_OWNER, 0, MFF_ARP_SHA, 0, MAC_BITS);
    act_stack(c, MFF_ARP_SPA, true);
    act_move(c, MFF_ARP_TPA, 0, MFF_ARP_SPA, 0, 32);
    act_stack(c, MFF_ARP_TPA, false);
    act_output(c, OFPP_IN_PORT);
    emit(c, FT_ARP_ANSWER, FP_ANSWER, cookie);

    /* Sender's and target's address are the same. */
    match_arp(c);
    act_punt(c, PUNT_DUPLICATE, FM_DUPLICATES);
    act_go_on(c);
    emit(c, FT_ARP_ANSWER, FP_ANSWER_NONE, cookie);
}

/* ND.  The MAC in the answer is put in place of the one in the question, so
 * only a question that has one can be answered.  The option for the answer can
 * be written only once the frame is known to be one: in the next table. */
static void
compose_nd(struct compose *c)
{
    const uint64_t cookie = cookie_make(COOKIE_BASE, 0, 0);

    /* Its owner, who may be asking himself just now, would take it for
     * somebody who is about to use the address, and do without (RFC 4862
     * section 5.4.3). */
    match_nd(c, ND_NEIGHBOR_SOLICIT);
    match_set_ipv6_src(&c->match, &in6addr_any);
    match_set_reg_masked(&c->match, FR_OWNER_HI_IDX, FA_ASSIGNED >> 32,
                         FA_ASSIGNED >> 32);
    act_punt(c, PUNT_DUPLICATE, FM_DUPLICATES);
    emit(c, FT_ARP_ASKED, FP_ASKED_PROBE, cookie);

    match_nd(c, ND_NEIGHBOR_SOLICIT);
    match_set_ipv6_src(&c->match, &in6addr_any);
    act_punt(c, PUNT_DUPLICATE, FM_DUPLICATES);
    act_go_on(c);
    emit(c, FT_ARP_ASKED, FP_ASKED_PROBE_LEARNT, cookie);

    match_nd(c, ND_NEIGHBOR_SOLICIT);
    match_set_nd_options_type(&c->match, ND_OPT_SOURCE_LINKADDR);
    act_turn_round(c);
    act_move(c, MFF_IPV6_SRC, 0, MFF_IPV6_DST, 0, 128);
    act_move(c, MFF_ND_TARGET, 0, MFF_IPV6_SRC, 0, 128);
    act_set_be32(c, MFF_ND_RESERVED, htonl(ND_NA_FLAGS));
    act_set_u8(c, MFF_ND_OPTIONS_TYPE, ND_OPT_TARGET_LINKADDR);
    act_set_u8(c, MFF_ICMPV6_TYPE, ND_NEIGHBOR_ADVERT);
    act_answer(c);
    emit(c, FT_ARP_ASKED, FP_ASKED, cookie);

    act_go_on(c);
    emit(c, FT_ARP_ASKED, FP_MISS, cookie);

    match_nd(c, ND_NEIGHBOR_ADVERT);
    match_set_reg_masked(&c->match, FR_ARP_IDX, FA_ANSWER, FA_ANSWER);
    act_move(c, FR_OWNER, 0, MFF_ND_TLL, 0, MAC_BITS);
    act_output(c, OFPP_IN_PORT);
    emit(c, FT_ARP_ANSWER, FP_ANSWER, cookie);
}

void
flow_arp_base(struct compose *c)
{
    compose_arp_asked(c);
    compose_compare(c);
    compose_arp_answer(c);
    compose_nd(c);
}
