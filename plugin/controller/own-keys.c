/* SPDX-License-Identifier: Apache-2.0 */
/* This node's own sender keys: keys.json. */
#include <config.h>
#include "controller/own-keys.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/json-text.h"
#include "controller/key-rotation.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "seal/private-file.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(own_keys);

enum {
    MAX_FILE = 64 * 1024 * 1024,
    MAX_KEYS = 65536,
    SAVE_RETRY_MS = 5000,
};

void
own_key_free(struct own_key *key)
{
    if (key) {
        own_key_free(key->before);
        model_secret_wipe(&key->secret);
        free(key->net);
        free(key);
    }
}

void
own_keys_init(struct own_keys *keys, const char *state_dir)
{
    *keys = (struct own_keys) { .path = xasprintf("%s/keys.json", state_dir) };
    shash_init(&keys->keys);
}

static void
delete_node(struct own_keys *keys, struct shash_node *node)
{
    own_key_free(node->data);
    shash_delete(&keys->keys, node);
}

static void
clear(struct own_keys *keys)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &keys->keys) {
        delete_node(keys, node);
    }
}

void
own_keys_destroy(struct own_keys *keys)
{
    clear(keys);
    shash_destroy(&keys->keys);
    free(keys->path);
    free(keys->error);
}

void
own_keys_forget(struct own_keys *keys)
{
    clear(keys);
    keys->dirty = false;
    private_file_remove(keys->path);
}

static void
set_error(struct own_keys *keys, char *error)
{
    if (error) {
        VLOG_WARN("%s", error);
    }
    free(keys->error);
    keys->error = error;
}

/* Reading. */

static char *
own_key_from_json(const json_t *json, struct own_key **keyp)
{
    struct own_key *key = xzalloc(sizeof *key);
    struct model_reader r;

    model_reader_init(&r, json);
    key->net = nullable_xstrdup(model_reader_name(&r, "net", MODEL_REQUIRED));
    key->vni = model_reader_uint(&r, "vni", MODEL_REQUIRED, 1, MODEL_VNI_MAX);
    key->epoch = model_reader_uint(&r, "epoch", MODEL_REQUIRED, 1,
                                   UINT32_MAX);
    model_reader_algorithm(&r, "algorithm", MODEL_REQUIRED, &key->algorithm);
    key->rekey = model_reader_uint(&r, "rekey", MODEL_OPTIONAL, 0, INT64_MAX);
    key->made = model_reader_uint(&r, "made", MODEL_OPTIONAL, 0, INT64_MAX);
    key->spi = model_reader_uint(&r, "spi", MODEL_OPTIONAL, 1, UINT32_MAX);
    key->upload = !key->spi;

    const char *base64 = model_reader_string(&r, "key", MODEL_REQUIRED);
    if (base64
        && (!model_base64_decode(base64, key->secret.bytes, MODEL_KEY_MAX,
                                 &key->secret.size)
            || key->secret.size != model_algorithm_key_size(key->algorithm))) {
        model_reader_fail(&r, "key", xstrdup("not a key of its algorithm"));
    }

    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);
    if (error) {
        own_key_free(key);
        key = NULL;
    }
    *keyp = key;
    return error;
}

static void
number_draw(struct own_keys *keys, struct own_key *key)
{
    key->draw = ++keys->draws;
    key->jitter = (int) random_range(2 * KEY_ROTATION_JITTER + 1)
                  - KEY_ROTATION_JITTER;
}

/* Adds a key that was loaded.  Of two of one vSubnet the earlier is in force
 * until the later one is. */
static char *
add_loaded(struct own_keys *keys, struct own_key *key)
{
    struct own_key *other = shash_find_data(&keys->keys, key->net);

    if (!other) {
        shash_add(&keys->keys, key->net, key);
        return NULL;
    }

    struct own_key *late = key->epoch > other->epoch ? key : other;
    struct own_key *early = late == key ? other : key;
    if (early->epoch == late->epoch || !early->spi || other->before) {
        own_key_free(key);
        return xstrdup("keys of one vSubnet that do not follow each other");
    }
    late->before = early;
    shash_replace(&keys->keys, late->net, late);
    return NULL;
}

static char *
load_json(struct own_keys *keys, const json_t *json)
{
    struct model_reader r;

    model_reader_init(&r, json);
    model_reader_uint(&r, "version", MODEL_REQUIRED, 1, 1);
    const json_t *array = model_reader_array(&r, "keys", MODEL_REQUIRED,
                                             MAX_KEYS);
    char *error = model_reader_finish(&r, MODEL_IGNORE_UNKNOWN);

    for (size_t i = 0; !error && i < json_array_size(array); i++) {
        struct own_key *key;

        error = own_key_from_json(json_array_get(array, i), &key);
        if (!error) {
            number_draw(keys, key);
            /* One of unknown age, or from the future, is as good as new. */
            if (!key->made || key->made > time_wall()) {
                key->made = time_wall();
            }
            error = add_loaded(keys, key);
        }
    }
    return error;
}

