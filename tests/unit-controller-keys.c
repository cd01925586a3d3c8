/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: this node's own keys. */
#include <config.h>
#include "unit-controller.h"

#include <string.h>
#include <sys/stat.h>

#include "command-line.h"
#include "controller/key-rotation.h"
#include "controller/own-keys.h"
#include "model/mapping.h"
#include "timeval.h"
#include "util.h"

static struct own_key *
key_of(const struct own_keys *keys, const char *net)
{
    return shash_find_data(&keys->keys, net);
}

/* keys.json: the life of a key, in the directory of argument 1. */
void
test_own_keys(struct ovs_cmdl_context *ctx)
{
    struct mapping *mapping = test_mapping();
    struct own_keys keys, again;
    struct stat s;

    own_keys_init(&keys, ctx->argv[1]);
    own_keys_load(&keys);
    CHECK(!keys.error, "no file is no error");
    CHECK(own_keys_sync(&keys, mapping, true), "makes keys");
    CHECK(shash_count(&keys.keys) == 2, "one a vSubnet");
    CHECK(!own_keys_next_upload(&keys), "nothing unsaved is uploaded");
    CHECK(own_keys_save(&keys, 0), "%s", keys.error);
    CHECK(!stat(keys.path, &s) && (s.st_mode & 0777) == 0600, "mode");

    struct own_key *key = own_keys_next_upload(&keys);
    CHECK(key && key->epoch == 1 && !key->spi, "to be uploaded");
    CHECK(own_keys_set_spi(&keys, key->net, key->draw, 99), "SPI is new");
    CHECK(!own_keys_set_spi(&keys, key->net, key->draw, 99), "SPI is known");
    CHECK(!own_keys_set_spi(&keys, key->net, key->draw + 100, 98),
          "another secret's");
    CHECK(own_keys_save(&keys, 0), "%s", keys.error);

    /* The same after a restart. */
    own_keys_init(&again, ctx->argv[1]);
    own_keys_load(&again);
    CHECK(!again.error, "%s", again.error);
    struct own_key *same = key_of(&again, key->net);
    CHECK(same && same->spi == 99 && same->vni == key->vni
          && same->made == key->made
          && model_secret_equals(&same->secret, &key->secret), "reloaded");
    CHECK(!own_keys_sync(&again, mapping, false), "nothing to do");
    CHECK(!same->upload, "a change says nothing about it");
    own_keys_sync(&again, mapping, true);
    CHECK(same->upload, "the service does not have it any more");

    /* What the service knows to be used, is not used again. */
    own_keys_renew(&again, same->net, same->draw);
    CHECK(same->epoch > 1 && !same->spi
          && !model_secret_equals(&same->secret, &key->secret), "renewed");

    /* Another VNI is another vSubnet: nothing of the old one is sent. */
    struct model_net *row = mapping_net(mapping, key->net);
    row->vni++;
    CHECK(own_keys_sync(&keys, mapping, false), "another VNI");
    CHECK(!own_keys_in_force(&keys, row->name)->spi, "nothing to send with");
    row->vni--;
    CHECK(own_keys_sync(&keys, mapping, false), "back");

    /* Membership ends: the key goes, from the file too. */
    mapping_remove_net(mapping, row);
    CHECK(own_keys_sync(&keys, mapping, false), "dropped");
    CHECK(shash_count(&keys.keys) == 1, "one left");
    own_keys_save(&keys, 0);
    own_keys_load(&again);
    CHECK(shash_count(&again.keys) == 1, "one left in the file");

    own_keys_destroy(&again);
    own_keys_destroy(&keys);
    mapping_destroy(mapping);
}

/* Keys that take others' places.  Each step is what happens, at a time in
 * milliseconds, and what is so afterwards.  There are two secrets at most:
 * the one in force, by its SPI, and the newest, by its epoch and SPI. */

enum what {
    NOTHING,
    REKEY,                      /* The service demands other keys. */
    ALGORITHM,                  /* It wants another algorithm. */
    UPLOADED,                   /* The newest has got the SPI 'arg'. */
    LATE,                       /* So has the one before it was drawn anew. */
    LOADED,                     /* All have 'arg'. */
    AWAY,                       /* The connection ends. */
    BACK,
    UNSETTLED,                  /* ovs-vswitchd has not answered. */
    SETTLED,
    RESTART,
    SET_BACK,                   /* The clock, by ten years. */
};

struct step {
    long long int at;
    enum what what;
    uint32_t arg;

