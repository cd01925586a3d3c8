/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow connection to the integration bridge. */
#include <config.h>
#include "controller/ofctrl.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "controller/flow-diff.h"
#include "controller/flow-set.h"
#include "controller/flow-tables.h"
#include "controller/ofctrl-meter.h"
#include "controller/ofctrl-msg.h"
#include "byte-order.h"
#include "coverage.h"
#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ofctrl);

COVERAGE_DEFINE(ofctrl_bundle_committed);
COVERAGE_DEFINE(ofctrl_bundle_refused);
COVERAGE_DEFINE(ofctrl_flow_mod);
COVERAGE_DEFINE(ofctrl_read_back);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

enum {
    MESSAGES_PER_RUN = 100,
    REFUSED_WAIT_MS = 5000,
    SOCKET_LOOK_MS = 100,
};

enum ofctrl_state {
    S_DISCONNECTED,
    S_READING_BACK,
    S_IDLE,
    S_COMMITTING,
    S_REFUSED,
};

static const char *const state_names[] = {
    [S_DISCONNECTED] = "not connected",
    [S_READING_BACK] = "reading flows back",
    [S_IDLE] = "connected",
    [S_COMMITTING] = "changing flows",
    [S_REFUSED] = "flows refused",
};

/* A change that the bundle under way makes. */
struct pending {
    enum flow_change_type type;
    struct flow_entry *flow;    /* A reference.  NULL for FLOW_SWEEP. */
    uint64_t cookie;            /* FLOW_SWEEP only. */
    ovs_be32 xid;
};

struct ofctrl {
    struct ofctrl_events events;
    struct rconn *rconn;
    char *target;
    enum ofctrl_state state;
    unsigned int connection_seqno;
    struct timespec socket_time;    /* Of the last socket tried. */
    bool monitoring;            /* Asked for on this connection. */
    long long int retry_at;     /* S_REFUSED. */
    char *error;

    struct flow_set installed;  /* As far as known. */
    const struct flow_set *desired; /* Or NULL. */

    struct flow_diff diff;      /* From installed to desired, */
    size_t diff_next;           /* of which this is to be sent next. */
    bool diff_all;              /* Whatever it has, all is to be compared. */
    struct flow_set touched;    /* To be compared after 'diff', */
    bool look;                  /* and learnt flows too. */

    struct pending *pending;
    size_t n_pending;
    uint32_t bundle_id;
    ovs_be32 bundle_xid;        /* Of the commit request. */
    ovs_be32 open_xid;
    ovs_be32 stats_xid;
    bool counting;              /* ofctrl_count() is answered... */
    ovs_be32 count_xid;         /* ...by this. */
    struct ofctrl_meters meters;
    uint64_t n_changes;
};

struct ofctrl *
ofctrl_create(const struct ofctrl_events *events)
{
    struct ofctrl *ofctrl = xzalloc(sizeof *ofctrl);

    ofctrl->events = *events;
    /* A busy ovs-vswitchd is slow to answer an echo, and a dead one closes
     * the socket: so the probe is a last resort. */
    ofctrl->rconn = rconn_create(60, 1, DSCP_DEFAULT, 1u << OFP15_VERSION);
    flow_set_init(&ofctrl->installed);
    flow_set_init(&ofctrl->touched);
    ofctrl_meters_init(&ofctrl->meters);
    return ofctrl;
}

static void
pending_clear(struct ofctrl *ofctrl)
{
    for (size_t i = 0; i < ofctrl->n_pending; i++) {
        flow_entry_unref(ofctrl->pending[i].flow);
    }
    free(ofctrl->pending);
    ofctrl->pending = NULL;
    ofctrl->n_pending = 0;
}

/* Everything will be compared. */
static void
diff_clear(struct ofctrl *ofctrl)
{
    flow_diff_destroy(&ofctrl->diff);
    flow_set_clear(&ofctrl->touched);
    ofctrl->diff_next = 0;
    ofctrl->diff_all = true;
    ofctrl->look = false;
}

