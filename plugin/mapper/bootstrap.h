/* SPDX-License-Identifier: Apache-2.0 */
/* What a service has from its first start on. */

#ifndef MAPPER_BOOTSTRAP_H
#define MAPPER_BOOTSTRAP_H 1

/* The first start on an empty database makes the Service row (with the
 * generation: the time, so that a database made anew has a higher one) and
 * the first operator, whose token goes to operator.json.  The file is written
 * before the database knows the token's hash: a crash between the two leaves
 * a file whose token the next start puts into the database.
 *
 * Later starts change nothing in the database.  They only write operator.json
 * again when none of its URLs is one of ours any more (another port); an
 * operator.json that was taken away is not replaced, since its token would
 * have to be a new one. */

#include "uuid.h"

struct db;
struct pki;
struct svec;

/* Waits until the database can be read.  Returns null or an error message that
 * the caller frees. */
char *bootstrap_wait(const struct db *);

/* Does the above.  Returns null or an error message that the caller frees. */
char *bootstrap(const struct db *, const char *state_dir, const struct pki *,
                const struct svec *urls);

/* The ID of this mapper (file "instance"), made if there is none. */
char *bootstrap_instance(const char *state_dir, struct uuid *);

#endif /* mapper/bootstrap.h */
