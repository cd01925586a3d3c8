/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: flows kept up to date. */
#include <config.h>
#include "unit-controller.h"

#include "command-line.h"
#include "controller/ct-zones.h"
#include "controller/flow-diff.h"
#include "controller/flow-index.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/mac-damping.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "random.h"
#include "util.h"
#include "uuid.h"

/* A small world in which everything happens that may: names, VNIs, MACs,
 * ports and OpenFlow ports are drawn from few, so that they meet. */
enum {
    N_SEEDS = 12,
    N_STEPS = 150,
    N_NETS = 4,
    N_VNIS = 6,
    N_MACS = 6,
    N_PORTS = 5,
    N_HOLDS = 3,
    SELF = 7,
    TUNNEL = 9,
};

struct world {
    struct mapping *mapping;
    struct local_ports ports;
    ofp_port_t tunnel;
    struct ct_zones zones;
    struct mac_hold holds[N_HOLDS];
    size_t n_holds;
    unsigned int revision;
    unsigned int n_applied;

    struct flow_index index;
    struct mapping_touches touches;
    struct flow_set installed;  /* By what the differences said. */
};

static bool
one_in(unsigned int n)
{
    return !random_range(n);
}

static uint32_t
draw_vni(void)
{
    return 5001 + random_range(N_VNIS);
}

static struct eth_addr
draw_mac(void)
{
    struct eth_addr mac;

    /* Two have the cookie in common. */
    eth_addr_from_uint64(one_in(8) ? UINT64_C(0x0e0000000001)
                         : UINT64_C(0x0a0000000001) + random_range(N_MACS),
                         &mac);
    return mac;
}

static json_t *
draw_revision(const struct world *w)
{
    unsigned int number = w->revision;

    number -= one_in(6) ? MIN(number - 1, random_range(4)) : 0;
    return json_sprintf("1.%u", number);
}

static json_t *
draw_name(const char *stem, unsigned int n)
{
    return json_sprintf("%s%u", stem, random_range(n));
}

/* The name of a vSubnet that there is, more often than not. */
static json_t *
draw_net_name(const struct world *w)
{
    char name[8];
    int tries = 0;

    do {
        snprintf(name, sizeof name, "n%u", random_range(N_NETS));
    } while (!mapping_net(w->mapping, name) && tries++ < 10);
    return json_string(name);
}

/* Changes of the mapping. */

static json_t *
draw_node(const struct world *w)
{
    unsigned int number = one_in(3) ? SELF : 1 + random_range(SELF);

    return json_pack(
        "{s:o, s:i, s:o, s:s, s:[s], s:o}", "id", json_sprintf(
            "11111111-2222-4333-8444-5555555555%02u", number),
        "number", number, "name", json_sprintf("h%u", number),
        "state", "approved", "endpoints",
        one_in(2) ? "192.0.2.1:8002" : "[fd00::1]:8002",
        "revision", draw_revision(w));
}

/* Names, each at most once; a vSubnet's may be there and not yet used, used
 * and not yet there, or another's. */
static json_t *
draw_labels(bool of_net)
{
    json_t *labels = json_array();

    for (char name[] = "a"; *name < 'e'; ++*name) {
        if (one_in(2)) {
            json_array_insert_new(labels, (of_net ? random_range(
                1 + json_array_size(labels)) : json_array_size(labels)),
                json_string(name));
        } else if (of_net && one_in(2)) {
            json_array_append_new(labels, json_string(""));
        }
    }
    return labels;
}

static json_t *
draw_net(const struct world *w)
{
    static const char *const modes[] = { "none", "slaac", "dhcpv6" };
    json_t *name = draw_name("n", N_NETS);
    const struct model_net *old = mapping_net(w->mapping,
                                              json_string_value(name));
    uint32_t vni = old && one_in(2) ? old->vni : draw_vni();

    return json_pack("{s:o, s:i, s:i, s:o, s:o, s:s, s:b, s:[s], s:s, s:o, s:b, s:b, s:s,"
                     " s:o}", "name", name, "vni", vni,
                     "max_macs", 1 + random_range(3),
                     "labels", draw_labels(true),
                     "dhcp", (one_in(2) ? json_null()
                              : json_pack("{s:i, s:n}", "lease", 3600,
                                          "gateway")),
                     "ipv6", modes[random_range(ARRAY_SIZE(modes))],
                     "guest_dhcp", one_in(2),
                     "subnets", "fd00::/64", "algorithm", "aes128gcm",
                     "group", (one_in(4) ? json_string("239.1.1.1")
                               : json_null()),
                     "arp_suppression", !one_in(4),
                     "port_security", !one_in(4),
                     "policy", one_in(2) ? "open" : "closed",
                     "revision", draw_revision(w));
}

