/* SPDX-License-Identifier: Apache-2.0 */
/* Guards the segment against what is done to it: loops, and itself. */
#include <config.h>
#include "controller/guard.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "controller/controller.h"
#include "controller/host-addr.h"
#include "controller/learnt.h"
#include "controller/local-port.h"
#include "controller/loop-probe.h"
#include "controller/ofctrl.h"
#include "controller/own-keys.h"
#include "coverage.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "random.h"
#include "seal/wire.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(guard);

COVERAGE_DEFINE(guard_probe_sent);
COVERAGE_DEFINE(guard_probe_received);
COVERAGE_DEFINE(guard_probe_forged);
COVERAGE_DEFINE(guard_probe_old);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 30);

void
guard_init(struct guard *guard)
{
    loop_guard_init(&guard->loops);
    mac_damping_init(&guard->macs);
    mac_damping_holds(&guard->macs, &guard->holds);
}

void
guard_destroy(struct guard *guard)
{
    loop_guard_destroy(&guard->loops);
    mac_damping_destroy(&guard->macs);
    free(guard->holds.holds);
}

/* What is blocked may be another now: ports are to be looked at again. */
static void
note_changes(struct controller *c)
{
    if (c->guard.loops.changed) {
        c->guard.loops.changed = false;
        c->next_update = 0;
        poll_immediate_wake();
    }
}

/* The device that has one of this node's endpoints is no port. */
static void
check_devices(struct controller *c, const struct local_ports *ports)
{
    const struct model_node *self = c->mapping ? c->mapping->self : NULL;

    for (size_t i = 0; self && i < self->n_endpoints; i++) {
        char name[IFNAMSIZ];
        const struct local_port *port
            = (host_addr_device_of(&self->endpoints[i].ip, name)
               ? local_ports_find(ports, name) : NULL);

        if (port) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ds_put_cstr(&s, "underlay: this device has the node's endpoint ");
            model_endpoint_format(&self->endpoints[i], &s);
            loop_guard_underlay(&c->guard.loops, port->ofport, ds_cstr(&s),
                                time_msec());
            ds_destroy(&s);
        }
    }
}

void
guard_sync_ports(struct controller *c, struct local_ports *ports)
{
    struct loop_guard *loops = &c->guard.loops;

    loop_guard_sync(loops, ports, time_msec());
    check_devices(c, ports);
    if (loops->changed) {
        loop_guard_sync(loops, ports, time_msec());
        loops->changed = false;
    }
}

/* Probes. */

/* The key that 'spi' names, of 'node' in 'net', or NULL. */
static const struct model_secret *
find_key(const struct controller *c, const struct model_net *net,
         uint32_t node, uint32_t spi)
{
    if (node == c->mapping->self->number) {
        const struct own_key *own = shash_find_data(&c->keys.keys, net->name);

        while (own && own->spi != spi) {
            own = own->before;
        }
        return own ? &own->secret : NULL;
    }

    const struct model_key *key = mapping_key(c->mapping, spi);
    return (key && key->node == node && !strcmp(key->net, net->name)
            ? &key->secret : NULL);
}

static void
send_probe(const struct loop_port *port, void *c_)
{
    struct controller *c = c_;
    const struct model_net *net = mapping_net_by_vni(c->mapping, port->vni);
    const struct own_key *own = (net ? own_keys_in_force(&c->keys, net->name)
                                 : NULL);
    uint8_t frame[LOOP_PROBE_LEN];

    if (!own || !own->spi) {
        return;
    }
    const struct loop_probe probe = {
        .vni = port->vni,
        .node = c->mapping->self->number,
        .port = port->ofport,
        .blocked = port->reason != NULL,
        .spi = own->spi,
        .time = time_wall(),
    };
    const struct loop_key key = { own->secret.bytes, own->secret.size };
    if (loop_probe_write(&probe, &key, frame)) {
        ofctrl_send_frame(c->ofctrl, port->ofport, frame, sizeof frame);
        COVERAGE_INC(guard_probe_sent);
    }
}

/* What was learnt at a port of a loop is wrong, or will be learnt again. */
static void
forget_macs(const struct loop_port *port, void *c_)
{
    struct controller *c = c_;

    ofctrl_unlearn_port(c->ofctrl, port->vni, port->ofport);
    learnt_age_port(&c->learnt, port->ofport);
}

