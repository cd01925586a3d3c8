/* SPDX-License-Identifier: Apache-2.0 */
/* The text forms of join tokens, node credentials and operator tokens. */

#include <config.h>
#include "model/credential.h"

#include <string.h>

#include "openvswitch/uuid.h"
#include "util.h"
#include "uuid.h"

static const struct {
    const char *prefix;
    const char *what;
    int n_fields;               /* Between dots, with the prefix. */
} kinds[] = {
    [MODEL_CREDENTIAL_JOIN] = { "vsj1", "join token", 4 },
    [MODEL_CREDENTIAL_NODE] = { "vsn1", "node credential", 3 },
    [MODEL_CREDENTIAL_OPERATOR] = { "vso1", "operator token", 3 },
};

static bool
is_hex64(const char *s)
{
    return strspn(s, "0123456789abcdef") == MODEL_SECRET_HEX
           && s[MODEL_SECRET_HEX] == '\0';
}

static bool
id_is_good(enum model_credential_kind kind, const char *id)
{
    struct uuid uuid;
    char *error;

    if (kind == MODEL_CREDENTIAL_NODE) {
        return uuid_from_string(&uuid, id);
    }
    error = model_check_name(id);
    free(error);
    return !error;
}

/* Reads the fields between dots from BUF, which it cuts up, into *C. */
static char *
parse_fields(char *buf, struct model_credential *c)
{
    char *fields[4];
    int n = 0;

    for (char *p = buf; p; n++) {
        if (n == ARRAY_SIZE(fields)) {
            return xstrdup("not a token or credential: too many fields");
        }
        fields[n] = strsep(&p, ".");
    }
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        if (strcmp(fields[0], kinds[kind].prefix)) {
            continue;
        }
        if (n != kinds[kind].n_fields || !id_is_good(kind, fields[1])
            || !is_hex64(fields[2]) || (n == 4 && !is_hex64(fields[3]))) {
            return xasprintf("malformed %s (was it cut off?)",
                             kinds[kind].what);
        }
        c->kind = kind;
        ovs_strlcpy(c->id, fields[1], sizeof c->id);
        ovs_strlcpy(c->secret, fields[2], sizeof c->secret);
        ovs_strlcpy(c->fingerprint, n == 4 ? fields[3] : "",
                    sizeof c->fingerprint);
        return NULL;
    }
    return xstrdup("not a token or credential (they begin with vsj1, vsn1 "
                   "or vso1)");
}

char *
model_credential_parse(const char *s, struct model_credential *c)
{
    char buf[256];
    char *error;

    if (strlen(s) >= sizeof buf) {
        return xstrdup("not a token or credential: too long");
    }
    ovs_strlcpy(buf, s, sizeof buf);
    error = parse_fields(buf, c);
    model_wipe(buf, sizeof buf);
    return error;
}

/* The caller must wipe and free the text. */
char *
model_credential_format(const struct model_credential *c)
{
    bool join = c->kind == MODEL_CREDENTIAL_JOIN;

    return xasprintf("%s.%s.%s%s%s", kinds[c->kind].prefix, c->id, c->secret,
                     join ? "." : "", join ? c->fingerprint : "");
}

void
model_credential_wipe(struct model_credential *c)
{
    model_wipe(c, sizeof *c);
}

void
model_hex_encode(const void *bytes_, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = bytes_;

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}
