/* SPDX-License-Identifier: Apache-2.0 */
/* Receive side of sessions: the table of one SPI. */

#include <config.h>
#include "seal/session.h"

#include <string.h>
#include "seal/replay.h"
#include "seal/session-state.h"
#include "util.h"

/* What a session needs while datagrams of it arrive. */
struct session_active {
    struct aead *aead;
    struct replay replay;
    long long int used_ms;      /* When the last authentic one came. */
};

struct session_entry {
    uint64_t session;
    uint64_t highest;           /* If dormant: all up to this is seen. */
    struct session_active *active;  /* NULL: dormant. */
};

/* Tokens are counted in thousandths, so that a rate per second is a rate of
 * thousandths per millisecond. */
struct budget {
    long long int tokens;
    long long int filled_ms;
};

struct session_rx {
    struct aead_key key;
    struct session_entry *entries;
    size_t n;
    size_t allocated;
    size_t hint;                /* Index of the session used last. */
    uint32_t floor;             /* Inclusive. */
    struct budget endpoint;
    struct budget others;
};

const char *
session_verdict_to_string(enum session_verdict verdict)
{
    switch (verdict) {
    case SESSION_OK:
        return "ok";
    case SESSION_REPLAYED:
        return "replayed";
    case SESSION_TOO_OLD:
        return "too-old";
    case SESSION_WRONG_VNI:
        return "wrong-vni";
    case SESSION_BELOW_FLOOR:
        return "below-floor";
    case SESSION_OVER_BUDGET:
        return "over-budget";
    case SESSION_FORGED:
        return "forged";
    case SESSION_FAILED:
        return "crypto-failed";
    }
    OVS_NOT_REACHED();
}

static bool
budget_withdraw(struct budget *budget, int rate, int burst,
                long long int now_ms)
{
    long long int full = burst * 1000LL;
    long long int elapsed = now_ms - budget->filled_ms;

    if (elapsed > 0) {
        budget->tokens = MIN(full, budget->tokens + elapsed * rate);
        budget->filled_ms = now_ms;
    }
    if (budget->tokens < 1000) {
        return false;
    }
    budget->tokens -= 1000;
    return true;
}

struct session_rx *
session_rx_create(const struct aead_key *key)
{
    struct session_rx *rx = xzalloc(sizeof *rx);

    rx->key = *key;
    rx->endpoint.tokens = SESSION_ENDPOINT_BURST * 1000LL;
    rx->others.tokens = SESSION_OTHERS_BURST * 1000LL;
    return rx;
}

static void
active_destroy(struct session_active *active)
{
    if (active) {
        aead_destroy(active->aead);
        free(active);
    }
}

void
session_rx_destroy(struct session_rx *rx)
{
    if (rx) {
        for (size_t i = 0; i < rx->n; i++) {
            active_destroy(rx->entries[i].active);
        }
        free(rx->entries);
        secret_wipe(&rx->key.secret);
        free(rx);
    }
}

const struct aead_key *
session_rx_key(const struct session_rx *rx)
{
    return &rx->key;
}

size_t
session_rx_count(const struct session_rx *rx)
{
    return rx->n;
}

uint32_t
session_rx_floor(const struct session_rx *rx)
{
    return rx->floor;
}

static struct session_entry *
find(const struct session_rx *rx, uint64_t session)
{
    if (rx->hint < rx->n && rx->entries[rx->hint].session == session) {
        return &rx->entries[rx->hint];
    }
    for (size_t i = 0; i < rx->n; i++) {
        if (rx->entries[i].session == session) {
            return &rx->entries[i];
        }
    }
    return NULL;
}

static struct session_entry *
find_oldest(const struct session_rx *rx)
{
    struct session_entry *oldest = NULL;

    for (size_t i = 0; i < rx->n; i++) {
        if (!oldest || (session_seconds(rx->entries[i].session)
                        < session_seconds(oldest->session))) {
            oldest = &rx->entries[i];
        }
    }
    return oldest;
}

bool
session_rx_is_newest(const struct session_rx *rx, uint64_t session,
                     uint64_t sequence)
{
    const struct session_entry *entry = find(rx, session);
    uint64_t highest;

    if (!entry || !entry->active
        || !replay_highest(&entry->active->replay, &highest)
        || sequence != highest) {
        return false;
    }
    for (size_t i = 0; i < rx->n; i++) {
        if (session_seconds(rx->entries[i].session)
            > session_seconds(session)) {
            return false;
        }
    }
    return true;
}

/* Whether the table would have to refuse an unknown session of this time.  In
 * a full table a session that is not younger than the oldest would be the
 * next one evicted, so it does not get in. */
static bool
is_below_floor(const struct session_rx *rx, uint64_t session)
{
    uint32_t seconds = session_seconds(session);

    return (seconds <= rx->floor
            || (rx->n >= SESSION_MAX_PER_SPI
                && seconds <= session_seconds(find_oldest(rx)->session)));
}

static enum session_verdict
from_replay(enum replay_verdict verdict)
{
    return (verdict == REPLAY_NEW ? SESSION_OK
            : verdict == REPLAY_SEEN ? SESSION_REPLAYED
            : SESSION_TOO_OLD);
}

/* Derives a context of the candidate's own, within the budget. */
static enum session_verdict
derive_candidate(struct session_rx *rx, bool from_endpoint,
                 struct session_candidate *candidate)
{
    long long int now = candidate->mono_ms;

