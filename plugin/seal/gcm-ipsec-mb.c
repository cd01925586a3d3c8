/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM with Intel's Multi-Buffer Crypto for IPsec Library. */

/* Short messages are what it is better at: it has one function that takes a
 * message from nonce to tag, where EVP has five calls.
 *
 * Only its header is needed to build.  The library is loaded when the process
 * first needs a cipher, so that programs run where it is not installed, and do
 * not load its megabytes where no cipher is used. */

#include <config.h>
#include "seal/gcm-provider.h"

#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<intel-ipsec-mb.h>)
#define HAVE_IPSEC_MB 1
#endif
#endif

#ifdef HAVE_IPSEC_MB

#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <string.h>
#include "util.h"

struct gcm_ipsec_mb {
    struct gcm up;
    bool is_256;

    /* Scheduled.  The library stores whole vectors there. */
    struct gcm_key_data key __attribute__((aligned(CACHE_LINE_SIZE)));
};

/* The library's functions for this processor. */
static IMB_MGR *mgr;

/* Fills in 'mgr' from the library behind 'handle'. */
static bool
load(void *handle)
{
    unsigned int (*get_version)(void);
    IMB_MGR *(*alloc)(uint64_t);
    void (*init_auto)(IMB_MGR *, IMB_ARCH *);
    IMB_ARCH arch = IMB_ARCH_NONE;

    *(void **) &get_version = dlsym(handle, "imb_get_version");
    *(void **) &alloc = dlsym(handle, "alloc_mb_mgr");
    *(void **) &init_auto = dlsym(handle, "init_mb_mgr_auto");
    /* The layout of IMB_MGR is that of the release we were built with. */
    if (!get_version || !alloc || !init_auto
        || get_version() >> 8 != IMB_VERSION_NUM >> 8) {
        return false;
    }
    mgr = alloc(0);
    if (!mgr) {
        return false;
    }
    init_auto(mgr, &arch);
    /* Below that it would be a table lookup, with its side channels. */
    return arch >= IMB_ARCH_SSE;
}

static bool
ipsec_mb_init(void)
{
    void *handle = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);

    return handle && load(handle);
}

static struct gcm_ipsec_mb *
ipsec_mb_cast(struct gcm *gcm)
{
    return CONTAINER_OF(gcm, struct gcm_ipsec_mb, up);
}

static struct gcm *
ipsec_mb_create(const void *key, size_t key_len,
                enum gcm_direction direction OVS_UNUSED)
{
    struct gcm_ipsec_mb *g = xmalloc_cacheline(sizeof *g);

    g->is_256 = key_len == 32;
    if (g->is_256) {
        IMB_AES256_GCM_PRE(mgr, key, &g->key);
    } else {
        IMB_AES128_GCM_PRE(mgr, key, &g->key);
    }
    return &g->up;
}

static void
ipsec_mb_destroy(struct gcm *gcm)
{
    struct gcm_ipsec_mb *g = ipsec_mb_cast(gcm);

    OPENSSL_cleanse(g, sizeof *g);
    free_cacheline(g);
}

/* Seals a message in more than one piece. */
static void
seal_pieces(struct gcm_ipsec_mb *g, const struct gcm_clear *clear,
            const struct iovec *iov, size_t n_iov, uint8_t *out)
{
    struct gcm_context_data ctx;

    if (g->is_256) {
        IMB_AES256_GCM_INIT(mgr, &g->key, &ctx, clear->nonce, clear->aad,
                            clear->aad_len);
    } else {
        IMB_AES128_GCM_INIT(mgr, &g->key, &ctx, clear->nonce, clear->aad,
                            clear->aad_len);
    }
    for (size_t i = 0; i < n_iov; i++) {
        if (g->is_256) {
            IMB_AES256_GCM_ENC_UPDATE(mgr, &g->key, &ctx, out,
                                      iov[i].iov_base, iov[i].iov_len);
        } else {
            IMB_AES128_GCM_ENC_UPDATE(mgr, &g->key, &ctx, out,
                                      iov[i].iov_base, iov[i].iov_len);
        }
        out += iov[i].iov_len;
    }
    if (g->is_256) {
        IMB_AES256_GCM_ENC_FINALIZE(mgr, &g->key, &ctx, out, GCM_TAG_LEN);
    } else {
        IMB_AES128_GCM_ENC_FINALIZE(mgr, &g->key, &ctx, out, GCM_TAG_LEN);
    }
    OPENSSL_cleanse(&ctx, sizeof ctx);
}

static bool
ipsec_mb_seal(struct gcm *gcm, const struct gcm_clear *clear,
              const struct iovec *iov, size_t n_iov, uint8_t *out)
{
    struct gcm_ipsec_mb *g = ipsec_mb_cast(gcm);
    struct gcm_context_data ctx;

    if (n_iov != 1) {
        seal_pieces(g, clear, iov, n_iov, out);
    } else if (g->is_256) {
        IMB_AES256_GCM_ENC(mgr, &g->key, &ctx, out, iov->iov_base,
                           iov->iov_len, clear->nonce, clear->aad,
                           clear->aad_len, out + iov->iov_len, GCM_TAG_LEN);
    } else {
        IMB_AES128_GCM_ENC(mgr, &g->key, &ctx, out, iov->iov_base,
                           iov->iov_len, clear->nonce, clear->aad,
                           clear->aad_len, out + iov->iov_len, GCM_TAG_LEN);
    }
    return true;
}

static bool
ipsec_mb_open(struct gcm *gcm, const struct gcm_clear *clear,
              const uint8_t *in, size_t n, uint8_t *out)
{
    struct gcm_ipsec_mb *g = ipsec_mb_cast(gcm);
    struct gcm_context_data ctx;
    uint8_t tag[GCM_TAG_LEN], computed[GCM_TAG_LEN];

    memcpy(tag, in + n, sizeof tag);
    if (g->is_256) {
        IMB_AES256_GCM_DEC(mgr, &g->key, &ctx, out, in, n, clear->nonce,
                           clear->aad, clear->aad_len, computed, GCM_TAG_LEN);
    } else {
        IMB_AES128_GCM_DEC(mgr, &g->key, &ctx, out, in, n, clear->nonce,
                           clear->aad, clear->aad_len, computed, GCM_TAG_LEN);
    }
    if (CRYPTO_memcmp(tag, computed, sizeof tag)) {
        memset(out, 0, n);
        return false;
    }
    return true;
}

#else /* Nothing to build it with. */

static bool
ipsec_mb_init(void)
{
    return false;
}

#define ipsec_mb_create NULL
#define ipsec_mb_destroy NULL
#define ipsec_mb_seal NULL
#define ipsec_mb_open NULL

#endif

const struct gcm_class gcm_ipsec_mb_class = {
    .name = "ipsec-mb",
    .init = ipsec_mb_init,
    .create = ipsec_mb_create,
    .destroy = ipsec_mb_destroy,
    .seal = ipsec_mb_seal,
    .open = ipsec_mb_open,
};
