/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: learning, registration, the keyring. */
#include <config.h>
#include "unit-controller.h"

#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "controller/bindings.h"
#include "controller/flow-tables.h"
#include "controller/keyring-out.h"
#include "controller/learnt.h"
#include "controller/local-port.h"
#include "controller/own-keys.h"
#include "controller/registrar.h"
#include "dp-packet.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "seal/keyring.h"
#include "util.h"

enum { VNI = 5001 };

static struct eth_addr
mac(const char *s)
{
    struct eth_addr ea;
    CHECK(eth_addr_from_string(s, &ea), "%s", s);
    return ea;
}

/* Frames. */

static void
announce_arp(struct learnt *learnt, uint16_t port, const char *src,
             const char *sha, const char *ip, size_t cut)
{
    struct dp_packet packet;
    ovs_be32 ip4;

    CHECK(ip_parse(ip, &ip4), "%s", ip);
    dp_packet_init(&packet, 0);
    compose_arp(&packet, ARP_OP_REQUEST, mac(src), eth_addr_zero, true, ip4,
                htonl(0x0a4d0001));
    struct arp_eth_header *arp = dp_packet_l3(&packet);
    arp->ar_sha = mac(sha);
    learnt_announce(learnt, VNI, u16_to_ofp(port), dp_packet_data(&packet),
                    MIN(cut, dp_packet_size(&packet)));
    dp_packet_uninit(&packet);
}

static void
announce_nd(struct learnt *learnt, uint16_t port, const char *src,
            const char *ip, bool advert)
{
    struct in6_addr ip6, dst;
    struct dp_packet packet;

    CHECK(ipv6_parse(ip, &ip6) && ipv6_parse("fd77::1", &dst), "%s", ip);
    dp_packet_init(&packet, 0);
    if (advert) {
        compose_nd_na(&packet, mac(src), eth_addr_broadcast, &ip6, &dst,
                      htonl(0x60000000));
    } else {
        compose_nd_ns(&packet, mac(src), &ip6, &dst);
    }
    learnt_announce(learnt, VNI, u16_to_ofp(port), dp_packet_data(&packet),
                    dp_packet_size(&packet));
    dp_packet_uninit(&packet);
}

/* What 'learnt' says of 'src', as "PORT[p][a][r] ADDRESSES". */
static void
expect(const struct learnt *learnt, const char *src, const char *expected)
{
    const struct learnt_mac *m = learnt_find(learnt, VNI, mac(src));
    struct ds s = DS_EMPTY_INITIALIZER;

    if (m) {
        ds_put_format(&s, "%d%s%s%s", ofp_to_u16(m->port),
                      m->present ? "p" : "", m->aged ? "a" : "",
                      m->registered ? "r" : "");
        for (size_t i = 0; i < m->n_addresses; i++) {
            ds_put_char(&s, ' ');
            ipv6_format_mapped(&m->addresses[i], &s);
        }
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%s is \"%s\", not \"%s\"", src,
          ds_cstr(&s), expected);
    ds_destroy(&s);
}

#define A "0a:00:00:00:00:0a"
#define B "0a:00:00:00:00:0b"

static void
count_moved(uint32_t vni OVS_UNUSED, struct eth_addr ea OVS_UNUSED, void *n_)
{
    int *n = n_;
    ++*n;
}

