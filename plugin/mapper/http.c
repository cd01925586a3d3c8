/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS in the poll loop. */

#include <config.h>

#include "mapper/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "mapper/certificate.h"
#include "model/credential.h"
#include "model/types.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(http);

COVERAGE_DEFINE(mapper_http_request);
COVERAGE_DEFINE(mapper_http_deadline);
COVERAGE_DEFINE(mapper_http_stranger);
COVERAGE_DEFINE(mapper_http_too_large);
COVERAGE_DEFINE(mapper_stream_cut);

/* One listening socket. */
struct http_listener {
    struct ovs_list list_node;
    struct MHD_Daemon *daemon;
    int epoll_fd;
};

struct http_server {
    const char *ca_pem;
    http_handler *handler;
    void *aux;
    struct ovs_list listeners;
    struct ovs_list sockets;
    struct ovs_list suspended;  /* Connections without an answer. */
    struct ovs_list strangers;  /* "struct http_socket"s, oldest first. */
    size_t n_sockets;
    size_t n_strangers;
    long long int next_scan;
    unsigned int max_per_address;
    bool closing;
};

/* One accepted socket. */
struct http_socket {
    struct ovs_list list_node;
    struct ovs_list stranger_node; /* Empty once it is trusted, or cut. */
    int fd;
    long long int deadline;     /* LLONG_MAX while a request is answered. */
};

enum connection_state {
    CONN_RECEIVING,
    CONN_HANDLED,               /* The handler runs or has run. */
    CONN_SUSPENDED,
    CONN_ANSWERED,              /* 'response' waits to be queued. */
    CONN_QUEUED,
};

/* One request on a socket. */
struct http_connection {
    struct ovs_list list_node;  /* In 'suspended'. */
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct http_socket *socket;
    enum connection_state state;

    char *path;
    char *body;
    size_t body_size;
    size_t received;

    struct MHD_Response *response;
    unsigned int status;
};

struct queued_blob {
    struct ovs_list list_node;
    struct http_blob *blob;
    bool free;
};

struct http_stream {
    struct http_connection *connection;
    int fd;                     /* Not owned; outlives the connection. */
    struct ovs_list queue;      /* "struct queued_blob"s. */
    size_t offset;              /* Sent of the first one. */
    size_t queued;              /* Bytes that count. */
    bool suspended;
    bool finished;
    void (*closed)(void *aux);
    void *aux;
};

static void
wiping_free(void *data, size_t size)
{
    if (data) {
        model_wipe(data, size);
        free(data);
    }
}

struct http_server *
http_server_create(const char *ca_pem, http_handler *handler, void *aux)
{
    struct http_server *server = xzalloc(sizeof *server);

    server->ca_pem = ca_pem;
    server->handler = handler;
    server->max_per_address = HTTP_CONNECTIONS_PER_IP_MAX;
    server->aux = aux;
    ovs_list_init(&server->listeners);
    ovs_list_init(&server->sockets);
    ovs_list_init(&server->suspended);
    ovs_list_init(&server->strangers);
    return server;
}

static void
connection_resume(struct http_connection *c)
{
    ovs_list_remove(&c->list_node);
    MHD_resume_connection(c->mhd);
}

void
http_server_destroy(struct http_server *server)
{
    struct http_listener *listener;
    struct http_connection *c;

    if (!server) {
        return;
    }

    server->closing = true;

    /* libmicrohttpd does not stop while a connection is suspended. */
    LIST_FOR_EACH_SAFE (c, list_node, &server->suspended) {
        if (c->state == CONN_SUSPENDED) {
            http_respond(c, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, NULL, 0,
                         NULL, NULL);
        } else {
            connection_resume(c);
        }
    }
    LIST_FOR_EACH_POP (listener, list_node, &server->listeners) {
        MHD_run(listener->daemon);
        MHD_stop_daemon(listener->daemon);
        free(listener);
    }
    free(server);
}

/* Bodies and answers. */

static enum MHD_Result
connection_queue(struct http_connection *c)
{
    enum MHD_Result result = MHD_queue_response(c->mhd, c->status,
                                                c->response);
    MHD_destroy_response(c->response);
    c->response = NULL;
    c->state = CONN_QUEUED;
    return result;
}

struct answer {
    size_t size;
    char *body;
};

