/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the mapping, and what of it a reader may see. */

#include <config.h>

#include "mapper/delta.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "model/jansson.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

const char *
delta_kind_name(enum delta_kind kind)
{
    static const char *const names[] = {
        [DELTA_NODES] = "nodes",
        [DELTA_NETS] = "nets",
        [DELTA_MEMBERS] = "members",
        [DELTA_BINDINGS] = "bindings",
        [DELTA_KEYS] = "keys",
        [DELTA_RULES] = "rules",
    };
    return names[kind];
}

/* Takes over a reference. */
static char *
to_text(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(json);
    ovs_assert(text);
    return text;
}

static json_t *
json_pair(const char *net, const char *name, json_t *value)
{
    json_t *json = json_object();

    json_object_set_new(json, "net", json_string(net));
    json_object_set_new(json, name, value);
    return json;
}

/* Collecting. */

static struct delta_item *
add_item(struct delta *delta, enum delta_kind kind, const char *net,
         int64_t node)
{
    if (delta->n >= delta->allocated) {
        delta->items = x2nrealloc(delta->items, &delta->allocated,
                                  sizeof *delta->items);
    }
    struct delta_item *item = &delta->items[delta->n++];
    *item = (struct delta_item) {
        .kind = kind,
        .net = nullable_xstrdup(net),
        .node = node,
        .for_operators = true,
    };
    return item;
}

/* Returns the item of node NUMBER, making one for nodes only if there is
 * none: the node may have come into or out of somebody's view. */
static struct delta_item *
touch_node(struct delta *delta, const struct db *db, int64_t number)
{
    for (size_t i = 0; i < delta->n; i++) {
        struct delta_item *item = &delta->items[i];

        if (item->kind == DELTA_NODES && item->node == number) {
            return item;
        }
    }

    struct delta_item *item = add_item(delta, DELTA_NODES, NULL, number);
    const struct mdb_node *row = db_node(db, number);

    item->for_operators = false;
    if (row) {
        item->put = to_text(db_node_json(db, row, MODEL_VIEW_NODE, false));
    }
    item->removal = to_text(json_integer(number));
    return item;
}

static void
put_member(struct delta *delta, const struct db *db,
           const struct mdb_member *row, bool for_operators)
{
    struct delta_item *item = add_item(delta, DELTA_MEMBERS, row->net,
                                       row->node);

    item->for_operators = for_operators;
    item->hidden = !db_node_is_approved(db_node(db, row->node));
    item->put = to_text(db_member_json(db, row));
}

/* True for a binding that says where a MAC is while nobody may know. */
static bool
binding_is_hidden(const struct db *db, const struct mdb_binding *row)
{
    return row->node && !db_member_is_active(db, row->net, row->node);
}

static void
put_binding(struct delta *delta, const struct db *db,
            const struct mdb_binding *row, bool for_operators)
{
    struct delta_item *item = add_item(delta, DELTA_BINDINGS, row->net,
                                       row->node);

    item->for_operators = for_operators;
    item->hidden = binding_is_hidden(db, row);
    item->put = to_text(db_binding_json(db, row));
    if (item->hidden && !mdb_binding_is_new(row)) {
        /* It may have been elsewhere before. */
        item->removal = to_text(json_pair(row->net, "mac",
                                          json_string(row->mac)));
    }
}

static void
put_key(struct delta *delta, const struct db *db, const struct mdb_key *row,
        bool for_operators)
{
    struct delta_item *item = add_item(delta, DELTA_KEYS, row->net,
                                       row->node);

    item->for_operators = for_operators;
    item->hidden = !db_member_is_active(db, row->net, row->node);
    item->put = to_text(db_key_json(db, row, MODEL_VIEW_KEYS));
    item->put_for_operators = to_text(db_key_json(db, row,
                                                  MODEL_VIEW_OPERATOR));
}

