/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/model: rules. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "model/rule.h"
#include "openvswitch/dynamic-string.h"
#include "unit-model.h"
#include "util.h"

/* Parses S, in which ' stands for ". */
static json_t *
parse(const char *s)
{
    char *text = xstrdup(s);
    json_t *json = NULL;

    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    char *error = model_json_parse(text, strlen(text), 1 << 20, &json);
    if (error) {
        ovs_fatal(0, "%s: %s", s, error);
    }
    free(text);
    return json;
}

static void
check_error(const char *input, char *error, const char *expected)
{
    if (!error != !expected || (error && !strstr(error, expected))) {
        ovs_fatal(0, "%s:\nexpected %s\ngot %s", input,
                  expected ? expected : "success",
                  error ? error : "success");
    }
    free(error);
}

/* A rule; a test has some members otherwise. */
#define RULE "{'revision':'1.2','net':'demo','name':'web','priority':1000," \
    "'direction':'ingress','label':null,'action':'allow','log':false," \
    "'remote_label':null,'remote_address':null,'protocol':null," \
    "'ports':null,'icmp_type':null,'icmp_code':null}"
#define ODD_PORTS \
    "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45," \
    "47,49,51,53,55,57,59,61,63,65,67,69,71,73,75,77,79,81,83,85,87," \
    "89,91,93,95,97,99,101,103,105,107,109,111,113,115,117,119,121," \
    "123,125,127"

static const struct rule_test {
    const char *more;
    const char *error;          /* Of refusal; or null, */
    const char *becomes;        /* and what is written; null: the same. */
} rule_tests[] = {
    { "{}", NULL, NULL },
    { "{'direction':'egress','action':'deny','log':true,'priority':32767,"
      "'label':'db','remote_label':'web'}", NULL, NULL },
    { "{'protocol':'tcp','ports':'80,443,8000-8080'}", NULL, NULL },
    { "{'protocol':'udp','ports':'443,80'}", NULL,
      "{'protocol':'udp','ports':'80,443'}" },
    { "{'protocol':'sctp','ports':'7-7'}", NULL,
      "{'protocol':'sctp','ports':'7'}" },
    { "{'protocol':'tcp','ports':'0-65535'}", NULL, NULL },
    { "{'protocol':'tcp','ports':'" ODD_PORTS "'}", NULL, NULL },
    { "{'protocol':6,'ports':'22'}", NULL,
      "{'protocol':'tcp','ports':'22'}" },
    { "{'protocol':0}", NULL, NULL },
    { "{'protocol':255}", NULL, NULL },
    { "{'protocol':'47'}", NULL, "{'protocol':47}" },
    { "{'protocol':'icmp','icmp_type':8,'icmp_code':0,"
      "'remote_address':'10.0.0.0/8'}", NULL, NULL },
    { "{'protocol':'icmp6','icmp_type':255,'remote_address':'fd00::1'}",
      NULL, NULL },
    { "{'protocol':'tcp','remote_address':'0.0.0.0/0'}", NULL, NULL },
    { "{'remote_address':'::/0'}", NULL, NULL },
    { "{'remote_address':'10.0.0.1/32'}", NULL, NULL },

    { "{'name':'Web'}", "name: Web: a name consists", NULL },
    { "{'name':null}", "name: missing", NULL },
    { "{'priority':32768}", "priority: not a whole number from 0 to 32767",
      NULL },
    { "{'priority':null}", "priority: missing", NULL },
    { "{'direction':'in'}", "direction: in: not a direction", NULL },
    { "{'action':'reject'}", "action: reject: not an action", NULL },
    { "{'label':'a b'}", "label: a b: a name consists", NULL },
    { "{'remote_label':7}", "remote_label: not a string", NULL },
    { "{'log':1}", "log: not true or false", NULL },
    { "{'remote_label':'a','remote_address':'10.0.0.1'}",
      "remote_address: not together with remote_label", NULL },
    { "{'remote_address':'10.0.0.1/24'}",
      "remote_address: host bits set in 10.0.0.1/24", NULL },
    { "{'remote_address':'fd00::1/64'}", "host bits set", NULL },
    { "{'remote_address':'db'}", "remote_address: db: not an IPv4", NULL },
    { "{'protocol':256}", "protocol: not a whole number", NULL },
    { "{'protocol':'TCP'}", "protocol: TCP: not a protocol", NULL },
    { "{'protocol':'+6'}", "protocol: +6: not a protocol", NULL },
    { "{'protocol':''}", "protocol: : not a protocol", NULL },
    { "{'ports':'80'}", "ports: only with protocol tcp", NULL },
    { "{'protocol':'icmp','ports':'80'}", "ports: only with", NULL },
    { "{'protocol':'tcp','ports':''}", "ports: : not a list", NULL },
    { "{'protocol':'tcp','ports':'80,'}", "ports: 80,: not a list", NULL },
    { "{'protocol':'tcp','ports':'80 '}", "ports: not a list", NULL },
    { "{'protocol':'tcp','ports':'65536'}", "not a list", NULL },
    { "{'protocol':'tcp','ports':'080'}", "not a list", NULL },
    { "{'protocol':'tcp','ports':'90-80'}", "not a list", NULL },
    { "{'protocol':'tcp','ports':'1-2-3'}", "not a list", NULL },
    { "{'protocol':'tcp','ports':'7-9,9'}", "port 9 appears twice", NULL },
    { "{'protocol':'tcp','ports':'129," ODD_PORTS "'}",
      "ports: more than 64 ranges", NULL },
    { "{'protocol':'tcp','icmp_type':8}", "icmp_type: only with", NULL },
    { "{'protocol':'icmp','icmp_code':0}", "icmp_code: only with", NULL },
    { "{'protocol':'icmp','icmp_type':256}", "icmp_type: not a whole", NULL },
    { "{'protocol':'icmp','remote_address':'fd00::1'}",
      "remote_address: not an address that icmp can have", NULL },
    { "{'protocol':58,'remote_address':'10.0.0.0/8'}",
      "remote_address: not an address that icmp6 can have", NULL },
};

