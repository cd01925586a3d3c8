/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ovs-vswitchd one question. */
#ifndef VSUBNET_VSWITCHD_ASK_H
#define VSUBNET_VSWITCHD_ASK_H 1

/* A client of ovs-vswitchd's control socket that never blocks, for one command
 * whose answer, or that there is none in time, is what is wanted:
 *
 *      CONNECTING --> ASKED --> over
 *          '------------------^  (refused, no answer, not running)
 *
 *      struct vswitchd_ask *ask = vswitchd_ask_start("version", args, 5000);
 *      ...
 *      if (vswitchd_ask_run(ask)) {
 *          use(vswitchd_ask_result(ask), vswitchd_ask_error(ask));
 *          vswitchd_ask_destroy(ask);
 *      }
 *
 * (reload.h, which has to insist, is another.)  Not thread-safe. */

#include <stdbool.h>

/* 'args' ends with NULL. */
struct vswitchd_ask *vswitchd_ask_start(const char *command,
                                        const char *const args[],
                                        int timeout_ms);
void vswitchd_ask_destroy(struct vswitchd_ask *);

/* Returns true if it is over. */
bool vswitchd_ask_run(struct vswitchd_ask *);
void vswitchd_ask_wait(const struct vswitchd_ask *);

/* What was answered, or NULL; then, why. */
const char *vswitchd_ask_result(const struct vswitchd_ask *);
const char *vswitchd_ask_error(const struct vswitchd_ask *);

#endif /* vswitchd-ask.h */
