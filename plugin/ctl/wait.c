/* SPDX-License-Identifier: Apache-2.0 */
/* --wait=nodes: waits until a change works everywhere. */

#include <config.h>
#include "ctl/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/output.h"
#include "model/jansson.h"
#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "util.h"

enum {
    POLL_MAX_S = 30,            /* One request waits, at the mapper. */
    QUIET_S = 1,                /* Then it is said who is waited for. */
    NAMES_MAX = 10,             /* In messages. */
    OTHERS_S = 2,               /* For an answer of other mappers. */
    AGAIN_MS = 200,
};

struct waiting {
    struct operator_config config;
    long long int deadline;
    char *revision;             /* Once a mapper told it. */

    /* Of one round over all mappers. */
    json_t *waiting, *away;     /* Number -> name. */
    size_t n_answers;
    bool complete;
    char *error;                /* Of the last that did not answer. */
};

bool
ctl_waits_for_nodes(const struct ctl *ctl)
{
    const char *value = ctl_option(ctl, OPT_WAIT);

    if (!value || ctl->command->run == ctl_join) {
        return false;
    }
    if (strcmp(value, "nodes")) {
        ctl_usage("--wait %s: must be \"nodes\"", value);
    }
    return true;
}

/* Adds the nodes of ARRAY to SET; or, if ONLY, leaves in it those alone that
 * are in both. */
static void
merge(json_t *set, const json_t *array, bool only)
{
    json_t *both = json_object();

    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *node = json_array_get(array, i);
        char *number = output_value(json_object_get(node, "number"));

        if (!only || json_object_get(set, number)) {
            json_object_set(both, number, json_object_get(node, "name"));
        }
        free(number);
    }
    if (only) {
        json_object_clear(set);
    }
    json_object_update(set, both);
    json_decref(both);
}

static int
compare_numbers(const void *a_, const void *b_)
{
    const char *const *a = a_;
    const char *const *b = b_;
    long long int x = atoll(*a), y = atoll(*b);

    return x < y ? -1 : x > y;
}

/* Returns "n1 (1), n2 (2) and 7 more", malloc()'d. */
static char *
names(json_t *set)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t n = json_object_size(set), i = 0;
    const char **numbers = xcalloc(n + 1, sizeof *numbers);
    const char *number;
    json_t *name;

    json_object_foreach (set, number, name) {
        numbers[i++] = number;
    }
    qsort(numbers, n, sizeof *numbers, compare_numbers);
    for (i = 0; i < n; i++) {
        if (i == NAMES_MAX && n > NAMES_MAX + 1) {
            ds_put_format(&ds, " and %"PRIuSIZE" more", n - i);
            break;
        }
        name = json_object_get(set, numbers[i]);
        ds_put_format(&ds, "%s%s (%s)", i ? ", " : "",
                      json_string_value(name), numbers[i]);
    }
    free(numbers);
    return output_printable(ds_steal_cstr(&ds));
}

/* Takes in what one mapper says. */
static void
take_answer(struct waiting *w, const json_t *json)
{
    const char *revision = json_string_value(json_object_get(json,
                                                             "revision"));
    const json_t *complete = json_object_get(json, "complete");

    if (!revision || !json_is_boolean(complete)) {
        ctl_fatal("the change is made, but the service's answer about nodes "
                  "is not understood");
    }
    if (!w->revision) {
        w->revision = xstrdup(revision);
    }
    w->complete &= json_is_true(complete);
    merge(w->waiting, json_object_get(json, "waiting"), false);
    merge(w->away, json_object_get(json, "away"), w->n_answers > 0);
    w->n_answers++;
}

/* Asks the mapper at URL, which may take SECONDS. */
static void
ask(struct waiting *w, const char *url, unsigned int seconds)
{
    struct svec urls = SVEC_EMPTY_INITIALIZER;
    struct client_answer answer;
    json_t *body = json_pack("{s:I}", "timeout", (json_int_t) seconds);

    svec_add(&urls, url);
    struct client *client = client_create(&urls, w->config.ca,
                                          w->config.token,
                                          seconds + OTHERS_S);
    client_set_certificate(client, w->config.certificate,
                           w->config.private_key);
    if (w->revision) {
        json_object_set_new(body, "revision", json_string(w->revision));
    }
    char *error = client_send(client, "POST", "/v1/wait", body, &answer);
    if (!error) {
        error = client_refusal(&answer);
        if (!error) {
            take_answer(w, answer.json);
        }
        client_answer_destroy(&answer);
    }
    if (error) {
        free(w->error);
        w->error = error;
    }
    json_decref(body);
    client_destroy(client);
    svec_destroy(&urls);
}

/* Asks all mappers once: the one that made the change first, and there it is
 * waited. */
static void
ask_all(struct waiting *w, const char *first, unsigned int seconds)
{
    const char *url;
    size_t i;

    json_object_clear(w->waiting);
    json_object_clear(w->away);
    w->n_answers = 0;
    w->complete = true;
    ask(w, first, seconds);
    if (!w->revision) {
        w->complete = false;
        return;
    }
    SVEC_FOR_EACH (i, url, &w->config.urls) {
        if (strcmp(url, first) && time_wall_msec() < w->deadline) {
            ask(w, url, 0);
        }
    }
    w->complete &= w->n_answers > 0;
}

static void
say(const char *format, json_t *set)
{
    char *s = names(set);

    if (*s) {
        fflush(stdout);
        fprintf(stderr, format, s);
    }
    free(s);
}

OVS_NO_RETURN static void
give_up(const struct waiting *w, unsigned int seconds)
{
    char *s = names(w->waiting);

    fflush(stdout);
    if (*s) {
        fprintf(stderr, "vsubnetctl: the change is made, but after %u s these "
                "nodes have not installed it: %s\n", seconds, s);
    } else if (w->n_answers) {
        fprintf(stderr, "vsubnetctl: the change is made, but after %u s not "
                "all mapping services know of it\n", seconds);
    } else {
        fprintf(stderr, "vsubnetctl: the change is made, but whether nodes "
                "have installed it is not known: %s\n",
                w->error ? w->error : "no mapping service answers");
    }
    free(s);
    exit(3);
}

void
ctl_wait_nodes(struct ctl *ctl)
{
    unsigned int timeout = ctl_uint_option(ctl, OPT_TIMEOUT, 1, 3600, 30);
    struct waiting w = {
        .deadline = time_wall_msec() + 1000LL * timeout,
        .waiting = json_object(), .away = json_object(),
    };
    const char *first = client_url(ctl_client(ctl));
    unsigned int patience = QUIET_S;

    ctl_check("", operator_config_read(ctl_option(ctl, OPT_CONFIG),
                                       ctl_option(ctl, OPT_TOKEN_FILE),
                                       &w.config));
    for (;;) {
        long long int left = w.deadline - time_wall_msec();

        ask_all(&w, first, MIN(patience, MAX(left, 0) / 1000));
        if (w.complete) {
            break;
        } else if (time_wall_msec() >= w.deadline) {
            give_up(&w, timeout);
        }
        if (patience == QUIET_S) {
            say("vsubnetctl: waiting for %s\n", w.waiting);
            patience = POLL_MAX_S;
        }
        usleep(1000 * AGAIN_MS);
    }
    say("vsubnetctl: not connected, so not waited for: %s\n", w.away);
    json_decref(w.waiting);
    json_decref(w.away);
    free(w.revision);
    free(w.error);
    operator_config_destroy(&w.config);
}
