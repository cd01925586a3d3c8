/* SPDX-License-Identifier: Apache-2.0 */
/* The API: the lease of a node ID, and the credential that comes next. */

#include <config.h>

#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/audit.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/identity.h"
#include "mapper/lease.h"
#include "mapper/node-input.h"
#include "mapper/peers.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(api_lease);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

struct lease_input {
    char instance[UUID_LEN + 1];
    struct node_input node;     /* Fingerprint and endpoints. */
};

static void
read_lease(struct model_reader *r, const json_t *body, struct lease_input *in)
{
    struct uuid instance;

    memset(in, 0, sizeof *in);
    model_reader_init(r, body);
    if (model_reader_uuid(r, "instance", MODEL_REQUIRED, &instance)) {
        snprintf(in->instance, sizeof in->instance, UUID_FMT,
                 UUID_ARGS(&instance));
    }
    node_input_read_endpoints(r, &in->node);
    in->node.fingerprint = model_reader_string(r, "fingerprint",
                                               MODEL_REQUIRED);
}

/* How long ago the holder of NODE gave a sign of life. */
static long long int
silence_of(const struct api *api, const struct mdb_node *node)
{
    long long int since = (time_msec()
                           - lease_last_sign(api->lease, node->number));

    return MIN(since, events_silence(api->events, node->number,
                                     node->instance));
}

static void
gather_facts(const struct api_call *call, const struct mdb_node *node,
             const struct lease_input *in, struct lease_facts *f)
{
    const struct api *api = call->api;
    const char *fingerprint = in->node.fingerprint;
    bool asked = !strcmp(call->waiter.holder, node->instance);

    *f = (struct lease_facts) {
        .holder = (!node->instance[0] ? LEASE_NOBODY
                   : !strcmp(node->instance, in->instance) ? LEASE_SELF
                   : LEASE_OTHER),
        .superseded = call->who.credential == IDENTITY_SUPERSEDED,
        /* A machine that has no fingerprint is like no other. */
        .same_machine = (fingerprint[0]
                         && !strcmp(node->fingerprint, fingerprint)),
        .challenge = asked ? call->waiter.challenge : LEASE_NOT_ASKED,
        .lease_ms = lease_seconds(api->lease) * 1000LL,
    };
    if (f->holder == LEASE_OTHER) {
        f->stream = (peers_are_there(api->peers)
                     || events_has_stream(api->events, node->number,
                                          node->instance));
        f->silent_ms = silence_of(api, node);
        if (asked && call->waiter.challenge == LEASE_SILENT) {
            f->silent_ms = MIN(f->silent_ms, call->waiter.silence);
        }
    }
}

/* Asking the holder. */

static void
resume(struct lease_waiter *waiter)
{
    api_continue(CONTAINER_OF(waiter, struct api_call, waiter));
}

/* Begins CALL's wait for the holder of NODE. */
static bool
ask(struct api_call *call, const struct mdb_node *node)
{
    struct api *api = call->api;
    bool elsewhere = peers_are_there(api->peers);
    const char *nonce;

    call->waiter.resume = resume;
    ovs_strlcpy(call->waiter.holder, node->instance,
                sizeof call->waiter.holder);
    if (!lease_wait_answer(api->lease, node->number, elsewhere,
                           &call->waiter, &nonce)) {
        return false;
    }
    if (nonce) {
        events_send_challenge(api->events, node->number, node->instance,
                              nonce);
        if (elsewhere) {
            peers_ask(api->peers, node->number, node->instance, nonce);
        }
    }
    return true;
}

/* A call that is not put aside is decided, or refused, in its transaction,
 * where the same is read again. */
bool
api_lease_park(struct api_call *call)
{
    const struct mdb_node *node = db_node_by_id(call->api->db, call->who.id);
    struct lease_facts facts;
    struct lease_input in;
    struct model_reader r;
    bool parked = false;

    read_lease(&r, call->body, &in);
    char *error = model_reader_finish(&r, MODEL_REFUSE_UNKNOWN);
    if (!error && node) {
        gather_facts(call, node, &in, &facts);
        parked = lease_decide(&facts) == LEASE_ASK && ask(call, node);
    }
    free(error);
    free(in.node.endpoints);
    return parked;
}

void
api_self_heartbeat(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);
    struct model_reader r;

    if (!node) {
        return;
    }
    model_reader_init(&r, call->body);
    const char *nonce = model_reader_string(&r, "nonce", MODEL_REQUIRED);
    if (api_finish_reader(call, &r)) {
        /* An answer that comes late is nobody's fault. */
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
        lease_answer(call->api->lease, node->number, call->who.instance,
                     nonce);
    }
}

/* The verdict. */

