/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS requests to the mapping service, inside poll_block(). */
#ifndef VSUBNET_HTTP_H
#define VSUBNET_HTTP_H 1

/* libcurl's multi-socket interface joined to OVS's poll loop: libcurl says
 * which sockets and which time it waits for, http_wait() gives them to
 * poll_block(), and http_run() tells libcurl what has happened.
 *
 * A server is addressed by URL but has to prove that it is the mapping
 * service: its certificate must be signed by the service's own CA and be for
 * the name "vsubnet-mapper" (DESIGN.md section 4.1), whatever its address.
 *
 * Request bodies and answers may hold keys: buffers are wiped when freed.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>

struct http;
struct http_request;

/* Where and as whom. */
struct http_server {
    const char *url;            /* https://HOST[:PORT] */
    const char *ca;             /* PEM. */
    const char *credential;     /* For "Authorization: Bearer". */
    const char *instance;       /* For "VSubnet-Instance". */
};

struct http_result {
    const char *error;          /* libcurl's words, or NULL. */
    long status;                /* HTTP status, 0 if there was no answer. */
    const char *body;           /* Not of a stream; null-terminated. */
    size_t body_len;
    const char *local_ip;       /* Address that the connection had here. */
};

typedef void http_done_func(const struct http_result *, void *aux);
/* Part of a stream.  Return false to end it. */
typedef bool http_data_func(struct http_request *, const void *, size_t n,
                            void *aux);

struct http_query {
    const char *method;         /* GET, POST, PUT, PATCH, DELETE. */
    const char *path;           /* Begins with a slash. */
    const char *body;           /* JSON, or NULL; copied. */
    const char *last_event_id;  /* Streams, or NULL. */
    http_data_func *on_data;    /* NULL unless it is a stream. */
    http_done_func *on_done;    /* Not called after http_cancel(). */
    void *aux;
};

struct http *http_create(void);
void http_destroy(struct http *);

/* Begins a request.  Returns NULL with '*error' set (caller frees) if 'url'
 * can't be used.  The request frees itself after on_done. */
struct http_request *http_send(struct http *, const struct http_server *,
                               const struct http_query *, char **error);
void http_cancel(struct http *, struct http_request *);

/* For streams, while they run: the answer's status (0: none yet), and the
 * address of this end. */
long http_request_status(const struct http_request *);
const char *http_request_local_ip(const struct http_request *);

void http_run(struct http *);
void http_wait(struct http *);

#endif /* http.h */
