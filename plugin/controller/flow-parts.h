/* SPDX-License-Identifier: Apache-2.0 */
/* What each service adds to each part of the flows. */
#ifndef VSUBNET_FLOW_PARTS_H
#define VSUBNET_FLOW_PARTS_H 1

/* flow-desired.c puts the parts together (flow-desired.h says which, and what
 * they may depend on) out of these.  Internal to flow-*.c.  Pure. */

#include <stdint.h>
#include "controller/claim.h"

struct compose;
struct local_port;
struct model_binding;
struct model_net;

/* flow-learn.c: tables 10 to 12.  flow_learn_binding() is for a dynamic
 * binding at the local port. */
void flow_learn_base(struct compose *);
void flow_learn_port(struct compose *, const struct model_net *,
                     const struct local_port *);
void flow_learn_net(struct compose *, const struct model_net *);
void flow_learn_binding(struct compose *, const struct model_net *,
                        const struct local_port *,
                        const struct model_binding *, uint64_t cookie);

/* flow-arp.c: tables 15 to 17. */
void flow_arp_base(struct compose *);
void flow_arp_port(struct compose *, const struct model_net *,
                   const struct local_port *);
void flow_arp_binding(struct compose *, const struct model_net *,
                      const struct model_binding *);

/* flow-security.c: tables 5 and 6. */
void flow_security_port(struct compose *, const struct model_net *,
                        const struct local_port *);

/* flow-services.c: table 18. */
void flow_services_port(struct compose *, const struct model_net *,
                        const struct local_port *);

/* flow-storm.c: table 35. */
void flow_storm_base(struct compose *);
void flow_storm_port(struct compose *, const struct local_port *);

/* The same, tables 0 and 11: MACs that are held. */
void flow_storm_net(struct compose *, const struct model_net *);

/* flow-loop.c: table 0. */
void flow_loop_base(struct compose *);
void flow_loop_port(struct compose *, const struct local_port *);

/* flow-moves.c: table 11, and whose the port's MAC is. */
enum claim_state flow_claim_state(const struct compose *,
                                  const struct model_net *,
                                  const struct local_port *);
void flow_moves_port(struct compose *, const struct model_net *,
                     const struct local_port *);

/* flow-acl.c: tables 22 to 24 and 45 to 49, and copies of flooded frames where
 * there is filtering; flow-rule.c: the rules in 46 and 47, a part of their
 * own. */
void flow_acl_base(struct compose *);
void flow_acl_net(struct compose *, const struct model_net *);
void flow_acl_flood_here(struct compose *);
void flow_acl_flood(struct compose *, const struct model_net *,
                    const struct local_port *);
void flow_rules_net(struct compose *, const struct model_net *);

#endif /* flow-parts.h */
