/* SPDX-License-Identifier: Apache-2.0 */
/* What commands print: JSON for programs, tables for people. */

#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H 1

/* A table is made of an array of objects; each column names the member that
 * it shows.  Rows are sorted by the first columns.  Absent and null values are
 * "-".
 *
 * Values come from other hosts: what could command a terminal is replaced, in
 * tables and in error messages, and escaped in JSON. */

struct ctl;
struct json_t;

struct output_column {
    const char *heading;
    const char *member;
};

/* The last column has a null heading.  There is an empty line before a table
 * that is not the process's first one. */
void output_table(const struct json_t *array, const struct output_column *);

/* The same, with the rows in ARRAY's order. */
void output_table_in_order(const struct json_t *array,
                           const struct output_column *);

/* One object, a line for each column. */
void output_record(const struct json_t *, const struct output_column *);

/* Replaces in S what could command a terminal by question marks.  Returns
 * S. */
char *output_printable(char *s);

/* Text of one value, printable, malloc()'d. */
char *output_value(const struct json_t *);

void output_json(const struct json_t *);

/* With --json prints ANSWER ({} if null), else the sentence. */
void output_done(struct ctl *, const struct json_t *answer,
                 const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

#endif /* ctl/output.h */
