/* SPDX-License-Identifier: Apache-2.0 */
/* The integration bridge's tables, priorities, registers and cookies. */
#ifndef VSUBNET_FLOW_TABLES_H
#define VSUBNET_FLOW_TABLES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "flow.h"
#include "openvswitch/meta-flow.h"

/* The life of a frame
 * ===================
 *
 * Table 0 says which vSubnet a frame is in (metadata = VNI) and whether it
 * came from the tunnel (reg0 bit 0).  Tables 5 to 18 look at who sends it:
 * whether that port may, whether somebody has registered the MAC (if not it is
 * learnt), and whether the host itself has the answer.  Tables 20 and 21 look
 * for the destination and write the output port to reg15 (and the node's
 * tunnel address to tun_dst).  With reg15 at 0 nothing knows it: it is
 * broadcast, unknown or multicast (BUM), and table 35 sends it to be flooded.
 *
 *     0 --> 5 --> 10 --> 11 --(learns)--> 12
 *     |(tunnel)   ^       |                |
 *     `-----------'       +----------------+--> 15 --> 18 --> 20 --> 21
 *                                               |      ^             |
 *                      (asks for an address) 16, 17 ---'             |
 *                                                                    |
 *     50 <-- 45 <--(reg15 set)-- 35 <-----------------(or 23, 24)-- 22
 *            (or 48, 49)         |
 *                                `--(BUM)--> 40: to each port
 *
 * Tables 22 to 24 and 45 to 49 filter, where a vSubnet is closed or has rules:
 * flow-acl.h.
 *
 * Tables 30 and 31 are not on the way: they are visited by resubmit, write
 * what they know of a MAC to registers and return.  Table 30 has what was
 * registered: one flow for each binding, which answers for the destination
 * (20) as for the source (10).  Table 31's flows are written by `learn`
 * actions; only if nothing is registered is it asked.  So learning steals no
 * registered address.
 *
 * OVS never sends a frame to the port it came from, so neither a sender nor
 * the tunnel gets back what it sent, whatever these tables say. */
enum flow_table {
    FT_CLASSIFY = 0,            /* Port or (tunnel, VNI) -> vSubnet. */
    FT_SECURITY = 5,            /* What a local port may send. */
    FT_SECURITY_ND = 6,         /* ...in ND, of MACs and addresses. */
    FT_SOURCE = 10,             /* Who is it: looks the source up in 30. */
    FT_LEARN = 11,              /* Unregistered sources -> table 31. */
    FT_LEARN_FULL = 12,         /* Sources for which there was no room. */
    FT_ARP = 15,                /* Whose is the address that ARP or ND asks
                                 * for? */
    FT_ARP_ASKED = 16,          /* What sort of question it is... */
    FT_ARP_ANSWER = 17,         /* ...and what the host answers. */
    FT_SERVICES = 18,           /* DHCP, router solicitations. */
    FT_DESTINATION = 20,        /* Looks the destination up in 30... */
    FT_DESTINATION_LEARNT = 21, /* ...and in 31. */
    FT_ACL_OUT = 22,            /* Whether frames are filtered, */
    FT_ACL_TRACK = 23,          /* which are tracked, */
    FT_ACL_TRACKED = 24,        /* and which of them are valid. */
    FT_BINDINGS = 30,           /* Registered MACs. */
    FT_LEARNT = 31,             /* Learnt MACs: `learn` writes here. */
    FT_STORM = 35,              /* How much of BUM goes on. */
    FT_FLOOD = 40,              /* Broadcast, multicast, unknown unicast. */
    FT_ACL_IN = 45,             /* By which rules they are judged, */
    FT_ACL_EGRESS = 46,         /* those of whom a connection comes from */
    FT_ACL_INGRESS = 47,        /* and of whom it goes to; */
    FT_ACL_SECOND = 48,         /* by both, here; */
    FT_ACL_VERDICT = 49,        /* and what becomes of them. */
    FT_OUTPUT = 50,             /* Sends to the port in reg15. */
};

