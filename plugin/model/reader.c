/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON that somebody else wrote. */

#include <config.h>
#include "model/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "openvswitch/uuid.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

void
model_json_init(void)
{
    json_set_alloc_funcs(malloc, model_wiping_free);
}

/* The deepest nesting of brackets in TEXT outside of strings.  jansson's own
 * limit is 2,048, and each level costs stack and memory. */
static int
json_depth(const char *text, size_t n)
{
    int depth = 0;
    int deepest = 0;
    bool in_string = false;

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            deepest = MAX(deepest, depth);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return deepest;
}

char *
model_json_parse(const char *text, size_t n, size_t max_size, json_t **json)
{
    json_error_t error;
    json_t *parsed;

    if (n > max_size) {
        return xasprintf("JSON of %"PRIuSIZE" bytes exceeds the limit of "
                         "%"PRIuSIZE, n, max_size);
    }
    if (json_depth(text, n) > MODEL_JSON_DEPTH) {
        return xasprintf("JSON is nested deeper than %d levels",
                         MODEL_JSON_DEPTH);
    }
    parsed = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!parsed) {
        /* error.text may quote the input, which may hold a secret. */
        return xasprintf("not valid JSON (line %d, column %d)",
                         error.line, error.column);
    }
    *json = parsed;
    return NULL;
}

void
model_reader_init(struct model_reader *r, const json_t *object)
{
    memset(r, 0, sizeof *r);
    r->object = object;
    if (!json_is_object(object)) {
        r->error = xstrdup("not a JSON object");
    }
}

void
model_reader_fail(struct model_reader *r, const char *field, char *error)
{
    if (r->error) {
        free(error);
    } else {
        r->field = field;
        r->error = error;
    }
}

static bool
is_known(const struct model_reader *r, const char *field)
{
    for (size_t i = 0; i < r->n_known; i++) {
        if (!strcmp(field, r->known[i])) {
            return true;
        }
    }
    return false;
}

/* Returns the error, as "FIELD: MESSAGE" where it is a field's, or null.  The
 * caller frees it. */
char *
model_reader_finish(struct model_reader *r, enum model_unknown unknown)
{
    char *error = NULL;

    if (!r->error && unknown == MODEL_REFUSE_UNKNOWN) {
        const char *name;
        json_t *value;

        json_object_foreach (CONST_CAST(json_t *, r->object), name, value) {
            if (!is_known(r, name)) {
                return xasprintf("%.60s: unknown member", name);
            }
        }
    }
    if (r->error) {
        error = (r->field ? xasprintf("%s: %s", r->field, r->error)
                 : xstrdup(r->error));
        free(r->error);
        r->error = NULL;
    }
    return error;
}

/* Returns member FIELD, or null if it is absent, JSON null, or there was an
 * error before. */
static const json_t *
get_member(struct model_reader *r, const char *field,
           enum model_presence presence)
{
    const json_t *value;

    if (r->error) {
        return NULL;
    }
    if (!is_known(r, field)) {
        ovs_assert(r->n_known < ARRAY_SIZE(r->known));
        r->known[r->n_known++] = field;
    }
    value = json_object_get(r->object, field);
    if (value && json_is_null(value)) {
        value = NULL;
    }
    if (!value && presence == MODEL_REQUIRED) {
        model_reader_fail(r, field, xstrdup("missing"));
    }
    return value;
}

bool
model_reader_has(struct model_reader *r, const char *field)
{
    return get_member(r, field, MODEL_OPTIONAL) != NULL;
}

const json_t *
model_reader_array(struct model_reader *r, const char *field,
                   enum model_presence presence, size_t max)
{
    const json_t *value = get_member(r, field, presence);

    if (!value) {
        return NULL;
    }
    if (!json_is_array(value)) {
        model_reader_fail(r, field, xstrdup("not an array"));
        return NULL;
    }
    if (json_array_size(value) > max) {
        model_reader_fail(r, field, xasprintf("has more than %"PRIuSIZE
                                              " elements", max));
        return NULL;
    }
    return value;
}

const json_t *
model_reader_object(struct model_reader *r, const char *field,
                    enum model_presence presence)
{
    const json_t *value = get_member(r, field, presence);

    if (value && !json_is_object(value)) {
        model_reader_fail(r, field, xstrdup("not an object"));
        return NULL;
    }
    return value;
}

const char *
model_reader_string(struct model_reader *r, const char *field,
                    enum model_presence presence)
{
    const json_t *value = get_member(r, field, presence);

