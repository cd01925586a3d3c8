/* SPDX-License-Identifier: Apache-2.0 */
/* The six kinds of object, described to code that treats them alike. */

#include <config.h>
#include "model/kind.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Functions that take the object by its type, made to take a void pointer. */
#define DEFINE_KIND_THUNKS(KIND)                                        \
    static char *                                                       \
    KIND##_from_json(const json_t *json, void *object)                  \
    {                                                                   \
        return model_##KIND##_from_json(json, object);                  \
    }                                                                   \
    static void                                                         \
    KIND##_destroy(void *object)                                        \
    {                                                                   \
        model_##KIND##_destroy(object);                                 \
    }                                                                   \
    static bool                                                         \
    KIND##_put(struct mapping *m, void *object)                         \
    {                                                                   \
        return mapping_put_##KIND(m, object);                           \
    }                                                                   \
    static void                                                         \
    KIND##_remove(struct mapping *m, void *object)                      \
    {                                                                   \
        mapping_remove_##KIND(m, object);                               \
    }
DEFINE_KIND_THUNKS(node)
DEFINE_KIND_THUNKS(net)
DEFINE_KIND_THUNKS(member)
DEFINE_KIND_THUNKS(binding)
DEFINE_KIND_THUNKS(key)
DEFINE_KIND_THUNKS(rule)

/* Nodes: by number. */

static json_t *
node_to_json(const void *node, enum model_view view)
{
    return model_node_to_json(node, view);
}

static void
node_format_key(const void *node_, struct ds *ds)
{
    const struct model_node *node = node_;
    ds_put_format(ds, "node %"PRIu32, node->number);
}

static json_t *
node_key_to_json(const void *node_)
{
    const struct model_node *node = node_;
    return json_integer(node->number);
}

static char *
node_find_by_key(const struct mapping *m, const json_t *json, void **object)
{
    json_int_t number = json_is_integer(json) ? json_integer_value(json) : 0;

    if (number < 1 || number > MODEL_NODE_MAX) {
        return xstrdup("not a node number");
    }
    *object = mapping_node(m, number);
    return NULL;
}

static void *
node_find_same(const struct mapping *m, const void *node_)
{
    const struct model_node *node = node_;
    return mapping_node(m, node->number);
}

/* vSubnets: by name. */

static json_t *
net_to_json(const void *net, enum model_view view OVS_UNUSED)
{
    return model_net_to_json(net);
}

static void
net_format_key(const void *net_, struct ds *ds)
{
    const struct model_net *net = net_;
    ds_put_format(ds, "vSubnet %s", net->name);
}

static json_t *
net_key_to_json(const void *net_)
{
    const struct model_net *net = net_;
    return json_string(net->name);
}

static char *
net_find_by_key(const struct mapping *m, const json_t *json, void **object)
{
    const char *name = json_string_value(json);
    char *error = (name ? model_check_name(name)
                   : xstrdup("not the name of a vSubnet"));

    if (!error) {
        *object = mapping_net(m, name);
    }
    return error;
}

static void *
net_find_same(const struct mapping *m, const void *net_)
{
    const struct model_net *net = net_;
    return mapping_net(m, net->name);
}

/* Members: by vSubnet and node. */

static json_t *
member_to_json(const void *member, enum model_view view OVS_UNUSED)
{
    return model_member_to_json(member);
}

static void
member_format_key(const void *member_, struct ds *ds)
{
    const struct model_member *member = member_;
    ds_put_format(ds, "member %"PRIu32" of vSubnet %s",
                  member->node, member->net);
}

static json_t *
member_key_to_json(const void *member_)
{
    const struct model_member *member = member_;
    return json_pack("{s:s, s:I}", "net", member->net,
                     "node", (json_int_t) member->node);
}

static char *
member_find_by_key(const struct mapping *m, const json_t *json, void **object)
{
    struct model_reader r;

    model_reader_init(&r, json);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    uint32_t node = model_reader_uint(&r, "node", MODEL_REQUIRED,
                                      1, MODEL_NODE_MAX);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (!error) {
        *object = mapping_member(m, net, node);
    }
    return error;
}

static void *
member_find_same(const struct mapping *m, const void *member_)
{
    const struct model_member *member = member_;
    return mapping_member(m, member->net, member->node);
}

/* Bindings: by vSubnet and MAC. */

static json_t *
binding_to_json(const void *binding, enum model_view view OVS_UNUSED)
{
    return model_binding_to_json(binding);
}

static void
binding_format_key(const void *binding_, struct ds *ds)
{
    const struct model_binding *binding = binding_;
    ds_put_format(ds, "binding "ETH_ADDR_FMT" of vSubnet %s",
                  ETH_ADDR_ARGS(binding->mac), binding->net);
}

