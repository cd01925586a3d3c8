/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a vSubnet: all of them, from a file and as one. */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/acl.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "util.h"

enum { EXIT_DIFFERENT = 4 };
enum { PRECONDITION_FAILED = 412 };     /* RFC 9110. */

/* What a file makes of the rules that there are.  Each is an object by the
 * rule's name. */
struct difference {
    json_t *removed;
    json_t *before, *after;     /* Of those that change. */
    json_t *added;
    size_t n_same;
};

/* Rules as the service tells them, without what is not said to it. */
static json_t *
by_name(const json_t *rules)
{
    json_t *object = json_object();

    for (size_t i = 0; i < json_array_size(rules); i++) {
        struct model_rule rule;

        ctl_check("the service's answer",
                  model_rule_from_json(json_array_get(rules, i), &rule));
        json_object_set_new(object, rule.name, acl_body(&rule));
        model_rule_destroy(&rule);
    }
    return object;
}

/* Takes IS over. */
static void
compare(json_t *is, const struct acl_file *file, struct difference *d)
{
    *d = (struct difference) {
        .removed = is,
        .before = json_object(),
        .after = json_object(),
        .added = json_object(),
    };
    for (size_t i = 0; i < file->n; i++) {
        const char *name = file->rules[i].name;
        json_t *wanted = acl_body(&file->rules[i]);
        json_t *before = json_object_get(is, name);

        if (!before) {
            json_object_set(d->added, name, wanted);
        } else if (json_equal(before, wanted)) {
            d->n_same++;
        } else {
            json_object_set(d->before, name, before);
            json_object_set(d->after, name, wanted);
        }
        json_object_del(is, name);
        json_decref(wanted);
    }
}

static bool
differs(const struct difference *d)
{
    return (json_object_size(d->added) || json_object_size(d->after)
            || json_object_size(d->removed));
}

static void
difference_destroy(struct difference *d)
{
    json_decref(d->removed);
    json_decref(d->before);
    json_decref(d->after);
    json_decref(d->added);
}

/* Prints RULE, an object without "net" and "revision", as a line. */
static void
print_rule(const char *prefix, const json_t *object)
{
    json_t *json = json_copy(CONST_CAST(json_t *, object));
    struct model_rule rule;

    json_object_set_new(json, "net", json_string("x"));
    json_object_set_new(json, "revision", json_string("0.0"));
    ctl_check("the service's answer", model_rule_from_json(json, &rule));
    char *text = model_rule_to_text(&rule);
    printf("%s%s\n", prefix, text);
    free(text);
    model_rule_destroy(&rule);
    json_decref(json);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* In the order of names, so that the same difference is the same text. */
static void
print_sorted(const char *prefix, json_t *rules, const char *prefix2,
             json_t *partners)
{
    size_t n = json_object_size(rules);
    const char **names = xcalloc(n + 1, sizeof *names);
    const char *name;
    json_t *rule;
    size_t i = 0;

    json_object_foreach (rules, name, rule) {
        names[i++] = name;
    }
    qsort(names, n, sizeof *names, compare_names);
    for (i = 0; i < n; i++) {
        print_rule(prefix, json_object_get(rules, names[i]));
        if (partners) {
            print_rule(prefix2, json_object_get(partners, names[i]));
        }
    }
    free(names);
}

static void
print_difference(const struct difference *d, const char *net, bool dry_run)
{
    print_sorted("- ", d->removed, NULL, NULL);
    print_sorted("- ", d->before, "+ ", d->after);
    print_sorted("+ ", d->added, NULL, NULL);
    if (!differs(d)) {
        printf("vSubnet %s: nothing to change, %"PRIuSIZE" rule%s\n", net,
               d->n_same, d->n_same == 1 ? "" : "s");
        return;
    }
    printf("vSubnet %s: %s%"PRIuSIZE" added, %"PRIuSIZE" changed, "
           "%"PRIuSIZE" removed, %"PRIuSIZE" as before\n", net,
           dry_run ? "would have " : "", json_object_size(d->added),
           json_object_size(d->after), json_object_size(d->removed),
           d->n_same);
}

/* The values of OBJECT. */
static json_t *
values(json_t *object)
{
    json_t *array = json_array();
    const char *name;
    json_t *value;

    json_object_foreach (object, name, value) {
        json_array_append(array, value);
    }
    return array;
}

static void
print_json(const struct difference *d, const char *net, bool dry_run)
{
    json_t *json = json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:o, s:I}", "net", net,
        "dry_run", (int) dry_run, "added", values(d->added),
        "before", values(d->before), "after", values(d->after),
        "removed", values(d->removed),
        "unchanged", (json_int_t) d->n_same);

    output_json(json);
    json_decref(json);
}

