/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel port, apart from what makes it a netdev. */

#include <config.h>
#include "datapath/vsubnet-port.h"

#include <errno.h>
#include <unistd.h>

#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-path.h"
#include "datapath/vsubnet-saver.h"
#include "datapath/vsubnet-socket.h"
#include "packets.h"
#include "seal/keyring-file.h"
#include "seal/session-state.h"
#include "timeval.h"
#include "util.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_port);

enum { SAVE_INTERVAL_MS = 1000 };

void
vsubnet_config_destroy(struct vsubnet_config *config)
{
    free(config->keyring);
    free(config->state);
    config->keyring = config->state = NULL;
}

void
vsubnet_port_lock_rx(struct vsubnet_port *port)
{
    for (int i = 0; i < VSUBNET_RXQ_MAX; i++) {
        vsubnet_rx_lock(&port->rxqs[i]);
    }
}

void
vsubnet_port_unlock_rx(struct vsubnet_port *port)
{
    for (int i = 0; i < VSUBNET_RXQ_MAX; i++) {
        vsubnet_rx_unlock(&port->rxqs[i]);
    }
}

/* Keeps all packets out, so that what they work with can be changed. */
static void
stop_packets(struct vsubnet_port *port)
{
    vsubnet_tx_lock_all(&port->tx);
    vsubnet_port_lock_rx(port);
}

static void
resume_packets(struct vsubnet_port *port)
{
    vsubnet_port_unlock_rx(port);
    vsubnet_tx_unlock_all(&port->tx);
}

/* Session state. */

static void
collect_state(struct vsubnet_port *port)
{
    if (port->keys) {
        vsubnet_port_lock_rx(port);
        vsubnet_keys_export(port->keys, port->state);
        vsubnet_port_unlock_rx(port);
        vsubnet_peers_export(&port->peers, port->state);
    }
}

/* How much has been sent and received that a session remembers. */
static uint64_t
count_frames(const struct vsubnet_port *port)
{
    static const enum vsubnet_counter which[] = {
        VSUBNET_rx_frames, VSUBNET_rx_fragments, VSUBNET_rx_port_messages,
        VSUBNET_tx_frames, VSUBNET_tx_port_messages,
    };
    uint64_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
        n += vsubnet_counter_get(&port->counters, which[i]);
    }
    return n;
}

/* Gives the state to the saver, if it is another than the last time. */
static void
save_state(struct vsubnet_port *port)
{
    uint64_t frames = count_frames(port);
    char *text;
    size_t n;

    if (!port->config.state || !port->keys) {
        return;
    }
    /* Another thread may have counted a frame the last time that it had not
     * yet sealed: only the second time is sure to have everything. */
    if (frames != port->saved_frames) {
        port->saved_frames = frames;
        port->saved_twice = false;
    } else if (port->saved_twice) {
        return;
    } else {
        port->saved_twice = true;
    }
    collect_state(port);
    text = session_state_format(port->state, &n);
    if (port->state_text && port->state_text_len == n
        && !memcmp(port->state_text, text, n)) {
        free(text);
        return;
    }
    free(port->state_text);
    port->state_text = xmemdup(text, n);
    port->state_text_len = n;
    vsubnet_saver_put(port->config.state, text, n);
}

/* Reads the state file of a port that is being configured. */
static void
load_state(struct vsubnet_port *port)
{
    struct session_state *state = NULL;
    const char *path = port->config.state;

    free(port->state_error);
    port->state_error = NULL;
    if (path && (!access(path, F_OK) || errno != ENOENT)) {
        vsubnet_saver_flush();
        port->state_error = session_state_load(path, &state);
        if (port->state_error) {
            VLOG_WARN("%s: datagrams from before the restart can be replayed, "
                      "because the session state can't be read: %s",
                      port->name, port->state_error);
        }
    }
    session_state_destroy(port->state);
    port->state = state ? state : session_state_create();
}

/* Keyring. */

/* Joins the multicast groups of the keyring.  Only the first socket does: each
 * that has joined would be given a copy. */
static void
join_groups(struct vsubnet_port *port)
{
    const struct hmap *nets;
    const struct keyring_net *net;
    struct in6_addr *groups;
    size_t n = 0;

    if (!port->sockets[0] || !port->keys) {
        return;
    }
    nets = &port->keys->keyring->nets;
    groups = xcalloc(hmap_count(nets) + 1, sizeof *groups);
    HMAP_FOR_EACH (net, hmap_node, nets) {
        if (ipv6_addr_is_set(&net->group)) {
            groups[n++] = net->group;
        }
    }
    vsubnet_socket_join(port->sockets[0], groups, n);
    free(groups);
}

