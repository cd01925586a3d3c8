/* SPDX-License-Identifier: Apache-2.0 */
/* Node, member, binding and key: structs, and JSON both ways. */

#include <config.h>
#include "model/object.h"

#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/reader.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

/* Words. */

static const char *const state_names[] = {
    [MODEL_NODE_PENDING] = "pending",
    [MODEL_NODE_APPROVED] = "approved",
    [MODEL_NODE_REVOKED] = "revoked",
};

static const char *const origin_names[] = {
    [MODEL_ORIGIN_HOST] = "host",
    [MODEL_ORIGIN_STATIC] = "static",
    [MODEL_ORIGIN_DYNAMIC] = "dynamic",
};

static int
find_word(const char *const words[], int n, const char *s)
{
    for (int i = 0; i < n; i++) {
        if (!strcmp(s, words[i])) {
            return i;
        }
    }
    return -1;
}

const char *
model_node_state_name(enum model_node_state state)
{
    return state_names[state];
}

char *
model_node_state_parse(const char *s, enum model_node_state *state)
{
    int i = find_word(state_names, ARRAY_SIZE(state_names), s);

    if (i < 0) {
        return xasprintf("%.60s: not a state of a node (pending, approved or "
                         "revoked)", s);
    }
    *state = i;
    return NULL;
}

const char *
model_origin_name(enum model_origin origin)
{
    return origin_names[origin];
}

char *
model_origin_parse(const char *s, enum model_origin *origin)
{
    int i = find_word(origin_names, ARRAY_SIZE(origin_names), s);

    if (i < 0) {
        return xasprintf("%.60s: not an origin (host, static or dynamic)", s);
    }
    *origin = i;
    return NULL;
}

/* Node. */

static json_t *
origin_to_json(const struct uuid *origin)
{
    char id[UUID_LEN + 1];

    snprintf(id, sizeof id, UUID_FMT, UUID_ARGS(origin));
    return model_string_or_null(uuid_is_zero(origin) ? NULL : id);
}

json_t *
model_node_to_json(const struct model_node *node, enum model_view view)
{
    struct in6_addr ip;
    struct model_address tunnel = { .plen = -1 };
    char tunnel_s[MODEL_ADDRESS_STRLEN];
    char id[UUID_LEN + 1];

    in6_addr_set_mapped_ipv4(&ip, model_tunnel_address(node->number));
    tunnel.ip = ip;
    snprintf(id, sizeof id, UUID_FMT, UUID_ARGS(&node->id));

    json_t *json = json_pack(
        "{s:o, s:s, s:I, s:s, s:s, s:o, s:s}",
        "revision", model_revision_to_json(node->revision),
        "id", id,
        "number", (json_int_t) node->number,
        "name", node->name,
        "state", model_node_state_name(node->state),
        "endpoints", model_endpoints_to_json(node->endpoints,
                                             node->n_endpoints),
        "tunnel_address", model_address_string(&tunnel, tunnel_s));
    if (view == MODEL_VIEW_OPERATOR
        || (view != MODEL_VIEW_NODE && !uuid_is_zero(&node->origin))) {
        json_object_set_new(json, "origin", origin_to_json(&node->origin));
    }
    if (view == MODEL_VIEW_OPERATOR) {
        json_object_set_new(json, "fingerprint",
                            model_string_or_null(node->fingerprint));
        json_object_set_new(json, "created",
                            model_string_or_null(node->created));
        json_object_set_new(json, "connected", json_boolean(node->connected));
    }
    return json;
}

static enum model_node_state
read_state(struct model_reader *r)
{
    enum model_node_state state = MODEL_NODE_PENDING;
    const char *s = model_reader_string(r, "state", MODEL_REQUIRED);
    char *error = s ? model_node_state_parse(s, &state) : NULL;

    if (error) {
        model_reader_fail(r, "state", error);
    }
    return state;
}

