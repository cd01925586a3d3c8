/* SPDX-License-Identifier: Apache-2.0 */
/* operator.json, and where the controller's files are. */

#ifndef CTL_FILES_H
#define CTL_FILES_H 1

/* operator.json is JSON (DESIGN.md section 4.1), private to its owner: one
 * that others may read is refused, since its credential is then no secret any
 * more, and saying nothing would hide that.  (node.json: host/node-file.h.)
 *
 * Functions return null or an error message that the caller frees. */

#include "svec.h"

/* Who asks shows a token or, without one, a TLS client certificate. */
struct operator_config {
    struct svec urls;
    char *ca;
    char *token;                /* Or null. */
    char *certificate;          /* Names of PEM files, or null. */
    char *private_key;
};

/* Reads FILE or, if that is null, $VSUBNET_CONFIG or the first default that
 * exists.  A token in TOKEN_FILE or, if that is null, in $VSUBNET_TOKEN takes
 * the place of what the configuration says. */
char *operator_config_read(const char *file, const char *token_file,
                           struct operator_config *);
void operator_config_destroy(struct operator_config *);

/* Returns the ID of this boot, which the controller keeps in its run
 * directory, malloc()'d; null if there is none. */
char *instance_read(void);

/* Removes the file NAME in DIR, if it is there. */
char *file_remove(const char *dir, const char *name);

/* The controller's directories: OPTION, the environment, the default. */
const char *state_dir(const char *option);
const char *run_dir(void);

#endif /* ctl/files.h */
