/* SPDX-License-Identifier: Apache-2.0 */
/* vsubnet-mapper: the mapping service.  Options and main loop. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "mapper/asks.h"
#include "mapper/api.h"
#include "mapper/bootstrap.h"
#include "mapper/certificate.h"
#include "mapper/confirm.h"
#include "mapper/convert.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "mapper/http.h"
#include "mapper/installed.h"
#include "mapper/keybox.h"
#include "mapper/lease.h"
#include "mapper/mark.h"
#include "mapper/monitor.h"
#include "mapper/peers.h"
#include "mapper/pki.h"
#include "mapper/rule-hits.h"
#include "mapper/request-stats.h"
#include "mapper/shared.h"
#include "mapper/storage.h"
#include "mapper/txn.h"
#include "model/log-format.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "socket-util.h"
#include "sset.h"
#include "stream-ssl.h"
#include "stream.h"
#include "svec.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_mapper);

#define DEFAULT_STATE_DIR VSUBNET_LOCALSTATEDIR "/lib/vsubnet-mapper"
#define DEFAULT_LISTEN "[::]"
enum {
    DEFAULT_PORT = 8443,
    CONNECTIONS_MAX = 1000000,
    SPARE_FILES = 256,          /* For all but connections of clients. */
};

struct options {
    char *state_dir;
    struct svec listen;
    struct sset names;          /* For the certificate. */
    int lease_time;             /* Seconds. */
    struct http_limits limits;
    const char *db;             /* Null: a server of our own. */
    const char *ovs_bindir;
};

struct mapper {
    struct pki pki;
    struct keybox *keybox;
    struct storage *storage;    /* Null with --db. */
    struct db db;
    struct txn_queue *txns;
    struct lease *lease;
    struct confirm *confirm;
    struct rule_hits *rule_hits;
    struct events *events;
    struct peers *peers;
    struct mark mark;
    struct http_server *http;
    struct api api;
    struct svec urls;
    bool exiting;
};

static void OVS_NO_RETURN
usage(void)
{
    const struct http_limits defaults = HTTP_LIMITS_DEFAULT;

    printf("%s: mapping service of vSubnet\n"
           "usage: %s [OPTIONS]\n"
           "\nOptions:\n"
           "  --state-dir=DIR         keep state in DIR (default: %s)\n"
           "  --listen=[ADDR]:PORT    accept HTTPS at ADDR, port PORT;\n"
           "                          may be repeated (default: %s:%d)\n"
           "  --name=NAME             also put NAME, a DNS name or address,\n"
           "                          into the certificate; may be repeated\n"
           "  --lease-time=SECONDS    silence after which a node on another\n"
           "                          machine may take over a node ID\n"
           "                          (default: %d)\n"
           "  --connections=N         have at most N connections of clients\n"
           "                          (default: %u)\n"
           "  --connections-per-address=N\n"
           "                          have at most N of them from one\n"
           "                          address (default: %u)\n"
           "  --db=REMOTE             use the database at REMOTE instead of\n"
           "                          running a server\n"
           "  --ovs-bindir=DIR        look for ovsdb-server and ovsdb-tool\n"
           "                          in DIR first\n",
           program_name, program_name, DEFAULT_STATE_DIR, DEFAULT_LISTEN,
           DEFAULT_PORT, LEASE_DEFAULT_S, defaults.connections,
           defaults.per_address);
    daemon_usage();
    vlog_usage();
    printf("  --log-format=FORMAT     write lines of text (the default) or of\n"
           "                          json to log file and console\n"
           "\nOther options:\n"
           "  --unixctl=SOCKET        override default control socket name\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n");
    stream_usage("REMOTE", true, false, false);
    exit(EXIT_SUCCESS);
}

enum {
    OPT_STATE_DIR = UCHAR_MAX + 1,
    OPT_LISTEN,
    OPT_NAME,
    OPT_LEASE_TIME,
    OPT_CONNECTIONS,
    OPT_CONNECTIONS_PER_ADDRESS,
    OPT_DB,
    OPT_OVS_BINDIR,
    OPT_UNIXCTL,
    OPT_LOG_FORMAT,
    DAEMON_OPTION_ENUMS,
    VLOG_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
};

