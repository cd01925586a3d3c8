/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a peer some times, and how long its answers took. */

#ifndef DATAPATH_PATH_PING_H
#define DATAPATH_PATH_PING_H 1

/* Ping
 * ====
 *
 *      begin()
 *         |        run() says what to send, each EACH_MS
 *         v       .------.
 *      SENDING ---+      |       all sent            all answered, or
 *         ^       <------'  ------------> WAITING -----------------> over
 *         '--- answered()                            WAIT_MS gone by
 *
 * All requests of a ping are of one length.  Their nonces follow one another,
 * from one that nobody can guess who cannot open them.  An answer counts once,
 * and not when all is over.
 *
 * Receivers take 50 messages a second of a node: EACH_MS leaves room for
 * several pings at once, beside what path-search.h asks.
 *
 * Pure: time and nonces are arguments.  Thread safety: none. */

#include <stdbool.h>
#include <stdint.h>

enum {
    PATH_PING_MAX = 100,        /* Requests. */
    PATH_PING_EACH_MS = 200,
    PATH_PING_WAIT_MS = 1000,   /* For answers, after the last request. */
};

struct path_ping {
    int count;                  /* Requests to be sent... */
    int sent;                   /* ...those that were... */
    int received;               /* ...and how many were answered. */
    uint64_t nonce;             /* Of the first one. */
    long long int next_us;      /* When there is something to do. */
    long long int sent_us[PATH_PING_MAX];       /* 0: answered. */
    long long int min_us, max_us, sum_us;       /* Of 'received'. */
};

/* Begins with 1 <= 'count' <= PATH_PING_MAX. */
void path_ping_begin(struct path_ping *, int count, uint64_t nonce,
                     long long int now_us);

/* Returns true if a request with '*nonce' is to be sent now. */
bool path_ping_run(struct path_ping *, long long int now_us, uint64_t *nonce);

/* The peer answered a request with 'nonce'.  Returns true if it was one of
 * these, and the first answer to it. */
bool path_ping_answered(struct path_ping *, uint64_t nonce,
                        long long int now_us);

bool path_ping_is_over(const struct path_ping *, long long int now_us);

#endif /* datapath/path-ping.h */
