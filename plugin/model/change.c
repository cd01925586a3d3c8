/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots and changes: reading, applying, writing, and their difference. */

#include <config.h>
#include "model/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/kind.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

/* Puts "GROUP.KIND[I]: " in front of ERROR. */
static char *
locate(const char *group, const struct model_kind *kind, size_t i,
       char *error)
{
    char *located = xasprintf("%s%s%s[%"PRIuSIZE"]: %s", group,
                              *group ? "." : "", kind->plural, i, error);
    free(error);
    return located;
}

static void
destroy_object(const struct model_kind *kind, void *object)
{
    if (object) {
        kind->destroy(object);
        free(object);
    }
}

/* Reads one object into a block of its own. */
static char *
read_object(const struct model_kind *kind, const json_t *json, void **objectp)
{
    void *object = xzalloc(kind->size);
    char *error = kind->from_json(json, object);

    if (error) {
        free(object);
        object = NULL;
    }
    *objectp = object;
    return error;
}

/* Snapshots. */

/* Inserts OBJECT, which is taken over, unless there is one like it. */
static char *
add_once(struct mapping *m, const struct model_kind *kind, void *object)
{
    const char *net = kind_net(kind, object);
    char *error;

    if (kind->find_same(m, object)) {
        struct ds key = DS_EMPTY_INITIALIZER;

        kind->format_key(object, &key);
        error = xasprintf("%s appears twice", ds_cstr(&key));
        ds_destroy(&key);
    } else if (net && !mapping_net(m, net)) {
        error = xasprintf("net: there is no vSubnet %s", net);
    } else if (!kind->put(m, object)) {
        error = xstrdup("vni: another vSubnet has it");
    } else {
        return NULL;
    }
    destroy_object(kind, object);
    return error;
}

static char *
read_self(struct mapping *m, const json_t *json)
{
    void *self = NULL;
    char *error;

    if (!json || json_is_null(json)) {
        return NULL;
    }
    error = read_object(&model_kinds[KIND_NODE], json, &self);
    if (error) {
        char *located = xasprintf("self: %s", error);
        free(error);
        return located;
    }
    mapping_put_node(m, self);
    m->self = self;
    return NULL;
}

static char *
read_all(struct mapping *m, const struct model_kind *kind, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        void *object;
        char *error = read_object(kind, json_array_get(array, i), &object);

        if (!error && kind == &model_kinds[KIND_NODE] && m->self
            && kind->find_same(m, object) == m->self) {
            /* "nodes" may hold "self" too. */
            mapping_put_node(m, object);
            continue;
        }
        error = error ? error : add_once(m, kind, object);
        if (error) {
            return locate("", kind, i, error);
        }
    }
    return NULL;
}

/* Reads a snapshot into a mapping of its own, which the caller destroys. */
char *
mapping_from_snapshot(const json_t *json, struct mapping **mp)
{
    struct mapping *m = mapping_create();
    const json_t *arrays[N_KINDS];
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &m->revision);
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];

        arrays[i] = model_reader_array(&r, kind->plural,
                                       (kind->recent ? MODEL_OPTIONAL
                                        : MODEL_REQUIRED), kind->max);
    }
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    error = error ? error : read_self(m, json_object_get(json, "self"));
    for (size_t i = 0; i < N_KINDS && !error; i++) {
        error = read_all(m, &model_kinds[i], arrays[i]);
    }
    if (error) {
        mapping_destroy(m);
        return error;
    }
    *mp = m;
    return NULL;
}

/* With MODEL_VIEW_KEYS the result holds key bytes: a file made of it must be
 * private. */
json_t *
mapping_to_snapshot(const struct mapping *m, enum model_view view)
{
    json_t *json = json_object();

    json_object_set_new(json, "revision", model_revision_to_json(m->revision));
    json_object_set_new(json, "self",
                        (m->self ? model_node_to_json(m->self, view)
                         : json_null()));
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];
        json_t *array = json_array();

        KIND_FOR_EACH (node, kind, m) {
            json_array_append_new(
                array, kind->to_json(kind_object(kind, node), view));
        }
        json_object_set_new(json, kind->plural, array);
    }
    return json;
}

/* Changes.  Everything is read into a 'struct change' and checked there
 * against the mapping; what remains then can't fail. */

struct change {
    struct model_revision revision;
    struct {
        void **put;             /* Taken over by the mapping: then null. */
        size_t n_put;
        void **remove;          /* In the mapping; null: not there. */
        size_t n_remove;
    } kinds[N_KINDS];
    struct sset put_keys;       /* As format_key() says; and "vni N". */
    struct shash put_nets;      /* Name to struct model_net. */
    struct sset removed_nets;
};

