/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-show.h"

#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-path.h"
#include "datapath/vsubnet-port.h"
#include "datapath/vsubnet-socket.h"
#include "packets.h"
#include "seal/gcm.h"
#include "seal/wire.h"
#include "smap.h"
#include "sset.h"
#include "unixctl.h"
#include "util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"

/* Status and options. */

/* The keyring's state in one line. */
static const char *
keyring_status(const struct vsubnet_port *port)
{
    return port->keyring_error ? port->keyring_error : "ok";
}

/* ADDRESS:PORT or [ADDRESS]:PORT, or "-" if 'port' is 0.  The caller frees
 * it. */
static char *
endpoint_to_string(const struct in6_addr *address, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];

    if (!port) {
        return xstrdup("-");
    }
    keyring_address_format(address, text);
    return xasprintf(strchr(text, ':') ? "[%s]:%"PRIu16 : "%s:%"PRIu16,
                     text, port);
}

static char *
local_to_string(const struct vsubnet_port *port)
{
    const struct vsubnet_socket *s = port->sockets[0];

    if (s && s->family == AF_INET && !ipv6_addr_is_set(&s->local)) {
        return xasprintf("0.0.0.0:%"PRIu16, s->port);
    }
    return s ? endpoint_to_string(&s->local, s->port) : xstrdup("-");
}

void
vsubnet_show_status(struct vsubnet_port *port, struct smap *status)
{
    ovs_mutex_lock(&port->mutex);
    smap_add(status, "keyring", keyring_status(port));
    if (port->keys) {
        smap_add_format(status, "node", "%"PRIu32, port->keys->keyring->self);
    }
    if (port->state_error) {
        smap_add(status, "state", port->state_error);
    }
    smap_add_nocopy(status, xstrdup("local"), local_to_string(port));
    if (port->config.shared) {
        smap_add_format(status, "n_rxq", "%d", port->config.n_rxq);
    }
    if (port->keys) {
        int mtu = vsubnet_path_inner_mtu(port->keys->keyring);

        if (mtu) {
            smap_add_format(status, "mtu", "%d", mtu);
        }
        smap_add(status, "crypto", gcm_library_name(gcm_library_in_use()));
    }
    ovs_mutex_unlock(&port->mutex);
}

void
vsubnet_show_config(struct vsubnet_port *port, struct smap *config)
{
    ovs_mutex_lock(&port->mutex);
    smap_add(config, "remote_ip", "flow");
    smap_add(config, "key", "flow");
    smap_add_format(config, "dst_port", "%"PRIu16, port->config.port);
    if (ipv6_addr_is_set(&port->config.local)) {
        smap_add_ipv6(config, "local_ip", &port->config.local);
    }
    if (!port->config.fragment) {
        smap_add(config, "fragment", "false");
    }
    if (!port->config.probe) {
        smap_add(config, "probe", "false");
    }
    if (port->config.shared) {
        smap_add_format(config, "n_rxq", "%d", port->config.n_rxq);
    }
    if (port->config.keyring) {
        smap_add(config, "keyring", port->config.keyring);
    }
    if (port->config.state) {
        smap_add(config, "state", port->config.state);
    }
    ovs_mutex_unlock(&port->mutex);
}

/* vsubnet/show.  It is made as JSON and printed as text from that, so that
 * both say the same. */

/* Pointers to the members of 'hmap', sorted by their number, VNI or SPI. */
struct sorted {
    const void **items;
    size_t n;
};

#define SORTED_INIT(SORTED, STRUCT, MEMBER, HMAP, COMPARE)                  \
    do {                                                                    \
        const STRUCT *item_;                                                \
                                                                            \
        (SORTED)->items = xcalloc(hmap_count(HMAP) + 1,                     \
                                  sizeof *(SORTED)->items);                 \
        (SORTED)->n = 0;                                                    \
        HMAP_FOR_EACH (item_, MEMBER, HMAP) {                               \
            (SORTED)->items[(SORTED)->n++] = item_;                         \
        }                                                                   \
        qsort((SORTED)->items, (SORTED)->n, sizeof *(SORTED)->items,        \
              COMPARE);                                                     \
    } while (0)

static int
compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_peers(const void *a, const void *b)
{
    const struct keyring_peer *const *pa = a, *const *pb = b;

    return compare_numbers((*pa)->number, (*pb)->number);
}

static int
compare_members(const void *a, const void *b)
{
    const struct keyring_member *const *ma = a, *const *mb = b;

    return compare_numbers((*ma)->peer->number, (*mb)->peer->number);
}

static int
compare_nets(const void *a, const void *b)
{
    const struct keyring_net *const *na = a, *const *nb = b;

    return compare_numbers((*na)->vni, (*nb)->vni);
}

