/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring as a file. */

#ifndef SEAL_KEYRING_FILE_H
#define SEAL_KEYRING_FILE_H 1

/* Keyring file
 * ============
 *
 * keyring.h without the I/O, private-file.h without the keyring: this joins
 * the two and wipes the text in between.
 *
 * Thread safety: as its parts; the functions keep no state. */

struct keyring;

/* Reads the keyring at 'path'.  Returns NULL and the keyring in '*keyringp',
 * or an error string that the caller frees, and NULL in '*keyringp'.  The
 * string never has content of the file in it. */
char *keyring_load(const char *path, struct keyring **keyringp);

/* Replaces the file at 'path'.  Returns NULL or an error string that the
 * caller frees. */
char *keyring_save(const char *path, const struct keyring *);

#endif /* seal/keyring-file.h */
