/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/model that are in other files than unit-model.c. */

#ifndef UNIT_MODEL_H
#define UNIT_MODEL_H 1

struct ovs_cmdl_context;

void test_snapshot(struct ovs_cmdl_context *);
void test_change(struct ovs_cmdl_context *);
void test_lookups(struct ovs_cmdl_context *);
void test_random(struct ovs_cmdl_context *);
void test_damaged(struct ovs_cmdl_context *);
void test_scale(struct ovs_cmdl_context *);

void test_rules(struct ovs_cmdl_context *);
void test_rule_text(struct ovs_cmdl_context *);
void test_rule_order(struct ovs_cmdl_context *);
void test_rule_mapping(struct ovs_cmdl_context *);

void test_settings(struct ovs_cmdl_context *);
void test_dhcp(struct ovs_cmdl_context *);
void test_labels(struct ovs_cmdl_context *);
void test_domains(struct ovs_cmdl_context *);
void test_touches(struct ovs_cmdl_context *);

#endif /* unit-model.h */
