/* SPDX-License-Identifier: Apache-2.0 */
/* DHCPv6 messages of clients, taken apart. */
#include <config.h>
#include "controller/dhcp6-request.h"

#include <string.h>

#include "controller/service-frame.h"
#include "packets.h"
#include "util.h"

enum {
    ADDRESS_LEN = 24,           /* With its two lifetimes. */
    DUID_MIN = 3, DUID_MAX = 130,   /* RFC 8415 section 11.1. */
};

/* Options. */

static uint16_t
read16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* Also false where an option is longer than what there is. */
bool
dhcp6_next_option(struct dhcp6_bytes *rest, struct dhcp6_option *option)
{
    if (rest->len < DHCP6_HEADER_LEN) {
        return false;
    }

    const size_t n = read16(rest->data + 2);
    if (n > rest->len - DHCP6_HEADER_LEN) {
        return false;
    }
    option->code = read16(rest->data);
    option->value = (struct dhcp6_bytes) { rest->data + DHCP6_HEADER_LEN, n };
    rest->data += DHCP6_HEADER_LEN + n;
    rest->len -= DHCP6_HEADER_LEN + n;
    return true;
}

static bool
are_valid(struct dhcp6_bytes options)
{
    struct dhcp6_option option;

    while (dhcp6_next_option(&options, &option)) {
        continue;
    }
    return !options.len;
}

struct dhcp6_bytes
dhcp6_find(struct dhcp6_bytes options, enum dhcp6_option_code code)
{
    struct dhcp6_option option;

    while (dhcp6_next_option(&options, &option)) {
        if (option.code == code) {
            return option.value;
        }
    }
    return (struct dhcp6_bytes) { NULL, 0 };
}

bool
dhcp6_is_ia(const struct dhcp6_option *option)
{
    return (option->code == DHCP6_IA_NA || option->code == DHCP6_IA_TA
            || option->code == DHCP6_IA_PD);
}

static size_t
ia_header_len(const struct dhcp6_option *ia)
{
    return ia->code == DHCP6_IA_TA ? DHCP6_IAID_LEN : DHCP6_IA_LEN;
}

struct dhcp6_bytes
dhcp6_ia_options(const struct dhcp6_option *ia)
{
    const size_t n = ia_header_len(ia);

    return (struct dhcp6_bytes) { ia->value.data + n, ia->value.len - n };
}

bool
dhcp6_next_address(struct dhcp6_bytes *options, struct in6_addr *address)
{
    struct dhcp6_option option;

    while (dhcp6_next_option(options, &option)) {
        if (option.code == DHCP6_ADDRESS) {
            memcpy(address, option.value.data, sizeof *address);
            return true;
        }
    }
    return false;
}

static bool
ia_is_valid(const struct dhcp6_option *ia)
{
    struct dhcp6_bytes options;
    struct dhcp6_option option;

    if (ia->value.len < ia_header_len(ia)) {
        return false;
    }
    options = dhcp6_ia_options(ia);
    if (!are_valid(options)) {
        return false;
    }
    while (dhcp6_next_option(&options, &option)) {
        if (option.code == DHCP6_ADDRESS && option.value.len < ADDRESS_LEN) {
            return false;
        }
    }
    return true;
}

/* The request. */

static bool
read_options(struct dhcp6_request *r)
{
    struct dhcp6_bytes rest = r->options;
    struct dhcp6_option option;

    if (!are_valid(rest)) {
        return false;
    }
    while (dhcp6_next_option(&rest, &option)) {
        if (dhcp6_is_ia(&option)) {
            r->has_ia = true;
            if (!ia_is_valid(&option)) {
                return false;
            }
        }
    }
    r->client_id = dhcp6_find(r->options, DHCP6_CLIENT_ID);
    r->server_id = dhcp6_find(r->options, DHCP6_SERVER_ID);
    r->oro = dhcp6_find(r->options, DHCP6_ORO);
    return (!r->client_id.data
            || (r->client_id.len >= DUID_MIN
                && r->client_id.len <= DUID_MAX));
}

/* Which identifiers a message has, by its type (section 16). */
static bool
has_right_ids(const struct dhcp6_request *r)
{
    switch (r->type) {
    case DHCP6_SOLICIT:
    case DHCP6_CONFIRM:
    case DHCP6_REBIND:
        return r->client_id.data && !r->server_id.data;
    case DHCP6_REQUEST:
    case DHCP6_RENEW:
    case DHCP6_RELEASE:
    case DHCP6_DECLINE:
        return r->client_id.data && r->server_id.data;
    case DHCP6_INFORMATION_REQUEST:
        return !r->has_ia;
    case DHCP6_ADVERTISE:
    case DHCP6_REPLY:
    default:
        return false;
    }
}

bool
dhcp6_request_parse(struct dhcp6_request *r, const void *frame, size_t len)
{
    struct service_message udp;

    memset(r, 0, sizeof *r);
    if (!service_udp6_parse(frame, len, 0, DHCP6_SERVER_PORT, &udp)
        || udp.len < DHCP6_HEADER_LEN || !in6_is_lla(&udp.src)) {
        return false;
    }
    memcpy(r->header, udp.data, sizeof r->header);
    r->mac = udp.mac;
    r->src = udp.src;
    r->type = r->header[0];
    r->options = (struct dhcp6_bytes) {
        udp.data + DHCP6_HEADER_LEN, udp.len - DHCP6_HEADER_LEN };
    return read_options(r) && has_right_ids(r);
}

bool
dhcp6_request_asks_for(const struct dhcp6_request *r,
                       enum dhcp6_option_code code)
{
    for (size_t i = 0; i + 1 < r->oro.len; i += 2) {
        if (read16(r->oro.data + i) == code) {
            return true;
        }
    }
    return false;
}
