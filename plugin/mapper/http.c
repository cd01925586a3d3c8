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
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "mapper/certificate.h"
#include "mapper/http-private.h"
#include "mapper/pki.h"
#include "model/credential.h"
#include "model/types.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(http);

COVERAGE_DEFINE(mapper_http_accepted);
COVERAGE_DEFINE(mapper_http_left);
COVERAGE_DEFINE(mapper_http_request);
COVERAGE_DEFINE(mapper_http_deadline);
COVERAGE_DEFINE(mapper_http_stranger);
COVERAGE_DEFINE(mapper_http_too_large);

/* Ciphers are all AEAD; the one with SHA-256 comes first, since SHA-384 costs
 * a handshake much more than it would give.  The first group is the one for
 * which clients send a key share unasked: another one would cost a round trip
 * (RFC 8446, section 4.1.4). */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

/* One listening socket. */
struct http_listener {
    struct ovs_list list_node;
    int fd;
};

void
http_wiping_free(void *data, size_t size)
{
    if (data) {
        model_wipe(data, size);
        free(data);
    }
}

void
http_connection_resume(struct http_connection *c)
{
    ovs_list_remove(&c->list_node);
    MHD_resume_connection(c->mhd);
}

/* Session tickets spare those who come back most of a handshake, also after a
 * restart: their key follows from the server's, which is kept, so it needs no
 * file of its own and goes when the server's key goes.  Who comes with a
 * ticket of the time before that makes a full handshake. */
static void
make_ticket_key(const struct pki *pki, unsigned char key[HTTP_TICKET_KEY])
{
    static const char label[] = "vsubnet-mapper session tickets";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    ovs_assert(ctx
               && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) == 1
               && EVP_DigestUpdate(ctx, label, sizeof label) == 1
               && EVP_DigestUpdate(ctx, pki->server_key,
                                   strlen(pki->server_key)) == 1
               && EVP_DigestFinal_ex(ctx, key, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}

static void
offer_tickets(const struct http_server *server, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned char bytes[HTTP_TICKET_KEY];
    const gnutls_datum_t key = { .data = bytes, .size = sizeof bytes };

    if (info) {
        make_ticket_key(server->pki, bytes);
        gnutls_session_ticket_enable_server(info->tls_session, &key);
        model_wipe(bytes, sizeof bytes);
    }
}

struct http_server *
http_server_create(const struct pki *pki, const struct http_limits *limits,
                   http_body_max_func *body_max, http_handler *handler,
                   void *aux)
{
    struct http_server *server = xzalloc(sizeof *server);

    server->pki = pki;
    server->limits = *limits;
    server->body_max = body_max;
    server->handler = handler;
    server->aux = aux;
    ovs_list_init(&server->listeners);
    ovs_list_init(&server->sockets);
    ovs_list_init(&server->suspended);
    ovs_list_init(&server->strangers);
    return server;
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
            http_connection_resume(c);
        }
    }
    LIST_FOR_EACH_POP (listener, list_node, &server->listeners) {
        close(listener->fd);
        free(listener);
    }
    if (server->daemon) {
        MHD_run(server->daemon);
        MHD_stop_daemon(server->daemon);
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

    http_wiping_free(answer->body, answer->size);
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
        http_connection_resume(c);
    }
}

/* All of a request but its body. */
static struct http_request
request_head(const struct http_connection *c, const char *method)
{
    const char *(*get)(struct MHD_Connection *, enum MHD_ValueKind,
                       const char *) = MHD_lookup_connection_value;

    return (struct http_request) {
        .method = method,
        .path = c->path,
        .authorization = get(c->mhd, MHD_HEADER_KIND,
                             MHD_HTTP_HEADER_AUTHORIZATION),
        .content_type = get(c->mhd, MHD_HEADER_KIND,
                            MHD_HTTP_HEADER_CONTENT_TYPE),
        .last_event_id = get(c->mhd, MHD_HEADER_KIND, "Last-Event-ID"),
        .instance = get(c->mhd, MHD_HEADER_KIND, "VSubnet-Instance"),
        .if_match = get(c->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_MATCH),
        .if_none_match = get(c->mhd, MHD_HEADER_KIND,
                             MHD_HTTP_HEADER_IF_NONE_MATCH),
        .idempotency_key = get(c->mhd, MHD_HEADER_KIND, "Idempotency-Key"),
        .body = "",
    };
}

