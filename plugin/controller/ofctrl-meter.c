/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the bridge's meters equal to the desired ones. */
#include <config.h>
#include "controller/ofctrl-meter.h"

#include <stdlib.h>

#include "controller/ofctrl-msg.h"
#include "coverage.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "util.h"

COVERAGE_DEFINE(ofctrl_meter_mod);

void
ofctrl_meters_init(struct ofctrl_meters *m)
{
    *m = (struct ofctrl_meters) { .known = false };
}

void
ofctrl_meters_destroy(struct ofctrl_meters *m)
{
    meters_destroy(&m->installed);
    meters_destroy(&m->desired);
    meters_destroy(&m->lacking);
    free(m->drops);
    free(m->coming);
}

void
ofctrl_meters_set_desired(struct ofctrl_meters *m,
                          const struct meters *desired)
{
    if (!meters_equal(&m->desired, desired)) {
        meters_copy(&m->desired, desired);
        m->changed = m->stale = true;
    }
}

/* Reading back. */

void
ofctrl_meters_read(struct ofctrl_meters *m, struct rconn *rconn)
{
    struct ofpbuf *msg = ofctrl_msg_meter_config();

    m->xid = ((const struct ofp_header *) msg->data)->xid;
    meters_clear(&m->installed);
    m->known = false;
    rconn_send(rconn, msg, NULL);
}

/* What is no meter as we make them has no rate, so it differs from any. */
static struct meter
read_meter(const struct ofputil_meter_config *mc)
{
    const struct ofputil_meter_band *band = mc->bands;
    bool usual = (mc->flags == OFCTRL_METER_FLAGS && mc->n_bands == 1
                  && band->type == OFPMBT13_DROP);

    return (struct meter) {
        .id = mc->meter_id,
        .rate = usual ? band->rate : 0,
        .burst = usual ? band->burst_size : 0,
    };
}

int
ofctrl_meters_receive(struct ofctrl_meters *m, struct ofpbuf *reply)
{
    const struct ofp_header *oh = reply->data;
    struct ofputil_meter_config mc;
    uint64_t stub[256 / 8];
    struct ofpbuf bands = OFPBUF_STUB_INITIALIZER(stub);
    int retval;

    if (oh->xid != m->xid) {
        return 0;
    }
    while (!(retval = ofputil_decode_meter_config(reply, &mc, &bands))) {
        const struct meter meter = read_meter(&mc);
        meters_add(&m->installed, &meter);
    }
    ofpbuf_uninit(&bands);
    return retval == EOF ? 0 : retval;
}

/* What is wanted may change while flows are being read: what is missing is
 * looked at when they have been. */
void
ofctrl_meters_known(struct ofctrl_meters *m)
{
    meters_sort(&m->installed);
    for (size_t i = 0; i < m->desired.n; i++) {
        const struct meter *meter = &m->desired.meters[i];

        if (!meters_contain(&m->installed, meter->id)) {
            meters_add(&m->lacking, meter);
        }
    }
    meters_sort(&m->lacking);
    m->known = m->changed = m->stale = true;
}

bool
ofctrl_meters_lack(const struct ofctrl_meters *m, const struct ofpact *acts,
                   size_t acts_len)
{
    const struct ofpact *a;

    if (!m->lacking.n) {
        return false;
    }
    OFPACT_FOR_EACH_FLATTENED (a, acts, acts_len) {
        if (a->type == OFPACT_CONTROLLER
            && meters_contain(&m->lacking,
                              ofpact_get_CONTROLLER(a)->meter_id)) {
            return true;
        }
    }
    return false;
}

/* Writing. */

static void
send_change(struct rconn *rconn, const struct meter_change *change)
{
    rconn_send(rconn, ofctrl_msg_meter_mod(change), NULL);
    COVERAGE_INC(ofctrl_meter_mod);
}

/* An error comes later, and then all is read back. */
static void
send_changes(struct ofctrl_meters *m, struct rconn *rconn, bool deletions)
{
    struct meter_changes changes = METER_CHANGES_INITIALIZER;
    struct meters after = METERS_INITIALIZER;

    meters_diff(&m->installed, &m->desired, &changes);
    for (size_t i = 0; i < changes.n; i++) {
        const struct meter_change *change = &changes.changes[i];

        if (deletions == (change->type == METER_DELETE)) {
            send_change(rconn, change);
        } else if (change->type == METER_DELETE) {
            meters_add(&after, &change->meter);     /* Is still there. */
        }
    }
    for (size_t i = 0; i < m->desired.n; i++) {
        meters_add(&after, &m->desired.meters[i]);
    }
    meters_sort(&after);
    meters_destroy(&m->installed);
    m->installed = after;
    meter_changes_destroy(&changes);
}

void
ofctrl_meters_make(struct ofctrl_meters *m, struct rconn *rconn)
{
    if (m->known && m->changed) {
        send_changes(m, rconn, false);
        m->changed = false;
    }
}

void
ofctrl_meters_drop(struct ofctrl_meters *m, struct rconn *rconn)
{
    if (m->known && m->stale && !m->changed) {
        send_changes(m, rconn, true);
        meters_clear(&m->lacking);
        m->stale = false;
    }
}

/* What they have dropped. */

void
ofctrl_meters_poll(struct ofctrl_meters *m, struct rconn *rconn,
                   long long int now)
{
    if (m->known && now >= m->next_stats) {
        struct ofpbuf *msg = ofctrl_msg_meter_stats();

        m->stats_xid = ((const struct ofp_header *) msg->data)->xid;
        m->n_coming = 0;
        m->next_stats = now + OFCTRL_METERS_STATS_MS;
        rconn_send(rconn, msg, NULL);
    }
}

static int
compare_drops(const void *a_, const void *b_)
{
    const struct meter_drops *a = a_, *b = b_;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* All parts have come. */
static void
adopt_drops(struct ofctrl_meters *m)
{
    struct meter_drops *old = m->drops;
    size_t allocated = m->allocated_drops;

    if (m->n_coming) {
        qsort(m->coming, m->n_coming, sizeof *m->coming, compare_drops);
    }
    m->drops = m->coming;
    m->n_drops = m->n_coming;
    m->allocated_drops = m->allocated_coming;
    m->coming = old;
    m->n_coming = 0;
    m->allocated_coming = allocated;
}

void
ofctrl_meters_receive_stats(struct ofctrl_meters *m, struct ofpbuf *reply)
{
    const struct ofp_header *oh = reply->data;
    bool more = ofpmp_more(oh);
    struct ofputil_meter_stats ms;
    uint64_t stub[256 / 8];
    struct ofpbuf bands = OFPBUF_STUB_INITIALIZER(stub);

    if (oh->xid != m->stats_xid) {
        return;
    }
    while (!ofputil_decode_meter_stats(reply, &ms, &bands)) {
        if (m->n_coming >= m->allocated_coming) {
            m->coming = x2nrealloc(m->coming, &m->allocated_coming,
                                   sizeof *m->coming);
        }
        m->coming[m->n_coming++] = (struct meter_drops) {
            ms.meter_id, ms.n_bands ? ms.bands[0].packet_count : 0 };
    }
    ofpbuf_uninit(&bands);
    if (!more) {
        adopt_drops(m);
    }
}

uint64_t
ofctrl_meters_dropped(const struct ofctrl_meters *m, uint32_t id)
{
    const struct meter_drops key = { .id = id };
    const struct meter_drops *drops
        = (m->n_drops ? bsearch(&key, m->drops, m->n_drops, sizeof key,
                                compare_drops) : NULL);

    return drops ? drops->frames : 0;
}
