/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: who may use which sequence under which traffic key. */

#ifndef SEAL_SESSION_H
#define SEAL_SESSION_H 1

/* Sessions
 * ========
 *
 * A session is one run of one sequence counter under one sender key.  It has
 * a 64-bit name, carried in each datagram, and the traffic key is derived from
 * it.  That gives the invariant everything rests on: no nonce is used twice
 * under one traffic key, whatever restarts, is restored or is cloned
 * (DESIGN.md, section 2.2).
 *
 *     session = seconds (32 bits, strictly increasing per key) || random (32)
 *
 * The transmit side
 * -----------------
 *
 *     struct session_sender   one per (port, sender key), shared by threads:
 *         |                   the key and the last time used
 *         +-- struct session_tx   one per thread: counter and cipher context
 *
 * A session_tx draws a session at its first datagram, each hour, after 2^32
 * datagrams, when it is told to, and when the wall clock has jumped against the monotonic one (a
 * resumed virtual machine).  The last time used is advanced by compare and
 * swap, so two threads never draw the same time.
 *
 *     struct wire_header header = { .type = WIRE_FRAME };
 *     struct aead *aead = session_tx_next(tx, &now, &header);
 *     if (aead) {
 *         wire_serialize(&header, datagram);
 *         aead_seal(aead, datagram, frame, n, receiver);
 *     }
 *
 * The receive side
 * ----------------
 *
 * A session_rx is the table of the sessions of one SPI.  An unknown session
 * costs a key derivation before anyone knows whether the datagram is
 * authentic, so derivations have two budgets: one for datagrams that come from
 * the peer's current endpoint, one for all others.
 *
 *               begin()                aead_open()
 *     datagram ---------> candidate ---+--> authentic: commit()
 *                  |                   |
 *                  | refused           +--> forged: abort()
 *                  v
 *           counted, dropped
 *
 * begin() and abort() change nothing but the budgets.  commit() adds the
 * session to the table, evicting the one with the smallest time if the table
 * is full, and marks the sequence as seen.  The evicted time becomes an
 * inclusive floor: a session with this time or a smaller one that is not in
 * the table is refused, because nobody remembers what it has sent.  A full
 * table refuses a new session that is not younger than its oldest.
 *
 * session_rx_open() does begin, open and commit in one go.
 *
 * A session that was silent for hours, or comes from the state file, is kept
 * without cipher context and bitmap ("dormant"): everything up to its highest
 * sequence counts as seen, and it derives its key again at need.
 *
 * State file
 * ----------
 *
 * What has to survive a restart is in 'struct session_state'; session-state.h
 * has it and its text form.
 *
 * Time and randomness are arguments.
 *
 * Thread safety: a session_sender may be used by any thread.  A session_tx
 * belongs to one thread, a session_rx to one thread at a time (export counts
 * as use: whoever saves a table that another thread receives on has to lock it
 * out). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "seal/aead.h"
#include "seal/wire.h"

struct session_state;

/* A moment, on two clocks. */
struct session_time {
    long long int wall_s;       /* Seconds since the epoch. */
    long long int mono_ms;      /* Milliseconds of a clock that never jumps. */
};

enum {
    SESSION_LIFE_MS = 3600 * 1000,      /* A sender draws again after this. */
    SESSION_CLOCK_JUMP_MS = 10 * 1000,  /* ...or if clocks diverge by this. */
    SESSION_MAX_PER_SPI = 64,
    SESSION_DORMANT_MS = 2 * SESSION_LIFE_MS,

    /* Derivations of unknown sessions per SPI: how many at once, and how many
     * per second.  A peer has at most 32 transmitting threads, which all may
     * begin at the same moment. */
    SESSION_ENDPOINT_BURST = 64,
    SESSION_ENDPOINT_RATE = 32,
    SESSION_OTHERS_BURST = 16,
    SESSION_OTHERS_RATE = 4,
};

#define SESSION_MAX_PACKETS (UINT64_C(1) << 32)

/* The time half of a session's name. */
static inline uint32_t
session_seconds(uint64_t session)
{
    return session >> 32;
}

/* Fills 'n' bytes at 'buf' with unpredictable bytes and returns true, or
 * returns false if there are none to be had. */
typedef bool session_random_func(void *buf, size_t n, void *aux);

/* A session_random_func over the crypto library's generator. */
bool session_random_default(void *buf, size_t n, void *aux);

/* Transmit side. */

/* Makes a sender for a copy of 'key', with one reference, which the caller
 * owns.  Time begins after session_sender_import(), if that is called. */
struct session_sender *session_sender_create(const struct aead_key *key,
                                             session_random_func *, void *aux);
struct session_sender *session_sender_ref(struct session_sender *);
void session_sender_unref(struct session_sender *);
const struct aead_key *session_sender_key(const struct session_sender *);

