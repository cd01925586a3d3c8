/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the things that the controller makes in the database. */
#include <config.h>
#include "controller/names.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a, 32 bits.  The name of a port outlives the program that made it, so
 * the hash has to be the same in each version and on each machine, which
 * OVS's hash functions do not promise. */
static uint32_t
stable_hash(const char *s)
{
    uint32_t hash = 2166136261u;

    for (; *s; s++) {
        hash = (hash ^ (unsigned char) *s) * 16777619u;
    }
    return hash;
}

bool
name_is_tunnel_type(const char *type)
{
    return !strcmp(type, "vsubnet") || !strcmp(type, "vsubnet-pmd");
}

void
name_host_port(const char *net, char name[IFNAMSIZ])
{
    int n = snprintf(name, IFNAMSIZ, "vs-%s", net);

    if (n >= IFNAMSIZ) {
        snprintf(name, IFNAMSIZ, "vs-%.5s-%06"PRIx32, net,
                 stable_hash(net) & 0xffffff);
    }
}
