/* SPDX-License-Identifier: Apache-2.0 */
/* The API: rules of a vSubnet, one by one and all at once. */

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
#include "mapper/rule-hits.h"
#include "mapper/rule-row.h"
#include "model/rule.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

/* Each vSubnet has one revision of its rules as a whole, which grows with each
 * change of one of them: for who lists them, thinks, and then says what all of
 * them are to be. */

enum {
    RULES_MAX = 4096,           /* Of one vSubnet. */
    NO_RULES_YET = 1,           /* Revision of a set that nobody touched. */
};

static int64_t
rules_revision(const struct mdb_net *net)
{
    return MAX(net->rules_revision, NO_RULES_YET);
}

static size_t
count_rules(struct api_call *call, const struct mdb_net *net)
{
    size_t n;

    free(db_rules_of_net(call->api->db, net->name, &n));
    return n;
}

static void
refuse_many(struct api_call *call)
{
    api_fail(call, MHD_HTTP_CONFLICT, "too-many-rules", NULL,
             "vSubnet %s would have more than %d rules", call->args[0],
             RULES_MAX);
}

/* ROW as users see it. */
static json_t *
rule_json(struct api_call *call, const struct mdb_rule *row)
{
    json_t *json = db_rule_json(call->api->db, row);
    struct rule_hits_sum sum = rule_hits_get(call->api->rule_hits,
                                             &row->header_.uuid);

    json_object_set_new(json, "hits", json_pack(
        "{s:I, s:I}", "packets", (json_int_t) sum.packets,
        "bytes", (json_int_t) sum.bytes));
    return json;
}

/* The rule that the path names; null, after answering 404. */
static const struct mdb_rule *
find_rule(struct api_call *call, const struct mdb_net *net)
{
    const struct mdb_rule *row = db_rule(call->api->db, net->name,
                                         call->args[1]);

    if (!row) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-rule", NULL,
                 "vSubnet %s has no rule %s", net->name, call->args[1]);
    }
    return row;
}

/* Reading. */

/* Reads a rule from JSON, strictly.  False after answering 422; RULE is to be
 * destroyed either way. */
static bool
read_rule(struct api_call *call, const json_t *json, struct model_rule *rule)
{
    struct model_reader r;

    model_reader_init(&r, json);
    model_rule_read(&r, MODEL_OPTIONAL, rule);
    return api_finish_reader(call, &r);
}

/* The same of the body, which need not repeat the name that the path has. */
static bool
read_named(struct api_call *call, struct model_rule *rule)
{
    json_t *json = json_copy(call->body);

    if (json_is_null(json_object_get(json, "name"))
        || !json_object_get(json, "name")) {
        json_object_set_new(json, "name", json_string(call->args[1]));
    }
    bool ok = read_rule(call, json, rule);
    if (ok && strcmp(rule->name, call->args[1])) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 "name", "name: not the one that the path has; a rule's name "
                 "does not change");
        ok = false;
    }
    json_decref(json);
    return ok;
}

/* Writing. */

static json_t *
without_revision(json_t *json)
{
    json_object_del(json, "revision");
    json_object_del(json, "net");
    return json;
}

/* Says whether ROW is RULE already. */
static bool
is_same(const struct db *db, const struct mdb_rule *row,
        const struct model_rule *rule)
{
    json_t *is = without_revision(db_rule_json(db, row));
    struct model_rule named = *rule;

    named.net = row->net;
    json_t *want = without_revision(model_rule_to_json(&named));
    bool same = json_equal(is, want);
    json_decref(is);
    json_decref(want);
    return same;
}

static void
touch_rules(struct api_call *call, const struct mdb_net *net)
{
    mdb_net_set_rules_revision(net, txn_touch(call->txn));
}

/* Makes RULE one of NET, in the place of ROW if that is not null. */
static const struct mdb_rule *
write_rule(struct api_call *call, const struct mdb_net *net,
           const struct mdb_rule *row, const struct model_rule *rule)
{
    if (!row) {
        struct mdb_rule *new = mdb_rule_insert(call->txn->idl_txn);

        mdb_rule_set_net(new, net->name);
        row = new;
    }
    rule_row_write(row, rule);
    mdb_rule_set_revision(row, txn_touch(call->txn));
    touch_rules(call, net);
    return row;
}

/* Labels that a rule names: pointers into it, at most two. */
static size_t
labels_of(const char *label, const char *remote_label, char *labels[2])
{
    size_t n = 0;

    if (label && *label) {
        labels[n++] = CONST_CAST(char *, label);
    }
    if (remote_label && *remote_label) {
        labels[n++] = CONST_CAST(char *, remote_label);
    }
    return n;
}

/* Returns the list of NET's labels once RULE has taken the place of ROW, which
 * may be null.  Null after answering that there are too many. */
