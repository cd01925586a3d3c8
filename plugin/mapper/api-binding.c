/* SPDX-License-Identifier: Apache-2.0 */
/* The API: bindings, of nodes and of operators. */

#include <config.h>

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/api.h"
#include "mapper/api-list.h"
#include "mapper/audit.h"
#include "mapper/change.h"
#include "mapper/db.h"
#include "mapper/ipam.h"
#include "packets.h"
#include "random.h"
#include "util.h"

enum {
    MAC_STRLEN = sizeof "00:00:00:00:00:00",
    MAC_TRIES = 1000,
    ITEMS_MAX = 500,            /* In one request of a node. */
    DYNAMIC_MAX = 1024,         /* Of one node in one vSubnet. */
};

struct binding_input {
    const char *net;
    char mac[MAC_STRLEN];       /* Empty: to be drawn. */
    struct model_address *addresses;
    size_t n_addresses;
    bool addresses_auto;
    bool has_addresses;
    int64_t node;
    bool has_node;
    bool clears_node;           /* An explicit null. */
    const char *port;
    bool clears_port;
    const char *iface_id;
    bool keeps_iface_id;        /* In a PATCH that does not name it. */
    int64_t sequence;           /* Of the binding, as the node knew it. */
    bool has_sequence;
    bool port_security;
    bool has_port_security;
    char **labels;
    size_t n_labels;
    bool has_labels;
    char *net_labels;           /* What the vSubnet's will be. */
};

static void
binding_input_destroy(struct binding_input *in)
{
    free(in->addresses);
    model_labels_free(in->labels, in->n_labels);
    free(in->net_labels);
}

static void
format_mac(struct eth_addr ea, char mac[MAC_STRLEN])
{
    snprintf(mac, MAC_STRLEN, ETH_ADDR_FMT, ETH_ADDR_ARGS(ea));
}

static bool
mac_is_usable(struct eth_addr ea)
{
    return !eth_addr_is_multicast(ea) && !eth_addr_is_zero(ea);
}

/* What a node says. */

/* Adds one result to the answer. */
static void
add_result(json_t *results, const char *net, const char *mac, int status,
           const char *code, const char *detail)
{
    json_t *result = json_object();

    json_object_set_new(result, "net", model_string_or_null(net));
    json_object_set_new(result, "mac", model_string_or_null(mac));
    json_object_set_new(result, "status", json_integer(status));
    if (code) {
        json_object_set_new(result, "code", json_string(code));
    }
    if (detail) {
        json_object_set_new(result, "detail", json_string(detail));
    }
    json_array_append_new(results, result);
}

static char *
read_node_binding(const json_t *json, struct binding_input *in)
{
    struct model_reader r;
    struct eth_addr mac;

    memset(in, 0, sizeof *in);
    model_reader_init(&r, json);
    in->net = model_reader_name(&r, "net", MODEL_REQUIRED);
    if (model_reader_mac(&r, "mac", MODEL_REQUIRED, &mac)) {
        if (!mac_is_usable(mac)) {
            model_reader_fail(&r, "mac", xstrdup("not the address of a "
                                                 "host"));
        }
        format_mac(mac, in->mac);
    }
    in->n_addresses = model_reader_addresses(&r, "addresses", MODEL_OPTIONAL,
                                             &in->addresses);
    in->port = model_reader_string(&r, "port", MODEL_OPTIONAL);
    in->iface_id = model_reader_string(&r, "iface_id", MODEL_OPTIONAL);
    in->has_sequence = model_reader_has(&r, "sequence");
    in->sequence = model_reader_uint(&r, "sequence", MODEL_OPTIONAL, 0,
                                     INT64_MAX);
    return model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
}

/* Says that ROW is at NODE's port. */
static void
claim(struct txn *txn, const struct mdb_binding *row,
      const struct mdb_node *node, const char *port)
{
    port = port ? port : "";
    if (row->node != node->number || strcmp(row->port, port)) {
        change_place_binding(txn, row, node->number);
        mdb_binding_set_port(row, port);
    }
}

