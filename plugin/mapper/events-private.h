/* SPDX-License-Identifier: Apache-2.0 */
/* What events.c and events-node.c share; for no one else. */

#ifndef MAPPER_EVENTS_PRIVATE_H
#define MAPPER_EVENTS_PRIVATE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "mapper/audience.h"
#include "mapper/events.h"
#include "mapper/installed.h"
#include "model/types.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/uuid.h"

struct events {
    const struct db *db;
    struct lease *lease;
    struct confirm *confirm;
    struct ovs_list streams;    /* Oldest first. */
    struct ovs_list waiting;    /* Those that are to get a snapshot. */
    struct ovs_list ahead;      /* Those that know more than this mapper. */
    struct ovs_list beats;      /* All, in the order of their heartbeats. */
    struct hmap by_node;        /* Those of nodes, by number. */
    unsigned int n_streams;
    struct audiences audiences;
    unsigned int serial;        /* Of the delta that is sent. */
    uint64_t n_opened;          /* Streams, of all time. */
    long long int next_snapshot; /* If some are waiting. */
    long long int next_cut;     /* Of those that keep old snapshots. */

    struct ovs_list ring;       /* "struct delta"s, oldest first. */
    size_t n_ring;
    size_t ring_bytes;
    struct model_revision base; /* All that is newer is in the ring. */
    struct model_revision revision; /* Handled so far. */

    struct http_blob *heartbeat;
    long long int next_heartbeat;
};

struct stream {
    struct ovs_list list_node;
    struct ovs_list waiting_node; /* Empty unless it is to get a snapshot. */
    struct ovs_list beat_node;
    struct ovs_list reader_node; /* In audience->readers. */
    struct audience *audience;
    unsigned int serial;        /* The last delta that was looked at. */
    uint64_t opened;            /* Smaller is older. */
    long long int next_heartbeat;
    long long int snapshot_at;  /* When the last one was queued. */
    struct hmap_node by_node;   /* In 'by_node' if it is a node's. */
    struct events *events;
    struct http_stream *http;
    char id[MODEL_NAME_MAX + 1]; /* Node UUID or user. */
    char instance[UUID_LEN + 1]; /* Of the node, or "". */
    int64_t node;               /* 0: a user. */
    struct ovs_list ahead_node; /* Not empty: knows more than this mapper; */
    struct model_revision since; /* waits, to resume from here, */
    long long int ahead_until;  /* at most until then. */
    bool cut;                   /* In favour of younger ones. */
    struct installed_stream installed;
};

#define STREAM_FOR_EACH_OF_NODE(STREAM, NODE, EVENTS)                   \
    HMAP_FOR_EACH_WITH_HASH (STREAM, by_node, hash_uint64(NODE),        \
                             &(EVENTS)->by_node)                        \
        if ((STREAM)->node == (NODE))

/* True if STREAM is to get a snapshot. */
static inline bool
stream_wants_snapshot(const struct stream *stream)
{
    return !ovs_list_is_empty(&stream->waiting_node);
}

#endif /* mapper/events-private.h */
