/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: guests that move. */
#include <config.h>
#include "unit-controller.h"

#include <limits.h>
#include <string.h>

#include "command-line.h"
#include "controller/announce.h"
#include "controller/claim.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/local-port.h"
#include "dp-packet.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "random.h"
#include "svec.h"
#include "util.h"

#define MAC ETH_ADDR_C(0a,00,00,00,00,01)

/* What a port makes of a binding. */

static void
init_port(struct local_port *port, const char *claim)
{
    *port = (struct local_port) {
        .name = CONST_CAST(char *, "tap0"),
        .net = CONST_CAST(char *, "demo"),
        .iface_id = CONST_CAST(char *, "iface-1"),
        .ofport = u16_to_ofp(2),
        .has_mac = true,
        .mac = MAC,
        .claim = claim_parse(claim),
    };
}

static void
expect_claim(struct claim claim, const char *expected, const char *what)
{
    char *s = claim_format(claim);

    CHECK(nullable_string_is_equal(s, expected), "%s: %s, not %s", what,
          s ? s : "none", expected ? expected : "none");
    free(s);
}

void
test_claim(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { SELF = 7, OTHER = 9 };
    static const struct {
        const char *claim;
        bool waits;
        int node;               /* -1: no binding. */
        uint64_t sequence;
        enum claim_state state;
        const char *next, *spoke;
    } tests[] = {
        /* Attached: nobody has it, or somebody else has. */
        { NULL, false, -1, 0, CLAIM_WANTED, "new:0", "new:0" },
        { NULL, false, 0, 3, CLAIM_WANTED, "new:3", "new:3" },
        { NULL, false, OTHER, 3, CLAIM_WANTED, "new:3", "spoke:3" },
        { "new:3", false, OTHER, 3, CLAIM_WANTED, "new:3", "spoke:3" },
        { NULL, false, SELF, 3, CLAIM_HERE, "held:3", "held:3" },
        /* Moved since: while this node did not hear. */
        { "new:3", false, OTHER, 4, CLAIM_WAITS, "new:3", "spoke:4" },
        { "new:0", false, OTHER, 1, CLAIM_WAITS, "new:0", "spoke:1" },
        { "spoke:4", false, OTHER, 4, CLAIM_WANTED, "spoke:4", "spoke:4" },
        { "spoke:4", false, OTHER, 5, CLAIM_WAITS, "spoke:4", "spoke:5" },
        /* It had the MAC. */
        { "held:3", false, OTHER, 4, CLAIM_LOST, "held:3", "spoke:4" },
        { "held:3", false, SELF, 5, CLAIM_HERE, "held:5", "held:5" },
        { "held:3", false, 0, 4, CLAIM_WANTED, "held:3", "held:3" },
        { "held:3", false, -1, 0, CLAIM_WANTED, "new:0", "new:0" },
        { "held:0", false, OTHER, 0, CLAIM_LOST, "held:0", "spoke:0" },
        /* The service's database was set back. */
        { "held:3", false, OTHER, 2, CLAIM_WANTED, "held:3", "spoke:2" },
        /* It takes nothing away before its guest speaks. */
        { NULL, true, -1, 0, CLAIM_WANTED, "new:0", "new:0" },
        { NULL, true, 0, 3, CLAIM_WANTED, "new:3", "new:3" },
        { NULL, true, OTHER, 3, CLAIM_WAITS, "new:3", "spoke:3" },
        { "spoke:3", true, OTHER, 3, CLAIM_WANTED, "spoke:3", "spoke:3" },
        { "held:3", true, OTHER, 4, CLAIM_LOST, "held:3", "spoke:4" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_binding binding = {
            .mac = MAC, .origin = MODEL_ORIGIN_DYNAMIC,
            .node = MAX(tests[i].node, 0), .sequence = tests[i].sequence };
        const struct model_binding *b = tests[i].node < 0 ? NULL : &binding;
        struct local_port port;
        char what[16];

        snprintf(what, sizeof what, "row %"PRIuSIZE, i);
        init_port(&port, tests[i].claim);
        port.waits = tests[i].waits;
        CHECK(claim_judge(&port, b, SELF) == tests[i].state, "%s", what);
        expect_claim(claim_next(&port, b, SELF, false), tests[i].next, what);
        expect_claim(claim_next(&port, b, SELF, true), tests[i].spoke, what);

        /* The device is not there; the host's own port. */
        port.ofport = 0;
        expect_claim(claim_next(&port, b, SELF, true), NULL, what);
        port.ofport = u16_to_ofp(2);
        port.host_port = true;
        expect_claim(claim_next(&port, b, SELF, true), NULL, what);
        port.host_port = false;

        /* An operator gave the MAC to this interface, or to another one. */
        binding.origin = MODEL_ORIGIN_STATIC;
        binding.iface_id = CONST_CAST(char *, "iface-1");
        CHECK(claim_judge(&port, b, SELF) == tests[i].state, "%s", what);
        binding.iface_id = CONST_CAST(char *, "iface-2");
        if (b && binding.node != SELF) {
            CHECK(claim_judge(&port, b, SELF) == CLAIM_OTHERS, "%s", what);
        }
    }

    static const char *const garbage[] = {
        "", "new", "new:", "new:x", "new:3x", "held:-1", "had:3", ":3",
    };
    for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
        expect_claim(claim_parse(garbage[i]), NULL, garbage[i]);
    }
    expect_claim(claim_parse("held:18446744073709551615"),
                 "held:18446744073709551615", "the largest");
}

