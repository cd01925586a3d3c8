/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of services to guests: router advertisements. */
#include <config.h>
#include "unit-services.h"

#include <string.h>

#include "controller/ra.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Frames, without the checksum, which is not looked at. */
#define ETH "333300000002" "0a0000000001" "86dd"
#define IP(LEN, PROTOCOL, HOPS, SRC) "60000000" LEN PROTOCOL HOPS       \
    SRC "ff020000000000000000000000000002"
#define LLA "fe80000000000000080000fffe000001"
#define ANY "00000000000000000000000000000000"
#define RS "8500" "0000" "00000000"
#define SLLA "0101" "0a0000000001"

/* Answers, as the test writes them. */
#define TO_LLA "0a:00:00:00:00:01 fe80::476:ffff:feff:fffe>"            \
    "fe80::800:ff:fe00:1 "
#define TO_ALL "33:33:00:00:00:01 fe80::476:ffff:feff:fffe>ff02::1 "
#define HEAD(FLAGS) "8600xxxx" "40" FLAGS "0000" "00000000" "00000000"
#define OURS " 0101" "0676fffffffe"
#define MTU " 0501" "0000" "0000058a"
#define PREFIX(FLAGS, NET) " 030440" FLAGS "00015180" "00003840" "00000000" \
    NET "000000000000" "0000000000000000"
#define DNS " 1903" "0000" "00015180" "fd770000000000000000000000000053"
#define DOMAIN " 1f03" "0000" "00015180" "0464656d6f076578616d706c65000000"
#define SLAAC HEAD("40") OURS MTU PREFIX("c0", "fd77") PREFIX("c0", "fd78") \
    DNS DOMAIN
#define DHCPV6 HEAD("c0") OURS MTU PREFIX("80", "fd77")                 \
    PREFIX("80", "fd78") DNS DOMAIN
#define ALONE HEAD("80") OURS MTU PREFIX("80", "fd77") PREFIX("80", "fd78")

static const struct { const char *net, *frame, *expected; } exchanges[] = {
    { "slaac", ETH IP("0010", "3a", "ff", LLA) RS SLLA, TO_LLA SLAAC },
    { "slaac", ETH IP("0008", "3a", "ff", LLA) RS, TO_LLA SLAAC },
    { "slaac", ETH IP("0008", "3a", "ff", ANY) RS, TO_ALL SLAAC },
    { "dhcpv6", ETH IP("0008", "3a", "ff", LLA) RS "0000", TO_LLA DHCPV6 },
    { "alone", ETH IP("0008", "3a", "ff", ANY) RS, TO_ALL ALONE },

    /* RFC 4861 section 6.1.1. */
    { "slaac", ETH IP("0008", "3a", "fe", LLA) RS, "bad" },
    { "slaac", ETH IP("0008", "3a", "ff", LLA) "8501" "0000" "00000000",
      "bad" },
    { "slaac", ETH IP("0008", "3a", "ff", LLA) "8600" "0000" "00000000",
      "bad" },
    { "slaac", ETH IP("0010", "3a", "ff", ANY) RS SLLA, "bad" },
    { "slaac", ETH IP("0010", "3a", "ff", LLA) RS "0100" "0a0000000001",
      "bad" },
    { "slaac", ETH IP("0010", "3a", "ff", LLA) RS "0102" "0a0000000001",
      "bad" },
    { "slaac", ETH IP("000c", "3a", "ff", LLA) RS "01010a00", "bad" },
    { "slaac", ETH IP("0004", "3a", "ff", LLA) "85000000", "bad" },
    { "slaac", ETH IP("0009", "3a", "ff", LLA) RS, "bad" },
    { "slaac", ETH IP("0008", "11", "ff", LLA) RS, "bad" },
    { "slaac", ETH IP("0008", "3a", "ff",
                      "ff020000000000000000000000000001") RS, "bad" },
    { "slaac", "333300000002" "0a0000000001" "0800", "bad" },
};

/* Writes an advertisement, option by option. */
static void
format(struct ofpbuf *b, struct ds *out)
{
    services_strip(b, IPPROTO_ICMPV6, out);
    ds_put_char(out, ' ');
    CHECK(b->size >= 16, "short");
    const uint8_t *p = b->data;
    services_hex(out, p, 2);
    ds_put_cstr(out, "xxxx");
    services_hex(out, p + 4, 12);
    ofpbuf_pull(b, 16);
    while (b->size) {
        p = b->data;
        CHECK(b->size >= 8 && p[1] && p[1] * 8u <= b->size, "bad option");
        ds_put_char(out, ' ');
        services_hex(out, p, p[1] * 8);
        ofpbuf_pull(b, p[1] * 8);
    }
}

void
test_ra(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = services_mapping();

    for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
        const struct service_facts facts
            = services_facts(mapping, exchanges[i].net, 1);
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ofpbuf request, reply;
        struct service_note note;

        ofpbuf_init(&request, 0);
        ofpbuf_init(&reply, 0);
        CHECK(!*ofpbuf_put_hex(&request, exchanges[i].frame, NULL), "hex");
        enum service_verdict verdict = ra_answer(request.data, request.size,
                                                 &facts, &reply, &note);
        if (verdict == SERVICE_ANSWERED) {
            format(&reply, &s);
        } else {
            CHECK(!reply.size, "%"PRIuSIZE, i);
            ds_put_cstr(&s, services_verdict(verdict));
        }
        CHECK(!strcmp(ds_cstr(&s), exchanges[i].expected),
              "%"PRIuSIZE": %s\nnot %s", i, ds_cstr(&s),
              exchanges[i].expected);
        ofpbuf_uninit(&request);
        ofpbuf_uninit(&reply);
        ds_destroy(&s);
    }

    const struct service_facts facts = services_facts(mapping, "slaac", 1);
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf frame;

    ofpbuf_init(&frame, 0);
    ra_compose(&facts, &frame);
    format(&frame, &s);
    CHECK(!strcmp(ds_cstr(&s), TO_ALL SLAAC), "%s", ds_cstr(&s));
    ofpbuf_uninit(&frame);
    ds_destroy(&s);
    mapping_destroy(mapping);
}
