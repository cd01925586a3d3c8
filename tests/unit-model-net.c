/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/model: settings and labels of vSubnets and bindings. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "unit-model.h"
#include "util.h"

static json_t *
parse(const char *s)
{
    json_t *json = NULL;
    char *error = model_json_parse(s, strlen(s), 1 << 20, &json);

    if (error) {
        ovs_fatal(0, "%s: %s", s, error);
    }
    return json;
}

/* Makes a vSubnet with MORE, members that begin with a comma. */
static char *
read_net(const char *more, struct model_net *net)
{
    char *s = xasprintf(
        "{\"revision\":\"1.2\",\"name\":\"demo\",\"vni\":5001,"
        "\"algorithm\":\"aes128gcm\","
        "\"subnets\":[\"10.77.0.0/24\",\"fd77::/64\"]%s}", more);
    json_t *json = parse(s);
    char *error = model_net_from_json(json, net);

    json_decref(json);
    free(s);
    return error;
}

static void
expect(const char *input, char *error, const char *expected)
{
    if (!error != !expected || (error && strcmp(error, expected))) {
        ovs_fatal(0, "%s: expected %s, got %s", input,
                  expected ? expected : "success",
                  error ? error : "success");
    }
    free(error);
}

struct field_test {
    const char *more;
    const char *error;
};

static void
check_fields(const struct field_test *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct model_net net;
        char *error = read_net(tests[i].more, &net);
        bool good = !error;

        expect(tests[i].more, error, tests[i].error);
        if (good) {
            model_net_destroy(&net);
        }
    }
}

void
test_settings(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct field_test tests[] = {
        { "", NULL },
        { ",\"policy\":null,\"port_security\":null,\"dhcp\":null,"
          "\"max_macs\":null", NULL },
        { ",\"policy\":\"closed\"", NULL },
        { ",\"policy\":\"shut\"",
          "policy: shut: not a policy (open or closed)" },
        { ",\"policy\":1", "policy: not a string" },
        { ",\"port_security\":0", "port_security: not true or false" },
        { ",\"arp_suppression\":\"no\"",
          "arp_suppression: not true or false" },
        { ",\"guest_dhcp\":1", "guest_dhcp: not true or false" },
        { ",\"ipv6\":\"slaac\"", NULL }, { ",\"ipv6\":\"dhcpv6\"", NULL },
        { ",\"ipv6\":\"auto\"", "ipv6: auto: not a way to IPv6 addresses "
          "(none, slaac or dhcpv6)" },
        { ",\"max_macs\":1", NULL }, { ",\"max_macs\":65536", NULL },
        { ",\"max_macs\":0",
          "max_macs: not a whole number from 1 to 65536" },
        { ",\"max_macs\":65537",
          "max_macs: not a whole number from 1 to 65536" },
        { ",\"bum_rate\":1000000", NULL },
        { ",\"bum_rate\":1000001",
          "bum_rate: not a whole number from 1 to 1000000" },
        { ",\"bum_rate\":\"1000\"",
          "bum_rate: not a whole number from 1 to 1000000" },
    };
    struct model_net net, again;
    json_t *json, *copy;

    check_fields(tests, ARRAY_SIZE(tests));

    /* Of what is absent. */
    expect("defaults", read_net("", &net), NULL);
    assert(net.policy == MODEL_POLICY_OPEN && net.port_security
           && net.arp_suppression && !net.dhcp && !net.guest_dhcp
           && net.ipv6 == MODEL_IPV6_NONE && net.max_macs == 2048
           && net.bum_rate == 1000 && !net.n_labels);
    model_net_init(&again);
    json = model_net_settings_to_json(&net);
    copy = model_net_settings_to_json(&again);
    assert(json_equal(json, copy));
    json_decref(json);
    json_decref(copy);
    model_net_destroy(&again);
    model_net_destroy(&net);

    /* SLAAC without a range for it. */
    model_net_init(&net);
    net.ipv6 = MODEL_IPV6_SLAAC;
    expect("slaac", model_net_check(&net),
           "ipv6: slaac needs an IPv6 range with prefix length 64");
    net.n_subnets = 1;
    net.subnets = xmalloc(sizeof *net.subnets);
    free(model_subnet_parse("fd77::/72", net.subnets));
    expect("slaac", model_net_check(&net),
           "ipv6: slaac needs an IPv6 range with prefix length 64");
    net.ipv6 = MODEL_IPV6_DHCPV6;
    expect("dhcpv6", model_net_check(&net), NULL);
    free(model_subnet_parse("10.0.0.0/8", net.subnets));
    expect("dhcpv6", model_net_check(&net),
           "ipv6: dhcpv6 needs an IPv6 range");
    model_net_destroy(&net);
}