void
test_learnt(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct learnt learnt;

    learnt_init(&learnt);
    learnt_set_present(&learnt, VNI, u16_to_ofp(2), mac(A), true);
    expect(&learnt, A, "2p");
    announce_arp(&learnt, 2, A, A, "10.77.0.20", SIZE_MAX);
    announce_nd(&learnt, 2, A, "fd77::20", false);
    announce_nd(&learnt, 2, A, "fd77::21", true);
    expect(&learnt, A, "2p 10.77.0.20 fd77::20 fd77::21");

    /* What says nothing. */
    announce_arp(&learnt, 2, A, B, "10.77.0.22", SIZE_MAX);
    announce_arp(&learnt, 2, A, A, "0.0.0.0", SIZE_MAX);
    announce_arp(&learnt, 2, A, A, "169.254.1.1", SIZE_MAX);
    announce_arp(&learnt, 2, A, A, "127.0.0.1", SIZE_MAX);
    announce_arp(&learnt, 2, A, A, "224.0.0.1", SIZE_MAX);
    announce_nd(&learnt, 2, A, "::", false);
    announce_nd(&learnt, 2, A, "fe80::1", false);
    announce_nd(&learnt, 2, A, "ff02::1", true);
    for (size_t cut = 0; cut < 42; cut++) {
        announce_arp(&learnt, 2, A, A, "10.77.0.23", cut);
    }
    expect(&learnt, A, "2p 10.77.0.20 fd77::20 fd77::21");

    /* An address has one MAC. */
    announce_arp(&learnt, 3, B, B, "10.77.0.20", SIZE_MAX);
    expect(&learnt, A, "2p fd77::20 fd77::21");
    expect(&learnt, B, "3 10.77.0.20");

    /* The oldest is forgotten first. */
    for (int i = 0; i < LEARNT_MAX_ADDRESSES; i++) {
        char ip[INET6_ADDRSTRLEN];
        snprintf(ip, sizeof ip, "fd77::1:%x", i);
        announce_nd(&learnt, 3, B, ip, true);
    }
    const struct learnt_mac *b = learnt_find(&learnt, VNI, mac(B));
    CHECK(b->n_addresses == LEARNT_MAX_ADDRESSES, "limit");
    CHECK(!IN6_IS_ADDR_V4MAPPED(&b->addresses[0]), "oldest first");

    /* A MAC moves to another port: its addresses there are others.  That the
     * flow of the old port times out is of no importance then. */
    learnt_set_present(&learnt, VNI, u16_to_ofp(3), mac(A), true);
    learnt_set_present(&learnt, VNI, u16_to_ofp(2), mac(A), false);
    expect(&learnt, A, "3p");
    learnt_set_present(&learnt, VNI, u16_to_ofp(3), mac(A), false);
    expect(&learnt, A, "3a");
    learnt_set_present(&learnt, VNI, u16_to_ofp(3), mac(A), true);
    learnt_reset(&learnt, 1000);
    expect(&learnt, A, "3");

    /* As many as there may be, of which all but one have aged: there is room
     * for another, and that one stays. */
    learnt_set_present(&learnt, VNI, u16_to_ofp(3), mac(A), true);
    for (uint64_t i = 0; i < 2 * LEARNT_MAX; i++) {
        struct eth_addr addr;

        eth_addr_from_uint64(UINT64_C(0x0a0100000000) + i, &addr);
        learnt_set_present(&learnt, VNI, u16_to_ofp(2), addr, true);
        CHECK(learnt_find(&learnt, VNI, addr), "no room for %"PRIu64, i);
        learnt_set_present(&learnt, VNI, u16_to_ofp(2), addr, false);
    }
    CHECK(hmap_count(&learnt.macs) <= LEARNT_MAX, "too many");
    expect(&learnt, A, "3p");

    /* The same by announcements, each of another address.  (If all
     * MACs were looked at to find an address, this would take minutes.) */
    for (unsigned int i = 0; i < 2 * LEARNT_MAX; i++) {
        char addr[ETH_ADDR_STRLEN + 1], ip[INET_ADDRSTRLEN];

        snprintf(addr, sizeof addr, "0a:02:00:%02x:%02x:%02x",
                 i >> 16, i >> 8 & 255, i & 255);
        snprintf(ip, sizeof ip, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        announce_arp(&learnt, 2, addr, addr, ip, SIZE_MAX);
        CHECK(learnt_find(&learnt, VNI, mac(addr)), "no room for %u", i);
    }
    CHECK(hmap_count(&learnt.macs) <= LEARNT_MAX
          && hmap_count(&learnt.ips) <= LEARNT_MAX, "too many");
    expect(&learnt, A, "3p");

    /* The port goes. */
    struct local_ports none = LOCAL_PORTS_INITIALIZER;
    learnt_prune(&learnt, &none);
    expect(&learnt, A, "");
    CHECK(hmap_is_empty(&learnt.macs) && hmap_is_empty(&learnt.ips),
          "pruned");
    learnt_destroy(&learnt);
}

/* Registration. */

static void
expect_changes(const struct mapping *mapping, const struct local_ports *ports,
               const struct learnt *learnt, long long int now,
               const char *expected)
{
    struct binding_changes changes;
    struct ds s = DS_EMPTY_INITIALIZER;

    binding_changes_compute(&changes, mapping, ports, learnt, now);
    for (size_t i = 0; i < changes.n_puts; i++) {
        const struct binding_put *put = &changes.puts[i];

        ds_put_format(&s, "+%s/%02x", put->port->name, put->mac.ea[5]);
        if (put->sequence) {
            ds_put_format(&s, "@%"PRIu64, put->sequence);
        }
        for (size_t j = 0; j < put->n_addresses; j++) {
            ds_put_char(&s, ',');
            ipv6_format_mapped(&put->addresses[j].ip, &s);
        }
        ds_put_char(&s, ' ');
    }
    for (size_t i = 0; i < changes.n_removes; i++) {
        ds_put_format(&s, "-%s/%02x ", changes.removes[i].net,
                      changes.removes[i].mac.ea[5]);
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "\"%s\", not \"%s\"", ds_cstr(&s),
          expected);
    binding_changes_destroy(&changes);
    ds_destroy(&s);
}

static struct model_binding *
put_binding(struct mapping *mapping, const char *addr, uint32_t node,
            const char *port, const char *iface_id, enum model_origin origin)
{
    struct model_binding *binding = xzalloc(sizeof *binding);

    binding->net = xstrdup("demo");
    binding->mac = mac(addr);
    binding->node = node;
    binding->port = nullable_xstrdup(port);
    binding->iface_id = nullable_xstrdup(iface_id);
    binding->origin = origin;
    CHECK(mapping_put_binding(mapping, binding), "%s", addr);
    return binding;
}

/* A port whose MAC is known, and what operators say of that MAC. */
void
test_bindings(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    struct local_ports ports;
    struct learnt learnt;

    /* tap1 has the MAC ..:03 and iface-id iface-1; ..:02 is registered at
     * tap0, which learns. */
    test_ports(&ports);
    learnt_init(&learnt);
    learnt_reset(&learnt, 0);
    expect_changes(mapping, &ports, &learnt, 0, "+tap1/03 ");
    announce_arp(&learnt, 3, "0a:00:00:00:00:03", "0a:00:00:00:00:03",
                 "10.77.0.3", SIZE_MAX);
    expect_changes(mapping, &ports, &learnt, 0, "+tap1/03,10.77.0.3 ");

    /* An operator bound it to this interface: claimed, then done. */
    put_binding(mapping, "0a:00:00:00:00:03", 0, NULL, "iface-1",
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "+tap1/03,10.77.0.3 ");
    put_binding(mapping, "0a:00:00:00:00:03", 7, "tap1", "iface-1",
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "");
    /* It moves away, and is not claimed back before its guest speaks. */
    struct local_port *tap1 = CONST_CAST(struct local_port *,
                                         local_ports_find(&ports, "tap1"));
    tap1->claim = (struct claim) { CLAIM_HELD, 3 };
    put_binding(mapping, "0a:00:00:00:00:03", 9, "x", "iface-1",
                MODEL_ORIGIN_STATIC)->sequence = 4;
    expect_changes(mapping, &ports, &learnt, 0, "");
    tap1->claim = (struct claim) { CLAIM_SPOKE, 4 };
    expect_changes(mapping, &ports, &learnt, 0, "+tap1/03@4,10.77.0.3 ");
    tap1->claim = (struct claim) { CLAIM_NONE, 0 };
    /* The interface has gone: the next node that has it may claim it. */
    put_binding(mapping, "0a:00:00:00:00:03", 7, "tap9", "iface-1",
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0,
                   "+tap1/03,10.77.0.3 -demo/03 ");
    put_binding(mapping, "0a:00:00:00:00:03", 7, "tap1", "iface-2",
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "-demo/03 ");
    put_binding(mapping, "0a:00:00:00:00:03", 7, "tap9", NULL,
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "+tap1/03,10.77.0.3 ");
    /* Bound to something else: not for this node to claim. */
    put_binding(mapping, "0a:00:00:00:00:03", 9, "x", "iface-2",
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "");
    put_binding(mapping, "0a:00:00:00:00:03", 9, NULL, NULL,
                MODEL_ORIGIN_STATIC);
    expect_changes(mapping, &ports, &learnt, 0, "");

    local_ports_destroy(&ports);
    learnt_destroy(&learnt);
    mapping_destroy(mapping);
}

/* A port that learns. */
void
test_bindings_learnt(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    const long long int grace = FL_HARD_TIMEOUT * 1000LL;
    struct mapping *mapping = test_mapping();
    struct local_ports ports;
    struct learnt learnt;
    int moved = 0;

    test_ports(&ports);
    learnt_init(&learnt);
    learnt_reset(&learnt, 0);
    put_binding(mapping, "0a:00:00:00:00:03", 7, "tap1", "iface-1",
                MODEL_ORIGIN_STATIC);

    /* Learnt on tap0, with an address; what is registered keeps its own. */
    learnt_set_present(&learnt, VNI, u16_to_ofp(2), mac(A), true);
    expect_changes(mapping, &ports, &learnt, 0, "+tap0/0a ");
    announce_arp(&learnt, 2, A, A, "10.77.0.20", SIZE_MAX);
    learnt_set_present(&learnt, VNI, u16_to_ofp(2),
                       mac("0a:00:00:00:00:02"), true);
    learnt_set_present(&learnt, VNI, u16_to_ofp(2), mac(A), false);
    /* ..:02 loses 10.77.0.20, which A announced. */
    expect_changes(mapping, &ports, &learnt, 0, "+tap0/02 ");
    announce_arp(&learnt, 2, "0a:00:00:00:00:02", "0a:00:00:00:00:02",
                 "10.77.0.20", SIZE_MAX);
    expect_changes(mapping, &ports, &learnt, 0, "");

    /* Silent: removed when the switch says so, or, after a restart, when it
     * had the time to speak. */
    learnt_set_present(&learnt, VNI, u16_to_ofp(2),
                       mac("0a:00:00:00:00:02"), false);
    expect_changes(mapping, &ports, &learnt, 0, "-demo/02 ");
    learnt_set_present(&learnt, VNI, u16_to_ofp(2),
                       mac("0a:00:00:00:00:02"), true);
    learnt_reset(&learnt, 5000);
    expect_changes(mapping, &ports, &learnt, 5000 + grace - 1, "");
    expect_changes(mapping, &ports, &learnt, 5000 + grace, "-demo/02 ");

    /* Moved to another node: told once, and not claimed back until the
     * switch learns it again. */
    learnt_set_present(&learnt, VNI, u16_to_ofp(2),
                       mac("0a:00:00:00:00:02"), true);
    learnt_note_registered(&learnt, mapping, count_moved, &moved);
    CHECK(!moved, "it is here");
    put_binding(mapping, "0a:00:00:00:00:02", 9, "x", NULL,
                MODEL_ORIGIN_DYNAMIC);
    learnt_note_registered(&learnt, mapping, count_moved, &moved);
    learnt_note_registered(&learnt, mapping, count_moved, &moved);
    CHECK(moved == 1, "moved %d times", moved);
    expect_changes(mapping, &ports, &learnt, 5000, "");
    learnt_set_present(&learnt, VNI, u16_to_ofp(2),
                       mac("0a:00:00:00:00:02"), true);
    expect_changes(mapping, &ports, &learnt, 5000, "+tap0/02,10.77.0.20 ");

    /* The port has gone: what was registered there, too. */
    put_binding(mapping, "0a:00:00:00:00:02", 7, "tap0", NULL,
                MODEL_ORIGIN_DYNAMIC);
    local_ports_destroy(&ports);
    expect_changes(mapping, &ports, &learnt, 5000, "-demo/03 -demo/02 ");

    learnt_destroy(&learnt);
    mapping_destroy(mapping);
}

/* The keyring. */

/* What a host that has lost IPv4 reaches. */
static bool
has_no_ipv4(const struct in6_addr *remote)
{
    return !IN6_IS_ADDR_V4MAPPED(remote);
}

/* Node 9 gets an endpoint of the other family, too. */
static void
add_ipv6_endpoint(struct mapping *mapping)
{
    struct model_node *node = mapping_node(mapping, 9);
    struct model_endpoint *both = xmalloc(2 * sizeof *both);

    both[0] = node->endpoints[0];
    free(model_endpoint_parse("[2001:db8::9]:8003", &both[1]));
    free(node->endpoints);
    node->endpoints = both;
    node->n_endpoints = 2;
}

/* Requests. */

/* Guests may have so many addresses that they do not fit in one. */
void
test_registrar(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 200, SERVICE_BODY_MAX = 64 * 1024 };
    struct registrar *registrar = registrar_create(NULL);
    struct local_port port = { .name = "tap0", .net = "demo", .vni = VNI };
    struct binding_changes changes = {
        .puts = xcalloc(N, sizeof *changes.puts), .n_puts = N,
        .removes = xcalloc(N, sizeof *changes.removes), .n_removes = N,
    };
    size_t n_puts = 0, n_removes = 0;
    int n_requests = 0;
    char *body;

    for (int i = 0; i < N; i++) {
        struct binding_put *put = &changes.puts[i];

        put->port = &port;
        eth_addr_from_uint64(0x020000000000 + i, &put->mac);
        put->n_addresses = LEARNT_MAX_ADDRESSES;
        for (int j = 0; j < LEARNT_MAX_ADDRESSES; j++) {
            put->addresses[j].plen = -1;
            memset(&put->addresses[j].ip, 0xfd, sizeof put->addresses[j].ip);
            put->addresses[j].ip.s6_addr[14] = i;
            put->addresses[j].ip.s6_addr[15] = j;
        }
        changes.removes[i].net = "demo";
        eth_addr_from_uint64(0x020000001000 + i, &changes.removes[i].mac);
    }
    while ((body = registrar_take(registrar, &changes)) != NULL) {
        json_t *json = json_loads(body, 0, NULL);

        CHECK(strlen(body) <= SERVICE_BODY_MAX, "%"PRIuSIZE" bytes",
              strlen(body));
        n_puts += json_array_size(json_object_get(json, "put"));
        n_removes += json_array_size(json_object_get(json, "remove"));
        n_requests++;
        json_decref(json);
        free(body);
    }
    CHECK(n_puts == N && n_removes == N && n_requests > 1,
          "%d requests, %"PRIuSIZE" put, %"PRIuSIZE" removed", n_requests,
          n_puts, n_removes);
    binding_changes_destroy(&changes);
    registrar_destroy(registrar);
}

