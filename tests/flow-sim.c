/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch would do with a frame, by flows in a set. */
#include <config.h>
#include "flow-sim.h"
#include "unit-controller.h"

#include <string.h>

#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

struct flow_sim_tables {
    const struct flow_entry **flows[256];   /* Highest priority first. */
    size_t n[256];
};

static int
compare_flows(const void *a_, const void *b_)
{
    const struct flow_entry *const *a = a_, *const *b = b_;

    return (int) (*b)->priority - (int) (*a)->priority;
}

struct flow_sim_tables *
flow_sim_tables_create(const struct flow_set *set)
{
    struct flow_sim_tables *tables = xzalloc(sizeof *tables);
    const struct flow_entry *flow;

    FLOW_SET_FOR_EACH (flow, set) {
        tables->n[flow->table]++;
    }
    for (int i = 0; i < 256; i++) {
        tables->flows[i] = xcalloc(tables->n[i], sizeof *tables->flows[i]);
        tables->n[i] = 0;
    }
    FLOW_SET_FOR_EACH (flow, set) {
        tables->flows[flow->table][tables->n[flow->table]++] = flow;
    }
    for (int i = 0; i < 256; i++) {
        qsort(tables->flows[i], tables->n[i], sizeof *tables->flows[i],
              compare_flows);
    }
    return tables;
}

void
flow_sim_tables_destroy(struct flow_sim_tables *tables)
{
    for (int i = 0; i < 256; i++) {
        free(tables->flows[i]);
    }
    free(tables);
}

struct sim {
    struct flow_sim *out;
    const struct flow_sim_tables *tables;
    struct ofpbuf stack;
    int depth;
};

static void do_table(struct sim *, uint8_t table);
static void do_actions(struct sim *, const struct ofpact *, size_t len);

static void
do_output(struct sim *sim, uint16_t port)
{
    struct flow_sim *out = sim->out;

    if (port != ofp_to_u16(out->flow.in_port.ofp_port)) {
        CHECK(out->n_outputs < FLOW_SIM_MAX, "too many");
        out->outputs[out->n_outputs++] = port;
    }
}

static void
set_field(struct flow *flow, const struct ofpact_set_field *set)
{
    mf_set_flow_value_masked(set->field, set->value,
                             ofpact_set_field_mask(set), flow);
}

static void
do_move(struct flow *flow, const struct ofpact_reg_move *move)
{
    union mf_value src, dst;

    mf_get_value(move->src.field, flow, &src);
    mf_get_value(move->dst.field, flow, &dst);
    bitwise_copy(&src, move->src.field->n_bytes, move->src.ofs,
                 &dst, move->dst.field->n_bytes, move->dst.ofs,
                 move->src.n_bits);
    mf_set_flow_value(move->dst.field, &dst, flow);
}

static void
do_stack(struct sim *sim, const struct mf_field *field, bool push)
{
    union mf_value value;

    if (push) {
        mf_get_value(field, &sim->out->flow, &value);
        ofpbuf_put(&sim->stack, &value, sizeof value);
    } else {
        CHECK(sim->stack.size >= sizeof value, "empty stack");
        sim->stack.size -= sizeof value;
        memcpy(&value, ofpbuf_tail(&sim->stack), sizeof value);
        mf_set_flow_value(field, &value, &sim->out->flow);
    }
}

static void
copy_ct(struct flow *dst, const struct flow *src)
{
    dst->ct_state = src->ct_state;
    dst->ct_zone = src->ct_zone;
    dst->ct_mark = src->ct_mark;
    dst->ct_nw_proto = src->ct_nw_proto;
    dst->ct_nw_src = src->ct_nw_src;
    dst->ct_nw_dst = src->ct_nw_dst;
    dst->ct_ipv6_src = src->ct_ipv6_src;
    dst->ct_ipv6_dst = src->ct_ipv6_dst;
    dst->ct_tp_src = src->ct_tp_src;
    dst->ct_tp_dst = src->ct_tp_dst;
}

