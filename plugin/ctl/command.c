/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands; finding one; help. */

#include <config.h>
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "model/jansson.h"
#include "model/types.h"
#include "util.h"

#define BIT(OPT) (UINT64_C(1) << (OPT))
#define WAIT BIT(OPT_WAIT)
#define NET_SETTINGS (BIT(OPT_SUBNET) | BIT(OPT_ALGORITHM) | BIT(OPT_GROUP) \
                      | BIT(OPT_POLICY) | BIT(OPT_PORT_SECURITY)        \
                      | BIT(OPT_ARP_SUPPRESSION) | BIT(OPT_IPV6)        \
                      | BIT(OPT_GUEST_DHCP) | BIT(OPT_MAX_MACS)         \
                      | BIT(OPT_BUM_RATE) | BIT(OPT_DHCP) | BIT(OPT_LEASE) \
                      | BIT(OPT_GATEWAY) | BIT(OPT_DNS) | BIT(OPT_DOMAIN) \
                      | BIT(OPT_ROUTE))
#define PORT_SETTINGS (BIT(OPT_LABEL) | BIT(OPT_PORT_SECURITY))
#define GLOBAL (BIT(OPT_HELP) | BIT(OPT_JSON) | BIT(OPT_CONFIG)         \
                | BIT(OPT_TOKEN_FILE) | BIT(OPT_TIMEOUT) | BIT(OPT_VERSION) \
                | BIT(OPT_COMMANDS))

