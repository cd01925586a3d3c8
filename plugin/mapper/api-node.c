/* SPDX-License-Identifier: Apache-2.0 */
/* The API: nodes, as operators see them. */

#include <config.h>

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/audit.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/events.h"
#include "util.h"

static json_t *
node_json(struct api_call *call, const struct mdb_node *node)
{
    return db_node_json(call->api->db, node, MODEL_VIEW_OPERATOR,
                        events_is_connected(call->api->events,
                                            node->number));
}

void
api_nodes_get(struct api_call *call)
{
    static const char *const filters[] = {
        "name", "state", "connected", "origin", NULL
    };
    const struct db *db = call->api->db;
    const struct mdb_node *node;
    struct api_list list;
    int64_t after;

    if (!api_list_begin(&list, call, filters)
        || !api_list_after_number(&list, 0, &after)) {
        return;
    }
    struct mdb_node *from = mdb_node_index_init_row(db->node_by_number);
    mdb_node_index_set_number(from, after + 1);
    MDB_NODE_FOR_EACH_RANGE (node, from, NULL, db->node_by_number) {
        if (!api_list_more(&list)) {
            break;
        }
        api_list_add(&list, node_json(call, node), "%"PRId64, node->number);
    }
    mdb_node_index_destroy_row(from);
    api_list_end(&list);
}

void
api_node_get(struct api_call *call)
{
    const struct mdb_node *node = api_node(call, call->args[0]);

    if (node) {
        api_ok(call, MHD_HTTP_OK, node_json(call, node));
    }
}

/* Reads the new state, which may not be "pending": a node that once was
 * something else can't be made a stranger. */
static const char *
read_state(struct model_reader *r)
{
    enum model_node_state state;
    const char *name = model_reader_string(r, "state", MODEL_OPTIONAL);

    if (name) {
        char *error = model_node_state_parse(name, &state);

        if (!error && state == MODEL_NODE_PENDING) {
            error = xstrdup("must be approved or revoked");
        }
        if (error) {
            model_reader_fail(r, "state", error);
            return NULL;
        }
    }
    return name;
}

void
api_node_patch(struct api_call *call)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    const char *state = read_state(&r);
    const char *name = model_reader_string(&r, "name", MODEL_OPTIONAL);
    if (name) {
        char *error = model_check_node_name(name);

        if (error) {
            model_reader_fail(&r, "name", error);
        }
    }
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_node *node = api_node(call, call->args[0]);
    if (!node || !api_matches(call, node->revision)) {
        return;
    }

    if (name && strcmp(name, node->name)) {
        audit(call, "node-renamed", name, "was %s", node->name);
        mdb_node_set_name(node, name);
        mdb_node_set_revision(node, txn_touch(call->txn));
    }
    if (state && strcmp(state, node->state)) {
        if (!strcmp(state, "revoked")) {
            change_strip_node(call->txn, node);
        }
        audit(call, !strcmp(state, "revoked") ? "node-revoked"
              : "node-approved", node->name, "was %s", node->state);
        mdb_node_set_state(node, state);
        mdb_node_set_revision(node, txn_touch(call->txn));
    }
    api_ok(call, MHD_HTTP_OK, node_json(call, node));
}

void
api_node_delete(struct api_call *call)
{
    const struct mdb_node *node = api_node(call, call->args[0]);

    if (node && api_matches(call, node->revision)) {
        audit(call, "node-removed", node->name, "node %"PRId64", node ID %s",
              node->number, node->node_id);
        change_strip_node(call->txn, node);
        mdb_node_delete(node);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}
