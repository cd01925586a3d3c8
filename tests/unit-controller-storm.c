/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: meters, and what guards against storms. */
#include <config.h>
#include "unit-controller.h"

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/loop-guard.h"
#include "controller/loop-probe.h"
#include "controller/mac-damping.h"
#include "controller/meters.h"
#include "flow.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

static void
expect_meters(const struct meters *meters, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < meters->n; i++) {
        const struct meter *m = &meters->meters[i];
        ds_put_format(&s, "%s%x:%u/%u", i ? " " : "", m->id, m->rate,
                      m->burst);
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%s", ds_cstr(&s));
    ds_destroy(&s);
}

static void
expect_changes(const struct meters *installed, const struct meters *desired,
               const char *expected)
{
    struct meter_changes changes = METER_CHANGES_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;

    meters_diff(installed, desired, &changes);
    for (size_t i = 0; i < changes.n; i++) {
        ds_put_format(&s, "%c%x ", "+!-"[changes.changes[i].type],
                      changes.changes[i].meter.id);
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%s", ds_cstr(&s));
    ds_destroy(&s);
    meter_changes_destroy(&changes);
}

#define FIXED "64:200/400 65:50/100 66:200/400 67:50/100 68:50/100 69:200/400"

/* The fixed ones and two a port, whose BUM meter has its vSubnet's rate. */
void
test_meters(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct meters empty = METERS_INITIALIZER, meters = METERS_INITIALIZER;
    struct meters other = METERS_INITIALIZER;
    struct mapping *mapping = test_mapping();
    struct local_ports ports;

    test_ports(&ports);
    meters_compute(&meters, &ports, mapping);
    expect_meters(&meters, FIXED " 10001:500/1000 10002:500/1000 "
                  "10003:500/1000 20001:50/100 20002:50/100 20003:50/100 "
                  "30001:20/40 30002:20/40 30003:20/40");

    /* Twice the same OpenFlow port, as the database may say for a moment, and
     * one without. */
    ports.ports[0].ofport = ports.ports[1].ofport;
    ports.ports[2].ofport = 0;
    meters_copy(&other, &meters);
    meters_compute(&meters, &ports, mapping);
    CHECK(meters.n == 9, "%"PRIuSIZE, meters.n);
    CHECK(!meters_equal(&meters, &other), "equal");

    /* A gone port's go, another rate is set, and what is not ours stays. */
    expect_changes(&empty, &empty, "");
    expect_changes(&empty, &meters, "+64 +65 +66 +67 +68 +69 +10003 +20003 "
                   "+30003 ");
    expect_changes(&meters, &meters, "");
    meters_clear(&other);
    meters_compute(&other, &ports, mapping);
    meters_add(&other, &(struct meter) { 1, 5, 5 });
    meters_add(&other, &(struct meter) { 106, 5, 5 });
    meters_add(&other, &(struct meter) { 0x10007, 500, 1000 });
    meters_add(&other, &(struct meter) { 0x20007, 50, 100 });
    meters_add(&other, &(struct meter) { 0x40000, 50, 100 });
    meters_sort(&other);
    expect_changes(&other, &meters, "-10007 -20007 ");
    other.meters[1].rate++;
    other.meters[1 + 6].burst++;
    expect_changes(&other, &meters, "!64 -10007 -20007 ");
    CHECK(meters_contain(&other, 0x10007) && !meters_contain(&meters, 0x10007),
          "contain");

    meters_destroy(&meters);
    meters_destroy(&other);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}

/* Flows. */

static void
has_flow(const struct sset *flows, const char *flow, bool expected)
{
    CHECK(sset_contains(flows, flow) == expected, "%s: %s",
          expected ? "missing" : "unexpected", flow);
}

/* A port that is blocked, a MAC that is held at a port, and one elsewhere. */
void
test_guard_flows(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *const wanted[] = {
        "cookie=0xb00138900000003, table=0, priority=150,in_port=3 "
            "actions=drop",
        "cookie=0xb00138900000003, table=50, priority=150,reg15=0x3 "
            "actions=drop",
        "cookie=0xb00138900000003, table=0, priority=160,udp,in_port=3,"
            "nw_dst=192.0.2.7,tp_dst=8002 "
            "actions=set_field:0x1389->metadata,"
            "controller(max_len=128,userdata=08,meter_id=105)",
        "cookie=0x200138900000000, table=40, priority=100,reg0=0x1/0x1,"
            "metadata=0x1389 actions=output:2,output:1",
        "cookie=0xa00138900000001, table=0, priority=170,in_port=1,"
            "dl_src=0a:00:00:00:00:21 actions=drop",
        "cookie=0xa00138900000002, table=11, priority=130,reg0=0x1/0x1,"
            "metadata=0x1389,dl_src=0a:00:00:00:00:21 actions=goto_table:15",
        "cookie=0xa00138900000002, table=0, priority=170,in_port=2,"
            "dl_src=0a:00:00:00:00:22 actions=drop",
    };
    static const char *const unwanted[] = {
        "cookie=0xa00138900000002, table=0, priority=170,in_port=2,"
            "dl_src=0a:00:00:00:00:21 actions=drop",
        "cookie=0xa00138900000000, table=11, priority=130,reg0=0x1/0x1,"
            "metadata=0x1389,dl_src=0a:00:00:00:00:22 actions=goto_table:15",
    };
    struct mac_hold held[] = {
        { 5001, ETH_ADDR_C(0a,00,00,00,00,21), u16_to_ofp(2) },
        { 5001, ETH_ADDR_C(0a,00,00,00,00,22), MAC_ELSEWHERE },
        { 5003, ETH_ADDR_C(0a,00,00,00,00,23), MAC_ELSEWHERE },
    };
    const struct mac_holds holds = { held, ARRAY_SIZE(held) };
    struct sset lines = SSET_INITIALIZER(&lines);
    struct mapping *mapping = test_mapping();
    const struct flow_entry *flow;
    struct local_ports ports;
    struct flow_set flows;

    test_ports(&ports);
    ports.ports[1].blocked = xstrdup("loop");
    const struct flow_input input = {
        .ports = &ports,
        .mapping = mapping,
        .tunnel = u16_to_ofp(9),
        .holds = &holds,
    };
    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        struct ds s = DS_EMPTY_INITIALIZER;

        flow_entry_format(flow, &s);
        sset_add(&lines, ds_cstr(&s));
        ds_destroy(&s);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        has_flow(&lines, wanted[i], true);
    }
    for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++) {
        has_flow(&lines, unwanted[i], false);
    }
    sset_destroy(&lines);
    flow_set_destroy(&flows);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}

