/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes are connected, with several mappers. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/verbs.h"
#include "model/jansson.h"
#include "util.h"

/* A mapper knows of the streams that it has itself, and all else is in the
 * database that they share.  So "connected" is asked of each of them, where a
 * node is if one says so. */

static const char unknown[] = "who is connected to another mapper";

static void
merge(json_t *nodes, const json_t *others)
{
    json_t *connected = json_object();

    for (size_t i = 0; i < json_array_size(others); i++) {
        const json_t *node = json_array_get(others, i);
        const char *id = json_string_value(json_object_get(node, "id"));

        if (id && json_is_true(json_object_get(node, "connected"))) {
            json_object_set_new(connected, id, json_true());
        }
    }
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        json_t *node = json_array_get(nodes, i);
        const char *id = json_string_value(json_object_get(node, "id"));

        if (id && json_object_get(connected, id)) {
            json_object_set_new(node, "connected", json_true());
        }
    }
    json_decref(connected);
}

/* Asks the pinned mapper, page after page. */
static void
merge_list(struct ctl *ctl, json_t *nodes)
{
    char *path = xstrdup("/v1/nodes");

    while (path) {
        json_t *page = ctl_try(ctl, path, unknown);
        const char *next = json_string_value(json_object_get(page, "next"));

        free(path);
        path = next ? xasprintf("/v1/nodes?after=%s", next) : NULL;
        merge(nodes, json_object_get(page, "items"));
        json_decref(page);
    }
}

void
ctl_merge_connected(struct ctl *ctl, json_t *nodes)
{
    struct client *client = ctl_client(ctl);
    size_t answered = client_current(client);

    for (size_t i = 0; i < client_n_urls(client); i++) {
        if (i == answered || !json_array_size(nodes)) {
            continue;
        }
        client_pin(client, i);
        if (json_array_size(nodes) == 1) {
            const char *id = json_string_value(
                json_object_get(json_array_get(nodes, 0), "id"));
            char *path = ctl_path("nodes", id ? id : "", NULL);
            json_t *node = ctl_try(ctl, path, unknown);

            if (node) {
                json_t *one = json_pack("[o]", node);

                merge(nodes, one);
                json_decref(one);
            }
            free(path);
        } else {
            merge_list(ctl, nodes);
        }
    }
    client_pin(client, CLIENT_ANY_URL);
}

/* Takes the last filter by "connected" out of the command line: it is about
 * what all mappers say.  Returns its value, or null. */
static char *
take_connected_filter(struct ctl *ctl)
{
    static const char name[] = "connected=";
    struct svec *filters = &ctl->options[OPT_FILTER];
    struct svec others = SVEC_EMPTY_INITIALIZER;
    char *value = NULL;
    const char *filter;
    size_t i;

    SVEC_FOR_EACH (i, filter, filters) {
        if (!strncmp(filter, name, strlen(name))) {
            free(value);
            value = xstrdup(filter + strlen(name));
        } else {
            svec_add(&others, filter);
        }
    }
    svec_swap(filters, &others);
    svec_destroy(&others);
    return value;
}

json_t *
ctl_list_nodes(struct ctl *ctl)
{
    char *want = take_connected_filter(ctl);
    json_t *nodes = ctl_list_filtered(ctl, ctl_path("nodes", NULL), 0);

    ctl_merge_connected(ctl, nodes);
    for (size_t i = json_array_size(nodes); want && i-- > 0; ) {
        bool is = json_is_true(json_object_get(json_array_get(nodes, i),
                                               "connected"));

        if (strcasecmp(want, is ? "true" : "false")) {
            json_array_remove(nodes, i);
        }
    }
    free(want);
    return nodes;
}
