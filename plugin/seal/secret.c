/* SPDX-License-Identifier: Apache-2.0 */
/* Key material in a type that no format directive takes. */

#include <config.h>
#include "seal/secret.h"

#include <openssl/crypto.h>
#include <string.h>
#include "util.h"

void
secret_set(struct secret *secret, const void *bytes, size_t len)
{
    ovs_assert(len <= SECRET_MAX_LEN);
    memset(secret, 0, sizeof *secret);
    memcpy(secret->material, bytes, len);
    secret->len = len;
}

void
secret_wipe(struct secret *secret)
{
    OPENSSL_cleanse(secret, sizeof *secret);
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
    return (a->len == b->len
            && !CRYPTO_memcmp(a->material, b->material, a->len));
}

/* Upper case is refused so that a key has one text form only. */
static int
hex_digit(char c)
{
    return (c >= '0' && c <= '9' ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : -1);
}

bool
secret_from_hex(struct secret *secret, const char *s, size_t n, size_t len)
{
    memset(secret, 0, sizeof *secret);
    if (len > SECRET_MAX_LEN || n != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(s[2 * i]);
        int low = hex_digit(s[2 * i + 1]);

        if (high < 0 || low < 0) {
            secret_wipe(secret);
            return false;
        }
        secret->material[i] = high << 4 | low;
    }
    secret->len = len;
    return true;
}

void
secret_to_hex(const struct secret *secret, char hex[SECRET_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < secret->len; i++) {
        *hex++ = digits[secret->material[i] >> 4];
        *hex++ = digits[secret->material[i] & 15];
    }
    *hex = '\0';
}
