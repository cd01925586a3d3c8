/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a range is next. */

#ifndef MAPPER_IPAM_H
#define MAPPER_IPAM_H 1

/* Pure: what is taken is asked of the caller.
 *
 * Of an IPv4 range the first address (the network) and the last one (the
 * broadcast) are not assigned, unless it is a /31 or /32 (RFC 3021); of an
 * IPv6 range the first one (the subnet-router anycast address, RFC 4291) is
 * not, unless it is a /127 or /128 (RFC 6164).
 *
 * A pool is a part of a range, from one address to another.  If a range has
 * pools, addresses are drawn from them alone; others are for those who ask for
 * them by name. */

#include <stdbool.h>

#include "model/types.h"

enum {
    IPAM_TRIES_MAX = 1 << 17,   /* Addresses looked at in one search. */
};

typedef bool ipam_taken_func(const struct model_address *, const void *aux);

/* Stores the lowest address of SUBNET that is not taken, with the range's
 * prefix length.  Returns false if there is none.  ipam_next_from() looks at
 * no address below FROM. */
bool ipam_next(const struct model_address *subnet, ipam_taken_func *,
               const void *aux, struct model_address *);
bool ipam_next_from(const struct model_address *subnet,
                    const struct model_address *from, ipam_taken_func *,
                    const void *aux, struct model_address *);

struct ipam_pool {
    struct model_address first, last;
};

/* Reads "FIRST-LAST".  Returns null or an error message that the caller
 * frees. */
char *ipam_pool_parse(const char *, struct ipam_pool *);

/* The same text, in canonical form. */
#define IPAM_POOL_STRLEN (2 * MODEL_ADDRESS_STRLEN)
const char *ipam_pool_string(const struct ipam_pool *,
                             char buf[IPAM_POOL_STRLEN]);

bool ipam_pools_overlap(const struct ipam_pool *, const struct ipam_pool *);

/* True if one of the N POOLS begins in SUBNET. */
bool ipam_has_pools(const struct model_address *subnet,
                    const struct ipam_pool *pools, size_t n);

/* As ipam_next(), but if one of the N POOLS begins in SUBNET, from those that
 * do, in their order. */
bool ipam_next_in_pools(const struct model_address *subnet,
                        const struct ipam_pool *pools, size_t n,
                        ipam_taken_func *, const void *aux,
                        struct model_address *);

/* How many addresses of SUBNET can be drawn, at most UINT32_MAX. */
uint32_t ipam_room(const struct model_address *subnet,
                   const struct ipam_pool *pools, size_t n);

/* True if ADDRESS is in SUBNET and may be a host's. */
bool ipam_is_assignable(const struct model_address *subnet,
                        const struct model_address *);

/* True if ADDRESS may be anyone's at all: unicast and specified. */
bool ipam_is_unicast(const struct model_address *);

#endif /* mapper/ipam.h */
