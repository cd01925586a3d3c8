/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections may be tracked in each filtered vSubnet. */
#include <config.h>
#include "controller/ct-limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "controller/ct-zones.h"
#include "controller/flow-acl.h"
#include "controller/reload.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

void
ct_limits_init(struct ct_limits *limits)
{
    limits->reload = reload_create("dpctl/ct-set-limits",
                                   "limit what is tracked");
    limits->zones = NULL;
}

void
ct_limits_destroy(struct ct_limits *limits)
{
    reload_destroy(limits->reload);
    free(limits->zones);
}

void
ct_limits_reset(struct ct_limits *limits)
{
    free(limits->zones);
    limits->zones = NULL;
}

/* The arguments, one behind the other. */
static char *
arguments(const struct ct_zones *zones, const struct mapping *mapping)
{
    unsigned long *filtered = bitmap_allocate(CT_ZONE_MAX + 1);
    struct ds s = DS_EMPTY_INITIALIZER;
    const struct model_net *net;
    size_t zone;

    HMAP_FOR_EACH (net, by_name, &mapping->nets) {
        if (flow_acl_is_filtered(net)) {
            bitmap_set1(filtered, ct_zones_find(zones, net->vni));
        }
    }
    bitmap_set0(filtered, 0);   /* Not assigned yet. */
    BITMAP_FOR_EACH_1 (zone, CT_ZONE_MAX + 1, filtered) {
        ds_put_format(&s, " zone=%"PRIuSIZE",limit=%d", zone, CT_LIMIT);
    }
    bitmap_free(filtered);
    return ds_steal_cstr(&s);
}

static struct json *
to_json(char *args)
{
    struct json *json = json_array_create_1(
        json_string_create("netdev@ovs-netdev"));
    char *save_ptr = NULL;

    for (char *arg = strtok_r(args, " ", &save_ptr); arg;
         arg = strtok_r(NULL, " ", &save_ptr)) {
        json_array_add(json, json_string_create(arg));
    }
    return json;
}

void
ct_limits_update(struct ct_limits *limits, const struct ct_zones *zones,
                 const struct mapping *mapping)
{
    char *args = arguments(zones, mapping);

    if (!limits->zones || strcmp(limits->zones, args)) {
        free(limits->zones);
        limits->zones = xstrdup(args);
        if (*args) {
            reload_set_arguments(limits->reload, to_json(args));
            reload_start(limits->reload);
        }
    }
    free(args);
}

void
ct_limits_run(struct ct_limits *limits)
{
    reload_run(limits->reload);
}

void
ct_limits_wait(struct ct_limits *limits)
{
    reload_wait(limits->reload);
}
