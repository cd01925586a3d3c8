/* SPDX-License-Identifier: Apache-2.0 */
/* The API: vSubnets, members, keys as operators see them. */

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
#include "openvswitch/dynamic-string.h"
#include "random.h"
#include "util.h"

enum {
    VNI_TRIES = 1000,
    VNI_DRAWN_MIN = 4096,       /* Small ones are for people to choose. */
};

struct net_input {
    const char *name;
    uint32_t vni;               /* 0: to be drawn. */
    struct model_address *subnets;
    size_t n_subnets;
    enum model_algorithm algorithm;
    const char *group;
    char *settings;             /* As in the row, by settle(). */
};

static void
net_input_destroy(struct net_input *in)
{
    free(in->subnets);
    free(in->settings);
}

/* At most one range of each address family: an interface has one address of
 * each. */
static void
check_families(struct model_reader *r, const struct net_input *in)
{
    int n[2] = { 0, 0 };

    for (size_t i = 0; i < in->n_subnets; i++) {
        if (++n[model_address_is_ipv4(&in->subnets[i])] > 1) {
            model_reader_fail(r, "subnets", xstrdup("more than one range of "
                                                    "an address family"));
        }
    }
}

static void
read_group(struct model_reader *r, struct net_input *in)
{
    struct model_address group;

    in->group = model_reader_string(r, "group", MODEL_OPTIONAL);
    if (in->group) {
        char *error = model_address_parse(in->group, &group);
        bool multicast = !error && group.plen < 0
            && (model_address_is_ipv4(&group)
                ? (group.ip.s6_addr[12] & 0xf0) == 0xe0
                : IN6_IS_ADDR_MULTICAST(&group.ip));

        free(error);
        if (!multicast) {
            model_reader_fail(r, "group",
                              xstrdup("not a multicast address"));
        }
    }
}

/* What POST and PATCH have in common. */
static void
read_net(struct model_reader *r, struct net_input *in)
{
    in->n_subnets = model_reader_subnets(r, "subnets", MODEL_OPTIONAL,
                                         &in->subnets);
    check_families(r, in);
    if (model_reader_has(r, "algorithm")) {
        model_reader_algorithm(r, "algorithm", MODEL_REQUIRED,
                               &in->algorithm);
    }
    read_group(r, in);

    /* What they come to, with those that the vSubnet has, is for settle(). */
    struct model_net alone;
    model_net_init(&alone);
    model_net_read_settings(r, MODEL_REFUSE_UNKNOWN, &alone);
    model_net_destroy(&alone);
}

/* Makes NET's settings those of ROW (null: those by default) with what BODY
 * says of them in their place: a null takes one back to its default, and
 * "dhcp" is replaced whole. */
static char *
overlay_settings(const struct mdb_net *row, const json_t *body,
                 struct model_net *net)
{
    struct model_reader r;
    struct model_net now;

    model_net_init(&now);
    if (row) {
        db_net_settings(row, &now);
    }
    json_t *json = model_net_settings_to_json(&now);
    model_net_destroy(&now);
    json_object_update_existing(json, CONST_CAST(json_t *, body));

    model_reader_init(&r, json);
    model_net_read_settings(&r, MODEL_REFUSE_UNKNOWN, net);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    json_decref(json);
    return error;
}

/* Works out the settings that ROW (null: a new vSubnet) will have, and checks
 * that they go with its ranges.  Returns false after answering. */
static bool
settle(struct api_call *call, const struct mdb_net *row,
       struct net_input *in)
{
    struct model_net net;

    model_net_init(&net);
    char *error = overlay_settings(row, call->body, &net);
    if (row && !json_object_get(call->body, "subnets")) {
        net.n_subnets = db_parse_subnets(row->subnets, &net.subnets);
    } else if (in->n_subnets) {
        net.n_subnets = in->n_subnets;
        net.subnets = xmemdup(in->subnets,
                              in->n_subnets * sizeof *in->subnets);
    }
    error = error ? error : model_net_check(&net);
    if (error) {
        api_fail_invalid(call, error);
    } else {
        in->settings = db_format_settings(&net);
    }
    model_net_destroy(&net);
    return in->settings != NULL;
}

static uint32_t
draw_vni(const struct db *db)
{
    for (int i = 0; i < VNI_TRIES; i++) {
        uint32_t vni = VNI_DRAWN_MIN + random_range(MODEL_VNI_MAX
                                                    - VNI_DRAWN_MIN);
        if (!db_net_by_vni(db, vni)) {
            return vni;
        }
    }
    return 0;
}

/* A mapper of schema 1.2.0 beside this one removes a vSubnet without its
 * rules; they are not those of the next one of that name. */
static void
remove_left_rules(struct api_call *call, const char *net)
{
    size_t n;
    struct mdb_rule **rules = db_rules_of_net(call->api->db, net, &n);

    for (size_t i = 0; i < n; i++) {
        mdb_rule_delete(rules[i]);
    }
    free(rules);
}

