/* SPDX-License-Identifier: Apache-2.0 */
/* The small values that objects of the mapping are made of. */

#include <config.h>
#include "model/types.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/uuid.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

/* Reads an unsigned decimal number without sign, space or leading zero, up to
 * MAX, and moves *SP past it. */
static bool
scan_number(const char **sp, uint64_t max, uint64_t *value)
{
    const char *s = *sp;
    uint64_t v = 0;

    if (!isdigit((unsigned char) *s)
        || (s[0] == '0' && isdigit((unsigned char) s[1]))) {
        return false;
    }
    for (; isdigit((unsigned char) *s); s++) {
        unsigned int digit = *s - '0';

        if (v > (max - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *sp = s;
    *value = v;
    return true;
}

/* Revisions. */

char *
model_revision_parse(const char *s, struct model_revision *revision)
{
    struct model_revision r;
    const char *p = s;

    if (!scan_number(&p, UINT64_MAX, &r.generation) || *p++ != '.'
        || !scan_number(&p, UINT64_MAX, &r.number) || *p) {
        return xasprintf("%.60s: not a revision (GENERATION.NUMBER)", s);
    }
    *revision = r;
    return NULL;
}

/* Returns a number less than, equal to or greater than zero. */
int
model_revision_compare(struct model_revision a, struct model_revision b)
{
    return (a.generation != b.generation
            ? (a.generation < b.generation ? -1 : 1)
            : a.number != b.number ? (a.number < b.number ? -1 : 1) : 0);
}

bool
model_revision_is_zero(struct model_revision r)
{
    return !r.generation && !r.number;
}

/* Addresses. */

/* Parses S, which is LEN bytes long, as an IP address without anything else.
 * inet_pton() is strict about everything but a leading zero in IPv4 octets,
 * which it refuses since glibc 2.26. */
static bool
parse_ip(const char *s, size_t len, struct in6_addr *ip)
{
    char buf[INET6_ADDRSTRLEN];
    ovs_be32 ip4;

    if (len >= sizeof buf) {
        return false;
    }
    memcpy(buf, s, len);
    buf[len] = '\0';
    if (inet_pton(AF_INET, buf, &ip4) == 1) {
        in6_addr_set_mapped_ipv4(ip, ip4);
        return true;
    }
    /* A v4-mapped address would be two spellings of one address. */
    return inet_pton(AF_INET6, buf, ip) == 1 && !IN6_IS_ADDR_V4MAPPED(ip);
}

static void
format_ip(const struct in6_addr *ip, char *buf, size_t size)
{
    ovs_be32 ip4 = in6_addr_get_mapped_ipv4(ip);

    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        inet_ntop(AF_INET, &ip4, buf, size);
    } else {
        inet_ntop(AF_INET6, ip, buf, size);
    }
}

bool
model_address_is_ipv4(const struct model_address *a)
{
    return IN6_IS_ADDR_V4MAPPED(&a->ip);
}

bool
model_address_is_unicast(const struct model_address *a)
{
    if (model_address_is_ipv4(a)) {
        uint32_t ip4 = ntohl(in6_addr_get_mapped_ipv4(&a->ip));
        return ip4 && ip4 >> 28 < 14;
    }
    return (!ipv6_addr_is_multicast(&a->ip)
            && !IN6_IS_ADDR_UNSPECIFIED(&a->ip));
}

char *
model_address_parse(const char *s, struct model_address *address)
{
    struct model_address a = { .plen = -1 };
    const char *slash = strchr(s, '/');
    size_t len = slash ? slash - s : strlen(s);

    if (!parse_ip(s, len, &a.ip)) {
        return xasprintf("%.60s: not an IPv4 or IPv6 address", s);
    }
    if (slash) {
        const char *p = slash + 1;
        uint64_t plen;

        if (!scan_number(&p, model_address_is_ipv4(&a) ? 32 : 128, &plen)
            || *p) {
            return xasprintf("%.60s: bad prefix length", s);
        }
        a.plen = plen;
    }
    *address = a;
    return NULL;
}

/* Returns the prefix length of A as that of an IPv6 address; that of a single
 * address if it has none. */
static unsigned int
plen6(const struct model_address *a)
{
    return (a->plen < 0 ? 128
            : model_address_is_ipv4(a) ? a->plen + 96 : a->plen);
}

static struct in6_addr
network_of(const struct in6_addr *ip, unsigned int plen)
{
    struct in6_addr mask = ipv6_create_mask(plen);
    return ipv6_addr_bitand(ip, &mask);
}

/* A range that a vSubnet may have: a prefix without host bits, of unicast
 * addresses, that has room for hosts. */
char *
model_subnet_parse(const char *s, struct model_address *subnet)
{
    struct model_address a;
    char *error = model_address_parse(s, &a);

    if (error) {
        return error;
    }
    if (a.plen < 0) {
        return xasprintf("%s: prefix length missing", s);
    }
    bool v4 = model_address_is_ipv4(&a);
    if (a.plen < (v4 ? 8 : 16) || a.plen > (v4 ? 30 : 126)) {
        return xasprintf("%s: prefix length must be %s", s,
                         v4 ? "8 to 30" : "16 to 126");
    }
    struct in6_addr network = network_of(&a.ip, plen6(&a));
    if (!ipv6_addr_equals(&network, &a.ip)) {
        return xasprintf("host bits set in %s", s);
    }
    if (v4) {
        uint32_t ip = ntohl(in6_addr_get_mapped_ipv4(&a.ip));
        uint8_t first = ip >> 24;

        if (!first || first == 127 || first >= 224) {
            return xasprintf("%s: not a unicast range", s);
        }
    } else if (ipv6_addr_is_multicast(&a.ip) || !a.ip.s6_addr[0]
               || IN6_IS_ADDR_LINKLOCAL(&a.ip)) {
        return xasprintf("%s: not a unicast range", s);
    }
    *subnet = a;
    return NULL;
}

bool
model_address_same_ip(const struct model_address *a,
                      const struct model_address *b)
{
    return ipv6_addr_equals(&a->ip, &b->ip);
}

bool
model_address_equals(const struct model_address *a,
                     const struct model_address *b)
{
    return model_address_same_ip(a, b) && a->plen == b->plen;
}

/* An order for sorting: IPv4 before IPv6, then by number. */
int
model_address_compare(const struct model_address *a,
                      const struct model_address *b)
{
    bool a4 = model_address_is_ipv4(a);
    int cmp = model_address_is_ipv4(b) - a4;

    cmp = cmp ? cmp : memcmp(&a->ip, &b->ip, sizeof a->ip);
    return cmp ? cmp : a->plen - b->plen;
}

bool
model_subnet_contains(const struct model_address *subnet,
                      const struct model_address *a)
{
    struct in6_addr network = network_of(&subnet->ip, plen6(subnet));
    struct in6_addr of_a = network_of(&a->ip, plen6(subnet));

    return (model_address_is_ipv4(subnet) == model_address_is_ipv4(a)
            && ipv6_addr_equals(&network, &of_a));
}

bool
model_subnets_overlap(const struct model_address *a,
                      const struct model_address *b)
{
    return (plen6(a) <= plen6(b)
            ? model_subnet_contains(a, b) : model_subnet_contains(b, a));
}

uint32_t
model_address_hash(const struct model_address *a, uint32_t basis)
{
    return hash_bytes(&a->ip, sizeof a->ip, basis);
}

const char *
model_address_string(const struct model_address *a,
                     char buf[MODEL_ADDRESS_STRLEN])
{
    format_ip(&a->ip, buf, MODEL_ADDRESS_STRLEN);
    if (a->plen >= 0) {
        size_t len = strlen(buf);
        snprintf(buf + len, MODEL_ADDRESS_STRLEN - len, "/%u",
                 (unsigned int) a->plen);
    }
    return buf;
}

void
model_address_format(const struct model_address *a, struct ds *ds)
{
    char buf[MODEL_ADDRESS_STRLEN];
    ds_put_cstr(ds, model_address_string(a, buf));
}

/* Endpoints. */

static bool
ip_is_unicast(const struct in6_addr *ip)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        uint32_t ip4 = ntohl(in6_addr_get_mapped_ipv4(ip));
        return ip4 >> 24 && ip4 >> 28 < 14;
    }
    return !ipv6_addr_is_multicast(ip) && !IN6_IS_ADDR_UNSPECIFIED(ip);
}