void
ofctrl_destroy(struct ofctrl *ofctrl)
{
    if (ofctrl) {
        rconn_destroy(ofctrl->rconn);
        diff_clear(ofctrl);
        pending_clear(ofctrl);
        flow_set_destroy(&ofctrl->installed);
        flow_set_destroy(&ofctrl->touched);
        ofctrl_meters_destroy(&ofctrl->meters);
        free(ofctrl->target);
        free(ofctrl->error);
        free(ofctrl);
    }
}

/* An rconn waits a whole second between attempts.  When ovs-vswitchd starts,
 * each tenth of that is packets lost: so a new socket is tried at once. */
static bool
socket_is_new(struct ofctrl *ofctrl)
{
    const struct timespec *old = &ofctrl->socket_time;
    struct stat s;

    if (!ofctrl->target || strncmp(ofctrl->target, "unix:", 5)
        || stat(ofctrl->target + 5, &s)
        || (s.st_ctim.tv_sec == old->tv_sec
            && s.st_ctim.tv_nsec == old->tv_nsec)) {
        return false;
    }
    ofctrl->socket_time = s.st_ctim;
    return true;
}

void
ofctrl_set_target(struct ofctrl *ofctrl, const char *target)
{
    if (nullable_string_is_equal(ofctrl->target, target)) {
        return;
    }
    free(ofctrl->target);
    ofctrl->target = nullable_xstrdup(target);
    if (target) {
        socket_is_new(ofctrl);
        rconn_connect(ofctrl->rconn, target, target);
    } else {
        rconn_disconnect(ofctrl->rconn);
    }
}

void
ofctrl_set_meters(struct ofctrl *ofctrl, const struct meters *meters)
{
    ofctrl_meters_set_desired(&ofctrl->meters, meters);
}

void
ofctrl_set_desired(struct ofctrl *ofctrl, const struct flow_set *desired,
                   const struct flow_set *touched)
{
    const struct flow_entry *key;

    /* When flows are going to be read back, keys need not be remembered: there
     * might be ever more, as long as ovs-vswitchd does not run. */
    if (!touched || ofctrl->desired != desired
        || ofctrl->state == S_DISCONNECTED || ofctrl->state == S_REFUSED) {
        diff_clear(ofctrl);
    } else if (!ofctrl->diff_all) {
        FLOW_SET_FOR_EACH (key, touched) {
            flow_set_add(&ofctrl->touched, flow_entry_ref(key));
        }
    }
    ofctrl->desired = desired;
}

void
ofctrl_forget_desired(struct ofctrl *ofctrl)
{
    diff_clear(ofctrl);
    ofctrl->desired = NULL;
}

/* Sends 'msg' and returns its transaction ID. */
static ovs_be32
send_msg(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    ovs_be32 xid = oh->xid;

    rconn_send(ofctrl->rconn, msg, NULL);
    return xid;
}

static void
refused(struct ofctrl *ofctrl, const char *what, enum ofperr error)
{
    COVERAGE_INC(ofctrl_bundle_refused);
    free(ofctrl->error);
    ofctrl->error = xasprintf("the switch refused %s: %s", what,
                              ofperr_get_name(error));
    VLOG_WARN_RL(&rl, "%s", ofctrl->error);

    pending_clear(ofctrl);
    ofctrl->state = S_REFUSED;
    ofctrl->retry_at = time_msec() + REFUSED_WAIT_MS;
}

/* S_DISCONNECTED, or S_REFUSED and the wait is over. */

static void
start_read_back(struct ofctrl *ofctrl)
{
    COVERAGE_INC(ofctrl_read_back);
    diff_clear(ofctrl);
    pending_clear(ofctrl);
    flow_set_clear(&ofctrl->installed);
    ofctrl_meters_read(&ofctrl->meters, ofctrl->rconn);
    ofctrl->stats_xid = send_msg(ofctrl, ofctrl_msg_flow_stats());
    ofctrl->state = S_READING_BACK;
}

