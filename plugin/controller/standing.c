/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine may do under its node ID. */
#include <config.h>
#include "controller/standing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/lease.h"
#include "host/fingerprint.h"
#include "host/node-credential.h"
#include "host/node-file.h"
#include "model/mapping.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(standing);

void
standing_destroy(struct standing *standing)
{
    free(standing->name);
    free(standing->fingerprint);
}

/* Looks once which machine this is: before there is a node ID, the setting may
 * still change. */
static void
look_at_machine(struct standing *standing, const struct ovs_config *ovs)
{
    if (!standing->fingerprint && ovs_config_is_ready(ovs)) {
        const char *setting = ovs_config_settings(ovs)->fingerprint;

        standing->fingerprint = (setting ? xstrdup(setting)
                                 : fingerprint_of_machine());
    }
}

/* Forgetting and trusting. */

static void
set_duty(struct controller *c, enum standing_duty duty)
{
    c->standing.duty = duty;
    free(c->standing.name);
    c->standing.name = NULL;
}

/* Nothing is left of what this node was told and had made: its keyring goes
 * now, its flows and ports with the next update. */
static void
forget(struct controller *c)
{
    controller_set_mapping(c, mapping_create());
    own_keys_forget(&c->keys);
    cache_forget(&c->cache);
    keyring_out_forget(&c->keyring);
}

static void
left(struct controller *c)
{
    VLOG_INFO("this node has left: forgetting its vSubnets and keys");
    uuid_zero(&c->standing.node);
    c->standing.trusted = c->standing.stranger = false;
    free(c->standing.fingerprint);
    c->standing.fingerprint = NULL;
    set_duty(c, DUTY_NONE);
    forget(c);
}

static void
trust(struct controller *c)
{
    const struct node_file *node = c->node.identity;

    c->standing.trusted = true;
    c->standing.stranger = false;
    own_keys_load(&c->keys);
    controller_set_mapping(c, cache_load(&c->cache, &node->id));
    if (c->mapping) {
        VLOG_INFO("beginning with the mapping of the cache, revision "
                  MODEL_REVISION_FMT,
                  MODEL_REVISION_ARGS(c->mapping->revision));
    } else if (node->origin_credential) {
        /* It was about to forget the flows of its origin. */
        forget(c);
    }
}

/* Identity. */

static void
consider(struct controller *c)
{
    const struct node_file *node = c->node.identity;

    look_at_machine(&c->standing, c->ovs);
    const char *fingerprint = c->standing.fingerprint;
    if (!uuid_equals(&node->id, &c->standing.node)) {
        VLOG_INFO("this is node "UUID_FMT, UUID_ARGS(&node->id));
        c->standing.node = node->id;
        c->standing.trusted = c->standing.stranger = false;
        set_duty(c, DUTY_NONE);
        controller_set_mapping(c, NULL);
    }
    if (c->standing.trusted || !fingerprint) {
        return;
    }
    if (!strcmp(fingerprint, node->fingerprint)) {
        trust(c);
    } else if (!c->standing.stranger) {
        c->standing.stranger = true;
        VLOG_WARN("this machine is not the one that joined: its fingerprint "
                  "is %s, and that of node.json %s", fingerprint,
                  node->fingerprint);
    }
}

/* True if this node is not joined, and an earlier run left something of when
 * it was: it left while no controller was running, or that was killed before
 * it was done. */
static bool
has_remains(const struct controller *c)
{
    return (c->node.looked && !c->node.exists && !c->mapping
            && (!access(c->keys.path, F_OK) || !access(c->cache.path, F_OK)
                || !access(c->paths.keyring, F_OK)
                || ovs_config_tunnel(c->ovs)->owned));
}

void
standing_run_identity(struct controller *c)
{
    bool had = c->node.identity != NULL;

    if (!identity_file_run(&c->node)) {
        if (has_remains(c)) {
            left(c);
        }
    } else {
        if (had && !c->node.exists) {
            left(c);
        }
        c->next_update = 0;
    }
    if (c->node.identity) {
        consider(c);
    }
}

/* What is to be written down. */

static void
make_new_id(struct controller *c, struct node_file *node)
{
    const char *granted = client_granted_credential(c->client);

    node->origin_id = node->id;
    node_credential_free(node->origin_credential);
    node->origin_credential = xstrdup(granted ? granted : node->credential);
    uuid_generate(&node->id);
    node_credential_free(node->credential);
    node->credential = node_credential_make(&node->id);
    node_file_forget_old(node);
    node->credential_made = time_wall();
    node_credential_free(node->next_credential);
    node->next_credential = NULL;
    node->number = 0;
}

static void
rename_credential(char **credential, const struct uuid *id)
{
    char *renamed = *credential ? node_credential_rename(*credential, id)
                    : NULL;

    node_credential_free(*credential);
    *credential = renamed;
}

static void
take_id(struct node_file *node, const struct uuid *id)
{
    node->id = *id;
    rename_credential(&node->credential, id);
    rename_credential(&node->next_credential, id);
    node_file_forget_old(node);
    node->number = 0;
}

static void
set_registered(const struct standing *standing, struct node_file *node)
{
    uuid_zero(&node->origin_id);
    node_credential_free(node->origin_credential);
    node->origin_credential = NULL;
    node->number = standing->number;
    free(node->name);
    node->name = xstrdup(standing->name);
}