static void
receive_probe(struct controller *c, const struct punt *punt)
{
    const struct model_net *net = mapping_net_by_vni(c->mapping, punt->vni);
    struct loop_probe probe;

    /* What came here from another vSubnet is no loop of this one. */
    if (!net || !loop_probe_read(punt->frame, punt->len, &probe)
        || probe.vni != punt->vni) {
        COVERAGE_INC(guard_probe_forged);
        return;
    }

    const struct model_secret *secret = find_key(c, net, probe.node,
                                                 probe.spi);
    const struct loop_key key = { secret ? secret->bytes : NULL,
                                  secret ? secret->size : 0 };
    uint32_t age = time_wall() - probe.time + LOOP_PROBE_MAX_AGE;
    if (!secret || !loop_probe_verify(punt->frame, &key)) {
        COVERAGE_INC(guard_probe_forged);
    } else if (age > 2 * LOOP_PROBE_MAX_AGE) {
        COVERAGE_INC(guard_probe_old);
    } else {
        const struct loop_end from = { probe.node, probe.port };
        const struct loop_end at = { c->mapping->self->number, punt->port };

        COVERAGE_INC(guard_probe_received);
        loop_guard_probed(&c->guard.loops, &from, probe.blocked, &at,
                          time_msec());
    }
}

/* The tunnel's datagrams. */

/* Returns the UDP payload of a frame that is cut off, or NULL. */
static const uint8_t *
udp_payload(const void *frame, size_t len, size_t *n)
{
    const struct eth_header *eth = frame;
    const uint8_t *l3 = (const uint8_t *) frame + ETH_HEADER_LEN;
    size_t l3_len = 0;

    if (len < ETH_HEADER_LEN + IPV6_HEADER_LEN + UDP_HEADER_LEN) {
        return NULL;
    }
    if (eth->eth_type == htons(ETH_TYPE_IP) && l3[9] == IPPROTO_UDP) {
        l3_len = (l3[0] & 0xf) * 4;
    } else if (eth->eth_type == htons(ETH_TYPE_IPV6)
               && l3[6] == IPPROTO_UDP) {
        l3_len = IPV6_HEADER_LEN;
    }

    size_t ofs = ETH_HEADER_LEN + l3_len + UDP_HEADER_LEN;
    if (l3_len < IP_HEADER_LEN || ofs >= len) {
        return NULL;
    }
    *n = len - ofs;
    return (const uint8_t *) frame + ofs;
}

/* Tenants may use the addresses of the underlay, and have a vSubnet of their
 * own; but they send under no SPI of this one's members. */
static void
receive_datagram(struct controller *c, const struct punt *punt)
{
    struct wire_header header;
    size_t n;
    const uint8_t *datagram = udp_payload(punt->frame, punt->len, &n);

    if (!datagram || wire_validate(datagram, n)) {
        return;
    }
    wire_parse(datagram, &header);

    const struct model_key *key = mapping_key(c->mapping, header.spi);
    const struct model_net *net = key ? mapping_net(c->mapping, key->net)
                                  : NULL;
    if (net && net->vni == header.vni) {
        loop_guard_underlay(&c->guard.loops, punt->port,
                            "underlay: datagrams of the tunnel come in here",
                            time_msec());
    }
}

void
guard_receive(struct controller *c, const struct punt *punt)
{
    const struct eth_header *eth = punt->frame;

    if (!c->mapping || !c->mapping->self || punt->len < ETH_HEADER_LEN) {
        return;
    }
    if (eth->eth_type == htons(LOOP_PROBE_TYPE)) {
        receive_probe(c, punt);
    } else {
        receive_datagram(c, punt);
    }
    note_changes(c);
}

/* MACs that move. */

/* Something else is held in the vSubnet. */
static void
renew_holds(struct controller *c, uint32_t vni)
{
    free(c->guard.holds.holds);
    mac_damping_holds(&c->guard.macs, &c->guard.holds);
    mapping_touches_add(&c->touches, MAPPING_TOUCH_NET_ROW, vni,
                        eth_addr_zero);
    c->flows_changed = true;
    poll_immediate_wake();
}

static const struct model_binding *
find_binding(const struct controller *c, uint32_t vni, struct eth_addr addr)
{
    const struct model_net *net = (c->mapping
                                   ? mapping_net_by_vni(c->mapping, vni)
                                   : NULL);
    return net ? mapping_binding(c->mapping, net->name, addr) : NULL;
}

/* Where the MAC was as far as is known; false: it is not.  A binding at
 * another node stands for a MAC that was never here. */
static bool
last_place(const struct controller *c, uint32_t vni, struct eth_addr addr,
           ofp_port_t *place)
{
    const struct damped_mac *damped = mac_damping_find(&c->guard.macs, vni,
                                                       addr);
    const struct learnt_mac *learnt = learnt_find(&c->learnt, vni, addr);
    const struct model_binding *binding = find_binding(c, vni, addr);
    uint32_t self = (c->mapping && c->mapping->self
                     ? c->mapping->self->number : 0);

    *place = (damped ? damped->place
              : learnt && learnt->port ? learnt->port
              : MAC_ELSEWHERE);
    return (damped || (learnt && learnt->port)
            || (binding && binding->node && binding->node != self));
}

