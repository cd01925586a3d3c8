/* SPDX-License-Identifier: Apache-2.0 */
/* What a tunnel port counts. */

#include <config.h>
#include "datapath/vsubnet-counters.h"
#include "coverage.h"
#include "netdev.h"
#include "util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_counters);
COVERAGE_DEFINE(vsubnet_tx_drop);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

static const struct {
    const char *name;
    enum vsubnet_counter_kind kind;
    const char *meaning;
} info[VSUBNET_N_COUNTERS] = {
#define VSUBNET_COUNTER(NAME, KIND, MEANING) \
    [VSUBNET_##NAME] = { #NAME, VSUBNET_##KIND, MEANING },
    VSUBNET_COUNTERS
#undef VSUBNET_COUNTER
};

void
vsubnet_counters_init(struct vsubnet_counters *counters)
{
    for (int i = 0; i < VSUBNET_N_COUNTERS; i++) {
        atomic_init(&counters->value[i], 0);
    }
}

void
vsubnet_count_tx_drop(struct vsubnet_counters *counters,
                      enum vsubnet_counter which, uint64_t n)
{
    vsubnet_count(counters, which, n);
    COVERAGE_ADD(vsubnet_tx_drop, n);
    VLOG_INFO_RL(&rl, "dropped when sending: %s (%s)",
                 vsubnet_counter_meaning(which), vsubnet_counter_name(which));
}

uint64_t
vsubnet_counter_get(const struct vsubnet_counters *counters,
                    enum vsubnet_counter which)
{
    uint64_t value;

    atomic_read_relaxed(&CONST_CAST(struct vsubnet_counters *,
                                    counters)->value[which], &value);
    return value;
}

const char *
vsubnet_counter_name(enum vsubnet_counter which)
{
    return info[which].name;
}

const char *
vsubnet_counter_meaning(enum vsubnet_counter which)
{
    return info[which].meaning;
}

static bool
is_rx(enum vsubnet_counter which)
{
    return info[which].name[0] == 'r';
}

void
vsubnet_counters_to_stats(const struct vsubnet_counters *counters,
                          struct netdev_stats *stats)
{
    /* What is not counted is UINT64_MAX. */
    memset(stats, 0xff, sizeof *stats);

    stats->rx_packets = vsubnet_counter_get(counters, VSUBNET_rx_frames);
    stats->rx_bytes = vsubnet_counter_get(counters, VSUBNET_rx_bytes);
    stats->tx_packets = vsubnet_counter_get(counters, VSUBNET_tx_frames);
    stats->tx_bytes = vsubnet_counter_get(counters, VSUBNET_tx_bytes);
    stats->rx_dropped = stats->tx_dropped = 0;
    stats->rx_errors = stats->tx_errors = 0;
    for (int i = 0; i < VSUBNET_N_COUNTERS; i++) {
        uint64_t n = vsubnet_counter_get(counters, i);

        if (info[i].kind == VSUBNET_DROP) {
            *(is_rx(i) ? &stats->rx_dropped : &stats->tx_dropped) += n;
        } else if (info[i].kind == VSUBNET_ERROR) {
            *(is_rx(i) ? &stats->rx_errors : &stats->tx_errors) += n;
        }
    }
}

void
vsubnet_counters_to_custom(const struct vsubnet_counters *counters,
                           struct netdev_custom_stats *custom)
{
    int n = 0;

    custom->counters = xcalloc(VSUBNET_N_COUNTERS, sizeof *custom->counters);
    for (int i = 0; i < VSUBNET_N_COUNTERS; i++) {
        /* The standard statistics have it under this name already. */
        if (i == VSUBNET_rx_bytes || i == VSUBNET_tx_bytes) {
            continue;
        }
        custom->counters[n].value = vsubnet_counter_get(counters, i);
        ovs_strlcpy(custom->counters[n].name, info[i].name,
                    sizeof custom->counters[n].name);
        n++;
    }
    custom->size = n;
}