static json_t *
with(const char *more)
{
    json_t *json = parse(RULE);
    json_t *members = parse(more);

    json_object_update(json, members);
    json_decref(members);
    return json;
}

void
test_rules(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rule_tests); i++) {
        const struct rule_test *t = &rule_tests[i];
        json_t *in = with(t->more);
        json_t *expected = with(t->becomes ? t->becomes : t->more);
        struct model_rule rule;
        char *error = model_rule_from_json(in, &rule);

        if (!error) {
            json_t *out = model_rule_to_json(&rule);

            if (!json_equal(out, expected)) {
                ovs_fatal(0, "%s came back as %s", t->more,
                          json_dumps(out, JSON_COMPACT));
            }
            json_decref(out);
            model_rule_destroy(&rule);
        }
        check_error(t->more, error, t->error);
        json_decref(in);
        json_decref(expected);
    }
}

/* Rules as lines. */

static const struct text_test {
    const char *text;
    const char *error;          /* Of refusal; or null, */
    const char *becomes;        /* and how it is written; null: the same. */
} text_tests[] = {
    { "allow ingress label=web from label=app tcp 80,443 priority=1000 log "
      "name=web-in", NULL, NULL },
    { "deny egress priority=0 name=a", NULL, NULL },
    { "\tname=a  log deny", "name=a: not an action (allow or deny)", NULL },
    { " allow\tingress  name=a # b name=c\r\n", NULL,
      "allow ingress priority=1000 name=a" },
    { "allow ingress name=a log priority=7 udp 53,7-9 from any", NULL,
      "allow ingress udp 7-9,53 priority=7 log name=a" },
    { "allow egress to 10.0.0.0/8 icmp type=8 code=0 priority=1 name=a", NULL,
      NULL },
    { "deny egress to fd00::/8 protocol=47 priority=1 name=a", NULL, NULL },
    { "deny ingress from 10.0.0.1 protocol=6 22 priority=1 name=a", NULL,
      "deny ingress from 10.0.0.1 tcp 22 priority=1 name=a" },

    { "", "no rule", NULL },
    { "# nothing", "no rule", NULL },
    { "reject ingress name=a", "reject: not an action", NULL },
    { "allow", "ingress or egress must follow", NULL },
    { "allow in name=a", "in: not a direction", NULL },
    { "allow ingress", "no name=NAME", NULL },
    { "allow ingress name=A", "A: a name consists", NULL },
    { "allow ingress name=", "a name must not be empty", NULL },
    { "allow ingress name=a name=b", "name is there twice", NULL },
    { "allow ingress name=a log log", "log is there twice", NULL },
    { "allow ingress to any name=a", "comes \"from\" somebody", NULL },
    { "allow egress from any name=a", "comes \"to\" somebody", NULL },
    { "allow egress to any to any name=a", "to is there twice", NULL },
    { "allow ingress name=a from", "must follow", NULL },
    { "allow ingress name=a from web", "from web: not an IPv4", NULL },
    { "allow ingress from 10.0.0.1/8 name=a", "host bits set", NULL },
    { "allow ingress from label=A name=a", "A: a name consists", NULL },
    { "allow ingress 80 name=a", "80: ports follow tcp, udp or sctp", NULL },
    { "allow ingress icmp 80 name=a", "ports: only tcp", NULL },
    { "allow ingress tcp 80, name=a", "80,: not a list of ports", NULL },
    { "allow ingress tcp 80 443 name=a", "a list of ports is there twice",
      NULL },
    { "allow ingress tcp udp name=a", "a protocol is there twice", NULL },
    { "allow ingress tcp type=8 name=a", "icmp_type: only with", NULL },
    { "allow ingress icmp code=0 name=a", "code=N: only with type=N", NULL },
    { "allow ingress icmp type=x name=a", "type=x: not a number from 0 to "
      "255", NULL },
    { "allow ingress priority=32768 name=a", "not a number from 0 to 32767",
      NULL },
    { "allow ingress priority= name=a", "priority=: not a number", NULL },
    { "allow ingress prio=1 name=a", "prio=1: not known here", NULL },
    { "allow ingress protocol=300 name=a", "300: not a protocol", NULL },
    { "allow ingress web name=a", "web: not known here; after ACTION", NULL },
    { "allow ingress icmp6 from 10.0.0.1 name=a", "not an address that "
      "icmp6 can have", NULL },
};

