/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/seal: secrets, the keyring and its file. */

#include <config.h>
#include "unit-seal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "command-line.h"
#include "openvswitch/dynamic-string.h"
#include "seal/keyring-file.h"
#include "seal/keyring.h"
#include "seal/private-file.h"
#include "seal/secret.h"
#include "seal/wire.h"
#include "util.h"

#define KEY1 "00112233445566778899aabbccddeeff"
#define KEY2 "ffeeddccbbaa99887766554433221100"
#define KEY3 KEY1 KEY2

/* The first lines of most of the files below; six of them. */
#define HEAD "vsubnet-keyring 1\nself 7\n"
#define PEERS HEAD "peer 9 10.0.0.9 8002 3.41\npeer 12 - 0 3.40\n"
#define NETS PEERS "net 5001 -\nmember 5001 9\n"
#define TX "key 5001 tx 161 7 aes128gcm 1 " KEY1 "\n"
#define RX "key 5001 rx 178 9 aes128gcm 4 " KEY2 "\n"

void
test_secret(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *hex;
        size_t len;
        bool good;
    } rows[] = {
        { KEY1, 16, true },
        { KEY3, 32, true },
        { KEY1, 32, false },
        { KEY3, 16, false },
        { "00112233445566778899AABBCCDDEEFF", 16, false },
        { "0011223344556677 899aabbccddeeff", 16, false },
        { "00112233445566778899aabbccddeefg", 16, false },
        { "0x112233445566778899aabbccddeeff", 16, false },
        { "0", 0, false },
    };
    struct secret a, b;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char hex[SECRET_HEX_SIZE];

        CHECK(secret_from_hex(&a, rows[i].hex, strlen(rows[i].hex),
                              rows[i].len) == rows[i].good,
              "row %"PRIuSIZE, i);
        CHECK(a.len == (rows[i].good ? rows[i].len : 0));
        secret_to_hex(&a, hex);
        CHECK(!strcmp(hex, rows[i].good ? rows[i].hex : ""));
    }

    secret_set(&a, "0123456789abcdef", 16);
    secret_set(&b, "0123456789abcdeF", 16);
    CHECK(!secret_equal(&a, &b));
    b = a;
    CHECK(secret_equal(&a, &b));
    b.len--;
    CHECK(!secret_equal(&a, &b));

    static const struct secret empty;
    secret_wipe(&a);
    CHECK(!memcmp(&a, &empty, sizeof a));
}

/* 'body' and the `end' line that suits it. */
static char *
with_end(const char *body)
{
    int n_lines = 0;

    for (const char *p = body; *p; p++) {
        n_lines += *p == '\n';
    }
    return xasprintf("%send %d\n", body, n_lines);
}

/* Texts that are already as the serializer writes them. */
static const char *good_texts[] = {
    HEAD,
    PEERS,
    NETS,
    NETS TX RX,
    NETS RX,
    NETS TX "key 5001 rx 178 9 aes256gcm 4294967295 " KEY3 "\n"
        "key 5001 rx 179 9 aes128gcm 0 " KEY2 "\n",
    /* An rx key of a peer that is no member. */
    NETS "key 5001 rx 178 12 aes128gcm 4 " KEY2 "\n",
    HEAD "peer 1 fd00::9 1 0.0\n"
        "peer 268435454 192.0.2.1 65535 "
        "18446744073709551615.18446744073709551615\n",
    HEAD "net 1 -\nnet 2 239.1.2.3\nnet 16777215 ff05::1234\n",
    PEERS "net 1 -\nmember 1 9\nmember 1 12\n"
        "key 1 tx 4294967295 7 aes128gcm 1 " KEY1 "\n"
        "net 2 -\nmember 2 12\nkey 2 tx 1 7 aes256gcm 9 " KEY3 "\n",
};

