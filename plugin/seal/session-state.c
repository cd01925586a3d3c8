/* SPDX-License-Identifier: Apache-2.0 */
/* What of the sessions survives a restart, and its text form. */

#include <config.h>
#include "seal/session-state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "seal/keyring.h"
#include "seal/private-file.h"
#include "seal/records.h"
#include "seal/session.h"
#include "seal/wire.h"
#include "util.h"

static const char HEADER[] = "vsubnet-sessions";

/* No state is larger: a full receive table for each SPI. */
enum { MAX_SIZE = 1024 * 1024 * 1024 };

struct spi_state {
    struct hmap_node hmap_node; /* In 'spis', by 'spi'. */
    uint32_t spi;
    bool has_tx;
    bool has_rx;
    uint32_t last_seconds;
    uint32_t floor;
    struct session_mark *marks;
    size_t n_marks;
};

struct endpoint_state {
    struct hmap_node hmap_node; /* In 'endpoints', by number. */
    struct session_endpoint endpoint;
};

struct session_state {
    struct hmap spis;           /* Contains "struct spi_state"s. */
    struct hmap endpoints;      /* Contains "struct endpoint_state"s. */
};

struct session_state *
session_state_create(void)
{
    struct session_state *state = xmalloc(sizeof *state);

    hmap_init(&state->spis);
    hmap_init(&state->endpoints);
    return state;
}

static void
spi_destroy(struct session_state *state, struct spi_state *spi)
{
    hmap_remove(&state->spis, &spi->hmap_node);
    free(spi->marks);
    free(spi);
}

void
session_state_destroy(struct session_state *state)
{
    if (state) {
        struct spi_state *spi;

        HMAP_FOR_EACH_SAFE (spi, hmap_node, &state->spis) {
            spi_destroy(state, spi);
        }
        hmap_destroy(&state->spis);
        session_state_clear_endpoints(state);
        hmap_destroy(&state->endpoints);
        free(state);
    }
}

static struct spi_state *
spi_find(const struct session_state *state, uint32_t number)
{
    struct spi_state *spi;

    HMAP_FOR_EACH_WITH_HASH (spi, hmap_node, hash_int(number, 0),
                             &state->spis) {
        if (spi->spi == number) {
            return spi;
        }
    }
    return NULL;
}

static struct spi_state *
spi_find_or_add(struct session_state *state, uint32_t number)
{
    struct spi_state *spi = spi_find(state, number);

    if (!spi) {
        spi = xzalloc(sizeof *spi);
        spi->spi = number;
        hmap_insert(&state->spis, &spi->hmap_node, hash_int(number, 0));
    }
    return spi;
}

/* Makes floor of those sessions of 'spi' that are so much older than the
 * youngest that their sender cannot be using them any more. */
static void
compact(struct spi_state *spi)
{
    uint32_t youngest = 0;
    size_t n = 0;

    for (size_t i = 0; i < spi->n_marks; i++) {
        youngest = MAX(youngest, session_seconds(spi->marks[i].session));
    }
    for (size_t i = 0; i < spi->n_marks; i++) {
        uint32_t seconds = session_seconds(spi->marks[i].session);

        if (youngest - seconds > SESSION_DORMANT_MS / 1000) {
            spi->floor = MAX(spi->floor, seconds);
        } else {
            spi->marks[n++] = spi->marks[i];
        }
    }
    spi->n_marks = n;
}

static int
compare_spis(const void *a_, const void *b_)
{
    const struct spi_state *const *a = a_;
    const struct spi_state *const *b = b_;

    return (*a)->spi < (*b)->spi ? -1 : (*a)->spi > (*b)->spi;
}

void
session_state_retain(struct session_state *state,
                     bool (*wanted)(uint32_t spi, const void *aux),
                     const void *aux)
{
    size_t n_spis = hmap_count(&state->spis);
    struct spi_state **retired = xmalloc(MAX(n_spis, 1) * sizeof *retired);
    struct spi_state *spi;
    size_t n = 0;

    HMAP_FOR_EACH (spi, hmap_node, &state->spis) {
        if (!wanted(spi->spi, aux)) {
            compact(spi);
            retired[n++] = spi;
        }
    }
    if (n > SESSION_STATE_RETIRED) {
        qsort(retired, n, sizeof *retired, compare_spis);
        for (size_t i = 0; i < n - SESSION_STATE_RETIRED; i++) {
            spi_destroy(state, retired[i]);
        }
    }
    free(retired);
}

