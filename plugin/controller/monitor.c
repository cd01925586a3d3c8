/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller tells those who watch it. */
#include <config.h>
#include "controller/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/names.h"
#include "controller/ofctrl.h"
#include "controller/services.h"
#include "controller/status.h"
#include "coverage.h"
#include "daemon.h"
#include "dirs.h"
#include "model/mapping.h"
#include "model/metrics.h"
#include "openvswitch/dynamic-string.h"
#include "ovsdb-idl.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "vswitch-idl.h"

/* Counters that modules keep. */
#define COUNTERS                                                        \
    COUNTER(ofctrl_flow_mod, "flow_changes_total",                      \
            "Changes of flows sent to the bridge.")                     \
    COUNTER(ofctrl_bundle_committed, "bundles_committed_total",         \
            "Bundles of changes that the bridge has taken.")            \
    COUNTER(ofctrl_bundle_refused, "bundles_refused_total",             \
            "Bundles of changes that the bridge has refused.")          \
    COUNTER(ofctrl_read_back, "flow_read_backs_total",                  \
            "Times that the bridge's flows were read.")                 \
    COUNTER(controller_flows_computed, "flow_computations_total",       \
            "Times that the desired flows were computed.")              \
    COUNTER(duplicate_address, "duplicates_seen_total",                 \
            "Addresses of others that local ports were found to claim.") \
    COUNTER(loop_blocked, "ports_blocked_total",                        \
            "Times that a port was cut off because of a loop.")         \
    COUNTER(guard_probe_forged, "loop_probes_forged_total",             \
            "Probes for loops that no member of the vSubnet has sent.") \
    COUNTER(mac_moved, "mac_moves_total",                               \
            "Times that a learnt MAC was somewhere else than before.")  \
    COUNTER(mac_held, "macs_held_total",                                \
            "Times that a MAC was held because it moved too often.")    \
    COUNTER(acl_logged, "acl_log_lines_total",                          \
            "Packets that a rule has logged, as lines of the log.")     \
    COUNTER(acl_log_left_out, "acl_log_left_out_total",                 \
            "Packets for which a rule has had its share of lines.")

#define COUNTER(COVERAGE, NAME, HELP)                   \
    extern struct coverage_counter counter_##COVERAGE;
COUNTERS
#undef COUNTER

