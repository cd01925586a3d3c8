/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a mapper with simulated nodes, as tests/bench/mapper says. */

/* Reads commands, one a line, and answers each with one line of JSON when it
 * is done.  Meanwhile, and between commands, the nodes live: they answer
 * challenges, and come back when their streams end.
 *
 *      register N AT-ONCE      the next N nodes register
 *      connect N AT-ONCE       the next N registered nodes open streams
 *      bind                    a node registers a binding: when do all see it?
 *      bindings N AT-ONCE      N bindings, as fast as they go
 *      back SECONDS            waits until all streams are there again
 *      idle SECONDS
 *
 * Times are those of CLOCK_MONOTONIC.  "errors" are those since the command
 * before. */

#include <config.h>
#undef NDEBUG
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load/node.h"
#include "util.h"

enum { PATIENCE_S = 300 };

struct bench {
    struct tls_client *client;
    struct fleet *fleet;
    int n_registered;           /* Have been told to. */
    int n_connected;
    unsigned int serial;        /* Of bindings. */
    double next_fleet_run;
};

static void
step(struct bench *bench)
{
    tls_client_run(bench->client, 10);
    double now = now_s();
    if (now >= bench->next_fleet_run) {
        bench->next_fleet_run = now + 0.02;
        fleet_run(bench->fleet);
    }
}

/* Ends the answer's line. */
static void
finish(struct bench *bench)
{
    struct fleet *fleet = bench->fleet;
    unsigned int n_full, n_resumed;

    tls_client_handshakes(bench->client, &n_full, &n_resumed);
    printf("\"live\": %u, \"snapshots\": %u, \"challenges\": %u, "
           "\"stream_bytes\": %"PRIu64", \"handshakes\": %u, "
           "\"handshakes_resumed\": %u, \"absent\": %u, \"errors\": {",
           fleet->n_live, fleet->n_snapshots, fleet->n_challenges,
           fleet->n_bytes, n_full, n_resumed, fleet->n_absent);
    for (int i = 0; i < fleet->n_errors; i++) {
        printf("%s\"%s\": %u", i ? ", " : "", fleet->errors[i].text,
               fleet->errors[i].n);
    }
    printf("}}\n");
    fflush(stdout);
    fleet->n_errors = 0;
    memset(fleet->errors, 0, sizeof fleet->errors);
}

static void
do_register(struct bench *bench, int n, int at_once)
{
    struct fleet *fleet = bench->fleet;
    unsigned int before = fleet->n_registered;
    double start = now_s();
    int end = MIN(bench->n_registered + n, fleet->n_nodes);

    n = end - bench->n_registered;
    while (fleet->n_registered < before + n
           && now_s() < start + PATIENCE_S) {
        while (bench->n_registered < end
               && bench->n_registered - (int) fleet->n_registered < at_once) {
            node_register(&fleet->nodes[bench->n_registered++]);
        }
        step(bench);
    }
    printf("{\"n\": %u, \"seconds\": %.4f, ",
           fleet->n_registered - before, now_s() - start);
    finish(bench);
}

static void
do_connect(struct bench *bench, int n, int at_once)
{
    struct fleet *fleet = bench->fleet;
    unsigned int before = fleet->n_live;
    unsigned int snapshots = fleet->n_snapshots;
    double start = now_s();
    int end = MIN(bench->n_connected + n, (int) fleet->n_registered);

    n = end - bench->n_connected;
    while ((fleet->n_live < before + n || fleet->n_snapshots < snapshots + n)
           && now_s() < start + PATIENCE_S) {
        while (bench->n_connected < end
               && bench->n_connected - (int) fleet->n_live < at_once) {
            node_connect(&fleet->nodes[bench->n_connected++]);
        }
        step(bench);
    }
    printf("{\"n\": %u, \"seconds\": %.4f, ", fleet->n_live - before,
           now_s() - start);
    finish(bench);
}

static void
new_mac(struct bench *bench, char mac[18])
{
    unsigned int n = ++bench->serial;

    snprintf(mac, 18, "0a:50:%02x:%02x:%02x:%02x", n >> 24 & 255,
             n >> 16 & 255, n >> 8 & 255, n & 255);
}

static void
watch(struct fleet *fleet, const char *mac)
{
    ovs_strlcpy(fleet->marker, mac, sizeof fleet->marker);
    fleet->round++;
    fleet->n_seen = 0;
}

