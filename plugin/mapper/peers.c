/* SPDX-License-Identifier: Apache-2.0 */
/* The other mappers of this service. */

#include <config.h>

#include "mapper/peers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "mapper/confirm.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/lease.h"
#include "mapper/txn.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(peers);

COVERAGE_DEFINE(mapper_peers_ask);
COVERAGE_DEFINE(mapper_peers_job);
COVERAGE_DEFINE(mapper_peers_away);

/* Another mapper, by its row of table Instance. */
struct peer {
    struct hmap_node hmap_node;
    struct uuid id;
    int64_t starts;
    long long int called;       /* Seen to be called; LLONG_MAX: it is not. */
    bool away;
    bool seen;                  /* In this run. */
};

/* A challenge of this mapper's to the others. */
struct question {
    struct ovs_list list_node;
    int64_t number;
    char holder[UUID_LEN + 1];
    char nonce[LEASE_NONCE_HEX + 1];
    long long int begun;
};

/* A challenge of another mapper. */
struct job {
    struct ovs_list list_node;
    struct peers *peers;
    int64_t number;
    char nonce[LEASE_NONCE_HEX + 1];
    struct lease_waiter waiter;
    bool waiting;               /* For the holder. */
    bool answered;              /* By the holder. */
    long long int silence;      /* Otherwise. */
    bool seen;                  /* In this run. */
};

struct peers {
    const struct db *db;
    struct txn_queue *txns;
    struct events *events;
    struct lease *lease;
    struct confirm *confirm;
    struct uuid self;

    struct hmap peers;          /* "struct peer"s. */
    struct ovs_list questions;
    struct ovs_list jobs;
    size_t n_jobs;

    struct txn_request request;
    bool queued;                /* 'request' is under way. */
    bool announced;             /* The others know of this start. */
    unsigned int seqno;         /* Of the IDL, when it was last looked at. */
    bool changed;               /* Something else is to be looked at. */
    bool call;                  /* Keys wait: call all others. */
    long long int next_call;
    long long int had_database; /* The last time; LLONG_MAX: now. */
    bool cut;                   /* Streams were ended since. */
};

struct peers *
peers_create(const struct db *db, struct txn_queue *txns,
             struct events *events, struct lease *lease,
             struct confirm *confirm, const struct uuid *self)
{
    struct peers *peers = xzalloc(sizeof *peers);

    peers->db = db;
    peers->txns = txns;
    peers->events = events;
    peers->lease = lease;
    peers->confirm = confirm;
    peers->self = *self;
    hmap_init(&peers->peers);
    ovs_list_init(&peers->questions);
    ovs_list_init(&peers->jobs);
    peers->had_database = time_msec();
    peers->changed = true;
    return peers;
}

static void
job_destroy(struct job *job)
{
    if (job->waiting) {
        ovs_list_remove(&job->waiter.list_node);
    }
    ovs_list_remove(&job->list_node);
    job->peers->n_jobs--;
    free(job);
}

void
peers_destroy(struct peers *peers)
{
    struct question *question;
    struct peer *peer;
    struct job *job;

    if (!peers) {
        return;
    }
    LIST_FOR_EACH_POP (question, list_node, &peers->questions) {
        free(question);
    }
    LIST_FOR_EACH_SAFE (job, list_node, &peers->jobs) {
        job_destroy(job);
    }
    HMAP_FOR_EACH_POP (peer, hmap_node, &peers->peers) {
        free(peer);
    }
    hmap_destroy(&peers->peers);
    free(peers);
}

bool
peers_is_other(const struct mdb_instance *row, const struct uuid *self)
{
    return !row->away && !uuid_equals(&row->instance, self);
}

bool
peers_are_there(const struct peers *peers)
{
    const struct mdb_instance *row;

    MDB_INSTANCE_FOR_EACH (row, peers->db->idl) {
        if (peers_is_other(row, &peers->self)) {
            return true;
        }
    }
    return false;
}

