/* SPDX-License-Identifier: Apache-2.0 */
/* Who may act under a node ID. */

#ifndef MAPPER_LEASE_H
#define MAPPER_LEASE_H 1

/* A disk that is copied wakes up twice, with the same node ID and the same
 * credential on it.  Only one of the two may be the node.  So each boot of a
 * host draws an ID of its own, the instance, and asks for the node ID's
 * lease; the instance that has it is the holder, and requests of any other are
 * refused (409 not-holder).  Who holds it stands in the database and is
 * written only when it changes hands.
 *
 *      nobody --first one--> held --holder is silent, or proves that it is
 *                             |     the same machine--> held by another
 *                             +--revoked, removed--> (the end)
 *
 * A request for a lease that another holds is decided in up to three steps:
 *
 *      facts --lease_decide()--> grant or refuse
 *                  |
 *                  +--ask--> challenge --heartbeat in time--> "answered"
 *                                |                               |
 *                                +--LEASE_CHALLENGE_MS--> "silent"
 *                                                                |
 *                                      lease_decide() again <----+
 *
 * The challenge goes down the holder's event stream, and its answer comes as a
 * request, POST /v1/self/heartbeat, from that very instance.  A host whose
 * network hangs can't answer, and one that has rebooted has no stream.
 *
 * What a machine is tells its stable fingerprint; what it is now, its
 * instance; whether its disk was turned back, its credential: a superseded one
 * is one that was replaced since (see identity.h).
 *
 * Signs of life are kept in memory: each request of the holder, and the last
 * TCP acknowledgement of its event stream, down which a comment goes each 15
 * seconds.  After a start of the mapper every holder counts as heard then, and
 * so it does when the mapper itself stood still (its host was paused, say), or
 * when another mapper of the service has gone, with all that it had heard.
 *
 * The holder's stream may be at another mapper.  A challenge that goes to all
 * of them ("elsewhere", see peers.h) ends when the holder answers to any, when
 * each has told for how long it has heard nothing, or undecided.
 *
 * This module decides, remembers signs, and keeps those who wait for the
 * answer to a challenge; it neither reads the database nor sends anything
 * (api-lease.c does).  Single-threaded. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/list.h"
#include "uuid.h"

struct lease;

enum {
    LEASE_DEFAULT_S = 60,
    LEASE_MAX_S = 3600,
    LEASE_CHALLENGE_MS = 2000,
    LEASE_ELSEWHERE_MS = 8000,  /* For all mappers to have told. */
    LEASE_ELSEWHERE_AGAIN_MS = 1000, /* Between two such of one node. */
    LEASE_STALL_MS = 4000,      /* Without a lease_run(). */
    LEASE_WAITERS_MAX = 16,     /* For the answer of one node. */
    LEASE_REFUSED_MS = 60 * 1000, /* Between two audits of one node. */
    LEASE_RESTORED_MS = 60 * 1000, /* Between two restorations of one. */
    LEASE_NONCE_HEX = 32,
};

/* The decision: pure. */

enum lease_holder {
    LEASE_NOBODY,               /* The node ID has no holder, */
    LEASE_SELF,                 /* the one who asks holds it already, */
    LEASE_OTHER,                /* or another instance does. */
};

enum lease_challenge {
    LEASE_NOT_ASKED,
    LEASE_ANSWERED,             /* The other holder is there. */
    LEASE_SILENT,               /* It said nothing for LEASE_CHALLENGE_MS. */
};

struct lease_facts {
    enum lease_holder holder;
    bool superseded;            /* Credential; else current or next. */
    bool same_machine;          /* The fingerprint is the registered one. */

    /* Of another holder. */
    bool stream;                /* It has, or may have, an event stream. */
    enum lease_challenge challenge;
    long long int silent_ms;    /* Since its last sign of life. */

    long long int lease_ms;
};

enum lease_verdict {
    LEASE_GRANT,                /* To the same machine, or the first one. */
    LEASE_GRANT_MOVED,          /* To another machine; the last is silent. */
    LEASE_GRANT_RESTORED,       /* To a disk that was turned back. */
    LEASE_ASK,                  /* Challenge the holder, then decide again. */
    LEASE_HELD,                 /* Not yet: see lease_retry_s(). */
    LEASE_DUPLICATE,            /* Never: it is another node now. */
};

enum lease_verdict lease_decide(const struct lease_facts *);

/* For LEASE_HELD: how many seconds to wait. */
int lease_retry_s(const struct lease_facts *);

/* Signs of life. */

struct lease *lease_create(int seconds);
void lease_destroy(struct lease *);     /* After lease_stop(). */
int lease_seconds(const struct lease *);

/* The holder of node NUMBER was heard at WHEN, in time_msec(). */
void lease_heard(struct lease *, int64_t number, long long int when);
long long int lease_last_sign(const struct lease *, int64_t number);

/* True at most once in LEASE_REFUSED_MS: an audit row may be written. */
bool lease_may_audit_refusal(struct lease *, int64_t number);

/* Node NUMBER is to get the lease with the superseded credential TO, in place
 * of FROM (hashes).  That costs new keys and an audit row, and who has several
 * credentials could come with them in turn.  Returns 0, or in how many seconds
 * it may; the same once more, because a transaction is tried again, always
 * may. */
int lease_restore(struct lease *, int64_t number, const char *from,
                  const char *to);

/* Nothing that was heard before counts any more. */
void lease_begin_anew(struct lease *);

/* Forgets nodes for which EXISTS() is false.  Once in a while. */
void lease_sweep(struct lease *, bool (*exists)(const void *aux, int64_t),
                 const void *aux);

/* Challenges. */

/* One who waits.  RESUME is called once, with 'challenge' set. */
struct lease_waiter {
    struct ovs_list list_node;
    enum lease_challenge challenge;
    long long int silence;      /* Of LEASE_SILENT, as other mappers told. */
    char holder[UUID_LEN + 1];  /* Instance that was asked. */
    void (*resume)(struct lease_waiter *);
};

/* Has WAITER, whose 'holder' is set, wait for node NUMBER's answer, ELSEWHERE
 * if all mappers are asked.  If that begins a challenge, *NONCE is what to
 * send; else null.  Returns false if too many wait, or if mappers were asked
 * for this node just now. */
bool lease_wait_answer(struct lease *, int64_t number, bool elsewhere,
                       struct lease_waiter *, const char **nonce);

/* The holder INSTANCE of node NUMBER answers with NONCE. */
void lease_answer(struct lease *, int64_t number, const char *instance,
                  const char *nonce);

/* The challenge with NONCE, to all mappers: is it still waited for?  The
 * holder has answered; it did not, and has been silent for SILENCE ms at all
 * others. */
bool lease_is_asking(const struct lease *, const char *nonce);
void lease_answered_elsewhere(struct lease *, const char *nonce);
void lease_silent_elsewhere(struct lease *, const char *nonce,
                            long long int silence);

/* Resumes all that wait, as if nothing had been asked. */
void lease_stop(struct lease *);

/* Ends what has waited long enough. */
void lease_run(struct lease *);
void lease_wait(const struct lease *);

#endif /* mapper/lease.h */
