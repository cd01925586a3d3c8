/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS requests to the mapping service, inside poll_block(). */
#include <config.h>
#include "controller/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "model/types.h"
#include "model/url.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(http);

#define SERVICE_NAME "vsubnet-mapper"

enum {
    MAX_BODY = 16 * 1024 * 1024,    /* Of an answer that is no stream. */
    CONNECT_TIMEOUT_MS = 5000,
    REQUEST_TIMEOUT_MS = 15000,
};

/* A socket that libcurl waits for. */
struct http_socket {
    struct ovs_list node;       /* In struct http's 'sockets'. */
    curl_socket_t fd;
    short int events;
};

struct http {
    CURLM *multi;
    struct ovs_list sockets;
    struct ovs_list requests;
    long long int timer;        /* LLONG_MAX: none. */
};

struct http_request {
    struct ovs_list node;       /* In struct http's 'requests'. */
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char *request_body;
    size_t request_body_len;
    char *body;                 /* Of the answer. */
    size_t body_len, body_allocated;
    char error[CURL_ERROR_SIZE];
    http_data_func *on_data;
    http_done_func *on_done;
    void *aux;
};

static int
socket_changed(CURL *easy OVS_UNUSED, curl_socket_t fd, int what, void *http_,
               void *socket_)
{
    struct http *http = http_;
    struct http_socket *s = socket_;

    if (what == CURL_POLL_REMOVE) {
        if (s) {
            ovs_list_remove(&s->node);
            free(s);
        }
        return 0;
    }
    if (!s) {
        s = xmalloc(sizeof *s);
        s->fd = fd;
        ovs_list_push_back(&http->sockets, &s->node);
        curl_multi_assign(http->multi, fd, s);
    }
    s->events = ((what & CURL_POLL_IN ? POLLIN : 0)
                 | (what & CURL_POLL_OUT ? POLLOUT : 0));
    return 0;
}

static int
timer_changed(CURLM *multi OVS_UNUSED, long timeout_ms, void *http_)
{
    struct http *http = http_;

    http->timer = timeout_ms < 0 ? LLONG_MAX : time_msec() + timeout_ms;
    return 0;
}

struct http *
http_create(void)
{
    struct http *http = xzalloc(sizeof *http);

    /* Requests have keys and credentials in them. */
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, model_wiping_free,
                         model_wiping_realloc, strdup, calloc);
    http->multi = curl_multi_init();
    ovs_list_init(&http->sockets);
    ovs_list_init(&http->requests);
    http->timer = LLONG_MAX;
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    return http;
}

/* Overwrites the text of each header (one is the credential) and frees. */
static void
free_headers(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next) {
        model_wipe(h->data, strlen(h->data));
    }
    curl_slist_free_all(headers);
}

static void
request_free(struct http *http, struct http_request *r)
{
    ovs_list_remove(&r->node);
    if (r->easy) {
        curl_multi_remove_handle(http->multi, r->easy);
        curl_easy_cleanup(r->easy);
    }
    free_headers(r->headers);
    curl_slist_free_all(r->connect_to);
    if (r->request_body) {
        model_wipe(r->request_body, r->request_body_len);
        free(r->request_body);
    }
    if (r->body) {
        model_wipe(r->body, r->body_allocated);
        free(r->body);
    }
    free(r);
}

void
http_cancel(struct http *http, struct http_request *request)
{
    request_free(http, request);
}

void
http_destroy(struct http *http)
{
    struct http_request *r;
    struct http_socket *s;

    if (!http) {
        return;
    }
    LIST_FOR_EACH_SAFE (r, node, &http->requests) {
        request_free(http, r);
    }
    curl_multi_cleanup(http->multi);
    LIST_FOR_EACH_SAFE (s, node, &http->sockets) {
        ovs_list_remove(&s->node);
        free(s);
    }
    free(http);
    curl_global_cleanup();
}

/* Keeps 'n' more bytes of the answer.  Grows by copying into new memory, so
 * that no key is left in freed memory. */
static bool
append_body(struct http_request *r, const void *data, size_t n)
{
    if (r->body_len + n > MAX_BODY) {
        return false;
    }
    if (r->body_len + n + 1 > r->body_allocated) {
        size_t allocated = MAX(4096, 2 * (r->body_len + n + 1));
        char *body = xmalloc(allocated);

        if (r->body) {
            memcpy(body, r->body, r->body_len);
            model_wipe(r->body, r->body_allocated);
            free(r->body);
        }
        r->body = body;
        r->body_allocated = allocated;
    }
    memcpy(r->body + r->body_len, data, n);
    r->body_len += n;
    r->body[r->body_len] = '\0';
    return true;
}

static size_t
receive(char *data, size_t size, size_t nmemb, void *r_)
{
    struct http_request *r = r_;
    size_t n = size * nmemb;
    bool ok = (r->on_data && http_request_status(r) == 200
               ? r->on_data(r, data, n, r->aux)
               : append_body(r, data, n));

    return ok ? n : 0;
}

