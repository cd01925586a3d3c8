/* SPDX-License-Identifier: Apache-2.0 */
/* A trace, in words. */
#include <config.h>
#include "controller/trace-words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/flow-names.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/own-keys.h"
#include "controller/rule-cookie.h"
#include "controller/trace-query.h"
#include "controller/trace-text.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "seal/wire.h"
#include "util.h"

enum { PEERS_MAX_BYTES = 64 * 1024 * 1024 };

/* Where the frame went, taken together. */
struct outcome {
    bool tunnel;
    bool flooded;               /* By table 40. */
    bool answered;              /* By this host. */
    size_t n_ports;             /* Local ones. */
};

static json_t *
node_to_json(const struct mapping *mapping, uint32_t number)
{
    const struct model_node *node = mapping_node(mapping, number);

    return json_pack("{s:I, s:o}", "number", (json_int_t) number,
                     "name", model_string_or_null(node ? node->name : NULL));
}

static const char *
node_name(const struct mapping *mapping, uint32_t number)
{
    const struct model_node *node = mapping_node(mapping, number);

    return node ? node->name : "that is not known";
}

static char *
port_name(const struct trace_facts *f, uint16_t ofport)
{
    const struct local_port *port
        = local_ports_find_ofport(f->ports, u16_to_ofp(ofport));

    return (ofport == f->tunnel ? xstrdup("the tunnel")
            : port ? xstrdup(port->name)
            : xasprintf("number %"PRIu16, ofport));
}

static bool
has_action(const struct trace_step *step, const char *begin)
{
    const char *action;
    size_t i;

    SVEC_FOR_EACH (i, action, &step->actions) {
        if (!strncmp(action, begin, strlen(begin))) {
            return true;
        }
    }
    return false;
}

/* True if the step ends the way: it goes to no other table. */
static bool
is_end(const struct trace_step *step)
{
    return !has_action(step, "goto_table:") && !has_action(step, "ct(table=");
}

static char *
cookie_text(const struct trace_facts *f, uint64_t cookie)
{
    struct cookie_name name;

    cookie_names(f->mapping, f->ports, &cookie, 1, &name);
    return name.text;
}

/* What a step on the way has decided; 'where' is the table from which one is
 * visited. */

/* What a visited table of MACs knows. */
static char *
lookup_words(const struct trace_facts *f, const struct trace_step *step,
             int where)
{
    const char *whose = where == FT_SOURCE ? "source" : "destination";

    if (step->miss) {
        return xasprintf("the %s is not %s", whose,
                         step->table == FT_LEARNT ? "learnt" : "registered");
    }
    char *object = cookie_text(f, step->cookie);
    char *words = xasprintf("the %s is known: %s", whose, object);
    free(object);
    return words;
}

static char *
rule_words(const struct trace_facts *f, const struct trace_step *step)
{
    const struct model_rule *rule = rule_cookie_find(f->mapping,
                                                     step->cookie);
    const char *end = (step->table == FT_ACL_EGRESS ? "the sender"
                       : "the receiver");

    if (step->miss || cookie_kind(step->cookie) != COOKIE_RULE) {
        return (step->miss ? xasprintf("no rule for %s names it", end)
                : NULL);
    }
    return (rule ? xasprintf("rule %s for %s %s it", rule->name, end,
                             (rule->action == MODEL_ALLOW ? "allows"
                              : "denies"))
            : xasprintf("a rule for %s that is gone decides", end));
}

static char *
classify_words(const struct trace_facts *f, const struct trace_step *step)
{
    if (is_end(step)) {
        return NULL;
    }
    if (f->query->from) {
        return xasprintf("from node %s through the tunnel, in vSubnet %s",
                         node_name(f->mapping, f->query->from),
                         f->query->net);
    }
    char *port = port_name(f, f->query->src.ofport);
    char *words = xasprintf("port %s is in vSubnet %s", port, f->query->net);
    free(port);
    return words;
}

static char *
ports_list(const struct trace_facts *f, const struct trace_step *step)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < step->n_outputs; i++) {
        char *port = port_name(f, step->outputs[i]);

        ds_put_format(&ds, "%s%s", i ? ", " : "", port);
        free(port);
    }
    return ds_steal_cstr(&ds);
}

static char *
output_words(const struct trace_facts *f, const struct trace_step *step)
{
    char *list = ports_list(f, step);
    char *words = (!step->n_outputs
                   ? xstrdup(step->table == FT_FLOOD
                             ? "flooded, as the rules say for each port"
                             : "goes nowhere: it would go back")
                   : step->table == FT_FLOOD
                   ? xasprintf("flooded to %s", list)
                   : xasprintf("goes to %s", list));

    free(list);
    return words;
}

