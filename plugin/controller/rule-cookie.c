/* SPDX-License-Identifier: Apache-2.0 */
/* From a rule to the cookie of its flows, and back. */

#include <config.h>
#include "controller/rule-cookie.h"

#include <string.h>

#include "controller/flow-tables.h"
#include "model/mapping.h"

/* A fifth rule with the same hash finds no room and shares a cookie. */
enum { RANK_MAX = 3 };

/* How many rules of NET with NAME's hash come before it. */
static uint32_t
rank_of(const struct model_net *net, const char *name)
{
    const struct model_rule *other;
    uint32_t rank = 0;

    HMAP_FOR_EACH_WITH_HASH (other, in_net, mapping_rule_hash(name),
                             &net->rules) {
        rank += strcmp(other->name, name) < 0;
    }
    return rank < RANK_MAX ? rank : RANK_MAX;
}

uint64_t
rule_cookie(const struct model_net *net, const struct model_rule *rule)
{
    return cookie_make(COOKIE_RULE, net->vni,
                       (mapping_rule_hash(rule->name)
                        + rank_of(net, rule->name)));
}

const struct model_rule *
rule_cookie_find(const struct mapping *mapping, uint64_t cookie)
{
    const struct model_net *net = mapping_net_by_vni(mapping,
                                                     cookie_vni(cookie));

    if (!net || cookie_kind(cookie) != COOKIE_RULE) {
        return NULL;
    }
    for (uint32_t rank = 0; rank <= RANK_MAX; rank++) {
        uint32_t hash = cookie_object(cookie) - rank;
        const struct model_rule *rule;

        HMAP_FOR_EACH_WITH_HASH (rule, in_net, hash, &net->rules) {
            if (rank_of(net, rule->name) == rank) {
                return rule;
            }
        }
    }
    return NULL;
}