static bool
addresses_differ(const struct txn *txn, const struct binding_input *in)
{
    size_t n;

    struct mdb_address **rows = db_addresses_of(txn->db, in->net, in->mac,
                                                &n);
    bool differ = n != in->n_addresses;
    for (size_t i = 0; i < in->n_addresses && !differ; i++) {
        struct model_address bare = in->addresses[i];
        char ip[MODEL_ADDRESS_STRLEN];

        bare.plen = -1;
        model_address_string(&bare, ip);
        const struct mdb_address *row = db_address(txn->db, in->net, ip);
        differ = !row || strcmp(row->mac, in->mac);
    }
    free(rows);
    return differ;
}

/* Says whether NODE may have learnt IN->mac.  Returns null, or the code of the
 * problem with *DETAIL. */
static const char *
check_dynamic(const struct txn *txn, const struct mdb_node *node,
              const struct binding_input *in, char **detail)
{
    struct eth_addr own = model_host_mac(node->number);
    struct eth_addr mac;
    size_t n, n_dynamic = 0;

    if (eth_addr_from_string(in->mac, &mac) && mac.ea[0] == own.ea[0]
        && mac.ea[1] == own.ea[1] && !eth_addr_equals(mac, own)) {
        *detail = xstrdup("the MAC address of another node's own port");
        return "mac-in-use";
    }

    struct mdb_binding **rows = db_bindings_of_node(txn->db, node->number,
                                                    &n);
    for (size_t i = 0; i < n; i++) {
        n_dynamic += (!strcmp(rows[i]->net, in->net)
                      && !strcmp(rows[i]->origin, "dynamic"));
    }
    free(rows);
    if (n_dynamic >= DYNAMIC_MAX) {
        *detail = xasprintf("a node may register %d MAC addresses in a "
                            "vSubnet", DYNAMIC_MAX);
        return "too-many-bindings";
    }
    return NULL;
}

/* Registers what NODE has learnt.  Returns null, or the code of the problem
 * with *DETAIL. */
static const char *
put_dynamic(struct txn *txn, const struct mdb_node *node,
            const struct binding_input *in, char **detail)
{
    const struct mdb_binding *row = db_binding(txn->db, in->net, in->mac);
    struct change_refusal refusal;
    const char *iface_id = in->iface_id ? in->iface_id : "";

    if (!row || row->node != node->number) {
        const char *code = check_dynamic(txn, node, in, detail);

        if (code) {
            return code;
        }
    }
    if (!change_check_addresses(txn, in->net, in->mac, in->addresses,
                                in->n_addresses, &refusal)) {
        *detail = refusal.detail;
        return refusal.code;
    }
    if (!row) {
        row = change_new_binding(txn, in->net, in->mac, "dynamic");
    }
    claim(txn, row, node, in->port);
    if (strcmp(row->iface_id, iface_id)) {
        mdb_binding_set_iface_id(row, iface_id);
        mdb_binding_set_revision(row, txn_touch(txn));
    }
    if (addresses_differ(txn, in)) {
        change_set_addresses(txn, in->net, in->mac, in->addresses,
                             in->n_addresses);
        mdb_binding_set_revision(row, txn_touch(txn));
    }
    return NULL;
}

static const char *
put_one(struct txn *txn, const struct mdb_node *node,
        const struct binding_input *in, char **detail)
{
    if (!db_net(txn->db, in->net)) {
        return "no-such-net";
    } else if (!db_member_is_active(txn->db, in->net, node->number)) {
        return "not-a-member";
    }

    const struct mdb_binding *row = db_binding(txn->db, in->net, in->mac);
    if (row && row->node && row->node != node->number && in->has_sequence
        && in->sequence != row->sequence) {
        *detail = xasprintf("it moved to node %"PRId64" by a claim that this "
                            "one does not know of", row->node);
        return "claim-outdated";
    }
    if (!row || !strcmp(row->origin, "dynamic")) {
        return put_dynamic(txn, node, in, detail);
    }

    /* A static one is claimed by who has the interface; one without an
     * interface, and a host's, by the node that it names. */
    bool mine = row->node == node->number;
    if (!strcmp(row->origin, "static") && row->iface_id[0]) {
        mine = in->iface_id && !strcmp(in->iface_id, row->iface_id);
    }
    if (!mine) {
        *detail = xstrdup("an operator bound this MAC");
        return "binding-is-static";
    }
    claim(txn, row, node, in->port);
    return NULL;
}

