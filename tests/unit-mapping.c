/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/model: the mapping, its snapshots and changes. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/uuid.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "unit-model.h"
#include "util.h"
#include "uuid.h"

/* Parses S, in which ' stands for ". */
static json_t *
parse(const char *s)
{
    char *text = xstrdup(s);
    json_t *json = NULL;

    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    char *error = model_json_parse(text, strlen(text), 1 << 20, &json);
    if (error) {
        ovs_fatal(0, "%s: %s", s, error);
    }
    free(text);
    return json;
}

static void
check_error(const char *input, char *error, const char *expected)
{
    if (!error != !expected || (error && strcmp(error, expected))) {
        ovs_fatal(0, "%s:\nexpected %s\ngot %s", input,
                  expected ? expected : "success",
                  error ? error : "success");
    }
    free(error);
}

static void
check_same(const struct mapping *a, const struct mapping *b, const char *what)
{
    json_t *ab = mapping_diff(a, b, MODEL_VIEW_KEYS);
    json_t *ba = mapping_diff(b, a, MODEL_VIEW_KEYS);

    if (ab || ba) {
        ovs_fatal(0, "%s: differ: %s", what,
                  json_dumps(ab ? ab : ba, JSON_COMPACT));
    }
    assert(!a->self == !b->self);
    assert(!a->self || a->self->number == b->self->number);
}

#define UUID1 "f47ac10b-58cc-4372-a567-000000000001"
#define UUID2 "f47ac10b-58cc-4372-a567-000000000002"
#define NODE(N, REV) "{'revision':'1." #REV "','id':'" UUID##N "'," \
    "'number':" #N ",'name':'h" #N "','state':'approved','endpoints':[]}"
#define NET(NAME, VNI, REV) "{'revision':'1." #REV "','name':'" #NAME "'," \
    "'vni':" #VNI ",'subnets':[],'algorithm':'aes128gcm','group':null}"
#define MEMBER(NAME, N, REV) "{'revision':'1." #REV "','net':'" #NAME "'," \
    "'node':" #N ",'host_port':true}"
#define BINDING(NAME, M, IP, REV) "{'revision':'1." #REV "'," \
    "'net':'" #NAME "','mac':'02:00:00:00:00:0" #M "'," \
    "'addresses':['" IP "'],'node':1,'port':null,'iface_id':'i" #M "'," \
    "'origin':'static'}"
#define KEY(NAME, N, SPI, REV) "{'revision':'1." #REV "','net':'" #NAME "'," \
    "'node':" #N ",'spi':" #SPI ",'epoch':1,'algorithm':'aes128gcm'," \
    "'key':'AAECAwQFBgcICQoLDA0ODw=='}"
#define SNAPSHOT(SELF, NODES, NETS, MEMBERS, BINDINGS, KEYS) \
    "{'revision':'1.10','self':" SELF ",'nodes':[" NODES "]," \
    "'nets':[" NETS "],'members':[" MEMBERS "],'bindings':[" BINDINGS "]," \
    "'keys':[" KEYS "]}"

#define BASE SNAPSHOT(NODE(1, 1), NODE(1, 1) "," NODE(2, 2), \
                      NET(a, 1, 3) "," NET(b, 2, 4), \
                      MEMBER(a, 1, 5) "," MEMBER(a, 2, 5), \
                      BINDING(a, 1, "10.0.0.1", 6), KEY(a, 1, 161, 7))

