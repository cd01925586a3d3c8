/* SPDX-License-Identifier: Apache-2.0 */
/* What all mappers of a service have in common beside the database. */

#include <config.h>

#include "mapper/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mapper/db.h"
#include "mapper/keybox.h"
#include "mapper/pki.h"
#include "openvswitch/poll-loop.h"
#include "ovsdb-idl.h"
#include "util.h"

static const char *const files[] = { "ca.pem", "ca.key", "storage.key" };

/* One that others can read is not a secret any more. */
static char *
check_file(const struct mdb_service *service, const char *dir,
           const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    char *error = NULL;
    struct stat s;

    if (stat(path, &s)) {
        /* A ca.pem without its key is no authority, as pki_open() says. */
        if (errno == ENOENT && service && service->ca_fingerprint[0]
            && strcmp(name, "ca.key")) {
            error = xasprintf(
                "%s is missing, but the database is that of a service which "
                "has it (CA %.16s...): copy ca.pem, ca.key and storage.key "
                "from the state directory of another of its mappers, or from "
                "a backup", path, service->ca_fingerprint);
        }
    } else if (strstr(name, ".key") && s.st_mode & 077) {
        error = xasprintf("%s: mode %03o, so others could read it: "
                          "\"chmod 600\" it, if nobody has",
                          path, (unsigned int) s.st_mode & 0777);
    }
    free(path);
    return error;
}

char *
shared_check_files(const struct db *db, const char *dir)
{
    char *error = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(files) && !error; i++) {
        error = check_file(db_service(db), dir, files[i]);
    }
    return error;
}

static char *
differs(const char *dir, const char *name)
{
    return xasprintf("%s/%s is not that of the service whose database this "
                     "is: copy ca.pem, ca.key and storage.key from the state "
                     "directory of another of its mappers, or from a backup",
                     dir, name);
}

/* The first mapper of a database, or the first of this version. */
static char *
tell(const struct db *db, const struct pki *pki, const char *storage_check)
{
    const struct mdb_service *service = db_service(db);
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(db->idl);
    char *error = NULL;

    mdb_service_verify_ca_fingerprint(service);
    mdb_service_set_ca_fingerprint(service, pki->fingerprint);
    mdb_service_set_storage_check(service, storage_check);
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit_block(txn);
    if (status != TXN_SUCCESS && status != TXN_TRY_AGAIN) {
        error = xasprintf("the database refused to know this service: %s",
                          ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    return error;
}

char *
shared_check(const struct db *db, const char *dir, const struct pki *pki,
             const struct keybox *keybox)
{
    char *storage_check = keybox_check(keybox);
    char *error = NULL;

    while (!error && !db_service(db)->ca_fingerprint[0]) {
        error = tell(db, pki, storage_check);
        ovsdb_idl_run(db->idl);
        while (!error && !db_service(db)) {
            ovsdb_idl_wait(db->idl);
            poll_block();
            ovsdb_idl_run(db->idl);
        }
    }
    const struct mdb_service *service = db_service(db);
    if (!error && strcmp(service->ca_fingerprint, pki->fingerprint)) {
        error = differs(dir, "ca.pem");
    } else if (!error && strcmp(service->storage_check, storage_check)) {
        error = differs(dir, "storage.key");
    }
    free(storage_check);
    return error;
}
