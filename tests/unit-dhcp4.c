/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of services to guests: DHCPv4. */
#include <config.h>
#include "unit-services.h"

#include <arpa/inet.h>
#include <string.h>

#include "controller/dhcp4-options.h"
#include "controller/dhcp4.h"
#include "dhcp.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* A request, and what comes of it. */
struct exchange {
    const char *net;
    uint8_t mac_low;
    const char *options;        /* In hexadecimal, type and end included. */
    const char *ciaddr;         /* Or NULL. */
    bool broadcast;
    const char *expected;       /* Answer in words, or verdict. */
};

/* Options of requests: */
#define DISCOVER "350101"
#define REQUEST "350103"
#define DECLINE "350104"
#define RELEASE "350107"
#define INFORM "350108"
#define ASK(IP) "3204" IP       /* The address requested. */
#define SERVER(IP) "3604" IP
#define WANT(CODES, N) "37" N CODES
#define ID "3d0701" "0a0000000001"
#define END "ff"
#define IP20 "0a4d0014"         /* 10.77.0.20 */
#define IP21 "0a4d0015"
#define IP99 "0a4d0063"
#define GW "0a4d0001"           /* 10.77.0.1 */
#define LL "a9fe0001"           /* 169.254.0.1 */

/* ...and of answers, as the test writes them: */
#define TO_GUEST "0a:00:00:00:00:01 10.77.0.1>10.77.0.20 "
#define TO_ALL "ff:ff:ff:ff:ff:ff 10.77.0.1>255.255.255.255 "
#define TIMES " 51=00001c20 58=00000e10 59=0000189c"
#define MASK " 1=ffffff00"
#define REST " 15=64656d6f2e6578616d706c65 26=058a 6=0a4d0035c0000235"
#define ROUTES "11c0a8000a4d0002" "20c63364070a4d0003" "000a4d0001"
#define ACK20 "ciaddr=0.0.0.0 yiaddr=10.77.0.20 53=05 54=" GW TIMES MASK
#define NAK "ciaddr=0.0.0.0 yiaddr=0.0.0.0 53=06 54=" GW
#define WHY " 56=6e6f7420626f756e6420746f207468697320706f7274"

