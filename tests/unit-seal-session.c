/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/seal: sessions, on both sides. */

#include <config.h>
#include "unit-seal.h"

#include <pthread.h>
#include <string.h>
#include "command-line.h"
#include "seal/session-state.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "util.h"

/* Transmit side. */

/* A random source that counts, and that can run dry. */
struct counter {
    uint32_t next;
    bool dry;
};

static bool
count_up(void *buf, size_t n, void *counter_)
{
    struct counter *counter = counter_;

    CHECK(n == sizeof counter->next);
    memcpy(buf, &counter->next, n);
    counter->next++;
    return !counter->dry;
}

/* What becomes of one transmit context, step by step. */
static const struct {
    long long int wall_s;
    long long int mono_ms;
    uint64_t reserve;
    uint32_t seconds;           /* Of the session expected. */
    uint64_t sequence;          /* The first one expected. */
} draw_steps[] = {
    /* The first one draws, the others count. */
    { 1000, 0, 1, 1000, 0 },
    { 1000, 0, 1, 1000, 1 },
    { 1001, 1000, 10, 1000, 2 },
    { 1001, 1000, 1, 1000, 12 },

    /* After an hour, not before. */
    { 4599, HOUR_MS - 1, 1, 1000, 13 },
    { 4600, HOUR_MS, 1, 4600, 0 },

    /* The clock goes back: time goes on by one. */
    { 100, HOUR_MS + 1, 1, 4601, 0 },
    { 100, HOUR_MS + 2, 1, 4601, 1 },

    /* The clock jumps ahead. */
    { 8000, HOUR_MS + 3, 1, 8000, 0 },
    { 8010, HOUR_MS + 3, 1, 8000, 1 },
    { 8011, HOUR_MS + 3, 1, 8011, 0 },

    /* The monotonic clock alone jumps, as after a suspend. */
    { 8011, HOUR_MS + 10003, 1, 8011, 1 },
    { 8011, HOUR_MS + 10004, 1, 8012, 0 },

    /* After 2^32 datagrams. */
    { 8011, HOUR_MS + 10004, SESSION_MAX_PACKETS - 2, 8012, 1 },
    { 8011, HOUR_MS + 10004, 1, 8012, SESSION_MAX_PACKETS - 1 },
    { 8011, HOUR_MS + 10004, 1, 8013, 0 },

    /* A run is never split over two sessions. */
    { 8011, HOUR_MS + 10004, SESSION_MAX_PACKETS - 2, 8013, 1 },
    { 8011, HOUR_MS + 10004, 2, 8014, 0 },
    { 8011, HOUR_MS + 10004, SESSION_MAX_PACKETS, 8015, 0 },
};

void
test_draw(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct aead_key key = make_key(AEAD_AES128GCM, SPI, VNI);
    struct counter counter = { .next = 0 };
    struct session_sender *sender = session_sender_create(&key, count_up,
                                                          &counter);
    struct session_tx *tx = session_tx_create(sender);
    uint32_t previous = 0;
    uint32_t drawn = 0;

    for (size_t i = 0; i < ARRAY_SIZE(draw_steps); i++) {
        const struct session_time now = {
            draw_steps[i].wall_s, draw_steps[i].mono_ms
        };
        struct wire_header header = { WIRE_OAM, true, 0, 0, 0, 0 };

        CHECK(session_tx_reserve(tx, &now, draw_steps[i].reserve, &header),
              "step %"PRIuSIZE, i);
        CHECK(session_seconds(header.session) == draw_steps[i].seconds
              && header.sequence == draw_steps[i].sequence,
              "step %"PRIuSIZE": session %"PRIx64" sequence %"PRIu64,
              i, header.session, header.sequence);
        CHECK(header.type == WIRE_OAM && header.replicated
              && header.spi == SPI && header.vni == VNI);

        /* The random half is the source's, drawn once a session. */
        drawn += session_seconds(header.session) != previous;
        previous = session_seconds(header.session);
        CHECK((uint32_t) header.session == drawn - 1, "step %"PRIuSIZE, i);
        CHECK(counter.next == drawn, "step %"PRIuSIZE, i);
        CHECK(session_sender_last(sender) == previous);
    }
    session_sender_unref(sender);
    CHECK(session_sender_key(session_tx_sender(tx))->spi == SPI);
    session_tx_destroy(tx);
}

