/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of the mapping service. */

#include <config.h>
#include "model/url.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/jansson.h"
#include "model/reader.h"
#include "model/types.h"
#include "svec.h"
#include "util.h"

/* Characters of a host name, and of an IPv6 address between brackets. */
static bool
host_is_good(const char *host, bool brackets)
{
    struct model_address address;
    char *error;

    if (!brackets) {
        return *host && !host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789.-_")];
    }
    error = model_address_parse(host, &address);
    free(error);
    return !error && address.plen < 0 && !model_address_is_ipv4(&address);
}

static bool
parse_port(const char *s, uint16_t *port)
{
    unsigned int n;

    if (!*s || strlen(s) > 5 || s[strspn(s, "0123456789")]
        || !str_to_uint(s, 10, &n) || !n || n > UINT16_MAX) {
        return false;
    }
    *port = n;
    return true;
}

char *
model_url_parse(const char *s, struct model_url *url)
{
    static const char scheme[] = "https://";
    struct model_url u = { .port = MODEL_URL_PORT };
    const char *start = s + strlen(scheme);

    if (strncmp(s, scheme, strlen(scheme))) {
        return xasprintf("%.200s: not a URL of the mapping service "
                         "(https://HOST[:PORT])", s);
    }
    size_t len = strlen(start);
    len -= len && start[len - 1] == '/';

    char *rest = xmemdup0(start, len);
    bool brackets = *rest == '[';
    char *end = brackets ? strchr(rest, ']') : strchr(rest, ':');
    char *colon = end ? end + brackets : NULL;
    bool good = !brackets || end;

    if (good && colon && *colon) {
        good = *colon == ':' && parse_port(colon + 1, &u.port);
    }
    if (good) {
        if (end) {
            *end = '\0';
        }
        good = host_is_good(rest + brackets, brackets);
    }
    if (good) {
        u.host = xstrdup(rest + brackets);
        *url = u;
    }
    free(rest);
    return (good ? NULL
            : xasprintf("%.200s: not a URL of the mapping service "
                        "(https://HOST[:PORT])", s));
}

void
model_url_destroy(struct model_url *url)
{
    free(url->host);
}

char *
model_urls_parse(const char *s, struct svec *urls)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    char *error = NULL;
    const char *word;
    size_t i;

    char *copy = xstrdup(s);
    char *next = copy;
    for (char *p; (p = strsep(&next, ",")) != NULL; ) {
        svec_add(&words, p);
    }
    free(copy);
    if (words.n > MODEL_URLS_MAX) {
        error = xasprintf("more than %d URLs", MODEL_URLS_MAX);
    }
    SVEC_FOR_EACH (i, word, &words) {
        struct model_url url;

        error = error ? error : model_url_parse(word, &url);
        if (error) {
            break;
        }
        svec_add_nocopy(urls, xasprintf(strchr(url.host, ':')
                                        ? "https://[%s]:%"PRIu16
                                        : "https://%s:%"PRIu16,
                                        url.host, url.port));
        model_url_destroy(&url);
    }
    svec_destroy(&words);
    return error;
}

void
model_reader_urls(struct model_reader *r, struct svec *urls)
{
    const json_t *array = model_reader_array(r, "urls", MODEL_REQUIRED,
                                             MODEL_URLS_MAX);

    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i));
        char *error = (s ? model_urls_parse(s, urls)
                       : xstrdup("not a string"));
        if (error) {
            model_reader_fail(r, "urls", error);
        }
    }
    if (array && !urls->n) {
        model_reader_fail(r, "urls", xstrdup("empty"));
    }
}
