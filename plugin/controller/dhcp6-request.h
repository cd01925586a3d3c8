/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPv6 messages of clients, taken apart. */
#ifndef VSUBNET_DHCP6_REQUEST_H
#define VSUBNET_DHCP6_REQUEST_H 1

/* dhcp6_request_parse() looks at all of a message, so that who steps through
 * its options afterwards finds nothing that is longer than what it stands in:
 *
 *      struct dhcp6_bytes rest = request.options;
 *      struct dhcp6_option option;
 *      while (dhcp6_next_option(&rest, &option)) {
 *          ...
 *      }
 *
 * Pure; what comes of parsing points into the frame. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

enum dhcp6_message {
    DHCP6_SOLICIT = 1,
    DHCP6_ADVERTISE = 2,
    DHCP6_REQUEST = 3,
    DHCP6_CONFIRM = 4,
    DHCP6_RENEW = 5,
    DHCP6_REBIND = 6,
    DHCP6_REPLY = 7,
    DHCP6_RELEASE = 8,
    DHCP6_DECLINE = 9,
    DHCP6_INFORMATION_REQUEST = 11,
};

enum dhcp6_option_code {
    DHCP6_CLIENT_ID = 1,
    DHCP6_SERVER_ID = 2,
    DHCP6_IA_NA = 3,            /* Addresses, */
    DHCP6_IA_TA = 4,            /* temporary ones, */
    DHCP6_ADDRESS = 5,
    DHCP6_ORO = 6,              /* What the client wants to be told. */
    DHCP6_PREFERENCE = 7,
    DHCP6_STATUS = 13,
    DHCP6_RAPID_COMMIT = 14,
    DHCP6_DNS = 23,
    DHCP6_DOMAINS = 24,
    DHCP6_IA_PD = 25,           /* and prefixes. */
    DHCP6_REFRESH_TIME = 32,
};

enum {
    DHCP6_SERVER_PORT = 547,
    DHCP6_CLIENT_PORT = 546,
    DHCP6_HEADER_LEN = 4,       /* Of a message, and of an option. */
    DHCP6_IAID_LEN = 4,
    DHCP6_IA_LEN = 12,          /* IAID, T1, T2; an IA_TA has the first. */
};

struct dhcp6_bytes {
    const uint8_t *data;        /* NULL: it is not there. */
    size_t len;
};

struct dhcp6_option {
    uint16_t code;
    struct dhcp6_bytes value;
};

struct dhcp6_request {
    struct eth_addr mac;
    struct in6_addr src;
    enum dhcp6_message type;
    uint8_t header[DHCP6_HEADER_LEN];
    struct dhcp6_bytes options;
    struct dhcp6_bytes client_id, server_id, oro;
    bool has_ia;
};

/* False for a frame that is not a message for servers, or not well-formed
 * (RFC 8415 section 16). */
bool dhcp6_request_parse(struct dhcp6_request *, const void *frame,
                         size_t len);

bool dhcp6_request_asks_for(const struct dhcp6_request *,
                            enum dhcp6_option_code);

/* Takes the first option off 'rest'; false at the end. */
bool dhcp6_next_option(struct dhcp6_bytes *rest, struct dhcp6_option *);

/* The first option of that code. */
struct dhcp6_bytes dhcp6_find(struct dhcp6_bytes options,
                              enum dhcp6_option_code);

/* Identity associations, and what is in them. */
bool dhcp6_is_ia(const struct dhcp6_option *);
struct dhcp6_bytes dhcp6_ia_options(const struct dhcp6_option *ia);
bool dhcp6_next_address(struct dhcp6_bytes *ia_options, struct in6_addr *);

#endif /* dhcp6-request.h */
