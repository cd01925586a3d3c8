/* SPDX-License-Identifier: Apache-2.0 */
/* What tables and cookies of the bridge's flows are called. */
#ifndef VSUBNET_FLOW_NAMES_H
#define VSUBNET_FLOW_NAMES_H 1

/* A cookie (flow-tables.h) is what a flow remembers of the object that it was
 * made for.  Here it becomes that object's name again, as the mapping and the
 * local ports have it now:
 *
 *      struct cookie_name name;
 *      cookie_names(mapping, ports, &cookie, 1, &name);
 *      printf("%s", name.text);        // "binding 0a:00:00:00:00:01 (10.7...
 *      cookie_name_destroy(&name);
 *
 * A cookie has 32 bits for its object, so two MACs of one vSubnet may share
 * one: then both are named.  An object that is gone is named by its number.
 * Learnt and foreign flows have names too.
 *
 * `ovs-appctl -t vsubnet-controller vsubnet/flow-names COOKIE...` answers with
 * {COOKIE:{"kind","net","vni","name"}...}, where "net" is null for what is of
 * all vSubnets or of none that is known.
 *
 * Pure but for the command. */

#include <stddef.h>
#include <stdint.h>

struct controller;
struct local_ports;
struct mapping;
struct model_net;

enum { COOKIE_NAMES_MAX = 4096 };       /* Of one command. */

struct cookie_name {
    const char *kind;           /* "binding", "rule", ...; "other". */
    const struct model_net *net;        /* Or NULL. */
    uint32_t vni;               /* 0: none. */
    char *text;
};

/* The name of 'table', or NULL if it is not one of vSubnet's. */
const char *flow_table_name(uint8_t table);

/* Names 'cookies', each in the element of 'names' of the same index.  Walks
 * the bindings of each vSubnet once of which there are cookies of bindings.
 * 'mapping' may be NULL. */
void cookie_names(const struct mapping *mapping, const struct local_ports *,
                  const uint64_t cookies[], size_t n,
                  struct cookie_name names[]);
void cookie_name_destroy(struct cookie_name *);

/* Registers the command; 'c' must outlive the unixctl server. */
void flow_names_init(struct controller *c);

#endif /* flow-names.h */
