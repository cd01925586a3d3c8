/* SPDX-License-Identifier: Apache-2.0 */
/* The API: its routes, and which one a request takes. */

#include <config.h>

#include "mapper/api-route.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define WRITE (ROUTE_WRITES)
#define WRITE_BODY (ROUTE_WRITES | ROUTE_BODY)
#define WRITE_MAY (ROUTE_WRITES | ROUTE_BODY_MAY)
#define CREATE (ROUTE_WRITES | ROUTE_BODY | ROUTE_ONCE)
#define CREATE_MAY (ROUTE_WRITES | ROUTE_BODY_MAY | ROUTE_ONCE)
#define ANYHOW (ROUTE_ANY_INSTANCE | ROUTE_SUPERSEDED)

/* Who may read what there is; who may change it is said at each route. */
#define USERS (ROLE_OPERATOR | ROLE_VIEWER)

/* All of the API. */
static const struct api_route routes[] = {
    { "GET", "/healthz", ROLE_ANYONE, api_healthz, ROUTE_NO_DB },
    { "GET", "/readyz", ROLE_ANYONE, api_readyz, ROUTE_NO_DB },
    { "GET", "/metrics", USERS, api_metrics, 0 },
    { "GET", "/v1/ca", ROLE_ANYONE, api_ca, ROUTE_NO_DB },
    { "POST", "/v1/register", ROLE_TOKEN | ROLE_NODE, api_register,
      WRITE_BODY | ANYHOW },

    { "GET", "/v1/self", ROLE_NODE, api_self_get, ROUTE_CACHED },
    { "PATCH", "/v1/self", ROLE_NODE, api_self_patch, WRITE_BODY },
    { "PUT", "/v1/self/lease", ROLE_NODE, api_self_lease,
      WRITE_BODY | ANYHOW | ROUTE_MAY_PARK },
    { "POST", "/v1/self/heartbeat", ROLE_NODE, api_self_heartbeat,
      ROUTE_BODY },
    { "PUT", "/v1/self/credential", ROLE_NODE, api_self_credential,
      WRITE_BODY },
    { "POST", "/v1/self/bindings", ROLE_NODE, api_self_bindings, WRITE_BODY },
    { "PUT", "/v1/self/keys", ROLE_NODE, api_self_keys, WRITE_BODY },
    { "DELETE", "/v1/self/keys/*", ROLE_NODE, api_self_key_delete, WRITE },
    { "POST", "/v1/self/loaded", ROLE_NODE, api_self_loaded, ROUTE_BODY },
    { "POST", "/v1/self/installed", ROLE_NODE, api_self_installed,
      ROUTE_BODY },
    { "POST", "/v1/self/answer", ROLE_NODE, api_self_answer, ROUTE_BODY },
    { "POST", "/v1/self/hits", ROLE_NODE, api_self_hits, ROUTE_BODY },
    { "GET", "/v1/events", ROLE_NODE | USERS, api_events, 0 },

    { "GET", "/v1/tokens", USERS, api_tokens_get, 0 },
    { "POST", "/v1/tokens", ROLE_OPERATOR, api_tokens_post, CREATE_MAY },
    { "DELETE", "/v1/tokens/*", ROLE_OPERATOR, api_token_delete, WRITE },

    { "GET", "/v1/nodes", USERS, api_nodes_get, 0 },
    { "GET", "/v1/nodes/*", USERS, api_node_get, 0 },
    { "PATCH", "/v1/nodes/*", ROLE_OPERATOR, api_node_patch, WRITE_BODY },
    { "DELETE", "/v1/nodes/*", ROLE_OPERATOR, api_node_delete, WRITE },
    { "POST", "/v1/nodes/*/adopt", ROLE_OPERATOR, api_node_adopt,
      CREATE_MAY },

    { "GET", "/v1/nets", USERS, api_nets_get, 0 },
    { "POST", "/v1/nets", ROLE_OPERATOR, api_nets_post, CREATE },
    { "GET", "/v1/nets/*", USERS, api_net_get, ROUTE_CACHED },
    { "PATCH", "/v1/nets/*", ROLE_OPERATOR, api_net_patch, WRITE_BODY },
    { "DELETE", "/v1/nets/*", ROLE_OPERATOR, api_net_delete, WRITE },
    { "POST", "/v1/nets/*/rekey", ROLE_OPERATOR, api_net_rekey, CREATE_MAY },
    { "POST", "/v1/nets/*/trace", ROLE_OPERATOR, api_net_trace, ROUTE_BODY },

    { "GET", "/v1/nets/*/members", USERS, api_members_get, 0 },
    { "PUT", "/v1/nets/*/members/*", ROLE_OPERATOR, api_member_put,
      WRITE_MAY },
    { "DELETE", "/v1/nets/*/members/*", ROLE_OPERATOR, api_member_delete,
      WRITE },

    { "GET", "/v1/nets/*/bindings", USERS, api_bindings_get, 0 },
    { "POST", "/v1/nets/*/bindings", ROLE_OPERATOR, api_bindings_post,
      CREATE },
    { "GET", "/v1/nets/*/bindings/*", USERS, api_binding_get, ROUTE_CACHED },
    { "PUT", "/v1/nets/*/bindings/*", ROLE_OPERATOR, api_binding_put,
      WRITE_BODY },
    { "PATCH", "/v1/nets/*/bindings/*", ROLE_OPERATOR, api_binding_patch,
      WRITE_BODY },
    { "DELETE", "/v1/nets/*/bindings/*", ROLE_OPERATOR, api_binding_delete,
      WRITE },

    { "GET", "/v1/nets/*/addresses", USERS, api_addresses_get, 0 },
    { "GET", "/v1/nets/*/pools", USERS, api_pools_get, 0 },
    { "PUT", "/v1/nets/*/pools/*", ROLE_OPERATOR, api_pool_put, WRITE_MAY },
    { "DELETE", "/v1/nets/*/pools/*", ROLE_OPERATOR, api_pool_delete,
      WRITE },
    { "GET", "/v1/nets/*/reservations", USERS, api_reservations_get, 0 },
    { "PUT", "/v1/nets/*/reservations/*", ROLE_OPERATOR, api_reservation_put,
      WRITE_MAY },
    { "DELETE", "/v1/nets/*/reservations/*", ROLE_OPERATOR,
      api_reservation_delete, WRITE },

    { "GET", "/v1/nets/*/rules", USERS, api_rules_get, 0 },
    { "POST", "/v1/nets/*/rules", ROLE_OPERATOR, api_rules_post, CREATE },
    { "PUT", "/v1/nets/*/rules", ROLE_OPERATOR, api_rules_put,
      WRITE_BODY | ROUTE_LARGE },
    { "GET", "/v1/nets/*/rules/*", USERS, api_rule_get, 0 },
    { "PUT", "/v1/nets/*/rules/*", ROLE_OPERATOR, api_rule_put, WRITE_BODY },
    { "PATCH", "/v1/nets/*/rules/*", ROLE_OPERATOR, api_rule_patch,
      WRITE_BODY },
    { "DELETE", "/v1/nets/*/rules/*", ROLE_OPERATOR, api_rule_delete, WRITE },

    { "GET", "/v1/nets/*/keys", USERS, api_keys_get, 0 },

    { "GET", "/v1/users", USERS, api_users_get, 0 },
    { "POST", "/v1/users", ROLE_OPERATOR, api_users_post, CREATE },
    { "GET", "/v1/users/*", USERS, api_user_get, ROUTE_CACHED },
    { "PATCH", "/v1/users/*", ROLE_OPERATOR, api_user_patch, WRITE_BODY },
    { "DELETE", "/v1/users/*", ROLE_OPERATOR, api_user_delete, WRITE },

    { "GET", "/v1/audit", USERS, api_audit_get, 0 },
    { "POST", "/v1/wait", ROLE_OPERATOR, api_wait, ROUTE_BODY_MAY },
};

