/* SPDX-License-Identifier: Apache-2.0 */
/* What the mapper tells those who watch it. */

#include <config.h>

#include "mapper/monitor.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "coverage.h"
#include "mapper/api.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/http.h"
#include "mapper/pki.h"
#include "mapper/request-stats.h"
#include "mapper/txn.h"
#include "model/metrics.h"
#include "openvswitch/dynamic-string.h"
#include "ovsdb-idl.h"
#include "util.h"

/* Counters that modules keep. */
#define COUNTERS                                                        \
    COUNTER(mapper_http_deadline, "connections_late_total",             \
            "Connections cut because a request did not arrive in time.") \
    COUNTER(mapper_http_stranger, "connections_displaced_total",        \
            "Connections without a credential that gave way to newer "  \
            "ones.")                                                    \
    COUNTER(mapper_http_too_large, "requests_too_large_total",          \
            "Requests whose body was too large.")                       \
    COUNTER(mapper_api_unauthorized, "requests_unauthorized_total",     \
            "Requests with a missing or unknown credential.")           \
    COUNTER(mapper_event_change, "events_change_total",                 \
            "Changes sent to event streams.")                           \
    COUNTER(mapper_event_snapshot, "events_snapshot_total",             \
            "Snapshots made for event streams.")                        \
    COUNTER(mapper_event_rendered, "events_rendered_total",             \
            "Changes turned into text, each for all streams that see "  \
            "the same.")                                                \
    COUNTER(mapper_event_resumed, "streams_resumed_total",              \
            "Event streams that went on where they had ended.")         \
    COUNTER(mapper_stream_cut, "streams_cut_total",                     \
            "Event streams that were cut.")                             \
    COUNTER(mapper_commit, "transactions_total",                        \
            "Transactions sent to the database.")                       \
    COUNTER(mapper_commit_retry, "transactions_retried_total",          \
            "Transactions that were to be tried again.")                \
    COUNTER(mapper_commit_refused, "transactions_refused_total",        \
            "Transactions that the database refused.")                  \
    COUNTER(mapper_lease_challenge, "lease_challenges_total",           \
            "Holders of a lease that were asked whether they are there.") \
    COUNTER(mapper_lease_answered, "lease_challenges_answered_total",   \
            "Holders of a lease that said so.")                         \
    COUNTER(mapper_key_confirmed, "keys_confirmed_total",               \
            "Keys that all members were found to have in force.")       \
    COUNTER(mapper_key_forgotten, "keys_unconfirmed_total",             \
            "Keys that were waited for in vain, or that went before.")

#define COUNTER(COVERAGE, NAME, HELP)                   \
    extern struct coverage_counter counter_##COVERAGE;
COUNTERS
#undef COUNTER

