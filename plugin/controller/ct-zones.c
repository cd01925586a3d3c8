/* SPDX-License-Identifier: Apache-2.0 */
/* Which connection tracking zone each vSubnet has. */
#include <config.h>
#include "controller/ct-zones.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "hash.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

void
ct_zones_init(struct ct_zones *zones)
{
    hmap_init(&zones->zones);
    zones->taken = bitmap_allocate(CT_ZONE_MAX + 1);
    bitmap_set1(zones->taken, 0);
}

void
ct_zones_destroy(struct ct_zones *zones)
{
    struct ct_zone *z;

    HMAP_FOR_EACH_POP (z, node, &zones->zones) {
        free(z);
    }
    hmap_destroy(&zones->zones);
    bitmap_free(zones->taken);
}

uint16_t
ct_zones_find(const struct ct_zones *zones, uint32_t vni)
{
    const struct ct_zone *z;

    HMAP_FOR_EACH_WITH_HASH (z, node, hash_int(vni, 0), &zones->zones) {
        if (z->vni == vni) {
            return z->zone;
        }
    }
    return 0;
}

void
ct_zones_add(struct ct_zones *zones, uint32_t vni, uint16_t zone)
{
    struct ct_zone *z = xmalloc(sizeof *z);

    z->vni = vni;
    z->zone = zone;
    hmap_insert(&zones->zones, &z->node, hash_int(vni, 0));
    bitmap_set1(zones->taken, zone);
}

void
ct_zones_parse(struct ct_zones *zones, const char *text)
{
    char *copy = xstrdup(text ? text : ""), *save_ptr = NULL;

    for (char *s = strtok_r(copy, ", ", &save_ptr); s;
         s = strtok_r(NULL, ", ", &save_ptr)) {
        char *equals = strchr(s, '=');
        unsigned int vni, zone;

        if (equals) {
            *equals = '\0';
            if (str_to_uint(s, 10, &vni) && vni && vni <= MODEL_VNI_MAX
                && str_to_uint(equals + 1, 10, &zone) && zone <= CT_ZONE_MAX
                && !bitmap_is_set(zones->taken, zone)
                && !ct_zones_find(zones, vni)) {
                ct_zones_add(zones, vni, zone);
            }
        }
    }
    free(copy);
}

static int
compare_zones(const void *a_, const void *b_)
{
    const struct ct_zone *const *a = a_, *const *b = b_;

    return (*a)->vni < (*b)->vni ? -1 : (*a)->vni > (*b)->vni;
}

void
ct_zones_format(const struct ct_zones *zones, struct ds *ds)
{
    size_t n = hmap_count(&zones->zones), i = 0;
    const struct ct_zone **sorted = xcalloc(n, sizeof *sorted), *z;

    HMAP_FOR_EACH (z, node, &zones->zones) {
        sorted[i++] = z;
    }
    qsort(sorted, n, sizeof *sorted, compare_zones);
    for (i = 0; i < n; i++) {
        ds_put_format(ds, "%s%"PRIu32"=%"PRIu16, i ? "," : "",
                      sorted[i]->vni, sorted[i]->zone);
    }
    free(sorted);
}

bool
ct_zones_sync(struct ct_zones *zones, const struct mapping *mapping)
{
    const struct model_net *net;
    struct ct_zone *z;
    bool changed = false;
    size_t from = 1;

    HMAP_FOR_EACH_SAFE (z, node, &zones->zones) {
        if (!mapping_net_by_vni(mapping, z->vni)) {
            hmap_remove(&zones->zones, &z->node);
            bitmap_set0(zones->taken, z->zone);
            free(z);
            changed = true;
        }
    }
    HMAP_FOR_EACH (net, by_vni, &mapping->vnis) {
        if (!ct_zones_find(zones, net->vni)) {
            from = bitmap_scan(zones->taken, 0, from, CT_ZONE_MAX + 1);
            if (from > CT_ZONE_MAX) {
                break;
            }
            ct_zones_add(zones, net->vni, from);
            changed = true;
        }
    }
    return changed;
}
