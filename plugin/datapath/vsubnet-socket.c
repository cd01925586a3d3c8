/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP socket of a tunnel port. */

#include <config.h>
#include "datapath/vsubnet-socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <unistd.h>

#include "packets.h"
#include "seal/keyring.h"
#include "socket-util.h"
#include "util.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_socket);

/* Debian 12's <netinet/udp.h> has them, older ones don't. */
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* The receive buffer takes bursts; that nothing waits in it for long is seen to
 * elsewhere (codel.h).  The send buffer has to take a whole batch; behind it
 * are the queues of the device. */
enum {
    RECEIVE_BUFFER = 2 * 1024 * 1024,
    SEND_BUFFER = 1024 * 1024,
    GROUP_TTL = 64,
};

static bool
set_int(int fd, int level, int option, int value)
{
    return !setsockopt(fd, level, option, &value, sizeof value);
}

/* Asks for a buffer of 'size' bytes, which needs CAP_NET_ADMIN, or for what
 * everyone may have. */
static void
set_buffer(int fd, int forced, int option, int size)
{
    if (!set_int(fd, SOL_SOCKET, forced, size)) {
        set_int(fd, SOL_SOCKET, option, size);
    }
}

static void
set_options(struct vsubnet_socket *s)
{
    set_buffer(s->fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
    set_buffer(s->fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
    set_int(s->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_int(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);

    set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    set_int(s->fd, IPPROTO_IP, IP_RECVTOS, 1);
    set_int(s->fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    set_int(s->fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    set_int(s->fd, IPPROTO_IP, IP_MULTICAST_TTL, GROUP_TTL);
    if (s->family == AF_INET6) {
        set_int(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
        set_int(s->fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
        set_int(s->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set_int(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        set_int(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
        set_int(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, GROUP_TTL);
    }
    s->gro = set_int(s->fd, IPPROTO_UDP, UDP_GRO, 1);
}

/* Opens 's->fd' in 's->family', bound.  Returns 0 or a positive errno. */
static int
open_and_bind(struct vsubnet_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t len;
    int error;

    s->fd = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) {
        return errno;
    }
    if (s->family == AF_INET6
        && !set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY,
                    !ipv6_addr_equals(&s->local, &in6addr_any))) {
        goto error;
    }
    if (s->shared && !set_int(s->fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
        goto error;
    }
    len = vsubnet_socket_address(s, &s->local, s->port, &ss);
    if (bind(s->fd, (struct sockaddr *) &ss, len)) {
        goto error;
    }
    return 0;

error:
    error = errno;
    close(s->fd);
    return error;
}

char *
vsubnet_socket_open(const struct in6_addr *local, uint16_t port, bool shared,
                    struct vsubnet_socket **socketp)
{
    bool any = ipv6_addr_equals(local, &in6addr_any);
    struct vsubnet_socket *s = xzalloc(sizeof *s);
    int error;

    *socketp = NULL;
    s->local = *local;
    s->port = port;
    s->shared = shared;
    s->family = IN6_IS_ADDR_V4MAPPED(local) ? AF_INET : AF_INET6;
    error = open_and_bind(s);
    if (error == EAFNOSUPPORT && any) {
        /* A kernel without IPv6. */
        s->family = AF_INET;
        error = open_and_bind(s);
    }
    if (error) {
        char address[INET6_ADDRSTRLEN] = "any address";

        if (!any) {
            keyring_address_format(local, address);
        }
        free(s);
        return xasprintf("could not bind to UDP port %"PRIu16" of %s: %s",
                         port, address, ovs_strerror(error));
    }

    set_options(s);
    sset_init(&s->groups);
    *socketp = s;
    return NULL;
}

void
vsubnet_socket_close(struct vsubnet_socket *s)
{
    if (s) {
        close(s->fd);
        sset_destroy(&s->groups);
        free(s);
    }
}

socklen_t
vsubnet_socket_address(const struct vsubnet_socket *s,
                       const struct in6_addr *address, uint16_t port,
                       struct sockaddr_storage *ss)
{
    bool mapped = IN6_IS_ADDR_V4MAPPED(address);

    if (s->family == AF_INET) {
        struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, ss);

        if (!mapped && !ipv6_addr_equals(address, &in6addr_any)) {
            return 0;
        }
        memset(sin, 0, sizeof *sin);
        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
        sin->sin_addr.s_addr = mapped ? in6_addr_get_mapped_ipv4(address) : 0;
        return sizeof *sin;
    } else {
        struct sockaddr_in6 *sin6 = ALIGNED_CAST(struct sockaddr_in6 *, ss);

        /* A socket bound to an IPv6 address does not speak IPv4. */
        if (mapped && !ipv6_addr_equals(&s->local, &in6addr_any)) {
            return 0;
        }
        memset(sin6, 0, sizeof *sin6);
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        sin6->sin6_addr = *address;
        return sizeof *sin6;
    }
}

void
vsubnet_socket_peer(const struct sockaddr_storage *ss,
                    struct in6_addr *address, uint16_t *port)
{
    *address = ss_get_address(ss);
    *port = ss_get_port(ss);
}

/* The index of the interface that has the socket's address; 0, for the
 * kernel's choice, if it is bound to none. */
static unsigned int
local_ifindex(const struct vsubnet_socket *s)
{
    struct ifaddrs *all, *ifa;
    unsigned int ifindex = 0;

    if (ipv6_addr_equals(&s->local, &in6addr_any) || getifaddrs(&all)) {
        return 0;
    }
    for (ifa = all; ifa && !ifindex; ifa = ifa->ifa_next) {
        if (ifa->ifa_addr && (ifa->ifa_addr->sa_family == AF_INET
                              || ifa->ifa_addr->sa_family == AF_INET6)) {
            struct sockaddr_storage *ss
                = ALIGNED_CAST(struct sockaddr_storage *, ifa->ifa_addr);
            struct in6_addr address = ss_get_address(ss);

            if (ipv6_addr_equals(&address, &s->local)) {
                ifindex = if_nametoindex(ifa->ifa_name);
            }
        }
    }
    freeifaddrs(all);
    return ifindex;
}

static int
change_membership(const struct vsubnet_socket *s, const char *group, bool join)
{
    struct in6_addr address;

    if (!keyring_address_parse(group, &address)) {
        return EINVAL;
    }
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        struct ip_mreqn mreq = {
            .imr_multiaddr.s_addr = in6_addr_get_mapped_ipv4(&address),
            .imr_ifindex = local_ifindex(s),
        };

        return setsockopt(s->fd, IPPROTO_IP,
                          join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                          &mreq, sizeof mreq) ? errno : 0;
    } else {
        struct ipv6_mreq mreq = {
            .ipv6mr_multiaddr = address,
            .ipv6mr_interface = local_ifindex(s),
        };

        return setsockopt(s->fd, IPPROTO_IPV6,
                          join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP,
                          &mreq, sizeof mreq) ? errno : 0;
    }
}

void
vsubnet_socket_join(struct vsubnet_socket *s,
                    const struct in6_addr *groups, size_t n)
{
    struct sset wanted = SSET_INITIALIZER(&wanted);
    const char *name;

    for (size_t i = 0; i < n; i++) {
        char text[INET6_ADDRSTRLEN];

        keyring_address_format(&groups[i], text);
        sset_add(&wanted, text);
    }
    SSET_FOR_EACH_SAFE (name, &s->groups) {
        if (!sset_contains(&wanted, name)) {
            change_membership(s, name, false);
            sset_find_and_delete(&s->groups, name);
        }
    }
    SSET_FOR_EACH (name, &wanted) {
        if (!sset_contains(&s->groups, name)) {
            int error = change_membership(s, name, true);

            if (error) {
                VLOG_WARN("could not join multicast group %s: %s",
                          name, ovs_strerror(error));
            } else {
                sset_add(&s->groups, name);
            }
        }
    }
    sset_destroy(&wanted);
}
