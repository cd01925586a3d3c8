/* SPDX-License-Identifier: Apache-2.0 */
/* Pinging a peer through the tunnel. */

#include <config.h>
#include "datapath/vsubnet-ping.h"

#include <errno.h>
#include <inttypes.h>

#include "datapath/path-ping.h"
#include "datapath/vsubnet-peers.h"
#include "datapath/vsubnet-port.h"
#include "datapath/vsubnet-show.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "socket-util.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

enum {
    COUNT_DEFAULT = 5,
    SIZE_DEFAULT = 64,
    SIZE_MIN = OAM_MESSAGE_LEN - WIRE_ETHERNET_LEN,
    SIZE_MAX_ = WIRE_MAX_FRAME_LEN - WIRE_ETHERNET_LEN,
};

/* A ping under way. */
struct ping {
    struct ovs_list node;       /* In 'all_pings'. */
    struct unixctl_conn *conn;  /* Who waits for what comes of it. */
    bool json;
    uint32_t number;            /* Of the peer. */
    int size;                   /* Of the IP packet that there could be. */
    struct path_ping path;

    /* What is seen of it at the port. */
    uint64_t nonce;             /* To be sent, if 'due'. */
    bool due;
    bool found;                 /* A port has this peer. */
    bool too_long;              /* The device does not take 'size'. */
    int error;                  /* Of the last request, an errno; 0: none. */
    bool probe;                 /* The port asks and answers. */
    struct path_endpoint endpoint;
    int mtu;
    bool verified;
};

static struct ovs_list all_pings = OVS_LIST_INITIALIZER(&all_pings);

/* At a port. */

static void
send_request(struct vsubnet_port *port, const struct vsubnet_peer *peer,
             struct ping *ping)
{
    const struct vsubnet_tx_message message = {
        .content = { .kind = OAM_ECHO_REQUEST, .nonce = ping->nonce },
        .len = ping->size + WIRE_ETHERNET_LEN,
        .number = peer->number,
        .vni = peer->vni,
        .address = ping->endpoint.address,
        .port = ping->endpoint.port,
    };

    ping->error = (ping->endpoint.port
                   ? vsubnet_tx_message(&port->tx, &message) : EDESTADDRREQ);
    ping->too_long |= ping->error == EMSGSIZE;
}

/* Looks at the peer and, if a request is due, sends it. */
static bool
visit(struct vsubnet_port *port, void *ping_)
{
    const struct vsubnet_peer *peer;
    struct ping *ping = ping_;

    ovs_mutex_lock(&port->mutex);
    peer = ping->found ? NULL : vsubnet_peer_find(&port->peers, ping->number);
    if (peer) {
        ping->found = true;
        ping->probe = port->config.probe;
        ping->endpoint = (peer->learned.port ? peer->learned
                          : peer->registered);
        ping->mtu = peer->search.in_force - WIRE_ETHERNET_LEN;
        ping->verified = peer->search.state == PATH_SETTLED;
        if (ping->due && ping->probe) {
            send_request(port, peer, ping);
        }
    }
    ovs_mutex_unlock(&port->mutex);
    return false;
}

/* Words. */

/* Why there can be no answer, or NULL. */
static const char *
problem(const struct ping *ping)
{
    return (!ping->found ? "no tunnel port has this peer"
            : !ping->probe ? "options:probe=false: ports send each other no "
                             "messages"
            : !ping->endpoint.port ? "its endpoint is not known"
            : ping->error == ENOKEY ? "there is no key to send to it with"
            : ping->too_long ? "longer than the device takes"
            : ping->error ? ovs_strerror(ping->error) : NULL);
}

static struct json *
ping_to_json(const struct ping *ping)
{
    const struct path_ping *path = &ping->path;
    const char *why = problem(ping);
    struct json *json = json_object_create();

    json_object_put(json, "node", json_integer_create(ping->number));
    json_object_put_format(json, "tunnel_address", IP_FMT,
                           IP_ARGS(wire_tunnel_address(ping->number)));
    if (ping->endpoint.port) {
        struct ds endpoint = DS_EMPTY_INITIALIZER;

        ipv6_format_mapped(&ping->endpoint.address, &endpoint);
        json_object_put_string(json, "address", ds_cstr(&endpoint));
        json_object_put(json, "port",
                        json_integer_create(ping->endpoint.port));
        ds_destroy(&endpoint);
    }
    json_object_put(json, "size", json_integer_create(ping->size));
    json_object_put(json, "sent", json_integer_create(path->sent));
    json_object_put(json, "received", json_integer_create(path->received));
    if (path->received) {
        json_object_put(json, "min_us", json_integer_create(path->min_us));
        json_object_put(json, "avg_us", json_integer_create(
            path->sum_us / path->received));
        json_object_put(json, "max_us", json_integer_create(path->max_us));
    }
    if (ping->found) {
        json_object_put(json, "mtu", json_integer_create(ping->mtu));
        json_object_put(json, "mtu_verified",
                        json_boolean_create(ping->verified));
    }
    if (why && path->received < path->sent) {
        json_object_put_string(json, "error", why);
    }
    return json;
}

