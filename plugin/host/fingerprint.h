/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine this is. */
#ifndef HOST_FINGERPRINT_H
#define HOST_FINGERPRINT_H 1

/* A stable fingerprint tells a machine from one that woke up with a copy of
 * its disk.  It is a hash over what does not travel with a disk: the DMI
 * product UUID and the permanent addresses of the network cards (what has no
 * device behind it, such as bridges, tunnels and veths, is no card; nor is a
 * card's virtual function, which comes and goes).
 *
 * It is no secret and proves nothing: it decides which of two that both know
 * a node's secret is the likelier owner of the node ID.
 *
 * Both where it is registered and where it is compared,
 * external_ids:vsubnet-fingerprint of the local database takes its place. */

/* Returns 64 hex digits, or an empty string if nothing is known of this
 * machine: the service takes that for like no other.  The caller frees it. */
char *fingerprint_of_machine(void);

#endif /* host/fingerprint.h */
