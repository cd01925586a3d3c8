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

/* Reads the private file PATH.  Returns an errno value if it can't be opened;
 * otherwise 0, and *TEXT (null-terminated, FILE_SIZE_LIMIT + 1 bytes, which
 * the caller wipes) with its size, or *ERROR. */
static int
read_private(const char *path, char **text, size_t *size, char **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    *text = NULL;
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
        ssize_t n = 0, got;

        *text = xzalloc(FILE_SIZE_LIMIT + 1);
        while ((got = read(fd, *text + n, FILE_SIZE_LIMIT - n)) > 0) {
            n += got;
        }
        *size = n;
        if (got < 0) {
            *error = xasprintf("%s: %s", path, ovs_strerror(errno));
            free(*text);
            *text = NULL;
        }
    }
    close(fd);
    return 0;
}

static void
free_private(char *text)
{
    model_wipe(text, FILE_SIZE_LIMIT + 1);
    free(text);
}

/* The same for JSON: *JSON or *ERROR. */
static int
read_private_json(const char *path, json_t **json, char **error)
{
    size_t size;
    char *text;
    int retval = read_private(path, &text, &size, error);

    *json = NULL;
    if (text) {
        char *reason = model_json_parse(text, size, FILE_SIZE_LIMIT, json);

        *error = reason ? xasprintf("%s: %s", path, reason) : NULL;
        free(reason);
        free_private(text);
    }
    return retval;
}

/* Returns null if S is the token of a user, or an error. */
static char *
check_token(const char *s)
{
    struct model_credential c;
    char *error = model_credential_parse(s, &c);

    if (!error && c.kind != MODEL_CREDENTIAL_OPERATOR) {
        error = xstrdup("another kind of credential is needed here");
    }
    model_credential_wipe(&c);
    return error;
}

static char *
name_file(const char *path, char *error)
{
    char *named = error ? xasprintf("%s: %s", path, error) : NULL;
    free(error);
    return named;
}

/* TOKEN, if it is not null, is what the user shows in any case. */
static char *
operator_config_from_json(const json_t *json, const char *token,
                          struct operator_config *config)
{
    struct model_reader r;

    memset(config, 0, sizeof *config);
    svec_init(&config->urls);
    model_reader_init(&r, json);
    model_reader_urls(&r, &config->urls);
    const char *ca = model_reader_text(&r, "ca", MODEL_REQUIRED, PEM_LIMIT);
    const char *certificate = NULL;
    const char *key = NULL;
    if (!token) {
        certificate = model_reader_string(&r, "certificate", MODEL_OPTIONAL);
        key = model_reader_string(&r, "private_key",
                                  certificate ? MODEL_REQUIRED
                                  : MODEL_OPTIONAL);
        token = model_reader_string(&r, "token",
                                    certificate ? MODEL_OPTIONAL
                                    : MODEL_REQUIRED);
        char *error = token ? check_token(token) : NULL;
        if (error) {
            model_reader_fail(&r, "token", error);
        }
    }
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        svec_destroy(&config->urls);
        return error;
    }
    config->ca = xstrdup(ca);
    config->token = nullable_xstrdup(token);
    config->certificate = token ? NULL : nullable_xstrdup(certificate);
    config->private_key = token ? NULL : nullable_xstrdup(key);
    return NULL;
}

/* Stores the token that goes before the configuration's, or null if there is
 * none.  Messages do not quote it. */
static char *
read_token(const char *file, char **token)
{
    const char *env = getenv("VSUBNET_TOKEN");
    const char *where = file ? file : "VSUBNET_TOKEN";
    char *error = NULL;
    char *text = NULL;
    size_t size;

    *token = NULL;
    if (file) {
        int retval = read_private(file, &text, &size, &error);

        if (retval) {
            return xasprintf("%s: %s", file, ovs_strerror(retval));
        } else if (error) {
            return error;
        }
        *token = xmemdup0(text, strcspn(text, " \t\r\n"));
        free_private(text);
    } else if (env && *env) {
        *token = xstrdup(env);
    }
    error = *token ? check_token(*token) : NULL;
    if (error) {
        model_wipe(*token, strlen(*token));
        free(*token);
        *token = NULL;
    }
    return name_file(where, error);
}

static char *
config_read(const char *file, const char *token,
            struct operator_config *config)
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
                              operator_config_from_json(json, token,
                                                        config));
        }
        json_decref(json);
        return error;
    }
    return xasprintf("no operator configuration: neither %s nor %s is there; "
                     "copy operator.json from the mapping service's state "
                     "directory or give --config FILE",
                     candidates[0], candidates[1]);
}

static void
free_token(char *token)
{
    if (token) {
        model_wipe(token, strlen(token));
        free(token);
    }
}

char *
operator_config_read(const char *file, const char *token_file,
                     struct operator_config *config)
{
    char *token;
    char *error = read_token(token_file, &token);

    if (!error) {
        error = config_read(file, token, config);
    }
    free_token(token);
    return error;
}

void
operator_config_destroy(struct operator_config *config)
{
    svec_destroy(&config->urls);
    free(config->ca);
    free(config->certificate);
    free(config->private_key);
    free_token(config->token);
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
