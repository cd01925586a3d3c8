/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: flows of rules, against a plain reading of
 * the rules. */
#include <config.h>
#include "unit-controller.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#include "command-line.h"
#include "controller/ct-zones.h"
#include "controller/flow-acl.h"
#include "controller/flow-desired.h"
#include "controller/flow-index.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/rule-cookie.h"
#include "flow-sim.h"
#include "flow.h"
#include "model/mapping.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

enum {
    N_WORLDS = 150,
    N_FRAMES = 250,             /* In each. */
    ZONE = 77,
    TUNNEL = 9,
};

static bool
one_in(unsigned int n)
{
    return !random_range(n);
}

/* Who is there.  The fixture's ports and bindings, a MAC that nobody has, and
 * a group. */
static const struct party {
    uint64_t mac;
    int port;                   /* Local, or 0. */
    bool bound;
} parties[] = {
    { UINT64_C(0x067600000007), 1, true },
    { UINT64_C(0x0a0000000002), 2, true },
    { UINT64_C(0x0a0000000003), 3, false },
    { UINT64_C(0x067600000009), 0, true },
    { UINT64_C(0x0a0000000001), 0, true },
    { UINT64_C(0x0e0000000001), 0, false },
    { UINT64_C(0x01005e000001), 0, false },
};
enum { N_LOCAL = 3, N_SENDERS = 5, UNKNOWN = 5, GROUP = 6, N_PARTIES = 7 };

static const char *const addresses[] = {
    "10.77.0.1", "10.77.0.2", "10.77.1.1", "192.0.2.1",
    "fd77::1", "fd77::2", "fd77:1::1", "2001:db8::1",
};
static const char *const ranges[] = {
    "10.77.0.1", "10.77.0.0/24", "10.77.0.0/16", "0.0.0.0/0",
    "fd77::1", "fd77::/64", "fd77::/16", "::/0",
};
static const char *const all_ports[] = {
    "0", "80", "80,443", "80-81,82", "1-1023", "1000-2000", "0-65535",
    "65535", "1024-65534", "0-79",
};
static const uint16_t some_ports[] = {
    0, 79, 80, 81, 82, 443, 999, 1023, 1024, 1500, 2000, 2001, 65534, 65535,
};
static const int protocols[] = {
    IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6, 47,
};
static const uint16_t priorities[] = { 0, 1, 2, 1000, 32766, 32767 };
static const char *const labels[] = { "a", "b", "c", "d" };

#define DRAW(ARRAY) ((ARRAY)[random_range(ARRAY_SIZE(ARRAY))])

static bool
has_ports(int protocol)
{
    return (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP
            || protocol == IPPROTO_SCTP);
}

/* Rules. */

static struct model_rule *
draw_rule(unsigned int i)
{
    struct model_rule *rule = xzalloc(sizeof *rule);

    rule->net = xstrdup("demo");
    rule->name = xasprintf("r%u", i);
    rule->priority = DRAW(priorities);
    rule->direction = one_in(2) ? MODEL_INGRESS : MODEL_EGRESS;
    rule->action = one_in(2) ? MODEL_ALLOW : MODEL_DENY;
    rule->log = one_in(3);
    rule->label = one_in(2) ? xstrdup(DRAW(labels)) : NULL;
    rule->protocol = one_in(3) ? -1 : DRAW(protocols);
    rule->icmp_type = rule->icmp_code = -1;
    if (one_in(3)) {
        rule->remote_label = xstrdup(DRAW(labels));
    } else if (one_in(2)) {
        rule->has_remote = true;
        free(model_remote_parse(DRAW(ranges), &rule->remote));
    }
    if (has_ports(rule->protocol) && !one_in(3)) {
        CHECK(!model_ports_parse(DRAW(all_ports), &rule->ports,
                                 &rule->n_ports), "ports");
    } else if (rule->protocol == IPPROTO_ICMP && one_in(2)) {
        rule->icmp_type = one_in(2) ? 8 : 0;
        rule->icmp_code = one_in(2) ? 0 : -1;
    } else if (rule->protocol == IPPROTO_ICMPV6 && one_in(2)) {
        rule->icmp_type = one_in(2) ? 128 : 129;
    }
    char *error = model_rule_check(rule);
    if (error) {                /* IPv4 and ICMPv6, say. */
        free(error);
        model_rule_destroy(rule);
        free(rule);
        return draw_rule(i);
    }
    return rule;
}

/* The world. */