/* Probes. */

void
test_loop_probe(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint8_t secret[16] = "0123456789abcde";
    const struct loop_key key = { secret, 16 }, other = { secret, 15 };
    const struct loop_key none = { NULL, 0 };
    const struct loop_probe probe = {
        .vni = 5001, .node = 0x0ffffffe, .port = u16_to_ofp(65279),
        .blocked = true, .spi = UINT32_MAX, .time = 0x80000001,
    };
    uint8_t frame[LOOP_PROBE_LEN], damaged[LOOP_PROBE_LEN];
    struct loop_probe again;

    CHECK(!loop_probe_write(&probe, &none, frame), "without a key");
    CHECK(loop_probe_write(&probe, &key, frame), "write");
    CHECK(loop_probe_read(frame, sizeof frame, &again), "read");
    CHECK(again.vni == probe.vni && again.node == probe.node
          && again.port == probe.port && again.blocked
          && again.spi == probe.spi && again.time == probe.time, "fields");
    CHECK(loop_probe_verify(frame, &key), "verify");
    CHECK(!loop_probe_verify(frame, &other), "another key");
    CHECK(!loop_probe_verify(frame, &none), "no key");

    /* Cut off, and each byte that counts changed: what is before the type is
     * not the probe's, and what is after the tag is padding. */
    for (size_t n = 0; n <= sizeof frame; n++) {
        CHECK(loop_probe_read(frame, n, &again) == (n >= 50), "%"PRIuSIZE, n);
    }
    for (size_t i = 0; i < sizeof frame; i++) {
        memcpy(damaged, frame, sizeof frame);
        damaged[i] ^= 0x10;
        bool good = (loop_probe_read(damaged, sizeof frame, &again)
                     && loop_probe_verify(damaged, &key));
        CHECK(good == (i < 12 || i >= 50), "byte %"PRIuSIZE, i);
    }
}

