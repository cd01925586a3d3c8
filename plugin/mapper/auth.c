/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends a request. */

#include <config.h>

#include "mapper/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "mapper/db.h"
#include "timeval.h"
#include "util.h"

void
auth_hash(const char *secret, char hash[MODEL_SECRET_HEX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n;

    ovs_assert(EVP_Digest(secret, strlen(secret), digest, &n, EVP_sha256(),
                          NULL) == 1 && n == MODEL_SECRET_HEX / 2);
    model_hex_encode(digest, n, hash);
}

bool
auth_hash_equals(const char *a, const char *b)
{
    return (strlen(a) == MODEL_SECRET_HEX && strlen(b) == MODEL_SECRET_HEX
            && !CRYPTO_memcmp(a, b, MODEL_SECRET_HEX));
}

bool
auth_is_hash(const char *s)
{
    return (strlen(s) == MODEL_SECRET_HEX
            && strspn(s, "0123456789abcdef") == MODEL_SECRET_HEX);
}

bool
auth_parse(const char *header, struct principal *who)
{
    struct model_credential credential;

    memset(who, 0, sizeof *who);
    who->role = ROLE_ANYONE;
    if (!header) {
        return true;
    }
    if (strncasecmp(header, "Bearer ", 7)) {
        return false;
    }
    const char *text = header + 7;
    text += strspn(text, " ");

    char *error = model_credential_parse(text, &credential);
    if (error) {
        free(error);
        return false;
    }
    switch (credential.kind) {
    case MODEL_CREDENTIAL_JOIN:
        who->role = ROLE_TOKEN;
        break;
    case MODEL_CREDENTIAL_NODE:
        who->role = ROLE_NODE;
        break;
    case MODEL_CREDENTIAL_OPERATOR:
        who->role = ROLE_OPERATOR;
        break;
    }
    ovs_strlcpy(who->id, credential.id, sizeof who->id);
    auth_hash(credential.secret, who->hash);
    model_credential_wipe(&credential);
    return true;
}

void
auth_by_certificate(const char *fingerprint, struct principal *who)
{
    memset(who, 0, sizeof *who);
    who->role = ROLE_OPERATOR;
    who->by_certificate = true;
    ovs_strlcpy(who->hash, fingerprint, sizeof who->hash);
}

static bool
user_is_expired(const struct mdb_operator *user)
{
    return user->expires && user->expires <= time_wall();
}

bool
auth_user_is_good(const struct db *db, const char *user_id)
{
    const struct mdb_operator *user = db_user(db, user_id);

    return user && !user_is_expired(user);
}

static enum auth_result
check_user(const struct db *db, struct principal *who)
{
    const struct mdb_operator *user
        = (who->by_certificate ? db_user_by_certificate(db, who->hash)
           : db_user(db, who->id));

    if (!user || (!who->by_certificate
                  && !auth_hash_equals(user->secret_hash, who->hash))) {
        return AUTH_UNKNOWN;
    }
    if (user_is_expired(user)) {
        return AUTH_EXPIRED;
    }
    who->role = (!strcmp(db_user_role(user), AUTH_OPERATOR) ? ROLE_OPERATOR
                 : ROLE_VIEWER);
    ovs_strlcpy(who->id, user->operator_id, sizeof who->id);
    ovs_strlcpy(who->name, db_user_name(user), sizeof who->name);
    return AUTH_OK;
}

enum auth_result
auth_check(const struct db *db, struct principal *who)
{
    const struct mdb_token *token;
    const struct mdb_node *node;
    bool ok = false;

    switch (who->role) {
    case ROLE_ANYONE:
        return AUTH_OK;

    case ROLE_TOKEN:
        token = db_token(db, who->id);
        ok = token && auth_hash_equals(token->secret_hash, who->hash);
        break;

    case ROLE_NODE:
        node = db_node_by_id(db, who->id);
        if (!node) {
            node = db_node_by_formerly(db, who->id);
            return (node && identity_match(node, who->hash) != IDENTITY_NONE
                    ? AUTH_ADOPTED : AUTH_UNKNOWN);
        }
        who->credential = identity_match(node, who->hash);
        ok = who->credential != IDENTITY_NONE;
        if (ok && !strcmp(node->state, "revoked")) {
            return AUTH_REVOKED;
        }
        break;

    case ROLE_OPERATOR:
    case ROLE_VIEWER:
        return check_user(db, who);
    }
    return ok ? AUTH_OK : AUTH_UNKNOWN;
}

/* Seconds since the epoch, or -1. */
static int64_t
asn1_to_time(const ASN1_TIME *asn1)
{
    struct tm tm;

    return asn1 && ASN1_TIME_to_tm(asn1, &tm) == 1 ? timegm(&tm) : -1;
}

char *
auth_read_certificate(const char *pem, char fingerprint[MODEL_SECRET_HEX + 1],
                      int64_t *expires)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    char *error = NULL;

    BIO_free(bio);
    *expires = x509 ? asn1_to_time(X509_get0_notAfter(x509)) : -1;
    if (!x509 || *expires < 0
        || X509_digest(x509, EVP_sha256(), digest, &n) != 1) {
        error = xstrdup("not a certificate in PEM form");
    } else if (*expires <= time_wall()) {
        error = xstrdup("the certificate has expired");
    } else {
        model_hex_encode(digest, n, fingerprint);
    }
    X509_free(x509);
    return error;
}

static char *
new_credential(enum model_credential_kind kind, const char *fingerprint,
               char id[MODEL_NAME_MAX + 1], char hash[MODEL_SECRET_HEX + 1])
{
    struct model_credential credential;
    unsigned char random[MODEL_SECRET_HEX / 2];

    memset(&credential, 0, sizeof credential);
    credential.kind = kind;
    ovs_strlcpy(credential.fingerprint, fingerprint,
                sizeof credential.fingerprint);
    ovs_assert(RAND_bytes(random, sizeof random) == 1);
    model_hex_encode(random, 6, credential.id);
    ovs_assert(RAND_bytes(random, sizeof random) == 1);
    model_hex_encode(random, sizeof random, credential.secret);

    ovs_strlcpy(id, credential.id, MODEL_NAME_MAX + 1);
    auth_hash(credential.secret, hash);
    char *text = model_credential_format(&credential);
    model_credential_wipe(&credential);
    model_wipe(random, sizeof random);
    return text;
}

char *
auth_new_operator(char id[MODEL_NAME_MAX + 1],
                  char hash[MODEL_SECRET_HEX + 1])
{
    return new_credential(MODEL_CREDENTIAL_OPERATOR, "", id, hash);
}

char *
auth_new_token(const char *fingerprint, char id[MODEL_NAME_MAX + 1],
               char hash[MODEL_SECRET_HEX + 1])
{
    return new_credential(MODEL_CREDENTIAL_JOIN, fingerprint, id, hash);
}
