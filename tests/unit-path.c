/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of datapath/path-search.h, datapath/path-move.h and datapath/oam.h. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "command-line.h"
#include "datapath/oam.h"
#include "datapath/path-move.h"
#include "datapath/path-ping.h"
#include "datapath/path-search.h"
#include "packets.h"
#include "tcp-frame.h"
#include "util.h"

enum { FLOOR = 1212, FULL = 1432, RTT_MS = 20 };

/* A path: frames up to 'carries' bytes are answered after 'rtt_ms', one in
 * 'lose' is lost. */
struct path {
    int carries;
    int rtt_ms;
    int lose;                   /* 0: none. */
    int n_sent;
    int n_bytes;
    uint64_t nonce;             /* Of the length that is being tried. */
};

/* A request under way. */
struct flight {
    int size;
    uint64_t nonce;
    long long int back_at;
};

static void
launch(struct path *path, int size, long long int now, struct flight *flights,
       size_t *n)
{
    path->n_sent++;
    path->n_bytes += size;
    if (size <= path->carries
        && !(path->lose && path->n_sent % path->lose == 0)) {
        assert(*n < 64);
        flights[(*n)++] = (struct flight) { size, path->nonce,
                                            now + path->rtt_ms };
    }
}

/* Runs the search for 'ms' milliseconds from '*now' on. */
static void
run_search(struct path_search *s, struct path *path, long long int *now,
           int ms)
{
    struct flight flights[64];
    size_t n = 0;

    for (long long int end = *now + ms; *now < end; (*now)++) {
        struct path_search_request request;

        for (size_t i = 0; i < n;) {
            if (flights[i].back_at <= *now) {
                if (flights[i].nonce == path->nonce) {
                    path_search_answered(s, flights[i].size, *now);
                }
                flights[i] = flights[--n];
            } else {
                i++;
            }
        }
        if (path_search_run(s, *now, &request)) {
            path->nonce += s->tries == 1;
            launch(path, request.size, *now, flights, &n);
            if (request.with_short) {
                launch(path, s->floor, *now, flights, &n);
            }
        }
        assert(s->in_force >= s->floor);
    }
}

static struct path_search
begin(int ceiling, long long int now)
{
    struct path_search s;

    path_search_begin(&s, FLOOR, ceiling, now);
    assert(s.in_force == ceiling && !s.verified);
    return s;
}

