/* SPDX-License-Identifier: Apache-2.0 */
/* A set of OpenFlow flows in canonical form. */
#include <config.h>
#include "controller/flow-set.h"

#include <inttypes.h>
#include <string.h>

#include "byte-order.h"
#include "controller/flow-tables.h"
#include "hash.h"
#include "nx-match.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Flows. */

static void
encode_actions(struct flow_entry *flow)
{
    uint64_t stub[512 / 8];
    struct ofpbuf wire = OFPBUF_STUB_INITIALIZER(stub);

    ofpacts_put_openflow_instructions(flow->ofpacts, flow->ofpacts_len, &wire,
                                      OFP15_VERSION);
    flow->wire = xmemdup(wire.data, wire.size);
    flow->wire_len = wire.size;
    ofpbuf_uninit(&wire);
}

struct flow_entry *
flow_entry_create_canonical(uint8_t table, uint16_t priority, uint64_t cookie,
                            const struct match *match,
                            const struct ofpact *ofpacts, size_t ofpacts_len)
{
    struct flow_entry *flow = xmalloc(sizeof *flow);

    *flow = (struct flow_entry) {
        .ofpacts = xmemdup(ofpacts, ofpacts_len),
        .ofpacts_len = ofpacts_len,
        .cookie = cookie,
        .ref_cnt = 1,
        .priority = priority,
        .table = table,
    };
    minimatch_init(&flow->match, match);
    flow->hash = minimatch_hash(&flow->match,
                                (uint32_t) table << 16 | priority);
    encode_actions(flow);
    return flow;
}

/* Makes 'match' what the switch would say of it (with the prerequisites that
 * OVS adds, such as packet_type=Ethernet). */
static void
canonicalize_match(const struct match *match, struct match *canonical)
{
    uint64_t stub[512 / 8];
    struct ofpbuf wire = OFPBUF_STUB_INITIALIZER(stub);

    oxm_put_match(&wire, match, OFP15_VERSION);
    enum ofperr error = oxm_pull_match(&wire, false, NULL, NULL, canonical);
    ovs_assert(!error);
    ofpbuf_uninit(&wire);
}

static void
canonicalize_actions(const struct ofpact *ofpacts, size_t ofpacts_len,
                     struct ofpbuf *canonical)
{
    uint64_t stub[512 / 8], tlv_bitmap = 0;
    struct ofpbuf wire = OFPBUF_STUB_INITIALIZER(stub);

    ofpacts_put_openflow_instructions(ofpacts, ofpacts_len, &wire,
                                      OFP15_VERSION);
    enum ofperr error = ofpacts_pull_openflow_instructions(
        &wire, wire.size, OFP15_VERSION, NULL, &tlv_bitmap, canonical);
    ovs_assert(!error);
    ofpbuf_uninit(&wire);
}

struct flow_entry *
flow_entry_create(uint8_t table, uint16_t priority, uint64_t cookie,
                  const struct match *match, const struct ofpact *ofpacts,
                  size_t ofpacts_len)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct match canonical;

    canonicalize_match(match, &canonical);
    canonicalize_actions(ofpacts, ofpacts_len, &actions);
    struct flow_entry *flow = flow_entry_create_canonical(
        table, priority, cookie, &canonical, actions.data, actions.size);
    ofpbuf_uninit(&actions);
    return flow;
}

struct flow_entry *
flow_entry_ref(const struct flow_entry *flow_)
{
    struct flow_entry *flow = CONST_CAST(struct flow_entry *, flow_);

    flow->ref_cnt++;
    return flow;
}

void
flow_entry_unref(struct flow_entry *flow)
{
    if (flow && !--flow->ref_cnt) {
        minimatch_destroy(&flow->match);
        free(flow->ofpacts);
        free(flow->wire);
        free(flow);
    }
}

bool
flow_entry_same_key(const struct flow_entry *a, const struct flow_entry *b)
{
    return (a->hash == b->hash && a->table == b->table
            && a->priority == b->priority
            && minimatch_equal(&a->match, &b->match));
}

bool
flow_entry_same_actions(const struct flow_entry *a, const struct flow_entry *b)
{
    return (a->wire_len == b->wire_len
            && !memcmp(a->wire, b->wire, a->wire_len));
}

void
flow_entry_format(const struct flow_entry *flow, struct ds *s)
{
    struct ofpact_format_params fp = { .s = s };

    ds_put_format(s, "cookie=0x%"PRIx64", table=%"PRIu8", ",
                  flow->cookie, flow->table);
    minimatch_format(&flow->match, NULL, NULL, s, flow->priority);
    ds_put_cstr(s, " actions=");
    ofpacts_format(flow->ofpacts, flow->ofpacts_len, &fp);
}

static bool
is_learnt(const struct flow_entry *flow)
{
    return (flow->table == FT_LEARNT
            && cookie_kind(flow->cookie) == COOKIE_LEARNT);
}

