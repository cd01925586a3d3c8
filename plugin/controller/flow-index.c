/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that the bridge should have, kept up to date. */
#include <config.h>
#include "controller/flow-index.h"

#include <stdlib.h>
#include <string.h>

#include "controller/local-port.h"
#include "hash.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* The parts of one VNI. */
struct flow_net {
    struct hmap_node node;      /* In struct flow_index's 'nets'. */
    uint32_t vni;
    char *labels;               /* That the bindings' flows were made with. */
    struct flow_part part;      /* The vSubnet's. */
    struct flow_part rules;
    struct hmap bindings;       /* Contains "struct binding_part"s. */
};

/* There are many of these, of few flows each: so these stand behind it. */
struct binding_part {
    struct hmap_node node;      /* In struct flow_net's 'bindings'. */
    struct eth_addr mac;
    uint16_t n;
    struct flow_entry *flows[];
};

void
flow_index_init(struct flow_index *index)
{
    memset(index, 0, sizeof *index);
    flow_set_init(&index->flows);
    flow_set_init(&index->touched);
    hmap_init(&index->nets);
    hmap_init(&index->shadowed);
}

void
flow_index_settle(struct flow_index *index)
{
    index->all_touched = false;
    flow_set_clear(&index->touched);
}

static void
touch(struct flow_index *index, const struct flow_entry *key)
{
    if (!index->all_touched && !flow_set_find(&index->touched, key)) {
        flow_set_add(&index->touched, flow_entry_ref(key));
    }
}

/* Which of the flows with one key is in 'flows'. */

/* Returns the best of those that are not. */
static struct flow_slot *
find_shadowed(const struct flow_index *index, const struct flow_entry *key)
{
    struct flow_slot *slot, *best = NULL;

    HMAP_FOR_EACH_WITH_HASH (slot, node, key->hash, &index->shadowed) {
        if (flow_entry_same_key(slot->flow, key)
            && (!best || slot->flow->rank < best->flow->rank)) {
            best = slot;
        }
    }
    return best;
}

static bool
is_shadowed_at(const struct flow_index *index, const struct flow_entry *flow)
{
    const struct flow_slot *slot;

    HMAP_FOR_EACH_WITH_HASH (slot, node, flow->hash, &index->shadowed) {
        if (slot->flow->rank == flow->rank
            && flow_entry_same_key(slot->flow, flow)) {
            return true;
        }
    }
    return false;
}

static void
shadow(struct flow_index *index, const struct flow_entry *flow)
{
    struct flow_slot *slot = xmalloc(sizeof *slot);

    slot->flow = flow_entry_ref(flow);
    hmap_insert(&index->shadowed, &slot->node, flow->hash);
}

static void
unshadow(struct flow_index *index, struct flow_slot *slot)
{
    hmap_remove(&index->shadowed, &slot->node);
    flow_entry_unref(slot->flow);
    free(slot);
}

/* A part has 'flow' now.  Returns false if an earlier one of the same part
 * has the same key: then this one does not count. */
static bool
claim(struct flow_index *index, const struct flow_entry *flow)
{
    const struct flow_entry *other = flow_set_find(&index->flows, flow);

    if (other && other->rank <= flow->rank) {
        if (other->rank == flow->rank || is_shadowed_at(index, flow)) {
            return false;
        }
        shadow(index, flow);
        return true;
    }
    if (other) {
        shadow(index, other);
    }
    flow_set_replace(&index->flows, flow_entry_ref(flow));
    touch(index, flow);
    return true;
}

/* A part does not have 'flow' any more. */
static void
disclaim(struct flow_index *index, const struct flow_entry *flow)
{
    struct flow_slot *slot;

    if (flow_set_find(&index->flows, flow) == flow) {
        slot = find_shadowed(index, flow);
        if (slot) {
            flow_set_replace(&index->flows, flow_entry_ref(slot->flow));
            unshadow(index, slot);
        } else {
            flow_set_remove(&index->flows, flow);
        }
        touch(index, flow);
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (slot, node, flow->hash, &index->shadowed) {
        if (slot->flow == flow) {
            unshadow(index, slot);
            return;
        }
    }
    OVS_NOT_REACHED();
}

static void
disclaim_all(struct flow_index *index, struct flow_entry **flows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        disclaim(index, flows[i]);
        flow_entry_unref(flows[i]);
    }
}

