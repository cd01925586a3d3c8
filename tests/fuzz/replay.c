/* SPDX-License-Identifier: Apache-2.0 */
/* Gives files to a fuzz target, without a fuzzer: for the test suite. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { FILE_MAX = 1024 * 1024 };

static void
replay(const char *name)
{
    static uint8_t buffer[FILE_MAX];
    FILE *file = fopen(name, "rb");

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    size_t n = fread(buffer, 1, sizeof buffer, file);
    if (ferror(file) || n == sizeof buffer) {
        ovs_fatal(0, "%s: not read", name);
    }
    fclose(file);

    /* As a fuzzer does, in memory that ends where the input does. */
    uint8_t *data = xmemdup(buffer, n ? n : 1);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    if (argc < 2) {
        ovs_fatal(0, "usage: %s FILE...", argv[0]);
    }
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
