/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening datagrams over OpenSSL's EVP. */

#include <config.h>
#include "seal/aead.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>
#include "seal/wire.h"
#include "util.h"

enum {
    NONCE_LEN = 12,
    NONCE_ZEROS = 4,            /* ...before the sequence. */
    RECEIVER_LEN = 4,
};

static const char INFO_PREFIX[] = "vsubnet-v0";
enum {
    INFO_PREFIX_LEN = sizeof INFO_PREFIX - 1,
    INFO_LEN = INFO_PREFIX_LEN + 1 + 4 + 3,   /* Algorithm, SPI, VNI. */
};

struct aead {
    EVP_CIPHER_CTX *ctx;
    enum aead_direction direction;
};

/* Fetching goes through the providers' locks, so it is done once and the
 * results live as long as the process. */
static EVP_CIPHER *aes128gcm;
static EVP_CIPHER *aes256gcm;
static EVP_KDF *hkdf;

static void
fetch_once(void)
{
    aes128gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    aes256gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}

static void
fetch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch_once);
}

size_t
aead_key_len(enum aead_algorithm algorithm)
{
    switch (algorithm) {
    case AEAD_AES128GCM:
        return 16;
    case AEAD_AES256GCM:
        return 32;
    }
    OVS_NOT_REACHED();
}

const char *
aead_algorithm_to_string(enum aead_algorithm algorithm)
{
    switch (algorithm) {
    case AEAD_AES128GCM:
        return "aes128gcm";
    case AEAD_AES256GCM:
        return "aes256gcm";
    }
    OVS_NOT_REACHED();
}

bool
aead_algorithm_from_string(const char *s, enum aead_algorithm *algorithm)
{
    for (enum aead_algorithm a = AEAD_AES128GCM; a <= AEAD_AES256GCM; a++) {
        if (!strcmp(s, aead_algorithm_to_string(a))) {
            *algorithm = a;
            return true;
        }
    }
    return false;
}

bool
aead_hkdf_sha256(const struct aead_hkdf *in, void *out, size_t out_len)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 6),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, CONST_CAST(void *,
                                in->ikm), in->ikm_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, CONST_CAST(void *,
                                in->salt), in->salt_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, CONST_CAST(void *,
                                in->info), in->info_len),
        OSSL_PARAM_END,
    };

    fetch();
    EVP_KDF_CTX *ctx = hkdf ? EVP_KDF_CTX_new(hkdf) : NULL;
    bool ok = ctx && EVP_KDF_derive(ctx, out, out_len, params) > 0;

    EVP_KDF_CTX_free(ctx);
    return ok;
}

bool
aead_derive(const struct aead_key *key, uint64_t session,
            struct secret *traffic)
{
    uint8_t salt[8];
    uint8_t info[INFO_LEN];
    uint8_t bytes[SECRET_MAX_LEN];
    size_t len = aead_key_len(key->algorithm);
    uint8_t *p = info;

    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = session >> (56 - 8 * i);
    }
    memcpy(p, INFO_PREFIX, INFO_PREFIX_LEN);
    p += INFO_PREFIX_LEN;
    *p++ = key->algorithm;
    for (int shift = 24; shift >= 0; shift -= 8) {
        *p++ = key->spi >> shift;
    }
    for (int shift = 16; shift >= 0; shift -= 8) {
        *p++ = key->vni >> shift;
    }

    const struct aead_hkdf hkdf_input = {
        .ikm = key->secret.material, .ikm_len = key->secret.len,
        .salt = salt, .salt_len = sizeof salt,
        .info = info, .info_len = sizeof info,
    };
    bool ok = (key->secret.len == len
               && aead_hkdf_sha256(&hkdf_input, bytes, len));

    secret_set(traffic, bytes, ok ? len : 0);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

struct aead *
aead_create(enum aead_algorithm algorithm, const struct secret *traffic,
            enum aead_direction direction)
{
    fetch();

    EVP_CIPHER *cipher = (algorithm == AEAD_AES128GCM
                          ? aes128gcm : aes256gcm);
    if (!cipher || traffic->len != aead_key_len(algorithm)) {
        return NULL;
    }

