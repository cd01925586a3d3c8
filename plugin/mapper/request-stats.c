/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests there were, of which kind, and how long they took. */

#include <config.h>

#include "mapper/request-stats.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "model/metrics.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "util.h"

struct status_count {
    int status;
    uint64_t n;
};

struct route {
    struct hmap_node hmap_node;
    const char *method;
    const char *pattern;
    struct status_count *counts;    /* Few: what the API ever answers. */
    size_t n_counts, allocated_counts;
    struct metrics_histogram times;
};

struct request_stats {
    struct hmap routes;
};

struct request_stats *
request_stats_create(void)
{
    struct request_stats *stats = xmalloc(sizeof *stats);

    hmap_init(&stats->routes);
    return stats;
}

void
request_stats_destroy(struct request_stats *stats)
{
    struct route *route;

    if (stats) {
        HMAP_FOR_EACH_POP (route, hmap_node, &stats->routes) {
            free(route->counts);
            free(route);
        }
        hmap_destroy(&stats->routes);
        free(stats);
    }
}

static struct route *
get_route(struct request_stats *stats, const char *method,
          const char *pattern)
{
    uint32_t hash = hash_string(method, hash_string(pattern, 0));
    struct route *route;

    HMAP_FOR_EACH_WITH_HASH (route, hmap_node, hash, &stats->routes) {
        if (!strcmp(route->method, method)
            && !strcmp(route->pattern, pattern)) {
            return route;
        }
    }
    route = xzalloc(sizeof *route);
    route->method = method;
    route->pattern = pattern;
    hmap_insert(&stats->routes, &route->hmap_node, hash);
    return route;
}

void
request_stats_add(struct request_stats *stats, const char *method,
                  const char *pattern, int status, long long int usec)
{
    struct route *route = get_route(stats, method ? method : "",
                                    pattern ? pattern : "");
    size_t i = 0;

    while (i < route->n_counts && route->counts[i].status != status) {
        i++;
    }
    if (i == route->n_counts) {
        if (i >= route->allocated_counts) {
            route->counts = x2nrealloc(route->counts,
                                       &route->allocated_counts,
                                       sizeof *route->counts);
        }
        route->counts[route->n_counts++] = (struct status_count) { status, 0 };
    }
    route->counts[i].n++;
    metrics_histogram_add(&route->times, MAX(usec, 0) / 1e6);
}

static int
compare_routes(const void *a_, const void *b_)
{
    const struct route *const *a = a_;
    const struct route *const *b = b_;
    int order = strcmp((*a)->pattern, (*b)->pattern);

    return order ? order : strcmp((*a)->method, (*b)->method);
}

static void
put_counts(struct ds *out, const char *name, const struct route *route)
{
    for (size_t i = 0; i < route->n_counts; i++) {
        char status[16];

        snprintf(status, sizeof status, "%d", route->counts[i].status);
        metrics_sample(out, name, (const struct metrics_label[]) {
            { "method", route->method }, { "route", route->pattern },
            { "status", status }, { NULL, NULL } }, route->counts[i].n);
    }
}

void
request_stats_put(const struct request_stats *stats, struct ds *out)
{
    static const char requests[] = "vsubnet_mapper_requests_total";
    static const char duration[] = "vsubnet_mapper_request_duration_seconds";
    size_t n = hmap_count(&stats->routes), i = 0;
    struct route **routes = xcalloc(n ? n : 1, sizeof *routes);
    struct route *route;

    HMAP_FOR_EACH (route, hmap_node, &stats->routes) {
        routes[i++] = route;
    }
    qsort(routes, n, sizeof *routes, compare_routes);

    metrics_family(out, requests, METRICS_COUNTER,
                   "Requests answered, by route (empty: there is no such) "
                   "and HTTP status.");
    for (i = 0; i < n; i++) {
        put_counts(out, requests, routes[i]);
    }
    metrics_family(out, duration, METRICS_HISTOGRAM,
                   "Time from a whole request to its answer, by route.");
    for (i = 0; i < n; i++) {
        metrics_histogram_put(out, duration, (const struct metrics_label[]) {
            { "method", routes[i]->method }, { "route", routes[i]->pattern },
            { NULL, NULL } }, &routes[i]->times);
    }
    free(routes);
}
