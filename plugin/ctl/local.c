/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of this host: OVS's database, daemons, hardware. */

#include <config.h>
#include "ctl/local.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "process.h"
#include "svec.h"
#include "unixctl.h"
#include "util.h"

extern char **environ;

/* ovs-vsctl. */

/* Reads FD to its end into *DS, without the newline that ends it. */
static void
read_output(int fd, struct ds *ds)
{
    char buf[4096];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) > 0
           || (n < 0 && errno == EINTR)) {
        ds_put_buffer(ds, buf, MAX(n, 0));
    }
    ds_chomp(ds, '\n');
}

/* Starts ARGV, whose stdout and stderr go to one pipe. */
static int
spawn(char *const argv[], pid_t *pid, int *fd)
{
    posix_spawn_file_actions_t actions;
    int fds[2];
    int error;

    *fd = -1;
    if (pipe2(fds, O_CLOEXEC)) {
        return errno;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
    error = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (error) {
        close(fds[0]);
    } else {
        *fd = fds[0];
    }
    return error;
}

/* Runs ARGV to its end.  Returns an error if it can't be run; else its status
 * is in *STATUS, and what it printed is added to OUTPUT. */
static char *
run(struct svec *argv, struct ds *output, int *status)
{
    pid_t pid;
    int fd;

    svec_terminate(argv);
    int error = spawn(argv->names, &pid, &fd);
    if (error) {
        return xasprintf("cannot run %s: %s", argv->names[0],
                         ovs_strerror(error));
    }
    read_output(fd, output);
    close(fd);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return NULL;
}

static void
add_all(struct svec *argv, const char *const args[])
{
    for (; *args; args++) {
        svec_add(argv, *args);
    }
}

char *
local_run(const char *const args[], char **output)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;
    struct ds ds = DS_EMPTY_INITIALIZER;
    int status;

    add_all(&argv, args);
    char *error = run(&argv, &ds, &status);
    if (!error && status) {
        error = process_status_msg(status);
    }
    *output = ds_steal_cstr(&ds);
    svec_destroy(&argv);
    return error;
}

char *
local_vsctl(const char *const args[], char **output)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;
    struct ds ds = DS_EMPTY_INITIALIZER;
    int status;

    svec_add(&argv, "ovs-vsctl");
    svec_add(&argv, "--no-wait");
    svec_add(&argv, "--timeout=5");
    add_all(&argv, args);
    char *error = run(&argv, &ds, &status);
    if (!error && status) {
        error = xasprintf("cannot change the local Open vSwitch database "
                          "(is ovsdb-server running?): %s",
                          ds.length ? ds_cstr(&ds) : "ovs-vsctl failed");
    }
    if (!error && output) {
        *output = ds_steal_cstr(&ds);
    }
    ds_destroy(&ds);
    svec_destroy(&argv);
    return error;
}

/* ovs-vsctl quotes strings that are not plain words. */
static char *
unquote(char *s)
{
    char *result = NULL;
    json_t *json;

    if (*s != '"') {
        return s;
    }
    char *array = xasprintf("[%s]", s);
    char *error = model_json_parse(array, strlen(array), 65536, &json);
    if (!error) {
        result = nullable_xstrdup(json_string_value(json_array_get(json, 0)));
        json_decref(json);
    }
    free(array);
    free(error);
    if (!result) {
        return s;
    }
    free(s);
    return result;
}

char *
local_get_external_id(const char *key, char **value)
{
    char *column = xasprintf("external_ids:%s", key);
    const char *args[] = {
        "--if-exists", "get", "Open_vSwitch", ".", column, NULL,
    };
    char *error = local_vsctl(args, value);

    if (!error) {
        if (**value) {
            *value = unquote(*value);
        } else {
            free(*value);
            *value = NULL;
        }
    }
    free(column);
    return error;
}

