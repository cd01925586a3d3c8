/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a database of an earlier schema to the present one. */

#include <config.h>

#include "mapper/convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/uuid.h"
#include "openvswitch/vlog.h"
#include "ovsdb-session.h"
#include "stream.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(convert);

#define DATABASE "vSubnet"

enum {
    CONVERT_PATIENCE_MS = 30 * 1000,    /* For a server to answer. */
    CONVERT_RETRY_MS = 200,
};

struct version {
    int major, minor, patch;
};

static bool
version_parse(const char *s, struct version *v)
{
    char extra;

    return sscanf(s, "%d.%d.%d%c", &v->major, &v->minor, &v->patch,
                  &extra) == 3;
}

static int
version_compare(const struct version *a, const struct version *b)
{
    return (a->major != b->major ? a->major - b->major
            : a->minor != b->minor ? a->minor - b->minor
            : a->patch - b->patch);
}

/* Reads SCHEMA's version.  Takes nothing over. */
static char *
schema_version(const struct json *schema, const char *what, struct version *v)
{
    const struct json *text = (schema && schema->type == JSON_OBJECT
                               ? shash_find_data(json_object(schema),
                                                 "version")
                               : NULL);

    if (!text || text->type != JSON_STRING
        || !version_parse(json_string(text), v)) {
        return xasprintf("%s: a schema without a version", what);
    }
    return NULL;
}

static char *
read_schema(const char *file, struct json **schema, struct version *v)
{
    char *error = NULL;

    *schema = json_from_file(file);
    if ((*schema)->type == JSON_STRING) {
        error = xasprintf("%s: %s", file, json_string(*schema));
    } else {
        error = schema_version(*schema, file, v);
    }
    if (error) {
        json_destroy(*schema);
        *schema = NULL;
    }
    return error;
}

/* Asks for METHOD and waits until DEADLINE for its answer, which *RESULT
 * gets.  Requests of the server, such as "echo", may come in between. */
static char *
transact(struct jsonrpc *rpc, const char *method, struct json *params,
         long long int deadline, struct json **result)
{
    struct json *id;
    struct jsonrpc_msg *reply = NULL;

    *result = NULL;
    int error = jsonrpc_send(rpc, jsonrpc_create_request(method, params,
                                                         &id));
    while (!error && !reply) {
        struct jsonrpc_msg *msg;

        jsonrpc_run(rpc);
        error = jsonrpc_recv(rpc, &msg);
        if (!error) {
            bool ours = ((msg->type == JSONRPC_REPLY
                          || msg->type == JSONRPC_ERROR)
                         && json_equal(msg->id, id));

            if (ours) {
                reply = msg;
            } else {
                jsonrpc_msg_destroy(msg);
            }
        } else if (error == EAGAIN) {
            error = time_msec() >= deadline ? ETIMEDOUT : 0;
            jsonrpc_wait(rpc);
            jsonrpc_recv_wait(rpc);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    json_destroy(id);
    if (error) {
        return xasprintf("%s", ovs_retval_to_string(error));
    }

    char *message = NULL;
    if (reply->type == JSONRPC_ERROR) {
        char *text = json_to_string(reply->error, JSSF_SORT);

        message = xasprintf("%s refused: %s", method, text);
        free(text);
    } else {
        *result = json_clone(reply->result);
    }
    jsonrpc_msg_destroy(reply);
    return message;
}

static char *
convert_by(struct jsonrpc *rpc, const struct json *schema,
           const struct version *ours, long long int deadline)
{
    struct json *result;
    struct version theirs;

    char *error = transact(rpc, "get_schema",
                           json_array_create_1(json_string_create(DATABASE)),
                           deadline, &result);
    if (!error) {
        error = schema_version(result, "the database", &theirs);
    }
    json_destroy(result);
    if (error) {
        return error;
    }
    int comparison = version_compare(&theirs, ours);
    if (comparison > 0) {
        VLOG_WARN("the database's schema is of a later version");
    }
    if (comparison >= 0) {
        return NULL;
    }

    /* Otherwise the server disconnects who asks before it answers. */
    error = transact(rpc, "set_db_change_aware",
                     json_array_create_1(json_boolean_create(true)),
                     deadline, &result);
    json_destroy(result);
    if (error) {
        return error;
    }
    error = transact(rpc, "convert",
                     json_array_create_2(json_string_create(DATABASE),
                                         json_clone(schema)),
                     deadline, &result);
    json_destroy(result);
    if (!error) {
        VLOG_INFO("converted the database from schema %d.%d.%d to %d.%d.%d",
                  theirs.major, theirs.minor, theirs.patch, ours->major,
                  ours->minor, ours->patch);
    }
    return error;
}

static char *
convert_at(const char *remote, const struct json *schema,
           const struct version *ours, long long int deadline)
{
    struct stream *stream;
    int error = jsonrpc_stream_open(remote, &stream, DSCP_DEFAULT);

    error = stream_open_block(error, MAX(deadline - time_msec(), 1),
                              &stream);
    if (error) {
        return xasprintf("%s: %s", remote, ovs_strerror(error));
    }

    struct jsonrpc *rpc = jsonrpc_open(stream);
    char *message = convert_by(rpc, schema, ours, deadline);
    jsonrpc_close(rpc);
    if (message) {
        char *full = xasprintf("%s: %s", remote, message);

        free(message);
        message = full;
    }
    return message;
}

char *
convert_database(const char *remote, const char *schema_file)
{
    long long int deadline = time_msec() + CONVERT_PATIENCE_MS;
    struct svec remotes = SVEC_EMPTY_INITIALIZER;
    struct version ours;
    struct json *schema;
    struct uuid cid;

    char *error = read_schema(schema_file, &schema, &ours);
    if (error) {
        return error;
    }
    ovsdb_session_parse_remote(remote, &remotes, &cid);
    for (;;) {
        for (size_t i = 0; i < remotes.n; i++) {
            free(error);
            error = convert_at(remotes.names[i], schema, &ours, deadline);
            if (!error) {
                break;
            }
        }
        if (!error || time_msec() >= deadline) {
            break;
        }
        /* No server yet, or one that has no leader yet. */
        poll_timer_wait(CONVERT_RETRY_MS);
        poll_block();
    }
    svec_destroy(&remotes);
    json_destroy(schema);
    return error;
}
