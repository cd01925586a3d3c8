/* SPDX-License-Identifier: Apache-2.0 */
/* The mapper's own database server. */

#include <config.h>

#include "mapper/storage.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "process.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(storage);

enum {
    STORAGE_CHECK_MS = 500,     /* How often the pidfile is looked at. */
    STORAGE_START_MS = 10000,   /* Patience for a first start. */
    STORAGE_STOP_MS = 10000,    /* Patience for an orderly end. */
};

enum storage_state {
    STORAGE_STARTING,
    STORAGE_RUNNING,
    STORAGE_WAITING,
};

struct storage {
    char *dir;
    char *bindir;               /* Of the option, or null. */
    char *db;
    char *pidfile;
    char *remote;

    enum storage_state state;
    struct process *process;    /* ovsdb-server before it detaches. */
    long long int next;         /* Check, or start again. */
    bool owner;                 /* To be stopped with the mapper. */
    bool hooked;                /* Known to the fatal signals' handler. */
};

/* Programs. */

/* Returns the path of OVS program NAME, malloc()'d. */
static char *
find_program(const struct storage *storage, const char *name)
{
    const char *dirs[] = {
        storage->bindir,
        getenv("VSUBNET_OVS_BINDIR"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        if (dirs[i] && dirs[i][0]) {
            char *path = xasprintf("%s/%s", dirs[i], name);

            if (!access(path, X_OK)) {
                return path;
            }
            free(path);
        }
    }
    return process_search_path(name);
}

/* Starts a program with the arguments in ARGS after its name.  The state
 * directory is its OVS_RUNDIR, so that the Raft address "unix:raft.sock",
 * which is stored in the database, holds wherever the directory is. */
static char *
start_program(const struct storage *storage, const char *name,
              const struct svec *args, struct process **process)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;
    char *program = find_program(storage, name);

    *process = NULL;
    if (!program) {
        return xasprintf("%s not found: say where it is by --ovs-bindir",
                         name);
    }
    svec_add(&argv, "env");
    svec_add_nocopy(&argv, xasprintf("OVS_RUNDIR=%s", storage->dir));
    svec_add(&argv, program);
    svec_append(&argv, args);
    svec_terminate(&argv);
    int error = process_start(argv.names, process);
    svec_destroy(&argv);

    char *message = (error ? xasprintf("%s: %s", program, ovs_strerror(error))
                     : NULL);
    free(program);
    return message;
}

static char *
finish_program(struct process *process, const char *name)
{
    char *message = NULL;

    while (!process_exited(process)) {
        process_run();
        process_wait(process);
        if (!process_exited(process)) {
            poll_block();
        }
    }
    int status = process_status(process);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        char *text = process_status_msg(status);

        message = xasprintf("%s failed: %s", name, text);
        free(text);
    }
    process_destroy(process);
    return message;
}

/* The database. */

const char *
storage_schema_file(void)
{
    const char *given = getenv("VSUBNET_MAPPER_SCHEMA");

    return given ? given : MAPPER_SCHEMA;
}