void
own_keys_load(struct own_keys *keys)
{
    char *data, *error;
    size_t n;

    clear(keys);
    if (access(keys->path, F_OK)) {
        return;
    }
    error = private_file_read(keys->path, MAX_FILE, &data, &n);
    if (!error) {
        json_t *json;

        error = model_json_parse(data, n, MAX_FILE, &json);
        if (!error) {
            error = load_json(keys, json);
            json_decref(json);
        }
        private_file_free(data, n);
    }
    if (error) {
        set_error(keys, xasprintf("%s: %s: making new keys", keys->path,
                                  error));
        free(error);
        clear(keys);
    }
}

/* Writing. */

static json_t *
own_key_to_json(const struct own_key *key)
{
    char base64[64];

    ovs_assert(model_base64_size(key->secret.size) <= sizeof base64);
    model_base64_encode(key->secret.bytes, key->secret.size, base64);
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:o}",
                             "net", key->net,
                             "vni", (json_int_t) key->vni,
                             "epoch", (json_int_t) key->epoch,
                             "rekey", (json_int_t) key->rekey,
                             "made", (json_int_t) key->made,
                             "algorithm", model_algorithm_name(key->algorithm),
                             "key", base64,
                             "spi", (key->spi
                                     ? json_integer(key->spi) : json_null()));
    model_wipe(base64, sizeof base64);
    return json;
}

bool
own_keys_save(struct own_keys *keys, long long int now)
{
    if (!keys->dirty) {
        return true;
    }
    if (now < keys->next_save) {
        return false;
    }

    json_t *array = json_array();
    struct shash_node *node;
    SHASH_FOR_EACH (node, &keys->keys) {
        const struct own_key *key = node->data;

        if (key->before) {
            json_array_append_new(array, own_key_to_json(key->before));
        }
        json_array_append_new(array, own_key_to_json(key));
    }
    json_t *json = json_pack("{s:i, s:o}", "version", 1, "keys", array);
    size_t n;
    char *text = json_text_dump(json, &n);
    set_error(keys, private_file_replace(keys->path, text, n));
    json_text_free(text, n);
    json_decref(json);

    keys->dirty = keys->error != NULL;
    keys->next_save = keys->dirty ? now + SAVE_RETRY_MS : 0;
    return !keys->dirty;
}

/* Making and dropping. */

/* The highest epoch that this node has used in 'net', by what the service
 * says. */
static uint32_t
last_epoch(const struct mapping *mapping, const struct model_net *net)
{
    const struct model_key *key;
    uint32_t epoch = 0;

    HMAP_FOR_EACH (key, in_net, &net->keys) {
        if (mapping->self && key->node == mapping->self->number) {
            epoch = MAX(epoch, key->epoch);
        }
    }
    return epoch;
}

/* Gives 'key' a new secret, which suits 'net'. */
static void
draw(struct own_keys *keys, struct own_key *key, const struct model_net *net)
{
    key->vni = net->vni;
    key->algorithm = net->algorithm;
    key->rekey = net->rekey;
    key->made = time_wall();
    model_secret_wipe(&key->secret);
    key->secret.size = model_algorithm_key_size(key->algorithm);
    if (RAND_bytes(key->secret.bytes, key->secret.size) != 1) {
        VLOG_FATAL("no random numbers for a key");
    }
    key->spi = 0;
    key->upload = true;
    key->loaded = false;
    key->switch_at = key->since = key->demand_at = 0;
    number_draw(keys, key);
    keys->dirty = true;
    VLOG_INFO("made a key for vSubnet %s, epoch %"PRIu32, key->net,
              key->epoch);
}

void
own_keys_renew(struct own_keys *keys, const char *net, unsigned int number)
{
    struct own_key *key = shash_find_data(&keys->keys, net);

    if (key && key->draw == number && key->epoch < UINT32_MAX / 4) {
        const struct model_net same = {
            .vni = key->vni, .algorithm = key->algorithm,
            .rekey = key->rekey,
        };

        key->epoch = key->epoch * 2 + 1;
        draw(keys, key, &same);
    }
}