static const struct exchange exchanges[] = {
    /* INIT: offered is what is asked for if it is the guest's, else its first
     * address. */
    { "full", 1, DISCOVER END, NULL, false,
      TO_GUEST "ciaddr=0.0.0.0 yiaddr=10.77.0.20 53=02 54=" GW TIMES MASK
      " 3=" GW " 121=" ROUTES REST },
    { "full", 1, DISCOVER ASK(IP21) END, NULL, true,
      TO_ALL "ciaddr=0.0.0.0 yiaddr=10.77.0.21 53=02 54=" GW TIMES MASK
      " 3=" GW " 121=" ROUTES REST },
    { "full", 1, DISCOVER ASK(IP99) WANT("0103", "02") END, NULL, false,
      TO_GUEST "ciaddr=0.0.0.0 yiaddr=10.77.0.20 53=02 54=" GW TIMES MASK
      " 3=" GW REST },

    /* No answer without an address that the mapping gives. */
    { "full", 3, DISCOVER END, NULL, false, "no address" },
    { "full", 4, DISCOVER END, NULL, false, "no address" },
    { "full", 3, REQUEST ASK(IP20) END, NULL, false, "no address" },

    /* SELECTING. */
    { "full", 1, REQUEST SERVER(GW) ASK(IP20) WANT("01", "01") ID END, NULL,
      false,
      TO_GUEST "ciaddr=0.0.0.0 yiaddr=10.77.0.20 53=05 54=" GW
      " 61=010a0000000001" TIMES MASK " 3=" GW REST },
    { "full", 1, REQUEST SERVER(LL) ASK(IP20) WANT("79", "01") END, NULL,
      false, TO_GUEST ACK20 " 121=" ROUTES REST },
    { "full", 1, REQUEST SERVER("0a4d0063") ASK(IP20) END, NULL, false,
      "others" },
    { "full", 1, REQUEST SERVER(GW) ASK(IP99) ID END, NULL, false,
      TO_ALL NAK " 61=010a0000000001" WHY },
    { "full", 1, REQUEST SERVER(GW) END, NULL, false, "bad" },

    /* INIT-REBOOT. */
    { "full", 1, REQUEST ASK(IP21) WANT("f9", "01") END, NULL, true,
      TO_ALL "ciaddr=0.0.0.0 yiaddr=10.77.0.21 53=05 54=" GW TIMES MASK
      " 3=" GW " 249=" ROUTES REST },
    { "full", 1, REQUEST ASK(IP99) END, NULL, false, TO_ALL NAK WHY },
    { "own", 1, REQUEST ASK(IP99) END, NULL, false, "others" },
    { "own", 1, REQUEST SERVER(GW) ASK(IP99) END, NULL, false,
      TO_ALL NAK WHY },

    /* RENEWING and REBINDING. */
    { "full", 1, REQUEST WANT("01", "01") END, "10.77.0.20", false,
      TO_GUEST "ciaddr=10.77.0.20 yiaddr=10.77.0.20 53=05 54=" GW TIMES MASK
      " 3=" GW REST },
    { "full", 1, REQUEST END, "10.77.0.99", false, TO_ALL NAK WHY },
    { "own", 1, REQUEST END, "10.77.0.99", false, "others" },

    /* INFORM: nothing of a lease, nor does it matter whose address it is. */
    { "full", 1, INFORM WANT("06", "01") END, "10.77.0.99", false,
      "0a:00:00:00:00:01 10.77.0.1>10.77.0.99 ciaddr=10.77.0.99 "
      "yiaddr=0.0.0.0 53=05 54=" GW MASK " 3=" GW REST },
    { "full", 3, INFORM WANT("06", "01") END, "198.18.0.1", false,
      "0a:00:00:00:00:03 169.254.0.1>198.18.0.1 ciaddr=198.18.0.1 "
      "yiaddr=0.0.0.0 53=05 54=" LL REST },
    { "full", 1, INFORM END, NULL, false, "bad" },

    /* Given back. */
    { "full", 1, RELEASE SERVER(GW) END, "10.77.0.20", false, "noted" },
    { "full", 1, DECLINE SERVER(GW) ASK(IP20) END, NULL, false, "noted" },

    /* The gateway itself asks; nothing is set; the range has another. */
    { "full", 2, DISCOVER WANT("0379", "02") END, NULL, false,
      "0a:00:00:00:00:02 169.254.0.1>10.77.0.1 ciaddr=0.0.0.0 "
      "yiaddr=10.77.0.1 53=02 54=" LL TIMES MASK
      " 121=11c0a8000a4d000220c63364070a4d0003" REST },
    { "bare", 1, DISCOVER WANT("0379", "02") END, NULL, false,
      "0a:00:00:00:00:01 169.254.0.1>10.77.0.20 ciaddr=0.0.0.0 "
      "yiaddr=10.77.0.20 53=02 54=" LL " 51=00000e10 58=00000708 "
      "59=00000c4e 1=ffffff00 26=058a" },

    /* Not from a client that we serve. */
    { "full", 1, "350102" END, NULL, false, "others" },
    { "full", 1, "35010d" END, NULL, false, "bad" },
    { "full", 1, END, NULL, false, "bad" },
    { "full", 1, "35020101" END, NULL, false, "bad" },
    { "full", 1, DISCOVER "3203010203" END, NULL, false, "bad" },
    { "full", 1, DISCOVER "0cff00" END, NULL, false, "bad" },
    { "full", 1, DISCOVER "0c", NULL, false, "bad" },

    /* Without an end, with padding, and cut into pieces. */
    { "full", 1, "0000" REQUEST "0000", "10.77.0.20", false,
      TO_GUEST "ciaddr=10.77.0.20 yiaddr=10.77.0.20 53=05 54=" GW TIMES MASK
      " 3=" GW " 121=" ROUTES REST },
    { "full", 1, "3202" "0a4d" REQUEST "3202" "0014" WANT("01", "01") END,
      NULL, false, TO_GUEST ACK20 " 3=" GW REST },
};

