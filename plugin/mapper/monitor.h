/* SPDX-License-Identifier: Apache-2.0 */
/* What the mapper tells those who watch it. */

#ifndef MAPPER_MONITOR_H
#define MAPPER_MONITOR_H 1

/* Figures for Prometheus (GET /metrics, and vsubnet/metrics of the control
 * socket), and whether the service can serve (GET /readyz).
 *
 * The figures have three sources: counters that modules keep anyway (those of
 * coverage/show, up to a second late), request-stats.h, and the present state.
 * What stands in the database is counted when somebody asks and something has
 * changed since, not at each change.  Labels are routes, states and reasons:
 * no name, address or ID that anybody chooses.
 *
 * Nothing of it is written to the database. */

#include <stdbool.h>

struct api;
struct ds;
struct monitor;

struct monitor *monitor_create(void);
void monitor_destroy(struct monitor *);

/* Returns the figures as text, malloc()'d. */
char *monitor_metrics(const struct api *);

/* True if requests that change something can succeed.  Else *WHY, a constant
 * string, says what is missing. */
bool monitor_is_ready(const struct api *, const char **why);

#endif /* mapper/monitor.h */
