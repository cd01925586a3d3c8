/* SPDX-License-Identifier: Apache-2.0 */
/* What of the sessions survives a restart, and its text form. */

#ifndef SEAL_SESSION_STATE_H
#define SEAL_SESSION_STATE_H 1

/* Session state
 * =============
 *
 * Each second the port collects, per SPI, the last time drawn for sending and
 * the floor and highest sequences for receiving, and writes them to a file.
 * At start it reads the file back: everything up to the saved sequences counts
 * as seen, so that a restart opens at most a second to replay.
 *
 *     vsubnet-sessions 1
 *     endpoint 9 10.0.0.77 8002 10.0.0.9 8002 3 41
 *     tx 161 1893456000
 *     rx 178 0
 *     session 178 70dbd880a1b2c3d4 4711
 *     end 5
 *
 * `endpoint NODE ADDRESS PORT REGISTERED-ADDRESS REGISTERED-PORT GENERATION
 * REVISION`: a peer that was found elsewhere than the keyring of that revision
 * says (`- 0`: says nothing); `tx SPI SECONDS`; `rx SPI FLOOR`, followed by its
 * `session SPI SESSION HIGHEST` lines, SESSION being 16 hexadecimal digits;
 * `end N`, N being the number of lines before it.  As with the keyring, a file is taken whole or
 * refused whole, and an error names the line.
 *
 * A state holds records of SPIs that are in no keyring too.  So a port that
 * has not yet been given its keyring keeps what it has read: it calls
 * session_state_retain() only after a keyring was loaded.  Even then an SPI
 * that has gone is not forgotten at once: a node that leaves a vSubnet and
 * joins it again is given the other members' keys as they were, and what was
 * sent to it before it left must not be good again.
 *
 *     at start:      session_state_load() or session_state_create()
 *                    session_sender_import(), session_rx_import() of each key
 *     each second:   session_sender_export(), session_rx_export() of each key
 *                    session_state_save()
 *     after a load:  session_state_retain()
 *
 * Nothing in it is secret, but it decides what counts as a replay, so it is
 * read and written as the keyring is.
 *
 * Saving waits for the disk.  A thread that forwards packets calls
 * session_state_format() and leaves private_file_replace() to another.
 *
 * Thread safety: none; one state belongs to one thread at a time. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SESSION_STATE_MAX_SPIS = 2 * 1048576,
    SESSION_STATE_MAX_LINE = 192,
    SESSION_STATE_RETIRED = 4096,   /* SPIs that are in no keyring. */
    SESSION_STATE_MAX_ENDPOINTS = 65536,
};

struct session_state *session_state_create(void);
void session_state_destroy(struct session_state *);

/* Parses the 'n' bytes at 'text'.  Returns NULL and a new state in '*statep',
 * or an error string that the caller frees, and NULL in '*statep'. */
char *session_state_parse(const char *text, size_t n,
                          struct session_state **statep);

/* Returns the text form, which the caller frees, and its length in '*n'.  The
 * order is by SPI: equal states give equal texts. */
char *session_state_format(const struct session_state *, size_t *n);

/* The same from and to a file (private-file.h).  Loading a file that does not
 * exist returns an error string too. */
char *session_state_load(const char *path, struct session_state **statep);
char *session_state_save(const char *path, const struct session_state *);

/* Compacts every SPI for which 'wanted' returns false: of its sessions only
 * those stay that its sender may still be using.  Of more than
 * SESSION_STATE_RETIRED such SPIs, those with the lowest numbers, which were
 * given first, are forgotten. */
void session_state_retain(struct session_state *,
                          bool (*wanted)(uint32_t spi, const void *aux),
                          const void *aux);

/* Records, as session.c reads and writes them. */
struct session_mark {
    uint64_t session;
    uint64_t highest;           /* All sequences up to this count as seen. */
};

void session_state_set_tx(struct session_state *, uint32_t spi,
                          uint32_t last_seconds);
bool session_state_get_tx(const struct session_state *, uint32_t spi,
                          uint32_t *last_seconds);

/* Sets floor and sessions of 'spi', in place of the earlier ones. */
void session_state_set_rx(struct session_state *, uint32_t spi,
                          uint32_t floor, const struct session_mark *,
                          size_t n);

/* Stores the floor in '*floor' and the sessions in '*marks', which 'state'
 * keeps, and returns how many there are; 0, with floor 0, if 'spi' is not in
 * 'state'. */
size_t session_state_get_rx(const struct session_state *, uint32_t spi,
                            uint32_t *floor,
                            const struct session_mark **marks);

/* Where a peer was found. */
struct session_endpoint {
    uint32_t number;            /* The node. */
    struct in6_addr address;    /* IPv4 as IPv4-mapped. */
    uint16_t port;              /* Not 0. */
    struct in6_addr registered; /* All zeros and 0: not known. */
    uint16_t registered_port;
    uint64_t generation, revision;      /* Of the registration. */
};

/* Adds a copy, in place of an earlier one of the same node. */
void session_state_set_endpoint(struct session_state *,
                                const struct session_endpoint *);
const struct session_endpoint *session_state_get_endpoint(
    const struct session_state *, uint32_t number);
void session_state_clear_endpoints(struct session_state *);

#endif /* seal/session-state.h */
