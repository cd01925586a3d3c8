/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: names, sse, events, identity, keys. */
#include <config.h>
#include "unit-controller.h"

#include <string.h>

#include "command-line.h"
#include "controller/local-port.h"
#include "controller/mapping-event.h"
#include "controller/names.h"
#include "controller/registrar.h"
#include "controller/sse.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#define ID "11111111-2222-4333-8444-555555555507"

/* Fixtures. */

static const char snapshot[] =
    "{\"revision\":\"1.5\",\"self\":{\"id\":\"" ID "\",\"number\":7,"
    "\"name\":\"h7\",\"state\":\"approved\",\"endpoints\":"
    "[\"192.0.2.7:8002\"],\"revision\":\"1.5\"},"
    "\"nodes\":["
    "{\"id\":\"" ID "\",\"number\":7,\"name\":\"h7\",\"state\":"
    "\"approved\",\"endpoints\":[\"192.0.2.7:8002\"],\"revision\":\"1.5\"},"
    "{\"id\":\"11111111-2222-4333-8444-555555555509\",\"number\":9,"
    "\"name\":\"h9\",\"state\":\"approved\",\"endpoints\":"
    "[\"192.0.2.9:8002\"],\"revision\":\"1.3\"},"
    "{\"id\":\"11111111-2222-4333-8444-555555555512\",\"number\":12,"
    "\"name\":\"h12\",\"state\":\"approved\",\"endpoints\":[],"
    "\"revision\":\"1.4\"}],"
    "\"nets\":["
    "{\"name\":\"demo\",\"vni\":5001,\"subnets\":[\"10.77.0.0/24\"],"
    "\"algorithm\":\"aes128gcm\",\"group\":null,\"max_macs\":1024,"
    "\"bum_rate\":500,\"revision\":\"1.1\"},"
    "{\"name\":\"far\",\"vni\":5002,\"subnets\":[],"
    "\"algorithm\":\"aes128gcm\",\"group\":\"239.1.1.1\","
    "\"revision\":\"1.1\"}],"
    "\"members\":["
    "{\"net\":\"demo\",\"node\":7,\"host_port\":true,\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"node\":9,\"host_port\":true,\"revision\":\"1.1\"},"
    "{\"net\":\"far\",\"node\":7,\"host_port\":false,\"revision\":\"1.1\"},"
    "{\"net\":\"far\",\"node\":12,\"host_port\":false,\"revision\":\"1.1\"}],"
    "\"bindings\":["
    "{\"net\":\"demo\",\"mac\":\"06:76:00:00:00:07\",\"addresses\":"
    "[\"10.77.0.7/24\"],\"node\":7,\"port\":null,\"iface_id\":null,"
    "\"origin\":\"host\",\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"06:76:00:00:00:09\",\"addresses\":"
    "[\"10.77.0.9/24\"],\"node\":9,\"port\":null,\"iface_id\":null,"
    "\"origin\":\"host\",\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"0a:00:00:00:00:01\",\"addresses\":[],"
    "\"node\":9,\"port\":\"x\",\"iface_id\":null,\"origin\":\"dynamic\","
    "\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"0a:00:00:00:00:02\",\"addresses\":"
    "[\"10.77.0.20\"],\"node\":7,\"port\":\"tap0\",\"iface_id\":null,"
    "\"origin\":\"dynamic\",\"revision\":\"1.1\"}],"
    "\"keys\":["
    "{\"net\":\"demo\",\"node\":9,\"spi\":178,\"epoch\":4,\"algorithm\":"
    "\"aes128gcm\",\"key\":\"AAECAwQFBgcICQoLDA0ODw==\","
    "\"revision\":\"1.1\"}]}";

struct mapping *
test_mapping(void)
{
    struct mapping *mapping;
    json_t *json = json_loads(snapshot, 0, NULL);
    char *error = mapping_from_snapshot(json, &mapping);

    CHECK(json && !error, "%s", error ? error : "bad JSON");
    json_decref(json);
    return mapping;
}

