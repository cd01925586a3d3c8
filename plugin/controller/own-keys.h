/* SPDX-License-Identifier: Apache-2.0 */
/* This node's own sender keys: keys.json. */
#ifndef VSUBNET_OWN_KEYS_H
#define VSUBNET_OWN_KEYS_H 1

/* The life of a sender key
 * ========================
 *
 *   1. made:     own_keys_sync() finds a vSubnet of this node without a key,
 *                or key_rotation_run() (key-rotation.h) one whose key is to be
 *                replaced, and draws one from RAND_bytes();
 *   2. saved:    own_keys_save() writes keys.json and syncs it, before
 *                anybody else sees the key: a node never sends under a key
 *                that a crash can make it forget while receivers hold it;
 *   3. uploaded: the service answers with the SPI.  A vSubnet's first key is
 *                in force from then on, that is, in the keyring;
 *   4. loaded:   the service says that all others who are there have it.
 *                Then a key that takes another's place is in force;
 *   5. old:      it is not sent with any more, but datagrams under it may be
 *                on their way; it is retired a while later;
 *   6. dropped:  own_keys_sync() with a mapping that has not the vSubnet.
 *
 * A key that takes another's place is made before the other is broken: that
 * one is its 'before', and in force until then.  keys.json has both meanwhile.
 * There is never a third: what is to replace a key that is not in force yet is
 * drawn in its place, with the same epoch, because the service keeps two
 * epochs, and must not drop the one that is sent with.
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
struct model_net;

enum { OWN_KEYS_EARLY = 8 };

struct own_key {
    char *net;
    uint32_t vni;
    uint32_t epoch;
    enum model_algorithm algorithm;
    uint64_t rekey;             /* The vSubnet's when it was drawn. */
    long long int made;         /* When that was, seconds of the epoch. */
    struct model_secret secret;
    uint32_t spi;               /* 0: none yet. */
    unsigned int draw;          /* Another for each secret. */
    bool upload;                /* The service has to be told. */

    /* key-rotation.h. */
    struct own_key *before;     /* In force until this one is, or NULL. */
    bool loaded;                /* By all others. */
    long long int switch_at;    /* At the latest; 0: not yet known. */
    long long int since;        /* In force; 0: not yet looked at. */
    long long int demand_at;    /* When a demand is met; 0: none. */
    int jitter;                 /* Of the interval, in thousandths. */
};

struct own_keys {
    char *path;
    struct shash keys;          /* Contains "struct own_key"s by net name. */
    unsigned int draws;
    uint32_t early[OWN_KEYS_EARLY]; /* SPIs that were loaded before the answer
                                     * to their upload came; 0: free. */
    size_t next_early;
    bool dirty;                 /* Not all saved. */
    long long int next_save;    /* After a failure. */
    char *error;                /* Of the last load or save, or NULL. */
};

void own_key_free(struct own_key *);

void own_keys_init(struct own_keys *, const char *state_dir);
void own_keys_destroy(struct own_keys *);

/* Reads the file.  One that can't be used is a problem to report; keys are
 * then made anew, with an epoch after the last that the service knows. */
void own_keys_load(struct own_keys *);

/* Makes and drops keys so that each vSubnet of 'mapping' has one, and what
 * suits neither its VNI nor its algorithm is replaced.  'snapshot' says that
 * the mapping is all that the service has.  Returns true if anything
 * changed. */
bool own_keys_sync(struct own_keys *, const struct mapping *, bool snapshot);

/* Another key is to take the place of that of 'net'. */
void own_keys_replace(struct own_keys *, const struct mapping *,
                      const struct model_net *net);

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

/* The service's answer for the key of 'net' and 'draw', if that is the one
 * there still.  Returns true if the SPI is a new one. */
bool own_keys_set_spi(struct own_keys *, const char *net, unsigned int draw,
                      uint32_t spi);

/* The service knows a later epoch than that of 'net' and 'draw' (keys.json was
 * lost): makes another key of a much later one. */
void own_keys_renew(struct own_keys *, const char *net, unsigned int draw);

/* All others have loaded the key with 'spi'. */
void own_keys_loaded(struct own_keys *, uint32_t spi);

/* Forgets all keys and deletes the file: the node has left. */
void own_keys_forget(struct own_keys *);

#endif /* own-keys.h */
