/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of services to guests: DHCPv6. */
#include <config.h>
#include "unit-services.h"

#include <string.h>

#include "controller/dhcp6.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Messages, in hexadecimal. */
#define XID "a1b2c3"
#define SOLICIT "01" XID
#define ADVERTISE "02" XID
#define REQUEST "03" XID
#define CONFIRM "04" XID
#define RENEW "05" XID
#define REBIND "06" XID
#define REPLY "07" XID
#define RELEASE "08" XID
#define DECLINE "09" XID
#define INFORM "0b" XID
#define CLIENT "0001" "000a" "00030001" "0a0000000001"
#define SERVER "0002" "000a" "00030001" "0676fffffffe"
#define OTHER "0002" "000a" "00030001" "0a0000000009"
#define IA_NA(LEN, ID, T1, T2) "0003" LEN "0000000" ID "0000" T1 "0000" T2
#define IA_TA(LEN) "0004" LEN "00000007"
#define IA_PD(LEN) "0019" LEN "00000008" "00000000" "00000000"
#define ADDRESS(IP, TIME) "0005" "0018" IP "0000" TIME "0000" TIME
#define STATUS(N) "000d" "0002" "000" N
#define RAPID "000e" "0000"
#define PREFERENCE "0007" "0001" "ff"
#define ORO "0006" "0006" "0017" "0018" "0020"
#define ELAPSED "0008" "0002" "0000"
#define IP20 "fd770000000000000000000000000020"
#define IP21 "fd770000000000000000000000000021"
#define IP99 "fd770000000000000000000000000099"
#define DNS "0017" "0010" "fd770000000000000000000000000053"
#define DOMAINS "0018" "000e" "0464656d6f076578616d706c6500"

/* What the first IA_NA gets; lease 7200, T1 3600, T2 5760. */
#define MINE ADDRESS(IP20, "1c20") ADDRESS(IP21, "1c20")
#define GIVEN(ID) IA_NA("0044", ID, "0e10", "1680") MINE
#define ASKED(ID) IA_NA("000c", ID, "0000", "0000")
#define ASKED_FOR(IP) IA_NA("0028", "1", "0000", "0000") ADDRESS(IP, "0000")

