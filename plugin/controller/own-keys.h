/* SPDX-License-Identifier: Apache-2.0 */
/* This node's own sender keys: keys.json. */
#ifndef VSUBNET_OWN_KEYS_H
#define VSUBNET_OWN_KEYS_H 1

/* The life of a sender key
 * ========================
 *
 *   1. made:     own_keys_sync() finds a vSubnet of this node without a key
 *                (or with one of another VNI or algorithm) and draws one from
 *                RAND_bytes();
 *   2. saved:    own_keys_save() writes keys.json and syncs it, before
 *                anybody else sees the key: a node never sends under a key
 *                that a crash can make it forget while receivers hold it;
 *   3. uploaded: the service answers with the SPI.  From then on the key is in
 *                the keyring;
 *   4. dropped:  own_keys_sync() with a mapping that has not the vSubnet.
 *
 * A key that takes another's place, because the vSubnet's algorithm has
 * changed, is made before the other is broken: that one stays in the keyring
 * until the new one is uploaded and the others have had OWN_KEYS_SWITCH_MS to
 * be told of it (own_keys_run()).  keys.json has both meanwhile.
 *
 * A snapshot in which the service does not have a key any more (it was
 * restored from a backup, or is another one) makes the key be uploaded again.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include "model/types.h"
#include "openvswitch/shash.h"

struct mapping;

enum { OWN_KEYS_SWITCH_MS = 3000 };

struct own_key {
    char *net;
    uint32_t vni;
    uint32_t epoch;
    enum model_algorithm algorithm;
    struct model_secret secret;
    uint32_t spi;               /* 0: none yet. */
    bool upload;                /* The service has to be told. */

    struct own_key *before;     /* In force until this one is, or NULL. */
    long long int switch_at;    /* When that is; 0: not yet known. */
};

struct own_keys {
    char *path;
    struct shash keys;          /* Contains "struct own_key"s by net name. */
    bool dirty;                 /* Not all saved. */
    long long int next_save;    /* After a failure. */
    char *error;                /* Of the last load or save, or NULL. */
};

void own_keys_init(struct own_keys *, const char *state_dir);
void own_keys_destroy(struct own_keys *);

/* Reads the file.  One that can't be used is a problem to report; keys are
 * then made anew, with an epoch after the last that the service knows. */
void own_keys_load(struct own_keys *);

/* Makes and drops keys so that they suit 'mapping'.  'snapshot' says that the
 * mapping is all that the service has.  Returns true if anything changed. */
bool own_keys_sync(struct own_keys *, const struct mapping *, bool snapshot);

/* Ends keys whose successors can be used now.  Returns true if that changes
 * the keyring. */
bool own_keys_run(struct own_keys *, long long int now);
void own_keys_wait(const struct own_keys *);

/* Returns the key of 'net' to send with, or NULL. */
const struct own_key *own_keys_in_force(const struct own_keys *,
                                        const char *net);

/* Saves if there is anything to be saved; true if all is. */
bool own_keys_save(struct own_keys *, long long int now);

/* Returns a saved key that is to be uploaded, or NULL. */
struct own_key *own_keys_next_upload(const struct own_keys *);

/* The body of the request that uploads 'key'.  Free it with
 * own_key_body_free(). */
char *own_key_body(const struct own_key *);
void own_key_body_free(char *);

/* The service's answer for the key of 'net' and 'epoch'.  Returns true if the
 * SPI is a new one. */
bool own_keys_set_spi(struct own_keys *, const char *net, uint32_t epoch,
                      uint32_t spi);

/* The service knows a later epoch than 'epoch' for this node's key in 'net'
 * (keys.json was lost): makes another key of a much later one. */
void own_keys_renew(struct own_keys *, const char *net, uint32_t epoch);

/* Forgets all keys and deletes the file: the node has left. */
void own_keys_forget(struct own_keys *);

#endif /* own-keys.h */
