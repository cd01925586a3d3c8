/* SPDX-License-Identifier: Apache-2.0 */
/* The Open vSwitch port types "vsubnet" and "vsubnet-pmd". */

/* This file is only the seam between Open vSwitch and the port: netdev classes
 * that carry tunnel metadata themselves (lib/netdev-provider.h).  "vsubnet" has
 * one receive queue, which the main thread polls; "vsubnet-pmd" has as many as
 * options:n_rxq says, polled by PMD threads.  What the port does is in
 * vsubnet-port.c, vsubnet-tx.c and vsubnet-rx.c; what operators see of it, in
 * vsubnet-show.c. */

#include <config.h>

#include <errno.h>

#include "datapath/vsubnet-ping.h"
#include "datapath/vsubnet-port.h"
#include "datapath/vsubnet-show.h"
#include "datapath/vsubnet-watch.h"
#include "fatal-signal.h"
#include "netdev-provider.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "seal/keyring.h"
#include "seal/wire.h"
#include "smap.h"
#include "util.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(netdev_vsubnet);

struct netdev_vsubnet {
    struct netdev up;
    struct ovs_list node;       /* In 'all_netdevs'. */
    struct vsubnet_port port;
    struct eth_addr etheraddr;  /* Random; nothing is sent from it. */
    int requested_n_rxq;        /* Of the PMD class: for reconfigure(). */
    int requested_n_txq;
    OVSRCU_TYPE(const struct netdev_tunnel_config *) tunnel_config;
};

/* What Open vSwitch puts into 'md.tunnel' for us. */
struct tos_config {
    bool inherit;               /* The inner header's DSCP... */
    uint8_t value;              /* ...or this. */
};

struct netdev_rxq_vsubnet {
    struct netdev_rxq up;
};

static struct ovs_mutex list_mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list all_netdevs OVS_GUARDED_BY(list_mutex)
    = OVS_LIST_INITIALIZER(&all_netdevs);

static struct netdev_vsubnet *
netdev_vsubnet_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_vsubnet, up);
}

/* Class. */

/* Open vSwitch may end without having destroyed every netdev. */
static void
release_all(void *aux OVS_UNUSED)
{
    struct netdev_vsubnet *dev;

    ovs_mutex_lock(&list_mutex);
    LIST_FOR_EACH (dev, node, &all_netdevs) {
        vsubnet_port_release(&dev->port);
    }
    ovs_mutex_unlock(&list_mutex);
}

/* A netdev that has been removed is destroyed when the last cache has
 * forgotten it.  Its UDP port and its state file must be free before that,
 * because the next port may have the same. */
static void
release_removed(void)
{
    struct netdev_vsubnet *dev;

    ovs_mutex_lock(&list_mutex);
    LIST_FOR_EACH (dev, node, &all_netdevs) {
        if (!dev->up.node) {
            vsubnet_port_release(&dev->port);
        }
    }
    ovs_mutex_unlock(&list_mutex);
}

/* Once, for both classes. */
static int
netdev_vsubnet_init(void)
{
    vsubnet_show_init();
    vsubnet_ping_init();
    vsubnet_watch_init();
    fatal_signal_add_hook(release_all, NULL, NULL, true);
    return 0;
}

/* Those of both classes: only one has "run" and "wait". */
static void
netdev_vsubnet_run(const struct netdev_class *class OVS_UNUSED)
{
    struct netdev_vsubnet *dev;

    ovs_mutex_lock(&list_mutex);
    LIST_FOR_EACH (dev, node, &all_netdevs) {
        if (vsubnet_port_run(&dev->port)) {
            netdev_change_seq_changed(&dev->up);
        }
    }
    ovs_mutex_unlock(&list_mutex);
    vsubnet_ping_run();
}

static void
netdev_vsubnet_wait(const struct netdev_class *class OVS_UNUSED)
{
    struct netdev_vsubnet *dev;

    ovs_mutex_lock(&list_mutex);
    LIST_FOR_EACH (dev, node, &all_netdevs) {
        vsubnet_port_wait(&dev->port);
    }
    ovs_mutex_unlock(&list_mutex);
    vsubnet_ping_wait();
}

