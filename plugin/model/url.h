/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of the mapping service. */

#ifndef MODEL_URL_H
#define MODEL_URL_H 1

/* A service is named by "https://HOST[:PORT]", several by a list with commas.
 * Nothing may follow but one slash: paths belong to the API, and a user name
 * or a query would be ignored silently. */

#include <stdint.h>

struct model_reader;
struct svec;

enum { MODEL_URL_PORT = 8443, MODEL_URLS_MAX = 16 };

struct model_url {
    char *host;                 /* A name or an address, without brackets. */
    uint16_t port;
};

/* These return null or an error message that the caller frees. */
char *model_url_parse(const char *, struct model_url *);
void model_url_destroy(struct model_url *);

/* Appends the URLs of a list to *URLS, each as "https://HOST:PORT". */
char *model_urls_parse(const char *, struct svec *);

/* Reads the member "urls", an array with at least one, into *URLS. */
void model_reader_urls(struct model_reader *, struct svec *urls);

#endif /* model/url.h */