static void
set_keys(struct vsubnet_port *port, struct vsubnet_keys *keys)
{
    struct vsubnet_keys *old = port->keys;

    stop_packets(port);
    if (old && keys) {
        vsubnet_keys_adopt(keys, old);
    }
    vsubnet_tx_set_keys(&port->tx, keys);
    for (int i = 0; i < VSUBNET_RXQ_MAX; i++) {
        vsubnet_rx_set_keys(&port->rxqs[i], keys);
    }
    resume_packets(port);

    port->keys = keys;
    vsubnet_keys_destroy(old);
}

static char *
load_keyring(struct vsubnet_port *port)
{
    struct keyring *keyring;
    char *error;

    if (!port->config.keyring) {
        return xstrdup("options:keyring is not set");
    }
    error = keyring_load(port->config.keyring, &keyring);
    if (error) {
        return error;
    }
    collect_state(port);
    vsubnet_peers_load(&port->peers, keyring, port->state);
    set_keys(port, vsubnet_keys_create(keyring, port->keys, port->state));
    vsubnet_keys_retain(port->keys, port->state);
    port->saved_twice = false;
    join_groups(port);
    VLOG_INFO("%s: keyring of node %"PRIu32" in force: %"PRIuSIZE" peers, "
              "%"PRIuSIZE" nets, %"PRIuSIZE" keys",
              port->name, keyring->self, hmap_count(&keyring->peers),
              hmap_count(&keyring->nets), hmap_count(&keyring->keys));
    return NULL;
}

/* Reads the keyring, with 'port->mutex' held.  Returns true if the status has
 * changed. */
static bool
reload(struct vsubnet_port *port)
{
    char *old_error = port->keyring_error;
    bool changed;

    port->keyring_error = load_keyring(port);
    if (port->keyring_error) {
        VLOG_WARN("%s: keyring not loaded%s: %s", port->name,
                  port->keys ? ", the earlier one stays in force" : "",
                  port->keyring_error);
    }
    changed = !nullable_string_is_equal(port->keyring_error, old_error);
    free(old_error);
    return changed;
}

char *
vsubnet_port_reload(struct vsubnet_port *port, bool *changed)
{
    char *error;

    ovs_mutex_lock(&port->mutex);
    *changed = reload(port);
    error = nullable_xstrdup(port->keyring_error);
    ovs_mutex_unlock(&port->mutex);
    return error;
}

/* Configuration. */

static void
set_socket(struct vsubnet_port *port, int i, struct vsubnet_socket *socket)
{
    struct vsubnet_socket *old = port->sockets[i];

    if (socket == old) {
        return;
    }
    stop_packets(port);
    if (!i) {
        vsubnet_tx_set_socket(&port->tx, socket);
    }
    vsubnet_rx_set_socket(&port->rxqs[i], socket);
    resume_packets(port);

    port->sockets[i] = socket;
    vsubnet_socket_close(old);
}

/* Closes all sockets from number 'i' on. */
static void
close_sockets(struct vsubnet_port *port, int i)
{
    for (; i < VSUBNET_RXQ_MAX; i++) {
        set_socket(port, i, NULL);
    }
}

/* Opens the sockets that 'config' asks for, unless they are open. */
static char *
configure_sockets(struct vsubnet_port *port,
                  const struct vsubnet_config *config, bool *changed)
{
    const struct vsubnet_socket *first = port->sockets[0];

    if (first && (first->port != config->port
                  || first->shared != config->shared
                  || !ipv6_addr_equals(&first->local, &config->local))) {
        /* The new ones may be at the old ones' place. */
        close_sockets(port, 0);
    }
    close_sockets(port, config->n_rxq);
    *changed |= config->n_rxq != port->config.n_rxq;
    for (int i = 0; i < config->n_rxq; i++) {
        struct vsubnet_socket *socket;
        char *error;

        if (port->sockets[i]) {
            continue;
        }
        *changed = true;
        error = vsubnet_socket_open(&config->local, config->port,
                                    config->shared, &socket);
        if (error) {
            close_sockets(port, 0);
            return error;
        }
        set_socket(port, i, socket);
        if (!i) {
            join_groups(port);
        }
    }
    return NULL;
}

