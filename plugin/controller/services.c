/* SPDX-License-Identifier: Apache-2.0 */
/* What the host answers to guests, from punt to frame. */
#include <config.h>
#include "controller/services.h"

#include <stdlib.h>
#include <string.h>

#include "controller/controller.h"
#include "controller/dhcp4.h"
#include "controller/dhcp6.h"
#include "controller/local-port.h"
#include "controller/ofctrl.h"
#include "controller/ra.h"
#include "coverage.h"
#include "hash.h"
#include "model/mapping.h"
#include "model/metrics.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/token-bucket.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(services);

COVERAGE_DEFINE(services_answered);
COVERAGE_DEFINE(services_noted);
COVERAGE_DEFINE(services_no_address);
COVERAGE_DEFINE(services_others);
COVERAGE_DEFINE(services_bad);
COVERAGE_DEFINE(services_no_binding);
COVERAGE_DEFINE(services_too_many);

/* Requests of one port.  A guest that boots sends a handful. */
enum {
    PORT_RATE = 10,             /* A second. */
    PORT_BURST = 30,
    TOKENS = 1000,              /* For one: buckets fill by the millisecond. */
};

struct service_port {
    struct hmap_node node;      /* In struct services' 'ports'. */
    ofp_port_t ofport;
    struct token_bucket bucket;
    uint32_t advertised;        /* Hash of what was advertised to it, */
    long long int advertised_at;    /* and when; 0: nothing yet. */
};

static const char *const service_names[N_SERVICES] = {
    [SERVICE_DHCP4] = "dhcp4",
    [SERVICE_DHCP6] = "dhcp6",
    [SERVICE_RA] = "router_solicitation",
};

static const char *const outcome_names[N_OUTCOMES] = {
    [OUTCOME_ANSWERED] = "answered",
    [OUTCOME_NOTED] = "noted",
    [OUTCOME_NO_ADDRESS] = "no_address",
    [OUTCOME_OTHERS] = "others",
    [OUTCOME_BAD] = "bad",
    [OUTCOME_NO_BINDING] = "no_binding",
    [OUTCOME_TOO_MANY] = "too_many",
};

void
services_init(struct services *services)
{
    memset(services, 0, sizeof *services);
    hmap_init(&services->ports);
}

void
services_destroy(struct services *services)
{
    struct service_port *sp;

    HMAP_FOR_EACH_POP (sp, node, &services->ports) {
        free(sp);
    }
    hmap_destroy(&services->ports);
}

/* Counting. */

static void
count(struct services *services, enum service_kind kind,
      enum service_outcome outcome)
{
    services->counts[kind][outcome]++;
    switch (outcome) {
    case OUTCOME_ANSWERED: COVERAGE_INC(services_answered); break;
    case OUTCOME_NOTED: COVERAGE_INC(services_noted); break;
    case OUTCOME_NO_ADDRESS: COVERAGE_INC(services_no_address); break;
    case OUTCOME_OTHERS: COVERAGE_INC(services_others); break;
    case OUTCOME_BAD: COVERAGE_INC(services_bad); break;
    case OUTCOME_NO_BINDING: COVERAGE_INC(services_no_binding); break;
    case OUTCOME_TOO_MANY: COVERAGE_INC(services_too_many); break;
    case N_OUTCOMES: default: OVS_NOT_REACHED();
    }
}

void
services_metrics(const struct services *services, struct ds *out)
{
    static const char name[] = "vsubnet_controller_guest_requests_total";

    metrics_family(out, name, METRICS_COUNTER,
                   "Requests of guests to the host, by service and by what "
                   "became of them.");
    for (size_t i = 0; i < N_SERVICES; i++) {
        for (size_t j = 0; j < N_OUTCOMES; j++) {
            metrics_sample(out, name, (const struct metrics_label[]) {
                { "service", service_names[i] },
                { "outcome", outcome_names[j] },
                { NULL, NULL } }, services->counts[i][j]);
        }
    }
    metrics_single(out, "vsubnet_controller_router_advertisements_total",
                   METRICS_COUNTER, "Router advertisements to guests that "
                   "did not ask.", services->n_advertised);
}

/* Ports. */

/* Ports that are gone leave their buckets behind; once there are more of them
 * than ports, all begin anew. */
static void
forget_ports(struct services *services, const struct local_ports *ports)
{
    struct service_port *sp;

    if (hmap_count(&services->ports) <= 2 * ports->n) {
        return;
    }
    HMAP_FOR_EACH_SAFE (sp, node, &services->ports) {
        if (!local_ports_find_ofport(ports, sp->ofport)) {
            hmap_remove(&services->ports, &sp->node);
            free(sp);
        }
    }
}

