/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum in vectors. */

#include <config.h>
#include "datapath/checksum.h"

#include <string.h>

enum {
    STRIDE = 64,                /* Bytes a turn of the vector loop. */
    CHUNK = 1 << 20,            /* Bytes after which no lane has overflown. */
};

/* 32-bit lanes, as many as there are in a register of SSE2 or NEON, and of
 * AVX2.  Like memcpy(), they may be loaded from any address and type. */
typedef uint32_t lanes4
    __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint32_t lanes8
    __attribute__((vector_size(32), aligned(1), may_alias));

/* Defines the function NAME, that returns the sum of the 'n' bytes at 'p', 'n'
 * being a multiple of STRIDE and at most CHUNK.  Each lane adds 16-bit halves,
 * so it can't overflow before 65,537 additions. */
#define DEFINE_SUM(NAME, LANES)                                         \
    static uint64_t                                                     \
    NAME(const uint8_t *p, size_t n)                                    \
    {                                                                   \
        LANES low0 = { 0 }, high0 = { 0 };                              \
        LANES low1 = { 0 }, high1 = { 0 };                              \
        uint64_t sum = 0;                                               \
                                                                        \
        for (const uint8_t *end = p + n; p < end; p += 2 * sizeof low0) { \
            LANES v0 = *(const LANES *) p;                              \
            LANES v1 = *(const LANES *) (p + sizeof low0);              \
                                                                        \
            low0 += v0 & 0xffff;                                        \
            high0 += v0 >> 16;                                          \
            low1 += v1 & 0xffff;                                        \
            high1 += v1 >> 16;                                          \
        }                                                               \
        for (size_t i = 0; i < sizeof low0 / 4; i++) {                  \
            sum += (uint64_t) low0[i] + low1[i] + high0[i] + high1[i];  \
        }                                                               \
        return sum;                                                     \
    }

DEFINE_SUM(sum_lanes4, lanes4)
#if defined __x86_64__
__attribute__((target("avx2"))) DEFINE_SUM(sum_lanes8, lanes8)
#endif

static uint64_t
sum_strides(const uint8_t *p, size_t n)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return sum_lanes8(p, n);
    }
#endif
    return sum_lanes4(p, n);
}

uint64_t
checksum_add(uint64_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n >= STRIDE) {
        size_t chunk = n < CHUNK ? n - n % STRIDE : CHUNK;

        sum += sum_strides(p, chunk);
        p += chunk;
        n -= chunk;
    }
    for (; n >= 4; p += 4, n -= 4) {
        uint32_t word;

        memcpy(&word, p, 4);
        sum += word;
    }
    if (n) {
        /* Zeros behind the last byte, in either byte order. */
        uint32_t word = 0;

        memcpy(&word, p, n);
        sum += word;
    }
    return sum;
}
