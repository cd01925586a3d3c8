/* SPDX-License-Identifier: Apache-2.0 */
/* Where a frame would go, and why. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "model/jansson.h"
#include "packets.h"
#include "util.h"

/* A trace has one half at the node where the frame begins and, if it goes
 * through the tunnel to another node, one there.  This host's controller traces
 * its own half; other nodes are asked through the mapping service, by an
 * operator.  With several mappers, the one that has the node's event stream
 * can ask it: so all are tried. */

enum {
    LOCAL_S = 15,
    SERVICE_S = 20,
    SIZE_MAX_ = 65535,
};

static const char *
text_of(const json_t *object, const char *member)
{
    const char *s = json_string_value(json_object_get(object, member));

    return s ? s : "";
}

static json_int_t
number_of(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

/* Asking. */

static json_t *
question(struct ctl *ctl)
{
    const char *l4 = ctl_option(ctl, OPT_L4);
    unsigned int size = ctl_uint_option(ctl, OPT_SIZE, 1, SIZE_MAX_, 0);
    json_t *json = json_pack("{s:s, s:s, s:s}", "net", ctl_arg(ctl, 0),
                             "src", ctl_arg(ctl, 1), "dst", ctl_arg(ctl, 2));

    if (!json) {
        ctl_usage("arguments must be UTF-8");
    }
    if (l4) {
        json_object_set_new(json, "l4", json_string(l4));
    }
    if (size) {
        json_object_set_new(json, "size", json_integer(size));
    }
    return json;
}

static json_t *
ask_here(const json_t *q)
{
    struct svec args = SVEC_EMPTY_INITIALIZER;
    json_t *answer;

    svec_add_nocopy(&args, json_dumps(q, JSON_COMPACT));
    ctl_check("", local_ask_json("vsubnet-controller", LOCAL_S,
                                 "vsubnet/trace", &args, &answer));
    svec_destroy(&args);
    return answer;
}

/* Asks the mapper at URL.  Returns null or an error; then '*REFUSED' says that
 * it is the mapper's, and '*ELSEWHERE' that another one may know better. */
static char *
ask_mapper(const struct operator_config *config, const char *url,
           const char *path, const json_t *body, json_t **result,
           bool *refused, bool *elsewhere)
{
    struct svec urls = SVEC_EMPTY_INITIALIZER;
    struct client_answer answer;

    *elsewhere = *refused = false;
    svec_add(&urls, url);
    struct client *client = client_create(&urls, config->ca, config->token,
                                          SERVICE_S);
    client_set_certificate(client, config->certificate, config->private_key);
    char *error = client_send(client, "POST", path, body, &answer);
    if (!error) {
        error = client_refusal(&answer);
        *refused = true;
        *elsewhere = error && !strcmp(text_of(answer.json, "code"),
                                      "node-not-connected");
        if (!error && json_is_object(json_object_get(answer.json,
                                                     "answer"))) {
            *result = json_incref(json_object_get(answer.json, "answer"));
        } else if (!error) {
            error = xstrdup(text_of(answer.json, "error"));
            *elsewhere = json_is_true(json_object_get(answer.json, "late"));
        }
        client_answer_destroy(&answer);
    }
    client_destroy(client);
    svec_destroy(&urls);
    return error;
}

/* Asks node NUMBER, through the service.  Returns null, or why it can't be. */
static char *
ask_node(struct ctl *ctl, json_int_t number, json_t *q, json_t **result)
{
    struct operator_config config;
    char *error = operator_config_read(ctl_option(ctl, OPT_CONFIG),
                                       ctl_option(ctl, OPT_TOKEN_FILE),
                                       &config);
    const char *url;
    size_t i;

    if (error) {
        return error;
    }
    char *path = ctl_path("nets", ctl_arg(ctl, 0), "trace", NULL);
    json_t *body = json_pack("{s:I, s:O}", "node", number, "question", q);
    *result = NULL;
    SVEC_FOR_EACH (i, url, &config.urls) {
        bool refused, elsewhere;
        char *reason = ask_mapper(&config, url, path, body, result, &refused,
                                  &elsewhere);

        /* What a mapper says is worth more than that one is not there. */
        if (reason && error && !refused) {
            free(reason);
        } else {
            free(error);
            error = reason;
        }
        if (!reason || (refused && !elsewhere)) {
            break;
        }
    }
    json_decref(body);
    free(path);
    operator_config_destroy(&config);
    return error;
}

/* True if BINDING is what SRC means. */
static bool
is_meant(const json_t *binding, const char *src)
{
    const json_t *addresses = json_object_get(binding, "addresses");
    struct eth_addr a, b;

    for (size_t i = 0; i < json_array_size(addresses); i++) {
        if (!strcmp(json_string_value(json_array_get(addresses, i)), src)) {
            return true;
        }
    }
    return (!strcmp(text_of(binding, "port"), src)
            || !strcmp(text_of(binding, "iface_id"), src)
            || (eth_addr_from_string(src, &a)
                && eth_addr_from_string(text_of(binding, "mac"), &b)
                && eth_addr_equals(a, b)));
}

/* The number of the node where SRC is, by the service. */
static json_int_t
find_source(struct ctl *ctl)
{
    json_t *bindings = ctl_list(ctl, ctl_path("nets", ctl_arg(ctl, 0),
                                              "bindings", NULL));
    json_int_t number = 0;
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(bindings); i++) {
        const json_t *binding = json_array_get(bindings, i);

        if (is_meant(binding, ctl_arg(ctl, 1))) {
            number = number_of(binding, "node");
            n++;
        }
    }
    json_decref(bindings);
    if (n != 1 || !number) {
        ctl_fatal("%s: %s", ctl_arg(ctl, 1),
                  n > 1 ? "several in this vSubnet are called so: give a MAC"
                  : n ? "is at no node" : "is nowhere in this vSubnet");
    }
    return number;
}

