/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that loops are found by. */
#ifndef VSUBNET_LOOP_PROBE_H
#define VSUBNET_LOOP_PROBE_H 1

/* A probe goes out of a local port.  Where it comes in again there is a way
 * around the segment: a bridge behind two ports of one vSubnet, of one host or
 * of two, or a plug that sends back what it gets.  It is an Ethernet frame of
 * the type that IEEE 802 leaves to local experiments, to a group address that
 * bridges flood, with (big-endian):
 *
 *      0       4       8                              31
 *     +---------------+----------------+---------------+
 *     |    Version    |     Flags      |     Port      |   4 bytes
 *     |                      VNI                       |   4
 *     |                      Node                      |   4
 *     |                      SPI                       |   4
 *     |         Time, seconds of the epoch             |   4
 *     |                      Tag                       |  16
 *     +------------------------------------------------+
 *
 * "Port" is the OpenFlow port that it went out of.  The tag is HKDF-SHA256 of
 * all before it under the sender key that the SPI names: this node's, which
 * all members of the vSubnet have, and no guest.  So each of them knows a probe
 * of any of them, and who has never been sent one can make none.  A guest does
 * get probes and may send them back, within LOOP_PROBE_MAX_AGE.  That is why
 * a probe speaks only against the port that it comes in by (loop-guard.h): a
 * guest can cut off itself and nobody else.
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

/* 07:76 is 06:76, where this host's MACs are, as a group. */
#define LOOP_PROBE_MAC ETH_ADDR_C(07,76,ff,ff,ff,fd)
#define LOOP_PROBE_TYPE 0x88b5

enum {
    LOOP_PROBE_LEN = 60,        /* The shortest Ethernet frame. */
    LOOP_PROBE_MAX_AGE = 120,   /* Seconds; clocks differ by less. */
};

struct loop_probe {
    uint32_t vni;
    uint32_t node;
    ofp_port_t port;
    bool blocked;               /* The port that it went out of. */
    uint32_t spi;
    uint32_t time;              /* Seconds of the epoch. */
};

/* Key material under which tags are made. */
struct loop_key {
    const void *bytes;
    size_t n;
};

/* Writes the frame that 'probe' says.  False: the library failed. */
bool loop_probe_write(const struct loop_probe *, const struct loop_key *,
                      uint8_t frame[LOOP_PROBE_LEN]);

/* Reads what a frame claims; false if it is not a probe. */
bool loop_probe_read(const void *frame, size_t len, struct loop_probe *);

/* True if the frame, which loop_probe_read() took, has the tag of 'key'. */
bool loop_probe_verify(const void *frame, const struct loop_key *);

#endif /* loop-probe.h */
