/* SPDX-License-Identifier: Apache-2.0 */
/* operator.json, and where the controller's files are. */

#include <config.h>
#include "ctl/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/credential.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "model/url.h"
#include "util.h"
#include "uuid.h"

enum { FILE_SIZE_LIMIT = 1024 * 1024, PEM_LIMIT = 64 * 1024 };

const char *
state_dir(const char *option)
{
    const char *env = getenv("VSUBNET_STATEDIR");

    return (option ? option
            : env && *env ? env
            : VSUBNET_LOCALSTATEDIR "/lib/vsubnet");
}

const char *
run_dir(void)
{
    const char *env = getenv("VSUBNET_RUNDIR");
    return env && *env ? env : VSUBNET_RUNSTATEDIR "/vsubnet";
}

/* Reading. */

static char *
check_private(const char *path, const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return xasprintf("%s: not a regular file", path);
    }
    if (st->st_uid != geteuid() && st->st_uid != 0) {
        return xasprintf("%s: belongs to another user", path);
    }
    if (st->st_mode & 077) {
        return xasprintf("%s: others may read or change it: "
                         "chmod 600 %s", path, path);
    }
    if (st->st_size > FILE_SIZE_LIMIT) {
        return xasprintf("%s: too large", path);
    }
    return NULL;
}

/* Reads the private JSON file PATH.  Returns an errno value if it can't be
 * opened; otherwise 0, and *JSON or *ERROR. */
static int
read_private_json(const char *path, json_t **json, char **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    *json = NULL;
    *error = NULL;
    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &st)) {
        *error = xasprintf("%s: %s", path, ovs_strerror(errno));
    } else {
        *error = check_private(path, &st);
    }
    if (!*error) {
        char *text = xmalloc(FILE_SIZE_LIMIT + 1);
        ssize_t n = 0, got;

        while ((got = read(fd, text + n, FILE_SIZE_LIMIT + 1 - n)) > 0) {
            n += got;
        }
        if (got < 0) {
            *error = xasprintf("%s: %s", path, ovs_strerror(errno));
        } else {
            char *reason = model_json_parse(text, n, FILE_SIZE_LIMIT, json);
            *error = reason ? xasprintf("%s: %s", path, reason) : NULL;
            free(reason);
        }
        model_wipe(text, FILE_SIZE_LIMIT + 1);
        free(text);
    }
    close(fd);
    return 0;
}

/* Reads a credential and checks that it is one of KIND. */
static const char *
read_credential(struct model_reader *r, const char *field,
                enum model_credential_kind kind)
{
    const char *s = model_reader_string(r, field, MODEL_REQUIRED);
    struct model_credential c;
    char *error = s ? model_credential_parse(s, &c) : NULL;

    if (s && !error && c.kind != kind) {
        error = xstrdup("another kind of credential is needed here");
    }
    if (error) {
        model_reader_fail(r, field, error);
    }
    model_credential_wipe(&c);
    return s;
}

static char *
name_file(const char *path, char *error)
{
    char *named = error ? xasprintf("%s: %s", path, error) : NULL;
    free(error);
    return named;
}

static char *
operator_config_from_json(const json_t *json, struct operator_config *config)
{
    struct model_reader r;

    svec_init(&config->urls);
    model_reader_init(&r, json);
    model_reader_urls(&r, &config->urls);
    const char *ca = model_reader_text(&r, "ca", MODEL_REQUIRED, PEM_LIMIT);
    const char *token = read_credential(&r, "token",
                                        MODEL_CREDENTIAL_OPERATOR);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        svec_destroy(&config->urls);
        return error;
    }
    config->ca = xstrdup(ca);
    config->token = xstrdup(token);
    return NULL;
}

char *
operator_config_read(const char *file, struct operator_config *config)
{
    const char *env = getenv("VSUBNET_CONFIG");
    const char *given = file ? file : env && *env ? env : NULL;
    const char *const candidates[] = {
        given ? given : VSUBNET_SYSCONFDIR "/vsubnet/operator.json",
        given ? NULL
              : VSUBNET_LOCALSTATEDIR "/lib/vsubnet-mapper/operator.json",
    };

    for (size_t i = 0; i < ARRAY_SIZE(candidates) && candidates[i]; i++) {
        char *error;
        json_t *json;
        int retval = read_private_json(candidates[i], &json, &error);

        if (retval == ENOENT && !given) {
            continue;
        }
        if (retval) {
            return xasprintf("%s: %s", candidates[i], ovs_strerror(retval));
        }
        if (!error) {
            error = name_file(candidates[i],
                              operator_config_from_json(json, config));
        }
        json_decref(json);
        return error;
    }
    return xasprintf("no operator configuration: neither %s nor %s is there; "
                     "copy operator.json from the mapping service's state "
                     "directory or give --config FILE",
                     candidates[0], candidates[1]);
}

void
operator_config_destroy(struct operator_config *config)
{
    svec_destroy(&config->urls);
    free(config->ca);
    model_wipe(config->token, strlen(config->token));
    free(config->token);
}

/* The controller's. */

char *
instance_read(void)
{
    char *path = xasprintf("%s/instance", run_dir());
    char line[UUID_LEN + 1];
    struct uuid uuid;
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(line, sizeof line, file)
              && uuid_from_string(&uuid, line);

    if (file) {
        fclose(file);
    }
    free(path);
    return ok ? xstrdup(line) : NULL;
}

char *
file_remove(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    char *error = NULL;

    if (unlink(path) && errno != ENOENT) {
        error = xasprintf("%s: %s", path, ovs_strerror(errno));
    }
    free(path);
    return error;
}
