/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow messages that ofctrl sends. */
#ifndef VSUBNET_OFCTRL_MSG_H
#define VSUBNET_OFCTRL_MSG_H 1

/* Pure: each makes one OpenFlow 1.5 message, which the caller owns. */

#include <stdint.h>
#include "controller/flow-tables.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/types.h"

struct flow_change;
struct meter_change;
struct ofp_header;
struct ofpbuf;

/* Of every meter that we make. */
#define OFCTRL_METER_FLAGS (OFPMF13_PKTPS | OFPMF13_BURST)

struct ofpbuf *ofctrl_msg_set_config(void);
struct ofpbuf *ofctrl_msg_packet_in_format(void);
struct ofpbuf *ofctrl_msg_packet_out(ofp_port_t in, ofp_port_t out,
                                     const void *frame, size_t len);
struct ofpbuf *ofctrl_msg_meter_config(void);   /* Of all meters. */
struct ofpbuf *ofctrl_msg_meter_stats(void);    /* The same. */
struct ofpbuf *ofctrl_msg_meter_mod(const struct meter_change *);
struct ofpbuf *ofctrl_msg_flow_stats(void);     /* Of all flows. */
struct ofpbuf *ofctrl_msg_flow_count(enum flow_table table, uint64_t cookie,
                                     uint64_t mask);
struct ofpbuf *ofctrl_msg_flow_monitor(void);   /* Of learnt flows. */
struct ofpbuf *ofctrl_msg_flow_mod(const struct flow_change *);
struct ofpbuf *ofctrl_msg_flush_zone(uint16_t zone);
struct ofpbuf *ofctrl_msg_unlearn(uint32_t vni, struct eth_addr mac,
                                  bool only_remote);
struct ofpbuf *ofctrl_msg_echo_reply(const struct ofp_header *request);

#endif /* ofctrl-msg.h */
