/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service when what it sent is in force, if it asks. */
#include <config.h>
#include "controller/installed.h"

#include <stdlib.h>
#include <string.h>

#include "controller/client.h"
#include "controller/controller.h"
#include "controller/flow-acl.h"
#include "controller/http.h"
#include "controller/monitor.h"
#include "controller/sse.h"
#include "model/jansson.h"
#include "model/mapping.h"
#include "model/reader.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(installed);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

bool
installed_event(struct controller *c, const struct sse_event *event)
{
    struct model_revision revision;
    json_t *json = NULL;

    if (strcmp(event->type, "confirm")) {
        return false;
    }
    char *error = model_json_parse(event->data, event->data_len,
                                   SSE_MAX_EVENT, &json);
    const char *text = json_string_value(json_object_get(json, "revision"));
    if (!error && text) {
        error = model_revision_parse(text, &revision);
        if (!error) {
            c->installed.wanted = revision;
            poll_immediate_wake();
        }
    }
    free(error);
    json_decref(json);
    return true;
}

/* True if the host has the ports that the service wants it to have itself. */
static bool
host_ports_are_there(const struct controller *c)
{
    size_t wanted = 0, present = 0;
    const struct model_net *net;

    HMAP_FOR_EACH (net, by_name, &c->mapping->nets) {
        const struct model_member *member
            = mapping_member(c->mapping, net->name, c->mapping->self->number);

        wanted += member && member->host_port;
    }
    for (size_t i = 0; i < c->ports.n; i++) {
        const struct local_port *port = &c->ports.ports[i];

        present += port->host_port && port->ofport;
    }
    return present == wanted;
}

/* True if this node has a key to send with in each of its vSubnets. */
static bool
keys_are_there(const struct controller *c)
{
    const struct model_net *net;

    HMAP_FOR_EACH (net, by_name, &c->mapping->nets) {
        if (mapping_member(c->mapping, net->name, c->mapping->self->number)
            && !own_keys_in_force(&c->keys, net->name)) {
            return false;
        }
    }
    return true;
}

/* True if each filtered vSubnet has a zone, without which nothing passes. */
static bool
zones_are_there(const struct controller *c)
{
    const struct model_net *net;

    HMAP_FOR_EACH (net, by_name, &c->mapping->nets) {
        if (flow_acl_is_filtered(net) && !ct_zones_find(&c->zones, net->vni)
            && hmap_count(&c->zones.zones) < CT_ZONE_MAX) {
            return false;
        }
    }
    return true;
}

static void
told(const struct http_result *result, void *installed_)
{
    struct installed *installed = installed_;

    installed->telling = false;
    if (result->status != 204) {
        VLOG_INFO_RL(&rl, "telling what is installed: %s",
                     result->error ? result->error : result->body);
    }
    poll_immediate_wake();
}

void
installed_run(struct controller *c)
{
    struct installed *installed = &c->installed;
    const char *why;

    if (model_revision_is_zero(installed->wanted) || installed->telling) {
        return;
    }
    if (c->mapping_changed || c->keyring_changed
        || !monitor_is_ready(c, &why) || !c->mapping->self
        || !host_ports_are_there(c) || !keys_are_there(c)
        || !zones_are_there(c)) {
        return;
    }

    char *body = xasprintf("{\"revision\":\""MODEL_REVISION_FMT"\"}",
                           MODEL_REVISION_ARGS(installed->wanted));
    installed->telling = client_request(c->client, "POST",
                                        "/v1/self/installed", body, told,
                                        installed);
    if (installed->telling) {
        installed->wanted = (struct model_revision) { 0, 0 };
    }
    free(body);
}
