/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's flows, and for which object each one is there. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "model/jansson.h"
#include "util.h"

/* Flows come from the switch, by ovs-ofctl; the names of their cookies from the
 * controller, which has the mapping.  Flows of one cookie are one object:
 *
 *      {"net","vni","kind","name","cookie","flows":N,"packets":N,"bytes":N,
 *       "entries":[{"table","priority","packets","bytes","match","actions"}]}
 *
 * "table" is the name that the bridge has for it. */

enum { COOKIES_AT_ONCE = 4000 };        /* The controller takes a few more. */

static const char *
text_of(const json_t *object, const char *member)
{
    const char *s = json_string_value(json_object_get(object, member));

    return s ? s : "";
}

/* Returns the number that follows NAME in LINE, or 0. */
static json_int_t
number_after(const char *line, const char *name)
{
    const char *s = strstr(line, name);

    return s ? strtoll(s + strlen(name), NULL, 10) : 0;
}

/* Returns what follows NAME in LINE up to a comma, or null. */
static json_t *
word_after(const char *line, const char *name)
{
    const char *s = strstr(line, name);

    if (!s) {
        return json_null();
    }
    s += strlen(name);
    s += *s == '"';             /* Around names that are no plain words. */
    return json_stringn(s, strcspn(s, "\","));
}

/* Reads a line of "ovs-ofctl dump-flows", such as
 *
 *      cookie=0x1, duration=9s, table=learn, n_packets=0, n_bytes=0, priority=0 \
 *      actions=goto_table:10
 *
 * which it may change.  Returns null if it is none. */
static json_t *
entry_from_line(char *line)
{
    char *actions = strstr(line, " actions=");
    char *match = line;

    if (strncmp(line, " cookie=", 8) || !actions) {
        return NULL;
    }
    *actions = '\0';
    for (char *s = line; (s = strstr(s, ", ")) != NULL; ) {
        match = s += 2;
    }
    json_int_t priority = 32768;
    if (!strncmp(match, "priority=", 9)) {
        priority = strtoll(match + 9, &match, 10);
        match += *match == ',';
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:s, s:s}",
                     "table", word_after(line, " table="),
                     "priority", priority,
                     "packets", number_after(line, " n_packets="),
                     "bytes", number_after(line, " n_bytes="),
                     "match", match,
                     "actions", actions + strlen(" actions="));
}

static void
add_number(json_t *object, const char *member, json_int_t add)
{
    json_int_t old = json_integer_value(json_object_get(object, member));

    json_object_set_new(object, member, json_integer(old + add));
}

/* Adds the flow to the object of its cookie, by which GROUPS is keyed. */
static void
add_entry(json_t *groups, const char *cookie, json_t *entry)
{
    json_t *group = json_object_get(groups, cookie);

    if (!group) {
        group = json_pack("{s:s, s:[]}", "cookie", cookie, "entries");
        json_object_set_new(groups, cookie, group);
    }
    add_number(group, "flows", 1);
    add_number(group, "packets",
               json_integer_value(json_object_get(entry, "packets")));
    add_number(group, "bytes",
               json_integer_value(json_object_get(entry, "bytes")));
    json_array_append_new(json_object_get(group, "entries"), entry);
}

/* Returns which flows are those of vSubnet NET, for ovs-ofctl: their cookies
 * have its VNI, so the switch need not print those of all others. */
static char *
flows_of(const char *net)
{
    const json_t *nets;
    json_t *status;
    char *flows = NULL;

    ctl_check("", local_controller_status(&status));
    nets = json_object_get(status, "nets");
    for (size_t i = 0; i < json_array_size(nets); i++) {
        const json_t *object = json_array_get(nets, i);

        if (!strcmp(text_of(object, "name"), net)) {
            flows = xasprintf("cookie=0x%llx/0xffffff00000000",
                              (unsigned long long) json_integer_value(
                                  json_object_get(object, "vni")) << 32);
        }
    }
    json_decref(status);
    if (!flows) {
        ctl_fatal("this host is in no vSubnet %s (see vsubnetctl status)",
                  net);
    }
    return flows;
}

