/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: peers, vSubnets, members and keys that one port works with. */

#ifndef SEAL_KEYRING_H
#define SEAL_KEYRING_H 1

/* Keyring
 * =======
 *
 * The controller tells ovs-vswitchd whom it may talk to, where they are, and
 * with which keys, in one text file (DESIGN.md, section 2.3).  This module has
 * the struct that both sides hold, the parser, and the serializer.  Reading
 * and writing the file is keyring-file.h's.
 *
 *     controller: keyring_create(), keyring_add_*(), keyring_save()
 *     vswitchd:   keyring_load(), keyring_*_find(), keyring_destroy()
 *
 * The parser adds each record through the same keyring_add_*() functions, so a
 * keyring that could be built can be read, and one that breaks a rule can't be
 * built.  A file is taken whole or refused whole.  Errors name the line and
 * the rule, never the content, because the content may be a key.
 *
 * The serializer sorts, so that equal keyrings give equal bytes and the
 * controller can tell whether anything has changed.
 *
 * Thread safety: none while it is being built.  A keyring that nobody changes
 * any more may be read by any number of threads. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "seal/aead.h"

enum {
    KEYRING_MAX_PEERS = 65536,
    KEYRING_MAX_NETS = 65536,
    KEYRING_MAX_MEMBERS = 1048576,
    KEYRING_MAX_KEYS = 1048576,
    KEYRING_MAX_LINE = 1024,    /* Bytes, without the line feed. */
    KEYRING_MAX_SIZE = 256 * 1024 * 1024,
};

/* A node that this one may exchange datagrams with. */
struct keyring_peer {
    struct hmap_node hmap_node; /* In 'peers', by number. */
    uint32_t number;
    struct in6_addr address;    /* IPv4 as IPv4-mapped; all zeros: unknown. */
    uint16_t port;              /* 0 if the endpoint is not known. */
    uint64_t generation;        /* Revision of the endpoint's registration: */
    uint64_t revision;          /* an older one overwrites no newer one. */
    int max_frame;              /* For whoever sends; not in the file. */
};

struct keyring_key {
    struct hmap_node hmap_node; /* In 'keys', by key.spi. */
    struct aead_key key;        /* Has SPI and VNI. */
    bool tx;                    /* Self's key to seal with. */
    uint32_t number;            /* The sending node. */
    uint32_t epoch;
};

/* A vSubnet that this node is a member of. */
struct keyring_net {
    struct hmap_node hmap_node; /* In 'nets', by VNI. */
    uint32_t vni;
    struct in6_addr group;      /* Underlay multicast; all zeros: none. */
    struct hmap members;        /* Contains "struct keyring_member"s. */
    struct keyring_key *tx;     /* NULL: can't send. */
    int max_frame;              /* Like a peer's, for all members. */
};

struct keyring_member {
    struct hmap_node hmap_node; /* In its net's 'members', by number. */
    const struct keyring_peer *peer;
};

struct keyring {
    uint32_t self;              /* This node's number. */
    struct hmap peers;          /* Contains "struct keyring_peer"s. */
    struct hmap nets;           /* Contains "struct keyring_net"s. */
    struct hmap keys;           /* Contains "struct keyring_key"s, tx + rx. */
    size_t n_members;           /* Of all nets. */
};

/* Makes an empty keyring of node 'self'.  Returns NULL if 'self' is no node
 * number. */
struct keyring *keyring_create(uint32_t self);

/* Wipes the keys and frees everything.  NULL is fine. */
void keyring_destroy(struct keyring *);

/* Each adds a record and returns NULL, or returns the rule that the record
 * breaks (a constant string) and changes nothing.  Where a record is given as
 * a struct, it is copied, without its hmap_node. */
const char *keyring_add_peer(struct keyring *, const struct keyring_peer *);
const char *keyring_add_net(struct keyring *, uint32_t vni,
                            const struct in6_addr *group /* NULL: none */);
const char *keyring_add_member(struct keyring *, uint32_t vni,
                               uint32_t number);
const char *keyring_add_key(struct keyring *, const struct keyring_key *);

/* Each returns NULL if there is no such record. */
struct keyring_peer *keyring_peer_find(const struct keyring *,
                                       uint32_t number);
struct keyring_net *keyring_net_find(const struct keyring *, uint32_t vni);
struct keyring_member *keyring_member_find(const struct keyring_net *,
                                           uint32_t number);
struct keyring_key *keyring_key_find(const struct keyring *, uint32_t spi);

/* Parses the 'n' bytes at 'text'.  Returns NULL and a new keyring in
 * '*keyringp', or an error string that the caller frees, and NULL in
 * '*keyringp'. */
char *keyring_parse(const char *text, size_t n, struct keyring **keyringp);

/* Returns the text form and its length in '*n'.  It holds keys: free it with
 * keyring_text_free(). */
char *keyring_format(const struct keyring *, size_t *n);
void keyring_text_free(char *text, size_t n);

/* Text <-> address as in keyring records: "10.0.0.9", "fd00::9".  False if
 * 's' is not exactly an IPv4 or IPv6 address (an IPv4-mapped one is refused:
 * it has a shorter form). */
bool keyring_address_parse(const char *s, struct in6_addr *);
void keyring_address_format(const struct in6_addr *,
                            char s[INET6_ADDRSTRLEN]);

#endif /* seal/keyring.h */