/* True of a row that changed itself in this run of the IDL. */
#define IS_TRACKED(TABLE, ROW)                                          \
    (mdb_##TABLE##_row_get_seqno(ROW, OVSDB_IDL_CHANGE_INSERT)          \
     || mdb_##TABLE##_row_get_seqno(ROW, OVSDB_IDL_CHANGE_MODIFY))

/* Where a key is in force already is nobody's news. */
static bool
key_is_tracked(const struct mdb_key *row)
{
    return (mdb_key_is_new(row)
            || mdb_key_is_updated(row, MDB_KEY_COL_REVISION));
}

/* A node whose state changed: what it has comes into others' view, too.  What
 * changed with it is left to the functions below, because an object that
 * stood twice in an event would make readers refuse it. */
static void
put_belongings(struct delta *delta, const struct db *db, int64_t node)
{
    size_t n;

    struct mdb_member **members = db_members_of_node(db, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!IS_TRACKED(member, members[i])) {
            put_member(delta, db, members[i], false);
        }
    }
    free(members);

    struct mdb_binding **bindings = db_bindings_of_node(db, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!IS_TRACKED(binding, bindings[i])) {
            put_binding(delta, db, bindings[i], false);
        }
    }
    free(bindings);

    struct mdb_key **keys = db_keys_of_node(db, node, &n);
    for (size_t i = 0; i < n; i++) {
        if (!key_is_tracked(keys[i])) {
            put_key(delta, db, keys[i], false);
        }
    }
    free(keys);
}

static void
collect_nodes(struct delta *delta, const struct db *db,
              delta_connected_func *connected, const void *aux)
{
    const struct mdb_node *row;

    MDB_NODE_FOR_EACH_TRACKED (row, db->idl) {
        const struct mdb_node *now = db_node(db, row->number);

        if (now && !mdb_node_is_new(row)
            && !mdb_node_is_updated(row, MDB_NODE_COL_REVISION)) {
            continue;           /* Lease or credential: nobody sees them. */
        }
        struct delta_item *item = touch_node(delta, db, row->number);
        bool state = (!now || mdb_node_is_new(row)
                      || mdb_node_is_updated(row, MDB_NODE_COL_STATE));

        item->for_operators = true;
        item->state = item->state || state;
        if (now && !item->put_for_operators) {
            item->put_for_operators = to_text(
                db_node_json(db, now, MODEL_VIEW_OPERATOR,
                             connected(aux, now->number)));
        }
        if (now && state) {
            put_belongings(delta, db, row->number);
        }
    }
}

/* Rows of the other tables.  One that was deleted and made again within one
 * run is there: the removal is left out. */

static void
collect_nets(struct delta *delta, const struct db *db)
{
    const struct mdb_net *row;

    MDB_NET_FOR_EACH_TRACKED (row, db->idl) {
        if (!mdb_net_is_deleted(row)) {
            if (!mdb_net_is_new(row)
                && !mdb_net_is_updated(row, MDB_NET_COL_REVISION)) {
                continue;       /* Its rules_revision: nobody sees it. */
            }
            struct delta_item *item = add_item(delta, DELTA_NETS, row->name,
                                               0);
            item->put = to_text(db_net_json(db, row));
        } else if (!db_net(db, row->name)) {
            struct delta_item *item = add_item(delta, DELTA_NETS, row->name,
                                               0);
            item->removal = to_text(json_string(row->name));
        }
    }
}

static void
collect_members(struct delta *delta, const struct db *db)
{
    const struct mdb_member *row;

    MDB_MEMBER_FOR_EACH_TRACKED (row, db->idl) {
        if (!mdb_member_is_deleted(row)) {
            put_member(delta, db, row, true);
        } else if (!db_member(db, row->net, row->node)) {
            struct delta_item *item = add_item(delta, DELTA_MEMBERS,
                                               row->net, row->node);
            item->removal = to_text(json_pair(row->net, "node",
                                              json_integer(row->node)));
        } else {
            continue;
        }
        touch_node(delta, db, row->node);
    }
}

static void
collect_bindings(struct delta *delta, const struct db *db)
{
    const struct mdb_binding *row;

    MDB_BINDING_FOR_EACH_TRACKED (row, db->idl) {
        if (!mdb_binding_is_deleted(row)) {
            put_binding(delta, db, row, true);
            continue;
        }
        const struct mdb_binding *now = db_binding(db, row->net, row->mac);
        if (!now || binding_is_hidden(db, now)) {
            struct delta_item *item = add_item(delta, DELTA_BINDINGS,
                                               row->net, row->node);
            item->for_operators = !now;
            item->removal = to_text(json_pair(row->net, "mac",
                                              json_string(row->mac)));
        }
    }
}

static void
collect_keys(struct delta *delta, const struct db *db)
{
    const struct mdb_key *row;

    MDB_KEY_FOR_EACH_TRACKED (row, db->idl) {
        if (!mdb_key_is_deleted(row)) {
            if (key_is_tracked(row)) {
                put_key(delta, db, row, true);
            }
        } else if (!db_key(db, row->spi)) {
            struct delta_item *item = add_item(delta, DELTA_KEYS, row->net,
                                               row->node);
            item->removal = to_text(json_integer(row->spi));
        }
    }
}

