/* SPDX-License-Identifier: Apache-2.0 */
/* MACs and IP addresses that local ports were seen to use. */
#include <config.h>
#include "controller/learnt.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

#include "controller/local-port.h"
#include "dp-packet.h"
#include "flow.h"
#include "hash.h"
#include "model/mapping.h"
#include "packets.h"
#include "util.h"

void
learnt_init(struct learnt *learnt)
{
    *learnt = (struct learnt) { .since = 0 };
    hmap_init(&learnt->macs);
    hmap_init(&learnt->ips);
}

/* An address of a MAC, to find the MAC by.  Guests say how many there are and
 * how often they are looked for. */
struct learnt_ip {
    struct hmap_node node;      /* In struct learnt's 'ips'. */
    struct in6_addr ip;
    struct learnt_mac *mac;
};

static struct learnt_ip *
find_ip(const struct learnt *learnt, uint32_t vni, const struct in6_addr *ip)
{
    struct learnt_ip *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, node, hash_bytes(ip, sizeof *ip, vni),
                             &learnt->ips) {
        if (entry->mac->vni == vni && ipv6_addr_equals(&entry->ip, ip)) {
            return entry;
        }
    }
    return NULL;
}

/* Takes from its MAC the 'i'th address. */
static void
forget_address(struct learnt *learnt, struct learnt_mac *mac, size_t i)
{
    struct learnt_ip *entry = find_ip(learnt, mac->vni, &mac->addresses[i]);

    hmap_remove(&learnt->ips, &entry->node);
    free(entry);
    mac->n_addresses--;
    memmove(&mac->addresses[i], &mac->addresses[i + 1],
            (mac->n_addresses - i) * sizeof mac->addresses[0]);
}

static void
forget_ip(struct learnt *learnt, struct learnt_ip *entry)
{
    struct learnt_mac *mac = entry->mac;
    size_t i = 0;

    while (!ipv6_addr_equals(&mac->addresses[i], &entry->ip)) {
        i++;
    }
    forget_address(learnt, mac, i);
}

static void
forget_addresses(struct learnt *learnt, struct learnt_mac *mac)
{
    while (mac->n_addresses) {
        forget_address(learnt, mac, mac->n_addresses - 1);
    }
}

static void
add_address(struct learnt *learnt, struct learnt_mac *mac,
            const struct in6_addr *ip)
{
    struct learnt_ip *entry = xmalloc(sizeof *entry);

    if (mac->n_addresses >= LEARNT_MAX_ADDRESSES) {
        forget_address(learnt, mac, 0);
    }
    mac->addresses[mac->n_addresses++] = *ip;
    entry->ip = *ip;
    entry->mac = mac;
    hmap_insert(&learnt->ips, &entry->node,
                hash_bytes(ip, sizeof *ip, mac->vni));
}

static void
forget_mac(struct learnt *learnt, struct learnt_mac *mac)
{
    forget_addresses(learnt, mac);
    hmap_remove(&learnt->macs, &mac->node);
    free(mac);
}

void
learnt_destroy(struct learnt *learnt)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH_SAFE (mac, node, &learnt->macs) {
        forget_mac(learnt, mac);
    }
    hmap_destroy(&learnt->macs);
    hmap_destroy(&learnt->ips);
}

static uint32_t
learnt_hash(uint32_t vni, struct eth_addr mac)
{
    return hash_uint64_basis(eth_addr_to_uint64(mac), vni);
}

static struct learnt_mac *
find(const struct learnt *learnt, uint32_t vni, struct eth_addr addr)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH_WITH_HASH (mac, node, learnt_hash(vni, addr),
                             &learnt->macs) {
        if (mac->vni == vni && eth_addr_equals(mac->mac, addr)) {
            return mac;
        }
    }
    return NULL;
}

const struct learnt_mac *
learnt_find(const struct learnt *learnt, uint32_t vni, struct eth_addr mac)
{
    return find(learnt, vni, mac);
}

/* Forgets the MACs that nothing but their past speaks for. */
static void
make_room(struct learnt *learnt)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH_SAFE (mac, node, &learnt->macs) {
        if (!mac->present && (mac->aged || !mac->registered)) {
            forget_mac(learnt, mac);
        }
    }
}

/* Finds or adds; NULL if there are too many. */
static struct learnt_mac *
obtain(struct learnt *learnt, uint32_t vni, struct eth_addr addr)
{
    struct learnt_mac *mac = find(learnt, vni, addr);

    if (!mac && hmap_count(&learnt->macs) >= LEARNT_MAX) {
        make_room(learnt);
    }
    if (!mac && hmap_count(&learnt->macs) < LEARNT_MAX
        && !eth_addr_is_multicast(addr) && !eth_addr_is_zero(addr)) {
        mac = xzalloc(sizeof *mac);
        mac->vni = vni;
        mac->mac = addr;
        hmap_insert(&learnt->macs, &mac->node, learnt_hash(vni, addr));
    }
    return mac;
}

void
learnt_reset(struct learnt *learnt, long long int now)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH (mac, node, &learnt->macs) {
        mac->present = false;
    }
    learnt->since = now;
    learnt->seqno++;
}

