/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and state of the host's own network devices (rtnetlink). */
#ifndef VSUBNET_HOST_ADDR_H
#define VSUBNET_HOST_ADDR_H 1

/* OVS makes an internal port's device and sets its MAC and MTU; the addresses
 * and "up" are set here.  Each function does nothing that is already so, and
 * returns 0 or a positive errno value.  The calls are answered by the kernel
 * at once. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct model_address;

/* Makes 'device' have the 'n' addresses and be up.  An address without prefix
 * length is a host's own (/32, /128). */
int host_addr_set(const char *device, const struct model_address *, size_t n);

/* Takes one address away. */
int host_addr_remove(const char *device, const struct model_address *);

/* Writes the name of the device that has 'ip'; false if there is none. */
bool host_addr_device_of(const struct in6_addr *ip, char name[IFNAMSIZ]);

/* The MTU of the device that has 'ip', or 0 if there is none. */
int host_addr_mtu_of(const struct in6_addr *ip);

#endif /* host-addr.h */
