/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, /healthz and /readyz by HTTP. */
#ifndef VSUBNET_MONITOR_SERVER_H
#define VSUBNET_MONITOR_SERVER_H 1

/* A plain HTTP server, only where --metrics asks for one.  It answers GET of
 * three paths and reads nothing else, so whoever can connect learns what
 * monitor.h tells, and can change nothing.  That is why it is meant for a
 * loopback address, or one of a network for administration; another one is
 * warned of.
 *
 * libmicrohttpd does the protocol; its epoll descriptor joins poll_block().
 * There are at most MONITOR_CONNECTIONS_MAX connections, each with
 * MONITOR_SILENCE_S to say something. */

#include <stdbool.h>

struct controller;
struct monitor_server;

enum {
    MONITOR_CONNECTIONS_MAX = 16,
    MONITOR_SILENCE_S = 10,
};

/* 'target' is ADDR:PORT or [ADDR6]:PORT, port 0: any free one, which the log
 * tells.  Returns NULL or an error message that the caller frees. */
char *monitor_server_create(const char *target, const struct controller *,
                            struct monitor_server **);
void monitor_server_destroy(struct monitor_server *);

/* NULL is no server. */
void monitor_server_run(struct monitor_server *);
void monitor_server_wait(struct monitor_server *);

#endif /* monitor-server.h */
