/* SPDX-License-Identifier: Apache-2.0 */
/* Who this node is: node.json. */
#ifndef VSUBNET_IDENTITY_H
#define VSUBNET_IDENTITY_H 1

/* `vsubnetctl join` writes node.json (DESIGN.md section 3) and may write it
 * again; this module reads it, and notices within a second that it appeared,
 * changed or went.  A file that can't be read counts as absent and is a
 * problem to report.  Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "openvswitch/uuid.h"

struct identity {
    struct uuid id;
    char *credential;
    char **urls;
    size_t n_urls;
    char *ca;
    char *name;                 /* Or NULL. */
};

struct identity_file {
    char *path;
    struct identity *identity;  /* NULL: this node has not joined. */
    char *error;                /* Why the file can't be used, or NULL. */
    struct stat seen;           /* The file that was read. */
    bool looked;                /* 'exists' is valid. */
    bool exists;
    long long int next_look;
};

void identity_file_init(struct identity_file *, const char *state_dir);
void identity_file_destroy(struct identity_file *);

/* Looks at the file if it is time to.  Returns true if it was read anew or
 * has gone. */
bool identity_file_run(struct identity_file *);
void identity_file_wait(struct identity_file *);

/* Returns NULL, or an error string that the caller frees. */
char *identity_parse(const char *json, size_t n, struct identity **);
void identity_free(struct identity *);

#endif /* identity.h */
