/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of a program, as text for Prometheus. */

#include <config.h>

#include "model/metrics.h"

#include <stddef.h>
#include <stdio.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static const double bounds[METRICS_N_BOUNDS] = {
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5,
};

void
metrics_family(struct ds *out, const char *name, enum metrics_type type,
               const char *help)
{
    static const char *const types[] = {
        [METRICS_COUNTER] = "counter",
        [METRICS_GAUGE] = "gauge",
        [METRICS_HISTOGRAM] = "histogram",
    };

    ds_put_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                  types[type]);
}

static void
put_value_of_label(struct ds *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\n') {
            ds_put_cstr(out, "\\n");
        } else {
            if (*s == '"' || *s == '\\') {
                ds_put_char(out, '\\');
            }
            ds_put_char(out, *s);
        }
    }
}

/* Puts a name with labels, and at last the label "le" unless that is null. */
static void
put_name(struct ds *out, const char *name, const char *suffix,
         const struct metrics_label *labels, const char *le)
{
    char separator = '{';

    ds_put_format(out, "%s%s", name, suffix);
    for (; labels && labels->name; labels++) {
        ds_put_format(out, "%c%s=\"", separator, labels->name);
        put_value_of_label(out, labels->value);
        ds_put_char(out, '"');
        separator = ',';
    }
    if (le) {
        ds_put_format(out, "%cle=\"%s\"", separator, le);
        separator = ',';
    }
    ds_put_cstr(out, separator == ',' ? "} " : " ");
}

void
metrics_sample(struct ds *out, const char *name,
               const struct metrics_label *labels, double value)
{
    put_name(out, name, "", labels, NULL);
    ds_put_format(out, "%.15g\n", value);
}

void
metrics_single(struct ds *out, const char *name, enum metrics_type type,
               const char *help, double value)
{
    metrics_family(out, name, type, help);
    metrics_sample(out, name, NULL, value);
}

void
metrics_histogram_add(struct metrics_histogram *h, double seconds)
{
    size_t i = 0;

    while (i < METRICS_N_BOUNDS && seconds > bounds[i]) {
        i++;
    }
    h->n[i]++;
    h->sum += seconds;
}

void
metrics_histogram_put(struct ds *out, const char *name,
                      const struct metrics_label *labels,
                      const struct metrics_histogram *h)
{
    uint64_t sum = 0;

    for (size_t i = 0; i <= METRICS_N_BOUNDS; i++) {
        char le[32] = "+Inf";

        if (i < METRICS_N_BOUNDS) {
            snprintf(le, sizeof le, "%g", bounds[i]);
        }
        sum += h->n[i];
        put_name(out, name, "_bucket", labels, le);
        ds_put_format(out, "%.15g\n", (double) sum);
    }
    put_name(out, name, "_sum", labels, NULL);
    ds_put_format(out, "%.9g\n", h->sum);
    put_name(out, name, "_count", labels, NULL);
    ds_put_format(out, "%.15g\n", (double) sum);
}
