/* SPDX-License-Identifier: Apache-2.0 */
/* The options field of DHCPv4 messages. */
#include <config.h>
#include "controller/dhcp4-options.h"

#include <string.h>

#include "dhcp.h"
#include "util.h"

enum {
    OVERLOAD_FILE = 1,          /* Bits of DHCP4_OVERLOAD. */
    OVERLOAD_SNAME = 2,
    OVERLOAD_LEN = 3,           /* The option itself. */
    PIECE_MAX = 255,
};

/* In. */

/* Steps to the next option.  Returns false at the end, which many clients do
 * not mark. */
static bool
next_option(struct dhcp4_field *rest, uint8_t *code, const uint8_t **data,
            size_t *n)
{
    while (rest->len && *rest->data == DHCP4_PAD) {
        rest->data++;
        rest->len--;
    }
    if (!rest->len || *rest->data == DHCP4_END) {
        return false;
    }
    *code = rest->data[0];
    *n = rest->data[1];
    *data = rest->data + 2;
    rest->data += 2 + *n;
    rest->len -= 2 + *n;
    return true;
}

static bool
field_is_valid(const struct dhcp4_field *field)
{
    for (size_t i = 0; i < field->len && field->data[i] != DHCP4_END;) {
        if (field->data[i] == DHCP4_PAD) {
            i++;
        } else if (i + 1 < field->len
                   && field->data[i + 1] <= field->len - i - 2) {
            i += 2 + field->data[i + 1];
        } else {
            return false;
        }
    }
    return true;
}

bool
dhcp4_options_parse(struct dhcp4_options *options,
                    const struct dhcp_header *header, const uint8_t *data,
                    size_t len)
{
    uint8_t overload;

    memset(options, 0, sizeof *options);
    options->fields[0] = (struct dhcp4_field) { data, len };
    if (!field_is_valid(&options->fields[0])) {
        return false;
    }

    size_t n = dhcp4_options_get(options, DHCP4_OVERLOAD, &overload, 1);
    if (n > 1) {
        return false;
    }
    if (n && overload & OVERLOAD_FILE) {
        options->fields[1] = (struct dhcp4_field) {
            (const uint8_t *) header->file, sizeof header->file };
    }
    if (n && overload & OVERLOAD_SNAME) {
        options->fields[2] = (struct dhcp4_field) {
            (const uint8_t *) header->sname, sizeof header->sname };
    }
    return (field_is_valid(&options->fields[1])
            && field_is_valid(&options->fields[2]));
}

size_t
dhcp4_options_get(const struct dhcp4_options *options,
                  enum dhcp4_option wanted, uint8_t *buf, size_t max)
{
    size_t total = 0;

    for (size_t i = 0; i < DHCP4_N_FIELDS; i++) {
        struct dhcp4_field rest = options->fields[i];
        const uint8_t *data;
        uint8_t code;
        size_t n;

        while (next_option(&rest, &code, &data, &n)) {
            if (code != wanted) {
                continue;
            }
            if (total <= max && n <= max - total) {
                memcpy(buf + total, data, n);
            }
            total += n;
        }
    }
    return total;
}

/* Out. */

void
dhcp4_writer_init(struct dhcp4_writer *w, struct dhcp_header *header,
                  uint8_t *options, size_t max)
{
    ovs_assert(max >= DHCP4_WRITER_MIN);
    *w = (struct dhcp4_writer) { .spaces = {
        /* Each field has an end. */
        { options, 0, max - 1 - OVERLOAD_LEN },
        { (uint8_t *) header->file, 0, sizeof header->file - 1 },
        { (uint8_t *) header->sname, 0, sizeof header->sname - 1 },
    } };
}

static void
put_pieces(struct dhcp4_space *space, uint8_t code, const uint8_t *data,
           size_t n)
{
    do {
        size_t piece = MIN(n, PIECE_MAX);

        space->data[space->used++] = code;
        space->data[space->used++] = piece;
        memcpy(space->data + space->used, data, piece);
        space->used += piece;
        data += piece;
        n -= piece;
    } while (n);
}

void
dhcp4_writer_put(struct dhcp4_writer *w, enum dhcp4_option code,
                 const void *data, size_t n)
{
    const size_t size = n + 2 * MAX(1, DIV_ROUND_UP(n, PIECE_MAX));

    for (size_t i = 0; i < DHCP4_N_FIELDS; i++) {
        struct dhcp4_space *space = &w->spaces[i];

        if (size <= space->max - space->used) {
            put_pieces(space, code, data, n);
            return;
        }
    }
    w->truncated = true;
}

size_t
dhcp4_writer_end(struct dhcp4_writer *w)
{
    const uint8_t overload = ((w->spaces[1].used ? OVERLOAD_FILE : 0)
                              | (w->spaces[2].used ? OVERLOAD_SNAME : 0));

    if (overload) {
        put_pieces(&w->spaces[0], DHCP4_OVERLOAD, &overload, 1);
    }
    for (size_t i = 0; i < DHCP4_N_FIELDS; i++) {
        if (!i || w->spaces[i].used) {
            w->spaces[i].data[w->spaces[i].used++] = DHCP4_END;
        }
    }
    return w->spaces[0].used;
}
