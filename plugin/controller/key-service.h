/* SPDX-License-Identifier: Apache-2.0 */
/* What this node and the mapping service tell each other about keys. */
#ifndef VSUBNET_KEY_SERVICE_H
#define VSUBNET_KEY_SERVICE_H 1

/* Three kinds of requests, each of which is sent until it was answered, one of
 * a kind at a time:
 *
 *   - PUT /v1/self/keys            a key that was made and saved; the answer
 *                                  is its SPI;
 *   - DELETE /v1/self/keys/SPI     an old epoch is retired;
 *   - POST /v1/self/loaded         which revision's keys ovs-vswitchd has: the
 *                                  owners of new keys wait for it.  Sent when
 *                                  keys have changed, and once after each
 *                                  connection.
 *
 * The event "loaded" is the service's answer to the last of those by all
 * others: they have one's new key.
 *
 * Not thread-safe. */

#include <stdbool.h>
#include "model/types.h"

struct client;
struct keyring_out;
struct key_rotation_facts;
struct own_keys;
struct sse_event;

struct key_service *key_service_create(struct client *);
void key_service_destroy(struct key_service *);

/* Sends what there is to send.  Returns true if an answer changed the keys. */
bool key_service_run(struct key_service *, struct own_keys *,
                     const struct keyring_out *,
                     const struct key_rotation_facts *);
void key_service_wait(const struct key_service *);

/* Of the last request, or NULL. */
const char *key_service_error(const struct key_service *);

/* Takes in 'event' if it is one about keys; returns true if it is. */
bool key_service_event(const struct sse_event *event, struct own_keys *);

#endif /* key-service.h */