struct world {
    struct mapping *mapping;
    struct model_net *net;
    struct local_ports ports;
    struct ct_zones zones;
    struct flow_set flows;
    struct flow_sim_tables *tables;
};

static void
draw_binding_labels(struct world *w, const struct party *party)
{
    struct eth_addr mac;

    eth_addr_from_uint64(party->mac, &mac);
    struct model_binding *b = mapping_binding(w->mapping, "demo", mac);
    CHECK(b, "no binding");
    b->labels = xcalloc(ARRAY_SIZE(labels), sizeof *b->labels);
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        if (one_in(2)) {
            b->labels[b->n_labels++] = xstrdup(labels[i]);
        }
    }
}

/* Label "d" is nobody's: the service has not told it. */
static void
world_init(struct world *w)
{
    w->mapping = test_mapping();
    w->net = mapping_net(w->mapping, "demo");
    w->net->policy = one_in(2) ? MODEL_POLICY_OPEN : MODEL_POLICY_CLOSED;
    w->net->n_labels = 100;
    w->net->labels = xcalloc(w->net->n_labels, sizeof *w->net->labels);
    for (size_t i = 0; i < w->net->n_labels; i++) {
        w->net->labels[i] = xstrdup(i == 0 ? "a" : i == 70 ? "b"
                                    : i == 99 ? "c" : "");
    }
    for (size_t i = 0; i < N_SENDERS; i++) {
        if (parties[i].bound) {
            draw_binding_labels(w, &parties[i]);
        }
    }
    for (unsigned int i = 0, n = random_range(12); i < n; i++) {
        CHECK(mapping_put_rule(w->mapping, draw_rule(i)), "rule");
    }
    test_ports(&w->ports);
    ct_zones_init(&w->zones);
    ct_zones_add(&w->zones, 5001, ZONE);

    const struct flow_input input = {
        .ports = &w->ports,
        .mapping = w->mapping,
        .tunnel = u16_to_ofp(TUNNEL),
        .zones = &w->zones,
    };
    flow_set_init(&w->flows);
    flow_desired_compute(&input, &w->flows);
    w->tables = flow_sim_tables_create(&w->flows);
}

static void
world_destroy(struct world *w)
{
    flow_sim_tables_destroy(w->tables);
    flow_set_destroy(&w->flows);
    ct_zones_destroy(&w->zones);
    local_ports_destroy(&w->ports);
    mapping_destroy(w->mapping);
}

/* Frames. */

struct frame {
    int sender, receiver;       /* In 'parties'. */
    int claimed;                /* Whose MAC it is from: the sender's... */
    bool spoofed;               /* ...or not. */
    bool ip, ipv6;
    int protocol;
    struct in6_addr src, dst;   /* Of the connection's first packet. */
    uint16_t src_port, dst_port;
    uint8_t type, code;         /* ICMP: of the connection's first packet. */
    bool later;                 /* A later fragment. */
    bool reply, established, related, blocked;
    bool middle;                /* TCP: no first segment, of no known one. */
};

static void
draw_frame(struct frame *f)
{
    const size_t half = ARRAY_SIZE(addresses) / 2;
    struct model_address a;

    memset(f, 0, sizeof *f);
    f->sender = random_range(N_SENDERS);
    do {
        f->receiver = random_range(N_PARTIES);
    } while (f->receiver == f->sender
             || (f->receiver < UNKNOWN && !parties[f->receiver].port
                 && !parties[f->sender].port));
    f->claimed = f->sender;
    if (parties[f->sender].port && one_in(8)) {
        f->claimed = one_in(2) ? 0 : 3;     /* An operator's. */
        f->spoofed = f->claimed != f->sender;
    }
    f->ip = !one_in(10);
    if (!f->ip) {
        return;
    }
    f->ipv6 = one_in(2);
    do {
        f->protocol = DRAW(protocols);
    } while (f->protocol == (f->ipv6 ? IPPROTO_ICMP : IPPROTO_ICMPV6));
    free(model_address_parse(addresses[random_range(half) + half * f->ipv6],
                             &a));
    f->src = a.ip;
    free(model_address_parse(addresses[random_range(half) + half * f->ipv6],
                             &a));
    f->dst = a.ip;
    f->src_port = DRAW(some_ports);
    f->dst_port = DRAW(some_ports);
    f->type = f->ipv6 ? 128 : one_in(4) ? 13 : 8;
    f->later = one_in(8);
    f->established = one_in(2);
    f->reply = f->established && one_in(2);
    f->related = one_in(12);
    f->blocked = f->established && one_in(3);
    f->middle = (f->protocol == IPPROTO_TCP && !f->established && !f->later
                 && !f->related && one_in(2));
}

