/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated nodes. */

#include <config.h>
#undef NDEBUG
#include "node.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util.h"

/* As the controller's. */
enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 5000 };
enum { CONNECT_S = 5, ANSWER_S = 15 };

double
now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
random_hex(char *hex, int n_bytes)
{
    unsigned char bytes[32];

    if (RAND_bytes(bytes, n_bytes) != 1) {
        ovs_fatal(0, "no random numbers");
    }
    for (int i = 0; i < n_bytes; i++) {
        sprintf(hex + 2 * i, "%02x", bytes[i]);
    }
}

static void
random_uuid(char uuid[37])
{
    char hex[33];

    random_hex(hex, 16);
    hex[12] = '4';
    hex[16] = 'a';
    sprintf(uuid, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
            hex + 16, hex + 20);
}

struct fleet *
fleet_create(struct tls_client *client, const char *token, const char *net,
             int n_max)
{
    struct fleet *fleet = xzalloc(sizeof *fleet);

    fleet->client = client;
    fleet->token = xstrdup(token);
    fleet->net = xstrdup(net);
    fleet->nodes = xcalloc(n_max, sizeof *fleet->nodes);
    fleet->seen_at = xcalloc(n_max, sizeof *fleet->seen_at);
    fleet->n_nodes = n_max;
    for (int i = 0; i < n_max; i++) {
        struct node *node = &fleet->nodes[i];

        node->fleet = fleet;
        node->index = i;
        node->backoff = BACKOFF_MIN_MS;
        random_uuid(node->id);
        random_uuid(node->instance);
        random_hex(node->secret, 32);
    }
    return fleet;
}

void
fleet_count_error(struct fleet *fleet, const char *text)
{
    int i;

    for (i = 0; i < fleet->n_errors; i++) {
        if (!strncmp(fleet->errors[i].text, text, FLEET_TEXT - 1)) {
            break;
        }
    }
    if (i == fleet->n_errors && i < FLEET_ERRORS_MAX - 1) {
        ovs_strlcpy(fleet->errors[fleet->n_errors++].text, text, FLEET_TEXT);
    }
    fleet->errors[i].n++;
}

/* Counts an answer that was not what it should be. */
static void
count_answer(struct node *node, const char *what, int status,
             const char *body)
{
    const char *code = strstr(body, "\"code\":\"");
    char text[FLEET_TEXT];

    snprintf(text, sizeof text, "%s: %d %.*s", what, status,
             code ? (int) strcspn(code + 8, "\"") : 0, code ? code + 8 : "");
    fleet_count_error(node->fleet, text);
}

static void
send_request(struct tls_conn *conn, const struct node *node,
             const char *method, const char *path, const char *extra,
             const char *body)
{
    char *text = xasprintf(
        "%s %s HTTP/1.1\r\n"
        "Host: vsubnet-mapper\r\n"
        "Authorization: Bearer vsn1.%s.%s\r\n"
        "VSubnet-Instance: %s\r\n"
        "%s"
        "Content-Type: application/json\r\n"
        "Content-Length: %"PRIuSIZE"\r\n\r\n%s",
        method, path, node->id, node->secret, node->instance, extra,
        strlen(body), body);
    tls_conn_send(conn, text, strlen(text));
}

/* Registration. */

static void
wait_to_retry(struct node *node, enum node_state state)
{
    double jitter = random() / (double) RAND_MAX;

    if (node->state == NODE_LIVE) {
        node->fleet->n_live--;
        node->backoff = BACKOFF_MIN_MS;
    }
    tls_conn_close(node->main);
    node->main = NULL;
    node->state = state;
    node->retry_at = now_s() + node->backoff * (0.5 + jitter) / 1000;
    node->backoff = MIN(node->backoff * 2, BACKOFF_MAX_MS);
}

static void
register_ready(void *node_)
{
    struct node *node = node_;
    unsigned char digest[32];
    char hash[65];

    EVP_Digest(node->secret, 64, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++) {
        sprintf(hash + 2 * i, "%02x", digest[i]);
    }
    char *body = xasprintf(
        "{\"id\":\"%s\",\"name\":\"host-%d-%.8s\",\"credential_hash\":\"%s\","
        "\"fingerprint\":\"machine-%s\","
        "\"endpoints\":[\"10.%d.%d.%d:8002\"]}",
        node->id, node->index, node->id, hash, node->id,
        100 + node->index / 65536, node->index / 256 % 256,
        node->index % 256);
    char *text = xasprintf(
        "POST /v1/register HTTP/1.1\r\n"
        "Host: vsubnet-mapper\r\n"
        "Authorization: Bearer %s\r\n"
        "Content-Type: application/json\r\n"
        "Content-Length: %"PRIuSIZE"\r\n\r\n%s",
        node->fleet->token, strlen(body), body);
    free(body);
    tls_conn_send(node->main, text, strlen(text));
}

