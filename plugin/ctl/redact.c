/* SPDX-License-Identifier: Apache-2.0 */
/* Takes out of text what may be a secret. */

#include <config.h>
#include "ctl/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

enum {
    HEX_MIN = 32,               /* Digits. */
    BASE64_MIN = 43,            /* 256 bits. */
    BASE64_ENDED_MIN = 22,      /* 128 bits, before "==". */
    VALUE_MIN = 8,
};

static bool
is_word(char c)
{
    return isalnum((unsigned char) c) || c == '_';
}

/* Length of the hexadecimal text at S, if it is long enough, else 0. */
static size_t
hex_length(const char *s)
{
    size_t n = 0, digits = 0;

    while (isxdigit((unsigned char) s[n])
           || (s[n] == ':' && digits && digits % 2 == 0
               && isxdigit((unsigned char) s[n - 1])
               && isxdigit((unsigned char) s[n + 1])
               && isxdigit((unsigned char) s[n + 2]))) {
        digits += s[n] != ':';
        n++;
    }
    return digits >= HEX_MIN ? n : 0;
}

/* Likewise of base64.  A path has slashes, but no part of it is so long; so
 * the slash counts only within what has no other sign of a path. */
static size_t
base64_length(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789+/");
    size_t upper = 0, digits = 0, slashes = 0;

    for (size_t i = 0; i < n; i++) {
        upper += isupper((unsigned char) s[i]) != 0;
        digits += isdigit((unsigned char) s[i]) != 0;
        slashes += s[i] == '/';
    }
    if (n >= BASE64_ENDED_MIN && s[n] == '=') {
        return n + strspn(s + n, "=");
    }
    /* Words that stand together have no capital letters and digits. */
    return n >= BASE64_MIN && upper >= 4 && digits && slashes < 6 ? n : 0;
}

/* Likewise of a value at S that stands after the name of a secret. */
static size_t
value_length(const char *s)
{
    size_t n = strcspn(s, "\"', \t\n{}[]");

    return n >= VALUE_MIN && !memchr(s, '/', n) && !memchr(s, '.', n) ? n : 0;
}

/* Length of the name of a secret, with what follows up to its value. */
static size_t
name_length(const char *s)
{
    static const char *const names[] = {
        "key", "psk", "password", "secret", "token",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t n = strlen(names[i]);

        if (!strncasecmp(s, names[i], n)) {
            n += strspn(s + n, "\"'\\");
            /* OVSDB's maps have a comma between name and value. */
            if (s[n] == '=' || s[n] == ':'
                || (s[n] == ',' && s[n - 1] == '"')) {
                n++;
                return n + strspn(s + n, " \"'\\");
            }
        }
    }
    return 0;
}

char *
redact(char *text)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    const char *s = text;

    while (*s) {
        bool begins = s == text || !is_word(s[-1]);
        size_t name = name_length(s);
        size_t n = name ? value_length(s + name) : 0;

        if (n) {
            ds_put_buffer(&out, s, name);
            s += name;
        } else if (begins) {
            n = hex_length(s);
            n = n ? n : base64_length(s);
        }
        if (n) {
            ds_put_cstr(&out, "[redacted]");
            s += n;
        } else {
            ds_put_char(&out, *s++);
        }
    }
    free(text);
    return ds_steal_cstr(&out);
}
