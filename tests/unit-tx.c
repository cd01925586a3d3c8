/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of datapath/vsubnet-tx.h. */

#include <config.h>
#undef NDEBUG
#include <assert.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command-line.h"
#include "datapath/vsubnet-counters.h"
#include "datapath/vsubnet-keys.h"
#include "datapath/vsubnet-notices.h"
#include "datapath/vsubnet-socket.h"
#include "datapath/vsubnet-tx.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seal/keyring.h"
#include "seal/session-state.h"
#include "seal/wire.h"
#include "tcp-frame.h"
#include "util.h"

static const char KEYRING[] =
    "vsubnet-keyring 1\n"
    "self 7\n"
    "peer 9 127.0.0.1 8002 1.1\n"
    "net 5001 -\n"
    "member 5001 9\n"
    "key 5001 tx 161 7 aes128gcm 1 00112233445566778899aabbccddeeff\n"
    "end 6\n";

/* Who sends, and where it can be read. */
struct sender {
    struct vsubnet_tx tx;
    struct ovs_barrier barrier;
    int fd;
    struct in6_addr address;
    uint16_t port;
    uint64_t sessions[2];       /* Of the thread, before and after. */
};

static void
open_receiver(struct sender *s)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert(s->fd >= 0 && !bind(s->fd, (struct sockaddr *) &sin, sizeof sin)
           && !getsockname(s->fd, (struct sockaddr *) &sin, &len));
    in6_addr_set_mapped_ipv4(&s->address, sin.sin_addr.s_addr);
    s->port = ntohs(sin.sin_port);
}

/* Sends a message, and returns in which session. */
static uint64_t
send_message(struct sender *s)
{
    const struct vsubnet_tx_message message = {
        .content = { .kind = OAM_ECHO_REQUEST },
        .len = OAM_MESSAGE_LEN, .number = 9, .vni = 5001,
        .address = s->address, .port = s->port,
    };
    struct wire_header header;
    uint8_t datagram[2000];
    ssize_t n;

    assert(!vsubnet_tx_message(&s->tx, &message));
    n = recv(s->fd, datagram, sizeof datagram, 0);
    assert(n == OAM_MESSAGE_LEN + WIRE_SEAL_LEN
           && !wire_validate(datagram, n));
    wire_parse(datagram, &header);
    return header.session;
}

static void *
thread_main(void *s_)
{
    struct sender *s = s_;

    s->sessions[0] = send_message(s);
    ovs_barrier_block(&s->barrier);
    /* The other thread renews sessions. */
    ovs_barrier_block(&s->barrier);
    s->sessions[1] = send_message(s);
    return NULL;
}

/* A receiver keeps the youngest sessions.  So, however often one thread has
 * renewed its own, the others' must not be older than that. */
void
test_tx_renew(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct session_state *state = session_state_create();
    struct vsubnet_counters counters;
    struct vsubnet_notices notices;
    struct vsubnet_socket *socket;
    struct vsubnet_keys *keys;
    struct keyring *keyring;
    struct sender s;
    uint64_t own = 0;
    pthread_t thread;

    assert(!keyring_parse(KEYRING, strlen(KEYRING), &keyring));
    keys = vsubnet_keys_create(keyring, NULL, state);
    open_receiver(&s);
    assert(!vsubnet_socket_open(&s.address, 0, false, &socket));
    vsubnet_counters_init(&counters);
    vsubnet_notices_init(&notices);
    vsubnet_tx_init(&s.tx, &counters, &notices);
    vsubnet_tx_set_keys(&s.tx, keys);
    vsubnet_tx_set_socket(&s.tx, socket);

    ovs_barrier_init(&s.barrier, 2);
    thread = ovs_thread_create("sender", thread_main, &s);
    ovs_barrier_block(&s.barrier);
    for (int i = 0; i < 2 * SESSION_MAX_PER_SPI; i++) {
        vsubnet_tx_renew(&s.tx);
        own = send_message(&s);
    }
    ovs_barrier_block(&s.barrier);
    xpthread_join(thread, NULL);
    assert(session_seconds(own) > session_seconds(s.sessions[0]));
    assert(session_seconds(s.sessions[1]) > session_seconds(own));

    ovs_barrier_destroy(&s.barrier);
    vsubnet_tx_set_keys(&s.tx, NULL);
    vsubnet_tx_destroy(&s.tx);
    vsubnet_notices_destroy(&notices);
    vsubnet_socket_close(socket);
    vsubnet_keys_destroy(keys);
    session_state_destroy(state);
    close(s.fd);
}
