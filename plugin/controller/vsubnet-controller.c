/* SPDX-License-Identifier: Apache-2.0 */
/* vsubnet-controller: options and loop. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "command-line.h"
#include "controller/controller.h"
#include "controller/flow-names.h"
#include "controller/guard.h"
#include "controller/monitor.h"
#include "controller/monitor-server.h"
#include "controller/status.h"
#include "daemon.h"
#include "dirs.h"
#include "fatal-signal.h"
#include "model/jansson.h"
#include "model/log-format.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_controller);

struct options {
    char *state_dir;
    char *run_dir;
    char *db;
    char *unixctl;              /* NULL: the default. */
    char *metrics;              /* Where to serve them; NULL: nowhere. */
};

static void parse_options(int argc, char *argv[], struct options *);

static void
exit_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *exiting_)
{
    bool *exiting = exiting_;
    *exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) && errno != EEXIST) {
        ovs_fatal(errno, "cannot make directory %s", path);
    }
}

/* What a signal that ends the program finds. */
static struct controller *running;

/* Else a restart would begin with the mapping of some seconds ago, and take
 * the flows of newer bindings away until the service is there. */
static void
save_running(void *aux OVS_UNUSED)
{
    if (running) {
        controller_save(running);
    }
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *unixctl;
    struct options options;
    bool exiting = false;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], VSUBNET_VERSION);
    service_start(&argc, &argv);
    model_json_init();
    parse_options(argc, argv, &options);
    fatal_ignore_sigpipe();

    daemonize_start(false);
    make_directory(options.state_dir, 0700);
    make_directory(options.run_dir, 0755);
    if (unixctl_server_create(options.unixctl, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, exit_command, &exiting);

    struct controller *controller = controller_create(options.state_dir,
                                                      options.run_dir,
                                                      options.db);
    running = controller;
    fatal_signal_add_hook(save_running, NULL, NULL, false);
    struct monitor_server *monitor_server = NULL;
    status_init(controller);
    flow_names_init(controller);
    traces_init(controller);
    guard_init_commands(controller);
    monitor_init(controller);
    if (options.metrics) {
        char *error = monitor_server_create(options.metrics, controller,
                                            &monitor_server);
        if (error) {
            ovs_fatal(0, "%s", error);
        }
    }
    daemonize_complete();

    while (!exiting) {
        controller_run(controller);
        unixctl_server_run(unixctl);
        monitor_server_run(monitor_server);

        controller_wait(controller);
        unixctl_server_wait(unixctl);
        monitor_server_wait(monitor_server);
        if (exiting) {
            poll_immediate_wake();
        }
        poll_block();
        if (should_service_stop()) {
            exiting = true;
        }
    }

    running = NULL;
    monitor_server_destroy(monitor_server);
    controller_destroy(controller);
    unixctl_server_destroy(unixctl);
    free(options.state_dir);
    free(options.run_dir);
    free(options.db);
    service_stop();
    return 0;
}

static void OVS_NO_RETURN
usage(void)
{
    printf("%s: vSubnet controller\n"
           "usage: %s [OPTIONS]\n"
           "Connects this host's Open vSwitch to the mapping service that\n"
           "`vsubnetctl join' named.\n"
           "\nOptions:\n"
           "  --db=DATABASE           Open_vSwitch database\n"
           "                          (default: unix:%s/db.sock)\n"
           "  --state-dir=DIR         identity, keys and cache\n"
           "                          (default: $VSUBNET_STATEDIR or %s)\n"
           "  --run-dir=DIR           keyring\n"
           "                          (default: $VSUBNET_RUNDIR or %s)\n"
           "  --metrics=ADDR:PORT     serve /metrics, /healthz and /readyz there\n"
           "                          by HTTP, to all who can connect (default:\n"
           "                          nowhere)\n",
           program_name, program_name, ovs_rundir(),
           VSUBNET_LOCALSTATEDIR"/lib/vsubnet",
           VSUBNET_RUNSTATEDIR"/vsubnet");
    daemon_usage();
    vlog_usage();
    printf("  --log-format=FORMAT     write lines of text (the default) or of\n"
           "                          json to log file and console\n"
           "\nOther options:\n"
           "  --unixctl=SOCKET        override default control socket name\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n");
    exit(EXIT_SUCCESS);
}

/* An absolute path, since ovs-vswitchd has to find it too. */
static char *
directory(const char *option, const char *variable, const char *otherwise)
{
    const char *env = getenv(variable);

    return abs_file_name(NULL, (option ? option
                                : env && *env ? env : otherwise));
}

enum {
    OPT_DB = UCHAR_MAX + 1,
    OPT_STATE_DIR,
    OPT_RUN_DIR,
    OPT_UNIXCTL,
    OPT_LOG_FORMAT,
    OPT_METRICS,
    VLOG_OPTION_ENUMS,
    DAEMON_OPTION_ENUMS,
};

static const struct option long_options[] = {
    {"db", required_argument, NULL, OPT_DB},
    {"state-dir", required_argument, NULL, OPT_STATE_DIR},
    {"run-dir", required_argument, NULL, OPT_RUN_DIR},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"metrics", required_argument, NULL, OPT_METRICS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    VLOG_LONG_OPTIONS,
    DAEMON_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

static void
set_log_format(const char *name)
{
    char *error = log_format_set(name);

    if (error) {
        ovs_fatal(0, "%s", error);
    }
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
    /* Static: a leak checker finds it where an option ends the program. */
    static char *short_options;
    const char *db = NULL, *state_dir = NULL, *run_dir = NULL;

    options->unixctl = options->metrics = NULL;
    log_format_early(argc, argv);
    short_options = ovs_cmdl_long_options_to_short_options(long_options);
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);
        if (c == -1) {
            break;
        }
        switch (c) {
        case OPT_DB:
            db = optarg;
            break;
        case OPT_STATE_DIR:
            state_dir = optarg;
            break;
        case OPT_RUN_DIR:
            run_dir = optarg;
            break;
        case OPT_UNIXCTL:
            options->unixctl = optarg;
            break;
        case OPT_METRICS:
            options->metrics = optarg;
            break;
        case OPT_LOG_FORMAT:
            set_log_format(optarg);
            break;
        case 'h':
            usage();
        case 'V':
            printf("%s (vSubnet) %s\n", program_name, VSUBNET_VERSION);
            exit(EXIT_SUCCESS);
        VLOG_OPTION_HANDLERS
        DAEMON_OPTION_HANDLERS
        case '?':
            exit(EXIT_FAILURE);
        default:
            abort();
        }
    }
    free(short_options);
    if (optind < argc) {
        ovs_fatal(0, "%s takes no arguments; use --help for usage",
                  program_name);
    }

    options->db = (db ? xstrdup(db)
                   : xasprintf("unix:%s/db.sock", ovs_rundir()));
    options->state_dir = directory(state_dir, "VSUBNET_STATEDIR",
                                   VSUBNET_LOCALSTATEDIR"/lib/vsubnet");
    options->run_dir = directory(run_dir, "VSUBNET_RUNDIR",
                                 VSUBNET_RUNSTATEDIR"/vsubnet");
}