/* Life cycle. */

static struct netdev *
netdev_vsubnet_alloc(void)
{
    struct netdev_vsubnet *dev = xzalloc(sizeof *dev);

    return &dev->up;
}

static int
netdev_vsubnet_construct(struct netdev *netdev)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);

    vsubnet_port_init(&dev->port, netdev_get_name(netdev));
    dev->requested_n_rxq = dev->requested_n_txq = 1;
    eth_addr_random(&dev->etheraddr);
    ovsrcu_init(&dev->tunnel_config, NULL);

    /* Checksums are completed and packets cut here, where what can't be done
     * is counted, rather than dropped before it comes here. */
    netdev->ol_flags = (NETDEV_TX_OFFLOAD_TCP_CKSUM
                        | NETDEV_TX_OFFLOAD_UDP_CKSUM
                        | NETDEV_TX_OFFLOAD_SCTP_CKSUM
                        | NETDEV_TX_OFFLOAD_UDP_SEG
                        | NETDEV_TX_OFFLOAD_TCP_TSO);

    ovs_mutex_lock(&list_mutex);
    ovs_list_push_back(&all_netdevs, &dev->node);
    ovs_mutex_unlock(&list_mutex);
    return 0;
}

static void
netdev_vsubnet_destruct(struct netdev *netdev)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);
    const struct netdev_tunnel_config *config;

    ovs_mutex_lock(&list_mutex);
    ovs_list_remove(&dev->node);
    ovs_mutex_unlock(&list_mutex);

    vsubnet_port_destroy(&dev->port);
    config = ovsrcu_get_protected(const struct netdev_tunnel_config *,
                                  &dev->tunnel_config);
    ovsrcu_postpone(free, CONST_CAST(struct netdev_tunnel_config *, config));
}

static void
netdev_vsubnet_dealloc(struct netdev *netdev)
{
    free(netdev_vsubnet_cast(netdev));
}

/* Configuration. */

/* Parses option 'name', which must be "flow" if it is there at all. */
static char *
require_flow(const struct smap *args, const char *name)
{
    const char *value = smap_get(args, name);

    if (value && strcmp(value, "flow")) {
        return xasprintf("options:%s=%s: only \"flow\" is possible", name,
                         value);
    }
    return NULL;
}

static char *
parse_local_ip(const struct smap *args, struct in6_addr *local)
{
    const char *value = smap_get(args, "local_ip");

    *local = in6addr_any;
    if (value && !keyring_address_parse(value, local)) {
        return xasprintf("options:local_ip=%s: not an IP address", value);
    }
    return NULL;
}

static char *
parse_dst_port(const struct smap *args, uint16_t *port)
{
    const char *value = smap_get(args, "dst_port");
    int number = WIRE_UDP_PORT;

    if (value && (!str_to_int(value, 10, &number)
                  || number < 1 || number > UINT16_MAX)) {
        return xasprintf("options:dst_port=%s: not a UDP port", value);
    }
    *port = number;
    return NULL;
}

/* Parses the type of service of the outer header: "inherit", or a number whose
 * ECN bits are 0, because those are always inherited. */
static char *
parse_tos(const struct smap *args, struct tos_config *tos)
{
    const char *value = smap_get(args, "tos");
    int number = 0;

    tos->inherit = value && !strcmp(value, "inherit");
    if (value && !tos->inherit
        && (!str_to_int(value, 0, &number)
            || number != (number & IP_DSCP_MASK))) {
        return xasprintf("options:tos=%s: neither \"inherit\" nor a number "
                         "from 0 to 252 whose two lowest bits, which are "
                         "ECN's, are 0", value);
    }
    tos->value = number;
    return NULL;
}

/* Parses option 'name', which is true unless it is given. */
static char *
parse_bool(const struct smap *args, const char *name, bool *valuep)
{
    const char *value = smap_get_def(args, name, "true");

    if (strcmp(value, "true") && strcmp(value, "false")) {
        return xasprintf("options:%s=%s: neither \"true\" nor \"false\"",
                         name, value);
    }
    *valuep = !strcmp(value, "true");
    return NULL;
}

