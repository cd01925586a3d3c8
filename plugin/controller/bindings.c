/* SPDX-License-Identifier: Apache-2.0 */
/* Which bindings this node should register and remove. */
#include <config.h>
#include "controller/bindings.h"

#include <stdlib.h>
#include <string.h>

#include "controller/claim.h"
#include "controller/flow-tables.h"
#include "controller/learnt.h"
#include "controller/local-port.h"
#include "model/mapping.h"
#include "packets.h"
#include "util.h"

struct context {
    struct binding_changes *changes;
    const struct mapping *mapping;
    const struct local_ports *ports;
    const struct learnt *learnt;
    long long int now;
};

static bool
has_address(const struct model_address *addresses, size_t n,
            const struct in6_addr *ip)
{
    for (size_t i = 0; i < n; i++) {
        if (ipv6_addr_equals(&addresses[i].ip, ip)) {
            return true;
        }
    }
    return false;
}

static void
put_address(struct binding_put *put, const struct in6_addr *ip)
{
    if (put->n_addresses < MODEL_ADDRESSES_MAX
        && !has_address(put->addresses, put->n_addresses, ip)) {
        put->addresses[put->n_addresses++]
            = (struct model_address) { .ip = *ip, .plen = -1 };
    }
}

/* Collects the addresses of 'put': what was seen, and of what the service
 * knows already what no other MAC has taken over. */
static void
collect_addresses(const struct context *c, struct binding_put *put,
                  const struct model_binding *old)
{
    const struct learnt_mac *seen = learnt_find(c->learnt, put->port->vni,
                                                put->mac);

    for (size_t i = 0; seen && i < seen->n_addresses; i++) {
        put_address(put, &seen->addresses[i]);
    }
    for (size_t i = 0; old && i < old->n_addresses; i++) {
        const struct learnt_mac *owner
            = learnt_find_ip(c->learnt, put->port->vni,
                             &old->addresses[i].ip);

        if (!owner || owner == seen) {
            put_address(put, &old->addresses[i].ip);
        }
    }
}

/* True if the service's binding says all that 'put' does. */
static bool
is_registered(const struct context *c, const struct binding_put *put,
              const struct model_binding *old)
{
    if (!old || old->node != c->mapping->self->number
        || !nullable_string_is_equal(old->port, put->port->name)) {
        return false;
    }
    if (old->origin != MODEL_ORIGIN_DYNAMIC) {
        return true;            /* The rest is for operators to say. */
    }
    if (!nullable_string_is_equal(old->iface_id, put->port->iface_id)
        || old->n_addresses != put->n_addresses) {
        return false;
    }
    for (size_t i = 0; i < put->n_addresses; i++) {
        if (!has_address(old->addresses, old->n_addresses,
                         &put->addresses[i].ip)) {
            return false;
        }
    }
    return true;
}

/* True if 'old' is not for 'port' to claim: an operator gave it to somebody
 * else, or it was this port's and has moved to another node since. */
static bool
is_anothers(const struct context *c, const struct model_binding *old,
            const struct local_port *port)
{
    const uint32_t self = c->mapping->self->number;

    if (old && !port->has_mac && old->node && old->node != self) {
        const struct learnt_mac *seen = learnt_find(c->learnt, port->vni,
                                                    old->mac);
        if (seen && seen->registered) {
            return true;
        }
    }
    return !claim_is_ours(claim_judge(port, old, self));
}

static void
consider_put(const struct context *c, const struct local_port *port,
             struct eth_addr mac)
{
    struct binding_changes *changes = c->changes;
    const struct model_binding *old = mapping_binding(c->mapping, port->net,
                                                      mac);

    if (is_anothers(c, old, port)) {
        return;
    }
    if (changes->n_puts >= changes->allocated_puts) {
        changes->puts = x2nrealloc(changes->puts, &changes->allocated_puts,
                                   sizeof *changes->puts);
    }

    struct binding_put *put = &changes->puts[changes->n_puts];
    memset(put, 0, sizeof *put);
    put->port = port;
    put->mac = mac;
    put->sequence = old ? old->sequence : 0;
    collect_addresses(c, put, (old && old->origin == MODEL_ORIGIN_DYNAMIC
                               && old->node == c->mapping->self->number
                               ? old : NULL));
    if (!is_registered(c, put, old)) {
        changes->n_puts++;
    }
}

/* True if 'binding', at this node, goes when its port does.  A static one then
 * waits for the next node that has its interface. */
static bool
is_of_port(const struct model_binding *binding)
{
    return (binding->origin == MODEL_ORIGIN_DYNAMIC
            || (binding->origin == MODEL_ORIGIN_STATIC && binding->iface_id
                && binding->port));
}

/* True if 'binding', one that is_of_port(), is out of date. */
static bool
is_obsolete(const struct context *c, const struct model_net *net,
            const struct model_binding *binding)
{
    const struct local_port *port
        = binding->port ? local_ports_find(c->ports, binding->port) : NULL;

    if (!port || port->vni != net->vni) {
        return true;
    }
    if (binding->origin == MODEL_ORIGIN_STATIC) {
        return !nullable_string_is_equal(binding->iface_id, port->iface_id);
    }
    if (port->has_mac) {
        return !eth_addr_equals(port->mac, binding->mac);
    }

    const struct learnt_mac *seen = learnt_find(c->learnt, net->vni,
                                                binding->mac);
    if (seen && (seen->present || seen->aged)) {
        return !seen->present;
    }
    /* Registered by an earlier run: it gets the time to speak. */
    return c->now >= c->learnt->since + FL_HARD_TIMEOUT * 1000LL;
}

/* 'binding' is at this node. */
static void
consider_remove(const struct context *c, const struct model_net *net,
                const struct model_binding *binding)
{
    struct binding_changes *changes = c->changes;

    if (!is_of_port(binding) || !is_obsolete(c, net, binding)) {
        return;
    }
    if (changes->n_removes >= changes->allocated_removes) {
        changes->removes = x2nrealloc(changes->removes,
                                      &changes->allocated_removes,
                                      sizeof *changes->removes);
    }
    changes->removes[changes->n_removes++] = (struct binding_remove) {
        .net = net->name, .mac = binding->mac };
}

void
binding_changes_compute(struct binding_changes *changes,
                        const struct mapping *mapping,
                        const struct local_ports *ports,
                        const struct learnt *learnt, long long int now)
{
    const struct context c = { changes, mapping, ports, learnt, now };
    const struct model_binding *binding;
    const struct learnt_mac *mac;

    memset(changes, 0, sizeof *changes);
    for (size_t i = 0; i < ports->n; i++) {
        const struct local_port *port = &ports->ports[i];
        if (port->has_mac && !port->host_port && port->ofport) {
            consider_put(&c, port, port->mac);
        }
    }
    HMAP_FOR_EACH (mac, node, &learnt->macs) {
        const struct local_port *port
            = mac->present ? local_ports_find_ofport(ports, mac->port) : NULL;
        if (port && !port->has_mac && port->vni == mac->vni) {
            consider_put(&c, port, mac->mac);
        }
    }
    MAPPING_FOR_EACH_AT (binding, mapping_place(mapping,
                                                mapping->self->number)) {
        consider_remove(&c, mapping_net(mapping, binding->net), binding);
    }
}

void
binding_changes_destroy(struct binding_changes *changes)
{
    free(changes->puts);
    free(changes->removes);
    memset(changes, 0, sizeof *changes);
}
