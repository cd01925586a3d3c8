/* SPDX-License-Identifier: Apache-2.0 */
/* Who this host is to the mapping service: node.json. */
#include <config.h>
#include "host/node-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/node-credential.h"
#include "model/credential.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "model/types.h"
#include "model/url.h"
#include "seal/private-file.h"
#include "util.h"
#include "uuid.h"

enum { MAX_FILE = 1024 * 1024, MAX_CA = 64 * 1024 };

void
node_file_init(struct node_file *node)
{
    *node = (struct node_file) { .urls = SVEC_EMPTY_INITIALIZER };
}

void
node_file_forget_old(struct node_file *node)
{
    for (size_t i = 0; i < NODE_OLD_MAX; i++) {
        node_credential_free(node->old_credentials[i]);
        node->old_credentials[i] = NULL;
    }
}

void
node_file_set_credential(struct node_file *node, char *credential)
{
    char *shifted = node->credential;

    /* Up to the first that is CREDENTIAL, or room, or the end. */
    for (size_t i = 0; i < NODE_OLD_MAX && shifted; i++) {
        char *old = node->old_credentials[i];

        node->old_credentials[i] = shifted;
        shifted = old;
        if (old && !strcmp(old, credential)) {
            break;
        }
    }
    node_credential_free(shifted);
    node->credential = credential;
}

void
node_file_destroy(struct node_file *node)
{
    node_file_forget_old(node);
    node_credential_free(node->credential);
    node_credential_free(node->next_credential);
    node_credential_free(node->origin_credential);
    svec_destroy(&node->urls);
    free(node->ca);
    free(node->name);
    free(node->fingerprint);
    json_decref(node->document);
    node_file_init(node);
}

void
node_file_clone(struct node_file *to, const struct node_file *from)
{
    *to = *from;
    to->credential = nullable_xstrdup(from->credential);
    to->next_credential = nullable_xstrdup(from->next_credential);
    to->origin_credential = nullable_xstrdup(from->origin_credential);
    for (size_t i = 0; i < NODE_OLD_MAX; i++) {
        to->old_credentials[i] = nullable_xstrdup(from->old_credentials[i]);
    }
    svec_clone(&to->urls, &from->urls);
    to->ca = nullable_xstrdup(from->ca);
    to->name = nullable_xstrdup(from->name);
    to->fingerprint = nullable_xstrdup(from->fingerprint);
    to->document = json_incref(from->document);
}

/* The lock. */

static char *
check_dir(const char *dir, int fd)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st)) {
        return xasprintf("%s: %s", dir, ovs_strerror(errno));
    } else if (st.st_uid != geteuid() && st.st_uid != 0) {
        return xasprintf("%s: belongs to another user", dir);
    } else if (st.st_mode & 022) {
        return xasprintf("%s: others may change what is in it: "
                         "chmod go-w %s", dir, dir);
    }
    return NULL;
}

char *
node_dir_lock(const char *dir, bool make, bool wait, int *lock)
{
    *lock = -1;
    if (make && mkdir(dir, 0700) && errno != EEXIST) {
        return xasprintf("%s: cannot make the directory: %s", dir,
                         ovs_strerror(errno));
    }

    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *error = check_dir(dir, fd);
    if (!error && flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) {
        if (errno != EWOULDBLOCK) {
            error = xasprintf("%s: %s", dir, ovs_strerror(errno));
        }
    } else if (!error) {
        *lock = fd;
        return NULL;
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

void
node_dir_unlock(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
}

/* Reading. */

/* Returns a copy of S, or NULL and *ERROR. */
static char *
check_credential(const char *s, char **errorp)
{
    struct model_credential credential;
    char *error = model_credential_parse(s, &credential);
    if (!error && credential.kind != MODEL_CREDENTIAL_NODE) {
        error = xstrdup("not a node's credential");
    }
    model_credential_wipe(&credential);
    *errorp = error;
    return error ? NULL : xstrdup(s);
}

static char *
read_credential(struct model_reader *r, const char *field,
                enum model_presence presence)
{
    const char *s = model_reader_string(r, field, presence);
    char *error = NULL;

    char *credential = s ? check_credential(s, &error) : NULL;
    if (error) {
        model_reader_fail(r, field, error);
    }
    return credential;
}

static void
read_old(struct model_reader *r, char *credentials[NODE_OLD_MAX])
{
    const json_t *array = model_reader_array(r, "old_credentials",
                                             MODEL_OPTIONAL, NODE_OLD_MAX);

    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i));
        char *error;

        credentials[i] = check_credential(s ? s : "", &error);
        if (error) {
            model_reader_fail(r, "old_credentials", error);
            return;
        }
    }
}

static char *
read_origin(const json_t *json, struct node_file *node)
{
    const json_t *origin = json_object_get(json, "origin");
    struct model_reader r;

    if (!origin || json_is_null(origin)) {
        return NULL;
    }
    model_reader_init(&r, origin);
    model_reader_uuid(&r, "id", MODEL_REQUIRED, &node->origin_id);
    node->origin_credential = read_credential(&r, "credential",
                                              MODEL_REQUIRED);
    return model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
}