static ssize_t
read_answer(void *answer_, uint64_t offset, char *buffer, size_t max)
{
    struct answer *answer = answer_;
    size_t n = MIN(max, answer->size - offset);

    memcpy(buffer, answer->body + offset, n);
    return n;
}

static void
free_answer(void *answer_)
{
    struct answer *answer = answer_;

    wiping_free(answer->body, answer->size);
    free(answer);
}

void
http_respond(struct http_connection *c, int status, const char *content_type,
             char *body, size_t size, const char *header, const char *value)
{
    struct answer *answer = xmalloc(sizeof *answer);

    ovs_assert(c->state == CONN_HANDLED || c->state == CONN_SUSPENDED);
    *answer = (struct answer) { .size = size, .body = body };
    c->status = status;
    c->response = MHD_create_response_from_callback(
        size, 16384, read_answer, answer, free_answer);
    if (content_type && size) {
        MHD_add_response_header(c->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                content_type);
    }
    MHD_add_response_header(c->response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            "no-store");
    if (header) {
        MHD_add_response_header(c->response, header, value);
    }

    bool suspended = c->state == CONN_SUSPENDED;
    c->state = CONN_ANSWERED;
    if (suspended) {
        connection_resume(c);
    }
}

static void
call_handler(struct http_connection *c, const char *method)
{
    const char *(*get)(struct MHD_Connection *, enum MHD_ValueKind,
                       const char *) = MHD_lookup_connection_value;
    struct http_request request = {
        .method = method,
        .path = c->path,
        .authorization = get(c->mhd, MHD_HEADER_KIND,
                             MHD_HTTP_HEADER_AUTHORIZATION),
        .content_type = get(c->mhd, MHD_HEADER_KIND,
                            MHD_HTTP_HEADER_CONTENT_TYPE),
        .last_event_id = get(c->mhd, MHD_HEADER_KIND, "Last-Event-ID"),
        .instance = get(c->mhd, MHD_HEADER_KIND, "VSubnet-Instance"),
        .if_match = get(c->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_MATCH),
        .idempotency_key = get(c->mhd, MHD_HEADER_KIND, "Idempotency-Key"),
        .body = c->body ? c->body : "",
        .body_size = c->body_size,
        .too_large = c->received > HTTP_BODY_MAX,
    };

    COVERAGE_INC(mapper_http_request);
    c->socket->deadline = LLONG_MAX;
    c->state = CONN_HANDLED;
    c->server->handler(c, &request, c->server->aux);
    wiping_free(c->body, c->body_size);
    c->body = NULL;
}

/* Keeps DATA, as far as the limit allows.  Returns false to cut off. */
static bool
receive(struct http_connection *c, const char *data, size_t size)
{
    c->received += size;
    if (c->received > HTTP_DISCARD_MAX) {
        return false;
    }
    if (c->received > HTTP_BODY_MAX) {
        if (c->body) {
            COVERAGE_INC(mapper_http_too_large);
        }
        wiping_free(c->body, c->body_size);
        c->body = NULL;
        c->body_size = 0;
        return true;
    }
    if (!c->body) {
        c->body = xmalloc(HTTP_BODY_MAX + 1);
    }
    memcpy(c->body + c->body_size, data, size);
    c->body_size += size;
    c->body[c->body_size] = '\0';
    return true;
}

static struct http_connection *
connection_create(struct http_server *server, struct MHD_Connection *mhd,
                  const char *path)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *c = xzalloc(sizeof *c);

    c->server = server;
    c->mhd = mhd;
    c->socket = info->socket_context;
    c->path = xstrdup(path);
    ovs_list_init(&c->list_node);
    return c;
}

/* True if the request says that its body will be more than we would even
 * throw away. */
