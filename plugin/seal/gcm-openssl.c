/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM with OpenSSL's EVP. */

#include <config.h>
#include "seal/gcm-provider.h"

#include <openssl/evp.h>
#include <string.h>
#include "util.h"

struct gcm_openssl {
    struct gcm up;
    EVP_CIPHER_CTX *ctx;
};

/* Fetching takes the provider's locks, so it is done once; the result lives
 * as long as the process. */
static EVP_CIPHER *aes128gcm;
static EVP_CIPHER *aes256gcm;

static bool
openssl_init(void)
{
    aes128gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    return true;
}

static struct gcm_openssl *
openssl_cast(struct gcm *gcm)
{
    return CONTAINER_OF(gcm, struct gcm_openssl, up);
}

static void
openssl_destroy(struct gcm *gcm)
{
    struct gcm_openssl *g = openssl_cast(gcm);

    /* Cleanses the key schedule. */
    EVP_CIPHER_CTX_free(g->ctx);
    free(g);
}

static struct gcm *
openssl_create(const void *key, size_t key_len, enum gcm_direction direction)
{
    const EVP_CIPHER *cipher = key_len == 16 ? aes128gcm : aes256gcm;
    struct gcm_openssl *g;

    if (!cipher) {
        return NULL;
    }
    g = xmalloc(sizeof *g);
    g->ctx = EVP_CIPHER_CTX_new();
    if (!g->ctx
        || EVP_CipherInit_ex2(g->ctx, cipher, key, NULL,
                              direction == GCM_SEAL, NULL) <= 0
        || EVP_CIPHER_CTX_get_iv_length(g->ctx) != GCM_NONCE_LEN) {
        openssl_destroy(&g->up);
        return NULL;
    }
    return &g->up;
}

static bool
begin(struct gcm_openssl *g, const struct gcm_clear *clear)
{
    int n;

    return (EVP_CipherInit_ex2(g->ctx, NULL, NULL, clear->nonce,
                               g->up.direction == GCM_SEAL, NULL) > 0
            && (!clear->aad_len
                || EVP_CipherUpdate(g->ctx, NULL, &n, clear->aad,
                                    clear->aad_len) > 0));
}

static bool
openssl_seal(struct gcm *gcm, const struct gcm_clear *clear,
             const struct iovec *iov, size_t n_iov, uint8_t *out)
{
    struct gcm_openssl *g = openssl_cast(gcm);
    int n;

    if (!begin(g, clear)) {
        return false;
    }
    for (size_t i = 0; i < n_iov; i++) {
        /* GCM is a stream mode: what goes in comes out, nothing is held. */
        if (iov[i].iov_len
            && EVP_EncryptUpdate(g->ctx, out, &n, iov[i].iov_base,
                                 iov[i].iov_len) <= 0) {
            return false;
        }
        out += iov[i].iov_len;
    }
    return (EVP_EncryptFinal_ex(g->ctx, out, &n) > 0
            && EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_GET_TAG,
                                   GCM_TAG_LEN, out) > 0);
}

static bool
openssl_open(struct gcm *gcm, const struct gcm_clear *clear,
             const uint8_t *in, size_t n, uint8_t *out)
{
    struct gcm_openssl *g = openssl_cast(gcm);
    uint8_t tag[GCM_TAG_LEN];
    int dummy;

    memcpy(tag, in + n, GCM_TAG_LEN);
    if (begin(g, clear)
        && (!n || EVP_DecryptUpdate(g->ctx, out, &dummy, in, n) > 0)
        && EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_SET_TAG,
                               GCM_TAG_LEN, tag) > 0
        && EVP_DecryptFinal_ex(g->ctx, out + n, &dummy) > 0) {
        return true;
    }
    memset(out, 0, n);
    return false;
}

const struct gcm_class gcm_openssl_class = {
    .name = "openssl",
    .init = openssl_init,
    .create = openssl_create,
    .destroy = openssl_destroy,
    .seal = openssl_seal,
    .open = openssl_open,
};
