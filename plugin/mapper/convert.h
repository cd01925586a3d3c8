/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a database of an earlier schema to the present one. */

#ifndef MAPPER_CONVERT_H
#define MAPPER_CONVERT_H 1

/* A database keeps the schema it was made with.  At each start, before the IDL
 * looks at it, the mapper compares that schema's version with its own:
 *
 *      older   the server is asked to convert it in place, which is one
 *              transaction: tables and columns that are new begin empty
 *      same    nothing to do
 *      newer   another mapper of this database is of a later version; what
 *              it added is not ours to know, and stays
 *
 * So mappers of one database are upgraded one after the other.  A schema's
 * version says "MAJOR.MINOR.PATCH"; every change so far only added, which an
 * older mapper does not notice. */

/* REMOTE is what the IDL gets: one or more of "unix:FILE", "tcp:IP:PORT", ...,
 * separated by commas.  SCHEMA is the file with our schema.  Waits for a
 * server for a while.  Returns null or an error message that the caller
 * frees. */
char *convert_database(const char *remote, const char *schema);

#endif /* mapper/convert.h */
