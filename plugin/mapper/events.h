/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: who hears of which change. */

#ifndef MAPPER_EVENTS_H
#define MAPPER_EVENTS_H 1

/* After each run of the IDL events_run() turns the rows that changed into one
 * delta: objects put and objects removed, as JSON text.  For each stream it
 * finds out which of them the stream's reader may see, and sends a "change".
 * Readers who see the same (see audience.h) share the work and the bytes, of
 * changes as of snapshots.
 *
 * A node sees a vSubnet when it is approved and a member; then it also sees
 * the other approved members, with their nodes, bindings and keys.  When its
 * own state or memberships change it gets a "snapshot" instead, because then
 * what it may see changes.  A revoked node gets a last snapshot that says so,
 * and the end.  Operators see everything except key bytes.
 *
 *      (connect) --> wants snapshot --> following --> wants snapshot ...
 *          |                               ^
 *          +--Last-Event-ID in the ring----+
 *
 * The last EVENTS_RING_MAX deltas are kept, so that a reader that comes back
 * with Last-Event-ID (even the one it had from another mapper) continues with
 * what it missed.  What it may see is judged by the present state, so a delta
 * replayed late shows no more than it would now; if its own memberships
 * changed meanwhile it gets a snapshot and nothing of what is older, such as
 * keys of a time when it was no member.  A removal that it never needed to
 * know is harmless.
 *
 * A reader that comes from another mapper may know more than this one does
 * yet; it gets nothing until this one has caught up, or has been told nothing
 * newer by its database for EVENTS_LAG_MS.
 *
 * A reader that is to get a snapshot gets nothing any more of what waits for
 * it to be read, so what waits is bounded, and what it has lost the right to
 * is not delivered late.
 *
 * A stream belongs to the instance of its node that opened it (see lease.h).
 * When the lease changes hands the streams of others are cut at once.
 * Events that concern one node only, "challenge" and "loaded", are no part of
 * the mapping: they have no revision and are not repeated by a resumption.
 *
 * A delta covers all transactions that one run of the IDL brought; its
 * revision is that of the last one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/types.h"

struct confirm;
struct db;
struct events;
struct installed_stream;
struct lease;
struct http_connection;
struct principal;

enum {
    EVENTS_RING_MAX = 1024,             /* Deltas, */
    EVENTS_RING_BYTES = 8 * 1024 * 1024, /* and their size. */
    EVENTS_HEARTBEAT_MS = 15 * 1000,
    EVENTS_LAG_MS = 2000,
    EVENTS_HEARTBEAT_TICK_MS = 250,
    EVENTS_SNAPSHOT_BUDGET_MS = 50,     /* In one run. */
    EVENTS_SNAPSHOT_PATIENCE_MS = 10 * 1000, /* When memory runs short. */
    EVENTS_STREAMS_PER_NODE = 4,        /* The oldest gives way. */
    EVENTS_STREAMS_PER_OPERATOR = 16,
};

/* LEASE is told of the last sign of life on each stream that ends, CONFIRM of
 * streams and of new keys. */
struct events *events_create(const struct db *, struct lease *,
                             struct confirm *);
void events_destroy(struct events *);

/* To be called after ovsdb_idl_run() and before anything else changes the
 * IDL; clears its tracking. */
void events_run(struct events *);
void events_wait(struct events *);

/* Turns the connection into a stream. */
void events_subscribe(struct events *, struct http_connection *,
                      const struct principal *, const char *last_event_id);

/* Streams of node NUMBER that belong to INSTANCE: is there one, and for how
 * many milliseconds has none acknowledged anything (LLONG_MAX without one)? */
bool events_has_stream(const struct events *, int64_t number,
                       const char *instance);
long long int events_silence(const struct events *, int64_t number,
                             const char *instance);

/* Asks the holder INSTANCE of node NUMBER whether it is there. */
void events_send_challenge(struct events *, int64_t number,
                           const char *instance, const char *nonce);

/* Tells node NUMBER that the others have its keys with these SPIs. */
void events_send_loaded(struct events *, int64_t number,
                        const int64_t *spis, size_t n);

/* What has gone to streams of nodes, and was installed; see installed.h.
 * CB is called for each of these streams. */
void events_for_each_stream(
    struct events *, void (*cb)(int64_t node, struct installed_stream *,
                                bool wants_snapshot, void *aux), void *aux);
struct model_revision events_revision(const struct events *);
void events_send_confirm(struct events *, int64_t number,
                         struct model_revision);
/* Asks node NUMBER the question ID (asks.h). */
void events_send_ask(struct events *, int64_t number, const char *id,
                     const char *question);

void events_told_installed(struct events *, int64_t number,
                           const char *instance, struct model_revision);

bool events_is_connected(const struct events *, int64_t node);

/* Ends the streams of all nodes, which then look for another mapper. */
void events_cut_nodes(struct events *);
unsigned int events_n_streams(const struct events *);

#endif /* mapper/events.h */
