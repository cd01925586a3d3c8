/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a guest's ARP or ND, to who looks for duplicate addresses. */

#include <config.h>

#include <stdlib.h>
#include "controller/duplicates.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "dp-packet.h"
#include "flow.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { VNI = 1, PORT = 1, FRAME_MAX = 128 };

static const char snapshot[] =
    "{\"revision\":\"1.5\",\"self\":null,\"nodes\":[],\"nets\":["
    "{\"name\":\"demo\",\"vni\":1,\"subnets\":[\"10.77.0.0/24\","
    "\"fd77::/64\"],\"algorithm\":\"aes128gcm\",\"group\":null,"
    "\"revision\":\"1.1\"}],\"members\":[],\"bindings\":["
    "{\"net\":\"demo\",\"mac\":\"0a:00:00:00:00:01\",\"addresses\":["
    "\"10.77.0.20\",\"fd77::20\"],\"node\":7,\"port\":null,"
    "\"iface_id\":null,\"origin\":\"static\",\"revision\":\"1.1\"},"
    "{\"net\":\"demo\",\"mac\":\"0a:00:00:00:00:02\",\"addresses\":["
    "\"10.77.0.21\",\"fd77::21\"],\"node\":7,\"port\":null,"
    "\"iface_id\":null,\"origin\":\"dynamic\",\"revision\":\"1.1\"}],"
    "\"keys\":[],\"rules\":[]}";

static struct mapping *mapping;
static struct local_ports ports = LOCAL_PORTS_INITIALIZER;
static struct duplicates dups;
static long long int now;

static void
make_world(void)
{
    model_json_init();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    json_t *json = json_loads(snapshot, 0, NULL);
    char *error = mapping_from_snapshot(json, &mapping);
    ovs_assert(json && !error);
    json_decref(json);
    local_ports_add(&ports, "tap0", "demo", VNI)->ofport = u16_to_ofp(PORT);
    duplicates_init(&dups);
}

/* Whatever comes, what is remembered and told is bounded, and what is answered
 * is so in the name of an owner that an operator named. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct eth_addr owner = ETH_ADDR_C(0a,00,00,00,00,01);
    struct dp_packet answer;
    struct flow flow;

    if (!mapping) {
        make_world();
    }
    memset(&flow, 0, sizeof flow);
    const struct punt punt = {
        .kind = PUNT_DUPLICATE,
        .vni = VNI,
        .port = u16_to_ofp(PORT),
        .frame = data,
        .len = MIN(n, FRAME_MAX),
        .metadata = &flow,
    };
    dp_packet_init(&answer, 0);
    if (duplicates_receive(&dups, mapping, &ports, &punt, ++now, &answer)) {
        const struct eth_header *eth = dp_packet_data(&answer);

        ovs_assert(dp_packet_size(&answer) >= sizeof *eth);
        ovs_assert(eth_addr_equals(eth->eth_src, owner));
    }
    dp_packet_uninit(&answer);
    duplicates_run(&dups, mapping, &ports, now);
    ovs_assert(hmap_count(&dups.all) <= DUPLICATES_MAX);
    free(duplicates_note(&dups, &ports.ports[0]));
    return 0;
}
