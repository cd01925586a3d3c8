/* SPDX-License-Identifier: Apache-2.0 */
/* Which boot of this host it is: the file "instance". */
#ifndef VSUBNET_INSTANCE_H
#define VSUBNET_INSTANCE_H 1

/* The service lets one instance at a time act under a node ID (lease.h).  An
 * instance is one boot of a host: its UUID stands in the run directory, which
 * is a tmpfs, so that it survives a restart of the controller, but neither a
 * reboot nor the copying of a disk.
 *
 * The UUID is sent with each request.  It is no secret: without the node's
 * credential it is of no use.  Not thread-safe. */

#include "uuid.h"

struct instance {
    struct uuid id;
    char text[UUID_LEN + 1];
    long long int made;         /* Seconds of the epoch. */
    char *error;                /* The file can't be kept, or NULL. */
};

/* Reads the file, or makes it if there is none that can be used.  If it can't
 * be made, there is an instance all the same, for this run. */
void instance_init(struct instance *, const char *run_dir);
void instance_destroy(struct instance *);

#endif /* instance.h */
