/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the mapping service. */

#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H 1

/* A client knows the service's URLs, its CA and a credential.  Whatever the
 * URL says, the server must prove that it is "vsubnet-mapper" under that CA
 * and no other; proxies of the environment are not used.
 *
 * URLs are tried in turn, beginning with the one that answered last, until
 * one answers with something else than 503.  What a server may have carried
 * out is sent to another one all the same: a POST has an Idempotency-Key, and
 * doing anything else twice does no harm.
 *
 *      struct client *client = client_create(&urls, ca, credential, 30);
 *      struct client_answer answer;
 *      char *error = client_send(client, "GET", "/v1/nodes", NULL, &answer);
 *
 * The client_*() functions return null or an error message that the caller
 * frees.  The ctl_*() functions are for commands: they use the operator's
 * configuration and end the process when something fails. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct ctl;
struct json_t;
struct svec;

enum { CLIENT_ANSWER_MAX = 256 * 1024 * 1024 };

struct client_answer {
    long int status;
    char *body;                 /* Null-terminated. */
    size_t size;
    struct json_t *json;        /* Null if the body is not JSON. */
    char *local_ip;             /* This end of the connection, or null. */
};

/* CA may be null only for client_get_unverified(), CREDENTIAL where none is
 * needed. */
struct client *client_create(const struct svec *urls, const char *ca,
                             const char *credential, unsigned int timeout);
void client_destroy(struct client *);
void client_set_ca(struct client *, const char *ca);
void client_set_credential(struct client *, const char *credential);
/* PEM files of a certificate to show to the service, or null. */
void client_set_certificate(struct client *, const char *certificate,
                            const char *private_key);
/* The URL that answered last, or that is asked first. */
const char *client_url(const struct client *);
/* How many URLs there are, and which answered last; while one is pinned, no
 * other is tried. */
#define CLIENT_ANY_URL SIZE_MAX
size_t client_n_urls(const struct client *);
size_t client_current(const struct client *);
void client_pin(struct client *, size_t);

/* Sent as VSubnet-Instance; null for none. */
void client_set_instance(struct client *, const char *instance);

/* Sent as If-Match with what changes something; null for none. */
void client_set_if_match(struct client *, const char *tag);

/* BODY may be null.  Any answer of the service is a success here, also a
 * refusal; see client_refusal(). */
char *client_send(struct client *, const char *method, const char *path,
                  const struct json_t *body, struct client_answer *);
void client_answer_destroy(struct client_answer *);

/* Without proof of who answers: for what is then checked otherwise. */
char *client_get_unverified(struct client *, const char *path,
                            struct client_answer *);

/* If ANSWER is a refusal, returns "CODE: detail" from its problem, else
 * null. */
char *client_refusal(const struct client_answer *);

/* Reads an event stream until it ends.  Calls CB with each part of it. */
char *client_stream(struct client *, const char *path,
                    bool (*cb)(const char *, size_t, void *aux), void *aux);

/* Returns "/v1/A/B...", each part escaped; the last argument is null. */
char *ctl_path(const char *part, ...)
    __attribute__((__sentinel__));

/* One request by the operator.  PATH is freed, BODY consumed.  Returns the
 * answer, null if it was empty. */
struct json_t *ctl_request(struct ctl *, const char *method, char *path,
                           struct json_t *body);

/* GETs PATH.  Returns null if that fails, after a warning that WHAT is not
 * known. */
struct json_t *ctl_try(struct ctl *, const char *path, const char *what);

/* GETs a list, page after page, and returns the array of its items.  PATH is
 * freed. */
struct json_t *ctl_list(struct ctl *, char *path);

/* The same with what --filter says, and at most LIMIT items (0: all). */
struct json_t *ctl_list_filtered(struct ctl *, char *path,
                                 unsigned int limit);

/* The operator's client, made when first asked for. */
struct client *ctl_client(struct ctl *);

#endif /* ctl/client.h */