static const char *
remove_one(struct txn *txn, const struct mdb_node *node,
           const struct binding_input *in)
{
    const struct mdb_binding *row = db_binding(txn->db, in->net, in->mac);

    if (!row || row->node != node->number) {
        return "no-such-binding";
    } else if (!strcmp(row->origin, "host")) {
        return "binding-is-static";
    } else if (!strcmp(row->origin, "dynamic")) {
        change_remove_binding(txn, row);
    } else {
        change_place_binding(txn, row, 0);
        mdb_binding_set_port(row, "");
    }
    return NULL;
}

static int
code_to_status(const char *code)
{
    return (!code ? MHD_HTTP_OK
            : !strncmp(code, "no-such-", 8) ? MHD_HTTP_NOT_FOUND
            : !strcmp(code, "not-a-member") ? MHD_HTTP_FORBIDDEN
            : !strncmp(code, "invalid-", 8) ? MHD_HTTP_UNPROCESSABLE_CONTENT
            : MHD_HTTP_CONFLICT);
}

static void
handle_items(struct api_call *call, const struct mdb_node *node,
             const json_t *items, bool put, json_t *results)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct binding_input in;
        const char *code = NULL;
        char *detail = read_node_binding(json_array_get(items, i), &in);

        if (detail) {
            code = "invalid-field";
        } else if (put) {
            code = put_one(call->txn, node, &in, &detail);
        } else {
            code = remove_one(call->txn, node, &in);
        }
        add_result(results, in.net, in.mac[0] ? in.mac : NULL,
                   code_to_status(code), code, detail);
        free(detail);
        binding_input_destroy(&in);
    }
}

void
api_self_bindings(struct api_call *call)
{
    struct model_reader r;

    model_reader_init(&r, call->body);
    const json_t *put = model_reader_array(&r, "put", MODEL_OPTIONAL,
                                           ITEMS_MAX);
    const json_t *removed = model_reader_array(&r, "remove", MODEL_OPTIONAL,
                                               ITEMS_MAX);
    if (!api_finish_reader(call, &r)) {
        return;
    }
    const struct mdb_node *node = api_self(call);
    if (!node) {
        return;
    }
    if (strcmp(node->state, "approved")) {
        api_fail(call, MHD_HTTP_FORBIDDEN, "node-pending", NULL,
                 "this node is not approved");
        return;
    }

    json_t *results = json_array();
    json_t *body = json_object();
    handle_items(call, node, put, true, results);
    handle_items(call, node, removed, false, results);
    json_object_set_new(body, "results", results);
    api_ok(call, MHD_HTTP_OK, body);
}

/* What an operator says. */

static void
read_addresses(struct model_reader *r, struct binding_input *in)
{
    const json_t *value = json_object_get(r->object, "addresses");

    in->has_addresses = model_reader_has(r, "addresses");
    if (json_is_string(value) && !strcmp(json_string_value(value), "auto")) {
        in->addresses_auto = true;
    } else {
        in->n_addresses = model_reader_addresses(
            r, "addresses", MODEL_OPTIONAL, &in->addresses);
    }
}

/* What can be changed of any binding that lasts; null is as by default. */
static void
read_port_settings(struct model_reader *r, struct binding_input *in)
{
    in->has_port_security = json_object_get(r->object, "port_security");
    in->port_security = model_reader_bool_or(r, "port_security", true);
    in->has_labels = json_object_get(r->object, "labels");
    in->n_labels = model_reader_labels(r, "labels", MODEL_NO_LABEL_GAPS,
                                       MODEL_PORT_LABELS_MAX, &in->labels);
}

