/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who did what that an operator should know of. */

#include <config.h>

#include "mapper/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/db.h"
#include "timeval.h"
#include "util.h"

/* Who calls, malloc()'d. */
static char *
actor_of(const struct api_call *call)
{
    const struct mdb_node *node;

    switch (call->who.role) {
    case ROLE_OPERATOR:
    case ROLE_VIEWER:
        return xasprintf("operator %s (%s %s)", call->who.name,
                         call->who.by_certificate ? "certificate" : "token",
                         call->who.id);

    case ROLE_NODE:
        node = db_node_by_id(call->api->db, call->who.id);
        return xasprintf("node %s", node ? node->name : call->who.id);

    case ROLE_TOKEN:
        return xasprintf("token %s", call->who.id);

    case ROLE_ANYONE:
        break;
    }
    return xstrdup("service");
}

void
audit(struct api_call *call, const char *action, const char *object,
      const char *format, ...)
{
    const struct db *db = call->api->db;
    const struct mdb_service *service = db_service(db);
    int64_t sequence = service->next_audit;
    va_list args;

    va_start(args, format);
    char *detail = xvasprintf(format, args);
    va_end(args);
    char *actor = actor_of(call);

    txn_touch(call->txn);
    struct mdb_audit *row = mdb_audit_insert(call->txn->idl_txn);
    mdb_audit_set_sequence(row, sequence);
    mdb_audit_set_time(row, time_wall());
    mdb_audit_set_actor(row, actor);
    mdb_audit_set_action(row, action);
    mdb_audit_set_object(row, object);
    mdb_audit_set_detail(row, detail);
    mdb_audit_set_source(row, call->source);
    mdb_service_set_next_audit(service, sequence + 1);

    const struct mdb_audit *oldest = db_audit(db, sequence - AUDIT_MAX);
    if (oldest) {
        mdb_audit_delete(oldest);
    }
    free(actor);
    free(detail);
}

static json_t *
audit_json(const struct mdb_audit *row)
{
    char *time = db_format_time(row->time);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s}", "time", time, "actor", row->actor,
        "action", row->action, "object", row->object,
        "detail", row->detail, "source", row->source);

    free(time);
    return json;
}

/* Newest first.  Sequences count from 0, keys from 1. */
void
api_audit_get(struct api_call *call)
{
    static const char *const filters[] = {
        "action", "object", "actor", "source", NULL
    };
    const struct db *db = call->api->db;
    struct api_list list;
    int64_t after;

    if (!api_list_begin(&list, call, filters)
        || !api_list_after_number(&list, db_service(db)->next_audit + 1,
                                  &after)) {
        return;
    }
    for (int64_t i = after - 2; i >= 0; i--) {
        const struct mdb_audit *row = db_audit(db, i);

        /* What was older has gone. */
        if (!row || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, audit_json(row), "%"PRId64, i + 1);
    }
    api_list_end(&list);
}
