/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a peer is at another address now. */

#include <config.h>
#include "datapath/path-move.h"

#include "packets.h"
#include "util.h"

bool
path_endpoint_equals(const struct path_endpoint *a,
                     const struct path_endpoint *b)
{
    return a->port == b->port && ipv6_addr_equals(&a->address, &b->address);
}

static void
hold(struct path_move *m, long long int until_ms)
{
    m->state = PATH_HOLDING;
    m->next_ms = until_ms;
}

bool
path_move_hint(struct path_move *m, const struct path_endpoint *from,
               const struct path_endpoint *to, const uint64_t nonces[2],
               long long int now_ms)
{
    if (m->state != PATH_IDLE || path_endpoint_equals(from, to)) {
        return false;
    }
    *m = (struct path_move) {
        .state = PATH_ASKING,
        .from = *from,
        .to = *to,
        .nonces = { nonces[0], nonces[1] },
        .begun_ms = now_ms,
        .next_ms = now_ms,
    };
    return true;
}

void
path_move_answered(struct path_move *m, uint64_t nonce, long long int now_ms)
{
    if (m->state != PATH_ASKING) {
        return;
    }
    if (nonce == m->nonces[0] && m->from.port) {
        m->old_answered = true;
        m->next_ms = now_ms;
    } else if (nonce == m->nonces[1] && !m->answered_ms) {
        m->answered_ms = MAX(now_ms, 1);
        m->next_ms = MIN(m->next_ms, now_ms);
    }
}

/* When the old address has had its time. */
static long long int
deadline(const struct path_move *m)
{
    long long int took = m->answered_ms - m->begun_ms;

    if (!m->from.port) {
        return m->begun_ms;
    }
    return MAX(m->begun_ms + 3 * took, m->silent_ms + PATH_MOVE_TRY_MS);
}

/* Whether the old address has been silent long enough. */
static bool
is_over(struct path_move *m, long long int now_ms)
{
    if (!m->answered_ms || now_ms < deadline(m)
        || (m->from.port && m->tries < PATH_MOVE_TRIES)) {
        return false;
    }
    if (m->from.port && !m->waited
        && now_ms - m->next_ms > PATH_MOVE_LATE_MS) {
        /* The main loop did not come round, so an answer may still wait in
         * the socket. */
        m->waited = true;
        m->silent_ms = now_ms;
        return false;
    }
    return true;
}

static enum path_move_verdict
run_asking(struct path_move *m, long long int now_ms)
{
    long long int next_try = m->begun_ms + m->tries * PATH_MOVE_TRY_MS;

    if (m->old_answered) {
        hold(m, now_ms + PATH_MOVE_HOLD_MS);
        return PATH_NOTHING;
    }
    if (is_over(m, now_ms)) {
        m->state = PATH_IDLE;
        m->next_ms = 0;
        return PATH_MOVED;
    }
    if (m->tries < PATH_MOVE_TRIES && now_ms >= next_try) {
        m->tries++;
        m->silent_ms = now_ms;
        m->next_ms = now_ms + PATH_MOVE_TRY_MS;
        return PATH_ASK;
    }
    if (!m->answered_ms
        && now_ms >= m->begun_ms + PATH_MOVE_GIVE_UP_MS) {
        m->state = PATH_IDLE;
        m->next_ms = 0;
        return PATH_NOTHING;
    }
    m->next_ms = (m->tries < PATH_MOVE_TRIES ? next_try
                  : m->answered_ms ? deadline(m)
                  : m->begun_ms + PATH_MOVE_GIVE_UP_MS);
    return PATH_NOTHING;
}

enum path_move_verdict
path_move_run(struct path_move *m, long long int now_ms)
{
    if (m->state == PATH_IDLE || now_ms < m->next_ms) {
        return PATH_NOTHING;
    }
    if (m->state == PATH_HOLDING) {
        m->state = PATH_IDLE;
        m->next_ms = 0;
        return PATH_NOTHING;
    }
    return run_asking(m, now_ms);
}
