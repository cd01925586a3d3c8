/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: words, ports, checks, and JSON both ways. */

#include <config.h>
#include "model/rule.h"

#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Words. */

const char *
model_direction_name(enum model_direction direction)
{
    return direction == MODEL_INGRESS ? "ingress" : "egress";
}

char *
model_direction_parse(const char *s, enum model_direction *direction)
{
    if (strcmp(s, "ingress") && strcmp(s, "egress")) {
        return xasprintf("%.60s: not a direction (ingress or egress)", s);
    }
    *direction = *s == 'i' ? MODEL_INGRESS : MODEL_EGRESS;
    return NULL;
}

const char *
model_action_name(enum model_action action)
{
    return action == MODEL_ALLOW ? "allow" : "deny";
}

char *
model_action_parse(const char *s, enum model_action *action)
{
    if (strcmp(s, "allow") && strcmp(s, "deny")) {
        return xasprintf("%.60s: not an action (allow or deny)", s);
    }
    *action = *s == 'a' ? MODEL_ALLOW : MODEL_DENY;
    return NULL;
}

static const struct protocol {
    const char *name;
    uint8_t number;
} protocols[] = {
    { "tcp", IPPROTO_TCP },
    { "udp", IPPROTO_UDP },
    { "sctp", IPPROTO_SCTP },
    { "icmp", IPPROTO_ICMP },
    { "icmp6", IPPROTO_ICMPV6 },
};

const char *
model_protocol_name(int number)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (protocols[i].number == number) {
            return protocols[i].name;
        }
    }
    return NULL;
}

char *
model_protocol_parse(const char *s, int *protocol)
{
    unsigned int number;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(protocols[i].name, s)) {
            *protocol = protocols[i].number;
            return NULL;
        }
    }
    if (!*s || strlen(s) > 3 || s[strspn(s, "0123456789")]
        || !str_to_uint(s, 10, &number) || number > 255) {
        return xasprintf("%.60s: not a protocol (tcp, udp, sctp, icmp, icmp6 "
                         "or a number from 0 to 255)", s);
    }
    *protocol = number;
    return NULL;
}

static bool
has_ports(int protocol)
{
    return (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP
            || protocol == IPPROTO_SCTP);
}

static bool
is_icmp(int protocol)
{
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Ports. */

/* Reads a port at '*s' and moves behind it. */
static bool
scan_port(const char **s, uint16_t *port)
{
    size_t n = strspn(*s, "0123456789");
    unsigned long number = strtoul(*s, NULL, 10);

    if (!n || n > 5 || number > UINT16_MAX || (n > 1 && **s == '0')) {
        return false;
    }
    *port = number;
    *s += n;
    return true;
}

static bool
scan_range(const char **s, struct model_port_range *range)
{
    if (!scan_port(s, &range->first)) {
        return false;
    }
    range->last = range->first;
    if (**s == '-') {
        ++*s;
        return scan_port(s, &range->last) && range->first <= range->last;
    }
    return true;
}

static int
compare_ranges(const void *a_, const void *b_)
{
    const struct model_port_range *a = a_, *b = b_;

    return a->first < b->first ? -1 : a->first > b->first;
}

char *
model_ports_parse(const char *s, struct model_port_range **portsp,
                  size_t *np)
{
    struct model_port_range ports[MODEL_RULE_PORTS_MAX];
    size_t n = 0;

    if (s[strspn(s, "0123456789,-")]) {
        return xstrdup("not a list of ports such as 80,443,8000-8080");
    }
    for (const char *p = s; ; p++) {
        if (n >= MODEL_RULE_PORTS_MAX) {
            return xasprintf("more than %d ranges of ports",
                             MODEL_RULE_PORTS_MAX);
        }
        if (!scan_range(&p, &ports[n++]) || (*p && *p != ',')) {
            return xasprintf("%.60s: not a list of ports such as "
                             "80,443,8000-8080", s);
        }
        if (!*p) {
            break;
        }
    }
    qsort(ports, n, sizeof *ports, compare_ranges);
    for (size_t i = 1; i < n; i++) {
        if (ports[i].first <= ports[i - 1].last) {
            return xasprintf("%.60s: port %"PRIu16" appears twice", s,
                             ports[i].first);
        }
    }
    *portsp = xmemdup(ports, n * sizeof *ports);
    *np = n;
    return NULL;
}

char *
model_ports_format(const struct model_port_range *ports, size_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s%"PRIu16, i ? "," : "", ports[i].first);
        if (ports[i].last != ports[i].first) {
            ds_put_format(&s, "-%"PRIu16, ports[i].last);
        }
    }
    return n ? ds_steal_cstr(&s) : NULL;
}