static int
compare_receivers(const void *a, const void *b)
{
    const struct vsubnet_receiver *const *ra = a, *const *rb = b;

    return compare_numbers((*ra)->spi, (*rb)->spi);
}

static void
put_integer(struct json *json, const char *name, long long int value)
{
    json_object_put(json, name, json_integer_create(value));
}

static void
put_nocopy(struct json *json, const char *name, char *value)
{
    json_object_put(json, name, json_string_create_nocopy(value));
}

/* How sure a peer's MTU is. */
static const char *
mtu_source(const struct vsubnet_peer *peer, const struct vsubnet_port *port)
{
    return (!port->config.probe ? "kernel"
            : peer->search.state == PATH_UNREACHABLE ? "no answer"
            : peer->search.state == PATH_TRYING ? "trying"
            : "verified");
}

static void
put_peer_state(struct json *json, const struct vsubnet_port *port,
               uint32_t number)
{
    const struct vsubnet_peer *peer = vsubnet_peer_find(&port->peers, number);

    if (peer) {
        json_object_put_string(json, "mtu_source", mtu_source(peer, port));
        json_object_put(json, "learned",
                        json_boolean_create(peer->learned.port != 0));
    }
}

static struct json *
peers_to_json(const struct vsubnet_port *port)
{
    const struct keyring *keyring = port->keys->keyring;
    struct json *array = json_array_create_empty();
    struct sorted sorted;

    SORTED_INIT(&sorted, struct keyring_peer, hmap_node, &keyring->peers,
                compare_peers);
    for (size_t i = 0; i < sorted.n; i++) {
        const struct keyring_peer *peer = sorted.items[i];
        struct json *json = json_object_create();

        put_integer(json, "node", peer->number);
        json_object_put_format(json, "tunnel_address", IP_FMT,
                               IP_ARGS(wire_tunnel_address(peer->number)));
        put_nocopy(json, "endpoint",
                   endpoint_to_string(&peer->address, peer->port));
        put_integer(json, "mtu", peer->max_frame - WIRE_ETHERNET_LEN);
        json_object_put_format(json, "revision", "%"PRIu64".%"PRIu64,
                               peer->generation, peer->revision);
        put_peer_state(json, port, peer->number);
        json_array_add(array, json);
    }
    free(sorted.items);
    return array;
}

static struct json *
members_to_json(const struct keyring_net *net)
{
    struct json *array = json_array_create_empty();
    struct sorted sorted;

    SORTED_INIT(&sorted, struct keyring_member, hmap_node, &net->members,
                compare_members);
    for (size_t i = 0; i < sorted.n; i++) {
        const struct keyring_member *member = sorted.items[i];

        json_array_add(array, json_integer_create(member->peer->number));
    }
    free(sorted.items);
    return array;
}

static struct json *
nets_to_json(const struct vsubnet_port *port)
{
    struct json *array = json_array_create_empty();
    struct sorted sorted;

    SORTED_INIT(&sorted, struct keyring_net, hmap_node,
                &port->keys->keyring->nets, compare_nets);
    for (size_t i = 0; i < sorted.n; i++) {
        const struct keyring_net *net = sorted.items[i];
        struct json *json = json_object_create();

        put_integer(json, "vni", net->vni);
        if (ipv6_addr_is_set(&net->group)) {
            char group[INET6_ADDRSTRLEN];

            keyring_address_format(&net->group, group);
            json_object_put_string(json, "group", group);
            json_object_put(json, "joined", json_boolean_create(
                port->sockets[0]
                && sset_contains(&port->sockets[0]->groups, group)));
        }
        json_object_put(json, "members", members_to_json(net));
        json_array_add(array, json);
    }
    free(sorted.items);
    return array;
}

/* What keys to send and to receive have in common. */
static struct json *
key_to_json(const struct aead_key *key, uint32_t number,
            const struct keyring *keyring)
{
    const struct keyring_key *k = keyring_key_find(keyring, key->spi);
    struct json *json = json_object_create();

    put_integer(json, "spi", key->spi);
    put_integer(json, "vni", key->vni);
    put_integer(json, "node", number);
    json_object_put_string(json, "algorithm",
                           aead_algorithm_to_string(key->algorithm));
    put_integer(json, "epoch", k->epoch);
    return json;
}

