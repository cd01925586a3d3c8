/* SPDX-License-Identifier: Apache-2.0 */
/* Pinging another node through the tunnel. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/local.h"
#include "ctl/output.h"
#include "model/jansson.h"
#include "util.h"

enum {
    COUNT_DEFAULT = 5,
    COUNT_MAX = 100,            /* vswitchd's limits, for the message. */
    SIZE_MAX_ = 65453,
    SECONDS = 10,               /* That an answer takes, beside... */
    PER_SECOND = 5,             /* ...what the requests take. */
};

/* Returns {"number","name","tunnel_address"} of NODE. */
static json_t *
find_node(const char *node)
{
    struct svec args = SVEC_EMPTY_INITIALIZER;
    json_t *answer;

    svec_add(&args, node);
    ctl_check("", local_ask_json("vsubnet-controller", 5, "vsubnet/node",
                                 &args, &answer));
    svec_destroy(&args);
    return answer;
}

static json_t *
ping(const json_t *node, unsigned int count, unsigned int size)
{
    struct svec args = SVEC_EMPTY_INITIALIZER;
    json_t *answer;

    svec_add(&args, "--json");
    svec_add(&args, "-c");
    svec_add_nocopy(&args, xasprintf("%u", count));
    if (size) {
        svec_add(&args, "-s");
        svec_add_nocopy(&args, xasprintf("%u", size));
    }
    svec_add_nocopy(&args, output_value(json_object_get(node,
                                                        "tunnel_address")));
    ctl_check("", local_ask_json("ovs-vswitchd", SECONDS + count / PER_SECOND,
                                 "vsubnet/ping", &args, &answer));
    svec_destroy(&args);
    json_object_set(answer, "name", json_object_get(node, "name"));
    return answer;
}

static json_int_t
number(const json_t *answer, const char *member)
{
    return json_integer_value(json_object_get(answer, member));
}

static void
print_ping(const json_t *answer)
{
    char *name = output_value(json_object_get(answer, "name"));
    char *tunnel = output_value(json_object_get(answer, "tunnel_address"));
    char *address = output_value(json_object_get(answer, "address"));
    char *error = output_value(json_object_get(answer, "error"));
    json_int_t sent = number(answer, "sent");
    json_int_t received = number(answer, "received");

    printf("node %s (%s) at %s port %lld, IP packets of %lld bytes\n", name,
           tunnel, address, (long long) number(answer, "port"),
           (long long) number(answer, "size"));
    printf("%lld sent, %lld received, %lld%% loss\n", (long long) sent,
           (long long) received,
           (long long) (sent ? 100 * (sent - received) / sent : 0));
    if (received) {
        printf("round trip min/avg/max: %.3f/%.3f/%.3f ms\n",
               number(answer, "min_us") / 1e3, number(answer, "avg_us") / 1e3,
               number(answer, "max_us") / 1e3);
    }
    printf("MTU of the path: %lld (%sverified)\n",
           (long long) number(answer, "mtu"),
           json_is_true(json_object_get(answer, "mtu_verified"))
           ? "" : "not ");
    if (json_object_get(answer, "error")) {
        puts(error);
    }
    free(error);
    free(address);
    free(tunnel);
    free(name);
}

void
ctl_ping(struct ctl *ctl)
{
    unsigned int count = ctl_uint_option(ctl, OPT_COUNT, 1, COUNT_MAX,
                                         COUNT_DEFAULT);
    unsigned int size = ctl_uint_option(ctl, OPT_SIZE, 12, SIZE_MAX_, 0);
    json_t *node = find_node(ctl_arg(ctl, 0));
    json_t *answer = ping(node, count, size);

    if (ctl_has(ctl, OPT_JSON)) {
        output_json(answer);
    } else {
        print_ping(answer);
    }
    int exit_code = !number(answer, "received");
    json_decref(answer);
    json_decref(node);
    if (fflush(stdout) || ferror(stdout)) {
        ctl_fatal("cannot write the output");
    }
    exit(exit_code);
}