void
test_rule_text(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(text_tests); i++) {
        const struct text_test *t = &text_tests[i];
        struct model_rule rule;
        char *error = model_rule_from_text(t->text, &rule);

        if (!error) {
            char *text = model_rule_to_text(&rule);

            if (strcmp(text, t->becomes ? t->becomes : t->text)) {
                ovs_fatal(0, "%s came back as %s", t->text, text);
            }
            free(text);
            model_rule_destroy(&rule);
        }
        check_error(t->text, error, t->error);
    }
}

/* The order in which rules are asked. */
void
test_rule_order(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct model_rule order[] = {
        { .name = "z", .priority = 2, .action = MODEL_DENY },
        { .name = "a", .priority = 2, .action = MODEL_ALLOW },
        { .name = "b", .priority = 2, .action = MODEL_ALLOW },
        { .name = "a", .priority = 1, .action = MODEL_DENY },
    };

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
            int cmp = model_rule_compare(&order[i], &order[j]);
            assert(i < j ? cmp < 0 : i > j ? cmp > 0 : !cmp);
        }
    }
}

/* In a mapping.  The snapshot is one of a version that knew of no rules. */

#define PUT(NAME, REV) \
    "{'revision':'1." REV "','net':'demo','name':'" NAME "'," \
    "'priority':1,'direction':'egress','action':'deny'}"

static void
apply(struct mapping *m, const char *change, struct mapping_touches *touches,
      const char *error)
{
    json_t *json = parse(change);

    check_error(change, mapping_apply_change(m, json, NULL, touches), error);
    json_decref(json);
}

/* Changes of rules of a vSubnet are told once, beside others. */
static void
check_touched(struct mapping_touches *touches, size_t n)
{
    size_t n_rules = 0;

    assert(touches->n == n && touches->others && !touches->all);
    for (size_t i = 0; i < n; i++) {
        n_rules += touches->touches[i].type == MAPPING_TOUCH_RULES;
        assert(touches->touches[i].vni == 7);
    }
    assert(n_rules == 1);
    mapping_touches_clear(touches);
}

void
test_rule_mapping(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping_touches touches = MAPPING_TOUCHES_INITIALIZER;
    json_t *json = parse(
        "{'revision':'1.2','self':null,'nodes':[],'nets':[{'revision':'1.1',"
        "'name':'demo','vni':7,'algorithm':'aes128gcm'}],'members':[],"
        "'bindings':[],'keys':[]}");
    struct mapping *m;

    check_error("old", mapping_from_snapshot(json, &m), NULL);
    json_decref(json);
    struct model_net *net = mapping_net(m, "demo");
    assert(hmap_is_empty(&net->rules) && !mapping_rule(m, "demo", "a"));

    apply(m, "{'revision':'1.3','put':{'rules':[" PUT("a", "3") ","
          PUT("b", "3") "]}}", &touches, NULL);
    check_touched(&touches, 1);
    struct model_rule *rule = mapping_rule(m, "demo", "a");
    assert(rule && !strcmp(rule->name, "a") && rule->action == MODEL_DENY);
    assert(!mapping_rule(m, "other", "a"));
    assert(hmap_count(&net->rules) == 2 && hmap_count(&m->rules) == 2);

    /* An older revision changes nothing, and what is wrong nothing at all. */
    apply(m, "{'revision':'1.4','put':{'rules':[" PUT("a", "1") "]}}",
          &touches, NULL);
    assert(!touches.n && mapping_rule(m, "demo", "a") == rule);
    apply(m, "{'revision':'1.4','put':{'rules':[" PUT("c", "4") ","
          PUT("c", "4") "]}}", &touches,
          "put.rules[1]: rule c of vSubnet demo appears twice");
    apply(m, "{'revision':'1.4','remove':{'rules':[{'net':'demo'}]}}",
          &touches, "remove.rules[0]: name: missing");
    assert(!touches.n && !mapping_rule(m, "demo", "c"));

    /* A vSubnet that is put keeps its rules; one that goes takes them. */
    apply(m, "{'revision':'1.5','put':{'nets':[{'revision':'1.5','name':"
          "'demo','vni':7,'algorithm':'aes128gcm'}]},"
          "'remove':{'rules':[{'net':'demo','name':'b'}]}}", &touches, NULL);
    check_touched(&touches, 2);
    net = mapping_net(m, "demo");
    assert(hmap_count(&net->rules) == 1 && mapping_rule(m, "demo", "a"));
    apply(m, "{'revision':'1.6','remove':{'nets':['demo']}}", &touches, NULL);
    assert(hmap_is_empty(&m->rules));
    apply(m, "{'revision':'1.7','put':{'rules':[" PUT("a", "7") "]}}",
          &touches, "put.rules[0]: net: there is no vSubnet demo");
    mapping_touches_destroy(&touches);
    mapping_destroy(m);
}
