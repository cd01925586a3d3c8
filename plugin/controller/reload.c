/* SPDX-License-Identifier: Apache-2.0 */
/* Asks ovs-vswitchd for something: to read the keyring again, or else. */
#include <config.h>
#include "controller/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(reload);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    RETRY_MS = 1000,
    ANSWER_MS = 5000,
    GIVE_UP_MS = 60000,
};

enum reload_state { R_IDLE, R_CONNECTING, R_ASKED, R_WAITING };

struct reload {
    const char *command, *deed;
    struct json *arguments;
    enum reload_state state;
    struct stream *stream;      /* R_CONNECTING. */
    struct jsonrpc *rpc;        /* R_ASKED. */
    bool again;                 /* Asked for meanwhile. */
    bool done;                  /* The last one was answered well. */
    long long int deadline;     /* Of this state, but for R_IDLE. */
    long long int give_up_at;
    char *error;
};

struct reload *
reload_create(const char *command, const char *deed)
{
    struct reload *reload = xzalloc(sizeof *reload);

    reload->command = command;
    reload->deed = deed;
    reload->arguments = json_array_create_empty();
    return reload;
}

void
reload_set_arguments(struct reload *reload, struct json *arguments)
{
    json_destroy(reload->arguments);
    reload->arguments = arguments;
}

static void
disconnect(struct reload *reload)
{
    stream_close(reload->stream);
    jsonrpc_close(reload->rpc);
    reload->stream = NULL;
    reload->rpc = NULL;
}

void
reload_destroy(struct reload *reload)
{
    if (reload) {
        disconnect(reload);
        json_destroy(reload->arguments);
        free(reload->error);
        free(reload);
    }
}

bool
reload_is_done(const struct reload *reload)
{
    return reload->done;
}

bool
reload_is_idle(const struct reload *reload)
{
    return reload->state == R_IDLE;
}

const char *
reload_error(const struct reload *reload)
{
    return reload->error;
}

static void
set_state(struct reload *reload, enum reload_state state, int timeout)
{
    reload->state = state;
    reload->deadline = time_msec() + timeout;
    poll_immediate_wake();
}

static void
failed(struct reload *reload, const char *error)
{
    VLOG_INFO_RL(&rl, "ovs-vswitchd did not %s: %s", reload->deed, error);
    disconnect(reload);
    free(reload->error);
    reload->error = xmemdup0(error, strcspn(error, "\n"));
    if (time_msec() < reload->give_up_at || reload->again) {
        set_state(reload, R_WAITING, RETRY_MS);
    } else {
        reload->state = R_IDLE;
    }
}

static void
connect_to_vswitchd(struct reload *reload)
{
    char *pidfile = xasprintf("%s/ovs-vswitchd.pid", ovs_rundir());
    pid_t pid = read_pidfile(pidfile);

    reload->again = false;
    if (pid < 0) {
        failed(reload, "it is not running");
    } else {
        char *name = xasprintf("unix:%s/ovs-vswitchd.%ld.ctl", ovs_rundir(),
                               (long int) pid);
        int error = stream_open(name, &reload->stream, DSCP_DEFAULT);

        if (error && error != EAGAIN) {
            failed(reload, ovs_strerror(error));
        } else {
            set_state(reload, R_CONNECTING, ANSWER_MS);
        }
        free(name);
    }
    free(pidfile);
}

void
reload_start(struct reload *reload)
{
    reload->give_up_at = time_msec() + GIVE_UP_MS;
    reload->done = false;
    if (reload->state == R_IDLE || reload->state == R_WAITING) {
        connect_to_vswitchd(reload);
    } else {
        reload->again = true;
    }
}

static void
run_connecting(struct reload *reload)
{
    int error = stream_connect(reload->stream);

    if (error == EAGAIN) {
        return;
    } else if (error) {
        failed(reload, ovs_strerror(error));
        return;
    }
    reload->rpc = jsonrpc_open(reload->stream);
    reload->stream = NULL;
    jsonrpc_send(reload->rpc,
                 jsonrpc_create_request(reload->command,
                                        json_clone(reload->arguments),
                                        NULL));
    set_state(reload, R_ASKED, ANSWER_MS);
}

static void
run_asked(struct reload *reload)
{
    struct jsonrpc_msg *msg;

    jsonrpc_run(reload->rpc);
    int error = jsonrpc_recv(reload->rpc, &msg);
    if (error == EAGAIN) {
        return;
    } else if (error) {
        failed(reload, ovs_retval_to_string(error));
        return;
    }

    if (msg->type == JSONRPC_REPLY && msg->result) {
        free(reload->error);
        reload->error = NULL;
        disconnect(reload);
        reload->state = R_IDLE;
        reload->done = !reload->again;
        if (reload->again) {
            connect_to_vswitchd(reload);
        }
    } else {
        failed(reload, (msg->error && msg->error->type == JSON_STRING
                        ? json_string(msg->error) : "it refused"));
    }
    jsonrpc_msg_destroy(msg);
}

void
reload_run(struct reload *reload)
{
    if (reload->state == R_CONNECTING) {
        run_connecting(reload);
    }
    if (reload->state == R_ASKED) {
        run_asked(reload);
    }
    if (reload->state != R_IDLE && time_msec() >= reload->deadline) {
        if (reload->state == R_WAITING) {
            connect_to_vswitchd(reload);
        } else {
            failed(reload, "no answer");
        }
    }
}

void
reload_wait(struct reload *reload)
{
    if (reload->state == R_IDLE) {
        return;
    }
    poll_timer_wait_until(reload->deadline);
    if (reload->state == R_CONNECTING) {
        stream_run_wait(reload->stream);
        stream_connect_wait(reload->stream);
    } else if (reload->state == R_ASKED) {
        jsonrpc_wait(reload->rpc);
        jsonrpc_recv_wait(reload->rpc);
    }
}