static const struct {
    const char *name;
    const char *arg;            /* Null for a flag. */
    const char *help;           /* Null: not shown. */
} option_table[N_CTL_OPTIONS] = {
    [OPT_HELP] = { "help", NULL, "show help of the program or a command" },
    [OPT_JSON] = { "json", NULL, "print JSON instead of text" },
    [OPT_CONFIG] = { "config", "FILE", "operator configuration" },
    [OPT_TOKEN_FILE] = { "token-file", "FILE", "token in place of the "
                         "configuration's" },
    [OPT_TIMEOUT] = { "timeout", "SECONDS", "give up after (default: 30)" },
    [OPT_VERSION] = { "version", NULL, "show the version" },
    [OPT_COMMANDS] = { "commands", NULL, NULL },
    [OPT_NAME] = { "name", "NAME", "join: name of this node (default: the "
                   "host's); else a new name" },
    [OPT_ENDPOINT] = { "endpoint", "ADDR:PORT", "where other nodes reach "
                       "this one; may be repeated" },
    [OPT_STATE_DIR] = { "state-dir", "DIR", "the controller's state "
                        "directory" },
    [OPT_WAIT] = { "wait", "SECONDS|nodes", "join: wait for approval and "
                   "connection (default: 3); else \"nodes\": until all "
                   "nodes have installed the change" },
    [OPT_TTL] = { "ttl", "TIME", "how long it is good: 90s, 30m, 1h, 7d" },
    [OPT_USES] = { "uses", "N", "how many nodes may join by it "
                   "(default: 1)" },
    [OPT_APPROVE] = { "approve", NULL, "approve the nodes that join by it" },
    [OPT_NET] = { "net", "NET", "make them members of vSubnet NET; may be "
                  "repeated" },
    [OPT_SUBNET] = { "subnet", "CIDR", "range of which addresses are "
                     "assigned; may be repeated" },
    [OPT_VNI] = { "vni", "N", "the 24-bit VNI (default: a free one)" },
    [OPT_ALGORITHM] = { "algorithm", "NAME", "aes128gcm (default) or "
                        "aes256gcm" },
    [OPT_GROUP] = { "group", "ADDR", "multicast group of the underlay for "
                    "broadcast (default: none)" },
    [OPT_HOST_PORT] = { "host-port", NULL, "give the host itself a port in "
                        "the vSubnet (the default)" },
    [OPT_NO_HOST_PORT] = { "no-host-port", NULL, "do not" },
    [OPT_MAC] = { "mac", "MAC", "MAC address" },
    [OPT_ADDRESS] = { "address", "ADDR", "IP address, or \"auto\": one of "
                      "each range; may be repeated" },
    [OPT_IFACE_ID] = { "iface-id", "ID", "the port with this "
                       "external_ids:iface-id is meant, on whichever node" },
    [OPT_NODE] = { "node", "NODE", "the node that has it (without "
                   "--iface-id)" },
    [OPT_LIMIT] = { "limit", "N", "the newest N events (default: 100)" },
    [OPT_OUTPUT] = { "output", "FILE", "the file to make (default: named "
                     "after host and time)" },
    [OPT_LONG] = { "long", NULL, "each flow" },
    [OPT_L4] = { "l4", "PROTOCOL", "tcp, udp, sctp or icmp, with ports: "
                 "tcp:80, tcp:1024:80 (default: a ping)" },
    [OPT_COUNT] = { "count", "N", "how many requests (default: 5)" },
    [OPT_SIZE] = { "size", "N", "as long as IP packets of N bytes "
                   "(default: 64)" },
    [OPT_FILTER] = { "filter", "NAME=VALUE", "only those whose NAME, as in "
                     "--json, is VALUE; may be repeated" },
    [OPT_DRY_RUN] = { "dry-run", NULL, "change nothing, show what would be "
                      "different; exit status 4 if there is something" },
    [OPT_POLICY] = { "policy", "open|closed", "what happens to frames that "
                     "no rule names (default: open)" },
    [OPT_PORT_SECURITY] = { "port-security", "on|off", "ports send only from "
                            "their own addresses (default: on)" },
    [OPT_ARP_SUPPRESSION] = { "arp-suppression", "on|off", "hosts answer ARP "
                              "and ND (default: on)" },
    [OPT_IPV6] = { "ipv6", "none|slaac|dhcpv6", "how guests come by IPv6 "
                   "addresses (default: none)" },
    [OPT_GUEST_DHCP] = { "guest-dhcp", "on|off", "guests may be DHCP servers "
                         "and routers (default: off)" },
    [OPT_MAX_MACS] = { "max-macs", "N", "MAC addresses that are learnt of one "
                       "port (default: 2048)" },
    [OPT_BUM_RATE] = { "bum-rate", "N", "broadcasts and the like of one port "
                       "in a second (default: 1000)" },
    [OPT_DHCP] = { "dhcp", "on|off", "hosts answer DHCP (default: off; the "
                   "following turn it on)" },
    [OPT_LEASE] = { "lease", "TIME", "of DHCP: 90s, 30m, 1h (default), 7d" },
    [OPT_GATEWAY] = { "gateway", "ADDR", "the guests' IPv4 gateway" },
    [OPT_DNS] = { "dns", "ADDR", "their name server; may be repeated" },
    [OPT_DOMAIN] = { "domain", "NAME", "their domain" },
    [OPT_ROUTE] = { "route", "CIDR=ADDR", "their route to CIDR, by ADDR; may "
                    "be repeated" },
    [OPT_LABEL] = { "label", "NAME", "label of the port, for rules; may be "
                    "repeated" },
    [OPT_NOTE] = { "note", "TEXT", "what it is for" },
    [OPT_ROLE] = { "role", "ROLE", "viewer (default), who may only read, or "
                   "operator" },
    [OPT_CERTIFICATE] = { "certificate", "FILE", "a TLS client certificate "
                          "(PEM) in place of a token" },
};

static const char join_details[] =
"Registers this host with the mapping service and points the local\n"
"controller at it. TOKEN comes from \"vsubnetctl token create\"; give - to\n"
"read it from standard input, which keeps it out of the shell's history and\n"
"the process list.\n"
"\n"
"The service proves itself by the fingerprint in the token. The host's\n"
"identity is made here and kept in node.json. Doing it again is harmless.";

static const char net_set_details[] =
"What is not given stays as it is. --dns '', --route '', --subnet '' take\n"
"all away, --gateway '', --domain '' and --group '' the one that there is;\n"
"what DHCP tells is forgotten by --dhcp off.";

/* ctl_acl_add takes a rule as any number of words. */
enum { RULE_WORDS_MAX = 32 };

static const char acl_add_details[] =
"RULE is ACTION DIRECTION [label=NAME] [from|to WHOM] [PROTOCOL [PORTS]]\n"
"[type=N] [code=N] [priority=N] [log] name=NAME, such as\n"
"\n"
"  allow ingress label=web from label=app tcp 80,443 log name=web-in\n"
"  deny egress to 10.0.0.0/8 priority=0 name=no-inside\n"
"\n"
"ACTION is allow or deny, DIRECTION ingress or egress as seen from the ports\n"
"that have the label (without one: all ports); WHOM label=NAME, an address,\n"
"a range or any; PROTOCOL tcp, udp, sctp, icmp, icmp6 or protocol=N.";

