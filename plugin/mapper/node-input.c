/* SPDX-License-Identifier: Apache-2.0 */
/* What a node says about itself. */

#include <config.h>

#include "mapper/node-input.h"

#include <stdlib.h>
#include <string.h>

#include "mapper/auth.h"
#include "mapper/db.h"
#include "mapper/txn.h"
#include "util.h"
#include "uuid.h"

void
node_input_read_endpoints(struct model_reader *r, struct node_input *in)
{
    struct model_endpoint *endpoints = NULL;
    size_t n = model_reader_endpoints(r, "endpoints", MODEL_OPTIONAL,
                                      &endpoints);

    if (model_reader_has(r, "endpoints")) {
        in->endpoints = db_format_endpoints(endpoints, n);
    }
    free(endpoints);
}

void
node_input_read(struct model_reader *r, struct node_input *in,
                enum model_presence name_presence)
{
    in->name = model_reader_string(r, "name", name_presence);
    if (in->name) {
        char *error = model_check_node_name(in->name);

        if (error) {
            model_reader_fail(r, "name", error);
        }
    }
    in->fingerprint = model_reader_string(r, "fingerprint", MODEL_OPTIONAL);
    node_input_read_endpoints(r, in);
}

void
node_input_read_new(struct model_reader *r, struct node_input *in)
{
    struct uuid id;

    if (model_reader_uuid(r, "id", MODEL_REQUIRED, &id)) {
        snprintf(in->id, sizeof in->id, UUID_FMT, UUID_ARGS(&id));
    }
    in->credential_hash = model_reader_string(r, "credential_hash",
                                              MODEL_REQUIRED);
    if (in->credential_hash && !auth_is_hash(in->credential_hash)) {
        model_reader_fail(r, "credential_hash",
                          xstrdup("not a SHA-256 in lower-case hex"));
    }
    node_input_read(r, in, MODEL_REQUIRED);
}

void
node_input_write(struct txn *txn, const struct mdb_node *node,
                 const struct node_input *in)
{
    if (in->name && strcmp(in->name, node->name)) {
        mdb_node_set_name(node, in->name);
        mdb_node_set_revision(node, txn_touch(txn));
    }
    if (in->fingerprint && strcmp(in->fingerprint, node->fingerprint)) {
        mdb_node_set_fingerprint(node, in->fingerprint);
        mdb_node_set_revision(node, txn_touch(txn));
    }
    if (in->endpoints && strcmp(in->endpoints, node->endpoints)) {
        mdb_node_set_endpoints(node, in->endpoints);
        mdb_node_set_revision(node, txn_touch(txn));
    }
}
