/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and state of the host's own network devices (rtnetlink). */
#include <config.h>
#include "controller/host-addr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "model/types.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

static int
transact(struct ofpbuf *request)
{
    int error = nl_transact(NETLINK_ROUTE, request, NULL);
    ofpbuf_uninit(request);
    return error;
}

/* RTM_NEWADDR or RTM_DELADDR. */
static int
change_address(int ifindex, uint16_t type, uint16_t flags,
               const struct model_address *address)
{
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(&address->ip);
    int full = ipv4 ? 32 : 128;
    struct ofpbuf request;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof(struct ifaddrmsg), type,
                        NLM_F_REQUEST | NLM_F_ACK | flags);
    struct ifaddrmsg *ifa = ofpbuf_put_zeros(&request, sizeof *ifa);
    ifa->ifa_family = ipv4 ? AF_INET : AF_INET6;
    ifa->ifa_prefixlen = address->plen < 0 ? full : address->plen;
    ifa->ifa_scope = RT_SCOPE_UNIVERSE;
    ifa->ifa_index = ifindex;
    if (ipv4) {
        ovs_be32 ip = in6_addr_get_mapped_ipv4(&address->ip);
        nl_msg_put_be32(&request, IFA_LOCAL, ip);
        nl_msg_put_be32(&request, IFA_ADDRESS, ip);
    } else {
        nl_msg_put_unspec(&request, IFA_LOCAL, &address->ip,
                          sizeof address->ip);
        /* The service gave this address to nobody else. */
        nl_msg_put_u32(&request, IFA_FLAGS, IFA_F_NODAD);
    }
    return transact(&request);
}

static int
set_up(int ifindex)
{
    struct ofpbuf request;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof(struct ifinfomsg), RTM_NEWLINK,
                        NLM_F_REQUEST | NLM_F_ACK);
    struct ifinfomsg *ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    ifi->ifi_index = ifindex;
    ifi->ifi_flags = IFF_UP;
    ifi->ifi_change = IFF_UP;
    return transact(&request);
}

/* Stores in '*ip' the address of 'ifa', IPv4-mapped if it is IPv4. */
static bool
ifaddrs_ip(const struct ifaddrs *ifa, struct in6_addr *ip)
{
    if (!ifa->ifa_addr) {
        return false;
    } else if (ifa->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *sin
            = ALIGNED_CAST(const struct sockaddr_in *, ifa->ifa_addr);
        in6_addr_set_mapped_ipv4(ip, sin->sin_addr.s_addr);
        return true;
    } else if (ifa->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *sin6
            = ALIGNED_CAST(const struct sockaddr_in6 *, ifa->ifa_addr);
        *ip = sin6->sin6_addr;
        return true;
    }
    return false;
}

static bool
has_address(const struct ifaddrs *list, const char *device,
            const struct in6_addr *want)
{
    for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
        struct in6_addr ip;

        if ((!device || !strcmp(ifa->ifa_name, device))
            && ifaddrs_ip(ifa, &ip) && ipv6_addr_equals(&ip, want)) {
            return true;
        }
    }
    return false;
}

static bool
is_up(const struct ifaddrs *list, const char *device)
{
    for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
        if (!strcmp(ifa->ifa_name, device)) {
            return ifa->ifa_flags & IFF_UP;
        }
    }
    return false;
}

int
host_addr_set(const char *device, const struct model_address *addresses,
              size_t n)
{
    int ifindex = if_nametoindex(device);
    struct ifaddrs *list;
    int error = 0;

    if (!ifindex) {
        return ENODEV;
    }
    if (getifaddrs(&list)) {
        return errno;
    }
    if (!is_up(list, device)) {
        error = set_up(ifindex);
    }
    for (size_t i = 0; i < n; i++) {
        if (!has_address(list, device, &addresses[i].ip)) {
            int retval = change_address(ifindex, RTM_NEWADDR,
                                        NLM_F_CREATE | NLM_F_REPLACE,
                                        &addresses[i]);
            error = error ? error : retval;
        }
    }
    freeifaddrs(list);
    return error;
}

int
host_addr_remove(const char *device, const struct model_address *address)
{
    int ifindex = if_nametoindex(device);

    if (!ifindex) {
        return ENODEV;
    }
    int error = change_address(ifindex, RTM_DELADDR, 0, address);
    return error == EADDRNOTAVAIL ? 0 : error;
}

bool
host_addr_device_of(const struct in6_addr *want, char name[IFNAMSIZ])
{
    struct ifaddrs *list;
    bool found = false;

    if (getifaddrs(&list)) {
        return false;
    }
    for (const struct ifaddrs *ifa = list; ifa && !found;
         ifa = ifa->ifa_next) {
        struct in6_addr ip;

        if (ifaddrs_ip(ifa, &ip) && ipv6_addr_equals(&ip, want)) {
            ovs_strzcpy(name, ifa->ifa_name, IFNAMSIZ);
            found = true;
        }
    }
    freeifaddrs(list);
    return found;
}

/* The MTU of a device, or 0. */
static int
device_mtu(const char *name)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq ifr;
    int mtu = 0;

    ovs_strzcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    if (sock >= 0) {
        if (!ioctl(sock, SIOCGIFMTU, &ifr)) {
            mtu = ifr.ifr_mtu;
        }
        close(sock);
    }
    return mtu;
}

int
host_addr_mtu_of(const struct in6_addr *want)
{
    char name[IFNAMSIZ];

    return host_addr_device_of(want, name) ? device_mtu(name) : 0;
}