static struct json *
keys_to_json(struct vsubnet_port *port)
{
    const struct keyring *keyring = port->keys->keyring;
    struct json *array = json_array_create_empty();
    struct sorted nets, receivers;

    SORTED_INIT(&nets, struct keyring_net, hmap_node, &keyring->nets,
                compare_nets);
    for (size_t i = 0; i < nets.n; i++) {
        const struct keyring_net *net = nets.items[i];

        if (net->tx) {
            struct json *json = key_to_json(&net->tx->key, keyring->self,
                                            keyring);

            json_object_put_string(json, "direction", "tx");
            put_integer(json, "last_session",
                        session_sender_last(vsubnet_sender_find(
                            port->keys, net->tx->key.spi)->sender));
            json_array_add(array, json);
        }
    }
    free(nets.items);

    SORTED_INIT(&receivers, struct vsubnet_receiver, node,
                &port->keys->receivers, compare_receivers);
    for (size_t i = 0; i < receivers.n; i++) {
        const struct vsubnet_receiver *r = receivers.items[i];
        struct json *json = key_to_json(session_rx_key(r->rx), r->number,
                                        keyring);

        json_object_put_string(json, "direction", "rx");
        put_integer(json, "sessions", session_rx_count(r->rx));
        put_integer(json, "floor", session_rx_floor(r->rx));
        json_array_add(array, json);
    }
    free(receivers.items);
    return array;
}

static struct json *
counters_to_json(const struct vsubnet_port *port)
{
    struct json *json = json_object_create();

    for (int i = 0; i < VSUBNET_N_COUNTERS; i++) {
        put_integer(json, vsubnet_counter_name(i),
                    vsubnet_counter_get(&port->counters, i));
    }
    return json;
}

/* How the kernel divides among receive queues what comes. */
static struct json *
rxqs_to_json(struct vsubnet_port *port)
{
    struct json *array = json_array_create_empty();

    for (int i = 0; i < port->config.n_rxq; i++) {
        struct json *json = json_object_create();
        uint64_t n;

        vsubnet_rx_lock(&port->rxqs[i]);
        n = port->rxqs[i].n_messages;
        vsubnet_rx_unlock(&port->rxqs[i]);
        put_integer(json, "queue", i);
        put_integer(json, "messages", n);
        json_array_add(array, json);
    }
    return array;
}

static struct json *
port_to_json(struct vsubnet_port *port)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "name", port->name);
    put_nocopy(json, "local", local_to_string(port));
    json_object_put_string(json, "keyring", keyring_status(port));
    if (port->state_error) {
        json_object_put_string(json, "state", port->state_error);
    }
    if (port->keys) {
        put_integer(json, "node", port->keys->keyring->self);
        json_object_put(json, "peers", peers_to_json(port));
        json_object_put(json, "nets", nets_to_json(port));
        /* A receiving thread changes its sessions. */
        vsubnet_port_lock_rx(port);
        json_object_put(json, "keys", keys_to_json(port));
        vsubnet_port_unlock_rx(port);
    }
    if (port->config.shared) {
        json_object_put(json, "rxqs", rxqs_to_json(port));
    }
    json_object_put(json, "counters", counters_to_json(port));
    return json;
}

/* The text form. */

static const char *
get_string(const struct json *object, const char *name)
{
    return json_string(shash_find_data(json_object(object), name));
}

static long long int
get_integer(const struct json *object, const char *name)
{
    return json_integer(shash_find_data(json_object(object), name));
}

static bool
get_boolean(const struct json *object, const char *name)
{
    return json_boolean(shash_find_data(json_object(object), name));
}

static void
format_peer(struct ds *s, const struct json *peer)
{
    ds_put_format(s, "    node %lld (%s): endpoint %s%s, MTU %lld (%s), "
                  "revision %s\n", get_integer(peer, "node"),
                  get_string(peer, "tunnel_address"),
                  get_string(peer, "endpoint"),
                  get_boolean(peer, "learned") ? " (learned)" : "",
                  get_integer(peer, "mtu"), get_string(peer, "mtu_source"),
                  get_string(peer, "revision"));
}

static void
format_net(struct ds *s, const struct json *net)
{
    const struct json *members = shash_find_data(json_object(net), "members");
    const struct json *joined = shash_find_data(json_object(net), "joined");

    ds_put_format(s, "    vni %lld:", get_integer(net, "vni"));
    if (joined) {
        ds_put_format(s, " group %s (%s),", get_string(net, "group"),
                      json_boolean(joined) ? "joined" : "not joined");
    }
    ds_put_cstr(s, " members");
    for (size_t i = 0; i < json_array(members)->n; i++) {
        ds_put_format(s, " %"PRId64,
                      json_integer(json_array(members)->elems[i]));
    }
    ds_put_char(s, '\n');
}