static const char acl_apply_details[] =
"FILE has a line \"net NET\" and then a rule a line; # begins a comment; - is\n"
"standard input. Rules that are not there are removed, all in one step.\n"
"Prints what is different: - was, + is. \"acl export\" makes such a file.";

static const char status_details[] =
"Asks the controller on this host, which answers whether or not the mapping\n"
"service is there. Exit status 1 means that there is a problem, listed last.";

static const char flows_details[] =
"Each flow is there for an object: a port, a binding, a rule, a service; a\n"
"line sums up the flows of one. With --long, the flows themselves. A frame\n"
"passes several flows, and is counted by each.";

static const char trace_details[] =
"SRC and DST are MACs (or MAC,ADDRESS), IP addresses, names of ports or\n"
"iface-ids in vSubnet NET. No frame is sent: the switches say what they would\n"
"do with one. What other hosts would do is asked through the mapping service,\n"
"as an operator. Exit status 1 means that it is dropped, or not known.";

static const char ping_details[] =
"Requests and answers go sealed from tunnel port to tunnel port, past all\n"
"flows. NODE is a number, name or tunnel address. Exit status 1 means that\n"
"nothing came back.";

const struct ctl_command ctl_commands[] = {
    { "join", "URL[,URL...] TOKEN|-", 2, 2,
      BIT(OPT_NAME) | BIT(OPT_ENDPOINT) | BIT(OPT_STATE_DIR) | BIT(OPT_WAIT),
      "make this host a node of the mapping service at URL", join_details,
      ctl_join },
    { "leave", "", 0, 0, BIT(OPT_STATE_DIR),
      "make this host forget the mapping service",
      "Removes this host's identity, keys, cache and configuration. The\n"
      "service keeps the node until \"vsubnetctl node rm\".", ctl_leave },
    { "status", "", 0, 0, BIT(OPT_STATE_DIR),
      "show what this host's controller does", status_details, ctl_status },
    { "flows", "[NET]", 0, 1, BIT(OPT_LONG),
      "show for which object this host's switch has flows, and their packets",
      flows_details, ctl_flows },
    { "trace", "NET SRC DST", 3, 3,
      BIT(OPT_L4) | BIT(OPT_SIZE) | BIT(OPT_LONG),
      "say where a frame would go, and why", trace_details, ctl_trace },
    { "ping", "NODE", 1, 1, BIT(OPT_COUNT) | BIT(OPT_SIZE),
      "ask another node's tunnel port for answers", ping_details, ctl_ping },
    { "bugreport", "", 0, 0, BIT(OPT_OUTPUT),
      "gather in a tar what tells of a problem on this host",
      "Versions, status, configuration, flows, counters and ends of logs; no\n"
      "keys, credentials or tokens.", ctl_bugreport },
    { "events", "", 0, 0, 0, "print changes of the mapping as they happen",
      "One line for each object; with --json, one event a line. Ends when\n"
      "interrupted.", ctl_events },

    { "token create", "", 0, 0,
      BIT(OPT_TTL) | BIT(OPT_USES) | BIT(OPT_APPROVE) | BIT(OPT_NET),
      "make a token by which hosts join, and print it",
      "It is good for an hour unless --ttl says so. It is printed once\n"
      "and can't be shown again.", ctl_token_create },
    { "token ls", "", 0, 0, BIT(OPT_FILTER), "list the join tokens", NULL,
      ctl_token_ls },
    { "token rm", "ID", 1, 1, 0, "make a join token useless", NULL,
      ctl_token_rm },

    { "node ls", "", 0, 0, BIT(OPT_FILTER), "list the nodes", NULL,
      ctl_node_ls },
    { "node show", "NODE", 1, 1, 0, "show one node",
      "NODE is a node's number, UUID or name.", ctl_node_show },
    { "node approve", "NODE", 1, 1, WAIT, "let a node take part", NULL,
      ctl_node_approve },
    { "node revoke", "NODE", 1, 1, WAIT, "shut a node out",
      "Its memberships, bindings and keys go at once.", ctl_node_revoke },
    { "node rename", "NODE NAME", 2, 2, WAIT, "give a node another name", NULL,
      ctl_node_rename },
    { "node adopt", "NODE", 1, 1, WAIT,
      "have a clone take the place of the node it was cloned from",
      "NODE gets the other's number, name and memberships; that one, if it\n"
      "still runs, is the clone then. \"node ls\" shows who is a clone.",
      ctl_node_adopt },
    { "node rm", "NODE", 1, 1, WAIT, "remove a node", NULL, ctl_node_rm },

    { "net add", "NAME", 1, 1, BIT(OPT_VNI) | NET_SETTINGS | WAIT,
      "make a vSubnet", NULL, ctl_net_add },
    { "net set", "NET", 1, 1, NET_SETTINGS | WAIT,
      "change a vSubnet", net_set_details, ctl_net_set },
    { "net ls", "", 0, 0, BIT(OPT_FILTER), "list the vSubnets", NULL,
      ctl_net_ls },
    { "net show", "NET", 1, 1, 0, "show one vSubnet and its members", NULL,
      ctl_net_show },
    { "net rekey", "NET", 1, 1, WAIT,
      "have all members of a vSubnet replace their keys now", NULL,
      ctl_net_rekey },
    { "net rm", "NET", 1, 1, WAIT, "remove a vSubnet with all that is in it",
      NULL, ctl_net_rm },

    { "member add", "NET NODE", 2, 2,
      BIT(OPT_HOST_PORT) | BIT(OPT_NO_HOST_PORT) | WAIT,
      "make a node a member of a vSubnet", NULL, ctl_member_add },
    { "member ls", "NET", 1, 1, BIT(OPT_FILTER),
      "list the members of a vSubnet", NULL, ctl_member_ls },
    { "member rm", "NET NODE", 2, 2, WAIT, "end a membership", NULL,
      ctl_member_rm },

    { "port add", "NET", 1, 1,
      BIT(OPT_MAC) | BIT(OPT_ADDRESS) | BIT(OPT_IFACE_ID) | BIT(OPT_NODE)
      | PORT_SETTINGS | WAIT,
      "bind a MAC and its addresses in a vSubnet",
      "Without --mac, one is drawn.\n"
      "A port that names its vSubnet in external_ids:vsubnet needs none of\n"
      "this: its node binds it. What is bound here, no node can change.",
      ctl_port_add },
    { "port set", "NET MAC", 2, 2,
      BIT(OPT_ADDRESS) | BIT(OPT_IFACE_ID) | BIT(OPT_NODE) | PORT_SETTINGS
      | WAIT,
      "change a binding that an operator made",
      "What is not given stays; addresses and labels are then those that are\n"
      "given, and '' is none. Of a host's own port, labels and port security\n"
      "can be changed; of what a node has learnt, nothing.",
      ctl_port_set },
    { "port ls", "[NET]", 0, 1, BIT(OPT_FILTER),
      "list bindings: of a vSubnet, or all", NULL, ctl_port_ls },
    { "port rm", "NET MAC", 2, 2, WAIT, "remove a binding", NULL,
      ctl_port_rm },

    { "address ls", "NET", 1, 1, BIT(OPT_FILTER),
      "list who has which address", NULL, ctl_address_ls },
    { "pool add", "NET FIRST-LAST", 2, 2, 0,
      "draw addresses from this part of a range",
      "If a range has pools, addresses are drawn from them alone. Any other\n"
      "of the range can be asked for by name.", ctl_pool_add },
    { "pool ls", "NET", 1, 1, BIT(OPT_FILTER), "list pools", NULL,
      ctl_pool_ls },
    { "pool rm", "NET FIRST-LAST", 2, 2, 0, "remove a pool",
      "Addresses that were drawn from it stay.", ctl_pool_rm },
    { "reservation add", "NET ADDR", 2, 2, BIT(OPT_MAC) | BIT(OPT_NOTE),
      "keep an address free, or for one MAC address",
      "Without --mac nobody gets it. Reserving it again changes the MAC\n"
      "address and the note.", ctl_reservation_add },
    { "reservation ls", "NET", 1, 1, BIT(OPT_FILTER), "list reservations",
      NULL, ctl_reservation_ls },
    { "reservation rm", "NET ADDR", 2, 2, 0, "end a reservation",
      "Who has the address keeps it.", ctl_reservation_rm },

    { "acl add", "NET RULE...", 2, RULE_WORDS_MAX, WAIT,
      "add a rule to a vSubnet", acl_add_details, ctl_acl_add },
    { "acl ls", "NET", 1, 1, BIT(OPT_FILTER),
      "list the rules of a vSubnet, in the order in which they are asked",
      "Packets and bytes are those of the connections that a rule decided, as\n"
      "hosts have reported them since the service was started.", ctl_acl_ls },
    { "acl rm", "NET NAME", 2, 2, WAIT, "remove a rule", NULL, ctl_acl_rm },
    { "acl apply", "FILE|-", 1, 1, BIT(OPT_DRY_RUN) | WAIT,
      "make the rules of a vSubnet those in a file", acl_apply_details,
      ctl_acl_apply },
    { "acl export", "NET", 1, 1, 0, "print the rules of a vSubnet as a file",
      NULL, ctl_acl_export },

    { "user add", "NAME", 1, 1,
      BIT(OPT_ROLE) | BIT(OPT_TTL) | BIT(OPT_CERTIFICATE),
      "let a person or program use the service, and print the token",
      "Prints the user's token, once: it can't be shown again. With\n"
      "--certificate there is none; the certificate is what the user shows.\n"
      "Without --ttl a token is good until the user is removed.",
      ctl_user_add },
    { "user set", "NAME", 1, 1,
      BIT(OPT_NAME) | BIT(OPT_ROLE) | BIT(OPT_TTL),
      "change a user's name, role, or how long it is good",
      "The token or certificate stays. --ttl '' takes the time limit away.",
      ctl_user_set },
    { "user ls", "", 0, 0, BIT(OPT_FILTER), "list who may use the service",
      NULL, ctl_user_ls },
    { "user show", "NAME", 1, 1, 0, "show one user", NULL, ctl_user_show },
    { "user rm", "NAME", 1, 1, 0,
      "make a user's token or certificate useless, at once", NULL,
      ctl_user_rm },

    { "audit ls", "", 0, 0, BIT(OPT_LIMIT) | BIT(OPT_FILTER),
      "list what was done, by whom, and what was noticed",
      "The last line is the newest one; with --json, the first object is.",
      ctl_audit_ls },
};
const size_t n_ctl_commands = ARRAY_SIZE(ctl_commands);

