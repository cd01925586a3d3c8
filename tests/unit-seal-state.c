/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of plugin/seal: what of sessions and endpoints survives a
 * restart. */

#include <config.h>
#include "unit-seal.h"

#include <arpa/inet.h>
#include <string.h>
#include "command-line.h"
#include "seal/session-state.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "util.h"

static const struct {
    uint32_t number;
    const char *address, *registered;
    uint16_t port, registered_port;
} endpoints[] = {
    { 1, "::ffff:10.0.0.77", "::ffff:10.0.0.9", 8002, 8003 },
    { 9, "fd00::1", "::ffff:10.0.0.9", 65535, 1 },
    { WIRE_NODE_MAX, "fd00::2", "::", 8002, 0 },
};

static void
put_endpoints(struct session_state *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        struct session_endpoint e = {
            .number = endpoints[i].number,
            .port = endpoints[i].port,
            .registered_port = endpoints[i].registered_port,
            .generation = 3,
            .revision = UINT64_MAX - i,
        };

        CHECK(inet_pton(AF_INET6, endpoints[i].address, &e.address));
        CHECK(inet_pton(AF_INET6, endpoints[i].registered, &e.registered));
        session_state_set_endpoint(state, &e);
        /* Again: takes its place. */
        session_state_set_endpoint(state, &e);
    }
}

static void
check_endpoints(const struct session_state *state)
{
    CHECK(!session_state_get_endpoint(state, 2));
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        const struct session_endpoint *e
            = session_state_get_endpoint(state, endpoints[i].number);
        struct in6_addr address, registered;

        CHECK(e && e->port == endpoints[i].port
              && e->registered_port == endpoints[i].registered_port
              && e->generation == 3 && e->revision == UINT64_MAX - i);
        CHECK(inet_pton(AF_INET6, endpoints[i].address, &address));
        CHECK(inet_pton(AF_INET6, endpoints[i].registered, &registered));
        CHECK(!memcmp(&address, &e->address, sizeof address));
        CHECK(!memcmp(&registered, &e->registered, sizeof registered));
    }
}

static struct session_rx *
restart(struct session_rx *rx)
{
    struct session_state *state = session_state_create();
    struct session_state *read;
    size_t n, n_again;
    const char path[] = "sessions";

    session_state_set_tx(state, 161, 1893456000);
    put_endpoints(state);
    session_rx_export(rx, state);
    session_rx_destroy(rx);

    char *text = session_state_format(state, &n);
    char *error = session_state_parse(text, n, &read);
    CHECK(!error, "%s", error);
    char *again = session_state_format(read, &n_again);
    CHECK(n == n_again && !memcmp(text, again, n));
    session_state_destroy(read);

    error = session_state_save(path, state);
    CHECK(!error, "%s", error);
    error = session_state_load(path, &read);
    CHECK(!error, "%s", error);
    check_endpoints(read);

    rx = make_rx();
    session_rx_import(rx, read);
    free(again);
    free(text);
    session_state_destroy(read);
    session_state_destroy(state);
    return rx;
}

void
test_state_round_trip(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct session_rx *rx = make_rx();

    for (uint32_t s = 1; s <= SESSION_MAX_PER_SPI + 3; s++) {
        const struct datagram d = {
            .session = SESSION(100 + s, s), .sequence = s + 20,
            .mono_ms = s * 1000,
        };
        CHECK(receive(rx, &d) == SESSION_OK);
    }
    CHECK(session_rx_floor(rx) == 103);

    char *before = state_of(rx);
    rx = restart(rx);
    char *after = state_of(rx);
    CHECK(!strcmp(before, after), "%s\n%s", before, after);
    free(before);
    free(after);

    /* All up to the highest counts as seen, and goes on from there. */
    CHECK(session_rx_floor(rx) == 103);
    CHECK(receive_simple(rx, SESSION(110, 10), 29) == SESSION_REPLAYED);
    CHECK(receive_simple(rx, SESSION(110, 10), 30) == SESSION_REPLAYED);
    CHECK(receive_simple(rx, SESSION(110, 10), 31) == SESSION_OK);
    CHECK(receive_simple(rx, SESSION(110, 10), 31) == SESSION_REPLAYED);
    CHECK(receive_simple(rx, SESSION(103, 3), 24) == SESSION_BELOW_FLOOR);
    CHECK(receive_simple(rx, SESSION(200, 0), 0) == SESSION_OK);
    CHECK(session_rx_floor(rx) == 104);

    /* Reading an old state over a live table takes nothing back. */
    struct session_state *old = session_state_create();
    const struct session_mark marks[] = {
        { SESSION(110, 10), 2 }, { SESSION(104, 4), 2 }, { SESSION(90, 0), 2 },
    };
    session_state_set_rx(old, SPI, 50, marks, ARRAY_SIZE(marks));
    session_rx_import(rx, old);
    CHECK(session_rx_floor(rx) == 104);
    CHECK(receive_simple(rx, SESSION(110, 10), 31) == SESSION_REPLAYED);
    CHECK(receive_simple(rx, SESSION(104, 4), 99) == SESSION_BELOW_FLOOR);
    CHECK(receive_simple(rx, SESSION(90, 0), 99) == SESSION_BELOW_FLOOR);
    session_state_destroy(old);
    session_rx_destroy(rx);
}

