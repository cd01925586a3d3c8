/* SPDX-License-Identifier: Apache-2.0 */
/* When a sender key takes another's place. */
#include <config.h>
#include "controller/key-rotation.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "controller/own-keys.h"
#include "model/mapping.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(key_rotation);

/* Something else than time asked for the successor of key->before. */
static bool
is_urgent(const struct own_key *key)
{
    return (key->rekey > key->before->rekey
            || key->algorithm != key->before->algorithm);
}

/* FOLLOWED.  Returns true at the switch. */
static bool
run_followed(struct own_keys *keys, struct own_key *key,
             const struct key_rotation_facts *f)
{
    if (!key->spi) {
        return false;
    }
    if (!f->live) {
        key->switch_at = 0;
        return false;
    }
    if (!key->switch_at) {
        key->switch_at = f->now + (is_urgent(key) ? KEY_ROTATION_URGENT_MS
                                   : KEY_ROTATION_LOAD_MS);
    }
    if (!key->loaded && f->now < key->switch_at) {
        return false;
    }
    VLOG_INFO("vSubnet %s: sending with the key of epoch %"PRIu32" (%s)",
              key->net, key->epoch,
              key->loaded ? "all have it" : "not all have said that they have "
              "it");
    own_key_free(key->before);
    key->before = NULL;
    key->switch_at = 0;
    key->since = f->now;
    keys->dirty = true;
    return true;
}

/* True if the key of 'net' is to be replaced because it is stale.  Demands
 * reach all nodes at once, so each waits a little. */
static bool
is_demanded(struct own_key *key, const struct model_net *net,
            const struct key_rotation_facts *f)
{
    if (net->rekey <= key->rekey) {
        key->demand_at = 0;
        return false;
    }
    if (!key->demand_at) {
        key->demand_at = f->now + f->random % KEY_ROTATION_DEMAND_MS;
    }
    return f->now >= key->demand_at;
}

static bool
is_old(struct own_key *key, const struct key_rotation_facts *f)
{
    long long int interval = f->interval * 1000LL;

    if (key->made > f->wall) {
        key->made = f->wall;    /* A clock was wrong: as good as new. */
    }
    return (f->interval > 0 && !key->before
            && (f->wall - key->made) * 1000
               >= interval + interval * key->jitter / 1000);
}

/* ALONE, and FOLLOWED: true if the key has a successor to be made. */
static bool
is_replaced(struct own_key *key, const struct model_net *net,
            const struct key_rotation_facts *f)
{
    bool demanded = is_demanded(key, net, f);

    if (key->before || !key->spi) {
        return demanded;        /* It is not in force. */
    }
    return ((demanded || is_old(key, f)) && f->settled
            && f->now >= key->since + KEY_ROTATION_SETTLE_MS);
}

bool
key_rotation_run(struct own_keys *keys, const struct key_rotation_facts *f)
{
    const struct model_net *net;
    bool changed = false;

    HMAP_FOR_EACH (net, by_name, &f->mapping->nets) {
        struct own_key *key = shash_find_data(&keys->keys, net->name);

        if (!key || key->vni != net->vni) {
            continue;           /* own_keys_sync() is still to come. */
        }
        if (!key->since) {
            key->since = f->now;
        }
        if (key->before && run_followed(keys, key, f)) {
            changed = true;
        }
        if (f->live && is_replaced(key, net, f)) {
            own_keys_replace(keys, f->mapping, net);
        }
    }
    return changed;
}

long long int
key_rotation_next(const struct own_keys *keys, long long int now)
{
    long long int next = LLONG_MAX;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &keys->keys) {
        const struct own_key *key = node->data;
        const long long int times[] = {
            key->before && key->spi ? key->switch_at : 0,
            key->demand_at,
            key->demand_at ? key->since + KEY_ROTATION_SETTLE_MS : 0,
        };

        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
            if (times[i] > now) {
                next = MIN(next, times[i]);
            }
        }
    }
    return next;
}

uint32_t
key_rotation_retired(const struct own_keys *keys,
                     const struct key_rotation_facts *f)
{
    const struct model_net *net;
    const struct model_key *old;

    if (!f->live || !f->settled || keys->dirty) {
        return 0;
    }
    HMAP_FOR_EACH (net, by_name, &f->mapping->nets) {
        const struct own_key *key = shash_find_data(&keys->keys, net->name);

        if (!key || key->before || !key->spi || !key->since
            || f->now < key->since + KEY_ROTATION_RETIRE_MS) {
            continue;
        }
        HMAP_FOR_EACH (old, in_net, &net->keys) {
            if (old->node == f->mapping->self->number
                && old->epoch < key->epoch) {
                return old->spi;
            }
        }
    }
    return 0;
}
