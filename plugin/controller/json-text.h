/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that may hold keys, as text. */
#ifndef VSUBNET_JSON_TEXT_H
#define VSUBNET_JSON_TEXT_H 1

/* What jansson allocates is overwritten when it is freed (model_json_init()),
 * but its text is built in a buffer that grows.  This makes text in one buffer
 * of the right size, and overwrites that.  Pure. */

#include <stddef.h>

struct json_t;

/* Returns compact text, null-terminated, and its length; free it with
 * json_text_free(), which overwrites it. */
char *json_text_dump(const struct json_t *, size_t *n);
void json_text_free(char *, size_t n);

#endif /* json-text.h */
