/* SPDX-License-Identifier: Apache-2.0 */
/* Reading JSON that somebody else wrote. */

#ifndef MODEL_READER_H
#define MODEL_READER_H 1

/* model_json_parse() turns bytes into JSON within limits of size and depth,
 * and refuses duplicate members.
 *
 * A reader then takes one object apart, member by member, remembering the
 * first thing that was wrong, so that the caller asks for all its members in a
 * row and looks at the error once:
 *
 *      struct model_reader r;
 *      model_reader_init(&r, json);
 *      const char *name = model_reader_string(&r, "name", MODEL_REQUIRED);
 *      uint32_t vni = model_reader_uint(&r, "vni", MODEL_OPTIONAL,
 *                                       1, MODEL_VNI_MAX);
 *      char *error = model_reader_finish(&r, MODEL_REFUSE_UNKNOWN);
 *
 * A member that is absent, or JSON null, is "not there": an error where it is
 * required, else null, zero or false.  model_reader_has() tells the
 * difference.  Strings are the JSON's, valid as long as it is.  Once there is
 * an error, every function returns nothing and does nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/types.h"

struct json_t;
struct uuid;

enum {
    MODEL_JSON_DEPTH = 16,      /* Nesting that a document may have. */
};

enum model_presence { MODEL_OPTIONAL, MODEL_REQUIRED };
enum model_unknown { MODEL_IGNORE_UNKNOWN, MODEL_REFUSE_UNKNOWN };

/* Makes jansson overwrite all memory that it frees, so that keys and
 * credentials do not outlive the JSON that held them.  Call it once, before
 * anything else that uses jansson. */
void model_json_init(void);

char *model_json_parse(const char *text, size_t n, size_t max_size,
                       struct json_t **);

struct model_reader {
    const struct json_t *object;
    char *error;                /* The first one, owned. */
    const char *field;          /* Of the error; static or in the object. */
    const char *known[24];      /* Members asked for. */
    size_t n_known;
};

void model_reader_init(struct model_reader *, const struct json_t *);
char *model_reader_finish(struct model_reader *, enum model_unknown);
void model_reader_fail(struct model_reader *, const char *field,
                       char *error /* Taken over. */);

bool model_reader_has(struct model_reader *, const char *field);
const struct json_t *model_reader_array(struct model_reader *,
                                        const char *field,
                                        enum model_presence, size_t max);
const struct json_t *model_reader_object(struct model_reader *,
                                         const char *field,
                                         enum model_presence);
const char *model_reader_string(struct model_reader *, const char *field,
                                enum model_presence);
/* A string of several lines, such as PEM, of at most MAX bytes.
 * (model_reader_string() refuses line ends and what exceeds
 * MODEL_TEXT_MAX.) */
const char *model_reader_text(struct model_reader *, const char *field,
                              enum model_presence, size_t max);
uint64_t model_reader_uint(struct model_reader *, const char *field,
                           enum model_presence, uint64_t min, uint64_t max);
bool model_reader_bool(struct model_reader *, const char *field,
                       enum model_presence);

/* The same as the last two, for what is something else than 0 or false when
 * it is not there. */
uint64_t model_reader_uint_or(struct model_reader *, const char *field,
                              uint64_t min, uint64_t max, uint64_t absent);
bool model_reader_bool_or(struct model_reader *, const char *field,
                          bool absent);

/* The same for strings that have a rule. */
const char *model_reader_name(struct model_reader *, const char *field,
                              enum model_presence);
bool model_reader_uuid(struct model_reader *, const char *field,
                       enum model_presence, struct uuid *);
bool model_reader_mac(struct model_reader *, const char *field,
                      enum model_presence, struct eth_addr *);
bool model_reader_revision(struct model_reader *, const char *field,
                           enum model_presence, struct model_revision *);
bool model_reader_algorithm(struct model_reader *, const char *field,
                            enum model_presence, enum model_algorithm *);

/* Arrays of strings; *values is malloc()'d, null when there are none. */
size_t model_reader_addresses(struct model_reader *, const char *field,
                              enum model_presence, struct model_address **);
size_t model_reader_subnets(struct model_reader *, const char *field,
                            enum model_presence, struct model_address **);
size_t model_reader_endpoints(struct model_reader *, const char *field,
                              enum model_presence, struct model_endpoint **);

/* Labels: names, each once, which come sorted; with MODEL_LABEL_GAPS also "",
 * and as they are.  They are the caller's, for model_labels_free(). */
enum model_label_gaps { MODEL_NO_LABEL_GAPS, MODEL_LABEL_GAPS };
size_t model_reader_labels(struct model_reader *, const char *field,
                           enum model_label_gaps, size_t max, char ***);
void model_labels_free(char **, size_t n);

/* Builds of the same. */
struct json_t *model_addresses_to_json(const struct model_address *, size_t);
struct json_t *model_endpoints_to_json(const struct model_endpoint *, size_t);
struct json_t *model_labels_to_json(char *const *, size_t);
struct json_t *model_revision_to_json(struct model_revision);
struct json_t *model_string_or_null(const char *);

#endif /* model/reader.h */
