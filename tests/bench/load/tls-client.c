/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS clients by the thousand, in one thread. */

#include <config.h>
#undef NDEBUG
#include "tls-client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

enum {
    HEAD_MAX = 2048,
    READ_SIZE = 16384,
    N_EVENTS = 256,
};

enum conn_state {
    CONN_CONNECTING,
    CONN_HANDSHAKE,
    CONN_IDLE,
    CONN_HEAD,                  /* Of the answer. */
    CONN_BODY,
    CONN_STREAM,
};

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,                  /* The line end after the data. */
};

struct tls_client {
    struct sockaddr_in address;
    SSL_CTX *ctx;
    char *name;
    int epoll_fd;
    unsigned int n_full, n_resumed;
    struct tls_conn *current;   /* Whose callback runs; null if it closed. */
    char buffer[READ_SIZE];
};

struct tls_conn {
    struct tls_client *client;
    const struct tls_conn_class *class;
    void *aux;
    void **session;
    SSL *ssl;
    int fd;
    enum conn_state state;
    bool wants_write;

    char *out;
    size_t out_size, sent;

    char *in;                   /* Head, then body, of a short answer. */
    size_t n_in;
    size_t body_left;
    int status;

    enum chunk_state chunk;
    size_t chunk_left;
};

static int
new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_conn *conn = SSL_get_app_data(ssl);

    tls_session_free(*conn->session);
    *conn->session = session;
    return 1;                   /* The reference is ours. */
}

void
tls_session_free(void *session)
{
    SSL_SESSION_free(session);
}