    if (!value) {
        return NULL;
    }
    if (!json_is_string(value)) {
        model_reader_fail(r, field, xstrdup("not a string"));
        return NULL;
    }
    char *error = model_check_text(json_string_value(value));
    if (error) {
        model_reader_fail(r, field, error);
        return NULL;
    }
    return json_string_value(value);
}

const char *
model_reader_text(struct model_reader *r, const char *field,
                  enum model_presence presence, size_t max)
{
    const json_t *value = get_member(r, field, presence);

    if (!value) {
        return NULL;
    }
    if (!json_is_string(value)) {
        model_reader_fail(r, field, xstrdup("not a string"));
        return NULL;
    }
    if (json_string_length(value) > max) {
        model_reader_fail(r, field, xasprintf("longer than %"PRIuSIZE
                                              " bytes", max));
        return NULL;
    }
    return json_string_value(value);
}

uint64_t
model_reader_uint(struct model_reader *r, const char *field,
                  enum model_presence presence, uint64_t min, uint64_t max)
{
    const json_t *value = get_member(r, field, presence);
    json_int_t i = json_is_integer(value) ? json_integer_value(value) : -1;

    if (!value) {
        return 0;
    }
    if (i < 0 || i < min || i > max) {
        model_reader_fail(r, field,
                          xasprintf("not a whole number from %"PRIu64
                                    " to %"PRIu64, min, max));
        return 0;
    }
    return i;
}

bool
model_reader_bool(struct model_reader *r, const char *field,
                  enum model_presence presence)
{
    const json_t *value = get_member(r, field, presence);

    if (value && !json_is_boolean(value)) {
        model_reader_fail(r, field, xstrdup("not true or false"));
        return false;
    }
    return value && json_is_true(value);
}

uint64_t
model_reader_uint_or(struct model_reader *r, const char *field,
                     uint64_t min, uint64_t max, uint64_t absent)
{
    return (model_reader_has(r, field)
            ? model_reader_uint(r, field, MODEL_REQUIRED, min, max)
            : absent);
}

bool
model_reader_bool_or(struct model_reader *r, const char *field, bool absent)
{
    return (model_reader_has(r, field)
            ? model_reader_bool(r, field, MODEL_REQUIRED) : absent);
}

const char *
model_reader_name(struct model_reader *r, const char *field,
                  enum model_presence presence)
{
    const char *s = model_reader_string(r, field, presence);
    char *error = s ? model_check_name(s) : NULL;

    if (error) {
        model_reader_fail(r, field, error);
        return NULL;
    }
    return s;
}

bool
model_reader_uuid(struct model_reader *r, const char *field,
                  enum model_presence presence, struct uuid *uuid)
{
    const char *s = model_reader_string(r, field, presence);

    if (s && !uuid_from_string(uuid, s)) {
        model_reader_fail(r, field, xasprintf("%.60s: not a UUID", s));
        return false;
    }
    return s != NULL;
}

bool
model_reader_mac(struct model_reader *r, const char *field,
                 enum model_presence presence, struct eth_addr *mac)
{
    const char *s = model_reader_string(r, field, presence);
    char *error = s ? model_mac_parse(s, mac) : NULL;

    if (error) {
        model_reader_fail(r, field, error);
    }
    return s && !error;
}

bool
model_reader_revision(struct model_reader *r, const char *field,
                      enum model_presence presence,
                      struct model_revision *revision)
{
    const char *s = model_reader_string(r, field, presence);
    char *error = s ? model_revision_parse(s, revision) : NULL;

    if (error) {
        model_reader_fail(r, field, error);
    }
    return s && !error;
}

bool
model_reader_algorithm(struct model_reader *r, const char *field,
                       enum model_presence presence,
                       enum model_algorithm *algorithm)
{
    const char *s = model_reader_string(r, field, presence);
    char *error = s ? model_algorithm_parse(s, algorithm) : NULL;

    if (error) {
        model_reader_fail(r, field, error);
    }
    return s && !error;
}

/* Puts the index of the element into the error, "FIELD[I]: ERROR". */
static void
fail_element(struct model_reader *r, const char *field, size_t i, char *error)
{
    model_reader_fail(r, NULL, xasprintf("%s[%"PRIuSIZE"]: %s",
                                         field, i, error));
    free(error);
}

static char *
endpoint_parse_cb(const char *s, void *endpoint)
{
    return model_endpoint_parse(s, endpoint);
}