static bool
is_hopeless(struct MHD_Connection *mhd)
{
    const char *length = MHD_lookup_connection_value(
        mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length && strtoull(length, NULL, 10) > HTTP_DISCARD_MAX;
}

static enum MHD_Result
handle_access(void *server, struct MHD_Connection *mhd, const char *url,
              const char *method, const char *version OVS_UNUSED,
              const char *data, size_t *size, void **con_cls)
{
    struct http_connection *c = *con_cls;

    if (!c) {
        *con_cls = c = connection_create(server, mhd, url);
        if (is_hopeless(mhd)) {
            c->received = HTTP_DISCARD_MAX;
            call_handler(c, method);
            return connection_queue(c);
        }
        return MHD_YES;
    }
    if (*size) {
        size_t n = *size;

        *size = 0;
        return receive(c, data, n) ? MHD_YES : MHD_NO;
    }

    if (c->state == CONN_RECEIVING) {
        call_handler(c, method);
        if (c->state == CONN_HANDLED) {
            c->state = CONN_SUSPENDED;
            ovs_list_push_back(&c->server->suspended, &c->list_node);
            MHD_suspend_connection(mhd);
            return MHD_YES;
        }
    }
    return c->state == CONN_ANSWERED ? connection_queue(c) : MHD_YES;
}

static void
handle_completed(void *server OVS_UNUSED, struct MHD_Connection *mhd
                 OVS_UNUSED, void **con_cls,
                 enum MHD_RequestTerminationCode code OVS_UNUSED)
{
    struct http_connection *c = *con_cls;

    if (c) {
        c->socket->deadline = time_msec() + HTTP_KEEPALIVE_MS;
        if (c->response) {
            MHD_destroy_response(c->response);
        }
        wiping_free(c->body, c->body_size);
        free(c->path);
        free(c);
        *con_cls = NULL;
    }
}

static void
socket_leave_strangers(struct http_server *server, struct http_socket *s)
{
    if (!ovs_list_is_empty(&s->stranger_node)) {
        ovs_list_remove(&s->stranger_node);
        ovs_list_init(&s->stranger_node);
        server->n_strangers--;
    }
}

void
http_connection_trust(struct http_connection *c)
{
    socket_leave_strangers(c->server, c->socket);
}

static void
socket_join_strangers(struct http_server *server, struct http_socket *s)
{
    if (server->n_strangers >= HTTP_STRANGERS_MAX) {
        struct http_socket *oldest = CONTAINER_OF(
            ovs_list_front(&server->strangers), struct http_socket,
            stranger_node);

        COVERAGE_INC(mapper_http_stranger);
        socket_leave_strangers(server, oldest);
        shutdown(oldest->fd, SHUT_RDWR);
    }
    ovs_list_push_back(&server->strangers, &s->stranger_node);
    server->n_strangers++;
}

static void
handle_socket(void *server_, struct MHD_Connection *mhd, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = server_;
    struct http_socket *s = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int size = HTTP_SEND_BUFFER;

        s = xzalloc(sizeof *s);
        s->fd = MHD_get_connection_info(
            mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        s->deadline = time_msec() + HTTP_FIRST_MS;
        setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        ovs_list_push_back(&server->sockets, &s->list_node);
        server->n_sockets++;
        socket_join_strangers(server, s);
        *context = s;
    } else if (s) {
        socket_leave_strangers(server, s);
        ovs_list_remove(&s->list_node);
        server->n_sockets--;
        free(s);
        *context = NULL;
    }
}

static void OVS_PRINTF_FORMAT(2, 0)
handle_log(void *server OVS_UNUSED, const char *format, va_list args)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

    if (!VLOG_DROP_DBG(&rl)) {
        char *message = xvasprintf(format, args);

        message[strcspn(message, "\r\n")] = '\0';
        VLOG_DBG("%s", message);
        free(message);
    }
}

/* Keeps the path as it was sent, so that the router sees encoded slashes. */
static size_t
keep_escapes(void *aux OVS_UNUSED, struct MHD_Connection *mhd OVS_UNUSED,
             char *s)
{
    return strlen(s);
}

