/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a guest's frame, to the host's DHCP servers and router. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "controller/dhcp4-options.h"
#include "controller/dhcp4.h"
#include "controller/dhcp6.h"
#include "controller/ra.h"
#include "controller/dhcp6.h"
#include "controller/ra.h"
#include "dhcp.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char snapshot[] =
    "{\"revision\":\"1.5\",\"self\":null,\"nodes\":[],\"nets\":["
    "{\"name\":\"demo\",\"vni\":1,\"subnets\":[\"10.77.0.0/24\","
    "\"fd77::/64\"],\"algorithm\":\"aes128gcm\",\"group\":null,"
    "\"revision\":\"1.1\",\"ipv6\":\"dhcpv6\",\"dhcp\":{\"lease\":7200,"
    "\"gateway\":\"10.77.0.1\",\"dns\":[\"10.77.0.53\",\"fd77::53\"],"
    "\"domain\":\"demo.example\",\"routes\":[{\"to\":\"192.168.0.0/17\","
    "\"via\":\"10.77.0.2\"}]}}],\"members\":[],\"bindings\":["
    "{\"net\":\"demo\",\"mac\":\"0a:00:00:00:00:01\",\"addresses\":["
    "\"10.77.0.20\",\"10.77.0.21\",\"fd77::20\"],\"node\":7,\"port\":"
    "\"tap0\",\"iface_id\":null,\"origin\":\"static\",\"revision\":"
    "\"1.1\"}],\"keys\":[],\"rules\":[]}";

enum { MTU = 1418 };

static struct mapping *mapping;
static struct service_facts facts = { .mtu = MTU };

static void
make_facts(void)
{
    const struct eth_addr mac = ETH_ADDR_C(0a,00,00,00,00,01);

    model_json_init();
    json_t *json = json_loads(snapshot, 0, NULL);
    char *error = mapping_from_snapshot(json, &mapping);
    ovs_assert(json && !error);
    json_decref(json);
    facts.net = mapping_net(mapping, "demo");
    facts.binding = mapping_binding(mapping, "demo", mac);
    ovs_assert(facts.net && facts.binding);
}

typedef enum service_verdict answer_func(const void *, size_t,
                                         const struct service_facts *,
                                         struct ofpbuf *,
                                         struct service_note *);

/* An answer is of this host, fits into the vSubnet's frames, and is the same
 * the next time; without one nothing is left behind. */
static void
try(answer_func *answer, const uint8_t *data, size_t n, struct ofpbuf *reply)
{
    const struct eth_addr service = SERVICE_MAC;
    struct service_note note;
    struct ofpbuf again;

    ofpbuf_init(reply, 0);
    ofpbuf_init(&again, 0);
    enum service_verdict verdict = answer(data, n, &facts, reply, &note);
    ovs_assert(verdict == answer(data, n, &facts, &again, &note));
    ovs_assert((verdict == SERVICE_ANSWERED) == (reply->size > 0));
    ovs_assert(ofpbuf_equal(reply, &again));
    if (reply->size) {
        const struct eth_header *eth = reply->data;

        ovs_assert(reply->size <= MTU + ETH_HEADER_LEN);
        ovs_assert(eth_addr_equals(eth->eth_src, service));
    }
    ofpbuf_uninit(&again);
}

static void
try_dhcp4(const uint8_t *data, size_t n)
{
    struct ofpbuf reply;

    try(dhcp4_answer, data, n, &reply);
    if (reply.size) {
        struct dhcp4_options options;
        struct dhcp_header header;
        struct service_message udp;
        uint8_t type;

        ovs_assert(service_udp4_parse(reply.data, reply.size, 67, 68, &udp));
        ovs_assert(udp.len > sizeof header + 4);
        memcpy(&header, udp.data, sizeof header);
        ovs_assert(dhcp4_options_parse(&options, &header,
                                       udp.data + sizeof header + 4,
                                       udp.len - sizeof header - 4));
        ovs_assert(dhcp4_options_get(&options, DHCP4_TYPE, &type, 1) == 1);
        ovs_assert(!header.yiaddr || header.yiaddr == htonl(0x0a4d0014)
                   || header.yiaddr == htonl(0x0a4d0015));
    }
    ofpbuf_uninit(&reply);
}

static void
try_dhcp6(const uint8_t *data, size_t n)
{
    struct service_message udp;
    struct ofpbuf reply;

    try(dhcp6_answer, data, n, &reply);
    ovs_assert(!reply.size
               || (service_udp6_parse(reply.data, reply.size, 547, 546, &udp)
                   && udp.len >= 4 && (udp.data[0] == 2 || udp.data[0] == 7)));
    ofpbuf_uninit(&reply);
}

static void
try_ra(const uint8_t *data, size_t n)
{
    struct service_message ra;
    struct ofpbuf reply;

    try(ra_answer, data, n, &reply);
    ovs_assert(!reply.size
               || service_nd_parse(reply.data, reply.size, 134, &ra));
    ofpbuf_uninit(&reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!facts.net) {
        make_facts();
    }
    try_dhcp4(data, n);
    try_dhcp6(data, n);
    try_ra(data, n);
    return 0;
}