/* Who is there. */

static struct peer *
get_peer(struct peers *peers, const struct mdb_instance *row)
{
    uint32_t hash = uuid_hash(&row->instance);
    struct peer *peer;

    HMAP_FOR_EACH_WITH_HASH (peer, hmap_node, hash, &peers->peers) {
        if (uuid_equals(&peer->id, &row->instance)) {
            return peer;
        }
    }
    peer = xmalloc(sizeof *peer);
    *peer = (struct peer) {
        .id = row->instance,
        .starts = row->starts,
        .called = LLONG_MAX,
        .away = row->away,
    };
    hmap_insert(&peers->peers, &peer->hmap_node, hash);
    return peer;
}

/* What it had heard is lost, and its nodes are on their way. */
static void
gone(struct peers *peers, const struct uuid *id)
{
    VLOG_INFO("mapper "UUID_FMT" has ended: leases begin anew", UUID_ARGS(id));
    lease_begin_anew(peers->lease);
    confirm_mapper_gone(peers->confirm);
}

static void
look_at_instances(struct peers *peers)
{
    const struct mdb_instance *row;
    struct peer *peer;

    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        peer->seen = false;
    }
    MDB_INSTANCE_FOR_EACH (row, peers->db->idl) {
        if (uuid_equals(&row->instance, &peers->self)) {
            continue;
        }
        peer = get_peer(peers, row);
        peer->seen = true;
        if ((row->away && !peer->away) || row->starts != peer->starts) {
            gone(peers, &peer->id);
        } else if (!row->away && peer->away) {
            VLOG_INFO("mapper "UUID_FMT" is there", UUID_ARGS(&peer->id));
        }
        peer->away = row->away;
        peer->starts = row->starts;
        if (!row->called) {
            peer->called = LLONG_MAX;
        } else if (peer->called == LLONG_MAX) {
            peer->called = time_msec();
        }
    }
    HMAP_FOR_EACH_SAFE (peer, hmap_node, &peers->peers) {
        if (!peer->seen) {
            hmap_remove(&peers->peers, &peer->hmap_node);
            free(peer);
        }
    }
}

/* Without a database nobody could have answered. */
static void
look_at_database(struct peers *peers)
{
    struct peer *peer;

    if (txn_queue_is_ready(peers->txns)
        && !txn_queue_is_stuck(peers->txns)) {
        peers->had_database = LLONG_MAX;
        peers->cut = false;
        return;
    }
    if (peers->had_database == LLONG_MAX) {
        peers->had_database = time_msec();
    }
    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        if (peer->called != LLONG_MAX) {
            peer->called = time_msec();
        }
    }
    if (!peers->cut && peers_are_there(peers)
        && time_msec() - peers->had_database >= PEERS_ALONE_MS) {
        VLOG_WARN("no database for %d s: nodes are sent to other mappers",
                  PEERS_ALONE_MS / 1000);
        events_cut_nodes(peers->events);
        peers->cut = true;
    }
}

/* Challenges of this mapper's. */

static const struct mdb_challenge *
find_challenge(const struct peers *peers, const char *nonce)
{
    const struct mdb_challenge *row;

    MDB_CHALLENGE_FOR_EACH (row, peers->db->idl) {
        if (!strcmp(row->nonce, nonce)) {
            return row;
        }
    }
    return NULL;
}

static struct question *
find_question(const struct peers *peers, const char *nonce)
{
    struct question *question;

    LIST_FOR_EACH (question, list_node, &peers->questions) {
        if (!strcmp(question->nonce, nonce)) {
            return question;
        }
    }
    return NULL;
}