/* What happens to ports, at which second: events of a small world. */
struct loop_world {
    struct loop_guard guard;
    struct local_ports ports;
    struct ds probed;           /* Names of ports, an X after blocked ones. */
    struct ds forgotten;        /* The same. */
};

static void
note_probe(const struct loop_port *port, void *w_)
{
    struct loop_world *w = w_;
    ds_put_format(&w->probed, "%s%s ", port->name, port->reason ? "X" : "");
}

static void
note_forgotten(const struct loop_port *port, void *w_)
{
    struct loop_world *w = w_;
    ds_put_format(&w->forgotten, "%s ", port->name);
}

/* Lets time pass from 'from' to 'to' seconds. */
static void
pass(struct loop_world *w, int from, int to)
{
    const struct loop_actions actions = { note_probe, note_forgotten, w };

    for (int s = from; s < to; s++) {
        loop_guard_run(&w->guard, s * 1000LL, s, &actions);
        CHECK(loop_guard_next(&w->guard) > s * 1000LL, "at %d", s);
    }
    loop_guard_sync(&w->guard, &w->ports, to * 1000LL);
}

static void
probed(struct loop_world *w, int node, int port, bool blocked, int at,
       int second)
{
    const struct loop_end from = { node, u16_to_ofp(port) };
    const struct loop_end to = { 7, u16_to_ofp(at) };

    loop_guard_probed(&w->guard, &from, blocked, &to, second * 1000LL);
    loop_guard_sync(&w->guard, &w->ports, second * 1000LL);
}

#define EXPECT_BLOCKED(W, NAMES) expect_blocked(W, NAMES, __LINE__)
static void
expect_blocked(struct loop_world *w, const char *names, int line)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < w->ports.n; i++) {
        if (w->ports.ports[i].blocked) {
            ds_put_format(&s, "%s ", w->ports.ports[i].name);
        }
    }
    CHECK(!strcmp(ds_cstr(&s), names), "line %d: %s", line, ds_cstr(&s));
    ds_destroy(&s);
}

static void
loop_order(struct loop_world *w)
{
    /* Of two ports of a loop (tap0 is 2, tap1 is 3) the later is blocked, and
     * opens when nothing has come in for 10 seconds. */
    probed(w, 7, 3, false, 2, 10);
    EXPECT_BLOCKED(w, "");
    probed(w, 7, 2, false, 3, 10);
    EXPECT_BLOCKED(w, "tap1 ");
    CHECK(!strcmp(w->ports.ports[1].blocked,
                  "loop: what is sent out of port tap0 comes in here"), "%s",
          w->ports.ports[1].blocked);
    for (int s = 11; s < 40; s++) {
        probed(w, 7, 3, true, 2, s);
        probed(w, 7, 2, false, 3, s);
        pass(w, s, s + 1);
        EXPECT_BLOCKED(w, "tap1 ");
    }
    /* At both ends, once, what was learnt is forgotten. */
    CHECK(!strcmp(ds_cstr(&w->forgotten), "tap1 tap0 "), "%s",
          ds_cstr(&w->forgotten));
    pass(w, 40, 49);
    EXPECT_BLOCKED(w, "tap1 ");
    pass(w, 49, 51);
    EXPECT_BLOCKED(w, "");

    /* Again: for twice as long. */
    probed(w, 7, 2, false, 3, 60);
    pass(w, 60, 79);
    EXPECT_BLOCKED(w, "tap1 ");
    pass(w, 79, 82);
    EXPECT_BLOCKED(w, "");

    /* A node before this one, and one after it; the same port. */
    probed(w, 6, 9, false, 2, 100);
    probed(w, 8, 1, false, 3, 100);
    probed(w, 7, 1, false, 1, 100);
    EXPECT_BLOCKED(w, "tap0 vs-demo ");
    /* The same again when it says that it is blocked; no other's. */
    probed(w, 6, 9, true, 2, 105);
    probed(w, 7, 1, true, 1, 105);
    pass(w, 105, 112);
    EXPECT_BLOCKED(w, "vs-demo ");
    pass(w, 112, 116);
    EXPECT_BLOCKED(w, "");

    /* A later port that goes on, since it does not hear the earlier. */
    for (int s = 200; s < 212; s += 3) {
        probed(w, 8, 1, false, 3, s);
        EXPECT_BLOCKED(w, "");
    }
    probed(w, 8, 1, false, 3, 212);
    EXPECT_BLOCKED(w, "tap1 ");
    pass(w, 230, 260);
    EXPECT_BLOCKED(w, "");
    /* Now and then is not going on. */
    for (int s = 300; s < 420; s += 13) {
        probed(w, 8, 1, false, 3, s);
        EXPECT_BLOCKED(w, "");
    }
}

