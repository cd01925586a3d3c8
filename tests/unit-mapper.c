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
#include "mapper/ipam-hint.h"
#include "mapper/keybox.h"
#include "mapper/label.h"
#include "mapper/lease.h"
#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
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
test_ipam_pools(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *pool;
        const char *canonical;  /* Null: refused. */
        const char *taken;
        const char *next;       /* In one of the ranges; null: none. */
        uint32_t room;
    } tests[] = {
        { "10.0.0.10-10.0.0.12", "10.0.0.10-10.0.0.12", "", "10.0.0.10", 3 },
        { "10.0.0.10-10.0.0.12", "10.0.0.10-10.0.0.12", "10.0.0.10",
          "10.0.0.11", 3 },
        { "10.0.0.10-10.0.0.10", "10.0.0.10-10.0.0.10", "10.0.0.10", NULL,
          1 },
        { "10.0.0.0-10.0.0.1", "10.0.0.0-10.0.0.1", "", "10.0.0.1", 2 },
        { "10.0.0.254-10.0.0.255", "10.0.0.254-10.0.0.255", "10.0.0.254",
          NULL, 2 },
        /* What begins elsewhere is no pool of this range. */
        { "10.0.1.1-10.0.1.9", "10.0.1.1-10.0.1.9", "", "10.0.0.1", 254 },
        { "10.1-10.2", NULL, NULL, NULL, 0 },
        { "10.0.0.2-10.0.0.1", NULL, NULL, NULL, 0 },
        { "10.0.0.1-fd00::1", NULL, NULL, NULL, 0 },
        { "10.0.0.1/24-10.0.0.2", NULL, NULL, NULL, 0 },
        { "10.0.0.1", NULL, NULL, NULL, 0 },
        { "-", NULL, NULL, NULL, 0 },
        { "", NULL, NULL, NULL, 0 },
        { "FD00:0::1-fd00::1:0", "fd00::1-fd00::1:0", "", "10.0.0.1", 254 },
    };
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct model_address subnet = parse("10.0.0.0/24");
        char ip[MODEL_ADDRESS_STRLEN] = "none";
        char text[IPAM_POOL_STRLEN];
        struct model_address got;
        struct ipam_pool pool;
        char *error = ipam_pool_parse(tests[i].pool, &pool);

        if (error || !tests[i].canonical) {
            bad += !error || tests[i].canonical;
            free(error);
            continue;
        }
        if (ipam_next_in_pools(&subnet, &pool, 1, is_taken, tests[i].taken,
                               &got)) {
            assert(got.plen == subnet.plen);
            got.plen = -1;
            model_address_string(&got, ip);
        }
        if (strcmp(ip, tests[i].next ? tests[i].next : "none")
            || strcmp(ipam_pool_string(&pool, text), tests[i].canonical)
            || ipam_room(&subnet, &pool, 1) != tests[i].room) {
            printf("%s: %s, %s, room %"PRIu32"\n", tests[i].pool, ip, text,
                   ipam_room(&subnet, &pool, 1));
            bad++;
        }
    }

    struct model_address large = parse("fd00::/64");
    struct ipam_pool whole;
    assert(ipam_room(&large, NULL, 0) == UINT32_MAX);
    assert(!ipam_pool_parse("fd00::-fd00::ffff:ffff:ffff", &whole));
    assert(ipam_room(&large, &whole, 1) == UINT32_MAX);
    exit(bad ? 1 : 0);
}