void
learnt_set_present(struct learnt *learnt, uint32_t vni, ofp_port_t port,
                   struct eth_addr addr, bool present)
{
    struct learnt_mac *mac = (present && port ? obtain(learnt, vni, addr)
                              : find(learnt, vni, addr));

    if (mac && present && !port) {
        mac->present = false;
        mac->aged = true;
        learnt->seqno++;
        return;
    }
    if (!mac || (!present && mac->port != port)) {
        return;             /* Unknown, or learnt on another port since. */
    }
    if (present && mac->port != port) {
        forget_addresses(learnt, mac);
        mac->port = port;
    }
    if (present && !mac->present) {
        mac->registered = false;
    }
    mac->present = present;
    mac->aged = !present;
    learnt->seqno++;
}

void
learnt_age_port(struct learnt *learnt, ofp_port_t port)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH (mac, node, &learnt->macs) {
        if (mac->port == port && mac->present) {
            mac->present = false;
            mac->aged = true;
            learnt->seqno++;
        }
    }
}

const struct learnt_mac *
learnt_find_ip(const struct learnt *learnt, uint32_t vni,
               const struct in6_addr *ip)
{
    const struct learnt_ip *entry = find_ip(learnt, vni, ip);

    return entry ? entry->mac : NULL;
}

/* True for an address that a host can have and that says something outside
 * its own link. */
static bool
is_worth_telling(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        uint32_t ip4 = ntohl(in6_addr_get_mapped_ipv4(ip));

        return (ip4 >> 24 != 0 && ip4 >> 24 != 127 && ip4 >> 28 < 0xe
                && ip4 >> 16 != 0xa9fe);
    }
    return !(IN6_IS_ADDR_UNSPECIFIED(ip) || IN6_IS_ADDR_LOOPBACK(ip)
             || IN6_IS_ADDR_MULTICAST(ip) || IN6_IS_ADDR_LINKLOCAL(ip));
}

/* Reads who sends the frame in 'flow' and which address it claims. */
static bool
announced_address(const struct flow *flow, struct in6_addr *ip)
{
    if (flow->dl_type == htons(ETH_TYPE_ARP)) {
        if (!eth_addr_equals(flow->arp_sha, flow->dl_src)) {
            return false;
        }
        in6_addr_set_mapped_ipv4(ip, flow->nw_src);
    } else if (flow->dl_type == htons(ETH_TYPE_IPV6)
               && flow->nw_proto == IPPROTO_ICMPV6
               && flow->tp_src == htons(ND_NEIGHBOR_SOLICIT)) {
        *ip = flow->ipv6_src;
    } else if (flow->dl_type == htons(ETH_TYPE_IPV6)
               && flow->nw_proto == IPPROTO_ICMPV6
               && flow->tp_src == htons(ND_NEIGHBOR_ADVERT)) {
        *ip = flow->nd_target;
    } else {
        return false;
    }
    return is_worth_telling(ip);
}

void
learnt_announce(struct learnt *learnt, uint32_t vni, ofp_port_t port,
                const void *frame, size_t len)
{
    struct dp_packet packet;
    struct in6_addr ip;
    struct flow flow;

    dp_packet_use_const(&packet, frame, len);
    flow_extract(&packet, &flow);
    if (!announced_address(&flow, &ip)) {
        return;
    }

    struct learnt_mac *mac = obtain(learnt, vni, flow.dl_src);
    if (!mac) {
        return;
    }
    if (mac->port != port) {
        forget_addresses(learnt, mac);
        mac->port = port;
    }
    struct learnt_ip *owner = find_ip(learnt, vni, &ip);
    if (owner && owner->mac == mac) {
        return;
    }
    if (owner) {
        forget_ip(learnt, owner);
    }
    add_address(learnt, mac, &ip);
    learnt->seqno++;
}

void
learnt_prune(struct learnt *learnt, const struct local_ports *ports)
{
    struct learnt_mac *mac;

    HMAP_FOR_EACH_SAFE (mac, node, &learnt->macs) {
        const struct local_port *port
            = local_ports_find_ofport(ports, mac->port);

        if (!port || port->vni != mac->vni) {
            forget_mac(learnt, mac);
            learnt->seqno++;
        }
    }
}

void
learnt_note_registered(struct learnt *learnt, const struct mapping *mapping,
                       learnt_moved_func *moved, void *aux)
{
    uint32_t self = mapping->self ? mapping->self->number : 0;
    struct learnt_mac *mac;

    HMAP_FOR_EACH (mac, node, &learnt->macs) {
        const struct model_net *net = mapping_net_by_vni(mapping, mac->vni);
        const struct model_binding *binding
            = net ? mapping_binding(mapping, net->name, mac->mac) : NULL;

        if (!binding || binding->origin != MODEL_ORIGIN_DYNAMIC) {
            continue;
        }
        if (binding->node == self) {
            mac->registered = true;
        } else if (mac->registered && mac->present) {
            moved(mac->vni, mac->mac, aux);
            /* The switch does not tell us of what we deleted ourselves. */
            mac->present = mac->registered = false;
            mac->aged = true;
            learnt->seqno++;
        }
    }
}