/* Claims what is in 'list' and removes from it what does not count. */
static void
claim_list(struct flow_index *index, struct flow_list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        struct flow_entry *flow = list->flows[i];

        if (claim(index, flow)) {
            list->flows[n++] = flow;
        } else {
            flow_entry_unref(flow);
        }
    }
    list->n = n;
}

/* Parts. */

static void
part_clear(struct flow_index *index, struct flow_part *part)
{
    disclaim_all(index, part->flows, part->n);
    free(part->flows);
    *part = (struct flow_part) { NULL, 0 };
}

/* Gives 'part', which is empty, what is in 'list'. */
static void
part_set(struct flow_index *index, struct flow_part *part,
         struct flow_list *list)
{
    claim_list(index, list);
    part->n = list->n;
    part->flows = xmemdup(list->flows, list->n * sizeof *list->flows);
    list->n = 0;
}

static struct flow_net *
find_net(const struct flow_index *index, uint32_t vni)
{
    struct flow_net *fn;

    HMAP_FOR_EACH_WITH_HASH (fn, node, hash_int(vni, 0), &index->nets) {
        if (fn->vni == vni) {
            return fn;
        }
    }
    return NULL;
}

static struct binding_part *
find_binding(const struct flow_net *fn, struct eth_addr mac)
{
    struct binding_part *part;

    HMAP_FOR_EACH_WITH_HASH (part, node, hash_mac(mac, 0, 0), &fn->bindings) {
        if (eth_addr_equals(part->mac, mac)) {
            return part;
        }
    }
    return NULL;
}

static void
remove_binding(struct flow_index *index, struct flow_net *fn,
               struct binding_part *part)
{
    hmap_remove(&fn->bindings, &part->node);
    disclaim_all(index, part->flows, part->n);
    free(part);
}

static void
remove_net(struct flow_index *index, struct flow_net *fn)
{
    struct binding_part *part;

    HMAP_FOR_EACH_SAFE (part, node, &fn->bindings) {
        remove_binding(index, fn, part);
    }
    part_clear(index, &fn->part);
    part_clear(index, &fn->rules);
    hmap_destroy(&fn->bindings);
    hmap_remove(&index->nets, &fn->node);
    free(fn->labels);
    free(fn);
}

/* Composing. */

struct update {
    struct flow_index *index;
    const struct flow_input *input;
    struct flow_list list;      /* Empty between uses. */

    /* VNIs, sorted, of vSubnets of which all parts, the vSubnet's own part,
     * and its rules are to be composed again. */
    struct vni_list { uint32_t *vnis; size_t n, allocated; } whole, rows,
                                                             rules;
};

static void
compose_base(struct update *u)
{
    part_clear(u->index, &u->index->base);
    flow_desired_base(u->input, &u->list);
    part_set(u->index, &u->index->base, &u->list);
}

static void
compose_net(struct update *u, struct flow_net *fn,
            const struct model_net *net)
{
    part_clear(u->index, &fn->part);
    flow_desired_net(u->input, net, &u->list);
    part_set(u->index, &fn->part, &u->list);
}

static void
compose_rules(struct update *u, struct flow_net *fn,
              const struct model_net *net)
{
    part_clear(u->index, &fn->rules);
    flow_desired_rules(u->input, net, &u->list);
    part_set(u->index, &fn->rules, &u->list);
}

/* The binding has no part in 'fn'. */
static void
compose_binding(struct update *u, struct flow_net *fn,
                const struct model_net *net,
                const struct model_binding *binding)
{
    flow_desired_binding(u->input, net, binding, &u->list);
    claim_list(u->index, &u->list);
    if (!u->list.n) {
        return;
    }

    size_t size = u->list.n * sizeof *u->list.flows;
    struct binding_part *part = xmalloc(sizeof *part + size);
    part->mac = binding->mac;
    part->n = u->list.n;
    memcpy(part->flows, u->list.flows, size);
    hmap_insert(&fn->bindings, &part->node, hash_mac(part->mac, 0, 0));
    u->list.n = 0;
}

/* The labels of 'net' in a string, to be compared. */
static char *
labels_string(const struct model_net *net)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < net->n_labels; i++) {
        ds_put_format(&s, "%s,", net->labels[i]);
    }
    return ds_steal_cstr(&s);
}

static void
compose_whole(struct update *u, const struct model_net *net)
{
    struct flow_net *fn = xzalloc(sizeof *fn);
    const struct model_binding *binding;

    fn->vni = net->vni;
    fn->labels = labels_string(net);
    hmap_init(&fn->bindings);
    hmap_insert(&u->index->nets, &fn->node, hash_int(fn->vni, 0));
    compose_net(u, fn, net);
    compose_rules(u, fn, net);
    HMAP_FOR_EACH (binding, in_net, &net->bindings) {
        compose_binding(u, fn, net, binding);
    }
}

