/* SPDX-License-Identifier: Apache-2.0 */
/* Makes TCP frames for tests, from scratch. */

#include <config.h>
#include "tcp-frame.h"

#include <netinet/in.h>
#include <string.h>
#include "csum.h"
#include "packets.h"
#include "random.h"
#include "util.h"

static uint8_t *
put16(uint8_t *p, uint16_t value)
{
    *p++ = value >> 8;
    *p++ = value;
    return p;
}

static uint8_t *
put32(uint8_t *p, uint32_t value)
{
    return put16(put16(p, value >> 16), value);
}

static uint8_t *
put_ethernet(uint8_t *p, const struct tcp_spec *spec)
{
    static const uint8_t macs[] = { 0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2 };

    memcpy(p, macs, sizeof macs);
    p += sizeof macs;
    for (int i = 0; i < spec->n_vlans; i++) {
        p = put16(p, i + 1 < spec->n_vlans ? 0x88a8 : 0x8100);
        p = put16(p, spec->vlan + i);
    }
    return put16(p, spec->is_ipv6 ? 0x86dd : 0x0800);
}

static uint8_t *
put_ipv4(uint8_t *ip, const struct tcp_spec *spec, size_t n)
{
    uint8_t *p = ip;
    ovs_be16 checksum;

    *p++ = 0x45;
    *p++ = spec->tos;
    p = put16(p, 20 + n);
    p = put16(p, spec->id);
    p = put16(p, spec->df ? 0x4000 : 0);
    *p++ = spec->ttl;
    *p++ = IPPROTO_TCP;
    p = put16(p, 0);
    p = put32(p, 0x0a000000 + spec->host);
    p = put32(p, 0x0a0000fe);
    checksum = csum(ip, p - ip);
    memcpy(ip + 10, &checksum, 2);
    return p;
}

static uint8_t *
put_ipv6(uint8_t *p, const struct tcp_spec *spec, size_t n)
{
    p = put32(p, 0x60000000 | spec->tos << 20 | spec->flow_label);
    p = put16(p, n);
    *p++ = IPPROTO_TCP;
    *p++ = spec->ttl;
    for (int i = 0; i < 2; i++) {
        p = put32(p, 0xfd770000);
        p = put32(p, 0);
        p = put32(p, 0x12345678);
        p = put32(p, i ? 0xfe : spec->host);
    }
    return p;
}

void
tcp_frame_put_checksum(uint8_t *frame, bool is_ipv6, uint8_t protocol,
                       size_t l4_ofs, size_t field, size_t end)
{
    const uint8_t *addresses = frame + l4_ofs - (is_ipv6 ? 32 : 8);
    uint8_t tail[8] = { 0, 0, 0, 0, 0, 0, 0, protocol };
    uint32_t partial;
    ovs_be16 checksum;

    put32(tail, end - l4_ofs);
    memset(frame + l4_ofs + field, 0, 2);
    partial = csum_continue(0, addresses, is_ipv6 ? 32 : 8);
    partial = csum_continue(partial, tail, sizeof tail);
    checksum = csum_finish(csum_continue(partial, frame + l4_ofs,
                                         end - l4_ofs));
    memcpy(frame + l4_ofs + field, &checksum, 2);
}

size_t
tcp_frame_header_len(const struct tcp_spec *spec)
{
    return (14 + 4 * spec->n_vlans + (spec->is_ipv6 ? 40 : 20)
            + 20 + spec->n_options);
}

size_t
tcp_frame_put(uint8_t *out, const struct tcp_spec *spec,
              const uint8_t *payload, size_t n)
{
    uint8_t *p = put_ethernet(out, spec);
    size_t header_len = 20 + spec->n_options;
    uint8_t *tcp;

    p = (spec->is_ipv6
         ? put_ipv6(p, spec, header_len + n)
         : put_ipv4(p, spec, header_len + n));
    tcp = p;
    p = put16(p, spec->port);
    p = put16(p, 5001);
    p = put32(p, spec->sequence);
    p = put32(p, spec->ack);
    p = put16(p, header_len / 4 << 12 | spec->flags);
    p = put16(p, spec->window);
    p = put16(p, 0);
    p = put16(p, spec->urgent);
    if (spec->options) {
        memcpy(p, spec->options, spec->n_options);
    } else {
        memset(p, 1, spec->n_options);
    }
    p += spec->n_options;
    memcpy(p, payload, n);
    p += n;
    tcp_frame_put_checksum(out, spec->is_ipv6, IPPROTO_TCP, tcp - out, 16,
                           p - out);
    return p - out;
}

size_t
tcp_frame_put_segment(uint8_t *out, const struct tcp_spec *whole,
                      const uint8_t *payload, size_t n,
                      size_t segment_size, size_t index)
{
    struct tcp_spec spec = *whole;
    size_t ofs = index * segment_size;
    size_t len = MIN(n - ofs, segment_size);

    spec.sequence += ofs;
    spec.id += index;
    if (index) {
        spec.flags &= ~TCP_CWR;
    }
    if (ofs + len < n) {
        spec.flags &= ~(TCP_FIN | TCP_PSH);
    }
    return tcp_frame_put(out, &spec, payload + ofs, len);
}

void
test_random_seed(uint32_t seed)
{
    random_set_seed(seed);
}

uint32_t
test_random(uint32_t limit)
{
    return random_uint32() % limit;
}

void
test_random_bytes(uint8_t *p, size_t n)
{
    random_bytes(p, n);
}