void
test_draw_exhausted(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct aead_key key = make_key(AEAD_AES256GCM, SPI, VNI);
    struct counter counter = { .dry = true };
    struct session_sender *sender = session_sender_create(&key, count_up,
                                                          &counter);
    struct session_tx *tx = session_tx_create(sender);
    struct session_time now = { 1000, 0 };
    struct wire_header header = { .type = WIRE_FRAME };
    struct session_state *state = session_state_create();

    /* No randomness, no session; and none of the time is used up. */
    CHECK(!session_tx_next(tx, &now, &header));
    CHECK(session_sender_last(sender) == 0);
    counter.dry = false;
    CHECK(session_tx_next(tx, &now, &header));

    /* A redraw that fails does not fall back on the old session. */
    counter.dry = true;
    now.mono_ms = HOUR_MS;
    CHECK(!session_tx_next(tx, &now, &header));
    CHECK(!session_tx_next(tx, &now, &header));
    counter.dry = false;

    /* Told to, it draws one more, which is younger. */
    CHECK(session_tx_next(tx, &now, &header));
    uint32_t before = session_seconds(header.session);
    session_tx_renew(tx);
    CHECK(session_tx_next(tx, &now, &header) && header.sequence == 0);
    CHECK(session_seconds(header.session) == before + 1);

    /* The last second of 32 bits can be used, and nothing after. */
    session_state_set_tx(state, SPI, UINT32_MAX - 1);
    session_sender_import(sender, state);
    session_tx_renew(tx);
    CHECK(session_tx_next(tx, &now, &header));
    CHECK(session_seconds(header.session) == UINT32_MAX);
    now.mono_ms += HOUR_MS;
    CHECK(!session_tx_next(tx, &now, &header));

    /* Import never goes back. */
    session_state_set_tx(state, SPI, 5);
    session_sender_import(sender, state);
    CHECK(session_sender_last(sender) == UINT32_MAX);

    session_state_destroy(state);
    session_tx_destroy(tx);
    session_sender_unref(sender);
}

static int
compare_u64(const void *a_, const void *b_)
{
    const uint64_t *a = a_;
    const uint64_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* One key, many lives: restarts with and without the state file, a clock that
 * goes back, forth and stands still.  No session comes twice. */
void
test_nonces_unique(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N_LIVES = 60, N_DRAWS = 40 };
    static const int clock_moves[] = { 1, 0, -3600, 7200, -86400, 0, 15 };
    struct aead_key key = make_key(AEAD_AES128GCM, SPI, VNI);
    struct session_state *state = session_state_create();
    uint64_t *sessions = xcalloc(N_LIVES * N_DRAWS, sizeof *sessions);
    struct session_time now = { 1893456000, 0 };
    size_t n = 0;

    for (int life = 0; life < N_LIVES; life++) {
        struct session_sender *sender = session_sender_create(
            &key, session_random_default, NULL);
        struct session_tx *tx = session_tx_create(sender);
        uint32_t last = 0;
        bool kept = life % 3;

        if (kept) {
            session_sender_import(sender, state);
            last = session_sender_last(sender);
        }
        for (int draw = 0; draw < N_DRAWS; draw++) {
            struct wire_header header;

            now.mono_ms += HOUR_MS;
            now.wall_s += clock_moves[(life + draw)
                                      % ARRAY_SIZE(clock_moves)];
            CHECK(session_tx_next(tx, &now, &header));
            CHECK(header.sequence == 0);
            CHECK(session_seconds(header.session) > last);
            last = session_seconds(header.session);
            sessions[n++] = header.session;
        }
        session_sender_export(sender, state);
        session_tx_destroy(tx);
        session_sender_unref(sender);
    }

    qsort(sessions, n, sizeof *sessions, compare_u64);
    for (size_t i = 1; i < n; i++) {
        CHECK(sessions[i - 1] != sessions[i]);
    }
    free(sessions);
    session_state_destroy(state);
}

enum { N_THREADS = 4, N_THREAD_DRAWS = 2000 };

struct drawing_thread {
    pthread_t thread;
    struct session_sender *sender;
    uint64_t seconds[N_THREAD_DRAWS];
};