static const struct option long_options[] = {
    { "state-dir", required_argument, NULL, OPT_STATE_DIR },
    { "listen", required_argument, NULL, OPT_LISTEN },
    { "name", required_argument, NULL, OPT_NAME },
    { "lease-time", required_argument, NULL, OPT_LEASE_TIME },
    { "connections", required_argument, NULL, OPT_CONNECTIONS },
    { "connections-per-address", required_argument, NULL,
      OPT_CONNECTIONS_PER_ADDRESS },
    { "db", required_argument, NULL, OPT_DB },
    { "ovs-bindir", required_argument, NULL, OPT_OVS_BINDIR },
    { "unixctl", required_argument, NULL, OPT_UNIXCTL },
    { "log-format", required_argument, NULL, OPT_LOG_FORMAT },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    DAEMON_LONG_OPTIONS,
    VLOG_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    { NULL, 0, NULL, 0 },
};

/* A number from 1 to MAX. */
static unsigned int
parse_number(const char *option, const char *text, unsigned int max)
{
    unsigned int n;

    if (!str_to_uint(text, 10, &n) || n < 1 || n > max) {
        ovs_fatal(0, "--%s=%s: not a whole number from 1 to %u", option, text,
                  max);
    }
    return n;
}

static void OVS_NO_RETURN
fail(char *error)
{
    ovs_fatal(0, "%s", error);
}

static void
check(char *error)
{
    if (error) {
        fail(error);
    }
}

static void
refuse_arguments(int argc, char *argv[])
{
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument \"%s\"; use --help\n",
                program_name, argv[optind]);
        exit(2);
    }
}

static void
parse_options(int argc, char *argv[], struct options *o, char **unixctl)
{
    /* Static: a leak checker finds it where an option ends the program. */
    static char *short_options;
    int c;

    log_format_early(argc, argv);
    short_options = ovs_cmdl_long_options_to_short_options(long_options);
    while ((c = getopt_long(argc, argv, short_options, long_options,
                            NULL)) != -1) {
        switch (c) {
        case OPT_STATE_DIR:
            free(o->state_dir);
            o->state_dir = xstrdup(optarg);
            break;
        case OPT_LISTEN:
            svec_add(&o->listen, optarg);
            break;
        case OPT_NAME:
            sset_add(&o->names, optarg);
            break;
        case OPT_LEASE_TIME:
            o->lease_time = parse_number("lease-time", optarg, LEASE_MAX_S);
            break;
        case OPT_CONNECTIONS:
            o->limits.connections = parse_number("connections", optarg,
                                                 CONNECTIONS_MAX);
            break;
        case OPT_CONNECTIONS_PER_ADDRESS:
            o->limits.per_address = parse_number(
                "connections-per-address", optarg, CONNECTIONS_MAX);
            break;
        case OPT_DB:
            o->db = optarg;
            break;
        case OPT_OVS_BINDIR:
            o->ovs_bindir = optarg;
            break;
        case OPT_UNIXCTL:
            *unixctl = optarg;
            break;
        case OPT_LOG_FORMAT:
            check(log_format_set(optarg));
            break;
        case 'h':
            usage();
        case 'V':
            printf("%s (vSubnet) %s\n", program_name, VSUBNET_VERSION);
            ovs_print_version(0, 0);
            exit(EXIT_SUCCESS);
        DAEMON_OPTION_HANDLERS
        VLOG_OPTION_HANDLERS
        STREAM_SSL_OPTION_HANDLERS
        case '?':
            exit(2);
        default:
            OVS_NOT_REACHED();
        }
    }
    free(short_options);
    refuse_arguments(argc, argv);
    if (svec_is_empty(&o->listen)) {
        svec_add(&o->listen, DEFAULT_LISTEN);
    }
}

/* One mapper for one directory: the lock lives as long as the process. */
static void
lock_state_dir(const char *dir)
{
    if (mkdir(dir, 0700) && errno != EEXIST) {
        ovs_fatal(errno, "%s", dir);
    }
    char *path = xasprintf("%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        ovs_fatal(errno, "%s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        ovs_fatal(errno == EWOULDBLOCK ? 0 : errno,
                  "%s: another vsubnet-mapper uses this directory", path);
    }
    free(path);
}

