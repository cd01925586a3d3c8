/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold credentials: operator.json and node.json. */

#ifndef CTL_FILES_H
#define CTL_FILES_H 1

/* Both are JSON (DESIGN.md sections 3 and 4.1), private to their owner: one
 * that others may read is refused, since its credential is then no secret any
 * more, and saying nothing would hide that.
 *
 * node.json is written before its content is used: to a temporary file,
 * fsync()ed, renamed, and the directory fsync()ed, so that whatever happens
 * the host knows afterwards who it told the service that it is.
 *
 * Functions return null or an error message that the caller frees. */

#include <stdbool.h>
#include <stdint.h>

#include "svec.h"

struct json_t;

struct operator_config {
    struct svec urls;
    char *ca;
    char *token;
};

/* Reads FILE or, if that is null, $VSUBNET_CONFIG or the first default that
 * exists. */
char *operator_config_read(const char *file, struct operator_config *);
void operator_config_destroy(struct operator_config *);

struct node_file {
    char *id;                   /* UUID. */
    char *credential;           /* vsn1... */
    struct svec urls;
    char *ca;                   /* PEM. */
    char *name;
    char *fingerprint;          /* Stable fingerprint of the machine. */
    uint32_t number;            /* 0: not registered yet. */
    struct json_t *json;        /* As read, with what others keep; or null. */
};

/* Makes DIR if need be, and keeps other runs of vsubnetctl out of it until
 * this process ends.  A directory in which others may put another node.json is
 * refused. */
char *state_dir_lock(const char *dir);

/* *EXISTS is false, and the file empty, if there is none in DIR. */
char *node_file_read(const char *dir, struct node_file *, bool *exists);
/* The caller holds DIR's lock. */
char *node_file_write(const char *dir, const struct node_file *);
void node_file_destroy(struct node_file *);

/* Returns the ID of this boot, which the controller keeps in its run
 * directory, malloc()'d; null if there is none. */
char *instance_read(void);

/* Removes the file NAME in DIR, if it is there. */
char *file_remove(const char *dir, const char *name);

/* The controller's directories: OPTION, the environment, the default. */
const char *state_dir(const char *option);
const char *run_dir(void);

#endif /* ctl/files.h */
