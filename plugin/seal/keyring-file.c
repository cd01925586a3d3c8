/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring as a file. */

#include <config.h>
#include "seal/keyring-file.h"

#include "seal/keyring.h"
#include "seal/private-file.h"

char *
keyring_load(const char *path, struct keyring **keyringp)
{
    char *text;
    size_t n;
    char *error = private_file_read(path, KEYRING_MAX_SIZE, &text, &n);

    *keyringp = NULL;
    if (error) {
        return error;
    }
    error = keyring_parse(text, n, keyringp);
    private_file_free(text, n);
    return error;
}

char *
keyring_save(const char *path, const struct keyring *keyring)
{
    size_t n;
    char *text = keyring_format(keyring, &n);
    char *error = private_file_replace(path, text, n);

    keyring_text_free(text, n);
    return error;
}