static void
collect_rules(struct delta *delta, const struct db *db)
{
    const struct mdb_rule *row;

    MDB_RULE_FOR_EACH_TRACKED (row, db->idl) {
        if (!mdb_rule_is_deleted(row)) {
            struct delta_item *item = add_item(delta, DELTA_RULES, row->net,
                                               0);
            item->put = to_text(db_rule_json(db, row));
        } else if (!db_rule(db, row->net, row->name)) {
            struct delta_item *item = add_item(delta, DELTA_RULES, row->net,
                                               0);
            item->removal = to_text(json_pair(row->net, "name",
                                              json_string(row->name)));
        }
    }
}

static size_t
text_size(const char *s)
{
    return s ? strlen(s) : 0;
}

struct delta *
delta_collect(const struct db *db, delta_connected_func *connected,
              const void *aux)
{
    struct delta *delta = xzalloc(sizeof *delta);

    delta->revision = db_revision(db);
    collect_nodes(delta, db, connected, aux);
    collect_nets(delta, db);
    collect_members(delta, db);
    collect_bindings(delta, db);
    collect_keys(delta, db);
    collect_rules(delta, db);
    if (!delta->n) {
        delta_destroy(delta);
        return NULL;
    }
    for (size_t i = 0; i < delta->n; i++) {
        const struct delta_item *item = &delta->items[i];

        delta->bytes += (sizeof *item + text_size(item->put)
                         + text_size(item->put_for_operators)
                         + text_size(item->removal));
    }
    return delta;
}

void
delta_destroy(struct delta *delta)
{
    if (!delta) {
        return;
    }
    for (size_t i = 0; i < delta->n; i++) {
        struct delta_item *item = &delta->items[i];

        if (item->put && item->kind == DELTA_KEYS) {
            model_wipe(item->put, strlen(item->put));
        }
        free(item->put);
        free(item->put_for_operators);
        free(item->removal);
        free(item->net);
    }
    free(delta->items);
    free(delta);
}

/* Who sees what. */

/* Remembers the last answer: items of one vSubnet come in a row. */
struct membership {
    const struct db *db;
    const struct delta_reader *reader;
    const char *net;
    bool active;
};

static bool
is_member(struct membership *m, const char *net)
{
    if (!m->net || strcmp(m->net, net)) {
        m->net = net;
        m->active = false;
        for (size_t i = 0; i < m->reader->n_nets && !m->active; i++) {
            m->active = !strcmp(m->reader->nets[i], net);
        }
    }
    return m->active;
}

/* True if NODE is the reader, or an active member of one of its vSubnets. */
static bool
is_in_sight(const struct membership *m, int64_t node)
{
    if (node == m->reader->node) {
        return true;
    }
    for (size_t i = 0; i < m->reader->n_nets; i++) {
        if (db_member_is_active(m->db, m->reader->nets[i], node)) {
            return true;
        }
    }
    return false;
}

/* True if NODE's membership of a vSubnet of the reader begins (BEGINS) or
 * ends in DELTA. */
static bool
membership_changes(const struct delta *delta, struct membership *m,
                   int64_t node, bool begins)
{
    for (size_t i = 0; i < delta->n; i++) {
        const struct delta_item *item = &delta->items[i];

        if (item->kind == DELTA_MEMBERS && item->node == node
            && !item->put == !begins && is_member(m, item->net)) {
            return true;
        }
    }
    return false;
}

static enum delta_view
view_node(const struct delta *delta, const struct delta_item *item,
          struct membership *m)
{
    if (is_in_sight(m, item->node)) {
        /* Without a change of its row it is news only where it joins. */
        return (item->put
                && (item->for_operators
                    || membership_changes(delta, m, item->node, true))
                ? DELTA_PUT : DELTA_NOTHING);
    }
    return (membership_changes(delta, m, item->node, false)
            ? DELTA_REMOVE : DELTA_NOTHING);
}

static enum delta_view
view_item(const struct delta *delta, const struct delta_item *item,
          struct membership *m)
{
    if (item->kind == DELTA_NODES) {
        return view_node(delta, item, m);
    }
    if (!is_member(m, item->net)) {
        return DELTA_NOTHING;
    } else if (item->hidden) {
        return item->removal ? DELTA_REMOVE : DELTA_NOTHING;
    }
    return item->put ? DELTA_PUT : DELTA_REMOVE;
}

static enum delta_view
view_item_as_operator(const struct delta_item *item)
{
    if (!item->for_operators) {
        return DELTA_NOTHING;
    } else if (item->put_for_operators) {
        return DELTA_PUT_FOR_OPERATORS;
    }
    return item->put ? DELTA_PUT : DELTA_REMOVE;
}

