/* SPDX-License-Identifier: Apache-2.0 */
/* This host's addresses on the underlay, and which of others' it reaches. */
#ifndef VSUBNET_UNDERLAY_H
#define VSUBNET_UNDERLAY_H 1

/* A node registers the address from which it speaks with the mapping service
 * and, if the same device has one, an address of the other family.  Of a node
 * that has registered several, others take the first that their kernel has a
 * route to.  So nodes that have both families find each other after one of
 * them has lost one, without being told.
 *
 * Which addresses this host has is looked at each second.  (That a peer has
 * moved is the tunnel port's business; see DESIGN.md, section 2.5.)
 *
 * Not thread-safe. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct underlay {
    uint32_t addresses;         /* Hash of all that this host has. */
    long long int next_look;
};

/* Returns true if this host's addresses are others than before. */
bool underlay_run(struct underlay *);
void underlay_wait(const struct underlay *);

/* This node's endpoints at UDP port 'port', comma-separated, when it speaks
 * with the service from 'local_ip'.  The caller frees it. */
char *underlay_endpoints(const char *local_ip, int port);

/* Whether this host's kernel has a way to 'remote'. */
bool underlay_reaches(const struct in6_addr *remote);

#endif /* underlay.h */
