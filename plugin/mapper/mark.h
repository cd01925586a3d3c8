/* SPDX-License-Identifier: Apache-2.0 */
/* How far the database was: notices one that was restored from a copy. */

#ifndef MAPPER_MARK_H
#define MAPPER_MARK_H 1

/* Revisions, node numbers and SPIs are never given twice; the database's
 * Service row counts them.  A database restored from an older copy would give
 * them again, to something else, and who resumes an event stream would have
 * objects that are not there.  So the state directory has a file, "mark", with
 * the counters as they were at most MARK_MS ago; one fsync() then, and only if
 * something changed.
 *
 * The database is never behind it (what is committed is on its disk) unless it
 * was restored.  Then a new generation begins, in which all streams begin with
 * a snapshot, and the counters go on from the mark, with room for what was
 * counted after it was written.
 *
 * It can't tell of a whole state directory that was restored, mark and all. */

#include <stdint.h>

struct db;

enum {
    MARK_MS = 1000,
    MARK_ROOM = 1000,           /* Numbers skipped after a restoration. */
};

struct mark {
    const char *dir;            /* Not owned. */
    int64_t generation, number, next_node, next_spi;
    long long int next;         /* Not written before. */
};

/* Reads DIR's mark and, if the database that DB shows is behind it, puts that
 * right.  Returns null or an error message that the caller frees. */
char *mark_open(struct mark *, const char *dir, const struct db *);

void mark_run(struct mark *, const struct db *);
void mark_wait(const struct mark *, const struct db *);

/* Writes it once more. */
void mark_close(struct mark *, const struct db *);

#endif /* mapper/mark.h */
