/* SPDX-License-Identifier: Apache-2.0 */
/* Completing checksums that the sender has left to the network card. */

#ifndef DATAPATH_VSUBNET_CHECKSUM_H
#define DATAPATH_VSUBNET_CHECKSUM_H 1

/* Checksums
 * =========
 *
 * With userspace TSO, a virtual machine leaves TCP, UDP and SCTP checksums to
 * the card.  No card sees what is inside an encrypted datagram, so they are
 * completed before sealing.
 *
 * Thread safety: a pure function of the packet. */

struct dp_packet;

/* Writes the checksum that the packet's offload flags ask for, and clears the
 * flags.  Needs the packet's layer offsets, which the datapath has set. */
void vsubnet_checksum_complete(struct dp_packet *);

#endif /* datapath/vsubnet-checksum.h */