/* Returns what the bridge has, by cookie. */
static json_t *
read_flows(const char *net)
{
    char *bridge = local_bridge();
    char *flows = net ? flows_of(net) : NULL;
    const char *argv[] = {
        "ovs-ofctl", "--timeout=20", "--names", "-O", "OpenFlow15",
        "dump-flows", bridge, flows, NULL,
    };
    json_t *groups = json_object();
    char *output, *save_ptr = NULL;
    char *error = local_run(argv, &output);

    if (error) {
        ctl_fatal("cannot read the flows of bridge %s: %s", bridge,
                  *output ? output : error);
    }
    for (char *line = strtok_r(output, "\n", &save_ptr); line;
         line = strtok_r(NULL, "\n", &save_ptr)) {
        const char *text = line + strspn(line, " ");
        size_t len = strcspn(text, ",");
        char *cookie = xmemdup0(text, len);
        json_t *entry = entry_from_line(line);

        if (entry) {
            add_entry(groups, cookie + strlen("cookie="), entry);
        }
        free(cookie);
    }
    free(output);
    free(flows);
    free(bridge);
    return groups;
}

/* Asks for the names of COOKIES, and adds them to the objects of GROUPS. */
static void
name_some(json_t *groups, const struct svec *cookies)
{
    json_t *answer;
    const char *cookie;
    json_t *named;

    ctl_check("", local_ask_json("vsubnet-controller", 10, "vsubnet/flow-names",
                                 cookies, &answer));
    json_object_foreach (answer, cookie, named) {
        json_t *group = json_object_get(groups, cookie);

        if (group) {
            json_object_update(group, named);
        }
    }
    json_decref(answer);
}

static void
name_all(json_t *groups)
{
    struct svec cookies = SVEC_EMPTY_INITIALIZER;
    const char *cookie;
    json_t *group;

    json_object_foreach (groups, cookie, group) {
        svec_add(&cookies, cookie);
        if (cookies.n >= COOKIES_AT_ONCE) {
            name_some(groups, &cookies);
            svec_clear(&cookies);
        }
    }
    name_some(groups, &cookies);
    svec_destroy(&cookies);
}

/* VSubnets by name, after what belongs to none; in each, by cookie, of which
 * the first byte is the kind. */
static int
compare_groups(const void *a_, const void *b_)
{
    const json_t *const *a = a_, *const *b = b_;
    int cmp = strcmp(text_of(*a, "net"), text_of(*b, "net"));

    if (!cmp) {
        uint64_t ca = strtoull(text_of(*a, "cookie"), NULL, 0);
        uint64_t cb = strtoull(text_of(*b, "cookie"), NULL, 0);

        cmp = ca < cb ? -1 : ca > cb;
    }
    return cmp;
}

static json_t *
sorted_groups(json_t *groups, const char *net)
{
    size_t n = json_object_size(groups), i = 0;
    json_t **array = xcalloc(n ? n : 1, sizeof *array);
    json_t *result = json_array();
    const char *cookie;
    json_t *group;

    json_object_foreach (groups, cookie, group) {
        if (!net || !strcmp(net, text_of(group, "net"))) {
            array[i++] = group;
        }
    }
    qsort(array, i, sizeof *array, compare_groups);
    for (n = 0; n < i; n++) {
        json_array_append(result, array[n]);
    }
    free(array);
    return result;
}

/* Text. */

static void
print_entries(const json_t *group)
{
    const json_t *entries = json_object_get(group, "entries");

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        char *table = output_value(json_object_get(entry, "table"));
        char *priority = output_value(json_object_get(entry, "priority"));
        char *packets = output_value(json_object_get(entry, "packets"));
        char *match = output_value(json_object_get(entry, "match"));
        char *actions = output_value(json_object_get(entry, "actions"));

        printf("  %s, priority %s, packets %s: %s -> %s\n", table,
               priority, packets, *match ? match : "any", actions);
        free(actions);
        free(match);
        free(packets);
        free(priority);
        free(table);
    }
}

static void
print_groups(const json_t *groups, bool entries)
{
    static const struct output_column columns[] = {
        { "vSubnet", "net" }, { "Object", "name" }, { "Flows", "flows" },
        { "Packets", "packets" }, { "Bytes", "bytes" }, { NULL, NULL },
    };

    if (!entries) {
        output_table_in_order(groups, columns);
        return;
    }
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        char *net = output_value(json_object_get(group, "net"));
        char *name = output_value(json_object_get(group, "name"));

        printf("%s: %s\n", net, name);
        print_entries(group);
        free(name);
        free(net);
    }
}

void
ctl_flows(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    json_t *by_cookie = read_flows(net);

    name_all(by_cookie);
    json_t *groups = sorted_groups(by_cookie, net);

    if (ctl_has(ctl, OPT_JSON)) {
        output_json(groups);
    } else {
        print_groups(groups, ctl_has(ctl, OPT_LONG));
    }
    json_decref(groups);
    json_decref(by_cookie);
}
