/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening datagrams, and deriving the keys for it. */

#include <config.h>
#include "seal/aead.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>
#include "seal/gcm.h"
#include "seal/nonce-record.h"
#include "seal/wire.h"
#include "util.h"

enum {
    NONCE_ZEROS = GCM_NONCE_LEN - sizeof(uint64_t),     /* Then sequence. */
    RECEIVER_LEN = 4,
};

static const char INFO_PREFIX[] = "vsubnet-v0";
enum {
    INFO_PREFIX_LEN = sizeof INFO_PREFIX - 1,
    INFO_LEN = INFO_PREFIX_LEN + 1 + 4 + 3,   /* Algorithm, SPI, VNI. */
};

struct aead {
    struct gcm *gcm;
    struct nonce_record record;
};

/* Fetching takes the provider's locks, so it is done once; the result lives
 * as long as the process. */
static EVP_KDF *hkdf;

static void
fetch(void)
{
    hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch);

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
    if (traffic->len != aead_key_len(algorithm)) {
        return NULL;
    }

    struct gcm *gcm = gcm_create(traffic->material, traffic->len,
                                 direction == AEAD_SEAL
                                 ? GCM_SEAL : GCM_OPEN);
    if (!gcm) {
        return NULL;
    }

    struct aead *aead = xmalloc(sizeof *aead);
    aead->gcm = gcm;
    nonce_record_init(&aead->record, traffic);
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
        gcm_destroy(aead->gcm);
        free(aead);
    }
}

/* Nonce and associated data of one datagram. */
struct clear {
    struct gcm_clear gcm;
    uint8_t aad[WIRE_HEADER_LEN + RECEIVER_LEN];
};

static void
init_clear(struct clear *clear, const uint8_t *datagram, uint32_t receiver)
{
    size_t n = WIRE_HEADER_LEN;

    memset(clear->gcm.nonce, 0, NONCE_ZEROS);
    memcpy(clear->gcm.nonce + NONCE_ZEROS, datagram + WIRE_SEQUENCE_OFS,
           GCM_NONCE_LEN - NONCE_ZEROS);

    memcpy(clear->aad, datagram, WIRE_HEADER_LEN);
    if (!(datagram[0] & WIRE_REPLICATED)) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            clear->aad[n++] = receiver >> shift;
        }
    }
    clear->gcm.aad = clear->aad;
    clear->gcm.aad_len = n;
}

bool
aead_seal(struct aead *aead, void *datagram, const void *frame, size_t n,
          uint32_t receiver)
{
    const struct iovec piece = { CONST_CAST(void *, frame), n };

    return aead_seal_iov(aead, datagram, &piece, 1, receiver);
}

bool
aead_seal_iov(struct aead *aead, void *datagram_, const struct iovec *iov,
              size_t n_iov, uint32_t receiver)
{
    uint8_t *datagram = datagram_;
    struct clear clear;

    init_clear(&clear, datagram, receiver);
    nonce_record_use(&aead->record, clear.gcm.nonce);
    return gcm_seal(aead->gcm, &clear.gcm, iov, n_iov,
                    datagram + WIRE_HEADER_LEN);
}

bool
aead_open(struct aead *aead, const void *datagram_, size_t n, uint32_t self,
          void *frame)
{
    const uint8_t *datagram = datagram_;
    struct clear clear;

    ovs_assert(n >= WIRE_SEAL_LEN);
    init_clear(&clear, datagram, self);
    return gcm_open(aead->gcm, &clear.gcm, datagram + WIRE_HEADER_LEN,
                    n - WIRE_SEAL_LEN, frame);
}
