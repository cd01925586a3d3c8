/* SPDX-License-Identifier: Apache-2.0 */
/* What those who look into a problem on this host need to see. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "ctl/redact.h"
#include "dirs.h"
#include "model/jansson.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The report is a tar of texts, each what one command printed or the end of a
 * log.  Files with secrets are not read at all: node.json, keys.json,
 * cache.json, the keyring, and the service's keys and database.  All that is
 * gathered goes through redact() all the same. */

enum {
    COMMAND_WORDS_MAX = 10,
    LOG_BYTES = 1024 * 1024,    /* The end of a log. */
};

/* "timeout 10" comes before each.  BRIDGE stands for the bridge's name. */
static const struct {
    const char *file;
    const char *words[COMMAND_WORDS_MAX];
} commands[] = {
    { "version-ovs", { "ovs-vsctl", "--version" } },
    { "version-vswitchd", { "ovs-appctl", "version" } },
    { "version-controller",
      { "ovs-appctl", "-t", "vsubnet-controller", "version" } },
    { "version-mapper", { "ovs-appctl", "-t", "vsubnet-mapper", "version" } },
    { "kernel", { "uname", "-a" } },
    { "os-release", { "cat", "/etc/os-release" } },
    { "status-controller",
      { "ovs-appctl", "-t", "vsubnet-controller", "vsubnet/status" } },
    { "status-mapper",
      { "ovs-appctl", "-t", "vsubnet-mapper", "vsubnet/status" } },
    { "metrics-controller",
      { "ovs-appctl", "-t", "vsubnet-controller", "vsubnet/metrics" } },
    { "metrics-mapper",
      { "ovs-appctl", "-t", "vsubnet-mapper", "vsubnet/metrics" } },
    { "coverage-controller",
      { "ovs-appctl", "-t", "vsubnet-controller", "coverage/show" } },
    { "coverage-mapper",
      { "ovs-appctl", "-t", "vsubnet-mapper", "coverage/show" } },
    { "coverage-vswitchd", { "ovs-appctl", "coverage/show" } },
    { "memory-vswitchd", { "ovs-appctl", "memory/show" } },
    { "upcalls", { "ovs-appctl", "upcall/show" } },
    { "tunnel", { "ovs-appctl", "vsubnet/show" } },
    { "datapath-flows", { "ovs-appctl", "dpctl/dump-flows", "-m" } },
    { "configuration",
      { "ovs-vsctl", "--columns=external_ids,other_config,ovs_version",
        "list", "Open_vSwitch" } },
    { "bridges", { "ovs-vsctl", "show" } },
    { "interfaces",
      { "ovs-vsctl", "--columns=name,type,ofport,error,status,statistics,"
        "external_ids,mac_in_use,mtu", "list", "Interface" } },
    { "flows", { "ovs-ofctl", "-O", "OpenFlow15", "dump-flows", "BRIDGE" } },
    { "groups", { "ovs-ofctl", "-O", "OpenFlow15", "dump-groups", "BRIDGE" } },
    { "tables", { "ovs-ofctl", "-O", "OpenFlow15", "dump-tables", "BRIDGE" } },
    { "ports", { "ovs-ofctl", "-O", "OpenFlow15", "dump-ports", "BRIDGE" } },
    { "addresses", { "ip", "addr" } },
    { "routes", { "ip", "route", "show", "table", "all" } },
    { "sockets-udp", { "ss", "-lunp" } },
    { "processes", { "ps", "-o", "pid,etime,time,rss,nlwp,comm", "-C",
                     "ovs-vswitchd,ovsdb-server,vsubnet-controll,"
                     "vsubnet-mapper" } },
};

static const char *const logs[] = {
    "vsubnet-controller.log", "vsubnet-mapper.log", "ovs-vswitchd.log",
    "ovsdb-server.log",
};

struct report {
    char *dir;                  /* Temporary, 0700. */
    struct svec files;          /* In it. */
    char *bridge;
    json_t *index;              /* File -> "ok" or what went wrong. */
};