/* Parses the number of receive queues of the PMD class. */
static char *
parse_n_rxq(const struct smap *args, bool is_pmd, int *n_rxq)
{
    const char *value = is_pmd ? smap_get(args, "n_rxq") : NULL;

    *n_rxq = 1;
    if (value && (!str_to_int(value, 10, n_rxq)
                  || *n_rxq < 1 || *n_rxq > VSUBNET_RXQ_MAX)) {
        return xasprintf("options:n_rxq=%s: not a number from 1 to %d",
                         value, VSUBNET_RXQ_MAX);
    }
    return NULL;
}

static char *
parse_config(const struct smap *args, bool is_pmd,
             struct vsubnet_config *config, struct tos_config *tos)
{
    char *error = require_flow(args, "remote_ip");

    if (!error) {
        error = require_flow(args, "key");
    }
    if (!error) {
        error = parse_local_ip(args, &config->local);
    }
    if (!error) {
        error = parse_dst_port(args, &config->port);
    }
    if (!error) {
        error = parse_tos(args, tos);
    }
    if (!error) {
        error = parse_bool(args, "fragment", &config->fragment);
    }
    if (!error) {
        error = parse_bool(args, "probe", &config->probe);
    }
    if (!error) {
        error = parse_n_rxq(args, is_pmd, &config->n_rxq);
    }
    if (!error) {
        config->shared = is_pmd;
        config->keyring = nullable_xstrdup(smap_get(args, "keyring"));
        config->state = nullable_xstrdup(smap_get(args, "state"));
    }
    return error;
}

/* Options that this type does not have are an operator's mistake, but no
 * reason to go without the port. */
static void
warn_unknown_options(const struct netdev *netdev, const struct smap *args)
{
    static const char *known[] = {
        "remote_ip", "key", "local_ip", "dst_port", "keyring", "state",
        "tos", "fragment", "probe",
    };
    const struct smap_node *node;

    SMAP_FOR_EACH (node, args) {
        bool found = netdev_is_pmd(netdev) && !strcmp(node->key, "n_rxq");

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
            found |= !strcmp(node->key, known[i]);
        }
        if (!found) {
            VLOG_WARN("%s: options:%s is unknown to type %s",
                      netdev_get_name(netdev), node->key,
                      netdev_get_type(netdev));
        }
    }
}

/* Returns true if it is another than before. */
static bool
set_tunnel_config(struct netdev_vsubnet *dev, uint16_t port,
                  const struct tos_config *tos)
{
    const struct netdev_tunnel_config *old = ovsrcu_get_protected(
        const struct netdev_tunnel_config *, &dev->tunnel_config);
    struct netdev_tunnel_config *new;

    if (old && old->dst_port == htons(port) && old->tos == tos->value
        && old->tos_inherit == tos->inherit) {
        return false;
    }
    new = xzalloc(sizeof *new);
    new->in_key_present = new->in_key_flow = true;
    new->out_key_present = new->out_key_flow = true;
    new->ip_src_flow = new->ip_dst_flow = true;
    new->dst_port = htons(port);
    new->tos = tos->value;
    new->tos_inherit = tos->inherit;
    new->ttl = 64;
    new->dont_fragment = true;
    ovsrcu_set(&dev->tunnel_config, new);
    ovsrcu_postpone(free, CONST_CAST(struct netdev_tunnel_config *, old));
    return true;
}

