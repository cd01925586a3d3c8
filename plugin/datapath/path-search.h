/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out how long a datagram may be on the way to a peer. */

#ifndef DATAPATH_PATH_SEARCH_H
#define DATAPATH_PATH_SEARCH_H 1

/* Path MTU search
 * ===============
 *
 * The way of RFC 8899: requests of the length to be tried are sent to the
 * peer, and only an authentic answer, or its absence while short requests are
 * answered, changes what is in force.  What the kernel believes (devices,
 * routes, ICMP, which can be forged) says what to try.
 *
 *                 begin()
 *                    |            answered: longer ones, if any are untried
 *                    v           .--------.
 *     +-----> TRYING ('size') ---+        |
 *     |          |   |   ^      <---------'
 *     |  all in  |   |   |  only short ones answered: shorter ones, by halves
 *     |   vain   |   |   '--------.
 *     |          v   | all tried  |
 *     |   UNREACHABLE '----> SETTLED
 *     |     | 1 to 30 s       |  each minute: is it still so?
 *     +-----+-----------------+  each 10 minutes: is it more now?
 *
 * Until something is known, and of a peer that does not answer, what the
 * kernel believes is in force, as most paths carry that.  A black hole is
 * noticed by the first search or within a minute; then what passes is in
 * force, and longer frames travel as fragments.
 *
 * Three requests, 300 ms apart, tell whether a length passes.  But if nothing
 * speaks against a length that was verified except missing answers, these may
 * just be lost, and a path that loses one message in 20 would lose three in a
 * row, there or back, 40 times a month.  So there are ten requests then, over
 * 4.5 seconds.  That errs once in 20,000 years, and at one in 5, where little
 * works anyway, once or twice a month.  If the kernel has another value, or
 * the host another address, five are enough; but not more than once a minute,
 * because a stranger can give the kernel values.
 *
 * Lengths are of frames: what a datagram carries (wire.h).
 *
 * Pure: time is an argument.  Thread safety: none. */

#include <stdbool.h>

enum {
    PATH_SEARCH_TRIES = 3,
    PATH_SEARCH_TRY_MS = 300,
    PATH_SEARCH_DOUBTS = 10,    /* Instead, of what was verified before... */
    PATH_SEARCH_DOUBT_MS = 450,
    PATH_SEARCH_SUSPICIONS = 5, /* ...but the kernel has another value. */
    PATH_SEARCH_HEED_MS = 60 * 1000,    /* How often that counts. */
    PATH_SEARCH_LATE_MS = 600,  /* After a late answer. */
    PATH_SEARCH_STEP = 1,       /* Finer than this is not searched. */
    PATH_SEARCH_CONFIRM_MS = 60 * 1000,
    PATH_SEARCH_RAISE_MS = 600 * 1000,  /* RFC 8899's PMTU_RAISE_TIMER. */
    PATH_SEARCH_RETRY_MIN_MS = 1000,
    PATH_SEARCH_RETRY_MAX_MS = 30 * 1000,
};

enum path_search_state {
    PATH_TRYING,
    PATH_SETTLED,
    PATH_UNREACHABLE,
};

struct path_search {
    enum path_search_state state;
    int in_force;               /* The longest frame to send in one piece. */
    bool verified;              /* A frame of that length was answered. */

    int floor;                  /* What any path carries. */
    int believed;               /* What the kernel last said. */
    int ceiling;                /* The most that it has said: to try first. */
    int passed;                 /* The longest that was answered... */
    int failed;                 /* ...the shortest that was not... */
    int size;                   /* ...and the one in between being tried. */
    int tries;                  /* Of 'size'. */
    bool again;                 /* The kernel believes more since 'failed'. */
    bool suspect;               /* Something says that the path is another. */
    bool alive;                 /* A short one was answered meanwhile. */
    int retry_ms;               /* Of PATH_UNREACHABLE. */
    long long int heed_ms;      /* When the kernel's word counts again. */
    long long int next_ms;      /* When there is something to do. */
    long long int raise_ms;     /* When to try what is longer. */
};

/* What is to be sent now. */
struct path_search_request {
    int size;                   /* The length to be tried... */
    bool with_short;            /* ...and beside it one of 'floor'. */
};

/* Begins with 'floor' <= 'ceiling', where 'ceiling' is what the kernel
 * believes. */
void path_search_begin(struct path_search *, int floor, int ceiling,
                       long long int now_ms);

/* What the kernel believes now, or that the path is another: look again, if
 * that is new.  What is in force changes only by what comes of it, unless the
 * peer does not answer. */
void path_search_believe(struct path_search *, int believed,
                         long long int now_ms);
void path_search_restart(struct path_search *, long long int now_ms);

/* Does what is due.  Returns true if '*request' is to be sent. */
bool path_search_run(struct path_search *, long long int now_ms,
                     struct path_search_request *request);

/* A request of 'size' bytes was answered; or so says the peer, who only counts
 * for lengths that are being tried. */
void path_search_answered(struct path_search *, int size,
                          long long int now_ms);

/* A request of 'size' bytes could not even be sent: it is longer than the
 * device takes, and what the kernel believes is worth more than nothing. */
void path_search_refused(struct path_search *, int size,
                         long long int now_ms);

#endif /* datapath/path-search.h */
