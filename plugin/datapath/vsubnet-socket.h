/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP socket of a tunnel port. */

#ifndef DATAPATH_VSUBNET_SOCKET_H
#define DATAPATH_VSUBNET_SOCKET_H 1

/* Socket
 * ======
 *
 * A port's UDP socket is for IPv4 and IPv6 unless it is bound to an address of
 * one family.  Addresses are 'struct in6_addr' everywhere, IPv4 as
 * IPv4-mapped; only here they become what the socket's family wants.
 *
 * What is special about it:
 *
 *   - It sends with "don't fragment" and regardless of the path MTU that the
 *     kernel believes in, because ICMP can be forged.
 *   - Its buffers are sized for bursts and for the pauses of a process that
 *     does other things too; what the kernel had to drop is counted.
 *   - It says of each message when it came and with which ECN bits.
 *   - It takes coalesced datagrams (UDP GRO), if the kernel has that.
 *
 * Thread safety: a 'struct vsubnet_socket' does not change after it is opened,
 * but for 'groups', which only vsubnet_socket_join() touches. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "sset.h"

struct vsubnet_socket {
    int fd;
    sa_family_t family;         /* AF_INET or AF_INET6. */
    struct in6_addr local;      /* All zeros: any. */
    uint16_t port;
    bool shared;                /* Others may be bound to the same. */
    bool gro;                   /* The kernel coalesces on receive. */
    struct sset groups;         /* Multicast groups joined, as text. */
};

/* Opens a socket bound to 'port' of 'local' (all zeros: any address of either
 * family), which others may be, too, if they are all 'shared': the kernel then
 * divides senders among them (SO_REUSEPORT).  Returns NULL and the socket in '*socketp', or an error string that
 * the caller frees. */
char *vsubnet_socket_open(const struct in6_addr *local, uint16_t port,
                          bool shared, struct vsubnet_socket **socketp);
void vsubnet_socket_close(struct vsubnet_socket *);

/* Fills in 'ss' for 'address' and 'port' in the socket's family and returns
 * its length, or returns 0 if the socket can't reach that family. */
socklen_t vsubnet_socket_address(const struct vsubnet_socket *,
                                 const struct in6_addr *address,
                                 uint16_t port,
                                 struct sockaddr_storage *ss);

/* Extracts address and port of a peer of the socket. */
void vsubnet_socket_peer(const struct sockaddr_storage *,
                         struct in6_addr *address, uint16_t *port);

/* Joins all of the 'n' multicast 'groups' and leaves every other.  What can't
 * be joined is logged. */
void vsubnet_socket_join(struct vsubnet_socket *,
                         const struct in6_addr *groups, size_t n);

#endif /* datapath/vsubnet-socket.h */