/* Whoever goes on behind a ct() is not tracked, as in Open vSwitch. */
static void
do_ct(struct sim *sim, const struct ofpact_conntrack *ct)
{
    struct flow_sim *out = sim->out;

    out->zone = mf_get_subfield(&ct->zone_src, &out->flow);
    if (ct->flags & NX_CT_F_COMMIT) {
        struct flow marked = out->flow;

        do_actions(&(struct sim) { .out = out, .tables = sim->tables },
                   ct->actions, ofpact_ct_get_action_len(ct));
        out->commits |= !!(marked.ct_state & CS_NEW);
        out->blocks |= !marked.ct_mark && out->flow.ct_mark;
        out->unblocks |= marked.ct_mark && !out->flow.ct_mark;
    }
    if (ct->recirc_table != NX_CT_RECIRC_NONE) {
        struct flow before = out->flow;

        out->tracks = true;
        copy_ct(&out->flow, &out->tracked);
        do_table(sim, ct->recirc_table);
        out->flow = before;
    }
    copy_ct(&out->flow, &(struct flow) { .ct_state = 0 });
}

static void
do_actions(struct sim *sim, const struct ofpact *ofpacts, size_t len)
{
    const struct ofpact *a;
    int go_to = -1;

    OFPACT_FOR_EACH (a, ofpacts, len) {
        struct flow *flow = &sim->out->flow;
        struct flow before = *flow;
        const struct ofpact_nest *nest;

        switch ((int) a->type) {
        case OFPACT_OUTPUT:
            do_output(sim, ofp_to_u16(ofpact_get_OUTPUT(a)->port));
            break;
        case OFPACT_OUTPUT_REG:
            do_output(sim, mf_get_subfield(&ofpact_get_OUTPUT_REG(a)->src,
                                           flow));
            break;
        case OFPACT_SET_FIELD:
            set_field(flow, ofpact_get_SET_FIELD(a));
            break;
        case OFPACT_REG_MOVE:
            do_move(flow, ofpact_get_REG_MOVE(a));
            break;
        case OFPACT_STACK_PUSH:
            do_stack(sim, ofpact_get_STACK_PUSH(a)->subfield.field, true);
            break;
        case OFPACT_STACK_POP:
            do_stack(sim, ofpact_get_STACK_POP(a)->subfield.field, false);
            break;
        case OFPACT_RESUBMIT:
            do_table(sim, ofpact_get_RESUBMIT(a)->table_id);
            break;
        case OFPACT_CLONE:
            nest = ofpact_get_CLONE(a);
            do_actions(sim, nest->actions, ofpact_nest_get_action_len(nest));
            *flow = before;
            break;
        case OFPACT_CT:
            do_ct(sim, ofpact_get_CT(a));
            break;
        case OFPACT_CONTROLLER:
            sim->out->n_logged++;
            break;
        case OFPACT_LEARN:
        case OFPACT_METER:
            break;
        case OFPACT_GOTO_TABLE:
            go_to = ofpact_get_GOTO_TABLE(a)->table_id;
            break;
        default:
            CHECK(false, "action %s", ofpact_name(a->type));
        }
    }
    if (go_to >= 0) {
        do_table(sim, go_to);
    }
}

static void
do_table(struct sim *sim, uint8_t table)
{
    struct flow_sim *out = sim->out;

    CHECK(++sim->depth < 64, "a loop");
    for (size_t i = 0; i < sim->tables->n[table]; i++) {
        const struct flow_entry *flow = sim->tables->flows[table][i];

        if (minimatch_matches_flow(&flow->match, &out->flow)) {
            if (cookie_kind(flow->cookie) == COOKIE_RULE) {
                CHECK(out->n_hits < FLOW_SIM_MAX, "too many");
                out->hits[out->n_hits++] = flow->cookie;
            }
            do_actions(sim, flow->ofpacts, flow->ofpacts_len);
            break;
        }
    }
    sim->depth--;
}

void
flow_sim_run(struct flow_sim *out, const struct flow_sim_tables *tables)
{
    struct sim sim = { .out = out, .tables = tables };

    ofpbuf_init(&sim.stack, 256);
    do_table(&sim, 0);
    ofpbuf_uninit(&sim.stack);
}