/* The guard's memory of a port, and what ends it. */
static void
loop_changes(struct loop_world *w)
{
    loop_guard_underlay(&w->guard, u16_to_ofp(2), "underlay: x", 1000000);
    loop_guard_underlay(&w->guard, u16_to_ofp(9), "underlay: x", 1000000);
    CHECK(w->guard.changed && loop_guard_n_blocked(&w->guard) == 1, "one");
    CHECK(!loop_guard_open(&w->guard, "tap1", 1000000)
          && loop_guard_open(&w->guard, "tap0", 1000000), "opened by hand");
    loop_guard_sync(&w->guard, &w->ports, 1000000);
    EXPECT_BLOCKED(w, "");

    /* While there is no connection to the switch nothing is opened. */
    probed(w, 7, 1, false, 2, 1000);
    loop_guard_reset(&w->guard, 1030000);
    pass(w, 1030, 1035);
    EXPECT_BLOCKED(w, "tap0 ");
    CHECK(loop_guard_open(&w->guard, "tap0", 1035000), "opened");
    loop_guard_sync(&w->guard, &w->ports, 1035000);

    /* A restart: blocked is what was. */
    probed(w, 7, 1, false, 2, 1041);
    probed(w, 7, 1, false, 3, 1041);
    loop_guard_destroy(&w->guard);
    loop_guard_init(&w->guard);
    loop_guard_sync(&w->guard, &w->ports, 1042000);
    EXPECT_BLOCKED(w, "tap0 tap1 ");
    CHECK(!strcmp(w->ports.ports[0].blocked,
                  "loop: what is sent out of port vs-demo comes in here"),
          "%s", w->ports.ports[0].blocked);

    /* Another number is the same port; another vSubnet, or none, is not. */
    w->ports.ports[0].ofport = u16_to_ofp(12);
    w->ports.ports[1].vni = 5002;
    loop_guard_sync(&w->guard, &w->ports, 1043000);
    EXPECT_BLOCKED(w, "tap0 ");
    w->ports.ports[0].ofport = 0;
    loop_guard_sync(&w->guard, &w->ports, 1043000);
    EXPECT_BLOCKED(w, "");
    local_ports_destroy(&w->ports);
    loop_guard_sync(&w->guard, &w->ports, 1043000);
    CHECK(hmap_is_empty(&w->guard.ports)
          && loop_guard_next(&w->guard) == LLONG_MAX, "none");
}

void
test_loop_guard(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct loop_world w = { .probed = DS_EMPTY_INITIALIZER,
                            .forgotten = DS_EMPTY_INITIALIZER };
    int n = 0;

    loop_guard_init(&w.guard);
    test_ports(&w.ports);
    loop_guard_sync(&w.guard, &w.ports, 1000);
    pass(&w, 1, 2);
    CHECK(w.probed.length == strlen("tap0 tap1 vs-demo "), "%s",
          ds_cstr(&w.probed));
    loop_order(&w);
    loop_changes(&w);

    /* Each port was probed, and blocked ones too. */
    for (const char *s = ds_cstr(&w.probed); (s = strstr(s, "tap1X")); s++) {
        n++;
    }
    CHECK(n >= 10, "%s", ds_cstr(&w.probed));
    loop_guard_destroy(&w.guard);
    ds_destroy(&w.probed);
    ds_destroy(&w.forgotten);
}

/* MACs that move. */

static bool
always(uint32_t vni OVS_UNUSED, ofp_port_t port, void *gone_)
{
    const ofp_port_t *gone = gone_;
    return port != *gone;
}

/* Moves the MAC between 'a' and 'b', 'n' times, 'ms' apart; returns after how
 * many moves it was held, or 0. */
