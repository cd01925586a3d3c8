/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/model: values, objects, reading JSON, credentials. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "model/credential.h"
#include "model/jansson.h"
#include "model/object.h"
#include "model/reader.h"
#include "model/url.h"
#include "packets.h"
#include "svec.h"
#include "unit-model.h"
#include "util.h"

/* Checks that ERROR, which is freed, is null or holds EXPECTED. */
static void
check_error(const char *input, char *error, const char *expected)
{
    if (!error != !expected || (error && !strstr(error, expected))) {
        ovs_fatal(0, "%s: expected %s, got %s", input,
                  expected ? expected : "success",
                  error ? error : "success");
    }
    free(error);
}

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

static void
test_revision(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *s;
        bool good;
    } tests[] = {
        { "0.0", true }, { "3.41", true },
        { "18446744073709551615.18446744073709551615", true },
        { "18446744073709551616.0", false }, { "3", false }, { "", false },
        { ".", false }, { "3.", false }, { ".3", false }, { "3.4.5", false },
        { "-1.0", false }, { "+1.0", false }, { " 1.0", false },
        { "1.0 ", false }, { "01.0", false }, { "1.01", false },
        { "0x1.0", false }, { "1.a", false },
    };
    /* In increasing order. */
    static const struct model_revision order[] = {
        { 0, 0 }, { 0, 1 }, { 0, UINT64_MAX }, { 1, 0 }, { 1, 9 }, { 1, 10 },
        { 10, 1 }, { UINT64_MAX, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_revision r = { 77, 78 };
        char *error = model_revision_parse(tests[i].s, &r);

        check_error(tests[i].s, error,
                    tests[i].good ? NULL : "not a revision");
        if (tests[i].good) {
            char *s = xasprintf(MODEL_REVISION_FMT, MODEL_REVISION_ARGS(r));
            assert(!strcmp(s, tests[i].s));
            free(s);
        } else {
            assert(r.generation == 77 && r.number == 78);
        }
    }
    for (int i = 0; i < (int) ARRAY_SIZE(order); i++) {
        for (int j = 0; j < (int) ARRAY_SIZE(order); j++) {
            int cmp = model_revision_compare(order[i], order[j]);
            assert((cmp > 0) - (cmp < 0) == (i > j) - (i < j));
        }
        assert(model_revision_is_zero(order[i]) == !i);
    }
}

/* What a string is refused with, or how it is written when accepted. */
struct text_test {
    const char *s;
    const char *written;
    const char *error;
};

static void
test_address(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "10.0.0.1", "10.0.0.1", NULL },
        { "10.0.0.1/24", "10.0.0.1/24", NULL },
        { "0.0.0.0/0", "0.0.0.0/0", NULL },
        { "255.255.255.255/32", "255.255.255.255/32", NULL },
        { "FD77::0001", "fd77::1", NULL },
        { "fd77::1/128", "fd77::1/128", NULL },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", NULL },
        { "", NULL, "not an IPv4 or IPv6 address" },
        { "10.0.0", NULL, "not an IPv4" }, { "10.0.0.256", NULL, "not an" },
        { "10.0.0.1 ", NULL, "not an" }, { "010.0.0.1", NULL, "not an" },
        { "::ffff:10.0.0.1", NULL, "not an IPv4 or IPv6 address" },
        { "fd77::1%eth0", NULL, "not an" }, { "[fd77::1]", NULL, "not an" },
        { "10.0.0.1/", NULL, "bad prefix length" },
        { "10.0.0.1/33", NULL, "bad prefix length" },
        { "10.0.0.1/-1", NULL, "bad prefix length" },
        { "10.0.0.1/24x", NULL, "bad prefix length" },
        { "10.0.0.1/024", NULL, "bad prefix length" },
        { "10.0.0.1/255.0.0.0", NULL, "bad prefix length" },
        { "fd77::1/129", NULL, "bad prefix length" },
        { "11111111111111111111111111111111111111111111111111111111", NULL,
          "not an" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_address a;
        char buf[MODEL_ADDRESS_STRLEN];

        check_error(tests[i].s, model_address_parse(tests[i].s, &a),
                    tests[i].error);
        if (tests[i].written) {
            assert(!strcmp(model_address_string(&a, buf), tests[i].written));
        }
    }
}