static char *
hold_sentence(const struct controller *c, const struct mac_hold *hold)
{
    const struct model_net *net = mapping_net_by_vni(c->mapping, hold->vni);
    const struct local_port *port
        = (hold->home != MAC_ELSEWHERE
           ? local_ports_find_ofport(&c->ports, hold->home) : NULL);

    return xasprintf("MAC "ETH_ADDR_FMT" of vSubnet %s moves too often: it is "
                     "held at %s%s for a while", ETH_ADDR_ARGS(hold->mac),
                     net ? net->name : "?", port ? "port " : "other hosts",
                     port ? port->name : "");
}

static void
move(struct controller *c, uint32_t vni, struct eth_addr addr,
     ofp_port_t from, ofp_port_t to)
{
    struct mac_damping *macs = &c->guard.macs;

    if (mac_damping_move(macs, vni, addr, from, to, time_msec())) {
        char *sentence = hold_sentence(c, &mac_damping_find(macs, vni,
                                                            addr)->at);
        VLOG_WARN_RL(&rl, "%s", sentence);
        free(sentence);
        renew_holds(c, vni);
    }
}

bool
guard_learnt(struct controller *c, uint32_t vni, ofp_port_t port,
             struct eth_addr addr)
{
    const struct damped_mac *damped;
    ofp_port_t from;

    if (last_place(c, vni, addr, &from) && from != port) {
        move(c, vni, addr, from, port);
    }
    damped = mac_damping_find(&c->guard.macs, vni, addr);
    if (!damped || !damped->held_until || damped->at.home == port) {
        return false;
    }

    const struct learnt_mac *learnt = learnt_find(&c->learnt, vni, addr);
    ofctrl_unlearn(c->ofctrl, vni, addr);
    if (learnt && learnt->port != damped->at.home) {
        learnt_set_present(&c->learnt, vni, learnt->port, addr, false);
    }
    return true;
}

void
guard_moved_away(struct controller *c, uint32_t vni, struct eth_addr addr)
{
    ofp_port_t from;

    if (last_place(c, vni, addr, &from)) {
        move(c, vni, addr, from, MAC_ELSEWHERE);
    }
}

void
guard_add_problems(const struct controller *c, struct json_t *problems)
{
    for (size_t i = 0; c->mapping && i < c->guard.holds.n; i++) {
        char *sentence = hold_sentence(c, &c->guard.holds.holds[i]);

        json_array_append_new(problems, json_string(sentence));
        free(sentence);
    }
}

static bool
port_exists(uint32_t vni, ofp_port_t ofport, void *c_)
{
    const struct controller *c = c_;
    const struct local_port *port = local_ports_find_ofport(&c->ports,
                                                            ofport);
    return port && port->vni == vni;
}

static void
mac_released(const struct mac_hold *hold, void *c_)
{
    VLOG_INFO_RL(&rl, "MAC "ETH_ADDR_FMT" may move again",
                 ETH_ADDR_ARGS(hold->mac));
    renew_holds(c_, hold->vni);
}

/* The rounds. */

static bool
is_active(const struct controller *c)
{
    struct ofctrl_status status;

    ofctrl_get_status(c->ofctrl, &status);
    return c->mapping && c->mapping->self && status.connected;
}

void
guard_reset(struct controller *c)
{
    loop_guard_reset(&c->guard.loops, time_msec());
}

void
guard_run(struct controller *c)
{
    if (is_active(c)) {
        const struct loop_actions actions = { send_probe, forget_macs, c };

        loop_guard_run(&c->guard.loops, time_msec(), random_uint32(),
                       &actions);
        mac_damping_run(&c->guard.macs, time_msec(), port_exists,
                        mac_released, c);
        note_changes(c);
    }
}

void
guard_wait(struct controller *c)
{
    if (is_active(c)) {
        poll_timer_wait_until(loop_guard_next(&c->guard.loops));
        poll_timer_wait_until(mac_damping_next(&c->guard.macs));
    }
}

static void
unblock_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[], void *c_)
{
    struct controller *c = c_;

    if (loop_guard_open(&c->guard.loops, argv[1], time_msec())) {
        note_changes(c);
        unixctl_command_reply(conn, NULL);
    } else {
        char *error = xasprintf("port %s is not blocked", argv[1]);

        unixctl_command_reply_error(conn, error);
        free(error);
    }
}

void
guard_init_commands(struct controller *c)
{
    unixctl_command_register("vsubnet/unblock", "PORT", 1, 1, unblock_command,
                             c);
}
