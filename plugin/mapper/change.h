/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the database that several requests make. */

#ifndef MAPPER_CHANGE_H
#define MAPPER_CHANGE_H 1

/* These keep the tables consistent with one another: what goes when a node, a
 * vSubnet or a membership goes; which addresses a binding may have.
 *
 * change_check_*() say whether something is possible, change nothing, and on
 * refusal fill in a struct change_refusal; their change_*() partners assume
 * that it was asked in this transaction, and can't fail.  Every row that is
 * made or modified gets the transaction's revision.
 *
 * An address belongs to one MAC of a vSubnet.  What an operator or the
 * service assigned (origin "static" and "host") is never taken away by
 * something else; what a node has learnt ("dynamic") goes to whoever comes
 * later, also to an assignment that finds nothing else free. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mdb_binding;
struct mdb_member;
struct mdb_net;
struct mdb_node;
struct model_address;
struct txn;
struct uuid;

struct change_refusal {
    const char *code;           /* Of the problem, static. */
    char *detail;               /* Owned by who passed the struct. */
};

/* Membership.  With HOST_PORT the node gets a binding of its own, with one
 * address of each range.  Safe to call for an existing member. */
bool change_check_member(const struct txn *, const struct mdb_net *,
                         const struct mdb_node *, bool host_port,
                         struct change_refusal *);
void change_put_member(struct txn *, const struct mdb_net *,
                       const struct mdb_node *, bool host_port);
void change_remove_member(struct txn *, const struct mdb_member *);

/* Bindings. */
bool change_check_addresses(const struct txn *, const char *net,
                            const char *mac,
                            const struct model_address *, size_t n,
                            struct change_refusal *);
void change_set_addresses(struct txn *, const char *net, const char *mac,
                          const struct model_address *, size_t n);
struct mdb_binding *change_new_binding(struct txn *, const char *net,
                                       const char *mac, const char *origin);
void change_remove_binding(struct txn *, const struct mdb_binding *);

/* Says that the binding is at node NUMBER now, or at none (0).  Its sequence
 * grows whenever it comes to another node; that of a dynamic one begins with
 * more than any before it of its MAC can have had. */
void change_place_binding(struct txn *, const struct mdb_binding *,
                          int64_t number);

/* Labels of a vSubnet (label.h), when those that ROW names (null: what has no
 * row yet) change from GONE to ADDED.  _check_ returns what the vSubnet's list
 * will be, which the caller frees and gives _set_, or null with a refusal if
 * there are too many.  _drop_ is for a row that is about to go. */
char *change_check_labels(const struct txn *, const struct mdb_net *,
                          const struct uuid *row,
                          char *const *gone, size_t n_gone,
                          char *const *added, size_t n_added,
                          struct change_refusal *);
/* The same when all rules are replaced by such as name ADDED. */
char *change_check_rules_labels(const struct txn *, const struct mdb_net *,
                                char *const *added, size_t n_added,
                                struct change_refusal *);
void change_set_labels(struct txn *, const struct mdb_net *,
                       const char *list);
void change_drop_labels(struct txn *, const char *net,
                        const struct uuid *row,
                        char *const *gone, size_t n_gone);

/* Draws one free address of each range of NET, or keeps the one that MAC has
 * there.  *ADDRESSES is malloc()'d. */
bool change_draw_addresses(const struct txn *, const struct mdb_net *,
                           const char *mac, struct model_address **addresses,
                           size_t *n, struct change_refusal *);

/* Orders new keys in a vSubnet: those that are made by who does not know yet
 * are stale.  Part of the end of a membership, too, if others remain. */
void change_rekey(struct txn *, const struct mdb_net *);

/* A vSubnet with all that is in it; all that a node has (but the node's own
 * row stays); and a vSubnet's new ranges. */
void change_remove_net(struct txn *, const struct mdb_net *);
void change_strip_node(struct txn *, const struct mdb_node *);
bool change_check_subnets(const struct txn *, const struct mdb_net *,
                          const struct model_address *, size_t n,
                          struct change_refusal *);
void change_set_subnets(struct txn *, const struct mdb_net *,
                        const struct model_address *, size_t n);

#endif /* mapper/change.h */
