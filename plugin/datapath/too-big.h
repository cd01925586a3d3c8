/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP messages that tell a guest how long its packets may be. */

#ifndef DATAPATH_TOO_BIG_H
#define DATAPATH_TOO_BIG_H 1

/* Packet too big
 * ==============
 *
 * What a router answers to a packet that its next link does not take:
 * "fragmentation needed and DF set" (RFC 792, RFC 1191) or "packet too big"
 * (RFC 4443, section 3.2).  A tunnel port is no router and has no address of
 * its own in the segment, so the answer comes from the address, Ethernet and
 * IP, that the packet was for; hosts act on it all the same.
 *
 * As RFC 1122, section 3.2.2, and RFC 4443, section 2.4, demand, there is no
 * answer to an ICMP error, to a broadcast or multicast (Ethernet or IP), to
 * a source that is no single host, and to a fragment but the first.  IPv4
 * without DF is not answered either: its sender does not want to know.
 *
 * Pure functions on the caller's memory. */

#include <stddef.h>

enum {
    TOO_BIG_MAX_IPV4 = 576,     /* Of the answer's IP packet (RFC 1812,
                                 * section 4.3.2.3)... */
    TOO_BIG_MAX_IPV6 = 1280,    /* ...and the minimum MTU. */
    TOO_BIG_MAX_FRAME = TOO_BIG_MAX_IPV6 + 22,
};

/* Writes to 'answer', of TOO_BIG_MAX_FRAME bytes, what to answer to the frame
 * of 'n' bytes when IP packets of up to 'mtu' bytes are fine.  Returns the
 * answer's length, or 0 if there must be none. */
size_t too_big_answer(const void *frame, size_t n, unsigned int mtu,
                      void *answer);

#endif /* datapath/too-big.h */
