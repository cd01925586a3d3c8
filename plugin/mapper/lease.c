/* SPDX-License-Identifier: Apache-2.0 */
/* Who may act under a node ID. */

#include <config.h>

#include "mapper/lease.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "model/credential.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lease);

COVERAGE_DEFINE(mapper_lease_challenge);
COVERAGE_DEFINE(mapper_lease_answered);

/* Time between two calls of lease_sweep() that do anything. */
enum { SWEEP_MS = 10 * 60 * 1000 };

/* What is known of one node ID. */
struct sign {
    struct hmap_node hmap_node;
    int64_t number;
    long long int heard;        /* Or LLONG_MIN: not since the start. */
    long long int refused;      /* Last audited refusal, or LLONG_MIN. */
    long long int elsewhere;    /* All mappers were asked, or LLONG_MIN. */
    long long int restored;     /* When its disk was, or LLONG_MIN; */
    char from[MODEL_SECRET_HEX + 1]; /* Credentials before and after that. */
    char to[MODEL_SECRET_HEX + 1];
};

struct challenge {
    struct ovs_list list_node;
    int64_t number;
    bool elsewhere;             /* All mappers are asked. */
    char holder[UUID_LEN + 1];
    char nonce[LEASE_NONCE_HEX + 1];
    long long int deadline;
    struct ovs_list waiters;    /* "struct lease_waiter"s. */
    size_t n_waiters;
};

struct lease {
    int seconds;
    long long int started;      /* Or went on after a stall. */
    long long int last_run;
    struct hmap signs;
    struct ovs_list challenges; /* By deadline. */
    long long int next_sweep;
};

/* The decision. */

/* Another instance holds the lease, and is not there. */
static enum lease_verdict
decide_absent(const struct lease_facts *f)
{
    bool silent = f->silent_ms >= f->lease_ms;

    if (f->superseded) {
        /* Whoever has an old copy of the disk has this too, fingerprint and
         * all, and waits for a moment in which the holder has no stream. */
        return silent ? LEASE_GRANT_RESTORED : LEASE_HELD;
    }
    if (f->same_machine) {
        /* It has rebooted: nobody else has this fingerprint. */
        return LEASE_GRANT;
    }
    return silent ? LEASE_GRANT_MOVED : LEASE_HELD;
}

enum lease_verdict
lease_decide(const struct lease_facts *f)
{
    /* An old credential on another machine is a copy of an old disk,
     * whoever else is there or is not. */
    if (f->superseded && !f->same_machine) {
        return LEASE_DUPLICATE;
    }
    if (f->holder != LEASE_OTHER) {
        return f->superseded ? LEASE_GRANT_RESTORED : LEASE_GRANT;
    }
    if (f->stream) {
        switch (f->challenge) {
        case LEASE_NOT_ASKED:
            return LEASE_ASK;
        case LEASE_ANSWERED:
            return LEASE_DUPLICATE;
        case LEASE_SILENT:
            break;
        }
    }
    return decide_absent(f);
}

int
lease_retry_s(const struct lease_facts *f)
{
    long long int left = f->lease_ms - f->silent_ms;

    return left > 0 ? MIN(DIV_ROUND_UP(left, 1000), LEASE_MAX_S) : 1;
}

/* Signs of life. */

struct lease *
lease_create(int seconds)
{
    struct lease *lease = xzalloc(sizeof *lease);

    lease->seconds = seconds;
    lease->started = lease->last_run = time_msec();
    lease->next_sweep = lease->started + SWEEP_MS;
    hmap_init(&lease->signs);
    ovs_list_init(&lease->challenges);
    return lease;
}

int
lease_seconds(const struct lease *lease)
{
    return lease->seconds;
}

static struct sign *
find_sign(const struct lease *lease, int64_t number)
{
    struct sign *sign;

    HMAP_FOR_EACH_WITH_HASH (sign, hmap_node, hash_uint64(number),
                             &lease->signs) {
        if (sign->number == number) {
            return sign;
        }
    }
    return NULL;
}

static struct sign *
get_sign(struct lease *lease, int64_t number)
{
    struct sign *sign = find_sign(lease, number);

    if (!sign) {
        sign = xmalloc(sizeof *sign);
        *sign = (struct sign) {
            .number = number,
            .heard = LLONG_MIN,
            .refused = LLONG_MIN,
            .elsewhere = LLONG_MIN,
            .restored = LLONG_MIN,
        };
        hmap_insert(&lease->signs, &sign->hmap_node, hash_uint64(number));
    }
    return sign;
}

