/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a session state file from anywhere. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "seal/session-state.h"
#include "seal/session.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is taken is written and read back the same, and a table takes it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct session_state *state;
    char *error = session_state_parse((const char *) data, n, &state);

    ovs_assert(!error == !!state);
    if (error) {
        free(error);
        return 0;
    }

    struct session_state *again;
    size_t n1, n2;
    char *text1 = session_state_format(state, &n1);
    error = session_state_parse(text1, n1, &again);
    ovs_assert(!error);
    char *text2 = session_state_format(again, &n2);
    ovs_assert(n1 == n2 && !memcmp(text1, text2, n1));

    const struct aead_key key = { .spi = 178, .algorithm = AEAD_AES128GCM };
    struct session_rx *rx = session_rx_create(&key);
    session_rx_import(rx, state);
    session_rx_import(rx, again);
    ovs_assert(session_rx_count(rx) <= SESSION_MAX_PER_SPI);

    session_rx_destroy(rx);
    free(text1);
    free(text2);
    session_state_destroy(state);
    session_state_destroy(again);
    return 0;
}
