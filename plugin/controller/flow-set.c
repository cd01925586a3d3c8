/* SPDX-License-Identifier: Apache-2.0 */
/* A set of OpenFlow flows in canonical form. */
#include <config.h>
#include "controller/flow-set.h"

#include <inttypes.h>
#include <string.h>

#include "nx-match.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

static uint32_t
flow_key_hash(uint8_t table, uint16_t priority, const struct minimatch *match)
{
    return minimatch_hash(match, (uint32_t) table << 16 | priority);
}

void
flow_set_init(struct flow_set *set)
{
    hmap_init(&set->flows);
}

void
flow_set_clear(struct flow_set *set)
{
    struct flow_entry *flow;

    HMAP_FOR_EACH_POP (flow, node, &set->flows) {
        flow_entry_free(flow);
    }
}

void
flow_set_destroy(struct flow_set *set)
{
    flow_set_clear(set);
    hmap_destroy(&set->flows);
}

size_t
flow_set_count(const struct flow_set *set)
{
    return hmap_count(&set->flows);
}

void
flow_entry_free(struct flow_entry *flow)
{
    if (flow) {
        minimatch_destroy(&flow->match);
        free(flow->ofpacts);
        free(flow->wire);
        free(flow);
    }
}

struct flow_entry *
flow_entry_clone(const struct flow_entry *flow)
{
    struct flow_entry *copy = xmalloc(sizeof *copy);

    *copy = (struct flow_entry) {
        .ofpacts = xmemdup(flow->ofpacts, flow->ofpacts_len),
        .ofpacts_len = flow->ofpacts_len,
        .wire = xmemdup(flow->wire, flow->wire_len),
        .wire_len = flow->wire_len,
        .cookie = flow->cookie,
        .priority = flow->priority,
        .table = flow->table,
    };
    minimatch_clone(&copy->match, &flow->match);
    return copy;
}

static struct flow_entry *
flow_set_find_hash(const struct flow_set *set, const struct flow_entry *key,
                   uint32_t hash)
{
    struct flow_entry *flow;

    HMAP_FOR_EACH_WITH_HASH (flow, node, hash, &set->flows) {
        if (flow->table == key->table && flow->priority == key->priority
            && minimatch_equal(&flow->match, &key->match)) {
            return flow;
        }
    }
    return NULL;
}

struct flow_entry *
flow_set_find(const struct flow_set *set, const struct flow_entry *key)
{
    return flow_set_find_hash(set, key, flow_key_hash(key->table,
                                                      key->priority,
                                                      &key->match));
}

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

bool
flow_set_add_canonical(struct flow_set *set, uint8_t table, uint16_t priority,
                       uint64_t cookie, const struct match *match,
                       const struct ofpact *ofpacts, size_t ofpacts_len)
{
    struct flow_entry *flow = xmalloc(sizeof *flow);
    *flow = (struct flow_entry) {
        .table = table,
        .priority = priority,
        .cookie = cookie,
    };
    minimatch_init(&flow->match, match);

    uint32_t hash = flow_key_hash(table, priority, &flow->match);
    if (flow_set_find_hash(set, flow, hash)) {
        flow_entry_free(flow);
        return false;
    }

    flow->ofpacts = xmemdup(ofpacts, ofpacts_len);
    flow->ofpacts_len = ofpacts_len;
    encode_actions(flow);
    hmap_insert(&set->flows, &flow->node, hash);
    return true;
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

bool
flow_set_add(struct flow_set *set, uint8_t table, uint16_t priority,
             uint64_t cookie, const struct match *match,
             const struct ofpact *ofpacts, size_t ofpacts_len)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct match canonical;

    canonicalize_match(match, &canonical);
    canonicalize_actions(ofpacts, ofpacts_len, &actions);
    bool added = flow_set_add_canonical(set, table, priority, cookie,
                                        &canonical, actions.data,
                                        actions.size);
    ofpbuf_uninit(&actions);
    return added;
}

void
flow_set_replace(struct flow_set *set, const struct flow_entry *flow)
{
    uint32_t hash = flow_key_hash(flow->table, flow->priority, &flow->match);
    struct flow_entry *old = flow_set_find_hash(set, flow, hash);
    struct flow_entry *copy = flow_entry_clone(flow);

    if (old) {
        flow_set_remove(set, old);
    }
    hmap_insert(&set->flows, &copy->node, hash);
}

void
flow_set_remove(struct flow_set *set, struct flow_entry *flow)
{
    hmap_remove(&set->flows, &flow->node);
    flow_entry_free(flow);
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