/* As many files as there may be connections, or fewer connections. */
static void
raise_file_limit(struct http_limits *limits)
{
    struct rlimit r;

    if (!getrlimit(RLIMIT_NOFILE, &r)) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
        if (r.rlim_cur < limits->connections + SPARE_FILES) {
            limits->connections = (r.rlim_cur > 2 * SPARE_FILES
                                   ? r.rlim_cur - SPARE_FILES : SPARE_FILES);
            VLOG_WARN("at most %u connections, since a process may have %llu "
                      "files (ulimit -Hn)", limits->connections,
                      (unsigned long long int) r.rlim_cur);
        }
    }
}

/* Listening. */

static void
add_url(struct mapper *mapper, const char *address, int port)
{
    bool v6 = strchr(address, ':') != NULL;

    svec_add_nocopy(&mapper->urls,
                    xasprintf("https://%s%s%s:%d", v6 ? "[" : "", address,
                              v6 ? "]" : "", port));
}

/* Adds the URLs of an address that stands for all: loopback comes last, since
 * a client elsewhere tries them in order. */
static void
add_wildcard_urls(struct mapper *mapper, bool v4_only, int port)
{
    struct sset names = SSET_INITIALIZER(&names);

    pki_local_names(&names);
    const char **sorted = sset_sort(&names);
    for (size_t i = 0; i < sset_count(&names); i++) {
        struct in6_addr ip6;
        ovs_be32 ip4;
        bool v4 = ip_parse(sorted[i], &ip4);

        if ((v4 || (!v4_only && ipv6_parse(sorted[i], &ip6)))
            && strcmp(sorted[i], "::1") && strncmp(sorted[i], "127.", 4)) {
            add_url(mapper, sorted[i], port);
        }
    }
    free(sorted);
    sset_destroy(&names);
    add_url(mapper, "127.0.0.1", port);
}

static void
listen_at(struct mapper *mapper, const char *target)
{
    struct sockaddr_storage ss;
    char text[INET6_ADDRSTRLEN];
    char *full = target[0] == ':' ? xasprintf("[::]%s", target)
                                  : xstrdup(target);

    if (!inet_parse_active(full, DEFAULT_PORT, &ss, false, NULL)) {
        ovs_fatal(0, "--listen=%s: not ADDR:PORT or [ADDR6]:PORT", target);
    }
    int error = http_server_listen(mapper->http, &ss);
    if (error == EAFNOSUPPORT && !strcmp(target, DEFAULT_LISTEN)) {
        /* A host without IPv6, and nobody asked for it. */
        inet_parse_active("0.0.0.0", DEFAULT_PORT, &ss, false, NULL);
        error = http_server_listen(mapper->http, &ss);
    }
    if (error) {
        ovs_fatal(error, "--listen=%s", target);
    }

    int port = ss_get_port(&ss);
    bool v4 = ss.ss_family == AF_INET;
    const void *ip = (v4
                      ? (void *) &((struct sockaddr_in *) &ss)->sin_addr
                      : (void *) &((struct sockaddr_in6 *) &ss)->sin6_addr);
    inet_ntop(ss.ss_family, ip, text, sizeof text);
    if (!strcmp(text, "::") || !strcmp(text, "0.0.0.0")) {
        add_wildcard_urls(mapper, v4, port);
    } else {
        add_url(mapper, text, port);
    }
    VLOG_INFO("listening on %s%s%s, port %d", v4 ? "" : "[", text,
              v4 ? "" : "]", port);
    free(full);
}

/* Control commands. */