static json_t *
draw_rule(const struct world *w)
{
    static const char *const ports[] = { "80", "1-6", "80,443" };
    bool with_ports = one_in(2);

    return json_pack(
        "{s:o, s:o, s:i, s:s, s:o, s:s, s:b, s:o, s:n, s:o, s:o, s:n, s:n,"
        " s:o}", "net", draw_net_name(w), "name", draw_name("r", 4),
        "priority", random_range(3),
        "direction", one_in(2) ? "ingress" : "egress",
        "label", one_in(2) ? json_null() : json_string(one_in(2) ? "a" : "b"),
        "action", one_in(2) ? "allow" : "deny", "log", one_in(2),
        "remote_label", one_in(2) ? json_null() : json_string("a"),
        "remote_address",
        "protocol", with_ports ? json_string("tcp") : json_null(),
        "ports", (with_ports
                  ? json_string(ports[random_range(ARRAY_SIZE(ports))])
                  : json_null()),
        "icmp_type", "icmp_code", "revision", draw_revision(w));
}

static json_t *
draw_binding(const struct world *w)
{
    static const char *const origins[] = { "host", "static", "dynamic",
                                           "dynamic" };
    static const int nodes[] = { SELF, SELF, 0, 1, 2 };
    json_t *addresses = json_array();
    struct eth_addr mac = draw_mac();
    int node = nodes[random_range(ARRAY_SIZE(nodes))];

    while (one_in(2) && json_array_size(addresses) < 4) {
        json_array_append_new(addresses, json_sprintf(
            one_in(3) ? "fd00::%u" : "10.77.0.%u",
            10 * (unsigned int) json_array_size(addresses)
            + random_range(9) + 1));
    }
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o}",
                     "sequence", w->revision % 3,
                     "net", draw_net_name(w),
                     "labels", draw_labels(false), "mac",
                     json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)),
                     "addresses", addresses,
                     "node", node ? json_integer(node) : json_null(),
                     "port", (one_in(4) ? json_null()
                              : draw_name("tap", N_PORTS)),
                     "iface_id", json_null(),
                     "origin", origins[random_range(ARRAY_SIZE(origins))],
                     "port_security", !one_in(4),
                     "revision", draw_revision(w));
}

static json_t *
draw_binding_key(const struct world *w)
{
    struct eth_addr mac = draw_mac();

    return json_pack("{s:o, s:o}", "net", draw_net_name(w), "mac",
                     json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)));
}

static void
change_mapping(struct world *w)
{
    json_t *put_nodes = json_array(), *put_nets = json_array();
    json_t *put_bindings = json_array(), *remove_nets = json_array();
    json_t *remove_bindings = json_array(), *remove_nodes = json_array();
    json_t *put_rules = json_array(), *remove_rules = json_array();

    w->revision++;
    for (unsigned int n = random_range(4); n > 0; n--) {
        json_array_append_new(put_bindings, draw_binding(w));
    }
    for (unsigned int n = random_range(3); n > 0; n--) {
        json_array_append_new(remove_bindings, draw_binding_key(w));
    }
    for (unsigned int n = one_in(4) ? 1 + random_range(2) : 0; n > 0; n--) {
        json_array_append_new(put_nets, draw_net(w));
    }
    if (one_in(8)) {
        json_array_append_new(remove_nets, draw_name("n", N_NETS));
    }
    if (one_in(6)) {
        json_array_append_new(put_nodes, draw_node(w));
    }
    if (one_in(20)) {
        json_array_append_new(remove_nodes,
                              json_integer(1 + random_range(SELF)));
    }

    if (one_in(3)) {
        json_array_append_new(put_rules, draw_rule(w));
    }
    if (one_in(3)) {
        json_array_append_new(remove_rules, json_pack(
            "{s:o, s:o}", "net", draw_net_name(w),
            "name", draw_name("r", 4)));
    }

    json_t *change = json_pack(
        "{s:o, s:{s:o, s:o, s:o, s:o}, s:{s:o, s:o, s:o, s:o}}",
        "revision", json_sprintf("1.%u", w->revision), "put",
        "nodes", put_nodes, "nets", put_nets, "bindings", put_bindings,
        "rules", put_rules,
        "remove", "nodes", remove_nodes, "nets", remove_nets,
        "bindings", remove_bindings, "rules", remove_rules);
    CHECK(change, "no JSON");
    char *error = mapping_apply_change(w->mapping, change, NULL, &w->touches);
    w->n_applied += !error;
    free(error);
    json_decref(change);
}

