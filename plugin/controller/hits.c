/* SPDX-License-Identifier: Apache-2.0 */
/* Reports to the mapping service what flows of rules have counted. */
#include <config.h>
#include "controller/hits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "controller/client.h"
#include "controller/flow-tables.h"
#include "controller/http.h"
#include "controller/ofctrl.h"
#include "controller/rule-cookie.h"
#include "hash.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(hits);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    FIRST_AGAIN_MS = 1000,
    HITS_BODY_MAX = 60 * 1024,  /* The service takes 64 KiB. */
    ITEM_REST_MAX = 80,         /* Bytes of an item but its names. */
};

/* What a flow had counted when it was last looked at.  Two hashes of what it
 * matches stand for it: there is no need to keep all that. */
struct counter {
    struct hmap_node hmap_node;
    uint64_t flow;
    uint64_t packets, bytes;
    bool seen;                  /* In this round. */
};

/* What a rule has got since it was last reported. */
struct sum {
    char *net, *name;
    uint64_t packets, bytes;
};

enum hits_state { IDLE, COUNTING, REPORTING };

struct hits {
    struct client *client;
    enum hits_state state;
    bool begun;                 /* There was a first round. */
    bool telling;               /* A request is under way. */
    bool unconnected;           /* The switch can't be asked. */
    unsigned int part, n_parts; /* COUNTING: what has been asked for, */
    bool part_done;             /* and answered. */
    long long int next;         /* Round. */
    struct hmap counters;
    struct shash sums;          /* "struct sum"s, by "NET NAME". */
};

struct hits *
hits_create(struct client *client)
{
    struct hits *hits = xzalloc(sizeof *hits);

    hits->client = client;
    hmap_init(&hits->counters);
    shash_init(&hits->sums);
    return hits;
}

static void
sum_remove(struct hits *hits, struct shash_node *node)
{
    struct sum *sum = node->data;

    shash_delete(&hits->sums, node);
    free(sum->net);
    free(sum->name);
    free(sum);
}

void
hits_destroy(struct hits *hits)
{
    struct shash_node *node;
    struct counter *counter;

    if (hits) {
        HMAP_FOR_EACH_POP (counter, hmap_node, &hits->counters) {
            free(counter);
        }
        hmap_destroy(&hits->counters);
        SHASH_FOR_EACH_SAFE (node, &hits->sums) {
            sum_remove(hits, node);
        }
        shash_destroy(&hits->sums);
        free(hits);
    }
}

void
hits_hurry(struct hits *hits)
{
    hits->next = 0;
    poll_immediate_wake();
}

/* COUNTING. */

static const enum flow_table tables[] = { FT_ACL_EGRESS, FT_ACL_INGRESS };

/* Asks for the present part. */
static bool
ask_part(struct hits *hits, struct ofctrl *ofctrl)
{
    /* Slices are by the low bits of cookies, which are those of hashes. */
    unsigned int n_slices = hits->n_parts / ARRAY_SIZE(tables);

    hits->part_done = false;
    return ofctrl_count(ofctrl, tables[hits->part % ARRAY_SIZE(tables)],
                        cookie_make(COOKIE_RULE, 0,
                                    hits->part / ARRAY_SIZE(tables)),
                        UINT64_C(0xff) << 56 | (n_slices - 1));
}

static bool
begin_round(struct hits *hits, struct ofctrl *ofctrl, size_t n_rules)
{
    unsigned int n_slices = 1;

    while (n_slices * HITS_PART < n_rules) {
        n_slices *= 2;
    }
    hits->part = 0;
    hits->n_parts = n_slices * ARRAY_SIZE(tables);
    return ask_part(hits, ofctrl);
}

static uint64_t
flow_id(const struct ofputil_flow_stats *fs)
{
    uint32_t basis = hash_2words(fs->table_id, fs->priority);

    return ((uint64_t) match_hash(&fs->match, basis) << 32
            | match_hash(&fs->match, hash_int(basis, 1)));
}

static struct counter *
find_counter(struct hits *hits, uint64_t flow)
{
    uint32_t hash = hash_uint64(flow);
    struct counter *counter;

    HMAP_FOR_EACH_WITH_HASH (counter, hmap_node, hash, &hits->counters) {
        if (counter->flow == flow) {
            return counter;
        }
    }
    counter = xzalloc(sizeof *counter);
    counter->flow = flow;
    hmap_insert(&hits->counters, &counter->hmap_node, hash);
    return counter;
}

/* Returns what is new, and makes NOW what is old. */
static uint64_t
advance(uint64_t *old, uint64_t now)
{
    uint64_t more = now >= *old ? now - *old : now;

    *old = now;
    return more;
}

