/* SPDX-License-Identifier: Apache-2.0 */
/* The last mapping, on disk: cache.json. */
#ifndef VSUBNET_CACHE_H
#define VSUBNET_CACHE_H 1

/* What lets a host that starts while the service is away come up as it was.
 * The file names the node that the mapping is for, and is not used by
 * another.  It holds keys: 0600, replaced atomically.  Changes are coalesced:
 * a file is written at most once in CACHE_INTERVAL_MS, and ten times as
 * seldom as writing it takes.
 *
 * With 100,000 bindings that takes half a second, in which the controller
 * would do nothing else.  So a child writes it: a copy of this process, which
 * has the mapping as it was when it began.
 *
 *            cache_mark(), and it is time                 written
 *      IDLE ------------------------------> CHILD WRITES ---------> IDLE
 *                                                 |                  ^
 *                                                 '------------------'
 *                                                  failed: marked again
 *
 * At the end (cache_run() with 'now') it is written here.  The child dies with
 * this process, so that it never replaces what a later run writes.
 *
 * The file's modification time is when the mapping was last known to be the
 * service's: it is set anew each minute, and at the end, while the service is
 * connected.  Not thread-safe. */

#include <stdbool.h>
#include <sys/types.h>
#include "model/types.h"
#include "openvswitch/uuid.h"

struct mapping;

enum { CACHE_INTERVAL_MS = 1000, CACHE_TOUCH_MS = 60000 };

struct cache {
    char *path;
    bool dirty;
    struct model_revision saved;    /* What the file has; zero: nothing. */
    pid_t child;                /* That writes, or 0; */
    int child_fd;               /* tells the error here; */
    struct model_revision writing;  /* and has this. */
    long long int started;
    long long int next_save;
    long long int next_touch;
    long long int current_at;   /* Modification time when it was loaded. */
    char *error;                /* Of the last load or save, or NULL. */
};

void cache_init(struct cache *, const char *state_dir);
void cache_destroy(struct cache *);

/* Returns the mapping, or NULL if there is none for node 'id'. */
struct mapping *cache_load(struct cache *, const struct uuid *id);

/* The mapping changed. */
void cache_mark(struct cache *);

/* Has the file written if it is time to, or writes it 'now'.  Returns true
 * when that has been done. */
bool cache_run(struct cache *, const struct uuid *id, const struct mapping *,
               bool now);

/* The mapping is the service's now.  'now' (time_msec()) is when a file that
 * was touched a short while ago is left alone, unless 'at_once'. */
void cache_touch(struct cache *, long long int now, bool at_once);
void cache_wait(const struct cache *);
void cache_forget(struct cache *);

#endif /* cache.h */
