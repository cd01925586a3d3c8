/* SPDX-License-Identifier: Apache-2.0 */
/* What this host's controller does, and what is wrong. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "host/node-file.h"
#include "model/jansson.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"
#include "uuid.h"

static void
add_problem(json_t *status, char *problem)
{
    json_t *problems = json_object_get(status, "problems");

    if (!json_is_array(problems)) {
        problems = json_array();
        json_object_set_new(status, "problems", problems);
    }
    json_array_append_new(problems, json_string(problem));
    free(problem);
}

/* Says who this host is where the controller does not. */
static void
add_identity(json_t *status, const char *dir)
{
    struct node_file node;
    bool exists;
    char *error = node_file_read(dir, &node, &exists);

    if (error) {
        add_problem(status, error);
    } else if (!exists) {
        add_problem(status, xstrdup("this host has not joined a mapping "
                                    "service (vsubnetctl join URL TOKEN)"));
    } else if (!json_is_object(json_object_get(status, "node"))) {
        json_object_set_new(status, "node", json_pack(
            "{s:o, s:s, s:o}",
            "id", json_sprintf(UUID_FMT, UUID_ARGS(&node.id)),
            "name", node.name, "number",
            node.number ? json_integer(node.number) : json_null()));
    }
    node_file_destroy(&node);
}

static void
add_daemons(json_t *status)
{
    static const struct {
        const char *name;
        const char *unit;
    } daemons[] = {
        { "ovsdb-server", "openvswitch-switch" },
        { "ovs-vswitchd", "openvswitch-switch" },
        { "vsubnet-controller", "vsubnet-controller" },
    };
    json_t *pids = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
        pid_t pid = local_daemon_pid(daemons[i].name);

        json_object_set_new(pids, daemons[i].name,
                            pid ? json_integer(pid) : json_null());
        if (!pid) {
            add_problem(status, xasprintf("%s is not running (systemctl "
                                          "start %s)", daemons[i].name,
                                          daemons[i].unit));
        }
    }
    json_object_set_new(status, "daemons", pids);
}

/* Text. */

/* Appends PREFIX and the value of MEMBER, if there is one. */
static void
put_member(struct ds *ds, const json_t *object, const char *member,
           const char *prefix)
{
    const json_t *value = json_object_get(object, member);

    if (value && !json_is_null(value)) {
        char *s = output_value(value);
        ds_put_format(ds, "%s%s", prefix, s);
        free(s);
    }
}

static void
print_line(const char *heading, struct ds *ds)
{
    printf("%-9s %s\n", heading, ds->length ? ds_cstr(ds) : "-");
    ds_clear(ds);
}

static const char *
connected_words(const json_t *object)
{
    const json_t *connected = json_object_get(object, "connected");

    return (json_is_true(connected) ? ", connected"
            : json_is_false(connected) ? ", not connected" : "");
}

/* Appends who may use the node ID, unless it is this host without doubt. */
static void
put_lease(struct ds *ds, const json_t *service)
{
    const char *lease = json_string_value(json_object_get(service, "lease"));

    if (ds->length && lease && strcmp(lease, "held")
        && strcmp(lease, "none")) {
        ds_put_format(ds, ", lease %s", lease);
    }
}

/* Appends the age of the mapping, unless it is the service's now, and what
 * that means. */
