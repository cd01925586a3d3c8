/* SPDX-License-Identifier: Apache-2.0 */
/* Writing small files without making packets wait for the disk. */

#include <config.h>
#include "datapath/vsubnet-saver.h"

#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "seal/private-file.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_saver);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

struct content {
    char *text;
    size_t n;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Contents to write, by path. */
static struct shash waiting OVS_GUARDED_BY(mutex)
    = SHASH_INITIALIZER(&waiting);
static bool writing OVS_GUARDED_BY(mutex);
static bool started OVS_GUARDED_BY(mutex);

static void
content_destroy(struct content *content)
{
    if (content) {
        free(content->text);
        free(content);
    }
}

/* Writes one of the waiting contents.  The lock is not held meanwhile. */
static void
write_one(void)
    OVS_REQUIRES(mutex)
{
    struct shash_node *node = shash_first(&waiting);
    struct content *content = node->data;
    char *path = shash_steal(&waiting, node);
    char *error;

    writing = true;
    ovs_mutex_unlock(&mutex);

    error = private_file_replace(path, content->text, content->n);
    if (error) {
        VLOG_WARN_RL(&rl, "%s", error);
        free(error);
    }
    content_destroy(content);
    free(path);

    ovs_mutex_lock(&mutex);
    writing = false;
    xpthread_cond_broadcast(&changed);
}

static void *
saver_main(void *aux OVS_UNUSED)
{
    /* This thread uses nothing that RCU protects, and nobody shall wait for
     * it. */
    ovsrcu_quiesce_start();
    ovs_mutex_lock(&mutex);
    for (;;) {
        while (!shash_is_empty(&waiting)) {
            write_one();
        }
        ovs_mutex_cond_wait(&changed, &mutex);
    }
    OVS_NOT_REACHED();
}

void
vsubnet_saver_put(const char *path, char *text, size_t n)
{
    struct content *content = xmalloc(sizeof *content);

    content->text = text;
    content->n = n;

    ovs_mutex_lock(&mutex);
    if (!started) {
        started = true;
        ovs_thread_create("vsubnet_saver", saver_main, NULL);
    }
    content_destroy(shash_replace(&waiting, path, content));
    xpthread_cond_broadcast(&changed);
    ovs_mutex_unlock(&mutex);
}

void
vsubnet_saver_flush(void)
{
    ovs_mutex_lock(&mutex);
    while (writing || !shash_is_empty(&waiting)) {
        ovs_mutex_cond_wait(&changed, &mutex);
    }
    ovs_mutex_unlock(&mutex);
}
