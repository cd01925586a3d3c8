/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a MAC is when two nodes have a port for it. */
#include <config.h>
#include "controller/claim.h"

#include <ctype.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

#include "controller/local-port.h"
#include "dp-packet.h"
#include "flow.h"
#include "model/object.h"
#include "packets.h"
#include "util.h"

/* An operator bound the MAC to something else than 'port'. */
static bool
is_others(const struct local_port *port, const struct model_binding *binding,
          uint32_t self)
{
    if (binding->origin == MODEL_ORIGIN_DYNAMIC) {
        return false;
    }
    return (binding->origin == MODEL_ORIGIN_HOST
            || (binding->iface_id
                && !nullable_string_is_equal(binding->iface_id,
                                             port->iface_id))
            || (!binding->iface_id && binding->node != self));
}

enum claim_state
claim_judge(const struct local_port *port,
            const struct model_binding *binding, uint32_t self)
{
    if (!binding) {
        return CLAIM_WANTED;
    } else if (binding->node == self) {
        return CLAIM_HERE;
    } else if (is_others(port, binding, self)) {
        return CLAIM_OTHERS;
    } else if (!binding->node) {
        return CLAIM_WANTED;
    }

    if (port->claim.word == CLAIM_HELD) {
        /* A lower one is of a database that was set back; an equal one of a
         * service that does not count. */
        return (binding->sequence < port->claim.sequence
                ? CLAIM_WANTED : CLAIM_LOST);
    } else if (port->claim.word != CLAIM_NONE
               && binding->sequence > port->claim.sequence) {
        return CLAIM_WAITS;
    }
    return (port->waits && port->claim.word != CLAIM_SPOKE
            ? CLAIM_WAITS : CLAIM_WANTED);
}

bool
claim_is_ours(enum claim_state state)
{
    return state == CLAIM_HERE || state == CLAIM_WANTED;
}

struct claim
claim_next(const struct local_port *port, const struct model_binding *binding,
           uint32_t self, bool spoke)
{
    if (!port->ofport || port->host_port || !port->has_mac) {
        return (struct claim) { CLAIM_NONE, 0 };
    } else if (!binding) {
        return (struct claim) { CLAIM_NEW, 0 };
    } else if (binding->node == self) {
        return (struct claim) { CLAIM_HELD, binding->sequence };
    } else if (spoke && binding->node) {
        return (struct claim) { CLAIM_SPOKE, binding->sequence };
    } else if (port->claim.word == CLAIM_NONE) {
        return (struct claim) { CLAIM_NEW, binding->sequence };
    }
    return port->claim;
}

bool
claim_equals(struct claim a, struct claim b)
{
    return a.word == b.word && a.sequence == b.sequence;
}

/* External_ids. */

static const char *const words[] = {
    [CLAIM_NEW] = "new",
    [CLAIM_HELD] = "held",
    [CLAIM_SPOKE] = "spoke",
};

struct claim
claim_parse(const char *s)
{
    for (size_t i = CLAIM_NEW; s && i < ARRAY_SIZE(words); i++) {
        size_t n = strlen(words[i]);
        uint64_t sequence;
        int end = -1;

        if (!strncmp(s, words[i], n) && s[n] == ':'
            && isdigit((unsigned char) s[n + 1])
            && ovs_scan(s + n, ":%"SCNu64"%n", &sequence, &end)
            && !s[n + end]) {
            return (struct claim) { i, sequence };
        }
    }
    return (struct claim) { CLAIM_NONE, 0 };
}

char *
claim_format(struct claim claim)
{
    return (claim.word == CLAIM_NONE ? NULL
            : xasprintf("%s:%"PRIu64, words[claim.word], claim.sequence));
}

/* Announcements. */

bool
claim_is_announcement(const void *frame, size_t len)
{
    struct dp_packet packet;
    struct flow flow;

    dp_packet_use_const(&packet, frame, len);
    flow_extract(&packet, &flow);
    if (flow.dl_type == htons(ETH_TYPE_RARP)) {
        return true;
    } else if (flow.dl_type == htons(ETH_TYPE_ARP)) {
        return (flow.nw_src && flow.nw_src == flow.nw_dst
                && eth_addr_equals(flow.arp_sha, flow.dl_src));
    }
    return (is_nd(&flow, NULL) && flow.tp_src == htons(ND_NEIGHBOR_ADVERT)
            && ipv6_addr_is_multicast(&flow.ipv6_dst));
}

/* Pace. */

bool
claim_pace_allows(struct claim_pace *pace, long long int now)
{
    if (pace->pause && now < pace->last + pace->pause) {
        return false;
    }
    bool anew = (!pace->pause || now >= pace->last + 10LL * pace->pause);
    pace->pause = (anew ? CLAIM_PACE_MIN_MS
                   : MIN(2 * pace->pause, CLAIM_PACE_MAX_MS));
    pace->last = now;
    return true;
}
