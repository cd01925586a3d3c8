/* SPDX-License-Identifier: Apache-2.0 */
/* Files of rules. */

#include <config.h>
#include "ctl/acl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "util.h"

/* What is known while a file is read. */
struct reading {
    const char *name;
    unsigned int line;
    struct acl_file *file;
    size_t allocated;
    struct shash names;         /* The line of each, as a uintptr_t. */
};

static void
check_line(const struct reading *r, char *error)
{
    if (error) {
        ctl_fatal("%s:%u: %s", r->name, r->line, error);
    }
}

/* Says whether LINE, from which comments are gone, begins with WORD. */
static const char *
after_word(const char *line, const char *word)
{
    size_t n = strlen(word);

    return (!strncmp(line, word, n) && (!line[n] || strchr(" \t", line[n]))
            ? line + n + strspn(line + n, " \t") : NULL);
}

static void
read_net(struct reading *r, const char *name)
{
    if (r->file->net) {
        check_line(r, xstrdup("a second \"net\": a file has the rules of one "
                              "vSubnet"));
    }
    check_line(r, model_check_name(name));
    r->file->net = xstrdup(name);
}

static void
read_rule(struct reading *r, const char *line)
{
    struct acl_file *file = r->file;

    if (!file->net) {
        check_line(r, xstrdup("\"net NAME\" must come first, the vSubnet "
                              "whose rules these are"));
    }
    if (file->n >= r->allocated) {
        file->rules = x2nrealloc(file->rules, &r->allocated,
                                 sizeof *file->rules);
    }
    struct model_rule *rule = &file->rules[file->n];
    check_line(r, model_rule_from_text(line, rule));
    file->n++;

    void *before = shash_find_data(&r->names, rule->name);
    if (before) {
        check_line(r, xasprintf("name=%s: line %u has a rule of this name",
                                rule->name,
                                (unsigned int) (uintptr_t) before));
    }
    shash_add(&r->names, rule->name, (void *) (uintptr_t) r->line);
}

static void
read_line(struct reading *r, char *line)
{
    char *comment = strchr(line, '#');

    if (comment) {
        *comment = '\0';
    }
    for (size_t n = strlen(line); n && strchr(" \t\r\n", line[n - 1]); n--) {
        line[n - 1] = '\0';
    }
    line += strspn(line, " \t");
    const char *net = after_word(line, "net");
    if (net) {
        read_net(r, net);
    } else if (*line) {
        read_rule(r, line);
    }
}

void
acl_file_read(const char *name, struct acl_file *file)
{
    bool is_stdin = !strcmp(name, "-");
    FILE *stream = is_stdin ? stdin : fopen(name, "r");
    struct ds line = DS_EMPTY_INITIALIZER;
    struct reading r = {
        .name = is_stdin ? "standard input" : name,
        .file = file,
        .names = SHASH_INITIALIZER(&r.names),
    };

    memset(file, 0, sizeof *file);
    if (!stream) {
        ctl_fatal("%s: %s", name, ovs_strerror(errno));
    }
    while (!ds_get_line(&line, stream)) {
        r.line++;
        read_line(&r, ds_cstr(&line));
    }
    if (ferror(stream)) {
        ctl_fatal("%s: %s", r.name, ovs_strerror(errno));
    }
    if (!is_stdin) {
        fclose(stream);
    }
    if (!file->net) {
        ctl_fatal("%s: no \"net NAME\", which says whose rules these are",
                  r.name);
    }
    ds_destroy(&line);
    shash_destroy(&r.names);
}

void
acl_file_destroy(struct acl_file *file)
{
    for (size_t i = 0; i < file->n; i++) {
        model_rule_destroy(&file->rules[i]);
    }
    free(file->rules);
    free(file->net);
}
