/* SPDX-License-Identifier: Apache-2.0 */
/* What tables and cookies of the bridge's flows are called. */
#include <config.h>
#include "controller/flow-names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/controller.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/rule-cookie.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "unixctl.h"
#include "util.h"

/* They are also the bridge's own, so OpenFlow's programs know them. */
static const char *const table_names[] = {
    [FT_CLASSIFY] = "classify",
    [FT_SECURITY] = "security",
    [FT_SECURITY_ND] = "security_nd",
    [FT_SOURCE] = "source",
    [FT_LEARN] = "learn",
    [FT_LEARN_FULL] = "learn_full",
    [FT_ARP] = "arp_nd",
    [FT_ARP_ASKED] = "arp_asked",
    [FT_ARP_ANSWER] = "arp_answer",
    [FT_SERVICES] = "services",
    [FT_DESTINATION] = "destination",
    [FT_DESTINATION_LEARNT] = "destination_learnt",
    [FT_ACL_OUT] = "acl_out",
    [FT_ACL_TRACK] = "acl_track",
    [FT_ACL_TRACKED] = "acl_tracked",
    [FT_BINDINGS] = "bindings",
    [FT_LEARNT] = "learnt",
    [FT_STORM] = "storm",
    [FT_FLOOD] = "flood",
    [FT_ACL_IN] = "acl_in",
    [FT_ACL_EGRESS] = "acl_egress",
    [FT_ACL_INGRESS] = "acl_ingress",
    [FT_ACL_SECOND] = "acl_second",
    [FT_ACL_VERDICT] = "acl_verdict",
    [FT_OUTPUT] = "output",
};

const char *
flow_table_name(uint8_t table)
{
    return table < ARRAY_SIZE(table_names) ? table_names[table] : NULL;
}

/* The object of a cookie is one of these. */
enum cookie_object_type {
    OBJECT_NONE,
    OBJECT_PORT,
    OBJECT_MAC,
    OBJECT_RULE,
};

static const struct cookie_words {
    const char *kind;
    enum cookie_object_type type;
    const char *before;         /* What is said before the object. */
} cookie_words[] = {
    [COOKIE_BASE] = { "base", OBJECT_NONE, "what all vSubnets share" },
    [COOKIE_NET] = { "vsubnet", OBJECT_NONE, "the vSubnet itself" },
    [COOKIE_PORT] = { "port", OBJECT_PORT, "port " },
    [COOKIE_BINDING] = { "binding", OBJECT_MAC, "binding " },
    [COOKIE_LEARNT] = { "learnt", OBJECT_PORT, "learnt from " },
    [COOKIE_RULE] = { "rule", OBJECT_RULE, "rule " },
    [COOKIE_SECURITY] = { "security", OBJECT_PORT, "security of port " },
    [COOKIE_ARP] = { "arp", OBJECT_MAC, "ARP and ND answers for " },
    [COOKIE_SERVICE] = { "service", OBJECT_PORT,
                         "DHCP and router advertisements for port " },
    [COOKIE_STORM] = { "storm", OBJECT_PORT, "storm control of port " },
    [COOKIE_LOOP] = { "loop", OBJECT_PORT, "loop protection of port " },
};

static const struct cookie_words *
words_of(uint64_t cookie)
{
    size_t kind = cookie >> 56;

    return (kind < ARRAY_SIZE(cookie_words) && cookie_words[kind].kind
            ? &cookie_words[kind] : NULL);
}

static char *
port_name(const struct local_ports *ports, uint32_t object)
{
    const struct local_port *port = NULL;

    if (object == COOKIE_FROM_TUNNEL) {
        return xstrdup("the tunnel");
    }
    if (object <= UINT16_MAX) {
        port = local_ports_find_ofport(ports, u16_to_ofp(object));
    }
    return (port ? xstrdup(port->name)
            : xasprintf("number %"PRIu32" (gone)", object));
}

static void
put_node(struct ds *ds, const struct mapping *mapping, uint32_t number)
{
    const struct model_node *node = mapping_node(mapping, number);

    if (!number) {
        ds_put_cstr(ds, " at no node");
    } else if (mapping->self && number == mapping->self->number) {
        ds_put_cstr(ds, " at this node");
    } else if (node) {
        ds_put_format(ds, " at node %s", node->name);
    } else {
        ds_put_format(ds, " at node %"PRIu32, number);
    }
}

/* Appends "06:76:00:00:00:09 (10.77.0.9) at node h9". */
static void
put_binding(struct ds *ds, const struct mapping *mapping,
            const struct model_binding *binding)
{
    ds_put_format(ds, ETH_ADDR_FMT, ETH_ADDR_ARGS(binding->mac));
    for (size_t i = 0; i < binding->n_addresses; i++) {
        ds_put_cstr(ds, i ? ", " : " (");
        model_address_format(&binding->addresses[i], ds);
    }
    ds_put_cstr(ds, binding->n_addresses ? ")" : "");
    put_node(ds, mapping, binding->node);
}

/* A cookie whose object is to be found among many. */
struct sought {
    uint64_t cookie;
    struct ds ds;               /* The objects found. */
};

