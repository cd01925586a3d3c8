/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ovs-vswitchd for something: to read the keyring again, or else. */
#ifndef VSUBNET_RELOAD_H
#define VSUBNET_RELOAD_H 1

/* A client of ovs-vswitchd's control socket (found by its pidfile in
 * OVS_RUNDIR) that never blocks:
 *
 *      IDLE --reload_start()--> CONNECTING --> ASKED --answer--> IDLE
 *                                  ^   |         |
 *                                  |   v         v
 *                                 WAITING (1 s; then anew)
 *
 * When ovs-vswitchd is not running, or does not know the command (it knows it
 * as soon as it has the port type), asking is repeated, for a minute: a
 * freshly started ovs-vswitchd reads the file by itself.
 *
 * A request while one is under way makes one more follow it, so that the last
 * change is never missed.  Not thread-safe. */

#include <stdbool.h>

struct json;

/* 'command' is one of ovs-vswitchd's (ovs-appctl), 'deed' says what it does:
 * "ovs-vswitchd did not DEED".  Both are constant. */
struct reload *reload_create(const char *command, const char *deed);

/* Of the command, from the next time on that it is sent: an array, which is
 * taken over.  None at first. */
void reload_set_arguments(struct reload *, struct json *);

void reload_destroy(struct reload *);
void reload_start(struct reload *);
void reload_run(struct reload *);
void reload_wait(struct reload *);

/* True if the last request was answered, and not by a refusal. */
bool reload_is_done(const struct reload *);

/* True if nothing is under way: answered, or given up. */
bool reload_is_idle(const struct reload *);

/* What ovs-vswitchd last said against it, or NULL. */
const char *reload_error(const struct reload *);

#endif /* reload.h */