    uint32_t in_force;          /* SPI. */
    uint32_t epoch, spi;        /* Of the newest. */
};

struct scenario {
    const char *name;
    int interval;               /* Seconds. */
    struct step steps[16];
};

/* All begin with epoch 1, SPI 99, in force since time 1000, made then. */
static const struct scenario scenarios[] = {
    { "by time", 10, {
        { 1000, NOTHING, 0, 99, 1, 99 },
        { 10000, NOTHING, 0, 99, 1, 99 },
        { 11000, NOTHING, 0, 99, 2, 0 },
        { 12000, UPLOADED, 100, 99, 2, 100 },
        { 13000, LOADED, 100, 100, 2, 100 },
        { 20000, NOTHING, 0, 100, 2, 100 },
        { 21000, NOTHING, 0, 100, 3, 0 },
    } },
    { "by time, of a clock that was set back", 10, {
        { 2000, SET_BACK, 0, 99, 1, 99 },
        { 11000, NOTHING, 0, 99, 1, 99 },
        { 12000, NOTHING, 0, 99, 2, 0 },
    } },
    { "not by time", 0, {
        { 1000, NOTHING, 0, 99, 1, 99 },
        { 1000000000, NOTHING, 0, 99, 1, 99 },
    } },
    { "who does not answer is waited for", 10, {
        { 11000, NOTHING, 0, 99, 2, 0 },
        { 12000, UPLOADED, 100, 99, 2, 100 },
        { 12000 + KEY_ROTATION_LOAD_MS - 1, NOTHING, 0, 99, 2, 100 },
        { 12000 + KEY_ROTATION_LOAD_MS, NOTHING, 0, 100, 2, 100 },
    } },
    { "without the service nothing is replaced", 10, {
        { 1000, AWAY, 0, 99, 1, 99 },
        { 50000, REKEY, 0, 99, 1, 99 },
        { 60000, BACK, 0, 99, 2, 0 },
    } },
    { "nor is the time of others running", 10, {
        { 11000, NOTHING, 0, 99, 2, 0 },
        { 12000, UPLOADED, 100, 99, 2, 100 },
        { 13000, AWAY, 0, 99, 2, 100 },
        { 90000, NOTHING, 0, 99, 2, 100 },
        { 100000, BACK, 0, 99, 2, 100 },
        { 100000 + KEY_ROTATION_LOAD_MS - 1, NOTHING, 0, 99, 2, 100 },
        { 100000 + KEY_ROTATION_LOAD_MS, NOTHING, 0, 100, 2, 100 },
    } },
    { "on demand", 0, {
        { 2000, REKEY, 0, 99, 1, 99 },      /* Not all at once. */
        { 2199, NOTHING, 0, 99, 2, 0 },
        { 2300, UPLOADED, 100, 99, 2, 100 },
        { 2300 + KEY_ROTATION_URGENT_MS, NOTHING, 0, 100, 2, 100 },
    } },
    { "another demand before the first is met", 0, {
        { 2000, REKEY, 0, 99, 1, 99 },
        { 2200, NOTHING, 0, 99, 2, 0 },
        { 2300, UPLOADED, 100, 99, 2, 100 },
        { 2400, REKEY, 0, 99, 2, 100 },
        { 2600, NOTHING, 0, 99, 2, 0 },     /* No third epoch. */
        { 2700, LATE, 100, 99, 2, 0 },
        { 2800, LOADED, 100, 99, 2, 0 },
        { 2900, UPLOADED, 101, 99, 2, 101 },
        { 3000, LOADED, 101, 101, 2, 101 },
    } },
    { "a demand while one becomes old", 10, {
        { 11000, NOTHING, 0, 99, 2, 0 },
        { 12000, UPLOADED, 100, 99, 2, 100 },
        { 12100, REKEY, 0, 99, 2, 100 },
        { 12300, NOTHING, 0, 99, 2, 0 },
        { 12400, UPLOADED, 101, 99, 2, 101 },
        { 12500, LOADED, 101, 101, 2, 101 },
    } },
    { "a demand just after a switch", 10, {
        { 11000, NOTHING, 0, 99, 2, 0 },
        { 11100, UPLOADED, 100, 99, 2, 100 },
        { 11200, LOADED, 100, 100, 2, 100 },
        { 11250, UNSETTLED, 0, 100, 2, 100 },
        { 11300, REKEY, 0, 100, 2, 100 },
        { 12300, NOTHING, 0, 100, 2, 100 },     /* It may send with 99. */
        { 12400, SETTLED, 0, 100, 3, 0 },
    } },
    { "loaded before the answer came", 0, {
        { 2000, REKEY, 0, 99, 1, 99 },
        { 2200, NOTHING, 0, 99, 2, 0 },
        { 2300, LOADED, 100, 99, 2, 0 },
        { 2400, UPLOADED, 100, 100, 2, 100 },
    } },
    { "another algorithm, and back", 0, {
        { 2000, ALGORITHM, MODEL_AES256GCM, 99, 2, 0 },
        { 2100, RESTART, 0, 99, 2, 0 },
        { 2200, ALGORITHM, MODEL_AES128GCM, 99, 2, 0 },
        { 2300, UPLOADED, 101, 99, 2, 101 },
        { 2300 + KEY_ROTATION_URGENT_MS, NOTHING, 0, 99, 2, 101 },
        { 2300 + KEY_ROTATION_LOAD_MS, NOTHING, 0, 101, 2, 101 },
        { 50000, RESTART, 0, 101, 2, 101 },
    } },
    { "another algorithm is urgent", 0, {
        { 2000, ALGORITHM, MODEL_AES256GCM, 99, 2, 0 },
        { 2300, UPLOADED, 101, 99, 2, 101 },
        { 2300 + KEY_ROTATION_URGENT_MS - 1, NOTHING, 0, 99, 2, 101 },
        { 2300 + KEY_ROTATION_URGENT_MS, NOTHING, 0, 101, 2, 101 },
    } },
    { "restarts at every step", 0, {
        { 2000, REKEY, 0, 99, 1, 99 },
        { 2100, RESTART, 0, 99, 1, 99 },
        { 2500, NOTHING, 0, 99, 1, 99 },
        { 2600, NOTHING, 0, 99, 2, 0 },
        { 3000, RESTART, 0, 99, 2, 0 },
        { 3100, UPLOADED, 100, 99, 2, 100 },
        { 3200, RESTART, 0, 99, 2, 100 },
        { 3300, LOADED, 100, 100, 2, 100 },
        { 3400, RESTART, 0, 100, 2, 100 },
        { 9000, NOTHING, 0, 100, 2, 100 },
    } },
};

