/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about rules share. */

#ifndef CTL_ACL_H
#define CTL_ACL_H 1

/* A file of rules has the rules of one vSubnet, one a line as rule.h has it.
 * Before them a line says of which vSubnet:
 *
 *      # Who may talk to the shop.
 *      net shop
 *      allow ingress label=web tcp 80,443 name=web-in
 *      deny ingress label=db priority=0 name=db-rest       # Nobody else.
 *
 * Errors name the file and the line. */

#include "model/jansson.h"
#include "model/rule.h"

struct acl_file {
    char *net;
    struct model_rule *rules;
    size_t n;
};

/* Reads NAME, or standard input if it is "-".  Ends the process if something
 * is wrong with it. */
void acl_file_read(const char *name, struct acl_file *);
void acl_file_destroy(struct acl_file *);

/* What a request says of RULE. */
json_t *acl_body(const struct model_rule *);

/* The same objects in the order in which rules are asked. */
json_t *acl_in_order(const json_t *rules);

#endif /* ctl/acl.h */
