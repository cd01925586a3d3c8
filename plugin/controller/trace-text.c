/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what `ofproto/trace` prints. */
#include <config.h>
#include "controller/trace-text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

enum { INDENT = 4 };            /* Of what is one deeper. */

/* True if 's' begins with 'prefix'; then '*rest' is what follows. */
static bool
begins(const char *s, const char *prefix, const char **rest)
{
    size_t n = strlen(prefix);

    if (strncmp(s, prefix, n)) {
        return false;
    }
    *rest = s + n;
    return true;
}

/* Reads " 0. in_port=3, priority 100, cookie 0x3" or "31. No match.", which
 * stands after 'indent' spaces. */
static bool
parse_step(const char *s, size_t indent, struct trace_step *step)
{
    size_t digits = strspn(s, "0123456789");
    const char *priority, *cookie;

    if (!digits || digits > 3 || s[digits] != '.' || s[digits + 1] != ' ') {
        return false;
    }
    int table = atoi(s);
    s += digits + 2;
    *step = (struct trace_step) { .depth = indent / INDENT, .table = table };
    svec_init(&step->actions);
    if (!strncmp(s, "No match", 8)) {
        step->miss = true;
        step->match = xstrdup("");
        return true;
    }
    priority = strstr(s, "priority ");
    if (!priority || table > UINT8_MAX) {
        return false;
    }
    size_t len = priority - s;
    while (len && strchr(", ", s[len - 1])) {
        len--;
    }
    step->match = xmemdup0(s, len);
    step->priority = atoi(priority + strlen("priority "));
    cookie = strstr(priority, "cookie ");
    step->cookie = cookie ? strtoull(cookie + strlen("cookie "), NULL, 16) : 0;
    return true;
}

static void
add_output(struct trace_text *text, struct trace_step *step, int port)
{
    if (text->n_outputs >= TRACE_OUTPUTS_MAX) {
        text->cut = true;
        return;
    }
    step->outputs = xrealloc(step->outputs, ((step->n_outputs + 1)
                                             * sizeof *step->outputs));
    step->outputs[step->n_outputs++] = port;
    text->n_outputs++;
}

/* What is said of an action: " -> output port is 3", " >> skipping ...". */
static void
parse_remark(struct trace_text *text, struct trace_step *step, const char *s)
{
    const char *rest;

    if (begins(s, "-> output port is ", &rest) && isdigit(*rest)) {
        add_output(text, step, atoi(rest));
    } else if ((strstr(s, "skipping output") || strstr(s, "not forwarding")
                || strstr(s, "onexistent output port"))
               && step->n_outputs) {
        step->n_outputs--;
        text->n_outputs--;
    }
}

static void
parse_action(struct trace_text *text, struct trace_step *step, const char *s)
{
    const char *rest;

    if (!strncmp(s, "->", 2) || !strncmp(s, ">>", 2)) {
        parse_remark(text, step, s);
        return;
    }
    if (begins(s, "output:", &rest) && isdigit(*rest)) {
        add_output(text, step, atoi(rest));
    }
    if (step->actions.n < TRACE_ACTIONS_MAX) {
        svec_add(&step->actions, s);
    } else {
        text->cut = true;
    }
}

static void
parse_final_flow(struct trace_text *text, const char *s)
{
    const char *tun_dst = strstr(s, ",tun_dst=");
    char address[INET_ADDRSTRLEN + 1];
    ovs_be32 ip;

    if (tun_dst) {
        ovs_strlcpy(address, tun_dst + strlen(",tun_dst="), sizeof address);
        address[strcspn(address, ",")] = '\0';
        text->tun_dst = ip_parse(address, &ip) ? ntohl(ip) : 0;
    }
}

/* Takes in one line, of which 's' is what follows 'indent' spaces. */
static void
parse_line(struct trace_text *text, const char *s, size_t indent)
{
    struct trace_step *last = text->n ? &text->steps[text->n - 1] : NULL;
    struct trace_step step;
    const char *rest;

    if (begins(s, "Final flow: ", &rest)) {
        parse_final_flow(text, rest);
    } else if (begins(s, "Datapath actions: ", &rest)) {
        free(text->datapath_actions);
        text->datapath_actions = xstrdup(rest);
    } else if (begins(s, "Translation failed ", &rest)) {
        text->error = text->error ? text->error : xstrdup(s);
    } else if (begins(s, "recirc(", &rest)) {
        text->tracked = true;
    } else if (parse_step(s, indent, &step)) {
        if (text->n >= TRACE_STEPS_MAX) {
            text->cut = true;
            free(step.match);
            return;
        }
        text->steps = xrealloc(text->steps,
                               (text->n + 1) * sizeof *text->steps);
        text->steps[text->n++] = step;
    } else if (last && indent > (size_t) last->depth * INDENT) {
        parse_action(text, last, s);
    } else if (last && indent && *s) {
        /* The one that visited goes on. */
        for (size_t i = text->n; i-- > 0; ) {
            if (indent > (size_t) text->steps[i].depth * INDENT) {
                parse_action(text, &text->steps[i], s);
                break;
            }
        }
    }
}

void
trace_text_parse(struct trace_text *text, const char *s)
{
    *text = (struct trace_text) { .steps = NULL };
    while (*s) {
        size_t indent = strspn(s, " ");
        size_t len = strcspn(s + indent, "\n");
        char *line = xmemdup0(s + indent, len);

        parse_line(text, line, indent);
        free(line);
        s += indent + len;
        s += *s == '\n';
    }
}

void
trace_text_destroy(struct trace_text *text)
{
    for (size_t i = 0; i < text->n; i++) {
        free(text->steps[i].match);
        svec_destroy(&text->steps[i].actions);
        free(text->steps[i].outputs);
    }
    free(text->steps);
    free(text->error);
    free(text->datapath_actions);
}
