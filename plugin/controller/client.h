/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the mapping service. */
#ifndef VSUBNET_CLIENT_H
#define VSUBNET_CLIENT_H 1

/* Keeps one event stream open to one of the service's URLs, and sends
 * requests to the same URL while it is:
 *
 *               .-----------------------------------------------.
 *               v                                               |
 *            WAITING --(back-off over)--> CONNECTING            |
 *               ^                              | 200            |
 *               |                              v                |
 *               '---(ended, or 45 s silence)-- LIVE             |
 *                                                               |
 *            STOPPED --(configuration)--------------------------'
 *
 * Each failure goes on to the next URL, after 0.2 s doubling to 5 s, each
 * with jitter, so that a restarted service is found soon but not by all at
 * once.  Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>

struct sse_event;
struct http_result;

struct client_config {
    const char *const *urls;
    size_t n_urls;
    const char *ca;
    const char *credential;
};

struct client_events {
    void (*event)(const struct sse_event *, void *aux);
    /* Revision to resume from, or NULL; the caller of it frees. */
    char *(*last_event_id)(void *aux);
    void *aux;
};

struct client_status {
    bool live;
    const char *url;            /* Of the current or next attempt, or NULL. */
    const char *error;          /* Of the last attempt, or NULL. */
    const char *local_ip;       /* Towards the service, or NULL. */
    long long int last_heard;   /* time_msec() of the last byte, or 0. */
};

typedef void client_done_func(const struct http_result *, void *aux);

struct client *client_create(const struct client_events *);
void client_destroy(struct client *);

/* NULL stops.  Does nothing if the configuration is the same. */
void client_set_config(struct client *, const struct client_config *);

void client_run(struct client *);
void client_wait(struct client *);

/* Ends the stream, because of what came by it, and begins anew soon.  Not to
 * be called from an event function. */
void client_restart(struct client *);

bool client_is_live(const struct client *);
void client_get_status(const struct client *, struct client_status *);

/* Returns false, and never calls 'done', if the client is not live. */
bool client_request(struct client *, const char *method, const char *path,
                    const char *body, client_done_func *done, void *aux);

#endif /* client.h */
