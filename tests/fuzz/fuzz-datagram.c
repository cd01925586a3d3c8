/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a datagram from anywhere, through header, session and tag. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "seal/session-state.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { SPI = 161, VNI = 5001, SELF = 9 };

static char *
state_of(const struct session_rx *rx)
{
    struct session_state *state = session_state_create();
    size_t n;

    session_rx_export(rx, state);
    char *text = session_state_format(state, &n);
    session_state_destroy(state);
    return text;
}

/* The header reads back as it was, and only an authentic datagram (the seeds
 * are) changes the table, once. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct session_arrival arrival = {
        .datagram = data, .len = n, .self = SELF, .from_endpoint = true,
    };
    struct aead_key key = {
        .spi = SPI, .vni = VNI, .algorithm = AEAD_AES128GCM
    };
    uint8_t header[WIRE_HEADER_LEN];

    if (wire_validate(data, n) != WIRE_OK) {
        return 0;
    }
    wire_parse(data, &arrival.header);
    wire_serialize(&arrival.header, header);
    ovs_assert(!memcmp(header, data, sizeof header));

    ovs_assert(secret_from_hex(&key.secret,
                               "00112233445566778899aabbccddeeff", 32, 16));
    struct session_rx *rx = session_rx_create(&key);
    uint8_t *frame = xmalloc(n - WIRE_SEAL_LEN + 1);
    char *before = state_of(rx);
    enum session_verdict verdict = session_rx_open(rx, &arrival, frame);
    char *after = state_of(rx);

    ovs_assert((verdict == SESSION_OK) == !!strcmp(before, after));
    ovs_assert(session_rx_open(rx, &arrival, frame) != SESSION_OK);

    free(before);
    free(after);
    free(frame);
    session_rx_destroy(rx);
    return 0;
}