void
session_state_set_tx(struct session_state *state, uint32_t number,
                     uint32_t last_seconds)
{
    struct spi_state *spi = spi_find_or_add(state, number);

    spi->has_tx = true;
    spi->last_seconds = last_seconds;
}

bool
session_state_get_tx(const struct session_state *state, uint32_t number,
                     uint32_t *last_seconds)
{
    const struct spi_state *spi = spi_find(state, number);

    *last_seconds = spi ? spi->last_seconds : 0;
    return spi && spi->has_tx;
}

void
session_state_set_rx(struct session_state *state, uint32_t number,
                     uint32_t floor, const struct session_mark *marks,
                     size_t n)
{
    struct spi_state *spi = spi_find_or_add(state, number);

    spi->has_rx = true;
    spi->floor = floor;
    free(spi->marks);
    spi->marks = n ? xmemdup(marks, n * sizeof *marks) : NULL;
    spi->n_marks = n;
}

size_t
session_state_get_rx(const struct session_state *state, uint32_t number,
                     uint32_t *floor, const struct session_mark **marks)
{
    const struct spi_state *spi = spi_find(state, number);

    *floor = spi ? spi->floor : 0;
    *marks = spi ? spi->marks : NULL;
    return spi ? spi->n_marks : 0;
}

/* Endpoints. */

static struct endpoint_state *
endpoint_find(const struct session_state *state, uint32_t number)
{
    struct endpoint_state *e;

    HMAP_FOR_EACH_WITH_HASH (e, hmap_node, hash_int(number, 0),
                             &state->endpoints) {
        if (e->endpoint.number == number) {
            return e;
        }
    }
    return NULL;
}

void
session_state_set_endpoint(struct session_state *state,
                           const struct session_endpoint *endpoint)
{
    struct endpoint_state *e = endpoint_find(state, endpoint->number);

    if (!e) {
        e = xmalloc(sizeof *e);
        hmap_insert(&state->endpoints, &e->hmap_node,
                    hash_int(endpoint->number, 0));
    }
    e->endpoint = *endpoint;
}

const struct session_endpoint *
session_state_get_endpoint(const struct session_state *state, uint32_t number)
{
    const struct endpoint_state *e = endpoint_find(state, number);

    return e ? &e->endpoint : NULL;
}

void
session_state_clear_endpoints(struct session_state *state)
{
    struct endpoint_state *e;

    HMAP_FOR_EACH_POP (e, hmap_node, &state->endpoints) {
        free(e);
    }
}

/* Parsing. */

struct parser {
    struct records records;
    struct session_state *state;
    struct spi_state *rx;       /* That `session' lines belong to. */
};

static const char *
parse_header(struct parser *p)
{
    struct records *r = &p->records;

    return (r->n_fields == 2 && records_is(r, HEADER)
            && !strcmp(r->fields[1], "1")
            ? NULL
            : "not a session state file of version 1");
}

/* Reads an address and a port; with 'optional', also "-" and 0. */
static bool
parse_endpoint_fields(const char *address_s, const char *port_s, bool optional,
                      struct in6_addr *address, uint16_t *port)
{
    uint32_t number;

    if (optional && !strcmp(address_s, "-") && !strcmp(port_s, "0")) {
        *address = in6addr_any;
        *port = 0;
        return true;
    }
    if (!keyring_address_parse(address_s, address)
        || !records_u32(port_s, 1, UINT16_MAX, &number)) {
        return false;
    }
    *port = number;
    return true;
}

