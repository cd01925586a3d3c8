/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the database that several requests make: labels. */

#include <config.h>

#include "mapper/change.h"

#include <stdlib.h>
#include <string.h>

#include "mapper/db.h"
#include "mapper/label.h"
#include "mapper/txn.h"
#include "model/reader.h"
#include "sset.h"
#include "util.h"

/* A binding's labels, which the IDL keeps sorted. */
static bool
binding_has(const struct mdb_binding *row, const char *label)
{
    for (size_t i = 0; i < row->n_labels; i++) {
        if (!strcmp(row->labels[i], label)) {
            return true;
        }
    }
    return false;
}

static bool
rules_have(const struct db *db, const char *net, const char *label,
           const struct uuid *except)
{
    const struct mdb_rule *row;
    bool found = false;

    struct mdb_rule *key = mdb_rule_index_init_row(db->rule_by_net);
    mdb_rule_index_set_net(key, net);
    MDB_RULE_FOR_EACH_EQUAL (row, key, db->rule_by_net) {
        if ((!strcmp(row->label, label) || !strcmp(row->remote_label, label))
            && !(except && uuid_equals(&row->header_.uuid, except))) {
            found = true;
            break;
        }
    }
    mdb_rule_index_destroy_row(key);
    return found;
}

/* Says whether something in vSubnet NET other than the row EXCEPT names
 * LABEL.  What many have is found soon. */
static bool
label_is_used(const struct db *db, const char *net, const char *label,
              const struct uuid *except)
{
    if (rules_have(db, net, label, except)) {
        return true;
    }

    const struct mdb_binding *row;
    bool found = false;

    struct mdb_binding *key = mdb_binding_index_init_row(db->binding_by_net);
    mdb_binding_index_set_net(key, net);
    MDB_BINDING_FOR_EACH_EQUAL (row, key, db->binding_by_net) {
        if (binding_has(row, label)
            && !(except && uuid_equals(&row->header_.uuid, except))) {
            found = true;
            break;
        }
    }
    mdb_binding_index_destroy_row(key);
    return found;
}

/* label_list_change() with a refusal. */
static char *
change_list(const struct mdb_net *net, char *const *gone, size_t n_gone,
            char *const *added, size_t n_added,
            struct change_refusal *refusal)
{
    char *list = label_list_change(net->labels, gone, n_gone, added,
                                   n_added);

    if (!list) {
        refusal->code = "too-many-labels";
        refusal->detail = xasprintf("vSubnet %s would have more than %d "
                                    "labels", net->name, MODEL_LABELS_MAX);
    }
    return list;
}

char *
change_check_labels(const struct txn *txn, const struct mdb_net *net,
                    const struct uuid *row, char *const *gone, size_t n_gone,
                    char *const *added, size_t n_added,
                    struct change_refusal *refusal)
{
    char **unused = xcalloc(n_gone + 1, sizeof *unused);
    size_t n_unused = 0;

    for (size_t i = 0; i < n_gone; i++) {
        if (!label_is_used(txn->db, net->name, gone[i], row)) {
            unused[n_unused++] = gone[i];
        }
    }
    char *list = change_list(net, unused, n_unused, added, n_added, refusal);
    free(unused);
    return list;
}

/* Adds to NAMES the labels that bindings of NET have. */
static void
collect_bound(const struct db *db, const char *net, struct sset *names)
{
    size_t n;
    struct mdb_binding **rows = db_bindings_of_net(db, net, &n);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < rows[i]->n_labels; j++) {
            sset_add(names, rows[i]->labels[j]);
        }
    }
    free(rows);
}

char *
change_check_rules_labels(const struct txn *txn, const struct mdb_net *net,
                          char *const *added, size_t n_added,
                          struct change_refusal *refusal)
{
    struct sset bound = SSET_INITIALIZER(&bound);
    size_t n_gone = 0;
    char **labels;
    size_t n = label_list_parse(net->labels, &labels);
    char **gone = xcalloc(n + 1, sizeof *gone);

    collect_bound(txn->db, net->name, &bound);
    for (size_t i = 0; i < n; i++) {
        if (labels[i][0] && !sset_contains(&bound, labels[i])) {
            gone[n_gone++] = labels[i];
        }
    }
    char *list = change_list(net, gone, n_gone, added, n_added, refusal);
    free(gone);
    model_labels_free(labels, n);
    sset_destroy(&bound);
    return list;
}

void
change_set_labels(struct txn *txn, const struct mdb_net *net,
                  const char *list)
{
    if (strcmp(net->labels, list)) {
        mdb_net_set_labels(net, list);
        mdb_net_set_revision(net, txn_touch(txn));
    }
}

void
change_drop_labels(struct txn *txn, const char *net_name,
                   const struct uuid *row, char *const *gone, size_t n_gone)
{
    const struct mdb_net *net = n_gone ? db_net(txn->db, net_name) : NULL;
    struct change_refusal refusal;

    if (net) {
        char *list = change_check_labels(txn, net, row, gone, n_gone, NULL,
                                         0, &refusal);

        change_set_labels(txn, net, list);
        free(list);
    }
}