void
test_snapshot(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *json;
        const char *error;
    } tests[] = {
        { BASE, NULL },
        { SNAPSHOT("null", "", "", "", "", ""), NULL },
        { SNAPSHOT(NODE(1, 1), "", "", "", "", ""), NULL },
        { "{}", "revision: missing" },
        { "[]", "not a JSON object" },
        { "{'revision':'1.1'}", "nodes: missing" },
        { SNAPSHOT("7", "", "", "", "", ""), "self: not a JSON object" },
        { SNAPSHOT("null", NODE(1, 1) "," NODE(1, 2), "", "", "", ""),
          "nodes[1]: node 1 appears twice" },
        { SNAPSHOT("null", "", NET(a, 1, 1) "," NET(a, 2, 1), "", "", ""),
          "nets[1]: vSubnet a appears twice" },
        { SNAPSHOT("null", "", NET(a, 1, 1) "," NET(b, 1, 1), "", "", ""),
          "nets[1]: vni: another vSubnet has it" },
        { SNAPSHOT("null", "", "", MEMBER(a, 1, 1), "", ""),
          "members[0]: net: there is no vSubnet a" },
        { SNAPSHOT("null", "", NET(a, 1, 1), "",
                   BINDING(a, 1, "10.0.0.1", 1) ","
                   BINDING(a, 1, "10.0.0.2", 1), ""),
          "bindings[1]: binding 02:00:00:00:00:01 of vSubnet a "
          "appears twice" },
        { SNAPSHOT("null", "", NET(a, 1, 1), "", BINDING(a, 1, "x", 1), ""),
          "bindings[0]: addresses[0]: x: not an IPv4 or IPv6 address" },
        { SNAPSHOT("null", "", NET(a, 1, 1) "," NET(b, 2, 1), "", "",
                   KEY(a, 1, 9, 1) "," KEY(b, 1, 9, 1)),
          "keys[1]: SPI 9 appears twice" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        json_t *json = parse(tests[i].json);
        struct mapping *m = NULL;
        char *error = mapping_from_snapshot(json, &m);

        assert(!error == !!m);
        check_error(tests[i].json, error, tests[i].error);
        if (m) {
            json_t *again = mapping_to_snapshot(m, MODEL_VIEW_KEYS);
            struct mapping *m2;

            check_error("again", mapping_from_snapshot(again, &m2), NULL);
            check_same(m, m2, tests[i].json);
            assert(!model_revision_compare(m->revision, m2->revision));
            json_decref(again);
            mapping_destroy(m2);
        }
        mapping_destroy(m);
        json_decref(json);
    }
}

#define CHANGE(REV, PUT, REMOVE) \
    "{'revision':'" REV "','put':{" PUT "},'remove':{" REMOVE "}}"