static struct MHD_Daemon *
start_daemon(struct http_server *server, int fd)
{
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        /* Has clients asked for a certificate, which none must have. */
        { MHD_OPTION_HTTPS_MEM_TRUST, 0,
          CONST_CAST(char *, server->ca_pem) },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          CONST_CAST(char *, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2") },
        { MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, server->max_per_address, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_INACTIVITY_S, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(
        MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME
        | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle_access, server,
        MHD_OPTION_EXTERNAL_LOGGER, handle_log, NULL,
        MHD_OPTION_HTTPS_CERT_CALLBACK, certificate_retrieve,
        MHD_OPTION_NOTIFY_COMPLETED, handle_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, handle_socket, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

void
http_server_limit_per_address(struct http_server *server, unsigned int max)
{
    server->max_per_address = max;
}

static int
open_socket(struct sockaddr_storage *ss)
{
    socklen_t length = (ss->ss_family == AF_INET
                        ? sizeof(struct sockaddr_in)
                        : sizeof(struct sockaddr_in6));
    int fd = socket(ss->ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ss->ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, (struct sockaddr *) ss, length) || listen(fd, 1024)
        || getsockname(fd, (struct sockaddr *) ss, &length)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

int
http_server_listen(struct http_server *server, struct sockaddr_storage *ss)
{
    int fd = open_socket(ss);

    if (fd < 0) {
        return -fd;
    }
    struct MHD_Daemon *daemon = start_daemon(server, fd);
    if (!daemon) {
        close(fd);
        return EPROTO;
    }

    struct http_listener *listener = xzalloc(sizeof *listener);
    listener->daemon = daemon;
    listener->epoll_fd = MHD_get_daemon_info(
        daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    ovs_list_push_back(&server->listeners, &listener->list_node);
    return 0;
}

/* Cuts off connections whose request should have arrived by now. */
static void
scan_deadlines(struct http_server *server)
{
    long long int now = time_msec();
    struct http_socket *s;

    if (now < server->next_scan) {
        return;
    }
    server->next_scan = now + 1000;
    LIST_FOR_EACH (s, list_node, &server->sockets) {
        if (now >= s->deadline) {
            COVERAGE_INC(mapper_http_deadline);
            s->deadline = LLONG_MAX;
            shutdown(s->fd, SHUT_RDWR);
        }
    }
}

void
http_server_run(struct http_server *server)
{
    struct http_listener *listener;

    LIST_FOR_EACH (listener, list_node, &server->listeners) {
        MHD_run(listener->daemon);
    }

    /* After what has arrived while this process had no time to look. */
    scan_deadlines(server);
}

void
http_server_wait(struct http_server *server)
{
    struct http_listener *listener;

    LIST_FOR_EACH (listener, list_node, &server->listeners) {
        MHD_UNSIGNED_LONG_LONG timeout;

        poll_fd_wait(listener->epoll_fd, POLLIN);
        if (MHD_get_timeout(listener->daemon, &timeout) == MHD_YES) {
            poll_timer_wait(MIN(timeout, 1000));
        }
    }
    if (server->n_sockets) {
        poll_timer_wait_until(server->next_scan);
    }
}

void
http_connection_peer(const struct http_connection *c,
                     char text[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;

    text[0] = '\0';
    if (sa && sa->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *) sa)->sin_addr,
                  text, INET6_ADDRSTRLEN);
    } else if (sa && sa->sa_family == AF_INET6) {
        const struct in6_addr *ip
            = &((const struct sockaddr_in6 *) sa)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(ip)) {
            inet_ntop(AF_INET, &ip->s6_addr[12], text, INET6_ADDRSTRLEN);
        } else {
            inet_ntop(AF_INET6, ip, text, INET6_ADDRSTRLEN);
        }
    }
}

struct query_cb {
    void (*cb)(void *aux, const char *name, const char *value);
    void *aux;
};

static enum MHD_Result
call_query_cb(void *cb_, enum MHD_ValueKind kind OVS_UNUSED,
              const char *name, const char *value)
{
    const struct query_cb *cb = cb_;

    cb->cb(cb->aux, name, value);
    return MHD_YES;
}

void
http_connection_each_query(const struct http_connection *c,
                           void (*cb)(void *aux, const char *name,
                                      const char *value), void *aux)
{
    struct query_cb query = { .cb = cb, .aux = aux };

    MHD_get_connection_values(c->mhd, MHD_GET_ARGUMENT_KIND, call_query_cb,
                              &query);
}

bool
http_connection_certificate(const struct http_connection *c,
                            char fingerprint[65])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned char digest[32];
    size_t size = sizeof digest;
    unsigned int n = 0;

    /* The first one is the client's own. */
    const gnutls_datum_t *shown
        = info ? gnutls_certificate_get_peers(info->tls_session, &n) : NULL;
    if (!shown || !n
        || gnutls_fingerprint(GNUTLS_DIG_SHA256, shown, digest, &size)) {
        return false;
    }
    model_hex_encode(digest, size, fingerprint);
    return true;
}

size_t
http_server_n_connections(const struct http_server *server)
{
    return server->n_sockets;
}

/* Blobs. */

struct http_blob *
http_blob_create(char *data, size_t size)
{
    struct http_blob *blob = xmalloc(sizeof *blob);

    *blob = (struct http_blob) { .n_refs = 1, .size = size, .data = data };
    return blob;
}

struct http_blob *
http_blob_ref(struct http_blob *blob)
{
    blob->n_refs++;
    return blob;
}

void
http_blob_unref(struct http_blob *blob)
{
    if (blob && !--blob->n_refs) {
        wiping_free(blob->data, blob->size);
        free(blob);
    }
}

/* Streams. */

static void
remove_blob(struct http_stream *stream, struct queued_blob *queued)
{
    ovs_list_remove(&queued->list_node);
    if (!queued->free) {
        stream->queued -= queued->blob->size;
    }
    http_blob_unref(queued->blob);
    free(queued);
}

static void
pop_blob(struct http_stream *stream)
{
    remove_blob(stream, CONTAINER_OF(ovs_list_front(&stream->queue),
                                     struct queued_blob, list_node));
    stream->offset = 0;
}

static ssize_t
read_stream(void *stream_, uint64_t position OVS_UNUSED, char *buffer,
            size_t max)
{
    struct http_stream *stream = stream_;
    size_t n = 0;

    while (n < max && !ovs_list_is_empty(&stream->queue)) {
        const struct http_blob *blob = CONTAINER_OF(
            ovs_list_front(&stream->queue), struct queued_blob,
            list_node)->blob;
        size_t chunk = MIN(max - n, blob->size - stream->offset);

        memcpy(buffer + n, blob->data + stream->offset, chunk);
        n += chunk;
        stream->offset += chunk;
        if (stream->offset == blob->size) {
            pop_blob(stream);
        }
    }
    if (n) {
        return n;
    }
    if (stream->finished || stream->connection->server->closing) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    stream->suspended = true;
    ovs_list_push_back(&stream->connection->server->suspended,
                       &stream->connection->list_node);
    MHD_suspend_connection(stream->connection->mhd);
    return 0;
}

static void
free_stream(void *stream_)
{
    struct http_stream *stream = stream_;

    while (!ovs_list_is_empty(&stream->queue)) {
        pop_blob(stream);
    }
    if (stream->closed) {
        stream->closed(stream->aux);
    }
    free(stream);
}

struct http_stream *
http_stream_open(struct http_connection *c, void (*closed)(void *aux),
                 void *aux)
{
    struct http_stream *stream = xzalloc(sizeof *stream);

    ovs_assert(c->state == CONN_HANDLED);
    stream->connection = c;
    stream->fd = c->socket->fd;
    ovs_list_init(&stream->queue);
    stream->closed = closed;
    stream->aux = aux;

    c->status = MHD_HTTP_OK;
    c->response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, 16384, read_stream, stream, free_stream);
    MHD_add_response_header(c->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "text/event-stream");
    MHD_add_response_header(c->response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            "no-store");
    c->state = CONN_ANSWERED;
    return stream;
}

static void
wake_stream(struct http_stream *stream)
{
    if (stream->suspended) {
        stream->suspended = false;
        connection_resume(stream->connection);
    }
}

void
http_stream_forget(struct http_stream *stream)
{
    struct queued_blob *queued;
    bool begun = stream->offset > 0;

    LIST_FOR_EACH_SAFE (queued, list_node, &stream->queue) {
        if (begun) {
            begun = false;
        } else {
            remove_blob(stream, queued);
        }
    }
}

void
http_stream_cut(struct http_stream *stream)
{
    COVERAGE_INC(mapper_stream_cut);
    http_stream_forget(stream);
    stream->finished = true;
    shutdown(stream->connection->socket->fd, SHUT_RDWR);
    wake_stream(stream);
}

void
http_stream_send(struct http_stream *stream, struct http_blob *blob,
                 bool free)
{
    if (stream->finished) {
        return;
    }
    if (!free && stream->queued + blob->size > HTTP_STREAM_QUEUE_MAX) {
        VLOG_WARN("cutting an event stream whose client does not read");
        http_stream_cut(stream);
        return;
    }

    struct queued_blob *queued = xmalloc(sizeof *queued);
    queued->blob = http_blob_ref(blob);
    queued->free = free;
    ovs_list_push_back(&stream->queue, &queued->list_node);
    if (!free) {
        stream->queued += blob->size;
    }
    wake_stream(stream);
}

/* libmicrohttpd tells of a connection's end, and frees its answer, before it
 * closes the socket. */
long long int
http_stream_silence(const struct http_stream *stream)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    return (getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &size)
            ? LLONG_MAX : info.tcpi_last_ack_recv);
}

void
http_stream_finish(struct http_stream *stream)
{
    stream->finished = true;
    wake_stream(stream);
}
