/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of vsubnetctl has: its arguments, ways to end. */

#ifndef CTL_CTL_H
#define CTL_CTL_H 1

/* main() finds the command in a table (command.c), checks options and the
 * number of arguments against it, and runs it with a struct ctl.  The same
 * table makes --help and what the shell completes.
 *
 * vsubnetctl does one thing and exits, so functions here end the process
 * when something fails: ctl_fatal() with status 1 and one line on stderr,
 * ctl_usage() with status 2.  Nothing has to be freed then; secrets that were
 * read are in memory that ends with the process. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "svec.h"

struct client;
struct json_t;

enum ctl_option {
    /* Of every command. */
    OPT_HELP, OPT_JSON, OPT_CONFIG, OPT_TOKEN_FILE, OPT_TIMEOUT, OPT_VERSION,
    OPT_COMMANDS,
    /* Of some. */
    OPT_NAME, OPT_ENDPOINT, OPT_STATE_DIR, OPT_WAIT,
    OPT_TTL, OPT_USES, OPT_APPROVE, OPT_NET,
    OPT_SUBNET, OPT_VNI, OPT_ALGORITHM, OPT_GROUP,
    OPT_HOST_PORT, OPT_NO_HOST_PORT,
    OPT_MAC, OPT_ADDRESS, OPT_IFACE_ID, OPT_NODE,
    OPT_LIMIT, OPT_FILTER,
    OPT_ROLE, OPT_CERTIFICATE,
    OPT_NOTE,
    OPT_OUTPUT,
    OPT_DRY_RUN,
    OPT_POLICY, OPT_PORT_SECURITY, OPT_ARP_SUPPRESSION, OPT_IPV6,
    OPT_GUEST_DHCP, OPT_MAX_MACS, OPT_BUM_RATE,
    OPT_DHCP, OPT_LEASE, OPT_GATEWAY, OPT_DNS, OPT_DOMAIN, OPT_ROUTE,
    OPT_LABEL,
    OPT_LONG, OPT_COUNT, OPT_SIZE, OPT_L4,
    N_CTL_OPTIONS
};

struct ctl {
    const struct ctl_command *command;
    struct svec args;                       /* Without the command's words. */
    struct svec options[N_CTL_OPTIONS];     /* Values; "" for a flag. */
    struct client *client;                  /* Made when first needed. */
};

/* A command.  ARGS is for people: "NET [NODE]". */
struct ctl_command {
    const char *name;                       /* "net add". */
    const char *args;
    int min_args, max_args;
    uint64_t options;                       /* 1 << OPT_*. */
    const char *summary;
    const char *details;                    /* Paragraphs, or null. */
    void (*run)(struct ctl *);
};

extern const struct ctl_command ctl_commands[];
extern const size_t n_ctl_commands;

void ctl_parse(struct ctl *, int argc, char *argv[]);

/* Values. */
const char *ctl_arg(const struct ctl *, size_t i);      /* Or null. */
bool ctl_has(const struct ctl *, enum ctl_option);
const char *ctl_option(const struct ctl *, enum ctl_option);    /* Last. */
unsigned int ctl_uint_option(const struct ctl *, enum ctl_option,
                             unsigned int min, unsigned int max,
                             unsigned int default_);
struct json_t *ctl_strings_option(const struct ctl *, enum ctl_option);

/* Ends. */
OVS_NO_RETURN void ctl_fatal(const char *format, ...)
    OVS_PRINTF_FORMAT(1, 2);
OVS_NO_RETURN void ctl_usage(const char *format, ...)
    OVS_PRINTF_FORMAT(1, 2);

/* Fails with ERROR, which is about WHAT, unless it is null. */
void ctl_check(const char *what, char *error);

/* Commands, each in the file of its noun. */
typedef void ctl_run(struct ctl *);
ctl_run ctl_join, ctl_leave, ctl_status, ctl_bugreport, ctl_events;
ctl_run ctl_flows, ctl_ping, ctl_trace;
ctl_run ctl_token_create, ctl_token_ls, ctl_token_rm;
ctl_run ctl_node_ls, ctl_node_show, ctl_node_approve, ctl_node_revoke,
    ctl_node_rename, ctl_node_adopt, ctl_node_rm;
ctl_run ctl_net_add, ctl_net_set, ctl_net_ls, ctl_net_show, ctl_net_rekey,
    ctl_net_rm;
ctl_run ctl_member_add, ctl_member_ls, ctl_member_rm;
ctl_run ctl_port_add, ctl_port_set, ctl_port_ls, ctl_port_rm;
ctl_run ctl_address_ls, ctl_pool_add, ctl_pool_ls, ctl_pool_rm,
    ctl_reservation_add, ctl_reservation_ls, ctl_reservation_rm;
ctl_run ctl_user_add, ctl_user_set, ctl_user_ls, ctl_user_show, ctl_user_rm;
ctl_run ctl_acl_ls, ctl_acl_add, ctl_acl_rm, ctl_acl_apply, ctl_acl_export;
ctl_run ctl_audit_ls;

#endif /* ctl/ctl.h */