static void
create_net(struct api_call *call, struct net_input *in)
{
    const struct db *db = call->api->db;
    const struct mdb_net *other;

    if (db_net(db, in->name)) {
        api_fail(call, MHD_HTTP_CONFLICT, "name-in-use", "name",
                 "there is a vSubnet %s already", in->name);
        return;
    }
    other = in->vni ? db_net_by_vni(db, in->vni) : NULL;
    if (other) {
        api_fail(call, MHD_HTTP_CONFLICT, "vni-in-use", "vni",
                 "VNI %u is that of vSubnet %s", in->vni, other->name);
        return;
    }
    in->vni = in->vni ? in->vni : draw_vni(db);
    if (!in->vni) {
        api_fail(call, MHD_HTTP_CONFLICT, "vni-in-use", "vni",
                 "no VNI is free");
        return;
    }

    remove_left_rules(call, in->name);
    char *subnets = db_format_addresses(in->subnets, in->n_subnets);
    struct mdb_net *row = mdb_net_insert(call->txn->idl_txn);
    mdb_net_set_name(row, in->name);
    mdb_net_set_vni(row, in->vni);
    mdb_net_set_subnets(row, subnets);
    mdb_net_set_algorithm(row, model_algorithm_name(in->algorithm));
    mdb_net_set_group(row, in->group ? in->group : "");
    mdb_net_set_settings(row, in->settings);
    mdb_net_set_revision(row, txn_touch(call->txn));
    audit(call, "net-added", in->name, "VNI %"PRIu32"%s%s", in->vni,
          subnets[0] ? ", " : "", subnets);
    free(subnets);
    api_ok(call, MHD_HTTP_CREATED, db_net_json(db, row));
}

void
api_nets_post(struct api_call *call)
{
    struct net_input in = { .algorithm = MODEL_AES128GCM };
    struct model_reader r;

    model_reader_init(&r, call->body);
    in.name = model_reader_name(&r, "name", MODEL_REQUIRED);
    if (model_reader_has(&r, "vni")) {
        in.vni = model_reader_uint(&r, "vni", MODEL_REQUIRED, 1,
                                   MODEL_VNI_MAX);
    }
    read_net(&r, &in);
    if (api_finish_reader(call, &r) && settle(call, NULL, &in)) {
        create_net(call, &in);
    }
    net_input_destroy(&in);
}

void
api_nets_get(struct api_call *call)
{
    static const char *const filters[] = {
        "name", "vni", "algorithm", "group", "policy", "ipv6", "label", NULL
    };
    const struct db *db = call->api->db;
    const struct mdb_net *net;
    struct api_list list;

    if (!api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_net *from = mdb_net_index_init_row(db->net_by_name);
    mdb_net_index_set_name(from, list.after);
    MDB_NET_FOR_EACH_RANGE (net, from, NULL, db->net_by_name) {
        if (!strcmp(net->name, list.after)) {
            continue;
        }
        if (!api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_net_json(db, net), "%s", net->name);
    }
    mdb_net_index_destroy_row(from);
    api_list_end(&list);
}

void
api_net_get(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);

    if (net) {
        api_ok(call, MHD_HTTP_OK, db_net_json(call->api->db, net));
    }
}

/* Says what NET is now, and which of its members the request named. */
static void
audit_change(struct api_call *call, const struct mdb_net *net)
{
    struct ds named = DS_EMPTY_INITIALIZER;
    const char *name;
    json_t *value;

    json_object_foreach (call->body, name, value) {
        ds_put_format(&named, "%s%s", named.length ? " " : "", name);
    }
    audit(call, "net-changed", net->name, "%s%s%s (%s)", net->algorithm,
          net->subnets[0] ? ", " : "", net->subnets, ds_cstr(&named));
    ds_destroy(&named);
}

static void
update_net(struct api_call *call, const struct mdb_net *net,
           const struct net_input *in)
{
    bool has_group = json_object_get(call->body, "group") != NULL;
    bool changed = false;
    bool has_subnets = json_object_get(call->body, "subnets") != NULL;
    char *subnets = db_format_addresses(in->subnets, in->n_subnets);
    struct change_refusal refusal;

    has_subnets = has_subnets && strcmp(subnets, net->subnets);
    if (has_subnets
        && !change_check_subnets(call->txn, net, in->subnets, in->n_subnets,
                                 &refusal)) {
        api_refuse(call, &refusal);
        free(subnets);
        return;
    }
    if (has_subnets) {
        change_set_subnets(call->txn, net, in->subnets, in->n_subnets);
        changed = true;
    }
    if (in->algorithm
        && strcmp(net->algorithm, model_algorithm_name(in->algorithm))) {
        mdb_net_set_algorithm(net, model_algorithm_name(in->algorithm));
        mdb_net_set_revision(net, txn_touch(call->txn));
        changed = true;
    }
    if (has_group && strcmp(net->group, in->group ? in->group : "")) {
        mdb_net_set_group(net, in->group ? in->group : "");
        mdb_net_set_revision(net, txn_touch(call->txn));
        changed = true;
    }
    if (strcmp(net->settings, in->settings)) {
        mdb_net_set_settings(net, in->settings);
        mdb_net_set_revision(net, txn_touch(call->txn));
        changed = true;
    }
    free(subnets);
    if (changed) {
        audit_change(call, net);
    }
    api_ok(call, MHD_HTTP_OK, db_net_json(call->api->db, net));
}

