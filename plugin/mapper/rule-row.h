/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of table Rule as rules of the model, and back. */

#ifndef MAPPER_RULE_ROW_H
#define MAPPER_RULE_ROW_H 1

/* Each member of a rule is a column; what is null in a rule is an empty
 * string or no number.  What the model has checked fits the schema. */

struct db;
struct mdb_rule;
struct model_rule;

/* Makes RULE what ROW says.  It is to be destroyed. */
void rule_row_read(const struct db *, const struct mdb_rule *row,
                   struct model_rule *rule);

/* Writes all columns but "net" and "revision". */
void rule_row_write(const struct mdb_rule *, const struct model_rule *);

#endif /* mapper/rule-row.h */
