/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that tunnel ports send each other. */

#ifndef DATAPATH_OAM_H
#define DATAPATH_OAM_H 1

/* Messages between ports
 * ======================
 *
 * A port asks another whether it is at an address, and how long a datagram may
 * be on the way there.  One message and its answer do for both:
 *
 *     echo request: a nonce, padded to the length to be tried
 *     echo reply:   the same nonce, and how long the request was
 *
 * Both travel as frames in sealed OAM datagrams (DESIGN.md, section 2.5), so
 * their lengths compare with those of frames.  Such a frame has no addresses,
 * which tells it from OAM that is for flows:
 *
 *     +------------------------------------------------+
 *     | no destination, no source (12 bytes of 0)      |  12
 *     | Ethertype 0x88b5 (IEEE 802, local experiments) |   2
 *     | version 0 |  kind   |    length of request     |   4
 *     |                    nonce                       |   8
 *     +------------------------------------------------+
 *     | zeros, in a request as many as wanted          |
 *
 * A nonce comes from the crypto library's generator, and is known only to who
 * can open the request: an answer proves that the other node got it.
 *
 * Thread safety: pure functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OAM_MESSAGE_LEN = 26 };

enum oam_kind {
    OAM_ECHO_REQUEST = 1,
    OAM_ECHO_REPLY = 2,
};

struct oam_message {
    enum oam_kind kind;
    uint16_t request_len;       /* Of the request's frame; 0 in a request. */
    uint64_t nonce;
};

/* Writes the message as a frame of 'len' bytes, at least OAM_MESSAGE_LEN. */
void oam_write(const struct oam_message *, void *frame, size_t len);

/* Whether the frame of 'len' bytes, which came as OAM, is for the port. */
bool oam_is_message(const void *frame, size_t len);

/* Reads a frame for which oam_is_message().  Returns false if it is no message
 * that this version knows.  'request_len' of a request is the frame's own. */
bool oam_parse(const void *frame, size_t len, struct oam_message *);

#endif /* datapath/oam.h */