static void
set_tracked(const struct frame *f, struct flow *ct)
{
    const bool ports = (f->protocol == IPPROTO_TCP
                        || f->protocol == IPPROTO_UDP);
    const bool icmp = (f->protocol == IPPROTO_ICMP
                       || f->protocol == IPPROTO_ICMPV6);

    ct->ct_state = CS_TRACKED | (f->related ? CS_RELATED
                                 : f->established ? CS_ESTABLISHED : CS_NEW)
                   | (f->reply ? CS_REPLY_DIR : 0);
    ct->ct_mark = f->blocked ? CM_BLOCKED : 0;
    ct->ct_nw_proto = f->protocol;
    if (f->ipv6) {
        ct->ct_ipv6_src = f->src;
        ct->ct_ipv6_dst = f->dst;
    } else {
        ct->ct_nw_src = in6_addr_get_mapped_ipv4(&f->src);
        ct->ct_nw_dst = in6_addr_get_mapped_ipv4(&f->dst);
    }
    if (!f->later) {
        ct->ct_tp_src = htons(ports ? f->src_port : icmp ? f->type : 0);
        ct->ct_tp_dst = htons(ports ? f->dst_port : icmp ? f->code : 0);
    }
}

static void
set_frame(const struct frame *f, struct flow *flow)
{
    flow->in_port.ofp_port = u16_to_ofp(parties[f->sender].port);
    if (!parties[f->sender].port) {
        flow->in_port.ofp_port = u16_to_ofp(TUNNEL);
        flow->tunnel.tun_id = htonll(5001);
        flow->tunnel.ip_src = htonl(0xf0000009);
        flow->tunnel.ip_dst = htonl(0xf0000007);
    }
    eth_addr_from_uint64(parties[f->claimed].mac, &flow->dl_src);
    eth_addr_from_uint64(parties[f->receiver].mac, &flow->dl_dst);
    flow->dl_type = htons(!f->ip ? 0x1234 : f->ipv6 ? ETH_TYPE_IPV6
                          : ETH_TYPE_IP);
    if (!f->ip) {
        return;
    }
    flow->nw_proto = f->protocol;
    flow->nw_ttl = 64;
    if (f->ipv6) {
        flow->ipv6_src = f->reply ? f->dst : f->src;
        flow->ipv6_dst = f->reply ? f->src : f->dst;
    } else {
        flow->nw_src = in6_addr_get_mapped_ipv4(f->reply ? &f->dst : &f->src);
        flow->nw_dst = in6_addr_get_mapped_ipv4(f->reply ? &f->src : &f->dst);
    }
    if (f->later) {
        flow->nw_frag = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
    } else if (has_ports(f->protocol)) {
        flow->tp_src = htons(f->reply ? f->dst_port : f->src_port);
        flow->tp_dst = htons(f->reply ? f->src_port : f->dst_port);
        if (f->protocol == IPPROTO_TCP) {
            flow->tcp_flags = htons(f->middle || f->established ? TCP_ACK
                                    : TCP_SYN);
        }
    } else if (f->protocol != 47) {
        flow->tp_src = htons(f->type + f->reply);
    }
}

/* What the rules say, read one after the other. */

static bool
is_labelled(const struct world *w, int party, const char *label)
{
    const struct model_binding *b;
    struct eth_addr mac;

    if (party < 0) {
        return false;
    }
    eth_addr_from_uint64(parties[party].mac, &mac);
    b = mapping_binding(w->mapping, "demo", mac);
    for (size_t i = 0; b && i < b->n_labels; i++) {
        if (!strcmp(b->labels[i], label)) {
            return model_net_label(w->net, label) >= 0;
        }
    }
    return false;
}

static bool
names_ports(const struct model_rule *rule, const struct frame *f)
{
    const bool whole = (rule->n_ports == 1 && !rule->ports[0].first
                        && rule->ports[0].last == UINT16_MAX);

    if (!rule->n_ports && rule->icmp_type < 0) {
        return true;
    }
    if (f->later) {
        return whole || rule->action == MODEL_ALLOW;
    }
    for (size_t i = 0; i < rule->n_ports; i++) {
        if (f->dst_port >= rule->ports[i].first
            && f->dst_port <= rule->ports[i].last) {
            return true;
        }
    }
    return (!rule->n_ports && rule->icmp_type == f->type
            && (rule->icmp_code < 0 || rule->icmp_code == f->code));
}

