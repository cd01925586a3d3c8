/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed datagrams on their way to the kernel. */

#include <config.h>
#include "datapath/vsubnet-outbox.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "coverage.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-socket.h"
#include "dp-packet.h"
#include "packets.h"
#include "seal/keyring.h"
#include "seal/wire.h"
#include "socket-util.h"
#include "util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_outbox);
COVERAGE_DEFINE(vsubnet_tx_call);
COVERAGE_DEFINE(vsubnet_tx_gso_refused);

/* Debian 12's <netinet/udp.h> has it, older ones don't. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
    MAX_MESSAGES = 64,          /* In one system call. */
    MAX_SEGMENTS = 64,          /* In one message: the kernel's limit. */
    MAX_MESSAGE = 65536 - 256,  /* Bytes in one message of several datagrams:
                                 * with all its headers it must have less than
                                 * 64 KB, or the kernel cuts it itself. */
    MAX_DATAGRAMS = 512,        /* Sealed before they are sent... */
    ARENA_SIZE = 512 * 1024,    /* ...and their bytes. */
};

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* A sealed datagram in the arena. */
struct datagram {
    size_t ofs;
    size_t len;
};

/* The datagrams that have the same target. */
struct group {
    struct outbox_target target;
    int datagrams[MAX_DATAGRAMS];   /* Indexes. */
    int n;
};

/* Datagrams of a group that leave in one message: all of one length, but that
 * the last one may be shorter. */
struct run {
    const int *datagrams;
    int n;
    size_t segment;             /* Length of all but the last. */
    uint8_t tos;
    struct iovec *iov;
    int n_iov;
};

/* What goes to the kernel in one sendmmsg(). */
struct messages {
    struct mmsghdr headers[MAX_MESSAGES];
    struct sockaddr_storage addresses[MAX_MESSAGES];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(int))];
    } control[MAX_MESSAGES];
    const struct run *runs[MAX_MESSAGES];
    int n;
};

struct outbox {
    const struct vsubnet_socket *socket;
    struct vsubnet_counters *counters;
    bool no_gso;                /* The kernel refuses it on this host. */

    uint8_t *arena;
    size_t arena_used;
    struct datagram datagrams[MAX_DATAGRAMS];
    int n_datagrams;
    struct group groups[NETDEV_MAX_BURST];
    int n_groups;
    struct run runs[MAX_DATAGRAMS];
    int n_runs;
    struct iovec iovs[MAX_DATAGRAMS];
    int n_iovs;
    struct messages messages;
};

struct outbox *
outbox_create(void)
{
    struct outbox *o = xzalloc(sizeof *o);

    o->arena = xmalloc(ARENA_SIZE);
    return o;
}

void
outbox_destroy(struct outbox *o)
{
    if (o) {
        free(o->arena);
        free(o);
    }
}

void
outbox_begin(struct outbox *o, const struct vsubnet_socket *socket,
             struct vsubnet_counters *counters)
{
    ovs_assert(!o->n_datagrams);
    o->socket = socket;
    o->counters = counters;
}

uint8_t *
outbox_room(struct outbox *o, size_t n)
{
    if (o->n_datagrams >= MAX_DATAGRAMS || o->arena_used + n > ARENA_SIZE) {
        outbox_send(o);
    }
    return &o->arena[o->arena_used];
}

static struct group *
find_group(struct outbox *o, const struct outbox_target *target)
{
    for (int i = 0; i < o->n_groups; i++) {
        struct group *g = &o->groups[i];

        if (g->target.kind == target->kind && g->target.net == target->net
            && g->target.peer == target->peer
            && g->target.tos == target->tos) {
            return g;
        }
    }
    return NULL;
}

void
outbox_add(struct outbox *o, const struct outbox_target *target, size_t n)
{
    struct group *g = find_group(o, target);

    if (!g) {
        /* No batch has more targets than packets. */
        ovs_assert(o->n_groups < ARRAY_SIZE(o->groups));
        g = &o->groups[o->n_groups++];
        g->target = *target;
        g->n = 0;
    }
    o->datagrams[o->n_datagrams] = (struct datagram) { o->arena_used, n };
    o->arena_used += n;
    g->datagrams[g->n++] = o->n_datagrams++;
}