    if (from_endpoint
        ? !budget_withdraw(&rx->endpoint, SESSION_ENDPOINT_RATE,
                           SESSION_ENDPOINT_BURST, now)
        : !budget_withdraw(&rx->others, SESSION_OTHERS_RATE,
                           SESSION_OTHERS_BURST, now)) {
        return SESSION_OVER_BUDGET;
    }
    candidate->aead = aead_create_session(&rx->key, candidate->session,
                                          AEAD_OPEN);
    candidate->derived = candidate->aead != NULL;
    return candidate->aead ? SESSION_OK : SESSION_FAILED;
}

enum session_verdict
session_rx_begin(struct session_rx *rx, const struct session_arrival *arrival,
                 struct session_candidate *candidate)
{
    const struct wire_header *header = &arrival->header;
    struct session_entry *entry = find(rx, header->session);

    *candidate = (struct session_candidate) {
        .rx = rx,
        .session = header->session,
        .sequence = header->sequence,
        .mono_ms = arrival->mono_ms,
        .entry = entry,
    };

    if (header->vni != rx->key.vni || header->spi != rx->key.spi) {
        return SESSION_WRONG_VNI;
    }
    if (entry && entry->active) {
        candidate->aead = entry->active->aead;
        return from_replay(replay_check(&entry->active->replay,
                                        header->sequence));
    }
    if (entry && header->sequence <= entry->highest) {
        return SESSION_REPLAYED;
    }
    if (header->sequence == UINT64_MAX) {
        /* No window can mark this one as seen. */
        return SESSION_TOO_OLD;
    }
    if (!entry && is_below_floor(rx, header->session)) {
        return SESSION_BELOW_FLOOR;
    }
    return derive_candidate(rx, arrival->from_endpoint, candidate);
}

/* Drops the cipher contexts and bitmaps of sessions that have long been
 * silent. */
static void
put_to_sleep(struct session_rx *rx, long long int now_ms)
{
    for (size_t i = 0; i < rx->n; i++) {
        struct session_entry *entry = &rx->entries[i];

        if (entry->active
            && now_ms - entry->active->used_ms >= SESSION_DORMANT_MS) {
            replay_highest(&entry->active->replay, &entry->highest);
            active_destroy(entry->active);
            entry->active = NULL;
        }
    }
}

/* Returns a new entry, for which the caller fills in everything. */
static struct session_entry *
add_entry(struct session_rx *rx)
{
    if (rx->n >= SESSION_MAX_PER_SPI) {
        struct session_entry *oldest = find_oldest(rx);

        rx->floor = MAX(rx->floor, session_seconds(oldest->session));
        active_destroy(oldest->active);
        return oldest;
    }
    if (rx->n >= rx->allocated) {
        rx->entries = x2nrealloc(rx->entries, &rx->allocated,
                                 sizeof *rx->entries);
    }
    return &rx->entries[rx->n++];
}

void
session_rx_commit(struct session_candidate *candidate)
{
    struct session_rx *rx = candidate->rx;
    struct session_entry *entry = candidate->entry;
    bool known = entry != NULL;

    if (!known) {
        put_to_sleep(rx, candidate->mono_ms);
        entry = add_entry(rx);
        entry->session = candidate->session;
        entry->highest = 0;
        entry->active = NULL;
    }
    if (!entry->active) {
        ovs_assert(candidate->derived);
        entry->active = xmalloc(sizeof *entry->active);
        entry->active->aead = candidate->aead;
        candidate->derived = false;
        replay_init(&entry->active->replay);
        if (known) {
            replay_set_floor(&entry->active->replay, entry->highest);
        }
    }
    replay_commit(&entry->active->replay, candidate->sequence);
    entry->active->used_ms = candidate->mono_ms;
    rx->hint = entry - rx->entries;
}

void
session_rx_abort(struct session_candidate *candidate)
{
    if (candidate->derived) {
        aead_destroy(candidate->aead);
        candidate->derived = false;
    }
    candidate->aead = NULL;
}

enum session_verdict
session_rx_open(struct session_rx *rx, const struct session_arrival *arrival,
                void *frame)
{
    struct session_candidate candidate;
    enum session_verdict verdict = session_rx_begin(rx, arrival, &candidate);

    if (verdict != SESSION_OK) {
        return verdict;
    }
    if (!aead_open(candidate.aead, arrival->datagram, arrival->len,
                   arrival->self, frame)) {
        session_rx_abort(&candidate);
        return SESSION_FORGED;
    }
    session_rx_commit(&candidate);
    return SESSION_OK;
}

void
session_rx_export(const struct session_rx *rx, struct session_state *state)
{
    struct session_mark marks[SESSION_MAX_PER_SPI];

    for (size_t i = 0; i < rx->n; i++) {
        const struct session_entry *entry = &rx->entries[i];

        marks[i].session = entry->session;
        marks[i].highest = entry->highest;
        if (entry->active) {
            replay_highest(&entry->active->replay, &marks[i].highest);
        }
    }
    session_state_set_rx(state, rx->key.spi, rx->floor, marks, rx->n);
}

void
session_rx_import(struct session_rx *rx, const struct session_state *state)
{
    const struct session_mark *marks;
    uint32_t floor;
    size_t n = session_state_get_rx(state, rx->key.spi, &floor, &marks);

    for (size_t i = 0; i < n; i++) {
        if (!find(rx, marks[i].session)
            && !is_below_floor(rx, marks[i].session)) {
            *add_entry(rx) = (struct session_entry) {
                .session = marks[i].session,
                .highest = marks[i].highest,
            };
        }
    }
    rx->floor = MAX(rx->floor, floor);
}
