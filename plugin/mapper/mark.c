/* SPDX-License-Identifier: Apache-2.0 */
/* How far the database was: notices one that was restored from a copy. */

#include <config.h>

#include "mapper/mark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "mapper/file.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(mark);

#define MARK_FILE "mark"

static char *
mark_read(struct mark *mark)
{
    char end;
    size_t size;
    char *data;
    int error = file_read(mark->dir, MARK_FILE, &data, &size);

    if (error == ENOENT) {
        return NULL;
    } else if (error) {
        return xasprintf("%s/" MARK_FILE ": %s", mark->dir,
                         ovs_strerror(error));
    }
    bool ok = sscanf(data, "%"SCNd64" %"SCNd64" %"SCNd64" %"SCNd64"%c",
                     &mark->generation, &mark->number, &mark->next_node,
                     &mark->next_spi, &end) == 5 && end == '\n';
    free(data);
    return (ok ? NULL
            : xasprintf("%s/" MARK_FILE ": damaged; remove it if the database "
                        "was not restored from a copy", mark->dir));
}

static bool
differs(const struct mark *mark, const struct mdb_service *service)
{
    return (mark->generation != service->generation
            || mark->number != service->number
            || mark->next_node != service->next_node
            || mark->next_spi != service->next_spi);
}

static void
mark_write(struct mark *mark, const struct db *db)
{
    const struct mdb_service *service = db_service(db);

    if (!service || !differs(mark, service)) {
        return;
    }
    mark->generation = service->generation;
    mark->number = service->number;
    mark->next_node = service->next_node;
    mark->next_spi = service->next_spi;
    mark->next = time_msec() + MARK_MS;

    char *text = xasprintf("%"PRId64" %"PRId64" %"PRId64" %"PRId64"\n",
                           mark->generation, mark->number, mark->next_node,
                           mark->next_spi);
    int error = file_write(mark->dir, MARK_FILE, text, strlen(text), 0644);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_ERR_RL(&rl, "%s/" MARK_FILE ": %s", mark->dir,
                    ovs_strerror(error));
    }
    free(text);
}

static bool
is_behind(const struct mark *mark, const struct mdb_service *service)
{
    return (service->generation < mark->generation
            || (service->generation == mark->generation
                && (service->number < mark->number
                    || service->next_node < mark->next_node
                    || service->next_spi < mark->next_spi)));
}

static char *
begin_generation(const struct mark *mark, const struct db *db)
{
    const struct mdb_service *service = db_service(db);
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(db->idl);
    int64_t generation = MAX(mark->generation, service->generation) + 1;

    mdb_service_verify_number(service);
    mdb_service_set_generation(service, MAX(generation, time_wall()));
    mdb_service_set_number(service, service->number + 1);
    mdb_service_set_next_node(service, MAX(mark->next_node,
                                           service->next_node) + MARK_ROOM);
    mdb_service_set_next_spi(service, MAX(mark->next_spi,
                                          service->next_spi) + MARK_ROOM);
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit_block(txn);
    char *error = NULL;
    if (status != TXN_SUCCESS && status != TXN_TRY_AGAIN) {
        error = xasprintf("the database refused a new generation: %s",
                          ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    return error;
}

char *
mark_open(struct mark *mark, const char *dir, const struct db *db)
{
    *mark = (struct mark) { .dir = dir };

    char *error = mark_read(mark);
    if (!error && is_behind(mark, db_service(db))) {
        VLOG_WARN("the database is behind what it was before: it was restored "
                  "from a copy, so a new generation begins");

        /* Until the database shows it. */
        while (!error && is_behind(mark, db_service(db))) {
            error = begin_generation(mark, db);
            ovsdb_idl_run(db->idl);
            while (!error && !db_service(db)) {
                ovsdb_idl_wait(db->idl);
                poll_block();
                ovsdb_idl_run(db->idl);
            }
        }
    }
    if (!error) {
        mark_write(mark, db);
    }
    return error;
}

void
mark_run(struct mark *mark, const struct db *db)
{
    if (time_msec() >= mark->next) {
        mark_write(mark, db);
    }
}

void
mark_wait(const struct mark *mark, const struct db *db)
{
    const struct mdb_service *service = db_service(db);

    if (service && differs(mark, service)) {
        poll_timer_wait_until(mark->next);
    }
}

void
mark_close(struct mark *mark, const struct db *db)
{
    mark_write(mark, db);
}