    struct aead *aead = xmalloc(sizeof *aead);
    aead->direction = direction;
    aead->ctx = EVP_CIPHER_CTX_new();
    if (!aead->ctx
        || EVP_CipherInit_ex2(aead->ctx, cipher, traffic->material, NULL,
                              direction == AEAD_SEAL, NULL) <= 0
        || EVP_CIPHER_CTX_get_iv_length(aead->ctx) != NONCE_LEN) {
        aead_destroy(aead);
        return NULL;
    }
    return aead;
}

struct aead *
aead_create_session(const struct aead_key *key, uint64_t session,
                    enum aead_direction direction)
{
    struct aead *aead = NULL;
    struct secret traffic;

    if (aead_derive(key, session, &traffic)) {
        aead = aead_create(key->algorithm, &traffic, direction);
    }
    secret_wipe(&traffic);
    return aead;
}

void
aead_destroy(struct aead *aead)
{
    if (aead) {
        /* Cleanses the key schedule. */
        EVP_CIPHER_CTX_free(aead->ctx);
        free(aead);
    }
}

/* Begins the datagram that the header at 'datagram' belongs to: nonce and
 * associated data. */
static bool
begin_datagram(struct aead *aead, const uint8_t *datagram, uint32_t receiver)
{
    uint8_t nonce[NONCE_LEN] = { 0 };
    uint8_t aad[WIRE_HEADER_LEN + RECEIVER_LEN];
    int aad_len = WIRE_HEADER_LEN;
    int n;

    memcpy(nonce + NONCE_ZEROS, datagram + WIRE_SEQUENCE_OFS,
           NONCE_LEN - NONCE_ZEROS);
    memcpy(aad, datagram, WIRE_HEADER_LEN);
    if (!(datagram[0] & WIRE_REPLICATED)) {
        aad[aad_len++] = receiver >> 24;
        aad[aad_len++] = receiver >> 16;
        aad[aad_len++] = receiver >> 8;
        aad[aad_len++] = receiver;
    }
    return (EVP_CipherInit_ex2(aead->ctx, NULL, NULL, nonce,
                               aead->direction == AEAD_SEAL, NULL) > 0
            && EVP_CipherUpdate(aead->ctx, NULL, &n, aad, aad_len) > 0);
}

bool
aead_seal(struct aead *aead, void *datagram, const void *frame, size_t n,
          uint32_t receiver)
{
    const struct iovec piece = { CONST_CAST(void *, frame), n };

    return aead_seal_iov(aead, datagram, &piece, 1, receiver);
}

bool
aead_seal_iov(struct aead *aead, void *datagram, const struct iovec *iov,
              size_t n_iov, uint32_t receiver)
{
    uint8_t *bytes = datagram;
    uint8_t *out = bytes + WIRE_HEADER_LEN;
    int n;

    ovs_assert(aead->direction == AEAD_SEAL);
    if (!begin_datagram(aead, bytes, receiver)) {
        return false;
    }
    for (size_t i = 0; i < n_iov; i++) {
        /* GCM is a stream mode: what goes in comes out, nothing is held. */
        if (iov[i].iov_len
            && EVP_EncryptUpdate(aead->ctx, out, &n, iov[i].iov_base,
                                 iov[i].iov_len) <= 0) {
            return false;
        }
        out += iov[i].iov_len;
    }
    return (EVP_EncryptFinal_ex(aead->ctx, out, &n) > 0
            && EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG,
                                   WIRE_TAG_LEN, out) > 0);
}

bool
aead_open(struct aead *aead, const void *datagram, size_t len, uint32_t self,
          void *frame)
{
    ovs_assert(aead->direction == AEAD_OPEN && len >= WIRE_SEAL_LEN);

    const uint8_t *bytes = datagram;
    size_t frame_len = len - WIRE_SEAL_LEN;
    uint8_t *out = frame;
    uint8_t tag[WIRE_TAG_LEN];
    int n;

    memcpy(tag, bytes + len - WIRE_TAG_LEN, WIRE_TAG_LEN);
    if (begin_datagram(aead, bytes, self)
        && (!frame_len
            || EVP_DecryptUpdate(aead->ctx, out, &n,
                                 bytes + WIRE_HEADER_LEN, frame_len) > 0)
        && EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG,
                               WIRE_TAG_LEN, tag) > 0
        && EVP_DecryptFinal_ex(aead->ctx, out + frame_len, &n) > 0) {
        return true;
    }
    memset(frame, 0, frame_len);
    return false;
}
