/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of services to guests share. */
#ifndef UNIT_SERVICES_H
#define UNIT_SERVICES_H 1

#include <stdio.h>
#include <stdlib.h>
#include "controller/service-frame.h"

struct ds;
struct mapping;
struct ofpbuf;
struct ovs_cmdl_context;

/* Ends the test as failed, with words, unless 'CONDITION' holds. */
#define CHECK(CONDITION, ...)                                           \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "%s:%d: %s:", __FILE__, __LINE__, #CONDITION); \
            fprintf(stderr, " " __VA_ARGS__);                           \
            fprintf(stderr, "\n");                                      \
            exit(1);                                                    \
        }                                                               \
    } while (0)

/* A mapping with vSubnets "full" (DHCP with everything), "bare" (DHCP and no
 * more), "slaac" and "dhcpv6" (as full, and that), "own" (as full, and guests
 * may be servers), "both" (as dhcpv6, and the same), "long" (more than fits into a small message), "alone"
 * (DHCPv6 without DHCP) and "none", all but that with these bindings:
 * 0a:..:01 (10.77.0.20, 10.77.0.21, fd77::20, fd77::21), 0a:..:02
 * (10.77.0.1), 0a:..:03 (none), 0a:..:04 (dynamic, 10.77.0.40, fd77::40). */
struct mapping *services_mapping(void);

/* The facts for 'mac' in 'net', which both are there. */
struct service_facts services_facts(const struct mapping *, const char *net,
                                    uint8_t mac_low);

#define GUEST_MAC(LOW) ((struct eth_addr) ETH_ADDR_C(0a,00,00,00,00,LOW))

/* A frame that a guest sends. */
struct services_guest {
    uint8_t mac_low;
    const char *src, *dst;      /* Addresses. */
    uint16_t src_port, dst_port;
};

/* Makes what is in the buffer a frame of the guest's. */
void services_guest_udp(struct ofpbuf *, const struct services_guest *);

/* Appends hexadecimal digits. */
void services_hex(struct ds *, const void *, size_t n);

/* Takes the headers off a frame, checks their lengths and checksums, and
 * writes who sends to whom.  'protocol' is IPv4's or IPv6's. */
void services_strip(struct ofpbuf *, uint8_t protocol, struct ds *);

const char *services_verdict(enum service_verdict);

/* unit-dhcp4.c */
void test_dhcp4(struct ovs_cmdl_context *);
void test_dhcp4_bad(struct ovs_cmdl_context *);
void test_dhcp4_options(struct ovs_cmdl_context *);
void test_dhcp4_long(struct ovs_cmdl_context *);

/* unit-dhcp6.c */
void test_dhcp6(struct ovs_cmdl_context *);
void test_dhcp6_long(struct ovs_cmdl_context *);

/* unit-ra.c */
void test_ra(struct ovs_cmdl_context *);

#endif /* unit-services.h */
