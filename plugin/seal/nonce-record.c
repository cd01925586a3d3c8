/* SPDX-License-Identifier: Apache-2.0 */
/* A record of each nonce under its key, in builds with sanitizers only. */

#include <config.h>
#include "seal/nonce-record.h"

#ifdef VSUBNET_RECORD_NONCES

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_nonce_record);

enum { HASH_LEN = 32, RECORD_LEN = 16 };
BUILD_ASSERT_DECL(sizeof ((struct nonce_record *) NULL)->key_hash == HASH_LEN);

/* The file, for as long as the process lives; -1: none is wanted. */
static int fd = -1;

static void
open_file(void)
{
    const char *name = getenv("VSUBNET_NONCE_FILE");

    if (name && *name) {
        fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            VLOG_FATAL("%s: cannot record nonces (%s)", name,
                       ovs_strerror(errno));
        }
    }
}

static void
sha256(const void *data, size_t n, uint8_t hash[HASH_LEN])
{
    ovs_assert(EVP_Digest(data, n, hash, NULL, EVP_sha256(), NULL) == 1);
}

void
nonce_record_init(struct nonce_record *record, const struct secret *traffic)
{
    sha256(traffic->material, traffic->len, record->key_hash);
}

void
nonce_record_use(const struct nonce_record *record,
                 const uint8_t nonce[GCM_NONCE_LEN])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint8_t input[HASH_LEN + GCM_NONCE_LEN];
    uint8_t hash[HASH_LEN];

    pthread_once(&once, open_file);
    if (fd < 0) {
        return;
    }
    memcpy(input, record->key_hash, HASH_LEN);
    memcpy(input + HASH_LEN, nonce, GCM_NONCE_LEN);
    sha256(input, sizeof input, hash);

    /* An ordinary file takes so few bytes in whole or not at all. */
    ssize_t n = write(fd, hash, RECORD_LEN);
    if (n != RECORD_LEN) {
        VLOG_FATAL("cannot record nonces (%s)",
                   n < 0 ? ovs_strerror(errno) : "disk full");
    }
}

#endif /* VSUBNET_RECORD_NONCES */