void
test_ports(struct local_ports *ports)
{
    struct local_port *port;

    *ports = (struct local_ports) LOCAL_PORTS_INITIALIZER;
    port = local_ports_add(ports, "vs-demo", "demo", 5001);
    port->ofport = u16_to_ofp(1);
    port->host_port = port->has_mac = true;
    port->mac = (struct eth_addr) ETH_ADDR_C(06,76,00,00,00,07);
    port = local_ports_add(ports, "tap0", "demo", 5001);
    port->ofport = u16_to_ofp(2);
    port = local_ports_add(ports, "tap1", "demo", 5001);
    port->ofport = u16_to_ofp(3);
    port->has_mac = true;
    port->mac = (struct eth_addr) ETH_ADDR_C(0a,00,00,00,00,03);
    port->iface_id = xstrdup("iface-1");
    local_ports_sort(ports);
}

/* Names. */

static void
test_names(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { const char *net, *port; } tests[] = {
        { "a", "vs-a" },
        { "demo", "vs-demo" },
        { "twelve-chars", "vs-twelve-chars" },
        /* From here on the names outlive the program: never change. */
        { "thirteen-char", "vs-thirt-7f5099" },
        { "thirteen-chas", NULL },
        { "a-name-of-a-vsubnet-as-long-as-they-come-63-characters-and-more",
          NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        char name[IFNAMSIZ], again[IFNAMSIZ];

        name_host_port(tests[i].net, name);
        name_host_port(tests[i].net, again);
        CHECK(!strcmp(name, again), "%s", tests[i].net);
        CHECK(!tests[i].port || !strcmp(name, tests[i].port), "%s: %s",
              tests[i].net, name);
        for (size_t j = 0; j < i; j++) {
            name_host_port(tests[j].net, again);
            CHECK(strcmp(name, again), "%s and %s", tests[i].net,
                  tests[j].net);
        }
    }
}

/* Server-sent events. */

static void
record_event(const struct sse_event *event, void *out)
{
    CHECK(event->data_len == strlen(event->data), "length");
    ds_put_format(out, "[%s|%s|%s]", event->type, event->id, event->data);
}

static void
test_sse(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { const char *stream, *events; } tests[] = {
        { "data: a\n\n", "[message||a]" },
        { "data:a\n\n", "[message||a]" },
        { "data:  a\n\n", "[message|| a]" },
        { "\xef\xbb\xbf" "data: a\n\n", "[message||a]" },
        { "event: change\nid: 1.2\ndata: {}\n\n", "[change|1.2|{}]" },
        { "event: change\r\nid: 1.2\r\ndata: {}\r\n\r\n",
          "[change|1.2|{}]" },
        { "event: change\rid: 1.2\rdata: {}\r\r", "[change|1.2|{}]" },
        { "data: a\ndata: b\n\n", "[message||a\nb]" },
        { "data\n\n", "[message||]" },
        { ": comment\n\ndata: a\n\n", "[message||a]" },
        { "data: a", "" },                          /* Not ended. */
        { "data: a\n", "" },
        { "event: x\n\ndata: a\n\n", "[message||a]" },  /* Type is per event */
        { "id: 5\ndata: a\n\ndata: b\n\n", "[message|5|a][message|5|b]" },
        { "retry: 1\nunknown: x\ndata: a\n\n", "[message||a]" },
        { "data: a:b\n\n", "[message||a:b]" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        size_t n = strlen(tests[i].stream);

        /* Cut at every place, and into single bytes. */
        for (size_t cut = 0; cut <= n + 1; cut++) {
            struct ds out = DS_EMPTY_INITIALIZER;
            struct sse sse;

            sse_init(&sse, record_event, &out);
            if (cut <= n) {
                CHECK(sse_feed(&sse, tests[i].stream, cut), "too large");
                CHECK(sse_feed(&sse, tests[i].stream + cut, n - cut),
                      "too large");
            } else {
                for (size_t j = 0; j < n; j++) {
                    sse_feed(&sse, &tests[i].stream[j], 1);
                }
            }
            CHECK(!strcmp(ds_cstr(&out), tests[i].events),
                  "%"PRIuSIZE" cut at %"PRIuSIZE": %s", i, cut,
                  ds_cstr(&out));
            sse_destroy(&sse);
            ds_destroy(&out);
        }
    }
}

/* A stream that never ends an event is given up. */
static void
test_sse_limit(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { PIECE = 16 * 1024 * 1024 };
    struct ds out = DS_EMPTY_INITIALIZER;
    char *piece = xmalloc(PIECE);
    struct sse sse;
    size_t n = 0;

    memset(piece, 'x', PIECE);
    sse_init(&sse, record_event, &out);
    while (sse_feed(&sse, piece, PIECE)) {
        n += PIECE;
        CHECK(n <= SSE_MAX_EVENT, "no limit");
    }
    CHECK(n == SSE_MAX_EVENT, "refused at %"PRIuSIZE, n);
    sse_destroy(&sse);
    ds_destroy(&out);
    free(piece);
}

/* Events. */

static const char change[] =
    "{\"revision\":\"1.6\",\"put\":{\"bindings\":[{\"net\":\"demo\","
    "\"mac\":\"0a:00:00:00:00:09\",\"addresses\":[],\"node\":9,"
    "\"port\":null,\"iface_id\":null,\"origin\":\"dynamic\","
    "\"revision\":\"1.6\"}]},\"remove\":{}}";

static void
test_events(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *type, *data;
        bool first;             /* There is no mapping yet. */
        bool error, changed;
        uint64_t number;        /* Of the revision after it. */
    } tests[] = {
        { "snapshot", snapshot, true, false, true, 5 },
        { "snapshot", snapshot, false, false, true, 5 },
        { "change", change, false, false, true, 6 },
        { "change", change, true, true, false, 0 },
        { "later", "what", false, false, false, 5 },
        { "snapshot", "{}", false, true, false, 5 },
        { "snapshot", "{", false, true, false, 5 },
        { "change", "{\"revision\":\"x\"}", false, true, false, 5 },
        { "snapshot", "{\"revision\":\"1.4\",\"self\":null,\"nodes\":[],"
          "\"nets\":[],\"members\":[],\"bindings\":[],\"keys\":[]}",
          false, true, false, 5 },      /* Older. */
        { "snapshot", "{\"revision\":\"2.1\",\"self\":null,\"nodes\":[],"
          "\"nets\":[],\"members\":[],\"bindings\":[],\"keys\":[]}",
          false, false, true, 1 },      /* Of a new generation. */
    };
    struct uuid id, other;

    CHECK(uuid_from_string(&id, ID), "ID");
    uuid_generate(&other);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct mapping *mapping = tests[i].first ? NULL : test_mapping();
        const struct sse_event event = {
            tests[i].type, "", tests[i].data, strlen(tests[i].data) };
        struct mapping_event_result result;
        char *error = mapping_event_apply(&event, &id, &mapping, &result,
                                          NULL);

        CHECK(!!error == tests[i].error, "%"PRIuSIZE": %s", i,
              error ? error : "no error");
        CHECK(result.changed == tests[i].changed, "%"PRIuSIZE, i);
        CHECK((mapping ? mapping->revision.number : 0) == tests[i].number,
              "%"PRIuSIZE, i);
        free(error);
        mapping_destroy(mapping);
    }

    /* Meant for another node. */
    struct mapping *mapping = NULL;
    const struct sse_event event = { "snapshot", "", snapshot,
                                     strlen(snapshot) };
    struct mapping_event_result result;
    char *error = mapping_event_apply(&event, &other, &mapping, &result,
                                      NULL);
    CHECK(error && !mapping && !result.changed, "another node's");
    free(error);
}