void
test_change(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *json;
        const char *error;
        struct mapping_change_stats stats;      /* put, removed, stale */
    } tests[] = {
        { CHANGE("1.11", "", ""), NULL, { 0, 0, 0 } },
        { "{'revision':'1.11'}", NULL, { 0, 0, 0 } },
        { CHANGE("1.11", "'nodes':[" NODE(2, 11) "]", ""), NULL,
          { 1, 0, 0 } },
        /* An older revision does not overwrite a newer one. */
        { CHANGE("1.11", "'nodes':[" NODE(2, 1) "]", ""), NULL,
          { 0, 0, 1 } },
        { CHANGE("1.11", "'nodes':[" NODE(2, 2) "]", ""), NULL,
          { 1, 0, 0 } },
        /* Nor does an older change do anything. */
        { CHANGE("1.9", "'nodes':[" NODE(2, 11) "]", "'keys':[161]"), NULL,
          { 0, 0, 2 } },
        { CHANGE("0.99", "", "'nets':['a']"), NULL, { 0, 0, 1 } },
        /* Removal, alone, twice, of what is not there, with what is in it. */
        { CHANGE("1.11", "", "'keys':[161,161,9]"), NULL, { 0, 1, 0 } },
        { CHANGE("1.11", "", "'nets':['a']"), NULL, { 0, 1, 0 } },
        { CHANGE("1.11", "", "'nodes':[1,2],'nets':['a','b','c'],"
                 "'members':[{'net':'a','node':2},{'net':'z','node':2}],"
                 "'bindings':[{'net':'a','mac':'02:00:00:00:00:01'}],"
                 "'keys':[161]"), NULL, { 0, 7, 0 } },
        /* Removal comes first: 'a' made anew is empty. */
        { CHANGE("1.11", "'nets':[" NET(a, 9, 11) "],"
                 "'members':[" MEMBER(a, 1, 11) "]", "'nets':['a']"), NULL,
          { 2, 1, 0 } },
        /* A vSubnet that is put keeps what is in it. */
        { CHANGE("1.11", "'nets':[" NET(a, 9, 11) "]", ""), NULL,
          { 1, 0, 0 } },
        /* VNIs: exchanged, taken over from one that goes, conflicting. */
        { CHANGE("1.11", "'nets':[" NET(a, 2, 11) "," NET(b, 1, 11) "]", ""),
          NULL, { 2, 0, 0 } },
        { CHANGE("1.11", "'nets':[" NET(c, 2, 11) "]", "'nets':['b']"),
          NULL, { 1, 1, 0 } },
        { CHANGE("1.11", "'nets':[" NET(c, 2, 11) "]", ""),
          "put.nets[0]: vni: another vSubnet has it", { 0, 0, 0 } },
        { CHANGE("1.11", "'nets':[" NET(c, 2, 11) "," NET(b, 3, 1) "]", ""),
          "put.nets[0]: vni: another vSubnet has it", { 0, 0, 0 } },
        { CHANGE("1.11", "'nets':[" NET(c, 7, 11) "," NET(d, 7, 11) "]", ""),
          "put.nets[1]: vni: another vSubnet has it", { 0, 0, 0 } },
        /* Everything before the mistake is not applied either. */
        { CHANGE("1.11", "'nodes':[" NODE(2, 11) "],"
                 "'keys':[" KEY(z, 1, 9, 11) "]", "'nets':['b']"),
          "put.keys[0]: net: there is no vSubnet z", { 0, 0, 0 } },
        { CHANGE("1.11", "'members':[" MEMBER(b, 1, 11) "]", "'nets':['b']"),
          "put.members[0]: net: there is no vSubnet b", { 0, 0, 0 } },
        { CHANGE("1.11", "'nodes':[" NODE(2, 11) "," NODE(2, 12) "]", ""),
          "put.nodes[1]: node 2 appears twice", { 0, 0, 0 } },
        { CHANGE("1.11", "'nodes':[7]", ""),
          "put.nodes[0]: not a JSON object", { 0, 0, 0 } },
        { CHANGE("1.11", "'nodes':7", ""), "nodes: not an array",
          { 0, 0, 0 } },
        { CHANGE("1.11", "", "'nodes':['h1']"),
          "remove.nodes[0]: not a node number", { 0, 0, 0 } },
        { CHANGE("1.11", "", "'nets':[1]"),
          "remove.nets[0]: not the name of a vSubnet", { 0, 0, 0 } },
        { CHANGE("1.11", "", "'members':[{'net':'a'}]"),
          "remove.members[0]: node: missing", { 0, 0, 0 } },
        { CHANGE("1.11", "", "'bindings':[{'net':'a','mac':7}]"),
          "remove.bindings[0]: mac: not a string", { 0, 0, 0 } },
        { CHANGE("1.11", "", "'keys':[0]"), "remove.keys[0]: not an SPI",
          { 0, 0, 0 } },
        { "{'revision':'1.11','put':7}", "not a JSON object", { 0, 0, 0 } },
        { "{'put':{}}", "revision: missing", { 0, 0, 0 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        json_t *base = parse(BASE);
        json_t *json = parse(tests[i].json);
        struct mapping_change_stats stats = { 0, 0, 0 };
        struct mapping *m, *before;

        check_error("base", mapping_from_snapshot(base, &m), NULL);
        check_error("base", mapping_from_snapshot(base, &before), NULL);
        check_error(tests[i].json,
                    mapping_apply_change(m, json, &stats, NULL),
                    tests[i].error);
        if (memcmp(&stats, &tests[i].stats, sizeof stats)) {
            ovs_fatal(0, "%s: %"PRIuSIZE" put, %"PRIuSIZE" removed, "
                      "%"PRIuSIZE" stale", tests[i].json, stats.n_put,
                      stats.n_removed, stats.n_stale);
        }
        if (tests[i].error || !(stats.n_put + stats.n_removed)) {
            check_same(m, before, tests[i].json);
        }
        bool newer = !strncmp(tests[i].json, "{'revision':'1.11'", 18);
        assert(m->revision.number == (newer && !tests[i].error ? 11 : 10));
        mapping_destroy(m);
        mapping_destroy(before);
        json_decref(base);
        json_decref(json);
    }
}

void
test_lookups(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    json_t *base = parse(BASE);
    struct eth_addr mac = ETH_ADDR_C(02,00,00,00,00,01);
    struct eth_addr other = ETH_ADDR_C(02,00,00,00,00,02);
    struct mapping *m;
    struct uuid id;

    check_error("base", mapping_from_snapshot(base, &m), NULL);
    assert(m->self == mapping_node(m, 1) && m->self->number == 1);
    assert(mapping_node(m, 2)->number == 2 && !mapping_node(m, 3));
    assert(uuid_from_string(&id, UUID2));
    assert(mapping_node_by_id(m, &id) == mapping_node(m, 2));
    struct model_net *a = mapping_net(m, "a");
    struct model_net *b = mapping_net(m, "b");
    assert(a->vni == 1 && mapping_net_by_vni(m, 1) == a);
    assert(mapping_net_by_vni(m, 2) == b && !mapping_net_by_vni(m, 3));
    assert(!mapping_net(m, "c"));
    assert(hmap_count(&a->members) == 2 && hmap_count(&b->members) == 0);
    assert(hmap_count(&a->bindings) == 1 && hmap_count(&a->keys) == 1);
    assert(mapping_member(m, "a", 2)->node == 2);
    assert(!mapping_member(m, "b", 2));
    struct model_binding *binding = mapping_binding(m, "a", mac);
    assert(binding && eth_addr_equals(binding->mac, mac));
    assert(!mapping_binding(m, "b", mac) && !mapping_binding(m, "a", other));
    assert(mapping_binding_by_iface(m, "i1") == binding);
    assert(!mapping_binding_by_iface(m, "i2"));
    assert(mapping_key(m, 161)->node == 1 && !mapping_key(m, 162));

    /* Self stays self when it is put, and goes when it is removed. */
    json_t *change = parse(CHANGE("1.11", "'nodes':[" NODE(1, 11) "]", ""));
    check_error("put self", mapping_apply_change(m, change, NULL, NULL), NULL);
    assert(m->self == mapping_node(m, 1) && m->self->revision.number == 11);
    json_decref(change);
    change = parse(CHANGE("1.12", "", "'nodes':[1]"));
    check_error("remove self", mapping_apply_change(m, change, NULL, NULL),
                NULL);
    assert(!m->self && !mapping_node(m, 1));
    json_decref(change);
    mapping_destroy(m);
    json_decref(base);
}

/* Random histories.  The world is a set of JSON objects in slots, one for each
 * key that can be; a step changes some and says so in a change. */

enum { W_NODES = 8, W_NETS = 5, W_MACS = 9, W_KINDS = 6 };

struct world {
    uint64_t revision;
    int vnis[W_NETS];                     /* A permutation of 1..W_NETS. */
    json_t *slots[W_KINDS][W_NETS][W_MACS + 1];
};

static const char *const kinds[W_KINDS] = {
    "nodes", "nets", "members", "bindings", "keys", "rules",
};

static json_t *
world_make(const struct world *w, int kind, int net, int i)
{
    char *rev = xasprintf("5.%"PRIu64, w->revision);
    char *name = xasprintf("net-%d", net);
    char *mac = xasprintf("02:00:00:00:00:%02x", i);
    char *id = xasprintf("f47ac10b-58cc-4372-a567-0000000000%02x", i);
    json_t *json = NULL;

    switch (kind) {
    case 0:
        json = json_pack("{s:s, s:s, s:i, s:s, s:s, s:[s]}", "revision", rev,
                         "id", id, "number", i, "name", "node", "state",
                         random_range(2) ? "approved" : "revoked",
                         "endpoints", "10.0.0.1:8002");
        break;
    case 1:
        json = json_pack("{s:s, s:s, s:i, s:s}", "revision", rev,
                         "name", name, "vni", w->vnis[net],
                         "algorithm", "aes256gcm");
        break;
    case 2:
        json = json_pack("{s:s, s:s, s:i, s:b}", "revision", rev,
                         "net", name, "node", i,
                         "host_port", (int) random_range(2));
        break;
    case 3:
        json = json_pack("{s:s, s:s, s:s, s:i, s:s}", "revision", rev,
                         "net", name, "mac", mac,
                         "node", 1 + random_range(W_NODES),
                         "origin", "dynamic");
        if (random_range(2)) {
            json_object_set_new(json, "iface_id", json_string(mac));
        }
        break;
    case 4:
        json = json_pack("{s:s, s:s, s:i, s:i, s:i, s:s, s:s}",
                         "revision", rev, "net", name, "node", i,
                         "spi", 100 * net + i, "epoch", 1,
                         "algorithm", "aes128gcm",
                         "key", "AAECAwQFBgcICQoLDA0ODw==");
        break;
    case 5:
        json = json_pack("{s:s, s:s, s:o, s:i, s:s, s:s}", "revision", rev,
                         "net", name, "name", json_sprintf("r%d", i),
                         "priority", (int) random_range(3),
                         "direction", "egress", "action",
                         random_range(2) ? "allow" : "deny");
        break;
    }
    free(rev);
    free(name);
    free(mac);
    free(id);
    return json;
}

static json_t *
world_reference(const json_t *object, int kind)
{
    static const char *const fields[W_KINDS][2] = {
        { "number" }, { "name" }, { "net", "node" }, { "net", "mac" },
        { "spi" }, { "net", "name" },
    };
    json_t *reference = json_object();

    for (int i = 0; i < 2; i++) {
        const char *field = fields[kind][i];
        if (field) {
            json_object_set(reference, field, json_object_get(object, field));
        }
    }
    if (!fields[kind][1]) {
        json_t *only = json_incref(json_object_get(object, fields[kind][0]));
        json_decref(reference);
        return only;
    }
    return reference;
}

static void
say(json_t *group, int kind, json_t *value)
{
    json_t *array = json_object_get(group, kinds[kind]);

    if (!array) {
        array = json_array();
        json_object_set_new(group, kinds[kind], array);
    }
    json_array_append_new(array, value);
}

static void
world_clear(struct world *w, int kind, int net, int i, json_t *remove)
{
    json_t **slot = &w->slots[kind][net][i];

    if (*slot) {
        if (remove) {
            say(remove, kind, world_reference(*slot, kind));
        }
        json_decref(*slot);
        *slot = NULL;
    }
}

/* Changes one slot at random.  'touched' holds those of this step, because a
 * change names an object once. */
static void
world_step(struct world *w, bool touched[W_KINDS][W_NETS][W_MACS + 1],
           json_t *put, json_t *remove)
{
    int kind = random_range(W_KINDS);
    int net = kind == 0 ? 0 : random_range(W_NETS);
    int i = kind == 1 ? 0 : 1 + random_range(W_MACS);

    if (touched[kind][net][i] || (kind > 1 && !w->slots[1][net][0])) {
        return;
    }
    touched[kind][net][i] = true;
    if (random_range(3)) {
        json_decref(w->slots[kind][net][i]);
        w->slots[kind][net][i] = world_make(w, kind, net, i);
        say(put, kind, json_incref(w->slots[kind][net][i]));
    } else if (kind != 1) {
        world_clear(w, kind, net, i, remove);
    } else {
        /* With all that is in it, told or not. */
        bool tell = random_range(2);

        for (int k = 2; k < W_KINDS; k++) {
            for (int j = 0; j <= W_MACS; j++) {
                if (touched[k][net][j]) {
                    return;
                }
            }
        }
        for (int k = 2; k < W_KINDS; k++) {
            for (int j = 0; j <= W_MACS; j++) {
                world_clear(w, k, net, j, tell ? remove : NULL);
                touched[k][net][j] = true;
            }
        }
        world_clear(w, kind, net, i, remove);
    }
}

/* Exchanges the VNIs of two vSubnets. */
static void
world_exchange_vnis(struct world *w,
                    bool touched[W_KINDS][W_NETS][W_MACS + 1], json_t *put)
{
    int pair[2] = { random_range(W_NETS), random_range(W_NETS) };
    int vni = w->vnis[pair[0]];

    if (pair[0] == pair[1]) {
        return;
    }
    w->vnis[pair[0]] = w->vnis[pair[1]];
    w->vnis[pair[1]] = vni;
    for (int i = 0; i < 2; i++) {
        json_t **slot = &w->slots[1][pair[i]][0];
        touched[1][pair[i]][0] = true;
        if (*slot) {
            json_decref(*slot);
            *slot = world_make(w, 1, pair[i], 0);
            say(put, 1, json_incref(*slot));
        }
    }
}

static json_t *
world_snapshot(const struct world *w)
{
    json_t *json = json_pack("{s:o}", "revision",
                             json_sprintf("5.%"PRIu64, w->revision));

    for (int kind = 0; kind < W_KINDS; kind++) {
        json_t *array = json_array();
        for (int net = 0; net < W_NETS; net++) {
            for (int i = 0; i <= W_MACS; i++) {
                json_t *slot = w->slots[kind][net][i];
                if (slot) {
                    json_array_append(array, slot);
                }
            }
        }
        json_object_set_new(json, kinds[kind], array);
    }
    return json;
}

/* Runs one random history.  After every step three mappings must be the same:
 * the one that gets the changes, the one that gets the differences, and the
 * one read from a snapshot. */
static void
run_history(uint32_t seed, size_t *n_objects)
{
    struct world w = { .revision = 1, .vnis = { 1, 2, 3, 4, 5 } };
    struct mapping *by_changes, *by_diffs;
    json_t *snapshot = world_snapshot(&w);

    random_set_seed(seed);
    check_error("empty", mapping_from_snapshot(snapshot, &by_changes), NULL);
    check_error("empty", mapping_from_snapshot(snapshot, &by_diffs), NULL);
    json_decref(snapshot);
    for (int step = 0; step < 60; step++) {
        bool touched[W_KINDS][W_NETS][W_MACS + 1] = { { { false } } };
        json_t *put = json_object();
        json_t *remove = json_object();
        struct mapping *fresh;

        w.revision += 1 + random_range(3);
        if (!random_range(4)) {
            world_exchange_vnis(&w, touched, put);
        }
        for (int i = random_range(12); i >= 0; i--) {
            world_step(&w, touched, put, remove);
        }
        json_t *change = json_pack(
            "{s:o, s:o, s:o}", "revision",
            json_sprintf("5.%"PRIu64, w.revision),
            "put", put, "remove", remove);
        char *what = json_dumps(change, JSON_COMPACT);
        snapshot = world_snapshot(&w);
        check_error("snapshot", mapping_from_snapshot(snapshot, &fresh),
                    NULL);
        check_error(what,
                    mapping_apply_change(by_changes, change, NULL, NULL),
                    NULL);
        check_same(by_changes, fresh, what);
        json_t *diff = mapping_diff(by_diffs, fresh, MODEL_VIEW_KEYS);
        if (diff) {
            check_error(what, mapping_apply_change(by_diffs, diff, NULL, NULL),
                        NULL);
        }
        check_same(by_diffs, fresh, what);
        *n_objects += hmap_count(&fresh->bindings);
        mapping_destroy(fresh);
        json_decref(snapshot);
        json_decref(change);
        json_decref(diff);
        free(what);
    }
    for (int kind = 0; kind < W_KINDS; kind++) {
        for (int net = 0; net < W_NETS; net++) {
            for (int i = 0; i <= W_MACS; i++) {
                json_decref(w.slots[kind][net][i]);
            }
        }
    }
    mapping_destroy(by_changes);
    mapping_destroy(by_diffs);
}

void
test_random(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    size_t n_objects = 0;

    for (uint32_t seed = 1; seed <= 60; seed++) {
        run_history(seed, &n_objects);
    }
    /* The histories were about something. */
    assert(n_objects > 3000);
}

/* What a hostile or broken peer sends: a good snapshot and a good change of
 * which some bytes are others.  Mostly they are refused; what is accepted must
 * be written and read again as the same, and what is refused must change
 * nothing. */
static char *
damage(const char *text)
{
    static const char bytes[] = "{}[]\",:0123456789.-abxnull\\/ \377";
    char *copy = xstrdup(text);
    size_t n = strlen(copy);

    for (int i = random_range(3); i >= 0; i--) {
        size_t at = random_range(n);

        switch (random_range(4)) {
        case 0:
            copy[at] = bytes[random_range(sizeof bytes - 1)];
            break;
        case 1:
            copy[at] ^= 1 << random_range(8);
            break;
        case 2:                 /* One digit more or less matters. */
            memmove(copy + at, copy + at + 1, n - at);
            n--;
            break;
        case 3:                 /* What belongs to another place. */
            memmove(copy + MIN(at, n - 8), copy + random_range(n - 8),
                    random_range(8));
            break;
        }
    }
    return copy;
}

static size_t
apply_damaged(const char *change_s, const json_t *base,
              const struct mapping *before)
{
    char *text = damage(change_s);
    struct mapping *m;
    json_t *json;
    size_t accepted = 0;
    char *error = model_json_parse(text, strlen(text), 1 << 20, &json);

    if (!error) {
        check_error("base", mapping_from_snapshot(base, &m), NULL);
        error = mapping_apply_change(m, json, NULL, NULL);
        if (error) {
            check_same(m, before, text);
        } else {
            json_t *again = mapping_to_snapshot(m, MODEL_VIEW_KEYS);
            struct mapping *m2;

            check_error(text, mapping_from_snapshot(again, &m2), NULL);
            check_same(m, m2, text);
            mapping_destroy(m2);
            json_decref(again);
            accepted = 1;
        }
        mapping_destroy(m);
        json_decref(json);
    }
    free(error);
    free(text);
    return accepted;
}

static size_t
read_damaged(const char *snapshot_s)
{
    char *text = damage(snapshot_s);
    struct mapping *m;
    json_t *json;
    size_t accepted = 0;
    char *error = model_json_parse(text, strlen(text), 1 << 20, &json);

    if (!error) {
        error = mapping_from_snapshot(json, &m);
        if (!error) {
            mapping_destroy(m);
            accepted = 1;
        }
        json_decref(json);
    }
    free(error);
    free(text);
    return accepted;
}

void
test_damaged(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 20000 };
    json_t *base = parse(BASE);
    json_t *change = parse(
        CHANGE("1.11", "'nodes':[" NODE(2, 11) "],'nets':[" NET(c, 3, 11) "],"
               "'members':[" MEMBER(b, 2, 11) "],"
               "'bindings':[" BINDING(b, 2, "10.0.0.2", 11) "],"
               "'keys':[" KEY(b, 2, 162, 11) "]",
               "'nodes':[1],'members':[{'net':'a','node':2}],"
               "'bindings':[{'net':'a','mac':'02:00:00:00:00:01'}],"
               "'keys':[161]"));
    char *base_s = json_dumps(base, JSON_COMPACT);
    char *change_s = json_dumps(change, JSON_COMPACT);
    size_t n_accepted = 0;
    struct mapping *before;

    random_set_seed(1);
    check_error("base", mapping_from_snapshot(base, &before), NULL);
    for (int i = 0; i < N; i++) {
        n_accepted += apply_damaged(change_s, base, before);
        n_accepted += read_damaged(base_s);
    }
    /* Damage was neither always nor never seen. */
    assert(n_accepted > N / 100 && n_accepted < N);
    mapping_destroy(before);
    json_decref(base);
    json_decref(change);
    free(base_s);
    free(change_s);
}