void
test_path_search(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* What the kernel believes, what the path carries, and what comes out. */
    static const struct {
        int ceiling, carries, rtt_ms, lose, seconds, least;
    } t[] = {
        { 1432, 1432, 20, 0, 1, 1432 },         /* As believed: one request. */
        { 1432, 1400, 20, 0, 20, 1400 },        /* A black hole. */
        { 1432, FLOOR, 20, 0, 20, FLOOR },
        { FLOOR, FLOOR, 20, 0, 1, FLOOR },
        { 8932, 8932, 20, 0, 1, 8932 },         /* Jumbo frames... */
        { 8932, 1432, 20, 0, 40, 1432 },        /* ...on one side only. */
        { 1432, 1400, 20, 5, 30, 1400 },        /* Losses. */
        { 1432, 1400, 250, 0, 40, 1400 },       /* Far away. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct path path = { t[i].carries, t[i].rtt_ms, t[i].lose, 0, 0, 0 };
        long long int now = 1000;
        struct path_search s = begin(t[i].ceiling, now);

        run_search(&s, &path, &now, t[i].seconds * 1000);
        assert(s.state == PATH_SETTLED && s.verified);
        assert(s.in_force >= t[i].least && s.in_force <= t[i].carries);
        if (t[i].ceiling == t[i].carries) {
            assert(path.n_sent == 1);
        }
    }
}

void
test_path_search_changes(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct path path = { FULL, RTT_MS, 0, 0, 0, 0 };
    long long int now = 1000;
    struct path_search s = begin(FULL, now);

    run_search(&s, &path, &now, 1000);
    assert(s.state == PATH_SETTLED && s.in_force == FULL);

    /* A black hole appears: within a minute and a few seconds only what passes
     * is in force, without a longer one in between. */
    path.carries = 1300;
    now = s.next_ms;
    run_search(&s, &path, &now, 5000);
    assert(s.in_force <= 1300);
    run_search(&s, &path, &now, 15000);
    assert(s.state == PATH_SETTLED);
    assert(s.in_force == 1300);

    /* It goes: that is found out, too, by itself... */
    path.carries = FULL;
    run_search(&s, &path, &now,
               PATH_SEARCH_RAISE_MS + PATH_SEARCH_CONFIRM_MS);
    assert(s.in_force == FULL);

    /* A lie about the path ("too big") makes it look, no more. */
    path.n_sent = 0;
    path_search_believe(&s, FLOOR, now);
    assert(s.in_force == FULL);
    run_search(&s, &path, &now, 1000);
    assert(s.in_force == FULL && path.n_sent == 1);

    /* The same lie again does not even do that. */
    path_search_believe(&s, FLOOR, now);
    run_search(&s, &path, &now, 1000);
    assert(path.n_sent == 1);

    /* The truth about it, not right after that, is found out at once, and
     * exactly. */
    run_search(&s, &path, &now, PATH_SEARCH_HEED_MS);
    path.carries = 1251;
    path_search_believe(&s, 1251, now);
    run_search(&s, &path, &now, 2000);
    assert(s.in_force == 1251);
    run_search(&s, &path, &now, 15000);
    assert(s.state == PATH_SETTLED && s.in_force == 1251);

    /* Right after it, it takes a little longer. */
    path.carries = 1240;
    path_search_believe(&s, 1240, now);
    run_search(&s, &path, &now, 5000);
    assert(s.in_force == 1240);

    /* A better path is found out at once, too. */
    path.carries = 8932;
    path_search_believe(&s, 8932, now);
    run_search(&s, &path, &now, 1000);
    assert(s.in_force == 8932);
}

/* Loss. */

/* True once in 100 / 'percent' times, by a generator that always begins
 * alike. */
static bool
by_chance(uint32_t *seed, int percent)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % 100 < percent;
}

/* Sends what is due, of which 'percent' is lost each way, and takes the
 * answers.  Returns how many milliseconds that took. */
static int
exchange(struct path_search *s, long long int now, int percent,
         uint32_t *seed)
{
    struct path_search_request request;

    if (!path_search_run(s, now, &request)) {
        return 0;
    }
    for (int i = 0; i <= request.with_short; i++) {
        if (!by_chance(seed, percent) && !by_chance(seed, percent)) {
            path_search_answered(s, i ? s->floor : request.size,
                                 now + RTT_MS);
        }
    }
    return RTT_MS;
}

/* Counts how often a frame that passes counts as too long, in 'n' months in
 * which 'percent' of all messages of each direction are lost. */
static int
count_false_verdicts(int percent, int n)
{
    long long int now = 1000;
    struct path_search s = begin(FULL, now);
    uint32_t seed = 1;
    int verdicts = 0;

    for (long long int end = now + n * 30LL * 86400 * 1000; now < end;) {
        int before = s.in_force;

        now = MAX(now, s.next_ms);
        now += exchange(&s, now, percent, &seed);
        verdicts += s.verified && s.in_force < before;
    }
    return verdicts;
}

void
test_path_search_loss(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        int percent, months, most;
    } t[] = {
        { 0, 1, 0 },
        { 1, 12, 0 },
        { 5, 120, 0 },
        { 20, 12, 60 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        int n = count_false_verdicts(t[i].percent, t[i].months);

        printf("%d %% lost each way: %d false verdicts in %d months\n",
               t[i].percent, n, t[i].months);
        if (n > t[i].most) {
            ovs_fatal(0, "those are too many");
        }
    }
}

