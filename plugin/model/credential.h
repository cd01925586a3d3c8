/* SPDX-License-Identifier: Apache-2.0 */
/* The text forms of join tokens, node credentials and operator tokens. */

#ifndef MODEL_CREDENTIAL_H
#define MODEL_CREDENTIAL_H 1

/*      vsj1.ID.SECRET.FINGERPRINT      join token
 *      vsn1.NODE-UUID.SECRET           node credential
 *      vso1.ID.SECRET                  operator token
 *
 * SECRET is 32 bytes and FINGERPRINT a SHA-256, both as 64 lower-case hex
 * digits.  The ID of a join or operator token is a name.  What a service
 * stores of any of them is the SHA-256 of SECRET's 64 characters, in hex; so
 * is "credential_hash" when a node registers.
 *
 * Messages about a refused credential never quote it. */

#include <stdint.h>

#include "model/types.h"

enum model_credential_kind {
    MODEL_CREDENTIAL_JOIN,
    MODEL_CREDENTIAL_NODE,
    MODEL_CREDENTIAL_OPERATOR,
};

enum { MODEL_SECRET_HEX = 64 };

struct model_credential {
    enum model_credential_kind kind;
    char id[MODEL_NAME_MAX + 1];
    char secret[MODEL_SECRET_HEX + 1];
    char fingerprint[MODEL_SECRET_HEX + 1];     /* Join tokens only. */
};

char *model_credential_parse(const char *, struct model_credential *);
char *model_credential_format(const struct model_credential *);
void model_credential_wipe(struct model_credential *);

/* N bytes as 2N hex digits and a null. */
void model_hex_encode(const void *, size_t n, char *out);

#endif /* model/credential.h */
