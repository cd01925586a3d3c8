/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a range is next. */

#include <config.h>

#include "mapper/ipam.h"

#include <arpa/inet.h>
#include <string.h>

/* Number of bits of a whole address, and the first byte of it. */
static int
width(const struct model_address *a)
{
    return model_address_is_ipv4(a) ? 32 : 128;
}

static const uint8_t *
first_byte(const struct model_address *a)
{
    return &a->ip.s6_addr[model_address_is_ipv4(a) ? 12 : 0];
}

/* Says whether all host bits of ADDRESS, in a range of length PLEN, are
 * VALUE. */
static bool
host_bits_are(const struct model_address *address, int plen, bool value)
{
    const uint8_t *bytes = first_byte(address);

    for (int i = plen; i < width(address); i++) {
        if (((bytes[i / 8] >> (7 - i % 8)) & 1) != value) {
            return false;
        }
    }
    return true;
}

/* The address after A; wraps only from the very last one. */
static void
increment(struct model_address *a)
{
    int n = width(a) / 8;
    uint8_t *bytes = &a->ip.s6_addr[16 - n];

    for (int i = n - 1; i >= 0; i--) {
        if (++bytes[i]) {
            break;
        }
    }
}

bool
ipam_is_assignable(const struct model_address *subnet,
                   const struct model_address *address)
{
    if (!model_subnet_contains(subnet, address)) {
        return false;
    }
    if (width(subnet) - subnet->plen <= 1) {
        return true;
    }
    return !(host_bits_are(address, subnet->plen, false)
             || (model_address_is_ipv4(subnet)
                 && host_bits_are(address, subnet->plen, true)));
}

bool
ipam_next(const struct model_address *subnet, ipam_taken_func *taken,
          const void *aux, struct model_address *address)
{
    struct model_address candidate = *subnet;

    for (int i = 0; i < IPAM_TRIES_MAX; i++) {
        if (ipam_is_assignable(subnet, &candidate)
            && !taken(&candidate, aux)) {
            *address = candidate;
            return true;
        }
        if (host_bits_are(&candidate, subnet->plen, true)) {
            return false;
        }
        increment(&candidate);
    }
    return false;
}

bool
ipam_is_unicast(const struct model_address *address)
{
    if (model_address_is_ipv4(address)) {
        const uint8_t *b = first_byte(address);

        /* Not "this host", loopback, multicast, reserved or broadcast. */
        return b[0] != 0 && b[0] != 127 && b[0] < 224;
    }
    return !(IN6_IS_ADDR_UNSPECIFIED(&address->ip)
             || IN6_IS_ADDR_LOOPBACK(&address->ip)
             || IN6_IS_ADDR_MULTICAST(&address->ip));
}