char *
local_set_external_id(const char *key, const char *value)
{
    char *pair = (value ? xasprintf("external_ids:%s=\"%s\"", key, value)
                  : xstrdup(key));
    const char *set[] = { "set", "Open_vSwitch", ".", pair, NULL };
    const char *remove[] = {
        "remove", "Open_vSwitch", ".", "external_ids", pair, NULL,
    };
    char *error = local_vsctl(value ? set : remove, NULL);

    free(pair);
    return error;
}

/* Daemons. */

pid_t
local_daemon_pid(const char *daemon)
{
    char *path = xasprintf("%s/%s.pid", ovs_rundir(), daemon);
    pid_t pid = access(path, R_OK) ? 0 : read_pidfile(path);

    free(path);
    return MAX(pid, 0);
}

/* Whose answer is waited for. */
static const char *asked_daemon;

OVS_NO_RETURN static void
give_up(int signr OVS_UNUSED)
{
    static const char begin[] = "vsubnetctl: ";
    static const char end[] = " does not answer\n";

    ignore(write(STDERR_FILENO, begin, strlen(begin)));
    ignore(write(STDERR_FILENO, asked_daemon, strlen(asked_daemon)));
    ignore(write(STDERR_FILENO, end, strlen(end)));
    _exit(1);
}

char *
local_ask(const char *daemon, unsigned int timeout, const char *command,
          const struct svec *args, char **result)
{
    pid_t pid = local_daemon_pid(daemon);
    struct jsonrpc *rpc;
    char *refusal;
    char *error = NULL;

    *result = NULL;
    if (!pid) {
        return xasprintf("%s is not running (systemctl start %s)", daemon,
                         strcmp(daemon, "vsubnet-controller")
                         ? "openvswitch-switch" : daemon);
    }
    char *path = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), daemon,
                           (long int) pid);
    int retval = unixctl_client_create(path, &rpc);
    if (retval) {
        error = xasprintf("%s: %s", path, ovs_strerror(retval));
        free(path);
        return error;
    }
    /* unixctl waits for ever. */
    asked_daemon = daemon;
    signal(SIGALRM, give_up);
    alarm(timeout);
    retval = unixctl_client_transact(rpc, command, args ? args->n : 0,
                                     args ? args->names : NULL, result,
                                     &refusal);
    alarm(0);
    if (retval) {
        error = xasprintf("%s: %s", path, ovs_strerror(retval));
    } else if (refusal) {
        error = xasprintf("%s: %.*s", daemon, (int) strcspn(refusal, "\n"),
                          refusal);
        free(refusal);
    }
    jsonrpc_close(rpc);
    free(path);
    return error;
}

char *
local_ask_json(const char *daemon, unsigned int timeout, const char *command,
               const struct svec *args, json_t **answer)
{
    char *result;
    char *error = local_ask(daemon, timeout, command, args, &result);

    if (!error) {
        char *reason = model_json_parse(result, strlen(result),
                                        64 * 1024 * 1024, answer);
        error = (reason ? xasprintf("%s's answer: %s", daemon, reason)
                 : NULL);
        free(reason);
    }
    free(result);
    return error;
}

char *
local_controller_status(json_t **status)
{
    return local_ask_json("vsubnet-controller", 5, "vsubnet/status", NULL,
                          status);
}

char *
local_bridge(void)
{
    char *bridge = NULL;

    free(local_get_external_id("vsubnet-bridge", &bridge));
    return bridge ? bridge : xstrdup("br-int");
}

/* The machine. */

char *
local_node_name(void)
{
    char host[256] = "";
    char name[MODEL_NAME_MAX + 1];
    size_t n = 0;

    gethostname(host, sizeof host - 1);
    for (const char *p = host; *p && *p != '.' && n < MODEL_NAME_MAX; p++) {
        unsigned char c = tolower((unsigned char) *p);

        if (isalnum(c) || n) {
            name[n++] = isalnum(c) ? c : '-';
        }
    }
    name[n] = '\0';
    char *error = model_check_node_name(name);
    char *result = xasprintf(error ? "node-%s" : "%s", name);
    free(error);
    return result;
}