static void
run_connect(struct ofctrl *ofctrl)
{
    if (ofctrl->events.reset) {
        ofctrl->events.reset(ofctrl->events.aux);
    }
    /* Without a miss_send_len a management connection gets no packets. */
    ofctrl->monitoring = ofctrl->counting = false;
    send_msg(ofctrl, ofctrl_msg_set_config());
    send_msg(ofctrl, ofctrl_msg_packet_in_format());
    start_read_back(ofctrl);
}

void
ofctrl_reread(struct ofctrl *ofctrl)
{
    if (ofctrl->state == S_IDLE) {
        start_read_back(ofctrl);
    } else if (ofctrl->state != S_DISCONNECTED) {
        rconn_reconnect(ofctrl->rconn);
    }
}

/* S_READING_BACK. */

static void
recv_meter_config(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    if (ofctrl->state == S_READING_BACK) {
        int error = ofctrl_meters_receive(&ofctrl->meters, msg);

        if (error) {
            refused(ofctrl, "to list its meters", error);
        }
    }
}

/* Flows that have no meter, though they should, are added again. */
static void
finish_read_back(struct ofctrl *ofctrl)
{
    struct flow_entry *flow;

    VLOG_INFO("%s: read %"PRIuSIZE" flows back", ofctrl->target,
              flow_set_count(&ofctrl->installed));
    ofctrl_meters_known(&ofctrl->meters);
    FLOW_SET_FOR_EACH (flow, &ofctrl->installed) {
        if (ofctrl_meters_lack(&ofctrl->meters, flow->ofpacts,
                               flow->ofpacts_len)) {
            flow->cookie = UINT64_MAX;
        }
    }
    if (!ofctrl->monitoring) {
        send_msg(ofctrl, ofctrl_msg_flow_monitor());
        ofctrl->monitoring = true;
    }
    ofctrl->state = S_IDLE;
}

/* In any state. */
static void
recv_count(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    bool more = ofpmp_more(msg->data);
    struct ofputil_flow_stats fs;
    int retval;

    while (!(retval = ofputil_decode_flow_stats_reply(&fs, msg, true,
                                                      &ofpacts))) {
        ofctrl->events.counted(ofctrl->events.aux, &fs);
    }
    ofpbuf_uninit(&ofpacts);
    if (retval != EOF) {
        ofctrl->counting = false;
    } else if (!more) {
        ofctrl->counting = false;
        ofctrl->events.counted(ofctrl->events.aux, NULL);
    }
}

static void
recv_flow_stats(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);

    if (ofctrl->counting && oh->xid == ofctrl->count_xid) {
        recv_count(ofctrl, msg);
        return;
    }
    if (ofctrl->state != S_READING_BACK || oh->xid != ofctrl->stats_xid) {
        return;
    }

    struct ofputil_flow_stats fs;
    bool more = ofpmp_more(oh);
    int retval;
    while (!(retval = ofputil_decode_flow_stats_reply(&fs, msg, true,
                                                      &ofpacts))) {
        flow_set_add(&ofctrl->installed, flow_entry_create_canonical(
            fs.table_id, fs.priority, ntohll(fs.cookie), &fs.match,
            fs.ofpacts, fs.ofpacts_len));
    }
    ofpbuf_uninit(&ofpacts);
    if (retval != EOF) {
        refused(ofctrl, "to list its flows", retval);
    } else if (!more) {
        finish_read_back(ofctrl);
    }
}

/* S_IDLE. */

/* Lets installed flows be the same as desired ones that are equal, so that
 * there is only one of each in memory. */
static void
share_flows(struct ofctrl *ofctrl, const struct flow_set *keys)
{
    const struct flow_entry *key;

    FLOW_SET_FOR_EACH (key, keys) {
        const struct flow_entry *old = flow_set_find(&ofctrl->installed, key);
        struct flow_entry *new = flow_set_find(ofctrl->desired, key);

        if (old && new && old != new && old->cookie == new->cookie
            && flow_entry_same_actions(old, new)) {
            flow_set_replace(&ofctrl->installed, flow_entry_ref(new));
        }
    }
}

