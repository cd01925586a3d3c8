/* SPDX-License-Identifier: Apache-2.0 */
/* This host's addresses on the underlay, and which of others' it reaches. */
#include <config.h>
#include "controller/underlay.h"

#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hash.h"
#include "model/types.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

enum { LOOK_MS = 1000 };

/* Stores in '*ip' the address of 'ifa', IPv4-mapped if it is IPv4.  Returns
 * false if it has none, or one that only its own link knows. */
static bool
usable_ip(const struct ifaddrs *ifa, struct in6_addr *ip)
{
    const struct sockaddr *sa = ifa->ifa_addr;

    if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
        || ifa->ifa_flags & IFF_LOOPBACK || !(ifa->ifa_flags & IFF_UP)) {
        return false;
    }
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *sin
            = ALIGNED_CAST(const struct sockaddr_in *, sa);

        in6_addr_set_mapped_ipv4(ip, sin->sin_addr.s_addr);
        return true;
    }
    *ip = ALIGNED_CAST(const struct sockaddr_in6 *, sa)->sin6_addr;
    return !IN6_IS_ADDR_LINKLOCAL(ip);
}

bool
underlay_run(struct underlay *underlay)
{
    uint32_t addresses = 0;
    struct ifaddrs *list;

    if (time_msec() < underlay->next_look) {
        return false;
    }
    underlay->next_look = time_msec() + LOOK_MS;
    if (getifaddrs(&list)) {
        return false;
    }
    for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
        struct in6_addr ip;

        if (usable_ip(ifa, &ip)) {
            /* A sum, because their order says nothing. */
            addresses += hash_bytes(&ip, sizeof ip,
                                    hash_string(ifa->ifa_name, 0));
        }
    }
    freeifaddrs(list);

    bool changed = addresses != underlay->addresses;
    underlay->addresses = addresses;
    return changed;
}

void
underlay_wait(const struct underlay *underlay)
{
    poll_timer_wait_until(underlay->next_look);
}

/* Whether 'ip' will stay: no IPv6 address that is temporary (RFC 8981), on its
 * way out, or not yet known to be unique. */
static bool
is_lasting(const struct in6_addr *ip)
{
    FILE *file = fopen("/proc/net/if_inet6", "r");
    bool lasting = false;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        unsigned int bytes[16], flags;
        struct in6_addr that;
        int n = 0;

        for (int i = 0; i < 16; i++) {
            n += sscanf(line + 2 * i, "%2x", &bytes[i]);
            that.s6_addr[i] = bytes[i];
        }
        n += sscanf(line + 32, "%*x %*x %*x %x", &flags);
        if (n == 17 && ipv6_addr_equals(&that, ip)) {
            lasting = !(flags & (IFA_F_TEMPORARY | IFA_F_DEPRECATED
                                 | IFA_F_TENTATIVE | IFA_F_DADFAILED));
        }
    }
    if (file) {
        fclose(file);
    }
    return lasting;
}

/* The name of the device that has 'want', or NULL. */
static const char *
device_of(const struct ifaddrs *list, const struct in6_addr *want)
{
    for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
        struct in6_addr ip;

        if (usable_ip(ifa, &ip) && ipv6_addr_equals(&ip, want)) {
            return ifa->ifa_name;
        }
    }
    return NULL;
}

/* Finds an address of the other family on the device that has 'ip'. */
static bool
other_family(const struct in6_addr *ip, struct in6_addr *other)
{
    struct ifaddrs *list;
    bool found = false;

    if (getifaddrs(&list)) {
        return false;
    }
    const char *device = device_of(list, ip);
    for (const struct ifaddrs *ifa = list; ifa && device && !found;
         ifa = ifa->ifa_next) {
        found = (!strcmp(ifa->ifa_name, device) && usable_ip(ifa, other)
                 && (IN6_IS_ADDR_V4MAPPED(other)
                     != IN6_IS_ADDR_V4MAPPED(ip))
                 && (IN6_IS_ADDR_V4MAPPED(other) || is_lasting(other)));
    }
    freeifaddrs(list);
    return found;
}

char *
underlay_endpoints(const char *local_ip, int port)
{
    struct model_address local;
    struct model_endpoint first = { .port = port }, second = { .port = port };
    char *error = model_address_parse(local_ip, &local);

    if (error) {
        free(error);
        return NULL;
    }
    first.ip = local.ip;
    struct ds text = DS_EMPTY_INITIALIZER;
    model_endpoint_format(&first, &text);
    if (other_family(&first.ip, &second.ip)) {
        ds_put_char(&text, ',');
        model_endpoint_format(&second, &text);
    }
    return ds_steal_cstr(&text);
}

bool
underlay_reaches(const struct in6_addr *remote)
{
    struct sockaddr_storage ss;
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(remote);
    int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool reaches;

    memset(&ss, 0, sizeof ss);
    if (ipv4) {
        struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, &ss);

        sin->sin_family = AF_INET;
        sin->sin_port = htons(1);
        sin->sin_addr.s_addr = in6_addr_get_mapped_ipv4(remote);
    } else {
        struct sockaddr_in6 *sin6 = ALIGNED_CAST(struct sockaddr_in6 *, &ss);

        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(1);
        sin6->sin6_addr = *remote;
    }
    /* Of a datagram socket this only looks for a route. */
    reaches = fd >= 0 && !connect(fd, (struct sockaddr *) &ss,
                                  ss_length(&ss));
    if (fd >= 0) {
        close(fd);
    }
    return reaches;
}