static void
drop(struct outbox *o, enum vsubnet_counter why, uint64_t n)
{
    vsubnet_count_tx_drop(o->counters, why, n);
}

/* Step 1: runs. */

/* Cuts the first run off the 'n' datagrams whose indexes are at 'datagrams'.
 * At least one, as many as can leave in one message otherwise. */
static void
cut_run(struct outbox *o, const int *datagrams, int n, struct run *run)
{
    size_t total = 0;

    run->datagrams = datagrams;
    run->n = 0;
    run->segment = o->datagrams[datagrams[0]].len;
    run->iov = &o->iovs[o->n_iovs];
    run->n_iov = 0;

    while (run->n < n && run->n < MAX_SEGMENTS) {
        const struct datagram *d = &o->datagrams[datagrams[run->n]];
        uint8_t *data = &o->arena[d->ofs];
        struct iovec *last = &run->iov[run->n_iov - 1];

        if (run->n && (d->len > run->segment || o->no_gso
                       || total + d->len > MAX_MESSAGE)) {
            break;
        }
        if (run->n && (uint8_t *) last->iov_base + last->iov_len == data) {
            last->iov_len += d->len;
        } else {
            run->iov[run->n_iov].iov_base = data;
            run->iov[run->n_iov].iov_len = d->len;
            run->n_iov++;
        }
        total += d->len;
        run->n++;
        if (d->len < run->segment) {
            break;
        }
    }
    o->n_iovs += run->n_iov;
}

/* Step 2: messages. */

static void
count_refused(struct outbox *o, int error)
{
    switch (error) {
    case EMSGSIZE:
        drop(o, VSUBNET_tx_too_long, 1);
        break;
    case EAGAIN:
    case ENOBUFS:
        drop(o, VSUBNET_tx_socket_full, 1);
        break;
    default:
        drop(o, VSUBNET_tx_send_errors, 1);
        VLOG_WARN_RL(&rl, "could not send: %s", ovs_strerror(error));
        break;
    }
}

static void
put_control(struct msghdr *header, struct cmsghdr *cmsg, int level, int type,
            const void *data, size_t n)
{
    cmsg->cmsg_level = level;
    cmsg->cmsg_type = type;
    cmsg->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(cmsg), data, n);
    header->msg_controllen += CMSG_SPACE(n);
}

/* Makes the control data of message 'i' say that it is to be cut into
 * datagrams of 'segment' bytes (0: not at all), and its type of service. */
