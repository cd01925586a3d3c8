/* SPDX-License-Identifier: Apache-2.0 */
/* What the tunnel benchmark sends, receives and times. */

/* One small program so that each tunnel gets the same traffic:
 *
 *     traffic send ADDRESS PORT SIZE SECONDS RATE    UDP packets to ADDRESS
 *     traffic receive PORT                           counts them
 *     traffic sink PORT                              counts any datagrams
 *     traffic echo PORT                              returns what it gets
 *     traffic ping ADDRESS PORT COUNT INTERVAL_US    round-trip times
 *
 * "receive", "sink" and "echo" run until SIGTERM.  Each prints one line of
 * JSON.  SIZE is that of the IPv4 packet, headers included.  RATE is packets
 * per second, 0 for as many as go; a packet costs one system call, as it does
 * for most programs that send small ones.  The sender numbers its packets, and
 * the receiver knows by that whether one came twice or is not of this run's
 * making.
 *
 * The rate is that of packets that arrive from WARM_UP_NS after the first one
 * until the sender stops, which the packets say themselves: what is drained
 * from queues after that, by processors with nothing else to do, was not
 * carried at that rate. */

#define _GNU_SOURCE                     /* recvmmsg() */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64,                     /* Packets per recvmmsg(). */
    MAX_PACKET = 9000,
    HEADERS = 28,                   /* IPv4 and UDP. */
    MAX_PINGS = 1000000,
};

#define SECOND_NS INT64_C(1000000000)
#define WARM_UP_NS (SECOND_NS / 4)
#define LOST_NS SECOND_NS           /* A ping with no answer took this. */
#define MAGIC UINT32_C(0x76536e62)

struct packet {
    uint32_t magic;
    uint32_t run;                   /* Process that sent it. */
    uint64_t number;
    int64_t end;                    /* When the sender stops sending. */
};

static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
    (void) signal_number;
    stopped = 1;
}

static void
fail(const char *what)
{
    fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static double
cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int
udp_socket(const char *address, const char *port, bool client)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int one = 1;
    int buffer = 4 * 1024 * 1024;

    if (fd < 0) {
        fail("socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, client ? SO_SNDBUFFORCE : SO_RCVBUFFORCE,
               &buffer, sizeof buffer);
    sin.sin_port = htons(atoi(port));
    if (address && inet_pton(AF_INET, address, &sin.sin_addr) != 1) {
        errno = EINVAL;
        fail(address);
    }
    if (client ? connect(fd, (struct sockaddr *) &sin, sizeof sin)
        : bind(fd, (struct sockaddr *) &sin, sizeof sin)) {
        fail(client ? "connect" : "bind");
    }
    return fd;
}

/* Sleeps until 'when', or returns at once if that has passed. */
static void
sleep_until(int64_t when)
{
    struct timespec ts = { when / SECOND_NS, when % SECOND_NS };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR
           && !stopped) {
        continue;
    }
}

static void
cmd_send(char **args)
{
    static char buffer[MAX_PACKET];
    struct packet *packet = (struct packet *) buffer;
    int fd = udp_socket(args[0], args[1], true);
    int size = atoi(args[2]) - HEADERS;
    double seconds = atof(args[3]);
    double rate = atof(args[4]);
    uint64_t sent = 0, refused = 0;

    if (size < (int) sizeof *packet || size > MAX_PACKET) {
        errno = ERANGE;
        fail("size");
    }
    packet->magic = MAGIC;
    packet->run = getpid();

    int64_t start = now_ns();
    int64_t end = start + seconds * SECOND_NS;
    int64_t now = start;
    packet->end = end;
    while (now < end && !stopped) {
        if (rate) {
            int64_t due = start + sent / rate * SECOND_NS;

            /* Timers are late by tens of microseconds: a burst makes up for
             * it, so only sleep when well ahead. */
            if (due >= end) {
                break;
            } else if (due > now + 50 * 1000) {
                sleep_until(due);
            }
        }
        packet->number = sent;
        if (send(fd, buffer, size, 0) == size) {
            sent++;
        } else if (errno == ENOBUFS || errno == EAGAIN
                   || errno == ECONNREFUSED) {
            refused++;
        } else {
            fail("send");
        }
        now = now_ns();
    }
    printf("{\"sent\": %"PRIu64", \"refused\": %"PRIu64", \"seconds\": %.6f, "
           "\"cpu\": %.6f}\n", sent, refused, (now - start) / 1e9,
           cpu_seconds());
}

struct tally {
    uint64_t received, counted, strange, repeated;
    uint64_t highest;               /* Number of the newest packet, plus 1. */
    uint32_t run;
    int64_t first, end;
};

static void
tally_packet(struct tally *tally, const struct packet *packet, int64_t now)
{
    if (packet->magic != MAGIC || (tally->received
                                   && packet->run != tally->run)) {
        tally->strange++;
        return;
    }
    if (!tally->received++) {
        tally->run = packet->run;
        tally->first = now;
        tally->end = packet->end;
    }
    if (packet->number + 1 == tally->highest) {
        tally->repeated++;
    }
    if (packet->number >= tally->highest) {
        tally->highest = packet->number + 1;
    }
    if (now - tally->first >= WARM_UP_NS && now < tally->end) {
        tally->counted++;
    }
}

/* Packets received together. */
struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec iovs[BATCH];
    char buffers[BATCH][MAX_PACKET];
};