/* Paths. */

void
api_route_free_args(char *args[API_ARGS_MAX])
{
    for (int i = 0; i < API_ARGS_MAX; i++) {
        free(args[i]);
        args[i] = NULL;
    }
}

/* Returns the N bytes at S with their percent-escapes replaced, or null if
 * that makes no text. */
static char *
decode(const char *s, size_t n)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char) s[i];

        if (c == '%') {
            int high = i + 2 < n ? hexit_value(s[i + 1]) : -1;
            int low = i + 2 < n ? hexit_value(s[i + 2]) : -1;

            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f) {
            ds_destroy(&out);
            return NULL;
        }
        ds_put_char(&out, c);
    }
    return ds_steal_cstr(&out);
}

char *
api_decode(const char *s)
{
    return decode(s, strlen(s));
}

/* Matches PATH with PATTERN, storing what stands for "*" into ARGS. */
static bool
match_path(const char *pattern, const char *path, char *args[API_ARGS_MAX])
{
    int n_args = 0;

    while (*pattern && *path) {
        size_t m = strcspn(pattern + 1, "/");
        size_t n = strcspn(path + 1, "/");

        if (pattern[1] == '*') {
            char *arg = n ? decode(path + 1, n) : NULL;

            if (!arg) {
                break;
            }
            args[n_args++] = arg;
        } else if (m != n || memcmp(pattern + 1, path + 1, n)) {
            break;
        }
        pattern += m + 1;
        path += n + 1;
    }
    if (*pattern || *path) {
        api_route_free_args(args);
        return false;
    }
    return true;
}

const struct api_route *
api_route_find(const char *method, const char *path,
               char *args[API_ARGS_MAX], struct ds *allowed)
{
    if (path[0] != '/') {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (match_path(routes[i].pattern, path, args)) {
            if (!strcmp(routes[i].method, method)) {
                return &routes[i];
            }
            api_route_free_args(args);
            ds_put_format(allowed, "%s%s", allowed->length ? ", " : "",
                          routes[i].method);
        }
    }
    return NULL;
}
