/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that may hold keys, as text and back to nothing. */
#ifndef VSUBNET_JSON_TEXT_H
#define VSUBNET_JSON_TEXT_H 1

/* What jansson allocates for a value is freed without being overwritten, so
 * whoever is done with JSON that holds keys calls json_text_wipe() on it, and
 * gets its text from here.  Pure. */

#include <stddef.h>

struct json_t;

/* Overwrites the string of each member "key" in 'json', at any depth. */
void json_text_wipe(struct json_t *json);

/* Returns compact text, null-terminated, and its length; free it with
 * json_text_free(), which overwrites it. */
char *json_text_dump(const struct json_t *, size_t *n);
void json_text_free(char *, size_t n);

#endif /* json-text.h */
