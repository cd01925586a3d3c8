/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller says about itself: vsubnet/status. */
#ifndef VSUBNET_STATUS_H
#define VSUBNET_STATUS_H 1

/* `ovs-appctl -t vsubnet-controller vsubnet/status` answers with one JSON
 * object (DESIGN.md section 5).  "problems" has one sentence for each thing
 * that keeps this node from working fully; none, and all is well.  No key is
 * in it.
 *
 * `vsubnet/node NODE` says which node a number, a name or a tunnel address
 * means: {"number","name","tunnel_address"}.
 *
 * `vsubnet/resync` reads the bridge's flows back and mends what somebody else
 * has changed. */

#include <stddef.h>

struct controller;

/* Registers the commands; 'c' must outlive the unixctl server. */
void status_init(struct controller *c);

/* How many problems there are, of those that "problems" has in words. */
size_t status_n_problems(const struct controller *);

#endif /* status.h */
