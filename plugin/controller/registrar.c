/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the mapping service what this node has. */
#include <config.h>
#include "controller/registrar.h"

#include <stdlib.h>
#include <string.h>

#include "controller/bindings.h"
#include "controller/client.h"
#include "controller/http.h"
#include "controller/learnt.h"
#include "controller/local-port.h"
#include "hash.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/token-bucket.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(registrar);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    ITEMS_MAX = 500,            /* Bindings in one request. */
    CHECK_MS = 2000,            /* Between looks when nothing changed. */
    SENT_HOLD_MS = 5000,        /* For the echo to arrive. */
    REFUSED_HOLD_MS = 60000,
    ERROR_HOLD_MS = 2000,       /* A request failed as a whole. */
    LEAVE_MS = 2000,            /* What has gone may only have moved. */

    /* What guests say of themselves goes to all hosts: of one MAC so much at
     * once, and then one thing a second. */
    NEWS_BURST = 10,
    NEWS_TOKENS = 1000,         /* For one: buckets fill by the millisecond. */
};

/* A binding that was sent or refused lately.  It is not sent again meanwhile,
 * unless there is something else to say of it. */
struct hold {
    long long int until;
    uint32_t what;              /* Hash of what was sent. */
    char *code;                 /* Of the refusal, or NULL. */
    bool without_addresses;     /* They are what was refused. */
    struct token_bucket news;
};

/* A binding whose guest is not here any more. */
struct leave {
    long long int since;
    bool seen;                  /* By the last look. */
};

struct registrar {
    struct client *client;
    bool self_in_flight, bindings_in_flight;
    long long int self_at, bindings_at;     /* Not before. */
    struct shash holds;         /* "struct hold"s by "NET MAC". */
    struct shash leaves;        /* "struct leave"s by the same. */
    unsigned int connections;   /* client_connections() that 'holds' are of. */
    bool look;                  /* Bindings may have changed. */
    long long int next_look;    /* Otherwise. */
    char *error;
};

struct registrar *
registrar_create(struct client *client)
{
    struct registrar *r = xzalloc(sizeof *r);

    r->client = client;
    shash_init(&r->holds);
    shash_init(&r->leaves);
    return r;
}

void
registrar_destroy(struct registrar *r)
{
    struct shash_node *node;

    if (r) {
        SHASH_FOR_EACH (node, &r->holds) {
            struct hold *hold = node->data;
            free(hold->code);
        }
        shash_destroy_free_data(&r->holds);
        shash_destroy_free_data(&r->leaves);
        free(r->error);
        free(r);
    }
}

const char *
registrar_error(const struct registrar *r)
{
    return r->error;
}

/* Keeps in r->error why a request failed as a whole.  Returns true if it did
 * not. */
static bool
check_result(struct registrar *r, const char *what,
             const struct http_result *result)
{
    free(r->error);
    r->error = NULL;
    if (!result->error && result->status >= 200 && result->status < 300) {
        return true;
    }
    r->error = (result->error
                ? xasprintf("%s: %s", what, result->error)
                : xasprintf("%s: HTTP status %ld", what, result->status));
    VLOG_INFO_RL(&rl, "%s", r->error);
    return false;
}

static json_t *
parse_answer(const struct http_result *result)
{
    json_t *json = NULL;

    free(model_json_parse(result->body, result->body_len, SIZE_MAX, &json));
    return json;
}

/* Endpoints. */

static bool
endpoints_differ(const struct model_node *self,
                 const struct model_endpoint *endpoints, size_t n)
{
    if (self->n_endpoints != n) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!model_endpoint_equals(&self->endpoints[i], &endpoints[i])) {
            return true;
        }
    }
    return false;
}

static void
self_done(const struct http_result *result, void *r_)
{
    struct registrar *r = r_;

    r->self_in_flight = false;
    r->self_at = time_msec() + (check_result(r, "registering endpoints",
                                             result)
                                ? SENT_HOLD_MS : ERROR_HOLD_MS);
}

static void
run_self(struct registrar *r, const struct registrar_input *in)
{
    struct model_endpoint *endpoints;
    size_t n;

    if (r->self_in_flight || !in->endpoints || time_msec() < r->self_at) {
        return;
    }
    free(model_endpoints_parse(in->endpoints, &endpoints, &n));
    if (n && endpoints_differ(in->mapping->self, endpoints, n)) {
        json_t *body = json_pack("{s:o}", "endpoints",
                                 model_endpoints_to_json(endpoints, n));
        char *text = json_dumps(body, JSON_COMPACT);

        VLOG_INFO("registering endpoints %s", in->endpoints);
        r->self_in_flight = client_request(r->client, "PATCH", "/v1/self",
                                           text, self_done, r);
        free(text);
        json_decref(body);
    }
    free(endpoints);
}

/* Bindings. */

static char *
hold_key(const char *net, struct eth_addr mac)
{
    return xasprintf("%s "ETH_ADDR_FMT, net, ETH_ADDR_ARGS(mac));
}