/* Ends. */

OVS_PRINTF_FORMAT(1, 0)
static void
complain(const char *format, va_list args)
{
    char *message = output_printable(xvasprintf(format, args));

    fflush(stdout);
    fprintf(stderr, "vsubnetctl: %s\n", message);
    free(message);
}

void
ctl_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    exit(1);
}

void
ctl_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
    exit(2);
}

void
ctl_check(const char *what, char *error)
{
    if (error) {
        ctl_fatal("%s%s%s", what, *what ? ": " : "", error);
    }
}

/* Values. */

const char *
ctl_arg(const struct ctl *ctl, size_t i)
{
    return i < ctl->args.n ? ctl->args.names[i] : NULL;
}

bool
ctl_has(const struct ctl *ctl, enum ctl_option option)
{
    return ctl->options[option].n > 0;
}

const char *
ctl_option(const struct ctl *ctl, enum ctl_option option)
{
    const struct svec *values = &ctl->options[option];
    return values->n ? values->names[values->n - 1] : NULL;
}

unsigned int
ctl_uint_option(const struct ctl *ctl, enum ctl_option option,
                unsigned int min, unsigned int max, unsigned int default_)
{
    const char *s = ctl_option(ctl, option);
    unsigned int value;

    if (!s) {
        return default_;
    }
    if (!*s || s[strspn(s, "0123456789")] || !str_to_uint(s, 10, &value)
        || value < min || value > max) {
        ctl_usage("--%s %s: must be a number from %u to %u",
                  option_table[option].name, s, min, max);
    }
    return value;
}

