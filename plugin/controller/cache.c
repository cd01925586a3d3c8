/* SPDX-License-Identifier: Apache-2.0 */
/* The last mapping, on disk: cache.json. */
#include <config.h>
#include "controller/cache.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/json-text.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "process.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(cache);

enum { MAX_FILE = 256 * 1024 * 1024 };

void
cache_init(struct cache *cache, const char *state_dir)
{
    *cache = (struct cache) { .path = xasprintf("%s/cache.json", state_dir) };
}

/* Ends the child, whatever it has done. */
static void
abandon_child(struct cache *cache)
{
    if (cache->child) {
        kill(cache->child, SIGKILL);
        waitpid(cache->child, NULL, 0);
        close(cache->child_fd);
        cache->child = 0;
    }
}

void
cache_destroy(struct cache *cache)
{
    abandon_child(cache);
    free(cache->path);
    free(cache->error);
}

void
cache_forget(struct cache *cache)
{
    abandon_child(cache);
    cache->dirty = false;
    cache->saved = (struct model_revision) { 0, 0 };
    private_file_remove(cache->path);
}

static void
set_error(struct cache *cache, char *error)
{
    if (error) {
        VLOG_WARN("%s", error);
    }
    free(cache->error);
    cache->error = error;
}

static char *
load_json(const json_t *json, const struct uuid *id, struct mapping **mappingp)
{
    struct model_reader r;
    struct uuid node;

    model_reader_init(&r, json);
    model_reader_uint(&r, "version", MODEL_REQUIRED, 1, 1);
    model_reader_uuid(&r, "node", MODEL_REQUIRED, &node);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        return error;
    }
    if (!uuid_equals(&node, id)) {
        return xstrdup("is another node's");
    }
    return mapping_from_snapshot(json_object_get(json, "snapshot"), mappingp);
}

struct mapping *
cache_load(struct cache *cache, const struct uuid *id)
{
    struct mapping *mapping = NULL;
    char *data, *error;
    size_t n;

    struct stat s;

    cache->current_at = 0;
    cache->saved = (struct model_revision) { 0, 0 };
    if (stat(cache->path, &s)) {
        return NULL;
    }
    cache->current_at = s.st_mtime;
    error = private_file_read(cache->path, MAX_FILE, &data, &n);
    if (!error) {
        json_t *json;

        error = model_json_parse(data, n, MAX_FILE, &json);
        if (!error) {
            error = load_json(json, id, &mapping);
            json_decref(json);
        }
        private_file_free(data, n);
    }
    set_error(cache, (error ? xasprintf("%s: %s", cache->path, error)
                      : NULL));
    free(error);
    if (mapping) {
        cache->saved = mapping->revision;
    }
    return mapping;
}

void
cache_mark(struct cache *cache)
{
    cache->dirty = true;
}

/* Writes the file.  Returns NULL or an error string. */
static char *
write_file(const char *path, const struct uuid *id,
           const struct mapping *mapping)
{
    size_t n;
    char *snapshot = mapping_to_snapshot_text(mapping, MODEL_VIEW_KEYS, &n);
    char *head = xasprintf("{\"version\":1,\"node\":\""UUID_FMT"\","
                           "\"snapshot\":", UUID_ARGS(id));
    size_t head_len = strlen(head);
    size_t size = head_len + n + 1;
    char *text = xmalloc(size + 1);

    memcpy(text, head, head_len);
    memcpy(text + head_len, snapshot, n);
    strcpy(text + head_len + n, "}");
    char *error = private_file_replace(path, text, size);
    json_text_free(text, size);
    json_text_free(snapshot, n);
    free(head);
    return error;
}

/* Takes down how writing 'revision', begun at 'start', has ended. */
static void
written(struct cache *cache, struct model_revision revision, char *error,
        long long int start)
{
    long long int end = time_msec();

    set_error(cache, error);
    cache->dirty |= error != NULL;
    cache->next_save = end + MAX(CACHE_INTERVAL_MS, 10 * (end - start));
    if (!error) {
        cache->saved = revision;
    }
}

/* All that the child does.  Other files of this process, and locks on them,
 * are not its business. */
static void OVS_NO_RETURN
run_child(const struct cache *cache, pid_t parent, int fd,
          const struct uuid *id, const struct mapping *mapping)
{
    enum { ERROR_FD = 3 };

    /* Of this process's handlers none is for the child: one would write to a
     * file of the number that its pipe had. */
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGALRM };
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        signal(signals[i], SIG_DFL);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || (fd != ERROR_FD && dup2(fd, ERROR_FD) < 0)) {
        _exit(EXIT_FAILURE);
    }
    closefrom(ERROR_FD + 1);

    char *error = write_file(cache->path, id, mapping);
    if (error) {
        ignore(write(ERROR_FD, error, strlen(error)));
    }
    _exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns false if there can be no child. */
static bool
start_child(struct cache *cache, const struct uuid *id,
            const struct mapping *mapping)
{
    pid_t parent = getpid();
    int fds[2];

    if (pipe2(fds, O_CLOEXEC)) {
        return false;
    }
    pid_t child = fork();
    if (!child) {
        run_child(cache, parent, fds[1], id, mapping);
    }
    close(fds[1]);
    if (child < 0) {
        close(fds[0]);
        return false;
    }
    cache->child = child;
    cache->child_fd = fds[0];
    cache->writing = mapping->revision;
    cache->dirty = false;
    return true;
}

/* Waits for the end of the child, if that is not yet there: 'wait'.  Returns
 * true if it has written the file. */
static bool
finish_child(struct cache *cache, bool wait)
{
    char message[512];
    int status;

    if (!cache->child
        || waitpid(cache->child, &status, wait ? 0 : WNOHANG) <= 0) {
        return false;
    }
    ssize_t n = read(cache->child_fd, message, sizeof message - 1);
    close(cache->child_fd);
    cache->child = 0;

    char *error = NULL;
    if (n > 0) {
        message[n] = '\0';
        error = xstrdup(message);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        char *reason = process_status_msg(status);
        error = xasprintf("%s: writing it: %s", cache->path, reason);
        free(reason);
    }
    written(cache, cache->writing, error, cache->started);
    return !error;
}

bool
cache_run(struct cache *cache, const struct uuid *id,
          const struct mapping *mapping, bool now)
{
    bool done = finish_child(cache, now);

    if (!cache->dirty || cache->child
        || (!now && time_msec() < cache->next_save)) {
        return done;
    }
    cache->started = time_msec();
    if (now || !start_child(cache, id, mapping)) {
        cache->dirty = false;
        written(cache, mapping->revision,
                write_file(cache->path, id, mapping), cache->started);
        return !cache->error;
    }
    return done;
}

void
cache_touch(struct cache *cache, long long int now, bool at_once)
{
    if (!cache->dirty && !cache->child
        && (at_once || now >= cache->next_touch)) {
        /* If it can't be, it is told to be older than it is. */
        utimensat(AT_FDCWD, cache->path, NULL, 0);
        cache->next_touch = now + CACHE_TOUCH_MS;
    }
}

void
cache_wait(const struct cache *cache)
{
    if (cache->child) {
        poll_fd_wait(cache->child_fd, POLLIN);
    } else if (cache->dirty) {
        poll_timer_wait_until(cache->next_save);
    }
}
