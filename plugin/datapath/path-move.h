/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a peer is at another address now. */

#ifndef DATAPATH_PATH_MOVE_H
#define DATAPATH_PATH_MOVE_H 1

/* Path validation
 * ===============
 *
 * An authentic datagram from another address than the peer's endpoint does not
 * prove that the peer is there: somebody on the way can have held it back and
 * sent it from elsewhere.  So both addresses are asked, each with a nonce of
 * its own:
 *
 *              hint()                     new answers, old does not
 *     IDLE ------------> ASKING (3 times) -------------------------> moved
 *       ^                   |  old answers, or new does not
 *       |                   v
 *       '--(HOLD_MS over)- HOLDING
 *
 * The old address has three tries, and three times as long as the new one took
 * to answer.  So who relays datagrams, both ways, gains nothing as long as the
 * old address can be reached; and a peer with two addresses stays where it is.
 * That does not depend on how often the main loop comes round: a try counts
 * when it is sent, and if the loop was late there is time for what waited.
 *
 * Pure: time and nonces are arguments.  Thread safety: none. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PATH_MOVE_TRIES = 3,
    PATH_MOVE_TRY_MS = 100,
    PATH_MOVE_LATE_MS = 50,     /* Who comes so late has missed something. */
    PATH_MOVE_GIVE_UP_MS = 2000,        /* New does not answer. */
    PATH_MOVE_HOLD_MS = 5000,           /* Old does. */
};

/* An underlay address and UDP port.  Port 0: none. */
struct path_endpoint {
    struct in6_addr address;
    uint16_t port;
};

bool path_endpoint_equals(const struct path_endpoint *,
                          const struct path_endpoint *);

enum path_move_state { PATH_IDLE, PATH_ASKING, PATH_HOLDING };

struct path_move {
    enum path_move_state state;
    struct path_endpoint from;  /* Where the peer is thought to be... */
    struct path_endpoint to;    /* ...and where it may be. */
    uint64_t nonces[2];         /* For 'from' and for 'to'. */
    bool old_answered;
    long long int begun_ms;
    long long int answered_ms;  /* When 'to' did; 0: not yet. */
    int tries;
    long long int silent_ms;    /* Silence counts from here: the last try. */
    bool waited;                /* Once more, after having come late. */
    long long int next_ms;      /* When there is something to do; 0: never. */
};

enum path_move_verdict {
    PATH_NOTHING,
    PATH_ASK,                   /* Send 'nonces' to 'from', if it has a port,
                                 * and 'to'. */
    PATH_MOVED,                 /* The peer is at 'to'. */
};

/* A peer whose endpoint is 'from' (port 0: unknown) was heard at 'to'.  Takes
 * both nonces and returns true if that begins something. */
bool path_move_hint(struct path_move *, const struct path_endpoint *from,
                    const struct path_endpoint *to, const uint64_t nonces[2],
                    long long int now_ms);

/* The peer answered a request with 'nonce'. */
void path_move_answered(struct path_move *, uint64_t nonce,
                        long long int now_ms);

/* Does what is due. */
enum path_move_verdict path_move_run(struct path_move *, long long int now_ms);

#endif /* datapath/path-move.h */