static void
format_key(struct ds *s, const struct json *key)
{
    bool tx = !strcmp(get_string(key, "direction"), "tx");

    ds_put_format(s, "    vni %lld %s spi %lld: node %lld, %s, epoch %lld",
                  get_integer(key, "vni"), tx ? "tx" : "rx",
                  get_integer(key, "spi"), get_integer(key, "node"),
                  get_string(key, "algorithm"), get_integer(key, "epoch"));
    if (tx) {
        ds_put_format(s, ", last session %lld\n",
                      get_integer(key, "last_session"));
    } else {
        ds_put_format(s, ", %lld sessions, floor %lld\n",
                      get_integer(key, "sessions"), get_integer(key, "floor"));
    }
}

static void
format_rxq(struct ds *s, const struct json *rxq)
{
    ds_put_format(s, "    queue %lld: %lld messages\n",
                  get_integer(rxq, "queue"), get_integer(rxq, "messages"));
}

static void
format_list(struct ds *s, const struct json *port, const char *name,
            void (*format)(struct ds *, const struct json *))
{
    const struct json *array = shash_find_data(json_object(port), name);

    if (array) {
        ds_put_format(s, "  %s:\n", name);
        for (size_t i = 0; i < json_array(array)->n; i++) {
            format(s, json_array(array)->elems[i]);
        }
    }
}

static void
format_port(struct ds *s, const struct json *port)
{
    const struct json *state = shash_find_data(json_object(port), "state");
    const struct json *counters = shash_find_data(json_object(port),
                                                  "counters");

    ds_put_format(s, "%s: local %s, keyring: %s\n", get_string(port, "name"),
                  get_string(port, "local"), get_string(port, "keyring"));
    if (state) {
        ds_put_format(s, "  state: %s\n", json_string(state));
    }
    if (shash_find(json_object(port), "node")) {
        ds_put_format(s, "  node %lld\n", get_integer(port, "node"));
    }
    format_list(s, port, "peers", format_peer);
    format_list(s, port, "nets", format_net);
    format_list(s, port, "keys", format_key);
    format_list(s, port, "rxqs", format_rxq);
    ds_put_cstr(s, "  counters:\n");
    for (int i = 0; i < VSUBNET_N_COUNTERS; i++) {
        ds_put_format(s, "    %-24s %10lld  %s\n", vsubnet_counter_name(i),
                      get_integer(counters, vsubnet_counter_name(i)),
                      vsubnet_counter_meaning(i));
    }
}

/* Commands. */

static bool
visit_show(struct vsubnet_port *port, void *array)
{
    ovs_mutex_lock(&port->mutex);
    json_array_add(array, port_to_json(port));
    ovs_mutex_unlock(&port->mutex);
    return false;
}

static void
vsubnet_show(struct unixctl_conn *conn, int argc, const char *argv[],
             void *aux OVS_UNUSED)
{
    bool as_json = argc > 1 && !strcmp(argv[1], "--json");
    const char *name = argc > 1 + as_json ? argv[1 + as_json] : NULL;
    struct json *array = json_array_create_empty();
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!vsubnet_show_for_each(name, visit_show, array) && name) {
        unixctl_command_reply_error(conn, "no such vsubnet port");
    } else if (as_json) {
        json_to_ds(array, JSSF_PRETTY | JSSF_SORT, &s);
        unixctl_command_reply(conn, ds_cstr(&s));
    } else {
        for (size_t i = 0; i < json_array(array)->n; i++) {
            format_port(&s, json_array(array)->elems[i]);
        }
        unixctl_command_reply(conn, ds_cstr(&s));
    }
    ds_destroy(&s);
    json_destroy(array);
}

static bool
visit_reload(struct vsubnet_port *port, void *errors_)
{
    struct ds *errors = errors_;
    bool changed;
    char *error = vsubnet_port_reload(port, &changed);

    if (error) {
        ds_put_format(errors, "%s: %s\n", port->name, error);
        free(error);
    }
    return changed;
}

static void
vsubnet_reload_keyring(struct unixctl_conn *conn, int argc,
                       const char *argv[], void *aux OVS_UNUSED)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    struct ds errors = DS_EMPTY_INITIALIZER;

    if (!vsubnet_show_for_each(name, visit_reload, &errors) && name) {
        unixctl_command_reply_error(conn, "no such vsubnet port");
    } else if (errors.length) {
        unixctl_command_reply_error(conn, ds_cstr(&errors));
    } else {
        unixctl_command_reply(conn, NULL);
    }
    ds_destroy(&errors);
}

void
vsubnet_show_init(void)
{
    unixctl_command_register("vsubnet/show", "[--json] [PORT]", 0, 2,
                             vsubnet_show, NULL);
    unixctl_command_register("vsubnet/reload-keyring", "[PORT]", 0, 1,
                             vsubnet_reload_keyring, NULL);
}