static void
set_fingerprint(const struct controller *c, struct node_file *node)
{
    free(node->fingerprint);
    node->fingerprint = xstrdup(c->standing.fingerprint);
}

static void
do_duty(struct controller *c)
{
    struct standing *standing = &c->standing;
    struct node_file node;

    if (standing->duty == DUTY_NONE || !identity_file_edit(&c->node, &node)) {
        return;
    }
    switch (standing->duty) {
    case DUTY_NEW_ID:
        make_new_id(c, &node);
        break;
    case DUTY_ADOPTED:
        take_id(&node, &standing->id);
        break;
    case DUTY_ORIGIN_ADOPTED:
        node.origin_id = standing->id;
        rename_credential(&node.origin_credential, &standing->id);
        break;
    case DUTY_REGISTERED:
        set_registered(standing, &node);
        break;
    case DUTY_NONE:
    default:
        OVS_NOT_REACHED();
    }
    set_fingerprint(c, &node);
    if (identity_file_update(&c->node, &node)) {
        standing->node = c->node.identity->id;
        standing->trusted = true;
        standing->stranger = false;
        set_duty(c, DUTY_NONE);
        VLOG_INFO("this is node "UUID_FMT", %s",
                  UUID_ARGS(&standing->node), c->node.identity->name);
        poll_immediate_wake();
    }
}

static bool
has_old_credential(const struct node_file *node, const char *credential)
{
    for (size_t i = 0; i < NODE_OLD_MAX && node->old_credentials[i]; i++) {
        if (!strcmp(node->old_credentials[i], credential)) {
            return true;
        }
    }
    return false;
}

/* With the lease granted: whichever credential the service has taken is the
 * credential now, and this machine is the node's. */
static void
settle(struct controller *c)
{
    const struct node_file *now = c->node.identity;
    const char *granted = client_granted_credential(c->client);
    const char *fingerprint = c->standing.fingerprint;
    struct node_file node;

    bool old = granted && has_old_credential(now, granted);
    bool taken = old || (granted && now->next_credential
                         && !strcmp(granted, now->next_credential));
    bool moved = granted && strcmp(fingerprint, now->fingerprint);
    if ((!taken && !moved) || !identity_file_edit(&c->node, &node)) {
        return;
    }
    if (taken) {
        node_file_set_credential(&node, xstrdup(granted));
        node_credential_free(node.next_credential);
        node.next_credential = NULL;
        node.credential_made = old ? 0 : time_wall();
    }
    set_fingerprint(c, &node);
    if (identity_file_update(&c->node, &node) && taken) {
        VLOG_INFO("the service has taken this node's %s credential",
                  old ? "old" : "new");
    }
}

/* Answers. */

static void
take_answer(struct controller *c, const struct lease_answer *answer,
            bool registration)
{
    if (registration) {
        if (answer->verdict == LEASE_GRANTED) {
            set_duty(c, DUTY_REGISTERED);
            c->standing.number = answer->number;
            c->standing.name = xstrdup(answer->name);
        } else if (answer->verdict == LEASE_ADOPTED) {
            set_duty(c, DUTY_ORIGIN_ADOPTED);
            c->standing.id = answer->id;
        }
        return;
    }
    switch (answer->verdict) {
    case LEASE_GRANTED:
        if (c->standing.duty != DUTY_NONE) {
            /* It is not written down yet, and the other one has gone. */
            VLOG_INFO("this machine is the node after all");
            set_duty(c, DUTY_NONE);
        }
        c->standing.origin = answer->origin;
        if (!c->standing.trusted) {
            VLOG_INFO("the mapping service lets this machine be the node");
            trust(c);
        }
        break;
    case LEASE_DUPLICATE:
        VLOG_WARN("%s: this machine registers as a new node",
                  answer->reason);
        forget(c);
        set_duty(c, DUTY_NEW_ID);
        break;
    case LEASE_ADOPTED:
        VLOG_INFO("%s", answer->reason);
        forget(c);
        set_duty(c, DUTY_ADOPTED);
        c->standing.id = answer->id;
        break;
    case LEASE_NONE:
    case LEASE_HELD:
    case LEASE_UNKNOWN:
    case LEASE_REFUSED:
    case LEASE_FAILED:
    default:
        break;
    }
}

void
standing_run_lease(struct controller *c)
{
    struct lease_answer answer;
    bool registration;

    if (!c->node.identity || !c->standing.fingerprint) {
        return;
    }
    if (client_take_answer(c->client, &answer, &registration)) {
        take_answer(c, &answer, registration);
        lease_answer_destroy(&answer);
    }
    do_duty(c);
    if (c->standing.duty == DUTY_NONE) {
        settle(c);
    }
}

const char *
standing_lease_name(const struct controller *c)
{
    struct client_status status;

    client_get_status(c->client, &status);
    if (!c->node.identity) {
        return "none";
    }
    switch (status.lease) {
    case LEASE_GRANTED:
        return "held";
    case LEASE_DUPLICATE:
    case LEASE_UNKNOWN:
    case LEASE_REFUSED:
        return "refused";
    case LEASE_NONE:
    case LEASE_HELD:
    case LEASE_ADOPTED:
    case LEASE_FAILED:
    default:
        return "waiting";
    }
}
