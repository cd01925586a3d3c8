/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller tells those who watch it. */
#ifndef VSUBNET_MONITOR_H
#define VSUBNET_MONITOR_H 1

/* Figures for Prometheus, and whether this host does what it is told.
 *
 * They come from the controller's state, from counters that its modules keep
 * anyway (those of coverage/show, up to a second late), and from what
 * ovs-vswitchd writes into the database's `statistics' each 5 seconds: of the
 * tunnel port and of ports in vSubnets.  Names of ports are the only labels
 * that somebody chooses; there are as many as the host has ports.
 *
 * Not thread-safe. */

#include <stdbool.h>

struct controller;

/* Before the controller runs for the first time: makes it read
 * `statistics'. */
void monitor_init(struct controller *);

/* Returns the figures as text, malloc()'d. */
char *monitor_metrics(const struct controller *);

/* True if flows and keys are in force as the mapping wants them; the service
 * may be away.  Else '*why', a constant string, says what is missing. */
bool monitor_is_ready(const struct controller *, const char **why);

#endif /* monitor.h */