/* Addresses. */

char *
model_remote_parse(const char *s, struct model_address *remote)
{
    struct model_address a;
    char *error = model_address_parse(s, &a);

    if (error) {
        return error;
    }
    if (a.plen >= 0) {
        int plen = a.plen + (model_address_is_ipv4(&a) ? 96 : 0);
        struct in6_addr mask = ipv6_create_mask(plen);
        struct in6_addr network = ipv6_addr_bitand(&a.ip, &mask);

        if (!ipv6_addr_equals(&network, &a.ip)) {
            return xasprintf("host bits set in %.60s", s);
        }
    }
    *remote = a;
    return NULL;
}

/* Checks. */

/* The family of a remote address must be that of the ICMP. */
static bool
remote_fits(const struct model_rule *rule)
{
    bool ipv4 = model_address_is_ipv4(&rule->remote);

    return (!rule->has_remote
            || rule->protocol != (ipv4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP));
}

char *
model_rule_check(const struct model_rule *rule)
{
    if (rule->remote_label && rule->has_remote) {
        return xstrdup("remote_address: not together with remote_label");
    }
    if (rule->n_ports && !has_ports(rule->protocol)) {
        return xstrdup("ports: only with protocol tcp, udp or sctp");
    }
    if (rule->icmp_type >= 0 && !is_icmp(rule->protocol)) {
        return xstrdup("icmp_type: only with protocol icmp or icmp6");
    }
    if (rule->icmp_code >= 0 && rule->icmp_type < 0) {
        return xstrdup("icmp_code: only with icmp_type");
    }
    if (!remote_fits(rule)) {
        return xasprintf("remote_address: not an address that %s can have",
                         model_protocol_name(rule->protocol));
    }
    return NULL;
}