char *
model_endpoint_parse(const char *s, struct model_endpoint *endpoint)
{
    struct model_endpoint e;
    bool brackets = *s == '[';
    const char *start = s + brackets;
    const char *end = brackets ? strchr(s, ']') : strchr(s, ':');
    const char *p = end ? end + brackets : NULL;
    uint64_t port;

    if (!p || *p++ != ':' || !parse_ip(start, end - start, &e.ip)
        || IN6_IS_ADDR_V4MAPPED(&e.ip) == brackets) {
        return xasprintf("%.60s: not an endpoint (ADDR:PORT or "
                         "[ADDR6]:PORT)", s);
    }
    if (!scan_number(&p, UINT16_MAX, &port) || *p || !port) {
        return xasprintf("%.60s: port must be 1 to 65535", s);
    }
    if (!ip_is_unicast(&e.ip)) {
        return xasprintf("%.60s: not a unicast address", s);
    }
    e.port = port;
    *endpoint = e;
    return NULL;
}

char *
model_endpoints_parse(const char *list, struct model_endpoint **endpoints,
                      size_t *n)
{
    char *copy = xstrdup(list), *save_ptr = NULL, *error = NULL;

    *endpoints = xcalloc(MODEL_ENDPOINTS_MAX, sizeof **endpoints);
    *n = 0;
    for (char *s = strtok_r(copy, ", ", &save_ptr); s && !error;
         s = strtok_r(NULL, ", ", &save_ptr)) {
        error = (*n >= MODEL_ENDPOINTS_MAX
                 ? xstrdup("too many endpoints")
                 : model_endpoint_parse(s, &(*endpoints)[*n]));
        *n += !error;
    }
    free(copy);
    if (error) {
        free(*endpoints);
        *endpoints = NULL;
        *n = 0;
    }
    return error;
}

