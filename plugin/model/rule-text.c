/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as lines that people write and read. */

#include <config.h>
#include "model/rule.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A line is read word by word.  The first two say what is done and in which
 * direction; the others come in any order, but for these: what "from" or "to"
 * refers to follows it, and ports follow their protocol. */

/* What a line can say once. */
enum part {
    PART_LABEL = 1 << 0,
    PART_REMOTE = 1 << 1,
    PART_PROTOCOL = 1 << 2,
    PART_PORTS = 1 << 3,
    PART_TYPE = 1 << 4,
    PART_CODE = 1 << 5,
    PART_PRIORITY = 1 << 6,
    PART_LOG = 1 << 7,
    PART_NAME = 1 << 8,
};

struct line {
    struct model_rule *rule;
    char *next;                 /* What follows. */
    int parts;                  /* That were there. */
};

/* Returns the next word, or null at the end of the line or its comment. */
static char *
next_word(struct line *line)
{
    char *word = line->next + strspn(line->next, " \t\r\n");
    size_t n = strcspn(word, " \t\r\n");

    if (!*word || *word == '#') {
        return NULL;
    }
    line->next = word + n + (word[n] != '\0');
    word[n] = '\0';
    return word;
}

/* Says that PART is there now; it must not have been. */
static char *
take(struct line *line, enum part part, const char *what)
{
    if (line->parts & part) {
        return xasprintf("%s is there twice", what);
    }
    line->parts |= part;
    return NULL;
}

static char *
take_name(struct line *line, enum part part, const char *what,
          const char *value, char **out)
{
    char *error = take(line, part, what);

    if (!error) {
        error = model_check_name(value);
    }
    if (!error) {
        *out = xstrdup(value);
    }
    return error;
}

static char *
take_number(struct line *line, enum part part, const char *what,
            const char *value, int max, int *out)
{
    unsigned int number;
    char *error = take(line, part, what);

    if (error) {
        return error;
    }
    if (!*value || strlen(value) > 5 || value[strspn(value, "0123456789")]
        || !str_to_uint(value, 10, &number) || number > max) {
        return xasprintf("%s=%.60s: not a number from 0 to %d", what, value,
                         max);
    }
    *out = number;
    return NULL;
}

static char *
take_protocol(struct line *line, const char *value)
{
    char *error = take(line, PART_PROTOCOL, "a protocol");

    return error ? error : model_protocol_parse(value,
                                                &line->rule->protocol);
}

/* "from" or "to" was read; its object follows. */
static char *
take_remote(struct line *line, const char *word)
{
    struct model_rule *rule = line->rule;
    bool ingress = rule->direction == MODEL_INGRESS;
    char *error = take(line, PART_REMOTE, word);

    if (error) {
        return error;
    }
    if (strcmp(word, ingress ? "from" : "to")) {
        return xasprintf("%s: what %s comes \"%s\" somebody", word,
                         ingress ? "is ingress" : "is egress",
                         ingress ? "from" : "to");
    }
    char *value = next_word(line);
    if (!value) {
        return xasprintf("%s: label=NAME, an address, a range or \"any\" "
                         "must follow", word);
    } else if (!strncmp(value, "label=", 6)) {
        error = model_check_name(value + 6);
        rule->remote_label = error ? NULL : xstrdup(value + 6);
        return error;
    } else if (!strcmp(value, "any")) {
        return NULL;
    }
    error = model_remote_parse(value, &rule->remote);
    if (error) {
        char *more = xasprintf("%s %s: label=NAME, an address, a range or "
                               "\"any\" must follow", word, error);

        free(error);
        return more;
    }
    rule->has_remote = true;
    return NULL;
}

/* WORD is no NAME=VALUE. */
static char *
take_word(struct line *line, const char *word)
{
    struct model_rule *rule = line->rule;
    int protocol;

    if (!strcmp(word, "from") || !strcmp(word, "to")) {
        return take_remote(line, word);
    } else if (!strcmp(word, "log")) {
        rule->log = true;
        return take(line, PART_LOG, "log");
    } else if (*word >= '0' && *word <= '9') {
        char *error = take(line, PART_PORTS, "a list of ports");

        if (!error && rule->protocol < 0) {
            error = xasprintf("%.60s: ports follow tcp, udp or sctp (and "
                              "another protocol's number is protocol=N)",
                              word);
        }
        return error ? error : model_ports_parse(word, &rule->ports,
                                                 &rule->n_ports);
    }

    char *error = model_protocol_parse(word, &protocol);
    if (!error) {
        return take_protocol(line, word);
    }
    free(error);
    return xasprintf("%.60s: not known here; after ACTION DIRECTION come "
                     "label=NAME, %s WHOM, a protocol, ports, type=N, code=N, "
                     "priority=N, log, name=NAME", word,
                     rule->direction == MODEL_INGRESS ? "from" : "to");
}