void
lease_heard(struct lease *lease, int64_t number, long long int when)
{
    struct sign *sign = get_sign(lease, number);

    sign->heard = MAX(sign->heard, when);
}

long long int
lease_last_sign(const struct lease *lease, int64_t number)
{
    const struct sign *sign = find_sign(lease, number);

    return sign ? MAX(sign->heard, lease->started) : lease->started;
}

bool
lease_may_audit_refusal(struct lease *lease, int64_t number)
{
    struct sign *sign = get_sign(lease, number);
    long long int now = time_msec();

    if (sign->refused != LLONG_MIN
        && now - sign->refused < LEASE_REFUSED_MS) {
        return false;
    }
    sign->refused = now;
    return true;
}

int
lease_restore(struct lease *lease, int64_t number, const char *from,
              const char *to)
{
    struct sign *sign = get_sign(lease, number);
    long long int now = time_msec();

    if (sign->restored != LLONG_MIN
        && (strcmp(sign->from, from) || strcmp(sign->to, to))
        && now - sign->restored < LEASE_RESTORED_MS) {
        return DIV_ROUND_UP(sign->restored + LEASE_RESTORED_MS - now, 1000);
    }
    sign->restored = now;
    ovs_strlcpy(sign->from, from, sizeof sign->from);
    ovs_strlcpy(sign->to, to, sizeof sign->to);
    return 0;
}

void
lease_sweep(struct lease *lease, bool (*exists)(const void *aux, int64_t),
            const void *aux)
{
    struct sign *sign;

    if (time_msec() < lease->next_sweep) {
        return;
    }
    lease->next_sweep = time_msec() + SWEEP_MS;
    HMAP_FOR_EACH_SAFE (sign, hmap_node, &lease->signs) {
        if (!exists(aux, sign->number)) {
            hmap_remove(&lease->signs, &sign->hmap_node);
            free(sign);
        }
    }
}

/* Challenges. */

static struct challenge *
find_challenge(const struct lease *lease, int64_t number, bool elsewhere,
               const char *holder)
{
    struct challenge *challenge;

    LIST_FOR_EACH (challenge, list_node, &lease->challenges) {
        if (challenge->number == number
            && challenge->elsewhere == elsewhere
            && !strcmp(challenge->holder, holder)) {
            return challenge;
        }
    }
    return NULL;
}

static struct challenge *
find_asking(const struct lease *lease, const char *nonce)
{
    struct challenge *challenge;

    LIST_FOR_EACH (challenge, list_node, &lease->challenges) {
        if (challenge->elsewhere && !strcmp(challenge->nonce, nonce)) {
            return challenge;
        }
    }
    return NULL;
}

/* Those that end first come first. */
static void
insert_challenge(struct lease *lease, struct challenge *challenge)
{
    struct challenge *before;

    LIST_FOR_EACH_REVERSE (before, list_node, &lease->challenges) {
        if (before->deadline <= challenge->deadline) {
            ovs_list_insert(before->list_node.next, &challenge->list_node);
            return;
        }
    }
    ovs_list_push_front(&lease->challenges, &challenge->list_node);
}

static struct challenge *
begin_challenge(struct lease *lease, int64_t number, bool elsewhere,
                const char *holder)
{
    struct challenge *challenge = xzalloc(sizeof *challenge);
    unsigned char random[LEASE_NONCE_HEX / 2];

    COVERAGE_INC(mapper_lease_challenge);
    challenge->number = number;
    challenge->elsewhere = elsewhere;
    ovs_strlcpy(challenge->holder, holder, sizeof challenge->holder);
    ovs_assert(RAND_bytes(random, sizeof random) == 1);
    model_hex_encode(random, sizeof random, challenge->nonce);
    challenge->deadline = time_msec() + (elsewhere ? LEASE_ELSEWHERE_MS
                                         : LEASE_CHALLENGE_MS);
    ovs_list_init(&challenge->waiters);
    insert_challenge(lease, challenge);
    return challenge;
}

/* Each one costs transactions of all mappers. */
static bool
may_ask_elsewhere(struct lease *lease, int64_t number)
{
    struct sign *sign = get_sign(lease, number);
    long long int now = time_msec();

    if (sign->elsewhere != LLONG_MIN
        && now - sign->elsewhere < LEASE_ELSEWHERE_AGAIN_MS) {
        return false;
    }
    sign->elsewhere = now;
    return true;
}

