/* SPDX-License-Identifier: Apache-2.0 */
/* Takes out of text what may be a secret. */

#ifndef CTL_REDACT_H
#define CTL_REDACT_H 1

/* Nothing that goes into a bug report should have a secret in it to begin
 * with: this is for what nobody has thought of.  What is replaced by
 * "[redacted]":
 *
 *   - 32 hexadecimal digits or more in a row, with or without colons between
 *     pairs: keys, and the secrets of credentials and tokens (a UUID has
 *     hyphens, and stays);
 *   - 43 characters or more of base64 in a row, and 22 with "==" at the end;
 *   - what stands after "key", "psk", "password", "secret" or "token" and a
 *     colon or an equals sign, if it is 8 characters or longer and has no
 *     slash or dot, which a path or a name would have.
 *
 * Rather too much than too little.  Pure. */

/* S is freed.  Returns what is left of it, malloc()'d. */
char *redact(char *s);

#endif /* ctl/redact.h */