json_t *
ctl_strings_option(const struct ctl *ctl, enum ctl_option option)
{
    json_t *array = json_array();
    const char *value;
    size_t i;

    SVEC_FOR_EACH (i, value, &ctl->options[option]) {
        json_t *string = json_string(value);
        if (!string) {
            ctl_usage("--%s: not UTF-8", option_table[option].name);
        }
        json_array_append_new(array, string);
    }
    return array;
}

/* Help. */

static void
print_options(uint64_t options)
{
    for (int i = 0; i < N_CTL_OPTIONS; i++) {
        if (options & BIT(i) && option_table[i].help) {
            char *left = xasprintf("--%s%s%s", option_table[i].name,
                                   option_table[i].arg ? " " : "",
                                   (option_table[i].arg
                                    ? option_table[i].arg : ""));
            printf("  %-22s %s\n", left, option_table[i].help);
            free(left);
        }
    }
}

static void
print_command_line(const struct ctl_command *command)
{
    char *left = xasprintf("%s%s%s", command->name,
                           *command->args ? " " : "", command->args);
    printf("  %-28s %s\n", left, command->summary);
    free(left);
}

/* Prints the commands whose names begin with GROUP and a space. */
static bool
print_group(const char *group)
{
    size_t len = strlen(group);
    bool found = false;

    for (size_t i = 0; i < n_ctl_commands; i++) {
        const char *name = ctl_commands[i].name;

        if (!strncmp(name, group, len) && name[len] == ' ') {
            if (!found) {
                printf("usage: vsubnetctl %s VERB...\n\n", group);
            }
            found = true;
            print_command_line(&ctl_commands[i]);
        }
    }
    return found;
}