/* Makes the request into 'b'. */
static struct dhcp_header *
make_request(struct ofpbuf *b, const struct exchange *x)
{
    struct dhcp_header header = {
        .op = 1, .htype = 1, .hlen = 6, .xid = htonl(0x12345678),
        .flags = htons(x->broadcast ? 0x8000 : 0),
        .chaddr = { 0x0a, 0, 0, 0, 0, x->mac_low },
    };
    const ovs_be32 cookie = htonl(0x63825363);

    if (x->ciaddr) {
        inet_pton(AF_INET, x->ciaddr, &header.ciaddr);
    }
    ofpbuf_prealloc_headroom(b, 64);
    ofpbuf_put(b, &header, sizeof header);
    ofpbuf_put(b, &cookie, sizeof cookie);
    CHECK(!*ofpbuf_put_hex(b, x->options, NULL), "%s", x->options);
    services_guest_udp(b, &(struct services_guest) {
        x->mac_low, "0.0.0.0", "255.255.255.255", 68, 67 });
    return ofpbuf_at(b, ETH_HEADER_LEN + IP_HEADER_LEN + UDP_HEADER_LEN,
                     sizeof header);
}

static void
format_options(const uint8_t *p, size_t n, struct ds *out)
{
    size_t i = 0;

    while (i < n && p[i] != 255) {
        CHECK(i + 1 < n && i + 2 + p[i + 1] <= n, "bad option");
        ds_put_format(out, " %d=", p[i]);
        services_hex(out, &p[i + 2], p[i + 1]);
        i += 2 + p[i + 1];
    }
    CHECK(i < n, "no end");
}

/* Writes the answer in words. */
static void
format_reply(struct ofpbuf *b, struct ds *out)
{
    struct dhcp_header header;

    services_strip(b, IPPROTO_UDP, out);
    CHECK(b->size >= 300, "too short for BOOTP");
    memcpy(&header, ofpbuf_pull(b, sizeof header), sizeof header);
    CHECK(header.op == 2 && header.htype == 1 && header.hlen == 6
          && header.xid == htonl(0x12345678) && !header.giaddr
          && !header.siaddr && !header.hops && header.chaddr[0] == 0x0a,
          "bad header");
    CHECK(!memcmp(ofpbuf_pull(b, 4), "\x63\x82\x53\x63", 4), "cookie");
    ds_put_format(out, " ciaddr="IP_FMT" yiaddr="IP_FMT,
                  IP_ARGS(header.ciaddr), IP_ARGS(header.yiaddr));
    format_options(b->data, b->size, out);
    if (header.file[0]) {
        ds_put_cstr(out, " file:");
        format_options((uint8_t *) header.file, sizeof header.file, out);
    }
    if (header.sname[0]) {
        ds_put_cstr(out, " sname:");
        format_options((uint8_t *) header.sname, sizeof header.sname, out);
    }
}

static void
expect(const struct service_facts *facts, const struct ofpbuf *request,
       const char *expected, size_t i)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct service_note note;
    struct ofpbuf reply;

    ofpbuf_init(&reply, 0);
    enum service_verdict verdict = dhcp4_answer(request->data, request->size,
                                                facts, &reply, &note);
    if (verdict == SERVICE_ANSWERED) {
        format_reply(&reply, &s);
        CHECK(note.request && note.answer, "%"PRIuSIZE, i);
    } else {
        CHECK(!note.declined || verdict == SERVICE_NOTED, "%"PRIuSIZE, i);
        CHECK(!reply.size, "%"PRIuSIZE, i);
        ds_put_cstr(&s, services_verdict(verdict));
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%"PRIuSIZE": %s\nnot %s", i,
          ds_cstr(&s), expected);
    ofpbuf_uninit(&reply);
    ds_destroy(&s);
}

