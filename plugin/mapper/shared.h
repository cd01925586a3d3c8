/* SPDX-License-Identifier: Apache-2.0 */
/* What all mappers of a service have in common beside the database. */

#ifndef MAPPER_SHARED_H
#define MAPPER_SHARED_H 1

/* All mappers of one service need the same certificate authority (ca.pem and
 * ca.key: hosts trust no other) and the same storage.key (or they could not
 * open the keys in the database).  Neither is in the database, which does not
 * keep secrets: the operator copies the three files from the state directory
 * of one mapper to that of the next, before its first start.
 *
 * The database says which they are: Service.ca_fingerprint, and
 * Service.storage_check, an HMAC of a fixed text under storage.key.  A mapper
 * that has others would send away every host, or make keys that nobody can
 * read; it refuses to start, and makes none where the service has some. */

struct db;
struct keybox;
struct pki;

/* To be called when DB can be read, before anything makes the files in DIR.
 * Returns null or an error message that the caller frees. */
char *shared_check_files(const struct db *, const char *dir);

/* Compares with the database, or tells it.  After bootstrap(). */
char *shared_check(const struct db *, const char *dir, const struct pki *,
                   const struct keybox *);

#endif /* mapper/shared.h */
