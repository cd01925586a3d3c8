/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: the cache, and the child that writes it. */
#include <config.h>
#include "unit-controller.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command-line.h"
#include "controller/cache.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/poll-loop.h"
#include "util.h"
#include "uuid.h"

static const struct uuid node = { { 1, 2, 3, 4 } };

/* Runs until the child has ended.  Returns whether the file was written. */
static bool
run_child(struct cache *cache, const struct mapping *mapping)
{
    CHECK(!cache->child, "already");
    CHECK(!cache_run(cache, &node, mapping, false), "so soon");
    CHECK(cache->child && !cache->dirty, "no child");
    while (cache->child) {
        cache_wait(cache);
        poll_block();
        if (cache_run(cache, &node, mapping, false)) {
            return true;
        }
    }
    return false;
}

/* The file has 'mapping'. */
static void
expect_saved(struct cache *cache, const struct mapping *mapping)
{
    struct mapping *loaded = cache_load(cache, &node);
    struct stat s;

    CHECK(loaded && !cache->error, "%s", cache->error);
    CHECK(!stat(cache->path, &s) && (s.st_mode & 0777) == 0600, "mode");
    json_t *diff = mapping_diff(loaded, mapping, MODEL_VIEW_KEYS);
    CHECK(!diff && !model_revision_compare(loaded->revision,
                                           mapping->revision), "differs");
    mapping_destroy(loaded);
}

void
test_cache(struct ovs_cmdl_context *ctx)
{
    struct mapping *mapping = test_mapping();
    struct cache cache;

    cache_init(&cache, ctx->argv[1]);
    CHECK(!cache_load(&cache, &node) && !cache.error, "there is none");
    CHECK(!cache_run(&cache, &node, mapping, false) && !cache.child, "clean");

    cache_mark(&cache);
    CHECK(run_child(&cache, mapping), "%s", cache.error);
    CHECK(!model_revision_compare(cache.saved, mapping->revision), "saved");
    expect_saved(&cache, mapping);

    /* Not again so soon; when it is time, what there was when the child
     * began, and the rest the next time. */
    cache_mark(&cache);
    CHECK(!cache_run(&cache, &node, mapping, false) && !cache.child, "soon");
    cache.next_save = 0;
    CHECK(!cache_run(&cache, &node, mapping, false) && cache.child, "begun");
    mapping->revision.number++;
    mapping_remove_node(mapping, mapping_node(mapping, 12));
    cache_mark(&cache);
    while (cache.child) {
        cache_run(&cache, &node, mapping, false);
    }
    CHECK(cache.saved.number == mapping->revision.number - 1 && cache.dirty,
          "what it began with");
    cache.next_save = 0;
    CHECK(run_child(&cache, mapping), "%s", cache.error);
    expect_saved(&cache, mapping);

    /* At the end: after the child, and here. */
    cache.next_save = 0;
    cache_mark(&cache);
    CHECK(!cache_run(&cache, &node, mapping, false) && cache.child, "begun");
    mapping->revision.number++;
    cache_mark(&cache);
    CHECK(cache_run(&cache, &node, mapping, true) && !cache.child, "%s",
          cache.error);
    expect_saved(&cache, mapping);

    /* What is to be forgotten does not come back. */
    cache.next_save = 0;
    cache_mark(&cache);
    CHECK(!cache_run(&cache, &node, mapping, false) && cache.child, "begun");
    cache_forget(&cache);
    CHECK(!cache.child && access(cache.path, F_OK), "%s", cache.path);

    cache_destroy(&cache);
    mapping_destroy(mapping);
}

/* Where nothing can be written. */
void
test_cache_error(struct ovs_cmdl_context *ctx)
{
    struct mapping *mapping = test_mapping();
    char *directory = xasprintf("%s/not-there", ctx->argv[1]);
    struct cache cache;

    cache_init(&cache, directory);
    cache_mark(&cache);
    CHECK(!run_child(&cache, mapping), "written");
    CHECK(cache.error && strstr(cache.error, "not-there/cache.json"), "%s",
          cache.error);
    CHECK(cache.dirty && model_revision_is_zero(cache.saved), "again");

    CHECK(!mkdir(directory, 0700), "%s", directory);
    cache.next_save = 0;
    CHECK(run_child(&cache, mapping) && !cache.error, "%s", cache.error);
    expect_saved(&cache, mapping);

    cache_destroy(&cache);
    mapping_destroy(mapping);
    free(directory);
}

/* A snapshot written object by object is the one of the tree. */
void
test_snapshot_text(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const enum model_view views[] = {
        MODEL_VIEW_NODE, MODEL_VIEW_OPERATOR, MODEL_VIEW_KEYS };

    for (int empty = 0; empty <= 1; empty++) {
        struct mapping *mapping = empty ? mapping_create() : test_mapping();

        for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
            json_t *tree = mapping_to_snapshot(mapping, views[i]);
            size_t n;
            char *text = mapping_to_snapshot_text(mapping, views[i], &n);

            CHECK(strlen(text) == n, "length");
            json_t *read = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
            CHECK(json_equal(tree, read), "%s", text);
            json_decref(tree);
            json_decref(read);
            free(text);
        }
        mapping_destroy(mapping);
    }
}
