/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening datagrams, and deriving the keys for it. */

#ifndef SEAL_AEAD_H
#define SEAL_AEAD_H 1

/* Authenticated encryption
 * ========================
 *
 * Three levels of key (DESIGN.md, section 2.1):
 *
 *     sender key   of one node in one vSubnet, one epoch; named by an SPI
 *         |        (struct aead_key, comes from the keyring)
 *         |  HKDF-SHA256, salt = session
 *     traffic key  of one session (one run of one sequence counter)
 *         |
 *     struct aead  a cipher context that has the traffic key scheduled
 *
 * A 'struct aead' is made once for a session and then only its nonce changes,
 * because scheduling a key costs more than sealing a short frame.
 *
 * Both aead_seal() and aead_open() take the nonce and the associated data from
 * the serialized header at the start of the datagram itself: what is
 * authenticated can't differ from what is sent, and there is no nonce argument
 * to get wrong.  The associated data is the header and, unless the header says
 * "replicated", the receiving node's number.
 *
 * Sending:
 *
 *     wire_serialize(&header, datagram);
 *     aead_seal(aead, datagram, frame, frame_len, receiver);
 *     ...send WIRE_SEAL_LEN + frame_len bytes at 'datagram'...
 *
 * Receiving, after wire_validate():
 *
 *     if (!aead_open(aead, datagram, len, self, datagram + WIRE_HEADER_LEN)) {
 *         ...forged, corrupt or for another node...
 *     }
 *
 * The cipher itself is gcm.h's, so that it can be exchanged for another
 * library's and tested with published vectors.
 *
 * Thread safety: a 'struct aead' belongs to one thread at a time.  Everything
 * else may be called from any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "seal/secret.h"

/* The values go into the key derivation: never renumber. */
enum aead_algorithm {
    AEAD_AES128GCM = 1,
    AEAD_AES256GCM = 2,
};

/* Bytes in a sender key and in a traffic key of 'algorithm'. */
size_t aead_key_len(enum aead_algorithm);

/* "aes128gcm", "aes256gcm". */
const char *aead_algorithm_to_string(enum aead_algorithm);
bool aead_algorithm_from_string(const char *, enum aead_algorithm *);

/* A sender key with all that its derivations depend on. */
struct aead_key {
    uint32_t spi;
    uint32_t vni;
    enum aead_algorithm algorithm;
    struct secret secret;       /* aead_key_len(algorithm) bytes. */
};

/* HKDF-SHA256 (RFC 5869), extract and expand.  Returns false if the library
 * failed or 'out_len' is over 255 * 32. */
struct aead_hkdf {
    const void *ikm;            /* Input keying material. */
    size_t ikm_len;
    const void *salt;
    size_t salt_len;
    const void *info;
    size_t info_len;
};
bool aead_hkdf_sha256(const struct aead_hkdf *, void *out, size_t out_len);

/* Derives the traffic key of 'session' under 'key'.  On failure returns false
 * with '*traffic' empty.  The caller wipes '*traffic'. */
bool aead_derive(const struct aead_key *, uint64_t session,
                 struct secret *traffic);

/* Makes a context for sealing, or one for opening, with 'traffic' as its key,
 * whose length has to suit 'algorithm'.  Returns NULL on failure.  'traffic'
 * is not kept. */
struct aead;
enum aead_direction { AEAD_SEAL, AEAD_OPEN };
struct aead *aead_create(enum aead_algorithm, const struct secret *traffic,
                         enum aead_direction);

/* Derives the traffic key of 'session' and makes a context for it. */
struct aead *aead_create_session(const struct aead_key *, uint64_t session,
                                 enum aead_direction);

/* Wipes the scheduled key and frees the context.  NULL is fine. */
void aead_destroy(struct aead *);

/* Seals the 'n' bytes at 'frame' into 'datagram', which begins with a
 * serialized header and has room for WIRE_SEAL_LEN + 'n' bytes.  'frame' is
 * either 'datagram' + WIRE_HEADER_LEN (in place) or does not overlap with the
 * datagram.  'receiver' is the receiving node's number; it is not looked at if
 * the header says "replicated".
 *
 * Returns false if the library failed; what is in 'datagram' after the header
 * must not be sent then.
 *
 * The caller never seals twice with the same header sequence: session.h hands
 * the sequences out. */
bool aead_seal(struct aead *, void *datagram, const void *frame, size_t n,
               uint32_t receiver);

/* The same for a frame in pieces, such as rewritten headers and a slice of a
 * large TCP segment.  No piece overlaps with the datagram. */
bool aead_seal_iov(struct aead *, void *datagram, const struct iovec *,
                   size_t n_iov, uint32_t receiver);

/* Opens the datagram of 'n' bytes (n >= WIRE_SEAL_LEN) and writes the frame of
 * n - WIRE_SEAL_LEN bytes to 'frame': 'datagram' + WIRE_HEADER_LEN (in place)
 * or a buffer that does not overlap with it.  'self' is this node's number.
 *
 * Returns true if the datagram is authentic.  Otherwise what is at 'frame' has
 * been overwritten with zeros, so that nothing unauthenticated can be used. */
bool aead_open(struct aead *, const void *datagram, size_t n, uint32_t self,
               void *frame);

#endif /* seal/aead.h */