/* Compares all, or what was touched. */
static void
compare(struct ofctrl *ofctrl)
{
    struct flow_diff *diff = &ofctrl->diff;

    flow_diff_destroy(diff);
    ofctrl->diff_next = 0;
    if (ofctrl->diff_all) {
        flow_diff_compute(diff, &ofctrl->installed, ofctrl->desired);
        share_flows(ofctrl, ofctrl->desired);
    } else {
        flow_diff_compute_touched(diff, &ofctrl->installed, ofctrl->desired,
                                  &ofctrl->touched);
        share_flows(ofctrl, &ofctrl->touched);
    }
    flow_set_clear(&ofctrl->touched);
    ofctrl->diff_all = ofctrl->look = false;

    /* Until they are swept, whatever becomes of the flows that learnt them. */
    for (size_t i = 0; i < diff->n; i++) {
        if (diff->changes[i].type == FLOW_SWEEP) {
            flow_set_set_learnt(&ofctrl->installed, diff->changes[i].cookie,
                                true);
        }
    }
}

/* True if there is something to be compared. */
static bool
is_touched(const struct ofctrl *ofctrl)
{
    return (ofctrl->diff_all || ofctrl->look
            || flow_set_count(&ofctrl->touched));
}

static void
send_bundle_ctrl(struct ofctrl *ofctrl, uint16_t type, ovs_be32 *xid)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = ofctrl->bundle_id,
        .type = type,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    *xid = send_msg(ofctrl, ofputil_encode_bundle_ctrl_request(OFP15_VERSION,
                                                               &bc));
}

static void
send_change(struct ofctrl *ofctrl, const struct flow_change *change)
{
    struct ofpbuf *flow_mod = ofctrl_msg_flow_mod(change);
    struct ofputil_bundle_add_msg bam = {
        .bundle_id = ofctrl->bundle_id,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
        .msg = flow_mod->data,
    };
    struct pending *p = &ofctrl->pending[ofctrl->n_pending++];

    *p = (struct pending) {
        .type = change->type,
        .flow = change->flow ? flow_entry_ref(change->flow) : NULL,
        .cookie = change->cookie,
        .xid = send_msg(ofctrl, ofputil_encode_bundle_add(OFP15_VERSION,
                                                          &bam)),
    };
    ofpbuf_delete(flow_mod);
    COVERAGE_INC(ofctrl_flow_mod);
    ofctrl->n_changes++;
}

/* Sends the next of 'diff', at most a bundle.  Returns false if there was
 * nothing to send. */
static bool
send_bundle(struct ofctrl *ofctrl)
{
    const struct flow_diff *diff = &ofctrl->diff;

    while (ofctrl->diff_next < diff->n
           && ofctrl->n_pending < OFCTRL_BUNDLE_MAX) {
        const struct flow_change *change = &diff->changes[ofctrl->diff_next++];

        if (!flow_change_is_valid(change, ofctrl->desired)) {
            continue;
        }
        if (!ofctrl->n_pending) {
            ofctrl->pending = xcalloc(OFCTRL_BUNDLE_MAX,
                                      sizeof *ofctrl->pending);
            ofctrl->bundle_id++;
            send_bundle_ctrl(ofctrl, OFPBCT_OPEN_REQUEST, &ofctrl->open_xid);
        }
        send_change(ofctrl, change);
    }
    if (!ofctrl->n_pending) {
        return false;
    }
    send_bundle_ctrl(ofctrl, OFPBCT_COMMIT_REQUEST, &ofctrl->bundle_xid);
    return true;
}

static void
run_idle(struct ofctrl *ofctrl)
{
    ofctrl_meters_make(&ofctrl->meters, ofctrl->rconn);
    if (!ofctrl->desired) {
        return;
    }
    if (ofctrl->diff_all) {
        compare(ofctrl);
    }
    if (send_bundle(ofctrl)) {
        ofctrl->state = S_COMMITTING;
    } else if (is_touched(ofctrl)) {
        compare(ofctrl);
        if (send_bundle(ofctrl)) {
            ofctrl->state = S_COMMITTING;
        }
    }
    if (ofctrl_is_in_sync(ofctrl)) {
        ofctrl_meters_drop(&ofctrl->meters, ofctrl->rconn);
    }
}

