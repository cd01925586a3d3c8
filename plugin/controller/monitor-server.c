/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, /healthz and /readyz by HTTP. */
#include <config.h>
#include "controller/monitor-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/monitor.h"
#include "model/metrics.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(monitor_server);

struct monitor_server {
    const struct controller *controller;
    struct MHD_Daemon *daemon;
    int epoll_fd;
};

/* Answers with 'text', which is taken over. */
static enum MHD_Result
answer(struct MHD_Connection *mhd, unsigned int status, const char *type,
       char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), text, MHD_RESPMEM_MUST_FREE);

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    }
    enum MHD_Result result = MHD_queue_response(mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
answer_ready(const struct controller *c, struct MHD_Connection *mhd)
{
    const char *why;
    bool ready = monitor_is_ready(c, &why);

    return answer(mhd, (ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE),
                  "application/json",
                  (ready ? xstrdup("{\"status\":\"ready\"}")
                   : xasprintf("{\"status\":\"not ready\",\"detail\":\"%s\"}",
                               why)));
}

static enum MHD_Result
handle(void *server_, struct MHD_Connection *mhd, const char *path,
       const char *method, const char *version OVS_UNUSED,
       const char *data OVS_UNUSED, size_t *size, void **context)
{
    static int headers_seen;
    struct monitor_server *server = server_;

    if (!*context) {
        *context = &headers_seen;
        return MHD_YES;
    } else if (*size) {
        return MHD_NO;          /* There is nothing to be told here. */
    } else if (strcmp(method, MHD_HTTP_METHOD_GET)) {
        return answer(mhd, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
                      xstrdup("GET only\n"));
    } else if (!strcmp(path, "/metrics")) {
        return answer(mhd, MHD_HTTP_OK, METRICS_CONTENT_TYPE,
                      monitor_metrics(server->controller));
    } else if (!strcmp(path, "/healthz")) {
        return answer(mhd, MHD_HTTP_OK, "application/json",
                      xstrdup("{\"status\":\"ok\"}"));
    } else if (!strcmp(path, "/readyz")) {
        return answer_ready(server->controller, mhd);
    }
    return answer(mhd, MHD_HTTP_NOT_FOUND, "text/plain",
                  xstrdup("/metrics, /healthz or /readyz\n"));
}

static bool
is_loopback(const struct sockaddr_storage *ss)
{
    struct in6_addr ip = ss_get_address(ss);

    return (IN6_IS_ADDR_LOOPBACK(&ip)
            || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127));
}

/* Returns a listening socket, or a negative errno value. */
static int
listen_at(struct sockaddr_storage *ss)
{
    int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    0);
    socklen_t length = ss_length(ss);
    int on = 1;

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *) ss, length) || listen(fd, 16)
        || getsockname(fd, (struct sockaddr *) ss, &length)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

char *
monitor_server_create(const char *target, const struct controller *controller,
                      struct monitor_server **serverp)
{
    struct sockaddr_storage ss;

    *serverp = NULL;
    if (!inet_parse_active(target, -1, &ss, false, NULL)) {
        return xasprintf("--metrics=%s: not ADDR:PORT or [ADDR6]:PORT",
                         target);
    }
    int fd = listen_at(&ss);
    if (fd < 0) {
        return xasprintf("--metrics=%s: %s", target, ovs_strerror(-fd));
    }

    struct monitor_server *server = xzalloc(sizeof *server);
    server->controller = controller;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, server,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int) MONITOR_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) MONITOR_SILENCE_S,
        MHD_OPTION_END);
    if (!server->daemon) {
        close(fd);
        free(server);
        return xasprintf("--metrics=%s: the HTTP server did not start",
                         target);
    }
    server->epoll_fd = MHD_get_daemon_info(
        server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    VLOG_INFO("metrics at port %d of %s", ss_get_port(&ss), target);
    if (!is_loopback(&ss)) {
        VLOG_WARN("--metrics=%s is no loopback address: whoever can connect "
                  "may read them", target);
    }
    *serverp = server;
    return NULL;
}

void
monitor_server_destroy(struct monitor_server *server)
{
    if (server) {
        MHD_stop_daemon(server->daemon);
        free(server);
    }
}

void
monitor_server_run(struct monitor_server *server)
{
    if (server) {
        MHD_run(server->daemon);
    }
}

void
monitor_server_wait(struct monitor_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    if (server) {
        poll_fd_wait(server->epoll_fd, POLLIN);
        if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES) {
            poll_timer_wait(MIN(timeout, 1000));
        }
    }
}