void
api_net_patch(struct api_call *call)
{
    struct net_input in = { .algorithm = 0 };
    struct model_reader r;

    model_reader_init(&r, call->body);
    read_net(&r, &in);
    if (api_finish_reader(call, &r)) {
        const struct mdb_net *net = api_net(call, call->args[0]);

        if (net && api_matches(call, net->revision)
            && settle(call, net, &in)) {
            update_net(call, net, &in);
        }
    }
    net_input_destroy(&in);
}

void
api_net_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);

    if (net && api_matches(call, net->revision)) {
        audit(call, "net-removed", net->name, "VNI %"PRId64, net->vni);
        change_remove_net(call->txn, net);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}

/* Members. */

void
api_members_get(struct api_call *call)
{
    static const char *const filters[] = { "node", "host_port", NULL };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_member *member;
    struct api_list list;
    int64_t after;

    if (!net || !api_list_begin(&list, call, filters)
        || !api_list_after_number(&list, 0, &after)) {
        return;
    }
    struct mdb_member *from = mdb_member_index_init_row(db->member_by_key);
    mdb_member_index_set_net(from, net->name);
    mdb_member_index_set_node(from, after + 1);
    MDB_MEMBER_FOR_EACH_RANGE (member, from, NULL, db->member_by_key) {
        if (strcmp(member->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_member_json(db, member), "%"PRId64,
                     member->node);
    }
    mdb_member_index_destroy_row(from);
    api_list_end(&list);
}

void
api_member_put(struct api_call *call)
{
    const struct db *db = call->api->db;
    struct change_refusal refusal;
    struct model_reader r;

    model_reader_init(&r, call->body);
    bool host_port = (!model_reader_has(&r, "host_port")
                      || model_reader_bool(&r, "host_port", MODEL_REQUIRED));
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_node *node = net ? api_node(call, call->args[1]) : NULL;
    if (!node) {
        return;
    }
    const struct mdb_member *member = db_member(db, net->name, node->number);
    if (!api_matches(call, member ? member->revision : 0)) {
        return;
    }
    if (!strcmp(node->state, "revoked")) {
        api_fail(call, MHD_HTTP_CONFLICT, "node-revoked", NULL,
                 "node %s has been revoked", node->name);
        return;
    }
    if (!change_check_member(call->txn, net, node, host_port, &refusal)) {
        api_refuse(call, &refusal);
        return;
    }

    bool is_new = !member;
    if (is_new || member->host_port != host_port) {
        audit(call, is_new ? "member-added" : "member-changed", net->name,
              "node %"PRId64", %s, %s host port", node->number, node->name,
              host_port ? "with" : "without");
    }
    change_put_member(call->txn, net, node, host_port);
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           db_member_json(db, db_member(db, net->name, node->number)));
}

void
api_member_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_node *node = net ? api_node(call, call->args[1]) : NULL;

    if (!node) {
        return;
    }
    const struct mdb_member *member = db_member(call->api->db, net->name,
                                                node->number);
    if (!member) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-member", NULL,
                 "node %s is no member of vSubnet %s", node->name, net->name);
        return;
    }
    if (!api_matches(call, member->revision)) {
        return;
    }
    audit(call, "member-removed", net->name, "node %"PRId64", %s",
          node->number, node->name);
    change_remove_member(call->txn, member);
    api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}

void
api_net_rekey(struct api_call *call)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_net *net = api_net(call, call->args[0]);
    if (net) {
        change_rekey(call->txn, net);
        audit(call, "net-rekeyed", net->name, "new keys for all members");
        api_ok(call, MHD_HTTP_OK, db_net_json(call->api->db, net));
    }
}

void
api_keys_get(struct api_call *call)
{
    static const char *const filters[] = {
        "node", "epoch", "algorithm", NULL
    };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_key *key;
    struct api_list list;
    int64_t after;

    if (!net || !api_list_begin(&list, call, filters)
        || !api_list_after_number(&list, 0, &after)) {
        return;
    }
    struct mdb_key *from = mdb_key_index_init_row(db->key_by_net_spi);
    mdb_key_index_set_net(from, net->name);
    mdb_key_index_set_spi(from, after + 1);
    MDB_KEY_FOR_EACH_RANGE (key, from, NULL, db->key_by_net_spi) {
        if (strcmp(key->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_key_json(db, key, MODEL_VIEW_OPERATOR),
                     "%"PRId64, key->spi);
    }
    mdb_key_index_destroy_row(from);
    api_list_end(&list);
}