/* The certificate must be the service's, whatever address it has. */
static void
set_server(struct http_request *r, const struct http_server *server,
           const char *path, const struct model_url *where)
{
    bool ipv6 = strchr(where->host, ':') != NULL;
    struct curl_blob ca = {
        .data = CONST_CAST(char *, server->ca),
        .len = strlen(server->ca),
        .flags = CURL_BLOB_COPY,
    };
    char *url = xasprintf("https://%s:%d%s", SERVICE_NAME, where->port, path);
    char *to = xasprintf("%s:%d:%s%s%s:%d", SERVICE_NAME, where->port,
                         ipv6 ? "[" : "", where->host, ipv6 ? "]" : "",
                         where->port);

    r->connect_to = curl_slist_append(NULL, to);
    curl_easy_setopt(r->easy, CURLOPT_URL, url);
    curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to);
    curl_easy_setopt(r->easy, CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(r->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(r->easy, CURLOPT_SSLVERSION,
                     (long) CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(r->easy, CURLOPT_PROXY, "");
    free(url);
    free(to);
}

static void
add_header(struct http_request *r, const char *name, const char *value)
{
    char *header = xasprintf("%s: %s", name, value);

    r->headers = curl_slist_append(r->headers, header);
    model_wipe(header, strlen(header));
    free(header);
}

static void
set_query(struct http_request *r, const struct http_server *server,
          const struct http_query *query)
{
    char *bearer = xasprintf("Bearer %s", server->credential);
    add_header(r, "Authorization", bearer);
    model_wipe(bearer, strlen(bearer));
    free(bearer);
    add_header(r, "VSubnet-Instance", server->instance);

    curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, query->method);
    if (query->body) {
        r->request_body = xstrdup(query->body);
        r->request_body_len = strlen(query->body);
        add_header(r, "Content-Type", "application/json");
        add_header(r, "Expect", "");
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, r->request_body);
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t) r->request_body_len);
    }
    if (query->on_data) {
        add_header(r, "Accept", "text/event-stream");
        if (query->last_event_id) {
            add_header(r, "Last-Event-ID", query->last_event_id);
        }
        /* A stream's end is for its reader to notice. */
        curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    } else {
        curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS,
                         (long) REQUEST_TIMEOUT_MS);
    }
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
}

struct http_request *
http_send(struct http *http, const struct http_server *server,
          const struct http_query *query, char **error)
{
    struct model_url url;
    struct http_request *r;

    *error = model_url_parse(server->url, &url);
    if (*error) {
        return NULL;
    }

    r = xzalloc(sizeof *r);
    r->on_data = query->on_data;
    r->on_done = query->on_done;
    r->aux = query->aux;
    r->easy = curl_easy_init();
    ovs_list_push_back(&http->requests, &r->node);

    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_HTTP_VERSION,
                     (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) CONNECT_TIMEOUT_MS);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    set_server(r, server, query->path, &url);
    set_query(r, server, query);
    model_url_destroy(&url);

    curl_multi_add_handle(http->multi, r->easy);
    return r;
}

long
http_request_status(const struct http_request *r)
{
    long status = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

const char *
http_request_local_ip(const struct http_request *r)
{
    const char *ip = NULL;

    curl_easy_getinfo(r->easy, CURLINFO_LOCAL_IP, &ip);
    return ip && *ip ? ip : NULL;
}

static void
request_done(struct http *http, struct http_request *r, CURLcode code)
{
    char *ip = nullable_xstrdup(http_request_local_ip(r));
    const struct http_result result = {
        .error = (code == CURLE_OK ? NULL
                  : r->error[0] ? r->error : curl_easy_strerror(code)),
        .status = http_request_status(r),
        .body = r->body ? r->body : "",
        .body_len = r->body_len,
        .local_ip = ip,
    };

    r->on_done(&result, r->aux);
    free(ip);
    request_free(http, r);
}

/* Tells libcurl about sockets that are ready.  libcurl may add and remove
 * sockets meanwhile, so they are all looked at first. */
static void
run_sockets(struct http *http)
{
    size_t n = ovs_list_size(&http->sockets), i = 0;
    struct pollfd *fds = xcalloc(n ? n : 1, sizeof *fds);
    struct http_socket *s;

    LIST_FOR_EACH (s, node, &http->sockets) {
        fds[i++] = (struct pollfd) { .fd = s->fd, .events = s->events };
    }
    if (n && poll(fds, n, 0) > 0) {
        for (i = 0; i < n; i++) {
            int events = ((fds[i].revents & POLLIN ? CURL_CSELECT_IN : 0)
                          | (fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0)
                          | (fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)
                             ? CURL_CSELECT_ERR : 0));
            int running;

            if (events) {
                curl_multi_socket_action(http->multi, fds[i].fd, events,
                                         &running);
            }
        }
    }
    free(fds);
}

void
http_run(struct http *http)
{
    struct CURLMsg *msg;
    int left;

    run_sockets(http);
    if (time_msec() >= http->timer) {
        int running;

        http->timer = LLONG_MAX;
        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
                                 &running);
    }
    while ((msg = curl_multi_info_read(http->multi, &left))) {
        if (msg->msg == CURLMSG_DONE) {
            struct http_request *r = NULL;

            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r);
            request_done(http, r, msg->data.result);
        }
    }
}

void
http_wait(struct http *http)
{
    struct http_socket *s;

    LIST_FOR_EACH (s, node, &http->sockets) {
        poll_fd_wait(s->fd, s->events);
    }
    if (http->timer != LLONG_MAX) {
        poll_timer_wait_until(http->timer);
    }
}
