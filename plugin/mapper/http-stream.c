/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams over HTTP, and the bytes that they send. */

#include <config.h>

#include "mapper/http.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coverage.h"
#include "mapper/http-private.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(http_stream);

COVERAGE_DEFINE(mapper_stream_cut);

struct queued_blob {
    struct ovs_list list_node;
    struct http_blob *blob;
    bool free;
    bool continues;             /* The message of the one before it. */
};

struct http_stream {
    struct http_connection *connection;
    int fd;                     /* Not owned; outlives the connection. */
    struct ovs_list queue;      /* "struct queued_blob"s. */
    size_t offset;              /* Sent of the first one. */
    size_t queued;              /* Bytes that count. */
    size_t n_free;              /* Blobs that do not. */
    bool suspended;
    bool finished;
    void (*closed)(void *aux);
    void *aux;
};

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
        http_wiping_free(blob->data, blob->size);
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
    } else {
        stream->n_free--;
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
        MHD_SIZE_UNKNOWN, 1024, read_stream, stream, free_stream);
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
        http_connection_resume(stream->connection);
    }
}

void
http_stream_forget(struct http_stream *stream)
{
    bool begun = stream->offset > 0;
    struct queued_blob *queued;
    bool first = true;

    LIST_FOR_EACH_SAFE (queued, list_node, &stream->queue) {
        /* A second half that comes first is of a message that has begun. */
        begun = (first ? begun || queued->continues
                 : begun && queued->continues);
        first = false;
        if (!begun) {
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

static void
queue_blob(struct http_stream *stream, struct http_blob *blob, bool free,
           bool continues)
{
    struct queued_blob *queued = xmalloc(sizeof *queued);

    queued->blob = http_blob_ref(blob);
    queued->free = free;
    queued->continues = continues;
    ovs_list_push_back(&stream->queue, &queued->list_node);
    if (!free) {
        stream->queued += blob->size;
    } else {
        stream->n_free++;
    }
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
    queue_blob(stream, blob, free, false);
}

void
http_stream_send_halves(struct http_stream *stream, struct http_blob *first,
                        struct http_blob *second)
{
    if (!stream->finished) {
        queue_blob(stream, first, true, false);
        queue_blob(stream, second, true, true);
    }
}

bool
http_stream_has_free(const struct http_stream *stream)
{
    return stream->n_free > 0;
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