static void
test_subnet(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "10.77.0.0/24", NULL, NULL }, { "10.77.0.4/30", NULL, NULL },
        { "10.0.0.0/8", NULL, NULL }, { "fd77::/64", NULL, NULL },
        { "2001:db8::/32", NULL, NULL }, { "fd77::4/126", NULL, NULL },
        { "10.77.0.0", NULL, "prefix length missing" },
        { "10.0.0.1/24", NULL, "host bits set in 10.0.0.1/24" },
        { "fd77::1/64", NULL, "host bits set in fd77::1/64" },
        { "10.0.0.0/31", NULL, "must be 8 to 30" },
        { "0.0.0.0/0", NULL, "must be 8 to 30" },
        { "fd77::/127", NULL, "must be 16 to 126" },
        { "127.0.0.0/8", NULL, "not a unicast" },
        { "224.0.0.0/24", NULL, "not a unicast" },
        { "240.0.0.0/24", NULL, "not a unicast" },
        { "ff02::/64", NULL, "not a unicast" },
        { "fe80::/64", NULL, "not a unicast" },
        { "x", NULL, "not an IPv4 or IPv6 address" },
    };
    static const struct {
        const char *a, *b;
        bool overlap;
    } pairs[] = {
        { "10.0.0.0/24", "10.0.0.0/24", true },
        { "10.0.0.0/16", "10.0.9.0/24", true },
        { "10.0.0.0/24", "10.0.1.0/24", false },
        { "fd77::/64", "fd77::/48", true },
        { "fd77::/64", "fd78::/64", false },
        { "10.0.0.0/8", "fd77::/64", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_address a;
        check_error(tests[i].s, model_subnet_parse(tests[i].s, &a),
                    tests[i].error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct model_address a, b;
        check_error(pairs[i].a, model_subnet_parse(pairs[i].a, &a), NULL);
        check_error(pairs[i].b, model_subnet_parse(pairs[i].b, &b), NULL);
        assert(model_subnets_overlap(&a, &b) == pairs[i].overlap);
        assert(model_subnets_overlap(&b, &a) == pairs[i].overlap);
    }
}

static void
test_endpoint(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "10.0.0.1:8002", "10.0.0.1:8002", NULL },
        { "10.0.0.1:1", "10.0.0.1:1", NULL },
        { "[FD00::1]:65535", "[fd00::1]:65535", NULL },
        { "[fe80::1]:8002", "[fe80::1]:8002", NULL },
        { "", NULL, "not an endpoint" },
        { "10.0.0.1", NULL, "not an endpoint" },
        { "fd00::1:8002", NULL, "not an endpoint" },
        { "[10.0.0.1]:8002", NULL, "not an endpoint" },
        { "[fd00::1]8002", NULL, "not an endpoint" },
        { "[fd00::1:8002", NULL, "not an endpoint" },
        { "host:8002", NULL, "not an endpoint" },
        { "10.0.0.1:", NULL, "port must be" },
        { "10.0.0.1:0", NULL, "port must be" },
        { "10.0.0.1:65536", NULL, "port must be" },
        { "10.0.0.1:80x", NULL, "port must be" },
        { "0.0.0.0:8002", NULL, "not a unicast" },
        { "224.0.0.1:8002", NULL, "not a unicast" },
        { "255.255.255.255:8002", NULL, "not a unicast" },
        { "[::]:8002", NULL, "not a unicast" },
        { "[ff02::1]:8002", NULL, "not a unicast" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_endpoint e;
        char buf[MODEL_ENDPOINT_STRLEN];

        check_error(tests[i].s, model_endpoint_parse(tests[i].s, &e),
                    tests[i].error);
        if (tests[i].written) {
            assert(!strcmp(model_endpoint_string(&e, buf),
                           tests[i].written));
        }
    }
}