/* Writes TEXT, which is taken over, as FILE. */
static void
put_file(struct report *r, const char *file, char *text)
{
    char *path = xasprintf("%s/%s", r->dir, file);
    FILE *stream = fopen(path, "w");

    text = redact(text);
    size_t n = strlen(text);
    if (!stream || fputs(text, stream) == EOF
        || (n && text[n - 1] != '\n' && putc('\n', stream) == EOF)
        || fclose(stream)) {
        ctl_fatal("%s: %s", path, ovs_strerror(errno));
    }
    svec_add(&r->files, file);
    free(text);
    free(path);
}

static void
put_command(struct report *r, size_t i)
{
    const char *argv[COMMAND_WORDS_MAX + 3] = { "timeout", "10" };
    char *output;

    for (size_t j = 0; j < COMMAND_WORDS_MAX && commands[i].words[j]; j++) {
        const char *word = commands[i].words[j];

        argv[j + 2] = strcmp(word, "BRIDGE") ? word : r->bridge;
    }
    char *error = local_run(argv, &output);
    json_object_set_new(r->index, commands[i].file,
                        json_string(error ? error : "ok"));
    free(error);
    put_file(r, commands[i].file, output);
}

/* Puts the end of LOG, from the beginning of a line. */
static void
put_log(struct report *r, const char *log)
{
    char *path = xasprintf("%s/%s", ovs_logdir(), log);
    FILE *stream = fopen(path, "r");

    json_object_set_new(r->index, log,
                        json_string(stream ? "ok" : ovs_strerror(errno)));
    if (stream) {
        char *text = xzalloc(LOG_BYTES + 1);
        bool is_cut = !fseek(stream, -LOG_BYTES, SEEK_END);
        size_t n = fread(text, 1, LOG_BYTES, stream);
        char *begin = is_cut ? memchr(text, '\n', n) : NULL;

        put_file(r, log, xstrdup(begin ? begin + 1 : text));
        free(text);
        fclose(stream);
    }
    free(path);
}

/* Makes FILE of the report's directory. */
static char *
pack(const struct report *r, const char *file)
{
    /* Made before tar does, so that it is nobody else's. */
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const char *argv[] = {
        "tar", "-czf", file, "-C", r->dir, "--owner=0", "--group=0",
        "--transform=s,^[.],vsubnet-bugreport,", ".", NULL,
    };
    char *output = NULL;

    if (fd < 0) {
        return xasprintf("%s: %s", file, ovs_strerror(errno));
    }
    close(fd);
    char *error = local_run(argv, &output);
    if (error) {
        char *reason = xasprintf("%s: %s: %s", file, error, output);

        unlink(file);
        free(error);
        error = reason;
    }
    free(output);
    return error;
}

static void
clean_up(struct report *r)
{
    const char *file;
    size_t i;

    SVEC_FOR_EACH (i, file, &r->files) {
        char *path = xasprintf("%s/%s", r->dir, file);

        unlink(path);
        free(path);
    }
    rmdir(r->dir);
    svec_destroy(&r->files);
    json_decref(r->index);
    free(r->bridge);
    free(r->dir);
}

static char *
default_file(void)
{
    char *name = local_node_name();
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    char *file = xasprintf("vsubnet-bugreport-%s-%s.tar.gz", name, stamp);
    free(name);
    return file;
}

static void
open_report(struct report *r)
{
    const char *tmp = getenv("TMPDIR");

    *r = (struct report) {
        .dir = xasprintf("%s/vsubnet-bugreport.XXXXXX",
                         tmp && *tmp ? tmp : "/tmp"),
        .index = json_object(),
    };
    svec_init(&r->files);
    umask(077);
    if (!mkdtemp(r->dir)) {
        ctl_fatal("%s: %s", r->dir, ovs_strerror(errno));
    }
    r->bridge = local_bridge();
}

void
ctl_bugreport(struct ctl *ctl)
{
    const char *output = ctl_option(ctl, OPT_OUTPUT);
    char *file = output ? xstrdup(output) : default_file();
    struct report r;

    open_report(&r);
    json_object_set_new(r.index, "vsubnetctl", json_string(VSUBNET_VERSION));
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        put_command(&r, i);
    }
    for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
        put_log(&r, logs[i]);
    }
    put_file(&r, "index.json", json_dumps(r.index, JSON_INDENT(2)));

    char *error = pack(&r, file);
    clean_up(&r);
    ctl_check("", error);
    output_done(ctl, NULL, "%s has what this host's programs tell and log; no "
                "keys, but names and addresses: look before you pass it on",
                file);
    free(file);
}
