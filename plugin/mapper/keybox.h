/* SPDX-License-Identifier: Apache-2.0 */
/* Sender keys as they stand in the database: sealed. */

#ifndef MAPPER_KEYBOX_H
#define MAPPER_KEYBOX_H 1

/* The database holds nodes' sender keys only sealed with AES-256-GCM under
 * storage.key, which stays in the state directory: neither the database's
 * file nor its backups nor a log of its transactions give a key away.
 *
 *      sealed = base64(nonce (12 random bytes) || ciphertext || tag (16))
 *
 * The associated data is "ROW-UUID|SPI": a sealed key that is moved to another
 * row does not open.  Texts that hold secrets are sealed in the same way, with
 * "ROW-UUID|0", which no key has.  Thread-safe after keybox_open(). */

#include <stdbool.h>
#include <stdint.h>

struct model_secret;
struct uuid;
struct keybox;

enum {
    KEYBOX_KEY_SIZE = 32,
    KEYBOX_NONCE_SIZE = 12,
    KEYBOX_TAG_SIZE = 16,
};

/* Reads storage.key in DIR, or makes it.  Returns null or an error message
 * that the caller frees. */
char *keybox_open(const char *dir, struct keybox **);
void keybox_close(struct keybox *);

/* Returns what tells this key from others without giving it away, malloc()'d:
 * 64 hexadecimal digits of an HMAC. */
char *keybox_check(const struct keybox *);

/* Returns the sealed form, malloc()'d. */
char *keybox_seal(const struct keybox *, const struct uuid *row, uint32_t spi,
                  const struct model_secret *);

/* Returns false if SEALED is not what keybox_seal() made for this row. */
bool keybox_unseal(const struct keybox *, const struct uuid *row,
                   uint32_t spi, const char *sealed, struct model_secret *);

/* The same for a text.  The unsealed one is malloc()'d, to be wiped; null if
 * it does not open. */
char *keybox_seal_text(const struct keybox *, const struct uuid *row,
                       const char *text);
char *keybox_unseal_text(const struct keybox *, const struct uuid *row,
                         const char *sealed);

#endif /* mapper/keybox.h */
