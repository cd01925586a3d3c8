/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the state directory: read whole, replaced whole. */

#include <config.h>

#include "mapper/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/types.h"
#include "socket-util.h"
#include "util.h"

int
file_read(const char *dir, const char *name, char **data, size_t *size)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct stat s;
    size_t n = 0;
    int error = 0;

    *data = NULL;
    *size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &s)) {
        error = errno;
    } else if (!S_ISREG(s.st_mode)) {
        error = EINVAL;
    } else if (s.st_size > FILE_SIZE_MAX) {
        error = EFBIG;
    } else {
        char *buffer = xmalloc(s.st_size + 1);

        error = read_fully(fd, buffer, s.st_size, &n);
        if (error) {
            model_wipe(buffer, s.st_size);
            free(buffer);
            error = error == EOF ? EIO : error;
        } else {
            buffer[n] = '\0';
            *data = buffer;
            *size = n;
        }
    }
    close(fd);
    return error;
}

static int
sync_directory(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int error = fsync(fd) ? errno : 0;
    close(fd);
    return error;
}

int
file_write(const char *dir, const char *name, const void *data, size_t size,
           mode_t mode)
{
    char *path = xasprintf("%s/%s", dir, name);
    char *temporary = xasprintf("%s/.%s.tmp", dir, name);
    size_t n;

    /* One that an earlier run left may have another mode. */
    unlink(temporary);
    int error = 0;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        error = errno;
    } else {
        error = write_fully(fd, data, size, &n);
        if (!error && (fchmod(fd, mode) || fsync(fd))) {
            error = errno;
        }
        if (close(fd) && !error) {
            error = errno;
        }
        if (!error && rename(temporary, path)) {
            error = errno;
        }
        if (error) {
            unlink(temporary);
        } else {
            error = sync_directory(dir);
        }
    }
    free(temporary);
    free(path);
    return error;
}
