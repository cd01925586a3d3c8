/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that a local port uses, but that are bound to another MAC. */
#include <config.h>
#include "controller/duplicates.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "coverage.h"
#include "dp-packet.h"
#include "flow.h"
#include "hash.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(duplicates);

COVERAGE_DEFINE(duplicate_address);
COVERAGE_DEFINE(duplicate_not_looked_for);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 20);

enum { RUN_MS = 1000 };

void
duplicates_init(struct duplicates *dups)
{
    *dups = (struct duplicates) { .looks = DUPLICATES_LOOKS };
    hmap_init(&dups->all);
}

static bool
is_reported(const struct duplicate *d)
{
    return !d->settled && (d->assigned || d->n_claims > 1);
}

static void
forget(struct duplicates *dups, struct duplicate *d)
{
    dups->changed |= is_reported(d);
    hmap_remove(&dups->all, &d->node);
    free(d);
}

void
duplicates_destroy(struct duplicates *dups)
{
    struct duplicate *d;

    HMAP_FOR_EACH_SAFE (d, node, &dups->all) {
        forget(dups, d);
    }
    hmap_destroy(&dups->all);
}

/* Frames. */

/* A claim, as a frame makes it. */
struct claimed {
    struct eth_addr mac;
    struct in6_addr ip;
    bool asks;                  /* Whether the IPv6 address is free. */
};

static bool
read_arp(const struct flow *flow, struct claimed *claimed)
{
    bool probe = flow->nw_proto == ARP_OP_REQUEST && !flow->nw_src;
    ovs_be32 ip = probe ? flow->nw_dst : flow->nw_src;

    in6_addr_set_mapped_ipv4(&claimed->ip, ip);
    return ip != 0;
}

static bool
read_nd(const struct flow *flow, struct claimed *claimed)
{
    if (flow->tp_src == htons(ND_NEIGHBOR_ADVERT)) {
        claimed->ip = flow->nd_target;
    } else if (flow->tp_src != htons(ND_NEIGHBOR_SOLICIT)) {
        return false;
    } else if (ipv6_addr_is_set(&flow->ipv6_src)) {
        claimed->ip = flow->ipv6_src;
    } else {
        claimed->ip = flow->nd_target;
        claimed->asks = !vlan_tci_to_vid(flow->vlans[0].tci);
    }
    return ipv6_addr_is_set(&claimed->ip);
}

static bool
read_frame(const struct punt *punt, struct claimed *claimed)
{
    struct dp_packet packet;
    struct flow flow;

    dp_packet_use_const(&packet, punt->frame, punt->len);
    flow_extract(&packet, &flow);
    *claimed = (struct claimed) { .mac = flow.dl_src };
    if (flow.dl_type == htons(ETH_TYPE_ARP)) {
        return read_arp(&flow, claimed);
    }
    return (flow.dl_type == htons(ETH_TYPE_IPV6)
            && flow.nw_proto == IPPROTO_ICMPV6 && flow.tp_dst == htons(0)
            && read_nd(&flow, claimed));
}

/* Owners. */

static bool
has_address(const struct model_binding *binding, const struct in6_addr *ip)
{
    for (size_t i = 0; i < binding->n_addresses; i++) {
        if (ipv6_addr_equals(&binding->addresses[i].ip, ip)) {
            return true;
        }
    }
    return false;
}

/* Who flows say has 'ip', if that is so. */
static const struct model_binding *
owner_by_flow(const struct mapping *mapping, const struct model_net *net,
              const struct punt *punt, const struct in6_addr *ip)
{
    const uint32_t *regs = &punt->metadata->regs[FR_OWNER_HI_IDX];
    struct eth_addr mac;

    eth_addr_from_uint64((uint64_t) (regs[0] & 0xffff) << 32 | regs[1], &mac);
    const struct model_binding *binding = mapping_binding(mapping, net->name,
                                                          mac);
    return binding && has_address(binding, ip) ? binding : NULL;
}

