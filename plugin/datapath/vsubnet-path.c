/* SPDX-License-Identifier: Apache-2.0 */
/* How long a datagram may be on the way to each peer. */

#include <config.h>
#include "datapath/vsubnet-path.h"

#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "packets.h"
#include "seal/keyring.h"
#include "seal/wire.h"
#include "socket-util.h"
#include "util.h"

COVERAGE_DEFINE(vsubnet_path_ask);

/* Fills in 'ss' with an address of the family of 'remote'. */
static socklen_t
to_sockaddr(const struct in6_addr *address, const struct in6_addr *remote,
            uint16_t port, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof *ss);
    if (IN6_IS_ADDR_V4MAPPED(remote)) {
        struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, ss);

        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
        sin->sin_addr.s_addr = in6_addr_get_mapped_ipv4(address);
        return sizeof *sin;
    } else {
        struct sockaddr_in6 *sin6 = ALIGNED_CAST(struct sockaddr_in6 *, ss);

        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        sin6->sin6_addr = *address;
        return sizeof *sin6;
    }
}

/* Fills in what the kernel knows for a connection of 'fd'. */
static void
ask_kernel(int fd, const struct in6_addr *local, const struct in6_addr *remote,
           struct path_facts *facts)
{
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(remote);
    struct sockaddr_storage ss;
    socklen_t len;
    int mtu;

    if (ipv6_addr_is_set(local)) {
        len = to_sockaddr(local, remote, 0, &ss);
        if (bind(fd, (struct sockaddr *) &ss, len)) {
            return;
        }
    }
    len = to_sockaddr(remote, remote, WIRE_UDP_PORT, &ss);
    if (connect(fd, (struct sockaddr *) &ss, len)) {
        return;
    }
    len = sizeof mtu;
    if (!getsockopt(fd, ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
                    ipv4 ? IP_MTU : IPV6_MTU, &mtu, &len)) {
        facts->mtu = MAX(mtu, PATH_FLOOR);
    }
    len = sizeof ss;
    if (!getsockname(fd, (struct sockaddr *) &ss, &len)) {
        facts->local = ss_get_address(&ss);
    }
}

struct path_facts
vsubnet_path_ask(const struct in6_addr *local, const struct in6_addr *remote)
{
    struct path_facts facts = { .mtu = 0, .local = in6addr_any };
    int fd = socket(IN6_IS_ADDR_V4MAPPED(remote) ? AF_INET : AF_INET6,
                    SOCK_DGRAM | SOCK_CLOEXEC, 0);

    COVERAGE_INC(vsubnet_path_ask);
    if (fd >= 0) {
        ask_kernel(fd, local, remote, &facts);
        close(fd);
    }
    return facts;
}

int
vsubnet_path_max_frame(int mtu, const struct in6_addr *remote)
{
    int inner = wire_inner_mtu(mtu, (IN6_IS_ADDR_V4MAPPED(remote)
                                     ? AF_INET : AF_INET6));

    return MIN(inner + WIRE_ETHERNET_LEN, WIRE_MAX_FRAME_LEN);
}

/* Sets the net's to the least of its members'. */
static void
set_net(struct keyring_net *net)
{
    const struct keyring_member *member;
    int least = WIRE_MAX_FRAME_LEN;

    HMAP_FOR_EACH (member, hmap_node, &net->members) {
        if (member->peer->port) {
            least = MIN(least, member->peer->max_frame);
        }
    }
    net->max_frame = least;
}

int
vsubnet_path_inner_mtu(const struct keyring *keyring)
{
    const struct keyring_peer *peer;
    int least = 0;

    HMAP_FOR_EACH (peer, hmap_node, &keyring->peers) {
        if (peer->port) {
            least = least ? MIN(least, peer->max_frame) : peer->max_frame;
        }
    }
    return least ? least - WIRE_ETHERNET_LEN : 0;
}

void
vsubnet_path_set_nets(struct keyring *keyring)
{
    struct keyring_net *net;

    HMAP_FOR_EACH (net, hmap_node, &keyring->nets) {
        set_net(net);
    }
}
