/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: rules' cookies, what rules count. */
#include <config.h>
#include "unit-controller.h"

#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "controller/flow-tables.h"
#include "controller/hits.h"
#include "controller/rule-cookie.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-flow.h"
#include "svec.h"
#include "util.h"

static struct model_rule *
put_rule(struct mapping *mapping, const char *net, const char *name)
{
    struct model_rule *rule = xzalloc(sizeof *rule);

    rule->net = xstrdup(net);
    rule->name = xstrdup(name);
    rule->protocol = rule->icmp_type = rule->icmp_code = -1;
    CHECK(mapping_put_rule(mapping, rule), "%s", net);
    return rule;
}

/* Names by their hashes. */
struct named {
    uint32_t hash;
    uint32_t number;
};

enum { N_NAMES = 300000 };      /* Some ten pairs have the same hash. */

static int
compare_named(const void *a_, const void *b_)
{
    const struct named *a = a_, *b = b_;

    return (a->hash != b->hash ? (a->hash < b->hash ? -1 : 1)
            : a->number < b->number ? -1 : a->number > b->number);
}

static void
name_of(uint32_t number, char name[16])
{
    snprintf(name, 16, "r%06"PRIu32, number);
}

/* Finds two names with the same hash, in order. */
static void
find_twins(char a[16], char b[16])
{
    struct named *all = xmalloc(N_NAMES * sizeof *all);
    size_t i;

    for (i = 0; i < N_NAMES; i++) {
        name_of(i, a);
        all[i] = (struct named) { mapping_rule_hash(a), i };
    }
    qsort(all, N_NAMES, sizeof *all, compare_named);
    for (i = 1; i < N_NAMES && all[i].hash != all[i - 1].hash; i++) {
        continue;
    }
    CHECK(i < N_NAMES, "no two names with the same hash");
    name_of(all[i - 1].number, a);
    name_of(all[i].number, b);
    free(all);
}

static void
check_both_ways(const struct mapping *mapping)
{
    const struct model_rule *rule;

    HMAP_FOR_EACH (rule, by_key, &mapping->rules) {
        const struct model_net *net = mapping_net(mapping, rule->net);
        uint64_t cookie = rule_cookie(net, rule);

        CHECK(cookie_kind(cookie) == COOKIE_RULE
              && cookie_vni(cookie) == net->vni, "%"PRIx64, cookie);
        CHECK(rule_cookie_find(mapping, cookie) == rule, "%s", rule->name);
    }
}

void
test_rule_cookie(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    const struct model_net *net = mapping_net(mapping, "demo");
    char a[16], b[16];

    find_twins(a, b);
    const struct model_rule *second = put_rule(mapping, "demo", b);
    uint64_t alone = rule_cookie(net, second);
    const struct model_rule *first = put_rule(mapping, "demo", a);
    put_rule(mapping, "far", a);
    for (uint32_t i = 0; i < 1000; i++) {
        char name[16];

        snprintf(name, sizeof name, "x%"PRIu32, i);
        put_rule(mapping, "demo", name);
    }
    check_both_ways(mapping);
    CHECK(rule_cookie(net, first) == alone, "the first one has the hash");
    CHECK(rule_cookie(net, second) == alone + 1, "and the other the next");

    /* Whoever remains has the hash again. */
    struct model_rule *gone = mapping_rule(mapping, "demo", a);
    mapping_remove_rule(mapping, gone);
    check_both_ways(mapping);
    CHECK(rule_cookie(net, second) == alone, "alone again");
    CHECK(!rule_cookie_find(mapping, alone + 1), "nobody's");
    CHECK(!rule_cookie_find(mapping, cookie_make(COOKIE_RULE, 9, alone)),
          "no such vSubnet");
    CHECK(!rule_cookie_find(mapping, cookie_make(COOKIE_NET, net->vni,
                                                 alone)), "another kind");
    mapping_destroy(mapping);
}

/* Counters. */

/* The flow of RULE that matches PORT. */
static void
count(struct hits *hits, const struct mapping *mapping,
      const struct model_rule *rule, uint16_t port, uint64_t packets)
{
    const struct model_net *net = mapping_net(mapping, rule->net);
    struct ofputil_flow_stats fs = {
        .table_id = FT_ACL_INGRESS,
        .priority = rule->priority,
        .cookie = htonll(rule_cookie(net, rule)),
        .packet_count = packets,
        .byte_count = packets * 100,
    };

    match_init_catchall(&fs.match);
    match_set_metadata(&fs.match, htonll(net->vni));
    match_set_tp_dst(&fs.match, htons(port));
    hits_counted(hits, mapping, &fs);
}

