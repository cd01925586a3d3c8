/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated nodes. */

#ifndef LOAD_NODE_H
#define LOAD_NODE_H 1

/* A simulated node does towards the mapping service what a host does: it
 * registers with a join token (as "vsubnetctl join", on a connection of its
 * own), then, as a controller, takes its lease, opens its event stream on the
 * same connection, answers challenges, registers bindings on a second
 * connection, and when the stream ends begins anew, with the controller's
 * delays between tries and its patience (5 s to connect, 15 s for an answer).
 * It checks the service's certificate.  It keeps nothing of the mapping but
 * the revision.
 *
 *      new --> registering --> registered --> connecting --> leasing
 *                                  ^                            |
 *                               waiting <--- live <--- opening <+
 *
 * Whatever goes wrong is counted under its name in the fleet's errors; what an
 * absent mapper explains (connections refused, streams that end) is counted
 * apart, under "absent". */

#include <stdbool.h>
#include <stdint.h>

#include "tls-client.h"

enum { FLEET_ERRORS_MAX = 32, FLEET_TEXT = 80 };

enum node_state {
    NODE_NEW,
    NODE_REGISTERING,
    NODE_REGISTERED,
    NODE_WAITING,               /* To try again. */
    NODE_CONNECTING,
    NODE_LEASING,
    NODE_OPENING,
    NODE_LIVE,
};

struct error_count {
    char text[FLEET_TEXT];
    unsigned int n;
};

struct node;

struct fleet {
    struct tls_client *client;
    char *token;
    char *net;
    struct node *nodes;
    int n_nodes;

    /* Counters, of all time. */
    unsigned int n_registered, n_live;
    unsigned int n_snapshots, n_challenges;
    uint64_t n_bytes;           /* Of event streams. */
    struct error_count errors[FLEET_ERRORS_MAX];
    int n_errors;
    unsigned int n_absent;

    /* The binding that is looked for in all streams. */
    char marker[18];            /* MAC; empty: none. */
    int round;
    int n_seen;                 /* Streams in which it has been. */
    double *seen_at;            /* When, in the order in which it was. */

    /* Requests for bindings. */
    unsigned int n_bound;
    double bound_at;            /* The last answer. */
};

struct node {
    struct fleet *fleet;
    int index;
    enum node_state state;
    char id[37], instance[37];
    char secret[65];
    void *session;              /* TLS. */
    struct tls_conn *main;      /* Registration; then lease and stream. */
    double retry_at, deadline;
    int backoff;                /* ms */

    /* The event stream. */
    char line[80];
    int n_line;
    char event[12];
    char pending_id[32], last_id[32];
    bool in_data;
    char tail[17];              /* Of the data, for the marker. */
    int n_tail;
    int seen_round;

    /* A request on the second connection. */
    struct tls_conn *side;
    bool side_ready, side_busy;
    char *wanted;               /* To be sent once it is ready. */
};

double now_s(void);

struct fleet *fleet_create(struct tls_client *, const char *token,
                           const char *net, int n_max);
void fleet_count_error(struct fleet *, const char *text);

/* Handles what is to be done at certain times. */
void fleet_run(struct fleet *);

void node_register(struct node *);
void node_connect(struct node *);

/* Opens the second connection unless it is there. */
void node_open_side(struct node *);
void node_close_side(struct node *);

/* Registers a binding of MAC (the connection need not be ready). */
void node_bind(struct node *, const char *mac);

#endif /* load/node.h */