static void
test_names(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    char long_name[MODEL_NAME_MAX + 2];
    static const struct {
        const char *s;
        const char *error;
        const char *node_error;
    } tests[] = {
        { "demo", NULL, NULL }, { "a", NULL, NULL }, { "0-9", NULL, NULL },
        { "7", NULL, "must not be a number" },
        { "123456", NULL, "must not be a number" },
        { "f47ac10b-58cc-4372-a567-0e02b2c3d479", NULL, "or a UUID" },
        { "", "must not be empty", "must not be empty" },
        { "-a", "consists of", "consists of" },
        { "Demo", "consists of", "consists of" },
        { "a.b", "consists of", "consists of" },
        { "a b", "consists of", "consists of" },
        { "a/b", "consists of", "consists of" },
        { "\303\244", "consists of", "consists of" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        check_error(tests[i].s, model_check_name(tests[i].s), tests[i].error);
        check_error(tests[i].s, model_check_node_name(tests[i].s),
                    tests[i].node_error);
    }
    memset(long_name, 'a', sizeof long_name);
    long_name[MODEL_NAME_MAX + 1] = '\0';
    check_error("64 characters", model_check_name(long_name), "at most 63");
    long_name[MODEL_NAME_MAX] = '\0';
    check_error("63 characters", model_check_name(long_name), NULL);
}

static void
test_numbers(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        int64_t n;
        bool vni, node;
    } tests[] = {
        { INT64_MIN, false, false }, { -1, false, false },
        { 0, false, false }, { 1, true, true }, { 16777215, true, true },
        { 16777216, false, true }, { (1 << 28) - 2, false, true },
        { (1 << 28) - 1, false, false }, { INT64_MAX, false, false },
    };
    static const struct {
        uint32_t node;
        uint32_t tunnel;
        const char *mac;
    } nodes[] = {
        { 1, 0xf0000001, "06:76:00:00:00:01" },
        { 0x01020304, 0xf1020304, "06:76:01:02:03:04" },
        { (1 << 28) - 2, 0xfffffffe, "06:76:0f:ff:ff:fe" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        check_error("vni", model_check_vni(tests[i].n),
                    tests[i].vni ? NULL : "a VNI is 1 to 16777215");
        check_error("node", model_check_node_number(tests[i].n),
                    tests[i].node ? NULL : "a node number is 1 to 268435454");
    }
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        struct eth_addr mac;

        assert(ntohl(model_tunnel_address(nodes[i].node)) == nodes[i].tunnel);
        check_error(nodes[i].mac, model_mac_parse(nodes[i].mac, &mac), NULL);
        assert(eth_addr_equals(mac, model_host_mac(nodes[i].node)));
    }
}

static void
test_mac(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "06:76:00:00:00:01", NULL, NULL },
        { "AA:BB:CC:DD:EE:FF", NULL, NULL },
        { "01:00:5e:00:00:01", NULL, "not a unicast" },
        { "ff:ff:ff:ff:ff:ff", NULL, "not a unicast" },
        { "00:00:00:00:00:00", NULL, "not a unicast" },
        { "6:76:0:0:0:1", NULL, "not a MAC" }, { "", NULL, "not a MAC" },
        { "06:76:00:00:00:0g", NULL, "not a MAC" },
        { "06-76-00-00-00-01", NULL, "not a MAC" },
        { "06:76:00:00:00:01x", NULL, "not a MAC" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct eth_addr mac;
        check_error(tests[i].s, model_mac_parse(tests[i].s, &mac),
                    tests[i].error);
    }
}

static void
test_base64(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *plain, *base64;         /* RFC 4648 section 10. */
    } vectors[] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "=", "====", "Zg==Zg==", "Z===", "Zh==", "Zm9=",
        "Zm 9v", "Zm9-", "Zm9v\n", "Zm9vYmFyZm9v",
    };
    char out[16];
    size_t n;

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        size_t len = strlen(vectors[i].plain);
        char text[16];

        assert(model_base64_size(len) == strlen(vectors[i].base64) + 1);
        model_base64_encode(vectors[i].plain, len, text);
        assert(!strcmp(text, vectors[i].base64));
        assert(model_base64_decode(text, out, 8, &n));
        assert(n == len && !memcmp(out, vectors[i].plain, len));
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (model_base64_decode(bad[i], out, 8, &n)) {
            ovs_fatal(0, "accepted base64 %s", bad[i]);
        }
    }
}

static void
test_secret(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct model_secret a = { .size = 0 }, b = { .size = 0 };

    assert(model_secret_equals(&a, &b));
    model_secret_set(&a, "0123456789abcdef", 16);
    assert(!model_secret_equals(&a, &b));
    model_secret_set(&b, "0123456789abcdeF", 16);
    assert(!model_secret_equals(&a, &b));
    model_secret_set(&b, "0123456789abcdef", 16);
    assert(model_secret_equals(&a, &b));
    model_secret_wipe(&a);
    for (size_t i = 0; i < sizeof a; i++) {
        assert(!((const char *) &a)[i]);
    }
}

#define HEX64 "00112233445566778899aabbccddeeff" \
              "00112233445566778899aabbccddeeff"
#define UUID "f47ac10b-58cc-4372-a567-0e02b2c3d479"

