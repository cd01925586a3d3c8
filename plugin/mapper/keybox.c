/* SPDX-License-Identifier: Apache-2.0 */
/* Sender keys as they stand in the database: sealed. */

#include <config.h>

#include "mapper/keybox.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "mapper/file.h"
#include "model/credential.h"
#include "model/types.h"
#include "uuid.h"
#include "util.h"

#define KEYBOX_FILE "storage.key"

struct keybox {
    uint8_t key[KEYBOX_KEY_SIZE];
};

static char *
make_key(const char *dir, struct keybox *box)
{
    if (RAND_bytes(box->key, sizeof box->key) != 1) {
        return xstrdup("no random numbers for " KEYBOX_FILE);
    }
    int error = file_write(dir, KEYBOX_FILE, box->key, sizeof box->key, 0600);
    return (error
            ? xasprintf("%s/" KEYBOX_FILE ": %s", dir, ovs_strerror(error))
            : NULL);
}

char *
keybox_open(const char *dir, struct keybox **boxp)
{
    struct keybox *box = xzalloc(sizeof *box);
    char *error = NULL;
    size_t size;
    char *data;

    int retval = file_read(dir, KEYBOX_FILE, &data, &size);
    if (retval == ENOENT) {
        error = make_key(dir, box);
    } else if (retval) {
        error = xasprintf("%s/" KEYBOX_FILE ": %s", dir,
                          ovs_strerror(retval));
    } else {
        if (size == sizeof box->key) {
            memcpy(box->key, data, size);
        } else {
            error = xasprintf("%s/" KEYBOX_FILE ": %"PRIuSIZE" bytes long, "
                              "should be %d", dir, size, KEYBOX_KEY_SIZE);
        }
        model_wipe(data, size);
        free(data);
    }
    if (error) {
        keybox_close(box);
        box = NULL;
    }
    *boxp = box;
    return error;
}

void
keybox_close(struct keybox *box)
{
    if (box) {
        model_wipe(box, sizeof *box);
        free(box);
    }
}

char *
keybox_check(const struct keybox *box)
{
    static const unsigned char text[] = "vsubnet storage.key";
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    ovs_assert(HMAC(EVP_sha256(), box->key, sizeof box->key, text,
                    sizeof text - 1, mac, &n));
    char *hex = xmalloc(2 * n + 1);
    model_hex_encode(mac, n, hex);
    return hex;
}

/* Starts a GCM operation and feeds it the associated data. */
static EVP_CIPHER_CTX *
begin(const struct keybox *box, bool encrypt, const uint8_t *nonce,
      const struct uuid *row, uint32_t spi)
{
    char *aad = xasprintf(UUID_FMT"|%"PRIu32, UUID_ARGS(row), spi);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    if (ctx
        && (EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, box->key, nonce,
                              encrypt) != 1
            || EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *) aad,
                                strlen(aad)) != 1)) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
    }
    free(aad);
    return ctx;
}

/* Returns the sealed form of the N bytes at IN. */
static char *
seal(const struct keybox *box, const struct uuid *row, uint32_t spi,
     const uint8_t *in, size_t size)
{
    size_t raw_size = KEYBOX_NONCE_SIZE + size + KEYBOX_TAG_SIZE;
    uint8_t *raw = xmalloc(raw_size);
    uint8_t *nonce = raw;
    uint8_t *text = nonce + KEYBOX_NONCE_SIZE;
    uint8_t *tag = text + size;
    int n, last;

    ovs_assert(size && RAND_bytes(nonce, KEYBOX_NONCE_SIZE) == 1);
    EVP_CIPHER_CTX *ctx = begin(box, true, nonce, row, spi);
    ovs_assert(ctx
               && EVP_CipherUpdate(ctx, text, &n, in, size) == 1
               && EVP_CipherFinal_ex(ctx, text + n, &last) == 1
               && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
                                      KEYBOX_TAG_SIZE, tag) == 1);
    EVP_CIPHER_CTX_free(ctx);

    char *sealed = xmalloc(model_base64_size(raw_size));
    model_base64_encode(raw, raw_size, sealed);
    free(raw);
    return sealed;
}

/* Returns the text that SEALED is of, with a null added, and its *SIZE; null
 * if it does not open. */
static uint8_t *
unseal(const struct keybox *box, const struct uuid *row, uint32_t spi,
       const char *sealed, size_t *size)
{
    size_t max = strlen(sealed);
    uint8_t *raw = xmalloc(max + 1);
    uint8_t *text = NULL;
    size_t raw_size;
    int n, last;

    if (!model_base64_decode(sealed, raw, max, &raw_size)
        || raw_size <= KEYBOX_NONCE_SIZE + KEYBOX_TAG_SIZE) {
        free(raw);
        return NULL;
    }

    *size = raw_size - KEYBOX_NONCE_SIZE - KEYBOX_TAG_SIZE;
    text = xzalloc(*size + 1);
    EVP_CIPHER_CTX *ctx = begin(box, false, raw, row, spi);
    if (!ctx
        || EVP_CipherUpdate(ctx, text, &n, raw + KEYBOX_NONCE_SIZE,
                            *size) != 1
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, KEYBOX_TAG_SIZE,
                               raw + raw_size - KEYBOX_TAG_SIZE) != 1
        || EVP_CipherFinal_ex(ctx, text + n, &last) != 1) {
        model_wipe(text, *size);
        free(text);
        text = NULL;
    }
    EVP_CIPHER_CTX_free(ctx);
    free(raw);
    return text;
}

char *
keybox_seal(const struct keybox *box, const struct uuid *row, uint32_t spi,
            const struct model_secret *secret)
{
    ovs_assert(secret->size && secret->size <= MODEL_KEY_MAX);
    return seal(box, row, spi, secret->bytes, secret->size);
}

bool
keybox_unseal(const struct keybox *box, const struct uuid *row, uint32_t spi,
              const char *sealed, struct model_secret *secret)
{
    size_t size;
    uint8_t *text = unseal(box, row, spi, sealed, &size);
    bool ok = text && size <= MODEL_KEY_MAX;

    if (ok) {
        model_secret_set(secret, text, size);
    }
    if (text) {
        model_wipe(text, size);
        free(text);
    }
    return ok;
}

char *
keybox_seal_text(const struct keybox *box, const struct uuid *row,
                 const char *text)
{
    return seal(box, row, 0, (const uint8_t *) text, strlen(text));
}

char *
keybox_unseal_text(const struct keybox *box, const struct uuid *row,
                   const char *sealed)
{
    size_t size;

    return (char *) unseal(box, row, 0, sealed, &size);
}
