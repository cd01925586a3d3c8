/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file, and telling ovs-vswitchd about it. */
#ifndef VSUBNET_KEYRING_OUT_H
#define VSUBNET_KEYRING_OUT_H 1

/* keyring_build() is pure: the mapping and this node's own keys make a
 * keyring.  keyring_out_update() writes it if it differs from the file that
 * is there (also from one that an earlier run left), and then
 * `vsubnet/reload-keyring` is sent to ovs-vswitchd until it has answered.
 * ovs-vswitchd reads the file by itself when it starts, so no answer because
 * it is not running is no loss.
 *
 * From a mapping without this node's number no keyring can be made: then the
 * file is left as it is.  Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/types.h"

struct in6_addr;
struct keyring;
struct mapping;
struct own_keys;
struct reload;

/* Returns a new keyring, or NULL if 'mapping' does not say who this node is.
 * Only approved nodes and members are in it.  Of a node's endpoints it has the
 * first that 'reaches' says can be reached, or else just the first. */
typedef bool keyring_reaches_func(const struct in6_addr *);
struct keyring *keyring_build(const struct mapping *, const struct own_keys *,
                              keyring_reaches_func *reaches);

struct keyring_out {
    char *path;
    uint8_t digest[32];         /* SHA-256 of what was last written. */
    bool written;               /* 'digest' is valid. */
    bool dirty;                 /* The last attempt failed. */
    bool looked;                /* 'left' is valid. */
    uint32_t left;              /* Node whose keyring an earlier run has left,
                                 * or 0. */
    bool forgetting;            /* The file is empty, and about to go. */
    long long int retry_at;
    char *error;                /* Or NULL. */
    struct reload *reload;

    /* Of which revision the keyring is that was written, and the one that
     * this node will not lose any more (zero: none), because ovs-vswitchd has
     * said to have loaded it, and the cache has it too; and how often keys
     * have changed until then. */
    struct model_revision wanted, loaded;
    unsigned int wanted_changes, loaded_changes;
    struct model_revision changed;  /* That last changed the file. */
    struct model_revision cached;   /* That the cache has.  Set by others. */
};

void keyring_out_init(struct keyring_out *, const char *run_dir);
void keyring_out_destroy(struct keyring_out *);

/* True if an earlier run left a keyring of node 'self' that this run has not
 * replaced.  It is never older than the cache, and may be newer. */
bool keyring_out_is_left(struct keyring_out *, uint32_t self);

void keyring_out_update(struct keyring_out *, const struct mapping *,
                        const struct own_keys *, keyring_reaches_func *);

/* The mapping has another revision, and nothing that is in the keyring has
 * changed. */
void keyring_out_advance(struct keyring_out *, const struct mapping *);

/* ovs-vswitchd keeps the last keyring that it could read, so it is given an
 * empty one first; the file is deleted when it has that (or does not run). */
void keyring_out_forget(struct keyring_out *);

void keyring_out_run(struct keyring_out *);
void keyring_out_wait(struct keyring_out *);

/* True if ovs-vswitchd has loaded all that it was told. */
bool keyring_out_is_loaded(const struct keyring_out *);

/* Counts as a change of keys: what was said of them may not be known to the
 * service any more. */
void keyring_out_mark(struct keyring_out *);

/* Makes ovs-vswitchd read the file again, as when the tunnel port is new. */
void keyring_out_reload(struct keyring_out *);

#endif /* keyring-out.h */