/* Makes a key for 'net', which has none. */
static struct own_key *
add_key(struct own_keys *keys, const struct model_net *net, uint32_t epoch)
{
    struct own_key *key = xzalloc(sizeof *key);

    key->net = xstrdup(net->name);
    key->epoch = epoch;
    draw(keys, key, net);
    shash_add(&keys->keys, net->name, key);
    return key;
}

void
own_keys_replace(struct own_keys *keys, const struct mapping *mapping,
                 const struct model_net *net)
{
    struct own_key *key = shash_find_data(&keys->keys, net->name);

    if (!key) {
        add_key(keys, net, last_epoch(mapping, net) + 1);
    } else if (key->vni != net->vni) {
        /* Another vSubnet of the same name: nothing of the old one's. */
        uint32_t epoch = MAX(last_epoch(mapping, net), key->epoch) + 1;

        shash_find_and_delete(&keys->keys, net->name);
        own_key_free(key);
        add_key(keys, net, epoch);
    } else if (key->before || !key->spi) {
        draw(keys, key, net);
    } else {
        uint32_t epoch = MAX(last_epoch(mapping, net), key->epoch) + 1;

        shash_find_and_delete(&keys->keys, net->name);
        add_key(keys, net, epoch)->before = key;
    }
}

static bool
sync_net(struct own_keys *keys, const struct mapping *mapping,
         const struct model_net *net, bool snapshot)
{
    struct own_key *key = shash_find_data(&keys->keys, net->name);

    if (!key || key->vni != net->vni || key->algorithm != net->algorithm) {
        own_keys_replace(keys, mapping, net);
        return true;
    }
    if (snapshot && key->spi) {
        const struct model_key *known = mapping_key(mapping, key->spi);
        key->upload = (!known || known->node != mapping->self->number
                       || known->epoch != key->epoch);
    }
    return false;
}

bool
own_keys_sync(struct own_keys *keys, const struct mapping *mapping,
              bool snapshot)
{
    const struct model_net *net;
    struct shash_node *node;
    bool changed = false;

    SHASH_FOR_EACH_SAFE (node, &keys->keys) {
        if (!mapping_net(mapping, node->name)) {
            VLOG_INFO("dropped the key of vSubnet %s", node->name);
            delete_node(keys, node);
            changed = true;
        }
    }
    if (mapping->self) {
        HMAP_FOR_EACH (net, by_name, &mapping->nets) {
            changed |= sync_net(keys, mapping, net, snapshot);
        }
    }
    keys->dirty |= changed;
    return changed;
}

const struct own_key *
own_keys_in_force(const struct own_keys *keys, const char *net)
{
    const struct own_key *key = shash_find_data(&keys->keys, net);

    return key && key->before ? key->before : key;
}

/* Uploading. */

struct own_key *
own_keys_next_upload(const struct own_keys *keys)
{
    struct shash_node *node;

    if (!keys->dirty) {
        SHASH_FOR_EACH (node, &keys->keys) {
            struct own_key *key = node->data;
            if (key->upload) {
                return key;
            }
        }
    }
    return NULL;
}

char *
own_key_body(const struct own_key *key)
{
    json_t *json = own_key_to_json(key);
    size_t n;

    json_object_del(json, "vni");
    json_object_del(json, "made");
    json_object_del(json, "spi");
    if (!key->rekey) {
        json_object_del(json, "rekey");     /* The default. */
    }
    char *text = json_text_dump(json, &n);
    json_decref(json);
    return text;
}

void
own_key_body_free(char *body)
{
    json_text_free(body, strlen(body));
}

/* Takes 'spi' from those that were loaded early. */
static bool
take_early(struct own_keys *keys, uint32_t spi)
{
    for (size_t i = 0; i < OWN_KEYS_EARLY; i++) {
        if (keys->early[i] == spi) {
            keys->early[i] = 0;
            return true;
        }
    }
    return false;
}

bool
own_keys_set_spi(struct own_keys *keys, const char *net, unsigned int number,
                 uint32_t spi)
{
    struct own_key *key = shash_find_data(&keys->keys, net);

    if (!key || key->draw != number) {
        return false;
    }
    key->upload = false;
    if (key->spi == spi) {
        return false;
    }
    key->spi = spi;
    key->loaded = take_early(keys, spi);
    keys->dirty = true;
    return true;
}

void
own_keys_loaded(struct own_keys *keys, uint32_t spi)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &keys->keys) {
        struct own_key *key = node->data;

        if (key->spi == spi) {
            key->loaded = true;
            return;
        }
    }
    /* One upload is under way at a time, so that few are remembered. */
    keys->early[keys->next_early++ % OWN_KEYS_EARLY] = spi;
}