static int
netdev_vsubnet_set_config(struct netdev *netdev, const struct smap *args,
                          char **errp)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);
    struct vsubnet_config config = { .port = 0 };
    struct tos_config tos = { .value = 0 };
    uint16_t port;
    bool changed;
    char *error;
    int n_rxq;

    error = parse_config(args, netdev_is_pmd(netdev), &config, &tos);
    if (!error) {
        warn_unknown_options(netdev, args);
        port = config.port;
        n_rxq = config.n_rxq;
        release_removed();
        error = vsubnet_port_configure(&dev->port, &config, &changed);
    }
    if (error) {
        VLOG_WARN("%s: %s", netdev_get_name(netdev), error);
        *errp = xasprintf("%s: %s", netdev_get_name(netdev), error);
        free(error);
        return EINVAL;
    }
    if (dev->requested_n_rxq != n_rxq) {
        dev->requested_n_rxq = n_rxq;
        netdev_request_reconfigure(netdev);
    }
    changed |= set_tunnel_config(dev, port, &tos);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return 0;
}

static int
netdev_vsubnet_get_config(const struct netdev *netdev, struct smap *args)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);
    const struct netdev_tunnel_config *config
        = ovsrcu_get(const struct netdev_tunnel_config *,
                     &dev->tunnel_config);

    vsubnet_show_config(&dev->port, args);
    if (config && config->tos_inherit) {
        smap_add(args, "tos", "inherit");
    } else if (config && config->tos) {
        smap_add_format(args, "tos", "%d", config->tos);
    }
    return 0;
}

/* Sending is the same on each queue: a thread's place is its slot
 * (vsubnet-tx.h).  With a queue for each thread, none waits for another. */
static int
netdev_vsubnet_set_tx_multiq(struct netdev *netdev, unsigned int n_txq)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);

    if (dev->requested_n_txq != n_txq) {
        dev->requested_n_txq = n_txq;
        netdev_request_reconfigure(netdev);
    }
    return 0;
}

/* The sockets are there already, or still: only polling begins and ends. */
static int
netdev_vsubnet_reconfigure(struct netdev *netdev)
{
    struct netdev_vsubnet *dev = netdev_vsubnet_cast(netdev);

    netdev->n_rxq = dev->requested_n_rxq;
    netdev->n_txq = dev->requested_n_txq;
    return 0;
}

static const struct netdev_tunnel_config *
netdev_vsubnet_get_tunnel_config(const struct netdev *netdev)
{
    return ovsrcu_get(const struct netdev_tunnel_config *,
                      &netdev_vsubnet_cast(netdev)->tunnel_config);
}

static int
netdev_vsubnet_update_flags(struct netdev *netdev OVS_UNUSED,
                            enum netdev_flags off,
                            enum netdev_flags on OVS_UNUSED,
                            enum netdev_flags *old_flagsp)
{
    if (off & (NETDEV_UP | NETDEV_PROMISC)) {
        return EOPNOTSUPP;
    }
    *old_flagsp = NETDEV_UP | NETDEV_PROMISC;
    return 0;
}

static int
netdev_vsubnet_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = netdev_vsubnet_cast(netdev)->etheraddr;
    return 0;
}

/* Status and statistics. */

static int
netdev_vsubnet_get_status(const struct netdev *netdev, struct smap *status)
{
    vsubnet_show_status(&netdev_vsubnet_cast(netdev)->port, status);
    return 0;
}

static int
netdev_vsubnet_get_stats(const struct netdev *netdev,
                         struct netdev_stats *stats)
{
    vsubnet_counters_to_stats(&netdev_vsubnet_cast(netdev)->port.counters,
                              stats);
    return 0;
}

static int
netdev_vsubnet_get_custom_stats(const struct netdev *netdev,
                                struct netdev_custom_stats *stats)
{
    vsubnet_counters_to_custom(&netdev_vsubnet_cast(netdev)->port.counters,
                               stats);
    return 0;
}

/* Packets. */

static int
netdev_vsubnet_send(struct netdev *netdev, int qid OVS_UNUSED,
                    struct dp_packet_batch *batch,
                    bool concurrent_txq OVS_UNUSED)
{
    vsubnet_tx_send(&netdev_vsubnet_cast(netdev)->port.tx, batch);
    return 0;
}

static struct netdev_rxq *
netdev_vsubnet_rxq_alloc(void)
{
    struct netdev_rxq_vsubnet *rxq = xzalloc(sizeof *rxq);

    return &rxq->up;
}

