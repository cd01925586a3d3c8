/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be traced: from whom, to whom, by what. */
#ifndef VSUBNET_TRACE_QUERY_H
#define VSUBNET_TRACE_QUERY_H 1

/* A question, as JSON, becomes a frame for `ofproto/trace`:
 *
 *      {"net","src","dst","l4"?,"size"?,"from"?}
 *
 * "src" and "dst" are MACs ("MAC,ADDRESS" says which address is meant), IP
 * addresses, ports' names or iface-ids; "l4" is
 * "tcp", "udp" or "sctp", with ports (":80" is the destination's, ":1024:80"
 * both), "icmp" with type and code, or absent: a ping, if there are addresses
 * for one, else a frame of nothing known.  With "from", the number of another
 * node, the frame comes from there through the tunnel; without it "src" is at
 * a port of this node.
 *
 * The frame is new to connection tracking, and says so in the ct_* fields:
 * ofproto/trace does not track anything, but rules look at these.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/types.h"

struct json_t;
struct local_ports;
struct mapping;

/* One end. */
struct trace_end {
    struct eth_addr mac;
    struct model_address ip;    /* If 'has_ip'. */
    bool has_ip;
    uint32_t node;              /* Where its binding says it is; 0: nowhere. */
    uint16_t ofport;            /* Of this node; 0: none. */
};

struct trace_query {
    char *net;
    uint32_t vni;
    struct trace_end src, dst;
    uint32_t from;              /* 0: a local port. */
    unsigned int size;          /* Of an IP packet; 0: not told. */
    char *flow;                 /* For ofproto/trace; NULL: 'src' is not at
                                 * this node. */
};

/* Reads the question.  Returns NULL, or an error string that the caller
 * frees, and then '*query' needs no trace_query_destroy(), but may have one.
 * 'tunnel' is the tunnel's OpenFlow port. */
char *trace_query_parse(const struct json_t *, const struct mapping *,
                        const struct local_ports *, uint16_t tunnel,
                        struct trace_query *query);
void trace_query_destroy(struct trace_query *);

#endif /* trace-query.h */
