/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of plugin/controller share. */
#ifndef UNIT_CONTROLLER_H
#define UNIT_CONTROLLER_H 1

#include <stdio.h>
#include <stdlib.h>

struct local_ports;
struct mapping;
struct ovs_cmdl_context;

/* Ends the test as failed, with words, unless 'CONDITION' holds. */
#define CHECK(CONDITION, ...)                                           \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "%s:%d: %s:", __FILE__, __LINE__, #CONDITION); \
            fprintf(stderr, " " __VA_ARGS__);                           \
            fprintf(stderr, "\n");                                      \
            exit(1);                                                    \
        }                                                               \
    } while (0)

/* Node 7 of a service with nodes 9 and 12, vSubnets "demo" (VNI 5001: 7, 9)
 * and "far" (VNI 5002, group 239.1.1.1: 7, 12), and these bindings of demo:
 * 06:76:00:00:00:07 (host, 7), 06:76:00:00:00:09 (host, 9),
 * 0a:..:01 (dynamic, 9), 0a:..:02 (dynamic, 7, port tap0, 10.77.0.20). */
struct mapping *test_mapping(void);

/* vs-demo (1, host), tap0 (2, learns), tap1 (3, has MAC 0a:..:03) in demo. */
void test_ports(struct local_ports *);

/* unit-controller-acl.c */
void test_ct_zones(struct ovs_cmdl_context *);
void test_labels(struct ovs_cmdl_context *);
void test_acl_log(struct ovs_cmdl_context *);

/* unit-controller-rules.c */
void test_rules(struct ovs_cmdl_context *);
void test_rule_sizes(struct ovs_cmdl_context *);

/* unit-controller-flow.c */
void test_desired(struct ovs_cmdl_context *);
void test_desired_sizes(struct ovs_cmdl_context *);
void test_diff(struct ovs_cmdl_context *);
void test_canonical(struct ovs_cmdl_context *);
void test_cookie(struct ovs_cmdl_context *);

/* unit-controller-arp.c */
extern const char *const arp_flows[];
extern const size_t n_arp_flows;
void test_arp_sizes(struct ovs_cmdl_context *);

/* unit-controller-security.c */
void test_security(struct ovs_cmdl_context *);
void test_security_none(struct ovs_cmdl_context *);

/* unit-controller-duplicates.c */
void test_duplicates(struct ovs_cmdl_context *);

/* unit-controller-cache.c */
void test_cache(struct ovs_cmdl_context *);
void test_cache_error(struct ovs_cmdl_context *);
void test_snapshot_text(struct ovs_cmdl_context *);

/* unit-controller-index.c */
void test_flow_index(struct ovs_cmdl_context *);
void test_flow_index_one(struct ovs_cmdl_context *);

/* unit-controller-binding.c */
void test_learnt(struct ovs_cmdl_context *);
void test_bindings(struct ovs_cmdl_context *);
void test_bindings_learnt(struct ovs_cmdl_context *);
void test_keyring(struct ovs_cmdl_context *);

/* unit-controller-hits.c */
void test_rule_cookie(struct ovs_cmdl_context *);
void test_registrar(struct ovs_cmdl_context *);
void test_registrar_news(struct ovs_cmdl_context *);
void test_hits(struct ovs_cmdl_context *);

/* unit-controller-identity.c */
void test_identity(struct ovs_cmdl_context *);
void test_identity_file(struct ovs_cmdl_context *);
void test_instance(struct ovs_cmdl_context *);
void test_lease(struct ovs_cmdl_context *);
void test_credential(struct ovs_cmdl_context *);

/* unit-controller-keys.c */
void test_own_keys(struct ovs_cmdl_context *);
void test_key_rotation(struct ovs_cmdl_context *);

/* unit-controller-storm.c */
void test_meters(struct ovs_cmdl_context *);
void test_guard_flows(struct ovs_cmdl_context *);
void test_loop_probe(struct ovs_cmdl_context *);
void test_loop_guard(struct ovs_cmdl_context *);
void test_mac_damping(struct ovs_cmdl_context *);

/* unit-controller-trace.c */
void test_flow_names(struct ovs_cmdl_context *);
void test_trace_query(struct ovs_cmdl_context *);
void test_trace_words(struct ovs_cmdl_context *);

/* unit-controller-moves.c */
void test_claim(struct ovs_cmdl_context *);
void test_claims_converge(struct ovs_cmdl_context *);
void test_claim_flows(struct ovs_cmdl_context *);
void test_claim_announcement(struct ovs_cmdl_context *);
void test_claim_pace(struct ovs_cmdl_context *);
void test_announce(struct ovs_cmdl_context *);

#endif /* unit-controller.h */
