/* SPDX-License-Identifier: Apache-2.0 */
/* Which bit of a vSubnet each label has. */

#include <config.h>

#include "mapper/label.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/reader.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

size_t
label_list_parse(const char *list, char ***labelsp)
{
    size_t n = list[0] ? 1 : 0;

    for (const char *p = list; *p; p++) {
        n += *p == ',';
    }
    char **labels = xcalloc(n + 1, sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        size_t length = strcspn(list, ",");

        labels[i] = xmemdup0(list, length);
        list += length + 1;
    }
    *labelsp = labels;
    return n;
}

/* Returns where LABEL stands among the N LABELS, or N. */
static size_t
find(char *const *labels, size_t n, const char *label)
{
    size_t i = 0;

    while (i < n && strcmp(labels[i], label)) {
        i++;
    }
    return i;
}

static char *
format(char *const *bits, size_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    while (n && !bits[n - 1][0]) {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s%s", i ? "," : "", bits[i]);
    }
    return ds_steal_cstr(&s);
}

char *
label_list_change(const char *list, char *const *gone, size_t n_gone,
                  char *const *added, size_t n_added)
{
    static char none[] = "";
    char *bits[MODEL_LABELS_MAX];
    char **labels;
    size_t n = label_list_parse(list, &labels);
    bool has_room = n <= MODEL_LABELS_MAX;

    for (size_t i = 0; i < MODEL_LABELS_MAX; i++) {
        bool stays = (i < n
                      && (find(gone, n_gone, labels[i]) >= n_gone
                          || find(added, n_added, labels[i]) < n_added));

        bits[i] = stays ? labels[i] : none;
    }
    for (size_t i = 0; i < n_added && has_room; i++) {
        if (find(bits, MODEL_LABELS_MAX, added[i]) >= MODEL_LABELS_MAX) {
            size_t bit = find(bits, MODEL_LABELS_MAX, "");

            has_room = bit < MODEL_LABELS_MAX;
            if (has_room) {
                bits[bit] = added[i];
            }
        }
    }

    char *changed = has_room ? format(bits, MODEL_LABELS_MAX) : NULL;
    model_labels_free(labels, n);
    return changed;
}
