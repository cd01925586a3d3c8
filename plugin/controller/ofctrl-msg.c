/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow messages that ofctrl sends. */
#include <config.h>
#include "controller/ofctrl-msg.h"

#include "byte-order.h"
#include "controller/flow-diff.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/meters.h"
#include "openflow/nicira-ext.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"

#define PROTOCOL OFPUTIL_P_OF15_OXM

struct ofpbuf *
ofctrl_msg_set_config(void)
{
    struct ofputil_switch_config config = {
        .frag = OFPUTIL_FRAG_NORMAL,
        .invalid_ttl_to_controller = -1,
        .miss_send_len = UINT16_MAX,
    };
    return ofputil_encode_set_config(&config, OFP15_VERSION);
}

/* Packets to the controller come with the userdata of the action. */
struct ofpbuf *
ofctrl_msg_packet_in_format(void)
{
    return ofputil_encode_set_packet_in_format(
        OFP15_VERSION, OFPUTIL_PACKET_IN_NXT2);
}

/* 'out' may be OFPP_TABLE: through the tables, from 'in'. */
struct ofpbuf *
ofctrl_msg_packet_out(ofp_port_t in, ofp_port_t out, const void *frame,
                      size_t len)
{
    uint64_t stub[64 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofpact_output *output = ofpact_put_OUTPUT(&acts);

    output->port = out;
    output->max_len = UINT16_MAX;

    struct ofputil_packet_out po = {
        .packet = frame,
        .packet_len = len,
        .buffer_id = UINT32_MAX,
        .ofpacts = acts.data,
        .ofpacts_len = acts.size,
    };
    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, in);

    struct ofpbuf *msg = ofputil_encode_packet_out(&po, PROTOCOL);
    ofpbuf_uninit(&acts);
    return msg;
}

struct ofpbuf *
ofctrl_msg_meter_config(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_CONFIG,
                                        OFPM13_ALL);
}

struct ofpbuf *
ofctrl_msg_meter_stats(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_STATS,
                                        OFPM13_ALL);
}

struct ofpbuf *
ofctrl_msg_meter_mod(const struct meter_change *change)
{
    static const uint16_t commands[] = {
        [METER_ADD] = OFPMC13_ADD,
        [METER_MODIFY] = OFPMC13_MODIFY,
        [METER_DELETE] = OFPMC13_DELETE,
    };
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP,
        .rate = change->meter.rate,
        .burst_size = change->meter.burst,
    };
    struct ofputil_meter_mod mm = {
        .command = commands[change->type],
        .meter = {
            .meter_id = change->meter.id,
            .flags = OFCTRL_METER_FLAGS,
            .n_bands = change->type == METER_DELETE ? 0 : 1,
            .bands = &band,
        },
    };
    return ofputil_encode_meter_mod(OFP15_VERSION, &mm);
}

static struct ofpbuf *
flow_stats(uint8_t table, uint64_t cookie, uint64_t cookie_mask)
{
    struct ofputil_flow_stats_request fsr = {
        .table_id = table,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .cookie = htonll(cookie),
        .cookie_mask = htonll(cookie_mask),
    };
    match_init_catchall(&fsr.match);
    return ofputil_encode_flow_stats_request(&fsr, PROTOCOL);
}

struct ofpbuf *
ofctrl_msg_flow_stats(void)
{
    return flow_stats(OFPTT_ALL, 0, 0);
}

struct ofpbuf *
ofctrl_msg_flow_count(enum flow_table table, uint64_t cookie, uint64_t mask)
{
    return flow_stats(table, cookie, mask);
}

struct ofpbuf *
ofctrl_msg_flow_monitor(void)
{
    struct ofputil_flow_monitor_request fmr = {
        .id = 1,
        .command = OFPFMC_ADD,
        .flags = OFPFMF_INITIAL | OFPFMF_ADD | OFPFMF_REMOVED
                 | OFPFMF_MODIFY,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = FT_LEARNT,
    };
    struct ofpbuf *msg = ofpbuf_new(0);

    match_init_catchall(&fmr.match);
    ofputil_append_flow_monitor_request(&fmr, msg, PROTOCOL);
    ofpmsg_update_length(msg);
    return msg;
}

struct ofpbuf *
ofctrl_msg_flow_mod(const struct flow_change *change)
{
    struct ofputil_flow_mod fm = {
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .new_cookie = OVS_BE64_MAX,
    };

    if (change->type == FLOW_SWEEP) {
        fm.command = OFPFC_DELETE;
        fm.table_id = FT_LEARNT;
        fm.cookie = htonll(change->cookie);
        fm.cookie_mask = OVS_BE64_MAX;
        minimatch_init_catchall(&fm.match);
    } else {
        const struct flow_entry *flow = change->flow;

        minimatch_clone(&fm.match, &flow->match);
        fm.table_id = flow->table;
        fm.priority = flow->priority;
        switch (change->type) {
        case FLOW_ADD:
            fm.command = OFPFC_ADD;
            fm.new_cookie = htonll(flow->cookie);
            break;
        case FLOW_MODIFY:
            fm.command = OFPFC_MODIFY_STRICT;
            break;
        case FLOW_DELETE:
        case FLOW_SWEEP:
            fm.command = OFPFC_DELETE_STRICT;
            break;
        }
        if (change->type != FLOW_DELETE) {
            fm.ofpacts = flow->ofpacts;
            fm.ofpacts_len = flow->ofpacts_len;
        }
    }

    struct ofpbuf *msg = ofputil_encode_flow_mod(&fm, PROTOCOL);
    minimatch_destroy(&fm.match);
    return msg;
}

/* Deletes what was learnt for 'mac', whose output port does not matter. */
struct ofpbuf *
ofctrl_msg_unlearn(uint32_t vni, struct eth_addr mac, bool only_remote)
{
    struct ofputil_flow_mod fm = {
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .new_cookie = OVS_BE64_MAX,
        .command = OFPFC_DELETE,
        .table_id = FT_LEARNT,
    };
    struct match match;

    if (only_remote) {
        fm.cookie = htonll(cookie_make(COOKIE_LEARNT, vni,
                                       COOKIE_FROM_TUNNEL));
        fm.cookie_mask = OVS_BE64_MAX;
    }
    match_init_catchall(&match);
    match_set_metadata(&match, htonll(vni));
    match_set_dl_dst(&match, mac);
    minimatch_init(&fm.match, &match);
    struct ofpbuf *msg = ofputil_encode_flow_mod(&fm, PROTOCOL);
    minimatch_destroy(&fm.match);
    return msg;
}

/* Forgets what is tracked in the zone. */
struct ofpbuf *
ofctrl_msg_flush_zone(uint16_t zone)
{
    struct ofpbuf *msg = ofpraw_alloc(OFPRAW_NXT_CT_FLUSH_ZONE, OFP15_VERSION,
                                      0);
    struct nx_zone_id *nzi = ofpbuf_put_zeros(msg, sizeof *nzi);

    nzi->zone_id = htons(zone);
    return msg;
}

struct ofpbuf *
ofctrl_msg_echo_reply(const struct ofp_header *request)
{
    return ofputil_encode_echo_reply(request);
}
