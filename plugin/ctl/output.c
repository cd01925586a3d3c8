/* SPDX-License-Identifier: Apache-2.0 */
/* What commands print: JSON for programs, tables for people. */

#include <config.h>
#include "ctl/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "model/jansson.h"
#include "model/types.h"
#include "openvswitch/dynamic-string.h"
#include "sort.h"
#include "table.h"
#include "util.h"

char *
output_printable(char *s)
{
    size_t n;

    for (char *p = s; *p; p += n) {
        n = model_control_length(p);
        if (n) {
            memset(p, '?', n);
        } else {
            n = 1;
        }
    }
    return s;
}

char *
output_value(const json_t *value)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (json_is_string(value)) {
        ds_put_cstr(&ds, json_string_value(value));
    } else if (json_is_integer(value)) {
        ds_put_format(&ds, "%"JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        ds_put_cstr(&ds, json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            char *element = output_value(json_array_get(value, i));
            ds_put_format(&ds, "%s%s", i ? ", " : "", element);
            free(element);
        }
    }
    if (!ds.length) {
        ds_put_char(&ds, '-');
    }
    return output_printable(ds_steal_cstr(&ds));
}

/* An order of rows: by the first column that differs, numbers by value. */
static int
compare_rows(const json_t *a, const json_t *b,
             const struct output_column *columns)
{
    for (const struct output_column *c = columns; c->heading; c++) {
        const json_t *x = json_object_get(a, c->member);
        const json_t *y = json_object_get(b, c->member);
        int cmp = 0;

        if (json_is_integer(x) && json_is_integer(y)) {
            json_int_t i = json_integer_value(x);
            json_int_t j = json_integer_value(y);
            cmp = i < j ? -1 : i > j;
        } else if (json_is_string(x) && json_is_string(y)) {
            cmp = strcmp(json_string_value(x), json_string_value(y));
        }
        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

struct sort_aux {
    const json_t **rows;
    const struct output_column *columns;
};

static int
compare_rows_cb(size_t a, size_t b, void *aux_)
{
    const struct sort_aux *aux = aux_;
    return compare_rows(aux->rows[a], aux->rows[b], aux->columns);
}

static void
swap_rows_cb(size_t a, size_t b, void *aux_)
{
    const struct sort_aux *aux = aux_;
    const json_t *row = aux->rows[a];

    aux->rows[a] = aux->rows[b];
    aux->rows[b] = row;
}

static void
print_table(const json_t *array, const struct output_column *columns,
            bool sorted)
{
    struct table_style style = TABLE_STYLE_DEFAULT;
    size_t n = json_array_size(array);
    const json_t **rows = xcalloc(MAX(n, 1), sizeof *rows);
    struct table table;

    for (size_t i = 0; i < n; i++) {
        rows[i] = json_array_get(array, i);
    }
    if (sorted) {
        struct sort_aux aux = { rows, columns };

        sort(n, compare_rows_cb, swap_rows_cb, &aux);
    }

    style.format = TF_TABLE;
    table_init(&table);
    for (const struct output_column *c = columns; c->heading; c++) {
        table_add_column(&table, "%s", c->heading);
    }
    for (size_t i = 0; i < n; i++) {
        table_add_row(&table);
        for (const struct output_column *c = columns; c->heading; c++) {
            table_add_cell(&table)->text
                = output_value(json_object_get(rows[i], c->member));
        }
    }
    table_print(&table, &style);
    table_destroy(&table);
    free(rows);
}

void
output_table(const json_t *array, const struct output_column *columns)
{
    print_table(array, columns, true);
}

void
output_table_in_order(const json_t *array,
                      const struct output_column *columns)
{
    print_table(array, columns, false);
}

void
output_record(const json_t *object, const struct output_column *columns)
{
    int width = 0;

    for (const struct output_column *c = columns; c->heading; c++) {
        width = MAX(width, (int) strlen(c->heading));
    }
    for (const struct output_column *c = columns; c->heading; c++) {
        char *value = output_value(json_object_get(object, c->member));
        printf("%s:%*s %s\n", c->heading,
               width - (int) strlen(c->heading), "", value);
        free(value);
    }
}

void
output_json(const json_t *json)
{
    json_dumpf(json, stdout,
               JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    putchar('\n');
}

void
output_done(struct ctl *ctl, const json_t *answer, const char *format, ...)
{
    if (ctl_has(ctl, OPT_JSON)) {
        json_t *empty = json_object();
        output_json(answer ? answer : empty);
        json_decref(empty);
    } else {
        va_list args;

        va_start(args, format);
        char *s = xvasprintf(format, args);
        va_end(args);
        puts(s);
        free(s);
    }
}