/* By the flow's object, where that says enough. */
static char *
object_words(const struct trace_facts *f, const struct trace_step *step)
{
    char *object;
    char *words = NULL;

    switch (cookie_kind(step->cookie)) {
    case COOKIE_SECURITY:
        return xstrdup(is_end(step) ? "port security drops it"
                       : "port security lets it pass");
    case COOKIE_STORM:
        return xstrdup("not to one known port: metered by the port's limit");
    case COOKIE_ARP:
    case COOKIE_SERVICE:
    case COOKIE_LOOP:
        object = cookie_text(f, step->cookie);
        words = (is_end(step) || has_action(step, "controller")
                 ? xstrdup(object) : NULL);
        free(object);
        return words;
    default:
        return NULL;
    }
}

static char *
step_words(const struct trace_facts *f, const struct trace_step *step,
           int where)
{
    switch (step->table) {
    case FT_CLASSIFY:
        return classify_words(f, step);
    case FT_LEARN:
        return (has_action(step, "learn(")
                ? xstrdup("the source is learnt") : NULL);
    case FT_BINDINGS:
    case FT_LEARNT:
        return lookup_words(f, step, where);
    case FT_ACL_OUT:
        return (step->priority
                ? xstrdup("the vSubnet is closed or has rules") : NULL);
    case FT_ACL_EGRESS:
    case FT_ACL_INGRESS:
        return rule_words(f, step);
    case FT_FLOOD:
    case FT_OUTPUT:
        return output_words(f, step);
    default:
        return object_words(f, step);
    }
}

static json_t *
steps_to_json(const struct trace_facts *f)
{
    json_t *array = json_array();
    int where = 0;

    for (size_t i = 0; i < f->text->n; i++) {
        const struct trace_step *step = &f->text->steps[i];
        const char *table = flow_table_name(step->table);
        json_t *actions = json_array();
        const char *action;
        size_t j;

        where = step->depth ? where : step->table;
        SVEC_FOR_EACH (j, action, &step->actions) {
            json_array_append_new(actions, json_string(action));
        }
        char *object = step->miss ? NULL : cookie_text(f, step->cookie);
        char *words = step_words(f, step, where);
        json_array_append_new(array, json_pack(
            "{s:o, s:o, s:i, s:s, s:o, s:o}",
            "table", (table ? json_string(table)
                      : json_integer(step->table)),
            "object", model_string_or_null(object),
            "priority", step->priority, "match", step->match,
            "actions", actions, "words", model_string_or_null(words)));
        free(object);
        free(words);
    }
    return array;
}

/* What became of it. */

static struct outcome
find_outcome(const struct trace_facts *f)
{
    struct outcome o = { .tunnel = false };

    for (size_t i = 0; i < f->text->n; i++) {
        const struct trace_step *step = &f->text->steps[i];
        enum cookie_kind kind = cookie_kind(step->cookie);

        for (size_t j = 0; j < step->n_outputs; j++) {
            o.tunnel |= step->outputs[j] == f->tunnel;
            o.n_ports += step->outputs[j] != f->tunnel;
        }
        o.flooded |= step->table == FT_FLOOD && !step->miss;
        o.answered |= ((kind == COOKIE_SERVICE || step->table == FT_ARP_ANSWER)
                       && (has_action(step, "controller")
                           || has_action(step, "IN_PORT")
                           || has_action(step, "output:IN_PORT")));
    }
    return o;
}

/* By what it was dropped: the last rule that spoke, or the last flow. */
static char *
dropped_by(const struct trace_facts *f)
{
    const struct trace_step *last = NULL, *rule = NULL;

    for (size_t i = 0; i < f->text->n; i++) {
        const struct trace_step *step = &f->text->steps[i];

        if (step->table == FT_ACL_EGRESS || step->table == FT_ACL_INGRESS) {
            rule = step;
        }
        if (!step->depth) {
            last = step;
        }
    }
    if (!last) {
        return xstrdup("Open vSwitch");
    }
    if (last->table == FT_ACL_VERDICT && rule) {
        return (cookie_kind(rule->cookie) == COOKIE_RULE && !rule->miss
                ? cookie_text(f, rule->cookie)
                : xasprintf("policy closed: no rule for the %s allows it",
                            rule->table == FT_ACL_EGRESS ? "sender"
                            : "receiver"));
    }
    if (last->table == FT_CLASSIFY && cookie_kind(last->cookie) == COOKIE_BASE
        && !last->priority) {
        return xstrdup("what it came from is in no vSubnet");
    }
    if (cookie_kind(last->cookie) != COOKIE_BASE
        && cookie_kind(last->cookie) != COOKIE_NET) {
        return cookie_text(f, last->cookie);
    }
    const char *table = flow_table_name(last->table);
    return xasprintf("table %s", table ? table : "?");
}

/* The tunnel. */

uint32_t
trace_words_peer(const struct trace_text *text, uint16_t tunnel)
{
    bool used = false;

    for (size_t i = 0; i < text->n; i++) {
        for (size_t j = 0; j < text->steps[i].n_outputs; j++) {
            used |= tunnel && text->steps[i].outputs[j] == tunnel;
        }
    }
    return used ? wire_node_number(htonl(text->tun_dst)) : 0;
}

