/* SPDX-License-Identifier: Apache-2.0 */
/* A node's credential: made, hashed, given another ID. */
#include <config.h>
#include "host/node-credential.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "model/credential.h"
#include "util.h"
#include "uuid.h"

static char *
format(struct model_credential *credential, const struct uuid *id)
{
    credential->kind = MODEL_CREDENTIAL_NODE;
    snprintf(credential->id, sizeof credential->id, UUID_FMT, UUID_ARGS(id));

    char *text = model_credential_format(credential);
    model_credential_wipe(credential);
    return text;
}

char *
node_credential_make(const struct uuid *id)
{
    struct model_credential credential = { .kind = MODEL_CREDENTIAL_NODE };
    uint8_t secret[MODEL_SECRET_HEX / 2];

    if (RAND_bytes(secret, sizeof secret) != 1) {
        ovs_fatal(0, "no random numbers for a credential");
    }
    model_hex_encode(secret, sizeof secret, credential.secret);
    model_wipe(secret, sizeof secret);
    return format(&credential, id);
}

char *
node_credential_rename(const char *text, const struct uuid *id)
{
    struct model_credential credential;
    char *error = model_credential_parse(text, &credential);

    if (error) {
        free(error);
        model_credential_wipe(&credential);
        return NULL;
    }
    return format(&credential, id);
}

char *
node_credential_hash(const char *text)
{
    struct model_credential credential;
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int n;

    char *error = model_credential_parse(text, &credential);
    ovs_assert(!error);
    EVP_Digest(credential.secret, strlen(credential.secret), hash, &n,
               EVP_sha256(), NULL);
    model_credential_wipe(&credential);
    model_hex_encode(hash, n, hex);
    return xstrdup(hex);
}

void
node_credential_free(char *text)
{
    if (text) {
        model_wipe(text, strlen(text));
        free(text);
    }
}
