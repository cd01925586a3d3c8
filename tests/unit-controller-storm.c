/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/controller: meters, and what guards against storms. */
#include <config.h>
#include "unit-controller.h"

#include "command-line.h"
#include "controller/flow-tables.h"
#include "controller/local-port.h"
#include "controller/meters.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
expect_meters(const struct meters *meters, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < meters->n; i++) {
        const struct meter *m = &meters->meters[i];
        ds_put_format(&s, "%s%x:%u/%u", i ? " " : "", m->id, m->rate,
                      m->burst);
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%s", ds_cstr(&s));
    ds_destroy(&s);
}

static void
expect_changes(const struct meters *installed, const struct meters *desired,
               const char *expected)
{
    struct meter_changes changes = METER_CHANGES_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;

    meters_diff(installed, desired, &changes);
    for (size_t i = 0; i < changes.n; i++) {
        ds_put_format(&s, "%c%x ", "+!-"[changes.changes[i].type],
                      changes.changes[i].meter.id);
    }
    CHECK(!strcmp(ds_cstr(&s), expected), "%s", ds_cstr(&s));
    ds_destroy(&s);
    meter_changes_destroy(&changes);
}

#define FIXED "64:200/400 65:50/100 66:200/400 67:50/100 68:50/100 69:200/400"

/* The fixed ones and two a port, whose BUM meter has its vSubnet's rate. */
void
test_meters(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct meters empty = METERS_INITIALIZER, meters = METERS_INITIALIZER;
    struct meters other = METERS_INITIALIZER;
    struct mapping *mapping = test_mapping();
    struct local_ports ports;

    test_ports(&ports);
    meters_compute(&meters, &ports, mapping);
    expect_meters(&meters, FIXED " 10001:500/1000 10002:500/1000 "
                  "10003:500/1000 20001:50/100 20002:50/100 20003:50/100");

    /* Twice the same OpenFlow port, as the database may say for a moment, and
     * one without. */
    ports.ports[0].ofport = ports.ports[1].ofport;
    ports.ports[2].ofport = 0;
    meters_copy(&other, &meters);
    meters_compute(&meters, &ports, mapping);
    CHECK(meters.n == 8, "%"PRIuSIZE, meters.n);
    CHECK(!meters_equal(&meters, &other), "equal");

    /* A gone port's go, another rate is set, and what is not ours stays. */
    expect_changes(&empty, &empty, "");
    expect_changes(&empty, &meters, "+64 +65 +66 +67 +68 +69 +10003 +20003 ");
    expect_changes(&meters, &meters, "");
    meters_clear(&other);
    meters_compute(&other, &ports, mapping);
    meters_add(&other, &(struct meter) { 1, 5, 5 });
    meters_add(&other, &(struct meter) { 106, 5, 5 });
    meters_add(&other, &(struct meter) { 0x10007, 500, 1000 });
    meters_add(&other, &(struct meter) { 0x20007, 50, 100 });
    meters_add(&other, &(struct meter) { 0x30000, 50, 100 });
    meters_sort(&other);
    expect_changes(&other, &meters, "-10007 -20007 ");
    other.meters[1].rate++;
    other.meters[1 + 6].burst++;
    expect_changes(&other, &meters, "!64 -10007 -20007 ");
    CHECK(meters_contain(&other, 0x10007) && !meters_contain(&meters, 0x10007),
          "contain");

    meters_destroy(&meters);
    meters_destroy(&other);
    local_ports_destroy(&ports);
    mapping_destroy(mapping);
}