static void
status_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *mapper_)
{
    const struct mapper *mapper = mapper_;
    struct model_revision revision = db_revision(&mapper->db);
    char *text = xasprintf(MODEL_REVISION_FMT, MODEL_REVISION_ARGS(revision));
    json_t *urls = json_array();
    const char *url;
    size_t i;

    SVEC_FOR_EACH (i, url, &mapper->urls) {
        json_array_append_new(urls, json_string(url));
    }
    json_t *json = json_pack(
        "{s:s, s:o, s:s, s:b, s:s, s:s, s:i, s:i}",
        "version", VSUBNET_VERSION,
        "urls", urls,
        "ca_fingerprint", mapper->pki.fingerprint,
        "ready", txn_queue_is_ready(mapper->txns),
        "database", storage_state(mapper->storage),
        "revision", text,
        "streams", events_n_streams(mapper->events),
        "connections", (int) http_server_n_connections(mapper->http));
    char *reply = json_dumps(json, JSON_INDENT(2));
    unixctl_command_reply(conn, reply);
    free(reply);
    json_decref(json);
    free(text);
}

static void
metrics_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *api)
{
    char *reply = monitor_metrics(api);

    unixctl_command_reply(conn, reply);
    free(reply);
}

static void
exit_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
        const char *argv[] OVS_UNUSED, void *exiting)
{
    *(bool *) exiting = true;
    unixctl_command_reply(conn, NULL);
}

/* Life. */

/* A database that can be read, of the present schema. */
static void
open_database(struct mapper *mapper, const struct options *o)
{
    const char *remote = o->db;

    if (!remote) {
        check(storage_open(o->state_dir, o->ovs_bindir, &mapper->storage));
        check(storage_start(mapper->storage));
        remote = storage_remote(mapper->storage);
    }
    check(convert_database(remote, storage_schema_file()));
    db_init(&mapper->db, remote);
    check(bootstrap_wait(&mapper->db));
}

static void
mapper_open(struct mapper *mapper, struct options *o)
{
    struct uuid instance;
    const char *target;
    size_t i;

    lock_state_dir(o->state_dir);
    open_database(mapper, o);
    check(shared_check_files(&mapper->db, o->state_dir));
    pki_local_names(&o->names);
    check(pki_open(o->state_dir, &o->names, &mapper->pki));
    check(keybox_open(o->state_dir, &mapper->keybox));
    check(bootstrap_instance(o->state_dir, &instance));
    mapper->db.keybox = mapper->keybox;
    VLOG_INFO("CA fingerprint %s", mapper->pki.fingerprint);

    check(certificate_set(mapper->pki.server_pem, mapper->pki.server_key));
    mapper->http = http_server_create(&mapper->pki, &o->limits, api_body_max,
                                      api_handle, &mapper->api);
    SVEC_FOR_EACH (i, target, &o->listen) {
        listen_at(mapper, target);
    }

    mapper->txns = txn_queue_create(&mapper->db, &instance);
    mapper->lease = lease_create(o->lease_time);
    mapper->rule_hits = rule_hits_create(&mapper->db);
    mapper->confirm = confirm_create(&mapper->db, &instance);
    mapper->events = events_create(&mapper->db, mapper->lease,
                                   mapper->confirm);
    mapper->peers = peers_create(&mapper->db, mapper->txns, mapper->events,
                                 mapper->lease, mapper->confirm, &instance);
    mapper->api = (struct api) {
        .db = &mapper->db,
        .txns = mapper->txns,
        .events = mapper->events,
        .lease = mapper->lease,
        .confirm = mapper->confirm,
        .rule_hits = mapper->rule_hits,
        .peers = mapper->peers,
        .installed = installed_create(&mapper->db),
        .asks = asks_create(),
        .pki = &mapper->pki,
        .http = mapper->http,
        .monitor = monitor_create(),
        .stats = request_stats_create(),
    };
    check(bootstrap(&mapper->db, o->state_dir, &mapper->pki, &mapper->urls));
    check(shared_check(&mapper->db, o->state_dir, &mapper->pki,
                       mapper->keybox));
    check(mark_open(&mapper->mark, o->state_dir, &mapper->db));
}

static bool
node_exists(const void *mapper_, int64_t number)
{
    const struct mapper *mapper = mapper_;

    return db_node(&mapper->db, number) != NULL;
}

/* Has the certificate renewed, or takes another, while the service runs. */
static void
run_certificate(struct mapper *mapper)
{
    if (pki_run(&mapper->pki)) {
        char *error = certificate_set(mapper->pki.server_pem,
                                      mapper->pki.server_key);

        if (error) {
            VLOG_ERR("%s", error);
            free(error);
        }
    }
}