static void
print_help(void)
{
    puts("vsubnetctl: virtual layer-2 subnets across hosts\n"
         "usage: vsubnetctl [OPTION]... COMMAND [ARG]...\n"
         "\nThis host (as root):");
    for (size_t i = 0; i < n_ctl_commands; i++) {
        if (ctl_commands[i].run == ctl_events) {
            puts("\nThe mapping service (as an operator):");
        }
        print_command_line(&ctl_commands[i]);
    }
    puts("\nOptions of every command:");
    print_options(GLOBAL);
    puts("\n\"vsubnetctl COMMAND --help\" tells more about a command. An\n"
         "operator is who can read the operator configuration: --config,\n"
         "$VSUBNET_CONFIG, " VSUBNET_SYSCONFDIR "/vsubnet/operator.json or\n"
         VSUBNET_LOCALSTATEDIR "/lib/vsubnet-mapper/operator.json. A token\n"
         "in --token-file or $VSUBNET_TOKEN goes before the one in there.");
}

static void
print_command_help(const struct ctl_command *command)
{
    printf("vsubnetctl %s: %s\nusage: vsubnetctl %s%s%s%s\n",
           command->name, command->summary, command->name,
           command->options ? " [OPTION]..." : "",
           *command->args ? " " : "", command->args);
    if (command->details) {
        printf("\n%s\n", command->details);
    }
    if (command->options) {
        puts("\nOptions:");
        print_options(command->options);
    }
    puts("\nOptions of every command:");
    print_options(GLOBAL);
}

/* For the shell's completion: each command and its options on a line. */
static void
print_commands(void)
{
    for (size_t i = 0; i < n_ctl_commands; i++) {
        fputs(ctl_commands[i].name, stdout);
        for (int j = 0; j < N_CTL_OPTIONS; j++) {
            if ((ctl_commands[i].options | GLOBAL) & BIT(j)
                && option_table[j].help) {
                printf(" --%s", option_table[j].name);
            }
        }
        putchar('\n');
    }
}

/* Parsing. */

/* Takes the option at argv[*i], with its value, into CTL. */
static void
parse_option(struct ctl *ctl, int argc, char *argv[], int *i)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");

    for (int option = 0; option < N_CTL_OPTIONS; option++) {
        const char *arg = option_table[option].arg;

        if (strlen(option_table[option].name) != len
            || strncmp(option_table[option].name, name, len)) {
            continue;
        }
        if (!arg && name[len]) {
            ctl_usage("--%.*s takes no value", (int) len, name);
        }
        if (!arg) {
            svec_add(&ctl->options[option], "");
        } else if (name[len]) {
            svec_add(&ctl->options[option], name + len + 1);
        } else if (*i + 1 < argc) {
            svec_add(&ctl->options[option], argv[++*i]);
        } else {
            ctl_usage("--%s needs a value: %s", name, arg);
        }
        return;
    }
    ctl_usage("unknown option --%.*s (see vsubnetctl --help)",
              (int) len, name);
}

