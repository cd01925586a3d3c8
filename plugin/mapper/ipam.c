/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a range is next. */

#include <config.h>

#include "mapper/ipam.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

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

static int
compare(const struct model_address *a, const struct model_address *b)
{
    return memcmp(&a->ip, &b->ip, sizeof a->ip);
}

/* Looks from FIRST to LAST, or to SUBNET's end if LAST is null. */
static bool
next_from(const struct model_address *subnet,
          const struct model_address *first, const struct model_address *last,
          ipam_taken_func *taken, const void *aux,
          struct model_address *address)
{
    struct model_address candidate = *first;

    candidate.plen = subnet->plen;
    for (int i = 0; i < IPAM_TRIES_MAX; i++) {
        if (ipam_is_assignable(subnet, &candidate)
            && !taken(&candidate, aux)) {
            *address = candidate;
            return true;
        }
        if (host_bits_are(&candidate, subnet->plen, true)
            || (last && compare(&candidate, last) >= 0)) {
            return false;
        }
        increment(&candidate);
    }
    return false;
}

bool
ipam_next(const struct model_address *subnet, ipam_taken_func *taken,
          const void *aux, struct model_address *address)
{
    return next_from(subnet, subnet, NULL, taken, aux, address);
}

bool
ipam_next_from(const struct model_address *subnet,
               const struct model_address *from, ipam_taken_func *taken,
               const void *aux, struct model_address *address)
{
    return next_from(subnet, from, NULL, taken, aux, address);
}

/* Pools. */

bool
ipam_has_pools(const struct model_address *subnet,
               const struct ipam_pool *pools, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (model_subnet_contains(subnet, &pools[i].first)) {
            return true;
        }
    }
    return false;
}

char *
ipam_pool_parse(const char *text, struct ipam_pool *pool)
{
    size_t n = strcspn(text, "-");
    char *error;

    if (!text[n]) {
        return xstrdup("not FIRST-LAST");
    }
    char *first = xmemdup0(text, n);
    error = model_address_parse(first, &pool->first);
    free(first);
    if (!error) {
        error = model_address_parse(text + n + 1, &pool->last);
    }
    if (error) {
        return error;
    }
    if (pool->first.plen >= 0 || pool->last.plen >= 0) {
        return xstrdup("the ends of a pool have no prefix length");
    }
    if (model_address_is_ipv4(&pool->first)
        != model_address_is_ipv4(&pool->last)) {
        return xstrdup("the ends of a pool are of different families");
    }
    return (compare(&pool->first, &pool->last) > 0
            ? xstrdup("the pool ends before it begins") : NULL);
}

const char *
ipam_pool_string(const struct ipam_pool *pool, char buf[IPAM_POOL_STRLEN])
{
    char first[MODEL_ADDRESS_STRLEN], last[MODEL_ADDRESS_STRLEN];

    snprintf(buf, IPAM_POOL_STRLEN, "%s-%s",
             model_address_string(&pool->first, first),
             model_address_string(&pool->last, last));
    return buf;
}

bool
ipam_pools_overlap(const struct ipam_pool *a, const struct ipam_pool *b)
{
    return (compare(&a->first, &b->last) <= 0
            && compare(&b->first, &a->last) <= 0);
}

bool
ipam_next_in_pools(const struct model_address *subnet,
                   const struct ipam_pool *pools, size_t n,
                   ipam_taken_func *taken, const void *aux,
                   struct model_address *address)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (model_subnet_contains(subnet, &pools[i].first)) {
            any = true;
            if (next_from(subnet, &pools[i].first, &pools[i].last, taken, aux,
                          address)) {
                return true;
            }
        }
    }
    return !any && ipam_next(subnet, taken, aux, address);
}

/* LAST - FIRST + 1, at most UINT32_MAX. */
static uint32_t
distance(const struct model_address *first, const struct model_address *last)
{
    uint64_t difference = 0;

    for (int i = 0; i < 16; i++) {
        difference = (difference << 8) + last->ip.s6_addr[i]
                     - first->ip.s6_addr[i];
        if (i < 15 && difference > UINT32_MAX) {
            return UINT32_MAX;
        }
    }
    return MIN(difference + 1, UINT32_MAX);
}

uint32_t
ipam_room(const struct model_address *subnet, const struct ipam_pool *pools,
          size_t n)
{
    int bits = width(subnet) - subnet->plen;
    uint64_t room = 0;
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (model_subnet_contains(subnet, &pools[i].first)) {
            any = true;
            room += distance(&pools[i].first, &pools[i].last);
        }
    }
    if (!any) {
        room = bits < 32 ? (UINT64_C(1) << bits) : UINT64_C(1) << 33;
        room -= bits <= 1 ? 0 : 2;
    }
    return MIN(room, UINT32_MAX);
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
