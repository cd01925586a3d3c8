/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends a request. */

#ifndef MAPPER_AUTH_H
#define MAPPER_AUTH_H 1

/* A request's Authorization header becomes a principal: a kind of credential,
 * the ID in it, and the SHA-256 of its secret.  The secret itself is wiped at
 * once; the database knows only hashes too.  Hashes are compared in constant
 * time.
 *
 * People and their programs are users (table Operator): operators, who may
 * do everything, and viewers, who may read what operators may and change
 * nothing.  A user proves who it is by a token or by a TLS client certificate,
 * of which the database knows the fingerprint; TLS has verified that the
 * client has its private key, and no CA is asked, so removing the user is all
 * that revocation takes.  Which role a user has is known after auth_check().
 *
 * Of a node all its credentials are good here, also one that is superseded;
 * 'credential' tells which it was, and most routes refuse that one.
 *
 * A principal is checked twice: when its request arrives, and again when the
 * request is applied, since the credential may be gone by then. */

#include <stdbool.h>

#include "mapper/identity.h"
#include "model/credential.h"
#include "uuid.h"

struct db;

enum auth_role {
    ROLE_ANYONE = 1 << 0,
    ROLE_TOKEN = 1 << 1,
    ROLE_NODE = 1 << 2,
    ROLE_OPERATOR = 1 << 3,
    ROLE_VIEWER = 1 << 4,
};

/* Roles of users, in words. */
#define AUTH_OPERATOR "operator"
#define AUTH_VIEWER "viewer"

struct principal {
    enum auth_role role;
    char id[MODEL_NAME_MAX + 1];        /* Token, node UUID, user. */
    char hash[MODEL_SECRET_HEX + 1];    /* Of the secret or certificate. */

    /* Of a user. */
    bool by_certificate;
    char name[MODEL_NAME_MAX + 1];      /* By auth_check(). */

    /* Of a node, or of one that joins. */
    char instance[UUID_LEN + 1];        /* As it says, or "". */
    enum identity_credential credential; /* Of a node: by auth_check(). */
};

enum auth_result {
    AUTH_OK,
    AUTH_UNKNOWN,               /* No such credential. */
    AUTH_EXPIRED,               /* That of a user whose time is over. */
    AUTH_REVOKED,               /* That of a revoked node. */
    AUTH_ADOPTED,               /* Of a node that has another ID now. */
};

/* Reads a header's value ("Bearer vsn1...", or null).  Returns false if it
 * is no credential; no header at all makes ROLE_ANYONE. */
bool auth_parse(const char *header, struct principal *);
enum auth_result auth_check(const struct db *, struct principal *);

/* Makes *WHO a user that showed the certificate with FINGERPRINT. */
void auth_by_certificate(const char *fingerprint, struct principal *who);

/* True if there is a user USER_ID whose time is not over. */
bool auth_user_is_good(const struct db *, const char *user_id);

/* Reads a certificate.  Stores the SHA-256 of its DER form, and when it
 * expires (seconds since the epoch).  Returns null or an error message that
 * the caller frees. */
char *auth_read_certificate(const char *pem,
                            char fingerprint[MODEL_SECRET_HEX + 1],
                            int64_t *expires);

/* Lower-case hex of SHA-256 over the null-terminated SECRET. */
void auth_hash(const char *secret, char hash[MODEL_SECRET_HEX + 1]);
bool auth_hash_equals(const char *, const char *);
bool auth_is_hash(const char *);

/* Makes a credential with a random secret (and, except for a node's, a random
 * ID).  Returns the text, which the caller wipes. */
char *auth_new_operator(char id[MODEL_NAME_MAX + 1],
                        char hash[MODEL_SECRET_HEX + 1]);
char *auth_new_token(const char *fingerprint, char id[MODEL_NAME_MAX + 1],
                     char hash[MODEL_SECRET_HEX + 1]);

#endif /* mapper/auth.h */