/* Priorities, by table.  Priority 0 is each table's miss flow. */
enum flow_priority {
    /* FT_CLASSIFY. */
    FP_CLASSIFY_BAD = 200,      /* No tenant frame has these addresses, or
                                 * such tags. */
    FP_CLASSIFY_PROBE_PORT = 196,   /* For loops (loop-guard.h): that came in
                                     * by a local port, */
    FP_CLASSIFY_PROBE = 195,        /* or in any other way. */
    FP_CLASSIFY_OAM = 190,      /* The tunnel's own messages. */
    FP_CLASSIFY_HELD = 170,     /* A MAC that is held elsewhere, whatever is
                                 * in its frames. */
    FP_CLASSIFY_UNDERLAY = 160, /* The tunnel's datagrams, by a local port. */
    FP_CLASSIFY_BLOCKED = 150,  /* A local port that is cut off. */
    FP_CLASSIFY_PORT = 100,     /* A local port, or the tunnel with a VNI. */

    /* FT_SECURITY, FT_SECURITY_ND: ports whose addresses are bound. */
    FP_SECURITY_BAD = 110,
    FP_SECURITY_ALLOW = 100,
    FP_SECURITY_DENY_TOLD = 60, /* And the controller is told. */
    FP_SECURITY_DENY = 50,
    FP_SECURITY_OTHERS = 40,    /* Its MAC, neither IP nor ARP. */
    FP_SECURITY_SPOOFED = 30,   /* Another MAC. */

    /* FT_LEARN.  An ARP or ND frame whose sender address is registered for
     * its MAC is not copied to the controller again, but its MAC is kept
     * alive.  Static MACs are neither learnt nor copied; dynamic ones are
     * not learnt from the tunnel, but are from local ports, since that is
     * how a MAC that moved here is noticed. */
    FP_LEARN_MOVE = 150,        /* Whose guest may be here; see claim.h. */
    FP_LEARN_KNOWN_IP = 140,
    FP_LEARN_HELD = 130,        /* Not from the tunnel (mac-damping.h). */
    FP_LEARN_BOUND = 110,
    FP_LEARN_COPY = 60,         /* ARP and ND of local ports. */
    FP_LEARN_MAC = 50,

    /* FT_LEARN_FULL.  A MAC for which there was no room (FL_LIMIT_*) may have
     * been learnt elsewhere, and then frames to it would go to the old place
     * until that flow times out.  The controller is told, and deletes it: the
     * MAC is learnt here if that made room, and flooded to if not. */
    FP_LEARN_FULL_PORT = 110,   /* From a local port, with its meter. */
    FP_LEARN_FULL = 100,

    /* FT_ARP.  Who asks for what is his own tells the others of it: that is
     * for them to hear, not for the host to answer. */
    FP_ARP_OWN = 110,
    FP_ARP_BOUND = 100,         /* One flow for each address. */

    /* FT_ARP_ASKED. */
    FP_ASKED_PROBE = 110,       /* For an address that an operator gave. */
    FP_ASKED_PROBE_LEARNT = 100,
    FP_ASKED = 50,

    /* FT_ARP_ANSWER. */
    FP_ANSWER_SAME = 100,       /* Four bits compared: the same... */
    FP_ANSWER_DIFFERS = 90,     /* ...or not. */
    FP_ANSWER = 80,
    FP_ANSWER_NONE = 10,        /* It is gratuitous. */

    /* FT_SERVICES.  A guest's claim to be a server is dropped before anything
     * else is looked at. */
    FP_SERVICES_ROGUE = 110,
    FP_SERVICES = 100,

    /* FT_DESTINATION_LEARNT: reg15 was not written by table 30. */
    FP_UNKNOWN = 100,

    /* FT_ACL_OUT. */
    FP_FILTERED_PLACE = 110,    /* It is where an operator put its MAC. */
    FP_FILTERED_SPOOFED = 105,  /* Not there. */
    FP_FILTERED = 100,

