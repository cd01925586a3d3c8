/* SPDX-License-Identifier: Apache-2.0 */
/* The queue through which every change of the database passes. */

#include <config.h>

#include "mapper/txn.h"

#include "coverage.h"
#include "mapper/db.h"
#include "mapper/ipam-hint.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(txn);

COVERAGE_DEFINE(mapper_commit);
COVERAGE_DEFINE(mapper_commit_retry);
COVERAGE_DEFINE(mapper_commit_refused);

enum txn_state {
    TXN_S_IDLE,
    TXN_S_COMMITTING,           /* 'idl_txn' is on its way. */
    TXN_S_SYNCING,              /* Committed; the IDL may not show it yet. */
    TXN_S_RETRYING,             /* Waiting for a change of 'seqno'. */
};

struct txn_queue {
    const struct db *db;
    struct uuid instance;       /* Names this mapper's row. */

    struct ovs_list waiting;    /* "struct txn_request"s. */
    size_t n_waiting;

    enum txn_state state;
    struct ovs_list group;      /* What is being committed. */
    struct ovsdb_idl_txn *idl_txn;
    struct uuid attempts[TXN_ATTEMPTS_MAX];
    int attempt;                /* The present one. */
    bool sent_it;               /* To the database. */
    bool gave_up;               /* The server that it was sent to. */
    bool in_doubt;              /* Whether it was committed is not known. */
    int64_t number;             /* Service.number after it, */
    bool notes;                 /* but for one that leaves it as it is. */
    unsigned int seqno;         /* IDL's, when it was sent. */
    long long int sent;
    long long int deadline;     /* For a database to be there again. */
};

struct txn_queue *
txn_queue_create(const struct db *db, const struct uuid *instance)
{
    struct txn_queue *q = xzalloc(sizeof *q);

    q->db = db;
    q->instance = *instance;
    ovs_list_init(&q->waiting);
    ovs_list_init(&q->group);
    return q;
}

static void
finish(struct ovs_list *list, enum txn_outcome outcome, int attempt)
{
    struct txn_request *request;

    LIST_FOR_EACH_POP (request, list_node, list) {
        request->done(request, outcome, attempt);
    }
}

void
txn_queue_destroy(struct txn_queue *q)
{
    if (q) {
        if (q->idl_txn) {
            ovsdb_idl_txn_destroy(q->idl_txn);
        }
        finish(&q->group, TXN_UNAVAILABLE, 0);
        finish(&q->waiting, TXN_UNAVAILABLE, 0);
        free(q);
    }
}

bool
txn_queue_is_ready(const struct txn_queue *q)
{
    return (ovsdb_idl_has_ever_connected(q->db->idl)
            && ovsdb_idl_is_connected(q->db->idl)
            && db_service(q->db));
}

bool
txn_queue_is_stuck(const struct txn_queue *q)
{
    return (q->state != TXN_S_IDLE
            && time_msec() - q->sent > TXN_STUCK_MS);
}

bool
txn_queue_add(struct txn_queue *q, struct txn_request *request)
{
    if (q->n_waiting >= TXN_QUEUE_MAX) {
        return false;
    }
    request->deadline = time_msec() + TXN_PATIENCE_MS;
    request->alone = false;
    ovs_list_push_back(&q->waiting, &request->list_node);
    q->n_waiting++;
    return true;
}

int64_t
txn_touch(struct txn *txn)
{
    txn->changed = true;
    return txn->number;
}

void
txn_note(struct txn *txn)
{
    txn->noted = true;
}

int64_t
txn_new_node_number(struct txn *txn)
{
    const struct mdb_service *service = db_service(txn->db);
    int64_t number = service->next_node;

    txn_touch(txn);
    mdb_service_set_next_node(service, number + 1);
    return number;
}

int64_t
txn_new_spi(struct txn *txn)
{
    const struct mdb_service *service = db_service(txn->db);
    int64_t spi = service->next_spi;

    txn_touch(txn);
    mdb_service_set_next_spi(service, spi + 1);
    return spi;
}