void
peers_ask(struct peers *peers, int64_t number, const char *holder,
          const char *nonce)
{
    struct question *question = xzalloc(sizeof *question);

    COVERAGE_INC(mapper_peers_ask);
    question->number = number;
    ovs_strlcpy(question->holder, holder, sizeof question->holder);
    ovs_strlcpy(question->nonce, nonce, sizeof question->nonce);
    question->begun = time_msec();
    ovs_list_push_back(&peers->questions, &question->list_node);
    peers->changed = true;
}

static bool
has_replied(const struct mdb_challenge *row, const struct uuid *mapper,
            long long int *silence)
{
    for (size_t i = 0; i < row->n_replies; i++) {
        if (uuid_equals(&row->key_replies[i], mapper)) {
            *silence = MIN(*silence, row->value_replies[i]);
            return true;
        }
    }
    return false;
}

/* Ends QUESTION's challenge if ROW says enough. */
static void
look_at_replies(struct peers *peers, const struct question *question,
                const struct mdb_challenge *row)
{
    const struct mdb_instance *instance;
    long long int silence = LLONG_MAX;

    if (row->answered) {
        lease_answered_elsewhere(peers->lease, question->nonce);
        return;
    }
    /* It is asked here, too. */
    if (events_has_stream(peers->events, question->number, question->holder)
        && time_msec() - question->begun < LEASE_CHALLENGE_MS) {
        return;
    }
    MDB_INSTANCE_FOR_EACH (instance, peers->db->idl) {
        if (peers_is_other(instance, &peers->self)
            && !has_replied(row, &instance->instance, &silence)) {
            return;
        }
    }
    lease_silent_elsewhere(peers->lease, question->nonce, silence);
}

static void
look_at_questions(struct peers *peers)
{
    struct question *question;

    LIST_FOR_EACH_SAFE (question, list_node, &peers->questions) {
        const struct mdb_challenge *row = find_challenge(peers,
                                                         question->nonce);

        if (row) {
            look_at_replies(peers, question, row);
        }
        if (!lease_is_asking(peers->lease, question->nonce)) {
            ovs_list_remove(&question->list_node);
            free(question);
        }
    }
}

/* Challenges of others. */

static struct job *
find_job(const struct peers *peers, const char *nonce)
{
    struct job *job;

    LIST_FOR_EACH (job, list_node, &peers->jobs) {
        if (!strcmp(job->nonce, nonce)) {
            return job;
        }
    }
    return NULL;
}

static long long int
silence_here(const struct peers *peers, int64_t number, const char *holder)
{
    long long int since = (time_msec()
                           - lease_last_sign(peers->lease, number));

    return MIN(since, events_silence(peers->events, number, holder));
}

static void
job_resume(struct lease_waiter *waiter)
{
    struct job *job = CONTAINER_OF(waiter, struct job, waiter);

    job->waiting = false;
    job->answered = waiter->challenge == LEASE_ANSWERED;
    job->silence = silence_here(job->peers, job->number, waiter->holder);
    job->peers->changed = true;
}

static struct job *
begin_job(struct peers *peers, const struct mdb_challenge *row)
{
    struct job *job = xzalloc(sizeof *job);
    const char *nonce = NULL;

    COVERAGE_INC(mapper_peers_job);
    job->peers = peers;
    job->number = row->node;
    ovs_strlcpy(job->nonce, row->nonce, sizeof job->nonce);
    ovs_strlcpy(job->waiter.holder, row->holder, sizeof job->waiter.holder);
    job->waiter.resume = job_resume;
    ovs_list_push_back(&peers->jobs, &job->list_node);
    peers->n_jobs++;
    if (events_has_stream(peers->events, row->node, row->holder)) {
        job->waiting = lease_wait_answer(peers->lease, row->node, false,
                                         &job->waiter, &nonce);
    }
    if (nonce) {
        events_send_challenge(peers->events, row->node, row->holder, nonce);
    }
    if (!job->waiting) {
        job->silence = silence_here(peers, row->node, row->holder);
    }
    return job;
}

