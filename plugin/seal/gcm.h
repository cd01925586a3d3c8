/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM: the seam between the tunnel and a crypto library. */

#ifndef SEAL_GCM_H
#define SEAL_GCM_H 1

/* AES-GCM
 * =======
 *
 * The primitive (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag, and
 * nothing that is ours: what goes into nonce and associated data is aead.h's.
 *
 * Two libraries can do it: OpenSSL's EVP always, Intel's Multi-Buffer Crypto
 * for IPsec where its header was there at build, and it is installed.  The
 * faster one on this processor is found out at first use, by a trial of well
 * under a millisecond; VSUBNET_AEAD=openssl or =ipsec-mb in the environment
 * decides otherwise.  gcm-provider.h is what a library has to give.
 *
 * A context has its key scheduled once and is then used for any number of
 * messages, because scheduling costs more than a short message does.
 *
 * Thread safety: a context belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { GCM_NONCE_LEN = 12, GCM_TAG_LEN = 16 };

enum gcm_direction { GCM_SEAL, GCM_OPEN };

enum gcm_library { GCM_OPENSSL, GCM_IPSEC_MB, GCM_N_LIBRARIES };
const char *gcm_library_name(enum gcm_library);
enum gcm_library gcm_library_in_use(void);

/* Makes contexts that are created from now on be of this library.  Returns
 * false if it is not to be had. */
bool gcm_use_library(enum gcm_library);

/* What is not encrypted of a message. */
struct gcm_clear {
    uint8_t nonce[GCM_NONCE_LEN];
    const void *aad;            /* Associated data. */
    size_t aad_len;
};

/* Makes a context with a key of 16 or 32 bytes, which is not kept.  Returns
 * NULL if the length is another one or the library failed. */
struct gcm *gcm_create(const void *key, size_t key_len, enum gcm_direction);

/* Wipes the scheduled key.  NULL is fine. */
void gcm_destroy(struct gcm *);

/* Encrypts the 'n_iov' pieces one after the other to 'out' and puts the tag
 * behind.  A single piece may be 'out' itself; nothing else overlaps.  Returns
 * false if the library failed. */
bool gcm_seal(struct gcm *, const struct gcm_clear *, const struct iovec *,
              size_t n_iov, uint8_t *out);

/* Decrypts 'n' bytes from 'in' to 'out', which may be the same, and verifies
 * the tag that is behind them, in[n].  Returns false, with 'n' zeros at 'out',
 * if it does not verify. */
bool gcm_open(struct gcm *, const struct gcm_clear *, const uint8_t *in,
              size_t n, uint8_t *out);

#endif /* seal/gcm.h */