void
test_keyring_good(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(good_texts); i++) {
        char *text = with_end(good_texts[i]);
        struct keyring *keyring;
        char *error = keyring_parse(text, strlen(text), &keyring);
        size_t n;

        CHECK(!error, "%s: %s", text, error);
        char *again = keyring_format(keyring, &n);
        CHECK(n == strlen(text) && !strcmp(text, again), "%s\n%s",
              text, again);
        keyring_text_free(again, n);
        keyring_destroy(keyring);
        free(text);
    }

    /* Records that may stand in any order are sorted. */
    char *text = with_end(HEAD "peer 12 - 0 3.40\npeer 9 - 0 3.41\nnet 8 -\n"
                          "key 8 rx 1 9 aes128gcm 4 " KEY2 "\nmember 8 12\n"
                          "key 8 tx 2 7 aes128gcm 4 " KEY1 "\nmember 8 9\n"
                          "net 3 -\n");
    char *want = with_end(HEAD "peer 9 - 0 3.41\npeer 12 - 0 3.40\nnet 3 -\n"
                          "net 8 -\nmember 8 9\nmember 8 12\n"
                          "key 8 tx 2 7 aes128gcm 4 " KEY1 "\n"
                          "key 8 rx 1 9 aes128gcm 4 " KEY2 "\n");
    struct keyring *keyring;
    char *error = keyring_parse(text, strlen(text), &keyring);
    size_t n;

    CHECK(!error, "%s", error);
    char *got = keyring_format(keyring, &n);
    CHECK(!strcmp(got, want), "%s", got);
    keyring_text_free(got, n);
    keyring_destroy(keyring);
    free(text);
    free(want);
}

/* Texts that break a rule: in which line, and which.  The `end' line is added
 * unless the text has one. */