struct fixture {
    struct own_keys keys;
    struct mapping *mapping;
    struct model_net *net;
    struct key_rotation_facts facts;
    unsigned int draw;          /* Of the newest but one. */
    const char *dir;
};

static void
restart(struct fixture *f)
{
    CHECK(own_keys_save(&f->keys, 0), "%s", f->keys.error);
    own_keys_destroy(&f->keys);
    own_keys_init(&f->keys, f->dir);
    own_keys_load(&f->keys);
    CHECK(!f->keys.error, "%s", f->keys.error);
    key_of(&f->keys, f->net->name)->jitter = 0;
}

static void
happens(struct fixture *f, const struct step *step)
{
    struct own_key *key = key_of(&f->keys, f->net->name);

    switch (step->what) {
    case REKEY:
        f->net->rekey++;
        break;
    case ALGORITHM:
        f->net->algorithm = step->arg;
        own_keys_sync(&f->keys, f->mapping, false);
        break;
    case UPLOADED:
        CHECK(own_keys_set_spi(&f->keys, key->net, key->draw, step->arg),
              "SPI %"PRIu32" is none", step->arg);
        break;
    case LATE:
        CHECK(!own_keys_set_spi(&f->keys, key->net, f->draw, step->arg),
              "taken for another secret's");
        break;
    case LOADED:
        own_keys_loaded(&f->keys, step->arg);
        break;
    case AWAY:
    case BACK:
        f->facts.live = step->what == BACK;
        break;
    case UNSETTLED:
    case SETTLED:
        f->facts.settled = step->what == SETTLED;
        break;
    case RESTART:
        restart(f);
        break;
    case SET_BACK:
        key->made += 10LL * 365 * 24 * 60 * 60;
        break;
    case NOTHING:
    default:
        break;
    }
}

