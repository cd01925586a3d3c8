/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, and what is planned with them. */

#include <config.h>

#include <stdlib.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "model/jansson.h"
#include "model/types.h"
#include "packets.h"

/* Lists what the vSubnet that is the first argument has of KIND. */
static void
list_of_net(struct ctl *ctl, const char *kind,
            const struct output_column *columns)
{
    ctl_show_list(ctl,
                  ctl_list_filtered(ctl, ctl_path("nets", ctl_arg(ctl, 0),
                                                  kind, NULL), 0),
                  columns);
}

void
ctl_address_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Address", "address" }, { "MAC", "mac" }, { "Node", "node" },
        { "Origin", "origin" }, { "Reserved", "reserved" }, { NULL, NULL },
    };

    list_of_net(ctl, "addresses", columns);
}

void
ctl_pool_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Pool", "pool" }, { NULL, NULL },
    };

    list_of_net(ctl, "pools", columns);
}

void
ctl_reservation_ls(struct ctl *ctl)
{
    static const struct output_column columns[] = {
        { "Address", "address" }, { "MAC", "mac" }, { "Note", "note" },
        { NULL, NULL },
    };

    list_of_net(ctl, "reservations", columns);
}

void
ctl_pool_add(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *pool = ctl_arg(ctl, 1);
    json_t *answer = ctl_request(
        ctl, "PUT", ctl_path("nets", net, "pools", pool, NULL), NULL);

    output_done(ctl, answer, "addresses of vSubnet %s are drawn from %s", net,
                pool);
    json_decref(answer);
}

void
ctl_pool_rm(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *pool = ctl_arg(ctl, 1);
    json_t *answer = ctl_request(
        ctl, "DELETE", ctl_path("nets", net, "pools", pool, NULL), NULL);

    output_done(ctl, answer, "%s is no pool of vSubnet %s any more", pool,
                net);
    json_decref(answer);
}

void
ctl_reservation_add(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *address = ctl_arg(ctl, 1);
    const char *mac = ctl_option(ctl, OPT_MAC);
    const char *note = ctl_option(ctl, OPT_NOTE);
    json_t *body = json_object();
    struct eth_addr ea;

    if (mac) {
        ctl_check("--mac", model_mac_parse(mac, &ea));
        json_object_set_new(body, "mac", json_string(mac));
    }
    if (note && json_object_set_new(body, "note", json_string(note))) {
        ctl_usage("--note: not UTF-8");
    }
    json_t *answer = ctl_request(
        ctl, "PUT", ctl_path("nets", net, "reservations", address, NULL),
        body);
    output_done(ctl, answer, "%s is reserved in vSubnet %s%s%s", address, net,
                mac ? " for " : "", mac ? mac : "");
    json_decref(answer);
}

void
ctl_reservation_rm(struct ctl *ctl)
{
    const char *net = ctl_arg(ctl, 0);
    const char *address = ctl_arg(ctl, 1);
    json_t *answer = ctl_request(
        ctl, "DELETE", ctl_path("nets", net, "reservations", address, NULL),
        NULL);

    output_done(ctl, answer, "%s is not reserved in vSubnet %s any more",
                address, net);
    json_decref(answer);
}