void
test_dhcp4(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct mapping *mapping = services_mapping();

    for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
        const struct exchange *x = &exchanges[i];
        const struct service_facts facts
            = services_facts(mapping, x->net, x->mac_low);
        struct ofpbuf request;

        ofpbuf_init(&request, 0);
        make_request(&request, x);
        expect(&facts, &request, x->expected, i);

        /* The wire pads short frames; nothing behind the datagram counts. */
        ofpbuf_put_zeros(&request, 17);
        expect(&facts, &request, x->expected, i);
        ofpbuf_uninit(&request);
    }
    mapping_destroy(mapping);
}

/* One byte that is not as it has to be, and no byte more than there is. */
void
test_dhcp4_bad(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { ETH = ETH_HEADER_LEN, UDP = ETH + 20, DHCP = UDP + 8 };
    static const struct { size_t ofs; uint8_t byte; const char *what; }
    tests[] = {
        { 11, 9, "not the sender's own MAC" },
        { 12, 0x86, "not IPv4" },
        { ETH, 0x65, "version 6" },
        { ETH, 0x44, "a short IP header" },
        { ETH, 0x4f, "a long IP header" },
        { ETH + 2, 0xff, "longer than the frame" },
        { ETH + 3, 19, "shorter than its header" },
        { ETH + 6, 0x20, "a fragment" },
        { ETH + 9, 6, "not UDP" },
        { UDP + 1, 69, "from another port" },
        { UDP + 3, 68, "to another port" },
        { UDP + 4, 0xff, "UDP that is longer than IP" },
        { UDP + 5, 7, "UDP that is shorter than its header" },
        { DHCP, 2, "a reply" },
        { DHCP + 1, 6, "not Ethernet" },
        { DHCP + 2, 16, "a long hardware address" },
        { DHCP + 24, 10, "relayed" },
        { DHCP + 33, 9, "somebody else's hardware address" },
        { DHCP + 236, 0, "no cookie" },
    };
    const struct exchange x = { "full", 1, DISCOVER END, NULL, false, NULL };
    struct mapping *mapping = services_mapping();
    const struct service_facts facts = services_facts(mapping, "full", 1);
    struct ofpbuf request, reply;
    struct service_note note;

    ofpbuf_init(&request, 0);
    ofpbuf_init(&reply, 0);
    make_request(&request, &x);
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        uint8_t *byte = ofpbuf_at(&request, tests[i].ofs, 1);
        const uint8_t saved[2] = { byte[-1], byte[0] };

        CHECK(*byte != tests[i].byte, "%s", tests[i].what);
        *byte = tests[i].byte;
        if (tests[i].ofs == ETH + 3 || tests[i].ofs == UDP + 5) {
            byte[-1] = 0;
        }
        CHECK(dhcp4_answer(request.data, request.size, &facts, &reply, &note)
              == SERVICE_BAD && !reply.size, "%s", tests[i].what);
        byte[-1] = saved[0];
        byte[0] = saved[1];
    }
    for (size_t n = 0; n < request.size; n++) {
        void *frame = xmemdup(request.data, n ? n : 1);
        CHECK(dhcp4_answer(frame, n, &facts, &reply, &note) == SERVICE_BAD
              && !reply.size, "cut at %"PRIuSIZE, n);
        free(frame);
    }
    CHECK(dhcp4_answer(request.data, request.size, &facts, &reply, &note)
          == SERVICE_ANSWERED, "none of these");
    ofpbuf_uninit(&request);
    ofpbuf_uninit(&reply);
    mapping_destroy(mapping);
}

