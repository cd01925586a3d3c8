/* SPDX-License-Identifier: Apache-2.0 */
/* --wait=nodes: waits until a change works everywhere. */

#ifndef CTL_WAIT_H
#define CTL_WAIT_H 1

/* The mapper that took a change knows its revision and which nodes, connected
 * to it, have installed that (POST /v1/wait); other mappers of the service
 * are asked for theirs.  A mapper that does not answer has no nodes: they go
 * to others.  Who is not connected anywhere is told, and not waited for.
 *
 * Exit status 3 is for a change that was made and not confirmed in time, so
 * that nobody makes it again. */

#include <stdbool.h>

struct ctl;

/* True if --wait=nodes was given.  Ends the process if it has another value,
 * but for "join", whose --wait is a time. */
bool ctl_waits_for_nodes(const struct ctl *);

/* To be called after the change. */
void ctl_wait_nodes(struct ctl *);

#endif /* ctl/wait.h */
