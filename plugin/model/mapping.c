/* SPDX-License-Identifier: Apache-2.0 */
/* The container: tables, lookups, insertion and removal. */

#include <config.h>
#include "model/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

static uint32_t
hash_net_node(const char *net, uint32_t node)
{
    return hash_string(net, node);
}

static uint32_t
hash_net_mac(const char *net, struct eth_addr mac)
{
    return hash_string(net, hash_mac(mac, 0, 0));
}

static uint32_t
hash_net_name(const char *net, const char *name)
{
    return hash_string(net, hash_string(name, 0));
}

struct mapping *
mapping_create(void)
{
    struct mapping *m = xzalloc(sizeof *m);

    hmap_init(&m->nodes);
    hmap_init(&m->node_ids);
    hmap_init(&m->nets);
    hmap_init(&m->vnis);
    hmap_init(&m->members);
    hmap_init(&m->bindings);
    hmap_init(&m->ifaces);
    hmap_init(&m->places);
    hmap_init(&m->keys);
    hmap_init(&m->rules);
    return m;
}

void
mapping_destroy(struct mapping *m)
{
    struct model_node *node;
    struct model_net *net;

    if (!m) {
        return;
    }
    HMAP_FOR_EACH_SAFE (net, by_name, &m->nets) {
        mapping_remove_net(m, net);
    }
    HMAP_FOR_EACH_SAFE (node, by_number, &m->nodes) {
        mapping_remove_node(m, node);
    }
    hmap_destroy(&m->nodes);
    hmap_destroy(&m->node_ids);
    hmap_destroy(&m->nets);
    hmap_destroy(&m->vnis);
    hmap_destroy(&m->members);
    hmap_destroy(&m->bindings);
    hmap_destroy(&m->ifaces);
    hmap_destroy(&m->places);
    hmap_destroy(&m->keys);
    hmap_destroy(&m->rules);
    free(m);
}

/* Lookups. */

struct model_node *
mapping_node(const struct mapping *m, uint32_t number)
{
    struct model_node *node;

    HMAP_FOR_EACH_WITH_HASH (node, by_number, hash_int(number, 0),
                             &m->nodes) {
        if (node->number == number) {
            return node;
        }
    }
    return NULL;
}

struct model_node *
mapping_node_by_id(const struct mapping *m, const struct uuid *id)
{
    struct model_node *node;

    HMAP_FOR_EACH_WITH_HASH (node, by_id, uuid_hash(id), &m->node_ids) {
        if (uuid_equals(&node->id, id)) {
            return node;
        }
    }
    return NULL;
}

struct model_net *
mapping_net(const struct mapping *m, const char *name)
{
    struct model_net *net;

    HMAP_FOR_EACH_WITH_HASH (net, by_name, hash_string(name, 0), &m->nets) {
        if (!strcmp(net->name, name)) {
            return net;
        }
    }
    return NULL;
}

struct model_net *
mapping_net_by_vni(const struct mapping *m, uint32_t vni)
{
    struct model_net *net;

    HMAP_FOR_EACH_WITH_HASH (net, by_vni, hash_int(vni, 0), &m->vnis) {
        if (net->vni == vni) {
            return net;
        }
    }
    return NULL;
}

struct model_member *
mapping_member(const struct mapping *m, const char *net, uint32_t node)
{
    struct model_member *member;

    HMAP_FOR_EACH_WITH_HASH (member, by_key, hash_net_node(net, node),
                             &m->members) {
        if (member->node == node && !strcmp(member->net, net)) {
            return member;
        }
    }
    return NULL;
}

struct model_binding *
mapping_binding(const struct mapping *m, const char *net, struct eth_addr mac)
{
    struct model_binding *binding;

    HMAP_FOR_EACH_WITH_HASH (binding, by_key, hash_net_mac(net, mac),
                             &m->bindings) {
        if (eth_addr_equals(binding->mac, mac)
            && !strcmp(binding->net, net)) {
            return binding;
        }
    }
    return NULL;
}