static char *
node_file_from_json(json_t *json, struct node_file *node)
{
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_uint(&r, "version", MODEL_REQUIRED, 1, 1);
    model_reader_uuid(&r, "id", MODEL_REQUIRED, &node->id);
    node->credential = read_credential(&r, "credential", MODEL_REQUIRED);
    node->next_credential = read_credential(&r, "next_credential",
                                            MODEL_OPTIONAL);
    node->credential_made = model_reader_uint(&r, "credential_made",
                                              MODEL_OPTIONAL, 0, INT64_MAX);
    read_old(&r, node->old_credentials);
    model_reader_urls(&r, &node->urls);
    node->ca = nullable_xstrdup(model_reader_text(&r, "ca", MODEL_REQUIRED,
                                                  MAX_CA));
    node->name = nullable_xstrdup(model_reader_name(&r, "name",
                                                    MODEL_REQUIRED));
    node->number = model_reader_uint(&r, "number", MODEL_OPTIONAL,
                                     1, MODEL_NODE_MAX);
    node->fingerprint = nullable_xstrdup(
        model_reader_string(&r, "fingerprint", MODEL_REQUIRED));

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    error = error ? error : read_origin(json, node);
    if (!error) {
        node->document = json_incref(json);
    }
    return error;
}

char *
node_file_parse(const char *text, size_t n, struct node_file *node)
{
    json_t *json;

    node_file_init(node);
    char *error = model_json_parse(text, n, MAX_FILE, &json);
    if (!error) {
        error = node_file_from_json(json, node);
        json_decref(json);
    }
    if (error) {
        node_file_destroy(node);
    }
    return error;
}

char *
node_file_read(const char *dir, struct node_file *node, bool *exists)
{
    char *path = xasprintf("%s/node.json", dir);
    char *data, *error = NULL;
    size_t n;

    node_file_init(node);
    *exists = !access(path, F_OK) || errno != ENOENT;
    if (*exists) {
        error = private_file_read(path, MAX_FILE, &data, &n);
        if (!error) {
            char *reason = node_file_parse(data, n, node);

            private_file_free(data, n);
            if (reason) {
                error = xasprintf("%s: %s", path, reason);
                free(reason);
            }
        }
    }
    free(path);
    return error;
}

/* Writing. */

static void
set_string(json_t *json, const char *member, const char *value)
{
    json_object_set_new(json, member, model_string_or_null(value));
}

static void
set_uuid(json_t *json, const char *member, const struct uuid *uuid)
{
    json_object_set_new(json, member, json_sprintf(UUID_FMT,
                                                   UUID_ARGS(uuid)));
}

static void
set_origin(json_t *json, const struct node_file *node)
{
    json_t *origin = json_null();

    if (node->origin_credential) {
        origin = json_object();
        set_uuid(origin, "id", &node->origin_id);
        set_string(origin, "credential", node->origin_credential);
    }
    json_object_set_new(json, "origin", origin);
}

static void
set_old(json_t *json, char *const credentials[NODE_OLD_MAX])
{
    json_t *array = json_array();

    for (size_t i = 0; i < NODE_OLD_MAX && credentials[i]; i++) {
        json_array_append_new(array, json_string(credentials[i]));
    }
    json_object_set_new(json, "old_credentials", array);
}

static json_t *
node_file_to_json(const struct node_file *node)
{
    json_t *json = node->document ? json_copy(node->document) : json_object();
    json_t *urls = json_array();
    const char *url;
    size_t i;

    SVEC_FOR_EACH (i, url, &node->urls) {
        json_array_append_new(urls, json_string(url));
    }
    json_object_set_new(json, "version", json_integer(1));
    set_uuid(json, "id", &node->id);
    set_string(json, "credential", node->credential);
    set_string(json, "next_credential", node->next_credential);
    json_object_set_new(json, "credential_made",
                        json_integer(node->credential_made));
    set_old(json, node->old_credentials);
    json_object_set_new(json, "urls", urls);
    set_string(json, "ca", node->ca);
    set_string(json, "name", node->name);
    json_object_set_new(json, "number",
                        node->number ? json_integer(node->number)
                        : json_null());
    set_string(json, "fingerprint", node->fingerprint);
    set_origin(json, node);
    return json;
}

char *
node_file_format(const struct node_file *node, size_t *n)
{
    const size_t flags = JSON_INDENT(2);
    json_t *json = node_file_to_json(node);

    /* In two passes, so that no smaller buffer is left behind in the heap. */
    *n = json_dumpb(json, NULL, 0, flags);
    char *text = xmalloc(*n + 1);
    json_dumpb(json, text, *n, flags);
    text[*n] = '\0';
    json_decref(json);
    return text;
}

void
node_file_text_free(char *text, size_t n)
{
    model_wipe(text, n);
    free(text);
}

char *
node_file_write(const char *dir, const struct node_file *node)
{
    char *path = xasprintf("%s/node.json", dir);
    size_t n;
    char *text = node_file_format(node, &n);
    char *error = private_file_replace(path, text, n);

    node_file_text_free(text, n);
    free(path);
    return error;
}
