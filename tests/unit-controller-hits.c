/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: rules' cookies. */
#include <config.h>
#include "unit-controller.h"

#include <stdlib.h>
#include <string.h>

#include "controller/flow-tables.h"
#include "controller/rule-cookie.h"
#include "model/mapping.h"
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