/* S_COMMITTING. */

static void
recv_committed(struct ofctrl *ofctrl)
{
    for (size_t i = 0; i < ofctrl->n_pending; i++) {
        struct pending *p = &ofctrl->pending[i];

        switch (p->type) {
        case FLOW_ADD:
        case FLOW_MODIFY:
            flow_set_replace(&ofctrl->installed, flow_entry_ref(p->flow));
            break;
        case FLOW_DELETE:
            flow_set_remove(&ofctrl->installed, p->flow);
            break;
        case FLOW_SWEEP:
            /* So that they are not swept again. */
            flow_set_set_learnt(&ofctrl->installed, p->cookie, false);
            break;
        }
    }
    COVERAGE_INC(ofctrl_bundle_committed);
    pending_clear(ofctrl);
    free(ofctrl->error);
    ofctrl->error = NULL;
    ofctrl->state = S_IDLE;
    poll_immediate_wake();
}

static void
recv_bundle_ctrl(struct ofctrl *ofctrl, const struct ofp_header *oh)
{
    struct ofputil_bundle_ctrl_msg bc;

    if (ofctrl->state == S_COMMITTING
        && !ofputil_decode_bundle_ctrl(oh, &bc)
        && bc.bundle_id == ofctrl->bundle_id
        && bc.type == OFPBCT_COMMIT_REPLY) {
        recv_committed(ofctrl);
    }
}

/* An error about a message of the bundle under way ends that bundle. */
static void
recv_bundle_error(struct ofctrl *ofctrl, ovs_be32 xid, enum ofperr error)
{
    for (size_t i = 0; i < ofctrl->n_pending; i++) {
        const struct pending *p = &ofctrl->pending[i];

        if (p->xid == xid && p->flow) {
            struct ds s = DS_EMPTY_INITIALIZER;
            ds_put_cstr(&s, "flow ");
            flow_entry_format(p->flow, &s);
            refused(ofctrl, ds_cstr(&s), error);
            ds_destroy(&s);
            return;
        }
    }
    if (xid == ofctrl->bundle_xid || xid == ofctrl->open_xid) {
        refused(ofctrl, "a bundle of flows", error);
    }
}

/* True for an error about a meter, whose beginning came back with it. */
static bool
is_about_meter(struct ofpbuf *request)
{
    enum ofptype type;

    return (request->size >= 2 * sizeof(struct ofp_header)
            && !ofptype_decode(&type, request->data)
            && type == OFPTYPE_METER_MOD);
}

static void
recv_error(struct ofctrl *ofctrl, const struct ofp_header *oh)
{
    struct ofpbuf request;
    enum ofperr error = ofperr_decode_msg(oh, &request);

    if (ofctrl->counting && oh->xid == ofctrl->count_xid) {
        ofctrl->counting = false;
    }
    if (is_about_meter(&request)) {
        refused(ofctrl, "a meter", error);
    } else if (ofctrl->state == S_READING_BACK
               && (oh->xid == ofctrl->stats_xid
                   || oh->xid == ofctrl->meters.xid)) {
        refused(ofctrl, "to list its flows", error);
    } else if (ofctrl->state == S_COMMITTING) {
        recv_bundle_error(ofctrl, oh->xid, error);
    } else if (ofctrl->state != S_REFUSED) {
        VLOG_WARN_RL(&rl, "%s: error %s", ofctrl->target,
                     ofperr_get_name(error));
    }
    ofpbuf_uninit(&request);
}

/* Messages that come in any state. */

