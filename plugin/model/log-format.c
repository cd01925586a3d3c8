/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon's log looks like: lines for people, or JSON for collectors. */
#include <config.h>
#include "model/log-format.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

char *
log_format_set(const char *name)
{
    static const struct {
        const char *name, *pattern;
    } formats[] = {
        { "text", "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c|%p|%m" },
        { "json", "{\"time\":\"%D{%Y-%m-%dT%H:%M:%S.###Z}\",\"serial\":%N,"
                  "\"program\":\"%A\",\"pid\":%P,\"thread\":\"%t\","
                  "\"module\":\"%c\",\"level\":\"%p\",\"message\":%J}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!strcmp(name, formats[i].name)) {
            vlog_set_pattern(VLF_CONSOLE, formats[i].pattern);
            vlog_set_pattern(VLF_FILE, formats[i].pattern);
            return NULL;
        }
    }
    return xasprintf("--log-format=%s: not a format (text or json)", name);
}

void
log_format_early(int argc, char *argv[])
{
    static const char option[] = "--log-format";
    const size_t len = strlen(option);

    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (strncmp(argv[i], option, len)) {
            continue;
        }
        if (argv[i][len] == '=') {
            free(log_format_set(argv[i] + len + 1));
        } else if (!argv[i][len] && i + 1 < argc) {
            free(log_format_set(argv[i + 1]));
        }
    }
}