static int
netdev_vsubnet_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

static void
netdev_vsubnet_rxq_destruct(struct netdev_rxq *rxq OVS_UNUSED)
{
}

static void
netdev_vsubnet_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(CONTAINER_OF(rxq, struct netdev_rxq_vsubnet, up));
}

static struct vsubnet_rx *
rx_of(const struct netdev_rxq *rxq)
{
    return &netdev_vsubnet_cast(rxq->netdev)->port.rxqs[rxq->queue_id];
}

static int
netdev_vsubnet_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                        int *qfill)
{
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    return vsubnet_rx_recv(rx_of(rxq), batch);
}

static void
netdev_vsubnet_rxq_wait(struct netdev_rxq *rxq)
{
    vsubnet_rx_wait(rx_of(rxq));
}

static int
netdev_vsubnet_rxq_get_fd(const struct netdev_rxq *rxq)
{
    return vsubnet_rx_get_fd(rx_of(rxq));
}

static int
netdev_vsubnet_rxq_drain(struct netdev_rxq *rxq)
{
    vsubnet_rx_drain(rx_of(rxq));
    return 0;
}

/* Calls 'visit' with each port whose name is 'name' (all if it is NULL), in
 * the order of their creation.  Returns how many there were. */
int
vsubnet_show_for_each(const char *name, vsubnet_show_visit_func *visit,
                      void *aux)
{
    struct netdev_vsubnet *dev;
    int n = 0;

    ovs_mutex_lock(&list_mutex);
    LIST_FOR_EACH (dev, node, &all_netdevs) {
        if (!name || !strcmp(name, netdev_get_name(&dev->up))) {
            if (visit(&dev->port, aux)) {
                netdev_change_seq_changed(&dev->up);
            }
            n++;
        }
    }
    ovs_mutex_unlock(&list_mutex);
    return n;
}

#define VSUBNET_CLASS_COMMON                                    \
    .carries_tunnel_metadata = true,                            \
    .alloc = netdev_vsubnet_alloc,                              \
    .construct = netdev_vsubnet_construct,                      \
    .destruct = netdev_vsubnet_destruct,                        \
    .dealloc = netdev_vsubnet_dealloc,                          \
    .get_config = netdev_vsubnet_get_config,                    \
    .set_config = netdev_vsubnet_set_config,                    \
    .get_tunnel_config = netdev_vsubnet_get_tunnel_config,      \
    .send = netdev_vsubnet_send,                                \
    .get_etheraddr = netdev_vsubnet_get_etheraddr,              \
    .get_stats = netdev_vsubnet_get_stats,                      \
    .get_custom_stats = netdev_vsubnet_get_custom_stats,        \
    .get_status = netdev_vsubnet_get_status,                    \
    .update_flags = netdev_vsubnet_update_flags,                \
    .rxq_alloc = netdev_vsubnet_rxq_alloc,                      \
    .rxq_construct = netdev_vsubnet_rxq_construct,              \
    .rxq_destruct = netdev_vsubnet_rxq_destruct,                \
    .rxq_dealloc = netdev_vsubnet_rxq_dealloc,                  \
    .rxq_recv = netdev_vsubnet_rxq_recv,                        \
    .rxq_wait = netdev_vsubnet_rxq_wait,                        \
    .rxq_get_fd = netdev_vsubnet_rxq_get_fd,                    \
    .rxq_drain = netdev_vsubnet_rxq_drain

const struct netdev_class netdev_vsubnet_class = {
    .type = "vsubnet",
    .init = netdev_vsubnet_init,
    .run = netdev_vsubnet_run,
    .wait = netdev_vsubnet_wait,
    VSUBNET_CLASS_COMMON,
};

const struct netdev_class netdev_vsubnet_pmd_class = {
    .type = "vsubnet-pmd",
    .is_pmd = true,
    .set_tx_multiq = netdev_vsubnet_set_tx_multiq,
    .reconfigure = netdev_vsubnet_reconfigure,
    VSUBNET_CLASS_COMMON,
};
