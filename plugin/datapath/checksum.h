/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071), fast enough for every payload byte. */

#ifndef DATAPATH_CHECKSUM_H
#define DATAPATH_CHECKSUM_H 1

/* Internet checksum
 * =================
 *
 * Segmenting and coalescing sum every byte that they handle, so here the sum
 * is made of vectors, 64 bytes a turn, with AVX2 where the CPU has it.  OVS's
 * csum_continue() adds 2 bytes a turn.
 *
 * A sum is a number that is congruent, modulo 2^16 - 1, to the sum of the
 * 16-bit words in memory order; numbers on the wire go in as they stand there,
 * without ntohs().  So sums of pieces are added up, and what changed is added
 * without summing the rest again:
 *
 *     uint64_t sum = checksum_add(0, header, header_len);
 *     sum += tot_len;                                 // ovs_be16
 *     ip->ip_csum = checksum_finish(sum);
 *
 * checksum_fold() gives a number of 16 bits, never inverted: what stands in
 * the checksum field of a packet whose checksum is left to the device is the
 * folded sum of the pseudo-header.  A correct packet, its checksum field
 * included, folds to 0xffff.
 *
 * Thread safety: pure functions. */

#include <stddef.h>
#include <stdint.h>

/* Adds the 'n' bytes at 'data' to 'sum'.  Of a packet summed in pieces, each
 * but the last has an even number of bytes. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t n);

static inline uint16_t
checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The value of a checksum field, in network byte order. */
static inline uint16_t
checksum_finish(uint64_t sum)
{
    return ~checksum_fold(sum);
}

#endif /* datapath/checksum.h */