static char *
check_labels(struct api_call *call, const struct mdb_net *net,
             const struct mdb_rule *row, const struct model_rule *rule)
{
    struct change_refusal refusal;
    char *gone[2], *added[2];
    size_t n_gone = row ? labels_of(row->label, row->remote_label, gone) : 0;
    size_t n_added = labels_of(rule->label, rule->remote_label, added);
    char *list = change_check_labels(call->txn, net,
                                     row ? &row->header_.uuid : NULL, gone,
                                     n_gone, added, n_added, &refusal);

    if (!list) {
        api_refuse(call, &refusal);
    }
    return list;
}

static void
audit_rule(struct api_call *call, const char *action,
           const struct mdb_net *net, const struct model_rule *rule)
{
    char *text = model_rule_to_text(rule);

    audit(call, action, net->name, "%s", text);
    free(text);
}

/* Puts RULE, which has been read, and answers. */
static void
put_rule(struct api_call *call, const struct mdb_net *net,
         const struct mdb_rule *row, const struct model_rule *rule)
{
    const struct db *db = call->api->db;
    bool is_new = !row;

    if (is_new && count_rules(call, net) >= RULES_MAX) {
        refuse_many(call);
        return;
    }
    if (is_new || !is_same(db, row, rule)) {
        char *labels = check_labels(call, net, row, rule);

        if (!labels) {
            return;
        }
        row = write_rule(call, net, row, rule);
        change_set_labels(call->txn, net, labels);
        free(labels);
        audit_rule(call, is_new ? "rule-added" : "rule-changed", net, rule);
    }
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           rule_json(call, row));
}

/* One rule. */

void
api_rules_post(struct api_call *call)
{
    struct model_rule rule;

    if (read_rule(call, call->body, &rule)) {
        const struct mdb_net *net = api_net(call, call->args[0]);

        if (net && db_rule(call->api->db, net->name, rule.name)) {
            api_fail(call, MHD_HTTP_CONFLICT, "name-in-use", "name",
                     "vSubnet %s has a rule %s already", net->name,
                     rule.name);
        } else if (net) {
            put_rule(call, net, NULL, &rule);
        }
    }
    model_rule_destroy(&rule);
}

void
api_rule_get(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_rule *row = net ? find_rule(call, net) : NULL;

    if (row) {
        api_ok(call, MHD_HTTP_OK, rule_json(call, row));
    }
}

void
api_rule_put(struct api_call *call)
{
    struct model_rule rule;

    if (read_named(call, &rule)) {
        const struct mdb_net *net = api_net(call, call->args[0]);
        const struct mdb_rule *row
            = net ? db_rule(call->api->db, net->name, rule.name) : NULL;

        if (net && api_matches(call, row ? row->revision : 0)) {
            put_rule(call, net, row, &rule);
        }
    }
    model_rule_destroy(&rule);
}

/* What the body does not name stays as it is. */
void
api_rule_patch(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_rule *row = net ? find_rule(call, net) : NULL;
    struct model_rule rule;

    if (!row || !api_matches(call, row->revision)) {
        return;
    }
    json_t *given = call->body;
    call->body = without_revision(db_rule_json(call->api->db, row));
    json_object_update(call->body, given);
    if (read_named(call, &rule)) {
        put_rule(call, net, row, &rule);
    }
    model_rule_destroy(&rule);
    json_decref(call->body);
    call->body = given;
}

void
api_rule_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_rule *row = net ? find_rule(call, net) : NULL;

    if (row && api_matches(call, row->revision)) {
        struct model_rule rule;
        char *labels[2];

        rule_row_read(call->api->db, row, &rule);
        audit_rule(call, "rule-removed", net, &rule);
        change_drop_labels(call->txn, net->name, &row->header_.uuid, labels,
                           labels_of(rule.label, rule.remote_label, labels));
        model_rule_destroy(&rule);
        mdb_rule_delete(row);
        touch_rules(call, net);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}

/* All rules. */