static void
register_answer(void *node_, int status, const char *body,
                bool stream OVS_UNUSED)
{
    struct node *node = node_;

    if (status != 201 && status != 200) {
        count_answer(node, "register", status, body);
        wait_to_retry(node, NODE_REGISTERING);
        return;
    }
    tls_conn_close(node->main);
    node->main = NULL;
    node->state = NODE_REGISTERED;
    node->backoff = BACKOFF_MIN_MS;
    node->fleet->n_registered++;
}

static void
register_failed(void *node_, const char *reason)
{
    struct node *node = node_;
    char text[FLEET_TEXT];

    snprintf(text, sizeof text, "register: connection: %s", reason);
    fleet_count_error(node->fleet, text);
    wait_to_retry(node, NODE_REGISTERING);
}

static const struct tls_conn_class register_class = {
    .ready = register_ready,
    .answer = register_answer,
    .failed = register_failed,
};

void
node_register(struct node *node)
{
    node->state = NODE_REGISTERING;
    node->deadline = now_s() + CONNECT_S + ANSWER_S;
    node->main = tls_conn_open(node->fleet->client, &register_class, node,
                               &node->session);
}

/* The second connection. */

static void
side_flush(struct node *node)
{
    if (node->wanted && node->side_ready && !node->side_busy) {
        bool heartbeat = !strncmp(node->wanted, "{\"nonce", 7);

        node->side_busy = true;
        send_request(node->side, node, "POST",
                     (heartbeat ? "/v1/self/heartbeat"
                      : "/v1/self/bindings"), "", node->wanted);
        free(node->wanted);
        node->wanted = NULL;
    }
}

static void
side_ready(void *node_)
{
    struct node *node = node_;

    node->side_ready = true;
    side_flush(node);
}

static void
side_answer(void *node_, int status, const char *body,
            bool stream OVS_UNUSED)
{
    struct node *node = node_;

    node->side_busy = false;
    if (status == 200 && strstr(body, "\"status\":200")) {
        node->fleet->n_bound++;
        node->fleet->bound_at = now_s();
    } else if (status != 204) {
        count_answer(node, "bind", status, body);
    }
    side_flush(node);
}

void
node_close_side(struct node *node)
{
    tls_conn_close(node->side);
    node->side = NULL;
    node->side_ready = node->side_busy = false;
}

static void
side_failed(void *node_, const char *reason)
{
    struct node *node = node_;

    if (node->side_busy || node->wanted) {
        char text[FLEET_TEXT];

        snprintf(text, sizeof text, "bind: connection: %s", reason);
        fleet_count_error(node->fleet, text);
    }
    node_close_side(node);
    free(node->wanted);
    node->wanted = NULL;
}

static const struct tls_conn_class side_class = {
    .ready = side_ready,
    .answer = side_answer,
    .failed = side_failed,
};

void
node_open_side(struct node *node)
{
    if (!node->side) {
        node->side = tls_conn_open(node->fleet->client, &side_class, node,
                                   &node->session);
    }
}

static void
side_send(struct node *node, char *body)
{
    node_open_side(node);
    free(node->wanted);
    node->wanted = body;
    side_flush(node);
}

void
node_bind(struct node *node, const char *mac)
{
    side_send(node, xasprintf("{\"put\":[{\"net\":\"%s\",\"mac\":\"%s\","
                              "\"addresses\":[],\"port\":\"tap0\"}]}",
                              node->fleet->net, mac));
}

/* The event stream. */

static void
see_marker(struct node *node, const char *p, size_t n)
{
    struct fleet *fleet = node->fleet;
    char seam[2 * sizeof node->tail];
    size_t first = MIN(n, sizeof node->tail - 1);

    if (!fleet->marker[0] || node->seen_round == fleet->round) {
        return;
    }
    memcpy(seam, node->tail, node->n_tail);
    memcpy(seam + node->n_tail, p, first);
    if (memmem(p, n, fleet->marker, 17)
        || memmem(seam, node->n_tail + first, fleet->marker, 17)) {
        node->seen_round = fleet->round;
        fleet->seen_at[fleet->n_seen++] = now_s();
        return;
    }
    size_t keep = MIN(n, 16);
    if (keep < 16) {
        size_t old = MIN(node->n_tail, 16 - keep);

        memmove(node->tail, node->tail + node->n_tail - old, old);
        memcpy(node->tail + old, p, keep);
        node->n_tail = old + keep;
    } else {
        memcpy(node->tail, p + n - 16, 16);
        node->n_tail = 16;
    }
}