void
test_dhcp(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#define D(CONTENTS) ",\"dhcp\":{" CONTENTS "}"
#define ROUTE "{\"to\":\"10.0.0.0/8\",\"via\":\"10.77.0.2\"}"
#define ROUTE4 ROUTE "," ROUTE "," ROUTE "," ROUTE
#define DNS4 "\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\""
    static const struct field_test tests[] = {
        { D(""), NULL },
        { ",\"dhcp\":true", "dhcp: not an object" },
        { D("\"lease\":60"), NULL },
        { D("\"lease\":59"),
          "dhcp.lease: not a whole number from 60 to 31536000" },
        { D("\"lease\":31536001"),
          "dhcp.lease: not a whole number from 60 to 31536000" },
        { D("\"new-in-2.0\":1"), NULL },
        { D("\"gateway\":\"10.77.0.1\""), NULL },
        { D("\"gateway\":\"10.77.0.1/24\""), "dhcp.gateway: 10.77.0.1/24: "
          "not an IPv4 address without a prefix length" },
        { D("\"gateway\":\"fd77::1\""), "dhcp.gateway: fd77::1: "
          "not an IPv4 address without a prefix length" },
        { D("\"gateway\":\"10.78.0.1\""), "dhcp.gateway: 10.78.0.1 is in "
          "none of the vSubnet's ranges" },
        { D("\"gateway\":\"10.77.0.0\""), "dhcp.gateway: 10.77.0.0 is the "
          "first or last address of its range" },
        { D("\"gateway\":\"10.77.0.255\""), "dhcp.gateway: 10.77.0.255 is "
          "the first or last address of its range" },
        { D("\"dns\":[\"9.9.9.9\",\"2620:fe::fe\"]"), NULL },
        { D("\"dns\":[" DNS4 "," DNS4 "]"), NULL },
        { D("\"dns\":[" DNS4 "," DNS4 ",\"1.1.1.9\"]"),
          "dhcp.dns: has more than 8 elements" },
        { D("\"dns\":[\"9.9.9.9\",\"x\"]"),
          "dhcp.dns[1]: x: not an IPv4 or IPv6 address" },
        { D("\"dns\":[\"9.9.9.0/24\"]"), "dhcp.dns[0]: 9.9.9.0/24: not a "
          "unicast address without a prefix length" },
        { D("\"dns\":[\"ff02::fb\"]"), "dhcp.dns[0]: ff02::fb: not a "
          "unicast address without a prefix length" },
        { D("\"domain\":\"example.com\""), NULL },
        { D("\"domain\":\"a b\""),
          "dhcp.domain: a b: not the name of a domain" },
        { D("\"routes\":[" ROUTE4 "," ROUTE4 "," ROUTE4 "," ROUTE4 "]"),
          NULL },
        { D("\"routes\":[" ROUTE4 "," ROUTE4 "," ROUTE4 "," ROUTE4 ","
            ROUTE "]"),
          "dhcp.routes: has more than 16 elements" },
        { D("\"routes\":[{\"to\":\"0.0.0.0/0\",\"via\":\"10.77.0.1\"}]"),
          NULL },
        { D("\"routes\":[1]"), "dhcp.routes[0]: not an object" },
        { D("\"routes\":[" ROUTE ",{\"to\":\"10.0.0.0/8\"}]"),
          "dhcp.routes[1].via: missing" },
        { D("\"routes\":[{\"to\":\"10.0.0.1/8\",\"via\":\"10.77.0.1\"}]"),
          "dhcp.routes[0].to: host bits set in 10.0.0.1/8" },
        { D("\"routes\":[{\"to\":\"10.0.0.1\",\"via\":\"10.77.0.1\"}]"),
          "dhcp.routes[0].to: 10.0.0.1: not an IPv4 range "
          "(ADDRESS/LENGTH)" },
        { D("\"routes\":[{\"to\":\"10.0.0.1/32\",\"via\":\"10.77.0.1\"}]"),
          NULL },
        { D("\"routes\":[{\"to\":\"fd00::/8\",\"via\":\"10.77.0.1\"}]"),
          "dhcp.routes[0].to: fd00::/8: not an IPv4 range "
          "(ADDRESS/LENGTH)" },
        { D("\"routes\":[{\"to\":\"10.0.0.0/8\",\"via\":\"10.9.0.1\"}]"),
          "dhcp.routes[0].via: 10.9.0.1 is in none of the vSubnet's "
          "ranges" },
    };
    static const char whole[] =
        "{\"lease\":7200,\"gateway\":\"10.77.0.1\","
        "\"dns\":[\"9.9.9.9\",\"2620:fe::fe\"],\"domain\":\"example.com\","
        "\"routes\":[{\"to\":\"10.0.0.0/8\",\"via\":\"10.77.0.2\"},"
        "{\"to\":\"0.0.0.0/0\",\"via\":\"10.77.0.1\"}]}";
    struct model_net net;

    check_fields(tests, ARRAY_SIZE(tests));

    char *more = xasprintf(",\"dhcp\":%s", whole);
    json_t *in = parse(whole);
    expect(more, read_net(more, &net), NULL);
    json_t *out = model_dhcp_to_json(net.dhcp);
    assert(json_equal(in, out));
    assert(net.dhcp->lease == 7200 && net.dhcp->n_dns == 2
           && net.dhcp->n_routes == 2 && !net.dhcp->routes[1].to.plen);
    json_decref(out);
    json_decref(in);
    model_net_destroy(&net);
    free(more);

    expect("empty", read_net(D(""), &net), NULL);
    out = model_dhcp_to_json(net.dhcp);
    in = parse("{\"lease\":3600,\"gateway\":null,\"dns\":[],"
               "\"domain\":null,\"routes\":[]}");
    assert(json_equal(in, out));
    json_decref(in);
    json_decref(out);
    model_net_destroy(&net);
}

