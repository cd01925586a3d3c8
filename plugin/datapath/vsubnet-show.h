/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of a tunnel port. */

#ifndef DATAPATH_VSUBNET_SHOW_H
#define DATAPATH_VSUBNET_SHOW_H 1

/* Show
 * ====
 *
 * ovs-appctl vsubnet/show [--json] [PORT]
 * ovs-appctl vsubnet/reload-keyring [PORT]
 *
 * and the Interface's `status` and `options`.  `status` has only what seldom
 * changes, because each change makes Open vSwitch revalidate every flow.  No
 * function here looks at the bytes of a key.
 *
 * Thread safety: all functions lock the ports that they look at. */

#include <stdbool.h>

struct smap;
struct vsubnet_port;

/* Registers the commands. */
void vsubnet_show_init(void);

void vsubnet_show_status(struct vsubnet_port *, struct smap *status);
void vsubnet_show_config(struct vsubnet_port *, struct smap *config);

/* For the commands, by the one who has the list of ports (netdev-vsubnet.c):
 * calls 'visit' with each port named 'name', or each if that is NULL, and
 * tells Open vSwitch about those for which it returns true.  Returns how many
 * there were. */
typedef bool vsubnet_show_visit_func(struct vsubnet_port *, void *aux);
int vsubnet_show_for_each(const char *name, vsubnet_show_visit_func *,
                          void *aux);

#endif /* datapath/vsubnet-show.h */