static struct hold *
find_hold(const struct registrar *r, const char *net, struct eth_addr mac)
{
    char *key = hold_key(net, mac);
    struct hold *hold = shash_find_data(&r->holds, key);

    free(key);
    return hold;
}

static void
set_hold(struct registrar *r, const char *net, struct eth_addr mac,
         uint32_t what)
{
    struct hold *hold = find_hold(r, net, mac);

    if (!hold) {
        char *key = hold_key(net, mac);
        hold = xzalloc(sizeof *hold);
        token_bucket_init(&hold->news, 1, NEWS_BURST * NEWS_TOKENS);
        shash_add_nocopy(&r->holds, key, hold);
    }
    if (hold->what != what) {
        hold->without_addresses = false;
    }
    hold->what = what;
    hold->until = time_msec() + SENT_HOLD_MS;
}

static bool
is_held(const struct registrar *r, const char *net, struct eth_addr mac,
        uint32_t what)
{
    const struct hold *hold = find_hold(r, net, mac);
    return hold && hold->what == what && time_msec() < hold->until;
}

/* True if there may be something else to say of the MAC already.  If not, it
 * is looked at again in a while. */
static bool
may_tell(struct registrar *r, const char *net, struct eth_addr mac)
{
    struct hold *hold = find_hold(r, net, mac);

    return !hold || token_bucket_withdraw(&hold->news, NEWS_TOKENS);
}

static uint32_t
hash_put(const struct binding_put *put)
{
    uint32_t hash = hash_string(put->port->name, 1);

    if (put->port->iface_id) {
        hash = hash_string(put->port->iface_id, hash);
    }
    hash = hash_uint64_basis(put->sequence, hash);
    for (size_t i = 0; i < put->n_addresses; i++) {
        hash = model_address_hash(&put->addresses[i], hash);
    }
    return hash;
}

/* What was sent has come to nothing, or nobody knows whether: it is sent
 * again, if it is still not there. */
static void
release_sent(struct registrar *r)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &r->holds) {
        struct hold *hold = node->data;
        if (!hold->code) {
            hold->until = MIN(hold->until, time_msec());
        }
    }
}

/* True if 'p' has been to be removed for LEAVE_MS.  If it moves, its new node
 * claims it meanwhile, with its addresses, and nobody floods what is sent to
 * it, as to a MAC that is nowhere. */
static bool
has_left(struct registrar *r, const struct binding_remove *p)
{
    char *key = hold_key(p->net, p->mac);
    struct leave *leave = shash_find_data(&r->leaves, key);
    long long int now = time_msec();

    if (!leave) {
        leave = xmalloc(sizeof *leave);
        leave->since = now;
        shash_add_nocopy(&r->leaves, key, leave);
    } else {
        free(key);
    }
    leave->seen = true;
    if (now >= leave->since + LEAVE_MS) {
        return true;
    }
    r->next_look = MIN(r->next_look, leave->since + LEAVE_MS);
    return false;
}

/* Leaves in 'changes' those that has_left(), and forgets those that came
 * back, moved or were removed. */
static void
wait_for_leaves(struct registrar *r, struct binding_changes *changes)
{
    struct shash_node *node;
    size_t n = 0;

    for (size_t i = 0; i < changes->n_removes; i++) {
        if (has_left(r, &changes->removes[i])) {
            changes->removes[n++] = changes->removes[i];
        }
    }
    changes->n_removes = n;
    SHASH_FOR_EACH_SAFE (node, &r->leaves) {
        struct leave *leave = node->data;

        if (leave->seen) {
            leave->seen = false;
        } else {
            free(leave);
            shash_delete(&r->leaves, node);
        }
    }
}

/* Forgets holds that ended long ago. */
static void
prune_holds(struct registrar *r)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &r->holds) {
        struct hold *hold = node->data;
        if (time_msec() > hold->until + REFUSED_HOLD_MS) {
            free(hold->code);
            free(hold);
            shash_delete(&r->holds, node);
        }
    }
}

const char *
registrar_refusal(const struct registrar *r, const struct local_port *port)
{
    const struct hold *hold
        = port->has_mac ? find_hold(r, port->net, port->mac) : NULL;
    return hold ? hold->code : NULL;
}

static void
binding_result(struct registrar *r, const json_t *result)
{
    const char *net = json_string_value(json_object_get(result, "net"));
    const char *text = json_string_value(json_object_get(result, "mac"));
    const char *code = json_string_value(json_object_get(result, "code"));
    struct eth_addr mac;

    if (!net || !text || !eth_addr_from_string(text, &mac)) {
        return;
    }

    struct hold *hold = find_hold(r, net, mac);
    if (!code) {
        if (hold) {
            free(hold->code);
            hold->code = NULL;
        }
        return;
    }
    VLOG_INFO_RL(&rl, "the mapping service does not register %s in %s: %s",
                 text, net, code);
    if (!strcmp(code, "claim-outdated")) {
        return;                 /* The service will say where it is now. */
    }
    /* A MAC is worth registering without an address that somebody else
     * has. */
    bool address = strstr(code, "address") && hold
                   && !hold->without_addresses;
    if (hold) {
        hold->until = address ? 0 : time_msec() + REFUSED_HOLD_MS;
        hold->without_addresses |= address;
        free(hold->code);
        hold->code = xstrdup(code);
    }
}