bool
delta_is_about(const struct delta_item *item)
{
    return item->kind == DELTA_NODES || item->kind == DELTA_MEMBERS;
}

bool
delta_view(const struct delta *delta, const struct db *db,
           const struct delta_reader *reader, uint8_t *view, bool *empty)
{
    struct membership m = { .db = db, .reader = reader };

    *empty = true;
    for (size_t i = 0; i < delta->n; i++) {
        const struct delta_item *item = &delta->items[i];

        if (reader->node && item->node == reader->node
            && (item->kind == DELTA_MEMBERS
                || (item->kind == DELTA_NODES && item->state))) {
            return false;
        }
        view[i] = (reader->is_operator ? view_item_as_operator(item)
                   : view_item(delta, item, &m));
        *empty = *empty && view[i] == DELTA_NOTHING;
    }
    return true;
}

/* Text of events. */

static void
begin_event(struct ds *s, const char *name, struct model_revision revision)
{
    ds_put_format(s, "id: "MODEL_REVISION_FMT"\nevent: %s\n"
                  "data: {\"revision\":\""MODEL_REVISION_FMT"\"",
                  MODEL_REVISION_ARGS(revision), name,
                  MODEL_REVISION_ARGS(revision));
}

static void
render_half(const struct delta *delta, const uint8_t *view, bool removals,
            struct ds *s)
{
    for (enum delta_kind kind = 0; kind < DELTA_N_KINDS; kind++) {
        const char *separator = "";

        ds_put_format(s, "%s\"%s\":[", kind ? "," : "",
                      delta_kind_name(kind));
        for (size_t i = 0; i < delta->n; i++) {
            const struct delta_item *item = &delta->items[i];

            if (item->kind == kind && view[i] != DELTA_NOTHING
                && (view[i] == DELTA_REMOVE) == removals) {
                ds_put_format(s, "%s%s", separator,
                              (removals ? item->removal
                               : view[i] == DELTA_PUT ? item->put
                               : item->put_for_operators));
                separator = ",";
            }
        }
        ds_put_char(s, ']');
    }
}

void
delta_render(const struct delta *delta, const uint8_t *view, struct ds *s)
{
    begin_event(s, "change", delta->revision);
    ds_put_cstr(s, ",\"put\":{");
    render_half(delta, view, false, s);
    ds_put_cstr(s, "},\"remove\":{");
    render_half(delta, view, true, s);
    ds_put_cstr(s, "}}\n\n");
}

/* Snapshots. */

/* One text for each array of the event. */
struct snapshot {
    const struct db *db;
    struct ds arrays[DELTA_N_KINDS];
    delta_connected_func *connected;
    const void *aux;
};

static void
append(struct snapshot *snapshot, enum delta_kind kind, json_t *json)
{
    struct ds *s = &snapshot->arrays[kind];
    char *text = to_text(json);

    ds_put_format(s, "%s%s", s->length ? "," : "", text);
    model_wipe(text, strlen(text));
    free(text);
}

static void
snapshot_for_operators(struct snapshot *snapshot)
{
    const struct db *db = snapshot->db;
    const struct mdb_node *node;
    const struct mdb_net *net;
    const struct mdb_member *member;
    const struct mdb_binding *binding;
    const struct mdb_key *key;
    const struct mdb_rule *rule;

    MDB_NODE_FOR_EACH (node, db->idl) {
        append(snapshot, DELTA_NODES,
               db_node_json(db, node, MODEL_VIEW_OPERATOR,
                            snapshot->connected(snapshot->aux,
                                                node->number)));
    }
    MDB_NET_FOR_EACH (net, db->idl) {
        append(snapshot, DELTA_NETS, db_net_json(db, net));
    }
    MDB_MEMBER_FOR_EACH (member, db->idl) {
        append(snapshot, DELTA_MEMBERS, db_member_json(db, member));
    }
    MDB_BINDING_FOR_EACH (binding, db->idl) {
        append(snapshot, DELTA_BINDINGS, db_binding_json(db, binding));
    }
    MDB_KEY_FOR_EACH (key, db->idl) {
        append(snapshot, DELTA_KEYS, db_key_json(db, key,
                                                 MODEL_VIEW_OPERATOR));
    }
    MDB_RULE_FOR_EACH (rule, db->idl) {
        append(snapshot, DELTA_RULES, db_rule_json(db, rule));
    }
}

/* Node numbers that a snapshot has already. */
struct seen {
    struct hmap_node hmap_node;
    int64_t number;
};

