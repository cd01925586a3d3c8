/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the state directory: read whole, replaced whole. */

#ifndef MAPPER_FILE_H
#define MAPPER_FILE_H 1

/* What the mapper keeps outside its database (certificates, keys, the
 * operator's configuration) must never be seen half written, whenever the
 * process or the machine stops: file_write() makes a temporary file beside
 * the target, fsyncs it, renames it, and fsyncs the directory.
 *
 * Both return 0 or a positive errno value. */

#include <stddef.h>
#include <sys/types.h>

enum { FILE_SIZE_MAX = 1024 * 1024 };

/* Stores a null-terminated, malloc()'d copy of the file into *DATA. */
int file_read(const char *dir, const char *name, char **data, size_t *size);
int file_write(const char *dir, const char *name, const void *, size_t,
               mode_t);

#endif /* mapper/file.h */