static void
batch_init(struct batch *batch)
{
    memset(batch->messages, 0, sizeof batch->messages);
    for (int i = 0; i < BATCH; i++) {
        batch->iovs[i] = (struct iovec) { batch->buffers[i], MAX_PACKET };
        batch->messages[i].msg_hdr.msg_iov = &batch->iovs[i];
        batch->messages[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Waits a little and returns the number of packets received, 0 if none. */
static int
batch_receive(struct batch *batch, int fd)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    if (poll(&pfd, 1, 100) <= 0) {
        return 0;
    }
    int n = recvmmsg(fd, batch->messages, BATCH, MSG_DONTWAIT, NULL);
    return n > 0 ? n : 0;
}

static void
cmd_sink(char **args)
{
    static struct batch batch;
    int fd = udp_socket(NULL, args[0], false);
    uint64_t received = 0;

    batch_init(&batch);
    while (!stopped) {
        received += batch_receive(&batch, fd);
    }
    printf("{\"received\": %"PRIu64"}\n", received);
}

static void
cmd_receive(char **args)
{
    static struct batch batch;
    struct tally tally = { 0 };
    int fd = udp_socket(NULL, args[0], false);

    batch_init(&batch);
    while (!stopped) {
        int n = batch_receive(&batch, fd);
        int64_t now = now_ns();

        for (int i = 0; i < n; i++) {
            if (batch.messages[i].msg_len < sizeof(struct packet)) {
                tally.strange++;
            } else {
                tally_packet(&tally, (struct packet *) batch.buffers[i], now);
            }
        }
    }

    double seconds = (tally.end - tally.first - WARM_UP_NS) / 1e9;
    printf("{\"received\": %"PRIu64", \"repeated\": %"PRIu64", "
           "\"strange\": %"PRIu64", \"rate\": %.1f, \"cpu\": %.6f}\n",
           tally.received, tally.repeated, tally.strange,
           seconds > 0 ? tally.counted / seconds : 0.0,
           cpu_seconds());
}

static void
cmd_echo(char **args)
{
    int fd = udp_socket(NULL, args[0], false);
    uint64_t returned = 0;

    while (!stopped) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        char buffer[MAX_PACKET];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;

        if (poll(&pfd, 1, 100) <= 0) {
            continue;
        }
        ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0,
                             (struct sockaddr *) &from, &from_len);
        if (n > 0 && sendto(fd, buffer, n, 0, (struct sockaddr *) &from,
                            from_len) == n) {
            returned++;
        }
    }
    printf("{\"returned\": %"PRIu64"}\n", returned);
}

/* Takes in the answers that come until 'until'.  'times' holds when each ping
 * was sent, less than zero, until it is answered, and then its round trip. */
static void
take_answers(int fd, int64_t *times, int n_sent, int64_t until)
{
    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        int64_t left = until - now_ns();
        struct timespec timeout = { left / SECOND_NS, left % SECOND_NS };
        struct packet answer;

        if (left <= 0 || ppoll(&pfd, 1, &timeout, NULL) <= 0) {
            return;
        }
        if (recv(fd, &answer, sizeof answer, MSG_DONTWAIT) == sizeof answer
            && answer.magic == MAGIC && answer.number < (uint64_t) n_sent
            && times[answer.number] < 0) {
            times[answer.number] += now_ns();
        }
    }
}

static int
compare_times(const void *a_, const void *b_)
{
    const int64_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
cmd_ping(char **args)
{
    int fd = udp_socket(args[0], args[1], true);
    int count = atoi(args[2]);
    int64_t interval = atoi(args[3]) * INT64_C(1000);
    int64_t *times;
    int lost = 0;

    if (count < 1 || count > MAX_PINGS) {
        errno = ERANGE;
        fail("count");
    }
    times = calloc(count, sizeof *times);
    if (!times) {
        fail("calloc");
    }

    /* Sent by the clock and not after the last answer: a slow one must not
     * keep others from being slow too. */
    int64_t start = now_ns();
    for (int i = 0; i < count && !stopped; i++) {
        struct packet packet = { MAGIC, getpid(), i, 0 };

        times[i] = -now_ns();
        if (send(fd, &packet, sizeof packet, 0) < 0 && errno != ENOBUFS) {
            fail("send");
        }
        take_answers(fd, times, i + 1, start + (i + 1) * interval);
    }
    take_answers(fd, times, count, now_ns() + LOST_NS);
    for (int i = 0; i < count; i++) {
        if (times[i] < 0) {
            times[i] = LOST_NS;
            lost++;
        }
    }
    qsort(times, count, sizeof *times, compare_times);
    printf("{\"count\": %d, \"lost\": %d, \"median\": %.1f, \"p99\": %.1f}\n",
           count, lost, times[count / 2] / 1e3,
           times[(int) (count * 0.99)] / 1e3);
    free(times);
}

static const struct command {
    const char *name;
    int n_args;
    void (*run)(char **args);
} commands[] = {
    { "send", 5, cmd_send },
    { "receive", 1, cmd_receive },
    { "sink", 1, cmd_sink },
    { "echo", 1, cmd_echo },
    { "ping", 4, cmd_ping },
};

int
main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = stop };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (argc >= 2 && !strcmp(argv[1], commands[i].name)
            && argc - 2 == commands[i].n_args) {
            commands[i].run(argv + 2);
            return 0;
        }
    }
    fprintf(stderr, "traffic: bad arguments\n");
    return 2;
}
