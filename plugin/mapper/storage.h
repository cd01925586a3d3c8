/* SPDX-License-Identifier: Apache-2.0 */
/* The mapper's own database server. */

#ifndef MAPPER_STORAGE_H
#define MAPPER_STORAGE_H 1

/* Unless it is told to use another database, the mapper runs an ovsdb-server
 * of its own on mapper.db in its state directory.  The format is the
 * clustered one, with a single server: this is the one that fsyncs each
 * commit, and other servers can join it later.
 *
 * The server is a daemon that does not depend on the mapper's life: one that
 * survived (after a kill -9 of the mapper) is adopted, as its locked pidfile
 * tells; one that dies is started again.  In an orderly exit the mapper stops
 * it.
 *
 *      starting --is ready--> running --pidfile unlocked--> waiting --+
 *         ^  \--failed--> waiting                                     |
 *         +-----------------------after a while-----------------------+
 *
 * Its files: mapper.db, db.sock (for the mapper), db.pid, db.ctl (for
 * ovs-appctl), raft.sock (where other servers would join). */

#include <stdbool.h>

struct storage;

enum { STORAGE_RESTART_MS = 500 };

/* Where ovsdb-server and ovsdb-tool are looked for, in this order: BINDIR
 * (may be null), $VSUBNET_OVS_BINDIR, PATH.  Creates the database if there is
 * none.  Returns null or an error message that the caller frees. */
char *storage_open(const char *state_dir, const char *bindir,
                   struct storage **);

/* Starts or adopts the server and waits until it is ready. */
char *storage_start(struct storage *);
void storage_run(struct storage *);
void storage_wait(struct storage *);

/* Stops the server. */
void storage_close(struct storage *);

/* The file that has the schema of what this program makes and expects. */
const char *storage_schema_file(void);

/* For the IDL: "unix:...". */
const char *storage_remote(const struct storage *);
const char *storage_state(const struct storage *);

#endif /* mapper/storage.h */
