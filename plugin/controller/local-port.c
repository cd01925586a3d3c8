/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge's ports that are in a vSubnet. */
#include <config.h>
#include "controller/local-port.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

struct local_port *
local_ports_add(struct local_ports *list, const char *name, const char *net,
                uint32_t vni)
{
    if (list->n >= list->allocated) {
        list->ports = x2nrealloc(list->ports, &list->allocated,
                                 sizeof *list->ports);
    }

    struct local_port *port = &list->ports[list->n++];
    *port = (struct local_port) {
        .name = xstrdup(name),
        .net = xstrdup(net),
        .vni = vni,
    };
    return port;
}

void
local_ports_copy(struct local_ports *dst, const struct local_ports *src)
{
    for (size_t i = 0; i < src->n; i++) {
        const struct local_port *from = &src->ports[i];
        struct local_port *to = local_ports_add(dst, from->name, from->net,
                                                from->vni);

        to->iface_id = nullable_xstrdup(from->iface_id);
        to->ofport = from->ofport;
        to->host_port = from->host_port;
        to->has_mac = from->has_mac;
        to->mac = from->mac;
        to->claim = from->claim;
        to->waits = from->waits;
        to->blocked = nullable_xstrdup(from->blocked);
    }
}

void
local_ports_swap(struct local_ports *a, struct local_ports *b)
{
    struct local_ports tmp = *a;

    *a = *b;
    *b = tmp;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct local_port *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

void
local_ports_sort(struct local_ports *list)
{
    if (list->n) {
        qsort(list->ports, list->n, sizeof *list->ports, compare_ports);
    }
}

void
local_ports_destroy(struct local_ports *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->ports[i].name);
        free(list->ports[i].net);
        free(list->ports[i].iface_id);
        free(list->ports[i].blocked);
    }
    free(list->ports);
    *list = (struct local_ports) LOCAL_PORTS_INITIALIZER;
}

bool
local_port_equal(const struct local_port *a, const struct local_port *b)
{
    return !strcmp(a->name, b->name)
           && !strcmp(a->net, b->net)
           && nullable_string_is_equal(a->iface_id, b->iface_id)
           && a->vni == b->vni
           && a->ofport == b->ofport
           && a->host_port == b->host_port
           && a->has_mac == b->has_mac
           && nullable_string_is_equal(a->blocked, b->blocked)
           && (!a->has_mac || eth_addr_equals(a->mac, b->mac))
           && claim_equals(a->claim, b->claim)
           && a->waits == b->waits;
}

bool
local_ports_equal(const struct local_ports *a, const struct local_ports *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!local_port_equal(&a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    return true;
}

/* The list must have been sorted. */
const struct local_port *
local_ports_find(const struct local_ports *list, const char *name)
{
    struct local_port key = { .name = CONST_CAST(char *, name) };

    return (list->n
            ? bsearch(&key, list->ports, list->n, sizeof *list->ports,
                      compare_ports)
            : NULL);
}

const struct local_port *
local_ports_find_ofport(const struct local_ports *list, ofp_port_t ofport)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->ports[i].ofport == ofport) {
            return &list->ports[i];
        }
    }
    return NULL;
}