void
test_path_search_slow(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* Answers that come after all tries are still answers. */
    for (int rtt_ms = 10; rtt_ms <= 2500; rtt_ms += 90) {
        struct path path = { 1400, rtt_ms, 0, 0, 0, 0 };
        long long int now = 1000;
        struct path_search s = begin(FULL, now);

        run_search(&s, &path, &now, 120 * 1000);
        if (s.state != PATH_SETTLED || s.in_force != 1400) {
            ovs_fatal(0, "%d ms: %d", rtt_ms, s.in_force);
        }

        /* ...also of a check, which changes nothing. */
        for (int i = 0; i < 300; i++) {
            run_search(&s, &path, &now, 1000);
            assert(s.in_force == 1400);
        }
    }
}

void
test_path_search_lies(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct path_search_request request;
    long long int now = 1000;
    struct path_search s = begin(FULL, now);

    /* A peer that says of each length one after the other that it came, though
     * nobody has sent it, changes nothing by that. */
    while (s.in_force == FULL) {
        now++;
        path_search_answered(&s, FLOOR, now);
        path_search_run(&s, now, &request);
    }
    for (int size = FLOOR + 1; size < FULL; size++) {
        if (size != s.size) {
            path_search_answered(&s, size, now);
            assert(s.in_force == FLOOR);
        }
    }
}

/* A stranger who forges ICMP makes the kernel believe something else each
 * second. */
void
test_path_search_forger(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct path path = { FULL, RTT_MS, 0, 0, 0, 0 };
    long long int now = 1000;
    struct path_search s = begin(FULL, now);
    uint32_t seed = 1;

    run_search(&s, &path, &now, 1000);
    assert(s.state == PATH_SETTLED);
    for (int i = 0; i < 600; i++) {
        seed = seed * 1664525 + 1013904223;
        path_search_believe(&s, FLOOR + (seed >> 8) % (FULL - FLOOR), now);
        run_search(&s, &path, &now, 1000);
        assert(s.in_force == FULL);
    }

    /* He can't hide a black hole, nor what passes through it. */
    path.carries = 1300;
    for (int i = 0; i < 300; i++) {
        seed = seed * 1664525 + 1013904223;
        path_search_believe(&s, FLOOR + (seed >> 8) % (FULL - FLOOR), now);
        run_search(&s, &path, &now, 1000);
        assert(i < 10 || s.in_force <= 1300);
    }
    assert(s.in_force == 1300);
}

/* The same while 'percent' is lost each way.  Returns how often he makes what
 * passes count as too long in 'n' days. */
static int
count_forged_verdicts(int percent, int n)
{
    long long int now = 1000;
    struct path_search s = begin(FULL, now);
    long long int next_lie = 2000;
    uint32_t seed = 1;
    int verdicts = 0;

    for (long long int end = now + n * 86400LL * 1000; now < end;) {
        int before = s.in_force;

        now = MAX(now, MIN(s.next_ms, next_lie));
        if (now >= next_lie) {
            path_search_believe(&s, FLOOR + now / 1000 % 2, now);
            next_lie += 1000;
        }
        now += exchange(&s, now, percent, &seed);
        verdicts += s.verified && s.in_force < before;
    }
    return verdicts;
}

void
test_path_search_forger_loss(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    int n = count_forged_verdicts(5, 300);

    printf("5 %% lost each way and ICMP forged: %d false verdicts in "
           "300 days\n", n);
    assert(n <= 20);
}

/* A device gets a smaller MTU and soon another one, as often as somebody
 * likes: what is in force follows, up as well as down. */
void
test_path_search_device(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const int apart_ms[] = { 50, 400, 1500, 10000, 50, 10000, 400 };
    struct path path = { .carries = FULL, .rtt_ms = RTT_MS };
    long long int now = 1000;
    struct path_search s = begin(FULL, now);

    run_search(&s, &path, &now, 1000);
    for (size_t i = 0; i < ARRAY_SIZE(apart_ms); i++) {
        path.carries = FULL - 100;
        path_search_believe(&s, FULL - 100, now);
        run_search(&s, &path, &now, apart_ms[i]);
        path.carries = FULL;
        path_search_believe(&s, FULL, now);
        run_search(&s, &path, &now, 20000);
        assert(s.state == PATH_SETTLED && s.in_force == FULL);
    }
}

