/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 22 to 24 and 45 to 49: filtering, all but the rules themselves. */
#include <config.h>
#include "controller/flow-acl.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include "byte-order.h"
#include "controller/ct-zones.h"
#include "controller/flow-compose.h"
#include "controller/flow-parts.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

#define COOKIE cookie_make(COOKIE_BASE, 0, 0)

bool
flow_acl_is_filtered(const struct model_net *net)
{
    return net->policy == MODEL_POLICY_CLOSED || !hmap_is_empty(&net->rules);
}

/* Tables 22 to 24: what is judged at all. */

static void
match_ct_state(struct compose *c, uint32_t state, uint32_t mask)
{
    match_set_ct_state_masked(&c->match, state, mask);
}

/* Protocols of the link, without which nobody would find anybody.  Their hop
 * limits say that no router has passed them on. */
static void
compose_not_judged(struct compose *c)
{
    static const ovs_be16 types[] = {
        CONSTANT_HTONS(ETH_TYPE_ARP), CONSTANT_HTONS(ETH_TYPE_RARP),
    };
    static const struct { uint8_t type, hops; } icmp6[] = {
        { ND_ROUTER_SOLICIT, 255 }, { ND_ROUTER_ADVERT, 255 },
        { ND_NEIGHBOR_SOLICIT, 255 }, { ND_NEIGHBOR_ADVERT, 255 },
        { MLD_LISTENER_QUERY, 1 }, { MLD_LISTENER_REPORT, 1 },
        { MLD_LISTENER_REDUCTION, 1 }, { 143 /* MLDv2's report */, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        match_set_dl_type(&c->match, types[i]);
        act_goto(c, FT_STORM);
        emit(c, FT_ACL_TRACK, FP_NOT_JUDGED, COOKIE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(icmp6); i++) {
        match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
        match_set_nw_proto(&c->match, IPPROTO_ICMPV6);
        match_set_icmp_type(&c->match, icmp6[i].type);
        match_set_nw_ttl(&c->match, icmp6[i].hops);
        act_goto(c, FT_STORM);
        emit(c, FT_ACL_TRACK, FP_NOT_JUDGED, COOKIE);
    }
    match_set_dl_type(&c->match, htons(ETH_TYPE_IP));
    match_set_nw_proto(&c->match, IPPROTO_IGMP);
    match_set_nw_ttl(&c->match, 1);
    act_goto(c, FT_STORM);
    emit(c, FT_ACL_TRACK, FP_NOT_JUDGED, COOKIE);
}

/* DHCP, where guests may serve it. */
static void
compose_guest_dhcp(struct compose *c)
{
    static const struct { uint16_t dl_type, client, server; } dhcp[] = {
        { ETH_TYPE_IP, 68, 67 }, { ETH_TYPE_IPV6, 546, 547 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(dhcp) * 2; i++) {
        bool from_client = i % 2;
        uint16_t client = dhcp[i / 2].client, server = dhcp[i / 2].server;

        match_set_reg_masked(&c->match, FR_ACL_IDX, FA_GUEST_DHCP,
                             FA_GUEST_DHCP);
        match_set_dl_type(&c->match, htons(dhcp[i / 2].dl_type));
        match_set_nw_proto(&c->match, IPPROTO_UDP);
        match_set_tp_src(&c->match, htons(from_client ? client : server));
        match_set_tp_dst(&c->match, htons(from_client ? server : client));
        act_goto(c, FT_STORM);
        emit(c, FT_ACL_TRACK, FP_GUEST_DHCP, COOKIE);
    }
}

/* Looks the packet's connection up and goes on in 'next' (0: nowhere). */
static void
act_ct(struct compose *c, uint16_t flags, uint8_t next)
{
    struct ofpact_conntrack *ct = ofpact_put_CT(&c->acts);

    ct->flags = flags;
    ct->zone_src = (struct mf_subfield) {
        .field = mf_from_id(FR_ACL), .ofs = FA_ZONE_OFS, .n_bits = 16 };
    ct->recirc_table = next ? next : NX_CT_RECIRC_NONE;
    ofpact_finish(&c->acts, &ct->ofpact);
}

static void
compose_track(struct compose *c)
{
    static const uint16_t ip[] = { ETH_TYPE_IP, ETH_TYPE_IPV6 };

    compose_not_judged(c);
    compose_guest_dhcp(c);
    for (size_t i = 0; i < ARRAY_SIZE(ip); i++) {
        match_set_dl_type(&c->match, htons(ip[i]));
        act_set_flag(c, FF_ACL);
        act_ct(c, 0, FT_ACL_TRACKED);
        emit(c, FT_ACL_TRACK, FP_TRACK, COOKIE);

        match_set_dl_type(&c->match, htons(ip[i]));
        match_set_nw_frag_masked(&c->match, FLOW_NW_FRAG_LATER,
                                 FLOW_NW_FRAG_LATER);
        act_set_flag(c, FF_FRAGMENT);
        act_goto(c, FT_STORM);
        emit(c, FT_ACL_TRACKED, FP_FRAGMENT, COOKIE);
    }
    act_set_flag(c, FF_ACL);
    act_goto(c, FT_STORM);
    emit(c, FT_ACL_TRACK, FP_MISS, COOKIE);

    match_ct_state(c, CS_TRACKED | CS_INVALID, CS_TRACKED | CS_INVALID);
    emit(c, FT_ACL_TRACKED, FP_INVALID, COOKIE);
    act_goto(c, FT_STORM);
    emit(c, FT_ACL_TRACKED, FP_MISS, COOKIE);
}

/* Table 45. */

/* Makes the policy the verdict, unless one of the rules says otherwise. */
static void
act_judge(struct compose *c, enum flow_table rules)
{
    act_move(c, FR_ACL, FA_CLOSED_OFS, FR_FLAGS, FF_DENIED_OFS, 1);
    act_resubmit(c, rules);
}

static void
act_exchange_labels(struct compose *c)
{
    act_stack(c, FR_LABELS, true);
    act_stack(c, FR_SOURCE_LABELS, true);
    act_stack(c, FR_LABELS, false);
    act_stack(c, FR_SOURCE_LABELS, false);
}

enum between { LOCAL_LOCAL, LOCAL_REMOTE, REMOTE_LOCAL };

enum way {
    OF_CALLER,
    OF_CALLEE,                  /* An answer, */
    OF_CALLEE_PERHAPS,          /* or what may be one. */
};

static void
compose_judge(struct compose *c, enum between between, enum way way)
{
    static const enum flow_priority local[] = { FP_JUDGE, FP_JUDGE,
                                                FP_JUDGE_ANSWER };
    static const enum flow_priority remote[] = {
        FP_JUDGE_REMOTE, FP_JUDGE_REMOTE, FP_JUDGE_REMOTE_ANSWER };
    const bool reply = way != OF_CALLER;
    const bool caller_is_local = between != (reply ? LOCAL_REMOTE
                                             : REMOTE_LOCAL);
    uint32_t flags = FF_ACL;

    if (way == OF_CALLEE_PERHAPS) {
        flags |= FF_ANSWER;
    } else {
        match_ct_state(c, reply ? CS_REPLY_DIR : 0, CS_REPLY_DIR);
    }
    if (between == LOCAL_REMOTE) {
        match_set_reg(&c->match, FR_OUTPUT_IDX,
                      ofp_to_u16(c->input->tunnel));
    } else if (between == REMOTE_LOCAL) {
        flags |= FF_FROM_TUNNEL;
    }
    match_flags(c, flags, flags);
    if (reply) {
        act_exchange_labels(c);
    }
    act_judge(c, caller_is_local ? FT_ACL_EGRESS : FT_ACL_INGRESS);
    act_goto(c, between == LOCAL_LOCAL ? FT_ACL_SECOND : FT_ACL_VERDICT);
    emit(c, FT_ACL_IN, (between == LOCAL_LOCAL ? local[way] : remote[way]),
         COOKIE);
}

static void
compose_related(struct compose *c)
{
    const uint32_t related = CS_TRACKED | CS_RELATED;

    match_flags(c, FF_ACL, FF_ACL);
    match_ct_state(c, related, related);
    match_set_ct_mark_masked(&c->match, 0, CM_BLOCKED);
    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_IN, FP_RELATED, COOKIE);

    match_flags(c, FF_ACL, FF_ACL);
    match_ct_state(c, related, related);
    match_set_ct_mark_masked(&c->match, CM_BLOCKED, CM_BLOCKED);
    emit(c, FT_ACL_IN, FP_RELATED, COOKIE);
}

/* Tables 48 and 49. */

/* Commits, with ct_mark saying whether the connection is blocked. */
static void
act_commit(struct compose *c, bool blocked)
{
    const size_t start = c->acts.size;
    const ovs_be32 mark = htonl(blocked ? CM_BLOCKED : 0);
    const ovs_be32 mask = htonl(CM_BLOCKED);

    act_ct(c, NX_CT_F_COMMIT, 0);
    ofpact_put_set_field(&c->acts, mf_from_id(MFF_CT_MARK), &mark, &mask);

    struct ofpact_conntrack *ct = ofpbuf_at_assert(&c->acts, start,
                                                   sizeof *ct);
    c->acts.header = ct;
    ofpact_finish(&c->acts, &ct->ofpact);
}

/* What changes what is tracked.  Actions of connection tracking are refused
 * but for flows of IP. */
static void
compose_commit(struct compose *c, uint16_t dl_type)
{
    const uint32_t flags = FF_ACL | FF_DENIED;
    const uint32_t established = CS_TRACKED | CS_ESTABLISHED;

    match_set_dl_type(&c->match, htons(dl_type));
    match_flags(c, flags, flags);
    match_ct_state(c, established, established);
    match_set_ct_mark_masked(&c->match, 0, CM_BLOCKED);
    act_commit(c, true);
    emit(c, FT_ACL_VERDICT, FP_BLOCK, COOKIE);

    /* A TCP segment that does not begin a connection, of one that is not
     * known: it may be an answer. */
    match_set_dl_type(&c->match, htons(dl_type));
    match_set_nw_proto(&c->match, IPPROTO_TCP);
    match_set_tcp_flags_masked(&c->match, htons(TCP_ACK),
                               htons(TCP_ACK | TCP_SYN));
    match_flags(c, flags, flags | FF_ANSWER);
    match_ct_state(c, CS_TRACKED | CS_NEW, CS_TRACKED | CS_NEW);
    act_set_flag(c, FF_ANSWER);
    act_resubmit(c, FT_ACL_IN);
    emit(c, FT_ACL_VERDICT, FP_ANOTHER_LOOK, COOKIE);

    match_set_dl_type(&c->match, htons(dl_type));
    match_ct_state(c, established, established);
    match_set_ct_mark_masked(&c->match, CM_BLOCKED, CM_BLOCKED);
    act_commit(c, false);
    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_VERDICT, FP_UNBLOCK, COOKIE);

    match_set_dl_type(&c->match, htons(dl_type));
    match_ct_state(c, CS_TRACKED | CS_NEW, CS_TRACKED | CS_NEW);
    act_commit(c, false);
    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_VERDICT, FP_COMMIT, COOKIE);
}