/* Checks what there is to report: "RULE PACKETS BYTES\n"..., sorted. */
static void
check_report(struct hits *hits, const struct mapping *mapping,
             const char *expected)
{
    struct ds got = DS_EMPTY_INITIALIZER;
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    char *body;

    while ((body = hits_take_report(hits, mapping)) != NULL) {
        json_t *json = json_loads(body, 0, NULL);
        json_t *items = json_object_get(json, "hits");

        CHECK(json_array_size(items)
              && json_array_size(items) <= HITS_ITEMS_MAX, "%s", body);
        for (size_t i = 0; i < json_array_size(items); i++) {
            const char *net, *name;
            json_int_t packets, bytes;

            CHECK(!json_unpack(json_array_get(items, i),
                               "{s:s, s:s, s:I, s:I}", "net", &net,
                               "name", &name, "packets", &packets,
                               "bytes", &bytes), "%s", body);
            svec_add_nocopy(&lines, xasprintf("%s/%s %lld %lld\n", net, name,
                                              (long long int) packets,
                                              (long long int) bytes));
        }
        json_decref(json);
        free(body);
    }
    svec_sort(&lines);
    for (size_t i = 0; i < lines.n; i++) {
        ds_put_cstr(&got, lines.names[i]);
    }
    CHECK(!strcmp(ds_cstr(&got), expected), "expected\n%sgot\n%s", expected,
          ds_cstr(&got));
    svec_destroy(&lines);
    ds_destroy(&got);
}

void
test_hits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = test_mapping();
    const struct model_rule *a = put_rule(mapping, "demo", "a");
    const struct model_rule *b = put_rule(mapping, "far", "b");
    struct hits *hits = hits_create(NULL);

    /* What was counted before the first round is not ours. */
    count(hits, mapping, a, 80, 1000);
    hits_counted(hits, mapping, NULL);
    check_report(hits, mapping, "");

    /* Two flows of one rule, one of them new. */
    count(hits, mapping, a, 80, 1002);
    count(hits, mapping, a, 443, 3);
    count(hits, mapping, b, 80, 0);
    hits_counted(hits, mapping, NULL);
    check_report(hits, mapping, "demo/a 5 500\n");
    check_report(hits, mapping, "");

    /* While nobody takes it, it adds up.  A flow that has counted less was
     * made anew, and so was one that was away. */
    count(hits, mapping, a, 80, 1003);
    count(hits, mapping, b, 80, 7);
    hits_counted(hits, mapping, NULL);
    count(hits, mapping, a, 80, 10);
    count(hits, mapping, a, 443, 3);
    count(hits, mapping, b, 80, 8);
    hits_counted(hits, mapping, NULL);
    check_report(hits, mapping, "demo/a 14 1400\nfar/b 8 800\n");

    /* A rule that is gone is nobody's, and its flow may linger. */
    count(hits, mapping, b, 80, 9);
    count(hits, mapping, a, 80, 11);
    uint64_t cookie = rule_cookie(mapping_net(mapping, "demo"), a);
    mapping_remove_rule(mapping, mapping_rule(mapping, "demo", "a"));
    struct ofputil_flow_stats fs = {
        .table_id = FT_ACL_INGRESS, .cookie = htonll(cookie),
        .packet_count = 9, .byte_count = 9,
    };
    match_init_catchall(&fs.match);
    hits_counted(hits, mapping, &fs);
    hits_counted(hits, NULL, &fs);
    hits_counted(hits, mapping, NULL);
    check_report(hits, mapping, "far/b 1 100\n");

    /* More than one request has, with long names and numbers. */
    for (int i = 0; i < 2 * HITS_ITEMS_MAX + 1; i++) {
        char name[MODEL_NAME_MAX + 1];

        snprintf(name, sizeof name, "m%062d", i);
        count(hits, mapping, put_rule(mapping, "demo", name), i,
              INT64_MAX / 100);
    }
    hits_counted(hits, mapping, NULL);
    int n_requests = 0, n_items = 0;
    char *body;
    while ((body = hits_take_report(hits, mapping)) != NULL) {
        json_t *json = json_loads(body, 0, NULL);

        CHECK(strlen(body) <= 64 * 1024, "%"PRIuSIZE" bytes", strlen(body));
        n_items += json_array_size(json_object_get(json, "hits"));
        n_requests++;
        json_decref(json);
        free(body);
    }
    CHECK(n_requests >= 3 && n_items == 2 * HITS_ITEMS_MAX + 1,
          "%d requests, %d items", n_requests, n_items);
    hits_destroy(hits);
    mapping_destroy(mapping);
}