static void *
draw_many(void *thread_)
{
    struct drawing_thread *thread = thread_;
    struct session_tx *tx = session_tx_create(thread->sender);
    struct session_time now = { 1000, 0 };

    for (int i = 0; i < N_THREAD_DRAWS; i++) {
        struct wire_header header;

        now.mono_ms += HOUR_MS;
        CHECK(session_tx_next(tx, &now, &header));
        thread->seconds[i] = session_seconds(header.session);
    }
    session_tx_destroy(tx);
    return NULL;
}

/* Threads that draw at the same moment get different times, with no gap: no
 * random half is needed to keep them apart. */
void
test_draw_threads(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct aead_key key = make_key(AEAD_AES128GCM, SPI, VNI);
    struct session_sender *sender = session_sender_create(
        &key, session_random_default, NULL);
    struct drawing_thread *threads = xcalloc(N_THREADS, sizeof *threads);
    uint64_t *all = xcalloc(N_THREADS * N_THREAD_DRAWS, sizeof *all);

    for (int i = 0; i < N_THREADS; i++) {
        threads[i].sender = sender;
        CHECK(!pthread_create(&threads[i].thread, NULL, draw_many,
                              &threads[i]));
    }
    for (int i = 0; i < N_THREADS; i++) {
        CHECK(!pthread_join(threads[i].thread, NULL));
        memcpy(&all[i * N_THREAD_DRAWS], threads[i].seconds,
               sizeof threads[i].seconds);
    }
    qsort(all, N_THREADS * N_THREAD_DRAWS, sizeof *all, compare_u64);
    for (size_t i = 0; i < N_THREADS * N_THREAD_DRAWS; i++) {
        CHECK(all[i] == 1000 + i, "draw %"PRIuSIZE, i);
    }
    free(all);
    free(threads);
    session_sender_unref(sender);
}

/* Receive side. */

static const uint8_t frame[] = "a frame of an Ethernet, more or less";

enum session_verdict
receive(struct session_rx *rx, const struct datagram *d)
{
    const struct aead_key *key = session_rx_key(rx);
    uint8_t datagram[WIRE_SEAL_LEN + sizeof frame];
    uint8_t opened[sizeof frame] = { 0 };
    struct session_arrival arrival = {
        .header = { WIRE_FRAME, false, d->vni ? d->vni : VNI,
                    d->spi ? d->spi : SPI, d->session, d->sequence },
        .datagram = datagram,
        .len = sizeof datagram,
        .self = SELF,
        .from_endpoint = !d->elsewhere,
        .mono_ms = d->mono_ms,
    };
    struct aead *aead = aead_create_session(key, d->session, AEAD_SEAL);

    wire_serialize(&arrival.header, datagram);
    CHECK(aead_seal(aead, datagram, frame, sizeof frame,
                    d->receiver ? d->receiver : SELF));
    aead_destroy(aead);
    datagram[WIRE_HEADER_LEN] ^= d->forged;

    enum session_verdict verdict = session_rx_open(rx, &arrival, opened);
    CHECK((verdict == SESSION_OK) <= !memcmp(opened, frame, sizeof frame));
    return verdict;
}

enum session_verdict
receive_simple(struct session_rx *rx, uint64_t session, uint64_t sequence)
{
    const struct datagram d = { .session = session, .sequence = sequence };

    return receive(rx, &d);
}

struct session_rx *
make_rx(void)
{
    struct aead_key key = make_key(AEAD_AES128GCM, SPI, VNI);

    return session_rx_create(&key);
}

char *
state_of(const struct session_rx *rx)
{
    struct session_state *state = session_state_create();
    char *text;
    size_t n;

    session_rx_export(rx, state);
    text = session_state_format(state, &n);
    session_state_destroy(state);
    return text;
}