/* A service, and hosts that hear of it late. */

enum { N_HOSTS = 3, QUEUE = 4096 };

struct world {
    struct model_binding binding;       /* Node 0: there is none. */
    struct {
        struct model_binding view;
        struct local_port port;         /* 'ofport' 0: there is none. */
        struct model_binding events[QUEUE];
        size_t read, written;
        bool asked;                     /* A claim is under way, */
        uint64_t base;                  /* with this sequence, */
        bool connected;                 /* unless the host is cut off. */
    } hosts[N_HOSTS];
    unsigned int n_moves;
};

static void
publish(struct world *w)
{
    for (size_t i = 0; i < N_HOSTS; i++) {
        CHECK(w->hosts[i].written < QUEUE, "too many events");
        w->hosts[i].events[w->hosts[i].written++] = w->binding;
    }
    w->n_moves++;
}

static enum claim_state
host_state(const struct world *w, size_t i)
{
    const struct model_binding *view = &w->hosts[i].view;

    return claim_judge(&w->hosts[i].port, view->sequence ? view : NULL,
                       i + 1);
}

static void
host_run(struct world *w, size_t i, bool spoke)
{
    const struct model_binding *view = &w->hosts[i].view;
    struct local_port *port = &w->hosts[i].port;

    port->claim = claim_next(port, view->sequence ? view : NULL, i + 1,
                             spoke);
    if (port->ofport && host_state(w, i) == CLAIM_WANTED
        && !w->hosts[i].asked) {
        w->hosts[i].asked = true;
        w->hosts[i].base = view->sequence;
    }
}

/* An event arrives at host 'i', or its claim at the service. */
static bool
deliver(struct world *w, size_t i)
{
    bool event = w->hosts[i].read < w->hosts[i].written;

    if (!w->hosts[i].connected || (!event && !w->hosts[i].asked)) {
        return false;
    }
    if (w->hosts[i].asked && (!event || random_range(2))) {
        w->hosts[i].asked = false;
        if (w->hosts[i].base == w->binding.sequence) {
            w->binding.node = i + 1;
            w->binding.sequence++;
            publish(w);
        }
    } else {
        w->hosts[i].view = w->hosts[i].events[w->hosts[i].read++];
    }
    host_run(w, i, false);
    return true;
}

static void
settle(struct world *w)
{
    unsigned int steps = 0;
    bool any;

    do {
        any = false;
        for (size_t i = 0; i < N_HOSTS; i++) {
            any |= deliver(w, i);
        }
        CHECK(steps++ < 1000, "claims go on without end");
    } while (any);
}

static void
attach(struct world *w, size_t i)
{
    init_port(&w->hosts[i].port, NULL);
    host_run(w, i, false);
}

static void
init_world(struct world *w)
{
    w->binding = (struct model_binding) {
        .mac = MAC, .origin = MODEL_ORIGIN_DYNAMIC };
    for (size_t i = 0; i < N_HOSTS; i++) {
        init_port(&w->hosts[i].port, NULL);
        w->hosts[i].port.ofport = 0;
        w->hosts[i].view = w->binding;
        w->hosts[i].connected = true;
    }
}