static int
compare_sought(const void *a_, const void *b_)
{
    const struct sought *a = a_, *b = b_;

    return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

static struct sought *
find_sought(struct sought *sought, size_t n, uint64_t cookie)
{
    struct sought key = { .cookie = cookie };

    return bsearch(&key, sought, n, sizeof *sought, compare_sought);
}

/* Adds 'binding' to what has been found, if it is sought there. */
static void
found_binding(struct sought *sought, size_t n, enum cookie_kind kind,
              const struct mapping *mapping, const struct model_net *net,
              const struct model_binding *binding)
{
    uint32_t mac_low = eth_addr_to_uint64(binding->mac);
    struct sought *s = find_sought(sought, n,
                                   cookie_make(kind, net->vni, mac_low));

    if (s) {
        ds_put_cstr(&s->ds, s->ds.length ? " or " : "");
        put_binding(&s->ds, mapping, binding);
    }
}

/* Looks for the objects of 'sought', which is sorted, in the vSubnets. */
static void
find_objects(const struct mapping *mapping, struct sought *sought, size_t n)
{
    uint32_t last = UINT32_MAX;

    for (size_t i = 0; mapping && i < n; i++) {
        const struct model_net *net;
        const struct model_binding *binding;
        uint32_t vni = cookie_vni(sought[i].cookie);
        enum cookie_kind kind = cookie_kind(sought[i].cookie);

        /* Sorted by kind and VNI: one walk for each of these. */
        if (i && kind == cookie_kind(sought[i - 1].cookie) && vni == last) {
            continue;
        }
        last = vni;
        net = mapping_net_by_vni(mapping, vni);
        if (net) {
            HMAP_FOR_EACH (binding, in_net, &net->bindings) {
                found_binding(sought, n, kind, mapping, net, binding);
            }
        }
    }
}

static char *
rule_name(const struct mapping *mapping, uint64_t cookie)
{
    const struct model_rule *rule = (mapping
                                     ? rule_cookie_find(mapping, cookie)
                                     : NULL);

    return (rule ? xstrdup(rule->name)
            : xasprintf("%08"PRIx32" (gone)", cookie_object(cookie)));
}

static char *
sought_name(struct sought *sought, size_t n, uint64_t cookie)
{
    const struct sought *s = find_sought(sought, n, cookie);
    uint32_t object = cookie_object(cookie);

    return (s->ds.length ? xstrdup(ds_cstr_ro(&s->ds))
            : xasprintf("xx:xx:%02x:%02x:%02x:%02x (gone)", object >> 24,
                        object >> 16 & 0xff, object >> 8 & 0xff,
                        object & 0xff));
}

void
cookie_names(const struct mapping *mapping, const struct local_ports *ports,
             const uint64_t cookies[], size_t n, struct cookie_name names[])
{
    struct sought *sought = xcalloc(n ? n : 1, sizeof *sought);
    size_t n_sought = 0;

    for (size_t i = 0; i < n; i++) {
        const struct cookie_words *words = words_of(cookies[i]);

        if (words && words->type == OBJECT_MAC) {
            sought[n_sought++] = (struct sought) { cookies[i],
                                                   DS_EMPTY_INITIALIZER };
        }
    }
    qsort(sought, n_sought, sizeof *sought, compare_sought);
    find_objects(mapping, sought, n_sought);

    for (size_t i = 0; i < n; i++) {
        const struct cookie_words *words = words_of(cookies[i]);

        if (!words) {
            names[i] = (struct cookie_name) {
                .kind = "other", .text = xstrdup("not vSubnet's") };
            continue;
        }
        uint32_t vni = cookie_vni(cookies[i]);
        char *object = (
            words->type == OBJECT_PORT
            ? port_name(ports, cookie_object(cookies[i]))
            : words->type == OBJECT_MAC
            ? sought_name(sought, n_sought, cookies[i])
            : words->type == OBJECT_RULE
            ? rule_name(mapping, cookies[i]) : xstrdup(""));
        names[i] = (struct cookie_name) {
            .kind = words->kind,
            .net = mapping && vni ? mapping_net_by_vni(mapping, vni) : NULL,
            .vni = vni,
            .text = xasprintf("%s%s", words->before, object),
        };
        free(object);
    }
    for (size_t i = 0; i < n_sought; i++) {
        ds_destroy(&sought[i].ds);
    }
    free(sought);
}

void
cookie_name_destroy(struct cookie_name *name)
{
    free(name->text);
}

/* The command. */

static void
flow_names_command(struct unixctl_conn *conn, int argc, const char *argv[],
                   void *c_)
{
    const struct controller *c = c_;
    size_t n = argc - 1;
    uint64_t *cookies = xcalloc(n ? n : 1, sizeof *cookies);
    struct cookie_name *names = xcalloc(n ? n : 1, sizeof *names);
    json_t *json = json_object();

    for (size_t i = 0; i < n; i++) {
        char *tail;

        cookies[i] = strtoull(argv[i + 1], &tail, 0);
        if (!*argv[i + 1] || *tail) {
            unixctl_command_reply_error(conn, "a cookie is a number");
            goto exit;
        }
    }
    cookie_names(c->mapping, &c->ports, cookies, n, names);
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(json, argv[i + 1], json_pack(
            "{s:s, s:o, s:I, s:s}", "kind", names[i].kind,
            "net", model_string_or_null(names[i].net ? names[i].net->name
                                        : NULL),
            "vni", (json_int_t) names[i].vni, "name", names[i].text));
        cookie_name_destroy(&names[i]);
    }
    char *text = json_dumps(json, JSON_COMPACT);
    unixctl_command_reply(conn, text);
    free(text);

exit:
    json_decref(json);
    free(names);
    free(cookies);
}

void
flow_names_init(struct controller *c)
{
    unixctl_command_register("vsubnet/flow-names", "COOKIE...", 0,
                             COOKIE_NAMES_MAX, flow_names_command, c);
}
