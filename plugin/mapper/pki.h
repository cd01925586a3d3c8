/* SPDX-License-Identifier: Apache-2.0 */
/* The service's own certificate authority and its server certificate. */

#ifndef MAPPER_PKI_H
#define MAPPER_PKI_H 1

/* At its first start the service makes a CA (ECDSA P-256) and, signed by it,
 * a server certificate.  Join tokens carry the SHA-256 of the CA certificate,
 * so a host that has a token needs no other trust; and because programs verify
 * the name "vsubnet-mapper" in the server certificate (not an address), the
 * service may move.  For browsers and curl the certificate also names the
 * host and all its addresses.
 *
 * Files, in the state directory: ca.key and server.key (0600), ca.pem and
 * server.pem.  A key is written before its certificate, so a crash between
 * the two leaves a key that certifies nothing and is replaced.  A ca.pem
 * whose key is lost or does not fit is an error: hosts rely on it, and only
 * the operator can decide to start anew.
 *
 * The server certificate is made again at start when it expires within
 * PKI_RENEW_DAYS, does not fit its key or the CA, or lacks a name that it
 * should have. */

#include <stdbool.h>
#include <stddef.h>

struct sset;

enum {
    PKI_CA_DAYS = 7300,
    PKI_SERVER_DAYS = 730,
    PKI_RENEW_DAYS = 60,
};

struct pki {
    char *ca_pem;
    char *server_pem;           /* Server certificate, then the CA's. */
    char *server_key;           /* PEM. */
    char fingerprint[65];       /* SHA-256 of the CA certificate's DER. */
};

/* Loads or makes the files in DIR.  NAMES are the DNS names and addresses
 * that the certificate must carry beside "vsubnet-mapper".  Returns null or
 * an error message that the caller frees. */
char *pki_open(const char *dir, const struct sset *names, struct pki *);
void pki_close(struct pki *);

/* Adds the host's name and addresses (no link-local ones) to NAMES. */
void pki_local_names(struct sset *names);

#endif /* mapper/pki.h */
