/* SPDX-License-Identifier: Apache-2.0 */
/* The options field of DHCPv4 messages, in and out. */
#ifndef VSUBNET_DHCP4_OPTIONS_H
#define VSUBNET_DHCP4_OPTIONS_H 1

/* Options stand in the field of that name and, if it says so (option
 * overload), in 'file' and 'sname' too.  One that is longer than 255 bytes, or
 * that did not fit into one field, stands there in several pieces (RFC 3396).
 *
 * Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_header;

enum dhcp4_option {
    DHCP4_PAD = 0,
    DHCP4_MASK = 1,
    DHCP4_ROUTER = 3,
    DHCP4_DNS = 6,
    DHCP4_DOMAIN = 15,
    DHCP4_MTU = 26,
    DHCP4_REQUESTED = 50,
    DHCP4_LEASE = 51,
    DHCP4_OVERLOAD = 52,
    DHCP4_TYPE = 53,
    DHCP4_SERVER_ID = 54,
    DHCP4_PARAMETERS = 55,
    DHCP4_MESSAGE = 56,
    DHCP4_MAX_SIZE = 57,
    DHCP4_T1 = 58,
    DHCP4_T2 = 59,
    DHCP4_CLIENT_ID = 61,
    DHCP4_ROUTES = 121,
    DHCP4_ROUTES_MS = 249,      /* The same, as Windows XP asks for it. */
    DHCP4_END = 255,
};

enum { DHCP4_N_FIELDS = 3 };    /* options, file, sname. */

/* Those of a message that has come in. */
struct dhcp4_options {
    struct dhcp4_field { const uint8_t *data; size_t len; }
        fields[DHCP4_N_FIELDS];
};

/* Returns false if they are not well-formed.  'options' is the field of that
 * name, behind the magic cookie.  Keeps the pointers. */
bool dhcp4_options_parse(struct dhcp4_options *, const struct dhcp_header *,
                         const uint8_t *options, size_t len);

/* Puts the option's pieces together into 'buf'.  Returns its length; 0 if it
 * is not there, and more than 'max' if it does not fit. */
size_t dhcp4_options_get(const struct dhcp4_options *, enum dhcp4_option,
                         uint8_t *buf, size_t max);

/* Those of a message that is to go out.  What does not fit into 'options' goes
 * to the other fields; what does not fit there either is left out, so the more
 * important ones come first. */
struct dhcp4_writer {
    struct dhcp4_space { uint8_t *data; size_t used, max; }
        spaces[DHCP4_N_FIELDS];
    bool truncated;
};

/* 'options' has room for 'max' bytes, of which the writer needs at least
 * DHCP4_WRITER_MIN. */
enum { DHCP4_WRITER_MIN = 64 };
void dhcp4_writer_init(struct dhcp4_writer *, struct dhcp_header *,
                       uint8_t *options, size_t max);
void dhcp4_writer_put(struct dhcp4_writer *, enum dhcp4_option,
                      const void *data, size_t n);
/* Ends the fields; returns the length of 'options'. */
size_t dhcp4_writer_end(struct dhcp4_writer *);

#endif /* dhcp4-options.h */