static const struct {
    const struct coverage_counter *counter;
    const char *name;
    const char *help;
} counters[] = {
#define COUNTER(COVERAGE, NAME, HELP)                           \
    { &counter_##COVERAGE, "vsubnet_controller_" NAME, HELP },
    COUNTERS
#undef COUNTER
};

static void
put_gauge(struct ds *out, const char *name, const char *help, double value)
{
    metrics_single(out, name, METRICS_GAUGE, help, value);
}

static void
put_by(struct ds *out, const char *name, const char *label, const char *value,
       double n)
{
    metrics_sample(out, name, (const struct metrics_label[]) {
        { label, value }, { NULL, NULL } }, n);
}

/* Processes. */

/* Returns how many bytes process 'pid' has in memory, 0 if that can't be
 * known. */
static double
resident_bytes(pid_t pid)
{
    char path[64];
    long long int size, resident = 0;

    snprintf(path, sizeof path, "/proc/%ld/statm", (long int) pid);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%lld %lld", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return (double) resident * sysconf(_SC_PAGESIZE);
}

static double
vswitchd_bytes(void)
{
    char *path = xasprintf("%s/ovs-vswitchd.pid", ovs_rundir());
    pid_t pid = access(path, R_OK) ? 0 : read_pidfile(path);

    free(path);
    return pid > 0 ? resident_bytes(pid) : 0;
}

static void
put_processes(struct ds *out)
{
    static const char memory[] = "vsubnet_controller_memory_resident_bytes";
    struct rusage usage;

    metrics_family(out, "vsubnet_controller_info", METRICS_GAUGE,
                   "1, labelled with the program's version.");
    put_by(out, "vsubnet_controller_info", "version", VSUBNET_VERSION, 1);
    if (!getrusage(RUSAGE_SELF, &usage)) {
        metrics_single(out, "vsubnet_controller_cpu_seconds_total",
                       METRICS_COUNTER, "Processor time of the program.",
                       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
                       + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
                       / 1e6);
    }
    metrics_family(out, memory, METRICS_GAUGE,
                   "Memory of this program and of ovs-vswitchd (0: it does "
                   "not run, or can't be looked at).");
    put_by(out, memory, "process", "vsubnet-controller",
           resident_bytes(getpid()));
    put_by(out, memory, "process", "ovs-vswitchd", vswitchd_bytes());
}

/* The service and the mapping. */

static void
put_service(struct ds *out, const struct controller *c)
{
    struct client_status status;

    client_get_status(c->client, &status);
    put_gauge(out, "vsubnet_controller_joined",
              "1 if the host has joined a mapping service.",
              c->node.identity != NULL);
    put_gauge(out, "vsubnet_controller_service_connected",
              "1 while there is an event stream from the mapping service.",
              status.live);
    metrics_single(out, "vsubnet_controller_service_connections_total",
                   METRICS_COUNTER, "Times that the event stream began.",
                   client_connections(c->client));
    put_gauge(out, "vsubnet_controller_lease_held",
              "1 if the service granted this node's lease when last asked.",
              status.lease == LEASE_GRANTED);
    if (status.live) {
        put_gauge(out, "vsubnet_controller_service_silent_seconds",
                  "Time since the last byte of the event stream (a comment "
                  "comes each 15 s).",
                  (time_msec() - status.last_heard) / 1000.);
    }
}

static void
put_mapping(struct ds *out, const struct controller *c)
{
    size_t bindings = 0, members = 0, keys = 0;
    const struct model_net *net;

    if (!c->mapping) {
        return;
    }
    HMAP_FOR_EACH (net, by_name, &c->mapping->nets) {
        bindings += hmap_count(&net->bindings);
        members += hmap_count(&net->members);
        keys += hmap_count(&net->keys);
    }
    put_gauge(out, "vsubnet_controller_mapping_revision",
              "Number of the last change of the mapping that is known.",
              c->mapping->revision.number);
    if (c->current_at) {
        put_gauge(out, "vsubnet_controller_mapping_age_seconds",
                  "Time since the service last stood by the mapping.",
                  MAX(0, time_wall() - c->current_at));
    }
    put_gauge(out, "vsubnet_controller_nets",
              "vSubnets that this node is a member of.",
              hmap_count(&c->mapping->nets));
    put_gauge(out, "vsubnet_controller_members",
              "Memberships in these vSubnets.", members);
    put_gauge(out, "vsubnet_controller_bindings",
              "Bindings in these vSubnets.", bindings);
    put_gauge(out, "vsubnet_controller_peer_keys",
              "Keys of other members of these vSubnets.", keys);
}

static void
put_switch(struct ds *out, const struct controller *c)
{
    const struct ovs_tunnel *tunnel = ovs_config_tunnel(c->ovs);
    struct ofctrl_status status;
    const char *why;

    ofctrl_get_status(c->ofctrl, &status);
    put_gauge(out, "vsubnet_controller_ready",
              "1 if flows and keys are as the mapping wants them (see "
              "/readyz).", monitor_is_ready(c, &why));
    put_gauge(out, "vsubnet_controller_problems",
              "Problems that vsubnetctl status would list.",
              status_n_problems(c));
    put_gauge(out, "vsubnet_controller_ovsdb_connected",
              "1 while there is a connection to the Open_vSwitch database.",
              ovs_config_is_connected(c->ovs));
    put_gauge(out, "vsubnet_controller_openflow_connected",
              "1 while there is an OpenFlow connection to the bridge.",
              status.connected);
    put_gauge(out, "vsubnet_controller_flows",
              "Flows in the bridge, without those that it has learnt.",
              status.n_installed);
    put_gauge(out, "vsubnet_controller_flows_in_sync",
              "1 if the bridge has all flows that it should have.",
              ofctrl_is_in_sync(c->ofctrl));
    put_gauge(out, "vsubnet_controller_keyring_loaded",
              "1 if ovs-vswitchd has loaded the keyring that was written "
              "last.", keyring_out_is_loaded(&c->keyring));
    put_gauge(out, "vsubnet_controller_ports",
              "Ports of this host that are in a vSubnet.", c->ports.n);
    put_gauge(out, "vsubnet_controller_blocked_ports",
              "Ports of this host that are cut off.",
              loop_guard_n_blocked(&c->guard.loops));
    put_gauge(out, "vsubnet_controller_duplicate_addresses",
              "Addresses of others that local ports claim.",
              duplicates_count(&c->duplicates));
    metrics_family(out, "vsubnet_controller_tunnel_mtu_bytes", METRICS_GAUGE,
                   "Longest inner packet that goes to each peer in one "
                   "datagram.");
    if (tunnel->mtu) {
        metrics_sample(out, "vsubnet_controller_tunnel_mtu_bytes", NULL,
                       tunnel->mtu);
    }
}

/* Statistics of ports. */

static const struct {
    const char *key;            /* In the database. */
    const char *name;
    const char *help;
} port_counters[] = {
    { "rx_packets", "vsubnet_controller_port_receive_packets_total",
      "Packets that came in by a port in a vSubnet, or the tunnel port." },
    { "rx_bytes", "vsubnet_controller_port_receive_bytes_total",
      "Bytes in them." },
    { "rx_dropped", "vsubnet_controller_port_receive_dropped_total",
      "Packets that were dropped coming in." },
    { "rx_errors", "vsubnet_controller_port_receive_errors_total",
      "Packets that came in with errors." },
    { "tx_packets", "vsubnet_controller_port_transmit_packets_total",
      "Packets that went out by a port in a vSubnet, or the tunnel port." },
    { "tx_bytes", "vsubnet_controller_port_transmit_bytes_total",
      "Bytes in them." },
    { "tx_dropped", "vsubnet_controller_port_transmit_dropped_total",
      "Packets that were dropped going out." },
    { "tx_errors", "vsubnet_controller_port_transmit_errors_total",
      "Packets that could not go out for errors." },
};

static void
put_port(struct ds *out, const struct ovsrec_interface *iface, size_t which)
{
    for (size_t i = 0; i < iface->n_statistics; i++) {
        if (!strcmp(iface->key_statistics[i], port_counters[which].key)) {
            put_by(out, port_counters[which].name, "port", iface->name,
                   iface->value_statistics[i]);
        }
    }
}

/* What the meters of local ports have dropped. */
static void
put_meters(struct ds *out, const struct controller *c)
{
    static const struct {
        const char *name, *help;
        uint32_t (*meter)(ofp_port_t);
    } meters[] = {
        { "vsubnet_controller_port_flood_dropped_total",
          "Broadcast, unknown and multicast frames of a port above the "
          "vSubnet's bum_rate.", meter_of_bum },
        { "vsubnet_controller_port_controller_dropped_total",
          "Frames of a port that were too many for the controller.",
          meter_of_punts },
    };

    for (size_t i = 0; i < ARRAY_SIZE(meters); i++) {
        metrics_family(out, meters[i].name, METRICS_COUNTER, meters[i].help);
        for (size_t j = 0; j < c->ports.n; j++) {
            const struct local_port *port = &c->ports.ports[j];

            if (port->ofport) {
                put_by(out, meters[i].name, "port", port->name,
                       ofctrl_meter_dropped(c->ofctrl,
                                            meters[i].meter(port->ofport)));
            }
        }
    }
}

/* What the tunnel port counts beside that: by reason. */
static void
put_tunnel(struct ds *out, const struct ovsrec_interface *iface)
{
    static const char name[] = "vsubnet_controller_tunnel_total";

    metrics_family(out, name, METRICS_COUNTER,
                   "What the tunnel port counts, by its own names (see "
                   "vsubnet-port(7)).");
    for (size_t i = 0; i < iface->n_statistics; i++) {
        put_by(out, name, "counter", iface->key_statistics[i],
               iface->value_statistics[i]);
    }
}

static void
put_ports(struct ds *out, const struct controller *c)
{
    const struct ovsrec_interface *tunnel = NULL;
    const struct ovsrec_interface *iface;
    struct ovsdb_idl *idl = ovs_config_idl(c->ovs);
    const struct ovsrec_interface **ifaces = xcalloc(c->ports.n + 1,
                                                     sizeof *ifaces);
    size_t n = 0;

    OVSREC_INTERFACE_FOR_EACH (iface, idl) {
        bool is_tunnel = !strcmp(iface->name, NAME_TUNNEL_PORT);

        if (n <= c->ports.n
            && (is_tunnel || local_ports_find(&c->ports, iface->name))) {
            ifaces[n++] = iface;
            tunnel = is_tunnel ? iface : tunnel;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(port_counters); i++) {
        metrics_family(out, port_counters[i].name, METRICS_COUNTER,
                       port_counters[i].help);
        for (size_t j = 0; j < n; j++) {
            put_port(out, ifaces[j], i);
        }
    }
    if (tunnel) {
        put_tunnel(out, tunnel);
    }
    free(ifaces);
}

char *
monitor_metrics(const struct controller *c)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    put_processes(&out);
    put_service(&out, c);
    put_mapping(&out, c);
    put_switch(&out, c);
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        metrics_single(&out, counters[i].name, METRICS_COUNTER,
                       counters[i].help, counters[i].counter->total);
    }
    services_metrics(&c->services, &out);
    put_ports(&out, c);
    put_meters(&out, c);
    return ds_steal_cstr(&out);
}

