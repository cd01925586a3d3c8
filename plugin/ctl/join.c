/* SPDX-License-Identifier: Apache-2.0 */
/* Making this host a node of a mapping service, and ending that. */

#include <config.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "host/fingerprint.h"
#include "host/node-credential.h"
#include "host/node-file.h"
#include "model/credential.h"
#include "model/jansson.h"
#include "model/object.h"
#include "model/reader.h"
#include "model/url.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

/* What happens, in this order:
 *
 *   1. Everything that is given is checked.
 *   2. The CA certificate is fetched from whoever answers at the URL, and
 *      compared with the token's fingerprint.  Nothing secret was sent.
 *   3. The local database is asked, which must be there later.  An identity
 *      (node ID and credential) is made, unless node.json has one, and
 *      written down.
 *   4. It is registered, with the token, at who proves to be the service.
 *   5. Its number is written down, and the local database changed, which is
 *      what the controller waits for.
 *
 * A crash or an error anywhere leaves a state from which the same command
 * goes on: registering the same identity again is idempotent. */

struct join {
    struct ctl *ctl;
    struct model_credential token;
    char *token_text;
    struct svec urls;
    const char *dir;
    struct client *client;
    char *ca;
    char *local_ip;             /* Of the connection to the service. */
    int lock;                   /* Of 'dir', up to the end of step 5. */
    struct node_file node;
    bool exists;                /* node.json did, before. */
    json_t *answer;             /* The node object. */
};

#define DEFAULT_PORT "8002"

enum { TOKEN_LINE_MAX = 1024 };

/* Step 1. */

static char *
read_token_line(void)
{
    char *line = xzalloc(TOKEN_LINE_MAX);

    if (isatty(STDIN_FILENO)) {
        fputs("join token: ", stderr);
    }
    if (!fgets(line, TOKEN_LINE_MAX, stdin)) {
        ctl_fatal("no token on standard input");
    }
    line[strcspn(line, " \t\r\n")] = '\0';
    return line;
}

static void
read_arguments(struct join *join)
{
    struct ctl *ctl = join->ctl;
    const char *name = ctl_option(ctl, OPT_NAME);
    const char *endpoint;
    size_t i;

    ctl_check("", model_urls_parse(ctl_arg(ctl, 0), &join->urls));
    join->token_text = (strcmp(ctl_arg(ctl, 1), "-")
                        ? xstrdup(ctl_arg(ctl, 1)) : read_token_line());
    ctl_check("", model_credential_parse(join->token_text, &join->token));
    if (join->token.kind != MODEL_CREDENTIAL_JOIN) {
        ctl_fatal("not a join token (make one by \"vsubnetctl token "
                  "create\")");
    }
    if (name) {
        ctl_check("--name", model_check_node_name(name));
    }
    SVEC_FOR_EACH (i, endpoint, &ctl->options[OPT_ENDPOINT]) {
        struct model_endpoint parsed;
        ctl_check("--endpoint", model_endpoint_parse(endpoint, &parsed));
    }
    join->dir = state_dir(ctl_option(ctl, OPT_STATE_DIR));
}

/* Step 2. */

/* Returns the certificate in PEM that ANSWER holds, and nothing else that it
 * may hold, if FINGERPRINT is its. */
static char *
check_ca(const struct client_answer *answer, const char *fingerprint)
{
    BIO *in = BIO_new_mem_buf(answer->body, answer->size);
    X509 *x509 = PEM_read_bio_X509(in, NULL, NULL, NULL);
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int n;
    char *pem;

    if (answer->status != 200 || !x509
        || !X509_digest(x509, EVP_sha256(), hash, &n)) {
        ctl_fatal("what answers at the URL is not a mapping service");
    }
    model_hex_encode(hash, n, hex);
    if (strcmp(hex, fingerprint)) {
        ctl_fatal("wrong-fingerprint: the service at the URL is not the one "
                  "that made this token; nothing was sent to it");
    }
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, x509);
    long int len = BIO_get_mem_data(out, &pem);
    char *copy = xmemdup0(pem, len);
    BIO_free(out);
    BIO_free(in);
    X509_free(x509);
    return copy;
}

static void
get_ca(struct join *join)
{
    struct client_answer answer;
    unsigned int timeout = ctl_uint_option(join->ctl, OPT_TIMEOUT,
                                           1, 3600, 30);

    join->client = client_create(&join->urls, NULL, NULL, timeout);
    ctl_check("", client_get_unverified(join->client, "/v1/ca", &answer));
    join->ca = check_ca(&answer, join->token.fingerprint);
    join->local_ip = nullable_xstrdup(answer.local_ip);
    client_answer_destroy(&answer);
    client_set_ca(join->client, join->ca);
}

