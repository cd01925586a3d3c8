/* SPDX-License-Identifier: Apache-2.0 */
/* What sealing and opening one datagram costs, by size and crypto library. */

/* Times aead_seal() and aead_open() as the datapath calls them: one context, a
 * new sequence each time, data that is in the cache.  Each figure is the
 * median of several batches; the batches of all cases take turns, so that a
 * disturbance of the machine hits all of them.
 *
 * Cycles are those of the time stamp counter, which runs at the processor's
 * nominal frequency whatever the real one is.  Where there is no such counter
 * the unit is nanoseconds. */

#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif
#include "openvswitch/util.h"
#include "seal/aead.h"
#include "seal/gcm.h"
#include "seal/wire.h"
#include "util.h"

enum {
    MAX_FRAME = 9014,
    MAX_RUNS = 101,
    RECEIVER = 9,
    BATCH_BYTES = 256 * 1024,   /* Payload of one batch... */
    MIN_BATCH = 32,             /* ...but at least so many datagrams. */
};

/* Bytes of a frame: 64-byte and 512-byte UDP, a full frame at the inner MTU of
 * a 1500-byte underlay, and one of a jumbo underlay. */
static const size_t sizes[] = { 64, 128, 256, 512, 1024, 1432, 9014 };

/* A crypto library that plugin/seal can use.  'select' makes the contexts that
 * are created from then on use it, or returns false if it is not built in or
 * does not run on this processor. */
struct backend {
    const char *name;
    bool (*select)(void);
};

static bool
select_openssl(void)
{
    return gcm_use_library(GCM_OPENSSL);
}

static bool
select_ipsec_mb(void)
{
    return gcm_use_library(GCM_IPSEC_MB);
}

static const struct backend backends[] = {
    { "openssl", select_openssl },
    { "ipsec-mb", select_ipsec_mb },
};

struct bench {
    const struct backend *backend;
    enum aead_algorithm algorithm;
    enum aead_direction direction;
    size_t size;
    struct aead *aead;          /* To be measured. */
    double runs[MAX_RUNS];
};

static uint64_t sequence;
static uint8_t datagram[WIRE_SEAL_LEN + MAX_FRAME];
static uint8_t frame[MAX_FRAME];

#if defined(__x86_64__)
static const char unit[] = "cycles";

static uint64_t
ticks(void)
{
    unsigned int processor;

    return __rdtscp(&processor);
}
#else
static const char unit[] = "ns";

static uint64_t
ticks(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}
#endif

static struct aead *
make_context(enum aead_algorithm algorithm, enum aead_direction direction)
{
    struct aead_key key = { .spi = 1, .vni = 5001, .algorithm = algorithm };
    static const uint8_t material[SECRET_MAX_LEN] = { 1, 2, 3, 4 };

    secret_set(&key.secret, material, aead_key_len(algorithm));

    struct aead *aead = aead_create_session(&key, 1, direction);
    if (!aead) {
        ovs_fatal(0, "no cipher context");
    }
    return aead;
}

static void
start_datagram(void)
{
    const struct wire_header header = {
        .type = WIRE_FRAME, .vni = 5001, .spi = 1, .session = 1,
    };

    wire_serialize(&header, datagram);
}

static void
must(bool ok)
{
    if (!ok) {
        ovs_fatal(0, "sealing or opening failed");
    }
}

/* Returns ticks per datagram of one batch of 'n'. */
static double
run_seal(const struct bench *bench, int n)
{
    start_datagram();

    uint64_t start = ticks();
    for (int i = 0; i < n; i++) {
        wire_put_sequence(datagram, sequence++);
        must(aead_seal(bench->aead, datagram, frame, bench->size, RECEIVER));
    }
    return (double) (ticks() - start) / n;
}

/* The same datagram each time: whether it was seen before is for the replay
 * window to ask, not for the cipher. */
static double
run_open(const struct bench *bench, int n)
{
    struct aead *sealer = make_context(bench->algorithm, AEAD_SEAL);

    start_datagram();
    wire_put_sequence(datagram, sequence++);
    must(aead_seal(sealer, datagram, frame, bench->size, RECEIVER));
    aead_destroy(sealer);

    uint64_t start = ticks();
    for (int i = 0; i < n; i++) {
        must(aead_open(bench->aead, datagram, WIRE_SEAL_LEN + bench->size,
                       RECEIVER, frame));
    }
    return (double) (ticks() - start) / n;
}

