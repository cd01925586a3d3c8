/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring in use: its sessions, and their state on disk. */

#include <config.h>
#include "datapath/vsubnet-keys.h"
#include "datapath/fragment.h"
#include "hash.h"
#include "seal/session-state.h"
#include "util.h"

enum { MESSAGE_BURST = 64 };

static bool
same_key(const struct aead_key *a, const struct aead_key *b)
{
    return (a->spi == b->spi && a->vni == b->vni
            && a->algorithm == b->algorithm
            && secret_equal(&a->secret, &b->secret));
}

struct vsubnet_sender *
vsubnet_sender_find(const struct vsubnet_keys *keys, uint32_t spi)
{
    struct vsubnet_sender *s;

    HMAP_FOR_EACH_WITH_HASH (s, node, hash_int(spi, 0), &keys->senders) {
        if (s->spi == spi) {
            return s;
        }
    }
    return NULL;
}

struct vsubnet_receiver *
vsubnet_receiver_find(const struct vsubnet_keys *keys, uint32_t spi)
{
    struct vsubnet_receiver *r;

    HMAP_FOR_EACH_WITH_HASH (r, node, hash_int(spi, 0), &keys->receivers) {
        if (r->spi == spi) {
            return r;
        }
    }
    return NULL;
}

/* The sender in 'keys' for exactly 'key'. */
static struct vsubnet_sender *
find_same_sender(const struct vsubnet_keys *keys, const struct aead_key *key)
{
    struct vsubnet_sender *s = (keys
                                ? vsubnet_sender_find(keys, key->spi) : NULL);

    return (s && same_key(session_sender_key(s->sender), key)) ? s : NULL;
}

static struct vsubnet_receiver *
find_same_receiver(const struct vsubnet_keys *keys, const struct aead_key *key)
{
    struct vsubnet_receiver *r = (keys
                                  ? vsubnet_receiver_find(keys, key->spi)
                                  : NULL);

    return r && same_key(session_rx_key(r->rx), key) ? r : NULL;
}

static void
add_sender(struct vsubnet_keys *keys, const struct keyring_key *k,
           const struct vsubnet_keys *old, const struct session_state *state)
{
    const struct vsubnet_sender *same = find_same_sender(old, &k->key);
    struct vsubnet_sender *s = xzalloc(sizeof *s);

    s->spi = k->key.spi;
    if (same) {
        s->sender = session_sender_ref(same->sender);
    } else {
        s->sender = session_sender_create(&k->key, session_random_default,
                                          NULL);
        session_sender_import(s->sender, state);
    }
    hmap_insert(&keys->senders, &s->node, hash_int(s->spi, 0));
}

static void
add_receiver(struct vsubnet_keys *keys, const struct keyring_key *k,
             const struct vsubnet_keys *old, const struct session_state *state)
{
    const struct keyring_net *net = keyring_net_find(keys->keyring,
                                                     k->key.vni);
    struct vsubnet_receiver *r = xzalloc(sizeof *r);

    ovs_mutex_init(&r->mutex);
    token_bucket_init(&r->messages, 1,
                      MESSAGE_BURST * VSUBNET_MESSAGE_TOKENS);
    r->spi = k->key.spi;
    r->vni = k->key.vni;
    r->number = k->number;
    r->member = net && keyring_member_find(net, k->number);
    r->peer = keyring_peer_find(keys->keyring, k->number);
    if (!find_same_receiver(old, &k->key)) {
        r->rx = session_rx_create(&k->key);
        session_rx_import(r->rx, state);
    }
    hmap_insert(&keys->receivers, &r->node, hash_int(r->spi, 0));
}

struct vsubnet_keys *
vsubnet_keys_create(struct keyring *keyring, const struct vsubnet_keys *old,
                    const struct session_state *state)
{
    struct vsubnet_keys *keys = xzalloc(sizeof *keys);
    const struct keyring_key *k;

    keys->keyring = keyring;
    hmap_init(&keys->senders);
    hmap_init(&keys->receivers);
    HMAP_FOR_EACH (k, hmap_node, &keyring->keys) {
        if (k->tx) {
            add_sender(keys, k, old, state);
        } else {
            add_receiver(keys, k, old, state);
        }
    }
    return keys;
}

void
vsubnet_keys_adopt(struct vsubnet_keys *keys, struct vsubnet_keys *old)
{
    struct vsubnet_receiver *r;

    HMAP_FOR_EACH (r, node, &keys->receivers) {
        if (!r->rx) {
            struct vsubnet_receiver *from = vsubnet_receiver_find(old, r->spi);

            r->rx = from->rx;
            from->rx = NULL;
            r->fragments = from->fragments;
            from->fragments = NULL;
        }
    }
}

void
vsubnet_keys_destroy(struct vsubnet_keys *keys)
{
    struct vsubnet_receiver *r;
    struct vsubnet_sender *s;

    if (!keys) {
        return;
    }
    HMAP_FOR_EACH_POP (s, node, &keys->senders) {
        session_sender_unref(s->sender);
        free(s);
    }
    hmap_destroy(&keys->senders);
    HMAP_FOR_EACH_POP (r, node, &keys->receivers) {
        if (r->rx) {
            session_rx_destroy(r->rx);
        }
        fragment_table_destroy(r->fragments);
        ovs_mutex_destroy(&r->mutex);
        free(r);
    }
    hmap_destroy(&keys->receivers);
    keyring_destroy(keys->keyring);
    free(keys);
}

void
vsubnet_keys_export(const struct vsubnet_keys *keys,
                    struct session_state *state)
{
    const struct vsubnet_receiver *r;
    const struct vsubnet_sender *s;

    HMAP_FOR_EACH (s, node, &keys->senders) {
        session_sender_export(s->sender, state);
    }
    HMAP_FOR_EACH (r, node, &keys->receivers) {
        session_rx_export(r->rx, state);
    }
}

static bool
spi_is_in_use(uint32_t spi, const void *keys)
{
    return vsubnet_sender_find(keys, spi) || vsubnet_receiver_find(keys, spi);
}

void
vsubnet_keys_retain(const struct vsubnet_keys *keys,
                    struct session_state *state)
{
    session_state_retain(state, spi_is_in_use, keys);
}
