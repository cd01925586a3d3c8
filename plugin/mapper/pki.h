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
 * The server certificate is made again at start when it expires soon, does not
 * fit its key or the CA, or lacks a name that it should have.  Soon is within
 * PKI_RENEW_DAYS, and within a third of its life.
 *
 * While the service runs pki_run() looks at it: one that expires soon is made
 * again, and one that somebody has put in its place is taken, if it is good.
 * One that is not stays where it is, so that two files can be replaced one
 * after the other, and the one before goes on being served. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct sset;

enum {
    PKI_CA_DAYS = 7300,
    PKI_SERVER_DAYS = 730,
    PKI_RENEW_DAYS = 60,
    PKI_LOOK_MS = 1000,
    PKI_RETRY_S = 60,           /* After a renewal that failed. */
};

struct pki {
    char *ca_pem;
    char *server_pem;           /* Server certificate, then the CA's. */
    char *server_key;           /* PEM. */
    char fingerprint[65];       /* SHA-256 of the CA certificate's DER. */
    time_t ca_ends;
    time_t server_ends;

    /* Of pki_run(). */
    char *dir;
    char *alt_names;            /* For the next certificate. */
    time_t renew_at;
    long long int next_look;
    struct pki_file {           /* As last looked at. */
        ino_t inode;
        struct timespec changed;
    } seen[2];
};

/* Loads or makes the files in DIR.  NAMES are the DNS names and addresses
 * that the certificate must carry beside "vsubnet-mapper".  Returns null or
 * an error message that the caller frees. */
char *pki_open(const char *dir, const struct sset *names, struct pki *);
void pki_close(struct pki *);

/* Returns true if the server certificate has changed. */
bool pki_run(struct pki *);
void pki_wait(const struct pki *);

/* Adds the host's name and addresses (no link-local ones) to NAMES. */
void pki_local_names(struct sset *names);

#endif /* mapper/pki.h */
