/* SPDX-License-Identifier: Apache-2.0 */
/* What a crypto library has to give for AES-GCM. */

#ifndef SEAL_GCM_PROVIDER_H
#define SEAL_GCM_PROVIDER_H 1

#include "seal/gcm.h"

/* The functions do what those of the same name in gcm.h say.  'struct gcm' is
 * the first member of the library's own struct. */
struct gcm_class {
    const char *name;

    /* Whether the library is there and runs on this processor.  Called once,
     * before all others. */
    bool (*init)(void);

    /* 'key_len' is 16 or 32. */
    struct gcm *(*create)(const void *key, size_t key_len,
                          enum gcm_direction);
    void (*destroy)(struct gcm *);
    bool (*seal)(struct gcm *, const struct gcm_clear *,
                 const struct iovec *, size_t n_iov, uint8_t *out);
    bool (*open)(struct gcm *, const struct gcm_clear *, const uint8_t *in,
                 size_t n, uint8_t *out);
};

struct gcm {
    const struct gcm_class *class;
    enum gcm_direction direction;
};

extern const struct gcm_class gcm_openssl_class;
extern const struct gcm_class gcm_ipsec_mb_class;

#endif /* seal/gcm-provider.h */