/* Another snapshot: what there is now, but not all. */
static void
replace_mapping(struct world *w)
{
    struct model_net *net;
    struct mapping *new;
    json_t *json = mapping_to_snapshot(w->mapping, MODEL_VIEW_KEYS);
    char *error = mapping_from_snapshot(json, &new);

    CHECK(!error, "%s", error);
    json_decref(json);
    HMAP_FOR_EACH_SAFE (net, by_name, &new->nets) {
        if (one_in(3)) {
            mapping_remove_net(new, net);
        }
    }
    if (!new->self) {
        new->self = mapping_node(new, SELF);
    }
    mapping_destroy(w->mapping);
    w->mapping = new;
    mapping_touches_add_all(&w->touches);
}

/* Changes of the ports. */

/* Port 'tapI' as the database may say.  Two may have the same OpenFlow port
 * for a moment, and the VNI may be that of before. */
static void
draw_port(struct world *w, struct local_ports *ports, unsigned int i)
{
    char *name = xasprintf("tap%u", i);
    char *net_name = xasprintf("n%u", random_range(N_NETS));
    const struct model_net *net = mapping_net(w->mapping, net_name);
    struct local_port *port
        = local_ports_add(ports, name, net_name,
                          net && !one_in(10) ? net->vni : draw_vni());

    port->ofport = u16_to_ofp(one_in(8) ? random_range(N_PORTS) : i + 1);
    port->has_mac = one_in(2);
    port->mac = port->has_mac ? draw_mac() : eth_addr_zero;
    port->blocked = one_in(4) ? xstrdup("loop") : NULL;
    port->claim = (struct claim) { w->revision % (CLAIM_SPOKE + 1),
                                   w->revision / 4 % 3 };
    port->waits = w->revision / 12 % 2;
    free(name);
    free(net_name);
}

static void
copy_port(const struct local_port *from, struct local_ports *ports)
{
    struct local_port *port = local_ports_add(ports, from->name, from->net,
                                              from->vni);

    port->ofport = from->ofport;
    port->has_mac = from->has_mac;
    port->mac = from->mac;
    port->blocked = nullable_xstrdup(from->blocked);
    port->claim = from->claim;
    port->waits = from->waits;
}

static void
change_ports(struct world *w)
{
    struct local_ports ports = LOCAL_PORTS_INITIALIZER;

    for (unsigned int i = 0; i < N_PORTS; i++) {
        char *name = xasprintf("tap%u", i);
        const struct local_port *old = local_ports_find(&w->ports, name);

        if (old && !one_in(3)) {
            copy_port(old, &ports);
        } else if (!one_in(4)) {
            draw_port(w, &ports, i);
        }
        free(name);
    }
    local_ports_sort(&ports);
    flow_index_touch_ports(&w->touches, w->mapping, &w->ports, &ports);
    local_ports_destroy(&w->ports);
    w->ports = ports;
}