static void
test_ipam_hint(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *const nets[] = { "a", "b" };
    struct model_address subnet = parse("10.0.0.0/24");
    struct model_address other = parse("10.1.0.0/24");
    struct model_address low = parse("10.0.0.5");
    struct model_address high = parse("10.0.0.200");
    struct ipam_hints *hints = ipam_hints_create();
    struct model_address got;

    /* Without a hint, where the range begins. */
    for (size_t i = 0; i < ARRAY_SIZE(nets); i++) {
        got = ipam_hints_get(hints, nets[i], &subnet);
        assert(model_address_equals(&got, &subnet));
    }

    /* A hint is of one range of one vSubnet; only what is free below it, in
     * that range, lowers it. */
    high.plen = low.plen = 24;
    ipam_hints_set(hints, "a", &subnet, &high);
    ipam_hints_freed(hints, "b", &low);
    ipam_hints_freed(hints, "a", &other);
    got = parse("10.0.0.201");
    ipam_hints_freed(hints, "a", &got);
    got = ipam_hints_get(hints, "a", &subnet);
    assert(model_address_equals(&got, &high));
    got = ipam_hints_get(hints, "b", &subnet);
    assert(model_address_equals(&got, &subnet));
    ipam_hints_freed(hints, "a", &low);
    got = ipam_hints_get(hints, "a", &subnet);
    assert(model_address_equals(&got, &low));

    /* The search begins there, and leaves no address of the range out. */
    assert(ipam_next_from(&subnet, &high, is_taken, "10.0.0.200", &got));
    got.plen = -1;
    high = parse("10.0.0.201");
    assert(model_address_same_ip(&got, &high));
    low = parse("10.0.0.254");
    assert(ipam_next_from(&subnet, &low, is_taken, "", &got));
    assert(!ipam_next_from(&subnet, &low, is_taken, "10.0.0.254", &got));

    ipam_hints_forget(hints);
    got = ipam_hints_get(hints, "a", &subnet);
    assert(model_address_equals(&got, &subnet));
    ipam_hints_destroy(hints);
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

/* The decision, as the table of DESIGN.md section 4.6 has it. */
static void
test_lease(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { NOBODY = LEASE_NOBODY, SELF = LEASE_SELF, OTHER = LEASE_OTHER };
    enum { CURRENT = false, OLD = true };
    enum { ELSEWHERE = false, SAME = true };
    enum { GONE = false, STREAM = true };
    enum { YET = LEASE_NOT_ASKED, YES = LEASE_ANSWERED, NO = LEASE_SILENT };
    static const struct {
        int holder;
        bool superseded, same_machine, stream;
        int challenge;
        int silent_s;
        enum lease_verdict verdict;
    } tests[] = {
        /* Nobody, or the one who asks. */
        { NOBODY, CURRENT, SAME, GONE, YET, 0, LEASE_GRANT },
        { NOBODY, CURRENT, ELSEWHERE, GONE, YET, 0, LEASE_GRANT },
        { NOBODY, OLD, SAME, GONE, YET, 0, LEASE_GRANT_RESTORED },
        { NOBODY, OLD, ELSEWHERE, GONE, YET, 0, LEASE_DUPLICATE },
        { SELF, CURRENT, SAME, STREAM, YET, 0, LEASE_GRANT },
        { SELF, CURRENT, ELSEWHERE, STREAM, YET, 0, LEASE_GRANT },
        { SELF, OLD, SAME, STREAM, YET, 0, LEASE_GRANT_RESTORED },
        { SELF, OLD, ELSEWHERE, STREAM, YET, 0, LEASE_DUPLICATE },

        /* Another one, with a stream. */
        { OTHER, CURRENT, SAME, STREAM, YET, 999, LEASE_ASK },
        { OTHER, CURRENT, ELSEWHERE, STREAM, YET, 999, LEASE_ASK },
        { OTHER, OLD, SAME, STREAM, YET, 999, LEASE_ASK },
        { OTHER, OLD, ELSEWHERE, STREAM, YET, 999, LEASE_DUPLICATE },
        { OTHER, CURRENT, SAME, STREAM, YES, 999, LEASE_DUPLICATE },
        { OTHER, CURRENT, ELSEWHERE, STREAM, YES, 999, LEASE_DUPLICATE },
        { OTHER, OLD, SAME, STREAM, YES, 999, LEASE_DUPLICATE },
        { OTHER, OLD, ELSEWHERE, STREAM, YES, 999, LEASE_DUPLICATE },
        { OTHER, CURRENT, SAME, STREAM, NO, 0, LEASE_GRANT },
        { OTHER, CURRENT, ELSEWHERE, STREAM, NO, 59, LEASE_HELD },
        { OTHER, CURRENT, ELSEWHERE, STREAM, NO, 60, LEASE_GRANT_MOVED },
        { OTHER, OLD, SAME, STREAM, NO, 59, LEASE_HELD },
        { OTHER, OLD, SAME, STREAM, NO, 60, LEASE_GRANT_RESTORED },
        { OTHER, OLD, ELSEWHERE, STREAM, NO, 999, LEASE_DUPLICATE },

        /* Another one, without. */
        { OTHER, CURRENT, SAME, GONE, YET, 0, LEASE_GRANT },
        { OTHER, CURRENT, ELSEWHERE, GONE, YET, 0, LEASE_HELD },
        { OTHER, CURRENT, ELSEWHERE, GONE, YET, 59, LEASE_HELD },
        { OTHER, CURRENT, ELSEWHERE, GONE, YET, 60, LEASE_GRANT_MOVED },
        { OTHER, CURRENT, ELSEWHERE, GONE, NO, 59, LEASE_HELD },
        { OTHER, OLD, SAME, GONE, YET, 59, LEASE_HELD },
        { OTHER, OLD, SAME, GONE, YET, 60, LEASE_GRANT_RESTORED },
        { OTHER, OLD, ELSEWHERE, GONE, YET, 999, LEASE_DUPLICATE },
    };
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct lease_facts f = {
            .holder = tests[i].holder,
            .superseded = tests[i].superseded,
            .same_machine = tests[i].same_machine,
            .stream = tests[i].stream,
            .challenge = tests[i].challenge,
            .silent_ms = tests[i].silent_s * 1000LL,
            .lease_ms = 60 * 1000,
        };
        enum lease_verdict verdict = lease_decide(&f);

        if (verdict != tests[i].verdict) {
            printf("row %"PRIuSIZE": %d\n", i, verdict);
            bad++;
        }
    }

    /* Never "at once", never longer than a lease. */
    struct lease_facts f = { .lease_ms = 60 * 1000 };
    f.silent_ms = 0;
    assert(lease_retry_s(&f) == 60);
    f.silent_ms = 1;
    assert(lease_retry_s(&f) == 60);
    f.silent_ms = 59999;
    assert(lease_retry_s(&f) == 1);
    f.silent_ms = 70000;
    assert(lease_retry_s(&f) == 1);
    exit(bad ? 1 : 0);
}

