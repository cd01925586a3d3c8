/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a peer some times, and how long its answers took. */

#include <config.h>
#include "datapath/path-ping.h"

#include "util.h"

void
path_ping_begin(struct path_ping *ping, int count, uint64_t nonce,
                long long int now_us)
{
    ovs_assert(count >= 1 && count <= PATH_PING_MAX);
    *ping = (struct path_ping) {
        .count = count,
        .nonce = nonce,
        .next_us = now_us,
    };
}

bool
path_ping_run(struct path_ping *ping, long long int now_us, uint64_t *nonce)
{
    if (ping->sent >= ping->count || now_us < ping->next_us) {
        return false;
    }
    *nonce = ping->nonce + ping->sent;
    ping->sent_us[ping->sent++] = now_us;
    ping->next_us = now_us + 1000 * (ping->sent < ping->count
                                     ? PATH_PING_EACH_MS : PATH_PING_WAIT_MS);
    return true;
}

bool
path_ping_answered(struct path_ping *ping, uint64_t nonce,
                   long long int now_us)
{
    uint64_t i = nonce - ping->nonce;

    if (i >= (uint64_t) ping->sent || !ping->sent_us[i]) {
        return false;
    }
    long long int rtt = MAX(0, now_us - ping->sent_us[i]);
    ping->sent_us[i] = 0;
    ping->min_us = ping->received ? MIN(ping->min_us, rtt) : rtt;
    ping->max_us = MAX(ping->max_us, rtt);
    ping->sum_us += rtt;
    ping->received++;
    return true;
}

bool
path_ping_is_over(const struct path_ping *ping, long long int now_us)
{
    return (ping->sent >= ping->count
            && (ping->received >= ping->count || now_us >= ping->next_us));
}