static const struct {
    const char *text;
    unsigned int line;
    const char *rule;
} bad_texts[] = {
    /* The file as such. */
    { "", 1, "not a keyring" },
    { HEAD "end 3\n", 3, "number of lines" },
    { HEAD "end 1\n", 3, "number of lines" },
    { HEAD "end\n", 3, "number of lines" },
    { HEAD "end 2 2\n", 3, "number of lines" },
    { HEAD "end 02\n", 3, "number of lines" },
    { HEAD "end 2", 3, "cut off" },
    { HEAD "end 2\n\n", 4, "after the `end'" },
    { HEAD "end 2\nend 3\n", 4, "after the `end'" },
    { HEAD "end 2\nx", 4, "after the `end'" },
    { "vsubnet-keyring 2\nself 7\n", 1, "not a keyring" },
    { "vsubnet-keyring\nself 7\n", 1, "not a keyring" },
    { "vsubnet-keyring 1 1\nself 7\n", 1, "not a keyring" },
    { "vsubnet-sessions 1\nself 7\n", 1, "not a keyring" },
    { "self 7\n", 1, "not a keyring" },
    { "vsubnet-keyring 1\n", 2, "no `self'" },

    /* Lines as such. */
    { HEAD "\n", 3, "empty" },
    { HEAD "# a comment\n", 3, "unknown word" },
    { HEAD "what 1\n", 3, "unknown word" },
    { HEAD " peer 9 - 0 3.41\n", 3, "empty" },
    { HEAD "peer  9 - 0 3.41\n", 3, "empty" },
    { HEAD "peer 9 - 0 3.41 \n", 3, "empty" },
    { HEAD "peer\t9 - 0 3.41\n", 3, "invalid character" },
    { HEAD "peer 9 - 0 3.41\r\n", 3, "invalid character" },
    { HEAD "peer 9 - 0 3.41\x7f\n", 3, "invalid character" },
    { HEAD "peer 9 - 0 3.41\xc3\xa4\n", 3, "invalid character" },
    { HEAD "peer 9 1 2 3 4 5 6 7 8\n", 3, "too many fields" },
    { HEAD "Peer 9 - 0 3.41\n", 3, "unknown word" },

    /* Order. */
    { "vsubnet-keyring 1\npeer 9 - 0 3.41\n", 2, "`self'" },
    { HEAD "self 7\n", 3, "unknown word" },
    { HEAD "vsubnet-keyring 1\n", 3, "unknown word" },
    { NETS "peer 13 - 0 3.41\n", 7, "after `net'" },
    { NETS "net 5002 -\nmember 5001 12\n", 8, "below its own net" },
    { NETS "net 5002 -\n" TX, 8, "below its own net" },
    { PEERS "member 5001 9\n", 5, "undeclared net" },
    { PEERS TX, 5, "undeclared net" },
    { NETS "member 5002 9\n", 7, "undeclared net" },

    /* self */
    { "vsubnet-keyring 1\nself 0\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself 268435455\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself -7\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself +7\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself 07\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself 7x\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself 0x7\n", 2, "out of range" },
    { "vsubnet-keyring 1\nself\n", 2, "`self'" },
    { "vsubnet-keyring 1\nself 7 7\n", 2, "`self'" },

    /* peer */
    { HEAD "peer 9 - 0\n", 3, "`peer' needs" },
    { HEAD "peer 9 - 0 3.41 1\n", 3, "`peer' needs" },
    { HEAD "peer 0 - 0 3.41\n", 3, "out of range" },
    { HEAD "peer 268435455 - 0 3.41\n", 3, "out of range" },
    { HEAD "peer 4294967305 - 0 3.41\n", 3, "out of range" },
    { HEAD "peer 18446744073709551625 - 0 3.41\n", 3, "out of range" },
    { HEAD "peer 7 - 0 3.41\n", 3, "is self" },
    { PEERS "peer 9 - 0 3.41\n", 5, "duplicate peer" },
    { HEAD "peer 9 10.0.0.9 0 3.41\n", 3, "together" },
    { HEAD "peer 9 - 8002 3.41\n", 3, "together" },
    { HEAD "peer 9 10.0.0.9 65536 3.41\n", 3, "port" },
    { HEAD "peer 9 10.0.0.9 -1 3.41\n", 3, "port" },
    { HEAD "peer 9 10.0.0.256 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 10.0.0 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 host.example 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 [fd00::9] 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 fe80::9%eth0 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 ::ffff:10.0.0.9 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 :: 8002 3.41\n", 3, "not an address" },
    { HEAD "peer 9 0.0.0.0 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 224.0.0.0 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 224.0.0.1 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 240.0.0.9 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 255.255.255.255 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 ff02::1 8002 3.41\n", 3, "not a unicast" },
    { HEAD "peer 9 - 0 3\n", 3, "revision" },
    { HEAD "peer 9 - 0 3.\n", 3, "revision" },
    { HEAD "peer 9 - 0 .41\n", 3, "revision" },
    { HEAD "peer 9 - 0 3.41.1\n", 3, "revision" },
    { HEAD "peer 9 - 0 3.041\n", 3, "revision" },
    { HEAD "peer 9 - 0 18446744073709551616.0\n", 3, "revision" },

    /* net */
    { PEERS "net 5001\n", 5, "`net' needs" },
    { PEERS "net 5001 - -\n", 5, "`net' needs" },
    { PEERS "net 0 -\n", 5, "VNI" },
    { PEERS "net 16777216 -\n", 5, "VNI" },
    { PEERS "net 5001 10.0.0.9\n", 5, "not a multicast" },
    { PEERS "net 5001 fd00::9\n", 5, "not a multicast" },
    { PEERS "net 5001 all\n", 5, "not an address" },
    { NETS "net 5001 -\n", 7, "duplicate net" },

    /* member */
    { NETS "member 5001\n", 7, "`member' needs" },
    { NETS "member 5001 12 12\n", 7, "`member' needs" },
    { NETS "member 5001 9\n", 7, "duplicate member" },
    { NETS "member 5001 7\n", 7, "is self" },
    { NETS "member 5001 13\n", 7, "undeclared peer" },
    { NETS "member 5001 0\n", 7, "out of range" },
    { NETS "member 16777216 12\n", 7, "VNI" },

    /* key */
    { NETS "key 5001 tx 161 7 aes128gcm 1\n", 7, "`key' needs" },
    { NETS "key 5001 tx 161 7 aes128gcm 1 " KEY1 " x\n", 7, "too many" },
    { NETS "key 5001 up 161 7 aes128gcm 1 " KEY1 "\n", 7, "neither tx" },
    { NETS "key 5001 tx 0 7 aes128gcm 1 " KEY1 "\n", 7, "SPI" },
    { NETS "key 5001 tx 4294967296 7 aes128gcm 1 " KEY1 "\n", 7, "SPI" },
    { NETS "key 5001 tx 161 0 aes128gcm 1 " KEY1 "\n", 7, "out of range" },
    { NETS "key 5001 tx 161 9 aes128gcm 1 " KEY1 "\n", 7, "not self's" },
    { NETS "key 5001 rx 161 7 aes128gcm 1 " KEY1 "\n", 7, "is self's" },
    { NETS "key 5001 rx 161 13 aes128gcm 1 " KEY1 "\n", 7, "undeclared" },
    { NETS "key 5001 tx 161 7 aes192gcm 1 " KEY1 "\n", 7, "algorithm" },
    { NETS "key 5001 tx 161 7 null 1 " KEY1 "\n", 7, "algorithm" },
    { NETS "key 5001 tx 161 7 aes128gcm 4294967296 " KEY1 "\n", 7, "epoch" },
    { NETS "key 5001 tx 161 7 aes128gcm -1 " KEY1 "\n", 7, "epoch" },
    { NETS "key 5001 tx 161 7 aes128gcm 1 " KEY3 "\n", 7, "wrong length" },
    { NETS "key 5001 tx 161 7 aes256gcm 1 " KEY1 "\n", 7, "wrong length" },
    { NETS "key 5001 tx 161 7 aes128gcm 1 0" KEY1 "\n", 7, "wrong length" },
    { NETS "key 5001 tx 161 7 aes128gcm 1 00112233445566778899AABBCCDDEEFF"
      "\n", 7, "hexadecimal" },
    { NETS TX "key 5001 tx 162 7 aes128gcm 2 " KEY2 "\n", 8, "second tx" },
    { NETS TX "key 5001 rx 161 9 aes128gcm 4 " KEY2 "\n", 8, "duplicate SPI" },
    { NETS TX RX RX, 9, "duplicate SPI" },
    { NETS TX "net 2 -\nkey 2 tx 161 7 aes128gcm 1 " KEY2 "\n", 9,
      "duplicate SPI" },
};

