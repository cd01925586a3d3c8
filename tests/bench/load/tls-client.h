/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS clients by the thousand, in one thread. */

#ifndef LOAD_TLS_CLIENT_H
#define LOAD_TLS_CLIENT_H 1

/* A connection does one request after another, as the simulated hosts of
 * bench-mapper need it: a short JSON answer, or an event stream, whose bytes
 * are handed on as they come.  Everything hangs on one epoll descriptor.
 *
 *      connecting --> handshake --> idle --request--> busy --> idle ...
 *                                                      |
 *                                                      +--> streaming
 *
 * A connection that fails is told so by 'failed', with a reason, after which
 * it is to be closed.  Callbacks may close the connection that they are
 * called for, and no other. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_client;
struct tls_conn;

enum { TLS_ANSWER_MAX = 8192 };     /* Bytes kept of an answer. */

struct tls_conn_class {
    /* The handshake is done: a request may be sent. */
    void (*ready)(void *aux);

    /* A whole answer is there, or the head of an event stream (STREAM). */
    void (*answer)(void *aux, int status, const char *body, bool stream);

    /* Bytes of an event stream. */
    void (*bytes)(void *aux, const char *, size_t);

    /* The connection broke, or ended orderly ("end"), or was refused. */
    void (*failed)(void *aux, const char *reason);
};

/* CA is the file with the only authority that is trusted, NAME what the
 * server's certificate must say. */
struct tls_client *tls_client_create(const struct sockaddr_in *,
                                     const char *ca, const char *name);

/* Handles what has arrived, waiting MS milliseconds at most. */
void tls_client_run(struct tls_client *, int ms);

/* Full handshakes so far, and those that resumed a session. */
void tls_client_handshakes(const struct tls_client *, unsigned int *n_full,
                           unsigned int *n_resumed);

/* Connects.  SESSION points to where a TLS session is kept from one
 * connection to the next (a null pointer at first). */
struct tls_conn *tls_conn_open(struct tls_client *,
                               const struct tls_conn_class *, void *aux,
                               void **session);
void tls_conn_close(struct tls_conn *);
void tls_session_free(void *session);

/* Sends a request; TEXT is taken over. */
void tls_conn_send(struct tls_conn *, char *text, size_t);

#endif /* load/tls-client.h */