#define HEAD "vsubnet-sessions 1\n"

static const struct {
    const char *text;
    unsigned int line;          /* 0: good. */
} state_texts[] = {
    { HEAD "end 1\n", 0 },
    { HEAD "tx 161 1893456000\nrx 178 0\n"
      "session 178 70dbd880a1b2c3d4 4711\nend 4\n", 0 },
    { HEAD "rx 178 4294967295\nend 2\n", 0 },
    { HEAD "tx 161 5\nrx 161 5\nend 3\n", 0 },
    { HEAD "endpoint 9 10.0.0.77 8002 10.0.0.9 8002 3 41\n"
      "endpoint 10 fd00::1 1 - 0 3 41\nend 3\n", 0 },

    { "", 1 },
    { "end 0\n", 1 },
    { "vsubnet-sessions 2\nend 1\n", 1 },
    { "vsubnet-keyring 1\nend 1\n", 1 },
    { HEAD, 2 },
    { HEAD "end 1", 2 },
    { HEAD "end 2\n", 2 },
    { HEAD "end 1\n\n", 3 },
    { HEAD "tx 0 5\nend 2\n", 2 },
    { HEAD "tx 161 0\nend 2\n", 2 },
    { HEAD "tx 161 4294967296\nend 2\n", 2 },
    { HEAD "tx 161\nend 2\n", 2 },
    { HEAD "tx 161 5 5\nend 2\n", 2 },
    { HEAD "tx 161 5\ntx 161 6\nend 3\n", 3 },
    { HEAD "rx 178 0\nrx 178 0\nend 3\n", 3 },
    { HEAD "rx 178 -1\nend 2\n", 2 },
    { HEAD "session 178 70dbd880a1b2c3d4 4711\nend 2\n", 2 },
    { HEAD "rx 178 0\nsession 179 70dbd880a1b2c3d4 4711\nend 3\n", 3 },
    { HEAD "rx 178 0\ntx 161 5\nsession 178 70dbd880a1b2c3d4 1\nend 4\n", 4 },
    { HEAD "rx 178 0\nsession 178 70dbd880a1b2c3d 4711\nend 3\n", 3 },
    { HEAD "rx 178 0\nsession 178 70DBD880a1b2c3d4 4711\nend 3\n", 3 },
    { HEAD "rx 178 0\nsession 178 0x70dbd880a1b2c3 4711\nend 3\n", 3 },
    { HEAD "rx 178 0\nsession 178 70dbd880a1b2c3d4 18446744073709551615\n"
      "end 3\n", 3 },
    { HEAD "rx 178 0\nsession 178 70dbd880a1b2c3d4 18446744073709551616\n"
      "end 3\n", 3 },
    { HEAD "rx 178 0\nsession 178 70dbd880a1b2c3d4 1\n"
      "session 178 70dbd880a1b2c3d4 1\nend 4\n", 4 },
    { HEAD "peer 9 - 0 3.4\nend 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 8002 10.0.0.9 8002 3\n"
      "end 2\n", 2 },
    { HEAD "endpoint 0 10.0.0.77 8002 10.0.0.9 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 - 0 10.0.0.9 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 0 10.0.0.9 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 65536 10.0.0.9 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 8002 - 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0 8002 10.0.0.9 8002 3 41\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 8002 10.0.0.9 8002 3 -1\n"
      "end 2\n", 2 },
    { HEAD "endpoint 9 10.0.0.77 8002 10.0.0.9 8002 3 41\n"
      "endpoint 9 10.0.0.78 8002 10.0.0.9 8002 3 41\nend 3\n", 3 },
    { HEAD "rx 178 0\nendpoint 9 10.0.0.77 8002 10.0.0.9 8002 3 41\n"
      "session 178 70dbd880a1b2c3d4 1\nend 4\n", 4 },
};