bool
monitor_is_ready(const struct controller *c, const char **why)
{
    struct ofctrl_status status;

    ofctrl_get_status(c->ofctrl, &status);
    *why = (!c->node.identity
            ? "this host has not joined a mapping service"
            : !c->mapping
            ? "there is no mapping: neither the service's nor a cache"
            : !ovs_config_is_connected(c->ovs)
            ? "there is no connection to the Open_vSwitch database"
            : !status.connected
            ? "there is no OpenFlow connection to the bridge"
            : c->keyring_changed || !keyring_out_is_loaded(&c->keyring)
            ? "ovs-vswitchd has not loaded the keyring yet"
            : c->flows_changed || !ofctrl_is_in_sync(c->ofctrl)
            ? "flows are not yet as the mapping wants them"
            : NULL);
    return !*why;
}

static void
metrics_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *c)
{
    char *text = monitor_metrics(c);

    unixctl_command_reply(conn, text);
    free(text);
}

void
monitor_init(struct controller *c)
{
    struct ovsdb_idl *idl = ovs_config_idl(c->ovs);

    /* Nothing is to be computed again for it. */
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_statistics);
    ovsdb_idl_omit_alert(idl, &ovsrec_interface_col_statistics);
    unixctl_command_register("vsubnet/metrics", "", 0, 0, metrics_command, c);
}