static void
call_handler(struct http_connection *c, const char *method)
{
    struct http_request request = request_head(c, method);

    request.body = c->body ? c->body : "";
    request.body_size = c->body_size;
    request.too_large = c->received > c->body_max;

    COVERAGE_INC(mapper_http_request);
    c->socket->deadline = LLONG_MAX;
    c->state = CONN_HANDLED;
    c->server->handler(c, &request, c->server->aux);
    http_wiping_free(c->body, c->body_size);
    c->body = NULL;
}

/* Keeps DATA, as far as the limit allows.  Returns false to cut off. */
static bool
receive(struct http_connection *c, const char *data, size_t size)
{
    c->received += size;
    if (c->received > MAX(c->body_max, HTTP_DISCARD_MAX)) {
        return false;
    }
    if (c->received > c->body_max) {
        if (c->body) {
            COVERAGE_INC(mapper_http_too_large);
        }
        http_wiping_free(c->body, c->body_size);
        c->body = NULL;
        c->body_size = 0;
        return true;
    }
    if (!c->body) {
        c->body = xmalloc(c->body_max + 1);
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
    c->body_max = HTTP_BODY_MAX;
    ovs_list_init(&c->list_node);
    return c;
}

static unsigned long long int
content_length(struct MHD_Connection *mhd)
{
    const char *length = MHD_lookup_connection_value(
        mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length ? strtoull(length, NULL, 10) : 0;
}

/* Lets a body be larger than others, if it says that it will be.  Whoever may
 * send one may take longer for it, too. */
static void
make_room(struct http_connection *c, const char *method)
{
    unsigned long long int length = content_length(c->mhd);

    if (length > HTTP_BODY_MAX && length <= HTTP_LARGE_BODY_MAX) {
        struct http_request head = request_head(c, method);
        size_t max = c->server->body_max(c, &head, c->server->aux);

        if (length <= max) {
            c->body_max = length;
            c->socket->deadline = MAX(c->socket->deadline,
                                      time_msec() + HTTP_KEEPALIVE_MS);
        }
    }
}

/* True if the request says that its body will be more than we would even
 * throw away. */
static bool
is_hopeless(const struct http_connection *c)
{
    return content_length(c->mhd) > MAX(c->body_max, HTTP_DISCARD_MAX);
}

static enum MHD_Result
handle_access(void *server, struct MHD_Connection *mhd, const char *url,
              const char *method, const char *version OVS_UNUSED,
              const char *data, size_t *size, void **con_cls)
{
    struct http_connection *c = *con_cls;

    if (!c) {
        *con_cls = c = connection_create(server, mhd, url);
        make_room(c, method);
        if (is_hopeless(c)) {
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
        http_wiping_free(c->body, c->body_size);
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

static struct http_socket *
oldest_stranger(const struct http_server *server)
{
    return CONTAINER_OF(ovs_list_front(&server->strangers),
                        struct http_socket, stranger_node);
}

static void
socket_join_strangers(struct http_server *server, struct http_socket *s)
{
    if (server->n_strangers >= HTTP_STRANGERS_MAX) {
        struct http_socket *oldest = oldest_stranger(server);

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
        s->accepted = time_msec();
        s->deadline = s->accepted + HTTP_FIRST_MS;
        setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        ovs_list_push_back(&server->sockets, &s->list_node);
        server->n_sockets++;
        socket_join_strangers(server, s);
        offer_tickets(server, mhd);
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
start_daemon(struct http_server *server)
{
    struct MHD_OptionItem options[] = {
        /* Has clients asked for a certificate, which none must have. */
        { MHD_OPTION_HTTPS_MEM_TRUST, 0, server->pki->ca_pem },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          CONST_CAST(char *, priorities) },
        { MHD_OPTION_CONNECTION_LIMIT, server->limits.connections, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, server->limits.per_address,
          NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_POOL_SIZE, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_INACTIVITY_S, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(
        MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME
        | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG,
        0, NULL, NULL, handle_access, server,
        MHD_OPTION_EXTERNAL_LOGGER, handle_log, NULL,
        MHD_OPTION_HTTPS_CERT_CALLBACK, certificate_retrieve,
        MHD_OPTION_NOTIFY_COMPLETED, handle_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, handle_socket, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_ARRAY, options, MHD_OPTION_END);
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
    if (bind(fd, (struct sockaddr *) ss, length) || listen(fd, HTTP_BACKLOG)
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
    if (!server->daemon) {
        server->daemon = start_daemon(server);
        if (!server->daemon) {
            return EPROTO;
        }
        server->epoll_fd = MHD_get_daemon_info(
            server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    }

    int fd = open_socket(ss);
    if (fd < 0) {
        return -fd;
    }
    struct http_listener *listener = xzalloc(sizeof *listener);
    listener->fd = fd;
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

/* Returns when another connection may be accepted: at once while there are
 * few of which nothing is known, otherwise when the oldest of these has had
 * its time.  Until then others wait in the kernel's queue, so that many who
 * come at the same time, as after a restart, do not push each other out. */
static long long int
next_accept(const struct http_server *server)
{
    return (server->n_strangers < HTTP_STRANGERS_MAX ? server->next_accept
            : oldest_stranger(server)->accepted + HTTP_STRANGER_MS);
}

/* True if the peer has closed its side already: who waited too long in the
 * kernel's queue has gone to try again, and is to cost no handshake. */
static bool
has_left(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    return (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)
            && info.tcpi_state != TCP_ESTABLISHED);
}

/* True if so many connections are new and so much has arrived that more of
 * them would only keep each other waiting: what has been accepted is served
 * first.  Those who say nothing hold up nobody, since nothing arrives. */
static bool
is_behind(const struct http_server *server)
{
    struct pollfd pollfd = { .fd = server->epoll_fd, .events = POLLIN };

    return (server->n_strangers >= HTTP_STRANGERS_BUSY
            && poll(&pollfd, 1, 0) > 0);
}

/* Accepts a few connections, so that those that are there get their turn. */
static void
accept_connections(struct http_server *server,
                   const struct http_listener *listener)
{
    for (int i = 0; i < HTTP_ACCEPT_MAX; i++) {
        struct sockaddr_storage ss;
        socklen_t size = sizeof ss;

        if (time_msec() < next_accept(server) || is_behind(server)) {
            return;
        }
        int fd = accept4(listener->fd, (struct sockaddr *) &ss, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

                VLOG_WARN_RL(&rl, "accept: %s", ovs_strerror(errno));
                server->next_accept = time_msec() + 100;
            }
            return;
        }
        if (has_left(fd)) {
            COVERAGE_INC(mapper_http_left);
            close(fd);
            continue;
        }
        COVERAGE_INC(mapper_http_accepted);
        /* Closes it if there are too many. */
        MHD_add_connection(server->daemon, fd, (struct sockaddr *) &ss, size);
    }
}

void
http_server_run(struct http_server *server)
{
    struct http_listener *listener;

    LIST_FOR_EACH (listener, list_node, &server->listeners) {
        accept_connections(server, listener);
    }
    if (server->daemon) {
        MHD_run(server->daemon);
    }

    /* After what has arrived while this process had no time to look. */
    scan_deadlines(server);
}

void
http_server_wait(struct http_server *server)
{
    long long int accept_at = next_accept(server);
    struct http_listener *listener;
    MHD_UNSIGNED_LONG_LONG timeout;

    LIST_FOR_EACH (listener, list_node, &server->listeners) {
        if (time_msec() < accept_at) {
            poll_timer_wait_until(accept_at);
        } else {
            poll_fd_wait(listener->fd, POLLIN);
        }
    }
    if (server->daemon) {
        poll_fd_wait(server->epoll_fd, POLLIN);
        if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES) {
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