static void
set_control(struct outbox *o, int i, uint16_t segment, struct msghdr *header)
{
    struct messages *m = &o->messages;
    char *space = m->control[i].space;
    int tos = m->runs[i]->tos;

    header->msg_control = space;
    header->msg_controllen = 0;
    if (segment) {
        put_control(header, ALIGNED_CAST(struct cmsghdr *, space),
                    IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    }
    if (tos) {
        const struct sockaddr_storage *to = &m->addresses[i];
        struct in6_addr address = ss_get_address(to);
        bool ipv4 = IN6_IS_ADDR_V4MAPPED(&address);

        put_control(header,
                    ALIGNED_CAST(struct cmsghdr *,
                                 space + header->msg_controllen),
                    ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
                    ipv4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos);
    }
}

/* Sends the datagrams of message 'i', which the kernel has refused with
 * 'error', one by one if that may help. */
static void
send_singly(struct outbox *o, int i, int error)
{
    const struct run *run = o->messages.runs[i];
    struct msghdr header = o->messages.headers[i].msg_hdr;

    if (run->n > 1) {
        COVERAGE_INC(vsubnet_tx_gso_refused);
        o->no_gso |= (error == EIO || error == EOPNOTSUPP
                      || error == ENOPROTOOPT);
    }
    if (run->n == 1 || error == EAGAIN) {
        for (int j = 0; j < run->n; j++) {
            count_refused(o, error);
        }
        return;
    }

    header.msg_iovlen = 1;
    set_control(o, i, 0, &header);
    for (int j = 0; j < run->n; j++) {
        const struct datagram *d = &o->datagrams[run->datagrams[j]];
        struct iovec iov = { &o->arena[d->ofs], d->len };

        header.msg_iov = &iov;
        if (sendmsg(o->socket->fd, &header, 0) < 0) {
            count_refused(o, errno);
        } else {
            vsubnet_count(o->counters, VSUBNET_tx_messages, 1);
            vsubnet_count(o->counters, VSUBNET_tx_datagrams, 1);
        }
    }
}

static void
flush(struct outbox *o)
{
    struct messages *m = &o->messages;
    int done = 0;

    while (done < m->n) {
        int n = sendmmsg(o->socket->fd, &m->headers[done], m->n - done, 0);

        COVERAGE_INC(vsubnet_tx_call);
        if (n > 0) {
            int datagrams = 0;

            for (int i = 0; i < n; i++) {
                datagrams += m->runs[done + i]->n;
            }
            vsubnet_count(o->counters, VSUBNET_tx_messages, n);
            vsubnet_count(o->counters, VSUBNET_tx_datagrams, datagrams);
            done += n;
        } else if (errno != EINTR) {
            send_singly(o, done, errno);
            done++;
        }
    }
    m->n = 0;
}

static void
queue_message(struct outbox *o, const struct in6_addr *address,
              uint16_t port, const struct run *run)
{
    struct messages *m = &o->messages;
    socklen_t len = vsubnet_socket_address(o->socket, address, port,
                                           &m->addresses[m->n]);
    struct msghdr *header = &m->headers[m->n].msg_hdr;

    if (!len) {
        drop(o, VSUBNET_tx_no_endpoint, run->n);
        return;
    }
    memset(header, 0, sizeof *header);
    header->msg_name = &m->addresses[m->n];
    header->msg_namelen = len;
    header->msg_iov = run->iov;
    header->msg_iovlen = run->n_iov;
    m->runs[m->n] = run;
    set_control(o, m->n, run->n > 1 ? run->segment : 0, header);
    if (++m->n == MAX_MESSAGES) {
        flush(o);
    }
}

static void
queue_replicated(struct outbox *o, const struct keyring_net *net,
                 const struct run *runs, int n_runs)
{
    const struct keyring_member *member;

    HMAP_FOR_EACH (member, hmap_node, &net->members) {
        const struct keyring_peer *peer = member->peer;

        for (int i = 0; i < n_runs; i++) {
            if (peer->port) {
                queue_message(o, &peer->address, peer->port, &runs[i]);
            } else {
                drop(o, VSUBNET_tx_no_endpoint, runs[i].n);
            }
        }
    }
}

static void
queue_group(struct outbox *o, const struct group *g)
{
    struct run *runs = &o->runs[o->n_runs];
    int n_runs = 0;

    for (int i = 0; i < g->n; i += runs[n_runs++].n) {
        cut_run(o, &g->datagrams[i], g->n - i, &runs[n_runs]);
        runs[n_runs].tos = g->target.tos;
    }
    o->n_runs += n_runs;

    if (g->target.kind == OUTBOX_ALL) {
        queue_replicated(o, g->target.net, runs, n_runs);
        return;
    }
    for (int i = 0; i < n_runs; i++) {
        if (g->target.kind == OUTBOX_GROUP) {
            queue_message(o, &g->target.net->group, o->socket->port,
                          &runs[i]);
        } else {
            queue_message(o, &g->target.peer->address, g->target.peer->port,
                          &runs[i]);
        }
    }
}

void
outbox_send(struct outbox *o)
{
    for (int i = 0; i < o->n_groups; i++) {
        queue_group(o, &o->groups[i]);
    }
    /* Only now: the messages refer to all of this. */
    flush(o);
    o->arena_used = 0;
    o->n_datagrams = o->n_groups = o->n_iovs = o->n_runs = 0;
}