static void
compose_verdict(struct compose *c)
{
    const uint32_t flags = FF_ACL | FF_DENIED;
    const struct eth_addr group = ETH_ADDR_C(01,00,00,00,00,00);

    match_flags(c, flags, flags);
    act_goto(c, FT_ACL_VERDICT);
    emit(c, FT_ACL_SECOND, FP_DENIED, COOKIE);
    act_judge(c, FT_ACL_INGRESS);
    act_goto(c, FT_ACL_VERDICT);
    emit(c, FT_ACL_SECOND, FP_MISS, COOKIE);

    match_flags(c, flags, flags);
    emit(c, FT_ACL_VERDICT, FP_DENIED, COOKIE);

    match_flags(c, FF_ANSWER, FF_ANSWER);
    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_VERDICT, FP_PASS_ANSWER, COOKIE);

    match_ct_state(c, CS_TRACKED | CS_NEW, CS_TRACKED | CS_NEW);
    match_set_dl_dst_masked(&c->match, group, group);
    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_VERDICT, FP_GROUP, COOKIE);

    compose_commit(c, ETH_TYPE_IP);
    compose_commit(c, ETH_TYPE_IPV6);

    act_goto(c, FT_OUTPUT);
    emit(c, FT_ACL_VERDICT, FP_MISS, COOKIE);
}