/* Who waits for an answer, and what came. */
struct test_waiter {
    struct lease_waiter up;
    int n_resumed;
};

static void
count_resumed(struct lease_waiter *waiter)
{
    CONTAINER_OF(waiter, struct test_waiter, up)->n_resumed++;
}

static void
test_challenge(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct lease *lease = lease_create(60);
    struct test_waiter w[LEASE_WAITERS_MAX + 1];
    const char *nonce, *none;
    char first[LEASE_NONCE_HEX + 1];

    for (size_t i = 0; i < ARRAY_SIZE(w); i++) {
        w[i] = (struct test_waiter) {
            .up = { .holder = "a", .resume = count_resumed },
        };
    }

    /* Those who ask for the same wait for the same answer. */
    assert(lease_wait_answer(lease, 7, false, &w[0].up, &nonce) && nonce);
    ovs_strlcpy(first, nonce, sizeof first);
    assert(lease_wait_answer(lease, 7, false, &w[1].up, &none) && !none);
    for (int i = 2; i < LEASE_WAITERS_MAX; i++) {
        assert(lease_wait_answer(lease, 7, false, &w[i].up, &none) && !none);
    }
    assert(!lease_wait_answer(lease, 7, false, &w[LEASE_WAITERS_MAX].up,
                              &none));

    /* Only the holder's own answer counts. */
    lease_answer(lease, 8, "a", first);
    lease_answer(lease, 7, "b", first);
    lease_answer(lease, 7, "a", "");
    lease_answer(lease, 7, "a", "00000000000000000000000000000000");
    assert(!w[0].n_resumed);
    lease_answer(lease, 7, "a", first);
    lease_answer(lease, 7, "a", first);
    for (int i = 0; i < LEASE_WAITERS_MAX; i++) {
        assert(w[i].n_resumed == 1 && w[i].up.challenge == LEASE_ANSWERED);
    }

    /* Another challenge has another nonce; a stop asks nobody. */
    assert(lease_wait_answer(lease, 7, false, &w[0].up, &nonce) && nonce);
    assert(strcmp(nonce, first));
    lease_stop(lease);
    assert(w[0].n_resumed == 2 && w[0].up.challenge == LEASE_NOT_ASKED);

    /* A challenge to all mappers is another one, begun once a second; what
     * they say counts, and if they say nothing, nothing is known. */
    assert(lease_wait_answer(lease, 7, false, &w[0].up, &nonce) && nonce);
    assert(lease_wait_answer(lease, 7, true, &w[1].up, &nonce) && nonce);
    assert(lease_wait_answer(lease, 7, true, &w[2].up, &none) && !none);
    assert(lease_is_asking(lease, nonce) && !lease_is_asking(lease, first));
    ovs_strlcpy(first, nonce, sizeof first);
    lease_silent_elsewhere(lease, first, 1234);
    assert(w[0].n_resumed == 2 && w[2].n_resumed == 2);
    assert(w[1].n_resumed == 2 && w[1].up.challenge == LEASE_SILENT);
    assert(w[1].up.silence == 1234 && !lease_is_asking(lease, first));
    assert(!lease_wait_answer(lease, 7, true, &w[1].up, &none) && !none);
    assert(lease_wait_answer(lease, 8, true, &w[1].up, &nonce) && nonce);
    lease_answered_elsewhere(lease, "");
    assert(w[1].n_resumed == 2);
    lease_answered_elsewhere(lease, nonce);
    assert(w[1].n_resumed == 3 && w[1].up.challenge == LEASE_ANSWERED);
    lease_stop(lease);
    assert(w[0].n_resumed == 3 && w[0].up.challenge == LEASE_NOT_ASKED);

    /* Signs only grow; one audit a minute for each node. */
    long long int started = lease_last_sign(lease, 7);
    lease_heard(lease, 7, started - 1000);
    assert(lease_last_sign(lease, 7) == started);
    lease_heard(lease, 7, started + 5000);
    lease_heard(lease, 7, started + 4000);
    assert(lease_last_sign(lease, 7) == started + 5000);
    assert(lease_last_sign(lease, 8) == started);
    assert(lease_may_audit_refusal(lease, 7));
    assert(!lease_may_audit_refusal(lease, 7));
    assert(lease_may_audit_refusal(lease, 8));

    /* A restoration a minute, too, but that one as often as it takes. */
    assert(!lease_restore(lease, 7, "x", "y"));
    assert(!lease_restore(lease, 7, "x", "y"));
    assert(lease_restore(lease, 7, "y", "x") == LEASE_RESTORED_MS / 1000);
    assert(lease_restore(lease, 7, "z", "y"));
    assert(!lease_restore(lease, 8, "y", "x"));
    lease_destroy(lease);
}