static void
look_at_challenges(struct peers *peers)
{
    const struct mdb_challenge *row;
    struct job *job;

    LIST_FOR_EACH (job, list_node, &peers->jobs) {
        job->seen = false;
    }
    MDB_CHALLENGE_FOR_EACH (row, peers->db->idl) {
        if (uuid_equals(&row->asker, &peers->self)) {
            continue;
        }
        job = find_job(peers, row->nonce);
        if (!job && peers->n_jobs < PEERS_JOBS_MAX) {
            job = begin_job(peers, row);
        }
        if (job) {
            job->seen = true;
        }
    }
    LIST_FOR_EACH_SAFE (job, list_node, &peers->jobs) {
        if (!job->seen && !job->waiting) {
            job_destroy(job);
        }
    }
}

/* Writing.  Each function writes what is to be written; with a null TXN it
 * only returns true if there is something. */

static bool
write_self(struct peers *peers, struct txn *txn)
{
    const struct mdb_instance *row = db_instance(peers->db, &peers->self);

    if (peers->announced && row && !row->away && !row->called) {
        return false;
    }
    if (txn) {
        if (!row) {
            row = mdb_instance_insert(txn->idl_txn);
            mdb_instance_set_instance(row, peers->self);
        }
        if (!peers->announced) {
            mdb_instance_set_starts(row, row->starts + 1);
        }
        mdb_instance_set_away(row, false);
        mdb_instance_set_called(row, false);
        txn_note(txn);
    }
    return true;
}

static void
call_all(struct peers *peers, struct txn *txn)
{
    const struct mdb_instance *row;

    MDB_INSTANCE_FOR_EACH (row, peers->db->idl) {
        if (peers_is_other(row, &peers->self) && !row->called) {
            mdb_instance_set_called(row, true);
            txn_note(txn);
        }
    }
}

static bool
write_calls(struct peers *peers, struct txn *txn)
{
    if (!peers->call || !peers_are_there(peers)) {
        return false;
    }
    if (txn) {
        call_all(peers, txn);
    }
    return true;
}

static bool
write_away(struct peers *peers, struct txn *txn)
{
    long long int now = time_msec();
    const struct mdb_instance *row;
    bool any = false;

    MDB_INSTANCE_FOR_EACH (row, peers->db->idl) {
        if (!row->called || !peers_is_other(row, &peers->self)) {
            continue;
        }
        const struct peer *peer = get_peer(peers, row);
        if (peer->called == LLONG_MAX
            || now - peer->called < PEERS_PATIENCE_MS) {
            continue;
        }
        any = true;
        if (txn) {
            COVERAGE_INC(mapper_peers_away);
            mdb_instance_set_away(row, true);
            mdb_instance_set_called(row, false);
            txn_note(txn);
        }
    }
    return any;
}

static bool
write_questions(struct peers *peers, struct txn *txn)
{
    const struct question *question;
    bool any = false;

    LIST_FOR_EACH (question, list_node, &peers->questions) {
        if (find_challenge(peers, question->nonce)) {
            continue;
        }
        any = true;
        if (txn) {
            struct mdb_challenge *row = mdb_challenge_insert(txn->idl_txn);

            mdb_challenge_set_nonce(row, question->nonce);
            mdb_challenge_set_asker(row, peers->self);
            mdb_challenge_set_node(row, question->number);
            mdb_challenge_set_holder(row, question->holder);
            txn_note(txn);
            call_all(peers, txn);
        }
    }
    return any;
}

static bool
asker_is_away(const struct peers *peers, const struct mdb_challenge *row)
{
    const struct mdb_instance *asker = db_instance(peers->db, &row->asker);

    return !asker || asker->away;
}

/* Rows of questions that are answered, or whose asker has gone. */
static bool
delete_challenges(struct peers *peers, struct txn *txn)
{
    const struct mdb_challenge *row;
    bool any = false;

    MDB_CHALLENGE_FOR_EACH_SAFE (row, peers->db->idl) {
        bool own = uuid_equals(&row->asker, &peers->self);

        if (own ? !find_question(peers, row->nonce)
            : asker_is_away(peers, row)) {
            any = true;
            if (txn) {
                mdb_challenge_delete(row);
                txn_note(txn);
            }
        }
    }
    return any;
}

