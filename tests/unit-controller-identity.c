/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/host, and of who a node is in plugin/controller. */
#include <config.h>
#include "unit-controller.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "command-line.h"
#include "controller/identity.h"
#include "controller/instance.h"
#include "controller/lease.h"
#include "host/node-credential.h"
#include "host/node-file.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

#define ID "11111111-2222-4333-8444-555555555507"
#define ORIGIN "11111111-2222-4333-8444-555555555501"
#define SECRET "0123456789abcdef0123456789abcdef" \
               "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210" \
              "fedcba9876543210fedcba9876543210"
#define CREDENTIAL "vsn1." ID "." SECRET

/* node.json. */

#define NODE(MEMBERS) "{\"version\":1,\"id\":\"" ID "\",\"urls\":" \
                      "[\"https://a:1\",\"https://b\"],\"ca\":\"P\\nE\"," \
                      "\"number\":null,\"name\":\"h7\"," \
                      "\"fingerprint\":\"f\"" MEMBERS "}"
#define OLD ",\"credential\":\"" CREDENTIAL "\""
#define NEXT ",\"next_credential\":\"vsn1." ID "." OTHER "\""

static void
check_parsed(const struct node_file *node)
{
    CHECK(node->urls.n == 2, "URLs");
    CHECK(!strcmp(node->ca, "P\nE"), "CA");
    CHECK(!strcmp(node->credential, CREDENTIAL), "credential");
    CHECK(!node->origin_credential == uuid_is_zero(&node->origin_id),
          "half an origin");
}

/* What is written is read again as the same, with what is not known. */
static void
check_again(const struct node_file *node)
{
    struct node_file again;
    size_t n, n2;
    char *text = node_file_format(node, &n);
    char *error = node_file_parse(text, n, &again);

    CHECK(!error, "%s", error);
    char *text2 = node_file_format(&again, &n2);
    CHECK(!strcmp(text, text2), "%s and %s", text, text2);
    CHECK(!node->document || !strstr(text, "later")
          || strstr(text, "\"later\""), "dropped what it does not know");
    node_file_text_free(text, n);
    node_file_text_free(text2, n2);
    node_file_destroy(&again);
}

