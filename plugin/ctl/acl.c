/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a vSubnet: one by one. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/acl.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

json_t *
acl_body(const struct model_rule *rule)
{
    struct model_rule named = *rule;

    named.net = CONST_CAST(char *, "");
    json_t *json = model_rule_to_json(&named);
    json_object_del(json, "net");
    json_object_del(json, "revision");
    return json;
}

/* Adds to RULE, as the service tells it, what a table shows of it. */
static void
add_cells(json_t *json)
{
    struct model_rule rule;
    json_t *hits = json_object_get(json, "hits");

    ctl_check("the service's answer", model_rule_from_json(json, &rule));
    char *text = model_rule_to_text(&rule);
    char *end = strstr(text, " priority=");

    /* What is left says what is matched. */
    char *start = strchr(text, ' ') + 1;
    start += strcspn(start, " ");
    *end = '\0';
    json_object_set_new(json, "match",
                        json_string(start[0] ? start + 1 : "any"));
    json_object_set(json, "packets", json_object_get(hits, "packets"));
    json_object_set(json, "bytes", json_object_get(hits, "bytes"));
    free(text);
    model_rule_destroy(&rule);
}

/* For qsort(). */
static int
compare_json(const void *a_, const void *b_)
{
    json_t *const *a = a_, *const *b = b_;
    json_int_t pa = json_integer_value(json_object_get(*a, "priority"));
    json_int_t pb = json_integer_value(json_object_get(*b, "priority"));
    const char *aa = json_string_value(json_object_get(*a, "action"));
    const char *ab = json_string_value(json_object_get(*b, "action"));

    if (pa != pb) {
        return pa > pb ? -1 : 1;
    } else if (strcmp(aa, ab)) {
        return -strcmp(aa, ab);         /* "deny" before "allow". */
    }
    return strcmp(json_string_value(json_object_get(*a, "name")),
                  json_string_value(json_object_get(*b, "name")));
}

json_t *
acl_in_order(const json_t *rules)
{
    size_t n = json_array_size(rules);
    json_t **array = xcalloc(n + 1, sizeof *array);
    json_t *sorted = json_array();

    for (size_t i = 0; i < n; i++) {
        array[i] = json_array_get(rules, i);
    }
    qsort(array, n, sizeof *array, compare_json);
    for (size_t i = 0; i < n; i++) {
        json_array_append(sorted, array[i]);
    }
    free(array);
    return sorted;
}

/* Adds to member NAME of HITS that of MORE, up to what a number can be: hosts
 * say what they like. */
static void
add_hits(json_t *hits, const json_t *more, const char *name)
{
    json_int_t sum = json_integer_value(json_object_get(hits, name));
    json_int_t add = json_integer_value(json_object_get(more, name));

    json_object_set_new(hits, name, json_integer(
        add > INT64_MAX - sum ? INT64_MAX : sum + add));
}

/* Adds to the hits of RULES those of OTHERS, which a mapper told. */
static void
merge_hits(json_t *rules, const json_t *others)
{
    json_t *by_name = json_object();

    for (size_t i = 0; i < json_array_size(others); i++) {
        json_t *other = json_array_get(others, i);
        const char *name = json_string_value(json_object_get(other, "name"));

        if (name) {
            json_object_set(by_name, name, json_object_get(other, "hits"));
        }
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *rule = json_array_get(rules, i);
        const char *name = json_string_value(json_object_get(rule, "name"));
        json_t *hits = json_object_get(rule, "hits");
        const json_t *more = name ? json_object_get(by_name, name) : NULL;

        if (hits && more) {
            add_hits(hits, more, "packets");
            add_hits(hits, more, "bytes");
        }
    }
    json_decref(by_name);
}

/* A mapper knows what was reported to itself, and all else is in the database
 * that all share.  Several URLs may be of one mapper. */
static void
ask_all_mappers(struct ctl *ctl, json_t *rules)
{
    struct client *client = ctl_client(ctl);
    json_t *seen = json_object();

    if (client_n_urls(client) < 2 || !json_array_size(rules)) {
        json_decref(seen);
        return;
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_object_set_new(json_array_get(rules, i), "hits", json_pack(
            "{s:i, s:i}", "packets", 0, "bytes", 0));
    }
    for (size_t i = 0; i < client_n_urls(client); i++) {
        char *path = ctl_path("nets", ctl_arg(ctl, 0), "rules", NULL);

        client_pin(client, i);
        json_t *page = ctl_try(ctl, path, "what hosts told another mapper");
        const char *id = json_string_value(json_object_get(page, "hits_id"));
        if (id && !json_object_get(seen, id)) {
            json_object_set_new(seen, id, json_true());
            merge_hits(rules, json_object_get(page, "items"));
        }
        json_decref(page);
        free(path);
    }
    client_pin(client, CLIENT_ANY_URL);
    json_decref(seen);
}

/* In the order in which rules are asked. */
void
ctl_acl_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Priority", "priority" }, { "Name", "name" },
        { "Action", "action" }, { "Direction", "direction" },
        { "Match", "match" }, { "Log", "log" }, { "Packets", "packets" },
        { "Bytes", "bytes" }, { NULL, NULL },
    };
    json_t *rules = ctl_list_filtered(ctl, ctl_path("nets", ctl_arg(ctl, 0),
                                                    "rules", NULL), 0);

    ask_all_mappers(ctl, rules);
    if (ctl_has(ctl, OPT_JSON)) {
        output_json(rules);
    } else {
        for (size_t i = 0; i < json_array_size(rules); i++) {
            add_cells(json_array_get(rules, i));
        }
        json_t *sorted = acl_in_order(rules);
        output_table_in_order(sorted, columns);
        json_decref(sorted);
    }
    json_decref(rules);
}

void
ctl_acl_add(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    struct ds line = DS_EMPTY_INITIALIZER;
    struct model_rule rule;

    for (size_t i = 1; i < ctl->args.n; i++) {
        ds_put_format(&line, "%s%s", i > 1 ? " " : "", ctl->args.names[i]);
    }
    ctl_check("", model_rule_from_text(ds_cstr(&line), &rule));
    json_t *answer = ctl_request(ctl, "POST", ctl_path("nets", net, "rules",
                                                       NULL),
                                 acl_body(&rule));
    output_done(ctl, answer, "rule %s added to vSubnet %s", rule.name, net);
    json_decref(answer);
    model_rule_destroy(&rule);
    ds_destroy(&line);
}

void
ctl_acl_rm(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *name = ctl_arg(ctl, 1);
    json_t *answer = ctl_request(ctl, "DELETE",
                                 ctl_path("nets", net, "rules", name, NULL),
                                 NULL);

    output_done(ctl, answer, "rule %s of vSubnet %s removed", name, net);
    json_decref(answer);
}