static void
tell_learnt(struct ofctrl *ofctrl, const struct ofputil_flow_update *update,
            bool present)
{
    uint64_t cookie = ntohll(update->cookie);
    uint32_t object = cookie_object(cookie);
    bool remote = object == COOKIE_FROM_TUNNEL;

    if (present && cookie_kind(cookie) == COOKIE_LEARNT
        && ofctrl->desired
        && !flow_set_is_learning(ofctrl->desired, cookie)) {
        flow_set_set_learnt(&ofctrl->installed, cookie, true);
        ofctrl->look = true;
    } else if (cookie_kind(cookie) == COOKIE_LEARNT
               && (remote || object <= UINT16_MAX)) {
        ofctrl->events.learnt(ofctrl->events.aux, cookie_vni(cookie),
                              remote ? 0 : u16_to_ofp(object),
                              update->match.flow.dl_dst, present);
    }
}

static void
recv_flow_monitor(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_update update;

    while (!ofputil_decode_flow_update(&update, msg, &ofpacts)) {
        switch (update.event) {
        case OFPFME_INITIAL:
        case OFPFME_ADDED:
        case OFPFME_MODIFIED:   /* Now learnt elsewhere. */
            tell_learnt(ofctrl, &update, true);
            break;
        case OFPFME_REMOVED:
            tell_learnt(ofctrl, &update, false);
            break;
        case OFPFME_ABBREV:     /* Of what we changed ourselves. */
        case OFPFME_PAUSED:
        case OFPFME_RESUMED:
            break;
        }
    }
    ofpbuf_uninit(&ofpacts);
}

static void
recv_packet_in(struct ofctrl *ofctrl, const struct ofp_header *oh)
{
    struct ofputil_packet_in pin;
    size_t total_len;

    if (ofputil_decode_packet_in(oh, true, NULL, NULL, &pin, &total_len,
                                 NULL, NULL)) {
        return;
    }
    const struct flow *md = &pin.flow_metadata.flow;
    if (pin.reason == OFPR_ACTION && pin.userdata_len == 1) {
        const struct punt punt = {
            .kind = *(const uint8_t *) pin.userdata,
            .vni = ntohll(md->metadata) & 0xffffff,
            .port = md->in_port.ofp_port,
            .cookie = ntohll(pin.cookie),
            .frame = pin.packet,
            .len = pin.packet_len,
            .metadata = md,
        };
        ofctrl->events.punted(ofctrl->events.aux, &punt);
    }
}

static void
recv_msg(struct ofctrl *ofctrl, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    switch ((int) type) {
    case OFPTYPE_ECHO_REQUEST:
        send_msg(ofctrl, ofctrl_msg_echo_reply(oh));
        break;
    case OFPTYPE_FLOW_STATS_REPLY:
        recv_flow_stats(ofctrl, msg);
        break;
    case OFPTYPE_METER_STATS_REPLY:
        ofctrl_meters_receive_stats(&ofctrl->meters, msg);
        break;
    case OFPTYPE_METER_CONFIG_STATS_REPLY:
        recv_meter_config(ofctrl, msg);
        break;
    case OFPTYPE_FLOW_MONITOR_STATS_REPLY:
        recv_flow_monitor(ofctrl, msg);
        break;
    case OFPTYPE_BUNDLE_CONTROL:
        recv_bundle_ctrl(ofctrl, oh);
        break;
    case OFPTYPE_PACKET_IN:
        recv_packet_in(ofctrl, oh);
        break;
    case OFPTYPE_ERROR:
        recv_error(ofctrl, oh);
        break;
    default:
        break;
    }
}

void
ofctrl_unlearn(struct ofctrl *ofctrl, uint32_t vni, struct eth_addr mac)
{
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_unlearn(vni, mac, false));
    }
}

void
ofctrl_unlearn_remote(struct ofctrl *ofctrl, uint32_t vni,
                      struct eth_addr mac)
{
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_unlearn(vni, mac, true));
    }
}

void
ofctrl_flush_zone(struct ofctrl *ofctrl, uint16_t zone)
{
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_flush_zone(zone));
    }
}

void
ofctrl_unlearn_port(struct ofctrl *ofctrl, uint32_t vni, ofp_port_t port)
{
    const struct flow_change sweep = {
        .type = FLOW_SWEEP,
        .cookie = cookie_make(COOKIE_LEARNT, vni, ofp_to_u16(port)),
    };
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_flow_mod(&sweep));
    }
}