void
test_path_search_silence(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct path path = { 0, RTT_MS, 0, 0, 0, 0 };
    long long int now = 1000;
    struct path_search s = begin(FULL, now);

    /* A peer that is not there changes nothing and is seldom asked. */
    run_search(&s, &path, &now, 600 * 1000);
    assert(s.in_force == FULL && !s.verified);
    assert(path.n_sent < 200);

    /* The kernel's word holds of it. */
    path_search_believe(&s, 1300, now);
    assert(s.in_force == 1300);
    run_search(&s, &path, &now, 60 * 1000);
    path_search_believe(&s, FULL, now);
    assert(s.in_force == FULL);
    run_search(&s, &path, &now, 60 * 1000);
    path.n_sent = 0;

    /* When it comes, that is noticed. */
    path.carries = FULL;
    run_search(&s, &path, &now, PATH_SEARCH_RETRY_MAX_MS + 2000);
    assert(s.state == PATH_SETTLED && s.in_force == FULL);

    /* When it goes again, what was in force stays. */
    path.carries = 0;
    run_search(&s, &path, &now, 600 * 1000);
    assert(s.in_force == FULL && s.state != PATH_SETTLED);

    /* What no device takes needs no three tries. */
    struct path_search_request request;
    s = begin(FULL, now);
    path_search_answered(&s, FLOOR, now);
    assert(path_search_run(&s, now, &request) && request.size == FULL);
    path_search_refused(&s, FULL, now);
    assert(s.in_force == FLOOR);

    /* But if the kernel says so itself, that holds until it is verified. */
    s = begin(FULL, now);
    path_search_answered(&s, FLOOR, now);
    path_search_believe(&s, 1300, now);
    assert(path_search_run(&s, now, &request) && request.size == FULL);
    path_search_refused(&s, FULL, now);
    assert(s.in_force == 1300 && s.size == 1300);
}

/* Path validation. */

static struct path_endpoint
endpoint(const char *address, uint16_t port)
{
    struct path_endpoint e = { .port = port };

    assert(ipv6_parse(address, &e.address) || !port);
    return e;
}

/* Who answers, and after how many milliseconds (-1: never). */
struct answers {
    int old_ms, new_ms;
};

/* Runs a validation to its end and returns after how many milliseconds the
 * peer counts as moved, or -1. */
static int
validate(struct path_move *m, const struct path_endpoint *from,
         const struct path_endpoint *to, const struct answers *a,
         int *n_asked)
{
    static const uint64_t nonces[2] = { 17, 42 };
    long long int begin_ms = 5000;
    int asked_at = -1;

    memset(m, 0, sizeof *m);
    *n_asked = 0;
    assert(path_move_hint(m, from, to, nonces, begin_ms));
    assert(!path_move_hint(m, from, to, nonces, begin_ms));
    for (int ms = 0; ms < 10000 && m->state == PATH_ASKING; ms++) {
        long long int now = begin_ms + ms;

        if (asked_at >= 0 && a->old_ms >= 0 && ms == asked_at + a->old_ms) {
            path_move_answered(m, 17, now);
        }
        if (asked_at >= 0 && a->new_ms >= 0 && ms == asked_at + a->new_ms) {
            path_move_answered(m, 42, now);
        }
        path_move_answered(m, 4711, now);       /* Somebody guesses. */
        switch (path_move_run(m, now)) {
        case PATH_ASK:
            asked_at = asked_at < 0 ? ms : asked_at;
            ++*n_asked;
            break;
        case PATH_MOVED:
            return ms;
        case PATH_NOTHING:
            break;
        }
    }
    return -1;
}

