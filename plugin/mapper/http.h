/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS in the poll loop. */

#ifndef MAPPER_HTTP_H
#define MAPPER_HTTP_H 1

/* libmicrohttpd does TLS and HTTP; its epoll descriptor joins poll_block().
 * This module hides it: the rest of the mapper sees whole requests, gives
 * each an answer (at once or later), or turns one into an event stream.
 *
 *      receiving --body complete--> handler called
 *          handler: http_respond()            answered at once
 *          handler returns without it         suspended
 *              later: http_respond()          resumed and answered
 *          handler: http_stream_open()        an event stream
 *
 * Limits against who would hold resources for nothing: a body over
 * HTTP_BODY_MAX is read but not kept (up to HTTP_DISCARD_MAX, so that the
 * client sees the answer 413 and not a reset), unless whoever handles
 * requests has looked at the head, credential and all, and will have more
 * (which must have a Content-Length); a connection has
 * HTTP_FIRST_MS from its beginning, and then HTTP_KEEPALIVE_MS from its last
 * answer, until its request has wholly arrived, however slowly bytes trickle;
 * there are limits of connections in all and for one address.  Of those on
 * which no good credential has come yet there are few, and the oldest gives
 * way once it has had HTTP_STRANGER_MS, so that strangers keep nobody out.
 * While there is work to do on HTTP_STRANGERS_BUSY of them no more are
 * accepted, so that many who come at once do not make each other late.
 *
 * A suspended connection does not notice that its peer has left: a stream
 * ends when the next heartbeat can't be written, which is why there are
 * heartbeats.  A stream whose client does not read is cut once
 * HTTP_STREAM_QUEUE_MAX bytes wait beside the first message. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct http_connection;
struct http_server;
struct http_stream;
struct pki;
struct sockaddr_storage;

enum {
    HTTP_BODY_MAX = 64 * 1024,
    HTTP_LARGE_BODY_MAX = 4 * 1024 * 1024,
    HTTP_DISCARD_MAX = 1024 * 1024,
    HTTP_KEEPALIVE_MS = 60 * 1000,
    HTTP_INACTIVITY_S = 40,
    HTTP_FIRST_MS = 5 * 1000,   /* For a connection's first request. */
    HTTP_STRANGERS_MAX = 1024,
    HTTP_STRANGERS_BUSY = 64,   /* Enough while there is work. */
    HTTP_STRANGER_MS = 2 * 1000, /* That each has before it gives way. */
    HTTP_BACKLOG = 8192,        /* The kernel's limit is net.core.somaxconn. */
    HTTP_ACCEPT_MAX = 64,       /* In one run. */
    HTTP_POOL_SIZE = 16 * 1024, /* Of a connection: head, bytes to send. */
    HTTP_STREAM_QUEUE_MAX = 4 * 1024 * 1024,
    HTTP_SEND_BUFFER = 256 * 1024,  /* The kernel's, which would grow. */
};

/* How many connections there may be, with a stream or not. */
struct http_limits {
    unsigned int connections;   /* In all, */
    unsigned int per_address;   /* and from one address. */
};
#define HTTP_LIMITS_DEFAULT { 16384, 8192 }

/* A whole request.  Valid until its answer. */
struct http_request {
    const char *method;
    const char *path;           /* Undecoded, without query. */
    const char *authorization;  /* These six may be null. */
    const char *content_type;
    const char *last_event_id;
    const char *instance;       /* Header VSubnet-Instance. */
    const char *if_match;
    const char *if_none_match;
    const char *idempotency_key;
    const char *body;           /* Null-terminated. */
    size_t body_size;
    bool too_large;             /* The body was, and is not here. */
};

typedef void http_handler(struct http_connection *,
                          const struct http_request *, void *aux);

/* Says how many bytes the body of the request may have whose head is given. */
typedef size_t http_body_max_func(struct http_connection *,
                                  const struct http_request *, void *aux);

/* Serves the certificate of certificate.h, which must be set, and asks clients
 * for one of theirs, saying that it knows the CA of PKI, which stays.  TLS
 * sessions are resumed for as long as PKI keeps its server key. */
struct http_server *http_server_create(const struct pki *,
                                       const struct http_limits *,
                                       http_body_max_func *, http_handler *,
                                       void *aux);
void http_server_destroy(struct http_server *);
void http_server_run(struct http_server *);
void http_server_wait(struct http_server *);

/* Listens on ADDRESS (port 0: any free one), and stores there what it really
 * is.  IPv6 "any" takes IPv4 too.  Returns 0 or a positive errno value. */
int http_server_listen(struct http_server *, struct sockaddr_storage *);

/* Says that a good credential came on this connection. */
void http_connection_trust(struct http_connection *);

/* Calls CB with each parameter of the query, undecoded; VALUE may be null. */
void http_connection_each_query(const struct http_connection *,
                                void (*cb)(void *aux, const char *name,
                                           const char *value), void *aux);

/* Stores the SHA-256, in hex, of the certificate that the client has shown,
 * and for which it has proved to have the private key.  Returns false if it
 * has shown none. */
bool http_connection_certificate(const struct http_connection *,
                                 char fingerprint[65]);

/* Stores the peer's address, as text. */
void http_connection_peer(const struct http_connection *,
                          char text[INET6_ADDRSTRLEN]);

size_t http_server_n_connections(const struct http_server *);

/* Answers.  BODY is malloc()'d, taken over, and wiped after sending.  HEADER
 * and VALUE are one more header, or null. */
void http_respond(struct http_connection *, int status,
                  const char *content_type, char *body, size_t,
                  const char *header, const char *value);

/* Bytes that several streams send: reference counted, wiped at the end. */
struct http_blob {
    unsigned int n_refs;
    size_t size;
    char *data;
};
struct http_blob *http_blob_create(char *data /* Taken over. */, size_t);
struct http_blob *http_blob_ref(struct http_blob *);
void http_blob_unref(struct http_blob *);

/* Event streams.  CLOSED is called exactly once, when the stream is gone for
 * whatever reason; after that the pointer is invalid. */
struct http_stream *http_stream_open(struct http_connection *,
                                     void (*closed)(void *aux), void *aux);

/* Queues BLOB, taking a reference.  One that is FREE does not count against
 * the stream's limit.  Beyond the limit the stream is cut. */
void http_stream_send(struct http_stream *, struct http_blob *, bool free);

/* Queues one message of two blobs, both free. */
void http_stream_send_halves(struct http_stream *, struct http_blob *,
                             struct http_blob *);

/* True while a FREE blob waits, or has not been wholly sent. */
bool http_stream_has_free(const struct http_stream *);

/* Drops what is queued, except for the rest of a message that has been
 * begun. */
void http_stream_forget(struct http_stream *);

/* Ends the stream and its connection now. */
void http_stream_cut(struct http_stream *);

/* Ends the stream after what is queued. */
void http_stream_finish(struct http_stream *);

/* Milliseconds since the kernel had the last acknowledgement from the peer;
 * LLONG_MAX if it can't tell.  Also good within CLOSED. */
long long int http_stream_silence(const struct http_stream *);

#endif /* mapper/http.h */