static bool
may_look(struct duplicates *dups, size_t n, long long int now)
{
    long long int elapsed = MIN(MAX(now - dups->looks_at, 0), 1000);

    dups->looks = MIN(dups->looks + elapsed * (DUPLICATES_LOOKS / 1000),
                      DUPLICATES_LOOKS);
    dups->looks_at = now;
    n = MIN(n, DUPLICATES_LOOKS);
    if (dups->looks < n) {
        COVERAGE_INC(duplicate_not_looked_for);
        return false;
    }
    dups->looks -= n;
    return true;
}

static const struct model_binding *
find_owner(struct duplicates *dups, const struct mapping *mapping,
           const struct model_net *net, const struct punt *punt,
           const struct in6_addr *ip, long long int now)
{
    const struct model_binding *binding = owner_by_flow(mapping, net, punt,
                                                        ip);

    if (binding || !may_look(dups, hmap_count(&net->bindings), now)) {
        return binding;
    }
    HMAP_FOR_EACH (binding, in_net, &net->bindings) {
        if (has_address(binding, ip)) {
            return binding;
        }
    }
    return NULL;
}

/* Duplicates. */

static uint32_t
duplicate_hash(uint32_t vni, const struct claimed *claimed)
{
    return hash_mac(claimed->mac, 0, hash_bytes(&claimed->ip,
                                                sizeof claimed->ip, vni));
}

static struct duplicate *
find(const struct duplicates *dups, const struct punt *punt,
     const struct claimed *claimed)
{
    struct duplicate *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, duplicate_hash(punt->vni, claimed),
                             &dups->all) {
        if (d->vni == punt->vni && d->port == punt->port
            && eth_addr_equals(d->mac, claimed->mac)
            && ipv6_addr_equals(&d->ip, &claimed->ip)) {
            return d;
        }
    }
    return NULL;
}

/* The port has room for one more. */
static void
make_room(struct duplicates *dups, ofp_port_t port)
{
    struct duplicate *d, *oldest = NULL;
    size_t n = 0;

    HMAP_FOR_EACH (d, node, &dups->all) {
        if (d->port == port) {
            n++;
            oldest = !oldest || d->last < oldest->last ? d : oldest;
        }
    }
    if (n >= DUPLICATES_MAX) {
        forget(dups, oldest);
    }
}

static struct duplicate *
obtain(struct duplicates *dups, const struct punt *punt,
       const struct claimed *claimed)
{
    struct duplicate *d = find(dups, punt, claimed);

    if (!d) {
        make_room(dups, punt->port);
        d = xzalloc(sizeof *d);
        d->vni = punt->vni;
        d->port = punt->port;
        d->mac = claimed->mac;
        d->ip = claimed->ip;
        d->settled = true;
        hmap_insert(&dups->all, &d->node, duplicate_hash(d->vni, claimed));
    }
    return d;
}

static void
report(struct duplicates *dups, const struct duplicate *d,
       const struct local_port *port)
{
    struct ds ip = DS_EMPTY_INITIALIZER;

    dups->changed = true;
    COVERAGE_INC(duplicate_address);
    ipv6_format_mapped(&d->ip, &ip);
    VLOG_WARN_RL(&rl, "vSubnet %s, port %s: "ETH_ADDR_FMT" claims %s, which "
                 "is bound to "ETH_ADDR_FMT, port->net, port->name,
                 ETH_ADDR_ARGS(d->mac), ds_cstr(&ip),
                 ETH_ADDR_ARGS(d->owner));
    ds_destroy(&ip);
}

static void
note(struct duplicates *dups, const struct punt *punt,
     const struct claimed *claimed, const struct local_port *port,
     const struct model_binding *owner, long long int now)
{
    struct duplicate *d = obtain(dups, punt, claimed);
    bool before = is_reported(d);

    if (d->settled) {
        d->settled = false;
        d->n_claims++;
    }
    dups->changed |= before && !eth_addr_equals(d->owner, owner->mac);
    d->owner = owner->mac;
    d->assigned = owner->origin != MODEL_ORIGIN_DYNAMIC;
    d->n_frames++;
    d->last = now;
    if (!before && is_reported(d)) {
        report(dups, d, port);
    }
}

