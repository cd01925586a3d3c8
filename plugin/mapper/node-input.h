/* SPDX-License-Identifier: Apache-2.0 */
/* What a node says about itself. */

#ifndef MAPPER_NODE_INPUT_H
#define MAPPER_NODE_INPUT_H 1

/* A node tells its name, fingerprint and endpoints when it registers, when it
 * asks for the lease and when they change.  These read them from a body, and
 * write down what differs from what is known. */

#include "model/reader.h"
#include "uuid.h"

struct mdb_node;
struct txn;

/* Null: says nothing. */
struct node_input {
    char id[UUID_LEN + 1];
    const char *name;
    const char *credential_hash;
    const char *fingerprint;
    char *endpoints;            /* Owned. */
};

void node_input_read_endpoints(struct model_reader *, struct node_input *);

/* Reads "name", "fingerprint" and "endpoints". */
void node_input_read(struct model_reader *, struct node_input *,
                     enum model_presence name);

/* Reads "id" and "credential_hash" as well, and "name". */
void node_input_read_new(struct model_reader *, struct node_input *);

/* Writes what differs, so that a node that says the same again after each
 * reconnection makes no revision. */
void node_input_write(struct txn *, const struct mdb_node *,
                      const struct node_input *);

#endif /* mapper/node-input.h */
