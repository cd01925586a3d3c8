/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that is served. */

#ifndef MAPPER_CERTIFICATE_H
#define MAPPER_CERTIFICATE_H 1

/* TLS asks for a certificate at each handshake, so another one can take its
 * place at any time: connections that are open go on, new ones see the new
 * one.  The one before is kept for CERTIFICATE_KEEP_MS, since handshakes that
 * have begun still sign with it; they may not last as long (http.h).
 *
 * There is one for the process, because GnuTLS hands its callback nothing by
 * which to tell servers apart.  Single-threaded. */

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

enum { CERTIFICATE_KEEP_MS = 60 * 1000 };

/* Serves CHAIN with KEY, both PEM, from now on.  Returns null or an error
 * message that the caller frees; then nothing has changed. */
char *certificate_set(const char *chain, const char *key);

/* Frees all.  Only when nothing is served any more. */
void certificate_clear(void);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
int certificate_retrieve(gnutls_session_t, const gnutls_datum_t *, int,
                         const gnutls_pk_algorithm_t *, int,
                         gnutls_pcert_st **, unsigned int *,
                         gnutls_privkey_t *);

#endif /* mapper/certificate.h */