/* Ports are attached, hosts cut off, guests speak, while events and claims are
 * under way; in the end all hosts are connected. */
static void
go_on(struct world *w)
{
    for (int step = 0; step < 200; step++) {
        size_t i = random_range(N_HOSTS);

        switch (random_range(12)) {
        case 0:
            attach(w, i);
            break;
        case 1:
            w->hosts[i].connected = random_range(2);
            break;
        case 2:
            if (host_state(w, i) == CLAIM_WAITS) {
                host_run(w, i, true);
            }
            break;
        default:
            deliver(w, i);
        }
    }
    for (size_t i = 0; i < N_HOSTS; i++) {
        w->hosts[i].connected = true;
    }
    attach(w, 0);
}

/* Whatever was attached in whatever order, by hosts that hear late or not at
 * all for a while: when all have heard of all, one has the MAC, and nobody
 * claims it back.  Who is attached then gets it, and so does who waits for its
 * guest, when that speaks. */
void
test_claims_converge(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    unsigned int n_waited = 0, n_lost = 0;

    for (unsigned int seed = 1; seed <= 300; seed++) {
        struct world *w = xzalloc(sizeof *w);
        size_t owners = 0;

        random_set_seed(seed);
        init_world(w);
        go_on(w);
        settle(w);
        for (size_t i = 0; i < N_HOSTS; i++) {
            enum claim_state state = host_state(w, i);

            owners += (w->hosts[i].port.ofport && claim_is_ours(state));
            n_waited += state == CLAIM_WAITS;
            n_lost += state == CLAIM_LOST;
            CHECK(claim_is_ours(state) == (w->binding.node == i + 1)
                  || !w->hosts[i].port.ofport, "seed %u host %"PRIuSIZE,
                  seed, i);
        }
        CHECK(owners == 1, "seed %u: %"PRIuSIZE" have it", seed, owners);

        for (size_t i = 0; i < 2 * N_HOSTS; i++) {
            unsigned int before = w->n_moves;
            bool had = w->binding.node == i % N_HOSTS + 1;

            attach(w, i % N_HOSTS);
            settle(w);
            CHECK(w->binding.node == i % N_HOSTS + 1, "seed %u: the last one "
                  "has it", seed);
            CHECK(w->n_moves == before + !had, "seed %u: %u moves for one",
                  seed, w->n_moves - before);
        }
        free(w);
    }
    CHECK(n_waited && n_lost, "%u waited, %u lost", n_waited, n_lost);
}

/* Flows. */

/* Those of table 11 for the MAC of tap1, and that of table 30, without the
 * rest. */
static void
format_flows(const struct mapping *mapping, const struct local_ports *ports,
             struct ds *s)
{
    const struct flow_input input = {
        .ports = ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct flow_entry *flow;
    struct flow_set flows;

    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        struct ds line = DS_EMPTY_INITIALIZER;

        flow_entry_format(flow, &line);
        const char *p = strstr(ds_cstr(&line), "priority=150");
        if (!p && strstr(ds_cstr(&line), "dl_dst=0a:00:00:00:00:03")) {
            p = strstr(ds_cstr(&line), "actions=");
        }
        if (p) {
            svec_add(&lines, p);
        }
        ds_destroy(&line);
    }
    svec_sort(&lines);
    char *all = svec_join(&lines, "\n", "\n");
    ds_clear(s);
    ds_put_cstr(s, all);
    free(all);
    svec_destroy(&lines);
    flow_set_destroy(&flows);
}

/* Frames for a MAC go to the port that has it or claims it, and no others
 * than those that are waited for are told to the controller. */
