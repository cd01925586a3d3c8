/* SPDX-License-Identifier: Apache-2.0 */
/* Who this host is to the mapping service: node.json. */
#ifndef HOST_NODE_FILE_H
#define HOST_NODE_FILE_H 1

/* The file (DESIGN.md section 3) in the state directory has two writers:
 *
 *   - `vsubnetctl join` makes it, and may write it again; `vsubnetctl leave`
 *     removes it;
 *   - vsubnet-controller writes it when it changes the credential, when the
 *     service knows this node under another ID or name, and when the machine
 *     has another fingerprint.
 *
 * It is written before its content is used: to a new file, synced, renamed,
 * and the directory synced, so that whatever happens the host knows
 * afterwards who it told the service that it is.  Who writes holds the
 * directory's lock from the reading on, so that neither loses what the other
 * has written.  Members that this version does not know are kept.
 *
 *      node_dir_lock(dir, true, &lock);
 *      node_file_read(dir, &node, &exists);
 *      ...
 *      node_file_write(dir, &node);
 *      node_dir_unlock(lock);
 *
 * While a credential is changed, there are two (credential-rotation.h in the
 * controller).  Those that were replaced are kept for a service whose
 * database is restored from a copy of an earlier day: it knows one of them.  A
 * node that found another one using its ID makes itself a new one and has an
 * 'origin' until it is registered.
 *
 * Functions return NULL or an error string that the caller frees; errors name
 * no credential.  Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/uuid.h"
#include "svec.h"

struct json_t;

/* As many as the service knows. */
enum { NODE_OLD_MAX = 16 };

struct node_file {
    struct uuid id;
    char *credential;           /* vsn1... */
    char *next_credential;      /* Or NULL. */
    long long int credential_made;  /* Seconds of the epoch; 0: not known. */
    char *old_credentials[NODE_OLD_MAX];    /* Latest first, then NULLs. */
    struct svec urls;
    char *ca;                   /* PEM. */
    char *name;
    uint32_t number;            /* 0: not registered yet. */
    char *fingerprint;          /* Of the machine, as registered. */

    struct uuid origin_id;      /* Of whom it is a clone; zero: of none. */
    char *origin_credential;    /* Or NULL. */

    struct json_t *document;    /* As it was read, or NULL. */
};

/* The directory must be there already, unless 'make' says to make it.  One in
 * which others may put another node.json is refused.  '*lock' is -1, without
 * an error, if 'wait' is false and somebody else has the lock. */
char *node_dir_lock(const char *dir, bool make, bool wait, int *lock);
void node_dir_unlock(int lock);

/* An empty one, for a host that has not joined. */
void node_file_init(struct node_file *);
void node_file_destroy(struct node_file *);
void node_file_clone(struct node_file *, const struct node_file *);

/* Makes CREDENTIAL, which is taken over, the node's; that one becomes the
 * latest of the old ones, of which it is none any more. */
void node_file_set_credential(struct node_file *, char *credential);
void node_file_forget_old(struct node_file *);

/* '*exists' is false, and the file empty, if there is none in 'dir'. */
char *node_file_read(const char *dir, struct node_file *, bool *exists);
char *node_file_parse(const char *text, size_t n, struct node_file *);

/* The caller holds the lock. */
char *node_file_write(const char *dir, const struct node_file *);

/* The file's text, null-terminated; free it with node_file_text_free(). */
char *node_file_format(const struct node_file *, size_t *n);
void node_file_text_free(char *, size_t n);

#endif /* host/node-file.h */
