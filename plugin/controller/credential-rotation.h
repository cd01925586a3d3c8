/* SPDX-License-Identifier: Apache-2.0 */
/* A new credential now and then. */
#ifndef VSUBNET_CREDENTIAL_ROTATION_H
#define VSUBNET_CREDENTIAL_ROTATION_H 1

/* A credential that is replaced tells the one who uses it from whoever has an
 * old copy of the disk: a superseded one proves to be a copy.  So there is a
 * new one for each instance, and one a day (lease_credential_is_due()).
 *
 *   IDLE ----(due)----> SAVED ------(204)-----> TOLD ----(granted)----> IDLE
 *     next credential     PUT                     PUT lease with the
 *     made, written down  /v1/self/credential     next credential
 *
 * The state is on the disk: node.json has a next credential in SAVED and
 * TOLD.  Nobody is ever locked out:
 *
 *      crash in    the service has      what is tried       then
 *      SAVED       the old one          next, 401; old      SAVED
 *      TOLD        both                 next                IDLE
 *      IDLE, but not yet written down:
 *                  the new one          next                IDLE
 *
 * Writing down that the next credential has been taken is standing.h's.  Only
 * whether the service was told is not known after a restart, and telling it
 * again does no harm.
 *
 * Not thread-safe. */

#include <stdbool.h>

struct controller;

struct credential_rotation {
    bool in_flight;
    bool told;                  /* TOLD, else SAVED. */
    unsigned int connection;    /* To which that applies. */
    long long int retry_at;
};

void credential_rotation_run(struct controller *);
void credential_rotation_wait(const struct controller *);

#endif /* credential-rotation.h */