/* Other zones, or none. */
static void
change_zones(struct world *w)
{
    ct_zones_destroy(&w->zones);
    ct_zones_init(&w->zones);
    for (uint32_t vni = 5001; vni < 5001 + N_VNIS; vni++) {
        if (one_in(2)) {
            ct_zones_add(&w->zones, vni, 1 + random_range(CT_ZONE_MAX));
        }
        mapping_touches_add(&w->touches, MAPPING_TOUCH_NET_ROW, vni,
                            eth_addr_zero);
    }
}

/* Other MACs are held. */

static void
touch_holds(struct world *w)
{
    for (size_t i = 0; i < w->n_holds; i++) {
        mapping_touches_add(&w->touches, MAPPING_TOUCH_NET_ROW,
                            w->holds[i].vni, eth_addr_zero);
    }
}

static void
change_holds(struct world *w)
{
    touch_holds(w);
    w->n_holds = random_range(N_HOLDS + 1);
    for (size_t i = 0; i < w->n_holds; i++) {
        w->holds[i] = (struct mac_hold) {
            draw_vni(), draw_mac(), u16_to_ofp(random_range(N_PORTS)) };
    }
    touch_holds(w);
}

/* Checks. */

static void
print_flow(const char *what, const struct flow_entry *flow)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    flow_entry_format(flow, &s);
    fprintf(stderr, "%s: %s\n", what, ds_cstr(&s));
    ds_destroy(&s);
}

static void
expect_same(const struct flow_set *got, const struct flow_set *want,
            const char *what, unsigned int seed, unsigned int step)
{
    const struct flow_entry *flow;
    bool ok = true;

    FLOW_SET_FOR_EACH (flow, want) {
        const struct flow_entry *other = flow_set_find(got, flow);

        if (!other || other->cookie != flow->cookie
            || !flow_entry_same_actions(other, flow)) {
            print_flow("missing", flow);
            ok = false;
        }
    }
    FLOW_SET_FOR_EACH (flow, got) {
        if (!flow_set_find(want, flow)) {
            print_flow("too many", flow);
            ok = false;
        }
    }
    CHECK(ok && flow_set_count(got) == flow_set_count(want),
          "%s, seed %u, step %u", what, seed, step);
}

/* Does to 'installed' what ofctrl.c does, and lets the switch learn. */
static void
install(struct world *w)
{
    struct flow_set *installed = &w->installed;
    const struct learn_cookie *c;
    struct flow_diff diff;

    if (w->index.all_touched) {
        flow_diff_compute(&diff, installed, &w->index.flows);
    } else {
        flow_diff_compute_touched(&diff, installed, &w->index.flows,
                                  &w->index.touched);
    }
    for (size_t i = 0; i < diff.n; i++) {
        struct flow_change *change = &diff.changes[i];

        CHECK(flow_change_is_valid(change, &w->index.flows), "just made");
        if (change->type == FLOW_SWEEP) {
            flow_set_set_learnt(installed, change->cookie, false);
        } else if (change->type == FLOW_DELETE) {
            flow_set_remove(installed, change->flow);
        } else {
            flow_set_replace(installed, flow_entry_ref(change->flow));
        }
    }
    flow_diff_destroy(&diff);

    HMAP_FOR_EACH (c, node, &installed->cookies) {
        CHECK(flow_set_is_learning(&w->index.flows, c->cookie),
              "cookie %"PRIx64" was not swept", c->cookie);
        if (one_in(3)) {
            flow_set_set_learnt(installed, c->cookie, true);
        }
    }
}

static void
compare(struct world *w, unsigned int seed, unsigned int step)
{
    const struct mac_holds holds = { w->holds, w->n_holds };
    const struct flow_input input = {
        .ports = &w->ports,
        .mapping = w->mapping,
        .tunnel = w->tunnel,
        .zones = &w->zones,
        .holds = &holds,
    };
    const struct flow_entry *flow;
    struct flow_set reference;

    flow_index_update(&w->index, &input, &w->touches);
    mapping_touches_clear(&w->touches);

    flow_set_init(&reference);
    flow_desired_compute(&input, &reference);
    expect_same(&w->index.flows, &reference, "desired", seed, step);
    FLOW_SET_FOR_EACH (flow, &reference) {
        CHECK(flow->rank == flow_set_find(&w->index.flows, flow)->rank,
              "seed %u, step %u", seed, step);
    }
    install(w);
    expect_same(&w->installed, &reference, "installed", seed, step);
    flow_index_settle(&w->index);
    flow_set_destroy(&reference);
}

