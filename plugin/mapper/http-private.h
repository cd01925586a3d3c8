/* SPDX-License-Identifier: Apache-2.0 */
/* What http.c and http-stream.c share; for no one else. */

#ifndef MAPPER_HTTP_PRIVATE_H
#define MAPPER_HTTP_PRIVATE_H 1

#include <microhttpd.h>

#include "mapper/http.h"
#include "openvswitch/list.h"

enum { HTTP_TICKET_KEY = 64 };  /* What GnuTLS asks for. */

struct http_server {
    const struct pki *pki;
    struct http_limits limits;
    http_body_max_func *body_max;
    http_handler *handler;
    void *aux;
    struct MHD_Daemon *daemon;  /* Null before the first listener. */
    int epoll_fd;
    struct ovs_list listeners;
    struct ovs_list sockets;
    struct ovs_list suspended;  /* Connections without an answer. */
    struct ovs_list strangers;  /* "struct http_socket"s, oldest first. */
    size_t n_sockets;
    size_t n_strangers;
    long long int next_scan;
    long long int next_accept;  /* After accept() has failed. */
    bool closing;
};

/* One accepted socket. */
struct http_socket {
    struct ovs_list list_node;
    struct ovs_list stranger_node; /* Empty once it is trusted, or cut. */
    int fd;
    long long int accepted;
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
    size_t body_max;
    size_t received;

    struct MHD_Response *response;
    unsigned int status;
};

void http_wiping_free(void *, size_t);

/* Wakes a connection of server->suspended. */
void http_connection_resume(struct http_connection *);

#endif /* mapper/http-private.h */
