/* SPDX-License-Identifier: Apache-2.0 */
/* A record of each nonce under its key, in builds with sanitizers only. */

#ifndef SEAL_NONCE_RECORD_H
#define SEAL_NONCE_RECORD_H 1

/* Record of nonces
 * ================
 *
 * That no nonce is used twice under one traffic key is what all of AES-GCM
 * rests on.  session.h makes it so; this says whether it was so: what each
 * aead_seal() was given is appended, as 16 bytes, to the file that environment
 * variable VSUBNET_NONCE_FILE names.  Equal key and nonce make equal records,
 * and others differ, so a test has any number of processes write to one file,
 * kills them, sets them back, and then looks for a record that is there twice.
 *
 * A record is the beginning of SHA-256(SHA-256(traffic key) || nonce).  The
 * key is in neither the file nor in 'struct nonce_record'.
 *
 * Only a build with VSUBNET_RECORD_NONCES defined, which configure
 * --enable-sanitizers does, has any of this.
 *
 * Thread safety: one write() in O_APPEND mode a record, so threads and
 * processes may share a file. */

#include <stdint.h>
#include "seal/gcm.h"
#include "seal/secret.h"

#ifdef VSUBNET_RECORD_NONCES

struct nonce_record {
    uint8_t key_hash[32];
};

/* Takes note of 'traffic' in '*record'. */
void nonce_record_init(struct nonce_record *record,
                       const struct secret *traffic);

/* Records that 'nonce' is used now.  The program ends if it can't be: a test
 * would take what is missing for what never happened. */
void nonce_record_use(const struct nonce_record *,
                      const uint8_t nonce[GCM_NONCE_LEN]);

#else  /* !VSUBNET_RECORD_NONCES */

struct nonce_record { };

static inline void
nonce_record_init(struct nonce_record *record, const struct secret *traffic)
{
    (void) record;
    (void) traffic;
}

static inline void
nonce_record_use(const struct nonce_record *record,
                 const uint8_t nonce[GCM_NONCE_LEN])
{
    (void) record;
    (void) nonce;
}

#endif /* !VSUBNET_RECORD_NONCES */

#endif /* seal/nonce-record.h */