static void
mapper_run(struct mapper *mapper)
{
    run_certificate(mapper);
    storage_run(mapper->storage);
    db_run(&mapper->db);
    events_run(mapper->events);
    peers_run(mapper->peers);
    confirm_run(mapper->confirm, mapper->events);
    installed_run(mapper->api.installed, mapper->events);
    asks_run(mapper->api.asks, mapper->events);
    mark_run(&mapper->mark, &mapper->db);
    lease_run(mapper->lease);
    lease_sweep(mapper->lease, node_exists, mapper);
    txn_queue_run(mapper->txns);
    http_server_run(mapper->http);
}

static void
mapper_wait(struct mapper *mapper)
{
    pki_wait(&mapper->pki);
    storage_wait(mapper->storage);
    db_wait(&mapper->db);
    events_wait(mapper->events);
    confirm_wait(mapper->confirm);
    installed_wait(mapper->api.installed);
    asks_wait(mapper->api.asks);
    mark_wait(&mapper->mark, &mapper->db);
    lease_wait(mapper->lease);
    peers_wait(mapper->peers);
    txn_queue_wait(mapper->txns);
    http_server_wait(mapper->http);
}

static void
mapper_close(struct mapper *mapper)
{
    lease_stop(mapper->lease);
    installed_stop(mapper->api.installed, mapper->events);
    asks_stop(mapper->api.asks);
    txn_queue_destroy(mapper->txns);
    peers_destroy(mapper->peers);
    http_server_destroy(mapper->http);
    events_destroy(mapper->events);
    confirm_destroy(mapper->confirm);
    rule_hits_destroy(mapper->rule_hits);
    lease_destroy(mapper->lease);
    mark_close(&mapper->mark, &mapper->db);
    installed_destroy(mapper->api.installed);
    asks_destroy(mapper->api.asks);
    monitor_destroy(mapper->api.monitor);
    request_stats_destroy(mapper->api.stats);
    db_destroy(&mapper->db);
    storage_close(mapper->storage);
    keybox_close(mapper->keybox);
    certificate_clear();
    pki_close(&mapper->pki);
    svec_destroy(&mapper->urls);
}

int
main(int argc, char *argv[])
{
    struct options options = {
        .state_dir = xstrdup(DEFAULT_STATE_DIR),
        .listen = SVEC_EMPTY_INITIALIZER,
        .names = SSET_INITIALIZER(&options.names),
        .lease_time = LEASE_DEFAULT_S,
        .limits = HTTP_LIMITS_DEFAULT,
    };
    struct mapper mapper = { .urls = SVEC_EMPTY_INITIALIZER };
    struct unixctl_server *unixctl;
    char *unixctl_path = NULL;

    ovs_cmdl_proctitle_init(argc, argv);
    set_program_name(argv[0]);
    service_start(&argc, &argv);
    fatal_ignore_sigpipe();
    parse_options(argc, argv, &options, &unixctl_path);
    char *state_dir = abs_file_name(NULL, options.state_dir);
    free(options.state_dir);
    options.state_dir = state_dir;
    model_json_init();
    raise_file_limit(&options.limits);

    daemonize_start(false);
    int error = unixctl_server_create(unixctl_path, &unixctl);
    if (error) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, exit_cb, &mapper.exiting);
    mapper_open(&mapper, &options);
    unixctl_command_register("vsubnet/status", "", 0, 0, status_cb, &mapper);
    unixctl_command_register("vsubnet/metrics", "", 0, 0, metrics_cb,
                             &mapper.api);
    daemonize_complete();

    while (!mapper.exiting) {
        mapper_run(&mapper);
        unixctl_server_run(unixctl);

        mapper_wait(&mapper);
        unixctl_server_wait(unixctl);
        if (mapper.exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
    unixctl_server_destroy(unixctl);
    mapper_close(&mapper);
    svec_destroy(&options.listen);
    sset_destroy(&options.names);
    free(options.state_dir);
    service_stop();
    return 0;
}
