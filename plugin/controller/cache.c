/* SPDX-License-Identifier: Apache-2.0 */
/* The last mapping, on disk: cache.json. */
#include <config.h>
#include "controller/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/json-text.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
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

void
cache_destroy(struct cache *cache)
{
    free(cache->path);
    free(cache->error);
}

void
cache_forget(struct cache *cache)
{
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

bool
cache_run(struct cache *cache, const struct uuid *id,
          const struct mapping *mapping, bool now)
{
    long long int start = time_msec();

    if (!cache->dirty || (!now && start < cache->next_save)) {
        return false;
    }

    char uuid[UUID_LEN + 1];
    snprintf(uuid, sizeof uuid, UUID_FMT, UUID_ARGS(id));
    json_t *json = json_pack("{s:i, s:s, s:o}", "version", 1, "node", uuid,
                             "snapshot",
                             mapping_to_snapshot(mapping, MODEL_VIEW_KEYS));
    size_t n;
    char *text = json_text_dump(json, &n);
    set_error(cache, private_file_replace(cache->path, text, n));
    json_text_free(text, n);
    json_decref(json);

    cache->dirty = cache->error != NULL;
    long long int end = time_msec();
    cache->next_save = end + MAX(CACHE_INTERVAL_MS, 10 * (end - start));
    if (!cache->error) {
        cache->saved = mapping->revision;
    }
    return !cache->error;
}

void
cache_touch(struct cache *cache, long long int now, bool at_once)
{
    if (!cache->dirty && (at_once || now >= cache->next_touch)) {
        /* If it can't be, it is told to be older than it is. */
        utimensat(AT_FDCWD, cache->path, NULL, 0);
        cache->next_touch = now + CACHE_TOUCH_MS;
    }
}

void
cache_wait(const struct cache *cache)
{
    if (cache->dirty) {
        poll_timer_wait_until(cache->next_save);
    }
}
