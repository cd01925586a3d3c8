/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring's records, and the rules that they keep. */

#include <config.h>
#include "seal/keyring.h"

#include <arpa/inet.h>
#include <string.h>
#include "hash.h"
#include "seal/wire.h"
#include "util.h"

static bool
is_node_number(uint32_t number)
{
    return number >= 1 && number <= WIRE_NODE_MAX;
}

static bool
is_vni(uint32_t vni)
{
    return vni >= 1 && vni <= WIRE_VNI_MAX;
}

static uint32_t
ipv4_of(const struct in6_addr *address)
{
    ovs_be32 ip;

    memcpy(&ip, &address->s6_addr[12], sizeof ip);
    return ntohl(ip);
}

static bool
is_multicast(const struct in6_addr *address)
{
    return (IN6_IS_ADDR_V4MAPPED(address)
            ? IN_MULTICAST(ipv4_of(address))
            : IN6_IS_ADDR_MULTICAST(address));
}

/* True if a datagram could be sent to 'address' and reach one node. */
static bool
is_unicast(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        uint32_t ip = ipv4_of(address);

        return ip != INADDR_ANY && ip < 0xe0000000;
    }
    return (!IN6_IS_ADDR_UNSPECIFIED(address)
            && !IN6_IS_ADDR_MULTICAST(address));
}

struct keyring *
keyring_create(uint32_t self)
{
    if (!is_node_number(self)) {
        return NULL;
    }

    struct keyring *keyring = xzalloc(sizeof *keyring);
    keyring->self = self;
    hmap_init(&keyring->peers);
    hmap_init(&keyring->nets);
    hmap_init(&keyring->keys);
    return keyring;
}

static void
net_destroy(struct keyring_net *net)
{
    struct keyring_member *member;

    HMAP_FOR_EACH_POP (member, hmap_node, &net->members) {
        free(member);
    }
    hmap_destroy(&net->members);
    free(net);
}

void
keyring_destroy(struct keyring *keyring)
{
    if (keyring) {
        struct keyring_peer *peer;
        struct keyring_net *net;
        struct keyring_key *key;

        HMAP_FOR_EACH_POP (key, hmap_node, &keyring->keys) {
            secret_wipe(&key->key.secret);
            free(key);
        }
        HMAP_FOR_EACH_POP (net, hmap_node, &keyring->nets) {
            net_destroy(net);
        }
        HMAP_FOR_EACH_POP (peer, hmap_node, &keyring->peers) {
            free(peer);
        }
        hmap_destroy(&keyring->keys);
        hmap_destroy(&keyring->nets);
        hmap_destroy(&keyring->peers);
        free(keyring);
    }
}

const char *
keyring_add_peer(struct keyring *keyring, const struct keyring_peer *peer)
{
    bool known = !IN6_IS_ADDR_UNSPECIFIED(&peer->address);

    if (!is_node_number(peer->number)) {
        return "node number out of range";
    }
    if (peer->number == keyring->self) {
        return "peer is self";
    }
    if (known != (peer->port != 0)) {
        return "address and port have to be given together";
    }
    if (known && !is_unicast(&peer->address)) {
        return "not a unicast address";
    }
    if (keyring_peer_find(keyring, peer->number)) {
        return "duplicate peer";
    }
    if (hmap_count(&keyring->peers) >= KEYRING_MAX_PEERS) {
        return "too many peers";
    }

    struct keyring_peer *new = xmemdup(peer, sizeof *peer);
    hmap_insert(&keyring->peers, &new->hmap_node, hash_int(new->number, 0));
    return NULL;
}

const char *
keyring_add_net(struct keyring *keyring, uint32_t vni,
                const struct in6_addr *group)
{
    if (!is_vni(vni)) {
        return "VNI out of range";
    }
    if (group && !is_multicast(group)) {
        return "not a multicast address";
    }
    if (keyring_net_find(keyring, vni)) {
        return "duplicate net";
    }
    if (hmap_count(&keyring->nets) >= KEYRING_MAX_NETS) {
        return "too many nets";
    }

    struct keyring_net *net = xzalloc(sizeof *net);
    net->vni = vni;
    if (group) {
        net->group = *group;
    }
    hmap_init(&net->members);
    hmap_insert(&keyring->nets, &net->hmap_node, hash_int(vni, 0));
    return NULL;
}

