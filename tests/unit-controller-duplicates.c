/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: addresses that two use. */
#include <config.h>
#include "unit-controller.h"

#include <netinet/icmp6.h>
#include <string.h>

#include "command-line.h"
#include "controller/duplicates.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "csum.h"
#include "dp-packet.h"
#include "flow.h"
#include "model/mapping.h"
#include "packets.h"
#include "util.h"

/* A port whose MACs are learnt, in the fixture. */
#define PORT 2
#define GUEST "0e:00:00:00:00:01"

struct world {
    struct duplicates dups;
    struct mapping *mapping;
    struct local_ports ports;
    long long int now;
    struct dp_packet answer;
    bool answered;
};

static void
world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->mapping = test_mapping();
    w->now = 1000000;
    test_ports(&w->ports);
    duplicates_init(&w->dups);
    dp_packet_init(&w->answer, 0);
}

static void
world_destroy(struct world *w)
{
    dp_packet_uninit(&w->answer);
    duplicates_destroy(&w->dups);
    local_ports_destroy(&w->ports);
    mapping_destroy(w->mapping);
}

static struct eth_addr
mac(const char *s)
{
    struct eth_addr ea;
    CHECK(eth_addr_from_string(s, &ea), "%s", s);
    return ea;
}

static void
receive(struct world *w, struct dp_packet *packet, size_t cut, uint64_t owner)
{
    struct flow metadata;

    memset(&metadata, 0, sizeof metadata);
    metadata.regs[FR_OWNER_HI_IDX] = owner >> 32;
    metadata.regs[FR_OWNER_HI_IDX + 1] = owner;
    const struct punt punt = {
        .kind = PUNT_DUPLICATE,
        .vni = 5001,
        .port = u16_to_ofp(PORT),
        .frame = dp_packet_data(packet),
        .len = MIN(cut, dp_packet_size(packet)),
        .metadata = &metadata,
    };
    dp_packet_clear(&w->answer);
    w->answered = duplicates_receive(&w->dups, w->mapping, &w->ports, &punt,
                                     w->now, &w->answer);
    dp_packet_uninit(packet);
}

/* 'src' says by ARP that it has 'spa' and looks for 'tpa'. */
static void
arp(struct world *w, const char *src, uint16_t op, const char *spa,
    const char *tpa)
{
    struct dp_packet packet;
    ovs_be32 s, t;

    CHECK(ip_parse(spa, &s) && ip_parse(tpa, &t), "%s", spa);
    dp_packet_init(&packet, 0);
    compose_arp(&packet, op, mac(src), eth_addr_zero, true, s, t);
    receive(w, &packet, SIZE_MAX, 0);
}

static void
solicit(struct world *w, const char *src, const char *ip, const char *target,
        size_t cut)
{
    struct in6_addr s, t;
    struct dp_packet packet;

    CHECK(ipv6_parse(ip, &s) && ipv6_parse(target, &t), "%s", ip);
    dp_packet_init(&packet, 0);
    compose_nd_ns(&packet, mac(src), &s, &t);
    receive(w, &packet, cut, 0);
}

static void
expect(struct world *w, const char *note)
{
    const struct local_port *port = local_ports_find_ofport(&w->ports,
                                                            PORT);
    char *got = duplicates_note(&w->dups, port);

    CHECK(nullable_string_is_equal(got, note), "%s, not %s",
          got ? got : "nothing", note ? note : "nothing");
    free(got);
}

/* Whether 'part' is in what is reported. */
static bool
is_noted(struct world *w, const char *part)
{
    char *note = duplicates_note(&w->dups,
                                 local_ports_find_ofport(&w->ports, PORT));
    bool found = note && strstr(note, part);

    free(note);
    return found;
}

/* Lets a second pass; returns whether what is reported changed. */
static bool
run(struct world *w)
{
    w->now += 1000;
    return duplicates_run(&w->dups, w->mapping, &w->ports, w->now);
}

/* Moves 10.77.0.20 to binding 'to'. */
static void
move_address(struct world *w, const char *from, const char *to)
{
    struct model_binding *a = mapping_binding(w->mapping, "demo", mac(from));
    struct model_binding *b = mapping_binding(w->mapping, "demo", mac(to));

    CHECK(a && b && a->n_addresses == 1 && !b->n_addresses, "fixture");
    b->addresses = a->addresses;
    b->n_addresses = 1;
    a->addresses = NULL;
    a->n_addresses = 0;
}

static void
add_dynamic(struct world *w, const char *address)
{
    struct model_binding *binding = xmalloc(sizeof *binding);

    model_binding_init(binding);
    binding->net = xstrdup("demo");
    binding->mac = mac(address);
    binding->node = 7;
    binding->origin = MODEL_ORIGIN_DYNAMIC;
    CHECK(mapping_put_binding(w->mapping, binding), "binding");
}