static bool
read_operator_binding(struct api_call *call, struct binding_input *in,
                      const char *mac_text)
{
    struct model_reader r;
    struct eth_addr mac;
    bool has_mac = false;

    memset(in, 0, sizeof *in);
    model_reader_init(&r, call->body);
    if (model_reader_has(&r, "mac")) {
        has_mac = model_reader_mac(&r, "mac", MODEL_REQUIRED, &mac);
    }
    if (mac_text) {
        char *error = model_mac_parse(mac_text, &mac);

        has_mac = !error;
        if (error) {
            model_reader_fail(&r, "mac", error);
        }
    }
    if (has_mac) {
        if (!mac_is_usable(mac)) {
            model_reader_fail(&r, "mac", xstrdup("not the address of a "
                                                 "host"));
        }
        format_mac(mac, in->mac);
    }
    read_addresses(&r, in);
    in->has_node = model_reader_has(&r, "node");
    in->node = model_reader_uint(&r, "node", MODEL_OPTIONAL, 1,
                                 MODEL_NODE_MAX);
    in->clears_node = json_is_null(json_object_get(call->body, "node"));
    in->port = model_reader_string(&r, "port", MODEL_OPTIONAL);
    in->clears_port = (in->clears_node
                       || json_is_null(json_object_get(call->body, "port")));
    in->iface_id = model_reader_string(&r, "iface_id", MODEL_OPTIONAL);
    read_port_settings(&r, in);
    return api_finish_reader(call, &r);
}

/* A locally administered address that nobody in the vSubnet has. */
static void
draw_mac(const struct db *db, const char *net, char mac[MAC_STRLEN])
{
    for (int i = 0; i < MAC_TRIES; i++) {
        struct eth_addr ea;

        eth_addr_random(&ea);
        ea.ea[0] = 0x0a;        /* Apart from hosts' 06:76. */
        format_mac(ea, mac);
        if (!db_binding(db, net, mac)) {
            return;
        }
    }
}

/* With ranges, an operator's address must be in one of its family. */
static bool
check_ranges(const struct mdb_net *net, const struct binding_input *in,
             struct change_refusal *refusal)
{
    struct model_address *subnets;
    size_t n = db_parse_subnets(net->subnets, &subnets);
    bool ok = true;

    for (size_t i = 0; i < in->n_addresses && ok; i++) {
        const struct model_address *address = &in->addresses[i];

        for (size_t j = 0; j < n && ok; j++) {
            if (model_address_is_ipv4(&subnets[j])
                == model_address_is_ipv4(address)
                && !ipam_is_assignable(&subnets[j], address)) {
                char ip[MODEL_ADDRESS_STRLEN];

                refusal->code = "invalid-address";
                refusal->detail = xasprintf(
                    "%s is no host's address in the range of vSubnet %s",
                    model_address_string(address, ip), net->name);
                ok = false;
            }
        }
    }
    free(subnets);
    return ok;
}

static bool
check_labels(struct api_call *call, const struct mdb_net *net,
             const struct mdb_binding *row, struct binding_input *in)
{
    struct change_refusal refusal;

    if (in->has_labels) {
        in->net_labels = change_check_labels(
            call->txn, net, row ? &row->header_.uuid : NULL,
            row ? row->labels : NULL, row ? row->n_labels : 0,
            in->labels, in->n_labels, &refusal);
        if (!in->net_labels) {
            api_refuse(call, &refusal);
            return false;
        }
    }
    return true;
}

/* Writes what was read by read_port_settings() and checked by
 * check_labels(). */
static void
write_port_settings(struct api_call *call, const struct mdb_net *net,
                    const struct mdb_binding *row,
                    const struct binding_input *in)
{
    if (in->has_port_security) {
        mdb_binding_set_port_security(row, &in->port_security,
                                      !in->port_security);
    }
    if (in->has_labels) {
        mdb_binding_set_labels(row, (const char **) in->labels,
                               in->n_labels);
        change_set_labels(call->txn, net, in->net_labels);
    }
}

