/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that addresses or routes of this host have changed. */

#include <config.h>
#include "datapath/vsubnet-watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vsubnet_watch);

enum { MESSAGES_PER_RUN = 256 };

static struct nl_sock *sock;    /* NULL: can't listen. */
static uint64_t changes = 1;

void
vsubnet_watch_init(void)
{
    static const unsigned int groups[] = {
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
    };
    int error;

    if (sock) {
        return;
    }
    error = nl_sock_create(NETLINK_ROUTE, &sock);
    for (size_t i = 0; !error && i < ARRAY_SIZE(groups); i++) {
        error = nl_sock_join_mcgroup(sock, groups[i]);
    }
    if (error) {
        VLOG_WARN("changes of this host's addresses are noticed late: %s",
                  ovs_strerror(error));
        nl_sock_destroy(sock);
        sock = NULL;
    }
}

uint64_t
vsubnet_watch_run(void)
{
    for (int i = 0; sock && i < MESSAGES_PER_RUN; i++) {
        uint64_t stub[4096 / 8];
        struct ofpbuf buf;
        int error;

        ofpbuf_use_stub(&buf, stub, sizeof stub);
        error = nl_sock_recv(sock, &buf, NULL, false);
        ofpbuf_uninit(&buf);
        if (error == EAGAIN) {
            break;
        }
        changes++;
        if (error) {
            break;
        }
    }
    return changes;
}

void
vsubnet_watch_wait(void)
{
    if (sock) {
        nl_sock_wait(sock, POLLIN);
    }
}