/* Options in all three fields, and longer than 255 bytes. */
void
test_dhcp4_options(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct dhcp_header header = { .op = 2 };
    struct dhcp4_options options;
    struct dhcp4_writer w;
    uint8_t field[400], data[300], back[300];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = i;
    }
    dhcp4_writer_init(&w, &header, field, sizeof field);
    dhcp4_writer_put(&w, DHCP4_ROUTES, data, 300);
    dhcp4_writer_put(&w, DHCP4_CLIENT_ID, data, 125);   /* file, whole. */
    dhcp4_writer_put(&w, DHCP4_DOMAIN, data, 90);       /* options. */
    dhcp4_writer_put(&w, DHCP4_DNS, data, 60);          /* sname. */
    CHECK(!w.truncated, "there was room");
    dhcp4_writer_put(&w, DHCP4_MESSAGE, data, 60);
    CHECK(w.truncated, "there was none");
    size_t n = dhcp4_writer_end(&w);
    CHECK(n == 4 + 300 + 2 + 90 + 3 + 1 && n <= sizeof field, "%"PRIuSIZE, n);

    CHECK(dhcp4_options_parse(&options, &header, field, n), "parse");
    static const struct { uint8_t code; size_t n; } tests[] = {
        { DHCP4_ROUTES, 300 }, { DHCP4_CLIENT_ID, 125 },
        { DHCP4_DOMAIN, 90 }, { DHCP4_DNS, 60 }, { DHCP4_MESSAGE, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        CHECK(dhcp4_options_get(&options, tests[i].code, back, sizeof back)
              == tests[i].n && !memcmp(back, data, tests[i].n), "%d",
              tests[i].code);
    }

    /* What does not fit is not written. */
    memset(back, 0x55, sizeof back);
    CHECK(dhcp4_options_get(&options, DHCP4_ROUTES, back, 280) > 280, "size");
    CHECK(back[280] == 0x55, "written behind the end");

    /* The other fields count only if that is said, and then must be good. */
    header.file[0] = DHCP4_DNS;
    header.file[1] = 127;
    CHECK(!dhcp4_options_parse(&options, &header, field, n), "file");
    field[n - 2] = 2;
    CHECK(dhcp4_options_parse(&options, &header, field, n), "sname alone");
    CHECK(!dhcp4_options_get(&options, DHCP4_CLIENT_ID, back, sizeof back),
          "file");
}

/* More than fits into a message that every client takes goes to the other
 * fields; a client that takes more gets it in one. */
void
test_dhcp4_long(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { const char *options; size_t max; bool overload; }
    tests[] = {
        { DISCOVER ID END, 576, true },
        { DISCOVER ID "39020100" END, 576, true },     /* Less than it may. */
        { DISCOVER ID "39020300" END, 768, false },
        { DISCOVER "3902ffff" END, 1418, false },
    };
    struct mapping *mapping = services_mapping();
    const struct service_facts facts = services_facts(mapping, "long", 1);

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        const struct exchange x = { "long", 1, tests[i].options, NULL, false,
                                    NULL };
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ofpbuf request, reply;
        struct service_note note;

        ofpbuf_init(&request, 0);
        ofpbuf_init(&reply, 0);
        make_request(&request, &x);
        CHECK(dhcp4_answer(request.data, request.size, &facts, &reply, &note)
              == SERVICE_ANSWERED, "%"PRIuSIZE, i);
        CHECK(reply.size <= tests[i].max + ETH_HEADER_LEN, "%u", reply.size);
        format_reply(&reply, &s);
        CHECK(!strstr(ds_cstr(&s), " file:") == !tests[i].overload, "%s",
              ds_cstr(&s));
        CHECK(!strstr(ds_cstr(&s), " 52=01") == !tests[i].overload, "%s",
              ds_cstr(&s));
        CHECK(strstr(ds_cstr(&s), " 15=6161") && strstr(ds_cstr(&s), " 6="),
              "%s", ds_cstr(&s));
        ofpbuf_uninit(&request);
        ofpbuf_uninit(&reply);
        ds_destroy(&s);
    }
    mapping_destroy(mapping);
}