static void
format_ping(const struct ping *ping, struct ds *s)
{
    const struct path_ping *path = &ping->path;
    const char *why = problem(ping);

    ds_put_format(s, "node %"PRIu32, ping->number);
    if (ping->endpoint.port) {
        ds_put_cstr(s, " at ");
        ipv6_format_mapped(&ping->endpoint.address, s);
        ds_put_format(s, " port %"PRIu16, ping->endpoint.port);
    }
    ds_put_format(s, ", %d bytes: %d sent, %d received, %d%% loss\n",
                  ping->size, path->sent, path->received,
                  100 * (path->sent - path->received) / path->sent);
    if (path->received) {
        ds_put_format(s, "round trip min/avg/max: %.3f/%.3f/%.3f ms\n",
                      path->min_us / 1e3,
                      path->sum_us / 1e3 / path->received,
                      path->max_us / 1e3);
    }
    if (ping->found) {
        ds_put_format(s, "MTU of the path: %d (%s)\n", ping->mtu,
                      ping->verified ? "verified" : "not verified");
    }
    if (why && path->received < path->sent) {
        ds_put_format(s, "%s\n", why);
    }
}

/* Life of a ping. */

static void
finish(struct ping *ping)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (ping->json) {
        struct json *json = ping_to_json(ping);

        json_to_ds(json, JSSF_PRETTY | JSSF_SORT, &s);
        json_destroy(json);
    } else {
        format_ping(ping, &s);
    }
    unixctl_command_reply(ping->conn, ds_cstr(&s));
    ds_destroy(&s);
    ovs_list_remove(&ping->node);
    free(ping);
}

void
vsubnet_ping_answered(uint32_t number, uint64_t nonce)
{
    struct ping *ping;

    LIST_FOR_EACH (ping, node, &all_pings) {
        if (ping->number == number
            && path_ping_answered(&ping->path, nonce, time_usec())) {
            return;
        }
    }
}

void
vsubnet_ping_run(void)
{
    struct ping *ping;

    LIST_FOR_EACH_SAFE (ping, node, &all_pings) {
        bool over = path_ping_is_over(&ping->path, time_usec());

        ping->due = path_ping_run(&ping->path, time_usec(), &ping->nonce);
        if (ping->due || over) {
            ping->found = false;
            vsubnet_show_for_each(NULL, visit, ping);
        }
        if (over) {
            finish(ping);
        }
    }
}

void
vsubnet_ping_wait(void)
{
    const struct ping *ping;

    LIST_FOR_EACH (ping, node, &all_pings) {
        if (path_ping_is_over(&ping->path, time_usec())) {
            poll_immediate_wake();
        } else {
            poll_timer_wait_until(time_msec()
                                  + DIV_ROUND_UP(MAX(0, ping->path.next_us
                                                     - time_usec()), 1000));
        }
    }
}

/* The command. */

/* A tunnel address, or the number of a node.  Returns 0 if it is none. */
static uint32_t
parse_peer(const char *s)
{
    unsigned int number;
    ovs_be32 address;

    if (ip_parse(s, &address)) {
        return wire_node_number(address);
    }
    return (str_to_uint(s, 10, &number) && number <= WIRE_NODE_MAX ? number
            : 0);
}

/* Parses 'argv' into 'ping' and '*count'.  Returns NULL or an error string
 * that the caller frees. */
static char *
parse(int argc, const char *argv[], struct ping *ping, int *count)
{
    const struct {
        const char *name;
        int min, max;
        int *value;
    } options[] = {
        { "-c", 1, PATH_PING_MAX, count },
        { "-s", SIZE_MIN, SIZE_MAX_, &ping->size },
    };

    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool is_option = false;

        for (size_t j = 0; j < ARRAY_SIZE(options); j++) {
            if (strcmp(word, options[j].name)) {
                continue;
            }
            is_option = true;
            if (i + 1 >= argc || !str_to_int(argv[++i], 10, options[j].value)
                || *options[j].value < options[j].min
                || *options[j].value > options[j].max) {
                return xasprintf("%s: must be a number from %d to %d", word,
                                 options[j].min, options[j].max);
            }
        }
        if (!strcmp(word, "--json")) {
            ping->json = true;
        } else if (!is_option && (ping->number
                                  || !(ping->number = parse_peer(word)))) {
            return xasprintf("%s: must be one node's tunnel address, like "
                             "240.0.0.9", word);
        }
    }
    return ping->number ? NULL : xstrdup("which node? Give its tunnel address");
}

static void
ping_command(struct unixctl_conn *conn, int argc, const char *argv[],
             void *aux OVS_UNUSED)
{
    struct ping *ping = xzalloc(sizeof *ping);
    int count = COUNT_DEFAULT;
    uint64_t nonce;

    ping->size = SIZE_DEFAULT;
    ping->conn = conn;
    char *error = parse(argc, argv, ping, &count);
    if (!error && ovs_list_size(&all_pings) >= PINGS_MAX) {
        error = xasprintf("%d pings are under way: try again later",
                          PINGS_MAX);
    }
    if (!error && !session_random_default(&nonce, sizeof nonce, NULL)) {
        error = xstrdup("no random numbers");
    }
    if (!error) {
        vsubnet_show_for_each(NULL, visit, ping);
        const char *why = problem(ping);
        error = why ? xasprintf("node %"PRIu32": %s", ping->number, why)
                : NULL;
    }
    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
        free(ping);
        return;
    }
    path_ping_begin(&ping->path, count, nonce, time_usec());
    ovs_list_push_back(&all_pings, &ping->node);
    poll_immediate_wake();
}

void
vsubnet_ping_init(void)
{
    unixctl_command_register("vsubnet/ping",
                             "[--json] [-c COUNT] [-s SIZE] TUNNEL-ADDRESS",
                             1, 6, ping_command, NULL);
}