static bool
names(const struct world *w, const struct model_rule *rule,
      const struct frame *f, enum model_direction direction, int subject,
      int other)
{
    const struct in6_addr *ip = (direction == MODEL_EGRESS ? &f->dst
                                 : &f->src);
    const struct model_address remote = { .ip = *ip, .plen = -1 };

    if (rule->direction != direction
        || (rule->label && !is_labelled(w, subject, rule->label))
        || (rule->remote_label
            && !is_labelled(w, other, rule->remote_label))
        || (rule->has_remote
            && (!f->ip || !(rule->remote.plen >= 0
                            ? model_subnet_contains(&rule->remote, &remote)
                            : model_address_same_ip(&rule->remote,
                                                    &remote))))) {
        return false;
    }
    return (rule->protocol < 0
            || (f->ip && rule->protocol == f->protocol
                && names_ports(rule, f)));
}

/* Returns the rule that decides, or null. */
static const struct model_rule *
deciding_rule(const struct world *w, const struct frame *f,
              enum model_direction direction, int subject, int other)
{
    const struct model_rule *rule, *best = NULL;

    HMAP_FOR_EACH (rule, in_net, &w->net->rules) {
        if (names(w, rule, f, direction, subject, other)
            && (!best || model_rule_compare(rule, best) < 0)) {
            best = rule;
        }
    }
    return best;
}

static bool
allows(const struct world *w, const struct frame *f,
       enum model_direction direction, int subject, int other)
{
    const struct model_rule *rule = deciding_rule(w, f, direction, subject,
                                                  other);

    return (rule ? rule->action == MODEL_ALLOW
            : w->net->policy == MODEL_POLICY_OPEN);
}

static bool
may_pass(const struct world *w, const struct frame *f, int caller,
         bool caller_is_local, int callee, bool callee_is_local)
{
    return ((!caller_is_local
             || allows(w, f, MODEL_EGRESS, caller, callee))
            && (!callee_is_local
                || allows(w, f, MODEL_INGRESS, callee, caller)));
}

/* Whether the sender's rules count at this host.  His own host did not know
 * for whom a flooded frame is. */
static bool
is_judged_here(const struct frame *f)
{
    return parties[f->sender].port || f->receiver >= UNKNOWN;
}

/* Whether the copy of the frame for 'port' goes there.  'receiver' is whose
 * labels count, -1: nobody's. */
static bool
passes(const struct world *w, const struct frame *f, int port, int receiver)
{
    const int caller = f->reply ? receiver : f->sender;
    const int callee = f->reply ? f->sender : receiver;
    const bool to_local = port != TUNNEL;
    const bool from_local = is_judged_here(f);
    const bool caller_is_local = f->reply ? to_local : from_local;
    const bool callee_is_local = f->reply ? from_local : to_local;

    if (!flow_acl_is_filtered(w->net)) {
        return true;
    }
    if (f->related) {
        return !f->blocked;
    }
    return may_pass(w, f, caller, caller_is_local, callee, callee_is_local);
}

/* Whether it passes as an answer to something that the receiver sent. */
static bool
passes_as_answer(const struct world *w, const struct frame *f, int port,
                 int receiver)
{
    struct frame first = *f;

    first.src = f->dst;
    first.dst = f->src;
    first.src_port = f->dst_port;
    first.dst_port = f->src_port;
    return (f->middle && may_pass(w, &first, receiver, port != TUNNEL,
                                  f->sender, is_judged_here(f)));
}

struct expected {
    bool outputs[TUNNEL + 1];
    bool any, denied, answers;  /* Copies. */
};

static void
expect_copy(const struct world *w, const struct frame *f, int port,
            int receiver, struct expected *e)
{
    if (port != parties[f->sender].port) {
        bool pass = passes(w, f, port, receiver);
        bool answer = !pass && passes_as_answer(w, f, port, receiver);

        e->outputs[port] = pass || answer;
        e->any |= pass;
        e->answers |= answer;
        e->denied |= !pass && !answer;
    }
}

static void
expect(const struct world *w, const struct frame *f, struct expected *e)
{
    const struct party *receiver = &parties[f->receiver];

    memset(e, 0, sizeof *e);
    if (f->receiver < UNKNOWN) {
        expect_copy(w, f, receiver->port ? receiver->port : TUNNEL,
                    f->receiver, e);
        return;
    }
    /* Ports that learn have no MAC, so no labels. */
    expect_copy(w, f, 1, 0, e);
    expect_copy(w, f, 2, -1, e);
    expect_copy(w, f, 3, 2, e);
    if (parties[f->sender].port) {
        expect_copy(w, f, TUNNEL, -1, e);
    }
}