/* Moves what goes into one transaction from 'waiting' to 'group'. */
static void
take_group(struct txn_queue *q)
{
    int n = 0;

    while (q->n_waiting && n < TXN_GROUP_MAX) {
        struct txn_request *request = CONTAINER_OF(
            ovs_list_front(&q->waiting), struct txn_request, list_node);
        bool alone = request->alone;

        if (alone && n) {
            break;
        }
        ovs_list_remove(&request->list_node);
        ovs_list_push_back(&q->group, &request->list_node);
        q->n_waiting--;
        n++;
        if (alone) {
            break;
        }
    }
}

/* Applies 'group' and sends the transaction. */
static void
begin_attempt(struct txn_queue *q)
{
    const struct mdb_service *service = db_service(q->db);
    struct txn txn = {
        .db = q->db,
        .idl_txn = ovsdb_idl_txn_create(q->db->idl),
        .attempt = q->attempt,
        .number = service->number + 1,
    };
    struct txn_request *request;

    LIST_FOR_EACH (request, list_node, &q->group) {
        request->apply(request, &txn);
    }
    if (!txn.changed && !txn.noted) {
        ovsdb_idl_txn_abort(txn.idl_txn);
        ovsdb_idl_txn_destroy(txn.idl_txn);
        q->state = TXN_S_IDLE;
        finish(&q->group, TXN_DONE, q->attempt);
        return;
    }

    uuid_generate(&q->attempts[q->attempt]);
    const struct mdb_instance *row = db_instance(q->db, &q->instance);
    if (!row) {
        row = mdb_instance_insert(txn.idl_txn);
        mdb_instance_set_instance(row, q->instance);
    }
    mdb_instance_set_last_txn(row, q->attempts[q->attempt]);

    /* Whoever else changed anything also changed the number, so this one
     * check makes all others good for the moment of the commit. */
    mdb_service_verify_number(service);
    if (txn.changed) {
        mdb_service_set_number(service, txn.number);
    }

    COVERAGE_INC(mapper_commit);
    q->idl_txn = txn.idl_txn;
    q->number = txn.number;
    q->notes = !txn.changed;
    q->seqno = ovsdb_idl_get_seqno(q->db->idl);
    q->sent = time_msec();
    q->sent_it = q->gave_up = false;
    q->state = TXN_S_COMMITTING;
}

/* Answers those who have waited too long for a database. */
static void
expire(struct txn_queue *q)
{
    long long int now = time_msec();

    while (q->n_waiting) {
        struct txn_request *request = CONTAINER_OF(
            ovs_list_front(&q->waiting), struct txn_request, list_node);

        if (now < request->deadline) {
            break;
        }
        ovs_list_remove(&request->list_node);
        q->n_waiting--;
        request->done(request, TXN_UNAVAILABLE, 0);
    }
}

static bool
run_idle(struct txn_queue *q)
{
    if (!q->n_waiting || !txn_queue_is_ready(q)) {
        return false;
    }
    take_group(q);
    q->attempt = 0;
    begin_attempt(q);
    return true;
}

/* The database said that the transaction breaks one of its rules.  That is a
 * defect of a request's checks: find out which one by trying each alone. */
static void
handle_refusal(struct txn_queue *q)
{
    struct txn_request *request;

    COVERAGE_INC(mapper_commit_refused);
    if (ovs_list_is_short(&q->group)) {
        finish(&q->group, TXN_REFUSED, q->attempt);
    } else {
        LIST_FOR_EACH_REVERSE_SAFE (request, list_node, &q->group) {
            ovs_list_remove(&request->list_node);
            request->alone = true;
            ovs_list_push_front(&q->waiting, &request->list_node);
            q->n_waiting++;
        }
    }
    q->state = TXN_S_IDLE;
}

/* A server whose disk is full answers everything but commits nothing, and goes
 * on saying that it leads, long after another one does. */
static void
look_for_other_server(struct txn_queue *q)
{
    if (q->db->has_other_servers && !q->gave_up
        && time_msec() - q->sent >= TXN_OTHER_SERVER_MS) {
        VLOG_WARN("the database server does not commit: trying another one");
        ovsdb_idl_force_reconnect(q->db->idl);
        q->gave_up = true;
    }
}

