/* SPDX-License-Identifier: Apache-2.0 */
/* The small values that objects of the mapping are made of. */

#ifndef MODEL_TYPES_H
#define MODEL_TYPES_H 1

/* Values: revision, address, endpoint, algorithm, secret, and the rules for
 * names and numbers.  Everything here is pure and thread-safe.
 *
 * Convention, here and in the rest of plugin/model: a function that can
 * refuse its input returns a null pointer on success, otherwise a
 * malloc()'d message that the caller frees, and then its outputs are as they
 * were.  A message names what was wrong and never holds key material.
 *
 *      struct model_endpoint endpoint;
 *      char *error = model_endpoint_parse("[fd00::1]:8002", &endpoint);
 *      if (error) {
 *          VLOG_WARN("ignoring endpoint: %s", error);
 *          free(error);
 *      }
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct ds;

/* Limits.  They hold for what a peer sends and for what an operator types. */
enum {
    MODEL_NAME_MAX = 63,           /* Bytes in a name. */
    MODEL_TEXT_MAX = 255,          /* Bytes in other short strings. */
    MODEL_SUBNETS_MAX = 16,        /* Address ranges of one vSubnet. */
    MODEL_ADDRESSES_MAX = 64,      /* Addresses of one binding. */
    MODEL_ENDPOINTS_MAX = 16,      /* Endpoints of one node. */
    MODEL_LABELS_MAX = 128,        /* Labels of one vSubnet. */
    MODEL_PORT_LABELS_MAX = 16,    /* Labels of one binding. */
    MODEL_DNS_MAX = 8,             /* Name servers that DHCP tells. */
    MODEL_ROUTES_MAX = 16,         /* Routes that DHCP tells. */
    MODEL_VNI_MAX = (1 << 24) - 1,
    MODEL_NODE_MAX = (1 << 28) - 2,
    MODEL_KEY_MAX = 32,            /* Bytes in the longest sender key. */
};

/* Revision: "GENERATION.NUMBER".  The service's database gets a higher
 * generation when it is made anew or restored; the number counts its
 * transactions.  {0, 0} stands for "none yet" and is older than any other. */
struct model_revision {
    uint64_t generation;
    uint64_t number;
};

#define MODEL_REVISION_FMT "%"PRIu64".%"PRIu64
#define MODEL_REVISION_ARGS(R) (R).generation, (R).number

char *model_revision_parse(const char *, struct model_revision *);
int model_revision_compare(struct model_revision, struct model_revision);
bool model_revision_is_zero(struct model_revision);

/* Address: IPv4 or IPv6, with a prefix length or without (then -1).  IPv4 is
 * kept as v4-mapped IPv6, as Open vSwitch does, with a prefix length of 0 to
 * 32.  The host bits of an address with a prefix length are kept. */
struct model_address {
    struct in6_addr ip;
    int16_t plen;
};

#define MODEL_ADDRESS_STRLEN (INET6_ADDRSTRLEN + sizeof "/128")

char *model_address_parse(const char *, struct model_address *);
char *model_subnet_parse(const char *, struct model_address *);
bool model_address_is_ipv4(const struct model_address *);
/* Whether one host may have it: neither unspecified nor multicast. */
bool model_address_is_unicast(const struct model_address *);
bool model_address_equals(const struct model_address *,
                          const struct model_address *);
bool model_address_same_ip(const struct model_address *,
                           const struct model_address *);
int model_address_compare(const struct model_address *,
                          const struct model_address *);
bool model_subnet_contains(const struct model_address *subnet,
                           const struct model_address *);
bool model_subnets_overlap(const struct model_address *,
                           const struct model_address *);
uint32_t model_address_hash(const struct model_address *, uint32_t basis);
void model_address_format(const struct model_address *, struct ds *);
const char *model_address_string(const struct model_address *,
                                 char buf[MODEL_ADDRESS_STRLEN]);

/* Endpoint: "10.0.0.1:8002" or "[fd00::1]:8002".  Must be a unicast
 * address and port 1 to 65535. */
struct model_endpoint {
    struct in6_addr ip;             /* v4-mapped for IPv4. */
    uint16_t port;                  /* Host byte order. */
};

#define MODEL_ENDPOINT_STRLEN (INET6_ADDRSTRLEN + sizeof "[]:65535")

char *model_endpoint_parse(const char *, struct model_endpoint *);

/* Reads a list with commas, of at most MODEL_ENDPOINTS_MAX.  Returns NULL and
 * the endpoints, which the caller frees, or what is wrong and none. */
char *model_endpoints_parse(const char *list, struct model_endpoint **,
                            size_t *n);
bool model_endpoint_is_ipv4(const struct model_endpoint *);
bool model_endpoint_equals(const struct model_endpoint *,
                           const struct model_endpoint *);
void model_endpoint_format(const struct model_endpoint *, struct ds *);
const char *model_endpoint_string(const struct model_endpoint *,
                                  char buf[MODEL_ENDPOINT_STRLEN]);

/* Algorithm.  The values are those of the tunnel's key derivation. */
enum model_algorithm {
    MODEL_AES128GCM = 1,
    MODEL_AES256GCM = 2,
};

char *model_algorithm_parse(const char *, enum model_algorithm *);
const char *model_algorithm_name(enum model_algorithm);
size_t model_algorithm_key_size(enum model_algorithm);

/* Secret: key bytes.  There is no function that prints one; the only way out
 * is base64 inside a key's JSON, by model_key_to_json(). */
struct model_secret {
    size_t size;                    /* 0: none. */
    uint8_t bytes[MODEL_KEY_MAX];
};

void model_wipe(void *, size_t);

/* free() and realloc() for a library that handles secrets and does not wipe
 * what it gives back. */
void model_wiping_free(void *);
void *model_wiping_realloc(void *, size_t);
void model_secret_set(struct model_secret *, const void *, size_t);
void model_secret_wipe(struct model_secret *);
bool model_secret_equals(const struct model_secret *,
                         const struct model_secret *);

/* Base64 (RFC 4648 section 4, with padding, no white space). */
size_t model_base64_size(size_t n);         /* Includes the null. */
void model_base64_encode(const void *, size_t n, char *out);
bool model_base64_decode(const char *, void *, size_t max, size_t *n);

/* Rules.  A name of a vSubnet: [a-z0-9][a-z0-9-]{0,62}.  That of a node is
 * also neither a number nor a UUID, because NODE in the API may be each. */
char *model_check_name(const char *);
char *model_check_node_name(const char *);
/* The name of a DNS domain (RFC 1123 section 2.1), without a dot at the end. */
char *model_check_domain(const char *);
/* Free text: no control characters, nothing that reorders what is shown. */
char *model_check_text(const char *);
/* Returns the length of the control character that S begins with, or 0. */
size_t model_control_length(const char *s);
char *model_check_vni(int64_t);
char *model_check_node_number(int64_t);
char *model_mac_parse(const char *, struct eth_addr *);

/* Returns the tunnel address of node NUMBER, in network byte order:
 * 240.0.0.0/4 plus the number. */
ovs_be32 model_tunnel_address(uint32_t number);

/* The MAC address of node NUMBER's own port in a vSubnet: 06:76:number. */
struct eth_addr model_host_mac(uint32_t number);

#endif /* model/types.h */
