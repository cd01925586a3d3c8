/* SPDX-License-Identifier: Apache-2.0 */
/* A DHCPv4 server that only says what the mapping says. */
#ifndef VSUBNET_DHCP4_H
#define VSUBNET_DHCP4_H 1

/* RFC 2131 and 2132, with 3396 (long options), 3442 (classless routes) and
 * 6842 (the client's identifier comes back).
 *
 * A guest is offered an IPv4 address of its binding that is in one of the
 * vSubnet's ranges: the one it asks for if that is among them, else the first.
 * Leases are not kept anywhere, so one is never refused for its age; a guest
 * that asks for what is not (any more) bound to it gets a DHCPNAK and begins
 * anew.  The states of a client that sends DHCPREQUEST, by what is in it
 * (RFC 2131 section 4.3.2):
 *
 *      server ID   requested   ciaddr      state
 *      ours        address     -           SELECTING
 *      another's   any         any         has chosen another: no answer
 *      -           address     -           INIT-REBOOT
 *      -           -           address     RENEWING, REBINDING
 *
 * The server identifier is the vSubnet's gateway.  If it has none, or if the
 * gateway itself asks, it is 169.254.0.1; such a guest finds nobody to renew
 * with, and rebinds, by broadcast, later.
 *
 * Where guests may be DHCP servers (guest_dhcp), an address of which nothing
 * is known here may be another server's, and is not refused. */

#include <stddef.h>
#include "controller/service-frame.h"

/* Appends the answer to 'reply', which is empty.  The vSubnet has DHCP. */
enum service_verdict dhcp4_answer(const void *frame, size_t len,
                                  const struct service_facts *,
                                  struct ofpbuf *reply,
                                  struct service_note *);

#endif /* dhcp4.h */