void
ofctrl_send_frame(struct ofctrl *ofctrl, ofp_port_t port, const void *frame,
                  size_t len)
{
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_packet_out(OFPP_CONTROLLER, port, frame,
                                               len));
    }
}

void
ofctrl_inject_frame(struct ofctrl *ofctrl, ofp_port_t port, const void *frame,
                    size_t len)
{
    if (ofctrl->state != S_DISCONNECTED) {
        send_msg(ofctrl, ofctrl_msg_packet_out(port, OFPP_TABLE, frame, len));
    }
}

bool
ofctrl_count(struct ofctrl *ofctrl, enum flow_table table, uint64_t cookie,
             uint64_t mask)
{
    if (ofctrl->state == S_DISCONNECTED || ofctrl->counting) {
        return false;
    }
    ofctrl->count_xid = send_msg(ofctrl, ofctrl_msg_flow_count(table, cookie,
                                                               mask));
    ofctrl->counting = true;
    return true;
}

bool
ofctrl_is_counting(const struct ofctrl *ofctrl)
{
    return ofctrl->counting;
}

void
ofctrl_run(struct ofctrl *ofctrl)
{
    rconn_run(ofctrl->rconn);
    if (!rconn_is_connected(ofctrl->rconn)) {
        ofctrl->counting = false;
        ofctrl->state = S_DISCONNECTED;
        if (socket_is_new(ofctrl)) {
            rconn_connect(ofctrl->rconn, ofctrl->target, ofctrl->target);
        }
        return;
    }

    unsigned int seqno = rconn_get_connection_seqno(ofctrl->rconn);
    if (ofctrl->state == S_DISCONNECTED
        || seqno != ofctrl->connection_seqno) {
        ofctrl->connection_seqno = seqno;
        run_connect(ofctrl);
    }
    for (int i = 0; i < MESSAGES_PER_RUN; i++) {
        struct ofpbuf *msg = rconn_recv(ofctrl->rconn);
        if (!msg) {
            break;
        }
        recv_msg(ofctrl, msg);
        ofpbuf_delete(msg);
    }
    if (ofctrl->state == S_REFUSED && time_msec() >= ofctrl->retry_at) {
        start_read_back(ofctrl);
    }
    if (ofctrl->state == S_IDLE) {
        run_idle(ofctrl);
        ofctrl_meters_poll(&ofctrl->meters, ofctrl->rconn, time_msec());
    }
}

void
ofctrl_wait(struct ofctrl *ofctrl)
{
    rconn_run_wait(ofctrl->rconn);
    rconn_recv_wait(ofctrl->rconn);
    if (ofctrl->state == S_DISCONNECTED && ofctrl->target) {
        poll_timer_wait(SOCKET_LOOK_MS);
    } else if (ofctrl->state == S_REFUSED) {
        poll_timer_wait_until(ofctrl->retry_at);
    } else if (ofctrl->state == S_IDLE && ofctrl->desired
               && is_touched(ofctrl)) {
        poll_immediate_wake();
    }
}

uint64_t
ofctrl_meter_dropped(const struct ofctrl *ofctrl, uint32_t meter)
{
    return ofctrl_meters_dropped(&ofctrl->meters, meter);
}

bool
ofctrl_is_in_sync(const struct ofctrl *ofctrl)
{
    return (ofctrl->state == S_IDLE && ofctrl->desired
            && !is_touched(ofctrl) && ofctrl->diff_next >= ofctrl->diff.n);
}

void
ofctrl_get_status(const struct ofctrl *ofctrl, struct ofctrl_status *status)
{
    *status = (struct ofctrl_status) {
        .connected = ofctrl->state != S_DISCONNECTED,
        .state = state_names[ofctrl->state],
        .error = ofctrl->error,
        .n_installed = flow_set_count(&ofctrl->installed),
        .n_changes = ofctrl->n_changes,
    };
}