static json_t *
first_half(struct ctl *ctl, json_t *q)
{
    json_int_t number = 0;
    json_t *half = NULL;

    if (local_daemon_pid("vsubnet-controller")) {
        half = ask_here(q);
        const json_t *other = json_object_get(half, "elsewhere");
        if (!other) {
            return half;
        }
        number = number_of(other, "number");
        json_decref(half);
    } else {
        number = find_source(ctl);
    }
    ctl_check("", ask_node(ctl, number, q, &half));
    return half;
}

/* An end as the first half has found it, so that the second one means the
 * same. */
static json_t *
resolved(const json_t *end)
{
    const char *address = text_of(end, "address");

    return json_sprintf("%s%s%s", text_of(end, "mac"), *address ? "," : "",
                        address);
}

/* Returns the other half, or null if there is none; *WHY_NOT says why one that
 * there is was not traced. */
static json_t *
second_half(struct ctl *ctl, const json_t *first, const json_t *q,
            char **why_not)
{
    const json_t *node = json_object_get(json_object_get(first, "tunnel"),
                                         "node");
    json_t *half = NULL;

    *why_not = NULL;
    if (!json_is_object(node)) {
        if (!strcmp(text_of(first, "outcome"), "tunnel")) {
            *why_not = xstrdup("no node is known by that tunnel address");
        }
        return NULL;
    }
    json_t *next = json_deep_copy(q);
    json_object_set_new(next, "src", resolved(json_object_get(first, "src")));
    json_object_set_new(next, "dst", resolved(json_object_get(first, "dst")));
    json_object_set(next, "from",
                    json_object_get(json_object_get(first, "node"),
                                    "number"));
    *why_not = ask_node(ctl, number_of(node, "number"), next, &half);
    json_decref(next);
    return half;
}

/* Text. */

static void
print_tunnel(const json_t *tunnel)
{
    char *address = output_value(json_object_get(tunnel, "tunnel_address"));
    char *endpoint = output_value(json_object_get(tunnel, "endpoint"));
    char *source = output_value(json_object_get(tunnel, "mtu_source"));
    const json_t *fits = json_object_get(tunnel, "fits");

    printf("    tunnel address %s, ", address);
    if (json_object_get(tunnel, "endpoint")) {
        printf("endpoint %s, ", endpoint);
    }
    if (json_object_get(tunnel, "spi")) {
        printf("SPI %lld, key epoch %lld\n",
               (long long) number_of(tunnel, "spi"),
               (long long) number_of(tunnel, "epoch"));
    } else {
        puts("NO KEY to send with: it is dropped there");
    }
    if (json_object_get(tunnel, "mtu")) {
        printf("    IP packets of up to %lld bytes go in one datagram (%s)%s\n",
               (long long) number_of(tunnel, "mtu"),
               source,
               (!fits ? "" : json_is_true(fits) ? "; this one does"
                : "; this one does not, and goes in fragments"));
    }
    free(source);
    free(endpoint);
    free(address);
}

static void
print_half(const json_t *half, bool all)
{
    char *node = output_value(json_object_get(json_object_get(half, "node"),
                                              "name"));
    char *summary = output_value(json_object_get(half, "summary"));
    const json_t *steps = json_object_get(half, "steps");

    printf("Node %s:\n", node);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        char *table = output_value(json_object_get(step, "table"));
        char *words = output_value(json_object_get(step, "words"));
        char *match = output_value(json_object_get(step, "match"));
        char *object = output_value(json_object_get(step, "object"));

        if (all) {
            printf("  %-18s %s [%s] %s\n", table,
                   json_is_string(json_object_get(step, "words"))
                   ? words : "goes on", object, match);
        } else if (json_is_string(json_object_get(step, "words"))) {
            printf("  %-18s %s\n", table, words);
        }
        free(object);
        free(match);
        free(words);
        free(table);
    }
    printf("  => %s\n", summary);
    if (json_is_object(json_object_get(half, "tunnel"))) {
        print_tunnel(json_object_get(half, "tunnel"));
    }
    free(summary);
    free(node);
}

void
ctl_trace(struct ctl *ctl)
{
    json_t *q = question(ctl);
    json_t *first = first_half(ctl, q);
    char *why_not;
    json_t *second = second_half(ctl, first, q, &why_not);
    const json_t *last = second ? second : first;

    if (ctl_has(ctl, OPT_JSON)) {
        json_t *json = json_pack("{s:O, s:O}", "first", first, "second",
                                 second ? second : json_null());

        if (why_not) {
            json_object_set_new(json, "not_traced", json_string(why_not));
        }
        output_json(json);
        json_decref(json);
    } else {
        print_half(first, ctl_has(ctl, OPT_LONG));
        if (second) {
            print_half(second, ctl_has(ctl, OPT_LONG));
        } else if (why_not) {
            printf("What happens there was not traced: %s\n",
                   output_printable(why_not));
        }
    }
    int exit_code = why_not || !strcmp(text_of(last, "outcome"), "dropped");
    json_decref(q);
    json_decref(first);
    json_decref(second);
    free(why_not);
    if (fflush(stdout) || ferror(stdout)) {
        ctl_fatal("cannot write the output");
    }
    exit(exit_code);
}
