/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: what flows are called. */
#include <config.h>
#include "unit-controller.h"

#include <inttypes.h>
#include <string.h>

#include "command-line.h"
#include "controller/flow-desired.h"
#include "controller/flow-names.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "flow.h"
#include "model/mapping.h"
#include "util.h"

/* Each flow that there can be is in a table that has a name, and has a cookie
 * whose object is found. */
static void
check_names_of_desired(const struct mapping *mapping,
                       const struct local_ports *ports)
{
    const struct flow_input input = {
        .ports = ports, .mapping = mapping, .tunnel = u16_to_ofp(9) };
    const struct flow_entry *flow;
    struct flow_set flows;

    flow_set_init(&flows);
    flow_desired_compute(&input, &flows);
    FLOW_SET_FOR_EACH (flow, &flows) {
        struct cookie_name name;

        CHECK(flow_table_name(flow->table), "table %d", flow->table);
        cookie_names(mapping, ports, &flow->cookie, 1, &name);
        CHECK(strcmp(name.kind, "other") && !strstr(name.text, "gone"),
              "%"PRIx64": %s", flow->cookie, name.text);
        cookie_name_destroy(&name);
    }
    flow_set_destroy(&flows);
}

void
test_flow_names(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint64_t cookie;
        const char *kind, *net, *text;
    } tests[] = {
        { UINT64_C(0x0100000000000000), "base", NULL,
          "what all vSubnets share" },
        { UINT64_C(0x0200138900000000), "vsubnet", "demo",
          "the vSubnet itself" },
        { UINT64_C(0x0300138900000002), "port", "demo", "port tap0" },
        { UINT64_C(0x0300138900000063), "port", "demo",
          "port number 99 (gone)" },
        { UINT64_C(0x0400138900000002), "binding", "demo",
          "binding 0a:00:00:00:00:02 (10.77.0.20) at this node" },
        { UINT64_C(0x0400138900000001), "binding", "demo",
          "binding 0a:00:00:00:00:01 at node h9" },
        /* Once more, and of another kind: all are found. */
        { UINT64_C(0x0400138900000001), "binding", "demo",
          "binding 0a:00:00:00:00:01 at node h9" },
        { UINT64_C(0x0800138900000009), "arp", "demo",
          "ARP and ND answers for 06:76:00:00:00:09 (10.77.0.9/24) "
          "at node h9" },
        { UINT64_C(0x0400138900aabbcc), "binding", "demo",
          "binding xx:xx:00:aa:bb:cc (gone)" },
        { UINT64_C(0x0400ffff00000001), "binding", NULL,
          "binding xx:xx:00:00:00:01 (gone)" },
        { UINT64_C(0x05001389ffffffff), "learnt", "demo",
          "learnt from the tunnel" },
        { UINT64_C(0x0500138900000002), "learnt", "demo",
          "learnt from tap0" },
        { UINT64_C(0x0700138900000003), "security", "demo",
          "security of port tap1" },
        { 0, "other", NULL, "not vSubnet's" },
        { UINT64_MAX, "other", NULL, "not vSubnet's" },
    };
    struct cookie_name names[ARRAY_SIZE(tests)];
    uint64_t cookies[ARRAY_SIZE(tests)];
    struct mapping *mapping = test_mapping();
    struct local_ports ports;

    test_ports(&ports);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        cookies[i] = tests[i].cookie;
    }
    cookie_names(mapping, &ports, cookies, ARRAY_SIZE(tests), names);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        const char *net = names[i].net ? names[i].net->name : NULL;

        CHECK(!strcmp(names[i].kind, tests[i].kind), "%s", names[i].kind);
        CHECK(!strcmp(names[i].text, tests[i].text), "%s", names[i].text);
        CHECK(!net == !tests[i].net && (!net || !strcmp(net, tests[i].net)),
              "%"PRIuSIZE, i);
        cookie_name_destroy(&names[i]);
    }

    /* Before there is a mapping. */
    cookie_names(NULL, &ports, cookies, ARRAY_SIZE(tests), names);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        CHECK(!names[i].net, "%"PRIuSIZE, i);
        cookie_name_destroy(&names[i]);
    }

    check_names_of_desired(mapping, &ports);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}
