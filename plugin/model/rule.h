/* SPDX-License-Identifier: Apache-2.0 */
/* A rule of a vSubnet: which frames its ports may send and receive. */

#ifndef MODEL_RULE_H
#define MODEL_RULE_H 1

/* A rule says what happens to the connections of some ports of a vSubnet:
 *
 *   - Which ports: those whose binding has 'label', or all.
 *
 *   - In which direction, seen from these ports: MODEL_INGRESS is what comes
 *     to them, MODEL_EGRESS what they send.
 *
 *   - With whom: what has 'remote_label', what is in the range 'remote', or
 *     anybody.
 *
 *   - By what: 'protocol', 'ports' (of the destination, whichever the
 *     direction), 'icmp_type' and 'icmp_code'.
 *
 * Of the rules that name a frame the one of the highest priority decides, and
 * at the same priority one that denies before one that allows;
 * model_rule_compare() is this order.  What no rule names is decided by the
 * vSubnet's policy.
 *
 * The functions follow the conventions of object.h. */

#include "model/reader.h"
#include "model/types.h"
#include "openvswitch/hmap.h"

struct json_t;

enum {
    MODEL_RULE_PORTS_MAX = 64,        /* Ranges of one rule. */
    MODEL_RULE_PRIORITY_MAX = 32767,
    MODEL_RULE_PRIORITY = 1000,       /* Of a rule whose maker names none. */
};

enum model_direction {
    MODEL_INGRESS,
    MODEL_EGRESS,
};

enum model_action {
    MODEL_ALLOW,
    MODEL_DENY,
};

struct model_port_range {
    uint16_t first, last;       /* Both are in it; host byte order. */
};

struct model_rule {
    struct hmap_node by_key;    /* (net, name). */
    struct hmap_node in_net;
    struct model_revision revision;
    char *net;
    char *name;
    uint16_t priority;
    enum model_direction direction;
    char *label;                /* Null: all ports. */
    enum model_action action;
    bool log;

    char *remote_label;         /* Or null. */
    struct model_address remote;    /* If has_remote, with its prefix length */
    bool has_remote;                /* or -1; not together with the former. */

    int protocol;               /* 0 to 255; -1: any. */
    struct model_port_range *ports; /* In order, and none twice. */
    size_t n_ports;             /* 0: any. */
    int icmp_type;              /* 0 to 255; -1: any. */
    int icmp_code;              /* Likewise, and with a type only. */
};

const char *model_direction_name(enum model_direction);
char *model_direction_parse(const char *, enum model_direction *);
const char *model_action_name(enum model_action);
char *model_action_parse(const char *, enum model_action *);

/* A protocol is "tcp", "udp", "sctp", "icmp", "icmp6" or a number from 0 to
 * 255.  model_protocol_name() returns the name of one that has one, or
 * null. */
const char *model_protocol_name(int protocol);
char *model_protocol_parse(const char *, int *protocol);

/* Ports: "80,443,8000-8080", in any order.  The caller frees what comes of
 * parsing, which is in order, and the text, which is null for no range. */
char *model_ports_parse(const char *, struct model_port_range **, size_t *n);
char *model_ports_format(const struct model_port_range *, size_t n);

/* Ranges for a rule's remote: any prefix length, but no host bits. */
char *model_remote_parse(const char *, struct model_address *);

char *model_rule_from_json(const struct json_t *, struct model_rule *);
struct json_t *model_rule_to_json(const struct model_rule *);

/* Reads all members but "revision" and "net", and checks that they agree.
 * Without a priority, if that need not be there, it is MODEL_RULE_PRIORITY.
 * RULE is to be destroyed, whether the reader has an error or not. */
void model_rule_read(struct model_reader *, enum model_presence priority,
                     struct model_rule *);
void model_rule_destroy(struct model_rule *);

/* Rules as people write them, one a line; "#" begins a comment:
 *
 *      allow ingress label=web from label=app tcp 80,443 priority=1000 log
 *          name=web-in
 *      deny egress to 10.0.0.0/8 name=no-inside     # All ports, any protocol.
 *      allow ingress icmp type=8 name=ping
 *
 * that is, ACTION DIRECTION [label=NAME] [from|to label=NAME|RANGE|any]
 * [PROTOCOL [PORTS] [type=N] [code=N]] [priority=N] [log] name=NAME, with
 * "from" for ingress and "to" for egress, and PROTOCOL a name or protocol=N.
 * 'net' and 'revision' are not told.  What is refused needs no destruction. */
char *model_rule_from_text(const char *, struct model_rule *);
char *model_rule_to_text(const struct model_rule *);

/* What model_rule_from_json() has already asked, for who makes a rule
 * otherwise. */
char *model_rule_check(const struct model_rule *);

/* Negative if A is asked before B, positive if after.  No two rules of one
 * vSubnet are equal. */
int model_rule_compare(const struct model_rule *, const struct model_rule *);

#endif /* model/rule.h */