static void
change_destroy(struct change *c)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        for (size_t j = 0; j < c->kinds[i].n_put; j++) {
            destroy_object(&model_kinds[i], c->kinds[i].put[j]);
        }
        free(c->kinds[i].put);
        free(c->kinds[i].remove);
    }
    sset_destroy(&c->put_keys);
    shash_destroy(&c->put_nets);
    sset_destroy(&c->removed_nets);
}

static char *
change_read_removals(struct change *c, const struct mapping *m,
                     const json_t *json)
{
    const json_t *arrays[N_KINDS];
    struct model_reader r;

    model_reader_init(&r, json);
    for (size_t i = 0; i < N_KINDS; i++) {
        arrays[i] = model_reader_array(&r, model_kinds[i].plural,
                                       MODEL_OPTIONAL, model_kinds[i].max);
    }
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        return error;
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];
        size_t n = json_array_size(arrays[i]);

        c->kinds[i].remove = xcalloc(MAX(n, 1), sizeof(void *));
        for (size_t j = 0; j < n; j++) {
            void **slot = &c->kinds[i].remove[j];

            error = kind->find_by_key(m, json_array_get(arrays[i], j), slot);
            if (error) {
                return locate("remove", kind, j, error);
            }
            c->kinds[i].n_remove = j + 1;
            if (i == KIND_NET && *slot) {
                struct model_net *net = *slot;
                sset_add(&c->removed_nets, net->name);
            }
        }
    }
    return NULL;
}

/* Checks what a new object refers to and what it must not share. */
static char *
change_check_object(struct change *c, const struct mapping *m, size_t i,
                    void *object)
{
    const struct model_kind *kind = &model_kinds[i];
    const char *net_name = kind_net(kind, object);
    struct ds key = DS_EMPTY_INITIALIZER;
    char *error = NULL;

    kind->format_key(object, &key);
    if (!sset_add(&c->put_keys, ds_cstr(&key))) {
        error = xasprintf("%s appears twice", ds_cstr(&key));
    } else if (net_name && !shash_find(&c->put_nets, net_name)
               && (!mapping_net(m, net_name)
                   || sset_contains(&c->removed_nets, net_name))) {
        error = xasprintf("net: there is no vSubnet %s", net_name);
    } else if (i == KIND_NET) {
        struct model_net *net = object;

        shash_add(&c->put_nets, net->name, net);
        ds_clear(&key);
        ds_put_format(&key, "vni %"PRIu32, net->vni);
        if (!sset_add(&c->put_keys, ds_cstr(&key))) {
            error = xstrdup("vni: another vSubnet has it");
        }
    }
    ds_destroy(&key);
    return error;
}

static char *
change_read_additions(struct change *c, const struct mapping *m,
                      const json_t *json)
{
    const json_t *arrays[N_KINDS];
    struct model_reader r;

    model_reader_init(&r, json);
    for (size_t i = 0; i < N_KINDS; i++) {
        arrays[i] = model_reader_array(&r, model_kinds[i].plural,
                                       MODEL_OPTIONAL, model_kinds[i].max);
    }
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        return error;
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];
        size_t n = json_array_size(arrays[i]);

        c->kinds[i].put = xcalloc(MAX(n, 1), sizeof(void *));
        for (size_t j = 0; j < n; j++) {
            void **slot = &c->kinds[i].put[j];

            error = read_object(kind, json_array_get(arrays[i], j), slot);
            if (!error) {
                c->kinds[i].n_put = j + 1;
                error = change_check_object(c, m, i, *slot);
            }
            if (error) {
                return locate("put", kind, j, error);
            }
        }
    }
    return NULL;
}

/* Tells whether NEW is older than what OLD, which may be null, says. */
static bool
is_stale(const struct model_kind *kind, const void *old, const void *new)
{
    return old && model_revision_compare(kind_revision(kind, new),
                                         kind_revision(kind, old)) < 0;
}

/* Whether OBJECT, in the mapping, stays although the change removes it. */
static bool
outlives(const struct model_kind *kind, const void *object,
         const struct change *c)
{
    return model_revision_compare(c->revision,
                                  kind_revision(kind, object)) < 0;
}

/* A VNI that another vSubnet has is free if the change takes it away. */
static char *
change_check_vnis(const struct change *c, const struct mapping *m)
{
    const struct model_kind *kind = &model_kinds[KIND_NET];

    for (size_t i = 0; i < c->kinds[KIND_NET].n_put; i++) {
        const struct model_net *net = c->kinds[KIND_NET].put[i];
        const struct model_net *other = mapping_net_by_vni(m, net->vni);

        if (!other || other == mapping_net(m, net->name)) {
            continue;
        }
        const struct model_net *successor = shash_find_data(&c->put_nets,
                                                            other->name);
        bool removed = (sset_contains(&c->removed_nets, other->name)
                        && !outlives(kind, other, c));
        bool renumbered = successor && !is_stale(kind, other, successor);
        if (!removed && !renumbered) {
            return locate("put", kind, i,
                          xstrdup("vni: another vSubnet has it"));
        }
    }
    return NULL;
}

