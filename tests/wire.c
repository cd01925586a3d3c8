/* SPDX-License-Identifier: Apache-2.0 */
/* A wire that loses, doubles and reorders what it carries.
 *
 *     wire [--loss P] [--duplicate P] [--reorder P] [--seed N] [--port N]
 *          DEVICE DEVICE
 *
 * joins two devices: frames that come in at one go out at the other.  Of those
 * that are UDP to the port (8002), each direction loses, sends twice or holds
 * back P per cent; all others, such as ARP, just pass.  Whether a datagram is
 * treated well depends on the seed and its place in the direction, so that a
 * run can be repeated.  One that is held back leaves after 1 to 32 others, or
 * after 20 ms.
 *
 * On SIGTERM or SIGINT it prints what it did, one line for each direction and
 * count, and ends:
 *
 *     DEVICE received     datagrams that came in at DEVICE
 *     DEVICE lost         ...of these, not sent on purpose
 *     DEVICE duplicated   ...sent twice
 *     DEVICE reordered    ...held back
 *     DEVICE sent         datagrams that left at the other device
 *     DEVICE refused      ...or would have, but the kernel did not take them
 *     DEVICE overrun      frames for which this program was too slow
 *
 * So received = sent + refused + lost - duplicated, always.
 *
 * The devices' peers have to send frames as a real wire carries them, with
 * checksums, and cut to the MTU: "ethtool -K DEVICE tx off gso off tso off".
 */

#define _GNU_SOURCE             /* recvmmsg() */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum {
    FRAME_SIZE = 2048,
    BATCH = 64,
    QUEUE = 3 * BATCH,          /* Each frame twice, and what was held. */
    HELD = 64,
    MAX_DELAY = 32,             /* Frames. */
    HOLD_MS = 20,
    BUFFER = 16 * 1024 * 1024,
    PARTS = 1000000,            /* Of which rates are. */
};

struct frame {
    uint8_t data[FRAME_SIZE];
    size_t len;
};

/* A frame that waits until 'after' datagrams have come in, or until it is
 * 'at_ms'. */
struct held {
    struct frame frame;
    uint64_t after;
    int64_t at_ms;
    bool used;
};

struct counts {
    uint64_t received, lost, duplicated, reordered, sent, refused, overrun;
};

/* What comes in at one device and leaves at the other. */
struct direction {
    const char *device;
    int in, out;
    uint64_t random;
    struct counts counts;
    struct frame batch[BATCH];
    const struct frame *queue[QUEUE];   /* What leaves next... */
    bool counted[QUEUE];                /* ...and whether as a datagram. */
    int n_queue;
    struct held held[HELD];
    int n_held;
};

struct rates {
    uint32_t loss, duplicate, reorder;  /* Parts of PARTS. */
};

static struct rates rates;
static uint16_t port = 8002;
static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
    (void) number;
    ended = 1;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "wire: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(2);
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* splitmix64. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool
chance(struct direction *d, uint32_t parts)
{
    return next_random(&d->random) % PARTS < parts;
}

/* Whether 'frame' is a datagram to the port. */
static bool
is_datagram(const struct frame *frame)
{
    const uint8_t *data = frame->data;
    uint16_t type, destination;
    size_t transport;
    uint8_t protocol;

    if (frame->len < ETH_HLEN + sizeof(struct ip6_hdr) + 8) {
        return false;
    }
    memcpy(&type, data + 12, sizeof type);
    if (type == htons(ETH_P_IP)) {
        transport = ETH_HLEN + 4 * (data[ETH_HLEN] & 15);
        protocol = data[ETH_HLEN + offsetof(struct iphdr, protocol)];
    } else if (type == htons(ETH_P_IPV6)) {
        transport = ETH_HLEN + sizeof(struct ip6_hdr);
        protocol = data[ETH_HLEN + offsetof(struct ip6_hdr, ip6_nxt)];
    } else {
        return false;
    }
    if (protocol != IPPROTO_UDP || transport + 4 > frame->len) {
        return false;
    }
    memcpy(&destination, data + transport + 2, sizeof destination);
    return destination == htons(port);
}

static void
queue_frame(struct direction *d, const struct frame *frame, bool counted)
{
    d->queue[d->n_queue] = frame;
    d->counted[d->n_queue++] = counted;
}

