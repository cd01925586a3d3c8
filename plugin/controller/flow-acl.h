/* SPDX-License-Identifier: Apache-2.0 */
/* Filtering of a vSubnet's frames by its rules. */
#ifndef VSUBNET_FLOW_ACL_H
#define VSUBNET_FLOW_ACL_H 1

/* Who is judged by which rules
 * ============================
 *
 * Rules are about connections, and a connection is judged at both of its ends:
 * by the egress rules of who began it (the caller), at the caller's host, and
 * by the ingress rules of the one that is called (the callee), at the callee's
 * host.  It has to be allowed by both.
 *
 * That holds for each of its packets, in either direction.  Connection
 * tracking says in which direction a packet goes and, in the ct_* fields, how
 * the connection's first packet was addressed; so an answer is held against
 * the same rules as what it answers.  It follows that a change of the rules
 * takes effect at once for connections that exist, also if nothing but answers
 * comes of them; that what a changed rule allows again goes on; and that what
 * is tracked never allows anything that rules do not.  Connection tracking is
 * needed for nothing but to know who began.
 *
 * Each host judges for the ports that it has:
 *
 *      from     to       packet of the caller       of the callee
 *      ------   ------   ------------------------   ------------------------
 *      local    local    egress, then ingress       egress, then ingress
 *      local    remote   egress                     ingress (of the sender)
 *      remote   local    ingress                    egress (of the receiver)
 *
 * A flooded frame from the tunnel is judged as between two local ports: the
 * sender's host judged it as for somebody without labels, since it did not
 * know for whom it would be.
 *
 * So there are two tables of rules that are visited by resubmit, one for each
 * direction.  Rules look at the caller's labels in xxreg2 and the callee's in
 * xxreg1; for packets of the callee the two are exchanged before.
 *
 *     22 --(filtered)--> 23 --ct--> 24 --> 35 --> 45 --> 48 --> 49 --> 50
 *      |                 |                 ^  |   ^|
 *      `-----------------+-(not judged)----'  `-40'`-> 46 egress, 47 ingress
 *
 *   22  Is the vSubnet filtered?  One that is open and has no rules is not, and
 *       its frames meet no other flow of filtering.  Else reg1 has the zone and
 *       what else 23 and 45 need to know of the vSubnet.  What a local port
 *       sends from a MAC that an operator has bound to another place ends
 *       here: it would be judged by that one's labels.  (Not if port security
 *       is off for the vSubnet, or for that port.)
 *   23  What goes without judgement: ARP, ND and MLD, IGMP, and DHCP if guests
 *       may serve it.  IP is tracked, in both directions alike, once.  Other
 *       protocols are judged by rules that name nothing of IP.
 *   24  What is no valid part of a connection ends here.
 *   45  Judged is when the destination is known, labels and all; of a flooded
 *       frame table 40 sends a copy here for each local port.  What is sent
 *       back to its own port is not judged.
 *   46, 47  The rules.  One that names the packet sets or clears FF_DENIED,
 *       which the vSubnet's policy has set before.
 *   48  The second judgement, of packets between two local ports.
 *   49  Drops, or begins the connection ("commit"): only what both have
 *       allowed.  Replies to multicast come from other addresses, so nothing
 *       is begun for it.
 *
 * Related packets (ICMP errors) are of their connection, and pass unless it is
 * blocked: that is what ct_mark says since one of its packets was denied.
 * (Rules can't judge them: Open vSwitch leaves the ct_* fields of those that
 * the caller sends out of its flow keys.)
 *
 * A TCP segment other than the first of a connection that is not known (since
 * ovs-vswitchd was started anew, or a guest came from another host) may be the
 * caller's or an answer.  If it is denied as the caller's it is judged as an
 * answer, too ("FF_ANSWER"), and passes without commitment, until the caller
 * sends something.  Otherwise a caller that only listens would wait for ever.
 * That gives nobody more than he has: who could be called could answer so.  A
 * rule that logs what it denies does that in vain then.
 *
 * Fragments are put together for connection tracking and come out of it again
 * one by one.  The first is judged like any packet; without it the others are
 * of no use.  They are judged by all but ports and ICMP types: what a rule
 * that allows says of these holds, what one that denies says does not.
 *
 * SCTP and other protocols without ports are connections between two
 * addresses.  SCTP's ports are looked for in the packets themselves.
 *
 * Flows
 * =====
 *
 * A rule is one flow; one that allows and logs two, since only the first
 * packets of a connection are logged; each range of ports is 1 to 30 flows (as
 * many as binary prefixes cover it), for SCTP four times as many; a rule with
 * ports or ICMP types that allows needs one more for fragments.  If it names an
 * address or ports, and may be about TCP, there is the same once more for
 * FF_ANSWER (but for fragments, and not logged).  A filtered
 * vSubnet has three flows, and two for each of its local ports; the rest is
 * the same for all.  Nothing grows with ports or bindings times rules.
 *
 * Priorities in 46 and 47 are those of the rules: twice as much, and 1 more
 * for one that denies.  So no rule's flow changes when another comes or goes.
 * At the same priority, of two rules that both allow or both deny it is not
 * said which one counts and logs. */

#include <stdbool.h>

struct model_net;

/* Whether frames of 'net' are judged at all. */
bool flow_acl_is_filtered(const struct model_net *);

#endif /* flow-acl.h */
