/* SPDX-License-Identifier: Apache-2.0 */
/* Tables 46 and 47: rules.  See flow-acl.h. */
#include <config.h>
#include "controller/flow-parts.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "byte-order.h"
#include "controller/flow-compose.h"
#include "controller/rule-cookie.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

struct rule_flows {
    struct compose *c;
    const struct model_net *net;
    const struct model_rule *rule;
    uint64_t cookie;
    enum flow_priority priority;
    enum flow_table table;

    /* Flows for what is, or may be, an answer of which nothing is known differ
     * from others: then there are both, and this is for the one or other. */
    bool differ, answer;
};

/* Adds to what is matched of the flags. */
static void
match_more_flags(struct compose *c, uint32_t flags, uint32_t mask)
{
    const struct match *m = &c->match;

    match_flags(c, m->flow.regs[FR_FLAGS_IDX] | flags,
                m->wc.masks.regs[FR_FLAGS_IDX] | mask);
}

/* Adds to what is matched of ct_state. */
static void
match_ct_state(struct compose *c, uint32_t state, uint32_t mask)
{
    struct match *m = &c->match;

    match_set_ct_state_masked(m, (m->flow.ct_state & ~mask) | state,
                              m->wc.masks.ct_state | mask);
}

static void
match_label(struct compose *c, const struct model_net *net,
            char *name, unsigned int xxreg)
{
    if (name) {
        ovs_u128 bits = model_net_label_bits(net, &name, 1);

        match_set_xxreg_masked(&c->match, xxreg, bits, bits);
    }
}

/* The other party's address, as the connection's first packet had it. */
static void
match_remote(struct compose *c, const struct model_rule *rule, bool answer)
{
    const bool ipv4 = model_address_is_ipv4(&rule->remote);
    const bool callee = (rule->direction == MODEL_EGRESS) != answer;
    const int plen = (rule->remote.plen >= 0 ? rule->remote.plen
                      : ipv4 ? 32 : 128);

    if (ipv4) {
        ovs_be32 ip = in6_addr_get_mapped_ipv4(&rule->remote.ip);
        ovs_be32 mask = be32_prefix_mask(plen);

        match_set_dl_type(&c->match, htons(ETH_TYPE_IP));
        if (callee) {
            match_set_ct_nw_dst_masked(&c->match, ip, mask);
        } else {
            match_set_ct_nw_src_masked(&c->match, ip, mask);
        }
    } else {
        struct in6_addr mask = ipv6_create_mask(plen);

        match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
        if (callee) {
            match_set_ct_ipv6_dst_masked(&c->match, &rule->remote.ip, &mask);
        } else {
            match_set_ct_ipv6_src_masked(&c->match, &rule->remote.ip, &mask);
        }
    }
}

static void
match_protocol(struct compose *c, int protocol)
{
    if (protocol == IPPROTO_IP) {
        /* OpenFlow knows no ct_nw_proto of 0. */
        match_set_dl_type(&c->match, htons(ETH_TYPE_IP));
        match_set_nw_proto(&c->match, protocol);
        return;
    }
    match_set_ct_nw_proto(&c->match, protocol);
    if (protocol == IPPROTO_ICMP) {
        match_set_dl_type(&c->match, htons(ETH_TYPE_IP));
    } else if (protocol == IPPROTO_ICMPV6) {
        match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
    }
}

/* All but ports and ICMP types. */
static void
match_rule(const struct rule_flows *f)
{
    const struct model_rule *rule = f->rule;
    const bool egress = rule->direction == MODEL_EGRESS;
    struct compose *c = f->c;

    match_net(c, f->net->vni);
    match_label(c, f->net, rule->label, (egress ? FR_SOURCE_LABELS_XX
                                         : FR_LABELS_XX));
    match_label(c, f->net, rule->remote_label, (egress ? FR_LABELS_XX
                                                : FR_SOURCE_LABELS_XX));
    if (rule->has_remote || rule->protocol >= 0) {
        match_ct_state(c, CS_TRACKED, CS_TRACKED | CS_INVALID);
    }
    if (rule->has_remote) {
        match_remote(c, rule, f->answer);
    }
    if (rule->protocol >= 0) {
        match_protocol(c, rule->protocol);
    }
    if (f->differ) {
        match_more_flags(c, f->answer ? FF_ANSWER : 0, FF_ANSWER);
    }
}

/* The match is whole. */
static void
emit_rule(const struct rule_flows *f, bool log)
{
    const bool deny = f->rule->action == MODEL_DENY;
    const ovs_be32 mask = htonl(FF_DENIED);
    const ovs_be32 value = deny ? mask : 0;

    if (log) {
        act_punt(f->c, PUNT_ACL_LOG, FM_ACL_LOG);
    }
    ofpact_put_set_field(&f->c->acts, mf_from_id(FR_FLAGS), &value, &mask);
    emit(f->c, f->table, f->priority, f->cookie);
}

/* Of what is allowed only the first packets are logged. */
static void
emit_verdict(const struct rule_flows *f)
{
    if (f->rule->action == MODEL_DENY || !f->rule->log || f->answer) {
        emit_rule(f, f->rule->log && !f->answer);
        return;
    }
    struct match m = f->c->match;
    match_ct_state(f->c, 0, CS_NEW);
    emit_rule(f, false);
    f->c->match = m;
    match_ct_state(f->c, CS_TRACKED | CS_NEW, CS_TRACKED | CS_NEW);
    emit_rule(f, true);
}

