/* SPDX-License-Identifier: Apache-2.0 */
/* Node, vSubnet, member, binding and key: structs, and JSON both ways. */

#ifndef MODEL_OBJECT_H
#define MODEL_OBJECT_H 1

/* One struct for each kind of object, and for each kind:
 *
 *   - model_X_from_json() reads what model_X_to_json() wrote, checks every
 *     field (type, range, length, number of elements) and refuses the object
 *     with a message that begins with the field, "subnets[1]: host bits set
 *     in 10.0.0.1/24".  Unknown members are ignored, so that a newer service
 *     can talk to an older host.  On success *x is wholly initialised and
 *     needs model_X_destroy(); on failure it is untouched.
 *
 *   - model_X_to_json() makes the form that DESIGN.md section 4.2 states.
 *     The view says for whom: a node sees less of another node than an
 *     operator does, and key bytes appear only in MODEL_VIEW_KEYS.  (Who
 *     writes a file of what it was told uses _KEYS, and loses nothing.)
 *
 *   - model_X_destroy() frees the contents (and wipes keys), not the struct.
 *
 * A key whose "rekey" is less than its vSubnet's was made by somebody who did
 * not know yet that all keys are to be replaced: it is stale, and so is no
 * longer to be sent with.  The number only grows.
 *
 * The hmap_nodes belong to the container in mapping.h; an object outside of
 * one leaves them alone.  All strings are owned by the object. */

#include "model/reader.h"
#include "model/types.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/uuid.h"

struct json_t;

enum model_view {
    MODEL_VIEW_NODE,            /* What a member sees of others; no key. */
    MODEL_VIEW_SELF,            /* What a node is told of itself. */
    MODEL_VIEW_OPERATOR,        /* Everything but key bytes. */
    MODEL_VIEW_KEYS,            /* As _NODE, with key bytes: stream, cache. */
};

enum model_node_state {
    MODEL_NODE_PENDING,
    MODEL_NODE_APPROVED,
    MODEL_NODE_REVOKED,
};

struct model_node {
    struct hmap_node by_number;
    struct hmap_node by_id;
    struct model_revision revision;
    uint32_t number;
    struct uuid id;
    char *name;
    enum model_node_state state;
    struct model_endpoint *endpoints;
    size_t n_endpoints;

    /* For operators and the node itself. */
    struct uuid origin;         /* Node of which it is a clone, or zero. */

    /* For operators only; null or false where not told. */
    char *fingerprint;
    char *created;              /* RFC 3339, UTC: "2026-11-22T07:39:00Z". */
    bool connected;
};

/* What happens to frames that no rule names. */
enum model_policy {
    MODEL_POLICY_OPEN,
    MODEL_POLICY_CLOSED,
};

/* How the guests of a vSubnet come by IPv6 addresses. */
enum model_ipv6_mode {
    MODEL_IPV6_NONE,            /* Not from the vSubnet. */
    MODEL_IPV6_SLAAC,           /* They make them (RFC 4862). */
    MODEL_IPV6_DHCPV6,          /* They are told (RFC 8415). */
};

struct model_route {
    struct model_address to;    /* IPv4, with a prefix length. */
    struct model_address via;   /* In one of the vSubnet's ranges. */
};

/* What DHCP tells guests beside their addresses. */
struct model_dhcp {
    uint32_t lease;             /* Seconds. */
    struct model_address gateway;
    bool has_gateway;           /* IPv4, in one of the ranges. */
    struct model_address *dns;  /* IPv4 and IPv6. */
    size_t n_dns;
    char *domain;               /* Or null. */
    struct model_route *routes;
    size_t n_routes;
};

enum {
    MODEL_DHCP_LEASE_MIN = 60,
    MODEL_DHCP_LEASE_MAX = 365 * 24 * 3600,
    MODEL_DHCP_LEASE_DEFAULT = 3600,
    MODEL_MACS_MAX = 65536,
    MODEL_MACS_DEFAULT = 2048,
    MODEL_BUM_RATE_MAX = 1000000,
    MODEL_BUM_RATE_DEFAULT = 1000,
};

struct model_net {
    struct hmap_node by_name;
    struct hmap_node by_vni;
    struct hmap members;        /* In a mapping: model_member.in_net, */
    struct hmap bindings;       /* model_binding.in_net, */
    struct hmap keys;           /* model_key.in_net, */
    struct hmap rules;          /* model_rule.in_net.  Else empty. */
    struct model_revision revision;
    char *name;
    uint32_t vni;
    struct model_address *subnets;
    size_t n_subnets;
    enum model_algorithm algorithm;
    struct model_address group;
    bool has_group;
    uint64_t rekey;             /* Keys made before this are stale. */