/* What is known of 'port', which is in 'ports'. */
static struct service_port *
find_port(struct services *services, const struct local_ports *ports,
          ofp_port_t ofport)
{
    const uint32_t hash = hash_ofp_port(ofport);
    struct service_port *sp;

    HMAP_FOR_EACH_WITH_HASH (sp, node, hash, &services->ports) {
        if (sp->ofport == ofport) {
            return sp;
        }
    }
    sp = xzalloc(sizeof *sp);
    sp->ofport = ofport;
    token_bucket_init(&sp->bucket, PORT_RATE, PORT_BURST * TOKENS);
    hmap_insert(&services->ports, &sp->node, hash);
    forget_ports(services, ports);
    return sp;
}

/* Who asks. */

static bool
binding_is_at(const struct mapping *mapping,
              const struct model_binding *binding,
              const struct local_port *port)
{
    const bool here = (mapping->self
                       && binding->node == mapping->self->number);

    if (port->iface_id && binding->iface_id) {
        return !strcmp(port->iface_id, binding->iface_id);
    }
    if (here && binding->port) {
        return !strcmp(port->name, binding->port);
    }
    return (port->has_mac && eth_addr_equals(port->mac, binding->mac)
            && (here || !binding->node
                || binding->origin == MODEL_ORIGIN_DYNAMIC));
}

const struct model_binding *
services_binding(const struct mapping *mapping, const struct model_net *net,
                 const struct local_port *port, struct eth_addr mac)
{
    const struct model_binding *binding = mapping_binding(mapping, net->name,
                                                          mac);

    return (binding && binding_is_at(mapping, binding, port) ? binding
            : NULL);
}

/* Answering. */

struct asked {
    const struct punt *punt;
    const struct local_port *port;
    enum service_kind kind;
    struct eth_addr mac;
};

static enum service_outcome
outcome_of(enum service_verdict verdict)
{
    switch (verdict) {
    case SERVICE_ANSWERED: return OUTCOME_ANSWERED;
    case SERVICE_NOTED: return OUTCOME_NOTED;
    case SERVICE_NO_ADDRESS: return OUTCOME_NO_ADDRESS;
    case SERVICE_OTHERS: return OUTCOME_OTHERS;
    case SERVICE_BAD: return OUTCOME_BAD;
    default: OVS_NOT_REACHED();
    }
}

static void
log_outcome(const struct asked *asked, const struct service_note *note,
            enum service_verdict verdict)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 60);
    const struct local_port *port = asked->port;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (VLOG_DROP_INFO(&rl)) {
        return;
    }
    ds_put_format(&s, "%s: %s "ETH_ADDR_FMT": %s, %s", port->net, port->name,
                  ETH_ADDR_ARGS(asked->mac),
                  note->request ? note->request : "request",
                  verdict == SERVICE_ANSWERED ? note->answer
                  : outcome_names[outcome_of(verdict)]);
    if (ipv6_addr_is_set(&note->address)) {
        ds_put_char(&s, ' ');
        ipv6_format_mapped(&note->address, &s);
    }
    VLOG(note->declined ? VLL_WARN : VLL_INFO, "%s%s", ds_cstr(&s),
         note->declined ? ": somebody else uses it" : "");
    ds_destroy(&s);
}

static enum service_verdict
answer(enum service_kind kind, const struct punt *punt,
       const struct service_facts *facts, struct ofpbuf *reply,
       struct service_note *note)
{
    switch (kind) {
    case SERVICE_DHCP4:
        return (facts->net->dhcp
                ? dhcp4_answer(punt->frame, punt->len, facts, reply, note)
                : SERVICE_OTHERS);
    case SERVICE_DHCP6:
        return (facts->net->ipv6 != MODEL_IPV6_NONE
                ? dhcp6_answer(punt->frame, punt->len, facts, reply, note)
                : SERVICE_OTHERS);
    case SERVICE_RA:
        return (facts->net->ipv6 != MODEL_IPV6_NONE
                ? ra_answer(punt->frame, punt->len, facts, reply, note)
                : SERVICE_OTHERS);
    case N_SERVICES:
    default:
        OVS_NOT_REACHED();
    }
}

static enum service_outcome
serve(struct controller *c, const struct asked *asked)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 10);
    const struct punt *punt = asked->punt;
    const struct model_net *net = mapping_net_by_vni(c->mapping, punt->vni);
    const struct model_binding *binding
        = net ? services_binding(c->mapping, net, asked->port, asked->mac)
          : NULL;

    if (!binding) {
        VLOG_INFO_RL(&rl, "%s: %s "ETH_ADDR_FMT" asks for %s and is not bound "
                     "at that port", asked->port->net, asked->port->name,
                     ETH_ADDR_ARGS(asked->mac), service_names[asked->kind]);
        return OUTCOME_NO_BINDING;
    }

    const struct service_facts facts = {
        .net = net, .binding = binding,
        .mtu = ovs_config_mtu(c->ovs, c->mtu),
    };
    struct service_note note = { .address = in6addr_any };
    struct ofpbuf reply;

    ofpbuf_init(&reply, 0);
    enum service_verdict verdict = answer(asked->kind, punt, &facts, &reply,
                                          &note);
    if (verdict == SERVICE_ANSWERED) {
        ofctrl_send_frame(c->ofctrl, punt->port, reply.data, reply.size);
    }
    log_outcome(asked, &note, verdict);
    ofpbuf_uninit(&reply);
    return outcome_of(verdict);
}

