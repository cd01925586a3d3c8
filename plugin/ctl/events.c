/* SPDX-License-Identifier: Apache-2.0 */
/* Printing the operator's event stream. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "model/jansson.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* An event is lines "event: TYPE" and "data: JSON", ended by an empty line.
 * A line may arrive in parts. */
struct events {
    struct ctl *ctl;
    struct ds line;
    struct ds data;
    char type[32];
};

/* Prints a line for each object of GROUP ("put" or "remove"). */
static void
print_group(const char *revision, const char *action, json_t *group)
{
    const char *kind;
    json_t *array;

    json_object_foreach (group, kind, array) {
        char *name = output_printable(xstrdup(*kind ? kind : "?"));

        for (size_t i = 0; i < json_array_size(array); i++) {
            char *object = json_dumps(json_array_get(array, i),
                                      JSON_COMPACT | JSON_ENCODE_ANY
                                      | JSON_ENSURE_ASCII);
            printf("%s %s %.*s %s\n", revision, action,
                   (int) strlen(name) - 1, name, object);
            free(object);
        }
        free(name);
    }
}

static void
print_event(struct events *events, json_t *json)
{
    char *revision = output_value(json_object_get(json, "revision"));

    if (ctl_has(events->ctl, OPT_JSON)) {
        json_object_set_new(json, "event", json_string(events->type));
        json_dumpf(json, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
    } else if (!strcmp(events->type, "snapshot")) {
        printf("%s snapshot\n", revision);
        json_object_del(json, "self");
        print_group(revision, "is", json);
    } else {
        print_group(revision, "put", json_object_get(json, "put"));
        print_group(revision, "remove", json_object_get(json, "remove"));
    }
    fflush(stdout);
    free(revision);
}

static void
end_event(struct events *events)
{
    json_t *json;

    if (events->data.length) {
        ctl_check("event", model_json_parse(ds_cstr(&events->data),
                                            events->data.length,
                                            CLIENT_ANSWER_MAX, &json));
        print_event(events, json);
        json_decref(json);
    }
    ds_clear(&events->data);
    events->type[0] = '\0';
}

static void
take_line(struct events *events, char *line)
{
    line[strcspn(line, "\r")] = '\0';
    if (!*line) {
        end_event(events);
    } else if (!strncmp(line, "event: ", 7)) {
        ovs_strlcpy(events->type, line + 7, sizeof events->type);
    } else if (!strncmp(line, "data: ", 6)) {
        ds_put_cstr(&events->data, line + 6);
    }
}

static bool
receive(const char *data, size_t n, void *events_)
{
    struct events *events = events_;

    for (size_t i = 0; i < n; i++) {
        if (data[i] != '\n') {
            ds_put_char(&events->line, data[i]);
        } else {
            take_line(events, ds_cstr(&events->line));
            ds_clear(&events->line);
        }
    }
    return (events->line.length <= CLIENT_ANSWER_MAX
            && events->data.length <= CLIENT_ANSWER_MAX);
}

void
ctl_events(struct ctl *ctl)
{
    struct events events = {
        .ctl = ctl,
        .line = DS_EMPTY_INITIALIZER,
        .data = DS_EMPTY_INITIALIZER,
    };
    char *path = ctl_path("events", NULL);

    ctl_check("", client_stream(ctl_client(ctl), path, receive, &events));
    ctl_fatal("the service ended the stream");
}
