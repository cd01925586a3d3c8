/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring's text form: parser and serializer. */

#include <config.h>
#include "seal/keyring.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/compiler.h"
#include "seal/records.h"
#include "seal/wire.h"
#include "util.h"

static const char HEADER[] = "vsubnet-keyring";

/* Parser. */

/* What may come next.  Each kind of record may be absent, but none may come
 * after a later one. */
enum stage { STAGE_HEADER, STAGE_SELF, STAGE_PEERS, STAGE_NETS };

struct parser {
    struct records records;
    enum stage stage;
    struct keyring *keyring;    /* NULL until `self'. */
    uint32_t vni;               /* The last `net'; 0: none. */
};

static const char *
parse_header(struct parser *p)
{
    const struct records *r = &p->records;

    if (r->n_fields != 2 || !records_is(r, HEADER)
        || strcmp(r->fields[1], "1")) {
        return "not a keyring of version 1";
    }
    p->stage = STAGE_SELF;
    return NULL;
}

static const char *
parse_self(struct parser *p)
{
    const struct records *r = &p->records;
    uint32_t number;

    if (r->n_fields != 2 || !records_is(r, "self")) {
        return "`self' and a node number have to follow the header";
    }
    if (!records_u32(r->fields[1], 1, WIRE_NODE_MAX, &number)) {
        return "node number out of range";
    }
    p->keyring = keyring_create(number);
    p->stage = STAGE_PEERS;
    return NULL;
}

/* "-" or an address. */
static bool
parse_address(const char *s, struct in6_addr *address)
{
    if (!strcmp(s, "-")) {
        memset(address, 0, sizeof *address);
        return true;
    }
    return (keyring_address_parse(s, address)
            && !IN6_IS_ADDR_UNSPECIFIED(address));
}

static const char *
parse_peer(struct parser *p)
{
    const struct records *r = &p->records;
    struct keyring_peer peer = { .number = 0 };
    uint32_t port;

    if (p->stage != STAGE_PEERS) {
        return "`peer' after `net'";
    }
    if (r->n_fields != 5) {
        return "`peer' needs a number, an address, a port and a revision";
    }
    if (!records_u32(r->fields[1], 1, WIRE_NODE_MAX, &peer.number)) {
        return "node number out of range";
    }
    if (!parse_address(r->fields[2], &peer.address)) {
        return "not an address";
    }
    if (!records_u32(r->fields[3], 0, UINT16_MAX, &port)) {
        return "port out of range";
    }
    peer.port = port;

    char *dot = strchr(r->fields[4], '.');
    if (dot) {
        *dot = '\0';
    }
    if (!dot
        || !records_number(r->fields[4], 0, UINT64_MAX, &peer.generation)
        || !records_number(dot + 1, 0, UINT64_MAX, &peer.revision)) {
        return "not a revision";
    }
    return keyring_add_peer(p->keyring, &peer);
}

static const char *
parse_net(struct parser *p)
{
    const struct records *r = &p->records;
    struct in6_addr group;

    if (r->n_fields != 3) {
        return "`net' needs a VNI and a group";
    }
    if (!records_u32(r->fields[1], 1, WIRE_VNI_MAX, &p->vni)) {
        return "VNI out of range";
    }
    if (!parse_address(r->fields[2], &group)) {
        return "not an address";
    }
    p->stage = STAGE_NETS;
    return keyring_add_net(p->keyring, p->vni,
                           IN6_IS_ADDR_UNSPECIFIED(&group) ? NULL : &group);
}

/* Reads the VNI of a `member' or `key', which has to be the last net's. */
static const char *
parse_vni(struct parser *p)
{
    uint32_t vni;

    if (!records_u32(p->records.fields[1], 1, WIRE_VNI_MAX, &vni)) {
        return "VNI out of range";
    }
    if (vni != p->vni) {
        return (keyring_net_find(p->keyring, vni)
                ? "not below its own net"
                : "undeclared net");
    }
    return NULL;
}

static const char *
parse_member(struct parser *p)
{
    const struct records *r = &p->records;
    uint32_t number;

    if (r->n_fields != 3) {
        return "`member' needs a VNI and a node number";
    }

    const char *error = parse_vni(p);
    if (error) {
        return error;
    }
    if (!records_u32(r->fields[2], 1, WIRE_NODE_MAX, &number)) {
        return "node number out of range";
    }
    return keyring_add_member(p->keyring, p->vni, number);
}

