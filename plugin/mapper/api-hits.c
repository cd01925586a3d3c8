/* SPDX-License-Identifier: Apache-2.0 */
/* The API: what nodes' flows of rules have counted. */

#include <config.h>

#include <microhttpd.h>
#include <stdlib.h>

#include "mapper/api.h"
#include "mapper/db.h"
#include "mapper/rule-hits.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { ITEMS_MAX = 500 };       /* In one request. */

struct item {
    const char *net;
    const char *name;
    struct rule_hits_sum sum;
};

/* Returns what is wrong with element INDEX, or null. */
static char *
read_item(const json_t *json, size_t index, struct item *item)
{
    struct model_reader r;

    model_reader_init(&r, json);
    item->net = model_reader_name(&r, "net", MODEL_REQUIRED);
    item->name = model_reader_name(&r, "name", MODEL_REQUIRED);
    item->sum.packets = model_reader_uint(&r, "packets", MODEL_REQUIRED, 0,
                                          INT64_MAX);
    item->sum.bytes = model_reader_uint(&r, "bytes", MODEL_REQUIRED, 0,
                                        INT64_MAX);
    char *error = model_reader_finish(&r, MODEL_REFUSE_UNKNOWN);
    if (error) {
        char *more = xasprintf("hits[%"PRIuSIZE"]: %s", index, error);

        free(error);
        return more;
    }
    return NULL;
}

/* A rule may be gone, and so may the membership, when news of it comes. */
static void
add(struct api_call *call, const struct mdb_node *node,
    const struct item *item)
{
    const struct db *db = call->api->db;
    const struct mdb_rule *row = db_rule(db, item->net, item->name);

    if (row && db_member_is_active(db, item->net, node->number)) {
        rule_hits_add(call->api->rule_hits, &row->header_.uuid, &item->sum);
    }
}

void
api_self_hits(struct api_call *call)
{
    const struct mdb_node *node = api_self(call);
    struct item *items = NULL;
    struct model_reader r;

    if (!node) {
        return;
    }
    model_reader_init(&r, call->body);
    const json_t *array = model_reader_array(&r, "hits", MODEL_REQUIRED,
                                             ITEMS_MAX);
    size_t n = json_array_size(array);
    items = xcalloc(n + 1, sizeof *items);
    for (size_t i = 0; i < n && !r.error; i++) {
        char *error = read_item(json_array_get(array, i), i, &items[i]);

        if (error) {
            model_reader_fail(&r, NULL, error);
        }
    }
    if (api_finish_reader(call, &r)) {
        for (size_t i = 0; i < n; i++) {
            add(call, node, &items[i]);
        }
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
    free(items);
}