/* Nothing that could have come from a key, or from any field, is in an error:
 * it has one number, the line's. */
static void
check_error(const char *text, const char *error, unsigned int line,
            const char *rule)
{
    char *prefix = xasprintf("line %u: ", line);

    CHECK(!strncmp(error, prefix, strlen(prefix)), "%s: %s", text, error);
    CHECK(strstr(error, rule), "%s: %s", text, error);
    for (const char *p = error + strlen(prefix); *p; p++) {
        CHECK(!isdigit((unsigned char) *p)
              || !strncmp(p, "1", strlen(p)), "%s: %s", text, error);
    }
    free(prefix);
}

void
test_keyring_bad(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
        const char *body = bad_texts[i].text;
        char *text = strstr(body, "end") ? xstrdup(body) : with_end(body);
        struct keyring *keyring;
        char *error = keyring_parse(text, strlen(text), &keyring);

        CHECK(error && !keyring, "%s", text);
        check_error(text, error, bad_texts[i].line, bad_texts[i].rule);
        free(error);
        free(text);
    }

    /* A null byte. */
    static const char null[] = HEAD "pe\0r 9 - 0 3.41\nend 3\n";
    struct keyring *keyring;
    char *error = keyring_parse(null, sizeof null - 1, &keyring);
    CHECK(error && !keyring);
    check_error("null byte", error, 3, "invalid character");
    free(error);

    /* The longest line, and one byte more. */
    for (int n = KEYRING_MAX_LINE; n <= KEYRING_MAX_LINE + 1; n++) {
        char *text = xasprintf(HEAD "%0*d\nend 3\n", n, 0);

        error = keyring_parse(text, strlen(text), &keyring);
        CHECK(error && !keyring);
        check_error("long line", error, 3, (n > KEYRING_MAX_LINE
                                            ? "too long" : "unknown word"));
        free(error);
        free(text);
    }
}

