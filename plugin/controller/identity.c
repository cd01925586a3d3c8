/* SPDX-License-Identifier: Apache-2.0 */
/* Who this node is: node.json. */
#include <config.h>
#include "controller/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/credential.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(identity);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

enum {
    LOOK_INTERVAL_MS = 1000,
    MAX_FILE = 1024 * 1024,
    MAX_CA = 64 * 1024,
    MAX_URLS = 16,
};

void
identity_free(struct identity *identity)
{
    if (identity) {
        if (identity->credential) {
            model_wipe(identity->credential, strlen(identity->credential));
            free(identity->credential);
        }
        for (size_t i = 0; i < identity->n_urls; i++) {
            free(identity->urls[i]);
        }
        free(identity->urls);
        free(identity->ca);
        free(identity->name);
        free(identity);
    }
}

static void
read_urls(struct model_reader *r, struct identity *identity)
{
    const json_t *urls = model_reader_array(r, "urls", MODEL_REQUIRED,
                                            MAX_URLS);
    size_t n = json_array_size(urls);

    identity->urls = xcalloc(n ? n : 1, sizeof *identity->urls);
    for (size_t i = 0; i < n; i++) {
        const char *url = json_string_value(json_array_get(urls, i));

        if (!url) {
            model_reader_fail(r, "urls", xstrdup("not a string"));
            return;
        }
        identity->urls[identity->n_urls++] = xstrdup(url);
    }
}

static void
read_credential(struct model_reader *r, struct identity *identity)
{
    const char *s = model_reader_string(r, "credential", MODEL_REQUIRED);
    struct model_credential credential;

    if (s) {
        char *error = model_credential_parse(s, &credential);

        if (!error && credential.kind != MODEL_CREDENTIAL_NODE) {
            error = xstrdup("not a node's credential");
        }
        if (error) {
            model_reader_fail(r, "credential", error);
        } else {
            identity->credential = xstrdup(s);
        }
        model_credential_wipe(&credential);
    }
}

char *
identity_parse(const char *text, size_t n, struct identity **identityp)
{
    struct identity *identity = xzalloc(sizeof *identity);
    struct model_reader r;
    json_t *json;

    *identityp = NULL;
    char *error = model_json_parse(text, n, MAX_FILE, &json);
    if (error) {
        free(identity);
        return error;
    }

    model_reader_init(&r, json);
    model_reader_uint(&r, "version", MODEL_REQUIRED, 1, 1);
    model_reader_uuid(&r, "id", MODEL_REQUIRED, &identity->id);
    read_credential(&r, identity);
    read_urls(&r, identity);
    const char *ca = model_reader_text(&r, "ca", MODEL_REQUIRED, MAX_CA);
    identity->ca = nullable_xstrdup(ca);
    identity->name = nullable_xstrdup(model_reader_string(&r, "name",
                                                          MODEL_OPTIONAL));
    error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    json_decref(json);
    if (error) {
        identity_free(identity);
    } else {
        *identityp = identity;
    }
    return error;
}

void
identity_file_init(struct identity_file *file, const char *state_dir)
{
    *file = (struct identity_file) {
        .path = xasprintf("%s/node.json", state_dir),
    };
}

void
identity_file_destroy(struct identity_file *file)
{
    identity_free(file->identity);
    free(file->path);
    free(file->error);
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
    char *data;
    size_t n;

    identity_free(file->identity);
    file->identity = NULL;
    free(file->error);
    file->error = private_file_read(file->path, MAX_FILE, &data, &n);
    if (!file->error) {
        char *error = identity_parse(data, n, &file->identity);
        if (error) {
            file->error = xasprintf("%s: %s", file->path, error);
            free(error);
        }
        private_file_free(data, n);
    }
    if (file->error) {
        VLOG_WARN("%s", file->error);
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
