/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of plugin/seal share. */

#ifndef UNIT_SEAL_H
#define UNIT_SEAL_H 1

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "seal/aead.h"
#include "seal/session.h"

struct ovs_cmdl_context;

/* Ends the test as failed, with the words of 'FORMAT', unless 'CONDITION'
 * holds. */
#define CHECK(CONDITION, ...)                                           \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "%s:%d: %s:", __FILE__, __LINE__, #CONDITION); \
            fprintf(stderr, " " __VA_ARGS__);                           \
            fprintf(stderr, "\n");                                      \
            exit(1);                                                    \
        }                                                               \
    } while (0)

/* Reads a string of hexadecimal digits and returns the number of bytes. */
size_t from_hex(const char *hex, uint8_t *bytes, size_t size);

/* A key of the given algorithm whose bytes count up. */
struct aead_key make_key(enum aead_algorithm, uint32_t spi, uint32_t vni);

enum { SPI = 178, VNI = 5001, SELF = 7, HOUR_MS = 3600 * 1000 };

#define SESSION(SECONDS, RANDOM) ((uint64_t) (SECONDS) << 32 | (RANDOM))

/* A datagram as it may arrive: sealed for SELF, then perhaps damaged. */
struct datagram {
    uint64_t session;
    uint64_t sequence;
    long long int mono_ms;
    bool elsewhere;             /* Not from the peer's endpoint. */
    bool forged;
    uint32_t receiver;          /* 0: SELF. */
    uint32_t vni;               /* 0: VNI. */
    uint32_t spi;               /* 0: SPI. */
};

/* A receive table of SPI; what it makes of a datagram; its whole state as a
 * string, for comparing, which the caller frees. */
struct session_rx *make_rx(void);
enum session_verdict receive(struct session_rx *, const struct datagram *);
enum session_verdict receive_simple(struct session_rx *, uint64_t session,
                                    uint64_t sequence);
char *state_of(const struct session_rx *);

/* unit-seal-session.c */
void test_draw(struct ovs_cmdl_context *);
void test_draw_exhausted(struct ovs_cmdl_context *);
void test_nonces_unique(struct ovs_cmdl_context *);
void test_draw_threads(struct ovs_cmdl_context *);
void test_receive(struct ovs_cmdl_context *);
void test_unauthenticated(struct ovs_cmdl_context *);
void test_evict(struct ovs_cmdl_context *);
void test_budget(struct ovs_cmdl_context *);
void test_dormant(struct ovs_cmdl_context *);
void test_newest(struct ovs_cmdl_context *);

/* unit-seal-keyring.c */
void test_keyring_good(struct ovs_cmdl_context *);
void test_keyring_bad(struct ovs_cmdl_context *);
void test_keyring_truncated(struct ovs_cmdl_context *);
void test_keyring_limits(struct ovs_cmdl_context *);
void test_keyring_api(struct ovs_cmdl_context *);
void test_keyring_file(struct ovs_cmdl_context *);
void test_secret(struct ovs_cmdl_context *);

/* unit-seal-state.c */
void test_state_round_trip(struct ovs_cmdl_context *);
void test_state_empty(struct ovs_cmdl_context *);
void test_state_bad(struct ovs_cmdl_context *);
void test_state_retain(struct ovs_cmdl_context *);

#endif /* unit-seal.h */