/* Removes what earlier starts that were killed left half made. */
static void
remove_leftovers(const struct storage *storage)
{
    DIR *dir = opendir(storage->dir);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (!strncmp(name + (name[0] == '.'), "mapper.db.new.", 14)) {
            unlinkat(dirfd(dir), name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* Makes the database under another name first: ovsdb-tool may be killed half
 * way, and half a database is none.  The name is this process's own, since the
 * ovsdb-tool of a mapper that was killed may still be at work. */
static char *
create_database(const struct storage *storage)
{
    struct svec args = SVEC_EMPTY_INITIALIZER;
    struct process *process;
    char *temporary = xasprintf("%s.new.%ld", storage->db,
                                (long int) getpid());

    remove_leftovers(storage);
    svec_add(&args, "-vconsole:emer");
    svec_add(&args, "create-cluster");
    svec_add(&args, temporary);
    svec_add(&args, storage_schema_file());
    svec_add(&args, "unix:raft.sock");

    char *error = start_program(storage, "ovsdb-tool", &args, &process);
    if (!error) {
        error = finish_program(process, "ovsdb-tool create-cluster");
    }
    if (!error && rename(temporary, storage->db)) {
        error = xasprintf("%s: %s", storage->db, ovs_strerror(errno));
    }
    if (!error) {
        VLOG_INFO("made database %s", storage->db);
    }
    remove_leftovers(storage);
    free(temporary);
    svec_destroy(&args);
    return error;
}

char *
storage_open(const char *state_dir, const char *bindir,
             struct storage **storagep)
{
    struct storage *storage = xzalloc(sizeof *storage);
    char *error = NULL;

    process_init();
    storage->dir = xstrdup(state_dir);
    storage->bindir = nullable_xstrdup(bindir);
    storage->db = xasprintf("%s/mapper.db", state_dir);
    storage->pidfile = xasprintf("%s/db.pid", state_dir);
    storage->remote = xasprintf("unix:%s/db.sock", state_dir);
    storage->state = STORAGE_WAITING;

    if (access(storage->db, F_OK)) {
        error = create_database(storage);
    }
    if (error) {
        storage_close(storage);
        storage = NULL;
    }
    *storagep = storage;
    return error;
}

/* The server. */

/* Returns the PID that holds the lock on the pidfile, or 0. */
static pid_t
server_pid(const struct storage *storage)
{
    struct stat s;

    if (stat(storage->pidfile, &s)) {
        return 0;               /* read_pidfile() would warn. */
    }
    pid_t pid = read_pidfile(storage->pidfile);
    return pid > 0 ? pid : 0;
}

static char *
start_server(struct storage *storage)
{
    struct svec args = SVEC_EMPTY_INITIALIZER;

    svec_add(&args, "-vconsole:emer");
    svec_add(&args, "-vsyslog:err");
    svec_add(&args, "-vfile:info");
    svec_add(&args, "--detach");
    svec_add(&args, "--no-chdir");
    svec_add_nocopy(&args, xasprintf("--pidfile=%s", storage->pidfile));
    svec_add_nocopy(&args, xasprintf("--log-file=%s/db.log", storage->dir));
    svec_add_nocopy(&args, xasprintf("--unixctl=%s/db.ctl", storage->dir));
    svec_add_nocopy(&args, xasprintf("--remote=p%s", storage->remote));
    svec_add(&args, storage->db);

    char *error = start_program(storage, "ovsdb-server", &args,
                                &storage->process);
    svec_destroy(&args);
    return error;
}

static void
set_waiting(struct storage *storage)
{
    storage->state = STORAGE_WAITING;
    storage->next = time_msec() + STORAGE_RESTART_MS;
}

static void
set_running(struct storage *storage)
{
    storage->owner = true;
    storage->state = STORAGE_RUNNING;
    storage->next = time_msec() + STORAGE_CHECK_MS;
}

static void
run_waiting(struct storage *storage)
{
    pid_t pid = server_pid(storage);

    if (pid) {
        VLOG_INFO("using the database server that is running, pid %ld",
                  (long int) pid);
        set_running(storage);
        return;
    }
    char *error = start_server(storage);
    if (error) {
        VLOG_ERR("%s", error);
        free(error);
        set_waiting(storage);
    } else {
        storage->state = STORAGE_STARTING;
    }
}

static void
run_starting(struct storage *storage)
{
    process_run();
    if (!process_exited(storage->process)) {
        return;
    }
    int status = process_status(storage->process);
    process_destroy(storage->process);
    storage->process = NULL;
    if (WIFEXITED(status) && !WEXITSTATUS(status)) {
        VLOG_INFO("started the database server, pid %ld",
                  (long int) server_pid(storage));
        set_running(storage);
    } else {
        char *text = process_status_msg(status);

        VLOG_ERR("ovsdb-server failed: %s; see %s/db.log", text,
                 storage->dir);
        free(text);
        set_waiting(storage);
    }
}

static void
run_running(struct storage *storage)
{
    if (time_msec() >= storage->next) {
        storage->next = time_msec() + STORAGE_CHECK_MS;
        if (!server_pid(storage)) {
            VLOG_WARN("the database server is gone");
            set_waiting(storage);
            storage->next = 0;
        }
    }
}

void
storage_run(struct storage *storage)
{
    if (!storage) {
        return;
    }
    switch (storage->state) {
    case STORAGE_STARTING:
        run_starting(storage);
        break;
    case STORAGE_RUNNING:
        run_running(storage);
        break;
    case STORAGE_WAITING:
        if (time_msec() >= storage->next) {
            run_waiting(storage);
        }
        break;
    }
}

void
storage_wait(struct storage *storage)
{
    if (!storage) {
        return;
    }
    if (storage->state == STORAGE_STARTING) {
        process_wait(storage->process);
    } else {
        poll_timer_wait_until(storage->next);
    }
}

/* Asks the server to end.  Also runs in a fatal signal's handler (which OVS
 * calls from the main loop, not from the signal itself). */
static void
stop_server(void *storage_)
{
    const struct storage *storage = storage_;
    pid_t pid = storage->owner ? server_pid(storage) : 0;

    if (pid) {
        kill(pid, SIGTERM);
    }
}

char *
storage_start(struct storage *storage)
{
    /* A server that the last mapper has only begun to start has no pidfile
     * yet, and keeps ours from starting: then it is found a little later. */
    long long int deadline = time_msec() + STORAGE_START_MS;

    run_waiting(storage);
    while (storage->state == STORAGE_STARTING
           || (storage->state == STORAGE_WAITING
               && time_msec() < deadline)) {
        storage_wait(storage);
        poll_block();
        storage_run(storage);
    }
    if (storage->state != STORAGE_RUNNING) {
        return xasprintf("the database server could not be started; see "
                         "%s/db.log", storage->dir);
    }
    storage->hooked = true;
    fatal_signal_add_hook(stop_server, NULL, storage, true);
    return NULL;
}

void
storage_close(struct storage *storage)
{
    if (!storage) {
        return;
    }

    long long int deadline = time_msec() + STORAGE_STOP_MS;
    stop_server(storage);
    while (storage->owner && server_pid(storage)
           && time_msec() < deadline) {
        usleep(10000);
    }
    storage->owner = false;
    process_destroy(storage->process);
    storage->process = NULL;
    if (storage->hooked) {
        return;                 /* A hook can't be taken back. */
    }
    free(storage->remote);
    free(storage->pidfile);
    free(storage->db);
    free(storage->bindir);
    free(storage->dir);
    free(storage);
}

const char *
storage_remote(const struct storage *storage)
{
    return storage->remote;
}

const char *
storage_state(const struct storage *storage)
{
    static const char *const names[] = {
        [STORAGE_STARTING] = "starting",
        [STORAGE_RUNNING] = "running",
        [STORAGE_WAITING] = "waiting",
    };
    return storage ? names[storage->state] : "elsewhere";
}
