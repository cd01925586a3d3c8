/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reader of line-oriented files: keyring and session state. */

#ifndef SEAL_RECORDS_H
#define SEAL_RECORDS_H 1

/* Records
 * =======
 *
 * Both files of the tunnel have the same shape: one record a line, fields
 * separated by exactly one space, printable ASCII, each line ended by a line
 * feed, and `end N` as the last line, N being the number of lines before it.
 *
 *     records_init(&records, text, n, max_line);
 *     while (!error && records_next(&records, &error)) {
 *         ...records.fields[0] to records.fields[records.n_fields - 1]...
 *     }
 *     if (error) {
 *         error = records_error(&records, error);
 *     }
 *     records_destroy(&records);
 *
 * records_next() takes the `end` line itself: it returns false with no error
 * only if that line was there, was right, and nothing followed.  Errors are
 * constant strings, so no content gets into them.
 *
 * Thread safety: a reader belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDS_MAX_FIELDS = 8, RECORDS_MAX_LINE = 1024 };

struct records {
    const char *text;
    size_t n;
    size_t ofs;                 /* Of the next line. */
    size_t max_line;
    unsigned int line;          /* Number of the current line, from 1. */
    size_t n_fields;
    char *fields[RECORDS_MAX_FIELDS];       /* Point into 'buffer'. */
    char buffer[RECORDS_MAX_LINE + 1];
};

/* Reads the 'n' bytes at 'text', which have to outlive the reader. */
void records_init(struct records *, const char *text, size_t n,
                  size_t max_line);

/* Wipes the current line. */
void records_destroy(struct records *);

/* Reads the next line into 'fields'.  Returns false at the end and on an
 * error, which it stores in '*error'. */
bool records_next(struct records *, const char **error);

/* True if the record's first field is 'word'. */
bool records_is(const struct records *, const char *word);

/* "line N: " and 'error', for the caller to free. */
char *records_error(const struct records *, const char *error);

/* Reads a decimal number from 'min' to 'max', without sign or leading zeros,
 * that is all of 's'. */
bool records_number(const char *s, uint64_t min, uint64_t max,
                    uint64_t *value);
bool records_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value);

#endif /* seal/records.h */