/* Adds what the tunnel port says of the peer. */
static void
put_peer(json_t *tunnel, const struct trace_facts *f, uint32_t number)
{
    json_t *ports = NULL;
    char *error = (f->peers
                   ? model_json_parse(f->peers, strlen(f->peers),
                                      PEERS_MAX_BYTES, &ports)
                   : xstrdup("not asked"));
    const json_t *peers = json_object_get(json_array_get(ports, 0), "peers");

    for (size_t i = 0; !error && i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        json_int_t mtu = json_integer_value(json_object_get(peer, "mtu"));

        if (json_integer_value(json_object_get(peer, "node")) != number) {
            continue;
        }
        json_object_set(tunnel, "endpoint", json_object_get(peer, "endpoint"));
        json_object_set(tunnel, "mtu", json_object_get(peer, "mtu"));
        json_object_set(tunnel, "mtu_source",
                        json_object_get(peer, "mtu_source"));
        if (f->query->size) {
            json_object_set_new(tunnel, "fits",
                                json_boolean(f->query->size <= mtu));
        }
    }
    json_decref(ports);
    free(error);
}

static json_t *
tunnel_to_json(const struct trace_facts *f, const struct outcome *o)
{
    uint32_t number = trace_words_peer(f->text, f->tunnel);

    if (!o->tunnel) {
        return json_null();
    }
    json_t *json = json_pack(
        "{s:o, s:o}", "node", (number ? node_to_json(f->mapping, number)
                               : json_null()),
        "tunnel_address", json_sprintf(IP_FMT,
                                       IP_ARGS(htonl(f->text->tun_dst))));
    if (f->key) {
        json_object_set_new(json, "spi", json_integer(f->key->spi));
        json_object_set_new(json, "epoch", json_integer(f->key->epoch));
    }
    if (number) {
        put_peer(json, f, number);
    }
    return json;
}

static json_t *
port_names(const struct trace_facts *f)
{
    json_t *array = json_array();

    for (size_t i = 0; i < f->text->n; i++) {
        const struct trace_step *step = &f->text->steps[i];

        for (size_t j = 0; j < step->n_outputs; j++) {
            if (step->outputs[j] != f->tunnel) {
                char *name = port_name(f, step->outputs[j]);

                json_array_append_new(array, json_string(name));
                free(name);
            }
        }
    }
    return array;
}

static json_t *
end_to_json(const struct trace_end *end)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (end->has_ip) {
        ipv6_format_mapped(&end->ip.ip, &ds);
    }
    json_t *json = json_pack(
        "{s:o, s:o, s:o}",
        "mac", json_sprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(end->mac)),
        "address", model_string_or_null(ds.length ? ds_cstr(&ds) : NULL),
        "node", end->node ? json_integer(end->node) : json_null());
    ds_destroy(&ds);
    return json;
}

static char *
summary(const struct trace_facts *f, const struct outcome *o,
        const char *dropper)
{
    uint32_t number = trace_words_peer(f->text, f->tunnel);

    if (dropper) {
        return xasprintf("dropped by %s", dropper);
    } else if (o->answered && !o->n_ports && !o->tunnel) {
        return xstrdup("answered by this host");
    } else if (o->flooded) {
        return xasprintf("flooded to %"PRIuSIZE" local port%s%s", o->n_ports,
                         o->n_ports == 1 ? "" : "s",
                         o->tunnel ? " and all other members" : "");
    } else if (o->tunnel) {
        return xasprintf("sent through the tunnel to node %s",
                         node_name(f->mapping, number));
    }
    return xstrdup("delivered");
}

json_t *
trace_words(const struct trace_facts *f)
{
    const struct trace_query *q = f->query;
    struct outcome o = find_outcome(f);
    bool dropped = !o.tunnel && !o.n_ports && !o.answered;
    char *dropper = dropped ? dropped_by(f) : NULL;
    char *sentence = summary(f, &o, dropper);
    json_t *json = json_pack(
        "{s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:s}",
        "node", node_to_json(f->mapping, (f->mapping->self
                                          ? f->mapping->self->number : 0)),
        "from", q->from ? node_to_json(f->mapping, q->from) : json_null(),
        "net", q->net,
        "src", end_to_json(&q->src), "dst", end_to_json(&q->dst),
        "flow", q->flow, "steps", steps_to_json(f),
        "outcome", (dropped ? "dropped" : o.flooded ? "flooded"
                    : o.tunnel ? "tunnel" : o.n_ports ? "delivered"
                    : "answered"),
        "ports", port_names(f), "tunnel", tunnel_to_json(f, &o),
        "dropped_by", model_string_or_null(dropper),
        "summary", sentence);

    if (f->text->error) {
        json_object_set_new(json, "error", json_string(f->text->error));
    }
    free(sentence);
    free(dropper);
    return json;
}