struct model_binding *
mapping_binding_by_iface(const struct mapping *m, const char *iface_id)
{
    struct model_binding *binding;

    HMAP_FOR_EACH_WITH_HASH (binding, by_iface, hash_string(iface_id, 0),
                             &m->ifaces) {
        if (!strcmp(binding->iface_id, iface_id)) {
            return binding;
        }
    }
    return NULL;
}

struct model_key *
mapping_key(const struct mapping *m, uint32_t spi)
{
    struct model_key *key;

    HMAP_FOR_EACH_WITH_HASH (key, by_spi, hash_int(spi, 0), &m->keys) {
        if (key->spi == spi) {
            return key;
        }
    }
    return NULL;
}

uint32_t
mapping_rule_hash(const char *name)
{
    return hash_string(name, 0);
}

struct model_rule *
mapping_rule(const struct mapping *m, const char *net, const char *name)
{
    struct model_rule *rule;

    HMAP_FOR_EACH_WITH_HASH (rule, by_key, hash_net_name(net, name),
                             &m->rules) {
        if (!strcmp(rule->name, name) && !strcmp(rule->net, net)) {
            return rule;
        }
    }
    return NULL;
}

const struct mapping_place *
mapping_place(const struct mapping *m, uint32_t node)
{
    const struct mapping_place *place;

    HMAP_FOR_EACH_WITH_HASH (place, by_node, hash_int(node, 0), &m->places) {
        if (place->node == node) {
            return place;
        }
    }
    return NULL;
}

static void
enter_place(struct mapping *m, struct model_binding *binding)
{
    struct mapping_place *place
        = CONST_CAST(struct mapping_place *, mapping_place(m, binding->node));

    if (!place) {
        place = xmalloc(sizeof *place);
        place->node = binding->node;
        ovs_list_init(&place->bindings);
        hmap_insert(&m->places, &place->by_node, hash_int(place->node, 0));
    }
    ovs_list_push_back(&place->bindings, &binding->at_node);
}

static void
leave_place(struct mapping *m, struct model_binding *binding)
{
    struct mapping_place *place
        = CONST_CAST(struct mapping_place *, mapping_place(m, binding->node));

    ovs_list_remove(&binding->at_node);
    if (ovs_list_is_empty(&place->bindings)) {
        hmap_remove(&m->places, &place->by_node);
        free(place);
    }
}

/* Removal. */

void
mapping_remove_node(struct mapping *m, struct model_node *node)
{
    hmap_remove(&m->nodes, &node->by_number);
    hmap_remove(&m->node_ids, &node->by_id);
    if (m->self == node) {
        m->self = NULL;
    }
    model_node_destroy(node);
    free(node);
}

void
mapping_remove_member(struct mapping *m, struct model_member *member)
{
    hmap_remove(&m->members, &member->by_key);
    hmap_remove(&mapping_net(m, member->net)->members, &member->in_net);
    model_member_destroy(member);
    free(member);
}

void
mapping_remove_binding(struct mapping *m, struct model_binding *binding)
{
    hmap_remove(&m->bindings, &binding->by_key);
    hmap_remove(&mapping_net(m, binding->net)->bindings, &binding->in_net);
    if (binding->iface_id) {
        hmap_remove(&m->ifaces, &binding->by_iface);
    }
    if (binding->node) {
        leave_place(m, binding);
    }
    model_binding_destroy(binding);
    free(binding);
}

void
mapping_remove_key(struct mapping *m, struct model_key *key)
{
    hmap_remove(&m->keys, &key->by_spi);
    hmap_remove(&mapping_net(m, key->net)->keys, &key->in_net);
    model_key_destroy(key);
    free(key);
}

void
mapping_remove_rule(struct mapping *m, struct model_rule *rule)
{
    hmap_remove(&m->rules, &rule->by_key);
    hmap_remove(&mapping_net(m, rule->net)->rules, &rule->in_net);
    model_rule_destroy(rule);
    free(rule);
}