static char *
configure(struct vsubnet_port *port, struct vsubnet_config *config,
          bool *changed)
{
    bool new_keyring, new_state;
    char *error;

    error = configure_sockets(port, config, changed);
    if (error) {
        vsubnet_config_destroy(config);
        return error;
    }

    new_state = (!port->state
                 || !nullable_string_is_equal(config->state,
                                              port->config.state));
    new_keyring = ((!port->keys && !port->keyring_error)
                   || !nullable_string_is_equal(config->keyring,
                                                port->config.keyring));
    if (new_state) {
        save_state(port);
    }
    stop_packets(port);
    port->tx.fragment = config->fragment;
    resume_packets(port);
    vsubnet_config_destroy(&port->config);
    port->config = *config;
    vsubnet_peers_configure(&port->peers, config->probe, &config->local);
    if (new_state) {
        free(port->state_text);
        port->state_text = NULL;
        port->saved_twice = false;
        load_state(port);
        *changed = true;
    }
    if (new_keyring) {
        *changed |= reload(port);
    }
    return NULL;
}

char *
vsubnet_port_configure(struct vsubnet_port *port,
                       struct vsubnet_config *config, bool *changed)
{
    char *error;

    *changed = false;
    ovs_mutex_lock(&port->mutex);
    error = configure(port, config, changed);
    ovs_mutex_unlock(&port->mutex);
    return error;
}

/* Life cycle. */

void
vsubnet_port_init(struct vsubnet_port *port, const char *name)
{
    port->name = xstrdup(name);
    vsubnet_counters_init(&port->counters);
    vsubnet_notices_init(&port->notices);
    vsubnet_tx_init(&port->tx, &port->counters, &port->notices);
    vsubnet_peers_init(&port->peers, &port->tx, port->name);
    for (int i = 0; i < VSUBNET_RXQ_MAX; i++) {
        vsubnet_rx_init(&port->rxqs[i], &port->counters, &port->peers.inbox,
                        i ? NULL : &port->notices);
    }
    ovs_mutex_init(&port->mutex);
}

void
vsubnet_port_release(struct vsubnet_port *port)
{
    ovs_mutex_lock(&port->mutex);
    close_sockets(port, 0);
    save_state(port);
    vsubnet_saver_flush();
    free(port->config.state);
    port->config.state = NULL;
    ovs_mutex_unlock(&port->mutex);
}

void
vsubnet_port_destroy(struct vsubnet_port *port)
{
    vsubnet_port_release(port);
    ovs_mutex_lock(&port->mutex);
    set_keys(port, NULL);
    ovs_mutex_unlock(&port->mutex);

    vsubnet_tx_destroy(&port->tx);
    for (int i = 0; i < VSUBNET_RXQ_MAX; i++) {
        vsubnet_rx_destroy(&port->rxqs[i]);
    }
    vsubnet_peers_destroy(&port->peers);
    vsubnet_notices_destroy(&port->notices);
    vsubnet_config_destroy(&port->config);
    session_state_destroy(port->state);
    free(port->keyring_error);
    free(port->state_error);
    free(port->state_text);
    free(port->name);
    ovs_mutex_destroy(&port->mutex);
}

/* Lets peers be looked after.  Returns true if there is something new to see,
 * which has all flows revalidated: that is not so for where a peer is. */
static bool
run_peers(struct vsubnet_port *port)
{
    struct keyring *keyring = port->keys ? port->keys->keyring : NULL;
    int before;

    if (!keyring || !vsubnet_peers_run(&port->peers)) {
        return false;
    }
    before = vsubnet_path_inner_mtu(keyring);
    stop_packets(port);
    vsubnet_peers_apply(&port->peers, keyring);
    resume_packets(port);
    port->saved_twice = false;
    return vsubnet_path_inner_mtu(keyring) != before;
}

bool
vsubnet_port_run(struct vsubnet_port *port)
{
    bool changed;

    ovs_mutex_lock(&port->mutex);
    if (time_msec() >= port->next_run) {
        port->next_run = time_msec() + SAVE_INTERVAL_MS;
        save_state(port);
    }
    changed = run_peers(port);
    ovs_mutex_unlock(&port->mutex);
    return changed;
}

void
vsubnet_port_wait(struct vsubnet_port *port)
{
    ovs_mutex_lock(&port->mutex);
    if (port->keys) {
        poll_timer_wait_until(port->next_run);
        vsubnet_peers_wait(&port->peers);
    }
    ovs_mutex_unlock(&port->mutex);
}
