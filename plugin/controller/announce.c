/* SPDX-License-Identifier: Apache-2.0 */
/* What is said, and when, of a guest that has come to this host. */
#include <config.h>
#include "controller/announce.h"

#include <limits.h>
#include <stdlib.h>

#include "dp-packet.h"
#include "flow.h"
#include "model/object.h"
#include "packets.h"
#include "util.h"

struct announcement {
    int round;                  /* Next, from 0. */
    long long int at;
};

/* After each round but the last. */
static const int pauses_ms[ANNOUNCE_TIMES - 1] = { 200, 1000 };

void
announcements_init(struct announcements *a)
{
    shash_init(&a->pending);
    a->next = 0;
}

void
announcements_destroy(struct announcements *a)
{
    shash_destroy_free_data(&a->pending);
}

void
announcements_add(struct announcements *a, const char *name,
                  long long int now)
{
    struct announcement *new = shash_find_data(&a->pending, name);

    if (!new) {
        new = xmalloc(sizeof *new);
        shash_add(&a->pending, name, new);
    }
    *new = (struct announcement) { .round = 0, .at = now };
}

/* Frames. */

static void
compose_na(struct dp_packet *packet, struct eth_addr mac,
           const struct in6_addr *ip)
{
    const struct eth_addr all_nodes_mac = ETH_ADDR_C(33,33,00,00,00,01);
    struct in6_addr all_nodes;

    ipv6_parse("ff02::1", &all_nodes);
    compose_nd_na(packet, mac, all_nodes_mac, ip, &all_nodes,
                  htonl(ND_RSO_OVERRIDE));
}

/* Returns the number of frames. */
static size_t
announce(const char *name, const struct model_binding *binding,
         const struct announce_class *class, void *aux)
{
    struct dp_packet packet;
    size_t n = MAX(binding->n_addresses, 1);

    dp_packet_init(&packet, 0);
    for (size_t i = 0; i < n; i++) {
        const struct model_address *address
            = binding->n_addresses ? &binding->addresses[i] : NULL;

        if (!address) {
            compose_rarp(&packet, binding->mac);
        } else if (model_address_is_ipv4(address)) {
            ovs_be32 ip = in6_addr_get_mapped_ipv4(&address->ip);

            compose_arp(&packet, ARP_OP_REQUEST, binding->mac, eth_addr_zero,
                        true, ip, ip);
        } else {
            dp_packet_clear(&packet);
            compose_na(&packet, binding->mac, &address->ip);
        }
        class->send(name, dp_packet_data(&packet), dp_packet_size(&packet),
                    aux);
    }
    dp_packet_uninit(&packet);
    return n;
}

void
announcements_run(struct announcements *a, long long int now,
                  const struct announce_class *class, void *aux)
{
    struct shash_node *node;
    size_t n = 0;

    if (now < announcements_next(a)) {
        return;
    }
    SHASH_FOR_EACH_SAFE (node, &a->pending) {
        struct announcement *each = node->data;

        if (now < each->at || n >= ANNOUNCE_FRAMES_MAX) {
            continue;
        }

        const struct model_binding *binding = class->find(node->name, aux);
        if (binding) {
            n += announce(node->name, binding, class, aux);
        }
        if (!binding || each->round == ANNOUNCE_TIMES - 1) {
            free(each);
            shash_delete(&a->pending, node);
        } else {
            each->at = now + pauses_ms[each->round++];
        }
    }
    if (n) {
        a->next = now + ANNOUNCE_PAUSE_MS;
    }
}

long long int
announcements_next(const struct announcements *a)
{
    long long int next = LLONG_MAX;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &a->pending) {
        const struct announcement *each = node->data;
        next = MIN(next, each->at);
    }
    return next == LLONG_MAX ? next : MAX(next, a->next);
}