bool
model_endpoint_is_ipv4(const struct model_endpoint *e)
{
    return IN6_IS_ADDR_V4MAPPED(&e->ip);
}

bool
model_endpoint_equals(const struct model_endpoint *a,
                      const struct model_endpoint *b)
{
    return ipv6_addr_equals(&a->ip, &b->ip) && a->port == b->port;
}

const char *
model_endpoint_string(const struct model_endpoint *e,
                      char buf[MODEL_ENDPOINT_STRLEN])
{
    char ip[INET6_ADDRSTRLEN];

    format_ip(&e->ip, ip, sizeof ip);
    snprintf(buf, MODEL_ENDPOINT_STRLEN,
             model_endpoint_is_ipv4(e) ? "%s:%"PRIu16 : "[%s]:%"PRIu16,
             ip, e->port);
    return buf;
}

void
model_endpoint_format(const struct model_endpoint *e, struct ds *ds)
{
    char buf[MODEL_ENDPOINT_STRLEN];
    ds_put_cstr(ds, model_endpoint_string(e, buf));
}

/* Algorithms. */

static const struct {
    enum model_algorithm algorithm;
    const char *name;
    size_t key_size;
} algorithms[] = {
    { MODEL_AES128GCM, "aes128gcm", 16 },
    { MODEL_AES256GCM, "aes256gcm", 32 },
};