void
test_path_move(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        struct answers answers;
        bool known;             /* The old endpoint is. */
        int after_ms;           /* -1: stays. */
        int n_asked;
    } t[] = {
        { { -1, 1 }, true, 300, 3 },
        { { -1, 50 }, true, 300, 3 },
        { { -1, 150 }, true, 450, 3 },  /* Far: the old one has as much. */
        { { 140, 150 }, true, -1, 2 },
        { { 440, 150 }, true, -1, 3 },
        { { 1, 1 }, true, -1, 1 },      /* Both: a relay, or two addresses. */
        { { 250, 1 }, true, -1, 3 },
        { { -1, -1 }, true, -1, 3 },    /* Neither. */
        { { 1, -1 }, true, -1, 1 },
        { { -1, 1 }, false, 1, 1 },     /* There is no old one. */
    };
    struct path_endpoint to = endpoint("fd00::2", 8002);

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct path_endpoint from = endpoint("fd00::1", t[i].known ? 8002 : 0);
        struct path_move m;
        int n_asked;
        int after = validate(&m, &from, &to, &t[i].answers, &n_asked);

        if (after != t[i].after_ms || n_asked != t[i].n_asked) {
            ovs_fatal(0, "row %"PRIuSIZE": %d ms, asked %d times", i, after,
                      n_asked);
        }
    }
}

/* A main loop that does not come round for a while finds all answers at once,
 * or will only in its next pass. */
void
test_path_move_stall(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint64_t nonces[2] = { 17, 42 };
    struct path_endpoint from = endpoint("fd00::1", 8002);
    struct path_endpoint to = endpoint("fd00::2", 8002);

    for (int n_passes = 1; n_passes <= PATH_MOVE_TRIES; n_passes++) {
        struct path_move m = { .state = PATH_IDLE };
        long long int now = 1000;
        int n_asked = 0;

        assert(path_move_hint(&m, &from, &to, nonces, now));
        for (int i = 0; i < n_passes; i++) {
            n_asked += path_move_run(&m, now) == PATH_ASK;
            path_move_answered(&m, 42, now + 1);
            now = m.next_ms;
        }
        assert(n_asked >= 1);

        /* The answer of the old address waits in the socket. */
        now += 1000;
        assert(path_move_run(&m, now) != PATH_MOVED);
        path_move_answered(&m, 17, now + 1);
        for (int i = 0; i < 3000; i++) {
            assert(path_move_run(&m, ++now) != PATH_MOVED);
        }
    }

    /* One that is always late comes to an end, too. */
    struct path_move m = { .state = PATH_IDLE };
    int n_asked = 0;
    int n = 0;

    assert(path_move_hint(&m, &from, &to, nonces, 1000));
    for (; n < 20; n++) {
        enum path_move_verdict verdict = path_move_run(&m, 1000 + n * 200);

        if (verdict == PATH_MOVED) {
            break;
        }
        n_asked += verdict == PATH_ASK;
        path_move_answered(&m, 42, 1000 + n * 200);
    }
    assert(n_asked == PATH_MOVE_TRIES && n < 10);
}

void
test_path_move_hold(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const uint64_t nonces[2] = { 17, 42 };
    const struct answers both = { 1, 1 };
    struct path_endpoint from = endpoint("fd00::1", 8002);
    struct path_endpoint to = endpoint("fd00::2", 8002);
    struct path_move m;
    int n_asked;

    /* Where it is already is no hint. */
    memset(&m, 0, sizeof m);
    assert(!path_move_hint(&m, &from, &from, nonces, 0));

    /* After an answer from the old address there is peace for a while. */
    assert(validate(&m, &from, &to, &both, &n_asked) == -1);
    assert(m.state == PATH_HOLDING);
    assert(!path_move_hint(&m, &from, &to, nonces, m.next_ms - 1));
    assert(path_move_run(&m, m.next_ms) == PATH_NOTHING);
    assert(path_move_hint(&m, &from, &to, nonces, 100000));

    /* An answer to what was asked the last time is none. */
    path_move_answered(&m, 0, 100001);
    assert(!m.answered_ms && !m.old_answered);
}

/* Ping. */

/* Sends what is due from '*now_us' on until all is sent; nonces are as they
 * should be. */