static int
flap(struct mac_damping *d, struct eth_addr mac, ofp_port_t a, ofp_port_t b,
     int n, int ms, long long int *now)
{
    for (int i = 1; i <= n; i++) {
        *now += ms;
        if (mac_damping_move(d, 5001, mac, a, b, *now)) {
            return i;
        }
        ofp_port_t c = a;
        a = b;
        b = c;
    }
    return 0;
}

void
test_mac_damping(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const struct eth_addr mac = ETH_ADDR_C(0a,00,00,00,00,31);
    const ofp_port_t p2 = u16_to_ofp(2), p3 = u16_to_ofp(3);
    ofp_port_t gone = u16_to_ofp(99);
    static const struct { int ms, held; } tests[] = {
        { 1, 5 }, { 500, 5 }, { 1000, 5 }, { 2000, 6 }, { 5000, 0 },
        { 60000, 0 },
    };
    long long int now = 1000000;
    struct mac_damping d;

    /* How often is too often. */
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        mac_damping_init(&d);
        int held = flap(&d, mac, p2, p3, 50, tests[i].ms, &now);
        CHECK(held == tests[i].held, "%d ms: %d", tests[i].ms, held);
        if (held) {
            CHECK(mac_damping_find(&d, 5001, mac)->at.home == p2, "home");
        }
        mac_damping_destroy(&d);
    }

    /* While it is held it does not move; each time for twice as long. */
    mac_damping_init(&d);
    for (int hold = MAC_DAMPING_HOLD; hold <= MAC_DAMPING_HOLD_MAX;
         hold *= 2) {
        CHECK(flap(&d, mac, MAC_ELSEWHERE, p3, 9, 10, &now) == 5, "held");
        CHECK(mac_damping_find(&d, 5001, mac)->at.home == MAC_ELSEWHERE,
              "home");
        CHECK(mac_damping_next(&d) == now + hold, "%lld instead of %d",
              mac_damping_next(&d) - now, hold);
        CHECK(!flap(&d, mac, MAC_ELSEWHERE, p3, 50, 1, &now), "twice");
        mac_damping_run(&d, now, always, NULL, &gone);
        CHECK(d.n_held == 1, "released too soon");
        now = mac_damping_next(&d);
        mac_damping_run(&d, now, always, NULL, &gone);
        CHECK(d.n_held == 0 && mac_damping_next(&d) == LLONG_MAX, "held");
    }
    /* After a long quiet, for as long as at first, and at its new home; if
     * that is gone, no longer. */
    now += MAC_DAMPING_MEMORY;
    CHECK(flap(&d, mac, p2, p3, 5, 10, &now) == 5, "held");
    CHECK(mac_damping_next(&d) == now + MAC_DAMPING_HOLD, "forgets");
    gone = p2;
    mac_damping_run(&d, now, always, NULL, &gone);
    CHECK(d.n_held == 0, "home is gone");
    mac_damping_destroy(&d);

    /* Whatever guests do, so many and no more. */
    mac_damping_init(&d);
    for (int i = 0; i < 2 * MAC_DAMPING_MAX; i++) {
        struct eth_addr other;

        eth_addr_from_uint64(UINT64_C(0x0a1000000000) + i, &other);
        flap(&d, other, p2, p3, 5, 0, &now);
    }
    struct mac_holds holds;
    mac_damping_holds(&d, &holds);
    CHECK(holds.n == MAC_DAMPING_HELD_MAX && d.n_held == holds.n,
          "%"PRIuSIZE" held", holds.n);
    CHECK(hmap_count(&d.macs) == MAC_DAMPING_MAX, "%"PRIuSIZE,
          hmap_count(&d.macs));
    for (size_t i = 1; i < holds.n; i++) {
        CHECK(eth_addr_compare_3way(holds.holds[i - 1].mac,
                                    holds.holds[i].mac) < 0, "order");
    }
    free(holds.holds);

    /* And those that are quiet make room. */
    gone = p2;
    mac_damping_run(&d, now, always, NULL, &gone);
    mac_damping_run(&d, now + MAC_DAMPING_MEMORY, always, NULL, &gone);
    CHECK(hmap_is_empty(&d.macs), "%"PRIuSIZE, hmap_count(&d.macs));
    mac_damping_destroy(&d);
}
