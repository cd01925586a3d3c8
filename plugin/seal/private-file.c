/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and atomically replacing files that only their owner may see. */

#include <config.h>
#include "seal/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "util.h"

static char *
file_error(const char *path, const char *what)
{
    return xasprintf("%s: %s", path, what);
}

static char *
file_errno(const char *path, int error)
{
    return file_error(path, ovs_strerror(error));
}

/* Returns the rule that the open file breaks, or NULL. */
static const char *
check_file(const struct stat *st, size_t max)
{
    if (!S_ISREG(st->st_mode)) {
        return "not a regular file";
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        return "owned by neither this user nor root";
    }
    if (st->st_mode & 077) {
        return "others may read or change it (chmod 600)";
    }
    if (st->st_size > max) {
        return "file too large";
    }
    return NULL;
}

/* Reads up to 'n' bytes.  Returns 0 and how many came in '*n_read', or a
 * positive errno. */
static int
read_all(int fd, char *data, size_t n, size_t *n_read)
{
    size_t ofs = 0;

    while (ofs < n) {
        ssize_t chunk = read(fd, data + ofs, n - ofs);

        if (chunk < 0 && errno != EINTR) {
            return errno;
        } else if (!chunk) {
            break;
        }
        ofs += MAX(chunk, 0);
    }
    *n_read = ofs;
    return 0;
}

static int
write_all(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t chunk = write(fd, data, n);

        if (chunk < 0 && errno != EINTR) {
            return errno;
        }
        data += MAX(chunk, 0);
        n -= MAX(chunk, 0);
    }
    return 0;
}

static char *
read_open_file(const char *path, int fd, size_t max, char **data, size_t *n)
{
    struct stat st;

    if (fstat(fd, &st)) {
        return file_errno(path, errno);
    }

    const char *rule = check_file(&st, max);
    if (rule) {
        return file_error(path, rule);
    }

    /* One byte more tells whether the file grew after fstat(). */
    size_t size = st.st_size;
    char *buffer = xmalloc(size + 1);
    size_t n_read = 0;
    int error = read_all(fd, buffer, size + 1, &n_read);

    if (error || n_read != size) {
        private_file_free(buffer, size);
        return (error
                ? file_errno(path, error)
                : file_error(path, "file changed while being read"));
    }
    buffer[size] = '\0';
    *data = buffer;
    *n = size;
    return NULL;
}

char *
private_file_read(const char *path, size_t max, char **data, size_t *n)
{
    *data = NULL;
    *n = 0;

    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return (errno == ELOOP
                ? file_error(path, "not a regular file")
                : file_errno(path, errno));
    }

    char *error = read_open_file(path, fd, max, data, n);
    close(fd);
    return error;
}

void
private_file_free(char *data, size_t n)
{
    if (data) {
        OPENSSL_cleanse(data, n + 1);
        free(data);
    }
}

/* Makes the rename durable.  Some file systems can't sync a directory; then
 * there is nothing more to be done. */
static void
sync_directory(const char *path)
{
    char *directory = dir_name(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        ignore(!fsync(fd));
        close(fd);
    }
    free(directory);
}

/* Writes the new content to 'path', which must not exist yet.  Returns 0 or a
 * positive errno. */
static int
write_new_file(const char *path, const void *data, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    if (fd < 0) {
        return errno;
    }

    int error = write_all(fd, data, n);
    if (!error && fsync(fd)) {
        error = errno;
    }
    if (close(fd) && !error) {
        error = errno;
    }
    return error;
}

char *
private_file_replace(const char *path, const void *data, size_t n)
{
    /* A fixed name, so that a crash leaves at most one copy of the keys
     * behind, which the next call removes. */
    char *new = xasprintf("%s.new", path);
    char *message = NULL;

    unlink(new);
    int error = write_new_file(new, data, n);
    if (!error && rename(new, path)) {
        error = errno;
    }
    if (error) {
        unlink(new);
        message = file_errno(path, error);
    } else {
        sync_directory(path);
    }
    free(new);
    return message;
}

bool
private_file_remove(const char *path)
{
    char *new = xasprintf("%s.new", path);
    bool removed = !unlink(path);

    unlink(new);
    free(new);
    return removed;
}
