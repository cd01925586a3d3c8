/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file, and telling ovs-vswitchd about it. */
#include <config.h>
#include "controller/keyring-out.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "controller/own-keys.h"
#include "controller/reload.h"
#include "model/mapping.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "seal/keyring-file.h"
#include "seal/keyring.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(keyring_out);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum { RETRY_MS = 2000 };

/* Building. */

static void
complain(const char *rule, const char *what, uint32_t number)
{
    if (rule) {
        VLOG_WARN_RL(&rl, "%s %"PRIu32" is not in the keyring: %s",
                     what, number, rule);
    }
}

static bool
is_approved_peer(const struct mapping *mapping, uint32_t number)
{
    const struct model_node *node = mapping_node(mapping, number);

    return (node && node != mapping->self
            && node->state == MODEL_NODE_APPROVED);
}

static const struct model_endpoint *
choose_endpoint(const struct model_node *node, keyring_reaches_func *reaches)
{
    for (size_t i = 0; node->n_endpoints > 1 && i < node->n_endpoints; i++) {
        if (reaches(&node->endpoints[i].ip)) {
            return &node->endpoints[i];
        }
    }
    return node->n_endpoints ? &node->endpoints[0] : NULL;
}

static void
add_peer(struct keyring *keyring, const struct model_node *node,
         keyring_reaches_func *reaches)
{
    const struct model_endpoint *endpoint = choose_endpoint(node, reaches);
    struct keyring_peer peer = {
        .number = node->number,
        .generation = node->revision.generation,
        .revision = node->revision.number,
    };

    if (endpoint) {
        peer.address = endpoint->ip;
        peer.port = endpoint->port;
    }
    complain(keyring_add_peer(keyring, &peer), "node", node->number);
}

static void
add_own_key(struct keyring *keyring, const struct own_key *own)
{
    if (own && own->spi && own->secret.size) {
        struct keyring_key key = {
            .key = {
                .spi = own->spi,
                .vni = own->vni,
                .algorithm = (enum aead_algorithm) own->algorithm,
            },
            .tx = true,
            .number = keyring->self,
            .epoch = own->epoch,
        };
        secret_set(&key.key.secret, own->secret.bytes, own->secret.size);
        complain(keyring_add_key(keyring, &key), "key with SPI", own->spi);
        secret_wipe(&key.key.secret);
    }
}

static void
add_peer_key(struct keyring *keyring, const struct model_net *net,
             const struct model_key *from)
{
    struct keyring_key key = {
        .key = {
            .spi = from->spi,
            .vni = net->vni,
            .algorithm = (enum aead_algorithm) from->algorithm,
        },
        .number = from->node,
        .epoch = from->epoch,
    };
    secret_set(&key.key.secret, from->secret.bytes, from->secret.size);
    complain(keyring_add_key(keyring, &key), "key with SPI", from->spi);
    secret_wipe(&key.key.secret);
}

static void
add_net(struct keyring *keyring, const struct mapping *mapping,
        const struct own_keys *keys, const struct model_net *net)
{
    const struct model_member *member;
    const struct model_key *key;

    const char *rule = keyring_add_net(keyring, net->vni,
                                       net->has_group ? &net->group.ip : NULL);
    complain(rule, "vSubnet with VNI", net->vni);
    if (rule) {
        return;
    }
    HMAP_FOR_EACH (member, in_net, &net->members) {
        if (is_approved_peer(mapping, member->node)) {
            complain(keyring_add_member(keyring, net->vni, member->node),
                     "node", member->node);
        }
    }

    const struct own_key *own = own_keys_in_force(keys, net->name);
    if (own && own->vni == net->vni) {
        add_own_key(keyring, own);
    }
    HMAP_FOR_EACH (key, in_net, &net->keys) {
        if (key->secret.size && is_approved_peer(mapping, key->node)
            && mapping_member(mapping, net->name, key->node)) {
            add_peer_key(keyring, net, key);
        }
    }
}

struct keyring *
keyring_build(const struct mapping *mapping, const struct own_keys *keys,
              keyring_reaches_func *reaches)
{
    const struct model_node *node;
    const struct model_net *net;

    if (!mapping->self) {
        return NULL;
    }

    struct keyring *keyring = keyring_create(mapping->self->number);
    if (keyring) {
        HMAP_FOR_EACH (node, by_number, &mapping->nodes) {
            if (is_approved_peer(mapping, node->number)) {
                add_peer(keyring, node, reaches);
            }
        }
        HMAP_FOR_EACH (net, by_name, &mapping->nets) {
            add_net(keyring, mapping, keys, net);
        }
    }
    return keyring;
}

