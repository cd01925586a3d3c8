/* SPDX-License-Identifier: Apache-2.0 */
/* The API: lists, a page at a time. */

#include <config.h>

#include "mapper/api-list.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mapper/api.h"
#include "mapper/http.h"
#include "util.h"

static void
list_destroy(struct api_list *list)
{
    for (size_t i = 0; i < API_LIST_FILTERS_MAX; i++) {
        free(list->values[i]);
    }
    json_decref(list->items);
    free(list->after);
    free(list->last);
}

static void
refuse(struct api_list *list, const char *name, const char *why)
{
    if (!list->more) {
        api_fail(list->call, MHD_HTTP_UNPROCESSABLE_CONTENT, "invalid-field",
                 name, "%s: %s", name, why);
        list->more = true;      /* One answer is enough. */
    }
}

static void
read_limit(struct api_list *list, const char *value)
{
    int limit;

    if (!str_to_int(value, 10, &limit) || limit < 1
        || limit > API_LIST_MAX) {
        char *why = xasprintf("not a whole number from 1 to %d",
                              API_LIST_MAX);

        refuse(list, "limit", why);
        free(why);
    } else {
        list->limit = limit;
    }
}

/* For http_connection_each_query(). */
static void
read_parameter(void *list_, const char *name, const char *raw)
{
    struct api_list *list = list_;
    char *value = api_decode(raw ? raw : "");

    if (!value) {
        refuse(list, name, "not text");
    } else if (!strcmp(name, "limit")) {
        read_limit(list, value);
    } else if (!strcmp(name, "after")) {
        free(list->after);
        list->after = xstrdup(value);
    } else {
        size_t i = 0;

        while (list->names[i] && strcmp(list->names[i], name)) {
            i++;
        }
        if (list->names[i]) {
            free(list->values[i]);
            list->values[i] = xstrdup(value);
        } else {
            refuse(list, name, "this list has no such parameter");
        }
    }
    free(value);
}

bool
api_list_begin(struct api_list *list, struct api_call *call,
               const char *const *filters)
{
    memset(list, 0, sizeof *list);
    list->call = call;
    list->names = filters;
    list->limit = API_LIST_DEFAULT;
    list->after = xstrdup("");
    list->items = json_array();
    http_connection_each_query(call->connection, read_parameter, list);
    if (list->more) {
        list_destroy(list);
        return false;
    }
    return true;
}

bool
api_list_after_number(struct api_list *list, int64_t none, int64_t *number)
{
    long long int value = none;

    if (list->after[0] && (!str_to_llong(list->after, 10, &value)
                           || value < 0 || value >= INT64_MAX)) {
        refuse(list, "after", "not the \"next\" of a page of this list");
        list_destroy(list);
        return false;
    }
    *number = value;
    return true;
}

bool
api_list_more(struct api_list *list)
{
    list->more = (json_array_size(list->items) >= list->limit
                  || list->n_looked >= API_LIST_LOOK_MAX);
    return !list->more;
}

/* Says whether JSON, which is no array, is VALUE. */
static bool
scalar_is(const json_t *json, const char *value)
{
    char number[32];

    if (json_is_integer(json)) {
        snprintf(number, sizeof number, "%"JSON_INTEGER_FORMAT,
                 json_integer_value(json));
        return !strcmp(number, value);
    } else if (json_is_boolean(json)) {
        return !strcasecmp(json_is_true(json) ? "true" : "false", value);
    } else if (json_is_string(json)) {
        return !strcasecmp(json_string_value(json), value);
    }
    return !value[0];
}

static bool
member_is(const json_t *item, const char *name, const char *value)
{
    const json_t *json = json_object_get(item, name);

    if (!json && !strcmp(name, "address")) {
        json = json_object_get(item, "addresses");
    } else if (!json && !strcmp(name, "label")) {
        json = json_object_get(item, "labels");
    }
    if (!json_is_array(json)) {
        return scalar_is(json, value);
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (scalar_is(json_array_get(json, i), value)) {
            return true;
        }
    }
    return !value[0] && !json_array_size(json);
}

void
api_list_add(struct api_list *list, json_t *item, const char *key, ...)
{
    bool passes = true;
    va_list args;

    for (size_t i = 0; list->names[i] && passes; i++) {
        passes = (!list->values[i]
                  || member_is(item, list->names[i], list->values[i]));
    }
    if (passes) {
        json_array_append_new(list->items, item);
    } else {
        json_decref(item);
    }

    va_start(args, key);
    free(list->last);
    list->last = xvasprintf(key, args);
    va_end(args);
    list->n_looked++;
}

json_t *
api_list_body(const struct api_list *list)
{
    json_t *body = json_object();

    json_object_set(body, "items", list->items);
    if (list->more) {
        json_object_set_new(body, "next", json_string(list->last));
    }
    return body;
}

void
api_list_end_body(struct api_list *list, json_t *body)
{
    api_ok(list->call, MHD_HTTP_OK, body);
    list_destroy(list);
}

void
api_list_end(struct api_list *list)
{
    api_list_end_body(list, api_list_body(list));
}