/* A vSubnet with N labels l0, l1, ... but with a gap at GAP. */
static char *
label_list(size_t n, size_t gap)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, ",\"labels\":[");
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s\"", i ? "," : "");
        if (i != gap) {
            ds_put_format(&s, "l%"PRIuSIZE, i);
        }
        ds_put_char(&s, '"');
    }
    ds_put_char(&s, ']');
    return ds_steal_cstr(&s);
}

static void
check_label_bits(void)
{
    char *names[] = { "l0", "l63", "l64", "l127", "l3", "other" };
    char *list = label_list(128, 3);
    struct model_net net;

    expect(list, read_net(list, &net), NULL);
    assert(net.n_labels == 128 && !net.labels[3][0]);
    assert(model_net_label(&net, "l0") == 0);
    assert(model_net_label(&net, "l127") == 127);
    assert(model_net_label(&net, "l3") == -1);
    assert(model_net_label(&net, "") == -1);

    ovs_u128 bits = model_net_label_bits(&net, names, ARRAY_SIZE(names));
    assert(bits.u64.lo == (UINT64_C(1) << 63 | 1));
    assert(bits.u64.hi == (UINT64_C(1) << 63 | 1));
    bits = model_net_label_bits(&net, names, 0);
    assert(!bits.u64.lo && !bits.u64.hi);

    json_t *json = model_net_to_json(&net);
    struct model_net again;
    expect("again", model_net_from_json(json, &again), NULL);
    json_t *same = model_net_to_json(&again);
    assert(json_equal(json, same));
    json_decref(same);
    json_decref(json);
    model_net_destroy(&again);
    model_net_destroy(&net);
    free(list);
}

static const struct field_test label_tests[] = {
    { "", NULL },
    { ",\"labels\":[\"web\",\"db\"]", NULL },
    { ",\"labels\":[\"web\",\"db\",\"web\"]",
      "labels[2]: web appears twice" },
    { ",\"labels\":[\"Web\"]", "labels[0]: Web: a name consists of a-z, 0-9 "
      "and '-', and does not begin with '-'" },
    { ",\"labels\":[\"web\",1]", "labels[1]: not a string" },
    { ",\"labels\":[\"\"]", "labels[0]: a name must not be empty" },
    { ",\"labels\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
      "\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"]",
      "labels: has more than 16 elements" },
    { ",\"port_security\":1", "port_security: not true or false" },
    { ",\"sequence\":-1",
      "sequence: not a whole number from 0 to 9223372036854775807" },
};

static char *
read_binding(const char *more, struct model_binding *binding)
{
    char *s = xasprintf(
        "{\"revision\":\"1.2\",\"net\":\"demo\",\"addresses\":[],"
        "\"mac\":\"06:76:00:00:00:07\",\"origin\":\"static\"%s}", more);
    json_t *json = parse(s);
    char *error = model_binding_from_json(json, binding);

    json_decref(json);
    free(s);
    return error;
}

