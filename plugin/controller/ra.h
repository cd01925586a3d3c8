/* SPDX-License-Identifier: Apache-2.0 */
/* Router advertisements: what guests have to know of IPv6 in their vSubnet. */
#ifndef VSUBNET_RA_H
#define VSUBNET_RA_H 1

/* RFC 4861 and 8106.  A vSubnet with ipv6 "slaac" or "dhcpv6" tells its IPv6
 * ranges, which all are on the link, its MTU, name servers and domain.  With
 * "slaac" a guest makes itself an address in each range of prefix length 64;
 * with "dhcpv6" it asks for its addresses (dhcp6.h).
 *
 * The host is no router: its lifetime as one is 0, and what guests reach
 * beyond the vSubnet is up to routers of their own (guest_dhcp).
 *
 * Pure. */

#include <stddef.h>
#include "controller/service-frame.h"

/* Answers a router solicitation; see service-frame.h. */
enum service_verdict ra_answer(const void *frame, size_t len,
                               const struct service_facts *,
                               struct ofpbuf *reply, struct service_note *);

/* Puts into 'frame', which is empty, what the host says unasked.  The facts'
 * binding is not looked at.  Who repeats it within RA_INTERVAL lets nothing
 * run out. */
enum { RA_INTERVAL = 600 };     /* Seconds. */
void ra_compose(const struct service_facts *, struct ofpbuf *frame);

#endif /* ra.h */