char *
model_algorithm_parse(const char *s, enum model_algorithm *algorithm)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (!strcmp(s, algorithms[i].name)) {
            *algorithm = algorithms[i].algorithm;
            return NULL;
        }
    }
    return xasprintf("%.60s: not an algorithm (aes128gcm or aes256gcm)", s);
}

const char *
model_algorithm_name(enum model_algorithm algorithm)
{
    return algorithms[algorithm == MODEL_AES256GCM].name;
}

size_t
model_algorithm_key_size(enum model_algorithm algorithm)
{
    return algorithms[algorithm == MODEL_AES256GCM].key_size;
}

/* Secrets. */

/* Overwrites memory in a way that the compiler can't leave out. */
void
model_wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}

void
model_wiping_free(void *p)
{
    if (p) {
        model_wipe(p, malloc_usable_size(p));
        free(p);
    }
}

void *
model_wiping_realloc(void *old, size_t n)
{
    void *new = malloc(n);

    if (new && old) {
        memcpy(new, old, MIN(n, malloc_usable_size(old)));
        model_wiping_free(old);
    }
    return new;
}

/* N must be at most MODEL_KEY_MAX. */
void
model_secret_set(struct model_secret *secret, const void *bytes, size_t n)
{
    ovs_assert(n <= sizeof secret->bytes);
    model_secret_wipe(secret);
    memcpy(secret->bytes, bytes, n);
    secret->size = n;
}

void
model_secret_wipe(struct model_secret *secret)
{
    model_wipe(secret, sizeof *secret);
}

/* Takes a time that depends on the sizes only. */
bool
model_secret_equals(const struct model_secret *a,
                    const struct model_secret *b)
{
    uint8_t difference = 0;

    for (size_t i = 0; i < MIN(a->size, b->size); i++) {
        difference |= a->bytes[i] ^ b->bytes[i];
    }
    return a->size == b->size && !difference;
}

/* Base64. */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
model_base64_size(size_t n)
{
    return (n + 2) / 3 * 4 + 1;
}

void
model_base64_encode(const void *bytes_, size_t n, char *out)
{
    const uint8_t *bytes = bytes_;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (bytes[i] << 16
                      | (left > 1 ? bytes[i + 1] << 8 : 0)
                      | (left > 2 ? bytes[i + 2] : 0));

        *out++ = base64_digits[v >> 18];
        *out++ = base64_digits[v >> 12 & 63];
        *out++ = left > 1 ? base64_digits[v >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_digits[v & 63] : '=';
    }
    *out = '\0';
}

static int
base64_value(char c)
{
    const char *p = c ? strchr(base64_digits, c) : NULL;
    return p ? p - base64_digits : -1;
}

/* Decodes S into at most MAX bytes.  There is one spelling of each value:
 * bits beyond the last byte must be zero. */
bool
model_base64_decode(const char *s, void *out_, size_t max, size_t *n)
{
    uint8_t *out = out_;
    size_t len = strlen(s);
    size_t done = 0;

    if (len % 4) {
        return false;
    }
    for (size_t i = 0; i < len; i += 4) {
        bool last = i + 4 == len;
        int pad = last ? (s[i + 3] == '=') + (s[i + 2] == '='
                                              && s[i + 3] == '=') : 0;
        uint32_t v = 0;

        for (int j = 0; j < 4; j++) {
            int digit = j >= 4 - pad ? 0 : base64_value(s[i + j]);
            if (digit < 0) {
                return false;
            }
            v = v << 6 | digit;
        }
        if (v & ((1u << 8 * pad) - 1) || done + 3 - pad > max) {
            return false;
        }
        for (int j = 0; j < 3 - pad; j++) {
            out[done++] = v >> (16 - 8 * j);
        }
    }
    *n = done;
    return true;
}

/* Rules. */