static char *
address_parse_cb(const char *s, void *address)
{
    return model_address_parse(s, address);
}

static char *
subnet_parse_cb(const char *s, void *subnet)
{
    return model_subnet_parse(s, subnet);
}

/* What an array of strings is parsed into. */
struct element_class {
    char *(*parse)(const char *, void *element);
    size_t size;
    size_t max;
};

static size_t
read_strings(struct model_reader *r, const char *field,
             enum model_presence presence, const struct element_class *class,
             void **values)
{
    const json_t *array = model_reader_array(r, field, presence, class->max);
    size_t n = json_array_size(array);

    *values = NULL;
    if (!n) {
        return 0;
    }
    char *elements = xcalloc(n, class->size);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(array, i));
        char *error = (s ? class->parse(s, elements + i * class->size)
                       : xstrdup("not a string"));
        if (error) {
            fail_element(r, field, i, error);
            free(elements);
            return 0;
        }
    }
    *values = elements;
    return n;
}

size_t
model_reader_addresses(struct model_reader *r, const char *field,
                       enum model_presence presence,
                       struct model_address **addresses)
{
    static const struct element_class class = {
        address_parse_cb, sizeof(struct model_address), MODEL_ADDRESSES_MAX,
    };
    void *values;
    size_t n = read_strings(r, field, presence, &class, &values);

    *addresses = values;
    return n;
}

size_t
model_reader_subnets(struct model_reader *r, const char *field,
                     enum model_presence presence,
                     struct model_address **subnets)
{
    static const struct element_class class = {
        subnet_parse_cb, sizeof(struct model_address), MODEL_SUBNETS_MAX,
    };
    void *values;
    size_t n = read_strings(r, field, presence, &class, &values);

    *subnets = values;
    return n;
}

size_t
model_reader_endpoints(struct model_reader *r, const char *field,
                       enum model_presence presence,
                       struct model_endpoint **endpoints)
{
    static const struct element_class class = {
        endpoint_parse_cb, sizeof(struct model_endpoint), MODEL_ENDPOINTS_MAX,
    };
    void *values;
    size_t n = read_strings(r, field, presence, &class, &values);

    *endpoints = values;
    return n;
}

/* Checks element I of LABELS, whose first I elements are good. */
static char *
check_label(char *const *labels, size_t i, enum model_label_gaps gaps)
{
    if (gaps == MODEL_LABEL_GAPS && !labels[i][0]) {
        return NULL;
    }
    for (size_t j = 0; j < i; j++) {
        if (!strcmp(labels[i], labels[j])) {
            return xasprintf("%s appears twice", labels[i]);
        }
    }
    return model_check_name(labels[i]);
}

static int
compare_labels(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

size_t
model_reader_labels(struct model_reader *r, const char *field,
                    enum model_label_gaps gaps, size_t max, char ***labelsp)
{
    const json_t *array = model_reader_array(r, field, MODEL_OPTIONAL, max);
    size_t n = json_array_size(array);

    *labelsp = NULL;
    if (!n) {
        return 0;
    }
    char **labels = xcalloc(n, sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(array, i));

        labels[i] = xstrdup(s ? s : "");
        char *error = (s ? check_label(labels, i, gaps)
                       : xstrdup("not a string"));
        if (error) {
            fail_element(r, field, i, error);
            model_labels_free(labels, n);
            return 0;
        }
    }
    if (gaps == MODEL_NO_LABEL_GAPS) {
        qsort(labels, n, sizeof *labels, compare_labels);
    }
    *labelsp = labels;
    return n;
}

void
model_labels_free(char **labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(labels[i]);
    }
    free(labels);
}

json_t *
model_labels_to_json(char *const *labels, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, json_string(labels[i]));
    }
    return array;
}

json_t *
model_addresses_to_json(const struct model_address *addresses, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        char buf[MODEL_ADDRESS_STRLEN];
        json_array_append_new(
            array, json_string(model_address_string(&addresses[i], buf)));
    }
    return array;
}

json_t *
model_endpoints_to_json(const struct model_endpoint *endpoints, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        char buf[MODEL_ENDPOINT_STRLEN];
        json_array_append_new(
            array, json_string(model_endpoint_string(&endpoints[i], buf)));
    }
    return array;
}

json_t *
model_revision_to_json(struct model_revision r)
{
    return json_sprintf(MODEL_REVISION_FMT, MODEL_REVISION_ARGS(r));
}

json_t *
model_string_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}
