/* SPDX-License-Identifier: Apache-2.0 */
/* Which boot of this host it is: the file "instance". */
#include <config.h>
#include "controller/instance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "openvswitch/vlog.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(instance);

enum { MAX_FILE = 256 };

/* Returns NULL if the file has a UUID, or why it can't be used. */
static char *
read_file(struct instance *instance, const char *path)
{
    char *data;
    size_t n;
    char *error = private_file_read(path, MAX_FILE, &data, &n);

    if (!error) {
        struct stat s;

        data[strcspn(data, "\n")] = '\0';
        if (!uuid_from_string(&instance->id, data)
            || uuid_is_zero(&instance->id)) {
            error = xasprintf("%s: not a UUID", path);
        } else if (!stat(path, &s)) {
            instance->made = s.st_mtime;
        }
        private_file_free(data, n);
    }
    return error;
}

void
instance_init(struct instance *instance, const char *run_dir)
{
    char *path = xasprintf("%s/instance", run_dir);

    *instance = (struct instance) { .made = 0 };
    char *reason = read_file(instance, path);
    if (reason) {
        char line[UUID_LEN + 2];

        VLOG_INFO("a new instance (%s)", reason);
        free(reason);
        uuid_generate(&instance->id);
        instance->made = time_wall();
        snprintf(line, sizeof line, UUID_FMT"\n", UUID_ARGS(&instance->id));
        instance->error = private_file_replace(path, line, strlen(line));
    }
    snprintf(instance->text, sizeof instance->text, UUID_FMT,
             UUID_ARGS(&instance->id));
    free(path);
}

void
instance_destroy(struct instance *instance)
{
    free(instance->error);
}