bool
duplicates_receive(struct duplicates *dups, const struct mapping *mapping,
                   const struct local_ports *ports, const struct punt *punt,
                   long long int now, struct dp_packet *answer)
{
    const struct model_net *net = mapping_net_by_vni(mapping, punt->vni);
    const struct local_port *port = local_ports_find_ofport(ports, punt->port);
    const struct eth_addr all_nodes = ETH_ADDR_C(33,33,00,00,00,01);
    struct claimed claimed;

    if (!net || !port || port->vni != net->vni || !read_frame(punt, &claimed)) {
        return false;
    }
    const struct model_binding *owner = find_owner(dups, mapping, net, punt,
                                                   &claimed.ip, now);
    if (!owner || eth_addr_equals(owner->mac, claimed.mac)) {
        return false;
    }
    note(dups, punt, &claimed, port, owner, now);
    if (!claimed.asks || owner->origin == MODEL_ORIGIN_DYNAMIC
        || !net->arp_suppression) {
        return false;
    }
    compose_nd_na(answer, owner->mac, all_nodes, &claimed.ip,
                  &in6addr_all_hosts, htonl(ND_RSO_OVERRIDE));
    return true;
}

/* The mapping has the address elsewhere. */
static bool
is_settled(const struct duplicate *d, const struct mapping *mapping)
{
    const struct model_net *net = mapping_net_by_vni(mapping, d->vni);
    const struct model_binding *owner
        = net ? mapping_binding(mapping, net->name, d->owner) : NULL;

    return !owner || !has_address(owner, &d->ip);
}

bool
duplicates_run(struct duplicates *dups, const struct mapping *mapping,
               const struct local_ports *ports, long long int now)
{
    struct duplicate *d;

    if (now < dups->next_run) {
        return false;
    }
    dups->next_run = now + RUN_MS;
    HMAP_FOR_EACH_SAFE (d, node, &dups->all) {
        const struct local_port *port = local_ports_find_ofport(ports,
                                                                d->port);

        if (!port || port->vni != d->vni
            || now >= d->last + DUPLICATES_HOLD * 1000LL) {
            forget(dups, d);
        } else if (!d->settled && is_settled(d, mapping)) {
            dups->changed |= is_reported(d);
            d->settled = true;
        }
    }

    bool changed = dups->changed;
    dups->changed = false;
    return changed;
}

long long int
duplicates_next(const struct duplicates *dups)
{
    return (hmap_is_empty(&dups->all) && !dups->changed
            ? LLONG_MAX : dups->next_run);
}

/* Reports. */

static int
compare_duplicates(const void *a_, const void *b_)
{
    const struct duplicate *const *a = a_;
    const struct duplicate *const *b = b_;
    int order = memcmp(&(*a)->ip, &(*b)->ip, sizeof (*a)->ip);

    return order ? order : memcmp(&(*a)->mac, &(*b)->mac, sizeof (*a)->mac);
}

const struct duplicate **
duplicates_of_port(const struct duplicates *dups,
                   const struct local_port *port, size_t *n)
{
    const struct duplicate **list = NULL;
    const struct duplicate *d;

    *n = 0;
    HMAP_FOR_EACH (d, node, &dups->all) {
        if (port->ofport && d->port == port->ofport && d->vni == port->vni
            && is_reported(d)) {
            if (!list) {
                list = xmalloc(DUPLICATES_MAX * sizeof *list);
            }
            list[(*n)++] = d;
        }
    }
    if (list) {
        qsort(list, *n, sizeof *list, compare_duplicates);
    }
    return list;
}

char *
duplicates_note(const struct duplicates *dups, const struct local_port *port)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n;
    const struct duplicate **list = duplicates_of_port(dups, port, &n);

    for (size_t i = 0; i < MIN(n, DUPLICATES_TOLD); i++) {
        ds_put_cstr(&s, i ? ", " : "");
        ipv6_format_mapped(&list[i]->ip, &s);
        ds_put_format(&s, " "ETH_ADDR_FMT, ETH_ADDR_ARGS(list[i]->owner));
    }
    free(list);
    return s.length ? ds_steal_cstr(&s) : NULL;
}

size_t
duplicates_count(const struct duplicates *dups)
{
    const struct duplicate *d;
    size_t n = 0;

    HMAP_FOR_EACH (d, node, &dups->all) {
        n += is_reported(d);
    }
    return n;
}
