/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and atomically replacing files that only their owner may see. */

#ifndef SEAL_PRIVATE_FILE_H
#define SEAL_PRIVATE_FILE_H 1

/* Private files
 * =============
 *
 * The keyring, the node's identity and the session state are small files that
 * one program writes and another reads while it runs.  A reader must never
 * see half of a new content, never be led elsewhere by a symbolic link, never
 * hang on a FIFO, and never trust a file that others could have written.
 *
 * Reading refuses what is not a regular file, what is not owned by root or by
 * the process's effective user, and what has any permission for group or
 * others; it checks the open file, not the name.
 *
 * Replacing writes a new file (0600) in the same directory, syncs it, renames
 * it over the old one and syncs the directory, so that after a crash either
 * the old content is there or the new one.
 *
 * Thread safety: no state. */

#include <stdbool.h>
#include <stddef.h>

/* Reads the file at 'path', at most 'max' bytes.  Returns NULL, with the
 * content (and a null byte after it) in '*data' and its length in '*n', or an
 * error string that the caller frees.  The caller frees '*data' with
 * private_file_free(), which wipes it. */
char *private_file_read(const char *path, size_t max, char **data, size_t *n);
void private_file_free(char *data, size_t n);

/* Replaces the file at 'path' by the 'n' bytes at 'data'.  Returns NULL or an
 * error string that the caller frees; then the old file is unchanged. */
char *private_file_replace(const char *path, const void *data, size_t n);

/* Deletes the file, and what a crash may have left of a new one.  Returns true
 * if there was a file. */
bool private_file_remove(const char *path);

#endif /* seal/private-file.h */
