/* SPDX-License-Identifier: Apache-2.0 */
/* Where to begin to look for a free address. */

#ifndef MAPPER_IPAM_HINT_H
#define MAPPER_IPAM_HINT_H 1

/* ipam_next() finds the lowest free address of a range, which without help
 * means asking for all that are taken below it.  A hint says that of one range
 * of one vSubnet no address below it is free.  Whoever frees an address says
 * so; in doubt (a transaction that did not happen after all) hints are
 * forgotten.  One that is too high only leaves gaps for later: a search that
 * finds nothing above it must begin anew without it. */

#include "model/types.h"

struct ipam_hints;

struct ipam_hints *ipam_hints_create(void);
void ipam_hints_destroy(struct ipam_hints *);

/* Returns where to begin in SUBNET of vSubnet NET. */
struct model_address ipam_hints_get(const struct ipam_hints *,
                                    const char *net,
                                    const struct model_address *subnet);

/* Remembers that no address below LOWEST is free. */
void ipam_hints_set(struct ipam_hints *, const char *net,
                    const struct model_address *subnet,
                    const struct model_address *lowest);

/* ADDRESS of vSubnet NET is free now. */
void ipam_hints_freed(struct ipam_hints *, const char *net,
                      const struct model_address *);

/* Forgets everything. */
void ipam_hints_forget(struct ipam_hints *);

#endif /* mapper/ipam-hint.h */