static void
compose_all(struct update *u)
{
    struct flow_index *index = u->index;
    const struct model_net *net;
    struct flow_net *fn;

    index->all_touched = true;
    flow_set_clear(&index->touched);
    HMAP_FOR_EACH_SAFE (fn, node, &index->nets) {
        remove_net(index, fn);
    }
    compose_base(u);
    HMAP_FOR_EACH (net, by_name, &u->input->mapping->nets) {
        compose_whole(u, net);
    }
}

/* Lists of VNIs. */

static void
vni_list_add(struct vni_list *list, uint32_t vni)
{
    if (list->n && list->vnis[list->n - 1] == vni) {
        return;
    }
    if (list->n >= list->allocated) {
        list->vnis = x2nrealloc(list->vnis, &list->allocated,
                                sizeof *list->vnis);
    }
    list->vnis[list->n++] = vni;
}

static int
compare_vnis(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

static void
vni_list_sort(struct vni_list *list)
{
    size_t n = 0;

    if (list->n) {
        qsort(list->vnis, list->n, sizeof *list->vnis, compare_vnis);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!n || list->vnis[i] != list->vnis[n - 1]) {
            list->vnis[n++] = list->vnis[i];
        }
    }
    list->n = n;
}

static bool
vni_list_contains(const struct vni_list *list, uint32_t vni)
{
    return list->n && bsearch(&vni, list->vnis, list->n, sizeof *list->vnis,
                              compare_vnis);
}

/* Changes. */

static bool
is_local_mac(const struct flow_input *input, uint32_t vni,
             struct eth_addr mac)
{
    for (size_t i = 0; i < input->ports->n; i++) {
        const struct local_port *port = &input->ports->ports[i];

        if (port->vni == vni && port->has_mac
            && eth_addr_equals(port->mac, mac)) {
            return true;
        }
    }
    return false;
}

static void
update_binding(struct update *u, uint32_t vni, struct eth_addr mac)
{
    const struct model_net *net = mapping_net_by_vni(u->input->mapping, vni);
    struct flow_net *fn = find_net(u->index, vni);

    if (!net || !fn || vni_list_contains(&u->whole, vni)) {
        return;
    }

    struct binding_part *part = find_binding(fn, mac);
    if (part) {
        remove_binding(u->index, fn, part);
    }
    const struct model_binding *binding
        = mapping_binding(u->input->mapping, net->name, mac);
    if (binding) {
        compose_binding(u, fn, net, binding);
    }
    if (is_local_mac(u->input, vni, mac)) {
        vni_list_add(&u->rows, vni);
    }
}

/* If labels have other numbers now, rules and bindings that have labels are to
 * be composed again. */
static void
update_labels(struct update *u, struct flow_net *fn,
              const struct model_net *net)
{
    char *labels = labels_string(net);
    const struct model_binding *binding;

    if (!strcmp(labels, fn->labels)) {
        free(labels);
        return;
    }
    free(fn->labels);
    fn->labels = labels;
    vni_list_add(&u->rules, fn->vni);
    HMAP_FOR_EACH (binding, in_net, &net->bindings) {
        if (binding->n_labels) {
            struct binding_part *part = find_binding(fn, binding->mac);

            if (part) {
                remove_binding(u->index, fn, part);
            }
            compose_binding(u, fn, net, binding);
        }
    }
}

static void
update_row(struct update *u, uint32_t vni)
{
    const struct model_net *net = mapping_net_by_vni(u->input->mapping, vni);
    struct flow_net *fn = find_net(u->index, vni);

    if (net && fn && !vni_list_contains(&u->whole, vni)) {
        update_labels(u, fn, net);
        compose_net(u, fn, net);
    }
}

static void
update_rules(struct update *u, uint32_t vni)
{
    const struct model_net *net = mapping_net_by_vni(u->input->mapping, vni);
    struct flow_net *fn = find_net(u->index, vni);

    if (net && fn && !vni_list_contains(&u->whole, vni)) {
        compose_rules(u, fn, net);
    }
}

static void
update_whole(struct update *u, uint32_t vni)
{
    const struct model_net *net = mapping_net_by_vni(u->input->mapping, vni);
    struct flow_net *fn = find_net(u->index, vni);

    if (fn) {
        remove_net(u->index, fn);
    }
    if (net) {
        compose_whole(u, net);
    }
}