void
api_rules_get(struct api_call *call)
{
    static const char *const filters[] = {
        "name", "priority", "direction", "action", "label", "remote_label",
        "remote_address", "protocol", NULL
    };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_rule *row;
    struct api_list list;

    BUILD_ASSERT_DECL(ARRAY_SIZE(filters) - 1 <= API_LIST_FILTERS_MAX);
    if (!net || !api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_rule *from = mdb_rule_index_init_row(db->rule_by_key);
    mdb_rule_index_set_net(from, net->name);
    mdb_rule_index_set_name(from, list.after);
    MDB_RULE_FOR_EACH_RANGE (row, from, NULL, db->rule_by_key) {
        if (!strcmp(row->name, list.after)
            && !strcmp(row->net, net->name)) {
            continue;
        }
        if (strcmp(row->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, rule_json(call, row), "%s", row->name);
    }
    mdb_rule_index_destroy_row(from);

    json_t *body = api_list_body(&list);
    char *hits_id = xasprintf(UUID_FMT, UUID_ARGS(
        rule_hits_id(call->api->rule_hits)));
    json_object_set_new(body, "hits_id", json_string(hits_id));
    json_object_set_new(body, "revision", model_revision_to_json(
        db_row_revision(db, rules_revision(net))));
    api_list_end_body(&list, body);
    free(hits_id);
}

/* The rules of a body that are all rules of a vSubnet. */
struct rule_set {
    struct model_rule *rules;
    size_t n;
    struct sset names;
};

static void
rule_set_destroy(struct rule_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        model_rule_destroy(&set->rules[i]);
    }
    free(set->rules);
    sset_destroy(&set->names);
}

/* Reads element INDEX of the array, JSON, into SET.  On failure tells R. */
static void
read_element(struct model_reader *r, const json_t *json, size_t index,
             struct rule_set *set)
{
    struct model_rule *rule = &set->rules[set->n++];
    struct model_reader element;

    model_reader_init(&element, json);
    model_rule_read(&element, MODEL_OPTIONAL, rule);
    char *error = model_reader_finish(&element, MODEL_REFUSE_UNKNOWN);
    if (!error && !sset_add(&set->names, rule->name)) {
        error = xasprintf("name: %s is there twice", rule->name);
    }
    if (error) {
        model_reader_fail(r, NULL, xasprintf("rules[%"PRIuSIZE"]: %s", index,
                                             error));
        free(error);
    }
}

/* False after answering.  SET is to be destroyed either way. */
static bool
read_set(struct api_call *call, struct rule_set *set)
{
    struct model_reader r;

    *set = (struct rule_set) { .names = SSET_INITIALIZER(&set->names) };
    model_reader_init(&r, call->body);
    const json_t *array = model_reader_array(&r, "rules", MODEL_REQUIRED,
                                             SIZE_MAX);
    size_t n = json_array_size(array);
    if (n > RULES_MAX) {
        refuse_many(call);
        return false;
    }
    set->rules = xcalloc(n + 1, sizeof *set->rules);
    for (size_t i = 0; i < n && !r.error; i++) {
        read_element(&r, json_array_get(array, i), i, set);
    }
    return api_finish_reader(call, &r);
}

/* As check_labels(), for SET in the place of all rules. */
static char *
check_set_labels(struct api_call *call, const struct mdb_net *net,
                 const struct rule_set *set)
{
    char **labels = xcalloc(2 * set->n + 1, sizeof *labels);
    struct change_refusal refusal;
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        n += labels_of(set->rules[i].label, set->rules[i].remote_label,
                       &labels[n]);
    }
    char *list = change_check_rules_labels(call->txn, net, labels, n,
                                           &refusal);
    if (!list) {
        api_refuse(call, &refusal);
    }
    free(labels);
    return list;
}

struct set_counts {
    size_t added, changed, removed, unchanged;
};

static void
write_set(struct api_call *call, const struct mdb_net *net,
          const struct rule_set *set, struct set_counts *counts)
{
    const struct db *db = call->api->db;
    size_t n;

    struct mdb_rule **rows = db_rules_of_net(db, net->name, &n);
    for (size_t i = 0; i < n; i++) {
        if (!sset_contains(&set->names, rows[i]->name)) {
            mdb_rule_delete(rows[i]);
            touch_rules(call, net);
            counts->removed++;
        }
    }
    free(rows);

    for (size_t i = 0; i < set->n; i++) {
        const struct model_rule *rule = &set->rules[i];
        const struct mdb_rule *row = db_rule(db, net->name, rule->name);

        if (row && is_same(db, row, rule)) {
            counts->unchanged++;
        } else {
            write_rule(call, net, row, rule);
            counts->added += !row;
            counts->changed += !!row;
        }
    }
}

void
api_rules_put(struct api_call *call)
{
    struct set_counts counts = { 0, 0, 0, 0 };
    struct rule_set set;

    if (read_set(call, &set)) {
        const struct mdb_net *net = api_net(call, call->args[0]);

        char *labels = (net && api_matches(call, rules_revision(net))
                        ? check_set_labels(call, net, &set) : NULL);

        if (labels) {
            write_set(call, net, &set, &counts);
            change_set_labels(call->txn, net, labels);
            free(labels);
            if (counts.added + counts.changed + counts.removed) {
                audit(call, "rules-replaced", net->name,
                      "%"PRIuSIZE" added, %"PRIuSIZE" changed, "
                      "%"PRIuSIZE" removed", counts.added, counts.changed,
                      counts.removed);
            }
            api_ok(call, MHD_HTTP_OK, json_pack(
                       "{s:i, s:i, s:i, s:i, s:o}",
                       "added", (int) counts.added,
                       "changed", (int) counts.changed,
                       "removed", (int) counts.removed,
                       "unchanged", (int) counts.unchanged,
                       "revision", model_revision_to_json(
                           db_row_revision(call->api->db,
                                           rules_revision(net)))));
        }
    }
    rule_set_destroy(&set);
}
