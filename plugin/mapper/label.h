/* SPDX-License-Identifier: Apache-2.0 */
/* Which bit of a vSubnet each label has. */

#ifndef MAPPER_LABEL_H
#define MAPPER_LABEL_H 1

/* Flows match labels by bits of a register.  A label gets its bit when a
 * binding or a rule of its vSubnet first names it, keeps it as long as one
 * does, and then the bit is free for another.  All of a vSubnet's stand in one
 * list, "web,,db", in which a label's place is its bit and nothing between two
 * commas is a bit that is free.  Free bits at the end are not in it.
 *
 * Everything here is pure. */

#include <stddef.h>

/* Takes LIST apart: *LABELS, for model_labels_free(), has "" for a free bit.
 * Returns their number. */
size_t label_list_parse(const char *list, char ***labels);

/* Returns LIST, malloc()'d, without those of GONE that are not in ADDED too
 * and with those of ADDED that it has not, each at the lowest bit that is
 * free; null if more than MODEL_LABELS_MAX bits would be needed. */
char *label_list_change(const char *list, char *const *gone, size_t n_gone,
                        char *const *added, size_t n_added);

#endif /* mapper/label.h */