static void
put_age(struct ds *ds, const json_t *mapping, const json_t *service)
{
    static const struct { int seconds; const char *name; } units[] = {
        { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" },
    };
    const json_t *age = json_object_get(mapping, "age");
    json_int_t seconds = json_integer_value(age);
    size_t i = 0;

    if (!ds->length || json_is_true(json_object_get(service, "connected"))) {
        return;
    }
    if (json_is_integer(age)) {
        while (i < ARRAY_SIZE(units) - 1 && seconds < 2 * units[i].seconds) {
            i++;
        }
        ds_put_format(ds, ", %lld %s old",
                      (long long) seconds / units[i].seconds, units[i].name);
    }
    ds_put_cstr(ds, " (new members, vSubnets, addresses and keys wait for the "
                "service)");
}

static void
print_summary(const json_t *status)
{
    const json_t *node = json_object_get(status, "node");
    const json_t *service = json_object_get(status, "service");
    const json_t *mapping = json_object_get(status, "mapping");
    const json_t *openflow = json_object_get(status, "openflow");
    const json_t *tunnel = json_object_get(status, "tunnel");
    struct ds ds = DS_EMPTY_INITIALIZER;

    put_member(&ds, node, "name", "");
    put_member(&ds, node, "number", ", number ");
    put_member(&ds, node, "state", ", ");
    print_line("Node:", &ds);
    put_member(&ds, service, "url", "");
    ds_put_cstr(&ds, ds.length ? connected_words(service) : "");
    put_lease(&ds, service);
    put_member(&ds, service, "error", ": ");
    print_line("Service:", &ds);
    put_member(&ds, mapping, "revision", "revision ");
    put_member(&ds, mapping, "from", ", from the ");
    put_age(&ds, mapping, service);
    print_line("Mapping:", &ds);
    put_member(&ds, openflow, "bridge", "");
    ds_put_cstr(&ds, ds.length ? connected_words(openflow) : "");
    put_member(&ds, openflow, "flows", ", flows: ");
    print_line("Bridge:", &ds);
    put_member(&ds, tunnel, "port", "");
    put_member(&ds, tunnel, "keyring", ", keyring: ");
    put_member(&ds, tunnel, "mtu", ", MTU: ");
    put_member(&ds, tunnel, "error", ", error: ");
    print_line("Tunnel:", &ds);
    ds_destroy(&ds);
}

static void
print_nets(json_t *nets)
{
    static const struct output_column net_columns[] = {
        { "vSubnet", "name" }, { "VNI", "vni" }, { "Members", "members" },
        { "Bindings", "bindings" }, { "Keys", "keys" }, { NULL, NULL },
    };
    static const struct output_column port_columns[] = {
        { "Port", "name" }, { "vSubnet", "net" }, { "MAC", "mac" },
        { "Addresses", "addresses" }, { "Registered", "registered" },
        { NULL, NULL },
    };
    if (!json_array_size(nets)) {
        return;
    }
    json_t *all = json_array();
    putchar('\n');
    output_table(nets, net_columns);
    for (size_t i = 0; i < json_array_size(nets); i++) {
        json_t *net = json_array_get(nets, i);
        json_t *ports = json_object_get(net, "ports");

        for (size_t j = 0; j < json_array_size(ports); j++) {
            json_t *port = json_copy(json_array_get(ports, j));
            const json_t *node = json_object_get(port, "node");

            json_object_set(port, "net", json_object_get(net, "name"));
            if (json_is_integer(node)) {
                json_object_set_new(port, "registered", json_sprintf(
                    "at node %"JSON_INTEGER_FORMAT,
                    json_integer_value(node)));
            }
            json_array_append_new(all, port);
        }
    }
    if (json_array_size(all)) {
        output_table(all, port_columns);
    }
    json_decref(all);
}

static void
print_problems(const json_t *problems)
{
    if (!json_array_size(problems)) {
        puts("\nNo problems.");
        return;
    }
    puts("\nProblems:");
    for (size_t i = 0; i < json_array_size(problems); i++) {
        char *s = output_value(json_array_get(problems, i));
        printf("- %s\n", s);
        free(s);
    }
}

void
ctl_status(struct ctl *ctl)
{
    json_t *status = NULL;
    char *error = NULL;

    if (local_daemon_pid("vsubnet-controller")) {
        error = local_controller_status(&status);
    }
    bool answered = json_is_object(status);
    if (!answered) {
        json_decref(status);
        status = json_object();
    }
    if (!json_is_array(json_object_get(status, "problems"))) {
        json_object_set_new(status, "problems", json_array());
    }
    if (error) {
        add_problem(status, error);
    }
    if (!answered) {
        add_identity(status, state_dir(ctl_option(ctl, OPT_STATE_DIR)));
    }
    add_daemons(status);

    const json_t *problems = json_object_get(status, "problems");
    if (ctl_has(ctl, OPT_JSON)) {
        output_json(status);
    } else {
        print_summary(status);
        print_nets(json_object_get(status, "nets"));
        print_problems(problems);
    }
    int exit_code = json_array_size(problems) > 0;
    json_decref(status);
    fflush(stdout);
    exit(exit_code);
}