static bool
see_node(struct hmap *nodes, int64_t number)
{
    uint32_t hash = hash_uint64(number);
    struct seen *seen;

    HMAP_FOR_EACH_WITH_HASH (seen, hmap_node, hash, nodes) {
        if (seen->number == number) {
            return false;
        }
    }
    seen = xmalloc(sizeof *seen);
    seen->number = number;
    hmap_insert(nodes, &seen->hmap_node, hash);
    return true;
}

static void
snapshot_node(struct snapshot *snapshot, const struct mdb_node *node,
              struct hmap *nodes)
{
    if (see_node(nodes, node->number)) {
        append(snapshot, DELTA_NODES,
               db_node_json(snapshot->db, node, MODEL_VIEW_NODE, false));
    }
}

static void
snapshot_net(struct snapshot *snapshot, const char *name, struct hmap *nodes)
{
    const struct db *db = snapshot->db;
    const struct mdb_net *net = db_net(db, name);
    size_t n;

    if (!net) {
        return;
    }
    append(snapshot, DELTA_NETS, db_net_json(db, net));

    struct mdb_member **members = db_members_of_net(db, name, &n);
    for (size_t i = 0; i < n; i++) {
        const struct mdb_node *node = db_node(db, members[i]->node);

        if (db_node_is_approved(node)) {
            append(snapshot, DELTA_MEMBERS, db_member_json(db, members[i]));
            snapshot_node(snapshot, node, nodes);
        }
    }
    free(members);

    struct mdb_binding **bindings = db_bindings_of_net(db, name, &n);
    for (size_t i = 0; i < n; i++) {
        if (!binding_is_hidden(db, bindings[i])) {
            append(snapshot, DELTA_BINDINGS,
                   db_binding_json(db, bindings[i]));
        }
    }
    free(bindings);

    struct mdb_key **keys = db_keys_of_net(db, name, &n);
    for (size_t i = 0; i < n; i++) {
        if (db_member_is_active(db, name, keys[i]->node)) {
            append(snapshot, DELTA_KEYS,
                   db_key_json(db, keys[i], MODEL_VIEW_KEYS));
        }
    }
    free(keys);

    struct mdb_rule **rules = db_rules_of_net(db, name, &n);
    for (size_t i = 0; i < n; i++) {
        append(snapshot, DELTA_RULES, db_rule_json(db, rules[i]));
    }
    free(rules);
}

static void
snapshot_for_nodes(struct snapshot *snapshot,
                   const struct delta_reader *reader)
{
    struct hmap nodes = HMAP_INITIALIZER(&nodes);
    struct seen *seen;

    const struct mdb_node *self = (reader->n_nets ? NULL
                                   : db_node(snapshot->db, reader->node));
    if (self) {
        snapshot_node(snapshot, self, &nodes);
    }
    for (size_t i = 0; i < reader->n_nets; i++) {
        snapshot_net(snapshot, reader->nets[i], &nodes);
    }
    HMAP_FOR_EACH_POP (seen, hmap_node, &nodes) {
        free(seen);
    }
    hmap_destroy(&nodes);
}

void
delta_render_snapshot_head(const struct db *db, int64_t node, struct ds *s)
{
    const struct mdb_node *self = node ? db_node(db, node) : NULL;
    char *text = self ? to_text(db_node_json(db, self, MODEL_VIEW_SELF, true))
                      : xstrdup("null");

    begin_event(s, "snapshot", db_revision(db));
    ds_put_format(s, ",\"self\":%s", text);
    free(text);
}

void
delta_render_snapshot_rest(const struct db *db,
                           const struct delta_reader *reader,
                           delta_connected_func *connected, const void *aux,
                           struct ds *s)
{
    struct snapshot snapshot = {
        .db = db,
        .connected = connected,
        .aux = aux,
    };

    for (enum delta_kind kind = 0; kind < DELTA_N_KINDS; kind++) {
        ds_init(&snapshot.arrays[kind]);
    }
    if (reader->is_operator) {
        snapshot_for_operators(&snapshot);
    } else {
        snapshot_for_nodes(&snapshot, reader);
    }
    for (enum delta_kind kind = 0; kind < DELTA_N_KINDS; kind++) {
        struct ds *array = &snapshot.arrays[kind];

        ds_put_format(s, ",\"%s\":[%s]", delta_kind_name(kind),
                      ds_cstr(array));
        model_wipe(array->string, array->length);
        ds_destroy(array);
    }
    ds_put_cstr(s, "}\n\n");
}