char *
model_check_name(const char *s)
{
    size_t len = strlen(s);

    if (!len) {
        return xstrdup("a name must not be empty");
    }
    if (len > MODEL_NAME_MAX) {
        return xasprintf("a name has at most %d characters", MODEL_NAME_MAX);
    }
    if (strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != len
        || *s == '-') {
        return xasprintf("%s: a name consists of a-z, 0-9 and '-', and does "
                         "not begin with '-'", s);
    }
    return NULL;
}

char *
model_check_node_name(const char *s)
{
    char *error = model_check_name(s);
    struct uuid uuid;

    if (error) {
        return error;
    }
    if (strspn(s, "0123456789") == strlen(s) || uuid_from_string(&uuid, s)) {
        return xasprintf("%s: the name of a node must not be a number or a "
                         "UUID", s);
    }
    return NULL;
}

char *
model_check_domain(const char *s)
{
    const char *start = s;

    for (const char *p = s; ; p++) {
        if (*p == '.' || !*p) {
            if (p == start || p - start > 63 || *start == '-'
                || p[-1] == '-') {
                break;
            }
            if (!*p) {
                return (p - s <= 253 ? NULL
                        : xstrdup("longer than 253 characters"));
            }
            start = p + 1;
        } else if (!isalnum((unsigned char) *p) && *p != '-') {
            break;
        }
    }
    return xasprintf("%.60s: not the name of a domain", s);
}

/* Other strings, in UTF-8, that people or hosts make up: without control
 * characters (0xc2 begins the C1 set), so that they do no harm in a terminal
 * or a log. */
/* U+2028, U+2029 separate lines and paragraphs; U+200E, U+200F, U+202A to
 * U+202E, U+2066 to U+2069 change the direction of what follows. */
size_t
model_control_length(const char *s_)
{
    const unsigned char *s = (const unsigned char *) s_;

    if (s[0] && (s[0] < ' ' || s[0] == 0x7f)) {
        return 1;
    } else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
        return 2;
    } else if (s[0] == 0xe2
               && ((s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f
                                     || (s[2] >= 0xa8 && s[2] <= 0xae)))
                   || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9))) {
        return 3;
    }
    return 0;
}

char *
model_check_text(const char *s)
{
    size_t len = strlen(s);

    if (len > MODEL_TEXT_MAX) {
        return xasprintf("longer than %d bytes", MODEL_TEXT_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if (model_control_length(&s[i])) {
            return xstrdup("control character");
        }
    }
    return NULL;
}

char *
model_check_vni(int64_t vni)
{
    return (vni < 1 || vni > MODEL_VNI_MAX
            ? xasprintf("%"PRId64": a VNI is 1 to %d", vni, MODEL_VNI_MAX)
            : NULL);
}

char *
model_check_node_number(int64_t number)
{
    return (number < 1 || number > MODEL_NODE_MAX
            ? xasprintf("%"PRId64": a node number is 1 to %d",
                        number, MODEL_NODE_MAX)
            : NULL);
}

/* A MAC address that a port may have: six pairs of hex digits, unicast, not
 * zero. */
char *
model_mac_parse(const char *s, struct eth_addr *mac)
{
    struct eth_addr ea;

    if (strlen(s) != ETH_ADDR_STRLEN || !eth_addr_from_string(s, &ea)) {
        return xasprintf("%.60s: not a MAC address "
                         "(xx:xx:xx:xx:xx:xx)", s);
    }
    if (eth_addr_is_multicast(ea) || eth_addr_is_zero(ea)) {
        return xasprintf("%s: not a unicast MAC address", s);
    }
    *mac = ea;
    return NULL;
}

ovs_be32
model_tunnel_address(uint32_t number)
{
    return htonl(UINT32_C(0xf0000000) | number);
}

struct eth_addr
model_host_mac(uint32_t number)
{
    struct eth_addr mac = ETH_ADDR_C(06,76,00,00,00,00);

    mac.ea[2] = number >> 24;
    mac.ea[3] = number >> 16;
    mac.ea[4] = number >> 8;
    mac.ea[5] = number;
    return mac;
}