bool
lease_wait_answer(struct lease *lease, int64_t number, bool elsewhere,
                  struct lease_waiter *waiter, const char **nonce)
{
    struct challenge *challenge = find_challenge(lease, number, elsewhere,
                                                 waiter->holder);

    *nonce = NULL;
    if (challenge ? challenge->n_waiters >= LEASE_WAITERS_MAX
        : elsewhere && !may_ask_elsewhere(lease, number)) {
        return false;
    }
    if (!challenge) {
        challenge = begin_challenge(lease, number, elsewhere,
                                    waiter->holder);
        *nonce = challenge->nonce;
    }
    ovs_list_push_back(&challenge->waiters, &waiter->list_node);
    challenge->n_waiters++;
    return true;
}

static void
resolve(struct challenge *challenge, enum lease_challenge result,
        long long int silence)
{
    struct lease_waiter *waiter;

    ovs_list_remove(&challenge->list_node);
    LIST_FOR_EACH_POP (waiter, list_node, &challenge->waiters) {
        waiter->challenge = result;
        waiter->silence = silence;
        waiter->resume(waiter);
    }
    free(challenge);
}

void
lease_answer(struct lease *lease, int64_t number, const char *instance,
             const char *nonce)
{
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        struct challenge *challenge = find_challenge(lease, number, elsewhere,
                                                     instance);

        if (challenge && strlen(nonce) == LEASE_NONCE_HEX
            && !CRYPTO_memcmp(nonce, challenge->nonce, LEASE_NONCE_HEX)) {
            COVERAGE_INC(mapper_lease_answered);
            resolve(challenge, LEASE_ANSWERED, LLONG_MAX);
        }
    }
}

bool
lease_is_asking(const struct lease *lease, const char *nonce)
{
    return find_asking(lease, nonce) != NULL;
}

void
lease_answered_elsewhere(struct lease *lease, const char *nonce)
{
    struct challenge *challenge = find_asking(lease, nonce);

    if (challenge) {
        resolve(challenge, LEASE_ANSWERED, LLONG_MAX);
    }
}

void
lease_silent_elsewhere(struct lease *lease, const char *nonce,
                       long long int silence)
{
    struct challenge *challenge = find_asking(lease, nonce);

    if (challenge) {
        resolve(challenge, LEASE_SILENT, silence);
    }
}

static struct challenge *
first_challenge(const struct lease *lease)
{
    return (ovs_list_is_empty(&lease->challenges) ? NULL
            : CONTAINER_OF(ovs_list_front(&lease->challenges),
                           struct challenge, list_node));
}

/* Nobody was heard for a while, whoever spoke. */
static void
end_stall(struct lease *lease, long long int now)
{
    struct challenge *challenge;

    VLOG_WARN("nobody was heard for %lld s: leases begin anew",
              (now - lease->last_run) / 1000);
    lease->started = now;
    LIST_FOR_EACH (challenge, list_node, &lease->challenges) {
        challenge->deadline += now - lease->last_run;
    }
}

void
lease_begin_anew(struct lease *lease)
{
    lease->started = time_msec();
}

void
lease_run(struct lease *lease)
{
    long long int now = time_msec();
    struct challenge *first;

    if (now - lease->last_run >= LEASE_STALL_MS) {
        end_stall(lease, now);
    }
    lease->last_run = now;
    while ((first = first_challenge(lease)) != NULL
           && time_msec() >= first->deadline) {
        /* Who could not ask all others knows nothing. */
        resolve(first, first->elsewhere ? LEASE_NOT_ASKED : LEASE_SILENT,
                LLONG_MAX);
    }
}

void
lease_wait(const struct lease *lease)
{
    const struct challenge *first = first_challenge(lease);

    if (first) {
        poll_timer_wait_until(first->deadline);
    }
    poll_timer_wait_until(lease->last_run + LEASE_STALL_MS / 2);
}

void
lease_stop(struct lease *lease)
{
    struct challenge *first;

    while ((first = first_challenge(lease)) != NULL) {
        resolve(first, LEASE_NOT_ASKED, LLONG_MAX);
    }
}

void
lease_destroy(struct lease *lease)
{
    struct sign *sign;

    if (!lease) {
        return;
    }
    ovs_assert(ovs_list_is_empty(&lease->challenges));
    HMAP_FOR_EACH_POP (sign, hmap_node, &lease->signs) {
        free(sign);
    }
    hmap_destroy(&lease->signs);
    free(lease);
}
