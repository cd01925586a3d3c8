/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's services to guests have in common: facts, verdicts, UDP. */
#ifndef VSUBNET_SERVICE_FRAME_H
#define VSUBNET_SERVICE_FRAME_H 1

/* DHCPv4 (dhcp4.h), DHCPv6 (dhcp6.h) and router advertisements (ra.h) are pure
 * functions from a guest's frame and the facts to a frame for that guest:
 *
 *      struct service_facts facts = { net, binding, mtu };
 *      struct service_note note;
 *      struct ofpbuf reply;
 *
 *      ofpbuf_init(&reply, 0);
 *      if (dhcp4_answer(frame, len, &facts, &reply, &note)
 *          == SERVICE_ANSWERED) {
 *          ... reply.data, of reply.size bytes, is for the port ...
 *      }
 *      ofpbuf_uninit(&reply);
 *
 * What the host tells of itself, a router advertisement, may also go out
 * unasked.
 *
 * Nothing is kept from one frame to the next: which address a guest has is the
 * mapping's to say, so each host gives the same answer, also after a restart,
 * after the guest has moved, and while the mapping service is away.
 *
 * A frame is whatever a guest made up, and may be cut off anywhere.  Checksums
 * are not looked at: a port with checksum offload hands frames over before
 * somebody has put them in. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

struct model_binding;
struct model_dhcp;
struct model_net;
struct ofpbuf;

/* As whom every host answers. */
#define SERVICE_MAC ETH_ADDR_C(06,76,ff,ff,ff,fe)
extern const struct in6_addr service_link_local;    /* From that MAC. */

struct service_facts {
    const struct model_net *net;
    const struct model_binding *binding;    /* Of who asks, in 'net'. */
    int mtu;                                /* Of frames in the vSubnet. */
};

enum service_verdict {
    SERVICE_ANSWERED,
    SERVICE_NOTED,          /* Asks for no answer: a lease is given back. */
    SERVICE_NO_ADDRESS,     /* The binding has none to give. */
    SERVICE_OTHERS,         /* Not for this server to answer. */
    SERVICE_BAD,            /* Not well-formed. */
};

/* For the log. */
struct service_note {
    const char *request, *answer;   /* Names of messages, or NULL. */
    struct in6_addr address;        /* That it is about, or in6addr_any. */
    bool declined;                  /* Another has it, the guest says. */
};

/* A message that stands whole in one frame. */
struct service_message {
    struct eth_addr mac;        /* Who sent it. */
    struct in6_addr src;        /* Mapped, if IPv4. */
    const uint8_t *data;        /* Behind the header of UDP or ICMPv6. */
    size_t len;
};

/* Takes frames between these UDP ports apart; false if it is none.  A source
 * port of 0 stands for any.  Frames with a VLAN tag are none: they are in a
 * network that guests have made inside of the vSubnet. */
bool service_udp4_parse(const void *frame, size_t len, uint16_t src_port,
                        uint16_t dst_port, struct service_message *);
bool service_udp6_parse(const void *frame, size_t len, uint16_t src_port,
                        uint16_t dst_port, struct service_message *);

/* The same for a message of neighbor discovery, of code 0. */
bool service_nd_parse(const void *frame, size_t len, uint8_t type,
                      struct service_message *);

/* The IPv6 name servers in the settings, which may be NULL, of which there are
 * at most MODEL_DNS_MAX. */
size_t service_dns6(const struct model_dhcp *, struct in6_addr *);

/* Writes the domain as DNS does (RFC 1035 section 3.1), returns its length. */
enum { SERVICE_DOMAIN_MAX = 255 };
size_t service_domain(const char *domain, uint8_t out[SERVICE_DOMAIN_MAX]);

/* Where an answer goes, and between which UDP ports. */
struct service_to {
    struct eth_addr mac;
    struct in6_addr src, dst;   /* Mapped, if IPv4. */
    uint16_t src_port, dst_port;
};

/* Make the datagram in the buffer a frame. */
void service_udp4_push(struct ofpbuf *, const struct service_to *);
void service_udp6_push(struct ofpbuf *, const struct service_to *);
/* ...of another protocol than UDP, whose checksum is at 'csum_ofs'. */
void service_ip6_push(struct ofpbuf *, const struct service_to *,
                      uint8_t protocol, size_t csum_ofs);

#endif /* service-frame.h */
