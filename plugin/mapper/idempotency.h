/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that happen once, however often they are sent. */

#ifndef MAPPER_IDEMPOTENCY_H
#define MAPPER_IDEMPOTENCY_H 1

/* A client that got no answer does not know whether what it asked for was
 * done.  With the header Idempotency-Key (any text that it has not used for
 * something else) it sends the same again and gets the first answer again.
 *
 * What was answered stands in table Once, written in the transaction that did
 * it; so it is there exactly if that was done, for every mapper of the
 * database and after any restart.  Only good answers are kept: a refusal has
 * changed nothing.  Answers may hold a new token, so they are sealed
 * (keybox.h); keys and requests are there as hashes.
 *
 * A key belongs to who sends it and to the path it is sent to.  The newest
 * IDEMPOTENCY_MAX answers are kept, for IDEMPOTENCY_TTL seconds. */

#include <stdbool.h>

struct api_call;

enum {
    IDEMPOTENCY_MAX = 1000,
    IDEMPOTENCY_TTL = 86400,
    IDEMPOTENCY_KEY_MAX = 255,  /* Characters. */
};

/* Answers CALL, which has a key, if that key was used before, or is none that
 * can be.  Returns false if the request is to be done. */
bool idempotency_replay(struct api_call *);

/* Keeps the good answer that CALL has now. */
void idempotency_remember(struct api_call *);

#endif /* mapper/idempotency.h */