/* Writing. */

void
keyring_out_init(struct keyring_out *out, const char *run_dir)
{
    *out = (struct keyring_out) {
        .path = xasprintf("%s/keyring", run_dir),
        .reload = reload_create("vsubnet/reload-keyring",
                                "reload the keyring"),
    };
}

void
keyring_out_destroy(struct keyring_out *out)
{
    reload_destroy(out->reload);
    free(out->path);
    free(out->error);
}

static void
digest(const struct keyring *keyring, uint8_t sha256[32])
{
    size_t n;
    char *text = keyring_format(keyring, &n);

    EVP_Digest(text, n, sha256, NULL, EVP_sha256(), NULL);
    keyring_text_free(text, n);
}

/* Finds out what an earlier run left. */
static void
read_existing(struct keyring_out *out)
{
    struct keyring *keyring;
    char *error = keyring_load(out->path, &keyring);

    if (!error) {
        digest(keyring, out->digest);
        out->written = true;
        keyring_destroy(keyring);
    }
    free(error);
}

static void
delete_file(struct keyring_out *out)
{
    out->forgetting = false;
    if (private_file_remove(out->path)) {
        VLOG_INFO("deleted %s", out->path);
    }
}

void
keyring_out_forget(struct keyring_out *out)
{
    struct keyring *old;
    char *error = keyring_load(out->path, &old);

    out->written = out->dirty = false;
    out->looked = true;
    out->left = 0;
    out->wanted = out->loaded = (struct model_revision) { 0, 0 };
    if (!error) {
        struct keyring *empty = keyring_create(old->self);

        error = keyring_save(out->path, empty);
        keyring_destroy(empty);
        keyring_destroy(old);
    }
    if (error) {
        free(error);
        delete_file(out);
    } else {
        out->forgetting = true;
        reload_start(out->reload);
    }
}

bool
keyring_out_is_left(struct keyring_out *out, uint32_t self)
{
    if (!out->looked) {
        struct keyring *keyring;
        char *error = keyring_load(out->path, &keyring);

        if (!error) {
            out->left = keyring->self;
            keyring_destroy(keyring);
        }
        free(error);
        out->looked = true;
    }
    return !out->written && out->left == self;
}

void
keyring_out_update(struct keyring_out *out, const struct mapping *mapping,
                   const struct own_keys *keys,
                   keyring_reaches_func *reaches)
{
    struct keyring *keyring = keyring_build(mapping, keys, reaches);
    uint8_t sha256[32];

    if (!keyring) {
        return;
    }
    out->forgetting = false;
    if (!out->written) {
        read_existing(out);
    }
    digest(keyring, sha256);
    out->dirty = false;
    if (!out->written || memcmp(sha256, out->digest, sizeof sha256)
        || access(out->path, F_OK)) {
        free(out->error);
        out->error = keyring_save(out->path, keyring);
        if (out->error) {
            VLOG_WARN_RL(&rl, "%s", out->error);
            out->dirty = true;
            out->retry_at = time_msec() + RETRY_MS;
        } else {
            memcpy(out->digest, sha256, sizeof out->digest);
            out->written = true;
            out->wanted_changes++;
            out->changed = mapping->revision;
            reload_start(out->reload);
        }
    }
    if (!out->dirty) {
        out->wanted = mapping->revision;
    }
    keyring_destroy(keyring);
}

void
keyring_out_advance(struct keyring_out *out, const struct mapping *mapping)
{
    if (out->written && !out->dirty) {
        out->wanted = mapping->revision;
    }
}

bool
keyring_out_is_loaded(const struct keyring_out *out)
{
    return out->written && !out->dirty && reload_is_done(out->reload);
}

void
keyring_out_mark(struct keyring_out *out)
{
    out->wanted_changes++;
}

void
keyring_out_reload(struct keyring_out *out)
{
    if (!access(out->path, F_OK)) {
        reload_start(out->reload);
    }
}

void
keyring_out_run(struct keyring_out *out)
{
    reload_run(out->reload);
    if (out->forgetting && reload_is_idle(out->reload)) {
        delete_file(out);
    }
    /* A restart makes the keyring anew from the cache: what others are told
     * to be loaded must not go by that. */
    if (keyring_out_is_loaded(out)
        && model_revision_compare(out->cached, out->changed) >= 0) {
        /* Also of a revision that has the same keys. */
        out->loaded = out->wanted;
        out->loaded_changes = out->wanted_changes;
    }
}

void
keyring_out_wait(struct keyring_out *out)
{
    reload_wait(out->reload);
    if (out->dirty) {
        poll_timer_wait_until(out->retry_at);
    }
}