void
test_claim_flows(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#define PUNT "actions=controller(max_len=128,userdata=09,meter_id=131075)," \
    "goto_table:15\n"
#define FROM "in_port=3,dl_src=0a:00:00:00:00:03"
#define HERE "actions=set_field:0x2->reg14,set_field:0x3->reg15\n"
#define THERE "actions=set_field:0x2->reg14,set_field:240.0.0.9->tun_dst," \
    "set_field:0x9->reg15\n"
    static const struct { const char *claim, *flows; } tests[] = {
        { NULL, HERE },
        { "new:4", HERE },
        { "spoke:4", HERE },
        { "new:3", THERE "priority=150," FROM " " PUNT },
        { "held:3", THERE
          "priority=150,arp," FROM " " PUNT
          "priority=150,icmp6," FROM ",icmp_type=136,icmp_code=0 " PUNT
          "priority=150,rarp," FROM " " PUNT },
    };
    struct mapping *mapping = test_mapping();
    struct model_binding *binding = xzalloc(sizeof *binding);
    struct ds s = DS_EMPTY_INITIALIZER;
    struct local_ports ports;

    test_ports(&ports);
    struct local_port *tap1 = CONST_CAST(struct local_port *,
                                         local_ports_find(&ports, "tap1"));
    *binding = (struct model_binding) {
        .net = xstrdup("demo"), .mac = tap1->mac, .node = 9,
        .origin = MODEL_ORIGIN_DYNAMIC, .sequence = 4 };
    CHECK(mapping_put_binding(mapping, binding), "binding");

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tap1->claim = claim_parse(tests[i].claim);
        format_flows(mapping, &ports, &s);
        CHECK(!strcmp(ds_cstr(&s), tests[i].flows), "%s:\n%s",
              tests[i].claim ? tests[i].claim : "none", ds_cstr(&s));
    }
    ds_destroy(&s);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}

/* Frames that say where a guest is. */

void
test_claim_announcement(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const struct eth_addr mac = MAC, other = ETH_ADDR_C(0a,00,00,00,00,02);
    const ovs_be32 ip = htonl(0x0a4d0001), ip2 = htonl(0x0a4d0002);
    struct in6_addr ip6, all, one;
    struct dp_packet p;

    CHECK(ipv6_parse("fd77::1", &ip6) && ipv6_parse("ff02::1", &all)
          && ipv6_parse("fd77::2", &one), "addresses");
    dp_packet_init(&p, 0);

#define IS_ANNOUNCEMENT() \
    claim_is_announcement(dp_packet_data(&p), dp_packet_size(&p))

    compose_rarp(&p, mac);
    CHECK(IS_ANNOUNCEMENT(), "RARP");
    compose_arp(&p, ARP_OP_REQUEST, mac, eth_addr_zero, true, ip, ip);
    CHECK(IS_ANNOUNCEMENT(), "gratuitous ARP");
    for (size_t cut = 0; cut < dp_packet_size(&p); cut++) {
        CHECK(!claim_is_announcement(dp_packet_data(&p), cut), "cut");
    }
    compose_arp(&p, ARP_OP_REQUEST, mac, eth_addr_zero, true, ip, ip2);
    CHECK(!IS_ANNOUNCEMENT(), "a question");
    compose_arp(&p, ARP_OP_REQUEST, mac, eth_addr_zero, true, 0, 0);
    CHECK(!IS_ANNOUNCEMENT(), "of no address");
    compose_arp(&p, ARP_OP_REQUEST, mac, eth_addr_zero, true, ip, ip);
    struct eth_header *eth = dp_packet_eth(&p);
    eth->eth_src = other;
    CHECK(!IS_ANNOUNCEMENT(), "of somebody else");

    dp_packet_clear(&p);
    compose_nd_na(&p, mac, eth_addr_broadcast, &ip6, &all,
                  htonl(ND_RSO_OVERRIDE));
    CHECK(IS_ANNOUNCEMENT(), "unsolicited advertisement");
    dp_packet_clear(&p);
    compose_nd_na(&p, mac, other, &ip6, &one, htonl(ND_RSO_OVERRIDE));
    CHECK(!IS_ANNOUNCEMENT(), "an answer");
    dp_packet_clear(&p);
    compose_nd_ns(&p, mac, &ip6, &one);
    CHECK(!IS_ANNOUNCEMENT(), "a solicitation");
    dp_packet_uninit(&p);
}

/* Two guests that both go on saying that they are here. */
void
test_claim_pace(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct claim_pace pace = { 0, 0 };
    struct ds s = DS_EMPTY_INITIALIZER;
    long long int now;

    for (now = 5000; now < 205000; now += 100) {
        if (claim_pace_allows(&pace, now)) {
            ds_put_format(&s, "%lld ", now / 1000);
        }
    }
    CHECK(!strcmp(ds_cstr(&s), "5 6 8 12 20 36 68 128 188 "), "%s",
          ds_cstr(&s));
    CHECK(claim_pace_allows(&pace, 1000000), "long after");
    CHECK(claim_pace_allows(&pace, 1001000), "it begins anew");
    CHECK(!claim_pace_allows(&pace, 1002999), "and doubles");
    ds_destroy(&s);
}

