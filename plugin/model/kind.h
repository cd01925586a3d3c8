/* SPDX-License-Identifier: Apache-2.0 */
/* The six kinds of object, described to code that treats them alike. */

#ifndef MODEL_KIND_H
#define MODEL_KIND_H 1

/* Snapshots, changes and differences do the same to each kind.  This table
 * says how.  It is in an order in which objects can be inserted: what others
 * refer to comes first.  Internal to plugin/model. */

#include "model/mapping.h"

struct ds;

struct model_kind {
    const char *plural;         /* Its name in the JSON of the stream. */
    size_t size;                /* Of the struct. */
    size_t max;                 /* Objects in one snapshot or change. */
    bool recent;                /* Older snapshots may lack it. */

    size_t revision_offset;     /* Of struct model_revision in it. */
    size_t net_offset;          /* Of the name of its vSubnet, or 0. */
    size_t table_offset;        /* Of the hmap in struct mapping, */
    size_t node_offset;         /* and of its hmap_node in the object. */

    char *(*from_json)(const struct json_t *, void *);
    struct json_t *(*to_json)(const void *, enum model_view);
    void (*destroy)(void *);

    /* The key: as text (for "appears twice"), as a reference in "remove". */
    void (*format_key)(const void *, struct ds *);
    struct json_t *(*key_to_json)(const void *);
    char *(*find_by_key)(const struct mapping *, const struct json_t *,
                         void **);

    void *(*find_same)(const struct mapping *, const void *);
    bool (*put)(struct mapping *, void *);
    void (*remove)(struct mapping *, void *);
};

enum {
    KIND_NODE, KIND_NET, KIND_MEMBER, KIND_BINDING, KIND_KEY, KIND_RULE,
    N_KINDS
};

extern const struct model_kind model_kinds[N_KINDS];

static inline struct model_revision
kind_revision(const struct model_kind *kind, const void *object)
{
    return *(const struct model_revision *)
        ((const char *) object + kind->revision_offset);
}

static inline const char *
kind_net(const struct model_kind *kind, const void *object)
{
    return (kind->net_offset
            ? *(char *const *) ((const char *) object + kind->net_offset)
            : NULL);
}

static inline const struct hmap *
kind_table(const struct model_kind *kind, const struct mapping *m)
{
    return (const void *) ((const char *) m + kind->table_offset);
}

static inline void *
kind_object(const struct model_kind *kind, const struct hmap_node *node)
{
    return (char *) node - kind->node_offset;
}

#define KIND_FOR_EACH(NODE, KIND, MAPPING)                              \
    for (const struct hmap_node *NODE                                   \
             = hmap_first(kind_table(KIND, MAPPING));                   \
         NODE; NODE = hmap_next(kind_table(KIND, MAPPING), NODE))

#endif /* model/kind.h */