static void
bindings_done(const struct http_result *result, void *r_)
{
    struct registrar *r = r_;

    r->bindings_in_flight = false;
    if (!check_result(r, "registering bindings", result)) {
        r->bindings_at = time_msec() + ERROR_HOLD_MS;
        release_sent(r);
        return;
    }
    json_t *answer = parse_answer(result);
    json_t *item;
    size_t i;
    json_array_foreach (json_object_get(answer, "results"), i, item) {
        binding_result(r, item);
    }
    json_decref(answer);
    r->look = true;             /* What did not fit in one request. */
}

static json_t *
mac_to_json(struct eth_addr mac)
{
    return json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
}

static json_t *
put_to_json(const struct registrar *r, const struct binding_put *put)
{
    const struct hold *hold = find_hold(r, put->port->net, put->mac);
    size_t n = hold && hold->without_addresses ? 0 : put->n_addresses;

    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o}",
                     "net", put->port->net,
                     "mac", mac_to_json(put->mac),
                     "sequence", json_integer(put->sequence),
                     "addresses", model_addresses_to_json(put->addresses, n),
                     "port", put->port->name,
                     "iface_id", model_string_or_null(put->port->iface_id));
}

/* Appends 'item', which is taken over, to 'array' if it fits. */
static bool
append(json_t *array, json_t *item, size_t *room)
{
    char *text = json_dumps(item, JSON_COMPACT);
    size_t size = strlen(text) + 1;
    bool fits = size <= *room && json_array_size(array) < ITEMS_MAX;

    free(text);
    if (fits) {
        *room -= size;
        json_array_append(array, item);
    }
    json_decref(item);
    return fits;
}

char *
registrar_take(struct registrar *r, const struct binding_changes *changes)
{
    json_t *put = json_array(), *removed = json_array();
    size_t room = REGISTRAR_BODY_MAX;
    char *text = NULL;

    for (size_t i = 0; i < changes->n_puts; i++) {
        const struct binding_put *p = &changes->puts[i];
        uint32_t what = hash_put(p);

        if (!is_held(r, p->port->net, p->mac, what)
            && may_tell(r, p->port->net, p->mac)) {
            if (!append(put, put_to_json(r, p), &room)) {
                break;
            }
            set_hold(r, p->port->net, p->mac, what);
        }
    }
    for (size_t i = 0; i < changes->n_removes; i++) {
        const struct binding_remove *p = &changes->removes[i];

        if (!is_held(r, p->net, p->mac, 0)) {
            if (!append(removed, json_pack("{s:s, s:o}", "net", p->net, "mac",
                                           mac_to_json(p->mac)), &room)) {
                break;
            }
            set_hold(r, p->net, p->mac, 0);
        }
    }
    if (json_array_size(put) || json_array_size(removed)) {
        json_t *body = json_pack("{s:O, s:O}", "put", put,
                                 "remove", removed);

        text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
    }
    json_decref(put);
    json_decref(removed);
    return text;
}

static void
send_changes(struct registrar *r, const struct binding_changes *changes)
{
    char *text = registrar_take(r, changes);

    if (text) {
        r->bindings_in_flight = client_request(r->client, "POST",
                                               "/v1/self/bindings", text,
                                               bindings_done, r);
        free(text);
    }
}

static void
run_bindings(struct registrar *r, const struct registrar_input *in)
{
    struct binding_changes changes;

    /* Another mapper, or the same one anew: guests that move don't wait. */
    if (r->connections != client_connections(r->client)) {
        r->connections = client_connections(r->client);
        r->bindings_at = 0;
        release_sent(r);
        r->look = true;
    }
    r->look |= in->changed;
    if (r->bindings_in_flight || time_msec() < r->bindings_at
        || (!r->look && time_msec() < r->next_look)) {
        return;
    }
    r->look = false;
    r->next_look = time_msec() + CHECK_MS;
    prune_holds(r);
    binding_changes_compute(&changes, in->mapping, in->ports, in->learnt,
                            time_msec());
    wait_for_leaves(r, &changes);
    send_changes(r, &changes);
    binding_changes_destroy(&changes);
}

void
registrar_run(struct registrar *r, const struct registrar_input *in)
{
    if (client_is_live(r->client)
        && in->mapping->self->state != MODEL_NODE_REVOKED) {
        run_self(r, in);
        if (in->mapping->self->state == MODEL_NODE_APPROVED) {
            run_bindings(r, in);
        }
    }
}

void
registrar_wait(const struct registrar *r)
{
    if (client_is_live(r->client)) {
        poll_timer_wait(CHECK_MS);
        /* What is due, and not done, has something else to wait for. */
        if (!shash_is_empty(&r->leaves) && time_msec() < r->next_look) {
            poll_timer_wait_until(r->next_look);
        }
    }
}