static bool
run_committing(struct txn_queue *q)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(q->idl_txn);

    if (status == TXN_INCOMPLETE) {
        q->sent_it = true;
        look_for_other_server(q);
        return false;
    }
    if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
        q->state = TXN_S_SYNCING;
    } else if (status == TXN_TRY_AGAIN) {
        /* Either another mapper was first, which the database said on a
         * connection that still stands, or the connection is gone. */
        COVERAGE_INC(mapper_commit_retry);
        q->in_doubt = !ovsdb_idl_is_connected(q->db->idl);
        q->deadline = time_msec() + TXN_PATIENCE_MS;
        q->state = TXN_S_RETRYING;
        ipam_hints_forget(q->db->hints);
    } else {
        ipam_hints_forget(q->db->hints);
        VLOG_ERR("database refused a transaction: %s",
                 ovsdb_idl_txn_get_error(q->idl_txn));
        handle_refusal(q);
    }
    ovsdb_idl_txn_destroy(q->idl_txn);
    q->idl_txn = NULL;
    return true;
}

static bool
run_syncing(struct txn_queue *q)
{
    const struct mdb_service *service = db_service(q->db);
    const struct mdb_instance *row = db_instance(q->db, &q->instance);

    if (!service || !row
        || (q->notes
            ? !uuid_equals(&row->last_txn, &q->attempts[q->attempt])
            : service->number < q->number)) {
        return false;
    }
    q->state = TXN_S_IDLE;
    finish(&q->group, TXN_DONE, q->attempt);
    return true;
}

/* True if the IDL shows what the last attempt, or another mapper in its place,
 * has made of the database.  A server whose cluster did not answer in time
 * tries a transaction once more itself, and then refuses it, because it was
 * done the first time: the refusal alone does not say whose the change is. */
static bool
shows_outcome(const struct txn_queue *q)
{
    return (txn_queue_is_ready(q)
            && ovsdb_idl_get_seqno(q->db->idl) != q->seqno
            && (q->in_doubt || !q->sent_it
                || db_service(q->db)->number >= q->number));
}

static bool
run_retrying(struct txn_queue *q)
{
    /* A connection that broke since can't tell any more. */
    q->in_doubt |= q->sent_it && !ovsdb_idl_is_connected(q->db->idl);
    if (!shows_outcome(q)) {
        if (time_msec() < q->deadline) {
            return false;
        }
        q->state = TXN_S_IDLE;
        finish(&q->group, TXN_UNAVAILABLE, 0);
        return true;
    }

    const struct mdb_instance *row = db_instance(q->db, &q->instance);
    for (int i = 0; row && i <= q->attempt; i++) {
        if (uuid_equals(&row->last_txn, &q->attempts[i])) {
            q->state = TXN_S_IDLE;
            finish(&q->group, TXN_DONE, i);
            return true;
        }
    }
    q->attempt += q->in_doubt;
    if (q->attempt >= TXN_ATTEMPTS_MAX) {
        q->state = TXN_S_IDLE;
        finish(&q->group, TXN_UNAVAILABLE, 0);
    } else {
        begin_attempt(q);
    }
    return true;
}

void
txn_queue_run(struct txn_queue *q)
{
    bool (*const run[])(struct txn_queue *) = {
        [TXN_S_IDLE] = run_idle,
        [TXN_S_COMMITTING] = run_committing,
        [TXN_S_SYNCING] = run_syncing,
        [TXN_S_RETRYING] = run_retrying,
    };

    expire(q);

    /* A few steps at a time, so that HTTP gets its turn.
     *
     * A transaction that was made is also given to the IDL: until then
     * ovsdb_idl_run() must not be called, and readers would see what is not
     * committed. */
    for (int i = 0; i < 8 || q->state == TXN_S_COMMITTING; i++) {
        if (!run[q->state](q)) {
            return;
        }
    }
    poll_immediate_wake();
}

void
txn_queue_wait(struct txn_queue *q)
{
    if (q->n_waiting) {
        poll_timer_wait(1000);          /* For expire(). */
    }
    switch (q->state) {
    case TXN_S_IDLE:
        if (q->n_waiting && txn_queue_is_ready(q)) {
            poll_immediate_wake();
        }
        break;

    case TXN_S_COMMITTING:
        ovsdb_idl_txn_wait(q->idl_txn);
        if (q->db->has_other_servers && !q->gave_up) {
            poll_timer_wait_until(q->sent + TXN_OTHER_SERVER_MS);
        }
        break;

    case TXN_S_SYNCING:
    case TXN_S_RETRYING:
        /* The IDL wakes the loop; is_ready() may turn true without it. */
        poll_timer_wait(1000);
        break;
    }
}
