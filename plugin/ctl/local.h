/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of this host: OVS's database, daemons, hardware. */

#ifndef CTL_LOCAL_H
#define CTL_LOCAL_H 1

/* The local Open_vSwitch database is read and written by running ovs-vsctl,
 * which knows where it is.  Daemons are found by their pidfiles in OVS's run
 * directory.
 *
 * Functions return null or an error message that the caller frees. */

#include <stdbool.h>
#include <sys/types.h>

struct json_t;
struct svec;

/* Runs ovs-vsctl with ARGS (a null-terminated array without the program).
 * *OUTPUT, if wanted, is what it printed, without the last newline. */
char *local_vsctl(const char *const args[], char **output);

/* Runs ARGV (null-terminated), found in PATH.  *OUTPUT, "" if there was none,
 * is what it printed, on stderr too. */
char *local_run(const char *const argv[], char **output);

/* Gets and sets keys in external_ids of table Open_vSwitch.  A value is null
 * where the key is not there, and to remove it. */
char *local_get_external_id(const char *key, char **value);
char *local_set_external_id(const char *key, const char *value);

/* The name of the integration bridge. */
char *local_bridge(void);

/* Returns the process ID of DAEMON, or 0 if it does not run. */
pid_t local_daemon_pid(const char *daemon);

/* Asks DAEMON by its control socket.  ARGS may be null.  Ends the process if
 * there is no answer after TIMEOUT seconds.  The second one is for answers in
 * JSON. */
char *local_ask(const char *daemon, unsigned int timeout, const char *command,
                const struct svec *args, char **result);
char *local_ask_json(const char *daemon, unsigned int timeout,
                     const char *command, const struct svec *args,
                     struct json_t **answer);

/* vsubnet-controller's status (DESIGN.md section 5). */
char *local_controller_status(struct json_t **);

/* The host's name as the name of a node. */
char *local_node_name(void);

#endif /* ctl/local.h */
