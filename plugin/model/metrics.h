/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of a program, as text for Prometheus. */

#ifndef MODEL_METRICS_H
#define MODEL_METRICS_H 1

/* The text format of Prometheus, version 0.0.4: families of samples, each
 * with a HELP and a TYPE line.  Names follow its conventions: "vsubnet_", the
 * program, the thing, the unit ("_seconds", "_bytes"), and "_total" at the
 * end of a counter.
 *
 *      struct ds out = DS_EMPTY_INITIALIZER;
 *      metrics_family(&out, "vsubnet_mapper_nodes", METRICS_GAUGE,
 *                     "Registered nodes, by state.");
 *      metrics_sample(&out, "vsubnet_mapper_nodes",
 *                     (const struct metrics_label[]) {
 *                         { "state", "pending" }, { NULL, NULL } }, 7);
 *
 * All samples of a family follow its head.  Whoever gives values to labels
 * sees to it that there are few of them, and that none is a secret: each is
 * kept by Prometheus as a time series of its own.
 *
 * Pure. */

#include <stdint.h>

struct ds;

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_type {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_HISTOGRAM,
};

/* An array of these ends with a null name. */
struct metrics_label {
    const char *name;
    const char *value;
};

/* HELP is one line without backslashes. */
void metrics_family(struct ds *, const char *name, enum metrics_type,
                    const char *help);

/* LABELS may be null. */
void metrics_sample(struct ds *, const char *name,
                    const struct metrics_label *labels, double value);

/* A family with one sample and no label. */
void metrics_single(struct ds *, const char *name, enum metrics_type,
                    const char *help, double value);

/* Times of something, in seconds, by METRICS_BOUNDS. */
enum { METRICS_N_BOUNDS = 11 };

struct metrics_histogram {
    uint64_t n[METRICS_N_BOUNDS + 1];   /* Of each bucket alone. */
    double sum;
};

void metrics_histogram_add(struct metrics_histogram *, double seconds);
void metrics_histogram_put(struct ds *, const char *name,
                           const struct metrics_label *labels,
                           const struct metrics_histogram *);

#endif /* model/metrics.h */
