/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests there were, of which kind, and how long they took. */

#ifndef MAPPER_REQUEST_STATS_H
#define MAPPER_REQUEST_STATS_H 1

/* Counted by route and status.  A route is its method and pattern as the
 * table in api.c has them, so what strangers put into paths makes no series;
 * all requests without a route are one.
 *
 * The time is from the request's arrival, whole, to the answer, also of those
 * that wait for a commit or for somebody else.  An event stream counts when
 * it is opened. */

struct ds;
struct request_stats;

struct request_stats *request_stats_create(void);
void request_stats_destroy(struct request_stats *);

/* METHOD and PATTERN are kept as pointers; null: there is no such route. */
void request_stats_add(struct request_stats *, const char *method,
                       const char *pattern, int status, long long int usec);

void request_stats_put(const struct request_stats *, struct ds *);

#endif /* mapper/request-stats.h */