static void
test_credential(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "vsj1.t1." HEX64 "." HEX64, "", NULL },
        { "vsn1." UUID "." HEX64, "", NULL },
        { "vso1.first." HEX64, "", NULL },
        { "vsj1.t1." HEX64, NULL, "malformed join token" },
        { "vsj1.t1." HEX64 ".abc", NULL, "malformed join token" },
        { "vsj1..." , NULL, "malformed join token" },
        { "vsn1.x." HEX64, NULL, "malformed node credential" },
        { "vso1.first." HEX64 "0", NULL, "malformed operator token" },
        { "vso1.first." HEX64 "g", NULL, "malformed operator token" },
        { "vso1.first." HEX64 "." HEX64, NULL, "malformed operator token" },
        { "vso1.FIRST." HEX64, NULL, "malformed operator token" },
        { "vso2.first." HEX64, NULL, "not a token" },
        { "vsj1.a.b.c.d", NULL, "too many fields" },
        { "", NULL, "not a token" },
        { HEX64 HEX64 HEX64 HEX64, NULL, "too long" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_credential c;
        char *error = model_credential_parse(tests[i].s, &c);

        assert(!error || !strstr(error, HEX64));
        check_error(tests[i].s, error, tests[i].error);
        if (tests[i].written) {
            char *s = model_credential_format(&c);
            assert(!strcmp(s, tests[i].s));
            free(s);
        }
    }
}

static void
test_json_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "{}", NULL, NULL },
        { "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", NULL, NULL },
        { "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", NULL, "nested deeper" },
        { "{\"[[[[[[[[[[[[[[[[[[[[\":\"\\\"[[[\"}", NULL, NULL },
        { "[\"\\\"[[[[[[[[[[[[[[[[[[\"]", NULL, NULL },
        { "{\"a\":1,\"a\":2}", NULL, "not valid JSON" },
        { "", NULL, "not valid JSON" }, { "{", NULL, "not valid JSON" },
        { "{} x", NULL, "not valid JSON" }, { "\"", NULL, "not valid JSON" },
        { "\"\\", NULL, "not valid JSON" },
        { "[\"\xff\"]", NULL, "not valid JSON" },
        { "[\"\\u0000\"]", NULL, "not valid JSON" },
        { "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]", NULL,
          "exceeds the limit of 40" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        json_t *json = NULL;

        check_error(tests[i].s,
                    model_json_parse(tests[i].s, strlen(tests[i].s), 40,
                                     &json), tests[i].error);
        assert(!json == (tests[i].error != NULL));
        json_decref(json);
    }

    /* Deep enough to overflow a stack, were it walked. */
    size_t n = 10 * 1000 * 1000;
    char *deep = xmalloc(n);
    json_t *json;
    memset(deep, '[', n);
    check_error("deep", model_json_parse(deep, n, n, &json), "nested deeper");
    free(deep);
}

static void
test_reader(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "{\"name\":\"x\"}", NULL, NULL },
        { "{\"name\":\"x\",\"vni\":7,\"on\":true}", NULL, NULL },
        { "{\"name\":\"x\",\"vni\":null}", NULL, NULL },
        { "{\"name\":\"x\",\"other\":1}", NULL, "other: unknown member" },
        { "{}", NULL, "name: missing" },
        { "{\"name\":null}", NULL, "name: missing" },
        { "[]", NULL, "not a JSON object" },
        { "{\"name\":7}", NULL, "name: not a string" },
        { "{\"name\":\"X\"}", NULL, "name: X: a name consists" },
        { "{\"name\":\"a\\u001b[2J\"}", NULL, "name: control character" },
        { "{\"name\":\"a\\u009b2J\"}", NULL, "name: control character" },
        { "{\"name\":\"a\\u2028b\"}", NULL, "name: control character" },
        { "{\"name\":\"a\\u202eb\"}", NULL, "name: control character" },
        { "{\"name\":\"a\\u2066b\"}", NULL, "name: control character" },
        { "{\"name\":\"a\\u200fb\"}", NULL, "name: control character" },
        { "{\"name\":\"x\",\"vni\":\"7\"}", NULL, "vni: not a whole number" },
        { "{\"name\":\"x\",\"vni\":7.0}", NULL, "vni: not a whole number" },
        { "{\"name\":\"x\",\"vni\":-7}", NULL, "vni: not a whole number" },
        { "{\"name\":\"x\",\"vni\":0}", NULL, "from 1 to 9" },
        { "{\"name\":\"x\",\"vni\":10}", NULL, "from 1 to 9" },
        { "{\"name\":\"x\",\"on\":1}", NULL, "on: not true or false" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        json_t *json = parse(tests[i].s);
        struct model_reader r;

        model_reader_init(&r, json);
        model_reader_name(&r, "name", MODEL_REQUIRED);
        model_reader_uint(&r, "vni", MODEL_OPTIONAL, 1, 9);
        model_reader_bool(&r, "on", MODEL_OPTIONAL);
        check_error(tests[i].s,
                    model_reader_finish(&r, MODEL_REFUSE_UNKNOWN),
                    tests[i].error);
        json_decref(json);
    }
}