static void
test_endpoints(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { const char *list; int n; } tests[] = {
        { "192.0.2.1:8002", 1 },
        { "192.0.2.1:8002,[2001:db8::1]:8002", 2 },
        { "192.0.2.1:8002, 192.0.2.2:8002", 2 },
        { "192.0.2.1", -1 },
        { "192.0.2.1:8002,x", -1 },
        { "", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_endpoint *endpoints;
        size_t n;
        char *error = model_endpoints_parse(tests[i].list, &endpoints, &n);

        CHECK(error ? tests[i].n < 0 && !n : n == tests[i].n, "%s: %s",
              tests[i].list, error ? error : "no error");
        free(endpoints);
        free(error);
    }
}

static const struct ovs_cmdl_command commands[] = {
    { "ct-zones", NULL, 0, 0, test_ct_zones, OVS_RO },
    { "rules", NULL, 0, 0, test_rules, OVS_RO },
    { "rule-sizes", NULL, 0, 0, test_rule_sizes, OVS_RO },
    { "acl-log", NULL, 0, 0, test_acl_log, OVS_RO },
    { "labels", NULL, 0, 0, test_labels, OVS_RO },
    { "names", NULL, 0, 0, test_names, OVS_RO },
    { "sse", NULL, 0, 0, test_sse, OVS_RO },
    { "sse-limit", NULL, 0, 0, test_sse_limit, OVS_RO },
    { "events", NULL, 0, 0, test_events, OVS_RO },
    { "identity", NULL, 0, 0, test_identity, OVS_RO },
    { "identity-file", NULL, 1, 1, test_identity_file, OVS_RW },
    { "instance", NULL, 1, 1, test_instance, OVS_RW },
    { "lease", NULL, 0, 0, test_lease, OVS_RO },
    { "credential", NULL, 0, 0, test_credential, OVS_RO },
    { "own-keys", NULL, 1, 1, test_own_keys, OVS_RW },
    { "key-rotation", NULL, 1, 1, test_key_rotation, OVS_RW },
    { "endpoints", NULL, 0, 0, test_endpoints, OVS_RO },
    { "cookie", NULL, 0, 0, test_cookie, OVS_RO },
    { "registrar", NULL, 0, 0, test_registrar, OVS_RO },
    { "registrar-news", NULL, 0, 0, test_registrar_news, OVS_RO },
    { "hits", NULL, 0, 0, test_hits, OVS_RO },
    { "rule-cookie", NULL, 0, 0, test_rule_cookie, OVS_RO },
    { "desired", NULL, 0, 0, test_desired, OVS_RO },
    { "desired-sizes", NULL, 0, 0, test_desired_sizes, OVS_RO },
    { "security", NULL, 0, 0, test_security, OVS_RO },
    { "security-none", NULL, 0, 0, test_security_none, OVS_RO },
    { "duplicates", NULL, 0, 0, test_duplicates, OVS_RO },
    { "arp-sizes", NULL, 0, 0, test_arp_sizes, OVS_RO },
    { "canonical", NULL, 0, 0, test_canonical, OVS_RO },
    { "diff", NULL, 0, 0, test_diff, OVS_RO },
    { "cache", NULL, 1, 1, test_cache, OVS_RO },
    { "cache-error", NULL, 1, 1, test_cache_error, OVS_RO },
    { "snapshot-text", NULL, 0, 0, test_snapshot_text, OVS_RO },
    { "flow-index", NULL, 0, 0, test_flow_index, OVS_RO },
    { "flow-index-one", NULL, 0, 0, test_flow_index_one, OVS_RO },
    { "meters", NULL, 0, 0, test_meters, OVS_RO },
    { "flow-names", NULL, 0, 0, test_flow_names, OVS_RO },
    { "trace-query", NULL, 0, 0, test_trace_query, OVS_RO },
    { "trace-words", NULL, 1, 1, test_trace_words, OVS_RO },
    { "guard-flows", NULL, 0, 0, test_guard_flows, OVS_RO },
    { "loop-probe", NULL, 0, 0, test_loop_probe, OVS_RO },
    { "loop-guard", NULL, 0, 0, test_loop_guard, OVS_RO },
    { "mac-damping", NULL, 0, 0, test_mac_damping, OVS_RO },
    { "learnt", NULL, 0, 0, test_learnt, OVS_RO },
    { "bindings", NULL, 0, 0, test_bindings, OVS_RO },
    { "bindings-learnt", NULL, 0, 0, test_bindings_learnt, OVS_RO },
    { "keyring", NULL, 0, 0, test_keyring, OVS_RO },
    { "claim", NULL, 0, 0, test_claim, OVS_RO },
    { "claims-converge", NULL, 0, 0, test_claims_converge, OVS_RO },
    { "claim-flows", NULL, 0, 0, test_claim_flows, OVS_RO },
    { "claim-announcement", NULL, 0, 0, test_claim_announcement, OVS_RO },
    { "claim-pace", NULL, 0, 0, test_claim_pace, OVS_RO },
    { "announce", NULL, 0, 0, test_announce, OVS_RO },
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