/* The last time drawn, 0 if none. */
uint32_t session_sender_last(const struct session_sender *);

/* Export writes the sender's last time to 'state'; import advances it to the
 * one in 'state', never back. */
void session_sender_export(const struct session_sender *,
                           struct session_state *);
void session_sender_import(struct session_sender *,
                           const struct session_state *);

/* Makes a thread's transmit context, which holds a reference to 'sender'. */
struct session_tx *session_tx_create(struct session_sender *);
void session_tx_destroy(struct session_tx *);
struct session_sender *session_tx_sender(const struct session_tx *);

/* Hands out the next sequence: fills in the header's vni, spi, session and
 * sequence (type and replicated are the caller's) and returns the context to
 * seal with, which is valid until the next call with 'tx'.  A sequence handed
 * out is used up, whatever the caller does with it.
 *
 * Returns NULL if no session could be drawn (no randomness, the crypto library
 * failed, or no time is left before 2106): drop and count. */
struct aead *session_tx_next(struct session_tx *,
                             const struct session_time *,
                             struct wire_header *);

/* The same for 'n' consecutive sequences of one session, for segments that are
 * sent together: the header gets the first.  'n' is at most
 * SESSION_MAX_PACKETS. */
struct aead *session_tx_reserve(struct session_tx *,
                                const struct session_time *, uint64_t n,
                                struct wire_header *);

/* Makes the next sequence be one of a new session, which is then the sender's
 * youngest. */
void session_tx_renew(struct session_tx *);

/* Receive side. */

enum session_verdict {
    SESSION_OK = 0,
    SESSION_REPLAYED,           /* Sequence was seen. */
    SESSION_TOO_OLD,            /* Sequence is behind the window. */
    SESSION_WRONG_VNI,          /* Header's VNI or SPI is not the key's. */
    SESSION_BELOW_FLOOR,        /* Unknown session, not above the floor. */
    SESSION_OVER_BUDGET,        /* Unknown session, no derivation left. */
    SESSION_FORGED,             /* Tag does not verify. */
    SESSION_FAILED,             /* The crypto library failed. */
};
const char *session_verdict_to_string(enum session_verdict);

struct session_rx *session_rx_create(const struct aead_key *key);
void session_rx_destroy(struct session_rx *);
const struct aead_key *session_rx_key(const struct session_rx *);
size_t session_rx_count(const struct session_rx *);

/* The floor: 0 if there is none. */
uint32_t session_rx_floor(const struct session_rx *);

/* Whether 'sequence' is the highest that the youngest of all sessions has got,
 * and 'session' is that one.  An authentic datagram of which this is true right
 * after it was opened is newer than any other that has come. */
bool session_rx_is_newest(const struct session_rx *, uint64_t session,
                          uint64_t sequence);

/* A datagram that came in: its validated and parsed header, and where it
 * arrived. */
struct session_arrival {
    struct wire_header header;
    const void *datagram;
    size_t len;                 /* Of the datagram, header and tag included. */
    uint32_t self;              /* This node's number. */
    bool from_endpoint;         /* Outer source is the peer's endpoint. */
    long long int mono_ms;      /* Now. */
};

/* Opens 'arrival' with the sessions of 'rx'.  The header has to name the SPI
 * and the VNI of its key: the VNI is authenticated, but by a key that every
 * member of this key's vSubnet holds, so that without this check a member of
 * one vSubnet could speak in another.  On SESSION_OK the frame of len - WIRE_SEAL_LEN bytes is at
 * 'frame', which may be the datagram's own payload (see aead_open()), and the
 * sequence counts as seen.  On any other verdict nothing has changed but the
 * budgets; on SESSION_FORGED 'frame' is overwritten with zeros. */
enum session_verdict session_rx_open(struct session_rx *,
                                     const struct session_arrival *,
                                     void *frame);

/* The steps of session_rx_open().  Only one candidate of one table may be
 * pending at a time; it ends with commit or abort. */
struct session_candidate {
    struct session_rx *rx;
    uint64_t session;
    uint64_t sequence;
    long long int mono_ms;
    struct session_entry *entry;    /* NULL if the session is unknown. */
    struct aead *aead;              /* To open with. */
    bool derived;                   /* 'aead' is the candidate's own. */
};
enum session_verdict session_rx_begin(struct session_rx *,
                                      const struct session_arrival *,
                                      struct session_candidate *);
void session_rx_commit(struct session_candidate *);
void session_rx_abort(struct session_candidate *);

/* Export adds the floor and the sessions to 'state', in place of what it says
 * about this SPI.  Import takes sessions that the table does not have, as
 * dormant, and raises the floor. */
void session_rx_export(const struct session_rx *, struct session_state *);
void session_rx_import(struct session_rx *, const struct session_state *);

#endif /* seal/session.h */