/* What a host says of guests that arrived. */

struct listener {
    const struct model_binding *binding;
    struct ds heard;
    size_t n;
};

static const struct model_binding *
find(const char *name OVS_UNUSED, void *l_)
{
    struct listener *l = l_;
    return l->binding;
}

static void
hear(const char *name, const void *frame, size_t len, void *l_)
{
    struct listener *l = l_;
    struct dp_packet packet;
    struct flow flow;

    dp_packet_use_const(&packet, frame, len);
    flow_extract(&packet, &flow);
    CHECK(eth_addr_equals(flow.dl_src, l->binding->mac), "source");
    CHECK(claim_is_announcement(frame, len), "no announcement");
    l->n++;
    ds_put_format(&l->heard, "%s %s ", name,
                  flow.dl_type == htons(ETH_TYPE_RARP) ? "rarp"
                  : flow.dl_type == htons(ETH_TYPE_ARP) ? "arp" : "na");
    if (flow.dl_type == htons(ETH_TYPE_ARP)) {
        ds_put_format(&l->heard, IP_FMT";", IP_ARGS(flow.nw_src));
    } else if (flow.dl_type == htons(ETH_TYPE_IPV6)) {
        ipv6_format_addr(&flow.nd_target, &l->heard);
        ds_put_char(&l->heard, ';');
    }
}

static const struct announce_class listening = { find, hear };

static void
expect_heard(struct announcements *a, struct listener *l, long long int now,
             const char *expected, long long int next)
{
    ds_clear(&l->heard);
    announcements_run(a, now, &listening, l);
    CHECK(!strcmp(ds_cstr(&l->heard), expected), "at %lld: \"%s\"", now,
          ds_cstr(&l->heard));
    CHECK(announcements_next(a) == next, "at %lld: then at %lld", now,
          announcements_next(a));
}

void
test_announce(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct model_address addresses[2];
    struct model_binding binding = { .mac = MAC, .addresses = addresses,
                                     .n_addresses = 2 };
    struct listener l = { .binding = &binding,
                          .heard = DS_EMPTY_INITIALIZER };
    const char *both = "tap0 arp 10.77.0.1;tap0 na fd77::1;";
    struct announcements a;

    free(model_address_parse("10.77.0.1", &addresses[0]));
    free(model_address_parse("fd77::1", &addresses[1]));
    announcements_init(&a);
    expect_heard(&a, &l, 1000, "", LLONG_MAX);
    announcements_add(&a, "tap0", 1000);
    expect_heard(&a, &l, 1000, both, 1200);
    expect_heard(&a, &l, 1199, "", 1200);
    expect_heard(&a, &l, 1200, both, 2200);
    expect_heard(&a, &l, 2200, both, LLONG_MAX);
    expect_heard(&a, &l, 9000, "", LLONG_MAX);

    /* No address; back again in the middle; then gone for good. */
    binding.n_addresses = 0;
    announcements_add(&a, "tap0", 10000);
    expect_heard(&a, &l, 10000, "tap0 rarp ", 10200);
    announcements_add(&a, "tap0", 10100);
    expect_heard(&a, &l, 10100, "tap0 rarp ", 10300);
    l.binding = NULL;
    expect_heard(&a, &l, 10300, "", LLONG_MAX);

    /* A host with many guests. */
    l.binding = &binding;
    l.n = 0;
    for (int i = 0; i < 1000; i++) {
        char name[16];

        snprintf(name, sizeof name, "tap%d", i);
        announcements_add(&a, name, 20000);
    }
    long long int now = 20000;
    while (announcements_next(&a) != LLONG_MAX) {
        size_t before = l.n;

        announcements_run(&a, now, &listening, &l);
        CHECK(l.n - before <= ANNOUNCE_FRAMES_MAX, "too many at once");
        now++;
        CHECK(now < 30000, "it takes too long");
    }
    CHECK(l.n == 1000 * ANNOUNCE_TIMES, "%"PRIuSIZE, l.n);
    announcements_destroy(&a);
    ds_destroy(&l.heard);
}