static void
compose_back(struct compose *c, ofp_port_t port, uint64_t cookie)
{
    match_set_in_port(&c->match, port);
    match_set_reg(&c->match, FR_OUTPUT_IDX, ofp_to_u16(port));
    match_flags(c, FF_ACL, FF_ACL);
    emit(c, FT_ACL_IN, FP_SELF, cookie);
}

void
flow_acl_base(struct compose *c)
{
    compose_track(c);
    compose_related(c);
    for (enum way way = OF_CALLER; way <= OF_CALLEE_PERHAPS; way++) {
        compose_judge(c, LOCAL_LOCAL, way);
        if (c->input->tunnel) {
            compose_judge(c, LOCAL_REMOTE, way);
            compose_judge(c, REMOTE_LOCAL, way);
        }
    }
    if (c->input->tunnel) {
        compose_back(c, c->input->tunnel, COOKIE);
    }
    compose_verdict(c);
}

/* VSubnets. */

/* The flow that has been begun is of what is filtered. */
static void
emit_filtered(struct compose *c, const struct model_net *net,
              enum flow_priority priority, uint64_t cookie)
{
    const uint16_t zone = (c->input->zones
                           ? ct_zones_find(c->input->zones, net->vni) : 0);

    match_net(c, net->vni);
    if (zone) {
        act_set_be32(c, FR_ACL, htonl(
            zone | (net->policy == MODEL_POLICY_CLOSED ? FA_CLOSED : 0)
            | (net->guest_dhcp ? FA_GUEST_DHCP : 0)));
        act_goto(c, FT_ACL_TRACK);
    }
    emit(c, FT_ACL_OUT, priority, cookie);
}