/* Step 3. */

static void
make_identity(struct node_file *node)
{
    uuid_generate(&node->id);
    node->credential = node_credential_make(&node->id);
    node->credential_made = time_wall();
}

static void
prepare_identity(struct join *join)
{
    struct node_file *node = &join->node;
    const char *name = ctl_option(join->ctl, OPT_NAME);
    char *fingerprint;

    ctl_check("", node_dir_lock(join->dir, true, true, &join->lock));
    ctl_check("", node_file_read(join->dir, node, &join->exists));
    if (join->exists && strcmp(node->ca, join->ca)) {
        ctl_fatal("this host belongs to another mapping service; to change "
                  "that, run \"vsubnetctl leave\" first");
    }
    /* One that is there keeps its fingerprint: if this is another machine, the
     * disk may be a copy, and its controller has to ask first. */
    if (!join->exists) {
        make_identity(node);
        ctl_check("", local_get_external_id("vsubnet-fingerprint",
                                            &fingerprint));
        node->fingerprint = (fingerprint ? fingerprint
                             : fingerprint_of_machine());
    }
    if (name || !node->name) {
        free(node->name);
        node->name = name ? xstrdup(name) : local_node_name();
    }
    free(node->ca);
    node->ca = xstrdup(join->ca);
    svec_clear(&node->urls);
    svec_append(&node->urls, &join->urls);
    ctl_check("", node_file_write(join->dir, node));
}

/* Step 4. */

/* The endpoints that the command line gives or, in their place, this end of
 * the connection to the service (unless that is on this very host). */
static json_t *
own_endpoints(const struct join *join)
{
    json_t *array = ctl_strings_option(join->ctl, OPT_ENDPOINT);
    char *port;

    if (!json_array_size(array) && join->local_ip) {
        ctl_check("", local_get_external_id("vsubnet-port", &port));
        char *s = xasprintf(strchr(join->local_ip, ':') ? "[%s]:%s" : "%s:%s",
                            join->local_ip,
                            port ? port : DEFAULT_PORT);
        struct model_endpoint endpoint;
        char *error = model_endpoint_parse(s, &endpoint);
        if (!error && strncmp(s, "127.", 4) && strncmp(s, "[::1]", 5)) {
            json_array_append_new(array, json_string(s));
        }
        free(error);
        free(port);
        free(s);
    }
    return array;
}

static void
register_node(struct join *join)
{
    struct node_file *node = &join->node;
    struct client_answer answer;
    char *hash = node_credential_hash(node->credential);
    json_t *body = json_pack(
        "{s:o, s:s, s:s, s:s, s:o}",
        "id", json_sprintf(UUID_FMT, UUID_ARGS(&node->id)),
        "name", node->name,
        "credential_hash", hash, "fingerprint", node->fingerprint,
        "endpoints", own_endpoints(join));

    char *instance = instance_read();
    client_set_credential(join->client, join->token_text);
    client_set_instance(join->client, instance);
    free(instance);
    ctl_check("", client_send(join->client, "POST", "/v1/register", body,
                              &answer));
    ctl_check("", client_refusal(&answer));
    json_int_t number = json_integer_value(json_object_get(answer.json,
                                                           "number"));
    ctl_check("the service's answer", model_check_node_number(number));
    node->number = number;
    /* A clone that its origin did not register is a node of its own now. */
    uuid_zero(&node->origin_id);
    node_credential_free(node->origin_credential);
    node->origin_credential = NULL;
    join->answer = json_incref(answer.json);
    client_answer_destroy(&answer);
    json_decref(body);
    free(hash);
}

/* Step 5. */

static void
configure_host(struct join *join)
{
    const struct svec *endpoints = &join->ctl->options[OPT_ENDPOINT];
    char *urls = svec_join(&join->urls, ",", "");

    ctl_check("", node_file_write(join->dir, &join->node));
    if (endpoints->n) {
        char *joined = svec_join(endpoints, ",", "");
        ctl_check("", local_set_external_id("vsubnet-endpoint", joined));
        free(joined);
    }
    ctl_check("", local_set_external_id("vsubnet-remote", urls));
    free(urls);
    /* The controller, which is waited for next, may have to write too. */
    node_dir_unlock(join->lock);
}

/* And then: what the operator wants to know. */

static bool
is_approved(const struct join *join)
{
    const char *state = json_string_value(json_object_get(join->answer,
                                                          "state"));
    return state && !strcmp(state, "approved");
}