/* Reads the fields of a `key' after the VNI. */
static const char *
parse_key_fields(const struct records *r, struct keyring_key *key)
{
    const char *hex = r->fields[7];

    key->tx = !strcmp(r->fields[2], "tx");
    if (!key->tx && strcmp(r->fields[2], "rx")) {
        return "neither tx nor rx";
    }
    if (!records_u32(r->fields[3], 1, UINT32_MAX, &key->key.spi)) {
        return "SPI out of range";
    }
    if (!records_u32(r->fields[4], 1, WIRE_NODE_MAX, &key->number)) {
        return "node number out of range";
    }
    if (!aead_algorithm_from_string(r->fields[5], &key->key.algorithm)) {
        return "unknown algorithm";
    }
    if (!records_u32(r->fields[6], 0, UINT32_MAX, &key->epoch)) {
        return "epoch out of range";
    }
    if (!secret_from_hex(&key->key.secret, hex, strlen(hex),
                         aead_key_len(key->key.algorithm))) {
        return "key is not hexadecimal or has the wrong length";
    }
    return NULL;
}

static const char *
parse_key(struct parser *p)
{
    const struct records *r = &p->records;

    if (r->n_fields != 8) {
        return "`key' needs seven fields";
    }

    const char *error = parse_vni(p);
    if (error) {
        return error;
    }

    struct keyring_key key = { .key.vni = p->vni };
    error = parse_key_fields(r, &key);
    if (!error) {
        error = keyring_add_key(p->keyring, &key);
    }
    secret_wipe(&key.key.secret);
    return error;
}

static const char *
parse_record(struct parser *p)
{
    const struct records *r = &p->records;

    if (p->stage == STAGE_HEADER) {
        return parse_header(p);
    } else if (p->stage == STAGE_SELF) {
        return parse_self(p);
    }
    return (records_is(r, "peer") ? parse_peer(p)
            : records_is(r, "net") ? parse_net(p)
            : records_is(r, "member") ? parse_member(p)
            : records_is(r, "key") ? parse_key(p)
            : "unknown word");
}

char *
keyring_parse(const char *text, size_t n, struct keyring **keyringp)
{
    struct parser p = { .stage = STAGE_HEADER };
    const char *error = NULL;
    char *message = NULL;

    records_init(&p.records, text, n, KEYRING_MAX_LINE);
    while (!error && records_next(&p.records, &error)) {
        error = parse_record(&p);
    }
    if (!error && !p.keyring) {
        error = (p.stage == STAGE_HEADER
                 ? "not a keyring of version 1"
                 : "no `self'");
    }
    if (error) {
        message = records_error(&p.records, error);
        keyring_destroy(p.keyring);
        p.keyring = NULL;
    }
    records_destroy(&p.records);
    *keyringp = p.keyring;
    return message;
}

/* Serializer. */

/* Room for a line of each kind, all fields at their longest. */
enum {
    FIXED_LINES_ROOM = 128,     /* Header, `self' and `end'. */
    PEER_ROOM = 128,
    NET_ROOM = 80,
    MEMBER_ROOM = 40,
    KEY_ROOM = 160,
};

/* Text that never moves, so that no copy of a key stays behind in freed
 * memory. */
struct text {
    char *s;
    size_t n;
    size_t size;
    size_t n_lines;
};

static void OVS_PRINTF_FORMAT(2, 3)
put_line(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->n;
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text->s + text->n, room, format, args);
    va_end(args);

    ovs_assert(len >= 0 && len + 1 < room);
    text->n += len;
    text->s[text->n++] = '\n';
    text->s[text->n] = '\0';
    text->n_lines++;
}

