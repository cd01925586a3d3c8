/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the mapping service. */
#ifndef VSUBNET_CLIENT_H
#define VSUBNET_CLIENT_H 1

/* Gets the lease (lease.h) at one of the service's URLs, keeps one event
 * stream open there, and sends requests to the same URL while it is:
 *
 *      STOPPED --(configuration)--> WAITING <-------------------------.
 *                                    |   |                            |
 *                    (a clone that   |   | (back-off over)            |
 *                     is unknown)    |   |                            |
 *                                    v   v                            |
 *                          REGISTERING   LEASING --(not granted)----->|
 *                                    |   |    ^                       |
 *                 (answered; its     |   |    '-------------.         |
 *                  owner writes it   |   | granted          |         |
 *                  down)             |   v                  |         |
 *                                    |  CONNECTING --(failed)-------->|
 *                                    |   | 200              |         |
 *                                    |   v        (not the holder)    |
 *                                    |  LIVE ---------------'         |
 *                                    |   |                            |
 *                                    |   '--(ended, or 45 s silence)->|
 *                                    '------------------------------->'
 *
 * Each failure goes on to the next URL, after 0.2 s doubling to 5 s, each
 * with jitter, so that a restarted service is found soon but not by all at
 * once.
 *
 * The service's answers about lease and registration are for the client's
 * owner: client_take_answer() gives each once.  What follows from GRANTED,
 * HELD and UNKNOWN is done here; DUPLICATE and ADOPTED need another
 * configuration.  While a node's credential is being changed it has two: the
 * next one is tried first, because after the service was told of it only the
 * service knows which of them holds.  When neither is known its database may
 * be that of an earlier day: then one of those before is tried, each time
 * another.
 *
 * An event "challenge" (another instance wants the lease: is this one alive?)
 * is answered here, at once.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include "controller/lease.h"

struct sse_event;
struct http_result;

struct client_config {
    const char *const *urls;
    size_t n_urls;
    const char *ca;
    const char *instance;
    const struct uuid *node;
    const char *credential;
    const char *next_credential;    /* Or NULL. */
    char *const *old_credentials;   /* 'n_old', latest first. */
    size_t n_old;
    const char *origin_credential;  /* To register with first, or NULL. */
};

struct client_events {
    void (*event)(const struct sse_event *, void *aux);
    /* These return what the client frees. */
    char *(*last_event_id)(void *aux);  /* To resume from, or NULL. */
    char *(*lease_body)(void *aux);
    char *(*register_body)(void *aux);
    void *aux;
};

struct client_status {
    bool live;
    const char *url;            /* Of the current or next attempt, or NULL. */
    const char *error;          /* Of the last attempt, or NULL. */
    const char *local_ip;       /* Towards the service, or NULL. */
    long long int last_heard;   /* time_msec() of the last byte, or 0. */
    enum lease_verdict lease;   /* The service's last word. */
};

typedef void client_done_func(const struct http_result *, void *aux);

struct client *client_create(const struct client_events *);
void client_destroy(struct client *);

/* NULL stops.  Other URLs, another CA, node or origin begin anew, and requests
 * under way are answered by an error; another credential is simply used. */
void client_set_config(struct client *, const struct client_config *);

void client_run(struct client *);
void client_wait(struct client *);

/* True if the service has answered about lease or registration. The caller
 * destroys '*answer'. */
bool client_take_answer(struct client *, struct lease_answer *answer,
                        bool *registration);

/* The credential with which the lease was last granted, or NULL. */
const char *client_granted_credential(const struct client *);

/* Asks for the lease once more, while live, with the next credential: it takes
 * the other's place if that is granted. */
void client_renew_lease(struct client *);

/* Ends the stream, because of what came by it, and begins anew soon.  Not to
 * be called from an event function. */
void client_restart(struct client *);

bool client_is_live(const struct client *);
void client_get_status(const struct client *, struct client_status *);

/* How often it became live. */
unsigned int client_connections(const struct client *);

/* Returns false, and never calls 'done', if the client is not live. */
bool client_request(struct client *, const char *method, const char *path,
                    const char *body, client_done_func *done, void *aux);

#endif /* client.h */
