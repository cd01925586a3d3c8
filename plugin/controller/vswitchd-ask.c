/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ovs-vswitchd one question. */
#include <config.h>
#include "controller/vswitchd-ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "socket-util.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

struct vswitchd_ask {
    struct stream *stream;      /* While connecting. */
    struct jsonrpc *rpc;        /* While asked. */
    struct jsonrpc_msg *request;        /* Until then. */
    long long int deadline;
    char *result, *error;       /* One of them when it is over. */
};

static void
over(struct vswitchd_ask *ask, const char *result, const char *error)
{
    ask->result = nullable_xstrdup(result);
    ask->error = error ? xmemdup0(error, strcspn(error, "\n")) : NULL;
    stream_close(ask->stream);
    jsonrpc_close(ask->rpc);
    jsonrpc_msg_destroy(ask->request);
    ask->stream = NULL;
    ask->rpc = NULL;
    ask->request = NULL;
    poll_immediate_wake();
}

static bool
is_over(const struct vswitchd_ask *ask)
{
    return ask->result || ask->error;
}

struct vswitchd_ask *
vswitchd_ask_start(const char *command, const char *const args[],
                   int timeout_ms)
{
    struct vswitchd_ask *ask = xzalloc(sizeof *ask);
    struct json *params = json_array_create_empty();
    char *pidfile = xasprintf("%s/ovs-vswitchd.pid", ovs_rundir());
    pid_t pid = read_pidfile(pidfile);

    for (; *args; args++) {
        json_array_add(params, json_string_create(*args));
    }
    ask->request = jsonrpc_create_request(command, params, NULL);
    ask->deadline = time_msec() + timeout_ms;
    if (pid < 0) {
        over(ask, NULL, "ovs-vswitchd is not running");
    } else {
        char *name = xasprintf("unix:%s/ovs-vswitchd.%ld.ctl", ovs_rundir(),
                               (long int) pid);
        int error = stream_open(name, &ask->stream, DSCP_DEFAULT);

        if (error && error != EAGAIN) {
            over(ask, NULL, ovs_strerror(error));
        }
        free(name);
    }
    free(pidfile);
    poll_immediate_wake();
    return ask;
}

void
vswitchd_ask_destroy(struct vswitchd_ask *ask)
{
    if (ask) {
        stream_close(ask->stream);
        jsonrpc_close(ask->rpc);
        jsonrpc_msg_destroy(ask->request);
        free(ask->result);
        free(ask->error);
        free(ask);
    }
}

static void
run_connecting(struct vswitchd_ask *ask)
{
    int error = stream_connect(ask->stream);

    if (!error) {
        ask->rpc = jsonrpc_open(ask->stream);
        ask->stream = NULL;
        jsonrpc_send(ask->rpc, ask->request);
        ask->request = NULL;
    } else if (error != EAGAIN) {
        over(ask, NULL, ovs_strerror(error));
    }
}

static void
run_asked(struct vswitchd_ask *ask)
{
    struct jsonrpc_msg *msg;

    jsonrpc_run(ask->rpc);
    int error = jsonrpc_recv(ask->rpc, &msg);
    if (error == EAGAIN) {
        return;
    } else if (error) {
        over(ask, NULL, ovs_retval_to_string(error));
        return;
    }
    if (msg->type == JSONRPC_REPLY && msg->result
        && msg->result->type == JSON_STRING) {
        over(ask, json_string(msg->result), NULL);
    } else {
        over(ask, NULL, (msg->error && msg->error->type == JSON_STRING
                         ? json_string(msg->error) : "it refused"));
    }
    jsonrpc_msg_destroy(msg);
}

bool
vswitchd_ask_run(struct vswitchd_ask *ask)
{
    if (!is_over(ask) && ask->stream) {
        run_connecting(ask);
    }
    if (!is_over(ask) && ask->rpc) {
        run_asked(ask);
    }
    if (!is_over(ask) && time_msec() >= ask->deadline) {
        over(ask, NULL, "ovs-vswitchd does not answer");
    }
    return is_over(ask);
}

void
vswitchd_ask_wait(const struct vswitchd_ask *ask)
{
    if (is_over(ask)) {
        poll_immediate_wake();
        return;
    }
    poll_timer_wait_until(ask->deadline);
    if (ask->stream) {
        stream_run_wait(ask->stream);
        stream_connect_wait(ask->stream);
    } else if (ask->rpc) {
        jsonrpc_wait(ask->rpc);
        jsonrpc_recv_wait(ask->rpc);
    }
}

const char *
vswitchd_ask_result(const struct vswitchd_ask *ask)
{
    return ask->result;
}

const char *
vswitchd_ask_error(const struct vswitchd_ask *ask)
{
    return ask->error;
}