    enum model_policy policy;
    bool port_security;         /* For bindings that do not say otherwise. */
    bool arp_suppression;       /* Hosts answer ARP and ND for addresses. */
    struct model_dhcp *dhcp;    /* Null: off. */
    enum model_ipv6_mode ipv6;
    bool guest_dhcp;            /* Guests may be DHCP servers and routers. */
    uint32_t max_macs;          /* Learnt MACs of one local port. */
    uint32_t bum_rate;          /* Frames a second of one local port. */
    char **labels;              /* Label i is bit i; "": nobody's. */
    size_t n_labels;
};

struct model_member {
    struct hmap_node by_key;    /* (net, node). */
    struct hmap_node in_net;
    struct model_revision revision;
    char *net;
    uint32_t node;
    bool host_port;
};

enum model_origin {
    MODEL_ORIGIN_HOST,
    MODEL_ORIGIN_STATIC,
    MODEL_ORIGIN_DYNAMIC,
};

struct model_binding {
    struct hmap_node by_key;    /* (net, MAC). */
    struct hmap_node in_net;
    struct hmap_node by_iface;  /* iface_id, where there is one. */
    struct ovs_list at_node;    /* Others at the same node, if at any. */
    struct model_revision revision;
    char *net;
    struct eth_addr mac;
    struct model_address *addresses;
    size_t n_addresses;
    uint32_t node;              /* 0: at no node. */
    char *port;                 /* Or null. */
    char *iface_id;             /* Or null. */
    enum model_origin origin;
    bool port_security;         /* False for ports that bridge or route. */
    char **labels;              /* Sorted. */
    size_t n_labels;
    uint64_t sequence;          /* Grows with each move to another node. */
};

struct model_key {
    struct hmap_node by_spi;
    struct hmap_node in_net;
    struct model_revision revision;
    char *net;
    uint32_t node;
    uint32_t spi;
    uint32_t epoch;
    enum model_algorithm algorithm;
    uint64_t rekey;             /* The vSubnet's, as its maker knew it. */
    struct model_secret secret; /* Size 0 where the reader may not see it. */
};

const char *model_node_state_name(enum model_node_state);
char *model_node_state_parse(const char *, enum model_node_state *);
const char *model_origin_name(enum model_origin);
char *model_origin_parse(const char *, enum model_origin *);

const char *model_policy_name(enum model_policy);
char *model_policy_parse(const char *, enum model_policy *);
const char *model_ipv6_mode_name(enum model_ipv6_mode);
char *model_ipv6_mode_parse(const char *, enum model_ipv6_mode *);

struct json_t *model_node_to_json(const struct model_node *, enum model_view);
struct json_t *model_net_to_json(const struct model_net *);
struct json_t *model_member_to_json(const struct model_member *);
struct json_t *model_binding_to_json(const struct model_binding *);
struct json_t *model_key_to_json(const struct model_key *, enum model_view);

char *model_node_from_json(const struct json_t *, struct model_node *);
char *model_net_from_json(const struct json_t *, struct model_net *);
char *model_member_from_json(const struct json_t *, struct model_member *);
char *model_binding_from_json(const struct json_t *, struct model_binding *);
char *model_key_from_json(const struct json_t *, struct model_key *);

void model_node_destroy(struct model_node *);
void model_net_destroy(struct model_net *);
void model_member_destroy(struct model_member *);
void model_binding_destroy(struct model_binding *);
void model_key_destroy(struct model_key *);

/* Makes a vSubnet or binding of which nothing is said: empty, and as the
 * settings are by default.  Revision, names and numbers are for the caller. */
void model_net_init(struct model_net *);
void model_binding_init(struct model_binding *);

/* The settings of a vSubnet (all members from "policy" on but for "labels"),
 * for who reads or writes them apart from the rest.  _read_ takes those that
 * are not there for their defaults; NET is one by model_net_init().
 * 'unknown' is for what is inside of "dhcp". */
void model_net_read_settings(struct model_reader *, enum model_unknown,
                             struct model_net *);
struct json_t *model_net_settings_to_json(const struct model_net *);
struct json_t *model_dhcp_to_json(const struct model_dhcp *);

/* Checks that several fields agree, for who makes an object otherwise than
 * from JSON; model_X_from_json() has already asked these. */
char *model_net_check(const struct model_net *);

/* Returns the number of label NAME in NET, or -1 if it has none.  For several
 * labels, a set of bits: NAMES that NET has not are left out. */
int model_net_label(const struct model_net *, const char *name);
ovs_u128 model_net_label_bits(const struct model_net *, char *const *names,
                              size_t n);

/* Returns the range of NET that holds ADDRESS, or null. */
const struct model_address *model_net_subnet_of(const struct model_net *,
                                                const struct model_address *);

#endif /* model/object.h */
