/* SPDX-License-Identifier: Apache-2.0 */
/* The integration bridge's tables, priorities, registers and cookies. */
#ifndef VSUBNET_FLOW_TABLES_H
#define VSUBNET_FLOW_TABLES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/meta-flow.h"

/* The life of a frame
 * ===================
 *
 * Table 0 says which vSubnet a frame is in (metadata = VNI) and whether it
 * came from the tunnel (reg0 bit 0).  Table 10 learns sources that nobody
 * registered.  Table 30 knows the registered destinations and table 31 the
 * learnt ones; each of them writes the output port to reg15 (and the node's
 * tunnel address to tun_dst) and returns or goes on to table 50, which sends.
 * What neither knows is flooded by table 40.
 *
 *      0 --> 10 --(learns)--> 11
 *            |                |
 *            +----------------+--> 30 --(registered)----------> 50
 *                                  |                             ^
 *                                  `--(miss)--> 31, back --> 40 -+ (learnt)
 *                                                            `--> flood
 *
 * Table 31's flows are written by `learn` actions, whose flows can load
 * fields but cannot jump: so table 30's miss flow visits table 31 by resubmit
 * and then goes to table 40, which looks at what came back in reg15.
 *
 * OVS never sends a frame to the port it came from, so neither a sender nor
 * the tunnel gets back what it sent, whatever these tables say. */
enum flow_table {
    FT_CLASSIFY = 0,            /* Port or (tunnel, VNI) -> vSubnet. */
    FT_LEARN = 10,              /* Unregistered sources -> table 31. */
    FT_LEARN_FULL = 11,         /* Sources for which there was no room. */
    FT_UNICAST = 30,            /* Registered destinations. */
    FT_LEARNT = 31,             /* Learnt destinations: `learn` writes here. */
    FT_FLOOD = 40,              /* Broadcast, multicast, unknown unicast. */
    FT_OUTPUT = 50,             /* Sends to the port in reg15. */
};

/* Priorities, by table.  Priority 0 is each table's miss flow. */
enum flow_priority {
    /* FT_CLASSIFY. */
    FP_CLASSIFY_BAD = 200,      /* No tenant frame has these addresses. */
    FP_CLASSIFY_OAM = 190,      /* The tunnel's own messages. */
    FP_CLASSIFY_PORT = 100,     /* A local port, or the tunnel with a VNI. */

    /* FT_LEARN.  An ARP or ND frame whose sender address is registered for
     * its MAC is not copied to the controller again, but its MAC is kept
     * alive.  Static MACs are neither learnt nor copied; dynamic ones are
     * not learnt from the tunnel, but are from local ports, since that is
     * how a MAC that moved here is noticed. */
    FP_LEARN_KNOWN_IP = 140,
    FP_LEARN_BOUND = 110,
    FP_LEARN_COPY = 60,         /* ARP and ND of local ports. */
    FP_LEARN_MAC = 50,

    /* FT_LEARN_FULL.  A MAC for which there was no room (FL_LIMIT_*) may have
     * been learnt elsewhere, and then frames to it would go to the old place
     * until that flow times out.  The controller is told, and deletes it: the
     * MAC is learnt here if that made room, and flooded to if not. */
    FP_LEARN_FULL = 100,

    /* FT_UNICAST. */
    FP_UNICAST_BOUND = 100,

    /* FT_LEARNT (given to flows by the learn action). */
    FP_LEARNT = 50,

    /* FT_FLOOD: reg15 was not written by table 31. */
    FP_FLOOD = 100,

    /* FT_OUTPUT. */
    FP_OUTPUT_TUNNEL = 100,     /* Copies metadata to tun_id first. */
    FP_OUTPUT = 50,
    FP_MISS = 0,
};

/* Registers. */
#define FR_FLAGS MFF_REG0       /* FF_*. */
#define FR_FLAGS_IDX 0
#define FF_FROM_TUNNEL 0x1u     /* Came in by the tunnel port. */
#define FF_LEARNT 0x2u          /* The source is in table 31. */
#define FF_LEARNT_OFS 1
#define FR_OUTPUT MFF_REG15     /* Output port, 0: none yet. */
#define FR_OUTPUT_IDX 15

/* Learnt flows. */
enum {
    FL_HARD_TIMEOUT = 300,      /* Seconds since the source last spoke.  An
                                 * idle timeout would be refreshed by traffic
                                 * towards the MAC. */
    FL_LIMIT_PORT = 2048,       /* MACs behind one local port. */
    FL_LIMIT_TUNNEL = 16384,    /* Remote MACs of one vSubnet. */
};

/* The meters on copies to the controller, of ARP and ND and of frames whose
 * source could not be learnt. */
enum flow_meter {
    FM_COPIES = 100,            /* Meter ID. */
    FM_FULL = 101,
};
enum {
    FM_COPIES_RATE = 200,       /* Packets a second. */
    FM_FULL_RATE = 50,
    FM_COPIES_MAX_LEN = 128,    /* Bytes: ND with its options fits. */
};

/* Cookies: kind (8 bits), VNI (24), object (32). */
enum cookie_kind {
    COOKIE_BASE = 0x01,
    COOKIE_NET = 0x02,
    COOKIE_PORT = 0x03,         /* Object: OpenFlow port. */
    COOKIE_BINDING = 0x04,      /* Object: low 32 bits of the MAC. */
    COOKIE_LEARNT = 0x05,       /* Object: OpenFlow port it was learnt on, or
                                 * COOKIE_FROM_TUNNEL. */
};
#define COOKIE_FROM_TUNNEL UINT32_MAX

static inline uint64_t
cookie_make(enum cookie_kind kind, uint32_t vni, uint32_t object)
{
    return (uint64_t) kind << 56 | (uint64_t) (vni & 0xffffff) << 32 | object;
}

static inline enum cookie_kind
cookie_kind(uint64_t cookie)
{
    return cookie >> 56;
}

static inline uint32_t
cookie_vni(uint64_t cookie)
{
    return cookie >> 32 & 0xffffff;
}

static inline uint32_t
cookie_object(uint64_t cookie)
{
    return cookie;
}

#endif /* flow-tables.h */
