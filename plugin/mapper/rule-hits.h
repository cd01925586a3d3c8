/* SPDX-License-Identifier: Apache-2.0 */
/* How much each rule has decided. */

#ifndef MAPPER_RULE_HITS_H
#define MAPPER_RULE_HITS_H 1

/* Nodes report what their flows have counted since their last report, and this
 * module adds it up.  It is all in memory: sums begin with the process, and
 * are of those nodes that report to this mapper.
 *
 * A sum belongs to a row of table Rule.  A rule that was removed and made
 * again is another row and begins at zero; one that was changed goes on.
 * What is left of removed rules is thrown away now and then, so that there
 * are never more than twice as many sums as there were rules, or a thousand.
 *
 * Who adds up the sums of several mappers knows by an ID whether an answer is
 * of one that has been asked already: a mapper may have several addresses.
 *
 * Nodes are believed here, but a sum stays what JSON can tell. */

#include <stdint.h>

struct db;
struct rule_hits;
struct uuid;

struct rule_hits_sum {
    uint64_t packets;
    uint64_t bytes;
};

struct rule_hits *rule_hits_create(const struct db *);
void rule_hits_destroy(struct rule_hits *);

/* Which sums these are: another ID for each process. */
const struct uuid *rule_hits_id(const struct rule_hits *);

/* Adds to the sum of the rule whose row is ROW. */
void rule_hits_add(struct rule_hits *, const struct uuid *row,
                   const struct rule_hits_sum *);

/* The sum of ROW, zero if nothing was reported. */
struct rule_hits_sum rule_hits_get(const struct rule_hits *,
                                   const struct uuid *row);

#endif /* mapper/rule-hits.h */