static void
test_url(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct text_test tests[] = {
        { "https://10.0.0.1:8443", "https://10.0.0.1:8443", NULL },
        { "https://10.0.0.1", "https://10.0.0.1:8443", NULL },
        { "https://mapper.example.net:443/",
          "https://mapper.example.net:443", NULL },
        { "https://[fd00::1]:8443", "https://[fd00::1]:8443", NULL },
        { "https://[fd00::1]", "https://[fd00::1]:8443", NULL },
        { "https://a,https://b:1", "https://a:8443 https://b:1", NULL },
        { "", NULL, "not a URL" }, { "10.0.0.1", NULL, "not a URL" },
        { "http://10.0.0.1:8443", NULL, "not a URL" },
        { "https://", NULL, "not a URL" }, { "https:///", NULL, "not a URL" },
        { "https://a:", NULL, "not a URL" },
        { "https://a:0", NULL, "not a URL" },
        { "https://a:65536", NULL, "not a URL" },
        { "https://a:8443/path", NULL, "not a URL" },
        { "https://a/path", NULL, "not a URL" },
        { "https://user@a", NULL, "not a URL" },
        { "https://a?x", NULL, "not a URL" },
        { "https://a b", NULL, "not a URL" },
        { "https://fd00::1", NULL, "not a URL" },
        { "https://[fd00::1", NULL, "not a URL" },
        { "https://[fd00::1]x", NULL, "not a URL" },
        { "https://[10.0.0.1]", NULL, "not a URL" },
        { "https://[fd00::1/64]", NULL, "not a URL" },
        { "https://a,", NULL, "not a URL" },
        { "https://a,http://b", NULL, "http://b: not a URL" },
        { "https://a,https://a,https://a,https://a,https://a,https://a,"
          "https://a,https://a,https://a,https://a,https://a,https://a,"
          "https://a,https://a,https://a,https://a,https://a", NULL,
          "more than 16 URLs" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct svec urls = SVEC_EMPTY_INITIALIZER;

        check_error(tests[i].s, model_urls_parse(tests[i].s, &urls),
                    tests[i].error);
        if (tests[i].written) {
            char *s = svec_join(&urls, " ", "");
            assert(!strcmp(s, tests[i].written));
            free(s);
        }
        svec_destroy(&urls);
    }
}

static void
test_text(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    json_t *json = parse("{\"ca\":\"a\\nb\\n\",\"n\":7}");
    struct model_reader r;

    model_reader_init(&r, json);
    assert(!strcmp(model_reader_text(&r, "ca", MODEL_REQUIRED, 4), "a\nb\n"));
    check_error("ca", model_reader_finish(&r, MODEL_IGNORE_UNKNOWN), NULL);
    model_reader_init(&r, json);
    assert(!model_reader_text(&r, "ca", MODEL_REQUIRED, 3));
    check_error("ca", model_reader_finish(&r, MODEL_IGNORE_UNKNOWN),
                "ca: longer than 3 bytes");
    model_reader_init(&r, json);
    assert(!model_reader_text(&r, "n", MODEL_REQUIRED, 3));
    check_error("n", model_reader_finish(&r, MODEL_IGNORE_UNKNOWN),
                "n: not a string");
    json_decref(json);
}

/* Objects: each is JSON that is refused with an error, or is read and written
 * again as the same JSON (with unknown members gone). */

enum kind { NODE, NET, MEMBER, BINDING, KEY };

#define R "\"revision\":\"1.2\""
#define NODE_ "{" R ",\"id\":\"" UUID "\",\"number\":7,\"name\":\"h1\","
#define NET_ "{" R ",\"name\":\"demo\",\"vni\":5001,\"rekey\":12,"
/* What an older service does not say: as it is by default. */
#define SETTINGS "\"policy\":\"open\",\"port_security\":true," \
    "\"arp_suppression\":true,\"dhcp\":null,\"ipv6\":\"none\"," \
    "\"guest_dhcp\":false,\"max_macs\":2048,\"bum_rate\":1000," \
    "\"labels\":[],"
#define BINDING_ "{" R ",\"net\":\"demo\",\"mac\":\"06:76:00:00:00:07\","
#define BINDING_MORE "\"port_security\":true,\"labels\":[],\"sequence\":0,"
#define BINDING_END BINDING_MORE "\"node\":7,\"port\":\"tap0\"," \
                    "\"iface_id\":null,\"origin\":\"static\"}"
#define KEY_ "{" R ",\"net\":\"demo\",\"node\":7,\"spi\":161,\"epoch\":1," \
    "\"rekey\":9223372036854775807,"
#define TUNNEL "\"tunnel_address\":\"240.0.0.7\""

static const struct object_test {
    enum kind kind;
    const char *json;
    const char *error;
} object_tests[] = {
    { NODE, NODE_ "\"state\":\"approved\",\"endpoints\":[\"10.0.0.1:8002\","
      "\"[fd00::1]:8002\"]," TUNNEL "}", NULL },
    { NODE, NODE_ "\"state\":\"pending\",\"endpoints\":[]," TUNNEL "}",
      NULL },
    { NODE, NODE_ "\"endpoints\":[]}", "state: missing" },
    { NODE, NODE_ "\"state\":\"dead\"}", "state: dead: not a state" },
    { NODE, NODE_ "\"state\":\"pending\",\"endpoints\":[\"1.2.3.4:1\",5]}",
      "endpoints[1]: not a string" },
    { NODE, NODE_ "\"state\":\"pending\",\"endpoints\":[\"x\"]}",
      "endpoints[0]: x: not an endpoint" },
    { NODE, NODE_ "\"state\":\"pending\",\"endpoints\":\"x\"}",
      "endpoints: not an array" },
    { NODE, "{" R ",\"id\":\"7\",\"number\":7}", "id: 7: not a UUID" },
    { NODE, "{" R ",\"id\":\"" UUID "\",\"number\":268435455}",
      "number: not a whole number" },
    { NODE, "{\"revision\":\"x\"}", "revision: x: not a revision" },
    { NODE, NODE_ "\"state\":\"pending\",\"origin\":\"x\"}",
      "origin: x: not a UUID" },
    { NODE, "{}", "revision: missing" },
    { NODE, "[]", "not a JSON object" },

    { NET, NET_ SETTINGS "\"subnets\":[\"10.77.0.0/24\",\"fd77::/64\"],"
      "\"algorithm\":\"aes128gcm\",\"group\":null}", NULL },
    { NET, NET_ SETTINGS "\"subnets\":[],\"algorithm\":\"aes256gcm\","
      "\"group\":\"ff05::77\"}", NULL },
    { NET, NET_ SETTINGS "\"subnets\":[],\"algorithm\":\"aes256gcm\","
      "\"group\":\"239.1.2.3\"}", NULL },
    { NET, NET_ "\"subnets\":[\"10.77.0.0/24\",\"10.0.0.1/24\"],"
      "\"algorithm\":\"aes128gcm\"}",
      "subnets[1]: host bits set in 10.0.0.1/24" },
    { NET, NET_ "\"subnets\":[\"10.77.0.0/24\",\"fd77::/64\","
      "\"10.0.0.0/8\"],\"algorithm\":\"aes128gcm\"}",
      "subnets[2]: overlaps 10.77.0.0/24" },
    { NET, NET_ "\"subnets\":[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8]}",
      "subnets: has more than 16 elements" },
    { NET, "{" R ",\"name\":\"demo\",\"vni\":1,"
      "\"algorithm\":\"aes128gcm\",\"rekey\":-1}",
      "rekey: not a whole number" },
    { NET, NET_ "\"algorithm\":\"rot13\"}",
      "algorithm: rot13: not an algorithm" },
    { NET, NET_ "\"algorithm\":\"aes128gcm\",\"group\":\"10.0.0.1\"}",
      "group: 10.0.0.1 is not a multicast address" },
    { NET, NET_ "\"algorithm\":\"aes128gcm\",\"group\":\"239.0.0.0/24\"}",
      "group: 239.0.0.0/24 is not a multicast address" },
    { NET, NET_ "\"algorithm\":\"aes128gcm\",\"group\":\"x\"}",
      "group: x: not an IPv4" },
    { NET, "{" R ",\"name\":\"demo\",\"vni\":16777216}",
      "vni: not a whole number from 1 to 16777215" },
    { NET, "{" R ",\"name\":\"Demo\"}", "name: Demo: a name consists" },

    { MEMBER, "{" R ",\"net\":\"demo\",\"node\":7,\"host_port\":true}", NULL },
    { MEMBER, "{" R ",\"net\":\"demo\",\"node\":7,\"host_port\":false}",
      NULL },
    { MEMBER, "{" R ",\"net\":\"demo\",\"node\":0}", "node: not a whole" },
    { MEMBER, "{" R ",\"net\":\"demo\",\"node\":7,\"host_port\":1}",
      "host_port: not true or false" },

    { BINDING, BINDING_ "\"addresses\":[\"10.77.0.7\",\"fd77::7\"],"
      BINDING_END, NULL },
    { BINDING, BINDING_ BINDING_MORE "\"addresses\":[],\"node\":null,"
      "\"port\":null,"
      "\"iface_id\":\"vm-1\",\"origin\":\"dynamic\"}", NULL },
    { BINDING, BINDING_ "\"addresses\":[\"10.77.0.7\",\"10.77.0.7\"],"
      BINDING_END, "addresses[1]: 10.77.0.7 appears twice" },
    { BINDING, BINDING_ "\"addresses\":[\"224.0.0.1\"]," BINDING_END,
      "addresses[0]: 224.0.0.1 is not a unicast address" },
    { BINDING, BINDING_ "\"addresses\":[\"::\"]," BINDING_END,
      "addresses[0]: :: is not a unicast address" },
    { BINDING, BINDING_ "\"addresses\":[\"x\"]," BINDING_END,
      "addresses[0]: x: not an IPv4" },
    { BINDING, BINDING_ "\"addresses\":[],\"origin\":\"other\"}",
      "origin: other: not an origin" },
    { BINDING, "{" R ",\"net\":\"demo\",\"mac\":\"01:00:5e:00:00:01\"}",
      "mac: 01:00:5e:00:00:01: not a unicast MAC" },

    { KEY, KEY_ "\"algorithm\":\"aes128gcm\","
      "\"key\":\"AAECAwQFBgcICQoLDA0ODw==\"}", NULL },
    { KEY, KEY_ "\"algorithm\":\"aes256gcm\"}", NULL },
    { KEY, KEY_ "\"algorithm\":\"aes256gcm\","
      "\"key\":\"AAECAwQFBgcICQoLDA0ODw==\"}",
      "key: not 32 bytes in base64" },
    { KEY, KEY_ "\"algorithm\":\"aes128gcm\",\"key\":\"secret!\"}",
      "key: not 16 bytes in base64" },
    { KEY, "{" R ",\"net\":\"demo\",\"node\":7,\"spi\":4294967296}",
      "spi: not a whole number" },
};

static char *
round_trip(enum kind kind, const json_t *in, json_t **out)
{
    union {
        struct model_node node;
        struct model_net net;
        struct model_member member;
        struct model_binding binding;
        struct model_key key;
    } u;
    char *error = NULL;

#define ROUND_TRIP(NAME, ...)                                   \
    error = model_##NAME##_from_json(in, &u.NAME);              \
    if (!error) {                                               \
        *out = model_##NAME##_to_json(&u.NAME, ##__VA_ARGS__);  \
        model_##NAME##_destroy(&u.NAME);                        \
    }                                                           \
    break;

    switch (kind) {
    case NODE: ROUND_TRIP(node, MODEL_VIEW_NODE)
    case NET: ROUND_TRIP(net)
    case MEMBER: ROUND_TRIP(member)
    case BINDING: ROUND_TRIP(binding)
    case KEY: ROUND_TRIP(key, MODEL_VIEW_KEYS)
    }
    return error;
}

static void
test_objects(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(object_tests); i++) {
        const struct object_test *t = &object_tests[i];
        json_t *in = parse(t->json);
        json_t *out = NULL;
        char *error = round_trip(t->kind, in, &out);

        assert(!error || !strstr(error, "secret!"));
        check_error(t->json, error, t->error);
        if (out && !json_equal(in, out)) {
            ovs_fatal(0, "%s came back as %s", t->json,
                      json_dumps(out, JSON_COMPACT));
        }
        if (out) {
            /* A newer service's members do no harm. */
            json_t *more = json_deep_copy(in);
            json_t *again = NULL;

            json_object_set_new(more, "new-in-2.0", json_object());
            check_error(t->json, round_trip(t->kind, more, &again), NULL);
            assert(json_equal(again, in));
            json_decref(again);
            json_decref(more);
        }
        json_decref(in);
        json_decref(out);
    }
}