static bool
check_static(struct api_call *call, const struct mdb_net *net,
             const struct mdb_binding *row, struct binding_input *in)
{
    struct change_refusal refusal;
    bool ok;

    if (in->has_node && !db_member(call->api->db, net->name, in->node)) {
        api_fail(call, MHD_HTTP_CONFLICT, "not-a-member", "node",
                 "node %"PRId64" is no member of vSubnet %s", in->node,
                 net->name);
        return false;
    }
    if (in->addresses_auto) {
        ok = change_draw_addresses(call->txn, net, in->mac, &in->addresses,
                                   &in->n_addresses, &refusal);
    } else {
        ok = (check_ranges(net, in, &refusal)
              && change_check_addresses(call->txn, net->name, in->mac,
                                        in->addresses, in->n_addresses,
                                        &refusal));
    }
    if (!ok) {
        api_refuse(call, &refusal);
    }
    return ok && check_labels(call, net, row, in);
}

static void
write_static(struct api_call *call, const struct mdb_net *net,
             const struct mdb_binding *row, const struct binding_input *in)
{
    bool is_new = !row;

    if (!row) {
        row = change_new_binding(call->txn, net->name, in->mac, "static");
    }
    mdb_binding_set_origin(row, "static");
    if (!in->keeps_iface_id) {
        mdb_binding_set_iface_id(row, in->iface_id ? in->iface_id : "");
    }
    if (in->has_node || in->clears_node) {
        change_place_binding(call->txn, row, in->node);
    }
    if (in->port || in->clears_port) {
        mdb_binding_set_port(row, in->port ? in->port : "");
    }
    if (in->has_addresses || is_new) {
        change_set_addresses(call->txn, net->name, in->mac, in->addresses,
                             in->n_addresses);
    }
    write_port_settings(call, net, row, in);
    mdb_binding_set_revision(row, txn_touch(call->txn));
    audit(call, is_new ? "binding-added" : "binding-changed", net->name,
          "%s", in->mac);
    api_ok(call, is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK,
           db_binding_json(call->api->db, row));
}

void
api_bindings_post(struct api_call *call)
{
    const struct db *db = call->api->db;
    struct binding_input in;

    if (read_operator_binding(call, &in, NULL)) {
        const struct mdb_net *net = api_net(call, call->args[0]);

        if (net && !in.mac[0]) {
            draw_mac(db, net->name, in.mac);
        }
        if (net && db_binding(db, net->name, in.mac)) {
            api_fail(call, MHD_HTTP_CONFLICT, "mac-in-use", "mac",
                     "vSubnet %s has a binding of %s already", net->name,
                     in.mac);
        } else if (net && check_static(call, net, NULL, &in)) {
            write_static(call, net, NULL, &in);
        }
    }
    binding_input_destroy(&in);
}

void
api_binding_put(struct api_call *call)
{
    struct binding_input in;

    if (read_operator_binding(call, &in, call->args[1])) {
        const struct mdb_net *net = api_net(call, call->args[0]);
        const struct mdb_binding *row
            = net ? db_binding(call->api->db, net->name, in.mac) : NULL;

        if (net && !api_matches(call, row ? row->revision : 0)) {
            /* Answered. */
        } else if (row && !strcmp(row->origin, "host")) {
            api_fail(call, MHD_HTTP_CONFLICT, "binding-is-host", NULL,
                     "%s is the port of node %"PRId64" itself", in.mac,
                     row->node);
        } else if (net && check_static(call, net, row, &in)) {
            write_static(call, net, row, &in);
        }
    }
    binding_input_destroy(&in);
}

/* Answers, and returns null, if TEXT is no MAC that NET has a binding of. */
static const struct mdb_binding *
find_binding(struct api_call *call, const struct mdb_net *net,
             const char *text)
{
    char mac[MAC_STRLEN];
    struct eth_addr ea;

    char *error = model_mac_parse(text, &ea);
    if (error) {
        api_fail(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 "mac", "%s", error);
        free(error);
        return NULL;
    }
    format_mac(ea, mac);
    const struct mdb_binding *row = db_binding(call->api->db, net->name, mac);
    if (!row) {
        api_fail(call, MHD_HTTP_NOT_FOUND, "no-such-binding", NULL,
                 "vSubnet %s has no binding of %s", net->name, mac);
    }
    return row;
}