/* Asks the service again for the node's state. */
static void
refresh(struct join *join)
{
    struct client_answer answer;
    struct node_file now;
    bool exists;

    /* The controller may hold the lease by now, with another credential. */
    char *error = node_file_read(join->dir, &now, &exists);
    char *instance = instance_read();
    client_set_credential(join->client, (error || !exists
                                         ? join->node.credential
                                         : now.credential));
    client_set_instance(join->client, instance);
    node_file_destroy(&now);
    free(instance);
    free(error);

    error = client_send(join->client, "GET", "/v1/self", NULL, &answer);
    if (!error && answer.status == 200 && json_is_object(answer.json)) {
        json_decref(join->answer);
        join->answer = json_incref(answer.json);
    }
    free(error);
    client_answer_destroy(&answer);
}

static bool
controller_is_connected(void)
{
    json_t *status;
    char *error = local_controller_status(&status);

    if (error) {
        free(error);
        return false;
    }
    bool connected = json_is_true(json_object_get(
        json_object_get(status, "service"), "connected"));
    json_decref(status);
    return connected;
}

/* Waits for what goes on by itself; not for a controller that does not run. */
static void
wait_for_more(struct join *join)
{
    long long int deadline = time_msec() + 1000LL * ctl_uint_option(
        join->ctl, OPT_WAIT, 0, 3600, 3);

    while (!is_approved(join) && time_msec() < deadline) {
        xnanosleep(250 * 1000 * 1000);
        refresh(join);
    }
    while (is_approved(join) && local_daemon_pid("vsubnet-controller")
           && !controller_is_connected() && time_msec() < deadline) {
        xnanosleep(100 * 1000 * 1000);
    }
}

static void
tell(struct join *join)
{
    const struct node_file *node = &join->node;

    if (ctl_has(join->ctl, OPT_JSON)) {
        output_json(join->answer);
        return;
    }
    char *state = output_value(json_object_get(join->answer, "state"));
    printf("This host is node %"PRIu32", %s (%s).\n",
           node->number, node->name, state);
    free(state);
    if (!is_approved(join)) {
        printf("It takes part once an operator approves it: "
               "vsubnetctl node approve %"PRIu32"\n", node->number);
    }
    if (!local_daemon_pid("vsubnet-controller")) {
        puts("Now start its controller: "
             "systemctl enable --now vsubnet-controller");
    } else if (is_approved(join) && controller_is_connected()) {
        puts("Its controller is connected: see vsubnetctl status");
    } else {
        puts("Its controller is running: see vsubnetctl status");
    }
}

void
ctl_join(struct ctl *ctl)
{
    struct join join = { .ctl = ctl, .urls = SVEC_EMPTY_INITIALIZER };

    read_arguments(&join);
    get_ca(&join);
    prepare_identity(&join);
    register_node(&join);
    configure_host(&join);
    wait_for_more(&join);
    tell(&join);

    model_wipe(join.token_text, strlen(join.token_text));
    free(join.token_text);
    model_credential_wipe(&join.token);
    node_file_destroy(&join.node);
    client_destroy(join.client);
    json_decref(join.answer);
    svec_destroy(&join.urls);
    free(join.ca);
    free(join.local_ip);
}

/* Leaving.  The controller goes first: without vsubnet-remote it writes none
 * of the files that are then removed. */
void
ctl_leave(struct ctl *ctl)
{
    static const char *const keys[] = { "vsubnet-remote", "vsubnet-endpoint" };
    static const char *const files[] = {
        "keys.json", "cache.json", "node.json", "node.json.new",
    };
    const char *dir = state_dir(ctl_option(ctl, OPT_STATE_DIR));
    struct node_file node;
    bool exists;
    int lock;                   /* Until the end of this process. */

    char *error = node_file_read(dir, &node, &exists);
    if (!exists) {
        ctl_fatal("this host has not joined (there is no %s/node.json)", dir);
    }
    free(error);                /* One that is damaged goes all the same. */
    ctl_check("", node_dir_lock(dir, false, true, &lock));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        ctl_check("", local_set_external_id(keys[i], NULL));
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        ctl_check("", file_remove(dir, files[i]));
    }
    char *number = (node.number ? xasprintf("%"PRIu32, node.number)
                    : xstrdup("NODE"));
    output_done(ctl, NULL, "This host has forgotten the mapping service, "
                "which still knows it: vsubnetctl node rm %s%s", number,
                (local_daemon_pid("vsubnet-controller") ? ""
                 : "\nWhat its controller has configured stays until that is "
                   "started again."));
    free(number);
    node_file_destroy(&node);
}
