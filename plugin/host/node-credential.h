/* SPDX-License-Identifier: Apache-2.0 */
/* A node's credential: made, hashed, given another ID. */
#ifndef HOST_NODE_CREDENTIAL_H
#define HOST_NODE_CREDENTIAL_H 1

/* The text is "vsn1.NODE-UUID.SECRET" (model/credential.h).  Who frees one
 * wipes it: node_credential_free(). */

struct uuid;

/* A new one, with a secret from RAND_bytes(). */
char *node_credential_make(const struct uuid *id);

/* The same secret under another ID; NULL if 'credential' is none. */
char *node_credential_rename(const char *credential, const struct uuid *id);

/* What the service is told in its place: the SHA-256 of the secret's digits,
 * in hex.  The caller frees it.  'credential' must be one. */
char *node_credential_hash(const char *credential);

void node_credential_free(char *);

#endif /* host/node-credential.h */
