/* SPDX-License-Identifier: Apache-2.0 */
/* Messages out of a tunnel port's socket, and the datagrams in them. */

#include <config.h>
#include "datapath/vsubnet-messages.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "coverage.h"
#include "datapath/codel.h"
#include "datapath/vsubnet-counters.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(vsubnet_rx_call);

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    MAX_MESSAGES = 32,          /* In one system call. */
    MESSAGE_SIZE = 65536,       /* No UDP datagram, coalesced or not, has
                                 * more. */
    FEW_MESSAGES = 4,           /* ...when they are long: 32 of them would
                                 * keep all else waiting for milliseconds, and
                                 * not fit in a core's cache. */
    LONG_MESSAGE = 16 * 1024,
    MAX_WAIT_US = 1000000,      /* Nothing waits that long in the socket. */
};

struct messages {
    struct mmsghdr headers[MAX_MESSAGES];
    struct iovec iovs[MAX_MESSAGES];
    struct sockaddr_storage sources[MAX_MESSAGES];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint32_t))
                   + CMSG_SPACE(sizeof(struct timespec))
                   + CMSG_SPACE(sizeof(int))];
    } control[MAX_MESSAGES];
    uint8_t (*data)[MESSAGE_SIZE];
    struct vsubnet_counters *counters;

    bool more;                  /* The socket may have more of them. */
    int n;                      /* Messages received... */
    int current;                /* ...the first that is not yet done... */
    size_t ofs;                 /* ...and how far that one is. */
    size_t segment;             /* Length of its datagrams. */
    enum ecn ecn;               /* Of its outer header. */
    long long int mono_us;      /* When they were received, on a clock that
                                 * never jumps... */
    int64_t wall_us;            /* ...and on the one of SO_TIMESTAMPNS. */
    size_t queued;              /* Bytes in the socket then; SIZE_MAX if it
                                 * may have had more than were received. */
    bool signal;                /* The next frame whose sender heeds it is to
                                 * signal congestion. */
    struct codel codel;
    uint32_t kernel_drops;      /* The socket's count, as last seen. */
};

static void
init_header(struct messages *m, int i)
{
    struct msghdr *header = &m->headers[i].msg_hdr;

    header->msg_name = &m->sources[i];
    header->msg_namelen = sizeof m->sources[i];
    header->msg_iov = &m->iovs[i];
    header->msg_iovlen = 1;
    header->msg_control = &m->control[i];
    header->msg_controllen = sizeof m->control[i].space;
    header->msg_flags = 0;
}

struct messages *
messages_create(struct vsubnet_counters *counters)
{
    struct messages *m = xzalloc(sizeof *m);

    m->counters = counters;
    m->data = xmalloc_pagealign(MAX_MESSAGES * sizeof *m->data);
    for (int i = 0; i < MAX_MESSAGES; i++) {
        m->iovs[i].iov_base = m->data[i];
        m->iovs[i].iov_len = sizeof m->data[i];
        init_header(m, i);
    }
    return m;
}

void
messages_destroy(struct messages *m)
{
    if (m) {
        free_pagealign(m->data);
        free(m);
    }
}

/* What the kernel says about a message. */

/* Takes note of how long the current message has waited in the socket, since
 * 'arrived'. */
static void
note_delay(struct messages *m, const struct timespec *arrived)
{
    int64_t waited_us = m->wall_us - (arrived->tv_sec * INT64_C(1000000)
                                      + arrived->tv_nsec / 1000);

    /* Otherwise somebody has set the clock. */
    if (waited_us >= 0 && waited_us < MAX_WAIT_US) {
        m->signal |= codel_dequeue(&m->codel, m->mono_us, waited_us,
                                   m->queued);
        m->signal &= m->codel.signalling;
    }
}

/* Takes note of the total of datagrams that the kernel had to drop. */
static void
note_drops(struct messages *m, uint32_t drops)
{
    vsubnet_count(m->counters, VSUBNET_rx_socket_full,
                  (uint32_t) (drops - m->kernel_drops));
    m->kernel_drops = drops;
}

/* Takes note of the size of the datagrams in the current message. */
static void
note_segment(struct messages *m, int segment)
{
    size_t len = m->headers[m->current].msg_len;

    if (segment > 0 && segment < len) {
        m->segment = segment;
        vsubnet_count(m->counters, VSUBNET_rx_coalesced,
                      DIV_ROUND_UP(len, segment));
    }
}

