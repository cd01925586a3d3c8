/* SPDX-License-Identifier: Apache-2.0 */
/* Transmit side of sessions: drawing them, and handing sequences out. */

#include <config.h>
#include "seal/session.h"

#include <openssl/rand.h>
#include "ovs-atomic.h"
#include "seal/session-state.h"
#include "util.h"

struct session_sender {
    struct ovs_refcount ref_cnt;
    struct aead_key key;
    session_random_func *random;
    void *random_aux;
    ATOMIC(uint32_t) last;      /* Last time drawn, by any thread. */
};

struct session_tx {
    struct session_sender *sender;
    struct aead *aead;          /* NULL: no session drawn. */
    uint64_t session;
    uint64_t next;              /* Sequence to hand out next. */
    struct session_time drawn;
};

bool
session_random_default(void *buf, size_t n, void *aux OVS_UNUSED)
{
    return RAND_bytes(buf, n) == 1;
}

struct session_sender *
session_sender_create(const struct aead_key *key, session_random_func *random,
                      void *aux)
{
    struct session_sender *sender = xzalloc(sizeof *sender);

    ovs_refcount_init(&sender->ref_cnt);
    sender->key = *key;
    sender->random = random;
    sender->random_aux = aux;
    atomic_init(&sender->last, 0);
    return sender;
}

struct session_sender *
session_sender_ref(struct session_sender *sender)
{
    ovs_refcount_ref(&sender->ref_cnt);
    return sender;
}

void
session_sender_unref(struct session_sender *sender)
{
    if (sender && ovs_refcount_unref(&sender->ref_cnt) == 1) {
        secret_wipe(&sender->key.secret);
        free(sender);
    }
}

const struct aead_key *
session_sender_key(const struct session_sender *sender)
{
    return &sender->key;
}

uint32_t
session_sender_last(const struct session_sender *sender_)
{
    struct session_sender *sender = CONST_CAST(struct session_sender *,
                                               sender_);
    uint32_t last;

    atomic_read_relaxed(&sender->last, &last);
    return last;
}

void
session_sender_export(const struct session_sender *sender,
                      struct session_state *state)
{
    uint32_t last = session_sender_last(sender);

    if (last) {
        session_state_set_tx(state, sender->key.spi, last);
    }
}

void
session_sender_import(struct session_sender *sender,
                      const struct session_state *state)
{
    uint32_t saved;

    if (session_state_get_tx(state, sender->key.spi, &saved)) {
        uint32_t last = session_sender_last(sender);

        while (last < saved
               && !atomic_compare_exchange_weak(&sender->last, &last, saved)) {
            /* 'last' is now what another thread has made of it. */
        }
    }
}

/* Takes a time that no other draw under this key gets: max(now, last + 1).
 * Returns false if there is none left in 32 bits. */
static bool
draw_seconds(struct session_sender *sender, long long int wall_s,
             uint32_t *seconds)
{
    uint32_t last = session_sender_last(sender);

    do {
        if (last == UINT32_MAX || wall_s > UINT32_MAX) {
            return false;
        }
        *seconds = MAX(wall_s, (long long int) last + 1);
    } while (!atomic_compare_exchange_weak(&sender->last, &last, *seconds));
    return true;
}

static bool
draw_session(struct session_tx *tx, const struct session_time *now)
{
    struct session_sender *sender = tx->sender;
    uint32_t random;
    uint32_t seconds;

    aead_destroy(tx->aead);
    tx->aead = NULL;

    if (!sender->random(&random, sizeof random, sender->random_aux)
        || !draw_seconds(sender, now->wall_s, &seconds)) {
        return false;
    }
    tx->session = (uint64_t) seconds << 32 | random;
    tx->next = 0;
    tx->drawn = *now;
    tx->aead = aead_create_session(&sender->key, tx->session, AEAD_SEAL);
    return tx->aead != NULL;
}

/* True if the two clocks have moved apart since the session was drawn: the
 * machine may have been resumed from a snapshot, in which case somebody else
 * may already have sent with this session's next sequences. */
static bool
clock_jumped(const struct session_tx *tx, const struct session_time *now)
{
    long long int wall_ms = (now->wall_s - tx->drawn.wall_s) * 1000;
    long long int mono_ms = now->mono_ms - tx->drawn.mono_ms;

    return llabs(wall_ms - mono_ms) > SESSION_CLOCK_JUMP_MS;
}

struct session_tx *
session_tx_create(struct session_sender *sender)
{
    struct session_tx *tx = xzalloc(sizeof *tx);

    tx->sender = session_sender_ref(sender);
    return tx;
}

void
session_tx_destroy(struct session_tx *tx)
{
    if (tx) {
        aead_destroy(tx->aead);
        session_sender_unref(tx->sender);
        free(tx);
    }
}

struct session_sender *
session_tx_sender(const struct session_tx *tx)
{
    return tx->sender;
}

void
session_tx_renew(struct session_tx *tx)
{
    aead_destroy(tx->aead);
    tx->aead = NULL;
}

struct aead *
session_tx_next(struct session_tx *tx, const struct session_time *now,
                struct wire_header *header)
{
    return session_tx_reserve(tx, now, 1, header);
}

struct aead *
session_tx_reserve(struct session_tx *tx, const struct session_time *now,
                   uint64_t n, struct wire_header *header)
{
    ovs_assert(n <= SESSION_MAX_PACKETS);
    if ((!tx->aead
         || tx->next > SESSION_MAX_PACKETS - n
         || now->mono_ms - tx->drawn.mono_ms >= SESSION_LIFE_MS
         || clock_jumped(tx, now))
        && !draw_session(tx, now)) {
        return NULL;
    }

    header->vni = tx->sender->key.vni;
    header->spi = tx->sender->key.spi;
    header->session = tx->session;
    header->sequence = tx->next;
    tx->next += n;
    return tx->aead;
}
