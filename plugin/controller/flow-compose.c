/* SPDX-License-Identifier: Apache-2.0 */
/* Putting one flow together. */
#include <config.h>
#include "controller/flow-compose.h"

#include <stdlib.h>

#include "byte-order.h"
#include "controller/flow-set.h"
#include "controller/local-port.h"
#include "model/mapping.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "util.h"

void
compose_init(struct compose *c, const struct flow_input *input,
             struct flow_list *list, uint64_t rank)
{
    c->input = input;
    c->list = list;
    c->rank = rank;
    match_init_catchall(&c->match);
    ofpbuf_init(&c->acts, 1024);
}

void
compose_uninit(struct compose *c)
{
    ofpbuf_uninit(&c->acts);
}

void
emit(struct compose *c, enum flow_table table, enum flow_priority priority,
     uint64_t cookie)
{
    struct flow_list *list = c->list;

    if (list->n >= list->allocated) {
        list->flows = x2nrealloc(list->flows, &list->allocated,
                                 sizeof *list->flows);
    }
    struct flow_entry *flow = flow_entry_create(table, priority, cookie,
                                                &c->match, c->acts.data,
                                                c->acts.size);
    flow->rank = c->rank;
    list->flows[list->n++] = flow;
    match_init_catchall(&c->match);
    ofpbuf_clear(&c->acts);
}

/* Actions. */

void
act_goto(struct compose *c, enum flow_table table)
{
    ofpact_put_GOTO_TABLE(&c->acts)->table_id = table;
}

void
act_resubmit(struct compose *c, enum flow_table table)
{
    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(&c->acts);

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = table;
}

void
act_output(struct compose *c, ofp_port_t port)
{
    struct ofpact_output *output = ofpact_put_OUTPUT(&c->acts);
    output->port = port;
    output->max_len = UINT16_MAX;
}

void
act_set_be64(struct compose *c, enum mf_field_id field, uint64_t value)
{
    ovs_be64 be64 = htonll(value);
    ofpact_put_set_field(&c->acts, mf_from_id(field), &be64, NULL);
}

void
act_set_be32(struct compose *c, enum mf_field_id field, ovs_be32 value)
{
    ofpact_put_set_field(&c->acts, mf_from_id(field), &value, NULL);
}

void
act_set_labels(struct compose *c, enum mf_field_id field, ovs_u128 bits)
{
    const ovs_be128 be128 = hton128(bits);

    if (!ovs_u128_is_zero(bits)) {
        ofpact_put_set_field(&c->acts, mf_from_id(field), &be128, NULL);
    }
}

void
act_set_be16(struct compose *c, enum mf_field_id field, ovs_be16 value)
{
    ofpact_put_set_field(&c->acts, mf_from_id(field), &value, NULL);
}

void
act_set_u8(struct compose *c, enum mf_field_id field, uint8_t value)
{
    ofpact_put_set_field(&c->acts, mf_from_id(field), &value, NULL);
}

void
act_set_flag(struct compose *c, uint32_t flag)
{
    ovs_be32 be32 = htonl(flag);
    ofpact_put_set_field(&c->acts, mf_from_id(FR_FLAGS), &be32, &be32);
}

void
act_move(struct compose *c, enum mf_field_id src, int src_ofs,
         enum mf_field_id dst, int dst_ofs, int n_bits)
{
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(&c->acts);

    move->src = (struct mf_subfield) {
        .field = mf_from_id(src), .ofs = src_ofs, .n_bits = n_bits };
    move->dst = (struct mf_subfield) {
        .field = mf_from_id(dst), .ofs = dst_ofs, .n_bits = n_bits };
}

void
act_stack(struct compose *c, enum mf_field_id id, bool push)
{
    const struct mf_field *field = mf_from_id(id);
    struct ofpact_stack *stack = (push ? ofpact_put_STACK_PUSH(&c->acts)
                                  : ofpact_put_STACK_POP(&c->acts));

    stack->subfield = (struct mf_subfield) {
        .field = field, .n_bits = field->n_bits };
}

void
act_meter(struct compose *c, uint32_t meter)
{
    ofpact_put_METER(&c->acts)->meter_id = meter;
}

static void
put_punt(struct compose *c, enum punt_kind kind, uint32_t meter,
         uint16_t max_len)
{
    struct ofpact_controller *copy = ofpact_put_CONTROLLER(&c->acts);

    copy->max_len = max_len;
    copy->controller_id = 0;
    copy->reason = OFPR_ACTION;
    copy->meter_id = meter;
    ofpbuf_put(&c->acts, &(uint8_t) { kind }, 1);
    copy = c->acts.header;
    copy->userdata_len = 1;
    ofpact_finish_CONTROLLER(&c->acts, &copy);
}

void
act_punt(struct compose *c, enum punt_kind kind, uint32_t meter)
{
    put_punt(c, kind, meter, FM_COPIES_MAX_LEN);
}

void
act_punt_whole(struct compose *c, enum punt_kind kind, uint32_t meter)
{
    put_punt(c, kind, meter, FM_WHOLE_MAX_LEN);
}

/* Matches. */

void
match_net(struct compose *c, uint32_t vni)
{
    match_set_metadata(&c->match, htonll(vni));
}

void
match_flags(struct compose *c, uint32_t flags, uint32_t mask)
{
    match_set_reg_masked(&c->match, FR_FLAGS_IDX, flags, mask);
}

void
match_nd(struct compose *c, uint8_t type)
{
    match_set_dl_type(&c->match, htons(ETH_TYPE_IPV6));
    match_set_nw_proto(&c->match, IPPROTO_ICMPV6);
    match_set_icmp_type(&c->match, type);
    match_set_icmp_code(&c->match, 0);
}

void
match_from_tunnel(struct compose *c, bool from_tunnel)
{
    match_flags(c, from_tunnel ? FF_FROM_TUNNEL : 0, FF_FROM_TUNNEL);
}

/* Facts. */

const struct model_binding *
compose_port_binding(const struct compose *c, const struct model_net *net,
                     const struct local_port *port)
{
    return (port->has_mac
            ? mapping_binding(c->input->mapping, net->name, port->mac)
            : NULL);
}

bool
binding_is_dynamic(const struct model_binding *binding)
{
    return binding && binding->origin == MODEL_ORIGIN_DYNAMIC;
}

ovs_u128
compose_labels(const struct model_net *net,
               const struct model_binding *binding)
{
    return (binding && binding->n_labels
            ? model_net_label_bits(net, binding->labels, binding->n_labels)
            : OVS_U128_ZERO);
}

uint32_t
compose_self(const struct compose *c)
{
    const struct model_node *self = c->input->mapping->self;
    return self ? self->number : 0;
}