static const struct {
    struct datagram datagram;
    enum session_verdict verdict;
} receive_steps[] = {
    { { .session = SESSION(100, 1), .sequence = 0 }, SESSION_OK },
    { { .session = SESSION(100, 1), .sequence = 0 }, SESSION_REPLAYED },
    { { .session = SESSION(100, 1), .sequence = 9000 }, SESSION_OK },
    { { .session = SESSION(100, 1), .sequence = 8999 }, SESSION_OK },
    { { .session = SESSION(100, 1), .sequence = 8999 }, SESSION_REPLAYED },
    { { .session = SESSION(100, 1), .sequence = 1 }, SESSION_TOO_OLD },
    { { .session = SESSION(100, 1), .sequence = 9001, .forged = true },
      SESSION_FORGED },
    { { .session = SESSION(100, 1), .sequence = 9001, .receiver = 8 },
      SESSION_FORGED },
    { { .session = SESSION(100, 1), .sequence = 9001, .vni = VNI + 1 },
      SESSION_WRONG_VNI },
    { { .session = SESSION(100, 1), .sequence = 9001, .spi = SPI + 1 },
      SESSION_WRONG_VNI },
    { { .session = SESSION(100, 1), .sequence = 9001 }, SESSION_OK },

    /* Sessions don't touch each other, older and younger ones alike. */
    { { .session = SESSION(100, 2), .sequence = 0 }, SESSION_OK },
    { { .session = SESSION(99, 7), .sequence = 0 }, SESSION_OK },
    { { .session = SESSION(101, 0), .sequence = 5 }, SESSION_OK },
    { { .session = SESSION(101, 0), .sequence = 4 }, SESSION_OK },
    { { .session = SESSION(100, 1), .sequence = 9001 }, SESSION_REPLAYED },

    /* No sender draws time 0, and none gets to the last sequence. */
    { { .session = SESSION(0, 5), .sequence = 0 }, SESSION_BELOW_FLOOR },
    { { .session = SESSION(102, 0), .sequence = UINT64_MAX },
      SESSION_TOO_OLD },
    { { .session = SESSION(101, 0), .sequence = UINT64_MAX },
      SESSION_TOO_OLD },
    { { .session = SESSION(101, 0), .sequence = UINT64_MAX - 1 },
      SESSION_OK },
};

void
test_receive(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct session_rx *rx = make_rx();

    for (size_t i = 0; i < ARRAY_SIZE(receive_steps); i++) {
        enum session_verdict got = receive(rx, &receive_steps[i].datagram);

        CHECK(got == receive_steps[i].verdict, "step %"PRIuSIZE": %s",
              i, session_verdict_to_string(got));
    }
    CHECK(session_rx_count(rx) == 4);
    CHECK(session_rx_floor(rx) == 0);
    session_rx_destroy(rx);
}

/* Whatever is refused leaves the table as it was. */
void
test_unauthenticated(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct datagram refused[] = {
        { .session = SESSION(100, 1), .sequence = 7, .forged = true },
        { .session = SESSION(100, 1), .sequence = UINT64_MAX - 1,
          .forged = true },
        { .session = SESSION(100, 1), .sequence = 5 },
        { .session = SESSION(100, 1), .sequence = 6, .receiver = SELF + 1 },
        { .session = SESSION(100, 1), .sequence = 6, .vni = VNI + 1 },
        { .session = SESSION(UINT32_MAX, 0), .sequence = 0, .forged = true },
        { .session = SESSION(UINT32_MAX, 1), .sequence = 1,
          .receiver = SELF + 1 },
        { .session = SESSION(UINT32_MAX, 2), .sequence = 1, .elsewhere = true,
          .forged = true },
        { .session = SESSION(50, 0), .sequence = 0, .forged = true },
    };
    struct session_rx *rx = make_rx();

    /* Two kinds of table: with one session, and full. */
    for (int full = 0; full < 2; full++) {
        for (uint32_t s = 1; full && s < SESSION_MAX_PER_SPI; s++) {
            const struct datagram d = {
                .session = SESSION(100 + s, 0), .mono_ms = s * 1000,
            };
            CHECK(receive(rx, &d) == SESSION_OK);
        }
        receive_simple(rx, SESSION(100, 1), 5);

        char *before = state_of(rx);
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
            enum session_verdict verdict = receive(rx, &refused[i]);
            char *after = state_of(rx);

            CHECK(verdict != SESSION_OK, "row %"PRIuSIZE, i);
            CHECK(!strcmp(before, after), "row %"PRIuSIZE"\n%s", i, after);
            free(after);
        }
        free(before);

        /* What was forged can still arrive. */
        CHECK(receive_simple(rx, SESSION(100, 1), 7 + full) == SESSION_OK);
    }
    session_rx_destroy(rx);
}