static bool
write_replies(struct peers *peers, struct txn *txn)
{
    const struct job *job;
    bool any = false;

    LIST_FOR_EACH (job, list_node, &peers->jobs) {
        const struct mdb_challenge *row = find_challenge(peers, job->nonce);
        long long int silence = 0;

        if (job->waiting || !row || row->answered
            || has_replied(row, &peers->self, &silence)) {
            continue;
        }
        any = true;
        if (txn) {
            if (job->answered) {
                mdb_challenge_set_answered(row, true);
            } else {
                mdb_challenge_update_replies_setkey(
                    row, peers->self, MIN(job->silence, LEASE_MAX_S * 1000LL));
            }
            txn_note(txn);
        }
    }
    return any;
}

static bool
write_keys(struct peers *peers, struct txn *txn)
{
    return (peers_are_there(peers)
            && confirm_write(peers->confirm, peers->events, txn));
}

static bool
write_all(struct peers *peers, struct txn *txn)
{
    bool (*const parts[])(struct peers *, struct txn *) = {
        write_self, write_calls, write_away, delete_challenges,
        write_questions, write_replies, write_keys,
    };
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        any |= parts[i](peers, txn);
        if (any && !txn) {
            break;
        }
    }
    return any;
}

static void
apply(struct txn_request *request, struct txn *txn)
{
    write_all(CONTAINER_OF(request, struct peers, request), txn);
}

static void
done(struct txn_request *request, enum txn_outcome outcome,
     int attempt OVS_UNUSED)
{
    struct peers *peers = CONTAINER_OF(request, struct peers, request);

    peers->announced = peers->announced || outcome == TXN_DONE;
    peers->queued = false;
    peers->changed = true;
    peers->call = peers->call && outcome != TXN_DONE;
}

/* Keys that are not confirmed elsewhere may wait for one that is gone. */
static void
run_calls(struct peers *peers)
{
    if (time_msec() >= peers->next_call
        && confirm_waits_for_mappers(peers->confirm)) {
        peers->next_call = time_msec() + PEERS_PATIENCE_MS;
        peers->call = peers->changed = true;
    }
}

void
peers_run(struct peers *peers)
{
    unsigned int seqno = ovsdb_idl_get_seqno(peers->db->idl);

    look_at_database(peers);
    if (peers->had_database != LLONG_MAX) {
        return;
    }
    if (seqno != peers->seqno) {
        peers->seqno = seqno;
        look_at_instances(peers);
        look_at_challenges(peers);
        confirm_changed(peers->confirm);
    }
    look_at_questions(peers);
    run_calls(peers);
    if (!peers->queued && write_all(peers, NULL)) {
        peers->request.apply = apply;
        peers->request.done = done;
        peers->queued = txn_queue_add(peers->txns, &peers->request);
    }
    peers->changed = false;
}

void
peers_wait(const struct peers *peers)
{
    const struct peer *peer;

    if (peers->had_database != LLONG_MAX) {
        poll_timer_wait(1000);
        return;
    }
    if (peers->changed
        || (!peers->queued && peers_are_there(peers)
            && confirm_write(peers->confirm, peers->events, NULL))) {
        poll_immediate_wake();
    }
    if (!ovs_list_is_empty(&peers->questions)
        || confirm_waits_for_mappers(peers->confirm)) {
        poll_timer_wait(200);
    }
    HMAP_FOR_EACH (peer, hmap_node, &peers->peers) {
        if (!peer->away && peer->called != LLONG_MAX) {
            poll_timer_wait_until(peer->called + PEERS_PATIENCE_MS);
        }
    }
}
