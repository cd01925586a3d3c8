/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of several nouns share. */

#ifndef CTL_VERBS_H
#define CTL_VERBS_H 1

#include "ctl/output.h"
#include "model/jansson.h"

struct ctl;

/* Prints a list as the command line asks for it, and releases it. */
void ctl_show_list(struct ctl *, json_t *array, const struct output_column *);
void ctl_show_record(struct ctl *, const json_t *object,
                     const struct output_column *);

/* Seconds of "90s", "30m", "1h", "7d" or a plain number, the value of option
 * NAME.  Ends the process if it is none of these. */
json_int_t ctl_parse_time(const char *name, const char *);

/* Put into BODY what the options of a vSubnet or a port say.  NOW is the
 * vSubnet as it is, or null. */
void ctl_net_options(const struct ctl *, const json_t *now, json_t *body);
void ctl_port_options(struct ctl *, json_t *body);

/* The nodes that --filter names; and makes "connected" of NODES, an array,
 * what all mappers say, not only the one that answered. */
json_t *ctl_list_nodes(struct ctl *);
void ctl_merge_connected(struct ctl *, json_t *nodes);

/* Prints a vSubnet's settings. */
void ctl_show_settings(const json_t *net);

#endif /* ctl/verbs.h */