/* 100,000 bindings in one vSubnet: reading them takes seconds, not minutes,
 * and 10,000 changes of one binding each cost as much as they say. */
void
test_scale(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { N = 100000, N_CHANGES = 10000 };
    json_t *bindings = json_array();
    struct mapping *m;

    for (int i = 0; i < N; i++) {
        json_array_append_new(bindings, json_pack(
            "{s:s, s:s, s:o, s:[o], s:i, s:s}", "revision", "1.1",
            "net", "a", "mac", json_sprintf("02:00:00:%02x:%02x:%02x",
                                            i >> 16, i >> 8 & 255, i & 255),
            "addresses", json_sprintf("10.%d.%d.%d", i >> 16, i >> 8 & 255,
                                      i & 255),
            "node", 1, "origin", "dynamic"));
    }
    json_t *snapshot = parse(SNAPSHOT("null", "", NET(a, 1, 1), "", "", ""));
    json_object_set(snapshot, "bindings", bindings);
    check_error("snapshot", mapping_from_snapshot(snapshot, &m), NULL);
    assert(hmap_count(&m->bindings) == N);

    long long int start = time_msec();
    for (int i = 0; i < N_CHANGES; i++) {
        json_t *change = json_pack(
            "{s:s, s:{s:[O]}, s:{s:[{s:s, s:s}]}}", "revision", "1.11",
            "put", "bindings", json_array_get(bindings, i),
            "remove", "bindings", "net", "a", "mac",
            json_string_value(json_object_get(
                json_array_get(bindings, N - 1 - i), "mac")));
        check_error("change", mapping_apply_change(m, change, NULL, NULL),
                    NULL);
        json_decref(change);
    }
    long long int elapsed = time_msec() - start;
    assert(hmap_count(&m->bindings) == N - N_CHANGES);
    if (elapsed > 10000) {
        ovs_fatal(0, "%d changes took %lld ms", N_CHANGES, elapsed);
    }
    mapping_destroy(m);
    json_decref(snapshot);
    json_decref(bindings);
}