/* The vSubnet's rules, with the revision of all. */
static json_t *
get_rules(struct ctl *ctl, const char *net)
{
    json_t *answer = ctl_request(ctl, "GET", ctl_path("nets", net, "rules",
                                                      NULL), NULL);

    if (!json_is_array(json_object_get(answer, "items"))
        || !json_is_string(json_object_get(answer, "revision"))
        || json_object_get(answer, "next")) {
        ctl_fatal("the service's answer has not all rules");
    }
    return answer;
}

/* Says whether the rules are by now those in FILE. */
static bool
is_applied(struct ctl *ctl, const struct acl_file *file)
{
    json_t *answer = get_rules(ctl, file->net);
    struct difference d;

    compare(by_name(json_object_get(answer, "items")), file, &d);
    bool applied = !differs(&d);
    difference_destroy(&d);
    json_decref(answer);
    return applied;
}

/* Says what all rules are, unless they are others now than those with
 * REVISION.  If the answer is lost the request is sent again, and then it is
 * the first one that has made another revision. */
static void
put_rules(struct ctl *ctl, const struct acl_file *file, const char *revision)
{
    struct client *client = ctl_client(ctl);
    struct client_answer answer;
    json_t *rules = json_array();
    json_t *body = json_pack("{s:o}", "rules", rules);
    char *path = ctl_path("nets", file->net, "rules", NULL);
    char *tag = xasprintf("\"%s\"", revision);

    for (size_t i = 0; i < file->n; i++) {
        json_array_append_new(rules, acl_body(&file->rules[i]));
    }
    client_set_if_match(client, tag);
    ctl_check("", client_send(client, "PUT", path, body, &answer));
    client_set_if_match(client, NULL);
    if (answer.status == PRECONDITION_FAILED) {
        if (!is_applied(ctl, file)) {
            ctl_fatal("revision-mismatch: somebody else has changed the rules "
                      "of vSubnet %s meanwhile: look at the difference again",
                      file->net);
        }
    } else {
        ctl_check("", client_refusal(&answer));
    }
    client_answer_destroy(&answer);
    json_decref(body);
    free(path);
    free(tag);
}

void
ctl_acl_apply(struct ctl *ctl)
{
    bool dry_run = ctl_has(ctl, OPT_DRY_RUN);
    struct difference d;
    struct acl_file file;

    acl_file_read(ctl_arg(ctl, 0), &file);
    json_t *answer = get_rules(ctl, file.net);
    compare(by_name(json_object_get(answer, "items")), &file, &d);
    if (!dry_run && differs(&d)) {
        put_rules(ctl, &file, json_string_value(json_object_get(answer,
                                                                "revision")));
    }
    if (ctl_has(ctl, OPT_JSON)) {
        print_json(&d, file.net, dry_run);
    } else {
        print_difference(&d, file.net, dry_run);
    }
    if (dry_run && differs(&d)) {
        if (fflush(stdout) || ferror(stdout)) {
            ctl_fatal("cannot write the output");
        }
        exit(EXIT_DIFFERENT);
    }
    difference_destroy(&d);
    json_decref(answer);
    acl_file_destroy(&file);
}

void
ctl_acl_export(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    json_t *answer = get_rules(ctl, net);
    json_t *rules = acl_in_order(json_object_get(answer, "items"));

    if (ctl_has(ctl, OPT_JSON)) {
        output_json(rules);
    } else {
        printf("# Rules of vSubnet %s, those that are asked first at the "
               "top.\nnet %s\n", net, net);
        for (size_t i = 0; i < json_array_size(rules); i++) {
            print_rule("", json_array_get(rules, i));
        }
    }
    json_decref(rules);
    json_decref(answer);
}