const char *
keyring_add_member(struct keyring *keyring, uint32_t vni, uint32_t number)
{
    struct keyring_net *net = keyring_net_find(keyring, vni);
    struct keyring_peer *peer = keyring_peer_find(keyring, number);

    if (!net) {
        return "undeclared net";
    }
    if (number == keyring->self) {
        return "member is self";
    }
    if (!peer) {
        return "undeclared peer";
    }
    if (keyring_member_find(net, number)) {
        return "duplicate member";
    }
    if (keyring->n_members >= KEYRING_MAX_MEMBERS) {
        return "too many members";
    }

    struct keyring_member *member = xzalloc(sizeof *member);
    member->peer = peer;
    hmap_insert(&net->members, &member->hmap_node, hash_int(number, 0));
    keyring->n_members++;
    return NULL;
}

/* The rules on what a key says about its owner. */
static const char *
check_owner(const struct keyring *keyring, const struct keyring_net *net,
            const struct keyring_key *key)
{
    if (key->tx) {
        return (key->number != keyring->self ? "tx key is not self's"
                : net->tx ? "second tx key of this net"
                : NULL);
    }
    return (key->number == keyring->self ? "rx key is self's"
            : !keyring_peer_find(keyring, key->number) ? "undeclared peer"
            : NULL);
}

const char *
keyring_add_key(struct keyring *keyring, const struct keyring_key *key)
{
    struct keyring_net *net = keyring_net_find(keyring, key->key.vni);

    if (!net) {
        return "undeclared net";
    }
    if (!key->key.spi) {
        return "SPI out of range";
    }
    if (key->key.algorithm != AEAD_AES128GCM
        && key->key.algorithm != AEAD_AES256GCM) {
        return "unknown algorithm";
    }
    if (key->key.secret.len != aead_key_len(key->key.algorithm)) {
        return "key has the wrong length";
    }

    const char *error = check_owner(keyring, net, key);
    if (error) {
        return error;
    }
    if (keyring_key_find(keyring, key->key.spi)) {
        return "duplicate SPI";
    }
    if (hmap_count(&keyring->keys) >= KEYRING_MAX_KEYS) {
        return "too many keys";
    }

    struct keyring_key *new = xmemdup(key, sizeof *key);
    hmap_insert(&keyring->keys, &new->hmap_node, hash_int(new->key.spi, 0));
    if (new->tx) {
        net->tx = new;
    }
    return NULL;
}

struct keyring_peer *
keyring_peer_find(const struct keyring *keyring, uint32_t number)
{
    struct keyring_peer *peer;

    HMAP_FOR_EACH_WITH_HASH (peer, hmap_node, hash_int(number, 0),
                             &keyring->peers) {
        if (peer->number == number) {
            return peer;
        }
    }
    return NULL;
}

struct keyring_net *
keyring_net_find(const struct keyring *keyring, uint32_t vni)
{
    struct keyring_net *net;

    HMAP_FOR_EACH_WITH_HASH (net, hmap_node, hash_int(vni, 0),
                             &keyring->nets) {
        if (net->vni == vni) {
            return net;
        }
    }
    return NULL;
}

struct keyring_member *
keyring_member_find(const struct keyring_net *net, uint32_t number)
{
    struct keyring_member *member;

    HMAP_FOR_EACH_WITH_HASH (member, hmap_node, hash_int(number, 0),
                             &net->members) {
        if (member->peer->number == number) {
            return member;
        }
    }
    return NULL;
}

struct keyring_key *
keyring_key_find(const struct keyring *keyring, uint32_t spi)
{
    struct keyring_key *key;

    HMAP_FOR_EACH_WITH_HASH (key, hmap_node, hash_int(spi, 0),
                             &keyring->keys) {
        if (key->key.spi == spi) {
            return key;
        }
    }
    return NULL;
}

bool
keyring_address_parse(const char *s, struct in6_addr *address)
{
    struct in_addr ip;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, s, &ip) == 1) {
        address->s6_addr[10] = address->s6_addr[11] = 0xff;
        memcpy(&address->s6_addr[12], &ip, sizeof ip);
        return true;
    }
    return (inet_pton(AF_INET6, s, address) == 1
            && !IN6_IS_ADDR_V4MAPPED(address));
}

void
keyring_address_format(const struct in6_addr *address,
                       char s[INET6_ADDRSTRLEN])
{
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        inet_ntop(AF_INET, &address->s6_addr[12], s, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET6, address, s, INET6_ADDRSTRLEN);
    }
}