static void
handle_line(struct node *node)
{
    const char *line = node->line;

    if (!strncmp(line, "id: ", 4)) {
        ovs_strlcpy(node->pending_id, line + 4, sizeof node->pending_id);
    } else if (!strncmp(line, "event: ", 7)) {
        ovs_strlcpy(node->event, line + 7, sizeof node->event);
    } else if (!strncmp(line, "data: ", 6)
               && !strcmp(node->event, "challenge")) {
        node->fleet->n_challenges++;
        side_send(node, xstrdup(line + 6));
    } else if (!line[0]) {
        if (!strcmp(node->event, "snapshot")) {
            node->fleet->n_snapshots++;
        }
        if (node->pending_id[0]) {
            ovs_strlcpy(node->last_id, node->pending_id,
                        sizeof node->last_id);
        }
        node->event[0] = node->pending_id[0] = '\0';
    } else if (line[0] == ':' && node->state == NODE_OPENING) {
        node->state = NODE_LIVE;
        node->fleet->n_live++;
    }
}

static void
stream_bytes(void *node_, const char *p, size_t n)
{
    struct node *node = node_;

    node->fleet->n_bytes += n;
    while (n) {
        const char *end = memchr(p, '\n', n);
        size_t part = end ? end - p : n;
        size_t room = sizeof node->line - 1 - node->n_line;
        size_t keep = MIN(part, room);

        memcpy(node->line + node->n_line, p, keep);
        node->n_line += keep;
        node->line[node->n_line] = '\0';
        if (part) {
            see_marker(node, p, part);
        }
        if (!end) {
            return;
        }
        handle_line(node);
        node->n_line = node->n_tail = 0;
        p += part + 1;
        n -= part + 1;
    }
}

static void
main_ready(void *node_)
{
    struct node *node = node_;
    char body[200];

    snprintf(body, sizeof body, "{\"instance\":\"%s\",\"fingerprint\":"
             "\"machine-%s\"}", node->instance, node->id);
    node->state = NODE_LEASING;
    node->deadline = now_s() + ANSWER_S;
    send_request(node->main, node, "PUT", "/v1/self/lease", "", body);
}

static void
main_answer(void *node_, int status, const char *body, bool stream)
{
    struct node *node = node_;

    if (status != 200 || stream != (node->state == NODE_OPENING)) {
        count_answer(node, node->state == NODE_LEASING ? "lease" : "events",
                     status, body);
        wait_to_retry(node, NODE_WAITING);
    } else if (node->state == NODE_LEASING) {
        char extra[60] = "";

        if (node->last_id[0]) {
            snprintf(extra, sizeof extra, "Last-Event-ID: %s\r\n",
                     node->last_id);
        }
        node->state = NODE_OPENING;
        node->deadline = now_s() + ANSWER_S;
        node->n_line = node->n_tail = 0;
        node->event[0] = node->pending_id[0] = '\0';
        send_request(node->main, node, "GET", "/v1/events", extra, "");
    }
}

static void
main_failed(void *node_, const char *reason)
{
    struct node *node = node_;

    if (node->state == NODE_LIVE || !strcmp(reason, "refused")) {
        node->fleet->n_absent++;
    } else {
        char text[FLEET_TEXT];

        snprintf(text, sizeof text, "%s: connection: %s",
                 (node->state == NODE_CONNECTING ? "connect"
                  : node->state == NODE_LEASING ? "lease" : "events"),
                 reason);
        fleet_count_error(node->fleet, text);
    }
    wait_to_retry(node, NODE_WAITING);
}

static const struct tls_conn_class main_class = {
    .ready = main_ready,
    .answer = main_answer,
    .bytes = stream_bytes,
    .failed = main_failed,
};

void
node_connect(struct node *node)
{
    node->state = NODE_CONNECTING;
    node->deadline = now_s() + CONNECT_S;
    node->main = tls_conn_open(node->fleet->client, &main_class, node,
                               &node->session);
}

static void
time_out(struct node *node)
{
    if (node->state == NODE_REGISTERING) {
        register_failed(node, "timed out");
    } else {
        main_failed(node, "timed out");
    }
}

void
fleet_run(struct fleet *fleet)
{
    double now = now_s();

    for (int i = 0; i < fleet->n_nodes; i++) {
        struct node *node = &fleet->nodes[i];

        if (node->main) {
            if (node->state != NODE_LIVE && now >= node->deadline) {
                time_out(node);
            }
        } else if (now < node->retry_at) {
            continue;
        } else if (node->state == NODE_REGISTERING) {
            node_register(node);
        } else if (node->state == NODE_WAITING) {
            node_connect(node);
        }
    }
}