static const struct {
    const struct coverage_counter *counter;
    const char *name;
    const char *help;
} counters[] = {
#define COUNTER(COVERAGE, NAME, HELP)                           \
    { &counter_##COVERAGE, "vsubnet_mapper_" NAME, HELP },
    COUNTERS
#undef COUNTER
};

/* What stands in the database, counted when 'seqno' was the IDL's. */
struct monitor {
    unsigned int seqno;
    size_t pending, approved, revoked;  /* Nodes, by state. */
    size_t leases;                      /* Nodes that have a holder. */
    size_t host, static_, dynamic;      /* Bindings, by origin. */
    size_t nets, members, keys, tokens;
};

struct monitor *
monitor_create(void)
{
    return xzalloc(sizeof(struct monitor));
}

void
monitor_destroy(struct monitor *monitor)
{
    free(monitor);
}

static void
count_rows(struct monitor *m, const struct db *db)
{
    unsigned int seqno = ovsdb_idl_get_seqno(db->idl);
    const struct mdb_binding *binding;
    const struct mdb_member *member;
    const struct mdb_token *token;
    const struct mdb_node *node;
    const struct mdb_net *net;
    const struct mdb_key *key;

    if (m->seqno == seqno) {
        return;
    }
    *m = (struct monitor) { .seqno = seqno };
    MDB_NODE_FOR_EACH (node, db->idl) {
        *(!strcmp(node->state, "approved") ? &m->approved
          : !strcmp(node->state, "pending") ? &m->pending : &m->revoked) += 1;
        m->leases += node->instance[0] != '\0';
    }
    MDB_BINDING_FOR_EACH (binding, db->idl) {
        *(!strcmp(binding->origin, "host") ? &m->host
          : !strcmp(binding->origin, "static") ? &m->static_
          : &m->dynamic) += 1;
    }
    MDB_NET_FOR_EACH (net, db->idl) {
        m->nets++;
    }
    MDB_MEMBER_FOR_EACH (member, db->idl) {
        m->members++;
    }
    MDB_KEY_FOR_EACH (key, db->idl) {
        m->keys++;
    }
    MDB_TOKEN_FOR_EACH (token, db->idl) {
        m->tokens++;
    }
}

static void
put_by(struct ds *out, const char *name, const char *label, const char *value,
       double n)
{
    metrics_sample(out, name, (const struct metrics_label[]) {
        { label, value }, { NULL, NULL } }, n);
}

static void
put_rows(struct ds *out, struct monitor *m, const struct db *db)
{
    count_rows(m, db);
    metrics_family(out, "vsubnet_mapper_nodes", METRICS_GAUGE,
                   "Nodes in the database, by state.");
    put_by(out, "vsubnet_mapper_nodes", "state", "pending", m->pending);
    put_by(out, "vsubnet_mapper_nodes", "state", "approved", m->approved);
    put_by(out, "vsubnet_mapper_nodes", "state", "revoked", m->revoked);
    metrics_family(out, "vsubnet_mapper_bindings", METRICS_GAUGE,
                   "Bindings in the database, by origin.");
    put_by(out, "vsubnet_mapper_bindings", "origin", "host", m->host);
    put_by(out, "vsubnet_mapper_bindings", "origin", "static", m->static_);
    put_by(out, "vsubnet_mapper_bindings", "origin", "dynamic", m->dynamic);
    metrics_single(out, "vsubnet_mapper_leases", METRICS_GAUGE,
                   "Nodes whose ID has a holder.", m->leases);
    metrics_single(out, "vsubnet_mapper_nets", METRICS_GAUGE,
                   "vSubnets in the database.", m->nets);
    metrics_single(out, "vsubnet_mapper_members", METRICS_GAUGE,
                   "Memberships in the database.", m->members);
    metrics_single(out, "vsubnet_mapper_keys", METRICS_GAUGE,
                   "Sender keys in the database.", m->keys);
    metrics_single(out, "vsubnet_mapper_tokens", METRICS_GAUGE,
                   "Join tokens in the database.", m->tokens);
}

static void
put_state(struct ds *out, const struct api *api)
{
    const char *why;

    metrics_single(out, "vsubnet_mapper_ready", METRICS_GAUGE,
                   "1 if the service can serve (see /readyz).",
                   monitor_is_ready(api, &why));
    metrics_single(out, "vsubnet_mapper_database_connected", METRICS_GAUGE,
                   "1 while there is a connection to the database.",
                   ovsdb_idl_is_connected(api->db->idl));
    metrics_single(out, "vsubnet_mapper_revision", METRICS_GAUGE,
                   "Number of the last change of the mapping.",
                   db_revision(api->db).number);
    metrics_single(out, "vsubnet_mapper_connections", METRICS_GAUGE,
                   "Connections that are open.",
                   http_server_n_connections(api->http));
    metrics_single(out, "vsubnet_mapper_streams", METRICS_GAUGE,
                   "Event streams that are open.",
                   events_n_streams(api->events));
}

static void
put_certificates(struct ds *out, const struct pki *pki)
{
    static const char name[]
        = "vsubnet_mapper_certificate_expiry_timestamp_seconds";

    metrics_family(out, name, METRICS_GAUGE,
                   "When a certificate ends, in seconds since 1970.");
    put_by(out, name, "certificate", "ca", pki->ca_ends);
    put_by(out, name, "certificate", "server", pki->server_ends);
}

static void
put_process(struct ds *out)
{
    struct rusage usage;

    metrics_family(out, "vsubnet_mapper_info", METRICS_GAUGE,
                   "1, labelled with the program's version.");
    put_by(out, "vsubnet_mapper_info", "version", VSUBNET_VERSION, 1);
    if (!getrusage(RUSAGE_SELF, &usage)) {
        metrics_single(out, "vsubnet_mapper_cpu_seconds_total",
                       METRICS_COUNTER, "Processor time of the program.",
                       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
                       + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
                       / 1e6);
    }
}

char *
monitor_metrics(const struct api *api)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    put_process(&out);
    put_state(&out, api);
    put_certificates(&out, api->pki);
    put_rows(&out, api->monitor, api->db);
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        metrics_single(&out, counters[i].name, METRICS_COUNTER,
                       counters[i].help, counters[i].counter->total);
    }
    request_stats_put(api->stats, &out);
    return ds_steal_cstr(&out);
}

/* True if the database has each table and column that this program uses: it
 * may be converted, or another one taken its place, at any time. */
static bool
schema_is_right(const struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < mdb_idl_class.n_tables; i++) {
        const struct ovsdb_idl_table_class *table = &mdb_idl_class.tables[i];

        for (size_t j = 0; j < table->n_columns; j++) {
            if (!ovsdb_idl_server_has_column(idl, &table->columns[j])) {
                return false;
            }
        }
    }
    return true;
}

bool
monitor_is_ready(const struct api *api, const char **why)
{
    const struct ovsdb_idl *idl = api->db->idl;

    *why = (!ovsdb_idl_has_ever_connected(idl)
            ? "the database has not been reached yet"
            : !ovsdb_idl_is_connected(idl)
            ? "there is no connection to the database"
            : !schema_is_right(idl)
            ? "the database's schema lacks what this program uses"
            : !db_service(api->db)
            ? "the database is empty"
            : txn_queue_is_stuck(api->txns)
            ? "the database does not answer"
            : NULL);
    return !*why;
}

/* Handlers. */

void
api_healthz(struct api_call *call)
{
    json_t *body = json_object();

    json_object_set_new(body, "status", json_string("ok"));
    api_ok(call, MHD_HTTP_OK, body);
}

void
api_readyz(struct api_call *call)
{
    const char *why;

    if (monitor_is_ready(call->api, &why)) {
        json_t *body = json_object();

        json_object_set_new(body, "status", json_string("ready"));
        api_ok(call, MHD_HTTP_OK, body);
    } else {
        api_fail(call, MHD_HTTP_SERVICE_UNAVAILABLE, "not-ready", NULL,
                 "%s", why);
    }
}

void
api_metrics(struct api_call *call)
{
    char *text = monitor_metrics(call->api);

    http_respond(call->connection, MHD_HTTP_OK, METRICS_CONTENT_TYPE, text,
                 strlen(text), NULL, NULL);
}