static char *
change_read(struct change *c, const struct mapping *m, const json_t *json)
{
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &c->revision);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);

    const json_t *remove = json_object_get(json, "remove");
    if (!error && remove && !json_is_null(remove)) {
        error = change_read_removals(c, m, remove);
    }
    const json_t *put = json_object_get(json, "put");
    if (!error && put && !json_is_null(put)) {
        error = change_read_additions(c, m, put);
    }
    return error ? error : change_check_vnis(c, m);
}

/* Touches. */

enum { TOUCHES_MAX = 65536 };

void
mapping_touches_add(struct mapping_touches *t, enum mapping_touch_type type,
                    uint32_t vni, struct eth_addr mac)
{
    if (t->n >= TOUCHES_MAX) {
        t->all = true;
        t->n = 0;
    }
    if (t->all) {
        return;
    }
    if (t->n >= t->allocated) {
        t->touches = x2nrealloc(t->touches, &t->allocated,
                                sizeof *t->touches);
    }
    t->touches[t->n++] = (struct mapping_touch) { type, vni, mac };
}

void
mapping_touches_add_all(struct mapping_touches *t)
{
    t->all = t->others = true;
    t->n = 0;
}

void
mapping_touches_clear(struct mapping_touches *t)
{
    t->all = t->others = false;
    t->n = 0;
}

void
mapping_touches_destroy(struct mapping_touches *t)
{
    free(t->touches);
    *t = (struct mapping_touches) MAPPING_TOUCHES_INITIALIZER;
}

/* Takes down the rules of a vSubnet, once if they come one by one. */
static void
touch_rules(struct mapping_touches *t, uint32_t vni)
{
    const struct mapping_touch *last = t->n ? &t->touches[t->n - 1] : NULL;

    if (!last || last->type != MAPPING_TOUCH_RULES || last->vni != vni) {
        mapping_touches_add(t, MAPPING_TOUCH_RULES, vni, eth_addr_zero);
    }
}

/* Takes down that OBJECT, which is in M or goes into it, comes or goes. */
static void
note_touch(struct mapping_touches *t, const struct mapping *m, size_t kind,
           const void *object)
{
    if (!t) {
        return;
    }
    if (kind == KIND_BINDING) {
        const struct model_binding *binding = object;

        mapping_touches_add(t, MAPPING_TOUCH_BINDING,
                            mapping_net(m, binding->net)->vni, binding->mac);
        return;
    }
    t->others = true;
    if (kind == KIND_NET) {
        const struct model_net *net = object;

        mapping_touches_add(t, MAPPING_TOUCH_NET, net->vni, eth_addr_zero);
    } else if (kind == KIND_RULE) {
        const struct model_rule *rule = object;

        touch_rules(t, mapping_net(m, rule->net)->vni);
    }
}

/* Whether what lives in a vSubnet gets other flows when it is NEW, not OLD. */
static bool
lives_differently(const struct model_net *old, const struct model_net *new)
{
    return (old->port_security != new->port_security
            || old->arp_suppression != new->arp_suppression
            || old->max_macs != new->max_macs);
}

/* The same for a vSubnet that may replace another. */
static void
note_net(struct mapping_touches *t, const struct mapping *m,
         const struct model_net *net)
{
    const struct model_net *old = mapping_net(m, net->name);

    if (t && old && old->vni == net->vni && !lives_differently(old, net)) {
        t->others = true;
        mapping_touches_add(t, MAPPING_TOUCH_NET_ROW, net->vni,
                            eth_addr_zero);
        return;
    }
    if (old) {
        note_touch(t, m, KIND_NET, old);
    }
    note_touch(t, m, KIND_NET, net);
}

/* Removes in the opposite order of insertion, so that every object of the
 * change is still there when its turn comes. */