static int
compare_u32(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_peers(const void *a_, const void *b_)
{
    const struct keyring_peer *const *a = a_;
    const struct keyring_peer *const *b = b_;

    return compare_u32((*a)->number, (*b)->number);
}

static int
compare_members(const void *a_, const void *b_)
{
    const struct keyring_member *const *a = a_;
    const struct keyring_member *const *b = b_;

    return compare_u32((*a)->peer->number, (*b)->peer->number);
}

static int
compare_nets(const void *a_, const void *b_)
{
    const struct keyring_net *const *a = a_;
    const struct keyring_net *const *b = b_;

    return compare_u32((*a)->vni, (*b)->vni);
}

/* By VNI, then tx before rx, then by SPI. */
static int
compare_keys(const void *a_, const void *b_)
{
    const struct keyring_key *const *a = a_;
    const struct keyring_key *const *b = b_;
    int cmp = compare_u32((*a)->key.vni, (*b)->key.vni);

    if (!cmp) {
        cmp = (*b)->tx - (*a)->tx;
    }
    return cmp ? cmp : compare_u32((*a)->key.spi, (*b)->key.spi);
}

/* "-" if there is none. */
static void
format_address(const struct in6_addr *address, char s[INET6_ADDRSTRLEN])
{
    if (IN6_IS_ADDR_UNSPECIFIED(address)) {
        ovs_strlcpy(s, "-", INET6_ADDRSTRLEN);
    } else {
        keyring_address_format(address, s);
    }
}

static void
format_peers(const struct keyring *keyring, struct text *text)
{
    size_t n = hmap_count(&keyring->peers);
    const struct keyring_peer **peers = xmalloc(n * sizeof *peers);
    const struct keyring_peer *peer;
    char address[INET6_ADDRSTRLEN];
    size_t i = 0;

    HMAP_FOR_EACH (peer, hmap_node, &keyring->peers) {
        peers[i++] = peer;
    }
    qsort(peers, n, sizeof *peers, compare_peers);
    for (i = 0; i < n; i++) {
        peer = peers[i];
        format_address(&peer->address, address);
        put_line(text, "peer %"PRIu32" %s %"PRIu16" %"PRIu64".%"PRIu64,
                 peer->number, address, peer->port,
                 peer->generation, peer->revision);
    }
    free(peers);
}

static void
format_members(const struct keyring_net *net, struct text *text)
{
    size_t n = hmap_count(&net->members);
    const struct keyring_member **members = xmalloc(n * sizeof *members);
    const struct keyring_member *member;
    size_t i = 0;

    HMAP_FOR_EACH (member, hmap_node, &net->members) {
        members[i++] = member;
    }
    qsort(members, n, sizeof *members, compare_members);
    for (i = 0; i < n; i++) {
        put_line(text, "member %"PRIu32" %"PRIu32,
                 net->vni, members[i]->peer->number);
    }
    free(members);
}

static void
format_key(const struct keyring_key *key, struct text *text)
{
    char hex[SECRET_HEX_SIZE];

    secret_to_hex(&key->key.secret, hex);
    put_line(text, "key %"PRIu32" %s %"PRIu32" %"PRIu32" %s %"PRIu32" %s",
             key->key.vni, key->tx ? "tx" : "rx", key->key.spi, key->number,
             aead_algorithm_to_string(key->key.algorithm), key->epoch, hex);
    OPENSSL_cleanse(hex, sizeof hex);
}

static void
format_nets(const struct keyring *keyring, struct text *text)
{
    size_t n_nets = hmap_count(&keyring->nets);
    size_t n_keys = hmap_count(&keyring->keys);
    const struct keyring_net **nets = xmalloc(n_nets * sizeof *nets);
    const struct keyring_key **keys = xmalloc(n_keys * sizeof *keys);
    const struct keyring_net *net;
    const struct keyring_key *key;
    char group[INET6_ADDRSTRLEN];
    size_t i = 0;
    size_t k = 0;

    HMAP_FOR_EACH (net, hmap_node, &keyring->nets) {
        nets[i++] = net;
    }
    qsort(nets, n_nets, sizeof *nets, compare_nets);
    HMAP_FOR_EACH (key, hmap_node, &keyring->keys) {
        keys[k++] = key;
    }
    qsort(keys, n_keys, sizeof *keys, compare_keys);

    for (i = k = 0; i < n_nets; i++) {
        format_address(&nets[i]->group, group);
        put_line(text, "net %"PRIu32" %s", nets[i]->vni, group);
        format_members(nets[i], text);
        for (; k < n_keys && keys[k]->key.vni == nets[i]->vni; k++) {
            format_key(keys[k], text);
        }
    }
    free(nets);
    free(keys);
}

char *
keyring_format(const struct keyring *keyring, size_t *n)
{
    struct text text = {
        .size = FIXED_LINES_ROOM
                + hmap_count(&keyring->peers) * PEER_ROOM
                + hmap_count(&keyring->nets) * NET_ROOM
                + keyring->n_members * MEMBER_ROOM
                + hmap_count(&keyring->keys) * KEY_ROOM,
    };

    text.s = xmalloc(text.size);
    put_line(&text, "%s 1", HEADER);
    put_line(&text, "self %"PRIu32, keyring->self);
    format_peers(keyring, &text);
    format_nets(keyring, &text);
    put_line(&text, "end %"PRIuSIZE, text.n_lines);
    *n = text.n;
    return text.s;
}

void
keyring_text_free(char *text, size_t n)
{
    if (text) {
        OPENSSL_cleanse(text, n);
        free(text);
    }
}
