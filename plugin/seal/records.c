/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reader of line-oriented files: keyring and session state. */

#include <config.h>
#include "seal/records.h"

#include <openssl/crypto.h>
#include <string.h>
#include "util.h"

void
records_init(struct records *records, const char *text, size_t n,
             size_t max_line)
{
    ovs_assert(max_line <= RECORDS_MAX_LINE);
    records->text = text;
    records->n = n;
    records->ofs = 0;
    records->max_line = max_line;
    records->line = 0;
    records->n_fields = 0;
}

void
records_destroy(struct records *records)
{
    OPENSSL_cleanse(records->buffer, sizeof records->buffer);
}

/* Copies the next line to the buffer.  Returns an error or NULL. */
static const char *
read_line(struct records *records)
{
    const char *start = records->text + records->ofs;
    size_t left = records->n - records->ofs;

    records->line++;
    if (!left) {
        return "no `end' line: the file was cut off";
    }

    const char *lf = memchr(start, '\n', MIN(left, records->max_line + 1));
    if (!lf) {
        return (left > records->max_line
                ? "line too long"
                : "no line feed: the file was cut off");
    }

    size_t len = lf - start;
    for (size_t i = 0; i < len; i++) {
        if (start[i] < ' ' || start[i] > '~') {
            return "invalid character";
        }
    }
    memcpy(records->buffer, start, len);
    records->buffer[len] = '\0';
    records->ofs += len + 1;
    return NULL;
}

/* Splits the buffer into fields.  Returns an error or NULL. */
static const char *
split_line(struct records *records)
{
    char *p = records->buffer;

    records->n_fields = 0;
    for (;;) {
        if (*p == '\0' || *p == ' ') {
            return "empty line or field";
        }
        if (records->n_fields >= RECORDS_MAX_FIELDS) {
            return "too many fields";
        }
        records->fields[records->n_fields++] = p;
        p += strcspn(p, " ");
        if (*p == '\0') {
            return NULL;
        }
        *p++ = '\0';
    }
}

/* Checks the `end' line, which is the current one. */
static const char *
check_end(struct records *records)
{
    uint32_t n;

    if (records->n_fields != 2
        || !records_u32(records->fields[1], 0, UINT32_MAX, &n)
        || n != records->line - 1) {
        return "`end' has to give the number of lines before it";
    }
    if (records->ofs != records->n) {
        records->line++;
        return "text after the `end' line";
    }
    return NULL;
}

bool
records_next(struct records *records, const char **error)
{
    *error = read_line(records);
    if (!*error) {
        *error = split_line(records);
    }
    if (*error) {
        return false;
    }
    if (records_is(records, "end")) {
        *error = check_end(records);
        return false;
    }
    return true;
}

bool
records_is(const struct records *records, const char *word)
{
    return !strcmp(records->fields[0], word);
}

char *
records_error(const struct records *records, const char *error)
{
    return xasprintf("line %u: %s", records->line, error);
}

bool
records_number(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;

    *value = 0;
    if (!*s || (*s == '0' && s[1])) {
        return false;
    }
    for (; *s; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }

        unsigned int digit = *s - '0';
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return n >= min && n <= max;
}

bool
records_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value)
{
    uint64_t n;
    bool ok = records_number(s, min, max, &n);

    *value = n;
    return ok;
}