/* Sends what is in the queue. */
static void
send_queue(struct direction *d)
{
    struct mmsghdr headers[QUEUE];
    struct iovec iovs[QUEUE];
    int done = 0;

    memset(headers, 0, sizeof headers);
    for (int i = 0; i < d->n_queue; i++) {
        iovs[i].iov_base = (void *) d->queue[i]->data;
        iovs[i].iov_len = d->queue[i]->len;
        headers[i].msg_hdr.msg_iov = &iovs[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    while (done < d->n_queue) {
        int n = sendmmsg(d->out, headers + done, d->n_queue - done, 0);

        for (int i = 0; i < n; i++) {
            d->counts.sent += d->counted[done + i];
        }
        if (n > 0) {
            done += n;
        } else if (errno != EINTR) {
            d->counts.refused += d->counted[done++];
        }
    }
    d->n_queue = 0;
}

/* Keeps a copy of 'frame' for later, if there is room. */
static bool
hold(struct direction *d, const struct frame *frame, int64_t now)
{
    for (struct held *h = d->held; h < &d->held[HELD]; h++) {
        if (!h->used) {
            memcpy(h->frame.data, frame->data, frame->len);
            h->frame.len = frame->len;
            h->after = (d->counts.received + 1
                        + next_random(&d->random) % MAX_DELAY);
            h->at_ms = now + HOLD_MS;
            h->used = true;
            d->n_held++;
            return true;
        }
    }
    return false;
}

/* Queues what has been held back for long enough, or all. */
static void
release(struct direction *d, int64_t now, bool all)
{
    for (struct held *h = d->held; d->n_held && h < &d->held[HELD]; h++) {
        if (h->used && (all || h->after <= d->counts.received
                        || h->at_ms <= now)) {
            /* It may be overwritten only by hold(), which comes after
             * send_queue(). */
            queue_frame(d, &h->frame, true);
            h->used = false;
            d->n_held--;
        }
    }
}

static void
carry(struct direction *d, const struct frame *frame, int64_t now)
{
    if (!is_datagram(frame)) {
        queue_frame(d, frame, false);
        return;
    }
    d->counts.received++;
    if (chance(d, rates.loss)) {
        d->counts.lost++;
    } else if (chance(d, rates.reorder) && hold(d, frame, now)) {
        d->counts.reordered++;
    } else {
        queue_frame(d, frame, true);
        if (chance(d, rates.duplicate)) {
            d->counts.duplicated++;
            queue_frame(d, frame, true);
        }
    }
}

/* Carries what there is.  Returns false if there is nothing. */
static bool
run(struct direction *d)
{
    struct mmsghdr headers[BATCH];
    struct iovec iovs[BATCH];
    int64_t now = now_ms();
    int n;

    memset(headers, 0, sizeof headers);
    for (int i = 0; i < BATCH; i++) {
        iovs[i].iov_base = d->batch[i].data;
        iovs[i].iov_len = FRAME_SIZE;
        headers[i].msg_hdr.msg_iov = &iovs[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    n = recvmmsg(d->in, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        if (headers[i].msg_hdr.msg_flags & MSG_TRUNC) {
            fail("%s: a frame of more than %d bytes: segmentation is left to "
                 "the device", d->device, FRAME_SIZE);
        }
        d->batch[i].len = headers[i].msg_len;
        carry(d, &d->batch[i], now);
    }
    release(d, now, false);
    send_queue(d);
    return n > 0;
}

static int
open_device(const char *device)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = if_nametoindex(device),
    };
    int size = BUFFER, on = 1;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)
        || bind(fd, (struct sockaddr *) &address, sizeof address)) {
        fail("%s: %s", device, strerror(errno));
    }
    return fd;
}

static void
end_direction(struct direction *d)
{
    const struct counts *c = &d->counts;
    struct tpacket_stats stats = { 0, 0 };
    socklen_t len = sizeof stats;

    release(d, 0, true);
    send_queue(d);
    getsockopt(d->in, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
    d->counts.overrun = stats.tp_drops;

#define PRINT(NAME) printf("%s %s %"PRIu64"\n", d->device, #NAME, c->NAME)
    PRINT(received);
    PRINT(lost);
    PRINT(duplicated);
    PRINT(reordered);
    PRINT(sent);
    PRINT(refused);
    PRINT(overrun);
#undef PRINT
}

static uint32_t
parse_rate(const char *text)
{
    char *end;
    double percent = strtod(text, &end);

    if (*end || end == text || !(percent >= 0 && percent <= 100)) {
        fail("%s: not a number of per cent", text);
    }
    return percent * (PARTS / 100);
}

static uint64_t
parse_options(int argc, char *argv[])
{
    static const struct option options[] = {
        { "loss", required_argument, NULL, 'l' },
        { "duplicate", required_argument, NULL, 'd' },
        { "reorder", required_argument, NULL, 'r' },
        { "seed", required_argument, NULL, 's' },
        { "port", required_argument, NULL, 'p' },
        { NULL, 0, NULL, 0 },
    };
    uint64_t seed = 1;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (c) {
        case 'l': rates.loss = parse_rate(optarg); break;
        case 'd': rates.duplicate = parse_rate(optarg); break;
        case 'r': rates.reorder = parse_rate(optarg); break;
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'p': port = strtoul(optarg, NULL, 10); break;
        default: exit(2);
        }
    }
    if (argc - optind != 2) {
        fail("usage: wire [OPTION]... DEVICE DEVICE");
    }
    return seed;
}

int
main(int argc, char *argv[])
{
    static struct direction directions[2];
    struct sigaction action = { .sa_handler = on_signal };
    uint64_t seed = parse_options(argc, argv);

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    for (int i = 0; i < 2; i++) {
        struct direction *d = &directions[i];

        d->device = argv[optind + i];
        d->random = seed * 2 + i;
        d->in = open_device(d->device);
        directions[!i].out = d->in;
    }
    printf("ready\n");
    fflush(stdout);

    while (!ended) {
        bool busy[2] = { run(&directions[0]), run(&directions[1]) };
        bool held = directions[0].n_held || directions[1].n_held;
        struct pollfd fds[2] = {
            { .fd = directions[0].in, .events = POLLIN },
            { .fd = directions[1].in, .events = POLLIN },
        };

        if (!busy[0] && !busy[1]) {
            poll(fds, 2, held ? HOLD_MS / 4 : 1000);
        }
    }
    end_direction(&directions[0]);
    end_direction(&directions[1]);
    return 0;
}