/* A guest that has another address each time. */
void
test_registrar_news(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct registrar *registrar = registrar_create(NULL);
    struct local_port port = { .name = "p1", .net = "demo" };
    struct binding_put put = {
        .port = &port, .mac = ETH_ADDR_C(02,00,00,00,00,01), .n_addresses = 1,
        .addresses = { { .plen = -1 } },
    };
    struct binding_changes changes = { .puts = &put, .n_puts = 1 };
    int n_told = 0;

    for (int i = 0; i < 1000; i++) {
        in6_addr_set_mapped_ipv4(&put.addresses[0].ip, htonl(0x0a000001 + i));
        char *body = registrar_take(registrar, &changes);
        n_told += body != NULL;
        free(body);
    }
    CHECK(n_told >= 5 && n_told <= 50, "told %d times", n_told);

    /* Others have room of their own. */
    put.mac.ea[5]++;
    char *body = registrar_take(registrar, &changes);
    CHECK(body, "another MAC");
    free(body);
    registrar_destroy(registrar);
}

void
test_keyring(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    struct own_keys keys;
    size_t n;

    own_keys_init(&keys, "/nonexistent");
    own_keys_sync(&keys, mapping, true);
    struct own_key *own = shash_find_data(&keys.keys, "demo");
    memset(own->secret.bytes, 0xab, own->secret.size);

    /* Not uploaded yet: receives only.  far has no keys at all. */
    struct keyring *keyring = keyring_build(mapping, &keys, has_no_ipv4);
    char *text = keyring_format(keyring, &n);
    CHECK(!strcmp(text,
                  "vsubnet-keyring 1\n"
                  "self 7\n"
                  "peer 9 192.0.2.9 8002 1.3\n"
                  "peer 12 - 0 1.4\n"
                  "net 5001 -\n"
                  "member 5001 9\n"
                  "key 5001 rx 178 9 aes128gcm 4 "
                  "000102030405060708090a0b0c0d0e0f\n"
                  "net 5002 239.1.1.1\n"
                  "member 5002 12\n"
                  "end 9\n"), "%s", text);
    keyring_text_free(text, n);
    keyring_destroy(keyring);

    /* Of two endpoints, one that this host reaches. */
    add_ipv6_endpoint(mapping);
    keyring = keyring_build(mapping, &keys, has_no_ipv4);
    text = keyring_format(keyring, &n);
    CHECK(strstr(text, "peer 9 2001:db8::9 8003 1.3\n"), "%s", text);
    keyring_text_free(text, n);
    keyring_destroy(keyring);

    /* Uploaded; and node 9 is revoked: nothing of it is left. */
    own_keys_set_spi(&keys, "demo", own->draw, 161);
    mapping_node(mapping, 9)->state = MODEL_NODE_REVOKED;
    keyring = keyring_build(mapping, &keys, has_no_ipv4);
    text = keyring_format(keyring, &n);
    CHECK(!strcmp(text,
                  "vsubnet-keyring 1\n"
                  "self 7\n"
                  "peer 12 - 0 1.4\n"
                  "net 5001 -\n"
                  "key 5001 tx 161 7 aes128gcm 1 "
                  "abababababababababababababababab\n"
                  "net 5002 239.1.1.1\n"
                  "member 5002 12\n"
                  "end 7\n"), "%s", text);
    keyring_text_free(text, n);
    keyring_destroy(keyring);

    own_keys_destroy(&keys);
    mapping_destroy(mapping);
}
