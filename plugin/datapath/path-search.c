/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out how long a datagram may be on the way to a peer. */

#include <config.h>
#include "datapath/path-search.h"

#include "util.h"

static void
try(struct path_search *s, int size, long long int now_ms)
{
    s->state = PATH_TRYING;
    s->size = size;
    s->tries = 0;
    s->alive = false;
    s->next_ms = now_ms;
}

/* Whether 'size' was verified before, and nothing but missing answers speaks
 * against it now. */
static bool
is_doubt(const struct path_search *s)
{
    return s->verified && s->size == s->in_force && !s->suspect;
}

static int
max_tries(const struct path_search *s)
{
    return (is_doubt(s) ? PATH_SEARCH_DOUBTS
            : s->verified && s->size == s->in_force ? PATH_SEARCH_SUSPICIONS
            : PATH_SEARCH_TRIES);
}

static void
begin_search(struct path_search *s, int size, long long int now_ms)
{
    s->passed = s->floor;
    s->failed = MAX(s->ceiling, size) + 1;
    try(s, size, now_ms);
}

static void
settle(struct path_search *s, long long int now_ms)
{
    bool again = s->again && s->believed > s->passed;

    s->suspect = s->again = false;
    s->in_force = s->passed;
    s->verified = true;
    if (again) {
        begin_search(s, s->believed, now_ms);
        s->passed = s->in_force;
        return;
    }
    s->state = PATH_SETTLED;
    s->next_ms = now_ms + PATH_SEARCH_CONFIRM_MS;
    if (s->passed < s->ceiling && s->raise_ms <= now_ms) {
        s->raise_ms = now_ms + PATH_SEARCH_RAISE_MS;
    }
}

/* Goes on with what is between 'passed' and 'failed'. */
static void
narrow(struct path_search *s, long long int now_ms)
{
    if (s->believed > s->passed && s->believed < s->failed) {
        try(s, s->believed, now_ms);
    } else if (s->failed - s->passed > PATH_SEARCH_STEP) {
        try(s, (s->passed + s->failed) / 2, now_ms);
    } else {
        settle(s, now_ms);
    }
}

void
path_search_begin(struct path_search *s, int floor, int ceiling,
                  long long int now_ms)
{
    *s = (struct path_search) {
        .in_force = MAX(floor, ceiling),
        .floor = floor,
        .believed = MAX(floor, ceiling),
        .ceiling = MAX(floor, ceiling),
        .retry_ms = PATH_SEARCH_RETRY_MIN_MS,
    };
    begin_search(s, s->ceiling, now_ms);
}

/* Whether what the kernel says counts for more than that it is to be asked
 * about.  It does not count often, because a stranger can make the kernel say
 * something else each second. */
static bool
heed(struct path_search *s, long long int now_ms)
{
    if (now_ms < s->heed_ms) {
        return false;
    }
    s->heed_ms = now_ms + PATH_SEARCH_HEED_MS;
    return true;
}

void
path_search_believe(struct path_search *s, int believed, long long int now_ms)
{
    believed = MAX(believed, s->floor);
    if (believed == s->believed) {
        return;
    }
    s->believed = believed;
    if (s->state == PATH_UNREACHABLE) {
        s->in_force = s->ceiling = believed;
        s->verified = false;
        begin_search(s, believed, now_ms);
    } else if (believed > s->ceiling) {
        s->ceiling = believed;
        begin_search(s, believed, now_ms);
    } else if (believed < s->in_force) {
        /* It may be a lie; only requests in vain make it true. */
        if (s->state != PATH_TRYING || s->size != s->in_force) {
            begin_search(s, s->in_force, now_ms);
        }
        s->suspect |= heed(s, now_ms);
    } else if (believed > s->in_force) {
        /* No message from outside makes the kernel say that. */
        s->again = true;
        if (s->state == PATH_SETTLED) {
            settle(s, now_ms);
        }
    }
}

void
path_search_restart(struct path_search *s, long long int now_ms)
{
    s->retry_ms = PATH_SEARCH_RETRY_MIN_MS;
    s->suspect = true;
    begin_search(s, s->ceiling, now_ms);
}

/* 'size' does not pass, though short ones do. */
static void
failed(struct path_search *s, long long int now_ms)
{
    s->failed = s->size;
    if (s->in_force >= s->failed) {
        /* What is sent now is lost: less is sure, and more is looked for. */
        s->in_force = s->passed;
    }
    narrow(s, now_ms);
}

static void
unreachable(struct path_search *s, long long int now_ms)
{
    s->state = PATH_UNREACHABLE;
    s->in_force = s->verified ? MIN(s->in_force, s->believed) : s->believed;
    s->next_ms = now_ms + s->retry_ms;
    s->retry_ms = MIN(2 * s->retry_ms, PATH_SEARCH_RETRY_MAX_MS);
}

/* Wakes up a search that has waited. */
static void
wake_up(struct path_search *s, long long int now_ms)
{
    if (s->state == PATH_SETTLED && s->in_force < s->ceiling
        && now_ms >= s->raise_ms) {
        int known = s->in_force;

        s->raise_ms = now_ms + PATH_SEARCH_RAISE_MS;
        begin_search(s, s->ceiling, now_ms);
        s->passed = known;
    } else if (s->state == PATH_SETTLED) {
        begin_search(s, s->in_force, now_ms);
        s->failed = s->in_force + 1;
    } else if (s->state == PATH_UNREACHABLE) {
        try(s, s->size, now_ms);
    }
}

bool
path_search_run(struct path_search *s, long long int now_ms,
                struct path_search_request *request)
{
    if (now_ms < s->next_ms) {
        return false;
    }
    if (s->state != PATH_TRYING) {
        wake_up(s, now_ms);
    } else if (s->tries >= max_tries(s)) {
        if (!s->alive) {
            unreachable(s, now_ms);
            return false;
        }
        failed(s, now_ms);
        if (s->state != PATH_TRYING) {
            return false;
        }
    }
    *request = (struct path_search_request) {
        .size = s->size,
        /* Most are answered at once, and need no comparison. */
        .with_short = s->tries > 0,
    };
    s->tries++;
    s->next_ms = now_ms + (is_doubt(s) ? PATH_SEARCH_DOUBT_MS
                           : PATH_SEARCH_TRY_MS);
    return true;
}

void
path_search_answered(struct path_search *s, int size, long long int now_ms)
{
    if (size != s->size && size != s->floor) {
        return;                 /* Nobody has asked for that. */
    }
    s->alive = true;
    s->retry_ms = PATH_SEARCH_RETRY_MIN_MS;
    if (s->state == PATH_UNREACHABLE) {
        /* Far away: what was sent beside it may be answered yet. */
        s->state = PATH_TRYING;
        s->next_ms = now_ms + PATH_SEARCH_LATE_MS;
    }
    if (s->state != PATH_TRYING || size < s->size) {
        return;
    }
    s->passed = MAX(s->passed, size);
    if (s->passed > s->in_force) {
        s->in_force = s->passed;
        s->verified = true;
    }
    narrow(s, now_ms);
}

void
path_search_refused(struct path_search *s, int size, long long int now_ms)
{
    if (s->state == PATH_TRYING && size == s->size && size > s->floor) {
        failed(s, now_ms);
        if (s->believed < size) {
            s->in_force = MAX(s->in_force, s->believed);
        }
    }
}