static json_t *
binding_key_to_json(const void *binding_)
{
    const struct model_binding *binding = binding_;
    char mac[ETH_ADDR_STRLEN + 1];

    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac));
    return json_pack("{s:s, s:s}", "net", binding->net, "mac", mac);
}

static char *
binding_find_by_key(const struct mapping *m, const json_t *json,
                    void **object)
{
    struct model_reader r;
    struct eth_addr mac = eth_addr_zero;

    model_reader_init(&r, json);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    model_reader_mac(&r, "mac", MODEL_REQUIRED, &mac);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (!error) {
        *object = mapping_binding(m, net, mac);
    }
    return error;
}

static void *
binding_find_same(const struct mapping *m, const void *binding_)
{
    const struct model_binding *binding = binding_;
    return mapping_binding(m, binding->net, binding->mac);
}

/* Keys: by SPI. */

static json_t *
key_to_json(const void *key, enum model_view view)
{
    return model_key_to_json(key, view);
}

static void
key_format_key(const void *key_, struct ds *ds)
{
    const struct model_key *key = key_;
    ds_put_format(ds, "SPI %"PRIu32, key->spi);
}

static json_t *
key_key_to_json(const void *key_)
{
    const struct model_key *key = key_;
    return json_integer(key->spi);
}

static char *
key_find_by_key(const struct mapping *m, const json_t *json, void **object)
{
    json_int_t spi = json_is_integer(json) ? json_integer_value(json) : 0;

    if (spi < 1 || spi > UINT32_MAX) {
        return xstrdup("not an SPI");
    }
    *object = mapping_key(m, spi);
    return NULL;
}

static void *
key_find_same(const struct mapping *m, const void *key_)
{
    const struct model_key *key = key_;
    return mapping_key(m, key->spi);
}

/* Rules: by vSubnet and name. */

static json_t *
rule_to_json(const void *rule, enum model_view view OVS_UNUSED)
{
    return model_rule_to_json(rule);
}

static void
rule_format_key(const void *rule_, struct ds *ds)
{
    const struct model_rule *rule = rule_;
    ds_put_format(ds, "rule %s of vSubnet %s", rule->name, rule->net);
}

static json_t *
rule_key_to_json(const void *rule_)
{
    const struct model_rule *rule = rule_;
    return json_pack("{s:s, s:s}", "net", rule->net, "name", rule->name);
}

static char *
rule_find_by_key(const struct mapping *m, const json_t *json, void **object)
{
    struct model_reader r;

    model_reader_init(&r, json);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    const char *name = model_reader_name(&r, "name", MODEL_REQUIRED);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (!error) {
        *object = mapping_rule(m, net, name);
    }
    return error;
}

static void *
rule_find_same(const struct mapping *m, const void *rule_)
{
    const struct model_rule *rule = rule_;
    return mapping_rule(m, rule->net, rule->name);
}

#define KIND(NAME, TABLE, HMAP_NODE, MAX, NET_OFFSET, RECENT)           \
    {                                                                   \
        .plural = #NAME "s",                                            \
        .size = sizeof(struct model_##NAME),                            \
        .max = MAX,                                                     \
        .recent = RECENT,                                               \
        .revision_offset = offsetof(struct model_##NAME, revision),     \
        .net_offset = NET_OFFSET,                                       \
        .table_offset = offsetof(struct mapping, TABLE),                \
        .node_offset = offsetof(struct model_##NAME, HMAP_NODE),        \
        .from_json = NAME##_from_json,                                  \
        .to_json = NAME##_to_json,                                      \
        .destroy = NAME##_destroy,                                      \
        .format_key = NAME##_format_key,                                \
        .key_to_json = NAME##_key_to_json,                              \
        .find_by_key = NAME##_find_by_key,                              \
        .find_same = NAME##_find_same,                                  \
        .put = NAME##_put,                                              \
        .remove = NAME##_remove,                                        \
    }

/* The limits are those of a keyring file. */
const struct model_kind model_kinds[N_KINDS] = {
    [KIND_NODE] = KIND(node, nodes, by_number, 65536, 0, false),
    [KIND_NET] = KIND(net, nets, by_name, 65536, 0, false),
    [KIND_MEMBER] = KIND(member, members, by_key, 1048576,
                         offsetof(struct model_member, net), false),
    [KIND_BINDING] = KIND(binding, bindings, by_key, 1048576,
                          offsetof(struct model_binding, net), false),
    [KIND_KEY] = KIND(key, keys, by_spi, 1048576,
                      offsetof(struct model_key, net), false),
    [KIND_RULE] = KIND(rule, rules, by_key, 1048576,
                       offsetof(struct model_rule, net), true),
};
