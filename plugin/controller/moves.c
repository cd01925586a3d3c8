/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that come to this host from another. */
#include <config.h>
#include "controller/moves.h"

#include <stdlib.h>

#include "controller/claim.h"
#include "controller/controller.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "controller/punts.h"
#include "coverage.h"
#include "model/mapping.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(moves);

COVERAGE_DEFINE(moves_announced);
COVERAGE_DEFINE(moves_disbelieved);
COVERAGE_DEFINE(moves_heard);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 50);

void
moves_init(struct moves *moves)
{
    sset_init(&moves->spoke);
    shash_init(&moves->paces);
    announcements_init(&moves->announcements);
}

void
moves_destroy(struct moves *moves)
{
    sset_destroy(&moves->spoke);
    shash_destroy_free_data(&moves->paces);
    announcements_destroy(&moves->announcements);
}

static enum claim_state
judge(const struct controller *c, const struct local_port *port)
{
    return claim_judge(port,
                       mapping_binding(c->mapping, port->net, port->mac),
                       c->mapping->self ? c->mapping->self->number : 0);
}

/* A guest that goes on saying that it is here, while another one does so at
 * another host, is not heard each time. */
static bool
is_believed(struct moves *moves, const char *name)
{
    struct claim_pace *pace = shash_find_data(&moves->paces, name);

    if (!pace) {
        pace = xzalloc(sizeof *pace);
        shash_add(&moves->paces, name, pace);
    }
    return claim_pace_allows(pace, time_msec());
}

void
moves_receive(struct controller *c, const struct punt *punt)
{
    const struct local_port *port = local_ports_find_ofport(&c->ports,
                                                            punt->port);
    const struct eth_header *eth = punt->frame;

    if (!c->mapping || !port || port->vni != punt->vni || !port->has_mac
        || punt->len < ETH_HEADER_LEN
        || !eth_addr_equals(eth->eth_src, port->mac)) {
        return;
    }

    enum claim_state state = judge(c, port);
    if (state == CLAIM_WAITS
        || (state == CLAIM_LOST
            && claim_is_announcement(punt->frame, punt->len))) {
        if (!is_believed(&c->moves, port->name)) {
            COVERAGE_INC(moves_disbelieved);
            return;
        }
        COVERAGE_INC(moves_heard);
        VLOG_INFO_RL(&rl, "port %s: the guest "ETH_ADDR_FMT" speaks here",
                     port->name, ETH_ADDR_ARGS(port->mac));
        sset_add(&c->moves.spoke, port->name);
        c->next_update = 0;
        poll_immediate_wake();
    }
}

void
moves_unlearn(struct controller *c)
{
    const struct mapping_touches *touches = &c->touches;

    for (size_t i = 0; !touches->all && i < touches->n; i++) {
        const struct mapping_touch *t = &touches->touches[i];
        const struct model_net *net
            = (t->type == MAPPING_TOUCH_BINDING
               ? mapping_net_by_vni(c->mapping, t->vni) : NULL);

        if (net && !mapping_binding(c->mapping, net->name, t->mac)) {
            ofctrl_unlearn_remote(c->ofctrl, t->vni, t->mac);
        }
    }
}

void
moves_ports_changed(struct controller *c, const struct local_ports *new)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &c->moves.paces) {
        if (!local_ports_find(new, node->name)) {
            free(node->data);
            shash_delete(&c->moves.paces, node);
        }
    }
    for (size_t i = 0; i < new->n; i++) {
        const struct local_port *port = &new->ports[i];
        const struct local_port *old = local_ports_find(&c->ports,
                                                        port->name);

        if (port->claim.word == CLAIM_HELD && old
            && !claim_equals(port->claim, old->claim)) {
            announcements_add(&c->moves.announcements, port->name,
                              time_msec());
        }
    }
}

/* Announcements. */

static const struct model_binding *
find_binding(const char *name, void *c_)
{
    struct controller *c = c_;
    const struct local_port *port = local_ports_find(&c->ports, name);

    return (port && port->has_mac && port->ofport
            && judge(c, port) == CLAIM_HERE
            ? mapping_binding(c->mapping, port->net, port->mac) : NULL);
}

static void
send_frame(const char *name, const void *frame, size_t len, void *c_)
{
    struct controller *c = c_;

    ofctrl_inject_frame(c->ofctrl,
                        local_ports_find(&c->ports, name)->ofport, frame,
                        len);
    COVERAGE_INC(moves_announced);
}

void
moves_run(struct controller *c)
{
    static const struct announce_class class = { find_binding, send_frame };

    /* Before its flows are there a port's frames go nowhere. */
    if (c->mapping && ofctrl_is_in_sync(c->ofctrl)) {
        announcements_run(&c->moves.announcements, time_msec(), &class, c);
    }
}

void
moves_wait(const struct controller *c)
{
    if (c->mapping && ofctrl_is_in_sync(c->ofctrl)) {
        poll_timer_wait_until(announcements_next(&c->moves.announcements));
    }
}
