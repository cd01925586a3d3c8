/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of operators to nodes. */

#ifndef MAPPER_ASKS_H
#define MAPPER_ASKS_H 1

/* An operator who traces a frame (POST /v1/nets/NET/trace) asks a node what
 * its switch would do.  The mapper passes the question on, by an event "ask"
 * on the node's stream, and the answer back:
 *
 *      (request) --ask--> waiting --POST /v1/self/answer--> answered
 *                            |                                 ^
 *                            '--ASKS_MS, or the stream ends: "late"
 *
 * What is in question and answer is between the two; the node decides what it
 * answers, and only the one that was asked can.  All of it is in memory, of
 * the mapper that has the node's stream: another one refuses, 409
 * `node-not-connected`, and whoever asks tries the next.
 *
 * Bounds: ASKS_MAX questions, each of ASKS_QUESTION_MAX bytes, wait; an answer
 * is no longer than any body. */

#include <stdbool.h>
#include <stdint.h>

struct asks;
struct events;

enum {
    ASKS_MAX = 64,
    ASKS_MS = 10 * 1000,
    ASKS_QUESTION_MAX = 2048,
};

struct asks *asks_create(void);
void asks_destroy(struct asks *);

/* Answers those whose time is over, or whose node has no stream any more. */
void asks_run(struct asks *, const struct events *);
void asks_wait(const struct asks *);

/* Answers all that wait, as if their time were over. */
void asks_stop(struct asks *);

#endif /* mapper/asks.h */