    /* FT_ACL_TRACK, FT_ACL_TRACKED. */
    FP_NOT_JUDGED = 120,
    FP_GUEST_DHCP = 110,
    FP_TRACK = 100,
    FP_INVALID = 100,
    FP_FRAGMENT = 50,

    /* FT_ACL_IN.  What is not FF_ACL goes by the miss flow. */
    FP_SELF = 130,              /* Back to where it came from. */
    FP_RELATED = 120,
    FP_JUDGE_REMOTE_ANSWER = 115, /* FF_ANSWER. */
    FP_JUDGE_REMOTE = 110,      /* From or to the tunnel. */
    FP_JUDGE_ANSWER = 105,
    FP_JUDGE = 100,

    /* FT_ACL_SECOND, FT_ACL_VERDICT. */
    FP_BLOCK = 110,
    FP_ANOTHER_LOOK = 105,
    FP_DENIED = 100,
    FP_UNBLOCK = 60,
    FP_PASS_ANSWER = 58,
    FP_GROUP = 55,
    FP_COMMIT = 50,

    /* FT_BINDINGS. */
    FP_BINDING = 100,

    /* FT_LEARNT (given to flows by the learn action). */
    FP_LEARNT = 50,

    /* FT_STORM: reg15 was written by neither.  What begins at a local port
     * goes through its meter. */
    FP_BUM_PORT = 20,
    FP_BUM = 10,

    /* FT_FLOOD. */
    FP_FLOOD = 100,