static const struct exchange {
    const char *net;
    uint8_t mac_low;
    const char *message;
    const char *expected;       /* Message or verdict. */
} exchanges[] = {
    { "dhcpv6", 1, SOLICIT CLIENT ELAPSED ORO ASKED("1"),
      ADVERTISE SERVER CLIENT PREFERENCE GIVEN("1") DNS DOMAINS },
    { "dhcpv6", 1, SOLICIT CLIENT RAPID ASKED("1"),
      REPLY SERVER CLIENT RAPID GIVEN("1") },
    { "dhcpv6", 1, REQUEST CLIENT SERVER ASKED_FOR(IP99),
      REPLY SERVER CLIENT GIVEN("1") },
    { "dhcpv6", 1, RENEW CLIENT SERVER ASKED_FOR(IP20),
      REPLY SERVER CLIENT GIVEN("1") },
    { "dhcpv6", 1, REBIND CLIENT ASKED_FOR(IP20),
      REPLY SERVER CLIENT GIVEN("1") },
    /* Without settings the lease is an hour. */
    { "alone", 1, REBIND CLIENT ORO ASKED("1"),
      REPLY SERVER CLIENT IA_NA("0044", "1", "0708", "0b40")
      ADDRESS(IP20, "0e10") ADDRESS(IP21, "0e10") },

    /* What is not bound ends. */
    { "dhcpv6", 1, RENEW CLIENT SERVER ASKED_FOR(IP99),
      REPLY SERVER CLIENT IA_NA("0060", "1", "0e10", "1680") MINE
      ADDRESS(IP99, "0000") },
    { "dhcpv6", 3, REBIND CLIENT ASKED_FOR(IP99),
      REPLY SERVER CLIENT IA_NA("0028", "1", "0000", "0000")
      ADDRESS(IP99, "0000") },
    { "dhcpv6", 3, RENEW CLIENT SERVER ASKED("1"),
      REPLY SERVER CLIENT IA_NA("0012", "1", "0000", "0000") STATUS("2") },

    /* There is one IA_NA, and nothing of other kinds. */
    { "dhcpv6", 1, REQUEST CLIENT SERVER ASKED("5") ASKED("6") IA_TA("0004")
      IA_PD("000c"),
      REPLY SERVER CLIENT GIVEN("5") IA_NA("0012", "6", "0000", "0000")
      STATUS("2") IA_TA("000a") STATUS("2") IA_PD("0012") STATUS("6") },

    /* Nothing is bound, or only what the guest itself was seen to use. */
    { "dhcpv6", 3, SOLICIT CLIENT ASKED("1"), "no address" },
    { "dhcpv6", 4, SOLICIT CLIENT ASKED("1"), "no address" },
    { "dhcpv6", 4, REQUEST CLIENT SERVER ASKED("1"),
      REPLY SERVER CLIENT IA_NA("0012", "1", "0000", "0000") STATUS("2") },

    { "dhcpv6", 1, CONFIRM CLIENT ASKED_FOR(IP20),
      REPLY SERVER CLIENT STATUS("0") },
    { "dhcpv6", 1, CONFIRM CLIENT ASKED_FOR(IP20) ASKED_FOR(IP99),
      REPLY SERVER CLIENT STATUS("4") },
    { "dhcpv6", 1, CONFIRM CLIENT ASKED("1"), "bad" },
    { "dhcpv6", 1, RELEASE CLIENT SERVER ASKED_FOR(IP20),
      REPLY SERVER CLIENT STATUS("0") },
    { "dhcpv6", 1, DECLINE CLIENT SERVER ASKED_FOR(IP20),
      REPLY SERVER CLIENT STATUS("0") },

    { "dhcpv6", 1, INFORM ORO,
      REPLY SERVER DNS DOMAINS "0020" "0004" "00001c20" },
    { "slaac", 4, INFORM CLIENT ORO,
      REPLY SERVER CLIENT DNS DOMAINS "0020" "0004" "00001c20" },
    { "slaac", 1, SOLICIT CLIENT ASKED("1"), "others" },
    { "dhcpv6", 1, INFORM ORO ASKED("1"), "bad" },
    { "dhcpv6", 1, INFORM OTHER ORO, "others" },

    /* For another server. */
    { "dhcpv6", 1, REQUEST CLIENT OTHER ASKED("1"), "others" },
    { "dhcpv6", 1, RENEW CLIENT OTHER ASKED("1"), "others" },
    { "both", 1, REBIND CLIENT ASKED_FOR(IP99), "others" },
    { "both", 1, CONFIRM CLIENT ASKED_FOR(IP99), "others" },
    { "both", 1, CONFIRM CLIENT ASKED_FOR(IP20),
      REPLY SERVER CLIENT STATUS("0") },

    /* Identifiers that there must be, or must not be (section 16). */
    { "dhcpv6", 1, SOLICIT ASKED("1"), "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT SERVER ASKED("1"), "bad" },
    { "dhcpv6", 1, REQUEST CLIENT ASKED("1"), "bad" },
    { "dhcpv6", 1, RENEW SERVER ASKED("1"), "bad" },
    { "dhcpv6", 1, REBIND CLIENT SERVER ASKED("1"), "bad" },
    { "dhcpv6", 1, CONFIRM CLIENT SERVER ASKED_FOR(IP20), "bad" },
    { "dhcpv6", 1, RELEASE CLIENT ASKED_FOR(IP20), "bad" },

    /* What clients do not send, or not so. */
    { "dhcpv6", 1, ADVERTISE CLIENT SERVER, "bad" },
    { "dhcpv6", 1, REPLY CLIENT SERVER, "bad" },
    { "dhcpv6", 1, "0c" XID CLIENT, "bad" },
    { "dhcpv6", 1, SOLICIT "0001" "0002" "0003", "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT "0003" "000b" "0000000100000000000000",
      "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT "0004" "0003" "000000", "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT IA_NA("0010", "1", "0000", "0000")
      "0005" "0018", "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT IA_NA("0011", "1", "0000", "0000")
      "0005" "0001" "00", "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT "000300", "bad" },
    { "dhcpv6", 1, SOLICIT CLIENT "0003" "ffff" "00", "bad" },
    { "dhcpv6", 1, "01a1b2", "bad" },
};

static void
make_request(struct ofpbuf *b, const struct exchange *x)
{
    ofpbuf_prealloc_headroom(b, 64);
    CHECK(!*ofpbuf_put_hex(b, x->message, NULL), "%s", x->message);
    services_guest_udp(b, &(struct services_guest) {
        x->mac_low, "fe80::800:ff:fe00:1", "ff02::1:2", 546, 547 });
}

/* Writes the answer, or the verdict. */
static void
format(const struct service_facts *facts, const struct ofpbuf *request,
       struct ds *out)
{
    static const char to[] = "0a:00:00:00:00:0x "
                             "fe80::476:ffff:feff:fffe>fe80::800:ff:fe00:1";
    struct service_note note;
    struct ofpbuf reply;

    ofpbuf_init(&reply, 0);
    enum service_verdict verdict = dhcp6_answer(request->data, request->size,
                                                facts, &reply, &note);
    if (verdict == SERVICE_ANSWERED) {
        struct ds head = DS_EMPTY_INITIALIZER;

        CHECK(note.request && note.answer, "note");
        CHECK(reply.size <= 1418 + ETH_HEADER_LEN, "%u", reply.size);
        services_strip(&reply, IPPROTO_UDP, &head);
        ds_cstr(&head)[16] = 'x';
        CHECK(!strcmp(ds_cstr(&head), to), "%s", ds_cstr(&head));
        services_hex(out, reply.data, reply.size);
        ds_destroy(&head);
    } else {
        CHECK(!reply.size, "an answer");
        ds_put_cstr(out, services_verdict(verdict));
    }
    ofpbuf_uninit(&reply);
}

void
test_dhcp6(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = services_mapping();

    for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
        const struct exchange *x = &exchanges[i];
        const struct service_facts facts
            = services_facts(mapping, x->net, x->mac_low);
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ofpbuf request;

        ofpbuf_init(&request, 0);
        make_request(&request, x);
        format(&facts, &request, &s);
        CHECK(!strcmp(ds_cstr(&s), x->expected), "%"PRIuSIZE": %s\nnot %s",
              i, ds_cstr(&s), x->expected);

        /* Cut anywhere, it is not a frame any more. */
        for (size_t n = 0; n < request.size; n++) {
            void *copy = xmemdup(request.data, n ? n : 1);
            struct ofpbuf cut;

            ds_clear(&s);
            ofpbuf_use_const(&cut, copy, n);
            format(&facts, &cut, &s);
            CHECK(!strcmp(ds_cstr(&s), "bad"), "cut at %"PRIuSIZE, n);
            free(copy);
        }
        ofpbuf_uninit(&request);
        ds_destroy(&s);
    }
    mapping_destroy(mapping);
}

/* What does not fit into a frame is left out, the last first. */
void
test_dhcp6_long(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = services_mapping();
    const struct service_facts facts = services_facts(mapping, "long", 1);
    struct ds text = DS_EMPTY_INITIALIZER, s = DS_EMPTY_INITIALIZER;
    struct ofpbuf request;

    ds_put_cstr(&text, REBIND "0001" "0082");
    for (int i = 0; i < 130; i++) {
        ds_put_cstr(&text, "5a");
    }
    ds_put_cstr(&text, ORO);
    for (int i = 0; i < 8; i++) {
        ds_put_format(&text, IA_NA("007c", "%d", "0000", "0000"), i);
        for (int j = 0; j < 4; j++) {
            ds_put_format(&text, "00050018" "fd7700000000000000000000000001%x%x"
                          "0000000000000000", i, j);
        }
    }
    const struct exchange x = { "long", 1, ds_cstr(&text), NULL };
    ofpbuf_init(&request, 0);
    make_request(&request, &x);
    format(&facts, &request, &s);
    CHECK(!strncmp(ds_cstr(&s), REPLY SERVER, strlen(REPLY SERVER)), "%s",
          ds_cstr(&s));
    /* All but the domain, of 249 bytes with its header. */
    const size_t n = s.length / 2;
    CHECK(n == 4 + 14 + 134 + 8 * 16 + (2 + 8 * 4) * 28, "%"PRIuSIZE, n);
    CHECK(n + 249 > 1418 - 48, "it would have fitted");
    ofpbuf_uninit(&request);
    ds_destroy(&text);
    ds_destroy(&s);
    mapping_destroy(mapping);
}