void
api_binding_get(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_binding *row
        = net ? find_binding(call, net, call->args[1]) : NULL;

    if (row) {
        api_ok(call, MHD_HTTP_OK, db_binding_json(call->api->db, row));
    }
}

/* Says whether BODY names anything but what read_port_settings() reads. */
static bool
names_more(const json_t *body)
{
    const char *name;
    json_t *value;

    json_object_foreach (CONST_CAST(json_t *, body), name, value) {
        if (strcmp(name, "labels") && strcmp(name, "port_security")) {
            return true;
        }
    }
    return false;
}

static void
patch_binding(struct api_call *call, struct binding_input *in)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_binding *row
        = net ? find_binding(call, net, call->args[1]) : NULL;

    if (!row || !api_matches(call, row->revision)) {
        return;
    }
    if (!strcmp(row->origin, "dynamic")) {
        api_fail(call, MHD_HTTP_CONFLICT, "binding-is-dynamic", NULL,
                 "%s is what a node has learnt, which does not last: make it "
                 "a static binding by PUT", row->mac);
    } else if (!strcmp(row->origin, "static")) {
        in->keeps_iface_id = !json_object_get(call->body, "iface_id");
        if (check_static(call, net, row, in)) {
            write_static(call, net, row, in);
        }
    } else if (names_more(call->body)) {
        api_fail(call, MHD_HTTP_CONFLICT, "binding-is-host", NULL,
                 "%s is the port of node %"PRId64" itself, of which only "
                 "labels and port_security can be changed", row->mac,
                 row->node);
    } else if (check_labels(call, net, row, in)) {
        write_port_settings(call, net, row, in);
        mdb_binding_set_revision(row, txn_touch(call->txn));
        audit(call, "binding-changed", net->name, "%s", row->mac);
        api_ok(call, MHD_HTTP_OK, db_binding_json(call->api->db, row));
    }
}

void
api_binding_patch(struct api_call *call)
{
    struct binding_input in;

    if (read_operator_binding(call, &in, call->args[1])) {
        patch_binding(call, &in);
    }
    binding_input_destroy(&in);
}

void
api_bindings_get(struct api_call *call)
{
    static const char *const filters[] = {
        "mac", "address", "node", "port", "iface_id", "origin", "label",
        NULL
    };
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct db *db = call->api->db;
    const struct mdb_binding *row;
    struct api_list list;

    if (!net || !api_list_begin(&list, call, filters)) {
        return;
    }
    struct mdb_binding *from
        = mdb_binding_index_init_row(db->binding_by_key);
    mdb_binding_index_set_net(from, net->name);
    mdb_binding_index_set_mac(from, list.after);
    MDB_BINDING_FOR_EACH_RANGE (row, from, NULL, db->binding_by_key) {
        if (!strcmp(row->mac, list.after)) {
            continue;
        }
        if (strcmp(row->net, net->name) || !api_list_more(&list)) {
            break;
        }
        api_list_add(&list, db_binding_json(db, row), "%s", row->mac);
    }
    mdb_binding_index_destroy_row(from);
    api_list_end(&list);
}

void
api_binding_delete(struct api_call *call)
{
    const struct mdb_net *net = api_net(call, call->args[0]);
    const struct mdb_binding *row
        = net ? find_binding(call, net, call->args[1]) : NULL;

    if (!row) {
        return;
    }
    if (!strcmp(row->origin, "host")) {
        api_fail(call, MHD_HTTP_CONFLICT, "binding-is-host", NULL,
                 "%s is the port of node %"PRId64" itself; remove the member "
                 "or its host_port", row->mac, row->node);
    } else if (api_matches(call, row->revision)) {
        audit(call, "binding-removed", net->name, "%s", row->mac);
        change_remove_binding(call->txn, row);
        api_ok(call, MHD_HTTP_NO_CONTENT, NULL);
    }
}
