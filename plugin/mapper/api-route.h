/* SPDX-License-Identifier: Apache-2.0 */
/* The API: its routes, and which one a request takes. */

#ifndef MAPPER_API_ROUTE_H
#define MAPPER_API_ROUTE_H 1

/* A route is a method and the pattern of a path, who may use it, the handler,
 * and what has to be so before the handler runs.  The table of all of them is
 * in api-route.c; openapi.yaml describes the same ones. */

#include "mapper/api.h"

struct ds;

enum route_flags {
    ROUTE_WRITES = 1 << 0,      /* Runs within a transaction. */
    ROUTE_BODY = 1 << 1,        /* Needs a JSON object. */
    ROUTE_BODY_MAY = 1 << 2,    /* Takes one; none is like {}. */
    ROUTE_NO_DB = 1 << 3,       /* Works without a database. */
    ROUTE_ANY_INSTANCE = 1 << 4, /* For a node that holds no lease, too, */
    ROUTE_SUPERSEDED = 1 << 5,  /* and with a credential of earlier days. */
    ROUTE_MAY_PARK = 1 << 6,    /* See api_lease_park(). */
    ROUTE_ONCE = 1 << 7,        /* Heeds Idempotency-Key. */
    ROUTE_LARGE = 1 << 8,       /* Takes a body of HTTP_LARGE_BODY_MAX. */
    ROUTE_CACHED = 1 << 9,      /* Heeds If-None-Match: all that the answer
                                 * tells is of its revision. */
};

struct api_route {
    const char *method;
    const char *pattern;        /* "*" stands for one element. */
    int roles;                  /* Bits of enum auth_role. */
    api_handler *handler;
    int flags;
};

/* Finds the route.  ARGS gets what stands for "*", which the caller frees.
 * Without a route, *ALLOWED says which methods the path has. */
const struct api_route *api_route_find(const char *method, const char *path,
                                       char *args[API_ARGS_MAX],
                                       struct ds *allowed);
void api_route_free_args(char *args[API_ARGS_MAX]);

#endif /* mapper/api-route.h */