static void
update_touched(struct update *u, const struct mapping_touches *touches)
{
    for (size_t i = 0; i < touches->n; i++) {
        const struct mapping_touch *t = &touches->touches[i];

        if (t->type == MAPPING_TOUCH_NET) {
            vni_list_add(&u->whole, t->vni);
        } else if (t->type == MAPPING_TOUCH_NET_ROW) {
            vni_list_add(&u->rows, t->vni);
        } else if (t->type == MAPPING_TOUCH_RULES) {
            /* The first and last rule make a difference to the vSubnet. */
            vni_list_add(&u->rows, t->vni);
            vni_list_add(&u->rules, t->vni);
        }
    }
    vni_list_sort(&u->whole);
    for (size_t i = 0; i < touches->n; i++) {
        const struct mapping_touch *t = &touches->touches[i];

        if (t->type == MAPPING_TOUCH_BINDING) {
            update_binding(u, t->vni, t->mac);
        }
    }
    vni_list_sort(&u->rows);
    for (size_t i = 0; i < u->rows.n; i++) {
        update_row(u, u->rows.vnis[i]);
    }
    vni_list_sort(&u->rules);
    for (size_t i = 0; i < u->rules.n; i++) {
        update_rules(u, u->rules.vnis[i]);
    }
    for (size_t i = 0; i < u->whole.n; i++) {
        update_whole(u, u->whole.vnis[i]);
    }
}

static uint32_t
hash_endpoints(const struct model_node *node)
{
    uint32_t hash = 0;

    for (size_t i = 0; node && i < node->n_endpoints; i++) {
        hash = hash_bytes(&node->endpoints[i].ip, sizeof(struct in6_addr),
                          hash + node->endpoints[i].port);
    }
    return hash;
}

void
flow_index_update(struct flow_index *index, const struct flow_input *input,
                  const struct mapping_touches *touches)
{
    const struct model_node *self = input->mapping->self;
    uint32_t number = self ? self->number : 0;
    uint32_t endpoints = hash_endpoints(self);
    struct update u = { .index = index, .input = input };

    if (!index->valid || touches->all || input->tunnel != index->tunnel
        || number != index->self || endpoints != index->endpoints) {
        compose_all(&u);
        index->valid = true;
        index->tunnel = input->tunnel;
        index->self = number;
        index->endpoints = endpoints;
    } else {
        update_touched(&u, touches);
    }
    flow_list_destroy(&u.list);
    free(u.whole.vnis);
    free(u.rows.vnis);
    free(u.rules.vnis);
}

void
flow_index_destroy(struct flow_index *index)
{
    struct flow_net *fn;

    index->all_touched = true;
    HMAP_FOR_EACH_SAFE (fn, node, &index->nets) {
        remove_net(index, fn);
    }
    part_clear(index, &index->base);
    flow_set_destroy(&index->flows);
    flow_set_destroy(&index->touched);
    hmap_destroy(&index->nets);
    hmap_destroy(&index->shadowed);
}

/* Local ports. */

/* 'port' has come, gone, or become another. */
static void
touch_port(struct mapping_touches *touches, const struct mapping *mapping,
           const struct local_port *port)
{
    const struct model_binding *binding;
    uint32_t self = mapping->self ? mapping->self->number : 0;

    mapping_touches_add(touches, MAPPING_TOUCH_NET_ROW, port->vni,
                        eth_addr_zero);
    MAPPING_FOR_EACH_AT (binding, mapping_place(mapping, self)) {
        if (binding->port && !strcmp(binding->port, port->name)) {
            mapping_touches_add(touches, MAPPING_TOUCH_BINDING,
                                mapping_net(mapping, binding->net)->vni,
                                binding->mac);
        }
    }
}

void
flow_index_touch_ports(struct mapping_touches *touches,
                       const struct mapping *mapping,
                       const struct local_ports *old,
                       const struct local_ports *new)
{
    size_t i = 0, j = 0;

    while (i < old->n || j < new->n) {
        const struct local_port *a = i < old->n ? &old->ports[i] : NULL;
        const struct local_port *b = j < new->n ? &new->ports[j] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

        i += order <= 0;
        j += order >= 0;
        if (order || !local_port_equal(a, b)) {
            if (order <= 0) {
                touch_port(touches, mapping, a);
            }
            if (order >= 0) {
                touch_port(touches, mapping, b);
            }
        }
    }
}