static void
add(struct hits *hits, const struct model_rule *rule, uint64_t packets,
    uint64_t bytes)
{
    char *key = xasprintf("%s %s", rule->net, rule->name);
    struct sum *sum = shash_find_data(&hits->sums, key);

    if (!sum) {
        sum = xzalloc(sizeof *sum);
        sum->net = xstrdup(rule->net);
        sum->name = xstrdup(rule->name);
        shash_add_nocopy(&hits->sums, key, sum);
    } else {
        free(key);
    }
    sum->packets += packets;
    sum->bytes += bytes;
}

/* The flows that were not seen are gone. */
static void
end_round(struct hits *hits)
{
    struct counter *counter;

    HMAP_FOR_EACH_SAFE (counter, hmap_node, &hits->counters) {
        if (counter->seen) {
            counter->seen = false;
        } else {
            hmap_remove(&hits->counters, &counter->hmap_node);
            free(counter);
        }
    }
    hits->begun = true;
    hits->state = REPORTING;
    hits->next = time_msec() + HITS_MS;
    poll_immediate_wake();
}

void
hits_counted(struct hits *hits, const struct mapping *mapping,
             const struct ofputil_flow_stats *fs)
{
    if (!fs) {
        hits->part_done = true;
        if (++hits->part >= hits->n_parts) {
            end_round(hits);
        }
        return;
    }

    struct counter *counter = find_counter(hits, flow_id(fs));
    uint64_t packets = advance(&counter->packets, fs->packet_count);
    uint64_t bytes = advance(&counter->bytes, fs->byte_count);
    const struct model_rule *rule
        = mapping ? rule_cookie_find(mapping, ntohll(fs->cookie)) : NULL;

    counter->seen = true;
    if (hits->begun && packets && rule) {
        add(hits, rule, packets, bytes);
    }
}

/* REPORTING. */

/* What JSON can tell. */
static json_int_t
limited(uint64_t n)
{
    return MIN(n, INT64_MAX);
}

char *
hits_take_report(struct hits *hits, const struct mapping *mapping)
{
    json_t *items = json_array();
    size_t room = HITS_BODY_MAX;
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &hits->sums) {
        const struct sum *sum = node->data;
        size_t size = strlen(node->name) + ITEM_REST_MAX;

        if (json_array_size(items) >= HITS_ITEMS_MAX || size > room) {
            break;
        }
        room -= size;
        if (mapping_rule(mapping, sum->net, sum->name)) {
            json_array_append_new(items, json_pack(
                "{s:s, s:s, s:I, s:I}", "net", sum->net, "name", sum->name,
                "packets", limited(sum->packets),
                "bytes", limited(sum->bytes)));
        }
        sum_remove(hits, node);
    }
    if (!json_array_size(items)) {
        json_decref(items);
        return NULL;
    }

    json_t *json = json_pack("{s:o}", "hits", items);
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return body;
}

static void
told(const struct http_result *result, void *hits_)
{
    struct hits *hits = hits_;

    hits->telling = false;
    if (result->status != 204) {
        VLOG_INFO_RL(&rl, "reporting what rules have decided: %s",
                     result->error ? result->error : result->body);
    }
    poll_immediate_wake();
}

static void
run_reporting(struct hits *hits, const struct mapping *mapping)
{
    if (hits->telling || !client_is_live(hits->client)) {
        return;
    }
    char *body = hits_take_report(hits, mapping);
    if (!body) {
        hits->state = IDLE;
        return;
    }
    hits->telling = client_request(hits->client, "POST", "/v1/self/hits",
                                   body, told, hits);
    free(body);
}

/* IDLE. */

static void
run_idle(struct hits *hits, struct ofctrl *ofctrl,
         const struct mapping *mapping)
{
    if (hits->begun && hmap_is_empty(&mapping->rules)
        && hmap_is_empty(&hits->counters)) {
        hits->next = time_msec() + HITS_MS;
    } else {
        hits->unconnected = !begin_round(hits, ofctrl,
                                         hmap_count(&mapping->rules));
        hits->state = hits->unconnected ? hits->state : COUNTING;
    }
}

void
hits_run(struct hits *hits, struct ofctrl *ofctrl,
         const struct mapping *mapping)
{
    if (!mapping) {
        return;
    }
    if (hits->state == COUNTING && !ofctrl_is_counting(ofctrl)
        && (!hits->part_done || !ask_part(hits, ofctrl))) {
        /* It was cut off. */
        hits->next = time_msec() + (hits->begun ? HITS_MS : FIRST_AGAIN_MS);
        hits->state = IDLE;
    }
    /* What can't be reported yet is added to. */
    if (hits->state != COUNTING && time_msec() >= hits->next) {
        run_idle(hits, ofctrl, mapping);
    }
    if (hits->state == REPORTING) {
        run_reporting(hits, mapping);
    }
}

void
hits_wait(const struct hits *hits)
{
    if (hits->state != COUNTING && !hits->unconnected) {
        poll_timer_wait_until(hits->next);
    }
}