static char *
take_value(struct line *line, const char *word, const char *value)
{
    struct model_rule *rule = line->rule;
    size_t n = value - word - 1;
    int number = rule->priority;
    char *error;

#define IS(NAME) (n == strlen(NAME) && !strncmp(word, NAME, n))
    if (IS("label")) {
        return take_name(line, PART_LABEL, "label", value, &rule->label);
    } else if (IS("name")) {
        return take_name(line, PART_NAME, "name", value, &rule->name);
    } else if (IS("protocol")) {
        return take_protocol(line, value);
    } else if (IS("type")) {
        return take_number(line, PART_TYPE, "type", value, 255,
                           &rule->icmp_type);
    } else if (IS("code")) {
        return take_number(line, PART_CODE, "code", value, 255,
                           &rule->icmp_code);
    } else if (IS("priority")) {
        error = take_number(line, PART_PRIORITY, "priority", value,
                            MODEL_RULE_PRIORITY_MAX, &number);
        rule->priority = number;
        return error;
    }
#undef IS
    return xasprintf("%.60s: not known here: label=, name=, priority=, "
                     "protocol=, type= and code= are", word);
}

static char *
take_beginning(struct line *line)
{
    const char *action = next_word(line);
    char *error = (action ? model_action_parse(action, &line->rule->action)
                   : xstrdup("no rule"));

    if (!error) {
        const char *direction = next_word(line);

        error = (direction ? model_direction_parse(direction,
                                                   &line->rule->direction)
                 : xstrdup("ingress or egress must follow"));
    }
    return error;
}

/* What model_rule_check() says, in the words of a line. */
static char *
check(const struct model_rule *rule)
{
    if (rule->n_ports && rule->protocol >= 0
        && rule->protocol != IPPROTO_TCP && rule->protocol != IPPROTO_UDP
        && rule->protocol != IPPROTO_SCTP) {
        return xstrdup("ports: only tcp, udp and sctp have any");
    } else if (!rule->name) {
        return xstrdup("no name=NAME: each rule has a name that no other "
                       "rule has");
    } else if (rule->icmp_code >= 0 && rule->icmp_type < 0) {
        return xstrdup("code=N: only with type=N");
    }
    return model_rule_check(rule);
}

char *
model_rule_from_text(const char *text, struct model_rule *rule)
{
    char *copy = xstrdup(text);
    struct line line = { .rule = rule, .next = copy };
    char *word;

    *rule = (struct model_rule) {
        .priority = MODEL_RULE_PRIORITY,
        .protocol = -1,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    char *error = take_beginning(&line);
    while (!error && (word = next_word(&line)) != NULL) {
        char *equals = strchr(word, '=');

        error = (equals ? take_value(&line, word, equals + 1)
                 : take_word(&line, word));
    }
    if (!error) {
        error = check(rule);
    }
    if (error) {
        model_rule_destroy(rule);
    }
    free(copy);
    return error;
}

static void
format_protocol(const struct model_rule *rule, struct ds *s)
{
    const char *name = model_protocol_name(rule->protocol);
    char *ports = model_ports_format(rule->ports, rule->n_ports);

    if (name) {
        ds_put_format(s, " %s", name);
    } else if (rule->protocol >= 0) {
        ds_put_format(s, " protocol=%d", rule->protocol);
    }
    if (ports) {
        ds_put_format(s, " %s", ports);
    }
    if (rule->icmp_type >= 0) {
        ds_put_format(s, " type=%d", rule->icmp_type);
    }
    if (rule->icmp_code >= 0) {
        ds_put_format(s, " code=%d", rule->icmp_code);
    }
    free(ports);
}

char *
model_rule_to_text(const struct model_rule *rule)
{
    const char *preposition = (rule->direction == MODEL_INGRESS ? "from"
                               : "to");
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s %s", model_action_name(rule->action),
                  model_direction_name(rule->direction));
    if (rule->label) {
        ds_put_format(&s, " label=%s", rule->label);
    }
    if (rule->remote_label) {
        ds_put_format(&s, " %s label=%s", preposition, rule->remote_label);
    } else if (rule->has_remote) {
        char remote[MODEL_ADDRESS_STRLEN];

        ds_put_format(&s, " %s %s", preposition,
                      model_address_string(&rule->remote, remote));
    }
    format_protocol(rule, &s);
    ds_put_format(&s, " priority=%d%s name=%s", rule->priority,
                  rule->log ? " log" : "", rule->name);
    return ds_steal_cstr(&s);
}