/* On a full table, whose oldest session is 101 and youngest 164. */
static const struct {
    struct datagram datagram;
    enum session_verdict verdict;
    uint32_t floor;
} evict_steps[] = {
    /* Full: nothing that is not younger than the oldest gets in. */
    { { .session = SESSION(100, 0) }, SESSION_BELOW_FLOOR, 0 },
    { { .session = SESSION(101, 0) }, SESSION_BELOW_FLOOR, 0 },
    { { .session = SESSION(102, 0), .forged = true }, SESSION_FORGED, 0 },

    /* A young one takes the place of 101, which is the floor then. */
    { { .session = SESSION(165, 0) }, SESSION_OK, 101 },
    { { .session = SESSION(101, 101), .sequence = 4 },
      SESSION_BELOW_FLOOR, 101 },
    { { .session = SESSION(101, 101), .sequence = 3 },
      SESSION_BELOW_FLOOR, 101 },
    { { .session = SESSION(102, 102), .sequence = 4 }, SESSION_OK, 101 },
    { { .session = SESSION(102, 102), .sequence = 4 }, SESSION_REPLAYED,
      101 },

    /* One in the middle gets in too: 102 goes. */
    { { .session = SESSION(103, 0) }, SESSION_OK, 102 },
    { { .session = SESSION(102, 102), .sequence = 5 },
      SESSION_BELOW_FLOOR, 102 },

    /* Two of 103 are there; one goes, the other one stays usable. */
    { { .session = SESSION(166, 0) }, SESSION_OK, 103 },
    { { .session = SESSION(103, 5) }, SESSION_BELOW_FLOOR, 103 },
    { { .session = SESSION(165, 0), .sequence = 0 }, SESSION_REPLAYED,
      103 },
    { { .session = SESSION(165, 0), .sequence = 1 }, SESSION_OK, 103 },
};

void
test_evict(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct session_rx *rx = make_rx();
    long long int ms = 0;

    /* Fill the table, oldest last. */
    for (uint32_t s = 164; s > 100; s--) {
        const struct datagram d = {
            .session = SESSION(s, s), .sequence = 3, .mono_ms = ms += 100
        };
        CHECK(receive(rx, &d) == SESSION_OK, "%"PRIu32, s);
    }
    CHECK(session_rx_count(rx) == SESSION_MAX_PER_SPI);
    CHECK(session_rx_floor(rx) == 0);

    for (size_t i = 0; i < ARRAY_SIZE(evict_steps); i++) {
        struct datagram d = evict_steps[i].datagram;

        d.mono_ms = ms += 100;
        enum session_verdict got = receive(rx, &d);
        CHECK(got == evict_steps[i].verdict, "step %"PRIuSIZE": %s",
              i, session_verdict_to_string(got));
        CHECK(session_rx_floor(rx) == evict_steps[i].floor,
              "step %"PRIuSIZE, i);
        CHECK(session_rx_count(rx) == SESSION_MAX_PER_SPI);
    }

    /* Exactly one of the two of 103 is left. */
    bool first = receive_simple(rx, SESSION(103, 103), 9) == SESSION_OK;
    bool second = receive_simple(rx, SESSION(103, 0), 9) == SESSION_OK;
    CHECK(first != second);
    session_rx_destroy(rx);
}

void
test_budget(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* 'n' unknown, forged sessions: so many of them are looked into. */
    static const struct {
        long long int mono_ms;
        bool elsewhere;
        int n;
        int n_derived;
    } steps[] = {
        { 0, true, 100, SESSION_OTHERS_BURST },
        { 0, true, 1, 0 },

        /* Strangers have not used up the peer's own. */
        { 0, false, 200, SESSION_ENDPOINT_BURST },
        { 0, false, 1, 0 },

        /* Refilled by the rate, not before. */
        { 1000 / SESSION_OTHERS_RATE - 1, true, 1, 0 },
        { 1000 / SESSION_OTHERS_RATE, true, 2, 1 },
        { 1000, false, 100, SESSION_ENDPOINT_RATE },

        /* Not refilled over the brim, nor by a clock that goes back. */
        { 1000000, true, 100, SESSION_OTHERS_BURST },
        { 1000000, false, 200, SESSION_ENDPOINT_BURST },
        { 0, false, 1, 0 },
        { 1000000, false, 1, 0 },
        { 1001000, false, 100, SESSION_ENDPOINT_RATE },
    };
    struct session_rx *rx = make_rx();
    uint32_t random = 0;

    CHECK(receive_simple(rx, SESSION(100, 1), 0) == SESSION_OK);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        int n_derived = i == 2;  /* The one of SESSION(100, 1). */

        for (int j = 0; j < steps[i].n; j++) {
            const struct datagram d = {
                .session = SESSION(500, random++), .forged = true,
                .mono_ms = steps[i].mono_ms, .elsewhere = steps[i].elsewhere,
            };
            enum session_verdict verdict = receive(rx, &d);

            CHECK(verdict == SESSION_FORGED
                  || verdict == SESSION_OVER_BUDGET);
            n_derived += verdict == SESSION_FORGED;
        }
        CHECK(n_derived == steps[i].n_derived, "step %"PRIuSIZE": %d",
              i, n_derived);

        /* Known sessions need no budget, wherever they come from. */
        const struct datagram known = {
            .session = SESSION(100, 1), .sequence = i + 1,
            .elsewhere = i % 2, .mono_ms = steps[i].mono_ms,
        };
        CHECK(receive(rx, &known) == SESSION_OK, "step %"PRIuSIZE, i);
    }
    session_rx_destroy(rx);
}

