/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of table Rule as rules of the model, and back. */

#include <config.h>

#include "mapper/rule-row.h"

#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "model/jansson.h"
#include "model/rule.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(rule_row);

static int
number_or_none(const int64_t *number, size_t n)
{
    return n ? *number : -1;
}

/* What was once checked parses; anything else in the database is left out. */
static void
leave_out(char *error)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

    if (error) {
        VLOG_WARN_RL(&rl, "ignoring a value in the database: %s", error);
        free(error);
    }
}

void
rule_row_read(const struct db *db, const struct mdb_rule *row,
              struct model_rule *rule)
{
    memset(rule, 0, sizeof *rule);
    rule->revision = db_row_revision(db, row->revision);
    rule->net = xstrdup(row->net);
    rule->name = xstrdup(row->name);
    rule->priority = row->priority;
    leave_out(model_direction_parse(row->direction, &rule->direction));
    rule->label = row->label[0] ? xstrdup(row->label) : NULL;
    leave_out(model_action_parse(row->action, &rule->action));
    rule->log = row->log;
    rule->remote_label = (row->remote_label[0] ? xstrdup(row->remote_label)
                          : NULL);
    if (row->remote_address[0]) {
        char *error = model_remote_parse(row->remote_address, &rule->remote);

        rule->has_remote = !error;
        leave_out(error);
    }
    rule->protocol = number_or_none(row->protocol, row->n_protocol);
    if (row->ports[0]) {
        leave_out(model_ports_parse(row->ports, &rule->ports, &rule->n_ports));
    }
    rule->icmp_type = number_or_none(row->icmp_type, row->n_icmp_type);
    rule->icmp_code = number_or_none(row->icmp_code, row->n_icmp_code);
}

struct json_t *
db_rule_json(const struct db *db, const struct mdb_rule *row)
{
    struct model_rule rule;

    rule_row_read(db, row, &rule);
    struct json_t *json = model_rule_to_json(&rule);
    model_rule_destroy(&rule);
    return json;
}

void
rule_row_write(const struct mdb_rule *row, const struct model_rule *rule)
{
    int64_t protocol = rule->protocol;
    int64_t icmp_type = rule->icmp_type;
    int64_t icmp_code = rule->icmp_code;
    char *ports = model_ports_format(rule->ports, rule->n_ports);
    char remote[MODEL_ADDRESS_STRLEN];

    mdb_rule_set_name(row, rule->name);
    mdb_rule_set_priority(row, rule->priority);
    mdb_rule_set_direction(row, model_direction_name(rule->direction));
    mdb_rule_set_label(row, rule->label ? rule->label : "");
    mdb_rule_set_action(row, model_action_name(rule->action));
    mdb_rule_set_log(row, rule->log);
    mdb_rule_set_remote_label(row, (rule->remote_label ? rule->remote_label
                                    : ""));
    mdb_rule_set_remote_address(
        row, (rule->has_remote ? model_address_string(&rule->remote, remote)
              : ""));
    mdb_rule_set_protocol(row, &protocol, protocol >= 0);
    mdb_rule_set_ports(row, ports ? ports : "");
    mdb_rule_set_icmp_type(row, &icmp_type, icmp_type >= 0);
    mdb_rule_set_icmp_code(row, &icmp_code, icmp_code >= 0);
    free(ports);
}