static void
do_bind(struct bench *bench)
{
    struct fleet *fleet = bench->fleet;
    double give_up = now_s() + PATIENCE_S;
    unsigned int bound = fleet->n_bound;
    int n = bench->n_connected;
    char mac[18];

    if (!n) {
        printf("{\"seen\": 0, ");
        finish(bench);
        return;
    }
    struct node *node = &fleet->nodes[random() % n];
    node_open_side(node);
    while (node->side && !node->side_ready && now_s() < give_up) {
        step(bench);
    }

    new_mac(bench, mac);
    watch(fleet, mac);
    double start = now_s();
    node_bind(node, mac);
    while ((fleet->n_seen < (int) fleet->n_live || fleet->n_bound == bound)
           && now_s() < give_up) {
        step(bench);
    }
    int seen = fleet->n_seen;
    printf("{\"seen\": %d, \"answer\": %.6f, \"first\": %.6f, "
           "\"median\": %.6f, \"last\": %.6f, ", seen,
           fleet->bound_at - start,
           seen ? fleet->seen_at[0] - start : -1.0,
           seen ? fleet->seen_at[seen / 2] - start : -1.0,
           seen ? fleet->seen_at[seen - 1] - start : -1.0);
    fleet->marker[0] = '\0';
    node_close_side(node);
    finish(bench);
}

static void
do_bindings(struct bench *bench, int n, int at_once)
{
    struct fleet *fleet = bench->fleet;
    unsigned int before = fleet->n_bound;
    int busy = MIN(at_once, bench->n_connected);
    double give_up = now_s() + PATIENCE_S;
    int begun = 0;

    for (int i = 0; i < busy; i++) {
        node_open_side(&fleet->nodes[i]);
    }
    for (int ready = 0; ready < busy && now_s() < give_up; ) {
        step(bench);
        ready = 0;
        for (int i = 0; i < busy; i++) {
            ready += !fleet->nodes[i].side || fleet->nodes[i].side_ready;
        }
    }

    double start = now_s();
    while (fleet->n_bound < before + n && busy && now_s() < give_up) {
        for (int i = 0; i < busy && begun < n; i++) {
            struct node *node = &fleet->nodes[i];

            if (!node->side_busy && !node->wanted) {
                char mac[18];

                new_mac(bench, mac);
                if (++begun == n) {
                    watch(fleet, mac);
                }
                node_bind(node, mac);
            }
        }
        step(bench);
    }
    double answered = fleet->bound_at - start;
    while (busy && fleet->n_seen < (int) fleet->n_live
           && now_s() < give_up) {
        step(bench);
    }
    printf("{\"n\": %u, \"seconds\": %.4f, \"seen_by_all\": %.4f, ",
           fleet->n_bound - before, answered, now_s() - start);
    fleet->marker[0] = '\0';
    for (int i = 0; i < busy; i++) {
        node_close_side(&fleet->nodes[i]);
    }
    finish(bench);
}

static void
do_back(struct bench *bench, int seconds)
{
    struct fleet *fleet = bench->fleet;
    double end = now_s() + seconds;
    unsigned int lost = fleet->n_absent;

    while (fleet->n_absent == lost && now_s() < end) {
        step(bench);
    }
    double first_lost = now_s();
    while ((int) fleet->n_live < bench->n_connected && now_s() < end) {
        step(bench);
    }
    printf("{\"lost_at\": %.4f, \"back_at\": %.4f, ", first_lost, now_s());
    finish(bench);
}

static void
do_idle(struct bench *bench, int seconds)
{
    double end = now_s() + seconds;

    while (now_s() < end) {
        step(bench);
    }
    putchar('{');
    finish(bench);
}

static void
do_command(struct bench *bench, char *line)
{
    char name[16] = "";
    int a = 0, b = 0;

    sscanf(line, "%15s %d %d", name, &a, &b);
    if (!strcmp(name, "register")) {
        do_register(bench, a, b);
    } else if (!strcmp(name, "connect")) {
        do_connect(bench, a, b);
    } else if (!strcmp(name, "bind")) {
        do_bind(bench);
    } else if (!strcmp(name, "bindings")) {
        do_bindings(bench, a, b);
    } else if (!strcmp(name, "back")) {
        do_back(bench, a);
    } else if (!strcmp(name, "idle")) {
        do_idle(bench, a);
    } else {
        ovs_fatal(0, "%s: no such command", name);
    }
}

static char *
read_line(void)
{
    static char line[256];

    if (!fgets(line, sizeof line, stdin)) {
        exit(0);
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}

int
main(int argc, char *argv[])
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct bench bench = { .serial = 0 };
    struct rlimit limit;

    if (argc != 6) {
        ovs_fatal(0, "usage: %s ADDRESS PORT CA-FILE NET N-NODES; the join "
                  "token is the first line of standard input", argv[0]);
    }
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        ovs_fatal(0, "%s: not an IPv4 address", argv[1]);
    }
    address.sin_port = htons(atoi(argv[2]));
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdin, NULL, _IONBF, 0);    /* For poll(). */
    bench.client = tls_client_create(&address, argv[3], "vsubnet-mapper");
    bench.fleet = fleet_create(bench.client, read_line(), argv[4],
                               atoi(argv[5]));
    for (;;) {
        struct pollfd pollfd = { .fd = STDIN_FILENO, .events = POLLIN };

        if (poll(&pollfd, 1, 0) > 0) {
            do_command(&bench, read_line());
        }
        step(&bench);
    }
}