static void
drop_first_words(struct svec *words, size_t n)
{
    for (; n > 0; n--) {
        free(words->names[0]);
        memmove(words->names, words->names + 1,
                --words->n * sizeof *words->names);
    }
}

/* Finds the command whose words are the first ones of WORDS, and removes
 * those. */
static const struct ctl_command *
find_command(struct svec *words)
{
    for (size_t i = 0; i < n_ctl_commands; i++) {
        const char *name = ctl_commands[i].name;
        size_t len = strcspn(name, " ");
        size_t n = name[len] ? 2 : 1;

        if (words->n >= n && strlen(words->names[0]) == len
            && !strncmp(words->names[0], name, len)
            && (n == 1 || !strcmp(words->names[1], name + len + 1))) {
            drop_first_words(words, n);
            return &ctl_commands[i];
        }
    }
    return NULL;
}

static void
show_help_and_exit(struct ctl *ctl)
{
    const struct ctl_command *command = find_command(&ctl->args);

    if (command) {
        print_command_help(command);
    } else if (!ctl->args.n) {
        print_help();
    } else if (!print_group(ctl->args.names[0])) {
        ctl_usage("unknown command \"%s\" (see vsubnetctl --help)",
                  ctl->args.names[0]);
    }
    exit(0);
}

static void
check_command(struct ctl *ctl)
{
    const struct ctl_command *command = ctl->command;

    for (int option = 0; option < N_CTL_OPTIONS; option++) {
        if (ctl_has(ctl, option)
            && !((command->options | GLOBAL) & BIT(option))) {
            ctl_usage("\"%s\" has no option --%s (see vsubnetctl %s --help)",
                      command->name, option_table[option].name,
                      command->name);
        }
    }
    if (ctl->args.n < command->min_args || ctl->args.n > command->max_args) {
        ctl_usage("usage: vsubnetctl %s%s%s", command->name,
                  *command->args ? " " : "", command->args);
    }
}

/* Fills in CTL.  Ends the process if the command line asks for help or is
 * wrong. */
void
ctl_parse(struct ctl *ctl, int argc, char *argv[])
{
    bool only_args = false;

    for (int i = 1; i < argc; i++) {
        const char *s = argv[i];

        if (only_args || s[0] != '-' || !s[1]) {
            svec_add(&ctl->args, s);
        } else if (!strcmp(s, "--")) {
            only_args = true;
        } else if (!strcmp(s, "-h")) {
            svec_add(&ctl->options[OPT_HELP], "");
        } else if (!strcmp(s, "-V")) {
            svec_add(&ctl->options[OPT_VERSION], "");
        } else if (s[1] == '-') {
            parse_option(ctl, argc, argv, &i);
        } else {
            ctl_usage("unknown option %s (see vsubnetctl --help)", s);
        }
        if (!strncmp(argv[i], "vsj1.", 5)) {
            /* A join token has no business in the process list. */
            model_wipe(argv[i], strlen(argv[i]));
        }
    }
    if (ctl_has(ctl, OPT_VERSION)) {
        puts("vsubnetctl (vSubnet) " VSUBNET_VERSION);
        exit(0);
    }
    if (ctl_has(ctl, OPT_COMMANDS)) {
        print_commands();
        exit(0);
    }
    if (ctl->args.n && !strcmp(ctl->args.names[0], "help")) {
        drop_first_words(&ctl->args, 1);
        show_help_and_exit(ctl);
    }
    if (ctl_has(ctl, OPT_HELP)) {
        show_help_and_exit(ctl);
    }
    if (!ctl->args.n) {
        ctl_usage("no command given (see vsubnetctl --help)");
    }
    char *first = xstrdup(ctl->args.names[0]);
    ctl->command = find_command(&ctl->args);
    if (!ctl->command) {
        ctl_usage("unknown command \"%s%s%s\" (see vsubnetctl --help)",
                  first, ctl->args.n > 1 ? " " : "",
                  ctl->args.n > 1 ? ctl->args.names[1] : "");
    }
    free(first);
    check_command(ctl);
}