void
test_identity(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct { const char *json; bool ok; } tests[] = {
        { NODE(OLD), true },
        { NODE(OLD NEXT), true },
        { NODE(OLD ",\"next_credential\":null,\"origin\":null"), true },
        { NODE(OLD ",\"credential_made\":1800000000,\"later\":[1]"), true },
        { NODE(OLD ",\"origin\":{\"id\":\"" ORIGIN "\",\"credential\":"
               "\"vsn1." ORIGIN "." OTHER "\"}"), true },
        { NODE(OLD ",\"origin\":{\"id\":\"" ORIGIN "\"}"), false },
        { NODE(OLD ",\"origin\":7"), false },
        { NODE(OLD ",\"next_credential\":\"" SECRET "\""), false },
        { NODE(OLD ",\"credential_made\":-1"), false },
        { NODE(",\"credential\":\"vsj1.x." SECRET "." SECRET "\""), false },
        { NODE(",\"credential\":\"" SECRET "\""), false },
        { NODE(""), false },
        { "[]", false },
        { "", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct node_file node;
        char *error = node_file_parse(tests[i].json, strlen(tests[i].json),
                                      &node);

        CHECK(!error == tests[i].ok, "%"PRIuSIZE": %s", i,
              error ? error : "no error");
        CHECK(!error || !strstr(error, SECRET), "tells the secret: %s",
              error);
        if (!error) {
            check_parsed(&node);
            check_again(&node);
        }
        node_file_destroy(&node);
        free(error);
    }
}

static void
write_text(const char *dir, const char *text)
{
    char *path = xasprintf("%s/node.json", dir);
    char *error = private_file_replace(path, text, strlen(text));

    CHECK(!error, "%s", error);
    free(path);
}

static bool
look(struct identity_file *file)
{
    file->next_look = 0;
    return identity_file_run(file);
}

static bool
rename_node(struct identity_file *file, const char *name)
{
    struct node_file node;

    file->next_update = 0;
    CHECK(identity_file_edit(file, &node), "can't be edited");
    free(node.name);
    node.name = xstrdup(name);
    return identity_file_update(file, &node);
}

/* node.json, in the directory of argument 1, written by somebody else too. */
void
test_identity_file(struct ovs_cmdl_context *ctx)
{
    const char *dir = ctx->argv[1];
    struct identity_file file;
    struct node_file node;
    bool exists;
    int lock;

    identity_file_init(&file, dir);
    CHECK(!look(&file) && !file.identity, "none yet");
    CHECK(!identity_file_edit(&file, &node), "nothing to edit");
    write_text(dir, NODE(OLD ",\"later\":{\"x\":1}"));
    CHECK(look(&file) && file.identity, "%s", file.error);

    CHECK(rename_node(&file, "h8"), "%s", file.write_error);
    CHECK(!strcmp(file.identity->name, "h8"), "not in force");
    CHECK(!look(&file), "its own writing is no news");
    CHECK(!node_file_read(dir, &node, &exists) && exists, "read");
    CHECK(!strcmp(node.name, "h8") && node.document, "not on the disk");
    size_t n;
    char *text = node_file_format(&node, &n);
    CHECK(strstr(text, "\"later\""), "dropped what it does not know");
    node_file_text_free(text, n);
    node_file_destroy(&node);

    /* What somebody else wrote meanwhile is not lost. */
    write_text(dir, NODE(OLD ",\"number\":7,\"later\":2"));
    free(node_file_read(dir, &node, &exists));
    node_file_destroy(&node);
    CHECK(!rename_node(&file, "h9"), "overwrote another's");
    CHECK(!file.write_error, "%s", file.write_error);
    write_text(dir, NODE(OLD));
    CHECK(look(&file) && !strcmp(file.identity->name, "h7"), "read anew");
    CHECK(rename_node(&file, "h9"), "%s", file.write_error);

    /* Nor while somebody else has the lock. */
    char *error = node_dir_lock(dir, true, true, &lock);
    CHECK(!error && lock >= 0, "%s", error);
    CHECK(!rename_node(&file, "h10") && !file.write_error, "wrote");
    node_dir_unlock(lock);
    CHECK(rename_node(&file, "h10"), "%s", file.write_error);

    unlink(file.path);
    CHECK(!rename_node(&file, "h11"), "wrote what had been removed");
    CHECK(look(&file) && !file.identity && !file.exists, "gone");
    identity_file_destroy(&file);
}

/* Instances, in the directory of argument 1. */
void
test_instance(struct ovs_cmdl_context *ctx)
{
    char *path = xasprintf("%s/instance", ctx->argv[1]);
    struct instance first, again, other;
    struct stat s;

    instance_init(&first, ctx->argv[1]);
    CHECK(!first.error && !uuid_is_zero(&first.id), "%s", first.error);
    CHECK(!stat(path, &s) && (s.st_mode & 0777) == 0600, "mode");
    const struct utimbuf old = { 1000, 1000 };
    CHECK(!utime(path, &old), "utime");
    instance_init(&again, ctx->argv[1]);
    CHECK(uuid_equals(&first.id, &again.id), "a restart is no reboot");
    CHECK(!strcmp(first.text, again.text), "%s", again.text);
    CHECK(again.made == 1000, "when it was made");

    static const char *const bad[] = {
        NULL, "", "x", "00000000-0000-0000-0000-000000000000\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        unlink(path);
        if (bad[i]) {
            free(private_file_replace(path, bad[i], strlen(bad[i])));
        }
        instance_init(&other, ctx->argv[1]);
        CHECK(!other.error && !uuid_equals(&first.id, &other.id)
              && time_wall() - other.made < 10, "%"PRIuSIZE, i);
        instance_destroy(&other);
    }
    instance_init(&other, "/nonexistent");
    CHECK(other.error && !uuid_is_zero(&other.id), "one all the same");
    instance_destroy(&other);
    instance_destroy(&again);
    instance_destroy(&first);
    free(path);
}

/* The lease. */

#define PROBLEM(CODE, MORE) "{\"code\":\"" CODE "\",\"detail\":\"words\"" \
                            MORE "}"

void
test_lease(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        bool registration;
        long status;
        const char *error, *body;
        enum lease_verdict verdict;
        int retry_after;
        bool lost;              /* If another request was answered so. */
    } tests[] = {
        { false, 0, "no route", "", LEASE_FAILED, 0, false },
        { false, 200, NULL, "{\"lease\":60,\"node\":{}}",
          LEASE_GRANTED, 0, false },
        { false, 200, NULL, "{\"node\":{\"origin\":\"" ORIGIN "\"}}",
          LEASE_GRANTED, 0, false },
        { false, 200, "cut off", "", LEASE_FAILED, 0, false },
        { false, 401, NULL, PROBLEM("unauthorized", ""),
          LEASE_UNKNOWN, 0, true },
        { false, 401, NULL, "<html>", LEASE_UNKNOWN, 0, true },
        { false, 403, NULL, PROBLEM("node-revoked", ""),
          LEASE_REFUSED, 0, false },
        { false, 404, NULL, "Not found", LEASE_FAILED, 0, false },
        { false, 409, NULL, PROBLEM("lease-held", ",\"retry_after\":9"),
          LEASE_HELD, 9, false },
        { false, 409, NULL, PROBLEM("lease-held", ""), LEASE_HELD, 1, false },
        { false, 409, NULL, PROBLEM("lease-held", ",\"retry_after\":99999"),
          LEASE_HELD, LEASE_RETRY_MAX, false },
        { false, 409, NULL, PROBLEM("duplicate-node-id", ""),
          LEASE_DUPLICATE, 0, false },
        { false, 409, NULL, PROBLEM("adopted", ",\"id\":\"" ORIGIN "\""),
          LEASE_ADOPTED, 0, true },
        { false, 409, NULL, PROBLEM("adopted", ",\"id\":\"x\""),
          LEASE_FAILED, 0, true },
        { false, 409, NULL, PROBLEM("not-holder", ""),
          LEASE_REFUSED, 0, true },
        { false, 409, NULL, "", LEASE_FAILED, 0, false },
        { false, 500, NULL, PROBLEM("internal", ""), LEASE_FAILED, 0, false },
        { true, 201, NULL, "{\"number\":9,\"name\":\"h7-clone\"}",
          LEASE_GRANTED, 0, false },
        { true, 200, NULL, "{\"number\":0,\"name\":\"h7-clone\"}",
          LEASE_FAILED, 0, false },
        { true, 200, NULL, "{", LEASE_FAILED, 0, false },
        { true, 409, NULL, PROBLEM("too-many-clones", ""),
          LEASE_REFUSED, 0, false },
    };
    struct uuid origin;

    CHECK(uuid_from_string(&origin, ORIGIN), "UUID");
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        size_t n = strlen(tests[i].body);
        struct lease_answer answer;

        lease_answer_parse(&answer, tests[i].registration, tests[i].status,
                           tests[i].error, tests[i].body, n);
        CHECK(answer.verdict == tests[i].verdict, "%"PRIuSIZE": %d", i,
              answer.verdict);
        CHECK(!answer.reason == (answer.verdict == LEASE_GRANTED),
              "%"PRIuSIZE": words", i);
        CHECK(answer.retry_after == tests[i].retry_after, "%"PRIuSIZE, i);
        CHECK(answer.verdict != LEASE_ADOPTED
              || uuid_equals(&answer.id, &origin), "%"PRIuSIZE, i);
        CHECK(uuid_equals(&answer.origin, &origin)
              == (strstr(tests[i].body, "origin") != NULL), "%"PRIuSIZE, i);
        CHECK(answer.verdict != LEASE_GRANTED || !tests[i].registration
              || (answer.number == 9 && !strcmp(answer.name, "h7-clone")),
              "%"PRIuSIZE, i);
        CHECK(lease_is_lost(tests[i].status, tests[i].body, n)
              == tests[i].lost, "%"PRIuSIZE, i);
        lease_answer_destroy(&answer);
    }
}