/* SCTP's ports are not tracked. */
static void
compose_sctp_ports(const struct rule_flows *f, ovs_be16 port, ovs_be16 mask)
{
    static const uint16_t ip[] = { ETH_TYPE_IP, ETH_TYPE_IPV6 };
    const struct model_rule *rule = f->rule;

    for (size_t i = 0; i < ARRAY_SIZE(ip) * 2; i++) {
        const uint16_t dl_type = ip[i / 2];
        const bool reply = i % 2;

        if (rule->has_remote
            && model_address_is_ipv4(&rule->remote) != (dl_type
                                                        == ETH_TYPE_IP)) {
            continue;
        }
        match_rule(f);
        match_set_dl_type(&f->c->match, htons(dl_type));
        match_set_nw_proto(&f->c->match, IPPROTO_SCTP);
        match_ct_state(f->c, reply ? CS_REPLY_DIR : 0, CS_REPLY_DIR);
        if (reply) {
            match_set_tp_src_masked(&f->c->match, port, mask);
        } else {
            match_set_tp_dst_masked(&f->c->match, port, mask);
        }
        match_more_flags(f->c, 0, FF_FRAGMENT);
        emit_verdict(f);
    }
}

static void
compose_ports(const struct rule_flows *f, uint16_t port, uint16_t mask)
{
    if (f->rule->protocol == IPPROTO_SCTP) {
        compose_sctp_ports(f, htons(port), htons(mask));
        return;
    }
    match_rule(f);
    if (f->answer) {
        match_set_ct_tp_src_masked(&f->c->match, htons(port), htons(mask));
    } else {
        match_set_ct_tp_dst_masked(&f->c->match, htons(port), htons(mask));
    }
    match_more_flags(f->c, 0, FF_FRAGMENT);
    emit_verdict(f);
}

/* As few prefixes as cover the range, from its lower end on. */
static void
compose_range(const struct rule_flows *f, uint32_t first, uint32_t last)
{
    while (first <= last) {
        uint32_t size = first ? first & -first : 1u << 16;

        while (first + size - 1 > last) {
            size /= 2;
        }
        compose_ports(f, first, ~(size - 1));
        first += size;
    }
}

/* Ranges that follow one another are one. */
static void
compose_all_ports(const struct rule_flows *f)
{
    const struct model_rule *rule = f->rule;

    for (size_t i = 0; i < rule->n_ports; i++) {
        const uint16_t first = rule->ports[i].first;
        uint16_t last = rule->ports[i].last;

        while (i + 1 < rule->n_ports
               && rule->ports[i + 1].first == last + 1) {
            last = rule->ports[++i].last;
        }
        compose_range(f, first, last);
    }
}

static void
compose_icmp(const struct rule_flows *f)
{
    match_rule(f);
    match_set_ct_tp_src(&f->c->match, htons(f->rule->icmp_type));
    if (f->rule->icmp_code >= 0) {
        match_set_ct_tp_dst(&f->c->match, htons(f->rule->icmp_code));
    }
    match_more_flags(f->c, 0, FF_FRAGMENT);
    emit_verdict(f);
}

static bool
has_all_ports(const struct model_rule *rule)
{
    return (rule->n_ports == 1 && rule->ports[0].first == 0
            && rule->ports[0].last == UINT16_MAX);
}

static void
compose_way(const struct rule_flows *f)
{
    const struct model_rule *rule = f->rule;

    if (rule->n_ports && !has_all_ports(rule)) {
        compose_all_ports(f);
    } else if (rule->icmp_type >= 0) {
        compose_icmp(f);
    } else {
        match_rule(f);
        emit_verdict(f);
    }
}

static void
compose_rule(struct rule_flows *f)
{
    const struct model_rule *rule = f->rule;
    const bool ports = rule->n_ports && !has_all_ports(rule);

    if ((rule->label && model_net_label(f->net, rule->label) < 0)
        || (rule->remote_label
            && model_net_label(f->net, rule->remote_label) < 0)) {
        return;                 /* Nobody has that label. */
    }
    f->differ = ((ports || rule->has_remote)
                 && (rule->protocol < 0 || rule->protocol == IPPROTO_TCP));
    compose_way(f);
    if ((ports || rule->icmp_type >= 0) && rule->action == MODEL_ALLOW) {
        match_rule(f);
        match_more_flags(f->c, FF_FRAGMENT, FF_FRAGMENT);
        emit_rule(f, false);
    }
    if (f->differ) {
        f->answer = true;
        compose_way(f);
    }
}

static int
compare_rules(const void *a_, const void *b_)
{
    const struct model_rule *const *a = a_, *const *b = b_;

    return model_rule_compare(*a, *b);
}

/* In their order: of two flows with the same match the first one counts. */
void
flow_rules_net(struct compose *c, const struct model_net *net)
{
    const size_t n = hmap_count(&net->rules);
    const struct model_rule **rules = xcalloc(n, sizeof *rules), *rule;
    size_t i = 0;

    HMAP_FOR_EACH (rule, in_net, &net->rules) {
        rules[i++] = rule;
    }
    qsort(rules, n, sizeof *rules, compare_rules);
    for (i = 0; i < n; i++) {
        rule = rules[i];
        struct rule_flows f = {
            .c = c,
            .net = net,
            .rule = rule,
            .cookie = rule_cookie(net, rule),
            .priority = 2 * rule->priority + (rule->action == MODEL_DENY),
            .table = (rule->direction == MODEL_EGRESS ? FT_ACL_EGRESS
                      : FT_ACL_INGRESS),
        };
        compose_rule(&f);
    }
    free(rules);
}