static void
change_apply_removals(struct change *c, struct mapping *m,
                      struct mapping_change_stats *stats,
                      struct mapping_touches *touches)
{
    for (size_t i = N_KINDS; i-- > 0; ) {
        const struct model_kind *kind = &model_kinds[i];
        struct sset done = SSET_INITIALIZER(&done);

        for (size_t j = 0; j < c->kinds[i].n_remove; j++) {
            void *object = c->kinds[i].remove[j];
            struct ds key = DS_EMPTY_INITIALIZER;

            if (!object) {
                continue;
            }
            /* The same reference twice must not free twice; 'done' knows the
             * objects by address, so it need not look into them. */
            ds_put_format(&key, "%p", object);
            if (sset_add(&done, ds_cstr(&key))) {
                if (outlives(kind, object, c)) {
                    stats->n_stale++;
                } else {
                    note_touch(touches, m, i, object);
                    kind->remove(m, object);
                    stats->n_removed++;
                }
            }
            ds_destroy(&key);
        }
        sset_destroy(&done);
    }
}

/* vSubnets may exchange their VNIs in one change: those that get another one
 * leave the index of VNIs first, by getting a VNI that nobody can have. */
static void
release_vnis(const struct change *c, struct mapping *m,
             struct mapping_touches *touches)
{
    for (size_t i = 0; i < c->kinds[KIND_NET].n_put; i++) {
        const struct model_net *net = c->kinds[KIND_NET].put[i];
        struct model_net *old = mapping_net(m, net->name);

        if (!is_stale(&model_kinds[KIND_NET], old, net)) {
            note_net(touches, m, net);
            if (old) {
                old->vni = 0;
            }
        }
    }
}

static void
change_apply_additions(struct change *c, struct mapping *m,
                       struct mapping_change_stats *stats,
                       struct mapping_touches *touches)
{
    release_vnis(c, m, touches);
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];

        for (size_t j = 0; j < c->kinds[i].n_put; j++) {
            void *object = c->kinds[i].put[j];

            if (is_stale(kind, kind->find_same(m, object), object)) {
                stats->n_stale++;
            } else if (kind->put(m, object)) {
                if (i != KIND_NET) {
                    note_touch(touches, m, i, object);
                }
                c->kinds[i].put[j] = NULL;
                stats->n_put++;
            } else {
                OVS_NOT_REACHED();
            }
        }
    }
}

char *
mapping_apply_change(struct mapping *m, const json_t *json,
                     struct mapping_change_stats *statsp,
                     struct mapping_touches *touches)
{
    struct mapping_change_stats stats = { .n_put = 0 };
    struct change c = {
        .put_keys = SSET_INITIALIZER(&c.put_keys),
        .put_nets = SHASH_INITIALIZER(&c.put_nets),
        .removed_nets = SSET_INITIALIZER(&c.removed_nets),
    };
    char *error = change_read(&c, m, json);

    if (!error && model_revision_compare(c.revision, m->revision) < 0) {
        for (size_t i = 0; i < N_KINDS; i++) {
            stats.n_stale += c.kinds[i].n_put + c.kinds[i].n_remove;
        }
    } else if (!error) {
        change_apply_removals(&c, m, &stats, touches);
        change_apply_additions(&c, m, &stats, touches);
        m->revision = c.revision;
    }
    if (!error && statsp) {
        *statsp = stats;
    }
    change_destroy(&c);
    return error;
}

/* Difference. */

static bool
differs(const struct model_kind *kind, const void *a, const void *b,
        enum model_view view)
{
    json_t *a_json = kind->to_json(a, view);
    json_t *b_json = kind->to_json(b, view);
    bool equal = json_equal(a_json, b_json);

    json_decref(a_json);
    json_decref(b_json);
    return !equal;
}

/* Appends VALUE to GROUP's array for KIND, which it makes if need be. */
static void
append(json_t *group, const struct model_kind *kind, json_t *value)
{
    json_t *array = json_object_get(group, kind->plural);

    if (!array) {
        array = json_array();
        json_object_set_new(group, kind->plural, array);
    }
    json_array_append_new(array, value);
}

json_t *
mapping_diff(const struct mapping *old, const struct mapping *new,
             enum model_view view)
{
    json_t *put = json_object();
    json_t *remove = json_object();

    for (size_t i = 0; i < N_KINDS; i++) {
        const struct model_kind *kind = &model_kinds[i];

        KIND_FOR_EACH (node, kind, new) {
            void *object = kind_object(kind, node);
            void *before = kind->find_same(old, object);

            if (!before || differs(kind, before, object, view)) {
                append(put, kind, kind->to_json(object, view));
            }
        }
        KIND_FOR_EACH (node, kind, old) {
            void *object = kind_object(kind, node);

            if (!kind->find_same(new, object)) {
                append(remove, kind, kind->key_to_json(object));
            }
        }
    }
    if (!json_object_size(put) && !json_object_size(remove)) {
        json_decref(put);
        json_decref(remove);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o}",
                     "revision", model_revision_to_json(new->revision),
                     "put", put, "remove", remove);
}