/* Credentials. */

void
test_credential(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { NOW = 1800000000, DAY = 24 * 60 * 60 };
    static const struct { long long int made, instance; bool due; } tests[] = {
        { NOW, NOW - 10, false },
        { NOW - 10, NOW - 10, false },
        { NOW - 11, NOW - 10, true },           /* Of an earlier boot. */
        { NOW - DAY + 1, NOW - 2 * DAY, false },
        { NOW - DAY, NOW - 2 * DAY, true },
        { NOW + 1, NOW - 10, true },            /* A clock was wrong: */
        { NOW + DAY, NOW + DAY, true },
        { NOW, NOW + DAY, false },              /* once, not for ever. */
        { NOW - DAY, NOW + DAY, true },
        { 0, 0, true },                         /* Not known. */
    };
    struct uuid id, origin;

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        const struct node_file node = { .credential_made = tests[i].made };

        CHECK(lease_credential_is_due(&node, tests[i].instance, NOW)
              == tests[i].due, "%"PRIuSIZE, i);
    }

    CHECK(uuid_from_string(&id, ID) && uuid_from_string(&origin, ORIGIN),
          "UUIDs");
    char *renamed = node_credential_rename(CREDENTIAL, &origin);
    CHECK(!strcmp(renamed, "vsn1." ORIGIN "." SECRET), "another's ID");
    char *hash = node_credential_hash(CREDENTIAL);
    char *same = node_credential_hash(renamed);
    CHECK(!strcmp(hash, "a8ae6e6ee929abea3afcfc5258c8ccd6"
                  "f85273e0d4626d26c7279f3250f77c8e"), "%s", hash);
    CHECK(!strcmp(hash, same), "the hash is the secret's alone");
    CHECK(!node_credential_rename("x", &origin), "not one");
    char *made = node_credential_make(&id), *made2 = node_credential_make(&id);
    CHECK(strcmp(made, made2) && strlen(made) == strlen(CREDENTIAL), "drawn");
    node_credential_free(made);
    node_credential_free(made2);
    node_credential_free(renamed);
    free(hash);
    free(same);
}
