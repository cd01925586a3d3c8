/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who did what that an operator should know of. */

#ifndef MAPPER_AUDIT_H
#define MAPPER_AUDIT_H 1

/* Rows of table Audit, which are written in the transaction that does what
 * they tell, and numbered without gaps.  At most AUDIT_MAX are kept; each new
 * one pushes the oldest out.  They hold no secret and no hash of one.
 *
 * An action is a word, such as "node-revoked"; all are listed in openapi.yaml.
 * The object is what it was done to: a node's name (not its ID, which the
 * detail has where it matters), or a vSubnet's.
 *
 * Every change that a user makes leaves one, so that it can be said who (name,
 * and ID of the token or certificate), what, when and from where. */

#include "compiler.h"

struct api_call;

enum {
    AUDIT_MAX = 10000,
};

/* Tells, in CALL's transaction, that whoever calls has done ACTION to
 * OBJECT. */
void audit(struct api_call *, const char *action, const char *object,
           const char *format, ...) OVS_PRINTF_FORMAT(4, 5);

#endif /* mapper/audit.h */