static void
check_frame(const struct world *w, const struct frame *f,
            const struct expected *e, const char *where)
{
    const bool filtered = flow_acl_is_filtered(w->net);
    bool outputs[TUNNEL + 1] = { false };
    struct flow_sim sim;

    memset(&sim, 0, sizeof sim);
    set_frame(f, &sim.flow);
    set_tracked(f, &sim.tracked);
    flow_sim_run(&sim, w->tables);
    if (filtered && f->spoofed) {
        CHECK(!sim.n_outputs && !sim.tracks, "%s: spoofed", where);
        return;
    }
    for (size_t i = 0; i < sim.n_outputs; i++) {
        CHECK(sim.outputs[i] <= TUNNEL && !outputs[sim.outputs[i]],
              "%s: twice", where);
        outputs[sim.outputs[i]] = true;
    }
    for (int i = 0; i <= TUNNEL; i++) {
        CHECK(outputs[i] == e->outputs[i], "%s: port %d", where, i);
    }
    CHECK(sim.tracks == (filtered && f->ip), "%s", where);
    if (!filtered || !f->ip || f->related) {
        CHECK(!sim.commits && !sim.blocks && !sim.unblocks, "%s", where);
        return;
    }
    CHECK(sim.zone == ZONE, "%s", where);
    CHECK(sim.commits == (!f->established && f->receiver != GROUP && e->any),
          "%s", where);
    CHECK(sim.blocks == (f->established && !f->blocked && e->denied), "%s",
          where);
    CHECK(sim.unblocks == (f->established && f->blocked && e->any), "%s",
          where);
}

/* Random rules and frames: what flows do is what the rules say. */
void
test_rules(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    unsigned int n_passed = 0, n_denied = 0, n_both = 0, n_answers = 0;
    unsigned int n_spoofed = 0;

    random_set_seed(1);
    for (unsigned int i = 0; i < N_WORLDS; i++) {
        struct world w;

        world_init(&w);
        for (unsigned int j = 0; j < N_FRAMES; j++) {
            char where[32];
            struct expected e;
            struct frame f;

            draw_frame(&f);
            expect(&w, &f, &e);
            snprintf(where, sizeof where, "world %u, frame %u", i, j);
            check_frame(&w, &f, &e, where);
            n_spoofed += f.spoofed;
            n_passed += e.any && !e.denied && !e.answers;
            n_denied += e.denied && !e.any && !e.answers;
            n_both += e.any && e.denied;
            n_answers += e.answers;
        }
        world_destroy(&w);
    }
    printf("%u passed, %u denied, %u to some ports only, %u as answers\n",
           n_passed, n_denied, n_both, n_answers);
    CHECK(n_passed > 5000 && n_denied > 5000 && n_both > 100
          && n_answers > 100 && n_spoofed > 500, "too few");
}

/* Numbers of flows. */

static struct model_rule *
make_rule(const char *name, enum model_direction direction,
          enum model_action action, int protocol, const char *ports)
{
    struct model_rule *rule = xzalloc(sizeof *rule);

    rule->net = xstrdup("demo");
    rule->name = xstrdup(name);
    rule->priority = MODEL_RULE_PRIORITY;
    rule->direction = direction;
    rule->action = action;
    rule->protocol = protocol;
    rule->icmp_type = rule->icmp_code = -1;
    CHECK(!ports || !model_ports_parse(ports, &rule->ports, &rule->n_ports),
          "%s", ports);
    return rule;
}

static size_t
count_flows(const struct mapping *mapping, const struct local_ports *ports)
{
    const struct flow_input input = {
        .ports = ports,
        .mapping = mapping,
        .tunnel = u16_to_ofp(TUNNEL),
        .zones = NULL,
    };
    struct flow_set flows;

    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    size_t n = flow_set_count(&flows);
    flow_set_destroy(&flows);
    return n;
}

static void
add_ports(struct local_ports *ports, int n)
{
    for (int i = 0; i < n; i++) {
        char *name = xasprintf("p%d", i);
        struct local_port *port = local_ports_add(ports, name, "demo", 5001);

        port->ofport = u16_to_ofp(100 + i);
        port->has_mac = true;
        eth_addr_from_uint64(UINT64_C(0x0e0000000000) + i, &port->mac);
        free(name);
    }
    local_ports_sort(ports);
}