void
mapping_remove_net(struct mapping *m, struct model_net *net)
{
    struct model_binding *binding;
    struct model_member *member;
    struct model_rule *rule;
    struct model_key *key;

    HMAP_FOR_EACH_SAFE (member, in_net, &net->members) {
        mapping_remove_member(m, member);
    }
    HMAP_FOR_EACH_SAFE (binding, in_net, &net->bindings) {
        mapping_remove_binding(m, binding);
    }
    HMAP_FOR_EACH_SAFE (key, in_net, &net->keys) {
        mapping_remove_key(m, key);
    }
    HMAP_FOR_EACH_SAFE (rule, in_net, &net->rules) {
        mapping_remove_rule(m, rule);
    }
    hmap_remove(&m->nets, &net->by_name);
    hmap_remove(&m->vnis, &net->by_vni);
    model_net_destroy(net);
    free(net);
}

/* Insertion. */

bool
mapping_put_node(struct mapping *m, struct model_node *node)
{
    struct model_node *old = mapping_node(m, node->number);
    bool is_self = old && old == m->self;

    if (old) {
        mapping_remove_node(m, old);
    }
    hmap_insert(&m->nodes, &node->by_number, hash_int(node->number, 0));
    hmap_insert(&m->node_ids, &node->by_id, uuid_hash(&node->id));
    if (is_self) {
        m->self = node;
    }
    return true;
}

/* NET takes over what lives in the vSubnet that it replaces. */
bool
mapping_put_net(struct mapping *m, struct model_net *net)
{
    struct model_net *old = mapping_net(m, net->name);
    struct model_net *other = mapping_net_by_vni(m, net->vni);

    if (other && other != old) {
        return false;
    }
    if (old) {
        hmap_swap(&old->members, &net->members);
        hmap_swap(&old->bindings, &net->bindings);
        hmap_swap(&old->keys, &net->keys);
        hmap_swap(&old->rules, &net->rules);
        mapping_remove_net(m, old);
    }
    hmap_insert(&m->nets, &net->by_name, hash_string(net->name, 0));
    hmap_insert(&m->vnis, &net->by_vni, hash_int(net->vni, 0));
    return true;
}

bool
mapping_put_member(struct mapping *m, struct model_member *member)
{
    struct model_net *net = mapping_net(m, member->net);
    struct model_member *old = mapping_member(m, member->net, member->node);

    if (!net) {
        return false;
    }
    if (old) {
        mapping_remove_member(m, old);
    }
    hmap_insert(&m->members, &member->by_key,
                hash_net_node(member->net, member->node));
    hmap_insert(&net->members, &member->in_net, hash_int(member->node, 0));
    return true;
}

bool
mapping_put_binding(struct mapping *m, struct model_binding *binding)
{
    struct model_net *net = mapping_net(m, binding->net);
    struct model_binding *old = mapping_binding(m, binding->net,
                                                binding->mac);

    if (!net) {
        return false;
    }
    if (old) {
        mapping_remove_binding(m, old);
    }
    hmap_insert(&m->bindings, &binding->by_key,
                hash_net_mac(binding->net, binding->mac));
    hmap_insert(&net->bindings, &binding->in_net,
                hash_mac(binding->mac, 0, 0));
    if (binding->iface_id) {
        hmap_insert(&m->ifaces, &binding->by_iface,
                    hash_string(binding->iface_id, 0));
    }
    if (binding->node) {
        enter_place(m, binding);
    }
    return true;
}

bool
mapping_put_key(struct mapping *m, struct model_key *key)
{
    struct model_net *net = mapping_net(m, key->net);
    struct model_key *old = mapping_key(m, key->spi);

    if (!net) {
        return false;
    }
    if (old) {
        mapping_remove_key(m, old);
    }
    hmap_insert(&m->keys, &key->by_spi, hash_int(key->spi, 0));
    hmap_insert(&net->keys, &key->in_net, hash_int(key->spi, 0));
    return true;
}

bool
mapping_put_rule(struct mapping *m, struct model_rule *rule)
{
    struct model_net *net = mapping_net(m, rule->net);
    struct model_rule *old = mapping_rule(m, rule->net, rule->name);

    if (!net) {
        return false;
    }
    if (old) {
        mapping_remove_rule(m, old);
    }
    hmap_insert(&m->rules, &rule->by_key,
                hash_net_name(rule->net, rule->name));
    hmap_insert(&net->rules, &rule->in_net, mapping_rule_hash(rule->name));
    return true;
}
