/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of the bridge's ports, kept on their Interfaces. */
#include <config.h>
#include "controller/ovs-claims.h"

#include <stdlib.h>

#include "controller/claim.h"
#include "controller/local-port.h"
#include "controller/names.h"
#include "lib/vswitch-idl.h"
#include "model/mapping.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(ovs_claims);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(10, 50);

struct ovs_claim {
    struct uuid row;            /* Of the Interface. */
    struct claim claim;
    enum claim_state state;
    bool stored;                /* The Interface has had the key. */
    bool seen;                  /* Since ovs_claims_prune(). */
};

void
ovs_claims_init(struct ovs_claims *claims)
{
    shash_init(&claims->ports);
}

void
ovs_claims_destroy(struct ovs_claims *claims)
{
    shash_destroy_free_data(&claims->ports);
}

/* Finds what is known of 'iface'. */
static struct ovs_claim *
obtain(struct ovs_claims *claims, const struct ovsrec_interface *iface)
{
    const char *stored = smap_get(&iface->external_ids, NAME_CLAIM);
    struct ovs_claim *entry = shash_find_data(&claims->ports, iface->name);

    if (!entry) {
        entry = xzalloc(sizeof *entry);
        shash_add(&claims->ports, iface->name, entry);
    }
    if (!uuid_equals(&entry->row, &iface->header_.uuid)
        || (entry->stored && !stored)) {
        *entry = (struct ovs_claim) {
            .row = iface->header_.uuid,
            .claim = claim_parse(stored),
            .state = CLAIM_HERE,
        };
    }
    entry->stored |= stored != NULL;
    entry->seen = true;
    return entry;
}

static void
store(const struct ovsrec_interface *iface, struct ovs_claim *entry)
{
    const char *old = smap_get(&iface->external_ids, NAME_CLAIM);
    char *new = claim_format(entry->claim);

    if (!new && old) {
        ovsrec_interface_update_external_ids_delkey(iface, NAME_CLAIM);
        entry->stored = false;
    } else if (new && !nullable_string_is_equal(old, new)) {
        ovsrec_interface_update_external_ids_setkey(iface, NAME_CLAIM, new);
    }
    free(new);
}

static void
log_state(const struct local_port *port, const struct model_binding *binding,
          enum claim_state old, enum claim_state new)
{
    if (new == old || !binding) {
        return;
    }
    if (new == CLAIM_LOST) {
        VLOG_INFO_RL(&rl, "port %s: "ETH_ADDR_FMT" has moved to node %"PRIu32,
                     port->name, ETH_ADDR_ARGS(port->mac), binding->node);
    } else if (new == CLAIM_WAITS) {
        VLOG_INFO_RL(&rl, "port %s: "ETH_ADDR_FMT" is at node %"PRIu32" until "
                     "its guest here speaks", port->name,
                     ETH_ADDR_ARGS(port->mac), binding->node);
    }
}

void
ovs_claims_update(struct ovs_claims *claims,
                  const struct ovsrec_interface *iface,
                  struct ovsdb_idl_txn *txn, const struct mapping *mapping,
                  const struct sset *spoke, struct local_port *port)
{
    struct ovs_claim *entry = obtain(claims, iface);
    const struct model_binding *binding
        = mapping_binding(mapping, port->net, port->mac);
    const uint32_t self = mapping->self ? mapping->self->number : 0;
    bool has_spoken = spoke && sset_contains(spoke, iface->name);

    port->claim = entry->claim;
    if (self) {
        port->claim = entry->claim = claim_next(port, binding, self,
                                                has_spoken);
        enum claim_state state = claim_judge(port, binding, self);
        if (port->has_mac) {
            log_state(port, binding, entry->state, state);
        }
        entry->state = state;
    }
    if (txn) {
        store(iface, entry);
    }
}

void
ovs_claims_prune(struct ovs_claims *claims)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &claims->ports) {
        struct ovs_claim *entry = node->data;

        if (!entry->seen) {
            free(entry);
            shash_delete(&claims->ports, node);
        } else {
            entry->seen = false;
        }
    }
}