static double
run_batch(const struct bench *bench)
{
    int n = MAX(MIN_BATCH, BATCH_BYTES / bench->size);

    return (bench->direction == AEAD_SEAL
            ? run_seal(bench, n) : run_open(bench, n));
}

/* Makes a bench of each backend, algorithm, direction and size.  Returns the
 * number of benches. */
static size_t
make_benches(struct bench **benches)
{
    static const enum aead_algorithm algorithms[] = {
        AEAD_AES128GCM, AEAD_AES256GCM,
    };
    static const enum aead_direction directions[] = { AEAD_SEAL, AEAD_OPEN };
    size_t n = 0;

    *benches = xcalloc(ARRAY_SIZE(backends) * ARRAY_SIZE(algorithms)
                       * ARRAY_SIZE(directions) * ARRAY_SIZE(sizes),
                       sizeof **benches);
    for (size_t b = 0; b < ARRAY_SIZE(backends); b++) {
        if (!backends[b].select()) {
            fprintf(stderr, "%s: not available\n", backends[b].name);
            continue;
        }
        for (size_t a = 0; a < ARRAY_SIZE(algorithms); a++) {
            for (size_t d = 0; d < ARRAY_SIZE(directions); d++) {
                for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
                    struct bench *bench = &(*benches)[n++];

                    bench->backend = &backends[b];
                    bench->algorithm = algorithms[a];
                    bench->direction = directions[d];
                    bench->size = sizes[s];
                    bench->aead = make_context(algorithms[a], directions[d]);
                }
            }
        }
    }
    return n;
}

static int
compare_doubles(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static double
median(const struct bench *bench, int n_runs)
{
    double sorted[MAX_RUNS];

    memcpy(sorted, bench->runs, n_runs * sizeof *sorted);
    qsort(sorted, n_runs, sizeof *sorted, compare_doubles);
    return sorted[n_runs / 2];
}

static void
print_case(const struct bench *bench)
{
    printf("%s-%"PRIuSIZE"-%s",
           bench->direction == AEAD_SEAL ? "seal" : "open", bench->size,
           aead_algorithm_to_string(bench->algorithm));
}

static void
print_json(const struct bench *benches, size_t n, int n_runs)
{
    printf("{\"results\": [");
    for (size_t i = 0; i < n; i++) {
        printf("%s\n {\"system\": \"%s\", \"case\": \"", i ? "," : "",
               benches[i].backend->name);
        print_case(&benches[i]);
        printf("\", \"value\": %.1f, \"unit\": \"%s\", \"runs\": [",
               median(&benches[i], n_runs), unit);
        for (int j = 0; j < n_runs; j++) {
            printf("%s%.1f", j ? ", " : "", benches[i].runs[j]);
        }
        printf("]}");
    }
    printf("\n]}\n");
}

static void
print_table(const struct bench *benches, size_t n, int n_runs)
{
    printf("%-14s %-10s %-5s %6s %10s %10s\n", "library", "algorithm", "does",
           "bytes", unit, "per byte");
    for (size_t i = 0; i < n; i++) {
        const struct bench *bench = &benches[i];
        double value = median(bench, n_runs);

        printf("%-14s %-10s %-5s %6"PRIuSIZE" %10.0f %10.2f\n",
               bench->backend->name,
               aead_algorithm_to_string(bench->algorithm),
               bench->direction == AEAD_SEAL ? "seal" : "open", bench->size,
               value, value / bench->size);
    }
}

static void
usage(void)
{
    printf("usage: tests/bench/seal [--json] [--quick]\n"
           "Prints what aead_seal() and aead_open() cost per datagram.\n"
           "  --json    JSON instead of a table\n"
           "  --quick   5 batches of each instead of %d\n", MAX_RUNS);
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "quick", no_argument, NULL, 'q' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int n_runs = MAX_RUNS;
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            json = true;
            break;
        case 'q':
            n_runs = 5;
            break;
        case 'h':
            usage();
            return 0;
        default:
            return 2;
        }
    }

    struct bench *benches;
    size_t n = make_benches(&benches);

    for (int run = -1; run < n_runs; run++) {
        for (size_t i = 0; i < n; i++) {
            double value = run_batch(&benches[i]);

            /* The first round only warms up. */
            if (run >= 0) {
                benches[i].runs[run] = value;
            }
        }
    }
    (json ? print_json : print_table)(benches, n, n_runs);

    for (size_t i = 0; i < n; i++) {
        aead_destroy(benches[i].aead);
    }
    free(benches);
    return 0;
}
