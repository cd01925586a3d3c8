/* SPDX-License-Identifier: Apache-2.0 */
/* Putting one flow together: matches and actions that several services use. */
#ifndef VSUBNET_FLOW_COMPOSE_H
#define VSUBNET_FLOW_COMPOSE_H 1

/* A service's part of the pipeline is a file flow-X.c that puts its flows
 * together with these functions, one after the other:
 *
 *      match_net(c, net->vni);
 *      match_set_dl_dst(&c->match, mac);
 *      act_set_be32(c, FR_OUTPUT, htonl(port));
 *      emit(c, FT_BINDINGS, FP_BINDING, cookie);
 *
 * emit() appends the flow to the list and leaves 'match' and 'acts' empty, for
 * the next one.  Internal to flow-*.c.  Pure. */

#include <stdbool.h>
#include <stdint.h>
#include "controller/flow-desired.h"
#include "controller/flow-tables.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"

struct local_port;
struct model_binding;
struct model_net;

struct compose {
    const struct flow_input *input;
    struct flow_list *list;
    uint64_t rank;              /* Of the part (flow-desired.h). */
    struct match match;
    struct ofpbuf acts;
};

void compose_init(struct compose *, const struct flow_input *,
                  struct flow_list *, uint64_t rank);
void compose_uninit(struct compose *);

/* The flow is whole: appends it. */
void emit(struct compose *, enum flow_table, enum flow_priority,
          uint64_t cookie);

/* Actions. */
void act_goto(struct compose *, enum flow_table);
void act_resubmit(struct compose *, enum flow_table);
void act_output(struct compose *, ofp_port_t);
void act_set_be64(struct compose *, enum mf_field_id, uint64_t value);
void act_set_be32(struct compose *, enum mf_field_id, ovs_be32 value);
void act_set_be16(struct compose *, enum mf_field_id, ovs_be16 value);
void act_set_u8(struct compose *, enum mf_field_id, uint8_t value);

/* Labels: nothing if there are none, registers are 0 already. */
void act_set_labels(struct compose *, enum mf_field_id, ovs_u128 bits);
void act_set_flag(struct compose *, uint32_t flag);
void act_move(struct compose *, enum mf_field_id src, int src_ofs,
              enum mf_field_id dst, int dst_ofs, int n_bits);
void act_stack(struct compose *, enum mf_field_id, bool push);

/* What goes beyond the meter's rate goes no further. */
void act_meter(struct compose *, uint32_t meter);

/* A copy for the controller: the first FM_COPIES_MAX_LEN bytes, as long as the
 * meter has room: that of the port (meter_of_punts()) where the flow is of one
 * port.  'kind' is its only byte of userdata, which says whom it is for
 * (punts.h). */
void act_punt(struct compose *, enum punt_kind, uint32_t meter);
/* The same, of FM_WHOLE_MAX_LEN bytes. */
void act_punt_whole(struct compose *, enum punt_kind, uint32_t meter);

/* Matches. */
void match_net(struct compose *, uint32_t vni);
void match_flags(struct compose *, uint32_t flags, uint32_t mask);
void match_from_tunnel(struct compose *, bool from_tunnel);
void match_nd(struct compose *, uint8_t type);     /* ICMPv6, code 0. */

/* Facts. */

/* The binding of the port's MAC, or NULL. */
const struct model_binding *compose_port_binding(const struct compose *,
                                                 const struct model_net *,
                                                 const struct local_port *);
bool binding_is_dynamic(const struct model_binding *);   /* NULL: no. */
/* The bits of the labels of 'binding', which may be NULL. */
ovs_u128 compose_labels(const struct model_net *,
                        const struct model_binding *binding);
uint32_t compose_self(const struct compose *);  /* This node's number, or 0. */

#endif /* flow-compose.h */