static void
parse_cmsg(struct messages *m, struct cmsghdr *cmsg)
{
    union {
        int integer;
        uint32_t u32;
        uint8_t byte;
        struct timespec time;
    } value;

    memset(&value, 0, sizeof value);
    memcpy(&value, CMSG_DATA(cmsg),
           MIN(sizeof value, cmsg->cmsg_len - CMSG_LEN(0)));
    if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO) {
        note_segment(m, value.integer);
    } else if (cmsg->cmsg_level == SOL_SOCKET
               && cmsg->cmsg_type == SO_RXQ_OVFL) {
        note_drops(m, value.u32);
    } else if (cmsg->cmsg_level == SOL_SOCKET
               && cmsg->cmsg_type == SCM_TIMESTAMPNS) {
        note_delay(m, &value.time);
    } else if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_TOS) {
        m->ecn = value.byte & ECN_MASK;
    } else if (cmsg->cmsg_level == IPPROTO_IPV6
               && cmsg->cmsg_type == IPV6_TCLASS) {
        m->ecn = value.integer & ECN_MASK;
    }
}

/* Takes what the kernel says about the current message. */
static void
parse_control(struct messages *m)
{
    struct msghdr *header = &m->headers[m->current].msg_hdr;
    struct cmsghdr *cmsg;

    m->ofs = 0;
    m->segment = m->headers[m->current].msg_len;
    m->ecn = ECN_NOT_ECT;
    for (cmsg = CMSG_FIRSTHDR(header); cmsg;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        parse_cmsg(m, cmsg);
    }
}

/* Makes message 'i' the current one. */
static void
begin_message(struct messages *m, int i)
{
    m->current = i;
    if (i < m->n) {
        parse_control(m);
        if (m->headers[i].msg_hdr.msg_flags & MSG_TRUNC) {
            /* Longer than any buffer of ours: cut off. */
            m->segment = m->headers[i].msg_len = 0;
        }
        vsubnet_count(m->counters, VSUBNET_rx_messages, 1);
        vsubnet_count(m->counters, VSUBNET_rx_datagrams,
                      MAX(1, DIV_ROUND_UP(m->headers[i].msg_len,
                                          MAX(1, m->segment))));
    }
}

/* Receiving. */

/* Takes note of how much was in the socket. */
static void
note_queue(struct messages *m)
{
    m->queued = 0;
    for (int i = 0; i < m->n; i++) {
        m->queued += m->headers[i].msg_len;
    }
    if (m->more) {
        m->queued = SIZE_MAX;
    }
}

static void
read_clocks(struct messages *m)
{
    struct timespec wall;

    xclock_gettime(CLOCK_REALTIME, &wall);
    m->wall_us = wall.tv_sec * INT64_C(1000000) + wall.tv_nsec / 1000;
    m->mono_us = time_usec();
}

int
messages_receive(struct messages *m, int fd)
{
    size_t bytes = 0;
    int wanted, n;

    for (int i = 0; i < m->n; i++) {
        bytes += m->headers[i].msg_len;
        init_header(m, i);
    }
    wanted = m->n && bytes / m->n > LONG_MESSAGE ? FEW_MESSAGES : MAX_MESSAGES;
    m->n = m->current = 0;
    do {
        COVERAGE_INC(vsubnet_rx_call);
        n = recvmmsg(fd, m->headers, wanted, MSG_DONTWAIT, NULL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno != EAGAIN) {
            vsubnet_count(m->counters, VSUBNET_rx_socket_errors, 1);
        }
        return errno;
    }
    m->n = n;
    m->more = n == wanted;
    note_queue(m);
    read_clocks(m);
    begin_message(m, 0);
    return 0;
}

int
messages_count(const struct messages *m)
{
    return m->n;
}

bool
messages_may_have_more(const struct messages *m)
{
    return m->more;
}

bool
messages_pending(const struct messages *m)
{
    return m->current < m->n;
}

bool
messages_next(struct messages *m, struct message_datagram *d)
{
    int i = m->current;
    size_t left;

    if (!messages_pending(m)) {
        return false;
    }
    left = m->headers[i].msg_len - m->ofs;
    *d = (struct message_datagram) {
        .data = &m->data[i][m->ofs],
        .len = MIN(left, m->segment),
        .source = &m->sources[i],
        .ecn = m->ecn,
    };
    m->ofs += d->len;
    if (d->len == left) {
        begin_message(m, i + 1);
    }
    return true;
}

long long int
messages_received_ms(const struct messages *m)
{
    return m->mono_us / 1000;
}

bool
messages_want_signal(const struct messages *m)
{
    return m->signal;
}

void
messages_signalled(struct messages *m)
{
    m->signal = false;
}

void
messages_reset(struct messages *m)
{
    for (int i = 0; i < m->n; i++) {
        init_header(m, i);
    }
    m->n = m->current = 0;
    m->kernel_drops = 0;
}