/* An operator's address: one frame is enough. */
static void
test_assigned(void)
{
    struct world w;

    world_init(&w);
    arp(&w, GUEST, ARP_OP_REQUEST, "10.77.0.50", "10.77.0.9");
    expect(&w, NULL);                   /* Just asks. */
    arp(&w, "06:76:00:00:00:09", ARP_OP_REQUEST, "0.0.0.0", "10.77.0.9");
    expect(&w, NULL);                   /* The owner does. */
    CHECK(!run(&w), "changed");

    arp(&w, GUEST, ARP_OP_REQUEST, "0.0.0.0", "10.77.0.9");
    expect(&w, "10.77.0.9 06:76:00:00:00:09");
    CHECK(!w.answered && run(&w) && !run(&w), "changed once");
    arp(&w, GUEST, ARP_OP_REPLY, "10.77.0.7", "10.77.0.50");
    expect(&w, "10.77.0.7 06:76:00:00:00:07, 10.77.0.9 06:76:00:00:00:09");
    CHECK(duplicates_count(&w.dups) == 2, "count");

    /* The operator gives it to nobody: solved.  The other is as old as it can
     * be, and then forgotten. */
    mapping_remove_binding(w.mapping, mapping_binding(
        w.mapping, "demo", mac("06:76:00:00:00:09")));
    CHECK(run(&w), "changed");
    expect(&w, "10.77.0.7 06:76:00:00:00:07");
    w.now += (DUPLICATES_HOLD - 3) * 1000;
    run(&w);
    expect(&w, "10.77.0.7 06:76:00:00:00:07");
    CHECK(run(&w) && hmap_is_empty(&w.dups.all), "kept");
    world_destroy(&w);
}

/* A learnt address moves once, and that is all there is to say; back, and
 * once more, means two. */
static void
test_taken_over(void)
{
    const char *owner = "0a:00:00:00:00:02";
    struct world w;

    world_init(&w);
    add_dynamic(&w, GUEST);
    for (int i = 0; i < 2; i++) {
        arp(&w, GUEST, ARP_OP_REQUEST, "10.77.0.20", "10.77.0.20");
        expect(&w, i ? "10.77.0.20 0a:00:00:00:00:02" : NULL);
        arp(&w, GUEST, ARP_OP_REQUEST, "10.77.0.20", "10.77.0.9");
        expect(&w, i ? "10.77.0.20 0a:00:00:00:00:02" : NULL);
        move_address(&w, owner, GUEST);
        run(&w);
        expect(&w, NULL);
        move_address(&w, GUEST, owner);
    }
    world_destroy(&w);
}

/* Duplicate address detection for IPv6 is answered, whole frames only. */
static void
test_nd(void)
{
    struct world w;
    struct flow flow;

    world_init(&w);
    struct model_binding *binding
        = mapping_binding(w.mapping, "demo", mac("06:76:00:00:00:09"));
    ipv6_parse("fd77::9", &binding->addresses[0].ip);

    for (size_t cut = 0; cut < 78; cut++) {
        solicit(&w, GUEST, "::", "fd77::9", cut);
        CHECK(!w.answered, "%"PRIuSIZE, cut);
    }
    expect(&w, NULL);
    solicit(&w, GUEST, "::", "fd77::9", SIZE_MAX);
    expect(&w, "fd77::9 06:76:00:00:00:09");
    CHECK(w.answered, "not answered");
    flow_extract(&w.answer, &flow);
    CHECK(flow.tp_src == htons(ND_NEIGHBOR_ADVERT)
          && eth_addr_equals(flow.dl_src, binding->mac)
          && eth_addr_equals(flow.arp_tha, binding->mac)
          && ipv6_addr_equals(&flow.nd_target, &binding->addresses[0].ip)
          && ipv6_addr_equals(&flow.ipv6_src, &flow.nd_target)
          && ipv6_addr_equals(&flow.ipv6_dst, &in6addr_all_hosts)
          && flow.nw_ttl == 255, "answer");

    solicit(&w, GUEST, "fd77::9", "fd77::7", SIZE_MAX);
    CHECK(!w.answered, "no question of that sort");
    mapping_net(w.mapping, "demo")->arp_suppression = false;
    solicit(&w, GUEST, "::", "fd77::9", SIZE_MAX);
    CHECK(!w.answered, "the vSubnet does without");
    mapping_net(w.mapping, "demo")->arp_suppression = true;
    binding->origin = MODEL_ORIGIN_DYNAMIC;
    solicit(&w, GUEST, "::", "fd77::9", SIZE_MAX);
    CHECK(!w.answered, "its owner may be gone");
    world_destroy(&w);
}

/* What one guest claims pushes nothing else out, and the work is bounded. */
static void
test_bounds(void)
{
    struct world w;

    world_init(&w);
    for (int i = 0; i < 4 * DUPLICATES_MAX; i++) {
        char *guest = xasprintf("0e:00:00:00:01:%02x", i);
        arp(&w, guest, ARP_OP_REQUEST, "0.0.0.0", "10.77.0.9");
        free(guest);
        w.now++;
    }
    CHECK(hmap_count(&w.dups.all) == DUPLICATES_MAX, "%"PRIuSIZE,
          hmap_count(&w.dups.all));

    /* No more may be looked at; but if flows say who it is there is no need. */
    w.dups.looks = 0;
    w.dups.looks_at = w.now;
    arp(&w, GUEST, ARP_OP_REQUEST, "0.0.0.0", "10.77.0.7");
    CHECK(!is_noted(&w, "10.77.0.7 "), "looked");

    struct dp_packet packet;
    dp_packet_init(&packet, 0);
    compose_arp(&packet, ARP_OP_REQUEST, mac(GUEST), eth_addr_zero, true, 0,
                htonl(0x0a4d0007));
    receive(&w, &packet, SIZE_MAX, FA_ASSIGNED | UINT64_C(0x067600000007));
    CHECK(is_noted(&w, "10.77.0.7 "), "did not look");

    /* The port is gone. */
    local_ports_destroy(&w.ports);
    w.ports = (struct local_ports) LOCAL_PORTS_INITIALIZER;
    CHECK(run(&w) && hmap_is_empty(&w.dups.all), "of no port");
    world_destroy(&w);
}

void
test_duplicates(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    test_assigned();
    test_taken_over();
    test_nd();
    test_bounds();
}