static void
send_all(struct path_ping *ping, uint64_t nonce, int count,
         long long int *now_us)
{
    uint64_t sent;

    for (int i = 0; i < count; i++) {
        assert(path_ping_run(ping, *now_us, &sent) && sent == nonce + i);
        assert(!path_ping_run(ping, *now_us, &sent));
        assert(!path_ping_is_over(ping, *now_us));
        *now_us = ping->next_us;
    }
    *now_us -= 1000 * PATH_PING_WAIT_MS;
}

void
test_path_ping(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    /* The last nonce there is, and the first one. */
    const uint64_t nonce = UINT64_MAX;
    long long int now_us = 1000000;
    struct path_ping ping;
    uint64_t sent;

    /* All answered: over at once. */
    path_ping_begin(&ping, 3, nonce, now_us);
    send_all(&ping, nonce, 3, &now_us);
    assert(path_ping_answered(&ping, nonce + 2, now_us + 300));
    assert(!path_ping_answered(&ping, nonce + 2, now_us + 301));
    assert(!path_ping_answered(&ping, nonce + 3, now_us + 302));
    assert(!path_ping_answered(&ping, nonce - 1, now_us + 302));
    assert(path_ping_answered(&ping, nonce, now_us + 400));
    assert(!path_ping_is_over(&ping, now_us + 400));
    assert(path_ping_answered(&ping, nonce + 1, now_us + 500));
    assert(path_ping_is_over(&ping, now_us + 500));
    assert(ping.received == 3 && ping.min_us == 300
           && ping.max_us == 2 * 1000 * PATH_PING_EACH_MS + 400
           && ping.sum_us == (300 + 400 + 500
                              + 3 * 1000 * PATH_PING_EACH_MS));

    /* What is not sent yet is not answered; what is lost is waited for. */
    path_ping_begin(&ping, 2, 7, now_us);
    assert(path_ping_run(&ping, now_us, &sent) && sent == 7);
    assert(!path_ping_answered(&ping, 8, now_us + 100));
    assert(path_ping_answered(&ping, 7, now_us + 100));
    assert(!path_ping_is_over(&ping, now_us + 100));
    now_us = ping.next_us;
    assert(path_ping_run(&ping, now_us, &sent) && sent == 8);
    now_us += 1000 * PATH_PING_WAIT_MS;
    assert(!path_ping_is_over(&ping, now_us - 1));
    assert(path_ping_is_over(&ping, now_us));
    assert(!path_ping_run(&ping, now_us, &sent));
    assert(ping.sent == 2 && ping.received == 1 && ping.sum_us == 100);
}

void
test_oam(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct oam_message message = {
        .kind = OAM_ECHO_REPLY, .request_len = 1432,
        .nonce = UINT64_C(0x0123456789abcdef),
    };
    struct oam_message parsed;
    uint8_t frame[2000];

    oam_write(&message, frame, OAM_MESSAGE_LEN);
    assert(oam_is_message(frame, OAM_MESSAGE_LEN));
    assert(oam_parse(frame, OAM_MESSAGE_LEN, &parsed));
    assert(parsed.kind == message.kind && parsed.nonce == message.nonce
           && parsed.request_len == 1432);

    /* The length of a request is what arrived. */
    message.kind = OAM_ECHO_REQUEST;
    message.request_len = 0;
    oam_write(&message, frame, 1500);
    assert(oam_parse(frame, 1500, &parsed) && parsed.request_len == 1500);

    /* Cut off, of another version, of no known kind, not for the port. */
    for (size_t n = 0; n < OAM_MESSAGE_LEN; n++) {
        assert(!oam_is_message(frame, n) || !oam_parse(frame, n, &parsed));
    }
    frame[ETH_HEADER_LEN] = 1;
    assert(!oam_parse(frame, 1500, &parsed));
    frame[ETH_HEADER_LEN] = 0;
    for (int kind = 0; kind < 256; kind++) {
        frame[ETH_HEADER_LEN + 1] = kind;
        assert(oam_parse(frame, 1500, &parsed) == (kind == 1 || kind == 2));
    }
    frame[0] = 1;
    assert(!oam_is_message(frame, 1500));
}