struct tls_client *
tls_client_create(const struct sockaddr_in *address, const char *ca,
                  const char *name)
{
    struct tls_client *client = xzalloc(sizeof *client);

    client->address = *address;
    client->name = xstrdup(name);
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    client->ctx = SSL_CTX_new(TLS_client_method());
    if (client->epoll_fd < 0 || !client->ctx) {
        ovs_fatal(errno, "no epoll descriptor or TLS context");
    }
    SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(client->ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(client->ctx, SSL_MODE_RELEASE_BUFFERS
                     | SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(client->ctx, SSL_SESS_CACHE_CLIENT
                                   | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->ctx, new_session);
    if (SSL_CTX_load_verify_locations(client->ctx, ca, NULL) != 1) {
        ovs_fatal(0, "%s: no certificate", ca);
    }
    return client;
}

void
tls_client_handshakes(const struct tls_client *client, unsigned int *n_full,
                      unsigned int *n_resumed)
{
    *n_full = client->n_full;
    *n_resumed = client->n_resumed;
}

static void
set_events(struct tls_conn *conn, bool wants_write, int op)
{
    struct epoll_event event = {
        .events = EPOLLIN | (wants_write ? EPOLLOUT : 0),
        .data.ptr = conn,
    };

    if (op == EPOLL_CTL_ADD || wants_write != conn->wants_write) {
        conn->wants_write = wants_write;
        epoll_ctl(conn->client->epoll_fd, op, conn->fd, &event);
    }
}

struct tls_conn *
tls_conn_open(struct tls_client *client, const struct tls_conn_class *class,
              void *aux, void **session)
{
    struct tls_conn *conn = xzalloc(sizeof *conn);
    int one = 1;

    conn->client = client;
    conn->class = class;
    conn->aux = aux;
    conn->session = session;
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) {
        ovs_fatal(errno, "no socket");
    }
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conn->ssl = SSL_new(client->ctx);
    SSL_set_app_data(conn->ssl, conn);
    SSL_set_fd(conn->ssl, conn->fd);
    SSL_set_tlsext_host_name(conn->ssl, client->name);
    SSL_set1_host(conn->ssl, client->name);
    SSL_set_connect_state(conn->ssl);
    if (*session) {
        SSL_set_session(conn->ssl, *session);
    }
    /* A refusal shows when the socket becomes ready. */
    connect(conn->fd, (const struct sockaddr *) &client->address,
            sizeof client->address);
    set_events(conn, true, EPOLL_CTL_ADD);
    return conn;
}

void
tls_conn_close(struct tls_conn *conn)
{
    if (conn) {
        if (conn->client->current == conn) {
            conn->client->current = NULL;
        }
        SSL_set_quiet_shutdown(conn->ssl, conn->state < CONN_IDLE);
        SSL_shutdown(conn->ssl);
        SSL_free(conn->ssl);
        close(conn->fd);
        free(conn->out);
        free(conn->in);
        free(conn);
    }
}

static void
fail(struct tls_conn *conn, const char *reason)
{
    conn->class->failed(conn->aux, reason);
}

/* What a call of OpenSSL that returned N means.  Returns true if it is only
 * to be tried later. */
static bool
try_later(struct tls_conn *conn, int n)
{
    int saved = errno;

    switch (SSL_get_error(conn->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        set_events(conn, false, EPOLL_CTL_MOD);
        return true;
    case SSL_ERROR_WANT_WRITE:
        set_events(conn, true, EPOLL_CTL_MOD);
        return true;
    case SSL_ERROR_ZERO_RETURN:
        fail(conn, "end");
        break;
    case SSL_ERROR_SYSCALL:
        fail(conn, saved ? ovs_strerror(saved) : "end");
        break;
    default: {
        const char *text = ERR_reason_error_string(ERR_peek_error());
        fail(conn, text ? text : "TLS error");
        break;
    }
    }
    ERR_clear_error();
    return false;
}

static void
flush(struct tls_conn *conn)
{
    while (conn->sent < conn->out_size) {
        errno = 0;
        ERR_clear_error();
        int n = SSL_write(conn->ssl, conn->out + conn->sent,
                          conn->out_size - conn->sent);
        if (n <= 0) {
            try_later(conn, n);
            return;
        }
        conn->sent += n;
    }
    free(conn->out);
    conn->out = NULL;
    set_events(conn, false, EPOLL_CTL_MOD);
}

void
tls_conn_send(struct tls_conn *conn, char *text, size_t size)
{
    ovs_assert(conn->state == CONN_IDLE);
    conn->out = text;
    conn->out_size = size;
    conn->sent = 0;
    conn->n_in = 0;
    conn->state = CONN_HEAD;
    /* Not written here: a callback that fails within a call would confuse
     * its caller. */
    set_events(conn, true, EPOLL_CTL_MOD);
}

/* Answers. */

/* Returns the value of header NAME (with its colon), or null. */
static const char *
find_header(const char *head, const char *name)
{
    const char *line = head;

    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (!strncasecmp(line, name, strlen(name))) {
            return line + strlen(name) + strspn(line + strlen(name), " ");
        }
    }
    return NULL;
}

static void
finish_answer(struct tls_conn *conn)
{
    char *body = conn->in;
    int status = conn->status;

    body[conn->n_in] = '\0';
    conn->in = NULL;
    conn->state = CONN_IDLE;
    conn->class->answer(conn->aux, status, body, false);
    free(body);
}

/* Handles the N bytes at P of a chunked body; all are consumed. */
static void
read_chunks(struct tls_conn *conn, const char *p, size_t n)
{
    const struct tls_client *client = conn->client;

    while (n && client->current) {
        if (conn->chunk == CHUNK_DATA) {
            size_t part = MIN(n, conn->chunk_left);

            conn->chunk_left -= part;
            if (!conn->chunk_left) {
                conn->chunk = CHUNK_END;
            }
            conn->class->bytes(conn->aux, p, part);
            p += part;
            n -= part;
            continue;
        }
        int c = *p++;
        n--;
        if (conn->chunk == CHUNK_END) {
            conn->chunk = c == '\n' ? CHUNK_SIZE : CHUNK_END;
        } else if (c == '\n') {
            if (!conn->chunk_left) {
                fail(conn, "end");
                return;
            }
            conn->chunk = CHUNK_DATA;
        } else if (hexit_value(c) >= 0) {
            conn->chunk_left = conn->chunk_left * 16 + hexit_value(c);
        }
    }
}

static void
read_head(struct tls_conn *conn, const char *p, size_t n)
{
    const struct tls_client *client = conn->client;

    if (!conn->in) {
        conn->in = xmalloc(TLS_ANSWER_MAX + 1);
        conn->n_in = 0;
    }
    size_t part = MIN(n, TLS_ANSWER_MAX - conn->n_in);
    memcpy(conn->in + conn->n_in, p, part);
    conn->n_in += part;
    conn->in[conn->n_in] = '\0';

    char *end = strstr(conn->in, "\r\n\r\n");
    if (!end) {
        if (conn->n_in >= HEAD_MAX) {
            fail(conn, "head of answer too long");
        }
        return;
    }
    *end = '\0';
    size_t rest = conn->in + conn->n_in - (end + 4);
    const char *length = find_header(conn->in, "Content-Length:");

    conn->status = (conn->n_in > 12 && !memcmp(conn->in, "HTTP/1.1 ", 9)
                    ? atoi(conn->in + 9) : 0);
    if (find_header(conn->in, "Transfer-Encoding: chunked")) {
        char *first = xmemdup(end + 4, rest + 1);

        free(conn->in);
        conn->in = NULL;
        conn->state = CONN_STREAM;
        conn->chunk = CHUNK_SIZE;
        conn->chunk_left = 0;
        conn->class->answer(conn->aux, conn->status, "", true);
        if (client->current) {
            read_chunks(conn, first, rest);
        }
        free(first);
        return;
    }
    size_t size = length ? strtoul(length, NULL, 10) : 0;
    memmove(conn->in, end + 4, rest);
    conn->n_in = rest;
    conn->body_left = size > rest ? size - rest : 0;
    conn->state = CONN_BODY;
    if (!conn->body_left) {
        finish_answer(conn);
    }
}

static void
read_body(struct tls_conn *conn, const char *p, size_t n)
{
    size_t part = MIN(n, TLS_ANSWER_MAX - conn->n_in);

    memcpy(conn->in + conn->n_in, p, part);
    conn->n_in += part;
    conn->body_left -= MIN(n, conn->body_left);
    if (!conn->body_left) {
        finish_answer(conn);
    }
}

static void
receive(struct tls_conn *conn)
{
    struct tls_client *client = conn->client;

    while (client->current) {
        errno = 0;
        ERR_clear_error();
        int n = SSL_read(conn->ssl, client->buffer, sizeof client->buffer);

        if (n <= 0) {
            try_later(conn, n);
            return;
        }
        if (conn->state == CONN_HEAD) {
            read_head(conn, client->buffer, n);
        } else if (conn->state == CONN_BODY) {
            read_body(conn, client->buffer, n);
        } else if (conn->state == CONN_STREAM) {
            read_chunks(conn, client->buffer, n);
        }
        if (client->current && conn->out) {
            return;             /* A callback has sent the next request. */
        }
    }
}

static void
run_handshake(struct tls_conn *conn)
{
    if (conn->state == CONN_CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;

        getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            fail(conn, error == ECONNREFUSED ? "refused"
                 : ovs_strerror(error));
            return;
        }
        conn->state = CONN_HANDSHAKE;
    }
    errno = 0;
    ERR_clear_error();
    int n = SSL_do_handshake(conn->ssl);
    if (n != 1) {
        try_later(conn, n);
        return;
    }
    if (SSL_session_reused(conn->ssl)) {
        conn->client->n_resumed++;
    } else {
        conn->client->n_full++;
    }
    conn->state = CONN_IDLE;
    set_events(conn, false, EPOLL_CTL_MOD);
    conn->class->ready(conn->aux);
}

static void
run_conn(struct tls_conn *conn, uint32_t events)
{
    struct tls_client *client = conn->client;

    client->current = conn;
    if (conn->state <= CONN_HANDSHAKE) {
        run_handshake(conn);
        return;
    }
    if (events & EPOLLOUT && conn->out) {
        flush(conn);
    }
    if (client->current && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        receive(conn);
    }
}

void
tls_client_run(struct tls_client *client, int ms)
{
    struct epoll_event events[N_EVENTS];
    int n = epoll_wait(client->epoll_fd, events, N_EVENTS, ms);

    for (int i = 0; i < n; i++) {
        run_conn(events[i].data.ptr, events[i].events);
    }
    client->current = NULL;
}