char *
model_node_from_json(const json_t *json, struct model_node *nodep)
{
    struct model_node node = { .number = 0 };
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &node.revision);
    model_reader_uuid(&r, "id", MODEL_REQUIRED, &node.id);
    node.number = model_reader_uint(&r, "number", MODEL_REQUIRED,
                                    1, MODEL_NODE_MAX);
    const char *name = model_reader_name(&r, "name", MODEL_REQUIRED);
    node.state = read_state(&r);
    node.n_endpoints = model_reader_endpoints(&r, "endpoints", MODEL_OPTIONAL,
                                              &node.endpoints);
    model_reader_uuid(&r, "origin", MODEL_OPTIONAL, &node.origin);
    const char *fingerprint = model_reader_string(&r, "fingerprint",
                                                  MODEL_OPTIONAL);
    const char *created = model_reader_string(&r, "created", MODEL_OPTIONAL);
    node.connected = model_reader_bool(&r, "connected", MODEL_OPTIONAL);

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        free(node.endpoints);
        return error;
    }
    node.name = xstrdup(name);
    node.fingerprint = nullable_xstrdup(fingerprint);
    node.created = nullable_xstrdup(created);
    *nodep = node;
    return NULL;
}

void
model_node_destroy(struct model_node *node)
{
    free(node->name);
    free(node->endpoints);
    free(node->fingerprint);
    free(node->created);
}

/* Member. */

json_t *
model_member_to_json(const struct model_member *member)
{
    return json_pack(
        "{s:o, s:s, s:I, s:b}",
        "revision", model_revision_to_json(member->revision),
        "net", member->net,
        "node", (json_int_t) member->node,
        "host_port", (int) member->host_port);
}

char *
model_member_from_json(const json_t *json, struct model_member *memberp)
{
    struct model_member member = { .node = 0 };
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &member.revision);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    member.node = model_reader_uint(&r, "node", MODEL_REQUIRED,
                                    1, MODEL_NODE_MAX);
    member.host_port = model_reader_bool(&r, "host_port", MODEL_OPTIONAL);

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        return error;
    }
    member.net = xstrdup(net);
    *memberp = member;
    return NULL;
}

void
model_member_destroy(struct model_member *member)
{
    free(member->net);
}

/* Binding. */

void
model_binding_init(struct model_binding *binding)
{
    *binding = (struct model_binding) {
        .origin = MODEL_ORIGIN_DYNAMIC,
        .port_security = true,
    };
}

json_t *
model_binding_to_json(const struct model_binding *binding)
{
    char mac[ETH_ADDR_STRLEN + 1];

    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac));
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:I}",
        "revision", model_revision_to_json(binding->revision),
        "net", binding->net,
        "mac", mac,
        "addresses", model_addresses_to_json(binding->addresses,
                                             binding->n_addresses),
        "node", (binding->node ? json_integer(binding->node) : json_null()),
        "port", model_string_or_null(binding->port),
        "iface_id", model_string_or_null(binding->iface_id),
        "origin", model_origin_name(binding->origin),
        "port_security", (int) binding->port_security,
        "labels", model_labels_to_json(binding->labels, binding->n_labels),
        "sequence", (json_int_t) binding->sequence);
}

/* Addresses that a frame's sender may have, each once. */
static char *
check_addresses(const struct model_address *addresses, size_t n)
{
    char buf[MODEL_ADDRESS_STRLEN];

    for (size_t i = 0; i < n; i++) {
        const struct model_address *a = &addresses[i];
        const char *what = (model_address_is_unicast(a) ? NULL
                            : "is not a unicast address");

        for (size_t j = 0; j < i && !what; j++) {
            what = (model_address_same_ip(a, &addresses[j])
                    ? "appears twice" : NULL);
        }
        if (what) {
            return xasprintf("addresses[%"PRIuSIZE"]: %s %s", i,
                             model_address_string(a, buf), what);
        }
    }
    return NULL;
}

static enum model_origin
read_origin(struct model_reader *r)
{
    enum model_origin origin = MODEL_ORIGIN_DYNAMIC;
    const char *s = model_reader_string(r, "origin", MODEL_REQUIRED);
    char *error = s ? model_origin_parse(s, &origin) : NULL;

    if (error) {
        model_reader_fail(r, "origin", error);
    }
    return origin;
}