static const char *
parse_endpoint(struct parser *p)
{
    struct records *r = &p->records;
    struct session_endpoint e;

    p->rx = NULL;
    if (r->n_fields != 8
        || !records_u32(r->fields[1], 1, WIRE_NODE_MAX, &e.number)
        || !parse_endpoint_fields(r->fields[2], r->fields[3], false,
                                  &e.address, &e.port)
        || !parse_endpoint_fields(r->fields[4], r->fields[5], true,
                                  &e.registered, &e.registered_port)
        || !records_number(r->fields[6], 0, UINT64_MAX, &e.generation)
        || !records_number(r->fields[7], 0, UINT64_MAX, &e.revision)) {
        return "`endpoint' needs a node, two endpoints and a revision";
    }
    if (session_state_get_endpoint(p->state, e.number)) {
        return "duplicate node";
    }
    if (hmap_count(&p->state->endpoints) >= SESSION_STATE_MAX_ENDPOINTS) {
        return "too many endpoints";
    }
    session_state_set_endpoint(p->state, &e);
    return NULL;
}

static const char *
parse_tx(struct parser *p)
{
    struct records *r = &p->records;
    uint32_t number, seconds;

    p->rx = NULL;
    if (r->n_fields != 3
        || !records_u32(r->fields[1], 1, UINT32_MAX, &number)
        || !records_u32(r->fields[2], 1, UINT32_MAX, &seconds)) {
        return "`tx' needs an SPI and seconds";
    }

    const struct spi_state *spi = spi_find(p->state, number);
    if (spi && spi->has_tx) {
        return "duplicate SPI";
    }
    session_state_set_tx(p->state, number, seconds);
    return NULL;
}

static const char *
parse_rx(struct parser *p)
{
    struct records *r = &p->records;
    uint32_t number, floor;

    p->rx = NULL;
    if (r->n_fields != 3
        || !records_u32(r->fields[1], 1, UINT32_MAX, &number)
        || !records_u32(r->fields[2], 0, UINT32_MAX, &floor)) {
        return "`rx' needs an SPI and a floor";
    }

    const struct spi_state *spi = spi_find(p->state, number);
    if (spi && spi->has_rx) {
        return "duplicate SPI";
    }
    session_state_set_rx(p->state, number, floor, NULL, 0);
    p->rx = spi_find(p->state, number);
    p->rx->marks = xmalloc(SESSION_MAX_PER_SPI * sizeof *p->rx->marks);
    return NULL;
}

static bool
parse_session_name(const char *s, uint64_t *session)
{
    if (strlen(s) != 16 || strspn(s, "0123456789abcdef") != 16) {
        return false;
    }
    *session = strtoull(s, NULL, 16);
    return true;
}

static const char *
parse_session(struct parser *p)
{
    struct records *r = &p->records;
    struct session_mark mark;
    uint32_t number;

    if (r->n_fields != 4
        || !records_u32(r->fields[1], 1, UINT32_MAX, &number)
        || !parse_session_name(r->fields[2], &mark.session)
        || !records_number(r->fields[3], 0, UINT64_MAX - 1, &mark.highest)) {
        return "`session' needs an SPI, a session and a sequence";
    }
    if (!p->rx || p->rx->spi != number) {
        return "`session' outside its `rx'";
    }
    if (p->rx->n_marks >= SESSION_MAX_PER_SPI) {
        return "too many sessions";
    }
    for (size_t i = 0; i < p->rx->n_marks; i++) {
        if (p->rx->marks[i].session == mark.session) {
            return "duplicate session";
        }
    }
    p->rx->marks[p->rx->n_marks++] = mark;
    return NULL;
}

static const char *
parse_record(struct parser *p)
{
    const struct records *r = &p->records;

    if (r->line == 1) {
        return parse_header(p);
    }
    if (hmap_count(&p->state->spis) > SESSION_STATE_MAX_SPIS) {
        return "too many SPIs";
    }
    return (records_is(r, "tx") ? parse_tx(p)
            : records_is(r, "rx") ? parse_rx(p)
            : records_is(r, "session") ? parse_session(p)
            : records_is(r, "endpoint") ? parse_endpoint(p)
            : "unknown word");
}

char *
session_state_parse(const char *text, size_t n,
                    struct session_state **statep)
{
    struct parser p = { .state = session_state_create() };
    const char *error = NULL;
    char *message = NULL;

    records_init(&p.records, text, n, SESSION_STATE_MAX_LINE);
    while (!error && records_next(&p.records, &error)) {
        error = parse_record(&p);
    }
    if (!error && p.records.line == 1) {
        error = "not a session state file of version 1";
    }
    if (error) {
        message = records_error(&p.records, error);
        session_state_destroy(p.state);
        p.state = NULL;
    }
    records_destroy(&p.records);
    *statep = p.state;
    return message;
}