static bool
service_of(enum punt_kind punt, enum service_kind *kind)
{
    switch (punt) {
    case PUNT_DHCP4:
        *kind = SERVICE_DHCP4;
        return true;
    case PUNT_DHCP6:
        *kind = SERVICE_DHCP6;
        return true;
    case PUNT_ROUTER:
        *kind = SERVICE_RA;
        return true;
    case PUNT_ANNOUNCEMENT:
    case PUNT_FULL:
    default:
        return false;
    }
}

/* A punt of before the port went, or became another vSubnet's, is nobody's. */
void
services_receive(struct controller *c, const struct punt *punt)
{
    const struct local_port *port = local_ports_find_ofport(&c->ports,
                                                            punt->port);
    struct asked asked = { .punt = punt, .port = port };

    if (!c->mapping || !port || port->vni != punt->vni || port->host_port
        || !service_of(punt->kind, &asked.kind)) {
        return;
    }
    if (punt->len < ETH_HEADER_LEN) {
        count(&c->services, asked.kind, OUTCOME_BAD);
    } else if (!token_bucket_withdraw(
                   &find_port(&c->services, &c->ports, punt->port)->bucket,
                   TOKENS)) {
        count(&c->services, asked.kind, OUTCOME_TOO_MANY);
    } else {
        const struct eth_header *eth = punt->frame;

        asked.mac = eth->eth_src;
        count(&c->services, asked.kind, serve(c, &asked));
    }
}

/* Router advertisements unasked. */

/* Says of each port whether a MAC is bound at it: '*bound' has an element for
 * each of the controller's ports, and is to be freed. */
static bool *
bound_ports(const struct controller *c)
{
    const struct mapping *mapping = c->mapping;
    const struct local_ports *ports = &c->ports;
    const struct model_binding *binding;
    bool *bound = xcalloc(ports->n + 1, sizeof *bound);

    MAPPING_FOR_EACH_AT (binding, mapping_place(mapping, mapping->self
                                                ? mapping->self->number
                                                : 0)) {
        const struct local_port *port
            = binding->port ? local_ports_find(ports, binding->port) : NULL;

        if (port && !strcmp(port->net, binding->net)) {
            bound[port - ports->ports] = true;
        }
    }
    for (size_t i = 0; i < ports->n; i++) {
        const struct local_port *port = &ports->ports[i];
        const struct model_net *net = mapping_net_by_vni(mapping, port->vni);

        bound[i] |= (port->has_mac && net
                     && services_binding(mapping, net, port, port->mac));
    }
    return bound;
}

static void
advertise(struct controller *c, const struct local_port *port,
          const struct model_net *net)
{
    const struct service_facts facts = {
        .net = net, .mtu = ovs_config_mtu(c->ovs, c->mtu) };
    struct service_port *sp = find_port(&c->services, &c->ports,
                                        port->ofport);
    const long long int now = time_msec();
    struct ofpbuf frame;

    ofpbuf_init(&frame, 0);
    ra_compose(&facts, &frame);
    uint32_t hash = hash_bytes(frame.data, frame.size, 0);
    if (!sp->advertised_at || hash != sp->advertised
        || now >= sp->advertised_at + RA_INTERVAL * 1000LL) {
        ofctrl_send_frame(c->ofctrl, port->ofport, frame.data, frame.size);
        sp->advertised = hash;
        sp->advertised_at = now;
        c->services.n_advertised++;
    }
    ofpbuf_uninit(&frame);
}

void
services_run(struct controller *c)
{
    bool *bound = NULL;

    if (!c->mapping || !ofctrl_is_in_sync(c->ofctrl)) {
        return;
    }
    for (size_t i = 0; i < c->ports.n; i++) {
        const struct local_port *port = &c->ports.ports[i];
        const struct model_net *net = mapping_net_by_vni(c->mapping,
                                                         port->vni);

        if (net && net->ipv6 != MODEL_IPV6_NONE && port->ofport
            && !port->host_port) {
            bound = bound ? bound : bound_ports(c);
            if (bound[i]) {
                advertise(c, port, net);
            }
        }
    }
    free(bound);
}
