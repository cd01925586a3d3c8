/* SPDX-License-Identifier: Apache-2.0 */
/* Writing small files without making packets wait for the disk. */

#ifndef DATAPATH_VSUBNET_SAVER_H
#define DATAPATH_VSUBNET_SAVER_H 1

/* Saver
 * =====
 *
 * The session state of each port is written once a second, synced to the disk.
 * The thread that collects it is the one that forwards packets, so another
 * thread does the writing.  There is one for the whole process; it starts with
 * the first file.
 *
 * A newer content of a file replaces an older one that has not been written
 * yet.  What can't be written is logged, and dropped: the next one is due in a
 * second.
 *
 * Thread safety: all functions may be called from any thread. */

#include <stddef.h>

/* Has the file at 'path' replaced by the 'n' bytes at 'text', which become the
 * saver's. */
void vsubnet_saver_put(const char *path, char *text, size_t n);

/* Waits until everything put before is written. */
void vsubnet_saver_flush(void);

#endif /* datapath/vsubnet-saver.h */
