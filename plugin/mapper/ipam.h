/* SPDX-License-Identifier: Apache-2.0 */
/* Which address of a range is next. */

#ifndef MAPPER_IPAM_H
#define MAPPER_IPAM_H 1

/* Pure: what is taken is asked of the caller.
 *
 * Of an IPv4 range the first address (the network) and the last one (the
 * broadcast) are not assigned, unless it is a /31 or /32 (RFC 3021); of an
 * IPv6 range the first one (the subnet-router anycast address, RFC 4291) is
 * not, unless it is a /127 or /128 (RFC 6164). */

#include <stdbool.h>

#include "model/types.h"

enum {
    IPAM_TRIES_MAX = 1 << 17,   /* Addresses looked at in one search. */
};

typedef bool ipam_taken_func(const struct model_address *, const void *aux);

/* Stores the lowest address of SUBNET that is not taken, with the range's
 * prefix length.  Returns false if there is none. */
bool ipam_next(const struct model_address *subnet, ipam_taken_func *,
               const void *aux, struct model_address *);

/* True if ADDRESS is in SUBNET and may be a host's. */
bool ipam_is_assignable(const struct model_address *subnet,
                        const struct model_address *);

/* True if ADDRESS may be anyone's at all: unicast and specified. */
bool ipam_is_unicast(const struct model_address *);

#endif /* mapper/ipam.h */