    /* FT_OUTPUT. */
    FP_OUTPUT_BLOCKED = 150,
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
#define FF_SOURCE_STATIC 0x4u   /* The source is bound: FB_*, from bit 2. */
#define FF_SOURCE_DYNAMIC 0x8u
#define FF_SOURCE_OFS 2
#define FF_ACL 0x20u            /* To be judged by rules, */
#define FF_DENIED 0x40u         /* which (or the policy) deny it. */
#define FF_DENIED_OFS 6
#define FF_FRAGMENT 0x80u       /* Not the first of a packet. */
#define FF_ANSWER 0x100u        /* Judged as if it were an answer. */

#define FR_ACL MFF_REG1         /* Set by FT_ACL_OUT: FA_*. */
#define FR_ACL_IDX 1
#define FA_ZONE_OFS 0           /* 16 bits. */
#define FA_GUEST_DHCP 0x10000u  /* Guests may be DHCP servers. */
#define FA_CLOSED 0x20000u      /* The policy. */
#define FA_CLOSED_OFS 17

#define FR_PLACE MFF_REG2       /* The output port of who has the source MAC;
                                 * 0: nobody, or at no known port. */
#define FR_PLACE_IDX 2

#define CM_BLOCKED 0x1u         /* ct_mark: some packet was denied. */

/* Labels of the destination, and of the source: bit N is the vSubnet's label
 * N. */
#define FR_LABELS MFF_XXREG1
#define FR_LABELS_XX 1
#define FR_SOURCE_LABELS MFF_XXREG2
#define FR_SOURCE_LABELS_XX 2

#define FR_BOUND MFF_REG14      /* Table 30: what sort of binding, FB_*. */
#define FB_STATIC 1
#define FB_DYNAMIC 2
#define FR_OUTPUT MFF_REG15     /* Output port, 0: none yet. */
#define FR_OUTPUT_IDX 15

/* Tables 15 to 17 only; zero elsewhere.  The MAC that the address is bound to,
 * with FA_ASSIGNED above it (in reg12), and what reg14 is used for there:
 * FA_COMPARE_*, four bits of one address and four of another. */
#define FR_OWNER MFF_XREG6
#define FR_OWNER_HI_IDX 12
#define FA_ASSIGNED (UINT64_C(1) << 48)     /* Not just learnt. */
#define FR_ARP MFF_REG14
#define FR_ARP_IDX 14
#define FA_COMPARED 0xffu       /* Bits that are compared. */
#define FA_ANSWER 0x100u        /* They differ, or nothing was to compare. */
#define FA_COMPARING 0x10000u   /* Not yet on the way to an answer. */

/* Learnt flows. */
enum {
    FL_HARD_TIMEOUT = 300,      /* Seconds since the source last spoke.  An
                                 * idle timeout would be refreshed by traffic
                                 * towards the MAC.  Behind a local port there
                                 * can be max_macs of its vSubnet. */
    FL_LIMIT_TUNNEL = 16384,    /* Remote MACs of one vSubnet. */
};

/* Whom a frame is for that is sent to the controller. */
enum punt_kind {
    PUNT_ANNOUNCEMENT = 1,      /* ARP or ND of a local port: a copy. */
    PUNT_FULL = 2,              /* Its source found no room: a copy. */
    PUNT_DUPLICATE = 3,         /* Of an address that is bound to another MAC,
                                 * perhaps: a copy. */
    PUNT_DHCP4 = 4,             /* A guest asks: the whole frame. */
    PUNT_DHCP6 = 5,
    PUNT_ROUTER = 6,            /* A router solicitation. */
    PUNT_ACL_LOG = 7,           /* A rule has it logged: a copy. */
    PUNT_LOOP = 8,              /* A probe, or a datagram of the tunnel. */
    PUNT_MOVE = 9,              /* Of a guest that is waited for: a copy. */
};

/* Meters (meters.h), by ID: what is sent to the controller, in all... */
enum flow_meter {
    FM_COPIES = 100,
    FM_FULL = 101,
    FM_SERVICES = 102,
    FM_ACL_LOG = 103,
    FM_DUPLICATES = 104,
    FM_LOOP_PROBES = 105,
};

/* ...and of each local port: BUM that it sends, and what it causes to be sent
 * to the controller, so that no guest takes the room of others there.  Probes
 * have a meter of their own: in a loop the other one has no room. */
#define FM_BUM 0x10000u
#define FM_PUNTS 0x20000u
#define FM_PROBES 0x30000u
#define FM_PORTS 0x10000u       /* As many OpenFlow ports as there can be. */

static inline uint32_t
meter_of_bum(ofp_port_t port)
{
    return FM_BUM + ofp_to_u16(port);
}

static inline uint32_t
meter_of_punts(ofp_port_t port)
{
    return FM_PUNTS + ofp_to_u16(port);
}

static inline uint32_t
meter_of_probes(ofp_port_t port)
{
    return FM_PROBES + ofp_to_u16(port);
}

enum {
    FM_COPIES_RATE = 200,       /* Packets a second. */
    FM_FULL_RATE = 50,
    FM_SERVICES_RATE = 200,
    FM_ACL_LOG_RATE = 50,
    FM_DUPLICATES_RATE = 50,
    FM_LOOP_PROBES_RATE = 200,
    FM_PUNTS_RATE = 50,
    FM_PROBES_RATE = 20,
    FM_COPIES_MAX_LEN = 128,    /* Bytes: ND with its options fits. */
    FM_WHOLE_MAX_LEN = 1518,    /* Any frame of DHCP. */
};

/* Cookies: kind (8 bits), VNI (24), object (32). */
enum cookie_kind {
    COOKIE_BASE = 0x01,
    COOKIE_NET = 0x02,
    COOKIE_PORT = 0x03,         /* Object: OpenFlow port. */
    COOKIE_BINDING = 0x04,      /* Object: low 32 bits of the MAC. */
    COOKIE_LEARNT = 0x05,       /* Object: OpenFlow port it was learnt on, or
                                 * COOKIE_FROM_TUNNEL. */
    COOKIE_RULE = 0x06,         /* Object: see rule-cookie.h. */
    COOKIE_SECURITY = 0x07,     /* Object: OpenFlow port. */
    COOKIE_ARP = 0x08,          /* Object: low 32 bits of the MAC. */
    COOKIE_SERVICE = 0x09,      /* Object: OpenFlow port, of these three. */
    COOKIE_STORM = 0x0a,
    COOKIE_LOOP = 0x0b,
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