static void
grant(struct api_call *call, const struct mdb_node *node,
      const struct lease_input *in, enum lease_verdict verdict)
{
    struct txn *txn = call->txn;

    if (strcmp(node->instance, in->instance)) {
        VLOG_INFO_RL(&rl, "lease of node %s: instance %s", node->node_id,
                     in->instance);
        txn_touch(txn);
        mdb_node_set_instance(node, in->instance);
    }
    if (verdict == LEASE_GRANT_MOVED) {
        audit(call, "node-moved", node->name, "from the machine %s to %s",
              node->fingerprint, in->node.fingerprint);
    } else if (verdict == LEASE_GRANT_RESTORED) {
        size_t n = identity_rekey(txn, node);

        audit(call, "node-restored", node->name, "came with a credential "
              "that had been replaced; new keys in %"PRIuSIZE" vSubnets", n);
    }
    identity_use(txn, node, call->who.credential, call->who.hash);
    node_input_write(txn, node, &in->node);
    lease_heard(call->api->lease, node->number, time_msec());
    api_ok(call, MHD_HTTP_OK,
           json_pack("{s:i, s:o}", "lease", lease_seconds(call->api->lease),
                     "node", api_self_json(call, node)));
}

static void
refuse_held(struct api_call *call, int retry_after)
{
    api_fail(call, MHD_HTTP_CONFLICT, "lease-held", NULL,
             "another instance of this node may still be alive, or it was "
             "restored a moment ago; ask again in %d s", retry_after);
    api_problem_set(call, "retry_after", json_integer(retry_after));
}

static void
refuse_duplicate(struct api_call *call, const struct mdb_node *node,
                 const struct lease_input *in)
{
    VLOG_WARN_RL(&rl, "node ID %s: %s is a clone, from %s", node->node_id,
                 in->instance, call->source);
    if (lease_may_audit_refusal(call->api->lease, node->number)) {
        audit(call, "duplicate-refused", node->name,
              "instance %s on the machine %s", in->instance,
              in->node.fingerprint);
    }
    api_fail(call, MHD_HTTP_CONFLICT, "duplicate-node-id", NULL,
             "this node ID belongs to another instance: register as a node "
             "of your own");
}

static void
decide(struct api_call *call, const struct mdb_node *node,
       const struct lease_input *in)
{
    struct lease_facts facts;

    gather_facts(call, node, in, &facts);
    enum lease_verdict verdict = lease_decide(&facts);
    int seconds = (verdict == LEASE_GRANT_RESTORED
                   ? lease_restore(call->api->lease, node->number,
                                   node->credential_hash, call->who.hash)
                   : 0);
    if (seconds) {
        refuse_held(call, seconds);
        return;
    }
    switch (verdict) {
    case LEASE_GRANT:
    case LEASE_GRANT_MOVED:
    case LEASE_GRANT_RESTORED:
        grant(call, node, in, verdict);
        break;

    case LEASE_ASK:
        /* Another has become the holder meanwhile, or too many wait. */
        refuse_held(call, 1);
        break;

    case LEASE_HELD:
        refuse_held(call, lease_retry_s(&facts));
        break;

    case LEASE_DUPLICATE:
        refuse_duplicate(call, node, in);
        break;
    }
}

void
api_self_lease(struct api_call *call)
{
    struct lease_input in;
    struct model_reader r;

    read_lease(&r, call->body, &in);
    if (api_finish_reader(call, &r)) {
        const struct mdb_node *node = api_self(call);

        if (node) {
            decide(call, node, &in);
        }
    }
    free(in.node.endpoints);
}

/* The credential that comes next. */

static void
put_credential(struct api_call *call, const char *hash)
{
    const struct mdb_node *node = api_self(call);

    if (!node) {
        return;
    }
    switch (identity_match(node, hash)) {
    case IDENTITY_NONE:
        txn_touch(call->txn);
        mdb_node_set_credential_next(node, hash);
        break;

    case IDENTITY_CURRENT:
    case IDENTITY_NEXT:
        break;                  /* The answer was lost. */

    case IDENTITY_SUPERSEDED:
        api_fail(call, MHD_HTTP_CONFLICT, "stale-credential",
                 "credential_hash", "this credential has been used before");
        return;
    }
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}

void
api_self_credential(struct api_call *call)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    const char *hash = model_reader_string(&r, "credential_hash",
                                           MODEL_REQUIRED);
    if (hash && !auth_is_hash(hash)) {
        model_reader_fail(&r, "credential_hash",
                          xstrdup("not a SHA-256 in lower-case hex"));
    }
    if (!api_finish_reader(call, &r)) {
        return;
    } else if (!call->who.instance[0]) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-holder", NULL,
                 "only the holder of the lease may do this");
    } else {
        put_credential(call, hash);
    }
}
