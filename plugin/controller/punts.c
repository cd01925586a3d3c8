/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the switch sends to the controller, each to whom it is for. */
#include <config.h>
#include "controller/punts.h"

#include "controller/acl-log.h"
#include "controller/controller.h"
#include "controller/duplicates.h"
#include "controller/guard.h"
#include "controller/learnt.h"
#include "controller/moves.h"
#include "controller/ofctrl.h"
#include "controller/services.h"
#include "dp-packet.h"
#include "packets.h"
#include "timeval.h"

/* A MAC that finds no room is at that port nevertheless, so it may have moved.
 *
 * The switch does not tell of what is deleted by us.  If there is room now, it
 * will tell that it learnt the MAC again. */
static void
receive_full(struct controller *c, const struct punt *punt)
{
    const struct eth_header *eth = punt->frame;
    ofp_port_t port = punt->port == c->tunnel ? MAC_ELSEWHERE : punt->port;

    if (punt->len >= ETH_HEADER_LEN
        && !guard_learnt(c, punt->vni, port, eth->eth_src)) {
        ofctrl_unlearn(c->ofctrl, punt->vni, eth->eth_src);
        learnt_set_present(&c->learnt, punt->vni, 0, eth->eth_src, true);
    }
}

/* Of announcements, only the duplicate address that one may be is of interest
 * here: what is to be answered comes by itself, too. */
static void
receive_duplicate(struct controller *c, const struct punt *punt)
{
    struct dp_packet answer;

    dp_packet_init(&answer, 0);
    if (c->mapping
        && duplicates_receive(&c->duplicates, c->mapping, &c->ports, punt,
                              time_msec(), &answer)
        && punt->kind == PUNT_DUPLICATE) {
        ofctrl_send_frame(c->ofctrl, punt->port, dp_packet_data(&answer),
                          dp_packet_size(&answer));
    }
    dp_packet_uninit(&answer);
}

void
punts_receive(struct controller *c, const struct punt *punt)
{
    switch (punt->kind) {
    case PUNT_ANNOUNCEMENT:
        learnt_announce(&c->learnt, punt->vni, punt->port, punt->frame,
                        punt->len);
        receive_duplicate(c, punt);
        break;
    case PUNT_DUPLICATE:
        receive_duplicate(c, punt);
        break;
    case PUNT_FULL:
        receive_full(c, punt);
        break;
    case PUNT_DHCP4:
    case PUNT_DHCP6:
    case PUNT_ROUTER:
        services_receive(c, punt);
        break;
    case PUNT_ACL_LOG:
        acl_log_receive(c, punt);
        break;
    case PUNT_LOOP:
        guard_receive(c, punt);
        break;
    case PUNT_MOVE:
        moves_receive(c, punt);
        break;
    default:                    /* Of a flow of another version. */
        break;
    }
}
