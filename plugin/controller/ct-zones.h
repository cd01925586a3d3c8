/* SPDX-License-Identifier: Apache-2.0 */
/* Which connection tracking zone each vSubnet has. */
#ifndef VSUBNET_CT_ZONES_H
#define VSUBNET_CT_ZONES_H 1

/* Connections are tracked for each vSubnet apart, because addresses of two
 * may be the same.  A zone has 16 bits and a VNI 24, so zones are assigned:
 * to every vSubnet of the mapping, filtered or not, so that it has one already
 * when the first rule comes.  They stand in the bridge's
 * external_ids:vsubnet-ct-zones ("5001=1,5002=2"), because what is tracked
 * outlives the controller.
 *
 * What flows may use is what the database says.  So:
 *
 *      ct_zones_parse(&zones, what the database says)
 *      if (ct_zones_sync(&zones, mapping)) {
 *          ct_zones_format(&zones, ...), to be written
 *      }
 *
 * A vSubnet without a zone (as long as it is not written, or there are more
 * than CT_ZONE_MAX) is filtered as if nothing were allowed, if it is filtered.
 *
 * Pure. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/hmap.h"

struct ds;
struct mapping;

enum { CT_ZONE_MAX = 65535 };   /* 0 is who does not use zones. */

struct ct_zone {
    struct hmap_node node;      /* In struct ct_zones's 'zones'. */
    uint32_t vni;
    uint16_t zone;
};

struct ct_zones {
    struct hmap zones;          /* Contains "struct ct_zone"s. */
    unsigned long *taken;       /* Bitmap of zones. */
};

void ct_zones_init(struct ct_zones *);
void ct_zones_destroy(struct ct_zones *);

/* Adds what TEXT says, which may be null.  Leaves out what makes no sense, and
 * a VNI or zone that is there already: the user may have written it. */
void ct_zones_parse(struct ct_zones *, const char *text);

/* Neither is there yet. */
void ct_zones_add(struct ct_zones *, uint32_t vni, uint16_t zone);
void ct_zones_format(const struct ct_zones *, struct ds *);

/* Takes the zones of vSubnets that are not there any more, and gives those
 * that have none the lowest that are free.  Returns true if that changed
 * something. */
bool ct_zones_sync(struct ct_zones *, const struct mapping *);

/* Returns the zone of VNI, or 0. */
uint16_t ct_zones_find(const struct ct_zones *, uint32_t vni);

#endif /* ct-zones.h */