/* An older service says nothing of rekeying: as if it never happened. */
static void
test_rekey(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    json_t *json = parse("{" R ",\"name\":\"demo\",\"vni\":1,"
                         "\"algorithm\":\"aes128gcm\"}");
    struct model_net net;
    struct model_key key;

    check_error("net", model_net_from_json(json, &net), NULL);
    assert(!net.rekey);
    model_net_destroy(&net);
    json_decref(json);

    json = parse("{" R ",\"net\":\"demo\",\"node\":7,\"spi\":161,"
                 "\"epoch\":1,\"algorithm\":\"aes128gcm\"}");
    check_error("key", model_key_from_json(json, &key), NULL);
    assert(!key.rekey);
    model_key_destroy(&key);
    json_decref(json);
}

/* Who sees what. */
static void
test_views(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    json_t *json = parse(
        NODE_ "\"state\":\"approved\",\"endpoints\":[]," TUNNEL ","
        "\"fingerprint\":\"f\",\"created\":\"2026-11-22T07:39:00Z\","
        "\"connected\":true,\"origin\":\"" UUID "\"}");
    struct model_node node;
    struct model_key key;

    check_error("node", model_node_from_json(json, &node), NULL);
    json_t *operator = model_node_to_json(&node, MODEL_VIEW_OPERATOR);
    json_t *member = model_node_to_json(&node, MODEL_VIEW_NODE);
    json_t *self = model_node_to_json(&node, MODEL_VIEW_SELF);
    assert(json_equal(operator, json));
    assert(!json_object_get(member, "fingerprint"));
    assert(!json_object_get(member, "connected"));
    assert(!json_object_get(member, "origin"));
    assert(!strcmp(json_string_value(json_object_get(self, "origin")), UUID));
    assert(!json_object_get(self, "fingerprint"));
    json_decref(self);

    /* One that is no clone: operators see that it is none. */
    memset(&node.origin, 0, sizeof node.origin);
    self = model_node_to_json(&node, MODEL_VIEW_SELF);
    assert(!json_object_get(self, "origin"));
    json_decref(self);
    self = model_node_to_json(&node, MODEL_VIEW_OPERATOR);
    assert(json_is_null(json_object_get(self, "origin")));
    json_decref(self);
    json_decref(operator);
    json_decref(member);
    json_decref(json);
    model_node_destroy(&node);

    json = parse(KEY_ "\"algorithm\":\"aes128gcm\","
                 "\"key\":\"AAECAwQFBgcICQoLDA0ODw==\"}");
    check_error("key", model_key_from_json(json, &key), NULL);
    operator = model_key_to_json(&key, MODEL_VIEW_OPERATOR);
    member = model_key_to_json(&key, MODEL_VIEW_KEYS);
    assert(!json_object_get(operator, "key"));
    assert(json_equal(member, json));
    json_decref(operator);
    json_decref(member);
    json_decref(json);
    model_key_destroy(&key);
}