void
test_dormant(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        struct datagram datagram;
        enum session_verdict verdict;
    } steps[] = {
        { { .session = SESSION(100, 1), .sequence = 50 }, SESSION_OK },
        { { .session = SESSION(100, 2), .sequence = 60 }, SESSION_OK },
        { { .session = SESSION(100, 2), .sequence = 61,
            .mono_ms = HOUR_MS }, SESSION_OK },

        /* The first one falls asleep when another begins: what was missing
         * counts as seen then, what comes after does not. */
        { { .session = SESSION(200, 1), .mono_ms = 2 * HOUR_MS },
          SESSION_OK },
        { { .session = SESSION(100, 1), .sequence = 49,
            .mono_ms = 2 * HOUR_MS }, SESSION_REPLAYED },
        { { .session = SESSION(100, 2), .sequence = 59,
            .mono_ms = 2 * HOUR_MS }, SESSION_OK },

        /* A forged datagram does not wake it up. */
        { { .session = SESSION(100, 1), .sequence = 51, .forged = true,
            .mono_ms = 2 * HOUR_MS }, SESSION_FORGED },
        { { .session = SESSION(100, 1), .sequence = 52,
            .mono_ms = 2 * HOUR_MS }, SESSION_OK },
        { { .session = SESSION(100, 1), .sequence = 51,
            .mono_ms = 2 * HOUR_MS }, SESSION_OK },
        { { .session = SESSION(100, 1), .sequence = 51,
            .mono_ms = 2 * HOUR_MS }, SESSION_REPLAYED },
        { { .session = SESSION(100, 1), .sequence = 50,
            .mono_ms = 2 * HOUR_MS }, SESSION_REPLAYED },
    };
    struct session_rx *rx = make_rx();

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        enum session_verdict got = receive(rx, &steps[i].datagram);

        CHECK(got == steps[i].verdict, "step %"PRIuSIZE": %s",
              i, session_verdict_to_string(got));
    }
    CHECK(session_rx_count(rx) == 3);
    session_rx_destroy(rx);
}

/* Who was last heard where: only the newest datagram of the youngest session
 * tells. */
void
test_newest(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        struct datagram datagram;
        bool newest;
    } steps[] = {
        { { .session = SESSION(100, 1), .sequence = 0 }, true },
        { { .session = SESSION(100, 1), .sequence = 10 }, true },
        { { .session = SESSION(100, 1), .sequence = 9 }, false },
        { { .session = SESSION(101, 1), .sequence = 3 }, true },
        { { .session = SESSION(101, 1), .sequence = 2 }, false },
        { { .session = SESSION(100, 1), .sequence = 11 }, false },
        { { .session = SESSION(101, 1), .sequence = 4 }, true },
    };
    struct session_rx *rx = make_rx();

    CHECK(!session_rx_is_newest(rx, SESSION(100, 1), 0));
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        const struct datagram *d = &steps[i].datagram;

        CHECK(receive(rx, d) == SESSION_OK, "step %"PRIuSIZE, i);
        CHECK(session_rx_is_newest(rx, d->session, d->sequence)
              == steps[i].newest, "step %"PRIuSIZE, i);
    }
    session_rx_destroy(rx);
}