void
test_labels(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct model_binding binding;
    struct model_net net;

    check_label_bits();
    char *list = label_list(129, 3);
    expect(list, read_net(list, &net), "labels: has more than 128 elements");
    free(list);
    expect("twice", read_net(",\"labels\":[\"a\",\"\",\"\",\"a\"]", &net),
           "labels[3]: a appears twice");

    for (size_t i = 0; i < ARRAY_SIZE(label_tests); i++) {
        const struct field_test *t = &label_tests[i];
        char *error = read_binding(t->more, &binding);
        bool good = !error;

        expect(t->more, error, t->error);
        if (good) {
            model_binding_destroy(&binding);
        }
    }

    expect("defaults", read_binding("", &binding), NULL);
    assert(binding.port_security && !binding.n_labels && !binding.sequence);
    model_binding_destroy(&binding);

    expect("sorted",
           read_binding(",\"labels\":[\"web\",\"db\",\"x\"],\"sequence\":7,"
                        "\"port_security\":false", &binding), NULL);
    json_t *json = model_binding_to_json(&binding);
    json_t *labels = parse("[\"db\",\"web\",\"x\"]");
    assert(json_equal(json_object_get(json, "labels"), labels));
    assert(json_integer_value(json_object_get(json, "sequence")) == 7);
    assert(json_is_false(json_object_get(json, "port_security")));
    json_decref(labels);
    json_decref(json);
    model_binding_destroy(&binding);
}

void
test_domains(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *const good[] = {
        "a", "example.com", "Example.COM", "1.2.3", "x-y.z",
        "a23456789012345678901234567890123456789012345678901234567890123",
    };
    static const char *const bad[] = {
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a.-b", "a_b",
        "a b", "a,b", "\xc3\xa9",
        "a234567890123456789012345678901234567890123456789012345678901234",
    };
    char longest[256];

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        expect(good[i], model_check_domain(good[i]), NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = model_check_domain(bad[i]);

        assert(error && strstr(error, "not the name of a domain"));
        free(error);
    }
    for (size_t i = 0; i < 254; i++) {
        longest[i] = i % 2 ? '.' : 'a';
    }
    longest[253] = '\0';
    expect(longest, model_check_domain(longest), NULL);
    strcpy(longest + 253, ".a");
    expect(longest, model_check_domain(longest),
           "longer than 253 characters");
}

/* What a change of one member of a vSubnet touches. */
void
test_touches(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *more;
        enum mapping_touch_type type;
    } tests[] = {
        { "", MAPPING_TOUCH_NET_ROW },
        { ",\"rekey\":9", MAPPING_TOUCH_NET_ROW },
        { ",\"dhcp\":{}", MAPPING_TOUCH_NET_ROW },
        { ",\"ipv6\":\"slaac\"", MAPPING_TOUCH_NET_ROW },
        { ",\"guest_dhcp\":true", MAPPING_TOUCH_NET_ROW },
        { ",\"max_macs\":1", MAPPING_TOUCH_NET },
        { ",\"bum_rate\":1", MAPPING_TOUCH_NET_ROW },
        { ",\"policy\":\"closed\"", MAPPING_TOUCH_NET_ROW },
        { ",\"port_security\":false", MAPPING_TOUCH_NET },
        { ",\"arp_suppression\":false", MAPPING_TOUCH_NET },
        { ",\"labels\":[\"web\"]", MAPPING_TOUCH_NET_ROW },
    };
    static const char text[] =
        "{\"revision\":\"1.%d\",\"name\":\"demo\",\"vni\":5001,"
        "\"algorithm\":\"aes128gcm\",\"subnets\":[\"fd77::/64\"]%s}";

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct mapping_touches touches = MAPPING_TOUCHES_INITIALIZER;
        struct mapping *mapping = mapping_create();

        for (int revision = 1; revision <= 2; revision++) {
            char *net = xasprintf(text, revision,
                                  revision > 1 ? tests[i].more : "");
            char *s = xasprintf("{\"revision\":\"1.%d\",\"put\":"
                                "{\"nets\":[%s]}}", revision, net);
            json_t *json = parse(s);

            mapping_touches_clear(&touches);
            expect(s, mapping_apply_change(mapping, json, NULL, &touches),
                   NULL);
            assert(touches.n >= 1 && touches.others);
            assert(touches.touches[0].vni == 5001);
            assert(touches.touches[0].type == (revision > 1 ? tests[i].type
                                               : MAPPING_TOUCH_NET));
            json_decref(json);
            free(s);
            free(net);
        }
        mapping_touches_destroy(&touches);
        mapping_destroy(mapping);
    }
}
