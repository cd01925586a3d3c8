/* SPDX-License-Identifier: Apache-2.0 */
/* Key material in a type that no format directive takes. */

#ifndef SEAL_SECRET_H
#define SEAL_SECRET_H 1

/* Secrets
 * =======
 *
 * Key bytes live in a 'struct secret' from the parser to the cipher.  A struct
 * can't be passed to printf() or VLOG by accident (-Wformat refuses it), and
 * the only function that turns one into text is secret_to_hex(), so that a
 * search for that name finds every place where a key leaves the process.
 *
 * A secret is a value: copy it by assignment, and wipe each copy with
 * secret_wipe() when it goes out of use.  A zero-initialised secret is empty.
 *
 * Thread safety: pure functions, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX_LEN = 32 };
enum { SECRET_HEX_SIZE = 2 * SECRET_MAX_LEN + 1 };

struct secret {
    uint8_t len;
    uint8_t material[SECRET_MAX_LEN];
};

/* Copies 'len' bytes, at most SECRET_MAX_LEN, into '*secret'. */
void secret_set(struct secret *, const void *bytes, size_t len);

/* Overwrites the secret in a way that the compiler can't leave out. */
void secret_wipe(struct secret *);

/* Compares in time that does not depend on the content. */
bool secret_equal(const struct secret *, const struct secret *);

/* Reads the 'n' lower-case hexadecimal digits at 's', which must be exactly
 * 'len' bytes' worth.  Returns false, with '*secret' empty, otherwise. */
bool secret_from_hex(struct secret *, const char *s, size_t n, size_t len);

/* Writes the secret as a string to 'hex'; the caller wipes it after use. */
void secret_to_hex(const struct secret *, char hex[SECRET_HEX_SIZE]);

#endif /* seal/secret.h */
