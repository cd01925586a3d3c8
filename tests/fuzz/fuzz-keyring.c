/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a keyring from anywhere. */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include "seal/keyring.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is taken is written and read back the same; what is refused is refused
 * with a line number and without a word of content. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct keyring *keyring;
    char *error = keyring_parse((const char *) data, n, &keyring);

    ovs_assert(!error == !!keyring);
    if (error) {
        ovs_assert(!strncmp(error, "line ", 5));

        const char *rest = error + 5 + strspn(error + 5, "0123456789");
        ovs_assert(!strncmp(rest, ": ", 2));
        ovs_assert(rest[strcspn(rest, "023456789")] == '\0');
        free(error);
        return 0;
    }

    struct keyring *again;
    size_t n1, n2;
    char *text1 = keyring_format(keyring, &n1);
    error = keyring_parse(text1, n1, &again);
    ovs_assert(!error);
    char *text2 = keyring_format(again, &n2);
    ovs_assert(n1 == n2 && !memcmp(text1, text2, n1));

    keyring_text_free(text1, n1);
    keyring_text_free(text2, n2);
    keyring_destroy(keyring);
    keyring_destroy(again);
    return 0;
}
