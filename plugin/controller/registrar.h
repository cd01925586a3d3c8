/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the mapping service what this node has. */
#ifndef VSUBNET_REGISTRAR_H
#define VSUBNET_REGISTRAR_H 1

/* Compares what this node has with what the service's mapping says it has,
 * and sends the difference:
 *
 *   - its endpoints                 PATCH /v1/self
 *   - MACs and IPs of its ports     POST /v1/self/bindings
 *
 * (Its keys: key-service.h.)  One request of each kind at a time.  The answer
 * to a request is the service's echo in the event stream; an object that was
 * just sent is not sent again for a few seconds, and one that was refused not
 * for a minute; of what guests say of one MAC no more than one thing a second
 * goes on once they have said ten.  The service takes bodies of 64 KiB: what guests say that their
 * addresses are may come to more, which goes in several requests.
 * What is compared is all state there is, so requests lost in a restart of
 * either side are made again.
 *
 * Only dynamic bindings of this node are ever removed, and static ones of an
 * interface released: two seconds after their port is gone, or when their MAC
 * has been silent for FL_HARD_TIMEOUT.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/shash.h"

struct binding_changes;
struct client;
struct learnt;
struct local_port;
struct local_ports;
struct mapping;

enum { REGISTRAR_BODY_MAX = 60 * 1024 };        /* All but the frame. */

struct registrar_input {
    const struct mapping *mapping;          /* Has 'self'. */
    const struct local_ports *ports;
    const struct learnt *learnt;
    const char *endpoints;      /* Comma-separated, or NULL: don't know. */
    bool changed;               /* Any of these since last time. */
};

struct registrar;
struct registrar *registrar_create(struct client *);
void registrar_destroy(struct registrar *);

/* Sends what there is to send. */
void registrar_run(struct registrar *, const struct registrar_input *);
void registrar_wait(const struct registrar *);

/* Returns the body of the next request about bindings, or NULL.  It is for
 * registrar_run() and for tests. */
char *registrar_take(struct registrar *, const struct binding_changes *);

/* Why 'port' is not registered ("binding-is-static" and so on), or NULL. */
const char *registrar_refusal(const struct registrar *,
                              const struct local_port *);

/* Of the last request that failed as a whole, or NULL. */
const char *registrar_error(const struct registrar *);

#endif /* registrar.h */
