/* SPDX-License-Identifier: Apache-2.0 */
/* A DHCPv6 server that only says what the mapping says. */
#ifndef VSUBNET_DHCP6_H
#define VSUBNET_DHCP6_H 1

/* RFC 8415.  In a vSubnet with ipv6 "dhcpv6" a guest's first IA_NA gets all
 * IPv6 addresses of its binding that are in one of the vSubnet's ranges.  As
 * with DHCPv4 no lease is kept:
 *
 *      SOLICIT             what a REQUEST would get; with rapid commit, that
 *      REQUEST             the addresses, or that there are none
 *      RENEW, REBIND       likewise, and the end of addresses of the guest's
 *                          that are not (any more) bound to it
 *      CONFIRM             whether all its addresses are bound to it
 *      RELEASE, DECLINE    that it was heard; the binding stays
 *      INFORMATION-REQUEST name servers and domain, also with "slaac"
 *
 * All hosts have the same DUID, made of their common MAC: a guest that moves
 * renews at its new host.
 *
 * Where guests may be servers (guest_dhcp), addresses that are not bound may
 * be another server's, and nothing is said against them unasked. */

#include <stddef.h>
#include "controller/service-frame.h"

enum service_verdict dhcp6_answer(const void *frame, size_t len,
                                  const struct service_facts *,
                                  struct ofpbuf *reply,
                                  struct service_note *);

#endif /* dhcp6.h */
