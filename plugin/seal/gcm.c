/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM with OpenSSL's EVP. */

#include <config.h>
#include "seal/gcm.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include "util.h"

struct gcm {
    EVP_CIPHER_CTX *ctx;
    enum gcm_direction direction;
};

/* Fetching takes the provider's locks, so it is done once; the result lives
 * as long as the process. */
static EVP_CIPHER *aes128gcm;
static EVP_CIPHER *aes256gcm;

static void
fetch(void)
{
    aes128gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

struct gcm *
gcm_create(const void *key, size_t key_len, enum gcm_direction direction)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch);

    const EVP_CIPHER *cipher = (key_len == 16 ? aes128gcm
                                : key_len == 32 ? aes256gcm
                                : NULL);
    if (!cipher) {
        return NULL;
    }

    struct gcm *gcm = xmalloc(sizeof *gcm);
    gcm->direction = direction;
    gcm->ctx = EVP_CIPHER_CTX_new();
    if (!gcm->ctx
        || EVP_CipherInit_ex2(gcm->ctx, cipher, key, NULL,
                              direction == GCM_SEAL, NULL) <= 0
        || EVP_CIPHER_CTX_get_iv_length(gcm->ctx) != GCM_NONCE_LEN) {
        gcm_destroy(gcm);
        return NULL;
    }
    return gcm;
}

void
gcm_destroy(struct gcm *gcm)
{
    if (gcm) {
        /* Cleanses the key schedule. */
        EVP_CIPHER_CTX_free(gcm->ctx);
        free(gcm);
    }
}

static bool
begin(struct gcm *gcm, const struct gcm_clear *clear)
{
    int n;

    return (EVP_CipherInit_ex2(gcm->ctx, NULL, NULL, clear->nonce,
                               gcm->direction == GCM_SEAL, NULL) > 0
            && (!clear->aad_len
                || EVP_CipherUpdate(gcm->ctx, NULL, &n, clear->aad,
                                    clear->aad_len) > 0));
}

bool
gcm_seal(struct gcm *gcm, const struct gcm_clear *clear,
         const struct iovec *iov, size_t n_iov, uint8_t *out)
{
    int n;

    ovs_assert(gcm->direction == GCM_SEAL);
    if (!begin(gcm, clear)) {
        return false;
    }
    for (size_t i = 0; i < n_iov; i++) {
        /* GCM is a stream mode: what goes in comes out, nothing is held. */
        if (iov[i].iov_len
            && EVP_EncryptUpdate(gcm->ctx, out, &n, iov[i].iov_base,
                                 iov[i].iov_len) <= 0) {
            return false;
        }
        out += iov[i].iov_len;
    }
    return (EVP_EncryptFinal_ex(gcm->ctx, out, &n) > 0
            && EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG,
                                   GCM_TAG_LEN, out) > 0);
}

bool
gcm_open(struct gcm *gcm, const struct gcm_clear *clear, const uint8_t *in,
         size_t n, uint8_t *out)
{
    uint8_t tag[GCM_TAG_LEN];
    int dummy;

    ovs_assert(gcm->direction == GCM_OPEN);
    memcpy(tag, in + n, GCM_TAG_LEN);
    if (begin(gcm, clear)
        && (!n || EVP_DecryptUpdate(gcm->ctx, out, &dummy, in, n) > 0)
        && EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG,
                               GCM_TAG_LEN, tag) > 0
        && EVP_DecryptFinal_ex(gcm->ctx, out + n, &dummy) > 0) {
        return true;
    }
    memset(out, 0, n);
    return false;
}