/* Cut at every length, a keyring is refused, and nothing after the cut is
 * read. */
void
test_keyring_truncated(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    char *text = with_end(NETS TX RX);

    for (size_t n = 0; n < strlen(text); n++) {
        char *cut = n ? xmemdup(text, n) : xmalloc(1);
        struct keyring *keyring;
        char *error = keyring_parse(cut, n, &keyring);

        CHECK(error && !keyring, "%"PRIuSIZE" bytes", n);
        free(error);
        free(cut);
    }
    free(text);
}

void
test_keyring_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct keyring *keyring = keyring_create(WIRE_NODE_MAX);
    uint32_t i;

    for (i = 1; i <= KEYRING_MAX_PEERS; i++) {
        const struct keyring_peer peer = { .number = i };

        CHECK(!keyring_add_peer(keyring, &peer));
    }
    const struct keyring_peer peer = { .number = i };
    CHECK(!strcmp(keyring_add_peer(keyring, &peer), "too many peers"));

    for (i = 1; i <= KEYRING_MAX_NETS; i++) {
        CHECK(!keyring_add_net(keyring, i, NULL));
    }
    CHECK(!strcmp(keyring_add_net(keyring, i, NULL), "too many nets"));

    for (i = 0; i < KEYRING_MAX_MEMBERS; i++) {
        CHECK(!keyring_add_member(keyring, 1 + i % KEYRING_MAX_NETS,
                                  1 + i / KEYRING_MAX_NETS));
    }
    CHECK(!strcmp(keyring_add_member(keyring, 1, KEYRING_MAX_PEERS),
                  "too many members"));

    struct keyring_key key = {
        .key = make_key(AEAD_AES128GCM, 0, 1), .number = 1
    };
    for (i = 1; i <= KEYRING_MAX_KEYS; i++) {
        key.key.spi = i;
        CHECK(!keyring_add_key(keyring, &key));
    }
    key.key.spi = i;
    CHECK(!strcmp(keyring_add_key(keyring, &key), "too many keys"));
    keyring_destroy(keyring);
}

/* What the parser can't be given, but a program could. */
void
test_keyring_api(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    CHECK(!keyring_create(0));
    CHECK(!keyring_create(WIRE_NODE_MAX + 1));

    char *text = with_end(NETS TX RX);
    struct keyring *keyring;
    char *error = keyring_parse(text, strlen(text), &keyring);
    CHECK(!error, "%s", error);

    /* Lookups. */
    struct keyring_peer *peer = keyring_peer_find(keyring, 9);
    CHECK(peer && peer->port == 8002 && peer->generation == 3
          && peer->revision == 41);
    char address[INET6_ADDRSTRLEN];
    keyring_address_format(&peer->address, address);
    CHECK(!strcmp(address, "10.0.0.9"));
    CHECK(!keyring_peer_find(keyring, 10));

    struct keyring_net *net = keyring_net_find(keyring, 5001);
    CHECK(net && keyring_member_find(net, 9)->peer == peer);
    CHECK(!keyring_member_find(net, 12));
    CHECK(!keyring_net_find(keyring, 5002));

    struct keyring_key *tx = keyring_key_find(keyring, 161);
    struct keyring_key *rx = keyring_key_find(keyring, 178);
    CHECK(tx && tx == net->tx && tx->tx && tx->number == 7 && tx->epoch == 1);
    CHECK(rx && !rx->tx && rx->number == 9 && rx->epoch == 4
          && rx->key.vni == 5001 && rx->key.algorithm == AEAD_AES128GCM);
    CHECK(!keyring_key_find(keyring, 179));

    struct secret want;
    CHECK(secret_from_hex(&want, KEY2, strlen(KEY2), 16));
    CHECK(secret_equal(&rx->key.secret, &want));

    /* Rules. */
    struct keyring_peer bad_peer = { .number = WIRE_NODE_MAX + 1 };
    CHECK(keyring_add_peer(keyring, &bad_peer));
    CHECK(keyring_add_net(keyring, WIRE_VNI_MAX + 1, NULL));
    struct keyring_key bad_key = *rx;
    bad_key.key.spi = 0;
    CHECK(keyring_add_key(keyring, &bad_key));
    bad_key.key.spi = 500;
    bad_key.key.algorithm = 3;
    CHECK(keyring_add_key(keyring, &bad_key));
    bad_key.key.algorithm = AEAD_AES256GCM;
    CHECK(keyring_add_key(keyring, &bad_key));

    /* None of which has changed anything. */
    size_t n;
    char *again = keyring_format(keyring, &n);
    CHECK(!strcmp(text, again));
    keyring_text_free(again, n);
    keyring_destroy(keyring);
    free(text);
}

