/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/mapper: what is pure. */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command-line.h"
#include "mapper/auth.h"
#include "mapper/ipam.h"
#include "mapper/keybox.h"
#include "util.h"
#include "uuid.h"

static struct model_address
parse(const char *s)
{
    struct model_address a;
    char *error = model_address_parse(s, &a);

    if (error) {
        ovs_fatal(0, "%s", error);
    }
    return a;
}

/* Everything in the list AUX, separated by spaces, is taken. */
static bool
is_taken(const struct model_address *address, const void *aux)
{
    struct model_address bare = *address;
    char ip[MODEL_ADDRESS_STRLEN];
    char *word, *list;

    bare.plen = -1;
    model_address_string(&bare, ip);
    list = xstrdup(aux);
    bool found = false;
    char *save_ptr = NULL;
    for (word = strtok_r(list, " ", &save_ptr); word && !found;
         word = strtok_r(NULL, " ", &save_ptr)) {
        found = !strcmp(word, ip);
    }
    free(list);
    return found;
}

static void
test_ipam_next(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *subnet;
        const char *taken;
        const char *next;       /* Null: none. */
    } tests[] = {
        { "10.0.0.0/24", "", "10.0.0.1" },
        { "10.0.0.0/24", "10.0.0.1 10.0.0.2", "10.0.0.3" },
        { "10.0.0.0/24", "10.0.0.2", "10.0.0.1" },
        { "10.0.0.0/30", "10.0.0.1", "10.0.0.2" },
        { "10.0.0.0/30", "10.0.0.1 10.0.0.2", NULL },
        { "10.0.0.0/31", "", "10.0.0.0" },
        { "10.0.0.0/31", "10.0.0.0", "10.0.0.1" },
        { "10.0.0.0/31", "10.0.0.0 10.0.0.1", NULL },
        { "10.0.0.7/32", "", "10.0.0.7" },
        { "10.0.0.7/32", "10.0.0.7", NULL },
        { "10.0.254.0/23", "10.0.254.1", "10.0.254.2" },
        { "255.255.255.252/30", "255.255.255.253", "255.255.255.254" },
        { "255.255.255.252/30", "255.255.255.253 255.255.255.254", NULL },
        { "fd00::/64", "", "fd00::1" },
        { "fd00::/64", "fd00::1", "fd00::2" },
        { "fd00::/126", "fd00::1 fd00::2", "fd00::3" },
        { "fd00::/126", "fd00::1 fd00::2 fd00::3", NULL },
        { "fd00::/127", "", "fd00::" },
        { "fd00::9/128", "", "fd00::9" },
        { "fd00::9/128", "fd00::9", NULL },
    };
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_address subnet = parse(tests[i].subnet);
        struct model_address got;
        char ip[MODEL_ADDRESS_STRLEN] = "none";

        if (ipam_next(&subnet, is_taken, tests[i].taken, &got)) {
            assert(got.plen == subnet.plen);
            got.plen = -1;
            model_address_string(&got, ip);
        }
        if (strcmp(ip, tests[i].next ? tests[i].next : "none")) {
            printf("%s without \"%s\": %s\n", tests[i].subnet,
                   tests[i].taken, ip);
            bad++;
        }
    }
    exit(bad ? 1 : 0);
}

static void
test_ipam_assignable(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *subnet;
        const char *address;
        bool assignable;
        bool unicast;
    } tests[] = {
        { "10.0.0.0/24", "10.0.0.0", false, true },
        { "10.0.0.0/24", "10.0.0.1", true, true },
        { "10.0.0.0/24", "10.0.0.254", true, true },
        { "10.0.0.0/24", "10.0.0.255", false, true },
        { "10.0.0.0/24", "10.0.1.1", false, true },
        { "10.0.0.0/24", "fd00::1", false, true },
        { "10.0.0.0/31", "10.0.0.1", true, true },
        { "10.0.0.0/24", "0.0.0.0", false, false },
        { "10.0.0.0/24", "127.0.0.1", false, false },
        { "10.0.0.0/24", "224.0.0.1", false, false },
        { "10.0.0.0/24", "255.255.255.255", false, false },
        { "fd00::/64", "fd00::", false, true },
        { "fd00::/64", "fd00::ffff:ffff:ffff:ffff", true, true },
        { "fd00::/64", "fd00:0:0:1::1", false, true },
        { "fd00::/64", "10.0.0.1", false, true },
        { "fd00::/64", "ff02::1", false, false },
        { "fd00::/64", "::", false, false },
        { "fd00::/64", "::1", false, false },
        { "fd00::/64", "fe80::1", false, true },
    };
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_address subnet = parse(tests[i].subnet);
        struct model_address address = parse(tests[i].address);

        if (ipam_is_assignable(&subnet, &address) != tests[i].assignable
            || ipam_is_unicast(&address) != tests[i].unicast) {
            printf("%s in %s\n", tests[i].address, tests[i].subnet);
            bad++;
        }
    }
    exit(bad ? 1 : 0);
}

