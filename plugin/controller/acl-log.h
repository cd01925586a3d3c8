/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log for packets that a rule has logged. */
#ifndef VSUBNET_ACL_LOG_H
#define VSUBNET_ACL_LOG_H 1

/* The switch sends a copy of what a rule with "log" denies, and of the first
 * packets of connections that one allows, FM_ACL_LOG_RATE a second of all.
 * For each rule there are at most ACL_LOG_RATE lines a second, so that no rule
 * keeps others out of the log; a line says how many were left out before it:
 *
 *      vSubnet demo: rule no-ssh denies tcp 10.77.0.5:40112 > 10.77.0.7:22,
 *      02:77:..:05 > 02:77:..:07, from port tap0 (12 more left out)
 *
 * Addresses and ports are those of the connection's first packet, as
 * connection tracking has them; "answer to" stands before them if the packet
 * goes the other way.  The MACs are the packet's.  Nothing is logged as text
 * that a guest wrote.
 *
 * Pure but for acl_log_receive(): time is an argument. */

#include <stdbool.h>
#include "openvswitch/hmap.h"

struct controller;
struct ds;
struct local_ports;
struct mapping;
struct punt;

enum {
    ACL_LOG_RATE = 5,           /* Lines of one rule in a second. */
    ACL_LOG_RULES = 1024,       /* Of which it is remembered. */
};

struct acl_log {
    struct hmap rules;          /* Contains "struct logged_rule"s. */
};

void acl_log_init(struct acl_log *);
void acl_log_destroy(struct acl_log *);

/* Puts the line for 'punt' into 'ds' and returns true, or false if there is
 * to be none: the rule is not there any more, or has had its share. */
bool acl_log_line(struct acl_log *, const struct mapping *,
                  const struct local_ports *, const struct punt *,
                  long long int now, struct ds *);

/* Logs it. */
void acl_log_receive(struct controller *, const struct punt *);

#endif /* acl-log.h */