/* Cookies.  There are few: one for each learning port and vSubnet. */

static struct learn_cookie *
find_cookie(const struct flow_set *set, uint64_t cookie)
{
    struct learn_cookie *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash_uint64(cookie), &set->cookies) {
        if (c->cookie == cookie) {
            return c;
        }
    }
    return NULL;
}

static struct learn_cookie *
obtain_cookie(struct flow_set *set, uint64_t cookie)
{
    struct learn_cookie *c = find_cookie(set, cookie);

    if (!c) {
        c = xzalloc(sizeof *c);
        c->cookie = cookie;
        hmap_insert(&set->cookies, &c->node, hash_uint64(cookie));
    }
    return c;
}

static void
release_cookie(struct flow_set *set, struct learn_cookie *c)
{
    if (!c->n_learning && !c->learnt) {
        hmap_remove(&set->cookies, &c->node);
        free(c);
    }
}

bool
flow_set_is_learning(const struct flow_set *set, uint64_t cookie)
{
    const struct learn_cookie *c = find_cookie(set, cookie);

    return c && c->n_learning;
}

void
flow_set_set_learnt(struct flow_set *set, uint64_t cookie, bool learnt)
{
    if (learnt || find_cookie(set, cookie)) {
        struct learn_cookie *c = obtain_cookie(set, cookie);

        c->learnt = learnt;
        release_cookie(set, c);
    }
}

/* Counts the cookies that 'flow' learns under, when it comes or goes. */
static void
count_learning(struct flow_set *set, const struct flow_entry *flow, bool comes)
{
    const struct ofpact *a;

    if (flow->table != FT_LEARN) {
        return;
    }
    OFPACT_FOR_EACH (a, flow->ofpacts, flow->ofpacts_len) {
        if (a->type == OFPACT_LEARN) {
            struct learn_cookie *c
                = obtain_cookie(set, ntohll(ofpact_get_LEARN(a)->cookie));

            c->n_learning += comes ? 1 : -1;
            release_cookie(set, c);
        }
    }
}

/* Sets. */

void
flow_set_init(struct flow_set *set)
{
    hmap_init(&set->flows);
    hmap_init(&set->cookies);
}

void
flow_set_clear(struct flow_set *set)
{
    struct flow_slot *slot;
    struct learn_cookie *c;

    HMAP_FOR_EACH_POP (slot, node, &set->flows) {
        flow_entry_unref(slot->flow);
        free(slot);
    }
    HMAP_FOR_EACH_POP (c, node, &set->cookies) {
        free(c);
    }
}

void
flow_set_destroy(struct flow_set *set)
{
    flow_set_clear(set);
    hmap_destroy(&set->flows);
    hmap_destroy(&set->cookies);
}

size_t
flow_set_count(const struct flow_set *set)
{
    return hmap_count(&set->flows);
}

static struct flow_slot *
find_slot(const struct flow_set *set, const struct flow_entry *key)
{
    struct flow_slot *slot;

    HMAP_FOR_EACH_WITH_HASH (slot, node, key->hash, &set->flows) {
        if (flow_entry_same_key(slot->flow, key)) {
            return slot;
        }
    }
    return NULL;
}

struct flow_entry *
flow_set_find(const struct flow_set *set, const struct flow_entry *key)
{
    const struct flow_slot *slot = find_slot(set, key);

    return slot ? slot->flow : NULL;
}

/* Adds 'flow', whose key is not there. */
static void
insert(struct flow_set *set, struct flow_entry *flow)
{
    struct flow_slot *slot = xmalloc(sizeof *slot);

    slot->flow = flow;
    hmap_insert(&set->flows, &slot->node, flow->hash);
    count_learning(set, flow, true);
}

bool
flow_set_add(struct flow_set *set, struct flow_entry *flow)
{
    if (is_learnt(flow)) {
        flow_set_set_learnt(set, flow->cookie, true);
        flow_entry_unref(flow);
    } else if (find_slot(set, flow)) {
        flow_entry_unref(flow);
        return false;
    } else {
        insert(set, flow);
    }
    return true;
}

void
flow_set_replace(struct flow_set *set, struct flow_entry *flow)
{
    struct flow_slot *slot = find_slot(set, flow);

    if (!slot) {
        insert(set, flow);
        return;
    }
    count_learning(set, flow, true);
    count_learning(set, slot->flow, false);
    flow_entry_unref(slot->flow);
    slot->flow = flow;
}

void
flow_set_remove(struct flow_set *set, const struct flow_entry *key)
{
    struct flow_slot *slot = find_slot(set, key);

    if (slot) {
        hmap_remove(&set->flows, &slot->node);
        count_learning(set, slot->flow, false);
        flow_entry_unref(slot->flow);
        free(slot);
    }
}
