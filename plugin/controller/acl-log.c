/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log for packets that a rule has logged. */
#include <config.h>
#include "controller/acl-log.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "byte-order.h"
#include "controller/controller.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "controller/rule-cookie.h"
#include "coverage.h"
#include "flow.h"
#include "hash.h"
#include "model/mapping.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(acl);

COVERAGE_DEFINE(acl_logged);
COVERAGE_DEFINE(acl_log_left_out);

struct logged_rule {
    struct hmap_node node;      /* In struct acl_log's 'rules'. */
    uint64_t cookie;
    long long int second;       /* In which 'n' lines were written. */
    unsigned int n;
    unsigned int left_out;      /* Since the last line. */
};

void
acl_log_init(struct acl_log *log)
{
    hmap_init(&log->rules);
}

static void
clear(struct acl_log *log)
{
    struct logged_rule *r;

    HMAP_FOR_EACH_POP (r, node, &log->rules) {
        free(r);
    }
}

void
acl_log_destroy(struct acl_log *log)
{
    clear(log);
    hmap_destroy(&log->rules);
}

/* When there are too many all are forgotten: what is lost is how many lines
 * were left out. */
static struct logged_rule *
find_rule(struct acl_log *log, uint64_t cookie)
{
    const uint32_t hash = hash_uint64(cookie);
    struct logged_rule *r;

    HMAP_FOR_EACH_WITH_HASH (r, node, hash, &log->rules) {
        if (r->cookie == cookie) {
            return r;
        }
    }
    if (hmap_count(&log->rules) >= ACL_LOG_RULES) {
        clear(log);
    }
    r = xzalloc(sizeof *r);
    r->cookie = cookie;
    hmap_insert(&log->rules, &r->node, hash);
    return r;
}

static bool
has_room(struct logged_rule *r, long long int now)
{
    if (r->second != now / 1000) {
        r->second = now / 1000;
        r->n = 0;
    }
    if (r->n >= ACL_LOG_RATE) {
        r->left_out++;
        return false;
    }
    r->n++;
    return true;
}

static void
put_protocol(struct ds *ds, const struct flow *md)
{
    const char *name = model_protocol_name(md->ct_nw_proto);

    if (name) {
        ds_put_format(ds, "%s ", name);
    } else {
        ds_put_format(ds, "protocol %"PRIu8" ", md->ct_nw_proto);
    }
}

/* An address of the connection's first packet. */
static void
put_address(struct ds *ds, const struct flow *md, ovs_be32 ip,
            const struct in6_addr *ip6, ovs_be16 port, bool with_port)
{
    if (md->dl_type == htons(ETH_TYPE_IPV6)) {
        ds_put_cstr(ds, with_port ? "[" : "");
        ipv6_format_addr(ip6, ds);
        ds_put_cstr(ds, with_port ? "]" : "");
    } else {
        ds_put_format(ds, IP_FMT, IP_ARGS(ip));
    }
    if (with_port) {
        ds_put_format(ds, ":%"PRIu16, ntohs(port));
    }
}

static void
put_connection(struct ds *ds, const struct flow *md)
{
    const uint8_t protocol = md->ct_nw_proto;
    const bool ports = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;

    ds_put_cstr(ds, md->ct_state & CS_REPLY_DIR ? "answer to " : "");
    put_protocol(ds, md);
    put_address(ds, md, md->ct_nw_src, &md->ct_ipv6_src, md->ct_tp_src,
                ports);
    ds_put_cstr(ds, " > ");
    put_address(ds, md, md->ct_nw_dst, &md->ct_ipv6_dst, md->ct_tp_dst,
                ports);
    if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
        ds_put_format(ds, " type %"PRIu16" code %"PRIu16,
                      ntohs(md->ct_tp_src), ntohs(md->ct_tp_dst));
    }
}

static void
put_frame(struct ds *ds, const struct punt *punt)
{
    const struct eth_header *eth = punt->frame;

    if (punt->metadata->ct_nw_proto) {
        put_connection(ds, punt->metadata);
    } else {
        ds_put_format(ds, "a frame of type 0x%04"PRIx16,
                      ntohs(eth->eth_type));
    }
    ds_put_format(ds, ", "ETH_ADDR_FMT" > "ETH_ADDR_FMT,
                  ETH_ADDR_ARGS(eth->eth_src), ETH_ADDR_ARGS(eth->eth_dst));
}

static void
put_origin(struct ds *ds, const struct mapping *mapping,
           const struct local_ports *ports, const struct punt *punt)
{
    const struct local_port *port = local_ports_find_ofport(ports,
                                                            punt->port);
    const uint32_t number = (ntohl(punt->metadata->tunnel.ip_src)
                             - ntohl(model_tunnel_address(0)));
    const struct model_node *node = mapping_node(mapping, number);

    if (port) {
        ds_put_format(ds, ", from port %s", port->name);
    } else if (node) {
        ds_put_format(ds, ", from node %s", node->name);
    }
}

bool
acl_log_line(struct acl_log *log, const struct mapping *mapping,
             const struct local_ports *ports, const struct punt *punt,
             long long int now, struct ds *ds)
{
    const struct model_rule *rule = rule_cookie_find(mapping, punt->cookie);

    if (!rule || punt->len < ETH_HEADER_LEN) {
        return false;
    }

    struct logged_rule *r = find_rule(log, punt->cookie);
    if (!has_room(r, now)) {
        COVERAGE_INC(acl_log_left_out);
        return false;
    }
    ds_put_format(ds, "vSubnet %s: rule %s %s ", rule->net, rule->name,
                  rule->action == MODEL_DENY ? "denies" : "allows");
    put_frame(ds, punt);
    put_origin(ds, mapping, ports, punt);
    if (r->left_out) {
        ds_put_format(ds, " (%u more left out)", r->left_out);
        r->left_out = 0;
    }
    return true;
}

void
acl_log_receive(struct controller *c, const struct punt *punt)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    if (c->mapping && acl_log_line(&c->acl_log, c->mapping, &c->ports, punt,
                                   time_msec(), &line)) {
        COVERAGE_INC(acl_logged);
        VLOG_INFO("%s", ds_cstr(&line));
    }
    ds_destroy(&line);
}