/* Ports that come touch no flow of a rule. */
static void
check_touched(const struct mapping *mapping, const struct local_ports *before,
              const struct local_ports *after)
{
    struct mapping_touches touches = MAPPING_TOUCHES_INITIALIZER;
    struct flow_input input = { .ports = before, .mapping = mapping,
                                .tunnel = u16_to_ofp(TUNNEL) };
    const struct flow_entry *flow;
    struct flow_index index;

    flow_index_init(&index);
    flow_index_update(&index, &input, &touches);
    flow_index_settle(&index);
    input.ports = after;
    flow_index_touch_ports(&touches, mapping, before, after);
    flow_index_update(&index, &input, &touches);
    CHECK(!index.all_touched && flow_set_count(&index.touched), "none");
    FLOW_SET_FOR_EACH (flow, &index.touched) {
        CHECK(cookie_kind(flow->cookie) != COOKIE_RULE, "a rule's");
    }
    mapping_touches_destroy(&touches);
    flow_index_destroy(&index);
}

/* As many flows as flow-acl.h says, for each rule; and with more ports as many
 * more as without rules, and two for each port. */
void
test_rule_sizes(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N_PORTS = 20, N_RULES = 4096 };
    static const struct {
        enum model_action action;
        bool log;
        int protocol;
        const char *ports;
        size_t n;
    } tests[] = {
        { MODEL_ALLOW, false, -1, NULL, 1 },
        { MODEL_DENY, true, IPPROTO_TCP, NULL, 1 },
        { MODEL_ALLOW, true, IPPROTO_TCP, NULL, 2 },
        { MODEL_DENY, false, IPPROTO_TCP, "80", 2 },
        { MODEL_ALLOW, false, IPPROTO_TCP, "80", 3 },
        { MODEL_ALLOW, true, IPPROTO_TCP, "80", 4 },
        { MODEL_ALLOW, false, IPPROTO_TCP, "80,443", 5 },
        { MODEL_DENY, false, IPPROTO_TCP, "80,81", 2 },
        { MODEL_DENY, false, IPPROTO_TCP, "81,82", 4 },
        { MODEL_DENY, false, IPPROTO_UDP, "80-83,84-87", 1 },
        { MODEL_ALLOW, false, IPPROTO_UDP, "53", 2 },
        { MODEL_DENY, false, IPPROTO_UDP, "1-65534", 30 },
        { MODEL_ALLOW, false, IPPROTO_UDP, "0-65535", 1 },
        { MODEL_DENY, false, IPPROTO_SCTP, "80", 4 },
    };
    struct local_ports few, many;
    struct mapping *mapping = test_mapping();

    test_ports(&few);
    test_ports(&many);
    add_ports(&many, N_PORTS);
    const size_t open_few = count_flows(mapping, &few);
    const size_t open_many = count_flows(mapping, &many);

    /* Closed, with 3 ports. */
    mapping_net(mapping, "demo")->policy = MODEL_POLICY_CLOSED;
    CHECK(count_flows(mapping, &few) == open_few + 3 + 2 * 3, "closed");
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_rule *rule = make_rule("a", i % 2, tests[i].action,
                                            tests[i].protocol,
                                            tests[i].ports);
        rule->log = tests[i].log;
        CHECK(mapping_put_rule(mapping, rule), "rule");
        size_t n = count_flows(mapping, &few) - open_few - 9;
        CHECK(n == tests[i].n, "%"PRIuSIZE": %"PRIuSIZE, i, n);
        mapping_remove_rule(mapping, rule);
    }

    for (int i = 0; i < N_RULES; i++) {
        char *name = xasprintf("rule-%d", i);
        char *ports = xasprintf("%d", i);
        mapping_put_rule(mapping, make_rule(name, i % 2, MODEL_DENY,
                                            IPPROTO_TCP, ports));
        free(name);
        free(ports);
    }
    long long int start = time_msec();
    CHECK(count_flows(mapping, &few) == open_few + 9 + 2 * N_RULES, "rules");
    printf("%d rules in %lld ms\n", N_RULES, time_msec() - start);
    CHECK(count_flows(mapping, &many) - count_flows(mapping, &few)
          == open_many - open_few + 2 * N_PORTS, "ports");

    check_touched(mapping, &few, &many);
    local_ports_destroy(&few);
    local_ports_destroy(&many);
    mapping_destroy(mapping);
}