static void
run_step(struct fixture *f, const struct scenario *s, const struct step *step)
{
    const char *net = f->net->name;
    unsigned int draw = key_of(&f->keys, net)->draw;
    uint32_t before = own_keys_in_force(&f->keys, net)->spi;

    f->facts.now = step->at;
    f->facts.wall = 1800000000 + step->at / 1000;
    happens(f, step);
    bool changed = key_rotation_run(&f->keys, &f->facts);

    const struct own_key *key = key_of(&f->keys, net);
    const struct own_key *in_force = own_keys_in_force(&f->keys, net);
    CHECK(in_force->spi == step->in_force, "%s, at %lld: %"PRIu32, s->name,
          step->at, in_force->spi);
    CHECK(key->epoch == step->epoch && key->spi == step->spi,
          "%s, at %lld: epoch %"PRIu32", SPI %"PRIu32, s->name, step->at,
          key->epoch, key->spi);
    CHECK(changed == (in_force->spi != before), "%s, at %lld: said %d",
          s->name, step->at, changed);
    if (key->draw != draw) {
        /* The time of its making is the system's. */
        key_of(&f->keys, net)->made = f->facts.wall;
        key_of(&f->keys, net)->jitter = 0;
        f->draw = draw;
    }
}

static void
run_scenario(const struct scenario *s, const char *dir)
{
    struct fixture f = {
        .mapping = test_mapping(),
        .dir = dir,
    };

    f.net = mapping_net(f.mapping, "demo");
    f.facts = (struct key_rotation_facts) {
        .mapping = f.mapping, .interval = s->interval, .live = true,
        .settled = true, .random = KEY_ROTATION_DEMAND_MS - 1,
    };
    own_keys_init(&f.keys, dir);
    own_keys_sync(&f.keys, f.mapping, false);
    struct own_key *key = key_of(&f.keys, "demo");
    own_keys_set_spi(&f.keys, "demo", key->draw, 99);
    key->made = 1800000001;
    key->since = 1000;
    key->jitter = 0;

    for (size_t i = 0; s->steps[i].at; i++) {
        run_step(&f, s, &s->steps[i]);
    }
    own_keys_forget(&f.keys);
    own_keys_destroy(&f.keys);
    mapping_destroy(f.mapping);
}

/* What is to be retired, of the epochs 3 (SPI 30) and 4 (SPI 40) that the
 * service has of this node's key. */
static void
test_retired(const char *dir)
{
    static const struct {
        uint32_t epoch;         /* In force, since time 1000. */
        long long int now;
        bool live, settled, followed;
        uint32_t spi;
    } tests[] = {
        { 4, 1000 + KEY_ROTATION_RETIRE_MS, true, true, false, 30 },
        { 4, 1000 + KEY_ROTATION_RETIRE_MS - 1, true, true, false, 0 },
        { 4, 1000 + KEY_ROTATION_RETIRE_MS, false, true, false, 0 },
        { 4, 1000 + KEY_ROTATION_RETIRE_MS, true, false, false, 0 },
        { 4, 1000 + KEY_ROTATION_RETIRE_MS, true, true, true, 0 },
        { 3, 1000 + KEY_ROTATION_RETIRE_MS, true, true, false, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        struct mapping *mapping = test_mapping();
        struct model_net *net = mapping_net(mapping, "demo");
        struct model_key old[] = {
            { .net = net->name, .node = 7, .spi = 30, .epoch = 3 },
            { .net = net->name, .node = 7, .spi = 40, .epoch = 4 },
        };
        const struct key_rotation_facts facts = {
            .mapping = mapping, .live = tests[i].live,
            .settled = tests[i].settled, .now = tests[i].now };
        struct own_keys keys;

        for (size_t j = 0; j < ARRAY_SIZE(old); j++) {
            hmap_insert(&net->keys, &old[j].in_net, j);
        }
        own_keys_init(&keys, dir);
        own_keys_sync(&keys, mapping, false);
        struct own_key *key = key_of(&keys, "demo");
        own_keys_set_spi(&keys, "demo", key->draw, 10 * tests[i].epoch);
        key->epoch = tests[i].epoch;
        key->since = 1000;
        if (tests[i].followed) {
            own_keys_replace(&keys, mapping, net);
        }
        keys.dirty = false;
        CHECK(key_rotation_retired(&keys, &facts) == tests[i].spi,
              "%"PRIuSIZE, i);
        keys.dirty = true;
        CHECK(!key_rotation_retired(&keys, &facts), "not saved yet");

        for (size_t j = 0; j < ARRAY_SIZE(old); j++) {
            hmap_remove(&net->keys, &old[j].in_net);
        }
        own_keys_destroy(&keys);
        mapping_destroy(mapping);
    }
}

void
test_key_rotation(struct ovs_cmdl_context *ctx)
{
    for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
        run_scenario(&scenarios[i], ctx->argv[1]);
    }
    test_retired(ctx->argv[1]);
}