/* Lists are as in the database; GONE and ADDED likewise. */
static void
test_labels(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        const char *list, *gone, *added, *changed;
    } tests[] = {
        { "", "", "", "" },
        { "", "", "web", "web" },
        { "web", "", "web", "web" },
        { "web", "", "db,app", "web,db,app" },
        { "web,db,app", "db", "", "web,,app" },
        { "web,,app", "", "z,a", "web,z,app,a" },
        { "web,db,app", "app", "", "web,db" },
        { "web,,app", "app", "", "web" },
        { "web", "web", "", "" },
        { "web,db", "web", "web", "web,db" },
        { "web,db", "web", "app", "app,db" },
        { "web,db", "web,db", "app", "app" },
        { ",db", "db", "", "" },
        { ",,c", "x", "c,b,a", "b,a,c" },
        { "web", "we,webs", "", "web" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        char **gone, **added, **again;
        size_t n_gone = label_list_parse(tests[i].gone, &gone);
        size_t n_added = label_list_parse(tests[i].added, &added);
        char *list = label_list_change(tests[i].list, gone, n_gone, added,
                                       n_added);

        if (strcmp(list, tests[i].changed)) {
            ovs_fatal(0, "%s - %s + %s: %s", tests[i].list, tests[i].gone,
                      tests[i].added, list);
        }
        size_t n = label_list_parse(list, &again);
        assert(n <= MODEL_LABELS_MAX && (!n || again[n - 1][0]));
        model_labels_free(again, n);
        model_labels_free(gone, n_gone);
        model_labels_free(added, n_added);
        free(list);
    }
}

/* The bits of a vSubnet are used up, and each that is given back is found. */
static void
test_labels_full(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct ds all = DS_EMPTY_INITIALIZER;
    char *const added[] = { CONST_CAST(char *, "one-more") };

    for (int i = 0; i < MODEL_LABELS_MAX; i++) {
        ds_put_format(&all, "%sl%d", i ? "," : "", i);
    }
    assert(!label_list_change(ds_cstr(&all), NULL, 0, added, 1));
    for (int i = 0; i < MODEL_LABELS_MAX; i++) {
        char *const gone[] = { xasprintf("l%d", i) };
        char **labels;
        char *list = label_list_change(ds_cstr(&all), gone, 1, added, 1);
        size_t n = label_list_parse(list, &labels);

        assert(n == MODEL_LABELS_MAX);
        for (int j = 0; j < MODEL_LABELS_MAX; j++) {
            assert((j == i) == !strcmp(labels[j], "one-more"));
        }
        model_labels_free(labels, n);
        free(list);
        free(gone[0]);
    }
    ds_destroy(&all);
}

static const struct ovs_cmdl_command commands[] = {
    { "labels", NULL, 0, 0, test_labels, OVS_RO },
    { "labels-full", NULL, 0, 0, test_labels_full, OVS_RO },
    { "lease", NULL, 0, 0, test_lease, OVS_RO },
    { "challenge", NULL, 0, 0, test_challenge, OVS_RO },
    { "ipam-next", NULL, 0, 0, test_ipam_next, OVS_RO },
    { "ipam-pools", NULL, 0, 0, test_ipam_pools, OVS_RO },
    { "ipam-hint", NULL, 0, 0, test_ipam_hint, OVS_RO },
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