static const struct ovs_cmdl_command commands[] = {
    { "revision", NULL, 0, 0, test_revision, OVS_RO },
    { "address", NULL, 0, 0, test_address, OVS_RO },
    { "subnet", NULL, 0, 0, test_subnet, OVS_RO },
    { "endpoint", NULL, 0, 0, test_endpoint, OVS_RO },
    { "names", NULL, 0, 0, test_names, OVS_RO },
    { "numbers", NULL, 0, 0, test_numbers, OVS_RO },
    { "mac", NULL, 0, 0, test_mac, OVS_RO },
    { "base64", NULL, 0, 0, test_base64, OVS_RO },
    { "secret", NULL, 0, 0, test_secret, OVS_RO },
    { "credential", NULL, 0, 0, test_credential, OVS_RO },
    { "json-limits", NULL, 0, 0, test_json_limits, OVS_RO },
    { "reader", NULL, 0, 0, test_reader, OVS_RO },
    { "text", NULL, 0, 0, test_text, OVS_RO },
    { "url", NULL, 0, 0, test_url, OVS_RO },
    { "objects", NULL, 0, 0, test_objects, OVS_RO },
    { "rekey", NULL, 0, 0, test_rekey, OVS_RO },
    { "settings", NULL, 0, 0, test_settings, OVS_RO },
    { "dhcp", NULL, 0, 0, test_dhcp, OVS_RO },
    { "labels", NULL, 0, 0, test_labels, OVS_RO },
    { "domains", NULL, 0, 0, test_domains, OVS_RO },
    { "touches", NULL, 0, 0, test_touches, OVS_RO },
    { "views", NULL, 0, 0, test_views, OVS_RO },
    { "snapshot", NULL, 0, 0, test_snapshot, OVS_RO },
    { "change", NULL, 0, 0, test_change, OVS_RO },
    { "lookups", NULL, 0, 0, test_lookups, OVS_RO },
    { "random", NULL, 0, 0, test_random, OVS_RO },
    { "damaged", NULL, 0, 0, test_damaged, OVS_RO },
    { "scale", NULL, 0, 0, test_scale, OVS_RO },
    { "rules", NULL, 0, 0, test_rules, OVS_RO },
    { "rule-text", NULL, 0, 0, test_rule_text, OVS_RO },
    { "rule-order", NULL, 0, 0, test_rule_order, OVS_RO },
    { "rule-mapping", NULL, 0, 0, test_rule_mapping, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    model_json_init();
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