static void
run_world(unsigned int seed, unsigned int *n_applied, unsigned int *n_shadowed)
{
    struct world w = {
        .mapping = test_mapping(),
        .touches = MAPPING_TOUCHES_INITIALIZER,
        .revision = 10,
    };

    random_set_seed(seed);
    test_ports(&w.ports);
    ct_zones_init(&w.zones);
    flow_index_init(&w.index);
    flow_set_init(&w.installed);
    compare(&w, seed, 0);
    for (unsigned int step = 1; step <= N_STEPS; step++) {
        change_mapping(&w);
        if (one_in(3)) {
            change_ports(&w);
        }
        if (one_in(10)) {
            change_zones(&w);
        }
        if (one_in(5)) {
            change_holds(&w);
        }
        if (one_in(25)) {
            w.tunnel = w.tunnel ? 0 : u16_to_ofp(TUNNEL);
        }
        if (one_in(40)) {
            replace_mapping(&w);
        }
        if (!one_in(4)) {
            compare(&w, seed, step);
            *n_shadowed += !hmap_is_empty(&w.index.shadowed);
        }
    }
    *n_applied += w.n_applied;

    flow_index_destroy(&w.index);
    flow_set_destroy(&w.installed);
    mapping_touches_destroy(&w.touches);
    local_ports_destroy(&w.ports);
    ct_zones_destroy(&w.zones);
    mapping_destroy(w.mapping);
}

/* After any sequence of changes, the flows that were kept up to date are those
 * of a whole computation, and so are those that the differences install. */
void
test_flow_index(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    unsigned int n_applied = 0, n_shadowed = 0;

    for (unsigned int seed = 1; seed <= N_SEEDS; seed++) {
        run_world(seed, &n_applied, &n_shadowed);
    }
    printf("%u changes; flows for one key %u times\n", n_applied, n_shadowed);
    CHECK(n_applied > N_SEEDS * N_STEPS / 2, "the others were refused");
    CHECK(n_shadowed > 100, "only %u", n_shadowed);
    CHECK(n_applied > N_SEEDS * N_STEPS / 2, "only %u", n_applied);
}

static struct model_binding *
make_binding(uint64_t mac)
{
    struct model_binding *binding = xzalloc(sizeof *binding);

    binding->net = xstrdup("demo");
    eth_addr_from_uint64(mac, &binding->mac);
    binding->node = 9;
    binding->origin = MODEL_ORIGIN_DYNAMIC;
    return binding;
}

/* One binding among many touches its own two flows and no more. */
void
test_flow_index_one(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const int sizes[] = { 10, 10000 };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct mapping_touches touches = MAPPING_TOUCHES_INITIALIZER;
        struct mapping *mapping = test_mapping();
        struct local_ports ports;
        struct flow_index index;

        test_ports(&ports);
        const struct flow_input input = {
            .ports = &ports,
            .mapping = mapping,
            .tunnel = u16_to_ofp(TUNNEL),
        };
        flow_index_init(&index);
        for (int j = 0; j < sizes[i]; j++) {
            mapping_put_binding(mapping,
                                make_binding(UINT64_C(0x0e0000000000) + j));
        }
        flow_index_update(&index, &input, &touches);
        CHECK(index.all_touched, "the first time");
        flow_index_settle(&index);

        struct model_binding *binding = make_binding(UINT64_C(0x0e1000000000));
        mapping_put_binding(mapping, binding);
        mapping_touches_add(&touches, MAPPING_TOUCH_BINDING, 5001,
                            binding->mac);
        flow_index_update(&index, &input, &touches);
        CHECK(!index.all_touched && flow_set_count(&index.touched) == 1,
              "%"PRIuSIZE, flow_set_count(&index.touched));

        flow_index_destroy(&index);
        mapping_touches_destroy(&touches);
        local_ports_destroy(&ports);
        mapping_destroy(mapping);
    }
}