/* Formatting. */

static int
compare_marks(const void *a_, const void *b_)
{
    const struct session_mark *a = a_;
    const struct session_mark *b = b_;

    return a->session < b->session ? -1 : a->session > b->session;
}

/* Appends the lines of 'spi' and returns their number. */
static size_t
format_spi(const struct spi_state *spi, struct ds *s)
{
    if (spi->has_tx) {
        ds_put_format(s, "tx %"PRIu32" %"PRIu32"\n",
                      spi->spi, spi->last_seconds);
    }
    if (!spi->has_rx) {
        return spi->has_tx;
    }

    struct session_mark marks[SESSION_MAX_PER_SPI];
    size_t n = MIN(spi->n_marks, SESSION_MAX_PER_SPI);

    nullable_memcpy(marks, spi->marks, n * sizeof *marks);
    qsort(marks, n, sizeof *marks, compare_marks);
    ds_put_format(s, "rx %"PRIu32" %"PRIu32"\n", spi->spi, spi->floor);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, "session %"PRIu32" %016"PRIx64" %"PRIu64"\n",
                      spi->spi, marks[i].session, marks[i].highest);
    }
    return spi->has_tx + 1 + n;
}

static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct session_endpoint *const *a = a_;
    const struct session_endpoint *const *b = b_;

    return ((*a)->number < (*b)->number ? -1
            : (*a)->number > (*b)->number);
}

static void
format_endpoint(const struct session_endpoint *e, struct ds *s)
{
    char address[INET6_ADDRSTRLEN];
    char registered[INET6_ADDRSTRLEN] = "-";

    keyring_address_format(&e->address, address);
    if (e->registered_port) {
        keyring_address_format(&e->registered, registered);
    }
    ds_put_format(s, "endpoint %"PRIu32" %s %"PRIu16" %s %"PRIu16" %"PRIu64
                  " %"PRIu64"\n", e->number, address, e->port, registered,
                  e->registered_port, e->generation, e->revision);
}

/* Appends the lines of all endpoints and returns their number. */
static size_t
format_endpoints(const struct session_state *state, struct ds *s)
{
    size_t n = hmap_count(&state->endpoints);
    const struct session_endpoint **sorted = xmalloc((n + 1) * sizeof *sorted);
    const struct endpoint_state *e;
    size_t i = 0;

    HMAP_FOR_EACH (e, hmap_node, &state->endpoints) {
        sorted[i++] = &e->endpoint;
    }
    qsort(sorted, n, sizeof *sorted, compare_endpoints);
    for (i = 0; i < n; i++) {
        format_endpoint(sorted[i], s);
    }
    free(sorted);
    return n;
}

char *
session_state_format(const struct session_state *state, size_t *n)
{
    size_t n_spis = hmap_count(&state->spis);
    const struct spi_state **spis = xmalloc(n_spis * sizeof *spis);
    const struct spi_state *spi;
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n_lines = 1;
    size_t i = 0;

    HMAP_FOR_EACH (spi, hmap_node, &state->spis) {
        spis[i++] = spi;
    }
    qsort(spis, n_spis, sizeof *spis, compare_spis);

    ds_put_format(&s, "%s 1\n", HEADER);
    n_lines += format_endpoints(state, &s);
    for (i = 0; i < n_spis; i++) {
        n_lines += format_spi(spis[i], &s);
    }
    ds_put_format(&s, "end %"PRIuSIZE"\n", n_lines);
    free(spis);
    *n = s.length;
    return ds_steal_cstr(&s);
}

char *
session_state_load(const char *path, struct session_state **statep)
{
    char *data;
    size_t n;
    char *error = private_file_read(path, MAX_SIZE, &data, &n);

    *statep = NULL;
    if (error) {
        return error;
    }
    error = session_state_parse(data, n, statep);
    private_file_free(data, n);
    return error;
}

char *
session_state_save(const char *path, const struct session_state *state)
{
    size_t n;
    char *text = session_state_format(state, &n);
    char *error = private_file_replace(path, text, n);

    free(text);
    return error;
}
