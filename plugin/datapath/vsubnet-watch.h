/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that addresses or routes of this host have changed. */

#ifndef DATAPATH_VSUBNET_WATCH_H
#define DATAPATH_VSUBNET_WATCH_H 1

/* Watch
 * =====
 *
 * Listens to rtnetlink (rtnetlink(7)): devices, addresses and routes of both
 * families.  What exactly has changed is not looked at: whoever cares asks the
 * kernel again (vsubnet-path.h).  If the kernel has more to say than its buffer
 * holds, that is a change too.
 *
 * One for the whole process; the main thread's. */

#include <stdint.h>

/* Begins to listen, once. */
void vsubnet_watch_init(void);

/* Returns a number that is another than before if something has changed. */
uint64_t vsubnet_watch_run(void);
void vsubnet_watch_wait(void);

#endif /* datapath/vsubnet-watch.h */
