/* SPDX-License-Identifier: Apache-2.0 */
/* The database's rows as the objects of the API. */

#include <config.h>

#include "mapper/db.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mapper/keybox.h"
#include "mapper/label.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(encode);

char *
db_format_time(int64_t seconds)
{
    time_t t = seconds;
    struct tm tm;
    char text[32];

    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return xstrdup(text);
}

/* Calls PARSE for each element of the list LIST, into elements of SIZE bytes.
 * What was once checked parses; anything else in the database is left out. */
static size_t
parse_list(const char *list, size_t size, void **elements,
           char *(*parse)(const char *, void *))
{
    char *copy = xstrdup(list);
    char *save_ptr = NULL;
    size_t n = 0;
    char *array = NULL;

    for (char *token = strtok_r(copy, ",", &save_ptr); token;
         token = strtok_r(NULL, ",", &save_ptr)) {
        array = xrealloc(array, (n + 1) * size);
        char *error = parse(token, array + n * size);
        if (error) {
            VLOG_WARN("ignoring a value in the database: %s", error);
            free(error);
        } else {
            n++;
        }
    }
    free(copy);
    *elements = array;
    return n;
}

static char *
parse_subnet(const char *s, void *out)
{
    return model_subnet_parse(s, out);
}

static char *
parse_endpoint(const char *s, void *out)
{
    return model_endpoint_parse(s, out);
}

size_t
db_parse_subnets(const char *list, struct model_address **subnets)
{
    void *array;
    size_t n = parse_list(list, sizeof **subnets, &array, parse_subnet);

    *subnets = array;
    return n;
}

char *
db_format_addresses(const struct model_address *addresses, size_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        if (i) {
            ds_put_char(&s, ',');
        }
        model_address_format(&addresses[i], &s);
    }
    return ds_steal_cstr(&s);
}

char *
db_format_endpoints(const struct model_endpoint *endpoints, size_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        if (i) {
            ds_put_char(&s, ',');
        }
        model_endpoint_format(&endpoints[i], &s);
    }
    return ds_steal_cstr(&s);
}

static char *
copy_or_null(const char *s)
{
    return s[0] ? xstrdup(s) : NULL;
}

struct json_t *
db_node_json(const struct db *db, const struct mdb_node *row,
             enum model_view view, bool connected)
{
    struct model_node node;
    void *endpoints;

    memset(&node, 0, sizeof node);
    node.revision = db_row_revision(db, row->revision);
    node.number = row->number;
    uuid_from_string(&node.id, row->node_id);
    node.name = xstrdup(row->name);
    free(model_node_state_parse(row->state, &node.state));
    node.n_endpoints = parse_list(row->endpoints, sizeof *node.endpoints,
                                  &endpoints, parse_endpoint);
    node.endpoints = endpoints;
    if (row->origin[0]) {
        uuid_from_string(&node.origin, row->origin);
    }
    node.fingerprint = copy_or_null(row->fingerprint);
    node.created = db_format_time(row->created);
    node.connected = connected;

    struct json_t *json = model_node_to_json(&node, view);
    model_node_destroy(&node);
    return json;
}

char *
db_format_settings(const struct model_net *net)
{
    struct model_net defaults;

    model_net_init(&defaults);
    json_t *json = model_net_settings_to_json(net);
    json_t *usual = model_net_settings_to_json(&defaults);
    char *text = (json_equal(json, usual) ? xstrdup("")
                  : json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS));
    json_decref(usual);
    json_decref(json);
    model_net_destroy(&defaults);
    return text;
}

void
db_net_settings(const struct mdb_net *row, struct model_net *net)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    size_t n = strlen(row->settings);
    struct model_reader r;
    json_t *json;

    if (!n) {
        return;
    }
    char *error = model_json_parse(row->settings, n, SIZE_MAX, &json);
    if (!error) {
        model_reader_init(&r, json);
        model_net_read_settings(&r, MODEL_IGNORE_UNKNOWN, net);
        error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
        json_decref(json);
    }
    if (error) {
        VLOG_WARN_RL(&rl, "settings of vSubnet %s in the database: %s",
                     row->name, error);
        free(error);
    }
}

bool
db_net_gateway(const struct mdb_net *row, struct model_address *gateway)
{
    struct model_net net;

    model_net_init(&net);
    db_net_settings(row, &net);
    bool has_gateway = net.dhcp && net.dhcp->has_gateway;
    if (has_gateway) {
        *gateway = net.dhcp->gateway;
    }
    model_net_destroy(&net);
    return has_gateway;
}

struct json_t *
db_net_json(const struct db *db, const struct mdb_net *row)
{
    struct model_net net;

    model_net_init(&net);
    net.revision = db_row_revision(db, row->revision);
    net.name = xstrdup(row->name);
    net.vni = row->vni;
    net.n_subnets = db_parse_subnets(row->subnets, &net.subnets);
    free(model_algorithm_parse(row->algorithm, &net.algorithm));
    if (row->group[0]) {
        char *error = model_address_parse(row->group, &net.group);
        net.has_group = !error;
        free(error);
    }
    net.rekey = row->rekey;
    db_net_settings(row, &net);
    net.n_labels = label_list_parse(row->labels, &net.labels);

    struct json_t *json = model_net_to_json(&net);
    model_net_destroy(&net);
    return json;
}

struct json_t *
db_member_json(const struct db *db, const struct mdb_member *row)
{
    struct model_member member;

    memset(&member, 0, sizeof member);
    member.revision = db_row_revision(db, row->revision);
    member.net = row->net;
    member.node = row->node;
    member.host_port = row->host_port;
    return model_member_to_json(&member);
}

static int
compare_addresses(const void *a, const void *b)
{
    return model_address_compare(a, b);
}