static void
test_keybox(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct keybox *box, *same, *other;
    struct model_secret secret, got;
    struct uuid row, row2;

    assert(!keybox_open(".", &box));
    assert(!keybox_open(".", &same));
    unlink("storage.key");
    assert(!keybox_open(".", &other));
    uuid_generate(&row);
    uuid_generate(&row2);

    for (size_t size = 1; size <= MODEL_KEY_MAX; size++) {
        uint8_t bytes[MODEL_KEY_MAX];

        for (size_t i = 0; i < size; i++) {
            bytes[i] = i * 7 + size;
        }
        model_secret_set(&secret, bytes, size);
        char *sealed = keybox_seal(box, &row, 256, &secret);
        char *again = keybox_seal(box, &row, 256, &secret);

        assert(strcmp(sealed, again));      /* Another nonce. */
        got.size = 0;
        assert(keybox_unseal(same, &row, 256, sealed, &got));
        assert(model_secret_equals(&secret, &got));
        assert(!keybox_unseal(other, &row, 256, sealed, &got));
        assert(!keybox_unseal(box, &row2, 256, sealed, &got));
        assert(!keybox_unseal(box, &row, 257, sealed, &got));

        /* Every change and every truncation is noticed. */
        size_t n = strlen(sealed);
        for (size_t i = 0; i < n; i++) {
            char c = sealed[i];

            sealed[i] = c == 'A' ? 'B' : 'A';
            if (c != '=' && i + 2 < n) {
                assert(!keybox_unseal(box, &row, 256, sealed, &got));
            }
            sealed[i] = '\0';
            assert(!keybox_unseal(box, &row, 256, sealed, &got));
            sealed[i] = c;
        }
        free(again);
        free(sealed);
    }
    keybox_close(box);
    keybox_close(same);
    keybox_close(other);

    /* A file of another size is refused, not replaced. */
    FILE *file = fopen("storage.key", "w");
    fputs("short", file);
    fclose(file);
    char *error = keybox_open(".", &box);
    assert(error && !box && strstr(error, "5 bytes"));
    free(error);
}

static void
test_auth(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#define HEX64 \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UUID "11111111-2222-4333-8444-555555555555"
    static const struct {
        const char *header;
        bool ok;
        enum auth_role role;
        const char *id;
    } tests[] = {
        { NULL, true, ROLE_ANYONE, "" },
        { "Bearer vso1.op." HEX64, true, ROLE_OPERATOR, "op" },
        { "bearer  vso1.op." HEX64, true, ROLE_OPERATOR, "op" },
        { "Bearer vsn1." UUID "." HEX64, true, ROLE_NODE, UUID },
        { "Bearer vsj1.t." HEX64 "." HEX64, true, ROLE_TOKEN, "t" },
        { "", false, 0, "" },
        { "Bearer", false, 0, "" },
        { "Bearer ", false, 0, "" },
        { "Basic vso1.op." HEX64, false, 0, "" },
        { "Bearer vso1.op." HEX64 "0", false, 0, "" },
        { "Bearer vso1.op." HEX64 ".x", false, 0, "" },
        { "Bearer vso1..", false, 0, "" },
        { "Bearer vsj1.t." HEX64, false, 0, "" },
        { "Bearer vsn1.op." HEX64, false, 0, "" },
        { "Bearer vsx1.op." HEX64, false, 0, "" },
    };
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct principal who;
        bool ok = auth_parse(tests[i].header, &who);

        if (ok != tests[i].ok
            || (ok && (who.role != tests[i].role
                       || strcmp(who.id, tests[i].id)))) {
            printf("%s\n", tests[i].header);
            bad++;
        }
    }

    /* FIPS 180-2, one block: the hash is that of the text. */
    char hash[MODEL_SECRET_HEX + 1];
    auth_hash("abc", hash);
    assert(auth_hash_equals(hash, "ba7816bf8f01cfea414140de5dae2223"
                            "b00361a396177a9cb410ff61f20015ad"));
    assert(auth_is_hash(hash));
    hash[63] ^= 1;
    assert(!auth_hash_equals(hash, "ba7816bf8f01cfea414140de5dae2223"
                             "b00361a396177a9cb410ff61f20015ad"));
    assert(!auth_hash_equals("", "") && !auth_is_hash(""));
    exit(bad ? 1 : 0);
}

static const struct ovs_cmdl_command commands[] = {
    { "ipam-next", NULL, 0, 0, test_ipam_next, OVS_RO },
    { "ipam-assignable", NULL, 0, 0, test_ipam_assignable, OVS_RO },
    { "keybox", NULL, 0, 0, test_keybox, OVS_RO },
    { "auth", NULL, 0, 0, test_auth, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
