/* SPDX-License-Identifier: Apache-2.0 */
/* A trace, in words. */
#ifndef VSUBNET_TRACE_WORDS_H
#define VSUBNET_TRACE_WORDS_H 1

/* Makes of a trace's steps (trace-text.h) what the mapping says they mean:
 *
 *      {"node":{"number","name"},"from":{"number","name"}|null,"net",
 *       "src":{"mac","address"|null,"node":N|null},"dst":{...},"flow",
 *       "steps":[{"table","object","priority","match","actions":[...],
 *                 "words"|null}...],
 *       "outcome":"delivered"|"tunnel"|"flooded"|"answered"|"dropped",
 *       "ports":[NAME...],
 *       "tunnel":{"node"|null,"tunnel_address","endpoint","spi","epoch","mtu",
 *                 "mtu_source","fits"}|null,
 *       "dropped_by":TEXT|null, "summary":TEXT}
 *
 * "words" are there for steps that decided something.  The tunnel's "node" is
 * null for what goes to all members; what is not known is left out.
 *
 * Pure. */

#include <stdint.h>

struct json_t;
struct local_ports;
struct mapping;
struct own_key;
struct trace_query;
struct trace_text;

struct trace_facts {
    const struct trace_query *query;
    const struct trace_text *text;
    const struct mapping *mapping;
    const struct local_ports *ports;
    uint16_t tunnel;            /* The tunnel's OpenFlow port, or 0. */
    const struct own_key *key;  /* To send with in the vSubnet, or NULL. */
    const char *peers;          /* What `vsubnet/show --json` says, or NULL. */
};

struct json_t *trace_words(const struct trace_facts *);

/* The node whose tunnel port the frame goes to, or 0. */
uint32_t trace_words_peer(const struct trace_text *, uint16_t tunnel);

#endif /* trace-words.h */
