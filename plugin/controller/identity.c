/* SPDX-License-Identifier: Apache-2.0 */
/* Who this node is: node.json, as it is now. */
#include <config.h>
#include "controller/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/node-file.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(identity);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

enum {
    LOOK_INTERVAL_MS = 1000,
    RETRY_MS = 200,             /* Of an update. */
    ERROR_RETRY_MS = 2000,
};

static void
identity_free(struct node_file *identity)
{
    if (identity) {
        node_file_destroy(identity);
        free(identity);
    }
}

void
identity_file_init(struct identity_file *file, const char *state_dir)
{
    *file = (struct identity_file) {
        .dir = xstrdup(state_dir),
        .path = xasprintf("%s/node.json", state_dir),
    };
}

void
identity_file_destroy(struct identity_file *file)
{
    identity_free(file->identity);
    free(file->dir);
    free(file->path);
    free(file->error);
    free(file->write_error);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino
           && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void
read_file(struct identity_file *file)
{
    struct node_file node;
    bool exists;

    identity_free(file->identity);
    file->identity = NULL;
    free(file->error);
    file->error = node_file_read(file->dir, &node, &exists);
    if (file->error) {
        VLOG_WARN("%s", file->error);
    } else if (exists) {
        file->identity = xmemdup(&node, sizeof node);
    }
}

bool
identity_file_run(struct identity_file *file)
{
    struct stat s;

    if (time_msec() < file->next_look) {
        return false;
    }
    file->next_look = time_msec() + LOOK_INTERVAL_MS;

    if (stat(file->path, &s)) {
        bool had = file->exists;

        if (errno != ENOENT) {
            /* It can't be looked at, which does not say that it is gone. */
            VLOG_WARN_RL(&rl, "%s: %s", file->path, ovs_strerror(errno));
            return false;
        }
        file->looked = true;

        if (had) {
            VLOG_INFO("%s is gone", file->path);
        }
        identity_free(file->identity);
        file->identity = NULL;
        free(file->error);
        file->error = NULL;
        file->exists = false;
        return had;
    }
    if (file->exists && same_file(&s, &file->seen)) {
        return false;
    }
    file->exists = file->looked = true;
    file->seen = s;
    read_file(file);
    return true;
}

void
identity_file_wait(struct identity_file *file)
{
    poll_timer_wait_until(file->next_look);
}

/* Changes. */

bool
identity_file_edit(const struct identity_file *file, struct node_file *node)
{
    if (!file->identity || time_msec() < file->next_update) {
        return false;
    }
    node_file_clone(node, file->identity);
    return true;
}

/* Writes with the lock held.  Returns false if the file is not the one that
 * was read. */
static bool
write_locked(struct identity_file *file, const struct node_file *node,
             char **error)
{
    struct stat s;

    if (stat(file->path, &s) || !same_file(&s, &file->seen)) {
        file->next_look = 0;
        return false;
    }
    *error = node_file_write(file->dir, node);
    if (!*error && !stat(file->path, &s)) {
        file->seen = s;
    }
    return true;
}

bool
identity_file_update(struct identity_file *file, struct node_file *node)
{
    int lock;
    char *error = node_dir_lock(file->dir, false, false, &lock);
    bool tried = lock >= 0 && write_locked(file, node, &error);
    bool done = tried && !error;

    node_dir_unlock(lock);
    if (error && !nullable_string_is_equal(error, file->write_error)) {
        VLOG_WARN("%s", error);
    }
    free(file->write_error);
    file->write_error = error;
    file->next_update = time_msec() + (done ? 0
                                       : error ? ERROR_RETRY_MS : RETRY_MS);
    if (done) {
        identity_free(file->identity);
        file->identity = xmemdup(node, sizeof *node);
    } else {
        node_file_destroy(node);
    }
    return done;
}
