/* SPDX-License-Identifier: Apache-2.0 */
/* Who this node is: node.json, as it is now. */
#ifndef VSUBNET_IDENTITY_H
#define VSUBNET_IDENTITY_H 1

/* `vsubnetctl join` writes node.json (host/node-file.h) and may write it
 * again; this module reads it, and notices within a second that it appeared,
 * changed or went.  A file that can't be read counts as absent and is a
 * problem to report.
 *
 * The controller's own changes go through identity_file_update(), which never
 * waits: while somebody else has the lock, or has written what was not read
 * yet, it says "not now", and its caller tries again when it runs next, from
 * what is read then.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct node_file;

struct identity_file {
    char *dir;
    char *path;
    struct node_file *identity; /* NULL: this node has not joined. */
    char *error;                /* Why the file can't be used, or NULL. */
    char *write_error;          /* Why it can't be written, or NULL. */
    struct stat seen;           /* The file that was read. */
    bool looked;                /* 'exists' is valid. */
    bool exists;
    long long int next_look;
    long long int next_update;  /* Not before. */
};

void identity_file_init(struct identity_file *, const char *state_dir);
void identity_file_destroy(struct identity_file *);

/* Looks at the file if it is time to.  Returns true if it was read anew or
 * has gone. */
bool identity_file_run(struct identity_file *);
void identity_file_wait(struct identity_file *);

/* Begins a change: '*node' becomes a copy of the identity, which there is.
 * Returns false if it is not the time for one. */
bool identity_file_edit(const struct identity_file *, struct node_file *node);

/* Ends it: writes '*node', and destroys it.  Returns true if it is on the
 * disk and now the identity, false if it is to be tried again later. */
bool identity_file_update(struct identity_file *, struct node_file *node);

#endif /* identity.h */