/* Files. */

static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    CHECK(file && fputs(text, file) >= 0 && !fclose(file));
    CHECK(!chmod(path, mode));
}

static void
check_load(const char *path, const char *rule)
{
    struct keyring *keyring;
    char *error = keyring_load(path, &keyring);

    CHECK(!rule == !error, "%s: %s", path, error);
    CHECK(!rule == !!keyring, "%s", path);
    CHECK(!rule || strstr(error, rule), "%s: %s", path, error);
    free(error);
    keyring_destroy(keyring);
}

static void
check_load_refuses(const char *text)
{
    write_file("keyring", text, 0600);
    check_load("keyring", NULL);

    static const mode_t modes[] = { 0640, 0604, 0620, 0610, 0601, 0700 };
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        CHECK(!chmod("keyring", modes[i]));
        check_load("keyring", modes[i] & 077 ? "chmod 600" : NULL);
    }
    CHECK(!chmod("keyring", 0600));

    if (!geteuid()) {
        CHECK(!chown("keyring", 12345, 0));
        check_load("keyring", "owned by");
        CHECK(!chown("keyring", 0, 0));
    }

    CHECK(!symlink("keyring", "link"));
    check_load("link", "not a regular file");
    CHECK(!mkfifo("fifo", 0600));
    check_load("fifo", "not a regular file");
    CHECK(!mkdir("directory", 0700));
    check_load("directory", "not a regular file");
    check_load("absent", "No such file");

    char *data;
    size_t n;
    char *error = private_file_read("keyring", strlen(text) - 1, &data, &n);
    CHECK(error && strstr(error, "too large") && !data && !n);
    free(error);
    error = private_file_read("keyring", strlen(text), &data, &n);
    CHECK(!error && n == strlen(text) && !strcmp(data, text));
    private_file_free(data, n);

    write_file("bad", "vsubnet-keyring 1\nself x\nend 2\n", 0600);
    check_load("bad", "line 2: ");
}

void
test_keyring_file(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    char *text = with_end(NETS TX RX);
    struct keyring *keyring;
    struct stat before, after;

    check_load_refuses(text);

    /* Replacing makes a new file, 0600 whatever the umask, and removes what a
     * crash left behind, without following it. */
    char *error = keyring_load("keyring", &keyring);
    CHECK(!error, "%s", error);
    write_file("victim", "untouched", 0600);
    CHECK(!symlink("victim", "keyring.new"));
    CHECK(!stat("keyring", &before));
    umask(0);
    error = keyring_save("keyring", keyring);
    CHECK(!error, "%s", error);
    CHECK(!stat("keyring", &after));
    CHECK(before.st_ino != after.st_ino);
    CHECK((after.st_mode & 07777) == 0600);
    CHECK(access("keyring.new", F_OK) && errno == ENOENT);
    CHECK(!stat("victim", &after) && after.st_size == strlen("untouched"));
    check_load("keyring", NULL);

    /* Failing leaves nothing behind. */
    error = keyring_save("nowhere/keyring", keyring);
    CHECK(error && strstr(error, "No such file"));
    free(error);
    error = keyring_save("directory", keyring);
    CHECK(error && strstr(error, "directory"));
    free(error);
    CHECK(access("directory.new", F_OK) && errno == ENOENT);
    keyring_destroy(keyring);
    free(text);
}
