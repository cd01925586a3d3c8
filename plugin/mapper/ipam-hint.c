/* SPDX-License-Identifier: Apache-2.0 */
/* Where to begin to look for a free address. */

#include <config.h>

#include "mapper/ipam-hint.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "util.h"

struct hint {
    struct hmap_node hmap_node;
    char *net;
    struct model_address subnet;
    struct model_address lowest;
};

struct ipam_hints {
    struct hmap all;            /* By vSubnet. */
};

struct ipam_hints *
ipam_hints_create(void)
{
    struct ipam_hints *hints = xzalloc(sizeof *hints);

    hmap_init(&hints->all);
    return hints;
}

static void
free_hint(struct ipam_hints *hints, struct hint *hint)
{
    hmap_remove(&hints->all, &hint->hmap_node);
    free(hint->net);
    free(hint);
}

void
ipam_hints_destroy(struct ipam_hints *hints)
{
    if (hints) {
        ipam_hints_forget(hints);
        hmap_destroy(&hints->all);
        free(hints);
    }
}

static struct hint *
find_hint(const struct ipam_hints *hints, const char *net,
          const struct model_address *subnet)
{
    struct hint *hint;

    HMAP_FOR_EACH_WITH_HASH (hint, hmap_node, hash_string(net, 0),
                             &hints->all) {
        if (!strcmp(hint->net, net) && hint->subnet.plen == subnet->plen
            && model_address_same_ip(&hint->subnet, subnet)) {
            return hint;
        }
    }
    return NULL;
}

struct model_address
ipam_hints_get(const struct ipam_hints *hints, const char *net,
               const struct model_address *subnet)
{
    const struct hint *hint = find_hint(hints, net, subnet);

    return hint ? hint->lowest : *subnet;
}

void
ipam_hints_set(struct ipam_hints *hints, const char *net,
               const struct model_address *subnet,
               const struct model_address *lowest)
{
    struct hint *hint = find_hint(hints, net, subnet);

    if (!hint) {
        hint = xzalloc(sizeof *hint);
        hint->net = xstrdup(net);
        hint->subnet = *subnet;
        hmap_insert(&hints->all, &hint->hmap_node, hash_string(net, 0));
    }
    hint->lowest = *lowest;
}

void
ipam_hints_freed(struct ipam_hints *hints, const char *net,
                 const struct model_address *address)
{
    struct hint *hint;

    HMAP_FOR_EACH_WITH_HASH (hint, hmap_node, hash_string(net, 0),
                             &hints->all) {
        if (!strcmp(hint->net, net)
            && model_subnet_contains(&hint->subnet, address)
            && memcmp(&address->ip, &hint->lowest.ip,
                      sizeof address->ip) < 0) {
            hint->lowest.ip = address->ip;
        }
    }
}

void
ipam_hints_forget(struct ipam_hints *hints)
{
    struct hint *hint;

    HMAP_FOR_EACH_SAFE (hint, hmap_node, &hints->all) {
        free_hint(hints, hint);
    }
}