/* Who pretends to be somebody whom an operator has bound elsewhere would have
 * his labels.  Where no place is known this is not known either. */
static void
compose_spoofed(struct compose *c, const struct model_net *net,
                uint64_t cookie)
{
    match_set_reg(&c->match, FR_PLACE_IDX, 0);
    emit_filtered(c, net, FP_FILTERED_PLACE, cookie);

    match_net(c, net->vni);
    match_flags(c, FF_SOURCE_STATIC, FF_SOURCE_STATIC | FF_FROM_TUNNEL);
    emit(c, FT_ACL_OUT, FP_FILTERED_SPOOFED, cookie);
}

/* The port's own MAC may be on its way here, or away (claim.h).  A port
 * without port security forwards what others sent. */
static void
compose_place(struct compose *c, const struct model_net *net,
              const struct local_port *port, uint64_t cookie)
{
    const struct model_binding *binding = compose_port_binding(c, net, port);
    const enum claim_state state = (port->has_mac
                                    ? flow_claim_state(c, net, port)
                                    : CLAIM_OTHERS);

    match_set_in_port(&c->match, port->ofport);
    if (!binding || state == CLAIM_OTHERS || binding->port_security) {
        match_set_reg(&c->match, FR_PLACE_IDX, ofp_to_u16(port->ofport));
    }
    emit_filtered(c, net, FP_FILTERED_PLACE, cookie);

    if (state == CLAIM_WAITS || state == CLAIM_LOST) {
        match_set_in_port(&c->match, port->ofport);
        match_set_dl_src(&c->match, port->mac);
        emit_filtered(c, net, FP_FILTERED_PLACE, cookie);
    }
}

void
flow_acl_net(struct compose *c, const struct model_net *net)
{
    const uint64_t cookie = cookie_make(COOKIE_NET, net->vni, 0);

    if (!flow_acl_is_filtered(net)) {
        return;
    }
    emit_filtered(c, net, FP_FILTERED, cookie);
    if (net->port_security) {
        compose_spoofed(c, net, cookie);
    }
    for (size_t i = 0; i < c->input->ports->n; i++) {
        const struct local_port *port = &c->input->ports->ports[i];

        if (port->ofport && port->vni == net->vni) {
            const uint64_t of_port = cookie_make(COOKIE_PORT, port->vni,
                                                 ofp_to_u16(port->ofport));

            compose_back(c, port->ofport, of_port);
            if (net->port_security) {
                compose_place(c, net, port, of_port);
            }
        }
    }
}

/* A flooded frame from the tunnel is judged as if it were from here: its
 * sender's host did not know for whom it would be, so not by which of the
 * sender's rules. */
void
flow_acl_flood_here(struct compose *c)
{
    const ovs_be32 none = 0, mask = htonl(FF_FROM_TUNNEL);

    ofpact_put_set_field(&c->acts, mf_from_id(FR_FLAGS), &none, &mask);
}

/* A copy of a flooded frame for 'port'.  The copies are judged apart, and what
 * is done to one is not seen by the next. */
void
flow_acl_flood(struct compose *c, const struct model_net *net,
               const struct local_port *port)
{
    const struct model_binding *binding = compose_port_binding(c, net, port);
    const size_t start = c->acts.size;

    ofpact_put_CLONE(&c->acts);
    act_set_labels(c, FR_LABELS, compose_labels(net, binding));
    act_set_be32(c, FR_OUTPUT, htonl(ofp_to_u16(port->ofport)));
    act_resubmit(c, FT_ACL_IN);

    struct ofpact_nest *clone = ofpbuf_at_assert(&c->acts, start,
                                                 sizeof *clone);
    c->acts.header = clone;
    ofpact_finish_CLONE(&c->acts, &clone);
}
