/* SPDX-License-Identifier: Apache-2.0 */
/* From a rule to the cookie of its flows, and back. */

#ifndef VSUBNET_RULE_COOKIE_H
#define VSUBNET_RULE_COOKIE_H 1

/* The flows of a rule have a cookie of kind COOKIE_RULE, whose object is 32
 * bits of a hash of the rule's name.  It is the hash by which a mapping has
 * the rules of a vSubnet, so both ways are one lookup.
 *
 * Of several rules of one vSubnet with the same hash (once in 500 vSubnets
 * with 4,096 rules each) the first by name has the hash itself, the next one
 * the next number, and so on.  So what a rule's cookie is depends on no other
 * rule, except on those with the same hash; and a rule's flows are made with
 * those of all rules of its vSubnet, so that another cookie is noticed.
 *
 * Hashes differ between builds: a cookie means something to the program that
 * made it. */

#include <stdint.h>

struct mapping;
struct model_net;
struct model_rule;

/* The cookie of RULE, which is one of NET's. */
uint64_t rule_cookie(const struct model_net *, const struct model_rule *);

/* The rule that has COOKIE, or null: none (any more), or it is no rule's. */
const struct model_rule *rule_cookie_find(const struct mapping *,
                                          uint64_t cookie);

#endif /* rule-cookie.h */