static void
check_state_text(const char *text, size_t n, unsigned int line)
{
    struct session_state *state;
    char *error = session_state_parse(text, n, &state);
    char *want = xasprintf("line %u: ", line);

    CHECK(!line == !error, "%s: %s", text, error);
    CHECK(!line == !!state, "%s", text);
    CHECK(!error || !strncmp(error, want, strlen(want)), "%s: %s",
          text, error);
    free(want);
    free(error);
    session_state_destroy(state);
}

void
test_state_bad(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(state_texts); i++) {
        check_state_text(state_texts[i].text, strlen(state_texts[i].text),
                         state_texts[i].line);
    }

    /* One session too many. */
    char text[8192] = HEAD "rx 178 0\n";
    for (int i = 0; i <= SESSION_MAX_PER_SPI; i++) {
        size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "session 178 %016x 0\n", i);
    }
    check_state_text(text, strlen(text), 2 + SESSION_MAX_PER_SPI + 1);

    /* Cut at every length, a good one is refused. */
    const char *good = state_texts[1].text;
    for (size_t n = 0; n < strlen(good); n++) {
        struct session_state *state;
        char *cut = xmemdup(good, n + 1);
        char *error = session_state_parse(cut, n, &state);

        CHECK(error && !state, "%"PRIuSIZE" bytes", n);
        free(error);
        free(cut);
    }
}

/* A table that nothing has come to has a state too. */
void
test_state_empty(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct session_rx *rx = make_rx();
    struct session_state *state;
    char *text = state_of(rx);

    CHECK(!strcmp(text, HEAD "rx 178 0\nend 2\n"), "%s", text);
    char *error = session_state_parse(text, strlen(text), &state);
    CHECK(!error, "%s", error);
    session_rx_import(rx, state);
    CHECK(session_rx_count(rx) == 0);
    free(text);
    session_state_destroy(state);
    session_rx_destroy(rx);
}

static bool
is_wanted(uint32_t spi, const void *wanted)
{
    return spi == *(const uint32_t *) wanted;
}

/* What has gone from the keyring is compacted, not forgotten; of too many, the
 * first are. */
void
test_state_retain(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    enum { LIFE = SESSION_DORMANT_MS / 1000 };
    struct session_state *state = session_state_create();
    const struct session_mark some[] = {
        { SESSION(1000, 1), 7 }, { SESSION(1000 + LIFE, 1), 8 },
        { SESSION(1001 + LIFE, 1), 9 },
    };
    const struct session_mark *marks;
    uint32_t wanted = 178;
    uint32_t value;

    session_state_set_tx(state, 161, 5);
    session_state_set_rx(state, 178, 3, some, ARRAY_SIZE(some));
    session_state_set_rx(state, 179, 4, some, ARRAY_SIZE(some));
    session_state_retain(state, is_wanted, &wanted);

    CHECK(session_state_get_tx(state, 161, &value) && value == 5);
    CHECK(session_state_get_rx(state, 178, &value, &marks) == 3);
    CHECK(value == 3 && marks[0].highest == 7);
    CHECK(session_state_get_rx(state, 179, &value, &marks) == 2);
    CHECK(value == 1000 && marks[0].highest == 8 && marks[1].highest == 9);

    /* 161 and 179 have to go, and one of the new ones. */
    for (uint32_t i = 0; i <= SESSION_STATE_RETIRED; i++) {
        session_state_set_rx(state, 1000 + i, i, NULL, 0);
    }
    session_state_retain(state, is_wanted, &wanted);
    CHECK(!session_state_get_tx(state, 161, &value));
    CHECK(session_state_get_rx(state, 178, &value, &marks) == 3);
    CHECK(!session_state_get_rx(state, 179, &value, &marks) && !value);
    session_state_get_rx(state, 1001, &value, &marks);
    CHECK(value == 1);
    session_state_get_rx(state, 1000 + SESSION_STATE_RETIRED, &value, &marks);
    CHECK(value == SESSION_STATE_RETIRED);
    session_state_destroy(state);
}