char *
model_binding_from_json(const json_t *json, struct model_binding *bindingp)
{
    struct model_binding binding;
    struct model_reader r;

    model_binding_init(&binding);
    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &binding.revision);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    model_reader_mac(&r, "mac", MODEL_REQUIRED, &binding.mac);
    binding.n_addresses = model_reader_addresses(&r, "addresses",
                                                 MODEL_OPTIONAL,
                                                 &binding.addresses);
    binding.node = model_reader_uint(&r, "node", MODEL_OPTIONAL,
                                     1, MODEL_NODE_MAX);
    const char *port = model_reader_string(&r, "port", MODEL_OPTIONAL);
    const char *iface_id = model_reader_string(&r, "iface_id",
                                               MODEL_OPTIONAL);
    binding.origin = read_origin(&r);
    binding.port_security = model_reader_bool_or(&r, "port_security", true);
    binding.n_labels = model_reader_labels(&r, "labels", MODEL_NO_LABEL_GAPS,
                                           MODEL_PORT_LABELS_MAX,
                                           &binding.labels);
    binding.sequence = model_reader_uint(&r, "sequence", MODEL_OPTIONAL,
                                         0, INT64_MAX);

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    error = error ? error : check_addresses(binding.addresses,
                                            binding.n_addresses);
    if (error) {
        free(binding.addresses);
        model_labels_free(binding.labels, binding.n_labels);
        return error;
    }
    binding.net = xstrdup(net);
    binding.port = nullable_xstrdup(port);
    binding.iface_id = nullable_xstrdup(iface_id);
    *bindingp = binding;
    return NULL;
}

void
model_binding_destroy(struct model_binding *binding)
{
    free(binding->net);
    free(binding->addresses);
    free(binding->port);
    free(binding->iface_id);
    model_labels_free(binding->labels, binding->n_labels);
}

/* Key. */

json_t *
model_key_to_json(const struct model_key *key, enum model_view view)
{
    json_t *json = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:s, s:I}",
        "revision", model_revision_to_json(key->revision),
        "net", key->net,
        "node", (json_int_t) key->node,
        "spi", (json_int_t) key->spi,
        "epoch", (json_int_t) key->epoch,
        "algorithm", model_algorithm_name(key->algorithm),
        "rekey", (json_int_t) key->rekey);

    if (view == MODEL_VIEW_KEYS && key->secret.size) {
        char base64[(MODEL_KEY_MAX + 2) / 3 * 4 + 1];

        model_base64_encode(key->secret.bytes, key->secret.size, base64);
        json_object_set_new(json, "key", json_string(base64));
        model_wipe(base64, sizeof base64);
    }
    return json;
}

static void
read_secret(struct model_reader *r, enum model_algorithm algorithm,
            struct model_secret *secret)
{
    const char *s = model_reader_string(r, "key", MODEL_OPTIONAL);

    if (s && (!model_base64_decode(s, secret->bytes, sizeof secret->bytes,
                                   &secret->size)
              || secret->size != model_algorithm_key_size(algorithm))) {
        model_reader_fail(r, "key",
                          xasprintf("not %"PRIuSIZE" bytes in base64",
                                    model_algorithm_key_size(algorithm)));
    }
}

char *
model_key_from_json(const json_t *json, struct model_key *keyp)
{
    struct model_key key = { .algorithm = MODEL_AES128GCM };
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &key.revision);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    key.node = model_reader_uint(&r, "node", MODEL_REQUIRED,
                                 1, MODEL_NODE_MAX);
    key.spi = model_reader_uint(&r, "spi", MODEL_REQUIRED, 1, UINT32_MAX);
    key.epoch = model_reader_uint(&r, "epoch", MODEL_REQUIRED,
                                  0, UINT32_MAX);
    model_reader_algorithm(&r, "algorithm", MODEL_REQUIRED, &key.algorithm);
    key.rekey = model_reader_uint(&r, "rekey", MODEL_OPTIONAL, 0, INT64_MAX);
    read_secret(&r, key.algorithm, &key.secret);

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (!error) {
        key.net = xstrdup(net);
        *keyp = key;
    }
    model_secret_wipe(&key.secret);
    return error;
}

void
model_key_destroy(struct model_key *key)
{
    model_secret_wipe(&key->secret);
    free(key->net);
}