struct json_t *
db_binding_json(const struct db *db, const struct mdb_binding *row)
{
    struct model_binding binding;
    size_t n;

    model_binding_init(&binding);
    binding.revision = db_row_revision(db, row->revision);
    binding.net = row->net;
    eth_addr_from_string(row->mac, &binding.mac);
    binding.node = row->node;
    binding.port = row->port[0] ? row->port : NULL;
    binding.iface_id = row->iface_id[0] ? row->iface_id : NULL;
    free(model_origin_parse(row->origin, &binding.origin));
    binding.port_security = (!row->n_port_security
                             || row->port_security[0]);
    binding.labels = row->labels;
    binding.n_labels = row->n_labels;
    binding.sequence = row->sequence;

    struct mdb_address **rows = db_addresses_of(db, row->net, row->mac, &n);
    struct model_address *addresses = xcalloc(n + 1, sizeof *addresses);
    for (size_t i = 0; i < n; i++) {
        char *error = model_address_parse(
            rows[i]->ip, &addresses[binding.n_addresses]);
        binding.n_addresses += !error;
        free(error);
    }
    qsort(addresses, binding.n_addresses, sizeof *addresses,
          compare_addresses);
    binding.addresses = addresses;

    struct json_t *json = model_binding_to_json(&binding);
    free(addresses);
    free(rows);
    return json;
}

struct json_t *
db_key_json(const struct db *db, const struct mdb_key *row,
            enum model_view view)
{
    struct model_key key;

    memset(&key, 0, sizeof key);
    key.revision = db_row_revision(db, row->revision);
    key.net = row->net;
    key.node = row->node;
    key.spi = row->spi;
    key.epoch = row->epoch;
    free(model_algorithm_parse(row->algorithm, &key.algorithm));
    key.rekey = row->rekey;
    if (view == MODEL_VIEW_KEYS
        && !keybox_unseal(db->keybox, &row->header_.uuid, row->spi,
                          row->sealed, &key.secret)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

        VLOG_ERR_RL(&rl, "key with SPI %"PRId64" does not open: was "
                    "storage.key replaced?", row->spi);
        view = MODEL_VIEW_NODE;
    }

    struct json_t *json = model_key_to_json(&key, view);
    model_secret_wipe(&key.secret);
    return json;
}

struct json_t *
db_token_json(const struct db *db, const struct mdb_token *row)
{
    json_t *nets = json_array();
    json_t *json = json_object();
    char *created = db_format_time(row->created);
    char *expires = db_format_time(row->expires);

    for (size_t i = 0; i < row->n_nets; i++) {
        json_array_append_new(nets, json_string(row->nets[i]));
    }
    json_object_set_new(json, "id", json_string(row->token_id));
    json_object_set_new(json, "created", json_string(created));
    json_object_set_new(json, "expires", json_string(expires));
    json_object_set_new(json, "uses", json_integer(row->uses));
    json_object_set_new(json, "uses_left", json_integer(row->uses_left));
    json_object_set_new(json, "approve", json_boolean(row->approve));
    json_object_set_new(json, "nets", nets);
    json_object_set_new(
        json, "revision",
        model_revision_to_json(db_row_revision(db, row->revision)));
    free(expires);
    free(created);
    return json;
}

struct json_t *
db_user_json(const struct db *db, const struct mdb_operator *row)
{
    json_t *json = json_object();
    char *created = row->created ? db_format_time(row->created) : NULL;
    char *expires = row->expires ? db_format_time(row->expires) : NULL;

    json_object_set_new(json, "id", json_string(row->operator_id));
    json_object_set_new(json, "name", json_string(db_user_name(row)));
    json_object_set_new(json, "role", json_string(db_user_role(row)));
    json_object_set_new(json, "certificate",
                        model_string_or_null(row->certificate[0]
                                             ? row->certificate : NULL));
    json_object_set_new(json, "created", model_string_or_null(created));
    json_object_set_new(json, "expires", model_string_or_null(expires));
    json_object_set_new(
        json, "revision",
        model_revision_to_json(db_row_revision(db, row->revision)));
    free(expires);
    free(created);
    return json;
}

static void
set_revision(const struct db *db, json_t *json, int64_t revision)
{
    json_object_set_new(
        json, "revision",
        model_revision_to_json(db_row_revision(db, revision)));
}

struct json_t *
db_pool_json(const struct db *db, const struct mdb_pool *row)
{
    json_t *json = json_pack("{s:s, s:s}", "net", row->net,
                             "pool", row->pool);

    set_revision(db, json, row->revision);
    return json;
}

struct json_t *
db_reservation_json(const struct db *db, const struct mdb_reservation *row)
{
    json_t *json = json_pack("{s:s, s:s}", "net", row->net,
                             "address", row->ip);

    json_object_set_new(json, "mac",
                        model_string_or_null(row->mac[0] ? row->mac : NULL));
    json_object_set_new(json, "note", model_string_or_null(
        row->note[0] ? row->note : NULL));
    set_revision(db, json, row->revision);
    return json;
}

/* With what its binding tells, whose revision it has. */
struct json_t *
db_address_json(const struct db *db, const struct mdb_address *row)
{
    const struct mdb_binding *binding = db_binding(db, row->net, row->mac);
    json_t *json = json_pack("{s:s, s:s, s:s}", "net", row->net,
                             "address", row->ip, "mac", row->mac);

    if (binding) {
        json_object_set_new(json, "node",
                            (binding->node ? json_integer(binding->node)
                             : json_null()));
        json_object_set_new(json, "origin", json_string(binding->origin));
    }
    json_object_set_new(json, "reserved", json_boolean(
        db_reservation(db, row->net, row->ip) != NULL));
    set_revision(db, json, row->revision);
    return json;
}