int
model_rule_compare(const struct model_rule *a, const struct model_rule *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    if (a->action != b->action) {
        return a->action == MODEL_DENY ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/* JSON. */

static json_t *
integer_or_null(int i)
{
    return i < 0 ? json_null() : json_integer(i);
}

static json_t *
protocol_to_json(int protocol)
{
    const char *name = model_protocol_name(protocol);

    return name ? json_string(name) : integer_or_null(protocol);
}

json_t *
model_rule_to_json(const struct model_rule *rule)
{
    char *ports = model_ports_format(rule->ports, rule->n_ports);
    char remote[MODEL_ADDRESS_STRLEN];
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:i, s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o,"
        " s:o}",
        "revision", model_revision_to_json(rule->revision),
        "net", rule->net,
        "name", rule->name,
        "priority", (int) rule->priority,
        "direction", model_direction_name(rule->direction),
        "label", model_string_or_null(rule->label),
        "action", model_action_name(rule->action),
        "log", (int) rule->log,
        "remote_label", model_string_or_null(rule->remote_label),
        "remote_address", model_string_or_null(
            rule->has_remote ? model_address_string(&rule->remote, remote)
            : NULL),
        "protocol", protocol_to_json(rule->protocol),
        "ports", model_string_or_null(ports),
        "icmp_type", integer_or_null(rule->icmp_type),
        "icmp_code", integer_or_null(rule->icmp_code));

    free(ports);
    return json;
}

/* Reads a string and hands it to PARSE, which knows what it may be. */
#define READ_PARSED(R, FIELD, PRESENCE, PARSE, ...)                     \
    do {                                                                \
        const char *s_ = model_reader_string(R, FIELD, PRESENCE);       \
        char *error_ = s_ ? PARSE(s_, __VA_ARGS__) : NULL;              \
                                                                        \
        if (error_) {                                                   \
            model_reader_fail(R, FIELD, error_);                        \
        }                                                               \
    } while (0)

static void
read_protocol(struct model_reader *r, int *protocol)
{
    if (json_is_integer(json_object_get(r->object, "protocol"))) {
        *protocol = model_reader_uint(r, "protocol", MODEL_OPTIONAL, 0, 255);
    } else {
        READ_PARSED(r, "protocol", MODEL_OPTIONAL, model_protocol_parse,
                    protocol);
    }
}

static int
read_octet(struct model_reader *r, const char *field)
{
    return (model_reader_has(r, field)
            ? model_reader_uint(r, field, MODEL_OPTIONAL, 0, 255) : -1);
}

static void
read_match(struct model_reader *r, struct model_rule *rule)
{
    READ_PARSED(r, "remote_address", MODEL_OPTIONAL, model_remote_parse,
                &rule->remote);
    rule->has_remote = model_reader_has(r, "remote_address");
    read_protocol(r, &rule->protocol);
    const char *ports = model_reader_text(r, "ports", MODEL_OPTIONAL,
                                          MODEL_RULE_PORTS_MAX * 12);
    char *error = (ports ? model_ports_parse(ports, &rule->ports,
                                             &rule->n_ports) : NULL);
    if (error) {
        model_reader_fail(r, "ports", error);
    }
    rule->icmp_type = read_octet(r, "icmp_type");
    rule->icmp_code = read_octet(r, "icmp_code");
}

void
model_rule_read(struct model_reader *r, enum model_presence priority,
                struct model_rule *rule)
{
    *rule = (struct model_rule) { .protocol = -1 };
    rule->name = nullable_xstrdup(model_reader_name(r, "name",
                                                    MODEL_REQUIRED));
    rule->priority = MODEL_RULE_PRIORITY;
    if (priority == MODEL_REQUIRED || model_reader_has(r, "priority")) {
        rule->priority = model_reader_uint(r, "priority", MODEL_REQUIRED, 0,
                                           MODEL_RULE_PRIORITY_MAX);
    }
    READ_PARSED(r, "direction", MODEL_REQUIRED, model_direction_parse,
                &rule->direction);
    rule->label = nullable_xstrdup(model_reader_name(r, "label",
                                                     MODEL_OPTIONAL));
    READ_PARSED(r, "action", MODEL_REQUIRED, model_action_parse,
                &rule->action);
    rule->log = model_reader_bool(r, "log", MODEL_OPTIONAL);
    rule->remote_label = nullable_xstrdup(
        model_reader_name(r, "remote_label", MODEL_OPTIONAL));
    read_match(r, rule);

    char *error = r->error ? NULL : model_rule_check(rule);
    if (error) {
        model_reader_fail(r, NULL, error);
    }
}

char *
model_rule_from_json(const json_t *json, struct model_rule *rulep)
{
    struct model_revision revision;
    struct model_rule rule;
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_revision(&r, "revision", MODEL_REQUIRED, &revision);
    const char *net = model_reader_name(&r, "net", MODEL_REQUIRED);
    model_rule_read(&r, MODEL_REQUIRED, &rule);
    rule.net = nullable_xstrdup(net);
    rule.revision = revision;

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        model_rule_destroy(&rule);
        return error;
    }
    *rulep = rule;
    return NULL;
}

void
model_rule_destroy(struct model_rule *rule)
{
    free(rule->net);
    free(rule->name);
    free(rule->label);
    free(rule->remote_label);
    free(rule->ports);
}
