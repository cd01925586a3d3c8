/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the mapping, and what of it a reader may see. */

#ifndef MAPPER_DELTA_H
#define MAPPER_DELTA_H 1

/* A delta holds the objects that one run of the IDL changed, already as JSON
 * text.  delta_view() says what a reader may see of each item; readers for
 * whom that is the same get the same bytes (delta_render()).
 *
 * An item may be there for nodes only: a membership that ends or begins
 * brings the node itself into or out of other members' view, though its row
 * did not change; so does approval for all that the node has. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/types.h"
#include "openvswitch/list.h"

struct db;
struct ds;

enum delta_kind {
    DELTA_NODES,
    DELTA_NETS,
    DELTA_MEMBERS,
    DELTA_BINDINGS,
    DELTA_KEYS,
    DELTA_RULES,
    DELTA_N_KINDS,
};

struct delta_item {
    enum delta_kind kind;
    char *net;                  /* The vSubnet it belongs to, or null. */
    int64_t node;               /* The node that it is about, or 0. */
    bool state;                 /* A node whose state changed. */
    bool hidden;                /* Of a member that is not approved. */
    bool for_operators;

    /* JSON.  'put' is null for what is gone; of a node, both may be there. */
    char *put;
    char *put_for_operators;    /* Null: as 'put'. */
    char *removal;              /* Of a hidden one: to who had it before. */
};

struct delta {
    struct ovs_list list_node;
    struct model_revision revision;
    struct delta_item *items;
    size_t n, allocated;
    size_t bytes;               /* Of all the text. */
};

/* Names of the kinds in events: "nodes" and so on. */
const char *delta_kind_name(enum delta_kind);

/* Says whether a node has an event stream: only operators are told. */
typedef bool delta_connected_func(const void *aux, int64_t node);

/* Makes a delta of what the IDL tracked.  Returns null if no object of the
 * mapping changed. */
struct delta *delta_collect(const struct db *, delta_connected_func *,
                            const void *aux);
void delta_destroy(struct delta *);

/* What a reader sees of an item. */
enum delta_view {
    DELTA_NOTHING,
    DELTA_PUT,
    DELTA_PUT_FOR_OPERATORS,
    DELTA_REMOVE,
};

/* Who reads.  What a node sees is a matter of its vSubnets, except for what is
 * about itself, so that all nodes of the same vSubnets that a delta is not
 * about (delta_is_about()) read it as one, with 'node' 0. */
struct delta_reader {
    bool is_operator;           /* Sees all; then the rest says nothing. */
    int64_t node;               /* Number, or 0. */
    char **nets;                /* That it is an active member of. */
    size_t n_nets;
};

/* True if ITEM may be seen otherwise by item->node than by other nodes of its
 * vSubnets. */
bool delta_is_about(const struct delta_item *);

/* Fills VIEW (one byte for each item).  Returns false if the delta changes
 * what the reader may see at all, so that it needs a snapshot.  *EMPTY says
 * that it sees nothing. */
bool delta_view(const struct delta *, const struct db *,
                const struct delta_reader *, uint8_t *view, bool *empty);

/* Appends the "change" event as VIEW has it. */
void delta_render(const struct delta *, const uint8_t *view, struct ds *);

/* Appends the two halves of the "snapshot" event: up to what only node NODE
 * (0: an operator) sees, and the rest, which is the same for all nodes of the
 * same vSubnets if there are any; if there are none, READER is one node. */
void delta_render_snapshot_head(const struct db *, int64_t node, struct ds *);
void delta_render_snapshot_rest(const struct db *,
                                const struct delta_reader *,
                                delta_connected_func *, const void *aux,
                                struct ds *);

#endif /* mapper/delta.h */
